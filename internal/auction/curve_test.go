package auction_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
)

// drawCurve gives some codecs of a price list a curve that rises by at most rise a point.
func drawCurve(t *rapid.T, base protocol.Prices, rise uint64) (curves []protocol.PriceCurve) {
	for _, p := range base {
		c := protocol.PriceCurve{Codec: p.Codec}
		load, price := uint32(0), p.WeiPerPixel
		for range rapid.IntRange(0, 2).Draw(t, "points") {
			load += rapid.Uint32Range(1, protocol.FullLoad/2).Draw(t, "at")
			price = price.Add(protocol.NewWei(rapid.Uint64Range(0, rise/2).Draw(t, "more")))
			c.Points = append(c.Points, protocol.PricePoint{LoadPPM: load, WeiPerPixel: price})
		}
		if len(c.Points) > 0 {
			curves = append(curves, c)
		}
	}
	return curves
}

func TestAsked_followsTheCurveAtTheLoadThatTheWorkBrings(t *testing.T) {
	t.Parallel()
	b := protocol.Bid{Prices: mixedPrices(100, 300), FreePixelRate: 1000, Curves: []protocol.PriceCurve{
		{Codec: protocol.H264, Points: []protocol.PricePoint{{LoadPPM: 500_000, WeiPerPixel: protocol.NewWei(100)}, {LoadPPM: 900_000, WeiPerPixel: protocol.NewWei(201)}}}}}
	for _, c := range []struct {
		load uint32
		work uint64
		want uint64
	}{{0, 0, 100}, {0, 500, 100}, {0, 700, 151}, {0, 900, 201}, {0, 1000, 201}, {0, 2000, 201}, {400_000, 500, 151}, {600_000, 0, 126}, {protocol.FullLoad, 1, 201}} {
		b.LoadPPM = c.load
		got := auction.Asked(b, held(c.work))
		if price, _ := got.Of(protocol.H264); price != protocol.NewWei(c.want) {
			t.Errorf("at a load of %d ppm, %d of 1000 more: %s, want %d", c.load, c.work, price, c.want)
		}
		if price, _ := got.Of(protocol.HEVC); price != protocol.NewWei(300) {
			t.Errorf("what has no curve costs %s", price)
		}
	}
}

func TestAsked_neverFallsWithMoreWork(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := protocol.Bid{Prices: mixedPrices(rapid.Uint64Range(0, 100).Draw(t, "h264"), 7), FreePixelRate: rapid.Uint64Range(0, 1000).Draw(t, "free"),
			LoadPPM: rapid.Uint32Range(0, protocol.FullLoad).Draw(t, "load")}
		b.Curves = drawCurve(t, b.Prices, 1000)
		last := b.Prices
		for work := uint64(0); work < 1200; work += rapid.Uint64Range(1, 300).Draw(t, "more work") {
			now := auction.Asked(b, held(work))
			for i := range now {
				if now[i].WeiPerPixel.Less(last[i].WeiPerPixel) {
					t.Fatalf("%d more work: %v, less work %v", work, now, last)
				}
			}
			last = now
		}
	})
}
