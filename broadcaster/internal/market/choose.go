package market

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/route"
)

// Choice is an orchestrator with a live quote for one segment.
type Choice struct {
	Orchestrator common.Address
	Quote        protocol.Quote
	URL          string
	market       *Market
	seller       *seller
	key          askKey
	group        route.Group
	deadline     time.Duration
	sent         atomic.Pointer[time.Time] // when the last source byte left
	offer        atomic.Pointer[string]    // as it was sent
	aloft        bool                      // it counts among the segments its seller has. Guarded by Market.mu
	decision     *route.Decision           // by which it was chosen; nil: it was not compared with others
	logged       sync.Once
}

// Whom a stream that begins asks: the best few by what is known, and one at random of the rest, so that what is known stays
// true. How many there are in all makes no difference.
const (
	bestAsked = 2
	drawAsked = 1
)

// reviewEvery is how often a stream's holder is compared with others.
const reviewEvery = 30 * time.Second

// Choose returns the stream's orchestrator, or picks one that does not rest after a failure; not one of those to avoid, unless
// nothing but an idle replica of theirs is left.
// Errors: NoOrchestrator, PriceAboveMax, or the one reason all of them gave.
func (m *Market) Choose(ctx context.Context, ask Ask, avoid ...common.Address) (*Choice, error) {
	key, now := ask.key(), time.Now()
	m.mu.Lock()
	holder := m.holder[ask.Stream]
	shunned := func(s *seller) bool { return s.address != (common.Address{}) && slices.Contains(avoid, s.address) }
	var overflow *quote // the holder's, which is not asked while somebody else may have the segment
	if holder != nil && len(avoid) == 0 && m.fit(holder) && !m.relieve(holder, ask) {
		if q := holder.quotes[key]; q.live(now) {
			if m.loaded(holder, ask) {
				overflow = q
			} else if now.Sub(m.reviewed[ask.Stream]) < reviewEvery {
				m.renewIfDue(holder, ask, q)
				m.mu.Unlock()
				return m.choice(holder, ask, q), nil
			}
		}
	}
	if overflow == nil && len(avoid) == 0 {
		m.forget(now)
		m.reviewed[ask.Stream] = now
	}
	var fresh, rest, siblings []*seller // the last are replicas of those to avoid: another machine, if not another owner
	for _, s := range m.sellers {
		switch {
		case m.cfg.Keep > 0 && !s.kept || m.barred(s) != nil || overflow != nil && s == holder:
		case shunned(s):
			if m.fit(s) && s.flying[ask.Stream] == 0 {
				siblings = append(siblings, s)
			}
		case m.fit(s):
			fresh = append(fresh, s)
		default:
			rest = append(rest, s)
		}
	}
	m.order(fresh, ask)
	m.order(rest, ask)
	m.mu.Unlock()
	m.explore()
	policy := ""
	switch {
	case overflow != nil:
		policy = "overflow"
	case len(avoid) > 0:
		policy = "second"
	}
	for _, group := range [][]*seller{fresh, rest, siblings} { // those that rest are better than none
		for len(group) > 0 {
			n := min(len(group), bestAsked+drawAsked)
			if c := m.pick(ctx, group[:n], ask, policy); c != nil {
				return c, nil
			}
			if group = group[n:]; ctx.Err() != nil {
				group = nil
			}
		}
	}
	if overflow != nil {
		return m.choice(holder, ask, overflow), nil
	}
	return nil, m.refusal(avoid)
}

// forget drops streams that were not heard of for long, once there are many. m.mu is held.
func (m *Market) forget(now time.Time) {
	if len(m.reviewed) < 4096 {
		return
	}
	for stream, at := range m.reviewed {
		if now.Sub(at) > time.Hour {
			delete(m.reviewed, stream)
			delete(m.holder, stream)
		}
	}
}

