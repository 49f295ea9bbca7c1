package main

import (
	"errors"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/kinora/kinora/internal/route"
	"github.com/kinora/kinora/internal/sim/evaluate"
)

// simEvaluate holds other rules against a log of a broadcaster's decisions.
type simEvaluate struct {
	Log []string `arg:"" help:"Logs of decisions: decisions.jsonl of a broadcaster's --data, and decisions.jsonl.1." type:"existingfile"`
	output
}

// Run estimates and prints.
func (s simEvaluate) Run(a *app) error {
	var all []route.Decision
	skipped := 0
	for _, path := range s.Log {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		more, without, err := evaluate.Read(f)
		_ = f.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		all, skipped = append(all, more...), skipped+without
	}
	if len(all) == 0 {
		return errors.New("no decision with an outcome is in the log")
	}
	r := evaluate.Of(all, evaluate.Policies())
	r.Skipped = skipped
	if s.JSON {
		return printJSON(a.stdout, r)
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%d decisions, %d without an outcome; what was done brought %.3f of a segment's worth\n", r.Decisions, r.Skipped, r.Logged)
	fmt.Fprintln(w, "rule\tdoubly robust\t± (95 %)\tpropensity\tnormalised\tas good as\ttried")
	for _, e := range r.Estimates {
		fmt.Fprintf(w, "%s\t%.3f\t%.3f\t%.3f\t%.3f\t%.0f outcomes\t%s\n", e.Policy, e.DR, 1.96*e.Error, e.IPS, e.SNIPS, e.Weight, percent(e.Covered))
	}
	return w.Flush()
}
