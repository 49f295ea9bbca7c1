package market

import (
	"math"
	"time"
)

func newPolicy(p Policy, o *orchestrator) policy {
	switch p {
	case RoundRobin:
		return &roundRobin{o: o, next: o.id}
	case Random:
		return &random{o}
	case LeastInFlight:
		return &leastInFlight{o}
	case P2C:
		return &p2c{o}
	case P2CEWMA:
		return newEWMA(o)
	case Livepeer:
		return newLivepeer(o)
	case Kinora:
		return newKinora(o)
	}
	return &oracle{o}
}

type roundRobin struct {
	o    *orchestrator
	next int
}

func (p *roundRobin) pick(_ *segment, avoid []int) int {
	all := p.o.known(avoid)
	if len(all) == 0 {
		return -1
	}
	for _, i := range all {
		if i >= p.next {
			p.next = i + 1
			return i
		}
	}
	p.next = all[0] + 1
	return all[0]
}

func (p *roundRobin) ended(*attempt, ending) {}

type random struct{ o *orchestrator }

func (p *random) pick(_ *segment, avoid []int) int {
	all := p.o.known(avoid)
	if len(all) == 0 {
		return -1
	}
	return all[p.o.rand.IntN(len(all))]
}

func (p *random) ended(*attempt, ending) {}

// perSlot is the work in flight of transcoder i by its slots, which every bid tells.
func (o *orchestrator) perSlot(i int) float64 {
	return float64(o.load(i)) / float64(o.run.transcoders[i].slots)
}

type leastInFlight struct{ o *orchestrator }

func (p *leastInFlight) pick(_ *segment, avoid []int) int {
	best, least, equal := -1, math.Inf(1), 0
	for _, i := range p.o.known(avoid) {
		switch load := p.o.perSlot(i); {
		case load < least:
			best, least, equal = i, load, 1
		case load == least: // one of them, each as likely
			equal++
			if p.o.rand.IntN(equal) == 0 {
				best = i
			}
		}
	}
	return best
}

func (p *leastInFlight) ended(*attempt, ending) {}

// two draws two of those that are there; the same twice when there is one.
func (o *orchestrator) two(avoid []int) (a, b int) {
	all := o.known(avoid)
	switch len(all) {
	case 0:
		return -1, -1
	case 1:
		return all[0], all[0]
	}
	i, j := o.rand.IntN(len(all)), o.rand.IntN(len(all)-1)
	if j >= i {
		j++
	}
	return all[i], all[j]
}

type p2c struct{ o *orchestrator }

func (p *p2c) pick(_ *segment, avoid []int) int {
	a, b := p.o.two(avoid)
	if a >= 0 && p.o.perSlot(b) < p.o.perSlot(a) {
		return b
	}
	return a
}

func (p *p2c) ended(*attempt, ending) {}

// ewma is the rule of Finagle and Linkerd: a moving average of latency that jumps to a peak and decays from it, times the
// work in flight. One that was not tried costs nothing until it has work in flight.
type ewma struct {
	o     *orchestrator
	value []float64
	at    []time.Duration
}

const ewmaDecay = 10 * time.Second

func newEWMA(o *orchestrator) *ewma {
	return &ewma{o: o, value: make([]float64, len(o.own)), at: make([]time.Duration, len(o.own))}
}

func (p *ewma) cost(i int) float64 {
	if p.value[i] == 0 && p.o.load(i) > 0 {
		return math.Inf(1)
	}
	return p.value[i] * (p.o.perSlot(i) + 1)
}

func (p *ewma) pick(_ *segment, avoid []int) int {
	a, b := p.o.two(avoid)
	if a >= 0 && p.cost(b) < p.cost(a) {
		return b
	}
	return a
}

func (p *ewma) ended(a *attempt, how ending) {
	if how == vanished {
		return
	}
	x, now := (p.o.run.now - a.sent).Seconds(), p.o.run.now
	if old := p.value[a.who]; x > old {
		p.value[a.who] = x
	} else if how == verified || how == rejected {
		w := math.Exp(-float64(now-p.at[a.who]) / float64(ewmaDecay))
		p.value[a.who] = old*w + x*(1-w)
	}
	p.at[a.who] = now
}

