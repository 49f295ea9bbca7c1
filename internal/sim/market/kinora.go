package market

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/route"
	"github.com/kinora/kinora/internal/verify"
)

// What the market of Kinora's roles adds to the code under test.
const (
	leaseTime  = 30 * time.Second
	considered = 4   // for a segment: the holder, the best of the others, and some at random
	headroom   = 0.8 // of what a transcoder was calibrated to is sold
	explore    = 50_000
	unsure     = 8 // outcomes, below which a p95 is not known
	tooLate    = 0.5
)

// kinora is one orchestrator: it auctions leases, routes the segments of a stream among the lease's first few, hedges
// stragglers, and keeps the record that verification makes of everybody.
type kinora struct {
	o         *orchestrator
	router    *route.Router[int]
	measure   auction.Measure
	quality   []auction.Quality
	records   []verify.Record
	probing   []bool
	explored  auction.Exploration
	allowance route.Allowance
	leases    map[int]*lease
	held      []uint64 // pixel rate leased by this orchestrator
	elsewhere []uint64 // by the others, at the last heartbeat
	auctions  uint64
	secret    auction.Secret
}

type lease struct {
	order  []int // who may do the segments; the first one holds it
	prices map[int]protocol.Wei
	until  time.Duration
	rate   uint64
}

func newKinora(o *orchestrator) *kinora {
	n := len(o.own)
	cfg := route.Standard()
	cfg.Replays = 0 // nothing is evaluated from the log of a simulation
	k := &kinora{o: o, router: route.New[int](cfg, rand.NewPCG(o.run.seed, 5000+uint64(o.id))), measure: auction.StandardMeasure(),
		quality: make([]auction.Quality, n), records: make([]verify.Record, n), probing: make([]bool, n),
		explored: auction.Exploration{Share: explore}, leases: make(map[int]*lease), held: make([]uint64, n), elsewhere: make([]uint64, n),
		secret: auction.SecretOf([32]byte{byte(o.run.seed), byte(o.id)})}
	k.measure.HalfLife, k.measure.Budget = 2*time.Minute, o.run.config.HoldBack/2
	return k
}

// clock is the virtual time as the code under test takes it.
func (k *kinora) clock() time.Time { return time.Unix(0, int64(k.o.run.now)) }

// beaten brings what the others hold up to date, as bids do.
func (k *kinora) beaten() {
	for i := range k.elsewhere {
		k.elsewhere[i] = 0
		for _, o := range k.o.run.orchestrators {
			if o != k.o {
				k.elsewhere[i] += o.policy.(*kinora).held[i]
			}
		}
	}
}

func (k *kinora) ask(s *segment, avoid []int) auction.Ask {
	most := protocol.Prices{{Codec: protocol.H264, WeiPerPixel: protocol.NewWei(maxPrice)}}
	a := auction.Ask{Lease: protocol.ID{1}, Ladder: ladders[s.ladder], SourceFPS: sourceFPS, MaxPrices: most, Value: k.value(s)}
	k.auctions++
	a.Tie = k.secret.Tie([20]byte{}, strconv.Itoa(s.stream), 0, protocol.Hash{}, k.auctions)
	for _, i := range avoid {
		a.Avoid = append(a.Avoid, k.o.run.transcoders[i].address(i))
	}
	return a
}

// value of a second of the segment's ladder.
func (k *kinora) value(s *segment) protocol.Wei {
	return protocol.NewWei(maxPrice).Mul(ladders[s.ladder].PixelRate(sourceFPS)).Mul(k.o.run.config.Value)
}

