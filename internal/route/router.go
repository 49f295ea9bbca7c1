// Package route decides who does a piece of work and when: which seller gets the next segment, when a straggler is given
// to a second one, what is admitted, and what is shed when it does not fit. It is pure: clock and randomness are handed in
// and nothing is sent, so that roles and simulator decide alike.
package route

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"time"

	"github.com/kinora/kinora/internal/belief"
	"github.com/kinora/kinora/internal/protocol"
)

// Group is work that is alike: what one seller did with some of it tells how it will do with the rest.
type Group struct {
	Codec  protocol.Codec // the dearest of the ladder
	Rate   uint8          // of the ladder: octaves of pixels a second
	Region string         // where it is wanted
}

// GroupOf is the group of a ladder's work.
func GroupOf(ladder protocol.Ladder, sourceFPS float64, region string) Group {
	g := Group{Rate: uint8(bits.Len64(ladder.PixelRate(sourceFPS))), Region: region}
	for _, p := range ladder {
		if g.Codec == "" || dearness[p.Codec] > dearness[g.Codec] {
			g.Codec = p.Codec
		}
	}
	return g
}

var dearness = map[protocol.Codec]int{protocol.H264: 1, protocol.HEVC: 2, protocol.AV1: 3}

// Config of a Router. Shares are of what the work is worth; no figure is money.
type Config struct {
	HalfLife   time.Duration // of an outcome's weight
	Memory     float64       // outcomes that what was seen of one seller weighs at most
	Success    belief.Prior  // believed of a seller nobody has tried
	Time       belief.Guess  // likewise, of the natural logarithm of its seconds
	OwnWeight  float64       // outcomes that what is known of a seller weighs in a group it was not tried in
	FleetPrior float64       // outcomes that what is known of all weighs for a seller that was not tried
	Switch     float64       // share that leaving the holder must gain
	Impatience float64       // share that a time as long as the deadline costs
	Twice      float64       // share that it costs to be so slow that a second one is asked
	Surprise   float64       // standard deviations from what was expected, beyond which a time says that its seller has changed
	Kept       float64       // outcomes that what was seen of it before weighs then
	Unfinished float64       // outcomes that work weighs which takes longer than expected and is not done yet
	Replays    int           // draws from which a propensity is estimated
}

// Standard is the configuration of the roles.
func Standard() Config {
	return Config{HalfLife: 2 * time.Minute, Memory: 20, Success: belief.Prior{Yes: 4, No: 0.1}, Time: belief.Guess{N: 1, Mean: 0, Variance: 0.5},
		OwnWeight: 6, FleetPrior: 2, Switch: 0.02, Impatience: 0.3, Twice: 0.25, Surprise: 2.5, Kept: 4, Unfinished: 6, Replays: 32}
}

// Router learns from outcomes who serves which group how well, and picks by discounted Thompson sampling: every option is
// judged by a draw from what is believed of it, so that doubt is tried out in proportion. Beliefs fade, so that a change is
// noticed: slowly where outcomes drift, at once where one is a surprise, or is overdue. It is online learning of a few
// numbers, no more. A Router is not safe for concurrent use.
type Router[N comparable] struct {
	cfg    Config
	rand   *rand.Rand
	cells  map[cellKey[N]]cell
	nodes  map[N]cell
	groups map[Group]cell
	all    cell
}

type cellKey[N comparable] struct {
	node  N
	group Group
}

type cell struct {
	success belief.Rate
	time    belief.Level
}

// New makes a Router that has seen nothing; it draws from src.
func New[N comparable](cfg Config, src rand.Source) *Router[N] {
	return &Router[N]{cfg: cfg, rand: rand.New(src), cells: make(map[cellKey[N]]cell), nodes: make(map[N]cell), groups: make(map[Group]cell)}
}

// Option is somebody who could do the work.
type Option[N comparable] struct {
	Node     N
	Price    uint32        // of the work, in millionths of what it is worth
	InFlight int           // pieces of work it has, as far as is known
	Oldest   time.Duration // how long ago the oldest of them was given to it; 0: not known
	Slots    int           // pieces it does at once; 0: not known, taken for 1
	Holder   bool          // it has the stream: another one costs a switch
	RTT      time.Duration // to it; what it did itself outweighs it. 0: not counted
}

// Job is the work.
type Job struct {
	Group    Group
	Deadline time.Duration // from now
}

// Choice is what a Router picked.
type Choice struct {
	Index      int     // among the options
	Propensity float64 // estimated probability of this choice, for the log: what was not chosen can be evaluated from it later
	Utility    float64 // drawn, as a share of what the work is worth
	Late       float64 // believed probability that it misses the deadline
}

// Pick chooses among options, of which there must be one.
func (r *Router[N]) Pick(options []Option[N], job Job, now time.Time) Choice {
	views := make([]view, len(options))
	for i, o := range options {
		views[i] = r.view(o, job, now)
	}
	best, utility := r.draw(views)
	again := 1
	for range r.cfg.Replays {
		if i, _ := r.draw(views); i == best {
			again++
		}
	}
	return Choice{Index: best, Propensity: float64(again) / float64(r.cfg.Replays+1), Utility: utility,
		Late: views[best].late(views[best].time.Mean, 1+1/views[best].time.N)}
}

// view is what a draw needs of an option.
type view struct {
	success  belief.Prior
	time     belief.Guess
	price    float64
	wait     float64 // logarithm of the factor that work in flight puts on its time
	deadline float64 // logarithm of seconds
	latest   float64 // likewise, until a second one is asked
	twice    float64 // cost of that
	slow     float64 // cost of a time as long as the deadline
}

