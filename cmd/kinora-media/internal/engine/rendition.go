package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/wire"
)

// queueLen is how many pictures and sound packets a rendition may lag behind the decoder.
const queueLen = 16

// item is a picture to encode or a sound packet to carry; whoever takes it frees it.
type item struct {
	frame *astiav.Frame
	audio *astiav.Packet
}

func (it item) free() {
	if it.frame != nil {
		it.frame.Free()
	}
	if it.audio != nil {
		it.audio.Free()
	}
}

// rendition encodes one profile of one segment on a goroutine of its own.
type rendition struct {
	index   int
	profile wire.Profile // of the size its pictures really have
	line    *line
	in      chan item
	out     func(rendition int, p []byte) error
	audio   *astiav.CodecParameters // of the source; nil without a sound track
	num     int                     // frame rate of the pictures that come
	den     int
	look    look
	turns   int64

	carry *carry // nil until the segment before hands it over
	mode  soundMode
	video *videoEncoder
	pkt   *astiav.Packet
	mux   muxer                   // the carry's, once the segment is begun in it
	made  *astiav.CodecParameters // of the sound, where this segment made them
	sound bool                    // a packet of sound came

	waiting []waiting // packets that came before the muxer did
	nextKey int64
	coded   int

	stats wire.Rendition
	pts   struct{ first, last int64 }
}

type waiting struct {
	pkt     *astiav.Packet
	isVideo bool
}

// carry is what a rendition hands on to the same one of the next segment.
type carry struct {
	mux   muxer
	video *videoEncoder // one that holds nothing back
	sound *soundEncoder
}

func (c *carry) free() {
	if c == nil {
		return
	}
	if c.mux != nil {
		c.mux.free()
	}
	if c.video != nil {
		c.video.free()
	}
	if c.sound != nil {
		c.sound.free()
	}
}