// bids are the standing ones, with what this orchestrator knows of their bidders.
func (k *kinora) bids(class auction.Class) ([]auction.Candidate, []int) {
	now := k.clock()
	var candidates []auction.Candidate
	var who []int
	for i, t := range k.o.run.transcoders {
		if !k.o.up[i] {
			continue
		}
		capacity := uint64(headroom * float64(t.slots) / t.base * float64(ladders[1].PixelRate(sourceFPS)))
		taken := k.held[i] + k.elsewhere[i]
		bid := protocol.Bid{Transcoder: t.address(i), Prices: protocol.Prices{{Codec: protocol.H264, WeiPerPixel: t.price}}, FreePixelRate: capacity - min(capacity, taken)}
		candidates = append(candidates, auction.Candidate{Bid: bid, Quality: k.quality[i].Figure(class, now, k.measure), Newcomer: k.quality[i].Newcomer(now, k.measure),
			Allocated: true, Distrust: !k.records[i].Leasable()})
		who = append(who, i)
	}
	return candidates, who
}

func (k *kinora) class(s *segment) auction.Class {
	return auction.ClassOf(ladders[s.ladder].PixelRate(sourceFPS))
}

// auction sells the stream's lease anew. Where nobody has room, those that would only have to wait are better than none.
func (k *kinora) auction(s *segment, avoid []int) *lease {
	k.release(s.stream)
	ask := k.ask(s, avoid)
	candidates, who := k.bids(k.class(s))
	index := make(map[string]int, len(who))
	for j, c := range candidates {
		index[c.Bid.Transcoder.Hex()] = who[j]
	}
	choices := auction.Pick(candidates, ask)
	ranked := auction.Ranked(choices)
	l := &lease{prices: make(map[int]protocol.Wei), until: k.o.run.now + leaseTime, rate: ladders[s.ladder].PixelRate(sourceFPS)}
	add := func(c auction.Choice, p protocol.Prices) {
		i := index[c.Bid.Transcoder.Hex()]
		if !slices.Contains(l.order, i) {
			l.order = append(l.order, i)
			l.prices[i], _ = p.Of(protocol.H264)
		}
	}
	if len(ranked) > 0 {
		var first int
		var prices protocol.Prices
		first, prices, k.explored = k.explored.Next(ranked, ask, k.o.run.config.Rule)
		add(ranked[first], prices)
	}
	for j := range ranked {
		add(ranked[j], k.o.run.config.Rule.Prices(ranked, j, ask))
	}
	for _, c := range choices[len(ranked):] {
		if c.Reason == auction.NoCapacity {
			add(c, c.Prices)
		}
	}
	k.leases[s.stream] = l
	k.hold(l, 1)
	return l
}

func (k *kinora) hold(l *lease, sign int) {
	if len(l.order) == 0 {
		return
	}
	if sign > 0 {
		k.held[l.order[0]] += l.rate
	} else {
		k.held[l.order[0]] -= l.rate
	}
}

func (k *kinora) release(stream int) {
	if l := k.leases[stream]; l != nil {
		k.hold(l, -1)
		delete(k.leases, stream)
	}
}

// options are those of a lease that can have a segment now; few of them, for a first try.
func (k *kinora) options(l *lease, s *segment, avoid []int, few bool) (options []route.Option[int]) {
	for j, i := range l.order {
		if !k.o.up[i] || !k.records[i].Leasable() || slices.Contains(avoid, i) {
			continue
		}
		options = append(options, k.option(l, s, i, j == 0))
	}
	for few && len(options) > considered { // some at random: those that nobody looks at, nobody learns of
		n := 2 + k.o.rand.IntN(len(options)-2)
		options[n] = options[len(options)-1]
		options = options[:len(options)-1]
	}
	return options
}

func (k *kinora) option(l *lease, s *segment, i int, holder bool) route.Option[int] {
	cost, _ := auction.Cost(ladders[s.ladder], protocol.Prices{{Codec: protocol.H264, WeiPerPixel: l.prices[i]}}, sourceFPS)
	return route.Option[int]{Node: i, Price: route.Share(cost, k.value(s)), InFlight: k.o.load(i), Oldest: k.o.oldest(i),
		Slots: k.o.run.transcoders[i].slots, Holder: holder}
}

func (k *kinora) job(s *segment) route.Job {
	r := k.o.run
	return route.Job{Group: k.group(s), Deadline: s.at + r.config.HoldBack - r.now}
}

func (k *kinora) group(s *segment) route.Group {
	return route.GroupOf(ladders[s.ladder], sourceFPS, strconv.Itoa(k.o.run.streams[s.stream].region))
}

