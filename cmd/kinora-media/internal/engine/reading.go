package engine

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/wire"
)

// readAll reads, decodes and scales the whole source.
func (t *transcoding) readAll() (err error) {
	if t.demux, err = openDemuxer(t.job.source, t.req.Limits); err != nil {
		return err
	}
	defer t.demux.close()
	t.demux.soundAlone = slices.ContainsFunc(t.req.Ladder, wire.Profile.SoundOnly)
	defer func() {
		if t.decoder != nil {
			t.source.Damaged = t.decoder.bad
		}
	}()
	for {
		pkt, isVideo, err := t.demux.next()
		if t.ctx.Err() != nil {
			return context.Cause(t.ctx)
		}
		switch {
		case errors.Is(err, io.EOF):
			return t.finish()
		case err != nil:
			return err
		case isVideo:
			err = t.video(pkt)
		default:
			err = t.audio(pkt)
		}
		if err != nil {
			return err
		}
	}
}

// video decodes one coded picture.
func (t *transcoding) video(pkt *astiav.Packet) error {
	if t.alone {
		return failf(wire.CodeBadMedia, "pictures appear after the sound began: begin another segment there")
	}
	if t.decoder == nil {
		if !pkt.Flags().Has(astiav.PacketFlagKey) {
			return failf(wire.CodeNoKeyframe, "the segment does not begin with a keyframe")
		}
		if pkt.Pts() == astiav.NoPtsValue {
			return failf(wire.CodeBadMedia, "the first picture has no timestamp")
		}
		var err error
		if t.decoder, err = openDecoder(t.demux.video.Stream, t.req.Limits); err != nil {
			return err
		}
		t.source.Codec = t.decoder.name
		t.demux.place(pkt.Pts(), t.line.nearby())
		t.line.setNear(pkt.Pts() + t.demux.shift)
	} else if t.demux.video.changed() { // the same track goes on in another codec
		if err := t.decoder.decode(nil, t.frame); err != nil {
			return err
		}
		next, err := openDecoder(t.demux.video.Stream, t.req.Limits)
		if err != nil {
			return err
		}
		next.bad += t.decoder.bad
		t.decoder.free()
		t.decoder = next
	}
	return t.decoder.decode(pkt, t.frame)
}

// frame takes one decoded picture, and gives it a time.
func (t *transcoding) frame(f *astiav.Frame) error {
	if err := checkSize(f, t.req.Limits); err != nil {
		return err
	}
	pts := f.Pts()
	if pts != astiav.NoPtsValue {
		pts += t.demux.shift
	}
	if t.source.Frames == 0 {
		if pts == astiav.NoPtsValue {
			return failf(wire.CodeBadMedia, "the first picture has no timestamp")
		}
		t.firstPTS = pts
		t.num, t.den = t.line.rate()
		return t.dated(f, pts)
	}
	if late := pts == astiav.NoPtsValue || pts <= t.lastPTS; late && t.num == 0 && len(t.undated) < maxUndated {
		t.undated = append(t.undated, f.Clone()) // until the next one tells how long they last
		return nil
	} else if late { // no time, or one that jumps back
		if err := t.dateWaiting(0); err != nil {
			return err
		}
		return t.dated(f, t.lastPTS+t.usual())
	}
	if err := t.dateWaiting(pts); err != nil {
		return err
	}
	return t.dated(f, pts)
}

// dateWaiting spreads the pictures without a time over that until next (0: unknown).
func (t *transcoding) dateWaiting(next int64) error {
	step := t.usual()
	if next > 0 {
		step = max((next-t.lastPTS)/int64(len(t.undated)+1), 1)
	}
	for len(t.undated) > 0 {
		f := t.undated[0]
		t.undated = t.undated[1:]
		err := t.dated(f, t.lastPTS+step)
		f.Free()
		if err != nil {
			return err
		}
	}
	return nil
}

// usual is how long a picture lasts as far as is known.
func (t *transcoding) usual() int64 {
	if t.num > 0 {
		return max(interval(t.num, t.den), 1)
	}
	if said := t.decoder.cc.Framerate(); said.Float64() >= 1 && said.Float64() <= 240 {
		return interval(said.Num(), said.Den())
	}
	return interval(30, 1)
}

