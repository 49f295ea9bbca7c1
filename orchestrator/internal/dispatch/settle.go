package dispatch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
	"github.com/kinora/kinora/orchestrator/internal/store"
)

// settleTime bounds one commit.
const settleTime = 10 * time.Second

// settle is stage 9 for one try that is not delivered, see settleTogether.
func (d *Dispatcher) settle(t *try) error { return d.settleTogether([]*try{t}, false) }

// settleTogether is stage 9: it commits how tries ended, with the money that moves, all or none, and only then acts on it. deliver
// says that they are the segment's delivery, a part of the ladder each: the payer is charged for all of them under the first one's
// name. Errors carry Unavailable, or SegmentConflict and RateLimited, after which the transcoders were paid and the payer was not charged.
func (d *Dispatcher) settleTogether(tries []*try, deliver bool) error {
	var begun []*try
	for _, t := range tries {
		if t.assignment.Message.Attempt.IsZero() {
			d.unbegun(t)
		} else {
			begun = append(begun, t)
		}
	}
	if len(begun) == 0 {
		return nil
	}
	s := begun[0].seg
	costs := make([]protocol.Wei, len(begun))
	defer func() {
		for i, t := range begun {
			if t.spent != nil {
				t.spent(costs[i], time.Now())
			}
		}
	}()
	xs := make([]store.Settlement, len(begun))
	var price protocol.Wei
	for i, t := range begun {
		var err error
		if xs[i], err = d.settlement(t); err != nil {
			return err
		}
		price = price.Add(xs[i].Price)
		xs[i].Price = protocol.Wei{}
	}
	xs[0].Released, xs[0].Price = deliver, price.Min(s.header.Budget)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.life), settleTime)
	defer cancel()
	settled, err := d.commit(ctx, xs)
	var refusal *protocol.Error
	if deliver && errors.As(err, &refusal) && refusal.Code != protocol.Unavailable { // the work was done and is good, though it cannot be delivered any more
		xs[0].Released = false
		settled, err = d.commit(ctx, xs)
	} else {
		refusal = nil
	}
	if err != nil {
		s.log.Error("an attempt could not be settled; nothing was released and nobody was charged", "attempt", begun[0].id.Short(), "err", err)
		return &protocol.Error{Code: protocol.Unavailable, Detail: "the verdict could not be stored; try again in a moment", Err: err}
	}
	if replaced := settled[0].Replaced; !replaced.IsZero() {
		if err := d.recipient.Forgive(ctx, replaced); err != nil {
			s.log.Warn("a lost delivery is still owed", "attempt", replaced.Short(), "err", err)
		}
	}
	d.payer.Wake()
	for i, t := range begun {
		x := xs[i]
		costs[i], t.settled = x.Cost, true
		d.note(t, x, settled[i], deliver && refusal == nil)
		switch {
		case x.State == store.Verified:
			s.passed = append(s.passed, t)
			d.convict(ctx, s)
			d.refute(s)
		case x.Held && !settled[i].Again:
			s.held = append(s.held, held{t, x})
		}
	}
	if refusal != nil {
		return refusal
	}
	return nil
}

// unbegun takes note of a try that never came to an assignment: there is nothing to commit.
func (d *Dispatcher) unbegun(t *try) {
	if t.spent != nil {
		t.spent(protocol.Wei{}, time.Now())
	}
	if t.lease != nil && !errors.Is(t.err, errSettled) && !d.excused(t) {
		d.fleet.Failed(t.lease.transcoder)
	}
	t.seg.log.Info("attempt not begun", "attempt", t.id.Short(), "probe", t.probe, "err", t.err)
}

// settlement is how a try ended.
func (d *Dispatcher) settlement(t *try) (store.Settlement, error) {
	s := t.seg
	x := store.Settlement{Payer: s.id.payer, Assignment: t.assignment, Receipt: t.receipt, Verdict: t.verdict, Probe: t.probe, Avoided: s.offer.Avoid}
	select {
	case <-s.src.ended:
		hash, _, end, err := s.src.whole(d.life)
		if err == nil {
			x.Source, x.Millis = hash, t.at.Sub(end).Milliseconds()
		}
	default:
	}
	switch {
	case t.verdict.Passed:
		price, cost, err := t.fees()
		if err != nil {
			return x, fmt.Errorf("price attempt %s: %w", t.id.Short(), err)
		}
		x.State, x.Price, x.Cost = store.Verified, price, cost
		for _, r := range t.receipt.Message.Renditions {
			x.Pixels += r.Pixels
		}
	case t.failed():
		x.State, x.Code, x.Detail = store.Rejected, t.verdict.Code, t.verdict.Detail
		x.Held = !t.verdict.Gross && !s.vouched(t)
	default:
		x.State, x.Code, x.Detail = store.Abandoned, protocol.CodeOf(t.err), detail(t.err)
	}
	return x, nil
}