func (r *Router[N]) view(o Option[N], job Job, now time.Time) view {
	success, time := r.believed(o, job.Group, now)
	if o.Oldest > 0 {
		if x := level(o.Oldest, o.InFlight, o.Slots); x > time.Mean {
			time = belief.Level{N: r.cfg.Unfinished, Mean: x, At: now}.Over(time, now, r.cfg.HalfLife)
		}
	}
	v := view{success: success, time: time, price: float64(o.Price) / 1e6, wait: math.Log(Crowding(o.InFlight, o.Slots)),
		deadline: level(job.Deadline, 0, 1), latest: level(Latest(job.Deadline), 0, 1), twice: r.cfg.Twice, slow: r.cfg.Impatience}
	if !o.Holder {
		v.price += r.cfg.Switch
	}
	return v
}

// late is the probability of missing the deadline if the mean of the logarithm of its time is m.
func (v view) late(m, doubt float64) float64 {
	g := v.time
	g.Variance *= doubt
	return g.BeyondIf(m+v.wait, v.deadline)
}

// draw judges every option by a draw and returns the best one.
func (r *Router[N]) draw(views []view) (best int, utility float64) {
	utility = math.Inf(-1)
	for i, v := range views {
		m := v.time.Draw(r.rand)
		u := v.success.Draw(r.rand)*(1-v.late(m, 1)) - v.price - v.twice*v.time.BeyondIf(m+v.wait, v.latest) - v.slow*math.Exp(m+v.wait-v.deadline)
		if u > utility {
			best, utility = i, u
		}
	}
	return best, utility
}

// level is what a Level holds of a time: the logarithm of its seconds, without the part that a crowd of work puts on it.
func level(d time.Duration, inFlight, slots int) float64 {
	return math.Log(max(d, time.Millisecond).Seconds() / Crowding(inFlight, slots))
}

// Crowding is the factor that work in flight puts on the time of the next piece: none while a slot is free, and then the
// part of a turn that it waits.
func Crowding(inFlight, slots int) float64 {
	slots = max(slots, 1)
	return 1 + float64(max(0, inFlight+1-slots))/float64(slots)
}

// belief is that of a node in a group: from the group's, by what is known of the node, by what it did in the group.
func (r *Router[N]) belief(n N, g Group, now time.Time) (belief.Prior, belief.Guess) {
	c := r.cfg
	success, time := c.Success, c.Time
	for _, level := range []struct {
		cell
		weight float64
	}{{r.all, c.FleetPrior}, {r.groups[g], c.FleetPrior}, {r.nodes[n], c.OwnWeight}} {
		success = level.success.Over(success, now, c.HalfLife).Scaled(level.weight)
		time = level.time.Over(time, now, c.HalfLife).Scaled(level.weight)
	}
	own := r.cells[cellKey[N]{n, g}]
	return own.success.Over(success, now, c.HalfLife), own.time.Over(time, now, c.HalfLife)
}

// Outcome is how a piece of work ended.
type Outcome struct {
	Verified bool
	Time     time.Duration // until then; zero says nothing
	Cut      bool          // it was cancelled: it would have taken longer than Time
	Excused  bool          // that it was not verified says nothing of its seller
	InFlight int           // what the seller had when it was given the work
	Slots    int
}

// Observe learns from an outcome.
func (r *Router[N]) Observe(n N, g Group, o Outcome, now time.Time) {
	x := level(o.Time, o.InFlight, o.Slots)
	timed := o.Time > 0
	if timed {
		_, time := r.belief(n, g, now)
		timed = !o.Cut || x > time.Mean // a short time that was cut off is no news
		if timed && time.Surprise(x) > r.cfg.Surprise {
			r.doubt(n)
		}
	}
	key := cellKey[N]{n, g}
	r.cells[key] = r.cells[key].after(o, timed, x, now, r.cfg)
	r.nodes[n] = r.nodes[n].after(o, timed, x, now, r.cfg)
	r.groups[g] = r.groups[g].after(o, timed, x, now, r.cfg)
	r.all = r.all.after(o, timed, x, now, r.cfg)
}

func (c cell) after(o Outcome, timed bool, x float64, now time.Time, cfg Config) cell {
	if o.Verified || !o.Excused {
		c.success = c.success.Add(o.Verified, now, cfg.HalfLife).Capped(cfg.Memory)
	}
	if timed {
		c.time = c.time.Add(x, now, cfg.HalfLife).Capped(cfg.Memory)
	}
	return c
}

// doubt lets the next outcomes of a node weigh more than what its times were so far.
func (r *Router[N]) doubt(n N) {
	known := r.nodes[n]
	known.time = known.time.Capped(r.cfg.Kept)
	r.nodes[n] = known
	for k, c := range r.cells {
		if k.node == n {
			c.time = c.time.Capped(r.cfg.Kept)
			r.cells[k] = c
		}
	}
}

// Forget drops what is known of a node.
func (r *Router[N]) Forget(n N) {
	delete(r.nodes, n)
	for k := range r.cells {
		if k.node == n {
			delete(r.cells, k)
		}
	}
}

// Expect is the time that n is believed to stay within with probability p, at its present load; and how many outcomes that
// rests on.
func (r *Router[N]) Expect(o Option[N], g Group, p float64, now time.Time) (time.Duration, float64) {
	_, t := r.belief(o.Node, g, now)
	seconds := math.Exp(t.Quantile(p)) * Crowding(o.InFlight, o.Slots)
	return time.Duration(min(seconds, 3600) * 1e9), t.N
}

// Share is price in millionths of value, at most all of uint32.
func Share(price, value protocol.Wei) uint32 {
	ppm, ok := price.MulDivCeil(protocol.NewWei(1_000_000), value)
	if !ok || !ppm.IsUint64() {
		return math.MaxUint32
	}
	return uint32(min(ppm.Uint64(), math.MaxUint32))
}
