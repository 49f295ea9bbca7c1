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
	Lease     protocol.ID
	Ladder    protocol.Ladder
	SourceFPS float64
	MaxPrices protocol.Prices // the most that is paid, per codec; a codec that is missing is not bought
	// Value is what one second of this work at full quality is worth, in wei: the weight of quality against price. Zero
	// means twice the cost at MaxPrices, at which 10 % of quality outweighs 20 % of the maximum price.
	Value   protocol.Wei
	Reserve *big.Int         // scores below it do not win, in millionths of a wei per second; nil: any score may
	Avoid   []common.Address // transcoders that are not to have it
	// Tie decides between equal scores. Draw it from a Secret that was committed to before the bids came; zero: from Lease.
	Tie protocol.Hash
}

// Candidate is a live bid with what its orchestrator knows of the bidder.
type Candidate struct {
	Bid       protocol.Bid
	Floor     protocol.Prices     // what the work costs the bidder in power: it may not sell below; a codec not listed has no floor
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
	Reason Reason   // why it lost before any comparison; empty: it is ranked
	Cost   Wei      // of one second at its own prices; zero where the bid does not price the ladder
	Score  *big.Int // Value × quality − Cost, in millionths of a wei per second; nil where Reason is set
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
		cost, sold := Cost(ask.Ladder, c.Bid.Prices, ask.SourceFPS)
		choices[i] = Choice{Candidate: c, Cost: cost, Reason: reason(c, ask, work, sold)}
		if choices[i].Reason == "" {
			choices[i].Score = score(value, c.Quality, cost)
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

func reason(c Candidate, ask Ask, work protocol.CodecRates, sold bool) Reason {
	switch {
	case slices.Contains(ask.Avoid, c.Bid.Transcoder):
		return Avoided
	case c.Distrust:
		return Distrusted
	case !sold:
		return CodecNotSold
	case belowFloor(c, ask):
		return BelowFloor
	case aboveMax(c.Bid.Prices, ask):
		return PriceAboveMax
	case !c.Allocated:
		return NotAllocated
	case !c.Bid.Fits(work.Plus(c.Held)):
		return NoCapacity
	case c.Busy:
		return Busy
	}
	return ""
}

func belowFloor(c Candidate, ask Ask) bool {
	for _, p := range ask.Ladder {
		price, _ := c.Bid.Prices.Of(p.Codec)
		if floor, ok := c.Floor.Of(p.Codec); ok && price.Less(floor) {
			return true
		}
	}
	return false
}

// aboveMax compares codec by codec, as payment does: a cheap codec does not make up for a dear one.
func aboveMax(prices protocol.Prices, ask Ask) bool {
	for _, p := range ask.Ladder {
		price, _ := prices.Of(p.Codec)
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
