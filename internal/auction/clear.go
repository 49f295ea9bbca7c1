package auction

import (
	"bytes"
	"cmp"
	"math/big"
	"slices"

	"github.com/kinora/kinora/internal/protocol"
)

// Sale is one of several equal leases sold at once.
type Sale struct {
	Choice
	Prices protocol.Prices
}

// Clear sells up to k leases on equal work at once, best scores first, each bidder as many as its free pixel rate holds, each
// at the price of the load that it brings: a bidder's second lease may lose to somebody else's first. Under SecondScore a bidder
// is paid for its leases what the bids they displace would have had to pay (Vickrey, Clarke, Groves), the same for each: bidding
// one's costs, which do not fall with the load, stays best for those that can hold several. Sales of one bidder stand together.
// Clear(…, 1, …) sells to the winner of Pick at the prices of the rule.
func Clear(candidates []Candidate, ask Ask, k int, rule Rule) []Sale {
	ranked := Ranked(Pick(candidates, ask))
	units := make([][]Choice, len(ranked))
	var all []unit
	for i, c := range ranked {
		units[i] = unitsOf(c.Candidate, ask, k)
		for n, u := range units[i] {
			all = append(all, unit{i, n, u.Score})
		}
	}
	slices.SortStableFunc(all, unit.compare) // among equals by rank, which is by tie
	wins := make([]int, len(ranked))
	for _, u := range all[:min(max(k, 0), len(all))] {
		wins[u.of]++
	}
	var sales []Sale
	for i, n := range wins {
		if n == 0 {
			continue
		}
		var worth *big.Int
		if rule == SecondScore {
			worth = ask.displaced(ranked[i].Quality, all, i, n, k)
		}
		for _, c := range units[i][:n] {
			s := Sale{Choice: c, Prices: c.Prices}
			if worth != nil {
				s.Prices = c.raised(worth, ask)
			}
			sales = append(sales, s)
		}
	}
	return sales
}

// unit is one lease that a bidder could hold: its n-th.
type unit struct {
	of, n int
	score *big.Int
}

func (u unit) compare(other unit) int {
	return cmp.Or(other.score.Cmp(u.score), cmp.Compare(u.of, other.of), cmp.Compare(u.n, other.n))
}

// unitsOf are the leases that c can hold at once, at most k, each as it would be chosen after those before it.
func unitsOf(c Candidate, ask Ask, k int) []Choice {
	var units []Choice
	work := ask.Ladder.PixelRates(ask.SourceFPS)
	for len(units) < k {
		choice := Pick([]Candidate{c}, ask)[0]
		if choice.Reason != "" {
			break
		}
		units = append(units, choice)
		c.Held = c.Held.Plus(work)
	}
	return units
}

// displaced is the mean worth of the n leases that bidder i wins of k: the places of the others that they push out, each at the
// score of who would have had it, or at the reserve where nobody would.
func (a Ask) displaced(quality uint32, all []unit, i, n, k int) *big.Int {
	var others []*big.Int // who would have the k leases without i, best first
	for _, u := range all {
		if u.of != i && len(others) < k {
			others = append(others, u.score)
		}
	}
	kept := k - n // of them keep theirs
	sum := new(big.Int)
	for m := range n {
		best := a.Reserve
		if at := kept + m; at < len(others) {
			best = others[at]
		}
		sum.Add(sum, a.worth(quality, best))
	}
	return sum.Div(sum, big.NewInt(int64(n)))
}

// Exploration is the share of leases that go to newcomers, who could not win by a quality that nobody has seen yet. It is a
// value: keep what Next returns.
type Exploration struct {
	Share   uint32 `json:"share_ppm"` // millionths of the leases, at most
	Leases  uint64 `json:"leases"`    // sold so far, but for those of a turn that nobody new took
	Granted uint64 `json:"granted"`   // of them, to newcomers out of turn
}

// Due reports whether the next lease may go to a newcomer.
func (e Exploration) Due() bool { return (e.Granted+1)*Perfect <= (e.Leases+1)*uint64(e.Share) }

// Next says whom a lease goes to, and counts it: nearly always ranked[0], and within Share a newcomer that asks no more
// than the lease would cost anyway. Which one is drawn by hash; it is paid that cost, which its own bid does not move, so
// that newcomers too do best to bid what they need. A market of newcomers alone explores by itself. A turn that no newcomer
// takes stays the next one's and its lease is not counted: while nobody is new, turns do not pile up.
func (e Exploration) Next(ranked []Choice, ask Ask, rule Rule) (i int, prices protocol.Prices, next Exploration) {
	due := e.Due()
	next = e
	next.Leases++
	if !due {
		return 0, rule.Prices(ranked, 0, ask), next
	}
	if !slices.ContainsFunc(ranked, func(c Choice) bool { return !c.Newcomer }) {
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
	next.Granted++
	return i, ranked[i].raised(cost.Big(), ask), next
}
