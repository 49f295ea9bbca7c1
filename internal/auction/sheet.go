package auction

import (
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

// Pass takes those named out of the comparison, for their reasons. The others keep their order.
func Pass(choices []Choice, passed []Passed) []Choice {
	choices = slices.Clone(choices)
	for i, c := range choices {
		if j := slices.IndexFunc(passed, func(p Passed) bool { return p.Transcoder == c.Bid.Transcoder }); j >= 0 && c.Reason == "" {
			choices[i].Reason, choices[i].Score = passed[j].Reason, nil
		}
	}
	return slices.Concat(keep(choices, true), keep(choices, false))
}

func keep(choices []Choice, ranked bool) []Choice {
	return slices.DeleteFunc(slices.Clone(choices), func(c Choice) bool { return (c.Reason == "") != ranked })
}

// Sheet tells one bidder how it fared: its own terms alone, while the bids are sealed.
type Sheet struct {
	Lease       protocol.ID     `json:"lease"`
	Transcoder  common.Address  `json:"transcoder"`
	BidSequence uint64          `json:"bid_sequence"`
	Prices      protocol.Prices `json:"prices"`         // asked, at the load that the work would bring
	Cost        Wei             `json:"wei_per_second"` // of the work at these prices
	Quality     uint32          `json:"quality_ppm"`
	Score       string          `json:"score,omitempty"` // millionths of a wei per second
	Won         bool            `json:"won"`
	Paid        protocol.Prices `json:"paid,omitempty"`   // where it won
	Reason      Reason          `json:"reason,omitempty"` // why not, where it did not
	Rank        int             `json:"rank,omitempty"`   // among Of that could have had the lease; 1 is best
	Of          int             `json:"of"`
}

// SheetOf is t's, after an award of choices to winner at prices; false when t did not bid.
func SheetOf(choices []Choice, ask Ask, t, winner common.Address, prices protocol.Prices) (Sheet, bool) {
	i := slices.IndexFunc(choices, func(c Choice) bool { return c.Bid.Transcoder == t })
	if i < 0 {
		return Sheet{}, false
	}
	c, of := choices[i], len(Ranked(choices))
	s := Sheet{Lease: ask.Lease, Transcoder: t, BidSequence: c.Bid.Sequence, Prices: c.Prices, Cost: c.Cost, Quality: c.Quality, Of: of,
		Won: t == winner, Reason: c.Reason}
	if c.Score != nil {
		s.Score = c.Score.String()
	}
	if i < of {
		s.Rank = i + 1
	}
	switch {
	case s.Won:
		s.Paid, s.Reason = prices, ""
	case i < of:
		s.Reason = Outscored
		if w := slices.IndexFunc(choices, func(c Choice) bool { return c.Bid.Transcoder == winner }); w > i {
			s.Reason = Explored
		}
	}
	return s, true
}

// WouldHaveWon are the highest prices at which t would have beaten the best of the others, its own scaled alike; false when
// none would have done, or it could not have had the lease at any. It unseals the best bid: tell it after the epoch.
func WouldHaveWon(choices []Choice, ask Ask, t common.Address) (protocol.Prices, bool) {
	ranked := Ranked(choices)
	i := slices.IndexFunc(choices, func(c Choice) bool { return c.Bid.Transcoder == t })
	if i < 0 || choices[i].Cost.IsZero() || choices[i].Reason != "" && choices[i].Reason != PriceAboveMax && choices[i].Reason != BelowReserve {
		return nil, false
	}
	c, best := choices[i], ask.Reserve
	for _, other := range ranked {
		if other.Bid.Transcoder == t {
			continue
		}
		best = new(big.Int).Set(other.Score)
		if string(ask.tieOf(t)) > string(ask.tieOf(other.Bid.Transcoder)) {
			best.Add(best, big.NewInt(1)) // equal is not enough
		}
		break
	}
	worth := ask.worth(c.Quality, best)
	if worth.Sign() < 0 {
		return nil, false
	}
	out := append(protocol.Prices(nil), c.Prices...)
	for j, p := range out {
		scaled := new(big.Int).Mul(p.WeiPerPixel.Big(), worth)
		w, err := protocol.WeiFromBig(scaled.Div(scaled, c.Cost.Big()))
		if err != nil {
			return nil, false
		}
		limit, ok := ask.MaxPrices.Of(p.Codec)
		if !ok {
			continue // not of the work
		}
		out[j].WeiPerPixel = w.Min(limit)
	}
	return out, true
}
