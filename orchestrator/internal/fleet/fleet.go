// Package fleet is what an orchestrator knows of the transcoders: who bids, who is trusted, whose tickets are backed by an
// allocation, how well and how fast each has worked. What must outlive a process is in Postgres; the rest is measured anew.
package fleet

import (
	"bytes"
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"golang.org/x/time/rate"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/route"
	"github.com/kinora/kinora/internal/verify"
	"github.com/kinora/kinora/orchestrator/internal/store"
)

// Treasury keeps allocations in the escrow; Ensure returns once amount is confirmed on chain (topping up below half).
type Treasury interface {
	Ensure(ctx context.Context, recipient common.Address, amount protocol.Wei) error
}

// Config of a Fleet.
type Config struct {
	Domain     protocol.Domain
	Self       common.Address
	Allocation protocol.Wei    // per transcoder
	MaxMembers int             // transcoders that are given an allocation; more are heard, not hired
	Absent     time.Duration   // without a bid for so long, a member's place is free (5 min)
	Trial      time.Duration   // a member without a verified output yields its place to one that waits after so long (10 min)
	FundEvery  time.Duration   // beyond the first MaxMembers, one more is given an allocation each (1 min)
	Backoff    time.Duration   // no award to one that declined or failed for so long
	TopUp      time.Duration   // between looks at the allocations
	Measure    auction.Measure // of what bids are weighed by; zero: the standard one
	Events     func(protocol.Event)
	Log        *slog.Logger
}

// Fleet holds the members. Its methods may be called from several goroutines at once.
type Fleet struct {
	cfg      Config
	store    *store.Store
	treasury Treasury
	book     *auction.Book
	wake     chan struct{} // somebody waits for an allocation
	funds    *rate.Limiter // of allocations to transcoders that had none from this process

	mu       sync.Mutex
	members  map[common.Address]*member
	hired    int // members that have a place
	rankings map[kind]*ranking
	hall     hall

	terms  *Terms        // set before Run; nil: nothing is committed to
	remake chan struct{} // holds one token when a figure is to be committed to at once
}

type member struct {
	store.Transcoder
	entered    bool      // has its row
	allocated  bool      // has a place
	funded     bool      // has been given an allocation
	queued     time.Time // when it began to wait for a place
	hired      time.Time // when it got its place
	heard      time.Time // when its last bid came
	refusal    string    // why the last Ensure failed
	bids       uint64    // since the last CountBids
	shown      protocol.Bid
	shownAt    time.Time
	quality    quality
	place      int             // in the book, from 1; 0: none
	stands     auction.Place   // what the book has there
	figure     *auction.Figure // committed to; nil: none is
	measured   bool            // something was seen since
	changes    *rate.Limiter   // of its terms
	held       []hold
	busyUntil  time.Time
	probing    bool
	record     *protocol.Capabilities // what it says of its machine
	recordOf   protocol.Hash          // its hash
	duty       duty
	quarantine quarantine
}

// hold is an award that a standing bid may not know of.
type hold struct {
	lease protocol.ID
	rates protocol.CodecRates
	at    time.Time
}

// New makes the fleet; Run must run for anybody to be hired.
func New(cfg Config, st *store.Store, treasury Treasury) *Fleet {
	cfg.Absent, cfg.Trial = cmp.Or(cfg.Absent, 5*time.Minute), cmp.Or(cfg.Trial, 10*time.Minute)
	cfg.FundEvery = cmp.Or(cfg.FundEvery, time.Minute)
	cfg.Measure = cmp.Or(cfg.Measure, auction.StandardMeasure())
	return &Fleet{cfg: cfg, store: st, treasury: treasury, book: auction.NewBook(maxBidders), wake: make(chan struct{}, 1), remake: make(chan struct{}, 1),
		funds: rate.NewLimiter(rate.Every(cfg.FundEvery), cfg.MaxMembers), members: make(map[common.Address]*member), rankings: make(map[kind]*ranking)}
}

// maxBidders bounds the book.
const maxBidders = 16_384

// bidEventEvery bounds how often an unchanged bid is shown as an event.
const bidEventEvery = 10 * time.Second

