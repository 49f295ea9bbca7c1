package fleet

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator/internal/store"
)

const (
	figuresEvery = time.Second     // at most so often are figures of quality committed to, unless one is missing
	figureFades  = time.Minute     // without anything seen, a figure is computed anew
	figureBatch  = 1024            // figures that change at once
	journalEvery = 2 * time.Second // the journal is stored
	pageEntries  = 256
	maxUnstored  = 200_000          // entries of a journal that cannot be stored: no award is given that could not be shown
	maxHeld      = 2 * maxUnstored  // bids go on without awards: beyond so many the journal is given up
	repeatEvery  = 30 * time.Second // the epoch is published again, for those that came since
	stragglers   = time.Minute      // for auctions of an epoch that is over to end
)

// epoch is what one secret decides. Fields below the line are guarded by Fleet.mu, those above are its keeper's or do not change.
type epoch struct {
	signed protocol.Signed[protocol.AuctionEpoch]
	secret auction.Secret
	began  time.Time
	over   atomic.Bool // and its bids are open
	lost   atomic.Bool // its journal was given up: it decides nothing any more, and is never closed

	quality auction.Tree
	placed  []auction.Figure   // what the tree has
	staged  []auction.FigureAt // in the tree, and not in force yet
	serial  uint64
	built   []store.AuctionPage // not stored yet
	pages   []protocol.Hash     // stored
	stored  time.Time           // when last
	said    time.Time           // when last

	// ----
	root     protocol.Hash // over the figures in force
	auctions uint64
	open     int // auctions without an outcome
	turns    map[turn]uint64
	entries  []auction.Entry // not on a page yet
	closed   bool            // to entries
	ended    time.Time
}

type turn struct {
	payer       common.Address
	stream      string
	incarnation uint32
	ladder      protocol.Hash
}

func (e *epoch) write(x auction.Entry) {
	switch {
	case e.closed:
	case len(e.entries) >= maxHeld:
		e.entries, e.closed = nil, true
		e.lost.Store(true)
	default:
		e.entries = append(e.entries, x)
	}
}

// usable refuses what could not be shown afterwards, and to decide by a secret that others may have been shown.
func (e *epoch) usable(now time.Time) error {
	if len(e.entries) > maxUnstored || e.lost.Load() {
		return protocol.Errorf(protocol.Unavailable, "the journal of auctions cannot be stored: is the database there?")
	}
	if now.Sub(e.began) > 2*time.Duration(e.signed.Message.LengthMillis)*time.Millisecond {
		return protocol.Errorf(protocol.Unavailable, "the epoch of auctions %s is over, and no other could be begun", e.signed.Message.Commitment.Short())
	}
	return nil
}

// tie is what decides between equals in the next auction of a stream's work.
func (e *epoch) tie(k turn) protocol.Hash {
	return e.secret.Tie(k.payer, k.stream, k.incarnation, k.ladder, e.turns[k]+1)
}

// remeasure has missing figures committed to at once.
func (f *Fleet) remeasure() {
	select {
	case f.remake <- struct{}{}:
	default:
	}
}

