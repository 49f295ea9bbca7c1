package engine

import (
	"errors"
	"fmt"

	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/wire"
)

// decoder decodes the video track.
type decoder struct {
	cc    *astiav.CodecContext
	frame *astiav.Frame
	name  string
	bad   int // packets that were refused
	hooks bool
}

// openDecoder opens a fresh decoder for the track, with more options than the common ones.
func openDecoder(track *astiav.Stream, limits wire.Limits, extra ...string) (*decoder, error) {
	return openDecoderOn(nil, track, limits, extra...)
}

// openDecoderOn opens a decoder that works on a device; nil: on the processor.
func openDecoderOn(on *device, track *astiav.Stream, limits wire.Limits, extra ...string) (*decoder, error) {
	id := track.CodecParameters().CodecID()
	var codec *astiav.Codec
	if id == astiav.CodecIDAv1 && on == nil { // FFmpeg's own decodes on hardware alone
		codec = astiav.FindDecoderByName("libdav1d")
	}
	if codec == nil {
		codec = astiav.FindDecoder(id)
	}
	if on != nil { // of FFmpeg's own decoders some work there; the processor decodes the rest
		if own := astiav.FindDecoderByName(id.Name()); own != nil && on.decodes(own) >= 0 {
			codec = own
		} else {
			return openDecoderOn(nil, track, limits, extra...)
		}
	}
	if codec == nil {
		return nil, failf(wire.CodeUnsupportedCodec, "no decoder for pictures of codec %s", id.Name())
	}
	cc := astiav.AllocCodecContext(codec)
	if err := track.CodecParameters().ToCodecContext(cc); err != nil {
		cc.Free()
		return nil, fmt.Errorf("open decoder %s: %w", id.Name(), err)
	}
	cc.SetThreadCount(1)
	cc.SetTimeBase(timeBase)
	if on != nil {
		if err := on.attach(cc, codec); err != nil {
			cc.Free()
			return nil, err
		}
	}
	// Without a hint in the stream, wait for as many pictures as the level allows instead of dropping those that come late.
	cc.SetStrictStdCompliance(astiav.StrictStdComplianceStrict)
	// Four times the limit: one that is a little too large shall decode, and be refused by its true size.
	opts, err := options(append([]string{"max_pixels", fmt.Sprint(4 * limits.MaxPixels)}, extra...)...)
	if err != nil {
		cc.Free()
		return nil, err
	}
	defer opts.Free()
	if err := cc.Open(codec, opts); err != nil {
		detach(cc, on)
		cc.Free()
		return nil, fmt.Errorf("open decoder %s: %w", id.Name(), err)
	}
	if err := leftover(opts); err != nil {
		detach(cc, on)
		cc.Free()
		return nil, err
	}
	return &decoder{cc: cc, frame: astiav.AllocFrame(), name: id.Name(), hooks: on != nil}, nil
}

func (d *decoder) free() {
	d.frame.Free()
	if d.hooks {
		d.cc.SetPixelFormatCallback(nil)
	}
	d.cc.Free()
}

// decode gives pkt (nil: the end) to the decoder and every picture that comes out to take, whose frame it stays the decoder's.
func (d *decoder) decode(pkt *astiav.Packet, take func(*astiav.Frame) error) error {
	return decode(d.cc, d.frame, pkt, &d.bad, take)
}

// decode gives pkt (nil: the end) to cc and everything that comes out to take, in frame. What the decoder refuses, and what
// it fails at, counts as bad.
func decode(cc *astiav.CodecContext, frame *astiav.Frame, pkt *astiav.Packet, bad *int, take func(*astiav.Frame) error) error {
	if err := cc.SendPacket(pkt); err != nil && !errors.Is(err, astiav.ErrEof) {
		*bad++
	}
	for failures := 0; failures < 100; {
		err := cc.ReceiveFrame(frame)
		switch {
		case errors.Is(err, astiav.ErrEagain), errors.Is(err, astiav.ErrEof):
			return nil
		case err != nil:
			*bad++
			failures++
			continue
		}
		err = take(frame)
		frame.Unref()
		if err != nil {
			return err
		}
	}
	return nil
}

// checkSize refuses pictures beyond the limit.
func checkSize(f *astiav.Frame, limits wire.Limits) error {
	if n := f.Width() * f.Height(); n > limits.MaxPixels {
		return limitf(wire.CodeTooManyPixels, "max_pixels", limits.MaxPixels, "pictures are %d×%d, at most %d pixels", f.Width(), f.Height(), limits.MaxPixels)
	}
	return nil
}
