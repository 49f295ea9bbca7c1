package protocol

import (
	"cmp"
	"fmt"
	"math/bits"

	"github.com/ethereum/go-ethereum/crypto"
)

// CodecRate is a pixel rate in one codec class: encoded pixels a second.
type CodecRate struct {
	Codec     Codec  `json:"codec"`
	PixelRate uint64 `json:"pixel_rate"`
}

// CodecRates is a list of pixel rates, at most one entry a codec.
type CodecRates []CodecRate

const codecRateTypeString = "CodecRate(string codec,uint64 pixelRate)"

var codecRateType = crypto.Keccak256Hash([]byte(codecRateTypeString))

// Validate refuses unknown codecs and a codec listed twice. An empty list is one.
func (r CodecRates) Validate() error {
	if len(r) > 8 {
		return fmt.Errorf("list of rates has %d entries, at most 8", len(r))
	}
	seen := make(map[Codec]bool, len(r))
	for _, c := range r {
		if !c.Codec.known() {
			return fmt.Errorf("rate of unknown codec %.20q", c.Codec)
		}
		if seen[c.Codec] {
			return fmt.Errorf("codec %q has two rates", c.Codec)
		}
		seen[c.Codec] = true
	}
	return nil
}

// Of returns the rate of codec and whether it is listed.
func (r CodecRates) Of(codec Codec) (uint64, bool) {
	for _, c := range r {
		if c.Codec == codec {
			return c.PixelRate, true
		}
	}
	return 0, false
}

// Plus is the sum of both, codec by codec. Sums that do not fit are the largest that does.
func (r CodecRates) Plus(more CodecRates) CodecRates {
	sum := append(CodecRates(nil), r...)
	for _, m := range more {
		found := false
		for i := range sum {
			if sum[i].Codec == m.Codec {
				total, carry := bits.Add64(sum[i].PixelRate, m.PixelRate, 0)
				sum[i].PixelRate, found = total|-carry, true
			}
		}
		if !found {
			sum = append(sum, m)
		}
	}
	return sum
}

func (r CodecRates) hash() word {
	words := make([]word, len(r))
	for i, c := range r {
		words[i] = word(structHash(codecRateType, str(string(c.Codec)), u64(c.PixelRate)))
	}
	return word(arrayHash(words))
}

// effort is what a pixel costs at each of x264's presets, in percent of the one taken by default (veryfast).
var effort = map[string]uint64{"ultrafast": 45, "superfast": 65, "veryfast": 100, "faster": 140, "fast": 170, "medium": 200, "slow": 300, "slower": 550, "veryslow": 900}

// Effort is what a pixel of p costs to make, in percent of one at the preset that is taken where none is named.
func (p Profile) Effort() uint64 { return cmp.Or(effort[p.Preset], 100) }

// PixelRates is the ladder's work by codec class, in the measure of bids: pixels a second as they are encoded by default, each
// with the decoding of one. So a slower preset counts for more, and what is decoded beyond what is encoded counts too.
// Whatever fits a bid by this measure fits the machine.
func (l Ladder) PixelRates(sourceFPS float64) CodecRates {
	var sum CodecRates
	var encoded, decoded uint64
	largest := 0
	for i, p := range l {
		rate := (p.PixelRate(sourceFPS)*p.Effort() + 99) / 100
		sum = sum.Plus(CodecRates{{p.Codec, rate}})
		encoded += rate
		if d := uint64(float64(p.Width) * float64(p.Height) * sourceFPS); d > decoded {
			decoded, largest = d, i
		}
	}
	if decoded > encoded {
		sum = sum.Plus(CodecRates{{l[largest].Codec, decoded - encoded}})
	}
	return sum
}

// whole is a machine's whole capacity in Fits.
const whole = 1_000_000_000

// Free is the pixel rate of codec that the bidder could take if nothing else came.
func (b Bid) Free(codec Codec) uint64 {
	if rate, ok := b.FreeByCodec.Of(codec); ok {
		return rate
	}
	return b.FreePixelRate
}

// Fits tells whether the bidder can take work: a machine that could take so much of one codec or so much of another can take
// a part of each, in proportion.
func (b Bid) Fits(work CodecRates) bool {
	used, ok := b.share(work)
	return ok && used <= whole
}

// share is the part of what is free that work takes, of whole, rounded up; false where one codec of it alone does not fit.
func (b Bid) share(work CodecRates) (used uint64, ok bool) {
	for _, w := range work {
		if w.PixelRate == 0 {
			continue
		}
		free := b.Free(w.Codec)
		if w.PixelRate > free {
			return 0, false
		}
		hi, lo := bits.Mul64(w.PixelRate, whole)
		share, rest := bits.Div64(hi, lo, free) // below 2^64, since the rate is at most free
		if rest > 0 {
			share++
		}
		used += share // at most 8 × whole
	}
	return used, true
}

// LoadWith is the part of the machine that is taken once it has taken work too, in millionths, rounded up; FullLoad where
// that does not fit.
func (b Bid) LoadWith(work CodecRates) uint32 {
	used, ok := b.share(work)
	if !ok || used >= whole {
		return FullLoad
	}
	free := uint64(FullLoad - min(b.LoadPPM, FullLoad))
	return FullLoad - uint32(free-(free*used+whole-1)/whole)
}
