package auction

import "github.com/kinora/kinora/internal/protocol"

// Offer is a lease for one bidder at the prices that it is paid.
type Offer struct {
	Choice
	Paid protocol.Prices
}

// Known passes over the newcomers among choices where somebody else can have the lease, unless it is a newcomer's turn: what they
// can is seen from duplicates of real work first.
func Known(choices []Choice, ask Ask, e Exploration) []Choice {
	var passed []Passed
	others := false
	for _, c := range Ranked(choices) {
		if c.Newcomer {
			passed = append(passed, Passed{c.Bid.Transcoder, Unproven})
		} else {
			others = true
		}
	}
	if !others || len(passed) == 0 || e.Due() && len(ask.Avoid) == 0 {
		return choices
	}
	return Pass(choices, passed)
}

// Offers are those to be asked, in order, at most so many: the winner, or now and then a newcomer in its place; who would have
// won without them; and whoever was busy a moment ago, which is better than nobody. Where somebody failed already is no place
// for trials.
func Offers(choices []Choice, ask Ask, rule Rule, e Exploration, most int) ([]Offer, Exploration) {
	ranked := Ranked(choices)
	var all []Offer
	explored := -1
	if len(ranked) > 0 && len(ask.Avoid) == 0 {
		i, paid, next := e.Next(ranked, ask, rule)
		all, explored, e = append(all, Offer{ranked[i], paid}), i, next
	}
	for i, c := range ranked {
		if len(all) >= most {
			break
		}
		if i != explored {
			all = append(all, Offer{c, rule.Prices(ranked, i, ask)})
		}
	}
	for _, c := range choices[len(ranked):] {
		if c.Reason == Busy {
			all = append(all, Offer{c, c.Prices})
		}
	}
	return all[:min(most, len(all))], e
}
