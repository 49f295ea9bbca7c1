package market

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/broadcaster/internal/store"
	"github.com/kinora/kinora/internal/passport"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/route"
	"github.com/kinora/kinora/internal/verify"
)

// seller is one orchestrator that is known of. Guarded by Market.mu.
type seller struct {
	url      string
	claimed  common.Address    // who is said to be there; zero: whoever answers
	address  common.Address    // zero until its first signed word
	regions  map[string]string // by source that lists it: where it is said to be. Empty: nobody lists it any more
	region   string            // as it says itself
	quotes   map[askKey]*quote // binding ones
	flying   map[string]int    // segments it has now, by stream
	kept     bool              // has an allocation, and may be given work
	prices   protocol.Prices   // of its last quote: what it is asked for next may cost so
	rtt      time.Duration     // the least that was measured lately; zero: none was
	asked    time.Time         // for a quote, whatever came of it
	misses   int               // questions in a row that it did not answer with a quote
	saved    store.Met         // as it was last written down
	savedAt  time.Time         //
	failures int
	outs     int       // times that failures cost it its place, less the segments it served since
	outUntil time.Time // it gets none before this
	resting  time.Time // not asked before this, unless nobody else is left
	lastErr  error
}

// Bounds of what is known, and of how often what was said is written down.
const (
	maxSellers = 8192
	saveEvery  = 10 * time.Minute
)

// Know takes the whole list of a source: who is new is known of from now on, who is missing is asked no more, unless another
// source lists it.
func (m *Market) Know(source string, listed []protocol.Listing) {
	m.mu.Lock()
	defer m.mu.Unlock()
	type key struct {
		url     string
		account common.Address
	}
	at := make(map[key]*seller, len(m.sellers))
	for _, s := range m.sellers {
		delete(s.regions, source)
		at[key{s.url, s.claimed}] = s
		if s.claimed == (common.Address{}) && s.address != (common.Address{}) {
			at[key{s.url, s.address}] = s
		}
	}
	var unknown []protocol.Listing // who is known stays, wherever it is in the list
	for _, l := range listed {
		l.URL = strings.TrimRight(l.URL, "/")
		if s := at[key{l.URL, l.Account}]; s != nil {
			s.regions[source] = l.Region
		} else {
			unknown = append(unknown, l)
		}
	}
	places := maxSellers
	for _, s := range m.sellers {
		places -= one(len(s.regions) > 0)
	}
	for _, l := range unknown {
		s := at[key{l.URL, l.Account}]
		if s == nil {
			if places--; places < 0 {
				m.cfg.Log.Warn("too many orchestrators are listed; the rest is passed over", "source", source, "taken", maxSellers)
				break
			}
			s = &seller{url: l.URL, claimed: l.Account, quotes: make(map[askKey]*quote), regions: make(map[string]string), flying: make(map[string]int)}
			m.recall(s)
			m.sellers = append(m.sellers, s)
			at[key{l.URL, l.Account}] = s
		}
		s.regions[source] = l.Region
	}
	m.sellers = slices.DeleteFunc(m.sellers, func(s *seller) bool { return len(s.regions) == 0 && s.address == (common.Address{}) })
	for _, s := range m.sellers {
		if len(s.regions) == 0 { // its tickets still find it
			s.kept = false
		}
	}
}

// recall takes up what was written down of an orchestrator. It is who it says only once it signs again.
func (m *Market) recall(s *seller) {
	for _, was := range m.cfg.Met {
		if was.URL == s.url && (s.claimed == was.Account || s.claimed == (common.Address{})) {
			s.address, s.prices, s.rtt, s.region, s.saved = was.Account, was.Prices, was.RTT, was.Region, was
			return
		}
	}
}

// where is the region of s: as it says itself, else as it is listed. m.mu is held.
func (s *seller) where() string {
	if s.region != "" {
		return s.region
	}
	for _, source := range slices.Sorted(maps.Keys(s.regions)) {
		if r := s.regions[source]; r != "" {
			return r
		}
	}
	return ""
}

// account is who s is, or is said to be. m.mu is held.
func (s *seller) account() common.Address {
	if s.address != (common.Address{}) {
		return s.address
	}
	return s.claimed
}

// barred says why s is never asked. m.mu is held.
func (m *Market) barred(s *seller) error {
	a := s.account()
	switch {
	case len(s.regions) == 0:
		return protocol.Errorf(protocol.NotFound, "nobody lists it any more")
	case slices.Contains(m.cfg.Deny, a) && a != (common.Address{}):
		return protocol.Errorf(protocol.Unauthorized, "%s is denied by --deny-orchestrator", a)
	case len(m.cfg.Allow) > 0 && a != (common.Address{}) && !slices.Contains(m.cfg.Allow, a):
		return protocol.Errorf(protocol.Unauthorized, "%s is not among --allow-orchestrator", a)
	case m.records[a].State == verify.CutOff:
		return protocol.Errorf(protocol.VerificationFailed, "cut off, its outputs failed verification")
	}
	return nil
}

