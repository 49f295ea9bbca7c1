package stream

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/broadcaster/internal/market"
	"github.com/kinora/kinora/broadcaster/internal/playlist"
	"github.com/kinora/kinora/broadcaster/internal/store"
	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/route"
	"github.com/kinora/kinora/internal/verify"
)

// transcode is STORY 1: what happens to a segment between its push and its release. The stages have the numbers of the
// picture in README; those of the other two roles are missing here. It returns when the segment may be released, or when
// nothing of it ever will be: then nothing was paid for it either.
func (s *Stream) transcode(ctx context.Context, seg *segment) (Answer, error) {
	cfg := s.desk.cfg

	// 1. The push has its identity and its bytes are arriving. From the last one the clock runs: what comes after the
	// hold-back is late, what comes after twice that is given up.
	life := ctx
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer s.endAfterLastByte(ctx, seg, cancel)()
	s.count()

	var avoid []common.Address
	var last error
	failures, away := 0, 0 // a database that is away for a moment, here or there, is waited for as long as there is time
	failed := func(err error) {
		err = pgstore.Explain(err)
		if protocol.CodeOf(err) == protocol.Unavailable {
			away++
		} else {
			failures++
		}
		if last == nil || protocol.CodeOf(err) != protocol.DeadlineExceeded { // why nothing came says more than that time ran out
			last = err
		}
	}
	// What the market has refused before is not asked of it again: less is made of the segment, or nothing.
	step, refusals := s.plan(seg), 0
	defer s.untried(seg)
	less := func(err error) { step, refusals = s.descend(seg, err), 0 }
	race := s.newRace(life, seg)
	defer race.leave(nil)
	for failures < cfg.AttemptsLimit {
		switch step {
		case route.PassThrough:
			return s.passOn(ctx, seg)
		case route.Stop:
			return Answer{}, cmp.Or(last, s.stopped())
		}
		ask := s.ask(seg)
		if len(race.open) == 0 {
			if err := pause(ctx, failures+away, last); err != nil {
				return s.orPassOn(life, seg, err)
			}
			if s.due(seg) {
				return s.passOn(ctx, seg)
			}

			// 2. An orchestrator with a signed quote gets a signed header, that no one else can use, and the bytes as they
			// come. What the segment may cost is held against the spend caps until it is settled.
			r := &run{}
			if err := s.buy(ctx, seg, ask, r); refused(err) {
				last = err
				less(err)
				continue
			} else if err != nil {
				failed(err)
				continue
			}
			race.start(r, ask, avoid)
		}

		// (3 to 6 happen at the orchestrator and its transcoder.) A straggler is hedged: a second orchestrator catches up from
		// the copy that is kept here, and the first verified result wins. What would be late is passed through.
		r, late := race.next(ctx, ask, avoid)
		if late {
			race.leave(&run{})
			return s.passOn(ctx, seg)
		}

		// 7. Renditions were checked while they arrived. An attempt counts once the orchestrator vouched for it, and is judged
		// here by the bytes that came.
		if r.err != nil {
			switch choice := s.blame(ctx, seg, r); {
			case choice == nil: // no second one is to be had
			case protocol.CodeOf(r.err) != protocol.NoCapacity:
				failed(r.err)
			default: // another one may have more room
				last = r.err
				if refusals++; (refusals > 1 || !choice.HasAlternative()) && len(race.open) == 0 {
					less(r.err)
				}
			}
			continue
		}
		choice, done := r.choice(), r.done
		work, attempts := done.first(), done.attempts()
		var err error
		if attempts[0], err = s.charged(attempts[0], r); err != nil { // ours to mend: the next quote covers what was learnt of the source
			choice.Over()
			r.over()
			failed(err)
			continue
		}
		if !work.verdict.Passed {
			choice.Over()
			r.over()
			failed(protocol.Errorf(protocol.VerificationFailed, "%s: %s", work.verdict.Code, work.verdict.Detail))
			if !work.verdict.Inconclusive { // it vouched for bytes that are not the job: not paid, remembered, done again elsewhere
				avoid = append(avoid, work.assignment.Message.Transcoder)
				if err := pgstore.Patiently(ctx, func() error { return cfg.Store.CommitRejected(ctx, work.verdict.Source.SHA256, attempts[0]) }); err != nil {
					return Answer{}, err
				}
			}
			continue
		}

		// Verdict, ticket and the segment's row are one commit, before anything leaves this process: no crash can release
		// what is not paid, or pay twice for what is released.
		began := time.Now()
		row, err := s.commit(ctx, seg, r, attempts)
		if errors.Is(err, store.ErrReused) { // it may have been paid under this id before: done again elsewhere
			r.over()
			choice.Failed(err)
			failed(protocol.Errorf(protocol.VerificationFailed, "orchestrator %s: attempt %s: %w", choice.URL, row.Attempt.Short(), err))
			continue
		}
		if err != nil {
			r.over()
			choice.Over()
			return Answer{}, err
		}
		r.settle(attempts[0].Fee, time.Now())
		choice.Succeeded()
		race.leave(r)
		s.held(seg)
		s.watch(seg)
		s.desk.work.Go(func() { finish(r.exchange); r.give(nil) })

		// 8. Release: to the pusher by this return, to viewers by the publisher, in order.
		s.release(seg, row)
		now := time.Now()
		cfg.Log.Info("segment verified and paid", "segment", seg.SegmentKey.String(), "orchestrator", choice.Orchestrator, "transcoder", work.assignment.Message.Transcoder,
			"layers", work.verdict.Layers, "ms", row.Latency.Milliseconds(), "wei", attempts[0].Fee, "attempts", failures+away+1)
		return Answer{Segment: row, Timing: Timing{Upload: seg.ended.Sub(seg.arrived), Transcode: done.received().Sub(seg.ended),
			Verify: began.Sub(done.received()), Commit: now.Sub(began)}}, nil
	}
	return s.orPassOn(life, seg, last)
}

