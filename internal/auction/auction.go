// Package auction decides who gets a lease: it keeps the book of standing bids and ranks those that can take a piece of
// work. It is pure: time and randomness are handed in, nothing is sent, so a simulator and an auditor get the same answer.
package auction

import (
	"bytes"
	"fmt"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

// Perfect is full quality, in millionths.
const Perfect = 1_000_000

// Ask is a piece of work: one stream at one ladder for some tens of seconds.
type Ask struct {
	Lease     protocol.ID     `json:"lease"`
	Ladder    protocol.Ladder `json:"ladder"`
	SourceFPS float64         `json:"source_fps"`
	MaxPrices protocol.Prices `json:"max_prices"` // the most that is paid, per codec; a codec that is missing is not bought
	// Value is what one second of this work at full quality is worth, in wei: the weight of quality against price. Zero
	// means twice the cost at MaxPrices, at which 10 % of quality outweighs 20 % of the maximum price.
	Value   protocol.Wei     `json:"value"`
	Reserve *big.Int         `json:"reserve,omitempty"` // scores below it do not win, in millionths of a wei per second; nil: any score may
	Avoid   []common.Address `json:"avoid,omitempty"`   // transcoders that are not to have it
	// Tie decides between equal scores. Draw it from a Secret that was committed to before the bids came; zero: from Lease.
	Tie protocol.Hash `json:"tie"`
}

// Candidate is a live bid with what its orchestrator knows of the bidder.
type Candidate struct {
	Bid       protocol.Bid
	Newcomer  bool                // too few of its outputs were seen for Quality to mean much
	Quality   uint32              // measured by the orchestrator, in millionths of Perfect; larger counts as Perfect
	Held      protocol.CodecRates // work awarded to it since this bid was made, which the bid does not know of
	Allocated bool                // tickets for it are backed: a confirmed allocation to it exists
	Distrust  bool                // its output failed verification: no lease
	Busy      bool                // it declined or failed a moment ago
}

// Reason says why a candidate cannot have a lease; empty where it can.
type Reason string

// Reasons, in the order in which they are looked for.
const (
	Avoided       Reason = "avoided"         // named in Ask.Avoid
	Distrusted    Reason = "distrusted"      // cut off or suspect
	CodecNotSold  Reason = "codec_not_sold"  // the bid has no price for a codec of the ladder
	BelowFloor    Reason = "below_floor"     // a price is below what the power for it costs
	PriceAboveMax Reason = "price_above_max" // a price exceeds its maximum
	NotAllocated  Reason = "not_allocated"   // no confirmed allocation to it
	NoCapacity    Reason = "no_capacity"     // the work does not fit beside what it holds
	Busy          Reason = "busy"            // declined or failed a moment ago
	BelowReserve  Reason = "below_reserve"   // its score is below the reserve
)

// Choice is a candidate's result.
type Choice struct {
	Candidate
	Reason Reason          // why it lost before any comparison; empty: it is ranked
	Prices protocol.Prices // its own, at the load that the work would bring
	Cost   Wei             // of one second at these; zero where the bid does not price the ladder
	Score  *big.Int        // Value × quality − Cost, in millionths of a wei per second; nil where Reason is set
}

// Wei is protocol.Wei.
type Wei = protocol.Wei

// String names the bidder and how it fared, for logs and score sheets.
func (c Choice) String() string {
	if c.Reason != "" {
		return fmt.Sprintf("%s: %s", c.Bid.Transcoder, c.Reason)
	}
	return fmt.Sprintf("%s: score %s, %s wei/s", c.Bid.Transcoder, c.Score, c.Cost)
}

// Pick ranks candidates, best first; those that cannot have the lease follow with their Reason. The winner is the first
// Choice if its Reason is empty, its runner-up the second under the same condition. No winner's price exceeds its maximum;
// a lower price or a better quality never ranks a candidate lower; equal scores are ordered by a hash of Ask.Tie and address,
// which no bidder can foresee and which favours none over many leases.
func Pick(candidates []Candidate, ask Ask) []Choice {
	value := ask.value()
	work := ask.Ladder.PixelRates(ask.SourceFPS)
	choices := make([]Choice, len(candidates))
	ties := make(map[common.Address][]byte, len(candidates))
	for i, c := range candidates {
		choices[i] = choose(c, ask, work)
		if choices[i].Reason == "" {
			choices[i].Score = score(value, c.Quality, choices[i].Cost)
			if ask.Reserve != nil && choices[i].Score.Cmp(ask.Reserve) < 0 {
				choices[i].Score, choices[i].Reason = nil, BelowReserve
			}
		}
		ties[c.Bid.Transcoder] = ask.tieOf(c.Bid.Transcoder)
	}
	slices.SortStableFunc(choices, func(a, b Choice) int {
		switch {
		case a.Reason == "" && b.Reason != "":
			return -1
		case a.Reason != "" && b.Reason == "":
			return 1
		case a.Reason == "":
			if order := b.Score.Cmp(a.Score); order != 0 {
				return order
			}
		}
		return bytes.Compare(ties[a.Bid.Transcoder], ties[b.Bid.Transcoder])
	})
	return choices
}

// choose prices the work at the load that it would bring c, and says whether c can have it.
func choose(c Candidate, ask Ask, work protocol.CodecRates) Choice {
	all := work.Plus(c.Held)
	asked := Asked(c.Bid, all)
	cost, sold := Cost(ask.Ladder, asked, ask.SourceFPS)
	return Choice{Candidate: c, Prices: asked, Cost: cost, Reason: reason(c, ask, asked, all, sold)}
}

// value is what full quality is worth, per second.
func (a Ask) value() Wei {
	if a.Value.IsZero() {
		most, _ := Cost(a.Ladder, a.MaxPrices, a.SourceFPS)
		return most.Mul(2)
	}
	return a.Value
}

// tieOf is t's place among equals: lower comes first.
func (a Ask) tieOf(t common.Address) []byte {
	seed := a.Tie
	if seed.IsZero() {
		seed = a.Lease
	}
	h := hashOf(seed[:], t[:])
	return h[:]
}

// Ranked returns the choices that can have the lease, best first.
func Ranked(choices []Choice) []Choice {
	n := slices.IndexFunc(choices, func(c Choice) bool { return c.Reason != "" })
	if n < 0 {
		return choices
	}
	return choices[:n]
}

// Cost is what one second of ladder costs at prices, in wei, and whether every codec of it has a price.
func Cost(ladder protocol.Ladder, prices protocol.Prices, sourceFPS float64) (Wei, bool) {
	var sum Wei
	for _, p := range ladder {
		price, ok := prices.Of(p.Codec)
		if !ok {
			return Wei{}, false
		}
		sum = sum.Add(price.Mul(p.PixelRate(sourceFPS)))
	}
	return sum, true
}

func reason(c Candidate, ask Ask, asked protocol.Prices, all protocol.CodecRates, sold bool) Reason {
	switch {
	case slices.Contains(ask.Avoid, c.Bid.Transcoder):
		return Avoided
	case c.Distrust:
		return Distrusted
	case !sold:
		return CodecNotSold
	case belowFloor(asked, c.Bid.Floor, ask):
		return BelowFloor
	case aboveMax(asked, ask):
		return PriceAboveMax
	case !c.Allocated:
		return NotAllocated
	case !c.Bid.Fits(all):
		return NoCapacity
	case c.Busy:
		return Busy
	}
	return ""
}

// belowFloor compares codec by codec with what the power costs; a codec not listed has no floor.
func belowFloor(asked, floor protocol.Prices, ask Ask) bool {
	if len(floor) == 0 {
		return false
	}
	for _, p := range ask.Ladder {
		price, _ := asked.Of(p.Codec)
		if least, ok := floor.Of(p.Codec); ok && price.Less(least) {
			return true
		}
	}
	return false
}

// aboveMax compares codec by codec, as payment does: a cheap codec does not make up for a dear one.
func aboveMax(asked protocol.Prices, ask Ask) bool {
	for _, p := range ask.Ladder {
		price, _ := asked.Of(p.Codec)
		if limit, ok := ask.MaxPrices.Of(p.Codec); !ok || limit.Less(price) {
			return true
		}
	}
	return false
}

func score(value Wei, quality uint32, cost Wei) *big.Int {
	gain := new(big.Int).Mul(value.Big(), big.NewInt(int64(min(quality, Perfect))))
	return gain.Sub(gain, new(big.Int).Mul(cost.Big(), big.NewInt(Perfect)))
}
