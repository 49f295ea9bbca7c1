package auction

import (
	"math/big"

	"github.com/kinora/kinora/internal/protocol"
)

// Rule says what the winner of an auction is paid. Whoever wins is the same under each.
type Rule string

const (
	// PayAsBid pays what was bid. It asks for no trust: nobody's price depends on bids that only the auctioneer sees.
	PayAsBid Rule = "pay-as-bid"
	// SecondScore pays what the winner could have asked and still won: min(most, Value × quality − max(second, Reserve)) a
	// second. That does not depend on its own price, so bidding one's cost is best whatever the others do. An auctioneer who
	// can move bids or quality figures afterwards takes the difference: commit to both first (see Tree and Audit).
	SecondScore Rule = "second-score"
)

// Valid reports whether r is a rule.
func (r Rule) Valid() bool { return r == PayAsBid || r == SecondScore }

// Prices are what ranked[i] is paid per pixel when it is given the lease; those before it declined. They are at least its
// own and at most the maximum, for each codec.
func (r Rule) Prices(ranked []Choice, i int, ask Ask) protocol.Prices {
	c := ranked[i]
	if r != SecondScore || c.Score == nil { // one that was busy a moment ago was not compared with anybody
		return c.Prices
	}
	best := ask.Reserve
	if i+1 < len(ranked) && ranked[i+1].Score != nil {
		best = ranked[i+1].Score
	}
	return c.raised(ask.worth(c.Quality, best), ask)
}

// worth is what one second by somebody of a quality may cost before its score falls to best, and no more than the
// maximum; best nil: nothing holds it down.
func (a Ask) worth(quality uint32, best *big.Int) *big.Int {
	cost, _ := Cost(a.Ladder, a.MaxPrices, a.SourceFPS)
	most := cost.Big()
	if best == nil {
		return most
	}
	w := new(big.Int).Mul(a.value().Big(), big.NewInt(int64(min(quality, Perfect))))
	w.Sub(w, best)
	w.Div(w, big.NewInt(Perfect)) // floors, also below zero
	if w.Cmp(most) > 0 {
		return most
	}
	return w
}

// raised are the prices asked, moved towards the maximum until a second costs worth. The share of the way is the same for
// every codec, so that none is paid below its bid or above its maximum, and the sum depends on the bid not at all. Codecs
// that the ladder has not keep their price.
func (c Choice) raised(worth *big.Int, ask Ask) protocol.Prices {
	out := append(protocol.Prices(nil), c.Prices...)
	most, _ := Cost(ask.Ladder, ask.MaxPrices, ask.SourceFPS)
	room := most.Sub(c.Cost).Big()
	gain := new(big.Int).Sub(worth, c.Cost.Big())
	if room.Sign() <= 0 || gain.Sign() <= 0 {
		return out
	}
	for i, p := range out {
		if !sells(ask.Ladder, p.Codec) {
			continue
		}
		limit, _ := ask.MaxPrices.Of(p.Codec)
		step := limit.Sub(p.WeiPerPixel).Big()
		step.Mul(step, gain).Div(step, room)
		raise, err := protocol.WeiFromBig(step)
		if err != nil { // a part of a Wei is one
			panic(err)
		}
		out[i].WeiPerPixel = p.WeiPerPixel.Add(raise)
	}
	return out
}

func sells(ladder protocol.Ladder, codec protocol.Codec) bool {
	for _, p := range ladder {
		if p.Codec == codec {
			return true
		}
	}
	return false
}