// Bid takes a bid from the bus.
func (f *Fleet) Bid(bid protocol.Signed[protocol.Bid]) {
	b, err := bid.Open(f.cfg.Domain)
	if err != nil {
		f.cfg.Log.Debug("bid refused", "transcoder", bid.Message.Transcoder, "err", err)
		return
	}
	if b.Transcoder == f.cfg.Self || !b.Request.IsZero() {
		return
	}
	now := time.Now()
	if f.restless(b, now) {
		f.cfg.Log.Debug("bid refused: its terms change too often", "transcoder", b.Transcoder)
		return
	}
	if err := f.book.Put(bid, now); err != nil {
		f.cfg.Log.Debug("bid refused", "transcoder", b.Transcoder, "err", err)
		return
	}
	f.mu.Lock()
	m := f.members[b.Transcoder]
	if m == nil {
		m = &member{Transcoder: store.Transcoder{Address: b.Transcoder, Record: verify.Record{State: verify.New}, FirstSeen: now}}
		f.members[b.Transcoder] = m
	}
	if m.queued.IsZero() {
		m.queued = now
	}
	m.heard = now
	m.bids++
	switch {
	case b.Record != nil:
		m.record, m.recordOf = b.Record, b.Capabilities
	case b.Capabilities != m.recordOf: // the record of that hash will come with a later bid
		m.record, m.recordOf = nil, b.Capabilities
	}
	m.held = slices.DeleteFunc(m.held, func(h hold) bool { return h.at.Add(holdFor).Before(now) })
	changed := !slices.Equal(b.Prices, m.shown.Prices) || b.FreePixelRate != m.shown.FreePixelRate || !slices.Equal(b.FreeByCodec, m.shown.FreeByCodec)
	show := m.shownAt.IsZero() || changed && now.Sub(m.shownAt) > time.Second || now.Sub(m.shownAt) >= bidEventEvery
	if show {
		m.shown, m.shownAt = b, now
	}
	waits := !m.allocated && f.hired < f.cfg.MaxMembers
	f.rankLocked(b.Transcoder, now)
	f.mu.Unlock()
	if show {
		e := protocol.Event{Kind: protocol.BidReceived, Counterparty: &b.Transcoder, Count: b.FreePixelRate}
		if price, ok := b.Prices.Of(protocol.H264); ok {
			e.Wei = &price
		}
		f.cfg.Events(e)
	}
	if waits {
		f.nudge()
	}
}

// Changes of one bidder's terms a second that are taken, and at once: each is kept for whoever audits the auctions.
const (
	changesPerSecond = 2
	changeBurst      = 100
)

// restless reports that b changes the terms of one that has a place more often than is taken.
func (f *Fleet) restless(b protocol.Bid, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.members[b.Transcoder]
	if m == nil || m.stands.Empty() || m.stands.Bid.Message.SameTerms(b) {
		return false
	}
	if m.changes == nil {
		m.changes = rate.NewLimiter(changesPerSecond, changeBurst)
	}
	return !m.changes.AllowN(now, 1)
}

// holdFor is how long an award weighs on a bid: by then its bidder has bid again, knowing of it.
const holdFor = 2 * time.Second

func (f *Fleet) nudge() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// Run enters newcomers, allocates to them before their first award, keeps allocations up and the records fresh, until ctx ends.
func (f *Fleet) Run(ctx context.Context) error {
	if err := f.refresh(ctx); err != nil {
		return err
	}
	var hiring sync.WaitGroup
	hiring.Go(func() { f.hireLoop(ctx) }) // waits for the chain, which nothing else here should
	if f.terms != nil {
		hiring.Go(func() { f.keep(ctx) })
	}
	defer hiring.Wait()
	refresh := time.NewTicker(time.Second)
	defer refresh.Stop()
	for {
		select {
		case <-ctx.Done():
			f.flushBids(context.WithoutCancel(ctx))
			return nil
		case <-refresh.C:
			f.flushBids(ctx)
			if err := f.refresh(ctx); err != nil && ctx.Err() == nil {
				f.cfg.Log.Warn("cannot read the transcoders' records", "err", err)
			}
			f.nudge()
		}
	}
}

