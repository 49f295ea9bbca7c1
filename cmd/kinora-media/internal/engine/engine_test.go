package engine

import (
	"strings"
	"testing"

	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/wire"
)

func TestOptions_unknownOnesAreErrors(t *testing.T) {
	t.Parallel()
	open := func(pairs ...string) error {
		codec := astiav.FindEncoderByName("libx264")
		cc := astiav.AllocCodecContext(codec)
		defer cc.Free()
		cc.SetWidth(64)
		cc.SetHeight(64)
		cc.SetPixelFormat(astiav.PixelFormatYuv420P)
		cc.SetTimeBase(timeBase)
		opts, err := options(pairs...)
		if err != nil {
			return err
		}
		defer opts.Free()
		if err := cc.Open(codec, opts); err != nil {
			return err
		}
		return leftover(opts)
	}
	for _, p := range []wire.Profile{{Codec: "h264"}, {Codec: "h264", Preset: "medium", Lookahead: 60, CodecProfile: "main"}, {Codec: "h264", Lookahead: -1, CodecProfile: "baseline"}} {
		if err := open(encoderOptions(p)...); err != nil {
			t.Errorf("%+v: %v", p, err)
		}
	}
	if err := open("preset", "ultrafast", "rc_lookahead", "10"); err == nil || !strings.Contains(err.Error(), "rc_lookahead=10") {
		t.Errorf("a misspelt option: %v", err)
	}
	if err := open("preset", "ultraslow"); err == nil {
		t.Error("an unknown preset opens")
	}
}

func TestEncoderOptions_boundTheLookahead(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		preset    string
		lookahead int
		want      string
	}{{"medium", 0, "rc-lookahead 10"}, {"ultrafast", 0, "rc-lookahead 0"}, {"", 0, "preset veryfast"}, {"medium", 40, "rc-lookahead 40"}, {"slow", -1, "tune zerolatency"}} {
		if got := strings.Join(encoderOptions(wire.Profile{Codec: "h264", Preset: tc.preset, Lookahead: tc.lookahead}), " "); !strings.Contains(got, tc.want) {
			t.Errorf("%s with lookahead %d: %s, want %s", tc.preset, tc.lookahead, got, tc.want)
		}
	}
}

func TestGrid_isTheAreaAverage(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{32, 18}, {320, 180}, {426, 240}, {854, 480}, {100, 1000}, {20, 10}, {1280, 9300}} {
		w, h := size[0], size[1]
		f := astiav.AllocFrame()
		defer f.Free()
		f.SetWidth(w)
		f.SetHeight(h)
		f.SetPixelFormat(astiav.PixelFormatGray8)
		if err := f.AllocBuffer(1); err != nil {
			t.Fatal(err)
		}
		luma := make([]byte, w*h)
		for i := range luma {
			luma[i] = byte(i*7 + i/w*13 + i*i/91)
		}
		if err := f.Data().SetBytes(luma, 1); err != nil {
			t.Fatal(err)
		}
		var got [wire.GridLen]uint8
		var g gridder
		if err := g.measure(f, &got); err != nil {
			t.Fatal(err)
		}
		for gy := range wire.GridHeight {
			for gx := range wire.GridWidth {
				want := areaMean(luma, w, h, gx, gy)
				if d := float64(got[gy*wire.GridWidth+gx]) - want; d > 1.6 || d < -1.6 {
					t.Fatalf("%d×%d cell %d,%d is %d, want %.2f", w, h, gx, gy, got[gy*wire.GridWidth+gx], want)
				}
			}
		}
	}
}

// areaMean is the mean over the cell, by the definition.
func areaMean(luma []byte, w, h, gx, gy int) float64 {
	overlap := func(i int, from, to float64) float64 { return max(0, min(float64(i+1), to)-max(float64(i), from)) }
	left, right := float64(w)*float64(gx)/wire.GridWidth, float64(w)*float64(gx+1)/wire.GridWidth
	top, bottom := float64(h)*float64(gy)/wire.GridHeight, float64(h)*float64(gy+1)/wire.GridHeight
	sum := 0.0
	for y := int(top); y < h && float64(y) < bottom; y++ {
		for x := int(left); x < w && float64(x) < right; x++ {
			sum += float64(luma[y*w+x]) * overlap(x, left, right) * overlap(y, top, bottom)
		}
	}
	return sum / ((right - left) * (bottom - top))
}

