package main

import (
	"fmt"
	"math/big"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/sim/payments"
	"github.com/kinora/kinora/internal/ticket"
)

type simCommand struct {
	Payments simPayments `cmd:"" help:"Simulate what tickets do to income, float and gas, with numbers of your own."`
	Evaluate simEvaluate `cmd:"" help:"Estimate from a broadcaster's log of decisions what other rules of choice would have brought."`
	Market   simMarket   `cmd:"" help:"Simulate how segments find transcoders: seven regimes, eight policies."`
}

// simPayments has the market's numbers as flags. Its defaults are those of docs/payments.md.
type simPayments struct {
	StreamPrice protocol.Wei  `help:"Price of an hour of one stream." default:"180000gwei" placeholder:"AMOUNT"`
	Segment     time.Duration `help:"Duration of a segment." default:"2s"`
	Hours       time.Duration `help:"How long each stream is live, every day." default:"5h33m20s"`
	Streams     int           `help:"Streams of the whole market." default:"1"`
	Payers      int           `help:"Payers, who share the streams." default:"1"`
	Recipients  int           `help:"Recipients, who share each payer's segments." default:"1"`

	FaceValue protocol.Wei `help:"Face value of a ticket; empty: by the rule that recipients use." placeholder:"AMOUNT"`
	WinProb   probability  `help:"Win probability, such as 0.002 or 1/500; empty: a segment's fee by the face value." placeholder:"P"`

	ticketPolicy

	Allocation protocol.Wei  `help:"What each payer allocates to each recipient; empty: what --risk asks for." placeholder:"AMOUNT"`
	Balance    protocol.Wei  `help:"A payer's balance after each top-up; empty: what --risk asks for." placeholder:"AMOUNT"`
	TopUp      time.Duration `help:"Time between top-ups of a balance." default:"24h"`
	Settle     time.Duration `help:"Time from a winner's draw until its redemption is final." default:"1h"`
	Risk       float64       `help:"Accepted probability that an allocation or a balance does not suffice." default:"0.001"`

	gasCost
	Batch     int           `help:"Winners of one transaction." default:"1"`
	BatchWait time.Duration `help:"How long the first winner of a batch waits for others." default:"1h"`

	Days int    `help:"Days of a run." default:"30"`
	Runs int    `help:"Runs." default:"1000"`
	Seed uint64 `help:"Seed of the draws: the same seed gives the same result." default:"1"`

	money
	output
}

// ticketPolicy is what recipients want of their tickets, as flags.
type ticketPolicy struct {
	GasShare    share  `help:"Part of a winner that redeeming it should cost." default:"2%"`
	MaxGasShare share  `help:"Part it may cost where income would be too uneven, or the allocation is small." default:"5%"`
	Wins        uint64 `help:"Winners that should make up what a pair pays in a day." default:"20"`
	FloatWins   uint64 `help:"Winners that an allocation should hold at a time." default:"6"`
	FeeMultiple uint64 `help:"Usual fees that a face value holds at least." default:"10"`
	Certain     bool   `help:"Allow tickets that win for certain."`
}

// gasCost is what redemptions cost, as flags; the amounts of gas are what the contract's tests measure.
type gasCost struct {
	GasPrice  protocol.Wei `help:"Price of a unit of gas." default:"0.02gwei" placeholder:"AMOUNT"`
	GasRedeem uint64       `help:"Gas of a transaction with one winner." default:"52700"`
	GasTicket uint64       `help:"Gas of each further winner in it." default:"5800"`
	GasPayer  uint64       `help:"Gas of each further payer in it." default:"18200"`
}

