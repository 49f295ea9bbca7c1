package belief_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/belief"
)

var start = time.Unix(1_000_000, 0)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance {
		t.Errorf("%s: %g, want %g ± %g", what, got, want, tolerance)
	}
}

func TestRate_isTheBetaOfWhatWasSeen(t *testing.T) {
	t.Parallel()
	var r belief.Rate
	for i := range 20 {
		r = r.Add(i%4 != 0, start, time.Minute)
	}
	p := r.Over(belief.Prior{Yes: 1, No: 1}, start, time.Minute)
	near(t, "mean", p.Mean(), 16.0/22, 1e-12)
	source := rand.NewPCG(1, 2)
	draws := make([]float64, 20_000)
	for i := range draws {
		draws[i] = p.Draw(source)
	}
	slices.Sort(draws)
	near(t, "the tenth of the draws below", draws[len(draws)/10], p.Low(0.9), 0.01)
	if p.Low(0.9) >= p.Mean() || p.Low(0.99) >= p.Low(0.9) {
		t.Errorf("lower bounds %g and %g beside a mean of %g", p.Low(0.99), p.Low(0.9), p.Mean())
	}
}

func TestRate_forgetsHalfInAHalfLife(t *testing.T) {
	t.Parallel()
	var r belief.Rate
	for range 8 {
		r = r.Add(false, start, time.Minute)
	}
	near(t, "weight after two half-lives", r.Seen(start.Add(2*time.Minute), time.Minute), 2, 1e-9)
	for range 8 {
		r = r.Add(true, start.Add(2*time.Minute), time.Minute)
	}
	near(t, "mean of 8 new successes and 8 faded failures", r.Over(belief.Prior{Yes: 1, No: 1}, start.Add(2*time.Minute), time.Minute).Mean(), 9.0/12, 1e-9)
	near(t, "a clock that went back forgets nothing", r.Seen(start, time.Minute), 10, 1e-9)
}

func TestLevel_learnsMeanAndSpreadFromAWrongGuess(t *testing.T) {
	t.Parallel()
	g := belief.Guess{N: 2, Mean: 5, Variance: 9}
	var l belief.Level
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 4000 {
		l = l.Add(1+0.5*r.NormFloat64(), start.Add(time.Duration(i)*time.Second), time.Hour)
	}
	end := start.Add(4000 * time.Second)
	b := l.Over(g, end, time.Hour)
	near(t, "mean", b.Mean, 1, 0.05)
	near(t, "variance", b.Variance, 0.25, 0.05)
	near(t, "half lies beyond the mean", b.Beyond(b.Mean), 0.5, 1e-9)
	near(t, "a twentieth beyond the 95 % quantile", b.Beyond(b.Quantile(0.95)), 0.05, 1e-9)
	near(t, "without observations the guess stands", belief.Level{}.Over(g, end, time.Hour).Mean, 5, 0)
	sum, squares := 0.0, 0.0
	for range 20_000 {
		d := b.Draw(r) - b.Mean
		sum, squares = sum+d, squares+d*d
	}
	near(t, "draws are as wide as the mean is unsure", squares/20_000, b.Variance/b.N, 0.1*b.Variance/b.N)
}

func TestSurprise_isInStandardDeviationsOfTheNextNumber(t *testing.T) {
	t.Parallel()
	g := belief.Guess{N: 4, Mean: 1, Variance: 0.8} // of the next one: 0.8 × 1.25
	near(t, "two above", g.Surprise(3), 2, 1e-9)
	near(t, "two below", g.Surprise(-1), 2, 1e-9)
	near(t, "as expected", belief.Guess{N: 1, Mean: 1}.Surprise(1), 0, 0)
}

func TestLevel_followsAChangeWithinAHalfLifeOrTwo(t *testing.T) {
	t.Parallel()
	var l belief.Level
	now := start
	for range 600 {
		now = now.Add(time.Second)
		l = l.Add(0, now, 20*time.Second)
	}
	for range 60 {
		now = now.Add(time.Second)
		l = l.Add(1, now, 20*time.Second)
	}
	near(t, "mean three half-lives after the step", l.Mean, 1-0.125, 0.01)
}
