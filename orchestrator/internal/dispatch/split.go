package dispatch

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/route"
)

// partOf is the part of s with these rungs; nil: all.
func partOf(s *segment, rungs []int) *part {
	p := &part{seg: s, rungs: rungs, work: s.work}
	if rungs != nil {
		p.work.request.Ladder = route.Rungs(s.work.request.Ladder, rungs)
		p.work.key.ladder = protocol.Hash(p.work.request.Ladder.Hash())
		p.work.share = true
	}
	return p
}

// partsOf are the parts of s by the leases that its stream has: one, or those it is shared by already, with one of all that
// nobody has.
func (d *Dispatcher) partsOf(s *segment) []*part {
	ladder := s.work.request.Ladder
	if len(ladder) == 1 || len(d.leases.of(s.work.key)) > 0 {
		return []*part{partOf(s, nil)}
	}
	var parts []*part
	left := make([]bool, len(ladder))
	for _, l := range d.leases.shares(s.work.key) {
		rungs := indices(ladder, l.ladder())
		if rungs == nil || slices.ContainsFunc(rungs, func(r int) bool { return left[r] }) {
			continue
		}
		for _, r := range rungs {
			left[r] = true
		}
		parts = append(parts, partOf(s, rungs))
	}
	var rest []int
	for r, made := range left {
		if !made {
			rest = append(rest, r)
		}
	}
	switch {
	case len(parts) == 0:
		rest = nil
	case rest == nil:
		return parts
	}
	return append(parts, partOf(s, rest))
}

// indices are the places in ladder of the profiles of part, ascending; nil where part has others, or as many.
func indices(ladder, part protocol.Ladder) (rungs []int) {
	for i, p := range ladder {
		if len(rungs) < len(part) && p.Hash() == part[len(rungs)].Hash() {
			rungs = append(rungs, i)
		}
	}
	if len(rungs) != len(part) || len(part) == len(ladder) {
		return nil
	}
	return rungs
}

// covered reports whether the ladder is held: by one, or by several that share it.
func covered(ladder protocol.Ladder, held []protocol.Ladder) bool {
	made := make([]bool, len(ladder))
	for _, h := range held {
		if h.Hash() == ladder.Hash() {
			return true
		}
		for _, r := range indices(ladder, h) {
			made[r] = true
		}
	}
	return !slices.Contains(made, false)
}

// shares are the leases of a stream at any part of its ladder, oldest first.
func (s *leases) shares(key streamKey) (all []*Lease) {
	s.mu.Lock()
	for k, list := range s.byStream {
		if k.payer == key.payer && k.stream == key.stream && k.incarnation == key.incarnation && k != key {
			all = append(all, list...)
		}
	}
	s.mu.Unlock()
	slices.SortFunc(all, func(a, b *Lease) int { return a.since.Compare(b.since) })
	return slices.DeleteFunc(all, func(l *Lease) bool {
		w := l.serves()
		known := w.request.Ladder != nil // else it is of an earlier process, and may be one
		return known && !w.share || l.stands() || !l.open(time.Now())
	})
}

// division is how the ladder of ask can be shared by those who have room for a part of it; nil where it cannot, or one has room for all.
func (d *Dispatcher) division(choices []auction.Choice, ask auction.Ask) [][]int {
	var carriers []route.Carrier
	for _, c := range choices {
		if c.Reason != "" && c.Reason != auction.NoCapacity {
			continue
		}
		bid := c.Bid
		bid.FreePixelRate = min(bid.FreePixelRate, d.denials.free(bid, time.Now())) // it said so itself
		carriers = append(carriers, route.Carrier{Bid: bid, Held: c.Held})
	}
	parts := route.Split(ask.Ladder, ask.SourceFPS, carriers)
	if len(parts) < 2 {
		return nil
	}
	rungs := make([][]int, len(parts))
	for i, p := range parts {
		rungs[i] = p.Rungs
	}
	return rungs
}

