package fleet

import (
	"slices"
	"time"

	"github.com/kinora/kinora/internal/auction"
)

// tails is how many of the newest times are kept.
const tails = 64

// quality is how one transcoder has worked: what auctions weigh its bids by, and the newest times from last source byte to
// receipt. The zero quality is a newcomer's.
type quality struct {
	seen    auction.Quality
	times   []time.Duration
	next    int
	figures map[auction.Class]figure // since seen changed
	at      time.Time                // of the figure that was committed to last; zero: nothing was ever seen
}

// figure is kept for a while: it moves slowly by itself, and an auction asks for those of every bidder.
type figure struct {
	quality  uint32
	newcomer bool
	until    time.Time
}

// figureFor is how long.
const figureFor = 10 * time.Second

// figure is what bids for work of a class are weighed by.
func (q *quality) figure(c auction.Class, now time.Time, m auction.Measure) figure {
	if f, ok := q.figures[c]; ok && now.Before(f.until) {
		return f
	}
	f := figure{quality: q.seen.Figure(c, now, m), newcomer: q.seen.Newcomer(now, m), until: now.Add(figureFor)}
	if q.figures == nil {
		q.figures = make(map[auction.Class]figure)
	}
	q.figures[c] = f
	return f
}

// verified adds an output that passed, and how long after the last source byte its receipt came.
func (q *quality) verified(c auction.Class, d time.Duration, now time.Time, m auction.Measure) {
	q.seen, q.figures, q.at = q.seen.Verified(c, d, now, m), nil, now
	if len(q.times) < tails {
		q.times = append(q.times, d)
		return
	}
	q.times[q.next] = d
	q.next = (q.next + 1) % tails
}

// failed adds an attempt without a verified output.
func (q *quality) failed(now time.Time, m auction.Measure) {
	q.seen, q.figures, q.at = q.seen.Failed(now, m), nil, now
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
