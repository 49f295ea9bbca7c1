// Package payments simulates a market's tickets over weeks: how evenly recipients are paid, what the chain takes, how much
// money lies in allocations, and how likely a payer runs dry. The terms are those of the production rule
// (payment.ChooseTerms) unless they are given; money is counted in wei, only statistics are floats.
//
// The model: every payer has some of the streams, each live for the same part of every day, and its segments go to the
// recipients in turn. A segment is paid with one ticket. A winner can be redeemed once its set is closed and waited for
// (Settle), and is, in transactions of Batch winners of all payers or whatever is ready BatchWait after the first.
package payments

import (
	"fmt"
	"time"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
)

// Config is the market.
type Config struct {
	StreamPrice protocol.Wei  // of an hour of one stream
	Segment     time.Duration // of a segment
	Live        time.Duration // of each stream, every day
	Streams     int
	Payers      int
	Recipients  int

	Policy    payment.TermsPolicy
	FaceValue protocol.Wei // zero: by the rule
	WinProb   uint64       // zero: a segment's fee at the face value

	Allocation protocol.Wei  // of a payer to a recipient; zero: what Risk asks for
	Balance    protocol.Wei  // a payer's, after each top-up; zero: what Risk asks for
	TopUp      time.Duration // between top-ups of a balance
	Settle     time.Duration // from a winner's draw until it may be redeemed, with the time until that is final
	Risk       float64       // accepted of an allocation or a balance that does not suffice

	GasPrice  protocol.Wei
	GasRedeem uint64 // of a transaction with one winner
	GasTicket uint64 // of each further winner in it
	GasPayer  uint64 // of each further payer in it, beside its winners
	Batch     int    // winners of a transaction
	BatchWait time.Duration

	Days int
	Runs int
	Seed uint64
}

const day = 24 * time.Hour

// Most that is simulated, so that a slip of the keyboard does not run for a day.
const (
	maxParties = 10_000
	maxDays    = 3_660
	maxRuns    = 1_000_000
	maxDraws   = 2_000_000_000
)

// Validate names the field that cannot be.
func (c Config) Validate() error {
	for _, n := range []struct {
		name            string
		value, low, top int
	}{{"streams", c.Streams, 1, maxParties}, {"payers", c.Payers, 1, maxParties}, {"recipients", c.Recipients, 1, maxParties},
		{"batch", c.Batch, 1, 250}, {"days", c.Days, 1, maxDays}, {"runs", c.Runs, 1, maxRuns}} {
		if n.value < n.low || n.value > n.top {
			return fmt.Errorf("%s: %d, want %d to %d", n.name, n.value, n.low, n.top)
		}
	}
	switch {
	case c.StreamPrice.IsZero() || !c.StreamPrice.FitsUint96():
		return fmt.Errorf("stream price: %s wei, want 1 to 2^96-1", c.StreamPrice)
	case c.Segment < 100*time.Millisecond || c.Segment > protocol.MaxSegmentMillis*time.Millisecond:
		return fmt.Errorf("segment: %s, want 100ms to %s", c.Segment, protocol.MaxSegmentMillis*time.Millisecond)
	case c.Live < c.Segment || c.Live > day:
		return fmt.Errorf("live: %s a day, want a segment to 24h", c.Live)
	case c.Payers > c.Streams:
		return fmt.Errorf("payers: %d have %d streams, want at least one each", c.Payers, c.Streams)
	case c.TopUp <= 0 || c.TopUp > time.Duration(c.Days)*day:
		return fmt.Errorf("top-up: every %s, want at least one in the %d days that are simulated", c.TopUp, c.Days)
	case c.Settle < 0 || c.BatchWait < 0 || c.Settle > 30*day || c.BatchWait > 30*day:
		return fmt.Errorf("settle %s and batch wait %s: want 0 to 720h", c.Settle, c.BatchWait)
	case !(c.Risk > 0 && c.Risk < 0.5):
		return fmt.Errorf("risk: %v, want above 0, below one half", c.Risk)
	case !c.GasPrice.FitsUint96() || c.GasRedeem > 1<<40 || c.GasTicket > 1<<40 || c.GasPayer > 1<<40:
		return fmt.Errorf("gas: price %s wei, %d, %d and %d gas, want at most 2^96-1 wei and 2^40 gas", c.GasPrice, c.GasRedeem, c.GasTicket, c.GasPayer)
	case c.WinProb != 0 && c.FaceValue.IsZero():
		return fmt.Errorf("a win probability is given without a face value")
	case c.segmentsOfPayer(c.Payers-1) < c.Recipients:
		return fmt.Errorf("recipients: %d share %d segments a day of a payer, want at least one each", c.Recipients, c.segmentsOfPayer(c.Payers-1))
	}
	return nil
}

