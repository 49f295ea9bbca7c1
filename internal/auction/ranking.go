package auction

import (
	"bytes"
	"iter"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

// Ranking keeps bidders in the order of their scores for one kind of work, so that an auction among thousands looks at the
// best few. A change costs one binary search; what changes from moment to moment, such as who is busy, is asked when it is
// needed. Those without room for the work are left out, so that a market whose cheapest are all taken is no slower. It is not
// safe for concurrent use.
type Ranking struct {
	ask   Ask
	work  protocol.CodecRates
	value Wei
	order []*ranked // best first; equals by address
	of    map[common.Address]*ranked
}

type ranked struct {
	transcoder common.Address
	score      *big.Int
}

// NewRanking ranks for work like ask's: same ladder, rate, maximum prices and value.
func NewRanking(ask Ask) *Ranking {
	ask.Avoid = nil
	return &Ranking{ask: ask, work: ask.Ladder.PixelRates(ask.SourceFPS), value: ask.value(), of: make(map[common.Address]*ranked)}
}

// Put places c, whose prices, quality or room are new or have changed.
func (r *Ranking) Put(c Candidate) {
	t := c.Bid.Transcoder
	choice := choose(c, r.ask, r.work)
	switch choice.Reason {
	case CodecNotSold, BelowFloor, PriceAboveMax, NoCapacity:
		r.Remove(t)
		return
	}
	s := score(r.value, c.Quality, choice.Cost)
	if known := r.of[t]; known != nil {
		if known.score.Cmp(s) == 0 {
			return
		}
		r.Remove(t)
	}
	e := &ranked{t, s}
	i, _ := slices.BinarySearchFunc(r.order, e, (*ranked).compare)
	r.order = slices.Insert(r.order, i, e)
	r.of[t] = e
}

// Remove takes t out.
func (r *Ranking) Remove(t common.Address) {
	e := r.of[t]
	if e == nil {
		return
	}
	i, _ := slices.BinarySearchFunc(r.order, e, (*ranked).compare)
	r.order = slices.Delete(r.order, i, i+1)
	delete(r.of, t)
}

func (e *ranked) compare(other *ranked) int {
	if order := other.score.Cmp(e.score); order != 0 {
		return order
	}
	return bytes.Compare(e.transcoder[:], other.transcoder[:])
}

// Best returns the first n that can have the lease, as Pick would rank them, and those that it passed over on the way though
// the ask does not avoid them; ask is for work of this kind. now gives the candidate as it stands, with the prices, the quality
// and the room of its last Put, or why it is not to be compared; of those that are Unproven nothing is said.
func (r *Ranking) Best(ask Ask, n int, now func(common.Address) (Candidate, Reason)) (best []Choice, passed []Passed) {
	for i := 0; i < len(r.order) && len(best) < n; {
		equal := r.order[i].score
		if ask.Reserve != nil && equal.Cmp(ask.Reserve) < 0 {
			break
		}
		first := i
		for i++; i < len(r.order) && r.order[i].score.Cmp(equal) == 0; i++ {
		}
		for _, t := range inTurn(r.order[first:i], ask) {
			c, why := now(t)
			if why != "" {
				if why != Unproven {
					passed = append(passed, Passed{t, why})
				}
				continue
			}
			choice := choose(c, ask, r.work)
			if choice.Reason != "" {
				if choice.Reason != Avoided {
					passed = append(passed, Passed{t, choice.Reason})
				}
				continue
			}
			choice.Score = equal
			if best = append(best, choice); len(best) == n {
				break
			}
		}
	}
	return best, passed
}

// inTurn yields equals in the order of their ties, sorting no more of them than are asked for.
func inTurn(equals []*ranked, ask Ask) iter.Seq2[int, common.Address] {
	return func(yield func(int, common.Address) bool) {
		if len(equals) == 1 {
			yield(0, equals[0].transcoder)
			return
		}
		type turn struct {
			tie []byte
			of  common.Address
		}
		turns := make([]turn, len(equals))
		for i, e := range equals {
			turns[i] = turn{ask.tieOf(e.transcoder), e.transcoder}
		}
		for i := range turns {
			least := i
			for j := i + 1; j < len(turns); j++ {
				if bytes.Compare(turns[j].tie, turns[least].tie) < 0 {
					least = j
				}
			}
			turns[i], turns[least] = turns[least], turns[i]
			if !yield(i, turns[i].of) {
				return
			}
		}
	}
}