// keep turns the epochs, commits to the figures of quality, and stores what the auctions followed from, until ctx ends.
func (f *Fleet) keep(ctx context.Context) {
	tick := time.NewTicker(figuresEvery)
	defer tick.Stop()
	failing := false
	for {
		err := f.keepOnce(ctx, time.Now())
		if failed := err != nil && ctx.Err() == nil; failed != failing { // once per outage
			if failing = failed; failing {
				f.cfg.Log.Warn("auctions cannot be committed to; trying again", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
			defer cancel()
			f.mu.Lock()
			f.retireLocked(nil, time.Now())
			f.mu.Unlock()
			if err := f.closeAll(ending, time.Now().Add(stragglers)); err != nil {
				f.cfg.Log.Warn("the journal of the last auctions was not closed", "err", err)
			}
			return
		case <-tick.C:
		case <-f.remake:
		}
	}
}

func (f *Fleet) keepOnce(ctx context.Context, now time.Time) error {
	f.mu.Lock()
	e := f.hall.epoch
	f.mu.Unlock()
	if e == nil || now.Sub(e.began) >= f.terms.Epoch || e.lost.Load() {
		if err := f.turnEpoch(ctx, now); err != nil {
			return err
		}
	} else if err := f.commit(ctx, e, now); err != nil {
		return err
	}
	if e != nil && now.Sub(e.said) >= repeatEvery {
		f.publish(protocol.Commitment{Epoch: &e.signed})
		e.said = now
	}
	if e != nil && !e.lost.Load() && now.Sub(e.stored) >= journalEvery {
		if err := f.save(ctx, e); err != nil {
			return err
		}
		e.stored = now
	}
	return f.closeAll(ctx, now)
}

// turnEpoch begins an epoch: its secret and the figures are committed to and stored, then published, then used.
func (f *Fleet) turnEpoch(ctx context.Context, now time.Time) error {
	e := &epoch{secret: auction.NewSecret(), began: now, stored: now, said: now, turns: make(map[turn]uint64)}
	t, self := f.terms, f.terms.Signer.Address()
	var err error
	e.signed, err = protocol.Seal(f.cfg.Domain, t.Signer, protocol.AuctionEpoch{Orchestrator: self, Commitment: e.secret.Commitment(), Rule: string(t.Rule), TrialsPPM: t.Trials,
		BeganMillis: uint64(now.UnixMilli()), LengthMillis: uint32(t.Epoch.Milliseconds()), URL: t.URL})
	if err != nil {
		return err
	}
	f.stage(e, now, false)
	root, err := f.nextRoot(e, now)
	if err != nil {
		return err
	}
	if err := f.store.SaveAuctionEpoch(ctx, e.signed, e.secret, root); err != nil {
		return err
	}
	f.publish(protocol.Commitment{Epoch: &e.signed})
	f.publish(protocol.Commitment{Figures: &root})
	f.mu.Lock()
	defer f.mu.Unlock()
	f.retireLocked(e, now)
	f.enforceLocked(e, root, now)
	for i, address := range f.hall.places {
		change := auction.Change{Place: i, Out: auction.NotAllocated}
		if m := f.members[address]; m != nil {
			switch {
			case !m.stands.Empty():
				bid := m.stands.Bid
				change = auction.Change{Place: i, Bid: &bid, Held: m.stands.Held}
			case !m.Record.Leasable():
				change.Out = auction.Distrusted
			case m.entered:
				change.Out = auction.Expired
			}
		}
		e.write(auction.Entry{Bid: &change})
	}
	return nil
}

// retireLocked ends the epoch that decides and has the next one decide.
func (f *Fleet) retireLocked(next *epoch, now time.Time) {
	if old := f.hall.epoch; old != nil {
		old.ended = now
		f.hall.past = append(f.hall.past, old)
	}
	f.hall.epoch = next
}

// stage puts the figures that are new or have moved in the epoch's tree: at most so many, unless it begins.
func (f *Fleet) stage(e *epoch, now time.Time, bounded bool) {
	type asked struct {
		place   int
		address common.Address
		known   *auction.Figure
		seen    auction.Quality
	}
	var all []asked
	f.mu.Lock()
	for i, was := range e.placed { // whoever moved to another place has no figure at two
		if was.Transcoder != (common.Address{}) && was.Transcoder != f.hall.places[i] {
			all = append(all, asked{place: i})
		}
	}
	moved := len(all)
	for i, address := range f.hall.places {
		var was auction.Figure
		if i < len(e.placed) {
			was = e.placed[i]
		}
		m := f.members[address]
		if m == nil {
			continue
		}
		if m.figure != nil && !m.measured && (m.quality.at.IsZero() || now.Sub(m.quality.at) < figureFades) {
			if was.Transcoder != address { // as it was in the epoch before
				all = append(all, asked{place: i, address: address, known: m.figure})
			}
			continue
		}
		m.measured = false
		if !m.quality.at.IsZero() {
			m.quality.at = now
		}
		all = append(all, asked{place: i, address: address, seen: m.quality.seen})
		if bounded && len(all)-moved >= figureBatch {
			f.remeasure()
			break
		}
	}
	f.mu.Unlock()
	for _, a := range all {
		x := auction.Figure{Transcoder: a.address}
		switch {
		case a.known != nil:
			x = *a.known
		case a.address != common.Address{}:
			x.Newcomer, x.Quality = a.seen.Newcomer(now, f.cfg.Measure), a.seen.Figures(now, f.cfg.Measure)
		}
		for len(e.placed) <= a.place {
			e.placed = append(e.placed, auction.Figure{})
		}
		if e.placed[a.place] == x {
			continue
		}
		e.placed[a.place] = x
		var salt protocol.ID
		if a.address != (common.Address{}) {
			salt = e.secret.Salt(a.address)
		}
		e.quality.Set(a.place, x.Leaf(salt))
		e.staged = append(e.staged, auction.FigureAt{Place: a.place, Figure: x})
	}
}

func (f *Fleet) nextRoot(e *epoch, now time.Time) (protocol.Signed[protocol.FiguresRoot], error) {
	return protocol.Seal(f.cfg.Domain, f.terms.Signer, protocol.FiguresRoot{Orchestrator: f.terms.Signer.Address(), Epoch: e.signed.Message.Commitment, Serial: e.serial + 1,
		Root: e.quality.Root(), AtMillis: uint64(now.UnixMilli())})
}

// commit has figures in force that moved: their root is stored and published before any award uses it.
func (f *Fleet) commit(ctx context.Context, e *epoch, now time.Time) error {
	f.stage(e, now, true)
	if len(e.staged) == 0 {
		return nil
	}
	root, err := f.nextRoot(e, now)
	if err != nil {
		return err
	}
	if err := f.store.SaveFigures(ctx, root); err != nil {
		return err // what is staged goes with the next one
	}
	f.publish(protocol.Commitment{Figures: &root})
	f.mu.Lock()
	defer f.mu.Unlock()
	f.enforceLocked(e, root, now)
	return nil
}

// enforceLocked weighs bids by the figures that are staged from now on.
func (f *Fleet) enforceLocked(e *epoch, root protocol.Signed[protocol.FiguresRoot], now time.Time) {
	for _, x := range e.staged {
		e.write(auction.Entry{Figure: &x})
		if m := f.members[x.Figure.Transcoder]; m != nil && m.place == x.Place+1 {
			known := x.Figure
			moved := m.figure == nil || *m.figure != known // an epoch begins with those of the one before
			f.hall.weigh(m, &known)
			if moved {
				f.rankLocked(m.Address, now)
			}
		}
	}
	e.write(auction.Entry{Figures: &root})
	e.staged, e.serial, e.root = nil, root.Message.Serial, root.Message.Root
}

func (f *Fleet) publish(c protocol.Commitment) {
	if f.terms.Publish == nil {
		return
	}
	if err := f.terms.Publish(c); err != nil { // it is in the database, and served from there
		f.cfg.Log.Debug("a commitment was not published", "err", err)
	}
}

// save stores the epoch's journal up to now.
func (f *Fleet) save(ctx context.Context, e *epoch) error {
	if len(e.built) == 0 {
		f.mu.Lock()
		entries := e.entries
		e.entries = nil
		f.mu.Unlock()
		runs := [][]auction.Entry{entries}
		if len(e.pages) == 0 {
			runs = beginning(entries)
		}
		for _, run := range runs {
			for part := range slices.Chunk(run, pageEntries) {
				page, err := pageOf(part)
				if err != nil {
					return err
				}
				e.built = append(e.built, page)
			}
		}
	}
	if len(e.built) == 0 {
		return nil
	}
	if err := f.store.SaveAuctionPages(ctx, e.signed.Message.Commitment, len(e.pages), e.built); err != nil {
		return err
	}
	for _, p := range e.built {
		e.pages = append(e.pages, p.Hash)
	}
	e.built = nil
	return nil
}

// beginning divides what an epoch begins with: the figures and the bids that it has from the one before are the same texts there,
// the root between them is not.
func beginning(entries []auction.Entry) (runs [][]auction.Entry) {
	for _, is := range []func(auction.Entry) bool{
		func(e auction.Entry) bool { return e.Figure != nil }, func(e auction.Entry) bool { return e.Figures != nil }, func(e auction.Entry) bool { return e.Bid != nil }} {
		n := slices.IndexFunc(entries, func(e auction.Entry) bool { return !is(e) })
		if n < 0 {
			n = len(entries)
		}
		runs, entries = append(runs, entries[:n]), entries[n:]
	}
	return append(runs, entries)
}

func pageOf(entries []auction.Entry) (p store.AuctionPage, err error) {
	text := protocol.Encode(entries)
	p.Hash = sha256.Sum256(text)
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed) // the level exists
	if _, err := z.Write(text); err != nil {
		return p, fmt.Errorf("compress a page: %w", err)
	}
	if err := z.Close(); err != nil {
		return p, fmt.Errorf("compress a page: %w", err)
	}
	p.Text = b.Bytes()
	return p, nil
}

// closeAll closes the epochs that are over and have no auction under way: their secrets and journals are open from then on.
func (f *Fleet) closeAll(ctx context.Context, now time.Time) error {
	for {
		f.mu.Lock()
		if len(f.hall.past) == 0 {
			f.mu.Unlock()
			return nil
		}
		e := f.hall.past[0]
		if e.lost.Load() { // what was stored of it is shown once it lapses
			f.cfg.Log.Warn("the journal of an epoch of auctions was given up: the database was away for too long", "epoch", e.signed.Message.Commitment.Short())
			f.hall.past = f.hall.past[1:]
			f.mu.Unlock()
			continue
		}
		if e.open > 0 && now.Sub(e.ended) < stragglers {
			f.mu.Unlock()
			return nil
		}
		e.closed = true
		auctions := e.auctions
		f.mu.Unlock()
		for more := true; more; { // what was built before is stored first
			if err := f.save(ctx, e); err != nil {
				return err
			}
			f.mu.Lock()
			more = len(e.entries) > 0
			f.mu.Unlock()
		}
		end, err := protocol.Seal(f.cfg.Domain, f.terms.Signer, protocol.AuctionClose{Orchestrator: f.terms.Signer.Address(), Epoch: e.signed.Message.Commitment,
			Auctions: auctions, Pages: uint32(len(e.pages)), Journal: auction.Journal(e.pages)})
		if err != nil {
			return err
		}
		if err := f.store.EndAuctionEpoch(ctx, end); err != nil {
			return err
		}
		e.over.Store(true)
		f.publish(protocol.Commitment{Close: &end})
		f.mu.Lock()
		f.hall.past = f.hall.past[1:]
		f.mu.Unlock()
	}
}
