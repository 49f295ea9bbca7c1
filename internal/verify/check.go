package verify

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/protocol"
)

// Check judges one attempt: the renditions one transcoder returned. Write, Finish and Cancel are for one goroutine at a
// time.
type Check struct {
	ctx    context.Context
	cancel context.CancelFunc
	src    *Source
	spec   Spec
	outs   []*rendition
	meters sync.WaitGroup
}

// rendition is one output as it arrives.
type rendition struct {
	profile protocol.Profile
	scan    *scanner
	tape    *tape // deep only

	measured *media.Measurement
	err      error
}

// Begin starts the check of one attempt. ctx bounds all of it.
func Begin(ctx context.Context, src *Source, spec Spec) *Check {
	ctx, cancel := context.WithCancel(ctx)
	c := &Check{ctx: ctx, cancel: cancel, src: src, spec: spec}
	for _, p := range spec.Ladder {
		c.outs = append(c.outs, &rendition{profile: p, scan: newScanner(src.cfg.Limits, true, askedOf(p))})
	}
	if !spec.Deep || src.cfg.Meter == nil {
		return c
	}
	src.startMeasure(media.MeasureOptions{})
	for _, o := range c.outs {
		if o.profile.SoundOnly() { // nothing to see
			continue
		}
		o.tape = newTape()
		c.meters.Add(1)
		go func() {
			defer c.meters.Done()
			var of media.MeasureOptions
			if of, o.err = src.shownIn(ctx, o.profile); o.err == nil {
				o.measured, o.err = src.cfg.Meter.measure(ctx, "payee "+spec.Payee, o.tape, of)
			}
		}()
	}
	return c
}

// Write takes the next bytes of one rendition, by its index in the ladder. It fails with VerificationFailed as soon as
// nothing can make the output pass any more; Finish then says the same.
func (c *Check) Write(i int, p []byte) error {
	if i < 0 || i >= len(c.outs) {
		return protocol.Errorf(protocol.VerificationFailed, "rendition %d of %d", i, len(c.outs))
	}
	o := c.outs[i]
	o.scan.write(p)
	if f := o.scan.flaw; f != nil {
		return protocol.Errorf(protocol.VerificationFailed, "rendition %q: %s", o.profile.Name, f.detail)
	}
	if o.tape != nil {
		o.tape.write(p)
	}
	return nil
}

// Finish waits for the source's end and returns the verdict on what was written and what the receipt says of it.
// assignment must be the one this side signed, or whose signature it checked. The verdict does not outwait ctx.
func (c *Check) Finish(ctx context.Context, assignment protocol.Assignment, receipt protocol.Signed[protocol.Receipt], d protocol.Domain) Verdict {
	defer c.Cancel()
	v := Verdict{Layers: L0, Outputs: make([]Output, len(c.outs))}
	for i, o := range c.outs {
		v.Outputs[i] = Output{Profile: o.profile.Name, Stream: o.scan.finish()}
		if o.tape == nil {
			continue
		}
		if o.scan.flaw == nil {
			o.tape.finish(io.EOF)
		} else {
			o.tape.finish(o.scan.flaw.err())
		}
	}
	var err error
	if v.Source, err = c.src.Info(ctx); err != nil {
		return v.inconclusive(err)
	}
	if err := c.checkReceipt(v, assignment, receipt, d); err != nil {
		return v.fail(err)
	}
	for i, o := range c.outs {
		if f := o.scan.flaw; f != nil {
			return v.fail(faultf(false, "rendition %q: %s", o.profile.Name, f.detail))
		}
		if f := compare(v.Source.Stream, v.Outputs[i].Stream, o.profile, o.scan.pictures); f != nil {
			return v.fail(faultf(f.gross, "rendition %q: %s", o.profile.Name, f.detail))
		}
	}
	if !c.spec.Deep {
		v.Passed = true
		return v
	}
	return c.deep(ctx, v)
}

// Cancel ends a check whose verdict nobody needs. After Finish it does nothing.
func (c *Check) Cancel() {
	c.cancel()
	for _, o := range c.outs {
		if o.tape != nil {
			o.tape.finish(context.Canceled)
		}
	}
}