// Fee is what a segment costs, rounded up.
func (c Config) Fee() protocol.Wei {
	fee, _ := c.StreamPrice.MulDivCeil(protocol.NewWei(uint64(c.Segment)), protocol.NewWei(uint64(time.Hour))) // a price fits 96 bits
	return fee
}

// GasPerWinner is the cost of redeeming one winner of a full batch of one payer's, rounded up.
func (c Config) GasPerWinner() protocol.Wei {
	gas := c.GasPrice.Mul(c.GasRedeem + uint64(c.Batch-1)*c.GasTicket)
	return gas.Add(protocol.NewWei(uint64(c.Batch - 1))).Div(uint64(c.Batch))
}

// segmentsOfPayer is how many segments payer i has a day; the first payers have the streams that are left over.
func (c Config) segmentsOfPayer(i int) int {
	streams := c.Streams / c.Payers
	if i < c.Streams%c.Payers {
		streams++
	}
	return streams * int(c.Live/c.Segment)
}

// segmentsOf is how many of them recipient j has. Recipients that come first for one payer come last for the next.
func (c Config) segmentsOf(i, j int) int {
	n := c.segmentsOfPayer(i)
	share := n / c.Recipients
	if (j+i)%c.Recipients < n%c.Recipients {
		share++
	}
	return share
}

// within is how many segments of a pair with n a day fall into the most crowded span d.
func (c Config) within(n int, d time.Duration) float64 {
	whole := d / day
	rest := min(d-whole*day, c.Live)
	return float64(n) * (float64(whole) + float64(rest)/float64(c.Live))
}

// terms are the tickets' terms, and the allocation and balance behind them.
func (c Config) terms() (Terms, error) {
	fee, pair := c.Fee(), c.segmentsOf(0, 0)
	t := Terms{Fee: fee, FaceValue: c.FaceValue, Bound: "given", GasPerWinner: c.GasPerWinner()}
	if t.FaceValue.IsZero() {
		chosen, err := payment.ChooseTerms(c.Policy, payment.TermsBasis{MaxFee: fee, Gas: t.GasPerWinner, Credit: c.Allocation, Income: fee.Mul(uint64(pair))})
		if err != nil {
			return Terms{}, err
		}
		t.FaceValue, t.Bound = chosen.FaceValue, string(chosen.Bound)
	}
	var err error
	if t.WinProb = c.WinProb; t.WinProb == 0 {
		if t.WinProb, err = ticket.WinProbFor(fee, t.FaceValue); err != nil {
			return Terms{}, err
		}
	}
	if !t.FaceValue.FitsUint96() {
		return Terms{}, fmt.Errorf("face value: %s wei, want at most 2^96-1", t.FaceValue)
	}
	t.Probability = probability(t.WinProb)
	value := ticket.EV(t.FaceValue, t.WinProb)
	income := func(segments float64) protocol.Wei { return value.Mul(uint64(segments + 0.5)) }
	if t.Allocation = c.Allocation; t.Allocation.IsZero() {
		held := c.Settle
		if c.Batch > 1 {
			held += c.BatchWait
		}
		t.Allocation = payment.Winnings(t.FaceValue, income(c.within(pair, held)), c.Risk).Add(t.FaceValue)
	}
	if t.Balance = c.Balance; t.Balance.IsZero() {
		t.Balance = payment.Winnings(t.FaceValue, income(c.within(c.segmentsOfPayer(0), c.TopUp)), c.Risk)
	}
	return t, nil
}

func probability(winProb uint64) float64 {
	if winProb == ticket.AlwaysWins {
		return 1
	}
	return float64(winProb) / (1 << 64)
}