func (s simPayments) config() payments.Config {
	c := payments.Config{StreamPrice: s.StreamPrice, Segment: s.Segment, Live: s.Hours, Streams: s.Streams, Payers: s.Payers, Recipients: s.Recipients,
		FaceValue: s.FaceValue, WinProb: uint64(s.WinProb), Allocation: s.Allocation, Balance: s.Balance,
		TopUp: s.TopUp, Settle: s.Settle, Risk: s.Risk, GasPrice: s.GasPrice, GasRedeem: s.GasRedeem, GasTicket: s.GasTicket, GasPayer: s.GasPayer,
		Batch: s.Batch, BatchWait: s.BatchWait, Days: s.Days, Runs: s.Runs, Seed: s.Seed}
	p := &c.Policy
	p.GasShare, p.MaxGasShare, p.Wins, p.FloatWins, p.FeeMultiple, p.Certain = uint64(s.GasShare), uint64(s.MaxGasShare), s.Wins, s.FloatWins, s.FeeMultiple, s.Certain
	return c
}

// Run simulates.
func (s simPayments) Run(a *app) error {
	r, err := payments.Run(a.ctx, s.config())
	if err != nil {
		return err
	}
	if s.JSON {
		return printJSON(a.stdout, r)
	}
	return s.print(a, r)
}

func (s simPayments) print(a *app, r payments.Result) error {
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	line := func(cells ...string) { fmt.Fprintln(w, strings.Join(cells, "\t")) }
	about := s.Fiat.about
	line("market", fmt.Sprintf("%d segments a day for %s each; payers: %d, recipients: %d; %d runs of %d days",
		r.SegmentsPerDay, about(r.Terms.Fee), s.Payers, s.Recipients, s.Runs, s.Days))
	line("tickets", fmt.Sprintf("face value %s (%s), one in %s wins; redeeming one costs %s", about(r.Terms.FaceValue), bounds[r.Terms.Bound],
		digits(1/r.Terms.Probability), about(r.Terms.GasPerWinner)))
	for _, h := range []struct {
		name string
		*payments.Spread
	}{{"day", r.Income.Day}, {"week", r.Income.Week}, {"month", r.Income.Month}} {
		if h.Spread == nil {
			continue
		}
		line("income a "+h.name, fmt.Sprintf("p5 %s, p50 %s, p95 %s; mean %s", about(h.P5), about(h.P50), about(h.P95), about(h.Mean)))
		line("", fmt.Sprintf("varies by %s (in theory %s); %s winners; none in %s", percent(h.CV), percent(h.Expected), digits(h.Wins), percent(h.None)))
	}
	line("gas", fmt.Sprintf("%s of income, %s winners per transaction", percent(r.Gas.Share), digits(r.Gas.PerTx)))
	line("float", fmt.Sprintf("p50 %s, p95 %s, p99.9 %s, most %s", about(r.Float.P50), about(r.Float.P95), about(r.Float.P999), about(r.Float.Most)))
	line("", fmt.Sprintf("an allocation of %s refuses %s of segments", about(r.Terms.Allocation), percent(r.Float.Refused)))
	line("ruin", fmt.Sprintf("%s of the times between top-ups (%s) cost more than a balance of %s", percent(r.Ruin.Probability), s.TopUp, about(r.Terms.Balance)))
	line("", fmt.Sprintf("they cost %s, p95 %s, most %s", about(r.Ruin.SpentMean), about(r.Ruin.SpentP95), about(r.Ruin.SpentMost)))
	return w.Flush()
}

// bounds says what decided a face value.
var bounds = map[string]string{"gas": "for the gas share", "fee": "for the fees", "spread": "for steady income", "allocation": "for the allocation", "given": "as given"}

// probability is a win probability, in units of 2^-64: 0.002 or 1/500; 1 wins for certain.
type probability uint64

// UnmarshalText reads it exactly and rounds up.
func (p *probability) UnmarshalText(b []byte) error {
	r, ok := new(big.Rat).SetString(string(b))
	if !ok || r.Sign() <= 0 || r.Cmp(big.NewRat(1, 1)) > 0 {
		return fmt.Errorf("win probability %q: want above 0, at most 1, such as 0.002 or 1/500", b)
	}
	n := new(big.Int).Lsh(r.Num(), 64)
	n.Add(n, r.Denom()).Sub(n, big.NewInt(1)).Div(n, r.Denom())
	if !n.IsUint64() {
		*p = probability(ticket.AlwaysWins)
		return nil
	}
	*p = probability(n.Uint64())
	return nil
}
