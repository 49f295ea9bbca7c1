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

// kind is work whose bidders rank alike: as many pixels a second of each codec, as much work to make them (which a preset and what
// is decoded change), under the same maximum prices.
type kind struct {
	paid, work, most string
	value            protocol.Wei
}

func kindOf(ask auction.Ask) kind {
	var paid, work, most []byte
	for _, p := range ask.Ladder {
		paid = append(binary.BigEndian.AppendUint64(paid, p.PixelRate(ask.SourceFPS)), p.Codec...)
	}
	for _, r := range ask.Ladder.PixelRates(ask.SourceFPS) {
		work = append(binary.BigEndian.AppendUint64(work, r.PixelRate), r.Codec...)
	}
	for _, p := range ask.MaxPrices {
		price := p.WeiPerPixel.Bytes32()
		most = append(append(most, price[:]...), p.Codec...)
	}
	return kind{string(paid), string(work), string(most), ask.Value}
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
	f.mu.Lock()
	defer f.mu.Unlock()
	best, _ := f.bestLocked(Listing{Ask: ask}, n, time.Now())
	return best
}

// bestLocked is the head of pickLocked, if there are n; of the proven alone where l asks for these.
func (f *Fleet) bestLocked(l Listing, n int, now time.Time) ([]auction.Choice, []auction.Passed) {
	ask := l.Ask
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
	return r.Best(ask, n, func(t common.Address) (auction.Candidate, auction.Reason) {
		s, ok := f.book.Get(t, now)
		if !ok {
			return auction.Candidate{}, auction.Expired
		}
		if reason := l.pass(s.Bid.Message); reason != "" {
			return auction.Candidate{}, reason
		}
		m := f.members[t]
		var known auction.Figure
		if f.terms != nil {
			known = *m.figure
		} else {
			seen := m.quality.figures[r.class] // as it was placed by
			known = auction.Figure{Transcoder: t, Newcomer: seen.newcomer}
			known.Quality[r.class] = seen.quality
		}
		if l.Proven && known.Newcomer {
			return auction.Candidate{}, auction.Unproven
		}
		return m.candidate(s, known, r.class, now), ""
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

// rankLocked puts t where it belongs in the book and in every ranking, after anything that its score depends on has changed.
func (f *Fleet) rankLocked(t common.Address, now time.Time) {
	m := f.members[t]
	if m != nil {
		f.standLocked(m, now)
	}
	for _, r := range f.rankings {
		f.placeLocked(r, t, m, now)
	}
}

// placeLocked ranks what the book has of m, whether or not it has run out since: that is asked when it is looked at.
func (f *Fleet) placeLocked(r *ranking, t common.Address, m *member, now time.Time) {
	if m == nil || m.stands.Empty() {
		r.Remove(t)
		return
	}
	known := f.figureLocked(m, r.class, now)
	if known.Transcoder == (common.Address{}) {
		r.Remove(t)
		return
	}
	r.Put(m.candidate(auction.Standing{}, known, r.class, now))
}

// candidate is what stands of a member in the book with its figure, and what is known of this moment; s is its newest bid, by
// whose number it is known where that changed no terms.
func (m *member) candidate(s auction.Standing, known auction.Figure, class auction.Class, now time.Time) auction.Candidate {
	c := m.stands.Candidate(known, class)
	if c.Busy = now.Before(m.busyUntil); s.Bid.Message.SameTerms(c.Bid) {
		c.Bid = s.Bid.Message
	}
	return c
}