// admits reports whether an account may be dealt with at all.
func (m *Market) admits(s *seller, a common.Address) error {
	switch {
	case s.claimed != (common.Address{}) && s.claimed != a:
		return protocol.Errorf(protocol.BadSignature, "%s answers as %s, it is listed as %s", s.url, a, s.claimed)
	case slices.Contains(m.cfg.Deny, a):
		return protocol.Errorf(protocol.Unauthorized, "%s is denied by --deny-orchestrator", a)
	case len(m.cfg.Allow) > 0 && !slices.Contains(m.cfg.Allow, a):
		return protocol.Errorf(protocol.Unauthorized, "%s is not among --allow-orchestrator", a)
	}
	return nil
}

// met notes who answers at a URL. An orchestrator that changes its account begins anew; one that is found at the same URL by
// two sources is one; one account at several URLs is replicas of one orchestrator, any of which serves any stream.
func (m *Market) met(s *seller, address common.Address) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.admits(s, address); err != nil {
		return err
	}
	if !slices.Contains(m.sellers, s) { // the other entry of it was faster, and stands for both
		return m.learnAddress(s, address)
	}
	for i, other := range m.sellers {
		if other == s || other.address != address || other.url != s.url || len(other.regions) == 0 {
			continue
		}
		maps.Copy(s.regions, other.regions)
		s.kept = s.kept || other.kept
		m.sellers = slices.Delete(m.sellers, i, i+1)
		for stream, holder := range m.holder {
			if holder == other {
				m.holder[stream] = s
			}
		}
		break
	}
	return m.learnAddress(s, address)
}

func (m *Market) learnAddress(s *seller, address common.Address) error {
	if s.address != address {
		s.address = address
		clear(s.quotes)
		m.cfg.Log.Info("met an orchestrator", "url", s.url, "address", address)
	}
	return nil
}

// heard notes what a quote says about its seller, and writes it down now and then.
func (m *Market) heard(s *seller, prices protocol.Prices, region string, rtt time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s.prices = merged(s.prices, prices)
	if protocol.ValidateRegion(region) == nil {
		s.region = region
	}
	s.rtt = nearer(s.rtt, rtt)
	s.misses = 0
	if s.failures == 0 {
		s.lastErr = nil
	}
	now := time.Now()
	met := store.Met{Account: s.address, URL: s.url, Region: s.region, Prices: s.prices, RTT: s.rtt}
	if m.cfg.Remember == nil || s.saved.URL == met.URL && s.saved.Account == met.Account && now.Sub(s.savedAt) < saveEvery {
		return
	}
	s.saved, s.savedAt = met, now
	m.renewal.Go(func() {
		if err := m.cfg.Remember(m.ctx, met); err != nil && m.ctx.Err() == nil {
			m.cfg.Log.Warn("cannot write down an orchestrator that was met", "orchestrator", met.URL, "err", err)
		}
	})
}

// nearer is the round trip after another measurement: at once when it is less, since nothing but distance is in the least
// one, and slowly when it is more.
func nearer(was, now time.Duration) time.Duration {
	if was == 0 || now < was {
		return now
	}
	return was + (now-was)/8
}

// merged are prices with those that were just said in their place.
func merged(old, said protocol.Prices) protocol.Prices {
	all := slices.Clone(said)
	for _, p := range old {
		if _, ok := all.Of(p.Codec); !ok {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b protocol.CodecPrice) int { return cmp.Compare(a.Codec, b.Codec) })
	return all
}

// Standing is one orchestrator as seen from here.
type Standing struct {
	URL     string
	Address common.Address // zero: never met
	Claimed common.Address // who is listed there; zero: the list does not say
	Sources []string
	Region  string
	Prices  protocol.Prices // as it last said
	RTT     time.Duration   // zero: never measured
	Record  verify.Record
	Kept    bool // has an allocation, or is to get one
	Streams int  // that it holds
	Flying  int
	Half    time.Duration // half of its segments are believed to take less, from their last byte
	Seen    float64       // outcomes that rests on
	Resting time.Duration // how much longer
	Err     error         // of the last exchange, nil when it went well
	Barred  error         // why it is never asked
}

