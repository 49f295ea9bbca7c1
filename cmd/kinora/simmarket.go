package main

import (
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/kinora/kinora/internal/auction"
	simmarket "github.com/kinora/kinora/internal/sim/market"
)

// simMarket has the market's numbers as flags. Its defaults are those of docs/market-simulation.md.
type simMarket struct {
	Transcoders   int                `help:"Transcoders." default:"30"`
	Streams       int                `help:"Streams; three times as many in the middle of a flash crowd." default:"50"`
	Orchestrators int                `help:"Orchestrators, who share streams and transcoders." default:"3"`
	Segment       time.Duration      `help:"Duration of a segment." default:"2s"`
	HoldBack      time.Duration      `help:"Time from a segment's last byte until it is late." default:"6s"`
	Length        time.Duration      `help:"Virtual time of a run." default:"4m"`
	Runs          int                `help:"Runs, each with a market of its own." default:"30"`
	Seed          uint64             `help:"Seed of all chance: the same seed gives the same result." default:"1"`
	Rule          auction.Rule       `help:"What Kinora's auction pays: pay-as-bid or second-score." default:"pay-as-bid"`
	Value         uint64             `help:"What a verified segment is worth, in multiples of the most that is paid for it." default:"20"`
	NoHedge       bool               `help:"Let Kinora ask no second transcoder: what is left is how it chooses."`
	Regime        []simmarket.Regime `help:"Regimes to simulate, separated by commas; empty: all." placeholder:"REGIME"`
	Policy        []simmarket.Policy `help:"Policies to compare, separated by commas; empty: all." placeholder:"POLICY"`
	Plot          string             `help:"Draw the misses of every policy in every regime into this SVG file." placeholder:"FILE" type:"path"`
	JSON          bool               `name:"json" help:"Print one JSON object."`
}

// Run simulates.
func (s simMarket) Run(a *app) error {
	c := simmarket.Config{Transcoders: s.Transcoders, Streams: s.Streams, Orchestrators: s.Orchestrators, Segment: s.Segment, HoldBack: s.HoldBack,
		Length: s.Length, Runs: s.Runs, Seed: s.Seed, Rule: s.Rule, Value: s.Value, NoHedge: s.NoHedge, Regimes: s.Regime, Policies: s.Policy}
	if len(c.Regimes) == 0 {
		c.Regimes = simmarket.Regimes()
	}
	if len(c.Policies) == 0 {
		c.Policies = simmarket.Policies()
	}
	r, err := simmarket.Run(a.ctx, c)
	if err != nil {
		return err
	}
	if s.Plot != "" {
		if err := os.WriteFile(s.Plot, r.SVG(c), 0o644); err != nil {
			return err
		}
	}
	if s.JSON {
		return printJSON(a.stdout, r)
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	for _, regime := range c.Regimes {
		fmt.Fprintf(w, "%s\tmissed (95 %% sure)\tp50\tp95\tp99\tregret\trebuffer\ttwice\tmoves\twei a minute\tgini\n", regime)
		for _, x := range r.Regimes[regime] {
			fmt.Fprintf(w, "  %s\t%s (%s to %s)\t%.2f s\t%.2f s\t%.2f s\t%.1f ‰\t%.1f s/h\t%s\t%.1f/min\t%s\t%.2f\n", x.Policy, percent(x.MissRate), percent(x.MissRateCI[0]),
				percent(x.MissRateCI[1]), x.P50, x.P95, x.P99, x.Regret, x.Rebuffer, percent(x.Duplicates), x.Moves, x.Cost, x.Gini)
		}
	}
	return w.Flush()
}
