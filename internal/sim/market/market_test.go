package market

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/verify"
)

// short is a market of two minutes.
func short() Config {
	c := Standard()
	c.Length, c.Runs = 2*time.Minute, 2
	return c
}

func rows(t *testing.T, c Config, regime Regime) map[Policy]Row {
	t.Helper()
	c.Regimes = []Regime{regime}
	r, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	by := make(map[Policy]Row)
	for _, x := range r.Regimes[regime] {
		by[x.Policy] = x
	}
	return by
}

// What the whole simulation of docs/market-simulation.md shows must show in a small one, in the regimes that matter most.
func TestKinora_keepsItsAimsWhenTheMarketChanges(t *testing.T) {
	t.Parallel()
	for _, regime := range []Regime{Abrupt, Flash, Churn} {
		t.Run(string(regime), func(t *testing.T) {
			t.Parallel()
			c := Standard() // in its whole length: p99 is that of a market that has learnt
			c.Runs, c.Policies = 1, []Policy{RoundRobin, P2C, P2CEWMA, Kinora}
			by := rows(t, c, regime)
			us := by[Kinora]
			if us.MissRate > by[RoundRobin].MissRate/4 || us.MissRate > 0.8*by[P2CEWMA].MissRate || us.MissRate > 1.05*by[P2C].MissRate {
				t.Errorf("misses %.4f; round robin %.4f, p2c-ewma %.4f, p2c %.4f", us.MissRate, by[RoundRobin].MissRate, by[P2CEWMA].MissRate, by[P2C].MissRate)
			}
			if us.P99 > by[RoundRobin].P99/2 {
				t.Errorf("p99 %.2f s, round robin has %.2f s", us.P99, by[RoundRobin].P99)
			}
			if us.Duplicates > 0.05 || us.Duplicates == 0 {
				t.Errorf("duplicates %.4f", us.Duplicates)
			}
		})
	}
}

