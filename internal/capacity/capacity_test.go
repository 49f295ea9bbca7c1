package capacity_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kinora/kinora/internal/capacity"
	"github.com/kinora/kinora/internal/protocol"
)

func rung(name string, w, h uint32, codec protocol.Codec, preset string) protocol.Profile {
	return protocol.Profile{Name: name, Width: w, Height: h, Bitrate: 1_000_000, Codec: codec, Preset: preset}
}

var (
	now   = time.Unix(1_000_000, 0)
	small = protocol.Ladder{rung("a", 100, 100, protocol.H264, "")} // 300,000 pixels a second at 30
)

func stream(l protocol.Ladder) capacity.Work { return capacity.Work{Ladder: l, SourceFPS: 30} }

func encode(rates ...uint64) capacity.Rates {
	var r capacity.Rates
	for i, codec := range []protocol.Codec{protocol.H264, protocol.HEVC, protocol.AV1}[:len(rates)] {
		r.Encode = append(r.Encode, protocol.CodecRate{Codec: codec, PixelRate: rates[i]})
	}
	return r
}

func whole(r capacity.Rates) *capacity.Meter {
	return capacity.New(capacity.Config{Rates: r, Sold: capacity.Whole, CPUs: 2})
}

func free(m *capacity.Meter, codec protocol.Codec, at time.Time) uint64 {
	n, _ := m.State(at).Free.Of(codec)
	return n
}

// fill reserves work until it is refused and returns how often that went, and the refusal.
func fill(t *testing.T, m *capacity.Meter, w capacity.Work) (n int, refusal *protocol.Error) {
	t.Helper()
	for ; n < 10_000; n++ {
		if err := m.Reserve(protocol.NewID(), w, now); err != nil {
			if !errors.As(err, &refusal) {
				t.Fatalf("untyped refusal %v", err)
			}
			return n, refusal
		}
	}
	t.Fatal("never full")
	return 0, nil
}

func TestMeter_weighsWhatIsAskedAgainstWhatWasMeasured(t *testing.T) {
	t.Parallel()
	decoding := encode(6_000_000)
	decoding.Decode = map[string]uint64{"h264": 3_000_000, "av1": 600_000}
	for name, tc := range map[string]struct {
		rates capacity.Rates
		work  capacity.Work
		fit   int
	}{
		"as many as the rate holds":         {encode(3_000_000), stream(small), 10},
		"a slower codec counts for more":    {encode(3_000_000, 900_000), stream(protocol.Ladder{rung("a", 100, 100, protocol.HEVC, "")}), 3},
		"codecs share the machine":          {encode(3_000_000, 1_500_000), stream(protocol.Ladder{small[0], rung("b", 100, 100, protocol.HEVC, "")}), 3},
		"a slower preset counts for more":   {encode(3_000_000), stream(protocol.Ladder{rung("a", 100, 100, protocol.H264, "medium")}), 5},
		"a faster preset counts for less":   {encode(3_000_000), stream(protocol.Ladder{rung("a", 100, 100, protocol.H264, "ultrafast")}), 22},
		"decoding counts":                   {decoding, stream(small), 6},
		"decoding counts by codec and size": {decoding, capacity.Work{Ladder: small, SourceFPS: 30, SourceCodec: "av1", SourceWidth: 100, SourceHeight: 100}, 1},
		"a session ceiling holds":           {capacity.Rates{Encode: encode(1 << 40).Encode, Sessions: 3}, stream(small), 3},
	} {
		n, refusal := fill(t, whole(tc.rates), tc.work)
		if n != tc.fit || refusal.Code != protocol.NoCapacity || refusal.Limit == "" {
			t.Errorf("%s: %d fit, want %d; refused with %v (%s)", name, n, tc.fit, refusal, refusal.Limit)
		}
	}
	if err := whole(encode(1)).Reserve(protocol.NewID(), stream(protocol.Ladder{rung("a", 100, 100, protocol.AV1, "")}), now); protocol.CodeOf(err) != protocol.UnsupportedCodec {
		t.Errorf("a codec that was not measured: %v", err)
	}
}

func TestMeter_refusesWithTheNumbers(t *testing.T) {
	t.Parallel()
	_, refusal := fill(t, whole(encode(1_000_000)), stream(small))
	for _, part := range []string{"300000 pixels a second", "30.0 % of this machine", "10.0 % is free", "100000 pixels", "100.0 % that is sold"} {
		if !strings.Contains(refusal.Detail, part) {
			t.Errorf("%q does not say %q", refusal.Detail, part)
		}
	}
	if refusal.Limit != "free_pixel_rate=100000" {
		t.Errorf("limit %q", refusal.Limit)
	}
}