func (k *kinora) pick(s *segment, avoid []int) int {
	if len(avoid) == 0 {
		k.allowance = k.allowance.Segment()
	}
	l, fresh := k.leases[s.stream], false
	if l == nil || k.o.run.now >= l.until {
		l, fresh = k.auction(s, avoid), true
	}
	few := len(avoid) == 0
	options := k.options(l, s, avoid, few)
	var c route.Choice
	if len(options) > 0 {
		c = k.router.Pick(options, k.job(s), k.clock())
	}
	if !fresh && (len(options) == 0 || c.Late > tooLate) {
		l = k.auction(s, avoid)
		if options = k.options(l, s, avoid, few); len(options) > 0 {
			c = k.router.Pick(options, k.job(s), k.clock())
		}
	}
	if len(options) == 0 {
		return (&leastInFlight{k.o}).pick(s, avoid)
	}
	who := options[c.Index].Node
	k.move(l, who)
	return who
}

// move makes who the holder.
func (k *kinora) move(l *lease, who int) {
	if l.order[0] == who {
		return
	}
	k.hold(l, -1)
	j := slices.Index(l.order, who)
	copy(l.order[1:j+1], l.order[:j])
	l.order[0] = who
	k.hold(l, 1)
}

func (k *kinora) price(s *segment, who int) protocol.Wei {
	if l := k.leases[s.stream]; l != nil {
		if p, ok := l.prices[who]; ok {
			return p
		}
	}
	return k.o.run.transcoders[who].price
}

func (k *kinora) patience(a *attempt) time.Duration {
	if k.o.run.config.NoHedge {
		return 0
	}
	s := a.seg
	o := route.Option[int]{Node: a.who, InFlight: a.inFlight, Slots: k.o.run.transcoders[a.who].slots}
	p95, seen := k.router.Expect(o, k.group(s), 0.95, k.clock())
	return route.Patience(p95, seen >= unsure, k.o.run.config.HoldBack)
}

func (k *kinora) second(s *segment) (int, time.Duration) {
	l := k.leases[s.stream]
	if l == nil {
		return -1, 0
	}
	var avoid []int
	for _, t := range s.tries {
		avoid = append(avoid, t.who)
	}
	options := k.options(l, s, avoid, false)
	if len(options) == 0 {
		return -1, 0
	}
	var ok bool
	var again time.Duration
	if k.allowance, ok, again = k.allowance.Hedge(k.o.run.now-s.at, k.o.run.config.HoldBack); !ok {
		return -1, again
	}
	return options[k.router.Pick(options, k.job(s), k.clock()).Index].Node, 0
}

// probes gives suspects a copy, which is verified and not released: by it they are restored or cut off.
func (k *kinora) probes(*segment) (who []int) {
	for i, r := range k.records {
		if r.State == verify.Suspect && k.o.up[i] && !k.probing[i] {
			k.probing[i] = true
			who = append(who, i)
		}
	}
	return who
}

func (k *kinora) ended(a *attempt, how ending) {
	now, i := k.clock(), a.who
	elapsed := k.o.run.now - a.sent
	o := route.Outcome{Verified: how == verified, Time: elapsed, InFlight: a.inFlight, Slots: k.o.run.transcoders[i].slots}
	switch how {
	case verified:
		k.quality[i] = k.quality[i].Verified(k.class(a.seg), elapsed, now, k.measure)
		k.records[i] = k.records[i].After(verify.Verdict{Passed: true})
	case rejected:
		k.quality[i] = k.quality[i].Failed(now, k.measure)
		k.records[i] = k.records[i].After(verify.Verdict{})
	case vanished:
		o.Time = 0
		k.quality[i] = k.quality[i].Failed(now, k.measure)
	case cut:
		o.Cut, o.Excused = true, true
		if !a.duplicate && !a.probe {
			k.quality[i] = k.quality[i].Failed(now, k.measure)
		}
	}
	k.router.Observe(i, k.group(a.seg), o, now)
	if a.probe {
		k.probing[i] = false
	}
}