// livepeer keeps a stream where it is while its last result came within a segment's duration and nothing older than that
// is in flight there; else it takes the best of those the stream has known, and where none of them is good enough another
// one, by stake with weight 0.7 and by chance with 0.3.
type livepeer struct {
	o       *orchestrator
	streams map[int]*livepeerStream
}

type livepeerStream struct {
	last    int
	score   map[int]float64 // latency by segment duration
	tried   []int           // keys of score, in order
	oldest  map[int]time.Duration
	pending map[int]int
}

func newLivepeer(o *orchestrator) *livepeer {
	return &livepeer{o: o, streams: make(map[int]*livepeerStream)}
}

func (p *livepeer) pick(s *segment, avoid []int) int {
	st := p.streams[s.stream]
	if st == nil {
		st = &livepeerStream{last: -1, score: make(map[int]float64), oldest: make(map[int]time.Duration), pending: make(map[int]int)}
		p.streams[s.stream] = st
	}
	i := p.choose(st, p.o.known(avoid))
	if i >= 0 {
		st.last = i
		if st.pending[i] == 0 {
			st.oldest[i] = p.o.run.now
		}
		st.pending[i]++
	}
	return i
}

func (p *livepeer) choose(st *livepeerStream, all []int) int {
	segment := p.o.run.config.Segment
	there := make([]bool, len(p.o.own))
	for _, i := range all {
		there[i] = true
	}
	free := func(i int) bool {
		return there[i] && (st.pending[i] == 0 || p.o.run.now-st.oldest[i] < max(segment, 1500*time.Millisecond))
	}
	if st.last >= 0 && free(st.last) && st.score[st.last] <= 1 {
		return st.last
	}
	best := -1
	for _, i := range st.tried {
		if free(i) && (best < 0 || st.score[i] < st.score[best]) {
			best = i
		}
	}
	if best >= 0 && st.score[best] <= 1 {
		return best
	}
	var unknown []int
	stake := 0.0
	for _, i := range all {
		if _, ok := st.score[i]; !ok {
			unknown = append(unknown, i)
			stake += p.o.run.transcoders[i].stake
		}
	}
	if len(unknown) == 0 {
		if best < 0 && len(all) > 0 {
			return all[p.o.rand.IntN(len(all))]
		}
		return best
	}
	if p.o.rand.Float64() < 0.3 {
		return unknown[p.o.rand.IntN(len(unknown))]
	}
	x := p.o.rand.Float64() * stake
	for _, i := range unknown {
		if x -= p.o.run.transcoders[i].stake; x < 0 {
			return i
		}
	}
	return unknown[len(unknown)-1]
}

func (p *livepeer) ended(a *attempt, how ending) {
	st := p.streams[a.seg.stream]
	st.pending[a.who]--
	if _, ok := st.score[a.who]; !ok {
		st.tried = append(st.tried, a.who)
	}
	if how == verified {
		st.score[a.who] = float64(p.o.run.now-a.sent) / float64(p.o.run.config.Segment)
		return
	}
	st.score[a.who] = 10 // out of the stream's list, unless nobody else is left
	if st.last == a.who {
		st.last = -1
	}
}

// oracle knows what no policy can: the speeds, queues and cheats of the moment, though not what chance will add.
type oracle struct{ o *orchestrator }

func (p *oracle) pick(s *segment, avoid []int) int {
	r := p.o.run
	best, soonest := -1, math.Inf(1)
	for i, t := range r.transcoders {
		if !t.here || t.cheat {
			continue
		}
		skip := false
		for _, a := range avoid {
			skip = skip || a == i
		}
		if skip {
			continue
		}
		work := t.speed * weights[s.ladder] * r.config.Segment.Seconds()
		queue := float64(max(0, t.running+t.waiting+1-t.slots)) / float64(t.slots)
		if end := work*(1+queue) + trips[r.streams[s.stream].region][t.region].Seconds(); end < soonest {
			best, soonest = i, end
		}
	}
	return best
}

func (p *oracle) ended(*attempt, ending) {}
