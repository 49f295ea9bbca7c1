package dispatch

import (
	"math/rand/v2"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/auction"
)

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
