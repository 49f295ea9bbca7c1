package bidder

import (
	"slices"
	"time"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/capacity"
	"github.com/kinora/kinora/internal/protocol"
)

// Rise is a point of the curve by which prices rise with the load, for every codec alike.
type Rise struct {
	LoadPercent  uint32 // of what is sold
	PricePercent uint64 // of the price of an idle machine, at least 100
}

// termsLocked are what this machine asks and has free now, in a bid that is nobody's yet. all has the codecs too that are sold
// on request alone.
func (b *Bidder) termsLocked(all bool, now time.Time) protocol.Bid {
	state := b.cfg.Meter.State(now)
	if !b.duty.state.Taking() {
		state.Free = nil
	}
	var floor protocol.Prices
	if b.cfg.Floor != nil {
		floor = b.cfg.Floor()
	}
	t := protocol.Bid{LoadPPM: loadOf(state)}
	t.FreePixelRate, _ = state.Free.Of(protocol.H264)
	for _, p := range b.cfg.Prices() {
		if !all && slices.Contains(b.cfg.OnRequest, p.Codec) {
			continue
		}
		least, bounded := floor.Of(p.Codec)
		if bounded {
			t.Floor = append(t.Floor, protocol.CodecPrice{Codec: p.Codec, WeiPerPixel: least})
		}
		atLeast := func(w protocol.Wei) protocol.Wei { // nobody works for less than its power costs
			if w.Less(least) {
				return least
			}
			return w
		}
		t.Prices = append(t.Prices, protocol.CodecPrice{Codec: p.Codec, WeiPerPixel: atLeast(p.WeiPerPixel)})
		if len(b.cfg.Curve) > 0 {
			c := protocol.PriceCurve{Codec: p.Codec}
			for _, r := range b.cfg.Curve {
				c.Points = append(c.Points, protocol.PricePoint{LoadPPM: r.LoadPercent * (protocol.FullLoad / 100), WeiPerPixel: atLeast(p.WeiPerPixel.Mul(r.PricePercent).Div(100))})
			}
			t.Curves = append(t.Curves, c)
		}
		if p.Codec != protocol.H264 {
			n, _ := state.Free.Of(p.Codec)
			t.FreeByCodec = append(t.FreeByCodec, protocol.CodecRate{Codec: p.Codec, PixelRate: n})
		}
	}
	return t
}

// loadOf is the part of what is sold that is taken, in millionths, rounded up.
func loadOf(s capacity.State) uint32 {
	if s.Used >= s.Ceiling {
		if s.Used == 0 {
			return 0
		}
		return protocol.FullLoad
	}
	return uint32((s.Used*protocol.FullLoad + s.Ceiling - 1) / s.Ceiling)
}

// steady is now, or what was said before where that understates what is free by a hundredth at most: what a segment corrects of
// a load is no news, and orchestrators keep every change of a bid for whoever audits them.
func steady(said, now protocol.Bid, whole protocol.CodecRates) protocol.Bid {
	near := func(before, after uint64, codec protocol.Codec) bool {
		all, _ := whole.Of(codec)
		return before <= after && after-before <= all/100
	}
	same := said
	same.FreePixelRate, same.FreeByCodec, same.LoadPPM = now.FreePixelRate, now.FreeByCodec, now.LoadPPM
	if !same.SameTerms(now) || len(said.FreeByCodec) != len(now.FreeByCodec) || now.LoadPPM > said.LoadPPM || said.LoadPPM-now.LoadPPM > protocol.FullLoad/100 ||
		!near(said.FreePixelRate, now.FreePixelRate, protocol.H264) {
		return now
	}
	for i, r := range now.FreeByCodec {
		if said.FreeByCodec[i].Codec != r.Codec || !near(said.FreeByCodec[i].PixelRate, r.PixelRate, r.Codec) {
			return now
		}
	}
	return said
}

// asks are the prices for work as this machine stands now.
func (b *Bidder) asks(work protocol.CodecRates, now time.Time) protocol.Prices {
	b.mu.Lock()
	defer b.mu.Unlock()
	return auction.Asked(b.termsLocked(true, now), work)
}
