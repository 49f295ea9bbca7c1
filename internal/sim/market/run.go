package market

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/kinora/kinora/internal/protocol"
)

// What heartbeats and connections take.
const (
	heartbeat      = 500 * time.Millisecond
	staleHeartbeat = 2 * time.Second
	bidLife        = 2 * time.Second        // a transcoder that is not heard for so long is known to be gone
	refused        = 100 * time.Millisecond // to find nobody there
	broken         = 500 * time.Millisecond // to notice that a connection is dead
	maxTries       = 4
)

type kind uint8

const (
	arrives kind = iota // a segment's last byte
	finishes
	results // at its orchestrator
	fails   // is noticed to be lost, at its orchestrator
	cancels // reaches the transcoder
	hedges
	ends // a segment's hold-back
	beats
	turns // of the regime
	leaves
	returns
)

type event struct {
	at   time.Duration
	n    uint64 // order of equals
	kind kind
	who  int
	seg  *segment
	try  *attempt
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].n < e[j].n
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	old := *e
	x := old[len(old)-1]
	*e = old[:len(old)-1]
	return x
}

type stream struct {
	ladder int
	region int
	shown  []showing
}

type segment struct {
	id     int
	stream int
	n      int // of the stream
	ladder int
	at     time.Duration
	tries  []*attempt
	open   int  // tries that may still end well
	over   bool // released or given up
}

type attempt struct {
	seg       *segment
	who       int
	sent      time.Duration
	inFlight  int // what its orchestrator knew of, before it
	duplicate bool
	probe     bool // never released
	price     protocol.Wei
	state     state
	life      uint32 // of its transcoder
	place     int    // in its transcoder's active
	known     bool   // its orchestrator knows how it ended
}

type state uint8

const (
	queued state = iota
	running
	done
	cancelled
	lost
)

// orchestrator is one of those that share the transcoders: what it knows, and how it chooses.
type orchestrator struct {
	run    *run
	id     int
	rand   *rand.Rand
	own    []int        // work in flight of its own
	sent   [][]*attempt // likewise, oldest first
	others []int        // of the others, at the last heartbeat
	up     []bool
	policy policy
}

// policy chooses. Its methods are called in the order of virtual time.
type policy interface {
	// pick returns who gets a segment, not in avoid unless there is nobody else; −1: nobody.
	pick(s *segment, avoid []int) int
	// ended tells how an attempt went: verified, bad, lost, or cut off.
	ended(a *attempt, how ending)
}

type ending uint8

const (
	verified ending = iota
	rejected        // the output was bad
	vanished        // its transcoder was gone, or went
	cut             // cancelled before it was done
)

// hedger is a policy that asks a second one.
type hedger interface {
	// patience is how long after it was sent a first attempt is doubted; zero: never.
	patience(a *attempt) time.Duration
	// second returns who gets the duplicate; −1: nobody, and it may be asked again in a while.
	second(s *segment) (who int, again time.Duration)
	// probes returns whom else a segment is sent to in order to learn.
	probes(s *segment) []int
	price(s *segment, who int) protocol.Wei
}

// load is what o knows of the work that transcoder i has.
func (o *orchestrator) load(i int) int { return o.own[i] + o.others[i] }

// oldest is how long ago the oldest of o's own work in flight was given to transcoder i; 0: there is none.
func (o *orchestrator) oldest(i int) time.Duration {
	if len(o.sent[i]) == 0 {
		return 0
	}
	return o.run.now - o.sent[i][0].sent
}

// known lists who is there, as far as o knows, without those in avoid; with them when there is nobody else.
func (o *orchestrator) known(avoid []int) []int {
	var all []int
	for i, up := range o.up {
		if up && !slices.Contains(avoid, i) {
			all = append(all, i)
		}
	}
	if len(all) == 0 && len(avoid) > 0 {
		return o.known(nil)
	}
	return all
}