// deep runs L1 on outputs that passed L0.
func (c *Check) deep(ctx context.Context, v Verdict) Verdict {
	if c.src.cfg.Meter == nil {
		return v.inconclusive(protocol.Errorf(protocol.Internal, "a deep check needs a Meter"))
	}
	measured := make(chan struct{})
	go func() { c.meters.Wait(); close(measured) }()
	select {
	case <-measured:
	case <-ctx.Done():
		return v.inconclusive(contextError(ctx.Err()))
	}
	v.Layers = L0L1
	for i, o := range c.outs {
		if o.profile.SoundOnly() {
			continue
		}
		source, err := c.src.pictures(ctx, seenIn(v.Source.Stream, o.profile))
		if err != nil {
			return v.inconclusive(fmt.Errorf("decode the source: %w", err))
		}
		if o.err != nil {
			switch protocol.CodeOf(o.err) {
			case protocol.Cancelled, protocol.DeadlineExceeded, protocol.Internal, protocol.Unavailable:
				return v.inconclusive(fmt.Errorf("decode rendition %q: %w", o.profile.Name, o.err))
			}
			// That a child died twice may still be this machine's fault.
			return v.fail(faultf(protocol.CodeOf(o.err) != protocol.ChildCrashed, "rendition %q does not decode: %s", o.profile.Name, o.err))
		}
		if o.measured.Damaged > 0 || len(o.measured.Frames) != v.Outputs[i].Frames {
			return v.fail(faultf(true, "rendition %q: %d of %d pictures decode, %d damaged", o.profile.Name, len(o.measured.Frames), v.Outputs[i].Frames, o.measured.Damaged))
		}
		like, err := judge(source.Frames, o.measured.Frames, o.profile.FPSNum != 0, v.Source.Damaged, besideSlackFor(v.Source.Stream, o.profile),
			func() (*excuse, error) { return c.src.ownExcuse(ctx, c.spec.Ladder, i) })
		if err != nil {
			return v.inconclusive(fmt.Errorf("encode %q to compare with: %w", o.profile.Name, err))
		}
		like.Profile = o.profile.Name
		v.Deep = append(v.Deep, like)
		if !like.Passes() {
			return v.fail(faultf(like.Foreign, "rendition %q does not show the source: %d of %d pictures differ, %d in a row (%s)", o.profile.Name, like.Bad, like.Frames, like.Run, like.Worst))
		}
	}
	v.Passed = true
	return v
}

// checkReceipt holds the receipt against the assignment, the source and what was measured.
func (c *Check) checkReceipt(v Verdict, a protocol.Assignment, signed protocol.Signed[protocol.Receipt], d protocol.Domain) *fault {
	r, err := signed.Open(d)
	if err != nil {
		return &fault{code: protocol.CodeOf(err), gross: true, detail: fmt.Sprintf("receipt: %s", err)}
	}
	if err := r.Matches(a); err != nil {
		return faultf(true, "%s", err)
	}
	if r.Source != v.Source.SHA256 {
		return faultf(true, "the receipt is for source %s, not %s", r.Source.Short(), v.Source.SHA256.Short())
	}
	if len(r.Renditions) != len(c.outs) {
		return faultf(true, "the receipt names %d renditions, the ladder has %d", len(r.Renditions), len(c.outs))
	}
	for i, o := range c.outs {
		got, said := v.Outputs[i], r.Renditions[i]
		switch {
		case said.Profile != protocol.Hash(o.profile.Hash()):
			return faultf(true, "rendition %q: the receipt names another profile", o.profile.Name)
		case o.scan.flaw != nil: // it was not read to its end; the flaw is the better reason
		case said.Output != got.SHA256:
			return faultf(true, "rendition %q: the receipt says hash %s, the bytes have %s", o.profile.Name, said.Output.Short(), got.SHA256.Short())
		case int(said.Frames) != got.Frames || said.Pixels != got.Pixels:
			return faultf(true, "rendition %q: the receipt says %d frames and %d pixels, it has %d and %d", o.profile.Name, said.Frames, said.Pixels, got.Frames, got.Pixels)
		case !sameTimes(said, got.Stream):
			return faultf(true, "rendition %q: the receipt says PTS %d to %d, it has %d to %d", o.profile.Name, said.FirstPTS, said.LastPTS, got.FirstPTS, got.LastPTS)
		}
	}
	return nil
}

// sameTimes compares the times of the pictures, or of sound alone, which containers round each in their way.
func sameTimes(said protocol.RenditionReceipt, got Stream) bool {
	if got.Frames == 0 {
		return within(near(said.FirstPTS, got.FirstPTS), got.FirstPTS, ticks/20) && within(said.LastPTS-said.FirstPTS, got.LastPTS-got.FirstPTS, ticks/20)
	}
	return (said.FirstPTS-got.FirstPTS)%wrap == 0 && said.LastPTS-said.FirstPTS == got.LastPTS-got.FirstPTS
}

// fault is why an output fails.
type fault struct {
	code   protocol.Code
	gross  bool
	detail string
}

func faultf(gross bool, format string, args ...any) *fault {
	return &fault{protocol.VerificationFailed, gross, fmt.Sprintf(format, args...)}
}

func (v Verdict) fail(f *fault) Verdict {
	v.Passed, v.Code, v.Gross, v.Detail = false, f.code, f.gross, f.detail
	return v
}

func (v Verdict) inconclusive(err error) Verdict {
	v.Passed, v.Inconclusive, v.Code, v.Detail = false, true, protocol.CodeOf(err), err.Error()
	return v
}
