package protocol

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestBid_takesAPartOfEachCodecInProportion(t *testing.T) {
	t.Parallel()
	b := Bid{FreePixelRate: 1000, FreeByCodec: CodecRates{{HEVC, 250}, {AV1, 0}}}
	for _, tc := range []struct {
		work CodecRates
		want bool
	}{
		{nil, true}, {CodecRates{{H264, 1000}}, true}, {CodecRates{{H264, 1001}}, false},
		{CodecRates{{HEVC, 250}}, true}, {CodecRates{{HEVC, 251}}, false}, {CodecRates{{AV1, 0}}, true}, {CodecRates{{AV1, 1}}, false},
		{CodecRates{{H264, 500}, {HEVC, 125}}, true}, {CodecRates{{H264, 501}, {HEVC, 125}}, false}, {CodecRates{{H264, 500}, {HEVC, 126}}, false},
		{CodecRates{{H264, math.MaxUint64}}, false},
	} {
		if got := b.Fits(tc.work); got != tc.want {
			t.Errorf("%+v fits: %t, want %t", tc.work, got, tc.want)
		}
	}
	if big := (Bid{FreePixelRate: math.MaxUint64}); !big.Fits(CodecRates{{H264, math.MaxUint64}}) || big.Fits(CodecRates{{H264, math.MaxUint64}, {HEVC, 1}}) {
		t.Error("rates near 2^64 are not compared right")
	}
}

func TestBid_ofOneCodecFitsWhatIsFree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		free, work := rapid.Uint64().Draw(t, "free"), rapid.Uint64().Draw(t, "work")
		if got := (Bid{FreePixelRate: free}).Fits(CodecRates{{H264, work}}); got != (work <= free) {
			t.Fatalf("%d of %d fits: %t", work, free, got)
		}
	})
}

func TestCodecRates_addUp(t *testing.T) {
	t.Parallel()
	l := Ladder{{Name: "a", Width: 100, Height: 100, Codec: H264}, {Name: "b", Width: 10, Height: 10, Codec: HEVC}, {Name: "c", Width: 20, Height: 10, Codec: H264}}
	got := l.PixelRates(30)
	if h, _ := got.Of(H264); h != 306_000 {
		t.Errorf("h264 %d", h)
	}
	if h, _ := got.Of(HEVC); h != 3000 {
		t.Errorf("hevc %d", h)
	}
	slow := Ladder{{Name: "a", Width: 100, Height: 100, Codec: H264, Preset: "medium"}, {Name: "b", Width: 10, Height: 10, Codec: HEVC, FPSNum: 1, FPSDen: 1}}
	if h, _ := slow.PixelRates(30).Of(H264); h != 600_000 {
		t.Errorf("at a preset of twice the effort: %d", h)
	}
	few := Ladder{{Name: "a", Width: 100, Height: 100, Codec: HEVC, FPSNum: 1, FPSDen: 1}}
	if h, _ := few.PixelRates(30).Of(HEVC); h != 300_000 {
		t.Errorf("one picture in thirty is encoded, all are decoded: %d", h)
	}
	if most, _ := got.Plus(CodecRates{{H264, math.MaxUint64}}).Of(H264); most != math.MaxUint64 {
		t.Errorf("a sum beyond 64 bits is %d", most)
	}
	if err := (CodecRates{{H264, 1}, {H264, 2}}).Validate(); err == nil {
		t.Error("a codec listed twice passed")
	}
	if err := (CodecRates{{"h263", 1}}).Validate(); err == nil {
		t.Error("an unknown codec passed")
	}
}
