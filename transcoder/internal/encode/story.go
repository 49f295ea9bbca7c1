package encode

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/kinora/kinora/internal/capacity"
	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/protocol"
)

const (
	slowBody     = 10 * time.Second // a source may take this and slowFactor times its announced duration
	slowFactor   = 3
	lingerBound  = 5 * time.Second // for the orchestrator to take the last frame and end the exchange
	abandonBound = 2 * time.Second // for it to take the news of an attempt that ended early
	recordBound  = 5 * time.Second // for the disk
)

// exchange is one slot while an attempt runs on it.
type exchange struct {
	ordinal uint8
	in      *protocol.FrameReader
	out     *protocol.FrameWriter
	pipe    *io.PipeWriter // under out
}

func (x *exchange) send(kind protocol.FrameKind, rendition int, payload []byte) error {
	return x.out.Write(protocol.Frame{Kind: kind, Attempt: x.ordinal, Rendition: uint8(rendition), Payload: payload})
}

// attempt runs one attempt and sees to its end on every side: the orchestrator, the journal, the log, the events.
func (w *Work) attempt(ctx context.Context, x *exchange, start protocol.AttemptStart) {
	w.began()
	defer w.ended()
	a := start.Assignment.Message
	begun := time.Now()
	lease, counterparty := a.Lease, w.lease.Award.Orchestrator
	event := protocol.Event{Stream: a.Stream, Incarnation: a.Incarnation, Seq: a.Seq, Lease: &lease, Attempt: &a.Attempt, Counterparty: &counterparty}
	log := w.log.With("segment", a.SegmentKey.String(), "attempt", a.Attempt.Short())

	ctx, cancel := context.WithCancelCause(ctx)
	src := newSource()
	heard := make(chan struct{})
	stuck := context.AfterFunc(ctx, func() { // an orchestrator that takes nothing cannot hold an attempt that is over
		time.AfterFunc(abandonBound, func() { _ = x.pipe.CloseWithError(context.Cause(ctx)) })
	})
	defer cancel(nil)

	fee, err := w.transcode(ctx, x, start, src, func() {
		go func() {
			defer close(heard)
			w.receive(x, start, src, cancel)
		}()
	}, event)
	event.Millis = time.Since(begun).Milliseconds()
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause // why it was stopped explains what the stop led to
		}
		src.fail(err)
		code := protocol.CodeOf(err)
		event.Kind, event.Code, event.Detail = protocol.AttemptAbandoned, code, protocol.ProblemOf(err).Detail
		w.bench.Events(event)
		log.Warn("attempt abandoned", "code", code, "err", err, "ms", event.Millis)
		_ = x.send(protocol.FrameAbandoned, 0, protocol.Encode(protocol.ProblemOf(err))) // if it is gone, it knows
	} else {
		event.Kind, event.Wei = protocol.ReceiptSigned, &fee
		w.bench.Events(event)
		log.Info("attempt receipted", "ms", event.Millis, "wei", fee)
	}
	// The orchestrator ends the exchange when it has read the last frame; leaving before would reset the stream under it.
	stuck()
	_ = x.pipe.Close()
	select {
	case <-heard:
	case <-time.After(lingerBound):
	case <-w.ctx.Done():
	}
}

// leastStall is how long a child may always say nothing; a budget that ends before that ends the attempt, and blames nobody.
const leastStall = 2 * time.Second

