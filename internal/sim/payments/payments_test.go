package payments_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/sim/payments"
	"github.com/kinora/kinora/internal/ticket"
)

const gwei = 1_000_000_000

func wei(n uint64) protocol.Wei { return protocol.NewWei(n) }

// market is 10,000 segments a day for 1e11 wei each from one payer to one recipient, redeemed one at a time for 1e12 wei.
func market() payments.Config {
	return payments.Config{StreamPrice: wei(180_000 * gwei), Segment: 2 * time.Second, Live: 20_000 * time.Second, Streams: 1, Payers: 1, Recipients: 1,
		TopUp: 24 * time.Hour, Settle: time.Hour, Risk: 0.001, GasPrice: wei(gwei / 50), GasRedeem: 50_000, Batch: 1, Days: 30, Runs: 400, Seed: 1}
}

func run(t *testing.T, c payments.Config) payments.Result {
	t.Helper()
	r, err := payments.Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance {
		t.Errorf("%s: %g, want %g ± %g", what, got, want, tolerance)
	}
}

func float(w protocol.Wei) float64 {
	f, _ := w.Big().Float64()
	return f
}

// beyond is P(X > n) of a Poisson X.
func beyond(n int, mean float64) float64 {
	sum := 0.0
	for k := 0; k <= n; k++ {
		g, _ := math.Lgamma(float64(k) + 1)
		sum += math.Exp(float64(k)*math.Log(mean) - mean - g)
	}
	return 1 - sum
}

func TestRun_spreadsIncomeAsTheBinomialDoes(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		faceValue uint64
		runs      int
	}{"rare winners": {5_000_000 * gwei, 400}, "20 a day": {50_000 * gwei, 400}, "one of four": {400 * gwei, 40}} {
		c, faceValue := market(), row.faceValue
		c.FaceValue, c.Runs = wei(faceValue), row.runs
		r := run(t, c)
		p := 100 * gwei / float64(faceValue)
		periods := float64(c.Days * c.Runs)
		n := 10_000.0
		cv := math.Sqrt((1 - p) / (n * p))
		near(t, name+": win probability", r.Terms.Probability, p, 1e-12)
		near(t, name+": wins a day", r.Income.Day.Wins, n*p, 5*math.Sqrt(n*p/periods))
		near(t, name+": income a day", float(r.Income.Day.Mean), n*100*gwei, 5*cv/math.Sqrt(periods)*n*100*gwei)
		few := math.Sqrt(400 / float64(c.Runs)) // fewer runs, less exact
		near(t, name+": cv of a day", r.Income.Day.CV, cv, few*0.04*cv)
		near(t, name+": expected cv", r.Income.Day.Expected, cv, 1e-9)
		near(t, name+": cv of a week", r.Income.Week.CV, cv/math.Sqrt(7), few*0.08*cv/math.Sqrt(7))
		near(t, name+": cv of a month", r.Income.Month.CV, cv/math.Sqrt(30), few*0.12*cv/math.Sqrt(30))
		none := math.Pow(1-p, n)
		near(t, name+": days without income", r.Income.Day.None, none, 5*math.Sqrt(none*(1-none)/periods)+1e-9)
		if r.Income.Day.Periods != uint64(periods) || r.Income.Week.Periods != uint64(4*c.Runs) || r.Income.Month.Periods != uint64(c.Runs) {
			t.Errorf("%s: %d days, %d weeks, %d months", name, r.Income.Day.Periods, r.Income.Week.Periods, r.Income.Month.Periods)
		}
	}
}

func TestRun_keepsTheFloatAndTheRuinThatTheoryGives(t *testing.T) {
	t.Parallel()
	c := market()
	c.FaceValue, c.Runs = wei(50_000*gwei), 1000
	// 20 winners in 20,000 s of live time, each held for an hour: 3.6 at a time, once the first hour of the day is over. A
	// balance of 25 winners is too small for 11 % of the days, an allocation of 5 refuses when 5 wait.
	c.Allocation, c.Balance = wei(250_000*gwei), wei(25*50_000*gwei)
	r := run(t, c)
	near(t, "ruin", r.Ruin.Probability, beyond(25, 20), 0.01)
	near(t, "spent", float(r.Ruin.SpentMean), 20*50_000*gwei, 0.01*20*50_000*gwei)
	refused := 0.0
	for k := range 1000 { // the mean grows from 0 to 3.6 during the first hour
		refused += beyond(4, 3.6*(float64(k)+0.5)/1000) * 3600 / 20000 / 1000
	}
	refused += beyond(4, 3.6) * (1 - 3600.0/20000)
	near(t, "refused", r.Float.Refused, refused, 0.01)

	// The allocation and the balance that the risk asks for do suffice, and one winner less would not.
	c.Allocation, c.Balance = protocol.Wei{}, protocol.Wei{}
	r = run(t, c)
	if r.Float.Refused > 0.001*1.2 || r.Ruin.Probability > 0.001*1.5 {
		t.Errorf("refused %g, ruined %g at a risk of 0.001", r.Float.Refused, r.Ruin.Probability)
	}
	c.Allocation, c.Balance = r.Terms.Allocation.Sub(wei(50_000*gwei)), r.Terms.Balance.Sub(wei(2*50_000*gwei))
	if r = run(t, c); r.Float.Refused < 0.001 || r.Ruin.Probability < 0.001 {
		t.Errorf("with less: refused %g, ruined %g", r.Float.Refused, r.Ruin.Probability)
	}
}

