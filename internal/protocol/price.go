package protocol

import (
	"fmt"

	"github.com/ethereum/go-ethereum/crypto"
)

// CodecPrice is the price of work in one codec class: wei per encoded pixel (width × height × frames of each Rendition).
type CodecPrice struct {
	Codec       Codec `json:"codec"`
	WeiPerPixel Wei   `json:"wei_per_pixel"`
}

// Prices is a price list, at most one entry a codec.
type Prices []CodecPrice

const codecPriceTypeString = "CodecPrice(string codec,uint96 weiPerPixel)"

var codecPriceType = crypto.Keccak256Hash([]byte(codecPriceTypeString))

// Validate refuses an empty list, a codec listed twice and amounts no signed message can hold.
func (p Prices) Validate() error {
	if len(p) == 0 || len(p) > 8 {
		return fmt.Errorf("price list has %d entries, want 1 to 8", len(p))
	}
	seen := make(map[Codec]bool, len(p))
	for _, c := range p {
		if !c.Codec.known() {
			return fmt.Errorf("price of unknown codec %.20q", c.Codec)
		}
		if seen[c.Codec] {
			return fmt.Errorf("codec %q has two prices", c.Codec)
		}
		if !c.WeiPerPixel.FitsUint96() {
			return fmt.Errorf("price of %q does not fit 96 bits", c.Codec)
		}
		seen[c.Codec] = true
	}
	return nil
}

// PricesOf are the prices of the codec classes, without those that are zero: what has no price is not sold.
func PricesOf(h264, hevc, av1 Wei) Prices {
	var p Prices
	for _, c := range []CodecPrice{{H264, h264}, {HEVC, hevc}, {AV1, av1}} {
		if !c.WeiPerPixel.IsZero() {
			p = append(p, c)
		}
	}
	return p
}

// Of returns the price of codec and whether it is sold at all.
func (p Prices) Of(codec Codec) (Wei, bool) {
	for _, c := range p {
		if c.Codec == codec {
			return c.WeiPerPixel, true
		}
	}
	return Wei{}, false
}

func (p Prices) hash() word {
	words := make([]word, len(p))
	for i, c := range p {
		words[i] = word(structHash(codecPriceType, str(string(c.Codec)), wei(c.WeiPerPixel)))
	}
	return word(arrayHash(words))
}

// PixelRate is the pixels a second of profile p is billed for, given the source's frame rate where p keeps it.
func (p Profile) PixelRate(sourceFPS float64) uint64 {
	fps := sourceFPS
	if p.FPSNum != 0 {
		fps = float64(p.FPSNum) / float64(p.FPSDen)
	}
	return uint64(float64(p.Width) * float64(p.Height) * fps)
}

// PixelRate is the sum over the ladder, pixels a second.
func (l Ladder) PixelRate(sourceFPS float64) uint64 {
	var sum uint64
	for _, p := range l {
		sum += p.PixelRate(sourceFPS)
	}
	return sum
}

// MaxFee bounds the fee of one segment of at most millis at a source of at most maxFPS: what budgets and face values must cover.
func (l Ladder) MaxFee(prices Prices, maxFPS float64, millis uint32) (Wei, error) {
	var sum Wei
	for _, p := range l {
		price, ok := prices.Of(p.Codec)
		if !ok {
			return Wei{}, fmt.Errorf("profile %q: no price for codec %q", p.Name, p.Codec)
		}
		if p.SoundOnly() {
			continue
		}
		frames := uint64(float64(p.PixelRate(maxFPS)) / float64(p.Width) / float64(p.Height) * float64(millis) / 1000)
		sum = sum.Add(price.Mul(uint64(p.Width) * uint64(p.Height) * (frames + 1)))
	}
	return sum, nil
}

// Fee is what the renditions of one receipt cost: Σ pixels × price of the profile's codec.
func (l Ladder) Fee(prices Prices, r Receipt) (Wei, error) {
	if len(r.Renditions) != len(l) {
		return Wei{}, fmt.Errorf("receipt has %d renditions, the ladder %d", len(r.Renditions), len(l))
	}
	var sum Wei
	for i, p := range l {
		price, ok := prices.Of(p.Codec)
		if !ok {
			return Wei{}, fmt.Errorf("profile %q: no price for codec %q", p.Name, p.Codec)
		}
		if r.Renditions[i].Profile != Hash(p.Hash()) {
			return Wei{}, fmt.Errorf("rendition %d is not of profile %q", i, p.Name)
		}
		sum = sum.Add(price.Mul(r.Renditions[i].Pixels))
	}
	return sum, nil
}