// transcode is the story of one segment on this machine: an Assignment and a source stream in, renditions and a signed
// Receipt out. Its numbers are those of the picture in README. It returns the fee that the receipt is worth; an error is
// why there is no receipt.
func (w *Work) transcode(ctx context.Context, x *exchange, start protocol.AttemptStart, src *source, listen func(), event protocol.Event) (protocol.Wei, error) {
	award, ladder := w.lease.Award, w.lease.Ladder

	// 5.1 The assignment: the orchestrator of this lease, nobody else, names us, this lease and an attempt of its own.
	a, err := start.Assignment.Open(w.bench.Domain)
	if err == nil {
		err = w.ours(a, start)
	}
	if err == nil {
		err = w.promoted()
	}
	listen() // from here on a cancel is heard, and the end of the exchange
	if err != nil {
		return protocol.Wei{}, err
	}

	// 5.2 Credit for the most this can cost is held until the fee is owed, so attempts at once cannot share it.
	release, err := w.bench.Credit.AdmitBy(ctx, award.Payer, award.Orchestrator, a.Attempt, award.MaxFee)
	if err != nil {
		return protocol.Wei{}, err
	}
	defer release()

	// 5.3 The attempt is on disk before its first byte is encoded: the same attempt, on these bytes or others, is refused
	// for ever, also after a crash. Two receipts of one attempt would be a provable fault of ours.
	if err := w.bench.Journal.Begin(ctx, a, time.Now()); err != nil {
		return protocol.Wei{}, err
	}
	event.Kind = protocol.AttemptStarted
	w.bench.Events(event)

	// 6.1 Source bytes flow into the session while they arrive, renditions flow back as they are muxed, hashed on the way.
	outputs := make([]hash.Hash, len(ladder))
	for i := range outputs {
		outputs[i] = sha256.New()
	}
	// Half of the budget without a word is a child that hangs, and leaves the other half for another one. Of what is left of a budget
	// for a second attempt, half may be less than an encoder takes to begin: that is no poison.
	result, err := w.encode(ctx, a.SegmentKey, media.Job{
		Ladder: ladder, Source: src, Continues: start.Continues, Stall: max(time.Duration(start.BudgetMillis)*time.Millisecond/2, leastStall),
		Again: func() error {
			for i := range outputs {
				outputs[i] = sha256.New()
			}
			return x.send(protocol.FrameRestart, 0, nil)
		},
		Out: func(rendition int, p []byte) error {
			if rendition < 0 || rendition >= len(outputs) {
				return fmt.Errorf("encoder wrote rendition %d of %d", rendition, len(outputs))
			}
			outputs[rendition].Write(p)
			defer src.waits()()
			return x.send(protocol.FrameRendition, rendition, p)
		},
	}, src)

	// 6.2 The receipt states what was made of which source. It is on disk before it leaves, and what it is worth is owed
	// before: a crash between the two loses a receipt nobody saw, never one somebody may pay.
	var receipt protocol.Signed[protocol.Receipt]
	var fee protocol.Wei
	if err == nil {
		receipt, fee, err = w.receipt(a, src, result, outputs)
	}
	if err == nil {
		err = w.record(receipt, fee)
	}
	if err != nil {
		w.abandon(ctx, a.Attempt, err)
		return protocol.Wei{}, err
	}

	// 6.3 Release. Where it cannot be, the fee is not owed: credit is used by what was delivered.
	if err := x.send(protocol.FrameReceipt, 0, protocol.Encode(receipt)); err != nil {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordBound)
		defer cancel()
		err = protocol.Errorf(protocol.Unreachable, "send receipt: %w", err)
		return protocol.Wei{}, errors.Join(err, w.bench.Credit.Forgive(bounded, a.Attempt))
	}
	return fee, nil
}

// ours checks that the assignment belongs to this lease and that what goes with it can be.
func (w *Work) ours(a protocol.Assignment, start protocol.AttemptStart) error {
	award := w.lease.Award
	switch {
	case a.Orchestrator != award.Orchestrator || a.Transcoder != award.Transcoder || a.Lease != award.Lease || a.Stream != award.Stream:
		return protocol.Errorf(protocol.BadRequest, "assignment of %s to %s for lease %s, stream %q is not of this lease", a.Orchestrator, a.Transcoder, a.Lease.Short(), a.Stream)
	case start.DurationMillis == 0 || start.DurationMillis > protocol.MaxSegmentMillis:
		return protocol.Errorf(protocol.BadDuration, "duration_ms is %d, want 1 to %d", start.DurationMillis, protocol.MaxSegmentMillis)
	case start.BudgetMillis == 0 || start.BudgetMillis > protocol.MaxSegmentMillis:
		return protocol.Errorf(protocol.BadRequest, "budget_ms is %d, want 1 to %d", start.BudgetMillis, protocol.MaxSegmentMillis)
	}
	return nil
}

// receive takes the orchestrator's frames until the exchange ends; what stops the attempt goes to cancel.
func (w *Work) receive(x *exchange, start protocol.AttemptStart, src *source, cancel context.CancelCauseFunc) {
	patience := time.Duration(start.DurationMillis)*time.Millisecond*slowFactor + slowBody
	timer := time.AfterFunc(patience, func() {
		cancel(protocol.Limited(protocol.BodyTooSlow, "max_source_time", patience, "the source did not end within %s", patience))
	})
	defer func() { timer.Stop() }()
	for {
		f, err := x.in.Read()
		if err != nil {
			cancel(protocol.Errorf(protocol.Unreachable, "the orchestrator ended the exchange: %w", err))
			return
		}
		switch f.Kind {
		case protocol.FrameSource:
			w.firstByte()
			err = src.write(f.Payload)
		case protocol.FrameSourceEnd:
			var end protocol.SourceEnd
			if end, err = protocol.Decode[protocol.SourceEnd](f.Payload); err == nil {
				err = src.finish(end)
			}
			if timer.Stop() {
				budget := time.Duration(start.BudgetMillis) * time.Millisecond
				timer = time.AfterFunc(budget, func() {
					cancel(protocol.Errorf(protocol.DeadlineExceeded, "not done within %s of the last source byte", budget))
				})
			}
		case protocol.FrameCancel:
			p, bad := protocol.Decode[protocol.Problem](f.Payload)
			if err = bad; err == nil {
				err = p.Err()
			}
			if protocol.CodeOf(err) == protocol.Internal || protocol.CodeOf(err) == "" {
				err = protocol.Errorf(protocol.Cancelled, "cancelled by the orchestrator")
			}
		default:
			err = protocol.Errorf(protocol.BadRequest, "frame of kind %d within an attempt", f.Kind)
		}
		if err != nil {
			cancel(err) // and read on, so that the end of the exchange is seen
		}
	}
}

