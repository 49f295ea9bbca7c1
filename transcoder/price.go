package transcoder

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/kinora/kinora/internal/capacity"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/transcoder/internal/bidder"
	"github.com/kinora/kinora/transcoder/internal/devices"
)

// PriceCurve is how prices rise with the load, written as 50=100,80=130,100=200: percent of what is sold, percent of the price.
type PriceCurve []bidder.Rise

// maxRise bounds the prices of a curve, in percent.
const maxRise = 10_000

// UnmarshalText reads it; empty is the same price at any load.
func (c *PriceCurve) UnmarshalText(b []byte) error {
	*c = nil
	text := strings.TrimSpace(string(b))
	if text == "" {
		return nil
	}
	load, price := uint64(0), uint64(100)
	for entry := range strings.SplitSeq(text, ",") {
		at, costs, ok := strings.Cut(strings.TrimSpace(entry), "=")
		l, bad := strconv.ParseUint(at, 10, 32)
		p, worse := strconv.ParseUint(costs, 10, 32)
		switch {
		case !ok || bad != nil || worse != nil:
			return fmt.Errorf("%q: want percent of the load and of the price, such as 80=130", entry)
		case l <= load || l > 100:
			return fmt.Errorf("%q: loads rise, up to 100", entry)
		case p < price || p > maxRise:
			return fmt.Errorf("%q: prices do not fall, from 100 up to %d", entry, maxRise)
		case len(*c) == 8:
			return fmt.Errorf("%q: at most 8 points", text)
		}
		*c = append(*c, bidder.Rise{LoadPercent: uint32(l), PricePercent: p})
		load, price = l, p
	}
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (c PriceCurve) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// String is what UnmarshalText reads.
func (c PriceCurve) String() string {
	entries := make([]string, len(c))
	for i, r := range c {
		entries[i] = fmt.Sprintf("%d=%d", r.LoadPercent, r.PricePercent)
	}
	return strings.Join(entries, ",")
}

// Codecs is a list of codecs, written as hevc,av1.
type Codecs []protocol.Codec

// UnmarshalText reads it; empty is none.
func (c *Codecs) UnmarshalText(b []byte) error {
	*c = nil
	var rates protocol.CodecRates
	for entry := range strings.SplitSeq(string(b), ",") {
		if entry = strings.TrimSpace(entry); entry != "" {
			*c = append(*c, protocol.Codec(entry))
			rates = append(rates, protocol.CodecRate{Codec: protocol.Codec(entry)})
		}
	}
	return rates.Validate()
}

// MarshalText writes what UnmarshalText reads.
func (c Codecs) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// String is what UnmarshalText reads.
func (c Codecs) String() string {
	entries := make([]string, len(c))
	for i, x := range c {
		entries[i] = string(x)
	}
	return strings.Join(entries, ",")
}

// joulesPerKWh is how many there are.
const joulesPerKWh = 3_600_000

// floor is what the power for a pixel costs by codec, rounded up: of a machine that draws so many watts more when it is full.
func floor(watts uint64, weiPerKWh protocol.Wei, rates capacity.Rates) (prices protocol.Prices) {
	if watts == 0 || weiPerKWh.IsZero() {
		return nil
	}
	for _, r := range rates.Encode {
		if r.PixelRate == 0 {
			continue
		}
		price, ok := weiPerKWh.MulDivCeil(protocol.NewWei(watts), protocol.NewWei(joulesPerKWh).Mul(r.PixelRate))
		if ok && price.FitsUint96() {
			prices = append(prices, protocol.CodecPrice{Codec: r.Codec, WeiPerPixel: price})
		}
	}
	return prices
}

// drawn is the most power that the devices were seen to draw together, less the least: what full load costs, as far as it came.
type drawn struct{ least, most atomic.Uint64 }

func (d *drawn) see(all []devices.Reading) {
	var sum float64
	for _, r := range all {
		if r.Power != nil {
			sum += *r.Power
		}
	}
	now := uint64(math.Round(max(0, sum)))
	if now == 0 {
		return
	}
	if least := d.least.Load(); least == 0 || now < least {
		d.least.Store(now)
	}
	d.most.Store(max(d.most.Load(), now))
}

// watts are in steps of five, so that what a device draws by chance changes no bid.
func (d *drawn) watts() uint64 {
	return (d.most.Load() - min(d.least.Load(), d.most.Load()) + 4) / 5 * 5
}
