package auction

import (
	"bytes"
	"math/big"
	"slices"
	"sort"

	"github.com/kinora/kinora/internal/protocol"
)

// Sale is one of several equal leases sold at once.
type Sale struct {
	Choice
	Prices protocol.Prices
}

// Clear sells up to k leases on equal work at once, best scores first, each bidder as many as its free pixel rate holds.
// Under SecondScore a bidder is paid for its leases what the bids they displace would have had to pay (Vickrey, Clarke,
// Groves), the same for each: bidding one's cost stays best for those that can hold several. Sales of one bidder stand
// together. Clear(…, 1, …) sells to the winner of Pick at the prices of the rule.
func Clear(candidates []Candidate, ask Ask, k int, rule Rule) []Sale {
	ranked := Ranked(Pick(candidates, ask))
	holds := make([]int, len(ranked))
	for i, c := range ranked {
		holds[i] = room(c.Candidate, ask, k)
	}
	var sales []Sale
	left := k
	for i, c := range ranked {
		n := min(holds[i], left)
		if n <= 0 {
			continue
		}
		prices := c.Bid.Prices
		if rule == SecondScore {
			prices = c.raised(ask.displaced(ranked, holds, i, n, k), ask)
		}
		for range n {
			sales = append(sales, Sale{Choice: c, Prices: prices})
		}
		left -= n
	}
	return sales
}

// room is how many of the leases c can hold at once, at most k.
func room(c Candidate, ask Ask, k int) int {
	ladder := ask.Ladder
	ask.Reserve = nil
	return sort.Search(max(k, 0), func(n int) bool {
		ask.Ladder = slices.Repeat(ladder, n+1)
		return Pick([]Candidate{c}, ask)[0].Reason != ""
	})
}

// displaced is the mean worth of the n leases that ranked[i] wins of k: the places of the others that they push out, each
// at the score of who would have had it, or at the reserve where nobody would.
func (a Ask) displaced(ranked []Choice, holds []int, i, n, k int) *big.Int {
	var others []*big.Int // who would have the k leases without i, best first
	for j, c := range ranked {
		if j == i {
			continue
		}
		for m := 0; m < holds[j] && len(others) < k; m++ {
			others = append(others, c.Score)
		}
	}
	kept := k - n // of them keep theirs
	sum := new(big.Int)
	for m := range n {
		best := a.Reserve
		if at := kept + m; at < len(others) {
			best = others[at]
		}
		sum.Add(sum, a.worth(ranked[i].Quality, best))
	}
	return sum.Div(sum, big.NewInt(int64(n)))
}

// Exploration is the share of leases that go to newcomers, who could not win by a quality that nobody has seen yet. It is a
// value: keep what Next returns.
type Exploration struct {
	Share   uint32 // millionths of the leases, at most
	Leases  uint64 // sold so far
	Granted uint64 // of them, to newcomers out of turn
}

// Due reports whether the next lease may go to a newcomer.
func (e Exploration) Due() bool { return (e.Granted+1)*Perfect <= (e.Leases+1)*uint64(e.Share) }

// Next counts one lease and says whom it goes to: nearly always ranked[0], and within Share a newcomer that asks no more
// than the lease would cost anyway. Which one is drawn by hash; it is paid that cost, which its own bid does not move, so
// that newcomers too do best to bid what they need. A market of newcomers alone explores by itself.
func (e Exploration) Next(ranked []Choice, ask Ask, rule Rule) (i int, prices protocol.Prices, next Exploration) {
	due := e.Due()
	e.Leases++
	first := slices.IndexFunc(ranked, func(c Choice) bool { return !c.Newcomer })
	if first < 0 || !due {
		return 0, rule.Prices(ranked, 0, ask), e
	}
	var known []Choice
	var newcomers []int
	for j, c := range ranked {
		if !c.Newcomer {
			known = append(known, c)
		} else {
			newcomers = append(newcomers, j)
		}
	}
	would := rule.Prices(known, 0, ask)
	cost, _ := Cost(ask.Ladder, would, ask.SourceFPS)
	newcomers = slices.DeleteFunc(newcomers, func(j int) bool { return cost.Less(ranked[j].Cost) })
	if len(newcomers) == 0 {
		return 0, rule.Prices(ranked, 0, ask), e
	}
	i = slices.MinFunc(newcomers, func(a, b int) int {
		return bytes.Compare(ask.tieOf(ranked[a].Bid.Transcoder), ask.tieOf(ranked[b].Bid.Transcoder))
	})
	e.Granted++
	return i, ranked[i].raised(cost.Big(), ask), e
}