type run struct {
	config Config
	regime Regime
	policy Policy
	seed   uint64
	now    time.Duration
	n      uint64
	queue  events

	transcoders   []*transcoder
	streams       []*stream
	orchestrators []*orchestrator
	rand          *rand.Rand // of the world: never of the policy
	tally         tally
}

// simulate runs one market to its end.
func simulate(c Config, regime Regime, p Policy, seed uint64) tally {
	r := newRun(c, regime, p, seed)
	r.play()
	return r.tally
}

func newRun(c Config, regime Regime, p Policy, seed uint64) *run {
	r := &run{config: c, regime: regime, policy: p, seed: seed, rand: rand.New(rand.NewPCG(seed, 77))}
	r.transcoders = populate(c, regime, r.rand)
	r.tally.thirds = make([]third, 3)
	for i := range c.Orchestrators {
		o := &orchestrator{run: r, id: i, rand: rand.New(rand.NewPCG(seed, 1000+uint64(i))), own: make([]int, c.Transcoders),
			sent: make([][]*attempt, c.Transcoders), others: make([]int, c.Transcoders), up: make([]bool, c.Transcoders)}
		for t := range o.up {
			o.up[t] = true
		}
		o.policy = newPolicy(p, o)
		r.orchestrators = append(r.orchestrators, o)
	}
	return r
}

// play lets everything happen that begins within the length, and what follows of it.
func (r *run) play() {
	r.begin()
	for r.queue.Len() > 0 {
		e := heap.Pop(&r.queue).(event)
		if e.at > r.config.Length+3*r.config.HoldBack {
			break
		}
		r.now = e.at
		r.happen(e)
	}
	r.tally.finish(r)
}

func (r *run) at(t time.Duration, e event) {
	r.n++
	e.at, e.n = t, r.n
	heap.Push(&r.queue, e)
}

// begin sets up the streams and what the regime brings.
func (r *run) begin() {
	c := r.config
	streams := c.Streams
	if r.regime == Flash {
		streams *= 3
	}
	id := 0
	for i := range streams {
		s := &stream{ladder: r.rand.IntN(len(ladders)), region: r.rand.IntN(len(trips))}
		r.streams = append(r.streams, s)
		from, to := time.Duration(0), c.Length
		if i >= c.Streams {
			from, to = c.Length/3, 2*c.Length/3
		}
		for at := from + time.Duration(r.rand.Int64N(int64(c.Segment))); at < to; at += c.Segment {
			r.at(at, event{kind: arrives, seg: &segment{id: id, stream: i, n: len(s.shown), ladder: s.ladder, at: at}})
			s.shown = append(s.shown, showing{at: at})
			id++
		}
	}
	r.at(0, event{kind: beats})
	switch r.regime {
	case Abrupt:
		for _, i := range r.rand.Perm(c.Transcoders)[:c.Transcoders/5] {
			r.at(c.Length/3, event{kind: turns, who: i})
			r.at(2*c.Length/3, event{kind: turns, who: i})
		}
	case Drift:
		r.at(time.Second, event{kind: turns})
	case Churn:
		for i := range r.transcoders {
			r.at(r.exponential(time.Minute), event{kind: leaves, who: i})
		}
	}
}

func (r *run) exponential(mean time.Duration) time.Duration {
	return time.Duration(r.rand.ExpFloat64() * float64(mean))
}

func (r *run) happen(e event) {
	switch e.kind {
	case arrives:
		r.arrive(e.seg)
	case finishes:
		r.finish(e.try)
	case results:
		r.result(e.try)
	case fails:
		r.fail(e.try)
	case cancels:
		r.cancelled(e.try)
	case hedges:
		r.hedge(e.seg, e.try)
	case ends:
		r.giveUp(e.seg)
	case beats:
		r.beat()
	case turns:
		r.turn(e.who)
	case leaves:
		r.leave(e.who)
	case returns:
		t := r.transcoders[e.who]
		t.here = true
		r.at(r.now+r.exponential(time.Minute), event{kind: leaves, who: e.who})
	}
}

