package engine

import (
	"context"
	"errors"
	"io"

	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/wire"
)

// readAll reads, decodes and scales the whole source.
func (t *transcoding) readAll() (err error) {
	if t.demux, err = openDemuxer(t.job.source, t.req.Limits); err != nil {
		return err
	}
	defer t.demux.close()
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
	step := interval(t.num, t.den)
	if t.source.Frames == 0 {
		if pts == astiav.NoPtsValue {
			return failf(wire.CodeBadMedia, "the first picture has no timestamp")
		}
		t.firstPTS = pts
		t.num, t.den = t.line.rate()
	} else if pts == astiav.NoPtsValue || pts <= t.lastPTS { // none, or one that jumps back
		pts = t.lastPTS + max(step, 1)
	}
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
	a := &t.source.Audio
	if a.Packets == 0 {
		a.Codec = t.demux.audio.codec.Name()
		a.FirstPTS = shown(pkt.Pts(), pkt.Pts())
	}
	a.SampleRate, a.Channels = t.demux.sound.rate, t.demux.sound.channels
	a.Packets++
	a.Bytes += int64(pkt.Size())
	a.LastPTS = pkt.Pts() & (wrapTicks - 1)
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

// finish brings the last pictures out.
func (t *transcoding) finish() error {
	if t.decoder == nil {
		return failf(wire.CodeBadMedia, "the video track has no pictures")
	}
	if err := t.decoder.decode(nil, t.frame); err != nil {
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