func TestRun_paysTheGasOfItsBatches(t *testing.T) {
	t.Parallel()
	c := market()
	c.FaceValue = wei(50_000 * gwei)
	single := run(t, c)
	near(t, "gas share of single redemptions", single.Gas.Share, 50_000*gwei/50/float64(50_000*gwei), 1e-12)
	if single.Gas.Transactions != single.Winners || single.Gas.PerTx != 1 {
		t.Errorf("%+v for %d winners", single.Gas, single.Winners)
	}
	c.Batch, c.BatchWait, c.GasTicket = 10, 20*24*time.Hour, 5_000
	full := run(t, c)
	// Only the last batch of each run is not full.
	near(t, "winners of a full batch", full.Gas.PerTx, 10, 0.2)
	near(t, "gas share of full batches", full.Gas.Share, (50_000+9*5_000)*gwei/50/float64(10*50_000*gwei), 2e-5)
	c.BatchWait = 0
	if alone := run(t, c); alone.Gas.PerTx > 1.01 {
		t.Errorf("%g winners in a transaction that waits for none", alone.Gas.PerTx)
	}
	// A second payer in a batch costs more than a second winner of the first.
	c.BatchWait, c.Streams, c.Payers, c.GasPayer = 20*24*time.Hour, 2, 2, 20_000
	two := run(t, c)
	if two.Gas.Share <= full.Gas.Share {
		t.Errorf("gas share %g of two payers, %g of one", two.Gas.Share, full.Gas.Share)
	}
}

func TestRun_sharesTheWorkOfAllStreamsAmongAllRecipients(t *testing.T) {
	t.Parallel()
	c := market()
	c.FaceValue, c.Streams, c.Payers, c.Recipients, c.Runs = wei(50_000*gwei), 7, 3, 4, 50
	r := run(t, c)
	if r.SegmentsPerDay != 70_000 {
		t.Errorf("%d segments a day, want 70000", r.SegmentsPerDay)
	}
	near(t, "wins of a recipient", r.Income.Day.Wins, 70_000.0/4*0.002, 0.5)
	if r.Income.Day.Periods != 50*30*4 || r.Ruin.Intervals != 50*30*3 {
		t.Errorf("%d recipient days, %d payer days", r.Income.Day.Periods, r.Ruin.Intervals)
	}
}

func TestRun_takesItsTermsFromTheRuleOfProduction(t *testing.T) {
	t.Parallel()
	c := market()
	c.Runs, c.Policy = 1, payment.TermsPolicy{GasShare: 40_000}
	want, err := payment.ChooseTerms(c.Policy, payment.TermsBasis{MaxFee: c.Fee(), Gas: c.GasPerWinner(), Income: c.Fee().Mul(10_000)})
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, c)
	if r.Terms.FaceValue != want.FaceValue || r.Terms.WinProb != want.WinProb || r.Terms.Bound != string(want.Bound) {
		t.Errorf("got %+v, want %+v", r.Terms, want)
	}
	c.FaceValue, c.WinProb = wei(100*gwei), ticket.AlwaysWins
	if r = run(t, c); r.Income.Day.CV != 0 || r.Income.Day.Mean != wei(1_000_000*gwei) || r.Winners != 300_000 {
		t.Errorf("with tickets that all win: %+v, %d winners", r.Income.Day, r.Winners)
	}
}

func TestRun_dependsOnItsSeedAlone(t *testing.T) {
	t.Parallel()
	text := func(seed uint64) string {
		c := market()
		c.Runs, c.Seed, c.Streams, c.Payers, c.Recipients = 20, seed, 5, 2, 3
		b, err := json.Marshal(run(t, c))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	first := text(7)
	for range 3 {
		if again := text(7); again != first {
			t.Fatalf("the same seed gave\n%s\nand\n%s", first, again)
		}
	}
	if text(8) == first {
		t.Error("another seed gave the same")
	}
}

func TestValidate_namesTheFieldThatCannotBe(t *testing.T) {
	t.Parallel()
	for want, edit := range map[string]func(*payments.Config){
		"stream price":    func(c *payments.Config) { c.StreamPrice = protocol.Wei{} },
		"segment":         func(c *payments.Config) { c.Segment = 0 },
		"live":            func(c *payments.Config) { c.Live = 25 * time.Hour },
		"payers":          func(c *payments.Config) { c.Payers = 2 },
		"recipients":      func(c *payments.Config) { c.Recipients, c.Live = 3, 4*time.Second },
		"top-up":          func(c *payments.Config) { c.TopUp = 31 * 24 * time.Hour },
		"risk":            func(c *payments.Config) { c.Risk = 0.5 },
		"batch":           func(c *payments.Config) { c.Batch = 0 },
		"settle":          func(c *payments.Config) { c.Settle = -1 },
		"win probability": func(c *payments.Config) { c.WinProb = 1 },
		"gas":             func(c *payments.Config) { c.GasRedeem = 1 << 50 },
		"winners":         func(c *payments.Config) { c.FaceValue, c.Runs = wei(100*gwei), 1_000_000 },
	} {
		c := market()
		edit(&c)
		if _, err := payments.Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