func TestMeter_takesWhatItSaysIsFreeAndNoMore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := encode(rapid.Uint64Range(1, 1<<32).Draw(t, "h264"), rapid.Uint64Range(1, 1<<32).Draw(t, "hevc"))
		if rapid.Bool().Draw(t, "decodes") {
			r.Decode = map[string]uint64{"h264": rapid.Uint64Range(1, 1<<33).Draw(t, "decode")}
		}
		m := whole(r)
		for range rapid.IntRange(0, 5).Draw(t, "held") {
			_ = m.Reserve(protocol.NewID(), stream(protocol.Ladder{rung("x", rapid.Uint32Range(1, 2000).Draw(t, "w"), 16, protocol.H264, "")}), now)
		}
		codec := rapid.SampledFrom([]protocol.Codec{protocol.H264, protocol.HEVC}).Draw(t, "codec")
		is := free(m, codec, now)
		w := uint32(min(is, 1<<31)) // a picture one pixel high, once a second
		if w > 0 {
			id := protocol.NewID()
			if err := m.Reserve(id, capacity.Work{Ladder: protocol.Ladder{rung("a", w, 1, codec, "")}, SourceFPS: 1}, now); err != nil {
				t.Fatalf("%d are free, %d are refused: %v", is, w, err)
			}
			m.Release(id)
		}
		if got := free(m, codec, now); got != is {
			t.Fatalf("%d free after a release, %d before", got, is)
		}
		if r.Decode == nil && is < 1<<31 {
			if err := m.Reserve(protocol.NewID(), capacity.Work{Ladder: protocol.Ladder{rung("a", uint32(is)+3, 1, codec, "")}, SourceFPS: 1}, now); err == nil && is > 0 {
				// Shares are in billionths, rounded: a pixel of billions may be less than that.
				rate, _ := r.Encode.Of(codec)
				if rate < capacity.Whole {
					t.Fatalf("%d are free, three more were taken", is)
				}
			}
		}
	})
}

// TestMeter_takesWhatFitsItsBid holds the two ends of the market together: what an orchestrator finds to fit by the bid is not declined.
func TestMeter_takesWhatFitsItsBid(t *testing.T) {
	t.Parallel()
	codecs := []protocol.Codec{protocol.H264, protocol.HEVC, protocol.AV1}
	presets := []string{"", "ultrafast", "veryfast", "medium", "veryslow"}
	taken := 0
	rapid.Check(t, func(t *rapid.T) {
		r := encode(rapid.Uint64Range(1, 1<<28).Draw(t, "h264"), rapid.Uint64Range(1, 1<<28).Draw(t, "hevc"), rapid.Uint64Range(1, 1<<28).Draw(t, "av1"))
		if rapid.Bool().Draw(t, "decodes") {
			r.Decode = map[string]uint64{"h264": rapid.Uint64Range(1, 1<<29).Draw(t, "decode")}
		}
		m := whole(r)
		for range rapid.IntRange(0, 12).Draw(t, "streams") {
			ladder := make(protocol.Ladder, rapid.IntRange(1, 4).Draw(t, "rungs"))
			for i := range ladder {
				ladder[i] = rung("a", rapid.Uint32Range(16, 640).Draw(t, "w"), rapid.Uint32Range(16, 360).Draw(t, "h"), rapid.SampledFrom(codecs).Draw(t, "codec"), rapid.SampledFrom(presets).Draw(t, "preset"))
				if rapid.Bool().Draw(t, "slower") {
					ladder[i].FPSNum, ladder[i].FPSDen = rapid.Uint32Range(1, 60).Draw(t, "fps"), 2
				}
			}
			w := capacity.Work{Ladder: ladder, SourceFPS: float64(rapid.IntRange(1, 60).Draw(t, "source"))}
			var bid protocol.Bid
			for _, c := range m.State(now).Free {
				if c.Codec == protocol.H264 {
					bid.FreePixelRate = c.PixelRate
				} else {
					bid.FreeByCodec = append(bid.FreeByCodec, c)
				}
			}
			if !bid.Fits(ladder.PixelRates(w.SourceFPS)) {
				continue
			}
			if err := m.Reserve(protocol.NewID(), w, now); err != nil {
				t.Fatalf("%v fits into %+v and is declined: %v", ladder.PixelRates(w.SourceFPS), bid, err)
			}
			taken++
		}
	})
	if taken == 0 {
		t.Error("nothing was ever taken")
	}
}

func TestMeter_isNotMovedFarByWhatASourceSaysOfItsLength(t *testing.T) {
	t.Parallel()
	for name, media := range map[string]time.Duration{"a millisecond": time.Millisecond, "a nanosecond": 1, "an hour": time.Hour} {
		m := whole(encode(3_000_000))
		id := protocol.NewID()
		if err := m.Reserve(id, stream(small), now); err != nil {
			t.Fatal(err)
		}
		before := m.State(now).Used
		for range 40 {
			m.Observe(id, capacity.Segment{Media: media, CPU: 50 * time.Millisecond, Tail: 0}, now)
		}
		if used := m.State(now).Used; used < before/10 || used > 2*before {
			t.Errorf("%s: the stream weighs %d billionths, by estimate %d", name, used, before)
		}
	}
}

