// Package evaluate estimates from a log of routing decisions what another rule would have brought, without trying it: each
// logged outcome is weighed by how much likelier the other rule would have chosen it (inverse propensity scoring), and a
// model of each seller fills in for the choices that were never made (doubly robust).
package evaluate

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/kinora/kinora/internal/route"
)

// Policy gives the probability with which a rule chooses each option of a decision.
type Policy struct {
	Name    string
	Chances func(d route.Decision) []float64
}

// Policies that a log can be held against.
func Policies() []Policy {
	return []Policy{
		{"random", func(d route.Decision) []float64 {
			p := make([]float64, len(d.Options))
			for i := range p {
				p[i] = 1 / float64(len(p))
			}
			return p
		}},
		{"cheapest", best(func(c route.Considered) float64 { return float64(c.Price) })},
		{"fastest", best(func(c route.Considered) float64 { return float64(c.Millis) })},
		{"likeliest", best(func(c route.Considered) float64 { return -c.Success })},
		{"nearest", best(func(c route.Considered) float64 { return float64(c.RTTMicros) })},
		{"holder", best(func(c route.Considered) float64 {
			if c.Holder {
				return 0
			}
			return 1 + float64(c.Price)
		})},
	}
}

// best always chooses the least, and of equals each as often.
func best(of func(route.Considered) float64) func(route.Decision) []float64 {
	return func(d route.Decision) []float64 {
		p := make([]float64, len(d.Options))
		least := math.Inf(1)
		for _, c := range d.Options {
			least = min(least, of(c))
		}
		n := 0.0
		for i, c := range d.Options {
			if of(c) == least {
				p[i] = 1
				n++
			}
		}
		for i := range p {
			p[i] /= n
		}
		return p
	}
}

// Estimate of a policy's mean reward, as a share of what a segment is worth: 1 for one that is verified in time, less its price.
type Estimate struct {
	Policy  string  `json:"policy"`
	IPS     float64 `json:"ips"`
	SNIPS   float64 `json:"snips"` // self-normalised: less noise, a little bias
	DR      float64 `json:"dr"`
	Error   float64 `json:"dr_error"`  // standard error of DR
	Weight  float64 `json:"effective"` // outcomes that the estimate is as good as
	Covered float64 `json:"covered"`   // share of what the policy would do that the log has tried at all
}

// Result of a log.
type Result struct {
	Decisions int        `json:"decisions"` // with an outcome
	Skipped   int        `json:"skipped"`   // without one, or malformed
	Logged    float64    `json:"logged"`    // mean reward of what was really done
	Estimates []Estimate `json:"estimates"`
}

// maxLine bounds one line of a log.
const maxLine = 1 << 20

// Read reads a log of one decision a line.
func Read(r io.Reader) (all []route.Decision, skipped int, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	for lines.Scan() {
		var d route.Decision
		if json.Unmarshal(lines.Bytes(), &d) != nil || d.Came == nil || d.Chosen < 0 || d.Chosen >= len(d.Options) || !(d.Propensity > 0 && d.Propensity <= 1) {
			skipped++
			continue
		}
		all = append(all, d)
	}
	if err := lines.Err(); err != nil {
		return nil, skipped, fmt.Errorf("read the log of decisions: %w", err)
	}
	return all, skipped, nil
}

// folds that the model of the sellers is fitted and used in, so that no outcome is predicted from itself.
const folds = 2

// mostWeight bounds how much one outcome counts: a choice that was made by a rare draw says little of what is done always.
const mostWeight = 50

// Of estimates policies from decisions.
func Of(all []route.Decision, policies []Policy) Result {
	r := Result{Decisions: len(all)}
	models := make([]model, folds)
	for k := range models {
		models[k] = fit(all, func(i int) bool { return i%folds != k })
	}
	for _, d := range all {
		r.Logged += reward(d) / float64(max(1, len(all)))
	}
	for _, p := range policies {
		r.Estimates = append(r.Estimates, estimate(all, p, models))
	}
	slices.SortStableFunc(r.Estimates, func(a, b Estimate) int { return cmp.Compare(b.DR, a.DR) })
	return r
}

func reward(d route.Decision) float64 { return d.Came.Reward(d.Options[d.Chosen].Price) }

func estimate(all []route.Decision, p Policy, models []model) Estimate {
	e := Estimate{Policy: p.Name}
	n := float64(len(all))
	if n == 0 {
		return e
	}
	var weights, squares, sum, sumSquares, covered float64
	for i, d := range all {
		chances := p.Chances(d)
		m := models[i%folds]
		w := min(mostWeight, chances[d.Chosen]/d.Propensity)
		got := reward(d)
		e.IPS += w * got / n
		weights += w
		squares += w * w
		direct := 0.0
		for j, c := range d.Options {
			direct += chances[j] * m.expect(c)
			if m.knows(c.Node) {
				covered += chances[j] / n
			}
		}
		value := direct + w*(got-m.expect(d.Options[d.Chosen]))
		sum += value
		sumSquares += value * value
	}
	if weights > 0 {
		e.SNIPS = e.IPS * n / weights
		e.Weight = weights * weights / squares
	}
	e.DR = sum / n
	e.Error = math.Sqrt(max(0, sumSquares/n-e.DR*e.DR) / n)
	e.Covered = covered
	return e
}

// model predicts the reward of an option, before its price, by what its node brought: shrunk to the mean of all by as much as
// priorWeight outcomes.
type model struct {
	sum, n map[string]float64
	mean   float64
}

const priorWeight = 4

func fit(all []route.Decision, use func(i int) bool) model {
	m := model{sum: make(map[string]float64), n: make(map[string]float64)}
	total, n := 0.0, 0.0
	for i, d := range all {
		if !use(i) {
			continue
		}
		c := d.Options[d.Chosen]
		gross := reward(d) + float64(c.Price)/1e6
		m.sum[c.Node] += gross
		m.n[c.Node]++
		total += gross
		n++
	}
	if n > 0 {
		m.mean = total / n
	}
	return m
}

func (m model) knows(node string) bool { return m.n[node] > 0 }

func (m model) expect(c route.Considered) float64 {
	return (m.sum[c.Node]+priorWeight*m.mean)/(m.n[c.Node]+priorWeight) - float64(c.Price)/1e6
}
