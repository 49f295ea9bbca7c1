package auction

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

// Outscored and the other words for what became of a bid that could have had the lease.
const (
	Outscored Reason = "outscored" // somebody else's score was better
	Declined  Reason = "declined"  // it was offered the lease and did not take it
	Explored  Reason = "explored"  // a newcomer was given it out of turn
)

// Record is what an orchestrator is held to after an award: what it knew, by commitment, and what it did.
type Record struct {
	Ask         Ask             `json:"ask"`
	Rule        Rule            `json:"rule"`
	Exploration Exploration     `json:"exploration"` // before this lease
	Book        protocol.Hash   `json:"book"`        // root over the bids
	Figures     protocol.Hash   `json:"figures"`     // root over the figures for the work's class
	Passed      []Passed        `json:"passed"`      // everybody who was left out of the comparison, for what only the auctioneer knew
	Winner      common.Address  `json:"winner"`
	Prices      protocol.Prices `json:"prices"` // per pixel, of the award
}

// Passed is a bidder that was not compared, or declined. Whoever is named can tell whether that is true.
type Passed struct {
	Transcoder common.Address `json:"transcoder"`
	Reason     Reason         `json:"reason"`
}

// Fault is a proof that an award does not follow from what was committed.
type Fault struct{ Detail string }

// Error says what is wrong.
func (f *Fault) Error() string { return "the award does not follow from the commitments: " + f.Detail }

func fault(format string, args ...any) error { return &Fault{fmt.Sprintf(format, args...)} }

// Audit does the auction again from the book and the figures, each in the order of their places (a zero bid or figure
// where a place is empty), and returns everybody's choice. It returns a Fault when they are not what was committed, when a
// bid is not its bidder's, when another would have won or another price would have been paid.
func Audit(d protocol.Domain, r Record, book []protocol.Signed[protocol.Bid], figures []Figure) ([]Choice, error) {
	var bids, quality Tree
	known := make(map[common.Address]Figure, len(figures))
	for i, f := range figures {
		var leaf protocol.Hash
		if f.Transcoder != (common.Address{}) {
			if want := ClassOf(r.Ask.Ladder.PixelRate(r.Ask.SourceFPS)); f.Class != want {
				return nil, fault("the figure of %s is for work of class %d, this is of class %d", f.Transcoder, f.Class, want)
			}
			leaf = f.Leaf()
			known[f.Transcoder] = f
		}
		quality.Set(i, leaf)
	}
	seen := make(map[common.Address]bool, len(book))
	var candidates []Candidate
	for i, b := range book {
		t := b.Message.Transcoder
		if t == (common.Address{}) {
			bids.Set(i, protocol.Hash{})
			continue
		}
		bids.Set(i, BidLeaf(b))
		if _, err := b.Open(d); err != nil {
			return nil, fault("the bid at place %d: %v", i, err)
		}
		if seen[t] {
			return nil, fault("%s bids twice", t)
		}
		seen[t] = true
		f, ok := known[t]
		if !ok {
			return nil, fault("there is no figure of %s, who bids", t)
		}
		c := Candidate{Bid: b.Message, Floor: f.Floor, Quality: f.Quality, Newcomer: f.Newcomer, Allocated: true}
		candidates = append(candidates, c)
	}
	if got := bids.Root(); got != r.Book {
		return nil, fault("the bids have root %s, committed was %s", got.Short(), r.Book.Short())
	}
	if got := quality.Root(); got != r.Figures {
		return nil, fault("the figures have root %s, committed was %s", got.Short(), r.Figures.Short())
	}
	choices := Pick(candidates, r.Ask)
	choices = Pass(choices, r.Passed)
	ranked := Ranked(choices)
	if len(ranked) == 0 {
		return choices, fault("nobody could have had the lease, %s was given it", r.Winner)
	}
	i, prices, _ := r.Exploration.Next(ranked, r.Ask, r.Rule)
	if ranked[i].Bid.Transcoder != r.Winner {
		return choices, fault("%s wins, %s was given it", ranked[i].Bid.Transcoder, r.Winner)
	}
	if !slices.Equal(prices, r.Prices) {
		return choices, fault("the prices are %v, %v were paid", prices, r.Prices)
	}
	return choices, nil
}

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
	Prices      protocol.Prices `json:"prices"`         // bid
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
	s := Sheet{Lease: ask.Lease, Transcoder: t, BidSequence: c.Bid.Sequence, Prices: c.Bid.Prices, Cost: c.Cost, Quality: c.Quality, Of: of,
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
	out := append(protocol.Prices(nil), c.Bid.Prices...)
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
