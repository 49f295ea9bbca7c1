package evaluate_test

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/kinora/kinora/internal/route"
	"github.com/kinora/kinora/internal/sim/evaluate"
)

// world has sellers of known quality, so that the worth of every rule is known: the mean, over the decisions, of success less
// price of whom it chooses.
var world = []struct {
	node    string
	success float64
	price   uint32
	millis  int64
}{{"cheap and poor", 0.55, 10_000, 900}, {"middling", 0.8, 30_000, 600}, {"fast and dear", 0.97, 50_000, 200}, {"slow and good", 0.95, 20_000, 1900}}

// history logs n decisions of a rule that prefers what is cheap, but tries everybody.
func history(n int, seed uint64) []route.Decision {
	r := rand.New(rand.NewPCG(seed, 7))
	chances := []float64{0.55, 0.25, 0.12, 0.08}
	var all []route.Decision
	for i := range n {
		d := route.Decision{Stream: "cam", Seq: uint64(i), Policy: "drawn"}
		for _, w := range world {
			d.Options = append(d.Options, route.Considered{Node: w.node, Price: w.price, Millis: w.millis, Success: w.success})
		}
		x := r.Float64()
		for d.Chosen = 0; x > chances[d.Chosen] && d.Chosen < len(chances)-1; d.Chosen++ {
			x -= chances[d.Chosen]
		}
		d.Propensity = chances[d.Chosen]
		d.Came = &route.Came{Verified: r.Float64() < world[d.Chosen].success, Millis: world[d.Chosen].millis}
		all = append(all, d)
	}
	return all
}

func worth(i int) float64 { return world[i].success - float64(world[i].price)/1e6 }

func TestOf_comesCloseToTheTruthOfRulesThatWereNeverFollowed(t *testing.T) {
	t.Parallel()
	random := 0.0
	for i := range world {
		random += worth(i) / float64(len(world))
	}
	truth := map[string]float64{"cheapest": worth(0), "fastest": worth(2), "likeliest": worth(2), "random": random}
	inside, outside := 0, 0
	for seed := range uint64(20) {
		r := evaluate.Of(history(3000, seed), evaluate.Policies())
		for _, e := range r.Estimates {
			want, known := truth[e.Policy]
			if !known {
				continue
			}
			for name, got := range map[string]float64{"ips": e.IPS, "snips": e.SNIPS, "dr": e.DR} {
				if math.Abs(got-want) > 0.1 {
					t.Errorf("seed %d: %s of %s is %.3f, the truth is %.3f", seed, name, e.Policy, got, want)
				}
			}
			if math.Abs(e.DR-want) <= 1.96*e.Error {
				inside++
			} else {
				outside++
			}
			if e.Covered < 0.999 || e.Weight <= 0 {
				t.Errorf("%+v", e)
			}
		}
		if best := r.Estimates[0].Policy; best != "fastest" && best != "likeliest" {
			t.Errorf("seed %d: %s is held for the best", seed, best)
		}
		if math.Abs(r.Logged-(0.55*worth(0)+0.25*worth(1)+0.12*worth(2)+0.08*worth(3))) > 0.05 {
			t.Errorf("seed %d: what was done brought %.3f", seed, r.Logged)
		}
	}
	if share := float64(inside) / float64(inside+outside); share < 0.85 { // 95 %, of 80 that are not independent
		t.Errorf("the truth is within two errors in %.0f %% of the estimates", 100*share)
	}
}

func TestOf_isLessNoisyDoublyRobust(t *testing.T) {
	t.Parallel()
	var ips, dr float64
	for seed := range uint64(40) {
		for _, e := range evaluate.Of(history(400, seed), evaluate.Policies()).Estimates {
			if e.Policy == "fastest" {
				ips += math.Pow(e.IPS-worth(2), 2)
				dr += math.Pow(e.DR-worth(2), 2)
			}
		}
	}
	if dr >= ips {
		t.Errorf("squared error %.4f doubly robust, %.4f by propensity alone", dr, ips)
	}
}

func TestOf_saysWhatTheLogNeverTried(t *testing.T) {
	t.Parallel()
	all := history(200, 1)
	for i := range all { // only the cheap one was ever chosen
		all[i].Chosen, all[i].Propensity = 0, 1
	}
	for _, e := range evaluate.Of(all, evaluate.Policies()).Estimates {
		if e.Policy == "fastest" && (e.Covered != 0 || e.Weight != 0) {
			t.Errorf("%+v", e)
		}
		if e.Policy == "cheapest" && (math.Abs(e.Covered-1) > 1e-9 || math.Abs(e.IPS-e.DR) > 1e-9) {
			t.Errorf("%+v", e)
		}
	}
}

func TestRead_skipsWhatHasNoOutcomeOrCannotBe(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	for _, d := range history(3, 1) {
		line, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(line, '\n'))
	}
	b.WriteString("{\"time\":\n{\"chosen\":4,\"propensity\":1,\"outcome\":{}}\n{\"chosen\":0,\"options\":[{}],\"propensity\":0,\"outcome\":{}}\n{\"chosen\":0,\"options\":[{}],\"propensity\":1}\n")
	all, skipped, err := evaluate.Read(&b)
	if err != nil || len(all) != 3 || skipped != 4 {
		t.Errorf("%d decisions, %d skipped, %v", len(all), skipped, err)
	}
	if _, _, err := evaluate.Read(strings.NewReader(strings.Repeat("x", 2<<20))); err == nil {
		t.Error("a line without end was read")
	}
}