// refresh takes over the records as Postgres has them, which other replicas change too.
func (f *Fleet) refresh(ctx context.Context) error {
	rows, err := f.store.Transcoders(ctx)
	if err != nil {
		return err
	}
	if err := f.readQuarantines(ctx); err != nil {
		return err
	}
	f.mu.Lock()
	for _, row := range rows {
		m := f.members[row.Address]
		if m == nil {
			m = &member{}
			f.members[row.Address] = m
		}
		was := m.entered && m.Record.Leasable()
		if m.Transcoder, m.entered = row, true; was != m.Record.Leasable() {
			f.rankLocked(row.Address, time.Now())
		}
	}
	f.mu.Unlock()
	for from := 0; f.sweep(from, from+sweepAtOnce); from += sweepAtOnce {
	}
	return nil
}

// sweepAtOnce is how many places are looked at while awards wait.
const sweepAtOnce = 1024

// sweep brings some places of the book up to date with bids that ran out, and quarantines; false when there are no more.
func (f *Fleet) sweep(from, to int) bool {
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.hall.places[min(from, len(f.hall.places)):min(to, len(f.hall.places))] {
		if m := f.members[t]; m != nil && f.standLocked(m, now) {
			f.rankLocked(t, now)
		}
	}
	return to < len(f.hall.places)
}

func (f *Fleet) flushBids(ctx context.Context) {
	counts := make(map[common.Address]uint64)
	f.mu.Lock()
	for t, m := range f.members {
		if m.entered && m.bids > 0 {
			counts[t], m.bids = m.bids, 0
		}
	}
	f.mu.Unlock()
	if len(counts) == 0 {
		return
	}
	if err := f.store.CountBids(ctx, counts); err != nil {
		f.cfg.Log.Debug("bids were not counted", "err", err)
	}
}

// Rank scores every live bid for ask, best first, losers after them with their reasons.
func (f *Fleet) Rank(ask auction.Ask) []auction.Choice {
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	choices, _ := f.pickLocked(Listing{Ask: ask}, nil, now)
	return append(choices, f.outsidersLocked(ask, now)...)
}

// Suspects returns the transcoders under test that bid now and are not being probed, and marks them so; each is to be
// given back with Probed.
func (f *Fleet) Suspects(ask auction.Ask) []auction.Choice {
	now := time.Now()
	live := f.book.Live(now)
	f.mu.Lock()
	defer f.mu.Unlock()
	var candidates []auction.Candidate
	for _, s := range live {
		m := f.members[s.Bid.Message.Transcoder]
		if m == nil || m.Record.State != verify.Suspect || m.probing || !m.allocated || m.quarantine.stands(now) {
			continue
		}
		candidates = append(candidates, auction.Candidate{Bid: s.Bid.Message, Quality: auction.Perfect, Allocated: true})
	}
	choices := auction.Ranked(auction.Pick(candidates, ask))
	for _, c := range choices {
		f.members[c.Bid.Transcoder].probing = true
	}
	return choices
}

// Probed says that the probe of t has ended.
func (f *Fleet) Probed(t common.Address) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if m := f.members[t]; m != nil {
		m.probing = false
	}
}

// Record is what t's outputs have earned it.
func (f *Fleet) Record(t common.Address) verify.Record {
	f.mu.Lock()
	defer f.mu.Unlock()
	if m := f.members[t]; m != nil {
		return m.Record
	}
	return verify.Record{State: verify.New}
}

// Judged takes over a record that was just committed.
func (f *Fleet) Judged(t common.Address, r verify.Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if m := f.members[t]; m != nil {
		m.Record = r
		f.rankLocked(t, time.Now())
	}
}

// Awarded notes that t holds lease, which is so much work, from now on: when it is offered, so that another auction of the same
// moment does not count on the same room, and again when it was accepted, since a bid of between cannot know of it.
func (f *Fleet) Awarded(t common.Address, lease protocol.ID, rates protocol.CodecRates) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if m := f.members[t]; m != nil {
		now := time.Now()
		if i := slices.IndexFunc(m.held, func(h hold) bool { return h.lease == lease }); i >= 0 {
			was := m.held[i].at
			m.held[i].at = now
			if s, ok := f.book.Get(t, now); ok && was.After(s.Arrived) {
				return // as it is ranked already
			}
		} else {
			m.held = append(m.held, hold{lease: lease, rates: rates, at: now})
		}
		f.rankLocked(t, now)
	}
}

