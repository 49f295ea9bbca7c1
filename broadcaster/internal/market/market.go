// Package market finds an orchestrator for each segment: it holds their signed quotes, chooses by price, and by how they have
// served once that is known, among those that may be trusted, and carries the segment there and its renditions back.
package market

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/broadcaster/internal/store"
	"github.com/kinora/kinora/internal/passport"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/route"
	"github.com/kinora/kinora/internal/verify"
)

// Payer is the part of a ticket payer that quotes feed.
type Payer interface {
	Use(ctx context.Context, stream string, params protocol.Signed[protocol.TicketParams]) error
	Usable(recipient common.Address, stream string) (time.Duration, bool)
}

// Config of a Market.
type Config struct {
	URLs           []string // of orchestrators, with ADDRESS@ before them where that is known; at least one
	Cleartext      bool     // may pass between machines
	Signer         protocol.Signer
	Domain         protocol.Domain
	MaxWeiPerPixel protocol.Wei // dearer quotes are refused; zero: no maximum
	Payer          Payer
	Records        map[common.Address]store.Trust // what is known of orchestrators from before
	Events         func(protocol.Event)
	Log            *slog.Logger
	QuoteTimeout   time.Duration // of one request for a quote (2 s)
}

// Market is safe for concurrent use.
type Market struct {
	cfg     Config
	clients *passport.Clients

	mu      sync.Mutex
	sellers []*seller
	records map[common.Address]store.Trust
	epoch   verify.Epoch
	holder  map[string]*seller // of each stream: who has it
	router  *route.Router[*seller]
	renewal sync.WaitGroup
	ctx     context.Context
	stop    context.CancelFunc
}

// seller is one configured orchestrator. Guarded by Market.mu.
type seller struct {
	url      string
	claimed  common.Address // who is said to be there; zero: whoever answers
	address  common.Address // zero until its first signed word
	quotes   map[askKey]*quote
	failures int
	resting  time.Time // not asked before this, unless nobody else is left
	lastErr  error
}

// Ask is what a stream wants to buy.
type Ask struct {
	Stream        string
	Ladder        protocol.Ladder
	FPS           float64 // of the source, an upper bound
	SegmentMillis uint32  // usual duration
	MaxMillis     uint32  // longest
}

type askKey struct {
	stream string
	ladder common.Hash
	fps    float64
	max    uint32
}

func (a Ask) key() askKey { return askKey{a.Stream, a.Ladder.Hash(), a.FPS, a.MaxMillis} }

// New makes a Market, whose first sampling epoch TurnEpoch begins; Close ends it.
func New(cfg Config) *Market {
	cfg.QuoteTimeout = cmp.Or(cfg.QuoteTimeout, 2*time.Second)
	m := &Market{cfg: cfg, clients: newClients(passport.NewTrust(cfg.Domain), cfg.Cleartext), records: make(map[common.Address]store.Trust), holder: make(map[string]*seller),
		router: route.New[*seller](route.Standard(), rand.NewPCG(rand.Uint64(), rand.Uint64()))}
	for a, r := range cfg.Records {
		m.records[a] = r
	}
	for _, u := range cfg.URLs {
		o, err := passport.ParseEndpoint(u)
		if err != nil { // a caller's mistake, which every request tells
			o.URL = u
		}
		m.sellers = append(m.sellers, &seller{url: strings.TrimRight(o.URL, "/"), claimed: o.Identity, quotes: make(map[askKey]*quote)})
	}
	m.ctx, m.stop = context.WithCancel(context.Background())
	return m
}

// Close ends what runs in the background.
func (m *Market) Close() {
	m.stop()
	m.renewal.Wait()
	m.clients.CloseIdleConnections()
}

// Choice is an orchestrator with a live quote for one segment.
type Choice struct {
	Orchestrator common.Address
	Quote        protocol.Quote
	URL          string
	market       *Market
	seller       *seller
	key          askKey
	group        route.Group
	sent         atomic.Pointer[time.Time] // when the last source byte left
}

// Choose returns the stream's orchestrator, or picks one that does not rest after a failure. Errors:
// NoOrchestrator, PriceAboveMax, or the one reason all of them gave.
func (m *Market) Choose(ctx context.Context, ask Ask) (*Choice, error) {
	key := ask.key()
	m.mu.Lock()
	if s := m.holder[ask.Stream]; s != nil && m.fit(s) && !m.relieve(s, ask) {
		if q := s.quotes[key]; q.live(time.Now()) {
			m.renewIfDue(s, ask, q)
			m.mu.Unlock()
			return m.choice(s, ask, q), nil
		}
	}
	var ask1, rest []*seller
	for _, s := range m.sellers {
		if m.fit(s) {
			ask1 = append(ask1, s)
		} else if m.records[s.address].State != verify.CutOff {
			rest = append(rest, s)
		}
	}
	m.mu.Unlock()
	for _, group := range [][]*seller{ask1, rest} { // those that rest are better than none
		if c := m.pick(ctx, group, ask); c != nil {
			return c, nil
		}
	}
	return nil, m.refusal()
}

