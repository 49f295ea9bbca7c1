package fleet

import (
	"slices"
	"time"

	"github.com/kinora/kinora/internal/auction"
)

// tails is how many of the newest times are kept.
const tails = 64

// quality is how one transcoder has worked: a moving average of success, and the newest times from last source byte to
// receipt. The zero quality is a newcomer's, taken for perfect.
type quality struct {
	lack  uint32 // millionths short of perfect
	times []time.Duration
	next  int
}

// add counts one attempt; the last ten weigh about two thirds.
func (q *quality) add(ok bool) {
	q.lack -= q.lack / 10
	if !ok {
		q.lack += auction.Perfect / 10
	}
}

func (q *quality) ppm() uint32 { return auction.Perfect - min(q.lack, auction.Perfect) }

func (q *quality) tail(d time.Duration) {
	if len(q.times) < tails {
		q.times = append(q.times, d)
		return
	}
	q.times[q.next] = d
	q.next = (q.next + 1) % tails
}

// p95 is known once there are 20 times.
func (q *quality) p95() (time.Duration, bool) {
	if len(q.times) < 20 {
		return 0, false
	}
	s := slices.Clone(q.times)
	slices.Sort(s)
	return s[len(s)*95/100], true
}
