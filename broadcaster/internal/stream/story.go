package stream

import (
	"context"
	"errors"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/broadcaster/internal/market"
	"github.com/kinora/kinora/broadcaster/internal/playlist"
	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
)

// transcode is STORY 1: what happens to a segment between its push and its release. The stages have the numbers of the
// picture in README; those of the other two roles are missing here. It returns when the segment may be released, or when
// nothing of it ever will be: then nothing was paid for it either.
func (s *Stream) transcode(ctx context.Context, seg *segment) (Answer, error) {
	cfg := s.desk.cfg

	// 1. The push has its identity and its bytes are arriving. From the last one the clock runs: what comes after the
	// hold-back is late, what comes after twice that is given up.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer s.endAfterLastByte(ctx, seg, cancel)()

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
	for failures < cfg.AttemptsLimit {
		if err := pause(ctx, failures+away, last); err != nil {
			return Answer{}, err
		}

		// 2. An orchestrator with a signed quote gets a signed header, that no one else can use, and the bytes as they
		// come. What the segment may cost is held against the spend caps until it is settled.
		ask := s.ask(seg)
		choice, err := cfg.Market.Choose(ctx, ask)
		if protocol.CodeOf(err) == protocol.PriceAboveMax { // all of them
			return Answer{}, err
		}
		if err != nil {
			failed(err)
			continue
		}
		settle, err := cfg.Spend.Hold(seg.Stream, choice.Quote.MaxFee, time.Now())
		if err != nil {
			cfg.Events(protocol.Event{Kind: protocol.SpendCapHit, Stream: seg.Stream, Incarnation: seg.Incarnation, Seq: seg.Seq, Detail: err.Error()})
			return Answer{}, err
		}
		defer settle(protocol.Wei{}, time.Now()) // whichever way this ends; the first settling counts
		length, blind := seg.length()
		trying, give := context.WithCancelCause(ctx)
		defer give(nil)
		heard, stop := s.listen(ctx, seg, choice, give)
		exchange, err := choice.Send(trying, market.Segment{Key: seg.SegmentKey, Source: seg.source.NewReader(trying), Millis: millis(length),
			Budget: s.budget(seg), Avoid: avoid})
		if err != nil {
			stop()
			settle(protocol.Wei{}, time.Now())
			if !seg.isToBlame(ctx, blind, err) {
				choice.Failed(err)
			}
			failed(err)
			continue
		}

		// (3 to 6 happen at the orchestrator and its transcoder.) 7. Renditions are checked while they arrive. An attempt
		// counts once the orchestrator vouched for it, and is judged here by the bytes that came.
		done, err := s.collect(ctx, seg, choice, exchange, ask, heard)
		stop()
		if err != nil {
			if ctx.Err() == nil {
				err = reason(trying, err)
			}
			exchange.Close()
			settle(protocol.Wei{}, time.Now())
			if !seg.isToBlame(ctx, blind, err) {
				choice.Failed(err)
			}
			failed(err)
			continue
		}
		work, attempts := done.first(), done.attempts()
		info, attempt := work.verdict.Source, attempts[0]
		if work.verdict.Passed {
			attempt.Fee, err = done.fee(choice.Quote.Prices)
			if err == nil && choice.Quote.MaxFee.Less(attempt.Fee) {
				err = protocol.Errorf(protocol.BudgetTooSmall, "the work costs %s wei, %s were the most agreed", attempt.Fee, choice.Quote.MaxFee)
			}
			if err != nil { // ours to mend: the next quote covers what was learnt of the source
				exchange.Close()
				settle(protocol.Wei{}, time.Now())
				failed(err)
				continue
			}
		}
		if !work.verdict.Passed {
			exchange.Close()
			settle(protocol.Wei{}, time.Now())
			failed(protocol.Errorf(protocol.VerificationFailed, "%s: %s", work.verdict.Code, work.verdict.Detail))
			if !work.verdict.Inconclusive { // it vouched for bytes that are not the job: not paid, remembered, done again elsewhere
				avoid = append(avoid, work.assignment.Message.Transcoder)
				attempt.Trust = cfg.Market.Judged(choice.Orchestrator, work.verdict)
				if err := pgstore.Patiently(ctx, func() error { return cfg.Store.CommitRejected(ctx, info.SHA256, attempt) }); err != nil {
					return Answer{}, err
				}
			}
			continue
		}

		// Verdict, ticket and the segment's row are one commit, before anything leaves this process: no crash can release
		// what is not paid, or pay twice for what is released. Files come first, since a row must not name what is not there.
		began := time.Now()
		row := s.rowOf(seg, done)
		for i, r := range row.Renditions {
			if err := cfg.keep(seg.Stream, r, done.outputs[i]); err != nil {
				return Answer{}, err
			}
		}
		attempt.Trust = cfg.Market.Judged(choice.Orchestrator, work.verdict)
		for i := range attempts {
			attempts[i].Trust = attempt.Trust
		}
		if err := pgstore.Patiently(ctx, func() error { return s.begin(ctx, playlist.TargetSeconds(max(row.Duration, cfg.Target))) }); err != nil {
			return Answer{}, err
		}
		if err := pgstore.Patiently(ctx, func() error {
			row.Latency = max(0, time.Since(seg.ended))
			row.Late = row.Latency > s.holdBack()
			return cfg.Store.CommitVerified(context.WithoutCancel(ctx), &row, attempt, attempts[1:]...)
		}); err != nil {
			settle(protocol.Wei{}, time.Now())
			return Answer{}, err
		}
		settle(attempt.Fee, time.Now())
		choice.Succeeded()
		s.desk.work.Go(func() { finish(exchange) })

		// 8. Release: to the pusher by this return, to viewers by the publisher, in order.
		s.release(seg, row)
		now := time.Now()
		cfg.Log.Info("segment verified and paid", "segment", seg.SegmentKey.String(), "orchestrator", choice.Orchestrator, "transcoder", work.assignment.Message.Transcoder,
			"layers", work.verdict.Layers, "ms", row.Latency.Milliseconds(), "wei", attempt.Fee, "attempts", failures+away+1)
		return Answer{Segment: row, Timing: Timing{Upload: seg.ended.Sub(seg.arrived), Transcode: done.received().Sub(seg.ended),
			Verify: began.Sub(done.received()), Commit: now.Sub(began)}}, nil
	}
	return Answer{}, last
}

// pause waits between failures, less than an orchestrator rests, and gives up on what no repetition mends.
func pause(ctx context.Context, failures int, last error) error {
	if failures == 0 {
		return nil
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