// order puts whom to ask first: the holder, the cheapest by what they said last, and then one at random before the others.
// m.mu is held.
func (m *Market) order(group []*seller, ask Ask) {
	rand.Shuffle(len(group), func(i, j int) { group[i], group[j] = group[j], group[i] })
	holder := m.holder[ask.Stream]
	slices.SortStableFunc(group, func(a, b *seller) int {
		if a == holder || b == holder {
			return cmp.Compare(one(b == holder), one(a == holder))
		}
		x, known := a.expected(ask)
		y, other := b.expected(ask)
		switch {
		case known && other:
			return x.Big().Cmp(y.Big())
		case known != other:
			return cmp.Compare(one(other), one(known))
		}
		return 0
	})
	if len(group) > bestAsked {
		tail := group[bestAsked:]
		i := rand.IntN(len(tail))
		tail[0], tail[i] = tail[i], tail[0]
	}
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// fit reports whether s may be chosen now. m.mu is held.
func (m *Market) fit(s *seller) bool { return time.Now().After(s.resting) && m.barred(s) == nil }

// deadline is what an answer is believed in time by: the hold-back, three target durations.
func (a Ask) deadline() time.Duration { return 3 * time.Duration(a.SegmentMillis) * time.Millisecond }

func (a Ask) group() route.Group { return route.GroupOf(a.Ladder, a.FPS, "") }

// known is how many outcomes there must be before they decide anything.
const known = 8

// many is an orchestrator's slots as far as a broadcaster knows: its transcoders are its own affair.
const many = 1 << 10

// loaded reports whether the holder has so many segments of the stream that one more is more likely late than not, if it does
// them one after the other: then this one goes elsewhere, and the stream stays. m.mu is held.
func (m *Market) loaded(s *seller, ask Ask) bool {
	n := s.flying[ask.Stream]
	if n < 2 {
		return false
	}
	half, seen := m.router.Expect(route.Option[*seller]{Node: s, Slots: many}, ask.group(), 0.5, time.Now())
	return seen >= known && half*time.Duration(n+1) > ask.deadline() && m.another(s)
}

// another reports whether somebody else could be given work now. m.mu is held.
func (m *Market) another(s *seller) bool {
	return slices.ContainsFunc(m.sellers, func(o *seller) bool { return o != s && (o.kept || m.cfg.Keep == 0) && m.fit(o) })
}

// relieve lets the holder rest if it is more likely late than not and somebody else could take its place. m.mu is held.
func (m *Market) relieve(s *seller, ask Ask) bool {
	half, seen := m.router.Expect(route.Option[*seller]{Node: s, Slots: many}, ask.group(), 0.5, time.Now())
	if seen < known || half <= ask.deadline() || !m.another(s) {
		return false
	}
	s.resting = time.Now().Add(slowRest)
	s.lastErr = protocol.Errorf(protocol.DeadlineExceeded, "half of its answers take %s and more", half.Round(time.Millisecond))
	m.cfg.Log.Info("an orchestrator is too slow; asking others", "orchestrator", s.url, "stream", ask.Stream, "half_within", half)
	return true
}

// slowRest is how long one rests that was too slow.
const slowRest = 30 * time.Second

// choose takes the cheapest of answers while there is one that too little is known of, else whoever a draw from what is
// believed of each says. A stream does not leave its holder for a stranger that costs no less. m.mu is held.
func (m *Market) choose(answers []*Choice, ask Ask, policy string, now time.Time) *Choice {
	dearest, strangers := answers[0], false
	for _, c := range answers {
		if dearest.Quote.MaxFee.Less(c.Quote.MaxFee) {
			dearest = c
		}
		_, seen := m.router.Expect(route.Option[*seller]{Node: c.seller, Slots: many}, c.group, 0.5, now)
		strangers = strangers || seen < known
	}
	value := dearest.Quote.MaxFee.Mul(worth)
	options := make([]route.Option[*seller], len(answers))
	for i, c := range answers {
		options[i] = m.option(c.seller, ask)
		options[i].Price = route.Share(c.Quote.MaxFee, value)
	}
	job := route.Job{Group: answers[0].group, Deadline: ask.deadline()}
	picked := route.Choice{Propensity: 1}
	if strangers || len(answers) == 1 {
		picked.Index = m.cheapest(answers, ask)
		policy = cmp.Or(policy, "cheapest")
	} else {
		picked = m.router.Pick(options, job, now)
		policy = cmp.Or(policy, "drawn")
	}
	best := answers[picked.Index]
	best.decision = m.decision(answers, options, job, picked, policy, ask, now)
	m.cfg.Log.Debug("orchestrator chosen", "stream", ask.Stream, "orchestrator", best.URL, "of", len(answers), "policy", policy, "propensity", picked.Propensity,
		"utility", picked.Utility, "late", picked.Late)
	return best
}

// leaveFor is what somebody must be cheaper by, in percent, for a stream to leave its holder while too little is known to
// compare more than prices.
const leaveFor = 20

func (m *Market) cheapest(answers []*Choice, ask Ask) int {
	best, held := 0, -1
	for i, c := range answers {
		if c.Quote.MaxFee.Less(answers[best].Quote.MaxFee) {
			best = i
		}
		if m.holder[ask.Stream] == c.seller {
			held = i
		}
	}
	if held >= 0 && !answers[best].Quote.MaxFee.Mul(100).Less(answers[held].Quote.MaxFee.Mul(100-leaveFor)) {
		return held
	}
	return best
}

// worth of a verified segment, in multiples of the dearest quote for it.
const worth = 20

// decision is what is written down of a choice, for whoever wants to know later what another rule would have done.
func (m *Market) decision(answers []*Choice, options []route.Option[*seller], job route.Job, picked route.Choice, policy string, ask Ask, now time.Time) *route.Decision {
	if m.cfg.Decisions == nil {
		return nil
	}
	d := &route.Decision{At: now.UTC(), Stream: ask.Stream, Seq: ask.Seq, Group: job.Group.String(), DeadlineMillis: job.Deadline.Milliseconds(), Policy: policy,
		Chosen: picked.Index, Propensity: picked.Propensity}
	for i, o := range options {
		success, half := m.router.Believed(o, job.Group, now)
		d.Options = append(d.Options, route.Considered{Node: answers[i].Orchestrator.Hex(), Wei: answers[i].Quote.MaxFee, Price: o.Price, Success: success,
			Millis: half.Milliseconds(), RTTMicros: o.RTT.Microseconds(), InFlight: o.InFlight, Holder: o.Holder})
	}
	return d
}

// pick asks every seller of group that has no live quote, waits a moment longer than for the first answer, and chooses; nil if
// there is none.
func (m *Market) pick(ctx context.Context, group []*seller, ask Ask, policy string) *Choice {
	const grace = 250 * time.Millisecond
	answers := make(chan *Choice, len(group))
	for _, s := range group {
		m.renewal.Go(func() {
			q, err := m.quoteOf(ctx, s, ask)
			if err != nil {
				answers <- nil
				return
			}
			answers <- m.choice(s, ask, q)
		})
	}
	var came []*Choice
	timer := time.NewTimer(m.cfg.QuoteTimeout + time.Second)
	defer timer.Stop()
	for range group {
		select {
		case c := <-answers:
			if c == nil {
				continue
			}
			if len(came) == 0 {
				timer.Reset(grace)
			}
			came = append(came, c)
			continue
		case <-timer.C:
		case <-ctx.Done():
		}
		break
	}
	if len(came) == 0 {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	best := m.choose(came, ask, policy, time.Now())
	if policy == "" { // else it is for this segment alone
		m.holder[ask.Stream] = best.seller
	}
	return best
}

func (m *Market) choice(s *seller, ask Ask, q *quote) *Choice {
	return &Choice{Orchestrator: q.Orchestrator, Quote: q.Quote, URL: s.url, market: m, seller: s, key: ask.key(), group: ask.group(), deadline: ask.deadline()}
}

// refusal says why nobody was chosen.
func (m *Market) refusal(avoid []common.Address) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var reasons []string
	codes := make(map[protocol.Code]bool)
	limit, others := "", 0
	for _, s := range m.sellers {
		barred := m.barred(s)
		switch {
		case m.cfg.Keep > 0 && !s.kept && s.lastErr == nil || len(s.regions) == 0:
			others++
			continue
		case barred != nil:
			reasons = append(reasons, s.url+": "+barred.Error())
			codes[protocol.CodeOf(barred)] = true
		case slices.Contains(avoid, s.address):
			reasons = append(reasons, s.url+": has it already")
		case s.lastErr != nil:
			reasons = append(reasons, s.url+": "+s.lastErr.Error())
			codes[protocol.CodeOf(s.lastErr)] = true
			limit = roomier(limit, s.lastErr)
		default:
			reasons = append(reasons, s.url+": no answer in time")
			codes[protocol.Unreachable] = true
		}
	}
	if more := len(reasons) - maxReasons; more > 0 {
		reasons = append(reasons[:maxReasons], fmt.Sprintf("and %d more", more))
	}
	if others > 0 {
		reasons = append(reasons, fmt.Sprintf("%d are known that have no allocation", others))
	}
	code := protocol.NoOrchestrator
	if len(codes) == 1 {
		for _, c := range []protocol.Code{protocol.PriceAboveMax, protocol.NoCapacity, protocol.NoAllocation, protocol.InsufficientCredit, protocol.FeeAboveFaceValue} {
			if codes[c] {
				code = c
			}
		}
	}
	err := protocol.Errorf(code, "no orchestrator takes the segment: %s", strings.Join(reasons, "; "))
	err.Limit = limit
	return err
}

// maxReasons bounds what a refusal tells.
const maxReasons = 8

// HasAlternative reports whether there is another orchestrator to go to.
func (c *Choice) HasAlternative() bool {
	m := c.market
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.ContainsFunc(m.sellers, func(s *seller) bool {
		return s != c.seller && (s.kept || m.cfg.Keep == 0) && m.barred(s) == nil
	})
}

// Patience is how long c may take after the segment's last byte before a second orchestrator is worth asking, within a
// budget.
func (c *Choice) Patience(budget time.Duration) time.Duration {
	m := c.market
	m.mu.Lock()
	defer m.mu.Unlock()
	p95, seen := m.router.Expect(route.Option[*seller]{Node: c.seller, Slots: many}, c.group, 0.95, time.Now())
	return route.Patience(p95, seen >= known, budget)
}
