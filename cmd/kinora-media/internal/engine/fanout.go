package engine

import (
	"context"
	"errors"
	"slices"

	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/wire"
)

// level is one rung: its rendition, how its pictures are made, and which of them.
type level struct {
	*rendition
	parent *level // scaled from its pictures; nil: from the source's
	scale  shaper
	tone   toneMapper
	after  shaper // of what is mapped, where the encoder wants another format

	// With a frame rate of its own: the picture that waits to know how long it lasts, and its slot.
	pending *picture
	slot    int64
	shown   int // pictures given to the encoder

	dimmed   bool // look is its own
	captions captions
}

// picture is one decoded picture with its scaled versions, made when first wanted.
type picture struct {
	frame  *astiav.Frame
	scaled []*astiav.Frame // by index of the ladder
	uses   int
}

func (p *picture) release() {
	if p.uses--; p.uses > 0 {
		return
	}
	p.frame.Free()
	for _, f := range p.scaled {
		if f != nil {
			f.Free()
		}
	}
}

// fanOut makes the renditions and starts them.
func (t *transcoding) fanOut() error {
	for i, p := range t.req.Ladder {
		if t.alone && !p.SoundOnly() {
			if prev := t.line.prev; prev != nil {
				go func() { (<-prev.batons[i]).free() }() // nothing of it fits what comes after
			}
			t.line.batons[i] <- nil
			continue
		}
		r := &rendition{index: i, profile: p, line: t.line, in: make(chan item, queueLen), out: t.output, audio: t.sound,
			num: t.num, den: t.den, turns: t.turns(), look: t.look}
		if p.FPSNum > 0 {
			r.num, r.den = p.FPSNum, p.FPSDen
		}
		l := &level{rendition: r}
		if !p.SoundOnly() {
			l.scale = newShaper(p, t.source.Width, t.source.Height, astiav.NewRational(t.source.SARNum, t.source.SARDen))
			r.profile.Width, r.profile.Height = l.scale.geometry.Width, l.scale.geometry.Height
			l.after = newShaper(r.profile, r.profile.Width, r.profile.Height, astiav.Rational{})
		}
		t.levels = append(t.levels, l)
		if p.DynamicRange == "sdr" && !p.SoundOnly() && hdr(t.held[0]) {
			if err := t.dim(l); err != nil {
				return err
			}
		}
	}
	t.chain()
	t.started = true
	for _, l := range t.levels {
		t.running.Go(func() {
			if err := l.run(t.ctx); err != nil {
				t.cancel(classify(err))
				t.job.source.end(context.Canceled) // do not wait for more of it
			}
		})
	}
	return nil
}

// dim makes the level say of its pictures what they are once they are mapped.
func (t *transcoding) dim(l *level) error {
	f, err := l.scaleFrom(t.server.warm, t.held[0])
	if err != nil {
		return err
	}
	defer f.Free()
	l.look, err = lookOf(f)
	l.dimmed = true
	return err
}

// release gives back what the level's pictures were made with.
func (l *level) release(w *warm) {
	if l.pending != nil {
		l.pending.release()
	}
	l.scale.free(w)
	l.after.free(w)
	l.tone.free()
	if l.dimmed {
		l.look.free()
	}
}

// chain decides from which larger rung each one is scaled: the smallest that holds it and shows the same in the same way.
func (t *transcoding) chain() {
	for _, l := range t.levels {
		if !l.profile.SoundOnly() {
			t.order = append(t.order, l)
		}
	}
	slices.SortStableFunc(t.order, func(a, b *level) int {
		return b.profile.Width*b.profile.Height - a.profile.Width*a.profile.Height
	})
	for i, l := range t.order {
		for _, larger := range t.order[:i] {
			if larger.profile.Width >= l.profile.Width && larger.profile.Height >= l.profile.Height &&
				larger.profile.Width <= t.source.Width && larger.profile.Height <= t.source.Height &&
				l.scale.plain() && larger.scale.plain() && larger.scale.fit == l.scale.fit && larger.scale.to == l.scale.to && larger.profile.DynamicRange == l.profile.DynamicRange {
				l.parent = larger
			}
		}
	}
}

