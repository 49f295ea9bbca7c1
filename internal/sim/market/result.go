package market

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/kinora/kinora/internal/protocol"
)

// buffer is what a player has in hand, in segments: it shows one so long after its last byte.
const buffer = 2

// showing is what became of one segment of a stream.
type showing struct {
	at       time.Duration
	released time.Duration // zero: never
}

type third struct{ segments, missed int }

// tally is what one run gives.
type tally struct {
	segments, missed     int
	attempts, duplicates int
	moves                int // a stream's segment done elsewhere than the one before
	latencies            []float64
	paid                 protocol.Wei
	thirds               []third
	stalled, watched     time.Duration
	earnings             []float64 // of each transcoder, in wei
	lastDone             map[int]int
}

func (t *tally) count(r *run, s *segment, latency time.Duration) {
	t.segments++
	t.latencies = append(t.latencies, latency.Seconds())
	t.thirds[min(2, int(3*s.at/r.config.Length))].segments++
}

func (t *tally) release(r *run, s *segment, a *attempt) {
	t.count(r, s, r.now-s.at)
	r.streams[s.stream].shown[s.n].released = r.now
	if t.lastDone == nil {
		t.lastDone = make(map[int]int)
	}
	if last, ok := t.lastDone[s.stream]; ok && last != a.who {
		t.moves++
	}
	t.lastDone[s.stream] = a.who
}

// miss counts a segment that was given up as one that took its whole hold-back: it took at least that.
func (t *tally) miss(r *run, s *segment) {
	t.count(r, s, r.config.HoldBack)
	t.missed++
	t.thirds[min(2, int(3*s.at/r.config.Length))].missed++
}

// finish plays every stream.
func (t *tally) finish(r *run) {
	slices.Sort(t.latencies)
	for _, s := range r.streams {
		behind := time.Duration(0)
		for _, x := range s.shown {
			t.watched += r.config.Segment
			due := x.at + buffer*r.config.Segment + behind
			switch {
			case x.released == 0:
				t.stalled += r.config.Segment
			case x.released > due:
				t.stalled += x.released - due
				behind += x.released - due
			}
		}
	}
	for _, x := range r.transcoders {
		wei, _ := x.earned.Big().Float64()
		t.earnings = append(t.earnings, wei)
	}
}

func (t *tally) missRate() float64 { return float64(t.missed) / float64(max(1, t.segments)) }

func (t *tally) percentile(p float64) float64 {
	if len(t.latencies) == 0 {
		return 0
	}
	return t.latencies[min(len(t.latencies)-1, int(p*float64(len(t.latencies))))]
}

// costPerMinute is in wei.
func (t *tally) costPerMinute(segment time.Duration) float64 {
	paid, _ := t.paid.Big().Float64()
	return paid / max(1, float64(t.segments-t.missed)) / segment.Minutes()
}

// gini is 0 where all earn alike, near 1 where one earns everything.
func gini(v []float64) float64 {
	s := slices.Clone(v)
	slices.Sort(s)
	sum, ranked := 0.0, 0.0
	for i, x := range s {
		sum += x
		ranked += float64(i+1) * x
	}
	if sum == 0 {
		return 0
	}
	n := float64(len(s))
	return 2*ranked/(n*sum) - (n+1)/n
}

// Estimate is a mean over the runs with its 95 % confidence interval.
type Estimate struct {
	Mean float64
	Low  float64
	High float64
}

// Row is one policy in one regime. Shares are from 0 to 1, times in seconds from a segment's last byte to its verified
// output; one that was missed counts with its hold-back.
type Row struct {
	Policy           Policy     `json:"policy"`
	MissRate         float64    `json:"miss_rate"`
	MissRateCI       [2]float64 `json:"miss_rate_ci95"`
	P50              float64    `json:"p50"`
	P95              float64    `json:"p95"`
	P99              float64    `json:"p99"`
	P99CI            [2]float64 `json:"p99_ci95"`
	Regret           float64    `json:"regret"` // segments missed beyond the oracle's, of a thousand
	RegretCI         [2]float64 `json:"regret_ci95"`
	RegretFirstThird float64    `json:"regret_first_third"`
	RegretLastThird  float64    `json:"regret_last_third"`
	Rebuffer         float64    `json:"rebuffer_s_per_hour"` // of one viewer with two segments in hand
	Duplicates       float64    `json:"duplicates"`          // attempts beside another of the same segment, by segments
	Moves            float64    `json:"moves_per_minute"`    // of one stream
	Cost             string     `json:"wei_per_verified_minute"`
	CostCI           [2]string  `json:"wei_per_verified_minute_ci95"`
	Gini             float64    `json:"gini"`
}

