package dispatch

import (
	"math/rand/v2"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/auction"
)

// unproven are passed over while somebody who is known has room: they are given canaries, duplicates of real segments, until
// what is known of them means something; and now and then a lease out of turn, of which every segment is given out twice.
const unproven auction.Reason = "unproven"

// known passes over the newcomers among choices where somebody else is ranked, unless it is a newcomer's turn.
func (d *Dispatcher) known(choices []auction.Choice, ask auction.Ask) []auction.Choice {
	d.mu.Lock()
	due := d.exploration.Due() && len(ask.Avoid) == 0
	d.mu.Unlock()
	ranked := auction.Ranked(choices)
	if due || !slices.ContainsFunc(ranked, func(c auction.Choice) bool { return !c.Newcomer }) {
		return choices
	}
	var passed []auction.Passed
	for _, c := range ranked {
		if c.Newcomer {
			passed = append(passed, auction.Passed{Transcoder: c.Bid.Transcoder, Reason: unproven})
		}
	}
	if len(passed) == 0 {
		return choices
	}
	return auction.Pass(choices, passed)
}

// outOfTurn reports that t is a newcomer which was given a lease that somebody known could have had.
func outOfTurn(choices []auction.Choice, t common.Address) bool {
	is := func(known bool) bool {
		return slices.ContainsFunc(auction.Ranked(choices), func(c auction.Choice) bool {
			return c.Newcomer != known && (known || c.Bid.Transcoder == t)
		})
	}
	return is(false) && is(true)
}

// maxBeaten is how many segments of a lease out of turn may be won by those beside it before it ends.
const maxBeaten = 8

// share of the segments that are given out once more as canaries.
type share struct {
	millionths int32
	segments   int64
	canaries   int64
}

// next counts a segment and reports whether it may be one.
func (s *share) next() bool {
	s.segments++
	return (s.canaries+1)*auction.Perfect <= s.segments*int64(s.millionths)
}

// canary starts a duplicate of s for a newcomer, now and then: verified and paid if it passes, never released.
func (d *Dispatcher) canary(s *segment) {
	d.mu.Lock()
	due := d.canaries.next()
	d.mu.Unlock()
	if !due {
		return
	}
	ask := d.ask(s.work, s.credit, nil)
	for _, l := range d.leases.of(s.work.key) { // they show by the stream itself what they can
		if !l.stands() {
			ask.Avoid = append(ask.Avoid, l.transcoder)
		}
	}
	c, ok := d.fleet.Newcomer(ask, rand.IntN)
	if !ok {
		return
	}
	d.mu.Lock()
	d.canaries.canaries++
	d.mu.Unlock()
	d.duplicate(s, c)
}