// pieces are the parts in which others have leased meanwhile what p is for, with one of all that nobody has; nil where there is no
// more than one.
func (d *Dispatcher) pieces(p *part) (all []*part) {
	left := len(p.work.request.Ladder)
	for _, q := range d.partsOf(p.seg) {
		if q.rungs != nil && !slices.ContainsFunc(q.rungs, func(r int) bool { return !p.has(r) }) {
			all = append(all, q)
			left -= len(q.rungs)
		}
	}
	if left > 0 || len(all) < 2 {
		return nil
	}
	return all
}

// replace puts parts in the place of p.
func (s *segment) replace(p *part, parts []*part) {
	s.parts = append(slices.DeleteFunc(s.parts, func(x *part) bool { return x == p }), parts...)
}

// divisions let one segment of a stream at a time divide its ladder: it takes the room that the others then share. The zero
// divisions is ready for use.
type divisions struct {
	mu sync.Mutex
	of map[streamKey]chan struct{}
}

// begin is nil for who may divide, and is to end it; for others it is closed when the one that does has its leases, or none.
func (d *divisions) begin(key streamKey) <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if running, ok := d.of[key]; ok {
		return running
	}
	if d.of == nil {
		d.of = make(map[streamKey]chan struct{})
	}
	d.of[key] = make(chan struct{})
	return nil
}

func (d *divisions) end(key streamKey) {
	d.mu.Lock()
	defer d.mu.Unlock()
	close(d.of[key])
	delete(d.of, key)
}

// divide puts smaller parts in the place of one that nobody has room for, and begins with them; false where that is not why it
// failed, or does not help.
func (d *Dispatcher) divide(s *segment, t *try) bool {
	p := t.part
	refused := refusedWork(t.err)
	if refused == nil || refused.Code() != protocol.NoCapacity || p.pending() > 0 || len(p.work.request.Ladder) < 2 {
		return false
	}
	if running := d.divisions.begin(s.work.key); running != nil { // the room that is missing may be what another segment takes just now
		if p.started() >= d.cfg.MaxAttempts {
			return false
		}
		s.retire(t, t.epitaph())
		d.attemptAfter(p, running)
		return true
	}
	if pieces := d.pieces(p); pieces != nil {
		d.divisions.end(s.work.key)
		s.replace(p, pieces)
		for _, p := range pieces {
			d.attempt(p)
		}
		return true
	}
	_, bad := p.avoid()
	ask := d.ask(p.work, protocol.NewID(), bad)
	division := d.division(d.denials.pass(d.fleet.Rank(ask), time.Now()), ask)
	if division == nil {
		d.divisions.end(s.work.key)
		return false
	}
	parts := make([]*part, len(division))
	for i, rungs := range division {
		if p.rungs != nil {
			rungs = slices.Clone(rungs)
			for n, r := range rungs {
				rungs[n] = p.rungs[r]
			}
		}
		parts[i] = partOf(s, rungs)
	}
	s.log.Info("nobody can carry the ladder alone; it is shared", "rungs", p.rungs, "parts", division)
	d.cfg.Metrics.splits.Inc()
	s.replace(p, parts)
	// The widest part chooses first: the next one finds what is left.
	first := make(chan struct{})
	close(first)
	var before <-chan struct{} = first
	for _, p := range parts {
		before = d.attemptAfter(p, before)
	}
	d.running.Go(func() {
		<-before
		d.divisions.end(s.work.key)
	})
	return true
}

// attemptAfter starts a try at p that seeks its lease once before is closed; what it returns is closed when it has one, or none.
func (d *Dispatcher) attemptAfter(p *part, before <-chan struct{}) <-chan struct{} {
	found := make(chan struct{})
	t := p.start(false)
	if t == nil {
		close(found)
		return found
	}
	t.ctx, t.cancel = context.WithCancelCause(d.life)
	d.running.Go(func() {
		d.run(t, func() (*Lease, error) {
			defer close(found)
			select {
			case <-before:
				return d.seek(t.ctx, p)
			case <-t.ctx.Done():
				return nil, context.Cause(t.ctx)
			}
		})
	})
	return found
}
