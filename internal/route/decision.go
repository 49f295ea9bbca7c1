package route

import (
	"fmt"
	"math"
	"time"

	"github.com/kinora/kinora/internal/belief"
	"github.com/kinora/kinora/internal/protocol"
)

// Decision is one choice as it is written down: what there was to choose from, what was believed of each, who was chosen and
// how likely that was, and what came of it. From many of them it can be estimated what another rule would have brought.
type Decision struct {
	At             time.Time    `json:"time"`
	Stream         string       `json:"stream"`
	Seq            uint64       `json:"seq"`
	Group          string       `json:"group"`
	DeadlineMillis int64        `json:"deadline_ms"`
	Policy         string       `json:"policy"` // drawn, cheapest (too little is known to compare more), overflow, second
	Options        []Considered `json:"options"`
	Chosen         int          `json:"chosen"` // index into Options
	Propensity     float64      `json:"propensity"`
	Came           *Came        `json:"outcome,omitempty"`
}

// Considered is one option of a Decision.
type Considered struct {
	Node      string       `json:"node"`
	Wei       protocol.Wei `json:"wei"`   // at most, for the work
	Price     uint32       `json:"price"` // millionths of what the work is worth
	Success   float64      `json:"success"`
	Millis    int64        `json:"ms"` // half of its answers are believed to take less
	RTTMicros int64        `json:"rtt_us,omitempty"`
	InFlight  int          `json:"in_flight,omitempty"`
	Holder    bool         `json:"holder,omitempty"`
}

// Came is what came of a Decision.
type Came struct {
	Verified bool  `json:"verified"`
	Late     bool  `json:"late,omitempty"`
	Cut      bool  `json:"cut,omitempty"` // cancelled: another one was faster
	Millis   int64 `json:"ms"`            // from the last byte
}

// Reward of an outcome, as a share of what the work is worth: all of it for work that was verified in time, less its price.
func (c Came) Reward(price uint32) float64 {
	r := -float64(price) / 1e6
	if c.Cut {
		r = 0 // as a rule nobody was paid
	}
	if c.Verified && !c.Late {
		r++
	}
	return r
}

// String names the group.
func (g Group) String() string { return fmt.Sprintf("%s/2^%d/%s", g.Codec, g.Rate, g.Region) }

// Believed is the expected success of o in a group, and the time that half of its answers are believed to stay within, at its
// present load and distance.
func (r *Router[N]) Believed(o Option[N], g Group, now time.Time) (success float64, half time.Duration) {
	s, t := r.believed(o, g, now)
	seconds := math.Exp(t.Mean) * Crowding(o.InFlight, o.Slots)
	return s.Mean(), time.Duration(min(seconds, 3600) * 1e9)
}

// Overall is Expect over all groups together.
func (r *Router[N]) Overall(n N, p float64, now time.Time) (time.Duration, float64) {
	t := r.nodes[n].time.Over(belief.Guess{}, now, r.cfg.HalfLife)
	if t.N == 0 {
		return 0, 0
	}
	return time.Duration(min(math.Exp(t.Quantile(p)), 3600) * 1e9), t.N
}

// believed is the belief in o, its distance counted where it has not shown its own times yet.
func (r *Router[N]) believed(o Option[N], g Group, now time.Time) (belief.Prior, belief.Guess) {
	success, t := r.belief(o.Node, g, now)
	if o.RTT > 0 {
		seen := r.nodes[o.Node].time.Over(belief.Guess{}, now, r.cfg.HalfLife).N
		t.Mean = math.Log(math.Exp(t.Mean) + o.RTT.Seconds()*r.cfg.OwnWeight/(r.cfg.OwnWeight+seen))
	}
	return success, t
}