// Freed notes that a lease of t is over.
func (f *Fleet) Freed(t common.Address, lease protocol.ID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if m := f.members[t]; m != nil {
		m.held = slices.DeleteFunc(m.held, func(h hold) bool { return h.lease == lease })
		f.rankLocked(t, time.Now())
	}
}

// Declined keeps awards from t for a moment.
func (f *Fleet) Declined(t common.Address) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if m := f.members[t]; m != nil {
		m.busyUntil = time.Now().Add(f.cfg.Backoff)
	}
}

// Delivered notes a verified output of so many pixels a second, and how long after the last source byte its receipt came.
func (f *Fleet) Delivered(t common.Address, pixelRate uint64, tail time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if m := f.members[t]; m != nil {
		now := time.Now()
		m.quality.verified(auction.ClassOf(pixelRate), tail, now, f.cfg.Measure)
		m.busyUntil, m.measured = time.Time{}, true
		if m.figure != nil && m.figure.Newcomer && !m.quality.seen.Newcomer(now, f.cfg.Measure) {
			f.remeasure() // it need not wait for its first lease
		}
		f.rankLocked(t, now)
	}
}

// Failed notes an attempt without a verified output.
func (f *Fleet) Failed(t common.Address) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if m := f.members[t]; m != nil {
		now := time.Now()
		m.quality.failed(now, f.cfg.Measure)
		m.busyUntil, m.measured = now.Add(f.cfg.Backoff), true
		f.rankLocked(t, now)
	}
}

// Patience is how long t may take after the last source byte before somebody else is asked too.
func (f *Fleet) Patience(t common.Address, budget time.Duration) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	var p95 time.Duration
	var known bool
	if m := f.members[t]; m != nil {
		p95, known = m.quality.p95()
	}
	return route.Patience(p95, known, budget)
}

// Member is a transcoder as the API shows it.
type Member struct {
	Address   common.Address `json:"address"`
	Bid       *protocol.Bid  `json:"bid,omitempty"`
	Record    verify.Record  `json:"record"`
	CutOffAt  *time.Time     `json:"cut_off_at,omitempty"`
	CutOffFor string         `json:"cut_off_for,omitempty"`
	Allocated bool           `json:"allocated"`
	Refusal   string         `json:"allocation_refused,omitempty"`
	Quality   uint32         `json:"quality_ppm"`
	P95Millis int64          `json:"p95_ms,omitempty"`
	Busy      bool           `json:"busy"`
	Bids      uint64         `json:"bids"`
	FirstSeen time.Time      `json:"first_seen"`
	// Capabilities is what it says of its machine, signed with its bids.
	Capabilities *protocol.Capabilities `json:"capabilities,omitempty"`
	// Duty is there when it leaves or has announced maintenance, Quarantine when the operator keeps leases from it.
	Duty       *Standing         `json:"duty,omitempty"`
	Quarantine *store.Quarantine `json:"quarantine,omitempty"`
}

// Members lists everybody, oldest first.
func (f *Fleet) Members() []Member {
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]Member, 0, len(f.members))
	for t, m := range f.members {
		x := Member{Address: t, Record: m.Record, CutOffAt: m.CutOffAt, CutOffFor: m.CutOffFor, Allocated: m.allocated && f.weighedLocked(m), Refusal: m.refusal,
			Quality: m.quality.seen.Overall(now, f.cfg.Measure), Busy: now.Before(m.busyUntil), Bids: m.Bids + m.bids, FirstSeen: m.FirstSeen, Capabilities: m.record}
		x.Duty = m.duty.standing(now)
		if q := m.quarantine.Quarantine; m.quarantine.stands(now) {
			x.Quarantine = &q
		}
		if p95, ok := m.quality.p95(); ok {
			x.P95Millis = p95.Milliseconds()
		}
		if s, ok := f.book.Get(t, now); ok {
			bid := s.Bid.Message
			bid.Record = nil // shown once
			x.Bid = &bid
		}
		out = append(out, x)
	}
	slices.SortFunc(out, func(a, b Member) int {
		return cmp.Or(a.FirstSeen.Compare(b.FirstSeen), bytes.Compare(a.Address[:], b.Address[:]))
	})
	return out
}