func (t *transcoding) dated(f *astiav.Frame, pts int64) error {
	t.lastPTS = pts
	t.source.Frames++
	f.SetPts(pts)
	return t.normal.push(f, t.upright)
}

// upright takes one picture as renditions are made of it.
func (t *transcoding) upright(f *astiav.Frame) error {
	if t.source.Width == 0 {
		t.source.Width, t.source.Height = f.Width(), f.Height()
		sar := f.SampleAspectRatio()
		t.source.SARNum, t.source.SARDen = sar.Num(), sar.Den()
		var err error
		if t.look, err = lookOf(f); err != nil {
			return err
		}
	}
	c := f.Clone()
	if t.started {
		return t.deliver(c)
	}
	t.held = append(t.held, c)
	if t.num == 0 && len(t.held) < ratePictures {
		return nil
	}
	return t.start()
}

// audio dates one sound packet and carries it to every rendition.
func (t *transcoding) audio(pkt *astiav.Packet) error {
	if !t.demux.dateAudio(pkt) {
		return nil
	}
	if err := t.demux.together(); err != nil {
		return err
	}
	a := &t.source.Audio
	if a.Packets == 0 {
		a.Codec = t.demux.audio.codec.Name()
		a.FirstPTS = shown(pkt.Pts(), pkt.Pts())
	}
	a.SampleRate, a.Channels = t.demux.sound.rate, t.demux.sound.channels
	a.Packets++
	a.Bytes += int64(pkt.Size())
	a.LastPTS = pkt.Pts() & (wrapTicks - 1)
	if t.req.Loudness {
		t.loud.take(t.demux.audio.CodecParameters(), pkt)
	}
	if t.started && t.sound == nil {
		return failf(wire.CodeBadMedia, "a sound track appears after the first pictures: begin another segment there")
	}
	if !t.started && t.demux.video.Stream == nil && t.demux.soundAlone {
		if err := t.beginAlone(pkt.Pts()); err != nil {
			return err
		}
	}
	if t.alone {
		t.lastPTS = pkt.Pts() + t.demux.shift
	}
	c := pkt.Clone()
	if t.started {
		return t.carry(c)
	}
	if len(t.early) >= maxEarlyAudio {
		c.Free()
		return failf(wire.CodeBadMedia, "more than %d sound packets before the first picture", maxEarlyAudio)
	}
	t.early = append(t.early, c)
	return nil
}

// beginAlone begins a segment that has sound and no pictures: the renditions that are sound alone are made of it.
func (t *transcoding) beginAlone(first int64) error {
	t.alone = true
	t.demux.place(first, t.line.nearby())
	t.line.setNear(first + t.demux.shift)
	t.firstPTS = first + t.demux.shift
	if t.num, t.den = t.line.rate(); t.num == 0 {
		t.num, t.den = 30, 1 // of no account
	}
	return t.start()
}

// finish brings the last pictures out.
func (t *transcoding) finish() error {
	if t.alone {
		return nil
	}
	if t.decoder == nil && t.demux.soundAlone && len(t.early) > 0 { // pictures were declared, and none came
		first := t.early[0].Pts()
		t.lastPTS = t.early[len(t.early)-1].Pts()
		if err := t.beginAlone(first); err != nil {
			return err
		}
		t.lastPTS += t.demux.shift
		return nil
	}
	if t.decoder == nil {
		return failf(wire.CodeBadMedia, "the video track has no pictures")
	}
	if err := t.decoder.decode(nil, t.frame); err != nil {
		return err
	}
	if err := t.dateWaiting(0); err != nil {
		return err
	}
	if err := t.normal.push(nil, t.upright); err != nil {
		return err
	}
	if t.source.Frames == 0 {
		return failf(wire.CodeBadMedia, "none of %d coded pictures decodes", t.demux.packets)
	}
	if !t.started {
		if err := t.start(); err != nil {
			return err
		}
	}
	return t.lastPictures()
}
