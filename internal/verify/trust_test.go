package verify

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/kinora/kinora/internal/protocol"
)

var (
	pass = Verdict{Passed: true}
	fail = Verdict{}
)

func after(r Record, vs ...Verdict) Record {
	for _, v := range vs {
		r = r.After(v)
	}
	return r
}

func repeat(n int, v Verdict) []Verdict {
	out := make([]Verdict, n)
	for i := range out {
		out[i] = v
	}
	return out
}

func TestRecord(t *testing.T) {
	t.Parallel()
	steady := after(Record{}, repeat(NewUntil, pass)...)
	for _, c := range []struct {
		name     string
		r        Record
		state    State
		rate     float64
		leasable bool
	}{
		{"never seen", Record{}, "", 1, true},
		{"one pass", after(Record{}, pass), New, 1, true},
		{"one short of steady", after(Record{}, repeat(NewUntil-1, pass)...), New, 1, true},
		{"steady", steady, Steady, SteadyRate, true},
		{"one failure", after(Record{}, fail), Suspect, 1, false},
		{"a steady one's failure", after(steady, fail), Suspect, 1, false},
		{"two failures", after(Record{}, fail, fail), CutOff, 1, false},
		{"a good past buys nothing", after(after(Record{}, repeat(100_000, pass)...), fail, fail), CutOff, 1, false},
		{"passes after a cut-off change nothing", after(after(Record{}, fail, fail), repeat(1000, pass)...), CutOff, 1, false},
		{"on its way back", after(steady, fail, pass, pass), Suspect, 1, false},
		{"back", after(steady, fail, pass, pass, pass), Steady, SteadyRate, true},
		{"fails every fourth", after(Record{}, fail, pass, pass, pass, fail, pass, pass, pass, fail, pass, pass, pass, fail), CutOff, 1, false},
		{"inconclusive says nothing", after(Record{}, Verdict{Inconclusive: true}, Verdict{Inconclusive: true}), "", 1, true},
		{"restored", after(Record{}, fail, fail).Restore(), New, 1, true},
	} {
		if c.r.State != c.state || c.r.Rate() != c.rate || c.r.Leasable() != c.leasable {
			t.Errorf("%s: %+v, rate %v, leasable %v", c.name, c.r, c.r.Rate(), c.r.Leasable())
		}
	}
}

// TestRecord_cutsOffCheatersAndKeepsTheHonest plays payees of known failure rates against the sequential tests.
func TestRecord_cutsOffCheatersAndKeepsTheHonest(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	cutOff := func(rate float64, attempts int) int {
		n := 0
		for range 200 {
			var r Record
			for range attempts {
				v := pass
				if rnd.Float64() < rate {
					v = fail
				}
				if r = r.After(v); r.State == CutOff {
					n++
					break
				}
			}
		}
		return n
	}
	if n := cutOff(0.0001, 5000); n > 2 {
		t.Errorf("%d of 200 honest payees were cut off", n)
	}
	for _, c := range []struct {
		rate     float64
		attempts int
	}{{0.95, 10}, {0.25, 100}, {0.05, 600}} {
		if n := cutOff(c.rate, c.attempts); n < 180 {
			t.Errorf("of 200 that cheat %.0f %% of the time, %d were cut off within %d checks", 100*c.rate, n, c.attempts)
		}
	}
}

func TestEpoch_samplesItsShareAndCanBeAudited(t *testing.T) {
	t.Parallel()
	e := NewEpoch()
	revealed := EpochOf(e.Secret())
	if revealed.Commitment() != e.Commitment() || NewEpoch().Commitment() == e.Commitment() {
		t.Error("the commitment does not name the secret")
	}
	n := 0
	const attempts = 20_000
	for range attempts {
		id := protocol.NewID()
		sampled := e.Sampled(id, 0.3)
		if sampled {
			n++
		}
		if sampled != revealed.Sampled(id, 0.3) {
			t.Fatal("the revealed secret decides otherwise")
		}
		if sampled && !e.Sampled(id, 0.6) {
			t.Fatal("sampled at a rate, and not at a higher one")
		}
		if !e.Sampled(id, 1) || e.Sampled(id, 0) {
			t.Fatal("rates 1 and 0")
		}
	}
	if n < attempts*28/100 || n > attempts*32/100 {
		t.Errorf("%d of %d sampled at 30 %%", n, attempts)
	}
	secret := e.Secret()
	for _, s := range []string{fmt.Sprint(e), fmt.Sprintf("%v %+v %#v", e, e, e)} {
		if strings.Contains(s, fmt.Sprintf("%x", secret[:4])) || strings.Contains(s, fmt.Sprint(secret[0], " ", secret[1])) {
			t.Errorf("prints its secret: %s", s)
		}
	}
}