func (r *run) orchestratorOf(s *segment) *orchestrator {
	return r.orchestrators[s.stream%len(r.orchestrators)]
}

func (r *run) arrive(s *segment) {
	r.at(s.at+r.config.HoldBack, event{kind: ends, seg: s})
	o := r.orchestratorOf(s)
	first := r.try(o, s, o.policy.pick(s, nil), false)
	h, ok := o.policy.(hedger)
	if !ok {
		return
	}
	if first != nil {
		if d := h.patience(first); d > 0 {
			r.at(r.now+d, event{kind: hedges, seg: s, try: first})
		}
	}
	for _, who := range h.probes(s) {
		if a := r.send(o, s, who); a != nil {
			a.probe = true
			r.tally.duplicates++
		}
	}
}

// try sends s to who, as one of its tries; nil when there is nobody.
func (r *run) try(o *orchestrator, s *segment, who int, duplicate bool) *attempt {
	if who < 0 {
		return nil
	}
	a := r.send(o, s, who)
	a.duplicate = duplicate
	s.tries = append(s.tries, a)
	s.open++
	return a
}

func (r *run) send(o *orchestrator, s *segment, who int) *attempt {
	t := r.transcoders[who]
	a := &attempt{seg: s, who: who, sent: r.now, inFlight: o.load(who), life: t.life, price: t.price}
	if h, ok := o.policy.(hedger); ok {
		a.price = h.price(s, who)
	}
	o.own[who]++
	o.sent[who] = append(o.sent[who], a)
	r.tally.attempts++
	if !t.here {
		a.state = lost
		r.at(r.now+refused, event{kind: fails, try: a})
		return a
	}
	a.place = len(t.active)
	t.active = append(t.active, a)
	if t.running < t.slots {
		r.start(a)
	} else {
		t.queue = append(t.queue, a)
		t.waiting++
	}
	return a
}

func (r *run) start(a *attempt) {
	t := r.transcoders[a.who]
	a.state = running
	t.running++
	try := 0
	if a.probe {
		try = 1
	}
	r.at(r.now+r.service(a.seg, a.who, try), event{kind: finishes, try: a})
}

// next gives a free slot to whoever waits.
func (r *run) next(t *transcoder) {
	for t.running < t.slots && len(t.queue) > 0 {
		a := t.queue[0]
		t.queue = t.queue[1:]
		if a.state == queued {
			t.waiting--
			r.start(a)
		}
	}
}

func (r *run) finish(a *attempt) {
	t := r.transcoders[a.who]
	if a.state != running || a.life != t.life {
		return
	}
	a.state = done
	t.running--
	t.part(a)
	r.next(t)
	r.at(r.now+r.trip(a), event{kind: results, try: a})
}

// part takes an attempt that has ended off the transcoder.
func (t *transcoder) part(a *attempt) {
	last := len(t.active) - 1
	t.active[a.place] = t.active[last]
	t.active[a.place].place = a.place
	t.active = t.active[:last]
}

func (r *run) trip(a *attempt) time.Duration {
	return trips[r.streams[a.seg.stream].region][r.transcoders[a.who].region]
}

// result is a whole output at its orchestrator.
func (r *run) result(a *attempt) {
	s, o := a.seg, r.orchestratorOf(a.seg)
	bad := r.bad(s, a.who)
	if !bad { // also one that comes too late for anything, if it was done before it heard of the cancel
		cost := a.price.Mul(ladders[s.ladder].PixelRate(sourceFPS)).Mul(uint64(r.config.Segment)).Div(uint64(time.Second))
		r.tally.paid = r.tally.paid.Add(cost)
		r.transcoders[a.who].earned = r.transcoders[a.who].earned.Add(cost)
	}
	if a.known {
		return
	}
	how := verified
	if bad {
		how = rejected
	}
	r.conclude(o, a, how)
	if a.probe || s.over {
		return
	}
	if bad {
		r.again(o, s)
		return
	}
	s.over = true
	r.tally.release(r, s, a)
	r.drop(o, s)
}