// deliver gives one picture, which it takes over, to every rendition that shows it.
func (t *transcoding) deliver(f *astiav.Frame) error {
	pic := &picture{frame: f, scaled: make([]*astiav.Frame, len(t.levels)), uses: 1}
	defer pic.release()
	said := captionsOf(f)
	for _, l := range t.order {
		if l.profile.FPSNum == 0 {
			l.captions.add(said, true)
			if err := t.show(l, pic, f.Pts()); err != nil {
				return err
			}
			continue
		}
		slot := wire.Slot(f.Pts()-t.turns(), l.num, l.den)
		if l.pending != nil {
			if err := t.showUntil(l, slot); err != nil {
				return err
			}
			l.pending.release()
		}
		l.captions.add(said, false)
		pic.uses++
		l.pending, l.slot = pic, max(slot, l.slot)
	}
	return nil
}

// showUntil shows the level's pending picture in its slots before end.
func (t *transcoding) showUntil(l *level, end int64) error {
	for ; l.slot < end; l.slot++ {
		if err := t.show(l, l.pending, wire.SlotPTS(l.slot, l.num, l.den)+t.turns()); err != nil {
			return err
		}
	}
	return nil
}

// show queues the picture, scaled, for the level's encoder.
func (t *transcoding) show(l *level, pic *picture, pts int64) error {
	f, err := t.scaled(l, pic)
	if err != nil {
		return err
	}
	c := f.Clone()
	c.SetPts(pts)
	if err := l.captions.put(c); err != nil {
		c.Free()
		return err
	}
	select {
	case l.in <- item{frame: c}:
		l.shown++
		return nil
	case <-t.ctx.Done():
		c.Free()
		return context.Cause(t.ctx)
	}
}

// scaled is the picture in the level's size. It stays the picture's.
func (t *transcoding) scaled(l *level, pic *picture) (*astiav.Frame, error) {
	if f := pic.scaled[l.index]; f != nil {
		return f, nil
	}
	from := pic.frame
	if l.parent != nil {
		var err error
		if from, err = t.scaled(l.parent, pic); err != nil {
			return nil, err
		}
	}
	f, err := l.scaleFrom(t.server.warm, from)
	if err != nil {
		return nil, err
	}
	pic.scaled[l.index] = f
	return f, nil
}

// scaleFrom makes the level's picture of the source's, or of the level's it is chained to; free it.
func (l *level) scaleFrom(w *warm, from *astiav.Frame) (*astiav.Frame, error) {
	chained := l.parent != nil
	if l.profile.DynamicRange != "sdr" || !hdr(from) {
		return l.scale.scale(w, from, l.scale.to, chained)
	}
	// In the size that is wanted, since mapping costs by the pixel; in ten bits, since it bends the range.
	deep, err := l.scale.scale(w, from, astiav.PixelFormatYuv420P10Le, chained)
	if err != nil {
		return nil, err
	}
	defer deep.Free()
	if err := copyProperties(deep, from); err != nil {
		return nil, err
	}
	f, err := l.tone.apply(deep)
	if err != nil || f.PixelFormat() == l.scale.to {
		return f, err
	}
	defer f.Free()
	out, err := l.after.scale(w, f, l.scale.to, true)
	if err != nil {
		return nil, err
	}
	return out, copyProperties(out, f)
}

// lastPictures shows what waits to know how long it lasts.
func (t *transcoding) lastPictures() error {
	for _, l := range t.order {
		if l.pending != nil {
			end := wire.Slot(t.end()-t.turns(), l.num, l.den)
			if l.shown == 0 { // a segment shorter than a slot still shows its picture
				end = max(end, l.slot+1)
			}
			if err := t.showUntil(l, end); err != nil {
				return err
			}
		}
	}
	return nil
}

// carry gives every rendition a packet, which it takes over.
func (t *transcoding) carry(pkt *astiav.Packet) error {
	defer pkt.Free()
	pkt.SetPts(pkt.Pts() + t.demux.shift)
	pkt.SetDts(pkt.Dts() + t.demux.shift)
	for _, l := range t.levels {
		c := pkt.Clone()
		select {
		case l.in <- item{audio: c}:
		case <-t.ctx.Done():
			c.Free()
			return context.Cause(t.ctx)
		}
	}
	return nil
}

// output sends bytes of a rendition to the parent as it grants.
func (t *transcoding) output(index int, p []byte) error {
	if t.sent.Add(int64(len(p))) > t.req.Limits.MaxOutput {
		return limitf(wire.CodeFailed, "max_output", t.req.Limits.MaxOutput, "the renditions have more than %d bytes", t.req.Limits.MaxOutput)
	}
	return t.server.deliver(t.ctx, t.job, index, p)
}

// classify gives an error of an encoder or a muxer its code.
func classify(err error) error {
	var f *wire.Failure
	if errors.As(err, &f) || errors.Is(err, context.Canceled) {
		return err
	}
	return failf(wire.CodeFailed, "%v", err)
}
