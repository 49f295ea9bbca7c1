package fleet

import (
	"encoding/binary"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
)

// kinds is how many kinds of work are kept ranked.
const kinds = 32

// kind is work whose bidders rank alike: as many pixels a second of each codec, under the same maximum prices.
type kind struct {
	work, most string
	value      protocol.Wei
}

func kindOf(ask auction.Ask) kind {
	var work, most []byte
	for _, p := range ask.Ladder {
		work = append(binary.BigEndian.AppendUint64(work, p.PixelRate(ask.SourceFPS)), p.Codec...)
	}
	for _, p := range ask.MaxPrices {
		price := p.WeiPerPixel.Bytes32()
		most = append(append(most, price[:]...), p.Codec...)
	}
	return kind{string(work), string(most), ask.Value}
}

// ranking is one kind's; it has everybody who has a place.
type ranking struct {
	*auction.Ranking
	class auction.Class
	used  time.Time
}

// Best is the head of Rank: the first n that can have a lease, without those that cannot. It looks at few of them, however
// many bid.
func (f *Fleet) Best(ask auction.Ask, n int) []auction.Choice {
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	k := kindOf(ask)
	r := f.rankings[k]
	if r == nil {
		if len(f.rankings) >= kinds {
			f.dropOldestLocked()
		}
		r = &ranking{Ranking: auction.NewRanking(ask), class: auction.ClassOf(ask.Ladder.PixelRate(ask.SourceFPS))}
		f.rankings[k] = r
		for t, m := range f.members {
			f.placeLocked(r, t, m, now)
		}
	}
	r.used = now
	return r.Best(ask, n, func(t common.Address) (auction.Candidate, bool) {
		s, ok := f.book.Get(t, now)
		if !ok {
			return auction.Candidate{}, false
		}
		m := f.members[t]
		return m.candidate(s, m.quality.figures[r.class], now), true
	})
}

func (f *Fleet) dropOldestLocked() {
	var oldest kind
	found := false
	for k, r := range f.rankings {
		if !found || r.used.Before(f.rankings[oldest].used) {
			oldest, found = k, true
		}
	}
	delete(f.rankings, oldest)
}

// rankLocked puts t where it belongs in every ranking, after anything that its score depends on has changed.
func (f *Fleet) rankLocked(t common.Address, now time.Time) {
	for _, r := range f.rankings {
		f.placeLocked(r, t, f.members[t], now)
	}
}

func (f *Fleet) placeLocked(r *ranking, t common.Address, m *member, now time.Time) {
	s, ok := f.book.Get(t, now)
	if m == nil || !m.allocated || !ok {
		r.Remove(t)
		return
	}
	r.Put(m.candidate(s, m.quality.figure(r.class, now, f.cfg.Measure), now))
}

// candidate is a member's bid with what is known of it.
func (m *member) candidate(s auction.Standing, known figure, now time.Time) auction.Candidate {
	c := auction.Candidate{Bid: s.Bid.Message, Quality: known.quality, Newcomer: known.newcomer, Allocated: m.entered && m.allocated,
		Distrust: !m.Record.Leasable() || m.quarantine.stands(now), Busy: now.Before(m.busyUntil)}
	for _, h := range m.held {
		if h.at.After(s.Arrived) {
			c.Held = c.Held.Plus(h.rates)
		}
	}
	return c
}
