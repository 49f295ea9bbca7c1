package dispatch

import (
	"context"
	"io"
	"time"

	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/protocol"
)

// Dispatch begins the story of one segment and returns its answer, which grows while the story is told. ctx is the
// payer's request: it bounds the source. Once the source is whole the story goes on without the request, so that a payer
// whose connection broke can ask again and is given the same answer.
func (d *Dispatcher) Dispatch(ctx context.Context, offer protocol.SegmentOffer, body io.Reader) *Answer {
	answer := newAnswer()
	d.mu.Lock()
	d.stories++
	d.mu.Unlock()
	told := func() {
		err := pgstore.Explain(d.story(ctx, offer, body, answer))
		d.mu.Lock()
		d.stories--
		d.mu.Unlock()
		d.cfg.Metrics.segments.WithLabelValues(outcome(err)).Inc()
		answer.end(err)
	}
	if !d.background(told) {
		d.mu.Lock()
		d.stories--
		d.mu.Unlock()
		answer.end(protocol.Errorf(protocol.Draining, "this orchestrator is shutting down; use another"))
	}
	return answer
}

// story carries one segment from its header to its verdict. The stages have the numbers of the picture in the README:
// 1, 2, 7, 8 and 10 are the broadcaster's, 6 is the transcoder's, 11 is payment's.
func (d *Dispatcher) story(ctx context.Context, offer protocol.SegmentOffer, body io.Reader, answer *Answer) (err error) {
	// 3 · Admit. Whose header, which quote, until when; a replay joins or is answered from the record; then the payer's
	// credit is held, before a byte is taken and before anybody works for it.
	s, err := d.admit(ctx, offer)
	if err != nil {
		return err
	}
	s.answer = answer
	earlier, err := d.enter(ctx, s)
	if earlier != nil {
		return d.join(ctx, earlier, body, answer)
	}
	defer func() {
		d.settleRest(s, err) // 9, for those that lost: cancelled, and paid if their work was done and is good
		d.leave(s, err)
	}()
	if err != nil {
		return err
	}
	releaseCredit, err := d.recipient.AdmitBy(ctx, s.id.payer, s.signer, s.credit, s.header.Budget)
	if err != nil {
		return err
	}
	defer releaseCredit()

	// The source flows into its bounded copy from here on, at its own pace; every attempt reads from there at its own.
	go s.src.fill(body, d.cfg.MaxSegmentBytes)
	select {
	case <-s.src.started:
	case <-s.src.ended:
		if _, _, _, err := s.src.whole(ctx); err != nil {
			return err
		}
	}
	if s.delivered != nil { // other bytes under its key cannot be charged: nobody works before it is clear that these are the same
		hash, _, _, err := s.src.whole(ctx)
		if err != nil {
			return err
		}
		if s.delivered.Source != hash {
			return protocol.Errorf(protocol.SegmentConflict, "segment %s was delivered with other bytes", s.id.key)
		}
	}

	// 4 · Lease or auction, and 5 · relay, are one attempt (try.go). The first one begins with the first byte. While it
	// works, this loop waits for whatever comes first: an end, a straggler, the end of the source, the end of the budget.
	s.parts = d.partsOf(s)
	for _, p := range s.parts {
		d.attempt(p)
	}
	d.probe(s)
	unfit := d.inspect(s)
	ended, off, budget := s.src.ended, s.off, time.Duration(offer.BudgetMillis)*time.Millisecond
	var late, straggles <-chan time.Time
	var proven <-chan proof
	var waiting []*try // failed, and wait for what the orchestrator itself makes of a source that is called poison
	for {
		select {
		case err := <-unfit: // the source is no segment: nobody's work on it can be judged, or paid
			return err

		case <-ended:
			ended = nil
			if _, _, _, err := s.src.whole(ctx); err != nil {
				return err
			}
			late = time.After(budget)
			straggles = d.watch(s, budget)

		case <-straggles:
			straggles = d.hedge(s, budget)

		case <-s.leased:
			d.canary(s)

		case p := <-s.unsure: // a lease for trial is no risk to the stream
			if p.pending() == 1 && p.started() < d.cfg.MaxAttempts {
				d.launch(p, true)
			}

		case <-late:
			return protocol.Errorf(protocol.DeadlineExceeded, "no verified result within %d ms of the last byte", offer.BudgetMillis)

		case <-off: // what is done already is judged, and owed if it is good
			off = nil
			if s.receipts.Load() == 0 {
				return errCalledOff
			}

		case <-d.life.Done():
			return protocol.Errorf(protocol.Draining, "this orchestrator is shutting down; use another")

		case s.proof = <-proven: // counted for or against whoever called it poison
			proven = nil
			d.refute(s)
			if len(s.calledPoison()) > 1 && s.proof == poison {
				return s.failure(s.claims[0])
			}
			for _, t := range waiting {
				if t.final || t.part.started() >= d.cfg.MaxAttempts {
					return s.failure(t)
				}
				d.attempt(t.part)
			}
			waiting = nil

		case t := <-s.results:
			s.received++
			switch {
			case t.probe:
				d.settleProbe(t)

			case t.part.won != nil: // another one did it: cancelled, or paid
				_ = d.settle(t) // logged there

			case t.verdict.Passed:
				t.part.won = t
				s.callOff(t.part)
				if s.whole() {
					return d.deliver(s)
				}

			case d.divide(s, t): // nobody can carry so much, but several can share it
				if err := d.settle(t); err != nil {
					return err
				}
				if ended == nil {
					straggles = d.watch(s, budget)
				}

			default: // failed: recorded, never paid, and the next transcoder starts from the copy at once
				if err := d.settle(t); err != nil {
					return err
				}
				s.retire(t, t.epitaph())
				said := len(s.calledPoison())
				if said > 0 && s.proof == pending && proven == nil {
					proven = d.prove(s)
				}
				over := t.final || t.part.started() >= d.cfg.MaxAttempts
				switch {
				case t.part.pending() > 0:
				case off == nil:
					return errCalledOff
				case proven != nil && (over || said > 1): // two that collude could end any segment
					waiting = append(waiting, t)
				case over || said > 1 && s.proof == poison:
					return s.failure(t)
				default:
					d.attempt(t.part)
				}
			}
		}
	}
}