// run encodes what comes in until in is closed, and hands on what the next segment can use. It always empties in.
func (r *rendition) run(ctx context.Context) (err error) {
	defer func() {
		for it := range r.in {
			it.free()
		}
		for _, w := range r.waiting {
			w.pkt.Free()
		}
		if r.made != nil {
			r.made.Free()
		}
		if r.video != nil {
			r.video.free()
		}
		if err != nil {
			if r.carry != nil {
				r.carry.free()
			} else if prev := r.line.prev; prev != nil {
				go func() { (<-prev.batons[r.index]).free() }() // what this rendition did not come to use
			}
			r.carry = nil
		}
		r.line.batons[r.index] <- r.carry
	}()
	r.stats.Name, r.stats.Width, r.stats.Height = r.profile.Name, r.profile.Width, r.profile.Height
	if r.mode, err = planSound(r.profile, r.audio); err != nil {
		return err
	}
	if err := r.openVideo(ctx); err != nil {
		return err
	}
	r.pkt = astiav.AllocPacket()
	defer r.pkt.Free()
	for it := range r.in {
		if err := ctx.Err(); err != nil {
			it.free()
			return err
		}
		if it.audio != nil {
			r.sound = true
			err = r.emit(ctx, it.audio, false)
			it.audio = nil
		} else {
			err = r.encode(ctx, it.frame)
		}
		it.free()
		if err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return r.finish(ctx)
}

// openVideo opens the encoder, or waits for the one that the segment before has warm.
func (r *rendition) openVideo(ctx context.Context) (err error) {
	if r.profile.SoundOnly() {
		return nil
	}
	if r.profile.Lookahead < 0 {
		if err := r.take(ctx, true); err != nil {
			return err
		}
		if r.video, r.carry.video = r.carry.video, nil; r.video != nil {
			r.stats.Encoder = r.video.name
			return nil
		}
	}
	if r.video, err = openVideoEncoder(r.profile, r.num, r.den, r.look, r.profile.Fragmented()); err != nil {
		return err
	}
	r.stats.Encoder = r.video.name
	return nil
}

// finish brings out what is held back and ends the segment.
func (r *rendition) finish(ctx context.Context) error {
	if r.video != nil && !(r.video.warm && r.coded == r.stats.Frames) {
		r.video.warm = false
		if err := r.video.cc.SendFrame(nil); err != nil {
			return fmt.Errorf("drain encoder: %w", err)
		}
		if err := r.receive(ctx); err != nil {
			return err
		}
	}
	if r.mux == nil {
		if err := r.open(ctx, true); err != nil {
			return err
		}
	}
	if err := r.mux.end(); err != nil {
		return err
	}
	r.stats.InitBytes = r.mux.initBytes()
	if r.video != nil && r.video.warm {
		r.carry.video, r.video = r.video, nil
	}
	r.stats.Pixels = int64(r.stats.Frames) * int64(r.profile.Width) * int64(r.profile.Height)
	r.stats.FirstPTS, r.stats.LastPTS = shown(r.pts.first, r.pts.first), shown(r.pts.last, r.pts.first)
	r.stats.Duration = ticks(r.pts.last - r.pts.first + interval(r.num, r.den))
	return nil
}

// encode gives one picture to the encoder, as a keyframe at the start of the segment and whenever the profile's interval is over.
func (r *rendition) encode(ctx context.Context, f *astiav.Frame) error {
	pts := f.Pts()
	f.SetPictureType(astiav.PictureTypeNone) // the decoder's would be copied by the encoder
	if r.stats.Frames == 0 {
		r.nextKey = pts
		r.pts.first, r.pts.last = pts, pts
	}
	if gop := int64(r.profile.GOPMillis) * wire.TicksPerSecond / 1000; r.stats.Frames == 0 || gop > 0 && pts+interval(r.num, r.den)/2 >= r.nextKey {
		if r.video.forced {
			f.SetPictureType(astiav.PictureTypeI)
		}
		for gop > 0 && r.nextKey <= pts+interval(r.num, r.den)/2 {
			r.nextKey += gop
		}
	}
	r.stats.Frames++
	r.pts.last = pts
	f, err := r.video.upload(f)
	if err != nil {
		return err
	}
	defer f.Free()
	if err := r.video.cc.SendFrame(f); err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	return r.receive(ctx)
}

// receive takes every packet that is ready.
func (r *rendition) receive(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := r.video.cc.ReceivePacket(r.pkt)
		switch {
		case errors.Is(err, astiav.ErrEagain), errors.Is(err, astiav.ErrEof):
			return nil
		case err != nil:
			return fmt.Errorf("encode: %w", err)
		}
		r.coded++
		r.stats.VideoBytes += int64(r.pkt.Size())
		if r.pkt.Flags().Has(astiav.PacketFlagKey) {
			r.stats.Keyframes++
		}
		if err := r.emit(ctx, r.pkt.Clone(), true); err != nil {
			return err
		}
	}
}

// emit muxes pkt and frees it, or keeps it while the segment before still holds the muxer.
func (r *rendition) emit(ctx context.Context, pkt *astiav.Packet, isVideo bool) error {
	if !isVideo && r.mode == soundNone {
		pkt.Free()
		return nil
	}
	r.waiting = append(r.waiting, waiting{pkt, isVideo})
	if r.mux == nil {
		// The first picture says whether the muxer still fits, the first sound what it is.
		if first := r.first(true); first == nil && !r.profile.SoundOnly() || !r.sound && r.wantsSound() {
			return nil
		}
		return r.open(ctx, false)
	}
	return r.flush()
}

// wantsSound tells whether a packet of the sound must be seen before the muxer can begin.
func (r *rendition) wantsSound() bool {
	return r.mode == soundEncode || r.mode == soundCopy && r.profile.Fragmented()
}

