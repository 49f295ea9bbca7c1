// Package belief holds what has been learnt of a rate or of a time from outcomes that fade: an outcome counts half after a
// half-life, so that a machine that changed is believed anew. All is pure: the time and the randomness are handed in, and
// nothing here is money.
package belief

import (
	"math"
	"math/rand/v2"
	"time"

	"gonum.org/v1/gonum/stat/distuv"
)

// Rate is what is known of the probability of success: a Beta distribution over a prior. The zero Rate has seen nothing.
type Rate struct {
	Yes, No float64 // outcomes seen, faded until At
	At      time.Time
}

// Prior is what is believed of a Rate before anything was seen, as outcomes.
type Prior struct{ Yes, No float64 }

// Seen is the weight of what was seen, at now.
func (r Rate) Seen(now time.Time, halfLife time.Duration) float64 {
	f := fade(now.Sub(r.At), halfLife)
	return (r.Yes + r.No) * f
}

// Add counts an outcome.
func (r Rate) Add(ok bool, now time.Time, halfLife time.Duration) Rate {
	f := fade(now.Sub(r.At), halfLife)
	r.Yes, r.No, r.At = r.Yes*f, r.No*f, now
	if ok {
		r.Yes++
	} else {
		r.No++
	}
	return r
}

// Capped weighs no more than n outcomes, the newest most: what is seen often is soon believed to have changed.
func (r Rate) Capped(n float64) Rate {
	if w := r.Yes + r.No; w > n {
		r.Yes, r.No = r.Yes*n/w, r.No*n/w
	}
	return r
}

// Over is the distribution at now.
func (r Rate) Over(p Prior, now time.Time, halfLife time.Duration) Prior {
	f := fade(now.Sub(r.At), halfLife)
	return Prior{p.Yes + r.Yes*f, p.No + r.No*f}
}

// Mean is the expected rate.
func (p Prior) Mean() float64 { return p.Yes / (p.Yes + p.No) }

// Low is the rate that the true one exceeds with probability confidence.
func (p Prior) Low(confidence float64) float64 {
	return distuv.Beta{Alpha: p.Yes, Beta: p.No}.Quantile(1 - confidence)
}

// Draw is a rate that may be the true one, as likely as it is.
func (p Prior) Draw(src rand.Source) float64 {
	return distuv.Beta{Alpha: p.Yes, Beta: p.No, Src: src}.Rand()
}

// Scaled is p with the weight of n outcomes, or its own where that is less.
func (p Prior) Scaled(n float64) Prior {
	w := p.Yes + p.No
	if w <= n {
		return p
	}
	return Prior{p.Yes * n / w, p.No * n / w}
}

// Level is what is known of a number that varies, such as the logarithm of a time: its mean and its spread. The zero Level
// has seen nothing.
type Level struct {
	N, Mean, Squares float64 // weight, mean, and sum of squared deviations, faded until At
	At               time.Time
}

// Guess is what is believed of a Level: a mean as good as N observations, and the variance of one.
type Guess struct{ N, Mean, Variance float64 }

// Add counts an observation.
func (l Level) Add(x float64, now time.Time, halfLife time.Duration) Level {
	f := fade(now.Sub(l.At), halfLife)
	n := l.N*f + 1
	d := x - l.Mean
	mean := l.Mean + d/n
	if l.N == 0 {
		mean, d = x, 0
	}
	return Level{N: n, Mean: mean, Squares: l.Squares*f + d*(x-mean), At: now}
}

// Capped weighs no more than n observations, the newest most.
func (l Level) Capped(n float64) Level {
	if l.N > n {
		l.N, l.Squares = n, l.Squares*n/l.N
	}
	return l
}

// Over is the belief at now, where g was believed before.
func (l Level) Over(g Guess, now time.Time, halfLife time.Duration) Guess {
	f := fade(now.Sub(l.At), halfLife)
	n := l.N * f
	if n <= 0 {
		return g
	}
	w := g.N + n
	d := l.Mean - g.Mean
	return Guess{N: w, Mean: (g.N*g.Mean + n*l.Mean) / w, Variance: (g.N*g.Variance + l.Squares*f + g.N*n/w*d*d) / w}
}

// Scaled is g with the weight of n observations, or its own where that is less.
func (g Guess) Scaled(n float64) Guess {
	g.N = math.Min(g.N, n)
	return g
}

// Draw is a mean that may be the true one, as likely as it is.
func (g Guess) Draw(r *rand.Rand) float64 { return g.Mean + r.NormFloat64()*math.Sqrt(g.Variance/g.N) }

// Beyond is the probability that the next number exceeds x.
func (g Guess) Beyond(x float64) float64 { return exceeds(g.Mean, g.Variance*(1+1/g.N), x) }

// BeyondIf is the probability that the next number exceeds x if the mean is m.
func (g Guess) BeyondIf(m, x float64) float64 { return exceeds(m, g.Variance, x) }

// Surprise is how many standard deviations a number is away from what was expected of the next one.
func (g Guess) Surprise(x float64) float64 {
	if d := math.Abs(x - g.Mean); d > 0 {
		return d / math.Sqrt(g.Variance*(1+1/g.N))
	}
	return 0
}

// High is the mean that the true one stays below with a probability of z standard deviations.
func (g Guess) High(z float64) float64 { return g.Mean + z*math.Sqrt(g.Variance/g.N) }

// Quantile is what the next number stays below with probability p.
func (g Guess) Quantile(p float64) float64 {
	return g.Mean + math.Sqrt(2*g.Variance*(1+1/g.N))*math.Erfinv(2*p-1)
}

func exceeds(mean, variance, x float64) float64 {
	if variance <= 0 {
		if mean > x {
			return 1
		}
		return 0
	}
	return 0.5 * math.Erfc((x-mean)/math.Sqrt(2*variance))
}

func fade(age, halfLife time.Duration) float64 {
	if halfLife <= 0 || age <= 0 {
		return 1
	}
	return math.Exp2(-float64(age) / float64(halfLife))
}