// fit reports whether s may be chosen now. m.mu is held.
func (m *Market) fit(s *seller) bool {
	return time.Now().After(s.resting) && m.records[s.address].State != verify.CutOff
}

// deadline is what an answer is believed in time by: the hold-back, three target durations.
func (a Ask) deadline() time.Duration { return 3 * time.Duration(a.SegmentMillis) * time.Millisecond }

// known is how many outcomes there must be before they decide anything.
const known = 8

// many is an orchestrator's slots as far as a broadcaster knows: its transcoders are its own affair.
const many = 1 << 10

// relieve lets the holder rest if it is more likely late than not and somebody else could take its place. m.mu is held.
func (m *Market) relieve(s *seller, ask Ask) bool {
	half, seen := m.router.Expect(route.Option[*seller]{Node: s, Slots: many}, route.GroupOf(ask.Ladder, ask.FPS, ""), 0.5, time.Now())
	if seen < known || half <= ask.deadline() {
		return false
	}
	for _, other := range m.sellers {
		if other != s && m.fit(other) {
			s.resting = time.Now().Add(slowRest)
			s.lastErr = protocol.Errorf(protocol.DeadlineExceeded, "half of its answers take %s and more", half.Round(time.Millisecond))
			m.cfg.Log.Info("an orchestrator is too slow; asking others", "orchestrator", s.url, "stream", ask.Stream, "half_within", half)
			return true
		}
	}
	return false
}

// slowRest is how long one rests that was too slow.
const slowRest = 30 * time.Second

// choose takes the cheapest of answers while there is one that too little is known of, else whoever a draw from what is
// believed of each says. m.mu is held.
func (m *Market) choose(answers []*Choice, ask Ask, now time.Time) *Choice {
	cheapest, dearest, strangers := answers[0], answers[0], false
	for _, c := range answers {
		if c.Quote.MaxFee.Less(cheapest.Quote.MaxFee) {
			cheapest = c
		}
		if dearest.Quote.MaxFee.Less(c.Quote.MaxFee) {
			dearest = c
		}
		_, seen := m.router.Expect(route.Option[*seller]{Node: c.seller, Slots: many}, c.group, 0.5, now)
		strangers = strangers || seen < known
	}
	if strangers || len(answers) == 1 {
		return cheapest
	}
	value := dearest.Quote.MaxFee.Mul(worth)
	options := make([]route.Option[*seller], len(answers))
	for i, c := range answers {
		options[i] = route.Option[*seller]{Node: c.seller, Slots: many, Price: route.Share(c.Quote.MaxFee, value), Holder: m.holder[ask.Stream] == c.seller}
	}
	drawn := m.router.Pick(options, route.Job{Group: cheapest.group, Deadline: ask.deadline()}, now)
	m.cfg.Log.Debug("orchestrator drawn", "stream", ask.Stream, "orchestrator", answers[drawn.Index].URL, "of", len(answers), "propensity", drawn.Propensity,
		"utility", drawn.Utility, "late", drawn.Late)
	return answers[drawn.Index]
}

// worth of a verified segment, in multiples of the dearest quote for it.
const worth = 20

// pick asks every seller of group that has no live quote, waits a moment longer than for the first answer, and chooses; nil if
// there is none.
func (m *Market) pick(ctx context.Context, group []*seller, ask Ask) *Choice {
	if len(group) == 0 {
		return nil
	}
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
	best := m.choose(came, ask, time.Now())
	m.holder[ask.Stream] = best.seller
	return best
}

func (m *Market) choice(s *seller, ask Ask, q *quote) *Choice {
	return &Choice{Orchestrator: q.Orchestrator, Quote: q.Quote, URL: s.url, market: m, seller: s, key: ask.key(), group: route.GroupOf(ask.Ladder, ask.FPS, "")}
}

// refusal says why nobody was chosen.
func (m *Market) refusal() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var reasons []string
	codes := make(map[protocol.Code]bool)
	for _, s := range m.sellers {
		switch {
		case m.records[s.address].State == verify.CutOff:
			reasons = append(reasons, s.url+": cut off, its outputs failed verification")
			codes[protocol.VerificationFailed] = true
		case s.lastErr != nil:
			reasons = append(reasons, s.url+": "+s.lastErr.Error())
			codes[protocol.CodeOf(s.lastErr)] = true
		default:
			reasons = append(reasons, s.url+": no answer in time")
			codes[protocol.Unreachable] = true
		}
	}
	code := protocol.NoOrchestrator
	if len(codes) == 1 {
		for _, c := range []protocol.Code{protocol.PriceAboveMax, protocol.NoAllocation, protocol.InsufficientCredit, protocol.FeeAboveFaceValue} {
			if codes[c] {
				code = c
			}
		}
	}
	return protocol.Errorf(code, "no orchestrator takes the segment: %s", strings.Join(reasons, "; "))
}

// HasAlternative reports whether there is another orchestrator to go to.
func (c *Choice) HasAlternative() bool {
	m := c.market
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.ContainsFunc(m.sellers, func(s *seller) bool { return s != c.seller && m.records[s.address].State != verify.CutOff })
}