func (r *rendition) flush() error {
	for len(r.waiting) > 0 {
		w := r.waiting[0]
		r.waiting = r.waiting[1:]
		switch {
		case w.isVideo:
			err := r.mux.put(w.pkt, true)
			w.pkt.Free()
			if err != nil {
				return err
			}
		case r.mode == soundEncode:
			err := r.carry.sound.encode(w.pkt, r.putSound)
			w.pkt.Free()
			if err != nil {
				return err
			}
		default:
			pkt := w.pkt
			if r.profile.Fragmented() {
				var err error
				if pkt, err = withoutADTS(pkt); err != nil {
					w.pkt.Free()
					return err
				}
			}
			if err := r.putSound(pkt); err != nil {
				return err
			}
		}
	}
	return nil
}

// putSound muxes a packet of sound, which it takes over.
func (r *rendition) putSound(pkt *astiav.Packet) error {
	defer pkt.Free()
	if r.profile.SoundOnly() {
		if r.stats.AudioPackets == 0 {
			r.pts.first = pkt.Pts()
		}
		r.pts.last = pkt.Pts()
	}
	r.stats.AudioPackets++
	return r.mux.put(pkt, false)
}

// take gets what the segment before hands on, or begins afresh. Without wait it leaves things as they are while that segment
// is not done.
func (r *rendition) take(ctx context.Context, wait bool) error {
	prev := r.line.prev
	switch {
	case r.carry != nil:
		return nil
	case prev == nil:
		r.carry = new(carry)
		return nil
	case wait:
		select {
		case r.carry = <-prev.batons[r.index]:
		case <-ctx.Done():
			return ctx.Err()
		}
	default:
		select {
		case r.carry = <-prev.batons[r.index]:
		default:
			return nil
		}
	}
	prev.batons[r.index] <- nil // taken; what looks for it later finds nothing
	if r.carry == nil {
		r.carry = new(carry)
	}
	return nil
}

// open begins the segment in the muxer, and writes what waits for it.
func (r *rendition) open(ctx context.Context, wait bool) error {
	if err := r.take(ctx, wait); err != nil || r.carry == nil {
		return err
	}
	t := tracks{turns: r.turns, step: interval(r.num, r.den)}
	if r.video != nil {
		t.video = r.video.cc
	}
	if err := r.openSound(&t); err != nil {
		return err
	}
	first := r.first(r.video != nil)
	var dts int64
	if first != nil {
		dts = first.Dts()
	}
	if r.carry.mux != nil && !r.carry.mux.fits(t, dts) {
		r.carry.mux.free()
		r.carry.mux = nil
	}
	if r.carry.mux == nil {
		m, err := newMuxer(r.profile, t)
		if err != nil {
			return err
		}
		r.carry.mux = m
	}
	if err := r.carry.mux.begin(t, func(p []byte) error {
		r.stats.Bytes += int64(len(p))
		return r.out(r.index, p)
	}); err != nil {
		return err
	}
	r.mux = r.carry.mux
	return r.flush()
}

// openSound makes the sound track ready.
func (r *rendition) openSound(t *tracks) (err error) {
	first := r.first(false)
	switch {
	case r.mode == soundEncode:
		if r.carry.sound != nil && !r.carry.sound.fits(r.audio) {
			r.carry.sound.free()
			r.carry.sound = nil
		}
		if r.carry.sound == nil {
			if r.carry.sound, err = openSoundEncoder(r.profile, r.audio, first); err != nil {
				return err
			}
		}
		t.sound = r.carry.sound.params
	case r.mode == soundCopy && r.profile.Fragmented():
		if first == nil && len(r.audio.ExtraData()) == 0 { // declared, and nothing of it in the segment
			r.mode = soundNone
			return nil
		}
		if r.made, err = withConfig(r.audio, first); err != nil {
			return err
		}
		t.sound = r.made
	case r.mode == soundCopy:
		t.sound = r.audio
	}
	if t.sound != nil {
		r.stats.AudioCodec = t.sound.CodecID().Name()
	}
	return nil
}

// first is the first packet of either kind that waits, nil if none does.
func (r *rendition) first(video bool) *astiav.Packet {
	for _, w := range r.waiting {
		if w.isVideo == video {
			return w.pkt
		}
	}
	return nil
}
