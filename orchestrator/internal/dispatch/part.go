package dispatch

import (
	"context"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

// part is what of a segment's ladder one transcoder makes at a time: all of it, unless nobody can carry that. Each has its own lease,
// attempts, hedges and retries; the segment is delivered once every part has passed.
type part struct {
	seg   *segment
	rungs []int // by their index in the ladder; nil: all
	work  work

	front *try // the one whose frames the payer is sent; guarded by seg.mu

	// The story's own.
	won     *try      // its output passed; settled with those of the other parts
	watched bool      // due was set
	due     time.Time // when its try straggles; zero: nobody looks any more
}

// has reports whether the part makes a rung.
func (p *part) has(rung int) bool { return p.rungs == nil || slices.Contains(p.rungs, rung) }

// start books a try; nil when there were enough.
func (p *part) start(probe bool) *try {
	s := p.seg
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.tries) >= maxTries {
		return nil
	}
	t := &try{seg: s, part: p, id: protocol.NewID(), probe: probe}
	s.tries = append(s.tries, t)
	if !probe && p.front == nil {
		p.front = t
		t.live = true
	}
	return t
}

// retire takes t from the front, if it is there, and puts the next running try in its place; last is what the payer is told
// of t, if it was told of it at all.
func (s *segment) retire(t *try, last protocol.Frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.shown {
		last.Attempt = t.ordinal
		s.answer.put(last)
	}
	t.live, t.dropped = false, true
	t.buffer = nil
	if t.part.front != t {
		return
	}
	t.part.front = nil
	for _, n := range s.tries {
		if n.part == t.part && !n.probe && !n.dropped {
			s.promoteLocked(n)
			return
		}
	}
}

// promoteLocked makes t the try whose frames the payer is sent, beginning with those that came before; mu is held.
func (s *segment) promoteLocked(t *try) {
	t.part.front, t.live = t, true
	frames := t.buffer
	t.buffer = nil
	s.showLocked(t, frames...)
}

// win makes t the front, whatever was there, so that its verdict can follow.
func (s *segment) win(t *try) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.part.front == t {
		return
	}
	if f := t.part.front; f != nil {
		if f.shown {
			p := protocol.ProblemOf(protocol.Errorf(protocol.Cancelled, "another transcoder was faster"))
			s.answer.put(protocol.Frame{Kind: protocol.FrameAbandoned, Attempt: f.ordinal, Payload: protocol.Encode(p)})
		}
		f.live, f.dropped = false, true
		f.buffer = nil
	}
	s.promoteLocked(t)
}

// avoid lists whom another try must avoid: everybody tried, and everybody the payer names. If nobody else is left, those
// that only broke off may try again, but not those whose output was bad or who are at it.
func (p *part) avoid() (all, bad map[common.Address]bool) {
	s := p.seg
	all, bad = make(map[common.Address]bool), make(map[common.Address]bool)
	for _, t := range s.offer.Avoid {
		all[t], bad[t] = true, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tries {
		if t.transcoder == (common.Address{}) || t.part != p && !t.bad || t.probe && !t.bad && !t.poison() {
			continue
		}
		all[t.transcoder] = true
		if !t.ended || t.bad || t.poison() {
			bad[t.transcoder] = true
		}
	}
	return all, bad
}

// pending counts tries that have not ended, probes aside.
func (p *part) pending() int {
	s := p.seg
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, t := range s.tries {
		if t.part == p && !t.probe && !t.ended {
			n++
		}
	}
	return n
}

// started counts tries, probes aside.
func (p *part) started() int {
	s := p.seg
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, t := range s.tries {
		if t.part == p && !t.probe {
			n++
		}
	}
	return n
}

// holder is the front's transcoder, zero while it has no lease.
func (p *part) holder() common.Address {
	p.seg.mu.Lock()
	defer p.seg.mu.Unlock()
	if p.front == nil {
		return common.Address{}
	}
	return p.front.transcoder
}

// leaseAtFront is the front's lease, nil while it has none.
func (p *part) leaseAtFront() *Lease {
	p.seg.mu.Lock()
	defer p.seg.mu.Unlock()
	if p.front == nil {
		return nil
	}
	return p.front.lease
}

// whole reports that every part has passed.
func (s *segment) whole() bool {
	return !slices.ContainsFunc(s.parts, func(p *part) bool { return p.won == nil })
}

// wonBy is the try by one of those that was delivered, nil if there is none.
func (s *segment) wonBy(transcoders ...common.Address) *try {
	for _, t := range s.won {
		if slices.Contains(transcoders, t.transcoder) {
			return t
		}
	}
	return nil
}

// callOff cancels the other tries at a part that has passed.
func (s *segment) callOff(p *part) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tries {
		if t.part == p && t != p.won && !t.probe && !t.ended {
			t.cancel(errSettled)
		}
	}
}

// deliver is stage 9 for the segment: the verdicts of all its parts, the tickets to those who made them and the payer's debt are one
// commit; only then does the payer hear that the output is good.
func (d *Dispatcher) deliver(s *segment) error {
	var tries []*try
	for _, p := range s.parts {
		if p.has(0) { // under whose name all is owed, as the payer knows too
			tries = slices.Insert(tries, 0, p.won)
		} else {
			tries = append(tries, p.won)
		}
	}
	if err := d.settleTogether(tries, true); err != nil {
		return err
	}
	for _, t := range tries {
		s.win(t)
		s.show(t, protocol.Frame{Kind: protocol.FrameVerdict, Payload: protocol.Encode(protocol.Verdict{Attempt: t.id, Passed: true})})
	}
	s.won = tries
	return nil
}

// watch says when each part's try straggles, and returns when the first does.
func (d *Dispatcher) watch(s *segment, budget time.Duration) <-chan time.Time {
	_, _, end, _ := s.src.whole(context.Background()) // it has ended
	for _, p := range s.parts {
		if !p.watched {
			p.watched, p.due = true, end.Add(d.fleet.Patience(p.holder(), budget))
		}
	}
	return s.nextDue()
}

func (s *segment) nextDue() <-chan time.Time {
	var next time.Time
	for _, p := range s.parts {
		if p.won == nil && !p.due.IsZero() && (next.IsZero() || p.due.Before(next)) {
			next = p.due
		}
	}
	if next.IsZero() {
		return nil
	}
	return time.After(time.Until(next))
}

// hedge gives parts that straggle to a second transcoder, which catches up from the copy: the first verified wins. It returns
// when to look again.
func (d *Dispatcher) hedge(s *segment, budget time.Duration) <-chan time.Time {
	_, _, end, _ := s.src.whole(context.Background()) // it has ended
	for _, p := range s.parts {
		now := time.Now()
		if p.won != nil || p.due.IsZero() || now.Before(p.due) {
			continue
		}
		p.due = time.Time{}
		l := p.leaseAtFront()
		if p.pending() != 1 || l == nil || p.started() >= d.cfg.MaxAttempts {
			continue
		}
		if ok, again := l.hedge(now.Sub(end), budget); !ok {
			p.due = now.Add(again)
			continue
		}
		s.log.Info("attempt straggles; asking another transcoder", "transcoder", l.transcoder)
		d.attempt(p)
	}
	return s.nextDue()
}