// commit waits for a database that is away for a moment: the work is done, and settling it again changes nothing.
func (d *Dispatcher) commit(ctx context.Context, xs []store.Settlement) (settled []store.Settled, err error) {
	err = pgstore.Patiently(ctx, func() error {
		settled, err = d.store.SettleAll(ctx, xs)
		return err
	})
	return settled, err
}

// held is a failure that says nothing yet: a source can be made so that no honest output passes. It counts once another
// transcoder's output of the same source has passed, and never if none does.
type held struct {
	try *try
	x   store.Settlement
}

// vouched reports that somebody else than t's transcoder made an output of what t was given that passed.
func (s *segment) vouched(t *try) bool {
	return slices.ContainsFunc(s.passed, func(p *try) bool {
		return p.lease.transcoder != t.lease.transcoder && (p.part.rungs == nil || slices.Equal(p.part.rungs, t.part.rungs))
	})
}

// decoded reports that somebody else than t made any output of the source that passed.
func (s *segment) decoded(t common.Address) bool {
	return slices.ContainsFunc(s.passed, func(p *try) bool { return p.lease.transcoder != t })
}

// convict judges the failures that were held, now that an output has passed.
func (d *Dispatcher) convict(ctx context.Context, s *segment) {
	waiting := s.held[:0]
	for _, h := range s.held {
		if !s.vouched(h.try) {
			waiting = append(waiting, h)
			continue
		}
		judged, err := d.store.Judge(ctx, h.x)
		if err != nil {
			s.log.Error("a failed output was not judged", "attempt", h.try.id.Short(), "transcoder", h.try.lease.transcoder, "err", err)
			continue
		}
		d.fleet.Failed(h.try.lease.transcoder)
		d.judged(h.try, h.x, judged)
	}
	s.held = waiting
}

// fees are what the payer owes for the try, and what the transcoder is paid, never above its award.
// Both count the pixels of the receipt, which verification has measured.
func (t *try) fees() (price, cost protocol.Wei, err error) {
	r := t.receipt.Message
	price, err = t.lease.ladder().Fee(t.seg.quote.Quote.Message.Prices, r)
	if err != nil {
		return price, cost, err
	}
	cost, err = t.lease.ladder().Fee(t.lease.prices(), r)
	return price, cost.Min(t.lease.offer.Award.Message.MaxFee), err
}

// note tells fleet, leases, events, metrics and the log what was committed.
func (d *Dispatcher) note(t *try, x store.Settlement, settled store.Settled, released bool) {
	s, transcoder := t.seg, t.lease.transcoder
	m := d.cfg.Metrics
	m.attempts.WithLabelValues(string(x.State), string(x.Code)).Inc()
	e := t.event(protocol.AttemptAbandoned)
	e.Millis, e.Code, e.Detail, e.Layers = x.Millis, x.Code, x.Detail, t.verdict.Layers
	switch x.State {
	case store.Verified:
		e.Kind, e.Wei = protocol.OutputVerified, &x.Cost
		if t.probe {
			e.Detail = "probe"
		}
		m.tail.Observe(float64(x.Millis) / 1000)
		m.pixels.Add(float64(x.Pixels))
		d.fleet.Delivered(transcoder, t.lease.rate(), time.Duration(x.Millis)*time.Millisecond)
		if released {
			d.won(t)
		} else if t.straggled {
			d.fleet.Failed(transcoder)
		}
	case store.Rejected:
		e.Kind = protocol.OutputRejected
		if !x.Held {
			d.fleet.Failed(transcoder)
		}
	case store.Abandoned:
		e.Layers = ""
		if t.poison() {
			d.claim(t)
		} else if d.excused(t) {
			d.doubt(t, x.Code)
		} else if x.Code == protocol.NoCapacity && t.promoted { // it promised none: the room is taken meanwhile
			d.fleet.Declined(transcoder)
			d.denials.note(protocol.Bid{Transcoder: transcoder, Sequence: t.lease.offer.Award.Message.BidSequence}, t.err, time.Now())
			d.doubt(t, x.Code)
		} else if !errors.Is(t.err, errSettled) || t.straggled {
			d.fleet.Failed(transcoder)
			d.doubt(t, x.Code)
		}
	}
	d.cfg.Events(e)
	s.log.Info("attempt "+string(x.State), "attempt", t.id.Short(), "transcoder", transcoder, "lease", t.lease.id.Short(), "probe", t.probe,
		"released", released, "ms", x.Millis, "layers", t.verdict.Layers, "price_wei", x.Price, "cost_wei", x.Cost, "code", x.Code, "detail", x.Detail, "held", x.Held)
	if x.State != store.Abandoned && !x.Held && !settled.Again {
		d.judged(t, x, settled)
	}
}

