package protocol

import (
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/crypto"
)

// FullLoad is a machine that can take nothing more, in millionths.
const FullLoad = 1_000_000

// PriceCurve is what is asked for a pixel of one codec class as the machine fills: from the price list's at no load straight
// to each point in turn, and from the last one on the same. Prices never fall.
type PriceCurve struct {
	Codec  Codec        `json:"codec"`
	Points []PricePoint `json:"points"` // by load, rising
}

// PricePoint is the price at one load.
type PricePoint struct {
	LoadPPM     uint32 `json:"load_ppm"` // of the machine, with the work that is priced
	WeiPerPixel Wei    `json:"wei_per_pixel"`
}

const (
	priceCurveTypeString = "PriceCurve(string codec,PricePoint[] points)"
	pricePointTypeString = "PricePoint(uint32 loadPpm,uint96 weiPerPixel)"
	maxPoints            = 8
)

var (
	priceCurveType = crypto.Keccak256Hash([]byte(priceCurveTypeString + pricePointTypeString))
	pricePointType = crypto.Keccak256Hash([]byte(pricePointTypeString))
)

func (c PriceCurve) equal(other PriceCurve) bool {
	return c.Codec == other.Codec && slices.Equal(c.Points, other.Points)
}

func hashCurves(curves []PriceCurve) word {
	words := make([]word, len(curves))
	for i, c := range curves {
		points := make([]word, len(c.Points))
		for j, p := range c.Points {
			points[j] = word(structHash(pricePointType, u64(uint64(p.LoadPPM)), wei(p.WeiPerPixel)))
		}
		words[i] = word(structHash(priceCurveType, str(string(c.Codec)), word(arrayHash(points))))
	}
	return word(arrayHash(words))
}

// validateCurves refuses a curve that falls, or of a codec that is not sold.
func validateCurves(curves []PriceCurve, prices Prices) error {
	seen := make(map[Codec]bool, len(curves))
	for _, c := range curves {
		last, sold := prices.Of(c.Codec)
		if !sold || seen[c.Codec] {
			return fmt.Errorf("curves: %.20q has no price, or two curves", c.Codec)
		}
		seen[c.Codec] = true
		if len(c.Points) == 0 || len(c.Points) > maxPoints {
			return fmt.Errorf("the curve of %q has %d points, want 1 to %d", c.Codec, len(c.Points), maxPoints)
		}
		load := uint32(0)
		for _, p := range c.Points {
			switch {
			case p.LoadPPM <= load || p.LoadPPM > FullLoad:
				return fmt.Errorf("the curve of %q: load_ppm %d after %d, want more and at most %d", c.Codec, p.LoadPPM, load, FullLoad)
			case p.WeiPerPixel.Less(last):
				return fmt.Errorf("the curve of %q falls from %s to %s", c.Codec, last, p.WeiPerPixel)
			case !p.WeiPerPixel.FitsUint96():
				return fmt.Errorf("the curve of %q: %s does not fit 96 bits", c.Codec, p.WeiPerPixel)
			}
			load, last = p.LoadPPM, p.WeiPerPixel
		}
	}
	return nil
}
