package fleet

import (
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/auction"
)

// Unproven reports that too few outputs of t were seen for its quality to mean much.
func (f *Fleet) Unproven(t common.Address, class auction.Class) bool {
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.members[t]
	if m != nil && m.figure != nil { // by which it is held
		return m.figure.Newcomer
	}
	return m == nil || m.quality.figure(class, now, f.cfg.Measure).newcomer
}

// Newcomer draws one of those that could have the work but are unproven, and are not being probed. It is marked so, and to be
// given back with Probed. draw returns a number below its argument.
func (f *Fleet) Newcomer(ask auction.Ask, draw func(n int) int) (auction.Choice, bool) {
	now := time.Now()
	class := auction.ClassOf(ask.Ladder.PixelRate(ask.SourceFPS))
	live := f.book.Live(now)
	f.mu.Lock()
	defer f.mu.Unlock()
	var candidates []auction.Candidate
	for _, s := range live {
		m := f.members[s.Bid.Message.Transcoder]
		if m == nil || m.probing || m.stands.Empty() {
			continue
		}
		if known := m.quality.figure(class, now, f.cfg.Measure); known.newcomer {
			x := auction.Figure{Transcoder: m.Address, Newcomer: true}
			x.Quality[class] = known.quality
			candidates = append(candidates, m.candidate(s, x, class, now))
		}
	}
	able := auction.Ranked(auction.Pick(candidates, ask))
	if len(able) == 0 {
		return auction.Choice{}, false
	}
	c := able[draw(len(able))]
	f.members[c.Bid.Transcoder].probing = true
	return c, true
}