// Result is the rows of each regime.
type Result struct {
	Regimes map[Regime][]Row `json:"regimes"`
}

// Run simulates every policy in every regime.
func Run(ctx context.Context, c Config) (Result, error) {
	if err := c.Validate(); err != nil {
		return Result{}, err
	}
	type cellKey struct {
		regime Regime
		policy Policy
	}
	policies := c.Policies
	if !slices.Contains(policies, Oracle) { // regret is against it
		policies = append(slices.Clone(policies), Oracle)
	}
	tallies := make(map[cellKey][]tally)
	for _, regime := range c.Regimes {
		for _, p := range policies {
			tallies[cellKey{regime, p}] = make([]tally, c.Runs)
		}
	}
	work := make(chan func())
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for f := range work {
				f()
			}
		})
	}
	for i := range c.Runs {
		for _, regime := range c.Regimes {
			for _, p := range policies {
				if ctx.Err() == nil {
					into := &tallies[cellKey{regime, p}][i]
					work <- func() { *into = simulate(c, regime, p, c.Seed*1_000_003+uint64(i)) }
				}
			}
		}
	}
	close(work)
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	result := Result{Regimes: make(map[Regime][]Row)}
	for _, regime := range c.Regimes {
		for _, p := range c.Policies {
			result.Regimes[regime] = append(result.Regimes[regime], row(c, p, tallies[cellKey{regime, p}], tallies[cellKey{regime, Oracle}]))
		}
	}
	return result, nil
}

func row(c Config, p Policy, runs, oracle []tally) Row {
	estimate := func(f func(i int) float64) Estimate {
		v := make([]float64, len(runs))
		for i := range v {
			v[i] = f(i)
		}
		return bootstrap(v)
	}
	mean := func(f func(i int) float64) float64 { return estimate(f).Mean }
	regret := func(from, to int) func(i int) float64 {
		rate := func(t tally) float64 {
			sum := third{}
			for _, x := range t.thirds[from:to] {
				sum.segments += x.segments
				sum.missed += x.missed
			}
			return 1000 * float64(sum.missed) / float64(max(1, sum.segments))
		}
		return func(i int) float64 { return rate(runs[i]) - rate(oracle[i]) }
	}
	miss := estimate(func(i int) float64 { return runs[i].missRate() })
	p99 := estimate(func(i int) float64 { return runs[i].percentile(0.99) })
	lost := estimate(regret(0, 3))
	cost := estimate(func(i int) float64 { return runs[i].costPerMinute(c.Segment) })
	hours := func(i int) float64 { return max(1e-9, runs[i].watched.Hours()) }
	return Row{Policy: p, MissRate: miss.Mean, MissRateCI: [2]float64{miss.Low, miss.High}, P99: p99.Mean, P99CI: [2]float64{p99.Low, p99.High},
		P50: mean(func(i int) float64 { return runs[i].percentile(0.5) }), P95: mean(func(i int) float64 { return runs[i].percentile(0.95) }),
		Regret: lost.Mean, RegretCI: [2]float64{lost.Low, lost.High}, RegretFirstThird: mean(regret(0, 1)), RegretLastThird: mean(regret(2, 3)),
		Rebuffer:   mean(func(i int) float64 { return runs[i].stalled.Seconds() / hours(i) }),
		Duplicates: mean(func(i int) float64 { return float64(runs[i].duplicates) / float64(max(1, runs[i].segments)) }),
		Moves:      mean(func(i int) float64 { return float64(runs[i].moves) / hours(i) / 60 }),
		Cost:       wei(cost.Mean), CostCI: [2]string{wei(cost.Low), wei(cost.High)},
		Gini: mean(func(i int) float64 { return gini(runs[i].earnings) })}
}

// bootstrap estimates the mean of v by drawing it again two thousand times.
func bootstrap(v []float64) Estimate {
	r := rand.New(rand.NewPCG(1, uint64(len(v))))
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	n := float64(len(v))
	means := make([]float64, 2000)
	for i := range means {
		for range v {
			means[i] += v[r.IntN(len(v))] / n
		}
	}
	slices.SortFunc(means, cmp.Compare)
	return Estimate{Mean: sum / n, Low: means[len(means)*25/1000], High: means[len(means)*975/1000]}
}

func wei(f float64) string {
	return protocol.NewWei(uint64(math.Round(f))).String()
}