func TestMeter_learnsWhatAStreamCosts(t *testing.T) {
	t.Parallel()
	m := whole(encode(3_000_000))
	id := protocol.NewID()
	if err := m.Reserve(id, stream(small), now); err != nil { // a tenth, by estimate
		t.Fatal(err)
	}
	for range 40 { // half a core of two: a quarter
		m.Observe(id, capacity.Segment{Media: 2 * time.Second, CPU: time.Second, Tail: time.Second / 10}, now)
	}
	if used := m.State(now).Used; used < capacity.Whole/100*24 || used > capacity.Whole/100*26 {
		t.Errorf("%d billionths are in use, want a quarter", used)
	}
	m.SetRates(encode(300_000_000)) // what was measured of this very stream is worth more than a new estimate
	if used := m.State(now).Used; used < capacity.Whole/100*24 {
		t.Errorf("%d billionths are in use after new rates", used)
	}
	m.Release(id)
	m.Observe(id, capacity.Segment{Media: time.Second, CPU: time.Second}, now)
	if used := m.State(now).Used; used != 0 {
		t.Errorf("%d billionths are in use of an idle machine", used)
	}
}

func TestMeter_readsCPUTimeAgainstWhatAFullMachineGave(t *testing.T) {
	t.Parallel()
	r := encode(3_000_000)
	r.MilliCPU = 1000 // half of its two cores: something else had the rest
	m := whole(r)
	id := protocol.NewID()
	if err := m.Reserve(id, stream(small), now); err != nil {
		t.Fatal(err)
	}
	for range 40 {
		m.Observe(id, capacity.Segment{Media: 2 * time.Second, CPU: time.Second}, now)
	}
	if used := m.State(now).Used; used < capacity.Whole/100*49 || used > capacity.Whole/100*51 {
		t.Errorf("%d billionths are in use, want half", used)
	}
}

func TestMeter_sellsLessWhileSegmentsAreLate(t *testing.T) {
	t.Parallel()
	m := whole(encode(3_000_000))
	var ids []protocol.ID
	for range 5 {
		id := protocol.NewID()
		if err := m.Reserve(id, stream(small), now); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if n := free(m, protocol.H264, now); n != 1_500_000 {
		t.Fatalf("%d free, want half", n)
	}
	slow := capacity.Segment{Media: 2 * time.Second, Tail: 2100 * time.Millisecond}
	for _, id := range ids {
		m.Observe(id, slow, now)
	}
	s := m.State(now)
	if s.Late != 5 || free(m, protocol.H264, now) != 0 {
		t.Errorf("%+v: a machine that is behind sells nothing", s)
	}
	if want := uint64(capacity.Whole / 2 / 100 * 90); s.Ceiling != want {
		t.Errorf("ceiling %d, want %d: streams that fall behind together are one sign", s.Ceiling, want)
	}
	later := now.Add(3 * time.Second)
	m.Observe(ids[0], slow, later)
	if after := m.State(later).Ceiling; after > s.Ceiling {
		t.Errorf("ceiling rose to %d while segments are late", after)
	}
	if err := m.Reserve(protocol.NewID(), stream(small), later); protocol.CodeOf(err) != protocol.NoCapacity {
		t.Errorf("work was taken by a machine that is behind: %v", err)
	}
	for i := range 100 {
		m.Observe(ids[i%len(ids)], slow, later.Add(time.Duration(i)*3*time.Second))
	}
	if c := m.State(later.Add(297 * time.Second)).Ceiling; c < capacity.Whole/4 {
		t.Errorf("ceiling %d: what is late with so little promised has another cause", c)
	}
	later = later.Add(5 * time.Minute)
	if n := free(m, protocol.H264, later.Add(10*time.Minute)); n != 1_500_000 {
		t.Errorf("%d free after ten minutes on time", n)
	}
}

func TestMeter_doesNotTakeShortSegmentsForSlowOnes(t *testing.T) {
	t.Parallel()
	m := whole(encode(3_000_000))
	id := protocol.NewID()
	if err := m.Reserve(id, stream(small), now); err != nil {
		t.Fatal(err)
	}
	m.Observe(id, capacity.Segment{Media: 100 * time.Millisecond, Tail: 300 * time.Millisecond}, now)
	m.Observe(id, capacity.Segment{}, now)
	if s := m.State(now); s.Late != 0 || s.Ceiling != capacity.Whole {
		t.Errorf("%+v", s)
	}
}
