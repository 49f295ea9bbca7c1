package payments

import (
	"math"

	"github.com/kinora/kinora/internal/protocol"
)

// Terms are the terms the tickets had, and the money behind them.
type Terms struct {
	Fee          protocol.Wei `json:"fee_wei"` // of a segment
	FaceValue    protocol.Wei `json:"face_value_wei"`
	WinProb      uint64       `json:"win_prob,string"` // in units of 2^-64
	Probability  float64      `json:"win_probability"`
	Bound        string       `json:"face_value_by"`      // gas, fee, spread, allocation: see payment.TermsBound; or given
	GasPerWinner protocol.Wei `json:"gas_per_winner_wei"` // of a full batch
	Allocation   protocol.Wei `json:"allocation_wei"`     // of each payer to each recipient
	Balance      protocol.Wei `json:"balance_wei"`        // of each payer after a top-up
}

// Result is what was seen. Recipients and payers are counted alike: each recipient's day is one day.
type Result struct {
	Terms          Terms  `json:"terms"`
	SegmentsPerDay int    `json:"segments_per_day"` // of the whole market
	Winners        uint64 `json:"winners"`          // of all runs
	Income         Income `json:"income"`
	Gas            Gas    `json:"gas"`
	Float          Float  `json:"float"`
	Ruin           Ruin   `json:"ruin"`
}

// Income is a recipient's: the face values of the winners it drew. Horizons that were not simulated are null.
type Income struct {
	Day   *Spread `json:"day"`
	Week  *Spread `json:"week"`
	Month *Spread `json:"month"` // 30 days
}

// Spread is how income varied over one horizon.
type Spread struct {
	Periods  uint64       `json:"periods"`
	Wins     float64      `json:"wins"` // mean
	Mean     protocol.Wei `json:"mean_wei"`
	P5       protocol.Wei `json:"p5_wei"`
	P50      protocol.Wei `json:"p50_wei"`
	P95      protocol.Wei `json:"p95_wei"`
	CV       float64      `json:"cv"`          // standard deviation by mean
	Expected float64      `json:"expected_cv"` // in theory: √((1−p)/(n·p))
	None     float64      `json:"none"`        // share of periods without any income
}

// Gas is what redemptions cost.
type Gas struct {
	Spent        protocol.Wei `json:"spent_wei"` // of all runs
	Share        float64      `json:"share"`     // of the income
	Transactions uint64       `json:"transactions"`
	PerTx        float64      `json:"winners_per_transaction"`
}

// Float is what a pair's unredeemed winners are worth when a segment is admitted, and how often one winner more would not be
// covered by the allocation, so that the segment is refused.
type Float struct {
	P50     protocol.Wei `json:"p50_wei"`
	P95     protocol.Wei `json:"p95_wei"`
	P999    protocol.Wei `json:"p999_wei"`
	Most    protocol.Wei `json:"most_wei"`
	Refused float64      `json:"refused_share"`
}

// Ruin is a payer's: that it owes more between two top-ups than its balance holds. Its allocations, which are untouched as long
// as there is a balance, then pay the rest.
type Ruin struct {
	Intervals   uint64       `json:"intervals"`
	SpentMean   protocol.Wei `json:"spent_mean_wei"`
	SpentP95    protocol.Wei `json:"spent_p95_wei"`
	SpentMost   protocol.Wei `json:"spent_most_wei"`
	Probability float64      `json:"probability"`
}

// horizons of income, in days.
var horizons = []int{1, 7, 30}

func (s *tally) result(daily int) Result {
	f := s.terms.FaceValue
	r := Result{Terms: s.terms, SegmentsPerDay: daily, Winners: s.wins}
	perRecipient := float64(daily) / float64(s.config.Recipients)
	for h, at := range []**Spread{&r.Income.Day, &r.Income.Week, &r.Income.Month} {
		if c := s.income[h]; c.n > 0 {
			*at = spread(c, f, s.terms.Probability, perRecipient*float64(horizons[h]))
		}
	}
	r.Gas = Gas{Spent: s.config.GasPrice.Mul(s.gas), Transactions: s.txs}
	if s.wins > 0 {
		r.Gas.Share = quotient(r.Gas.Spent, f.Mul(s.wins))
		r.Gas.PerTx = float64(s.wins) / float64(s.txs)
	}
	r.Float = Float{P50: f.Mul(s.pending.percentile(0.5)), P95: f.Mul(s.pending.percentile(0.95)), P999: f.Mul(s.pending.percentile(0.999)), Most: f.Mul(s.pending.percentile(1)),
		Refused: s.pending.share(func(n int) bool { return s.terms.Allocation.Less(f.Mul(uint64(n) + 1)) })}
	r.Ruin = Ruin{Intervals: s.spent.n, SpentMean: f.Mul(s.spent.total()).Div(s.spent.n), SpentP95: f.Mul(s.spent.percentile(0.95)), SpentMost: f.Mul(s.spent.percentile(1)),
		Probability: s.spent.share(func(n int) bool { return s.terms.Balance.Less(f.Mul(uint64(n))) })}
	return r
}

func spread(c counts, faceValue protocol.Wei, p, tickets float64) *Spread {
	mean, deviation := c.moments()
	s := &Spread{Periods: c.n, Wins: mean, Mean: faceValue.Mul(c.total()).Div(c.n), P5: faceValue.Mul(c.percentile(0.05)), P50: faceValue.Mul(c.percentile(0.5)), P95: faceValue.Mul(c.percentile(0.95)),
		Expected: math.Sqrt((1 - p) / (tickets * p)), None: c.share(func(n int) bool { return n == 0 })}
	if mean > 0 {
		s.CV = deviation / mean
	}
	return s
}

func (c counts) total() (sum uint64) {
	for k, n := range c.seen {
		sum += uint64(k) * n
	}
	return sum
}

// percentile is the least count that a share q of the observations does not exceed.
func (c counts) percentile(q float64) uint64 {
	need := uint64(math.Ceil(q * float64(c.n)))
	var sum uint64
	for k, times := range c.seen {
		if sum += times; sum >= need {
			return uint64(k)
		}
	}
	return uint64(len(c.seen) - 1)
}

func (c counts) share(of func(int) bool) float64 {
	var sum uint64
	for k, n := range c.seen {
		if of(k) {
			sum += n
		}
	}
	return float64(sum) / float64(c.n)
}

// moments are mean and standard deviation.
func (c counts) moments() (mean, deviation float64) {
	mean = float64(c.total()) / float64(c.n)
	for k, times := range c.seen {
		d := float64(k) - mean
		deviation += d * d * float64(times)
	}
	return mean, math.Sqrt(deviation / float64(c.n))
}

func quotient(a, b protocol.Wei) float64 {
	x, _ := a.Big().Float64()
	y, _ := b.Big().Float64()
	return x / y
}
