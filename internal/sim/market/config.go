// Package market simulates how segments find transcoders: a market of unlike machines in seven regimes under eight policies,
// one of which is Kinora's, made of the very code that its roles run (packages auction, route and verify) under a virtual
// clock. It is a discrete-event simulation; the same Config gives the same Result.
//
// The world: transcoders have 1 to 8 slots and one of five speeds, from 0.25 to 1.6 times a segment's duration for the middle
// ladder, and ask more the faster they are. A piece of work takes the speed times the ladder's weight times a lognormal
// factor, and waits in order of arrival while all slots are taken. Results travel for the round-trip time between four
// regions. Streams have one of three ladders and belong to one of several orchestrators, each of which knows its own work
// in flight at once and that of the others from the last heartbeat.
//
// All policies have alike: outputs are verified; a failed or lost attempt is tried again elsewhere while there is time, at
// most four times in all; a segment whose hold-back is over is given up and its work cancelled. A given segment on a given
// transcoder takes the same time under every policy.
package market

import (
	"fmt"
	"slices"
	"time"

	"github.com/kinora/kinora/internal/auction"
)

// Regime is what happens to the market.
type Regime string

// Regimes.
const (
	Steady Regime = "steady"
	Abrupt Regime = "abrupt" // a fifth of the transcoders is three times as slow in the middle third
	Drift  Regime = "drift"  // every speed wanders, by up to a factor of three either way
	Flash  Regime = "flash"  // three times the streams in the middle third
	Churn  Regime = "churn"  // transcoders leave after a minute and are away for twenty seconds; half of them without a word
	Cheats Regime = "cheats" // a tenth is fast and cheap, and one in twenty of its outputs is bad
	Stale  Regime = "stale"  // heartbeats come every two seconds rather than every half
)

// Regimes lists them.
func Regimes() []Regime { return []Regime{Steady, Abrupt, Drift, Flash, Churn, Cheats, Stale} }

// Policy is a way of choosing.
type Policy string

// Policies. Work in flight is counted per slot by all that look at it.
const (
	RoundRobin    Policy = "round-robin"
	Random        Policy = "random"
	LeastInFlight Policy = "least-in-flight"
	P2C           Policy = "p2c"      // of two at random, the one with less in flight
	P2CEWMA       Policy = "p2c-ewma" // of two at random, the one with the lower peak-sensitive moving average of latency × work in flight
	Livepeer      Policy = "livepeer" // sticky while the last result came in real time, else the best known, else one by stake and chance
	Kinora        Policy = "kinora"
	Oracle        Policy = "oracle" // knows every speed, queue and cheat of the moment, and takes the earliest expected end
)

// Policies lists them.
func Policies() []Policy {
	return []Policy{RoundRobin, Random, LeastInFlight, P2C, P2CEWMA, Livepeer, Kinora, Oracle}
}

// Config is the market.
type Config struct {
	Transcoders   int
	Streams       int
	Orchestrators int
	Segment       time.Duration
	HoldBack      time.Duration // from a segment's last byte until it is late
	Length        time.Duration // of a run
	Runs          int           // with seeds of their own
	Seed          uint64
	Rule          auction.Rule // what Kinora pays; the others pay the posted price, as bid
	Value         uint64       // of a verified segment, in multiples of the most that is paid for it
	NoHedge       bool         // Kinora asks no second one: what is left is how it chooses
	Regimes       []Regime
	Policies      []Policy
}

// Standard is the market of docs/market-simulation.md.
func Standard() Config {
	return Config{Transcoders: 30, Streams: 50, Orchestrators: 3, Segment: 2 * time.Second, HoldBack: 6 * time.Second, Length: 4 * time.Minute,
		Runs: 30, Seed: 1, Rule: auction.PayAsBid, Value: 20, Regimes: Regimes(), Policies: Policies()}
}

// Validate names the field that cannot be.
func (c Config) Validate() error {
	for _, n := range []struct {
		name            string
		value, low, top int
	}{{"transcoders", c.Transcoders, 5, 10_000}, {"streams", c.Streams, 1, 100_000}, {"orchestrators", c.Orchestrators, 1, 100}, {"runs", c.Runs, 1, 10_000}} {
		if n.value < n.low || n.value > n.top {
			return fmt.Errorf("%s: %d, want %d to %d", n.name, n.value, n.low, n.top)
		}
	}
	switch {
	case c.Segment < 100*time.Millisecond || c.Segment > time.Minute:
		return fmt.Errorf("segment: %s, want 100ms to 1m", c.Segment)
	case c.HoldBack < c.Segment || c.HoldBack > time.Minute:
		return fmt.Errorf("hold-back: %s, want a segment to 1m", c.HoldBack)
	case c.Length < 20*c.Segment || c.Length > 24*time.Hour:
		return fmt.Errorf("length: %s, want twenty segments to 24h", c.Length)
	case !c.Rule.Valid():
		return fmt.Errorf("rule: %q, want %s or %s", c.Rule, auction.PayAsBid, auction.SecondScore)
	case c.Value < 1 || c.Value > 10_000:
		return fmt.Errorf("value: %d, want 1 to 10000", c.Value)
	}
	for _, r := range c.Regimes {
		if !slices.Contains(Regimes(), r) {
			return fmt.Errorf("regime: %q, want one of %v", r, Regimes())
		}
	}
	for _, p := range c.Policies {
		if !slices.Contains(Policies(), p) {
			return fmt.Errorf("policy: %q, want one of %v", p, Policies())
		}
	}
	return nil
}