// Standings are all orchestrators that are known of: those with an allocation first, then by URL.
func (m *Market) Standings() []Standing {
	m.mu.Lock()
	defer m.mu.Unlock()
	holds := make(map[*seller]int)
	for _, s := range m.holder {
		holds[s]++
	}
	now := time.Now()
	all := make([]Standing, len(m.sellers))
	for i, s := range m.sellers {
		half, seen := m.router.Overall(s, 0.5, now)
		all[i] = Standing{URL: s.url, Address: s.address, Claimed: s.claimed, Sources: slices.Sorted(maps.Keys(s.regions)), Region: s.where(), Prices: s.prices, RTT: s.rtt,
			Record: m.records[s.address].Record, Kept: s.kept || m.cfg.Keep == 0, Streams: holds[s], Half: half, Seen: seen,
			Resting: max(0, s.resting.Sub(now)), Err: s.lastErr, Barred: m.barred(s)}
		for _, n := range s.flying {
			all[i].Flying += n
		}
	}
	slices.SortStableFunc(all, func(a, b Standing) int {
		switch {
		case a.Kept != b.Kept && a.Kept:
			return -1
		case a.Kept != b.Kept:
			return 1
		}
		return 0
	})
	return all
}

// URLOf is where an orchestrator is reached; Unreachable until it was met.
func (m *Market) URLOf(orchestrator common.Address) (string, error) {
	replicas, err := m.endpointsOf(orchestrator)
	if err != nil {
		return "", err
	}
	return replicas[0].URL, nil
}

// endpointsOf are where the replicas of an orchestrator are reached, each as who it is listed, those that do not rest first.
// Others may be listed at the same URL.
func (m *Market) endpointsOf(orchestrator common.Address) ([]passport.Endpoint, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var ready, resting []passport.Endpoint
	for _, s := range m.sellers {
		switch at := (passport.Endpoint{Identity: s.claimed, URL: s.url}); {
		case s.address != orchestrator:
		case m.fit(s):
			ready = append(ready, at)
		default:
			resting = append(resting, at)
		}
	}
	if ready = append(ready, resting...); len(ready) > 0 {
		return ready, nil
	}
	if i := slices.IndexFunc(m.cfg.Met, func(was store.Met) bool { return was.Account == orchestrator }); i >= 0 {
		url := m.cfg.Met[i].URL // no longer listed; what it is owed is delivered all the same, however it shows who it is
		return []passport.Endpoint{{Identity: orchestrator, URL: url}, {URL: url}}, nil
	}
	return nil, protocol.Errorf(protocol.Unreachable, "no orchestrator that is known of has said that it is %s", orchestrator)
}

// expected is what ask may cost at s by what it said last, in wei; false: not known. m.mu is held.
func (s *seller) expected(ask Ask) (protocol.Wei, bool) {
	if q := s.quotes[ask.key()]; q.live(time.Now()) {
		return q.MaxFee, true
	}
	if len(s.prices) == 0 {
		return protocol.Wei{}, false
	}
	fee, err := ask.Ladder.MaxFee(s.prices, ask.FPS, ask.MaxMillis)
	return fee, err == nil && !fee.IsZero()
}

// Prices are the least that is asked for each codec, by those that have an allocation, as they last said.
func (m *Market) Prices() (least protocol.Prices) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.sellers {
		if m.cfg.Keep > 0 && !s.kept || m.barred(s) != nil {
			continue
		}
		for _, p := range s.prices {
			switch was, known := least.Of(p.Codec); {
			case !known:
				least = append(least, p)
			case p.WeiPerPixel.Less(was):
				i := slices.IndexFunc(least, func(x protocol.CodecPrice) bool { return x.Codec == p.Codec })
				least[i] = p
			}
		}
	}
	return least
}

// TooDear reports that nobody makes a codec for what is paid at most.
func (m *Market) TooDear(codec protocol.Codec) bool {
	price, known := m.Prices().Of(codec)
	return !known || !m.cfg.MaxWeiPerPixel.IsZero() && m.cfg.MaxWeiPerPixel.Less(price)
}

func (m *Market) option(s *seller, ask Ask) route.Option[*seller] {
	return route.Option[*seller]{Node: s, Slots: many, InFlight: s.flying[ask.Stream], Holder: m.holder[ask.Stream] == s, RTT: m.distance(s)}
}

// distance is the round trip to s, guessed from its region where it was never measured. m.mu is held.
func (m *Market) distance(s *seller) time.Duration {
	region := s.where()
	switch {
	case s.rtt > 0:
		return s.rtt
	case m.cfg.Region == "" || region == "":
		return 80 * time.Millisecond
	case region == m.cfg.Region:
		return 20 * time.Millisecond
	}
	return 150 * time.Millisecond
}

func (s *seller) String() string { return fmt.Sprintf("%s at %s", s.account(), s.url) }