func TestSoundClock_datesFramesOfOnePES(t *testing.T) {
	t.Parallel()
	head, ok := readSoundHead(astiav.CodecIDAac, []byte{0xff, 0xf1, 0x50, 0x80, 0, 0, 0}) // 44.1 kHz, two channels
	if !ok || head != (soundHead{1024, 44100, 2, 7}) {
		t.Fatalf("%+v", head)
	}
	c := soundClock{longest: 60 * 90000}
	if _, ok := c.date(astiav.NoPtsValue, head); ok {
		t.Error("dated before there was a timestamp")
	}
	for i, tc := range []struct{ pts, want int64 }{{9000, 9000}, {9000, 11090}, {9000, 13180}, {astiav.NoPtsValue, 15269}, {17359, 17359},
		{9000, 19449}, {9000, 21539}, {30000, 30000}, {1 << 33, 32090}, {34180, 34180}, {-1 << 40, 36270}} {
		if got, ok := c.date(tc.pts, head); !ok || got != tc.want {
			t.Errorf("packet %d at %d is dated %d, want %d", i, tc.pts, got, tc.want)
		}
	}
}

func TestDemuxer_placesSegmentsAcrossTheWrap(t *testing.T) {
	t.Parallel()
	const wrap = wrapTicks
	for _, tc := range []struct{ first, near, want int64 }{
		{132000, 0, wrap + 132000}, {-500, 0, wrap - 500}, {132000, wrap + 9000, wrap + 132000},
		{100, 2*wrap - 100, 2*wrap + 100}, {wrap - 100, 2*wrap + 100, 2*wrap - 100}, {-100, 2*wrap + 100, 2*wrap - 100},
	} {
		d := &demuxer{}
		d.place(tc.first, tc.near)
		if got := tc.first + d.shift; got != tc.want {
			t.Errorf("%d near %d is placed at %d, want %d", tc.first, tc.near, got, tc.want)
		}
	}
}

func TestCommonRates_areFoundByTimestamps(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		pts      []int64
		num, den int
	}{{[]int64{0, 3000, 6000, 9000}, 30, 1}, {[]int64{0, 3003, 6006, 9009}, 30000, 1001}, {[]int64{0, 3754, 7508, 11261}, 24000, 1001},
		{[]int64{0, 2970, 5940, 9000}, 30, 1}, {[]int64{0, 3600, 7200, 10800}, 25, 1}, {[]int64{0, 90000, 93000, 96000}, 30, 1}, {[]int64{0, 12857, 25714}, 7000, 1000}} {
		var frames []*astiav.Frame
		for _, p := range tc.pts {
			f := astiav.AllocFrame()
			defer f.Free()
			f.SetPts(p)
			frames = append(frames, f)
		}
		if num, den := measureRate(frames, astiav.Rational{}); num != tc.num || den != tc.den {
			t.Errorf("%v: %d/%d, want %d/%d", tc.pts, num, den, tc.num, tc.den)
		}
	}
}

func TestSoundHead_isReadOfEveryCodec(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		codec astiav.CodecID
		head  []byte
		want  soundHead
	}{
		"ADTS, 48 kHz, 5.1, with a checksum": {astiav.CodecIDAac, []byte{0xff, 0xf0, 0x4d, 0x80, 0, 0, 1}, soundHead{2048, 48000, 6, 9}},
		"MP3, 44.1 kHz":                      {astiav.CodecIDMp3, []byte{0xff, 0xfb, 0x90, 0x00}, soundHead{1152, 44100, 2, 0}},
		"MP3, 22.05 kHz, mono":               {astiav.CodecIDMp3, []byte{0xff, 0xf3, 0x90, 0xc0}, soundHead{576, 22050, 1, 0}},
		"MP2, 48 kHz":                        {astiav.CodecIDMp2, []byte{0xff, 0xfd, 0x84, 0x00}, soundHead{1152, 48000, 2, 0}},
		"AC-3, 48 kHz, 5.1":                  {astiav.CodecIDAc3, []byte{0x0b, 0x77, 0, 0, 0x1c, 0x40, 0xe1, 0, 0}, soundHead{1536, 48000, 6, 0}},
		"AC-3, 44.1 kHz, stereo":             {astiav.CodecIDAc3, []byte{0x0b, 0x77, 0, 0, 0x5c, 0x40, 0x40, 0, 0}, soundHead{1536, 44100, 2, 0}},
		"E-AC-3, 48 kHz, 5.1":                {astiav.CodecIDEac3, []byte{0x0b, 0x77, 0, 0, 0x3f, 0x80, 0, 0}, soundHead{1536, 48000, 6, 0}},
		"Opus, 20 ms":                        {astiav.CodecIDOpus, []byte{0xfc, 1}, soundHead{960, 48000, 0, 0}},
		"Opus, 3 × 2.5 ms":                   {astiav.CodecIDOpus, []byte{0xe3, 3}, soundHead{360, 48000, 0, 0}},
	} {
		if got, ok := readSoundHead(tc.codec, tc.head); !ok || got != tc.want {
			t.Errorf("%s: %+v, want %+v", name, got, tc.want)
		}
		for n := range tc.head { // no head, and no panic
			readSoundHead(tc.codec, tc.head[:n])
		}
		if _, ok := readSoundHead(tc.codec, make([]byte, 16)); ok && tc.codec != astiav.CodecIDOpus {
			t.Errorf("%s: zeros are a head", name)
		}
	}
}