// commit stores a verified segment with its attempts, of which the first is paid. Files come first, since a row must not name
// what is not there.
func (s *Stream) commit(ctx context.Context, seg *segment, r *run, attempts []store.Attempt) (store.Segment, error) {
	cfg, work := s.desk.cfg, r.done.first()
	row := s.rowOf(seg, r.done)
	for i, x := range row.Renditions {
		if err := cfg.keep(seg.Stream, x, r.done.outputs[i]); err != nil {
			return row, err
		}
	}
	trust := cfg.Market.Judged(r.choice().Orchestrator, work.verdict)
	for i := range attempts {
		attempts[i].Trust = trust
	}
	if err := pgstore.Patiently(ctx, func() error { return s.begin(ctx, playlist.TargetSeconds(max(row.Duration, cfg.Target))) }); err != nil {
		return row, err
	}
	err := pgstore.Patiently(ctx, func() error {
		row.Latency = max(0, time.Since(seg.ended))
		row.Late = row.Latency > s.holdBack()
		return cfg.Store.CommitVerified(context.WithoutCancel(ctx), &row, attempts[0], attempts[1:]...)
	})
	return row, err
}

// blame ends a run that failed, and counts it against its orchestrator unless that is not at fault; nil: it had none.
func (s *Stream) blame(ctx context.Context, seg *segment, r *run) *market.Choice {
	choice := r.choice()
	r.over()
	switch {
	case choice == nil:
	case seg.isToBlame(ctx, r.blind, r.err):
		choice.Over()
	default:
		choice.Failed(r.err)
	}
	return choice
}

// pause waits between failures, less than an orchestrator rests, and gives up on what no repetition mends.
func pause(ctx context.Context, failures int, last error) error {
	switch {
	case failures == 0 && ctx.Err() == nil:
		return nil
	case last == nil:
		return reason(ctx, context.Cause(ctx))
	}
	if c := protocol.CodeOf(last); c == protocol.Internal || c == protocol.FeeAboveFaceValue || c == protocol.BadLadder || c == protocol.UnsupportedCodec ||
		c == protocol.PoisonSegment && failures > 1 { // said once, it may have been somebody's excuse
		return last
	}
	timer := time.NewTimer(min(time.Second, 25*time.Millisecond<<min(failures, 8)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		var typed *protocol.Error
		if cause := context.Cause(ctx); errors.As(cause, &typed) && typed.Code != protocol.DeadlineExceeded {
			return cause
		}
		return last // says more than that time ran out
	}
}

// look says what the source turned out to be, or why it is none; whole: neither is to be awaited any more.
func (seg *segment) look() (info verify.SourceInfo, whole bool, err error) {
	now, cancel := context.WithDeadline(context.Background(), time.Now())
	defer cancel()
	info, err = seg.source.Info(now)
	return info, protocol.CodeOf(err) != protocol.DeadlineExceeded, err
}

// length is how long the segment lasts or, while it is still coming, was announced to; that is blind.
func (seg *segment) length() (length time.Duration, blind bool) {
	info, whole, err := seg.look()
	if !whole || err != nil {
		return seg.push.Announced, true
	}
	return max(info.Duration, seg.push.Announced), false
}

// isToBlame reports whether an exchange failed by its segment and not by its orchestrator: the push was called off, comes
// too slowly, is no source, or turned out longer or richer than what was announced blindly.
func (seg *segment) isToBlame(ctx context.Context, blind bool, failure error) bool {
	if ctx.Err() != nil && protocol.CodeOf(context.Cause(ctx)) != protocol.DeadlineExceeded { // which it had all the bytes for
		return true
	}
	_, whole, err := seg.look()
	switch code := protocol.CodeOf(failure); {
	case !whole:
		return code == protocol.BodyTooSlow
	case err != nil:
		return true
	default:
		return blind && (code == protocol.SegmentTooLong || code == protocol.BudgetTooSmall)
	}
}

// endAfterLastByte ends the work on seg when the source turns out to be none, and twice the hold-back after its last byte.
// The function it returns waits for it.
func (s *Stream) endAfterLastByte(ctx context.Context, seg *segment, cancel context.CancelCauseFunc) (wait func()) {
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		info, err := seg.source.Info(ctx)
		if err != nil {
			if ctx.Err() == nil {
				cancel(err)
			}
			return
		}
		s.learn(info)
		s.poke() // from now on the publisher can tell until when to wait
		limit := 2 * s.holdBack()
		timer := time.NewTimer(limit)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel(protocol.Errorf(protocol.DeadlineExceeded, "not verified within %s of the last byte", limit))
		case <-ctx.Done():
		}
	}()
	return func() { cancel(nil); <-stopped }
}

// budget is what is left for the orchestrator, counted from the last source byte: the hold-back without what checking and
// committing take here.
func (s *Stream) budget(seg *segment) time.Duration {
	left := s.holdBack()
	select {
	case <-seg.whole:
		left -= time.Since(seg.ended)
	default:
	}
	return max(left-left/8, 500*time.Millisecond)
}

// finish lets the orchestrator end the exchange in its own time, within reason.
func finish(e *market.Exchange) {
	timer := time.AfterFunc(5*time.Second, e.Close)
	defer e.Close()
	defer timer.Stop()
	for {
		if _, err := e.Next(); err != nil {
			return
		}
	}
}

func millis(d time.Duration) uint32 { return uint32(max(1, d.Milliseconds())) }
