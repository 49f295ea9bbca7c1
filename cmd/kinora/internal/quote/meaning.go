package quote

import (
	"fmt"
	"math"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
)

// Stream is what would be transcoded.
type Stream struct {
	Ladder  protocol.Ladder
	FPS     float64
	Segment time.Duration
	Live    time.Duration // a day
}

// Funds are a payer's.
type Funds struct {
	Balance    protocol.Wei // in the escrow, allocated to nobody
	Allocation protocol.Wei // to this orchestrator, not thawing
}

// Meaning is what a quote means.
type Meaning struct {
	Orchestrator common.Address  `json:"orchestrator"`
	Payer        common.Address  `json:"payer"`
	Prices       protocol.Prices `json:"prices"`
	ValidMillis  uint32          `json:"valid_ms"`

	PerHour protocol.Wei `json:"per_hour_wei"`
	PerDay  protocol.Wei `json:"per_day_wei"` // of the hours it is live
	Fee     protocol.Wei `json:"fee_wei"`     // of a usual segment, rounded up
	MaxFee  protocol.Wei `json:"max_fee_wei"` // of the longest, as the quote has it

	FaceValue   protocol.Wei `json:"face_value_wei"`
	WinProb     uint64       `json:"win_prob,string"` // of a usual segment's ticket, in units of 2^-64
	Probability float64      `json:"win_probability"`

	Balance    protocol.Wei `json:"balance_wei"`
	Allocation protocol.Wei `json:"allocation_wei"`
	Lasts      float64      `json:"lasts_hours"`       // live hours that balance and allocation pay on average
	LastsSure  float64      `json:"lasts_hours_99_9"`  // and in all but one of a thousand cases
	Suffices   bool         `json:"allocation_serves"` // the allocation holds a winner: without that nothing is served

	Income Income `json:"income_per_day"`
}

// Income is a day's of a transcoder that is paid by such tickets for all of one stream at this price.
type Income struct {
	Mean protocol.Wei `json:"mean_wei"`
	P5   protocol.Wei `json:"p5_wei"`
	P50  protocol.Wei `json:"p50_wei"`
	P95  protocol.Wei `json:"p95_wei"`
	CV   float64      `json:"cv"`   // standard deviation by mean
	None float64      `json:"none"` // probability of a day without any
}

// risk is what LastsSure may fail with.
const risk = 0.001

// Explain says what a means for a stream and funds.
func Explain(a Answer, s Stream, f Funds) (Meaning, error) {
	m := Meaning{Orchestrator: a.Quote.Orchestrator, Payer: a.Quote.Payer, Prices: a.Quote.Prices, ValidMillis: a.Quote.ValidMillis,
		MaxFee: a.Quote.MaxFee, FaceValue: a.Params.FaceValue, Balance: f.Balance, Allocation: f.Allocation}
	for _, p := range s.Ladder {
		price, ok := a.Quote.Prices.Of(p.Codec)
		if !ok {
			return Meaning{}, fmt.Errorf("profile %q: the quote has no price for %s", p.Name, p.Codec)
		}
		m.PerHour = m.PerHour.Add(price.Mul(p.PixelRate(s.FPS)).Mul(3600))
	}
	if m.PerHour.IsZero() || !m.PerHour.FitsUint96() {
		return Meaning{}, fmt.Errorf("an hour costs %s wei, want 1 to 2^96-1", m.PerHour)
	}
	hour := protocol.NewWei(uint64(time.Hour))
	m.Fee, _ = m.PerHour.MulDivCeil(protocol.NewWei(uint64(s.Segment)), hour)
	m.PerDay, _ = m.PerHour.MulDivCeil(protocol.NewWei(uint64(s.Live)), hour)
	var err error
	if m.WinProb, err = ticket.WinProbFor(m.Fee, m.FaceValue); err != nil {
		return Meaning{}, fmt.Errorf("a segment of %s: %w", s.Segment, err)
	}
	m.Probability = 1
	if m.WinProb != ticket.AlwaysWins {
		m.Probability = float64(m.WinProb) / (1 << 64)
	}
	funds := f.Balance.Add(f.Allocation)
	m.Lasts, m.LastsSure = ratio(funds, m.PerHour), m.sure(funds)
	m.Suffices = !f.Allocation.Less(m.FaceValue)
	m.Income = m.income(uint64(s.Live / s.Segment))
	return m, nil
}

// sure is for how many hours funds pay what is won with a probability of 1 − risk.
func (m Meaning) sure(funds protocol.Wei) float64 {
	if m.WinProb == ticket.AlwaysWins {
		return ratio(funds, m.PerHour)
	}
	enough := func(seconds uint64) bool {
		income, _ := m.PerHour.MulDivCeil(protocol.NewWei(seconds), protocol.NewWei(3600))
		return !funds.Less(payment.Winnings(m.FaceValue, income, risk))
	}
	low, high := uint64(0), uint64(1)
	for enough(high) && high < 1<<40 {
		low, high = high, 2*high
	}
	for high-low > 1 {
		if middle := low + (high-low)/2; enough(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return float64(low) / 3600
}

// income is the binomial distribution of n tickets' winners.
func (m Meaning) income(n uint64) Income {
	mean := float64(n) * m.Probability
	in := Income{Mean: expected(m.FaceValue, m.WinProb, n)}
	if m.Probability >= 1 {
		in.P5, in.P50, in.P95 = in.Mean, in.Mean, in.Mean
		return in
	}
	deviation := math.Sqrt(mean * (1 - m.Probability))
	in.CV = deviation / mean
	in.None = math.Exp(float64(n) * math.Log1p(-m.Probability))
	all, _ := math.Lgamma(float64(n) + 1)
	sum := 0.0
	first := max(0, math.Floor(mean-12*deviation-1)) // below it nothing is worth adding
	for k := first; k <= float64(n); k++ {
		won, _ := math.Lgamma(k + 1)
		lost, _ := math.Lgamma(float64(n) - k + 1)
		before := sum
		sum += math.Exp(all - won - lost + k*math.Log(m.Probability) + (float64(n)-k)*math.Log1p(-m.Probability))
		for _, q := range []struct {
			share float64
			to    *protocol.Wei
		}{{0.05, &in.P5}, {0.5, &in.P50}, {0.95, &in.P95}} {
			if before < q.share && sum >= q.share {
				*q.to = m.FaceValue.Mul(uint64(k))
			}
		}
		if k > mean && sum >= 0.95 {
			break
		}
	}
	return in
}

// expected is ⌊n · faceValue · winProb / 2^64⌋.
func expected(faceValue protocol.Wei, winProb, n uint64) protocol.Wei {
	if winProb == ticket.AlwaysWins {
		return faceValue.Mul(n)
	}
	b := new(big.Int).Mul(faceValue.Mul(n).Big(), new(big.Int).SetUint64(winProb))
	w, _ := protocol.WeiFromBig(b.Rsh(b, 64)) // less than what was multiplied
	return w
}

func ratio(a, b protocol.Wei) float64 {
	x, _ := a.Big().Float64()
	y, _ := b.Big().Float64()
	return x / y
}