// encode runs the job on the lease's session.
func (w *Work) encode(ctx context.Context, key protocol.SegmentKey, job media.Job, src *source) (*media.Result, error) {
	defer src.failWith(ctx)()
	session, follows, err := w.open(ctx, key)
	if err != nil {
		return nil, err
	}
	job.Continues = job.Continues && follows
	result, err := session.Encode(ctx, job)
	if err != nil {
		if dead(session.Session) {
			w.discard(session)
		}
		return nil, err
	}
	if tail, ok := src.tail(); ok && w.bench.Observe != nil {
		w.bench.Observe(w.lease.Award.Lease, capacity.Segment{Media: result.Source.Duration, CPU: result.CPU, Tail: tail})
	}
	return result, nil
}

// receipt makes and signs the statement of one attempt and says what it is worth at the lease's prices.
func (w *Work) receipt(a protocol.Assignment, src *source, result *media.Result, outputs []hash.Hash) (protocol.Signed[protocol.Receipt], protocol.Wei, error) {
	var none protocol.Signed[protocol.Receipt]
	sum, whole := src.whole()
	if !whole {
		return none, protocol.Wei{}, protocol.Errorf(protocol.TranscodeFailed, "the encoder ended before its source")
	}
	ladder := w.lease.Ladder
	if len(result.Renditions) != len(ladder) {
		return none, protocol.Wei{}, protocol.Errorf(protocol.TranscodeFailed, "the encoder made %d renditions of %d", len(result.Renditions), len(ladder))
	}
	r := protocol.Receipt{Orchestrator: a.Orchestrator, Transcoder: a.Transcoder, Lease: a.Lease, Seq: a.Seq, Attempt: a.Attempt,
		Source: sum, Renditions: make([]protocol.RenditionReceipt, len(ladder))}
	for i, made := range result.Renditions {
		r.Renditions[i] = protocol.RenditionReceipt{Profile: protocol.Hash(ladder[i].Hash()), Output: protocol.Hash(outputs[i].Sum(nil)),
			Pixels: uint64(made.Pixels), Frames: uint32(made.Frames), FirstPTS: made.FirstPTS, LastPTS: made.LastPTS}
	}
	fee, err := ladder.Fee(w.lease.Award.Prices, r)
	if err != nil {
		return none, protocol.Wei{}, protocol.Errorf(protocol.Internal, "price the receipt: %w", err)
	}
	if limit := w.lease.Award.MaxFee; limit.Less(fee) {
		return none, protocol.Wei{}, protocol.Limited(protocol.BudgetTooSmall, "max_fee", limit, "the segment costs %s wei, the award pays at most %s", fee, limit)
	}
	signed, err := protocol.Seal(w.bench.Domain, w.bench.Signer, r)
	if err != nil {
		return none, protocol.Wei{}, protocol.Errorf(protocol.TranscodeFailed, "sign the receipt: %w", err)
	}
	return signed, fee, nil
}

// record puts the receipt and what is owed for it on disk.
func (w *Work) record(receipt protocol.Signed[protocol.Receipt], fee protocol.Wei) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), recordBound)
	defer cancel()
	if err := w.bench.Journal.PutReceipt(ctx, receipt, fee, time.Now()); err != nil {
		return err
	}
	m := receipt.Message
	return w.bench.Credit.Owe(ctx, w.lease.Award.Payer, m.Attempt, w.lease.Award.Stream, fee)
}

// abandon notes in the journal why an attempt ended without a receipt.
func (w *Work) abandon(ctx context.Context, attempt protocol.ID, err error) {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordBound)
	defer cancel()
	if err := w.bench.Journal.Abandon(bounded, attempt, protocol.CodeOf(err), time.Now()); err != nil {
		w.log.Error("cannot record an abandoned attempt", "attempt", attempt.Short(), "err", err)
	}
}
