package auction

import (
	"math"
	"math/bits"
	"time"

	"github.com/kinora/kinora/internal/belief"
)

// Quality is what an orchestrator has seen of one transcoder. The zero Quality is a newcomer's.
type Quality struct {
	success belief.Rate
	tail    belief.Level // natural logarithm of the seconds from last source byte to receipt, of all work
	tails   [Classes]belief.Level
	picture belief.Level // of outputs whose likeness to the source was measured, 0 to 1
}

// Class is how much work a ladder is: octaves of pixels a second. A machine that is fast enough for one may be too slow for
// the next.
type Class uint8

// Classes is how many are told apart: from 2^16 pixels a second, less than any ladder has, to 2^31, more than a machine does.
const (
	Classes    = 16
	firstClass = 16
)

// ClassOf is a pixel rate's.
func ClassOf(pixelRate uint64) Class {
	return Class(min(max(bits.Len64(pixelRate), firstClass), firstClass+Classes-1) - firstClass)
}

// Measure turns a Quality into the figure that bids are weighed by.
type Measure struct {
	HalfLife   time.Duration // of an outcome's weight
	Confidence float64       // that the figure is not too high
	Budget     time.Duration // from last source byte to receipt, beyond which an output is of no use
	Success    belief.Prior  // believed of one that nothing is known of
	Tail       belief.Guess
	Picture    belief.Guess
	Other      float64 // outcomes that its time in all classes weighs for one in which it was not seen
	Probation  float64 // outcomes below which it is a newcomer
}

// StandardMeasure has an hour's half-life, nine tenths of confidence, and half the hold-back of two-second segments as the
// budget, so that there is time for a second one. A newcomer is taken for about four fifths of perfect.
func StandardMeasure() Measure {
	return Measure{HalfLife: time.Hour, Confidence: 0.9, Budget: 3 * time.Second, Success: belief.Prior{Yes: 8, No: 0.2},
		Tail: belief.Guess{N: 1, Mean: -0.7, Variance: 0.5}, Picture: belief.Guess{N: 4, Mean: 1, Variance: 0.0001}, Other: 4, Probation: 8}
}

// Verified adds an output of a class that passed, and its time.
func (q Quality) Verified(c Class, tail time.Duration, now time.Time, m Measure) Quality {
	x := math.Log(max(tail, time.Millisecond).Seconds())
	q.success = q.success.Add(true, now, m.HalfLife)
	q.tail = q.tail.Add(x, now, m.HalfLife)
	q.tails[c] = q.tails[c].Add(x, now, m.HalfLife)
	return q
}

// Failed adds an attempt without a verified output.
func (q Quality) Failed(now time.Time, m Measure) Quality {
	q.success = q.success.Add(false, now, m.HalfLife)
	return q
}

// Compared adds how like its source a verified output was, 0 to 1.
func (q Quality) Compared(likeness float64, now time.Time, m Measure) Quality {
	q.picture = q.picture.Add(min(max(likeness, 0), 1), now, m.HalfLife)
	return q
}

// Overall is Figure for work of any class.
func (q Quality) Overall(now time.Time, m Measure) uint32 {
	return q.weigh(q.tail.Over(m.Tail, now, m.HalfLife), now, m)
}

// Figure is the lower bound of success × the probability of being in time with work of a class × likeness, in millionths.
func (q Quality) Figure(c Class, now time.Time, m Measure) uint32 {
	return q.weigh(q.tails[c].Over(q.tail.Over(m.Tail, now, m.HalfLife).Scaled(m.Other), now, m.HalfLife), now, m)
}

// Figures are those of every class.
func (q Quality) Figures(now time.Time, m Measure) (all [Classes]uint32) {
	general := q.tail.Over(m.Tail, now, m.HalfLife).Scaled(m.Other)
	in := q.weigher(now, m)
	usual := in(general)
	for c := range all {
		if all[c] = usual; q.tails[c].N > 0 {
			all[c] = in(q.tails[c].Over(general, now, m.HalfLife))
		}
	}
	return all
}

func (q Quality) weigh(tail belief.Guess, now time.Time, m Measure) uint32 {
	return q.weigher(now, m)(tail)
}

// weigher weighs times beside the success and the likeness, which are of all classes.
func (q Quality) weigher(now time.Time, m Measure) func(tail belief.Guess) uint32 {
	success := q.success.Over(m.Success, now, m.HalfLife).Low(m.Confidence)
	z := math.Sqrt2 * math.Erfinv(2*m.Confidence-1)
	picture := q.picture.Over(m.Picture, now, m.HalfLife)
	likeness := min(1, picture.Mean-z*math.Sqrt(picture.Variance/picture.N))
	return func(tail belief.Guess) uint32 {
		inTime := 1 - tail.BeyondIf(tail.High(z), math.Log(m.Budget.Seconds()))
		return uint32(math.Round(max(0, success*inTime*likeness) * Perfect))
	}
}

// Newcomer reports that too little was seen to tell.
func (q Quality) Newcomer(now time.Time, m Measure) bool {
	return q.success.Seen(now, m.HalfLife) < m.Probation
}
