package engine

import (
	"errors"
	"io"
	"testing"

	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/media/wire"
)

// pictures decodes every picture of a segment.
func pictures(t *testing.T, b []byte, take func(*astiav.Frame) error) {
	t.Helper()
	d := openBytes(t, b)
	var dec *decoder
	for {
		pkt, isVideo, err := d.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if !isVideo {
			continue
		}
		if dec == nil {
			if dec, err = openDecoder(d.video.Stream, testLimits); err != nil {
				t.Fatal(err)
			}
			defer dec.free()
		}
		if err := dec.decode(pkt, take); err != nil {
			t.Fatal(err)
		}
	}
	if err := dec.decode(nil, take); err != nil {
		t.Fatal(err)
	}
}

func TestToneMapper_makesStandardRangeOfHigh(t *testing.T) {
	t.Parallel()
	for name, transfer := range map[string]string{"PQ": "smpte2084", "HLG": "arib-std-b67"} {
		// Bars whose white is at the 100 nits that standard range calls white.
		b := mediatest.Make(t, "mp4", "-f", "lavfi", "-i", "smptehdbars=size=192x108:rate=30:duration=0.2",
			"-vf", "zscale=matrixin=709:transferin=709:primariesin=709:rangein=limited:transfer="+transfer+":primaries=2020:matrix=2020_ncl:npl=100,format=yuv420p10le",
			"-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:hdr10=1:max-cll=1000,400", "-movflags", "+faststart")
		var m toneMapper
		defer m.free()
		var g gridder
		defer g.free()
		n := 0
		pictures(t, b, func(f *astiav.Frame) error {
			if !hdr(f) {
				t.Fatalf("%s: the source is of standard range", name)
			}
			f.SetPts(int64(n) * 3000)
			out, err := m.apply(f)
			if err != nil {
				return err
			}
			defer out.Free()
			n++
			if out.Pts() != f.Pts() || out.Width() != 192 || out.PixelFormat() != astiav.PixelFormatYuv420P || hdr(out) || out.ColorSpace() != astiav.ColorSpaceBt709 || out.ColorRange() != astiav.ColorRangeMpeg {
				t.Errorf("%s: a picture at %d of %s, %s", name, out.Pts(), out.PixelFormat(), out.ColorSpace())
			}
			var luma [wire.GridLen]uint8
			if err := g.measure(out, &luma); err != nil {
				return err
			}
			lo, hi := luma[0], luma[0]
			for _, v := range luma {
				lo, hi = min(lo, v), max(hi, v)
			}
			if lo > 30 || hi < 120 || hi > 235 {
				t.Errorf("%s: brightness goes from %d to %d", name, lo, hi)
			}
			same, err := m.apply(out) // is of standard range
			if err != nil {
				return err
			}
			same.Free()
			return nil
		})
		if n != 6 {
			t.Errorf("%s: %d pictures", name, n)
		}
	}
}

func TestNormaliser_givesOnePictureForEach(t *testing.T) {
	t.Parallel()
	plain := mediatest.Make(t, "ts", "-f", "lavfi", "-i", "testsrc2=size=160x90:rate=30:duration=0.5", "-c:v", "mpeg2video", "-q:v", "3")
	fields := mediatest.Make(t, "ts", "-f", "lavfi", "-i", "testsrc2=size=160x90:rate=60:duration=0.5", "-vf", "interlace", "-c:v", "mpeg2video", "-q:v", "3", "-flags", "+ildct+ilme")
	larger := mediatest.Make(t, "ts", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=60:duration=0.5", "-vf", "interlace", "-c:v", "mpeg2video", "-q:v", "3", "-flags", "+ildct+ilme")
	var n normaliser
	defer n.free()
	in, out := 0, 0
	take := func(f *astiav.Frame) error {
		if f.Pts() != int64(out)*3000 {
			t.Errorf("picture %d comes at %d", out, f.Pts())
		}
		out++
		return nil
	}
	for i, b := range [][]byte{plain, fields, larger, plain, fields} {
		held := 0
		pictures(t, b, func(f *astiav.Frame) error {
			f.SetPts(int64(in) * 3000)
			in++
			err := n.push(f, take)
			held = in - out
			return err
		})
		if held > 1 || i == 0 && held != 0 {
			t.Errorf("after part %d: %d pictures are held", i, held)
		}
	}
	if err := n.push(nil, take); err != nil {
		t.Fatal(err)
	}
	if in != 75 || out != in {
		t.Errorf("%d pictures of %d", out, in)
	}
}