// Failed lets the orchestrator rest for a while: the next Choose prefers another.
func (c *Choice) Failed(err error) {
	m := c.market
	m.mu.Lock()
	defer m.mu.Unlock()
	switch protocol.CodeOf(err) {
	case protocol.QuoteUnknown, protocol.QuoteExpired: // it forgot its word: ask again, it did nothing wrong by our bytes
		delete(c.seller.quotes, c.key)
		return
	}
	c.learn(false)
	c.seller.failures++
	c.seller.resting = time.Now().Add(min(30*time.Second, 500*time.Millisecond<<min(c.seller.failures-1, 6)))
	c.seller.lastErr = err
	if m.holder[c.key.stream] == c.seller {
		delete(m.holder, c.key.stream)
	}
}

// learn notes how the segment went, and how long after its last byte. The market's mu is held.
func (c *Choice) learn(verified bool) {
	now := time.Now()
	o := route.Outcome{Verified: verified, Slots: many}
	if sent := c.sent.Load(); sent != nil && verified {
		o.Time = now.Sub(*sent)
	}
	c.market.router.Observe(c.seller, c.group, o, now)
}

// Succeeded forgets failures.
func (c *Choice) Succeeded() {
	c.market.mu.Lock()
	defer c.market.mu.Unlock()
	c.learn(true)
	c.seller.failures, c.seller.resting, c.seller.lastErr = 0, time.Time{}, nil
}

// Deep decides whether an attempt of an orchestrator gets L1.
func (m *Market) Deep(orchestrator common.Address, attempt protocol.ID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.epoch.Sampled(attempt, m.records[orchestrator].Rate())
}

// Judged adds a verdict to an orchestrator's record and returns it. Only outputs that it vouched for count.
func (m *Market) Judged(orchestrator common.Address, v verify.Verdict) store.Trust {
	m.mu.Lock()
	before := m.records[orchestrator]
	after := store.Trust{Record: before.After(v), Restored: before.Restored}
	m.records[orchestrator] = after
	m.mu.Unlock()
	if after.State != cmp.Or(before.State, verify.New) {
		m.cfg.Log.Warn("an orchestrator's standing changed", "orchestrator", orchestrator, "from", cmp.Or(before.State, verify.New), "to", after.State)
	}
	return after
}

// Restore lets an orchestrator whose outputs were judged begin anew, with what that leaves to be stored.
func (m *Market) Restore(orchestrator common.Address) (Standing, store.Trust, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before, known := m.records[orchestrator]
	if !known {
		return Standing{}, store.Trust{}, protocol.Errorf(protocol.NotFound, "no output of an orchestrator %s was ever judged here", orchestrator)
	}
	after := store.Trust{Record: before.Restore(), Restored: before.Restored + 1}
	m.records[orchestrator] = after
	standing := Standing{Address: orchestrator, Record: after.Record}
	for _, s := range m.sellers {
		if s.address == orchestrator {
			s.failures, s.resting, s.lastErr = 0, time.Time{}, nil
			standing.URL = s.url
		}
	}
	return standing, after, nil
}

// Standing is one orchestrator as seen from here.
type Standing struct {
	URL     string
	Address common.Address // zero: never met
	Record  verify.Record
	Err     error // of the last exchange, nil when it went well
}

// Standings are all configured orchestrators.
func (m *Market) Standings() []Standing {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]Standing, len(m.sellers))
	for i, s := range m.sellers {
		all[i] = Standing{URL: s.url, Address: s.address, Record: m.records[s.address].Record, Err: s.lastErr}
	}
	return all
}

// URLOf is where an orchestrator is reached; Unreachable until it was met.
func (m *Market) URLOf(orchestrator common.Address) (string, error) {
	urls, err := m.urlsOf(orchestrator)
	if err != nil {
		return "", err
	}
	return urls[0], nil
}

// urlsOf are where the replicas of an orchestrator are reached, those that do not rest first.
func (m *Market) urlsOf(orchestrator common.Address) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var urls, resting []string
	for _, s := range m.sellers {
		switch {
		case s.address != orchestrator:
		case m.fit(s):
			urls = append(urls, s.url)
		default:
			resting = append(resting, s.url)
		}
	}
	if urls = append(urls, resting...); len(urls) == 0 {
		return nil, protocol.Errorf(protocol.Unreachable, "no configured orchestrator has said that it is %s", orchestrator)
	}
	return urls, nil
}

// Meet asks the orchestrator at each URL for a quote it will not use, to learn by its signature who it is.
func (m *Market) Meet(ctx context.Context, ask Ask) error {
	var errs []error
	m.mu.Lock()
	sellers := slices.Clone(m.sellers)
	m.mu.Unlock()
	for _, s := range sellers {
		m.mu.Lock()
		known := s.address != common.Address{}
		m.mu.Unlock()
		if known {
			continue
		}
		if _, err := m.quoteOf(ctx, s, ask); err != nil {
			m.mu.Lock()
			known = s.address != common.Address{}
			m.mu.Unlock()
			if !known {
				errs = append(errs, fmt.Errorf("%s: %w", s.url, err))
			}
		}
	}
	return errors.Join(errs...)
}