func TestRun_dependsOnItsSeedAlone(t *testing.T) {
	t.Parallel()
	text := func(seed uint64) string {
		c := short()
		c.Streams, c.Length, c.Runs, c.Seed, c.Regimes = 15, 40*time.Second, 1, seed, []Regime{Churn}
		r, err := Run(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	first := text(7)
	if again := text(7); again != first {
		t.Fatalf("the same seed gave\n%s\nand\n%s", first, again)
	}
	if text(8) == first {
		t.Error("another seed gave the same")
	}
}

// books runs one market and gives it back at its end.
func books(c Config, regime Regime, p Policy) *run {
	var r *run
	inspect := c
	inspect.Runs = 1
	r = newRun(inspect, regime, p, 3)
	r.play()
	return r
}

func TestSimulate_losesNoSegmentAndNoWork(t *testing.T) {
	t.Parallel()
	c := short()
	c.Transcoders, c.Streams, c.Length = 10, 15, 40*time.Second
	for _, regime := range Regimes() {
		for _, p := range Policies() {
			r := books(c, regime, p)
			want := 0
			for _, s := range r.streams {
				want += len(s.shown)
			}
			if r.tally.segments != want || len(r.tally.latencies) != want || r.tally.attempts < want-r.tally.missed {
				t.Errorf("%s, %s: %d segments of %d, %d attempts", regime, p, r.tally.segments, want, r.tally.attempts)
			}
			for i, x := range r.transcoders {
				if x.running != 0 || x.waiting != 0 || len(x.active) != 0 {
					t.Errorf("%s, %s: at the end transcoder %d runs %d, %d wait", regime, p, i, x.running, x.waiting)
				}
			}
			for _, o := range r.orchestrators {
				for i, n := range o.own {
					if n != 0 {
						t.Errorf("%s, %s: at the end orchestrator %d has %d in flight with %d", regime, p, o.id, n, i)
					}
				}
			}
			earned := r.tally.paid
			for _, x := range r.transcoders {
				earned = earned.Sub(x.earned)
			}
			if !earned.IsZero() {
				t.Errorf("%s, %s: %s wei were paid and not earned", regime, p, earned)
			}
		}
	}
}

// With free slots everywhere a piece takes its speed times its weight times the lognormal factor, and the trip.
func TestSimulate_takesTheTimeThatTheModelSays(t *testing.T) {
	t.Parallel()
	c := short()
	c.Streams, c.Transcoders, c.Length = 2, 40, time.Hour
	r := books(c, Steady, Random)
	want := 0.0
	for _, s := range r.streams {
		for _, x := range r.transcoders {
			mean := x.speed * weights[s.ladder] * c.Segment.Seconds() * math.Exp(spread*spread/2)
			want += (mean + trips[s.region][x.region].Seconds()) / float64(len(r.streams)*len(r.transcoders))
		}
	}
	sum := 0.0
	for _, x := range r.tally.latencies {
		sum += x
	}
	if got := sum / float64(len(r.tally.latencies)); math.Abs(got-want) > 0.05*want {
		t.Errorf("mean %.3f s, want %.3f", got, want)
	}
}

func TestKinora_cutsOffCheatsAndTheOracleIsNotBeaten(t *testing.T) {
	t.Parallel()
	c := short()
	longer := c
	longer.Transcoders, longer.Streams, longer.Orchestrators, longer.Length = 10, 15, 1, 12*time.Minute
	r := books(longer, Cheats, Kinora)
	caught := 0
	for i, x := range r.transcoders {
		for _, o := range r.orchestrators {
			state := o.policy.(*kinora).records[i].State
			if state == verify.CutOff && !x.cheat {
				t.Errorf("honest transcoder %d was cut off", i)
			}
			if x.cheat && state == verify.CutOff {
				caught++
			}
		}
	}
	if caught == 0 {
		t.Error("no orchestrator cut off a cheat in a quarter of an hour")
	}
	c.Runs, c.Length = 1, time.Minute
	by := rows(t, c, Cheats)
	for p, x := range by {
		if x.MissRate < by[Oracle].MissRate || x.Regret < 0 {
			t.Errorf("%s misses %.4f, the oracle %.4f", p, x.MissRate, by[Oracle].MissRate)
		}
	}
}

func TestSecondScore_costsMoreThanTheBidsAndChangesNobodysWork(t *testing.T) {
	t.Parallel()
	c := short()
	c.Policies = []Policy{Kinora}
	c.Runs, c.Length = 1, time.Minute
	bids := rows(t, c, Steady)[Kinora]
	c.Rule = auction.SecondScore
	second := rows(t, c, Steady)[Kinora]
	if len(second.Cost) < len(bids.Cost) || len(second.Cost) == len(bids.Cost) && second.Cost <= bids.Cost {
		t.Errorf("second score costs %s a minute, pay-as-bid %s", second.Cost, bids.Cost)
	}
}

func TestTally_playsWhatCameLateOrNever(t *testing.T) {
	t.Parallel()
	c := Standard()
	at := func(n int, after float64) showing {
		s := showing{at: time.Duration(n) * c.Segment}
		if after > 0 {
			s.released = s.at + time.Duration(after*1e9)
		}
		return s
	}
	// Two segments in hand are four seconds. The second segment comes 1 s too late, and the third 0.5 s later than that still.
	r := &run{config: c, streams: []*stream{{shown: []showing{at(0, 3.9), at(1, 5), at(2, 5.5), at(3, 5), at(4, 0)}}}}
	r.tally.finish(r)
	if want := 1500*time.Millisecond + c.Segment; r.tally.stalled != want || r.tally.watched != 5*c.Segment {
		t.Errorf("stalled %s of %s, want %s", r.tally.stalled, r.tally.watched, want)
	}
}

func TestGini_andBootstrapAreWhatTheyAreCalled(t *testing.T) {
	t.Parallel()
	for want, v := range map[float64][]float64{0: {3, 3, 3}, 0.75: {0, 0, 0, 8}, 0.25: {1, 3}} {
		if got := gini(v); math.Abs(got-want) > 1e-12 {
			t.Errorf("gini of %v is %g, want %g", v, got, want)
		}
	}
	v := make([]float64, 40)
	for i := range v {
		v[i] = float64(i % 4)
	}
	e := bootstrap(v) // the standard error is 1.118/√40
	if e.Mean != 1.5 || math.Abs(e.Low-(1.5-1.96*0.177)) > 0.05 || math.Abs(e.High-(1.5+1.96*0.177)) > 0.05 {
		t.Errorf("%+v", e)
	}
}

func TestSVG_isWellFormedAndNamesEverything(t *testing.T) {
	t.Parallel()
	c := short()
	c.Transcoders, c.Streams, c.Length, c.Runs = 5, 3, 40*time.Second, 1
	r, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	picture := r.SVG(c)
	for d := xml.NewDecoder(strings.NewReader(string(picture))); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range Policies() {
		if n := strings.Count(string(picture), ">"+string(p)+"<"); n != len(Regimes()) {
			t.Errorf("%s is drawn %d times", p, n)
		}
	}
}

func TestValidate_namesTheFieldThatCannotBe(t *testing.T) {
	t.Parallel()
	for want, edit := range map[string]func(*Config){
		"transcoders:":   func(c *Config) { c.Transcoders = 1 },
		"streams:":       func(c *Config) { c.Streams = 0 },
		"orchestrators:": func(c *Config) { c.Orchestrators = 0 },
		"runs:":          func(c *Config) { c.Runs = 0 },
		"segment:":       func(c *Config) { c.Segment = 0 },
		"hold-back:":     func(c *Config) { c.HoldBack = time.Second },
		"length:":        func(c *Config) { c.Length = time.Second },
		"rule:":          func(c *Config) { c.Rule = "dutch" },
		"value:":         func(c *Config) { c.Value = 0 },
		"regime:":        func(c *Config) { c.Regimes = []Regime{"calm"} },
		"policy:":        func(c *Config) { c.Policies = []Policy{"best"} },
	} {
		c := Standard()
		edit(&c)
		if _, err := Run(t.Context(), c); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("want an error about %q, got %v", want, err)
		}
	}
	if err := Standard().Validate(); err != nil || !slices.Equal(Standard().Policies, Policies()) {
		t.Errorf("the standard market: %v", err)
	}
}
