package engine

import (
	"fmt"

	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/wire"
)

// maxStillSide bounds a still's sides, in pixels.
const maxStillSide = 1280

// stillEncoders make stills, with what they want of a picture and their options.
var stillEncoders = map[string]struct {
	name    string
	format  astiav.PixelFormat
	options []string
}{
	"jpeg": {"mjpeg", astiav.PixelFormatYuvj420P, []string{"flags", "+qscale", "global_quality", "590"}}, // five of libav's steps, of 118 each
	"webp": {"libwebp", astiav.PixelFormatYuv420P, []string{"quality", "70", "compression_level", "2"}},
}

// checkStill names the field that cannot be.
func checkStill(s wire.Still) error {
	if s.Format == "" {
		return nil
	}
	if _, ok := stillEncoders[s.Format]; !ok {
		return failf(wire.CodeBadLadder, "still: format is %.20q, want jpeg or webp", s.Format)
	}
	if s.Width < 16 || s.Height < 16 || s.Width > maxStillSide || s.Height > maxStillSide {
		return failf(wire.CodeBadLadder, "still: width and height are %d×%d, want 16 to %d each", s.Width, s.Height, maxStillSide)
	}
	return nil
}

// makeStill is the picture as a file, never larger than it is.
func makeStill(w *warm, f *astiav.Frame, s wire.Still) ([]byte, error) {
	sar := f.SampleAspectRatio()
	g := wire.Fitted(wire.FitContain, f.Width(), f.Height(), sar.Num(), sar.Den(), min(s.Width, max(f.Width(), 16))&^1, min(s.Height, max(f.Height(), 16))&^1)
	l := level{rendition: &rendition{profile: wire.Profile{Width: g.Width, Height: g.Height, DynamicRange: "sdr"}}}
	l.scale, l.after = newShaper(l.profile, f.Width(), f.Height(), sar), newShaper(l.profile, g.Width, g.Height, astiav.Rational{})
	l.scale.to = stillEncoders[s.Format].format
	defer l.release(w)
	shown, err := l.scaleFrom(w, f)
	if err != nil {
		return nil, err
	}
	defer shown.Free()
	return encodeStill(shown, s.Format)
}

func encodeStill(f *astiav.Frame, format string) ([]byte, error) {
	e := stillEncoders[format]
	codec := astiav.FindEncoderByName(e.name)
	if codec == nil {
		return nil, failf(wire.CodeUnsupportedCodec, "still: this build of FFmpeg has no encoder %s", e.name)
	}
	cc := astiav.AllocCodecContext(codec)
	defer cc.Free()
	cc.SetWidth(f.Width())
	cc.SetHeight(f.Height())
	cc.SetPixelFormat(e.format)
	cc.SetTimeBase(timeBase)
	cc.SetThreadCount(1)
	if format == "jpeg" {
		cc.SetColorRange(astiav.ColorRangeJpeg)
	}
	opts, err := options(e.options...)
	if err != nil {
		return nil, err
	}
	defer opts.Free()
	if err := cc.Open(codec, opts); err != nil {
		return nil, fmt.Errorf("still: open %s: %w", e.name, err)
	}
	if err := leftover(opts); err != nil {
		return nil, fmt.Errorf("still: %w", err)
	}
	f.SetPts(0)
	f.SetPictureType(astiav.PictureTypeI)
	if err := cc.SendFrame(f); err != nil {
		return nil, fmt.Errorf("still: %w", err)
	}
	if err := cc.SendFrame(nil); err != nil {
		return nil, fmt.Errorf("still: %w", err)
	}
	pkt := astiav.AllocPacket()
	defer pkt.Free()
	if err := cc.ReceivePacket(pkt); err != nil {
		return nil, fmt.Errorf("still: %w", err)
	}
	if pkt.Size() > wire.MaxStill {
		return nil, limitf(wire.CodeFailed, "max_still", wire.MaxStill, "the still has %d bytes", pkt.Size())
	}
	return pkt.Data(), nil
}