// conclude tells o how a ended.
func (r *run) conclude(o *orchestrator, a *attempt, how ending) {
	a.known = true
	o.own[a.who]--
	o.sent[a.who] = slices.DeleteFunc(o.sent[a.who], func(b *attempt) bool { return a == b })
	if !a.probe {
		a.seg.open--
	}
	o.policy.ended(a, how)
}

func (r *run) fail(a *attempt) {
	if a.known {
		return
	}
	o := r.orchestratorOf(a.seg)
	o.up[a.who] = false
	r.conclude(o, a, vanished)
	if !a.probe && !a.seg.over {
		r.again(o, a.seg)
	}
}

// again tries a segment elsewhere, if nothing is under way.
func (r *run) again(o *orchestrator, s *segment) {
	if s.open > 0 || len(s.tries) >= maxTries {
		return
	}
	var avoid []int
	for _, t := range s.tries {
		avoid = append(avoid, t.who)
	}
	r.try(o, s, o.policy.pick(s, avoid), false)
}

// drop cancels what is still under way for s.
func (r *run) drop(o *orchestrator, s *segment) {
	for _, a := range s.tries {
		if !a.known {
			r.conclude(o, a, cut)
			r.at(r.now+r.trip(a)/2, event{kind: cancels, try: a})
		}
	}
}

func (r *run) cancelled(a *attempt) {
	t := r.transcoders[a.who]
	if a.life != t.life {
		return
	}
	switch a.state {
	case queued:
		t.waiting--
	case running:
		t.running--
	default:
		return
	}
	a.state = cancelled
	t.part(a)
	r.next(t)
}

func (r *run) hedge(s *segment, first *attempt) {
	o := r.orchestratorOf(s)
	if s.over || first.known || s.open != 1 || len(s.tries) >= maxTries {
		return
	}
	who, again := o.policy.(hedger).second(s)
	if again > 0 {
		r.at(r.now+again, event{kind: hedges, seg: s, try: first})
	}
	if who >= 0 {
		r.try(o, s, who, true)
		r.tally.duplicates++
	}
}

func (r *run) giveUp(s *segment) {
	if s.over {
		return
	}
	s.over = true
	r.tally.miss(r, s)
	r.drop(r.orchestratorOf(s), s)
}

// beat brings every orchestrator up to date.
func (r *run) beat() {
	for _, o := range r.orchestrators {
		for i, t := range r.transcoders {
			o.others[i] = max(0, t.running+t.waiting-o.own[i])
			if t.here {
				o.up[i] = true
			} else if r.now-t.gone > bidLife {
				o.up[i] = false
			}
		}
		if k, ok := o.policy.(*kinora); ok {
			k.beaten()
		}
	}
	every := heartbeat
	if r.regime == Stale {
		every = staleHeartbeat
	}
	r.at(r.now+every, event{kind: beats})
}

func (r *run) turn(who int) {
	switch r.regime {
	case Abrupt:
		t := r.transcoders[who]
		if t.speed == t.base {
			t.speed = 3 * t.base
		} else {
			t.speed = t.base
		}
	case Drift:
		for _, t := range r.transcoders {
			t.speed = min(3*t.base, max(t.base/3, t.speed*math.Exp(0.08*r.rand.NormFloat64())))
		}
		r.at(r.now+time.Second, event{kind: turns})
	}
}

func (r *run) leave(who int) {
	t := r.transcoders[who]
	if r.rand.IntN(2) == 0 { // it says so, and finishes what it has
		for _, o := range r.orchestrators {
			o.up[who] = false
		}
	} else {
		t.life++
		for _, a := range t.active {
			a.state = lost
			r.at(r.now+broken, event{kind: fails, try: a})
		}
		t.running, t.waiting, t.queue, t.active = 0, 0, nil, nil
	}
	t.here, t.gone = false, r.now
	r.at(r.now+r.exponential(20*time.Second), event{kind: returns, who: who})
}
