package auction

import "github.com/kinora/kinora/internal/protocol"

// Asked are the prices of b at the load that work brings its machine, for all of it alike. They never fall with the load.
func Asked(b protocol.Bid, work protocol.CodecRates) protocol.Prices {
	if len(b.Curves) == 0 {
		return b.Prices
	}
	load := b.LoadWith(work)
	asked := append(protocol.Prices(nil), b.Prices...)
	for i, p := range asked {
		asked[i].WeiPerPixel = priceAt(b, p, load)
	}
	return asked
}

// priceAt follows the curve of one codec, straight from point to point, rounding up.
func priceAt(b protocol.Bid, idle protocol.CodecPrice, load uint32) Wei {
	for _, c := range b.Curves {
		if c.Codec != idle.Codec {
			continue
		}
		from := protocol.PricePoint{WeiPerPixel: idle.WeiPerPixel}
		for _, to := range c.Points {
			if load < to.LoadPPM {
				rise, _ := to.WeiPerPixel.Sub(from.WeiPerPixel).MulDivCeil(protocol.NewWei(uint64(load-from.LoadPPM)), protocol.NewWei(uint64(to.LoadPPM-from.LoadPPM)))
				return from.WeiPerPixel.Add(rise)
			}
			from = to
		}
		return from.WeiPerPixel
	}
	return idle.WeiPerPixel
}
