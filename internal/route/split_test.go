package route_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"pgregory.net/rapid"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/route"
)

func carrier(n byte, free uint64) route.Carrier {
	return route.Carrier{Bid: protocol.Bid{Transcoder: common.Address{19: n}, FreePixelRate: free}}
}

var rungs = protocol.Ladder{
	{Name: "240p", Width: 100, Height: 10, Codec: protocol.H264}, // 1,000 pixels a second at 1
	{Name: "1080p", Width: 100, Height: 90, Codec: protocol.H264},
	{Name: "480p", Width: 100, Height: 30, Codec: protocol.H264},
}

func TestSplit_givesTheDearestRungsToTheWidestAndTakesFew(t *testing.T) {
	t.Parallel()
	held := carrier(3, 9000)
	held.Held = protocol.CodecRates{{Codec: protocol.H264, PixelRate: 1}}
	for _, c := range []struct {
		carriers []route.Carrier
		want     string
	}{
		{[]route.Carrier{carrier(1, 13_000)}, "[{0 [0 1 2]}]"}, // one carries it
		{[]route.Carrier{carrier(1, 4000), carrier(2, 9000)}, "[{1 [1]} {0 [0 2]}]"},
		{[]route.Carrier{carrier(1, 4000), carrier(2, 4000), carrier(3, 10_000)}, "[{2 [0 1]} {0 [2]}]"},
		{[]route.Carrier{carrier(1, 1000), carrier(2, 3000), carrier(3, 9000)}, "[{2 [1]} {1 [2]} {0 [0]}]"},
		{[]route.Carrier{carrier(1, 8999), carrier(2, 8999)}, "[]"}, // nobody can make the dearest one
		{[]route.Carrier{carrier(1, 4000), held}, "[]"},
		{nil, "[]"},
	} {
		if got := fmt.Sprint(route.Split(rungs, 1, c.carriers)); got != c.want {
			t.Errorf("among %+v: %s, want %s", c.carriers, got, c.want)
		}
	}
}

func TestSplit_isWholeDisjointAndFits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ladder := make(protocol.Ladder, rapid.IntRange(1, 6).Draw(t, "rungs"))
		for i := range ladder {
			ladder[i] = protocol.Profile{Name: fmt.Sprint(i), Width: rapid.Uint32Range(1, 400).Draw(t, "w"), Height: rapid.Uint32Range(1, 100).Draw(t, "h"),
				Codec: rapid.SampledFrom([]protocol.Codec{protocol.H264, protocol.HEVC}).Draw(t, "codec")}
		}
		carriers := make([]route.Carrier, rapid.IntRange(0, 5).Draw(t, "carriers"))
		for i := range carriers {
			carriers[i] = carrier(byte(i+1), rapid.Uint64Range(0, 2_000_000).Draw(t, "free"))
			carriers[i].Bid.FreeByCodec = protocol.CodecRates{{Codec: protocol.HEVC, PixelRate: rapid.Uint64Range(0, 1_000_000).Draw(t, "hevc")}}
		}
		parts := route.Split(ladder, 30, carriers)
		alone := slices.ContainsFunc(carriers, func(c route.Carrier) bool { return c.Bid.Fits(ladder.PixelRates(30)) })
		if alone && parts == nil {
			t.Fatal("one could carry it, and nobody was found")
		}
		if parts == nil {
			return
		}
		if again := route.Split(ladder, 30, carriers); fmt.Sprint(again) != fmt.Sprint(parts) {
			t.Fatalf("%v, then %v", parts, again)
		}
		seen := make(map[int]bool)
		taken := make(map[int]bool)
		for _, p := range parts {
			for _, r := range p.Rungs {
				if seen[r] {
					t.Fatalf("rung %d twice in %v", r, parts)
				}
				seen[r] = true
			}
			if taken[p.Carrier] || !carriers[p.Carrier].Bid.Fits(route.Rungs(ladder, p.Rungs).PixelRates(30)) {
				t.Fatalf("part %v does not fit its carrier", p)
			}
			taken[p.Carrier] = true
		}
		if alone && len(parts) != 1 {
			t.Fatalf("one could carry it: %v", parts)
		}
		if len(seen) != len(ladder) || len(parts) > len(carriers) {
			t.Fatalf("%v is not the ladder of %d rungs among %d", parts, len(ladder), len(carriers))
		}
	})
}