// won lets the stream go on with whoever has just delivered; one that only ran beside a newcomer leaves it its lease, for a while.
func (d *Dispatcher) won(t *try) {
	if !t.beside {
		d.leases.prefer(t.lease)
		return
	}
	for _, l := range d.leases.of(t.part.work.key) {
		if l.tries() && l.lost() >= maxBeaten {
			d.end(l, "others were faster", true)
		}
	}
}

// judged acts on what a verdict has made of its transcoder's record.
func (d *Dispatcher) judged(t *try, x store.Settlement, settled store.Settled) {
	s, transcoder, m := t.seg, t.lease.transcoder, d.cfg.Metrics
	d.fleet.Judged(transcoder, settled.Record)
	switch {
	case settled.CutOff:
		cut := t.event(protocol.TranscoderCutOff)
		cut.Code, cut.Layers, cut.Count = x.Code, x.Verdict.Layers, settled.Record.Failed
		cut.Detail = fmt.Sprintf("%d of its outputs failed, the last: %s", settled.Record.Failed, x.Detail)
		d.cfg.Events(cut)
		m.cutOff.Inc()
		s.log.Warn("transcoder cut off", "transcoder", transcoder, "failed", settled.Record.Failed, "passed", settled.Record.Passed,
			"attempt", t.id, "code", x.Code, "detail", x.Detail)
		d.dismiss(transcoder, "cut off", true)
	case !settled.Record.Leasable() && !t.probe:
		d.dismiss(transcoder, "suspect", false)
	case settled.Record.Leasable() && (settled.Was == verify.Suspect):
		d.cfg.Events(protocol.Event{Kind: protocol.TranscoderRestored, Counterparty: &transcoder, Count: settled.Record.Passed})
		s.log.Info("transcoder restored", "transcoder", transcoder, "passed", settled.Record.Passed)
		for _, l := range d.leases.all() {
			if l.probe && l.transcoder == transcoder {
				d.end(l, "restored", true)
			}
		}
	}
}

// doubt ends a lease whose holder has gone, or keeps failing.
func (d *Dispatcher) doubt(t *try, code protocol.Code) {
	t.lease.mu.Lock()
	failures := t.lease.failures
	t.lease.mu.Unlock()
	switch {
	case code == protocol.Unreachable, code == protocol.Draining, code == protocol.LeaseUnknown, code == protocol.NoCapacity:
		d.end(t.lease, "attempt failed: "+string(code), true)
	case failures >= 2:
		d.end(t.lease, fmt.Sprintf("%d attempts failed in a row", failures), true)
	}
}

// settleProbe settles a duplicate that a suspect made: verified and paid if it passes, never released.
func (d *Dispatcher) settleProbe(t *try) {
	_ = d.settle(t) // logged there; the suspect gets another chance with the next segment
}

// settleRest cancels what still works on a segment whose story is over, and settles it when it ends: who had delivered
// before it heard of the cancel is paid. Probes go on to their own end.
func (d *Dispatcher) settleRest(s *segment, err error) {
	reason := errSettled
	if err != nil {
		reason = protocol.Errorf(protocol.Cancelled, "the segment failed: %w", err)
		switch protocol.CodeOf(err) {
		case protocol.DeadlineExceeded:
			reason = protocol.Errorf(protocol.DeadlineExceeded, "no receipt within the budget")
		case protocol.Internal, protocol.Unavailable:
		default:
			reason = errSettled
		}
	}
	s.mu.Lock()
	open := len(s.tries) - s.received
	var done []*try // parts that passed in vain: their makers are paid
	for _, p := range s.parts {
		if p.won != nil && !p.won.settled {
			done = append(done, p.won)
		}
	}
	for _, t := range s.tries {
		if !t.probe {
			t.dropped = true
			t.cancel(reason)
		}
		t.buffer = nil
	}
	s.mu.Unlock()
	d.running.Go(func() {
		defer close(s.rest)
		defer s.src.Source.Cancel()
		for _, t := range done {
			_ = d.settle(t) // logged there, as the rest
		}
		for ; open > 0; open-- {
			_ = d.settle(<-s.results)
		}
	})
}
