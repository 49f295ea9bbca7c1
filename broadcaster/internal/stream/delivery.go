package stream

import (
	"fmt"
	"slices"
	"time"

	"github.com/kinora/kinora/broadcaster/internal/store"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
)

// delivery is what an orchestrator vouches for: one attempt at the whole ladder, or several that make a part of it each. No
// rendition is of two.
type delivery struct {
	made    []*work  // who made each rung, by its index in the ladder; nil: nobody yet
	outputs [][]byte // likewise
	failed  *work    // the first that was found wanting here
}

// add takes an attempt that was judged.
func (d *delivery) add(w *work) error {
	if !w.verdict.Passed {
		d.failed = w
		return nil
	}
	for i, r := range w.rungs {
		if d.made[r] != nil {
			return fmt.Errorf("vouches for two attempts at rung %d", r)
		}
		d.made[r], d.outputs[r] = w, w.outputs[i]
	}
	return nil
}

// settled reports that nothing more is to come: every rung was made, or one attempt failed.
func (d *delivery) settled() bool { return d.failed != nil || !slices.Contains(d.made, nil) }

// first is the attempt under whose name the segment is paid and remembered: the one that failed, or that made the first rung.
func (d *delivery) first() *work {
	if d.failed != nil {
		return d.failed
	}
	return d.made[0]
}

// parts are the attempts, the first one first.
func (d *delivery) parts() (all []*work) {
	if d.failed != nil {
		return []*work{d.failed}
	}
	for _, w := range d.made {
		if !slices.Contains(all, w) {
			all = append(all, w)
		}
	}
	return all
}

// output is what a rung turned out to be.
func (d *delivery) output(rung int) verify.Output {
	w := d.made[rung]
	return w.verdict.Outputs[slices.Index(w.rungs, rung)]
}

// fee is what all of it costs.
func (d *delivery) fee(prices protocol.Prices) (sum protocol.Wei, err error) {
	for _, w := range d.parts() {
		fee, err := w.ladder.Fee(prices, w.receipt.Message)
		if err != nil {
			return sum, err
		}
		sum = sum.Add(fee)
	}
	return sum, nil
}

// received is when the last receipt came.
func (d *delivery) received() (at time.Time) {
	for _, w := range d.parts() {
		if w.received.After(at) {
			at = w.received
		}
	}
	return at
}

// attempts are the rows of the parts, without what they are paid: the first is paid for all.
func (d *delivery) attempts() []store.Attempt {
	var rows []store.Attempt
	for _, w := range d.parts() {
		rows = append(rows, store.Attempt{Assignment: w.assignment, Receipt: w.receipt, Layers: w.verdict.Layers, Code: w.verdict.Code, Detail: w.verdict.Detail})
	}
	return rows
}
