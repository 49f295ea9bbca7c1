package market

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/broadcaster/internal/store"
	"github.com/kinora/kinora/internal/protocol"
)

var domain = protocol.NewDomain(1337, common.HexToAddress("0x01"))

func newKey(t testing.TB) *protocol.KeySigner {
	t.Helper()
	k, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return protocol.NewKeySigner(k)
}

// shop is an orchestrator that quotes, over HTTP, and does nothing else.
type shop struct {
	self   *protocol.KeySigner
	url    string
	price  atomic.Uint64
	region string
	asked  atomic.Int64
	shut   atomic.Bool
	refuse atomic.Pointer[protocol.Error]
	spoil  spoil
	server *httptest.Server
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func open(t testing.TB, price uint64) *shop {
	s := &shop{self: newKey(t)}
	s.price.Store(price)
	s.server = httptest.NewUnstartedServer(s)
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	s.server.Config.Protocols = &protocols
	s.server.Start()
	s.url = s.server.URL
	t.Cleanup(func() { s.server.CloseClientConnections(); s.server.Close() })
	return s
}

// spoil changes what a shop is about to sign.
type spoil func(*protocol.Quote, *protocol.TicketParams)

// ServeHTTP answers /v1/quote.
func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked.Add(1)
	if s.shut.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if err := s.refuse.Load(); err != nil {
		protocol.WriteProblem(w, err)
		return
	}
	var q protocol.QuoteRequest
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		protocol.WriteProblem(w, protocol.Errorf(protocol.BadRequest, "%w", err))
		return
	}
	prices := protocol.Prices{{Codec: protocol.H264, WeiPerPixel: protocol.NewWei(s.price.Load())}}
	fee := must(q.Ladder.MaxFee(prices, q.SourceFPS, q.MaxMillis))
	quote := protocol.Quote{ID: protocol.NewID(), Orchestrator: s.self.Address(), Payer: q.Payer, Stream: q.Stream,
		LadderHash: protocol.Hash(q.Ladder.Hash()), Prices: prices, MaxFee: fee, ValidMillis: 60_000, MaxMillis: q.MaxMillis}
	params := protocol.TicketParams{Set: protocol.NewID(), Payer: q.Payer, Recipient: s.self.Address(), Lane: 1, FaceValue: fee,
		RecipientRandHash: protocol.NewID(), Expiry: uint64(time.Now().Add(time.Hour).Unix()), UsableMillis: 60_000, AcceptMillis: 70_000, RedeemMillis: 80_000}
	if s.spoil != nil {
		s.spoil(&quote, &params)
	}
	_ = json.NewEncoder(w).Encode(protocol.QuoteAnswer{Region: s.region, Quote: must(protocol.Seal(domain, s.self, quote)), Params: must(protocol.Seal(domain, s.self, params))})
}

func (s *shop) listing() protocol.Listing {
	return protocol.Listing{Account: s.self.Address(), URL: s.url, Region: s.region}
}

// till takes ticket parameters; what is paid by them is not tested here.
type till struct{}

func (till) Use(context.Context, string, protocol.Signed[protocol.TicketParams]) error { return nil }
func (till) Usable(common.Address, string) (time.Duration, bool)                       { return time.Hour, true }

// fair is a market of shops that a registry lists.
func fair(t testing.TB, cfg Config, shops ...*shop) *Market {
	t.Helper()
	cfg.Signer, cfg.Domain, cfg.Payer, cfg.Log, cfg.Events = newKey(t), domain, till{}, slog.New(slog.DiscardHandler), func(protocol.Event) {}
	m := New(cfg)
	t.Cleanup(m.Close)
	var listed []protocol.Listing
	for _, s := range shops {
		listed = append(listed, s.listing())
	}
	m.Know("registry", listed)
	return m
}

func count(shops []*shop) (n int64) {
	for _, s := range shops {
		n += s.asked.Load()
	}
	return n
}

func of(stream string) Ask { a := ask; a.Stream = stream; return a }

func TestMarket_ofAThousandAsksAFewForEachStream(t *testing.T) {
	t.Parallel()
	const known, streams = 1000, 40
	shops := make([]*shop, known)
	var opening sync.WaitGroup
	for i := range shops {
		opening.Go(func() { shops[i] = open(t, 100+uint64(i)) })
	}
	opening.Wait()
	m := fair(t, Config{Keep: 4}, shops...)
	if err := m.Meet(t.Context(), ask); err != nil {
		t.Fatal(err)
	}
	if n := count(shops); n > 8 {
		t.Errorf("%d were asked to fill four places", n)
	}
	kept := 0
	for _, s := range m.Standings() {
		if s.Kept {
			kept++
			if s.Address == (common.Address{}) || len(s.Prices) == 0 {
				t.Errorf("%s has a place and was never met", s.URL)
			}
		}
	}
	if kept != 4 {
		t.Fatalf("%d have a place", kept)
	}
	before := count(shops)
	for i := range streams {
		c, err := m.Choose(t.Context(), of(fmt.Sprintf("cam%d", i)))
		if err != nil {
			t.Fatal(err)
		}
		if again, err := m.Choose(t.Context(), of(fmt.Sprintf("cam%d", i))); err != nil || again.URL != c.URL { // its second segment
			t.Fatalf("the second segment goes to %v, %v", again, err)
		}
	}
	if n := count(shops) - before; n > streams*(bestAsked+drawAsked) {
		t.Errorf("%d streams asked %d times", streams, n)
	}

	// With the scout, which looks at strangers one at a time, it is one more for a stream at most.
	ctx, cancel := context.WithCancel(t.Context())
	scouting := make(chan struct{})
	go func() { defer close(scouting); m.Scout(ctx, ask) }()
	before = count(shops)
	for i := range streams {
		if _, err := m.Choose(t.Context(), of(fmt.Sprintf("late%d", i))); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	<-scouting
	if n := count(shops) - before; n > streams*(bestAsked+drawAsked+1) {
		t.Errorf("%d streams asked %d times", streams, n)
	}
}

func TestKnow_honoursRemovalAndStillDeliversWhatIsOwed(t *testing.T) {
	t.Parallel()
	a, b := open(t, 100), open(t, 200)
	m := fair(t, Config{}, a, b)
	if c, err := m.Choose(t.Context(), ask); err != nil || c.URL != a.url {
		t.Fatalf("%v, %v", c, err)
	}
	m.Know("registry", []protocol.Listing{b.listing()})
	if c, err := m.Choose(t.Context(), ask); err != nil || c.URL != b.url {
		t.Errorf("after it left: %v, %v", c, err)
	}
	if url, err := m.URLOf(a.self.Address()); err != nil || url != a.url {
		t.Errorf("its tickets go to %q, %v", url, err)
	}
	m.Know("registry", nil)
	if _, err := m.Choose(t.Context(), ask); protocol.CodeOf(err) != protocol.NoOrchestrator {
		t.Errorf("with nobody listed: %v", err)
	}
	m.Know("webhook", []protocol.Listing{a.listing()})
	if c, err := m.Choose(t.Context(), of("other")); err != nil || c.URL != a.url {
		t.Errorf("listed again, elsewhere: %v, %v", c, err)
	}
}

// Whoever fills the list with entries of its own pushes nobody out who is known.
func TestKnow_ofTooManyKeepsThoseThatWereKnown(t *testing.T) {
	t.Parallel()
	m := fair(t, Config{})
	many := func(from, n int) (all []protocol.Listing) {
		for i := range n {
			all = append(all, protocol.Listing{Account: common.BigToAddress(big.NewInt(int64(from + i))), URL: fmt.Sprintf("https://o%d.example", from+i)})
		}
		return all
	}
	old := many(1, maxSellers-1)
	m.Know("registry", old)
	m.Know("registry", append(many(maxSellers, 10), old...))
	listed := make(map[string]bool)
	for _, s := range m.Standings() {
		listed[s.URL] = true
	}
	if len(listed) != maxSellers {
		t.Errorf("%d are known, want %d", len(listed), maxSellers)
	}
	for _, l := range old {
		if !listed[l.URL] {
			t.Fatalf("%s was pushed out", l.URL)
		}
	}
}

func TestMarket_trustsTheSignatureAndNotTheList(t *testing.T) {
	t.Parallel()
	honest := open(t, 200)
	m := fair(t, Config{}, honest)
	thief := newKey(t).Address() // claims another's address as its own, and so does a list that names nobody
	m.Know("webhook", []protocol.Listing{{Account: thief, URL: honest.url}})
	m.Know(Configured, []protocol.Listing{{URL: honest.url + "/"}})
	for i := range 3 {
		c, err := m.Choose(t.Context(), of(fmt.Sprint("cam", i)))
		if err != nil || c.Orchestrator != honest.self.Address() {
			t.Fatalf("%v, %v", c, err)
		}
	}
	all := m.Standings()
	if len(all) != 2 {
		t.Fatalf("%+v: what two sources say of one orchestrator is one", all)
	}
	for _, s := range all {
		switch {
		case s.Claimed == thief:
			if s.Address != (common.Address{}) || protocol.CodeOf(s.Err) != protocol.BadSignature {
				t.Errorf("%+v", s)
			}
		case s.Address != honest.self.Address() || len(s.Sources) != 2:
			t.Errorf("%+v", s)
		}
	}
}

// Two entries of one orchestrator that answer at the same time become one, not none.
func TestMet_leavesOneOfTwoEntriesThatAnswerAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t, 100)
	m := fair(t, Config{URLs: []string{s.url}}, s)
	first, second := m.sellers[0], m.sellers[1] // both were asked
	for _, x := range []*seller{first, second, first} {
		if err := m.met(x, s.self.Address()); err != nil {
			t.Fatal(err)
		}
	}
	if all := m.Standings(); len(all) != 1 || len(all[0].Sources) != 2 {
		t.Errorf("%+v", all)
	}
}

func TestMarket_asksNobodyWhoIsDeniedOrNotAllowed(t *testing.T) {
	t.Parallel()
	cheap, fine, dear := open(t, 1), open(t, 2), open(t, 3)
	deny := fair(t, Config{Deny: []common.Address{cheap.self.Address()}}, cheap, fine)
	if c, err := deny.Choose(t.Context(), ask); err != nil || c.URL != fine.url || cheap.asked.Load() != 0 {
		t.Errorf("%v, %v; the denied one was asked %d times", c, err, cheap.asked.Load())
	}
	allow := fair(t, Config{Allow: []common.Address{dear.self.Address()}}, cheap, fine, dear)
	if c, err := allow.Choose(t.Context(), ask); err != nil || c.URL != dear.url || cheap.asked.Load() != 0 {
		t.Errorf("%v, %v; one that is not allowed was asked %d times", c, err, cheap.asked.Load())
	}
	unnamed := New(Config{URLs: []string{cheap.url}, Deny: []common.Address{cheap.self.Address()}, Signer: newKey(t), Domain: domain, Payer: till{},
		Log: slog.New(slog.DiscardHandler), Events: func(protocol.Event) {}})
	t.Cleanup(unnamed.Close)
	if _, err := unnamed.Choose(t.Context(), ask); err == nil {
		t.Error("a denied account was chosen by its URL")
	}
}

func TestMarket_remembersWhomItMetAndWhatTheySaid(t *testing.T) {
	t.Parallel()
	s := open(t, 70)
	s.region = "eu"
	met := make(chan store.Met, 4)
	m := fair(t, Config{Remember: func(_ context.Context, x store.Met) error { met <- x; return nil }}, s)
	if _, err := m.Choose(t.Context(), ask); err != nil {
		t.Fatal(err)
	}
	was := <-met
	if price, _ := was.Prices.Of(protocol.H264); was.Account != s.self.Address() || was.URL != s.url || was.Region != "eu" || price != protocol.NewWei(70) || was.RTT <= 0 {
		t.Errorf("%+v", was)
	}
	later := fair(t, Config{Met: []store.Met{was}})
	if url, err := later.URLOf(s.self.Address()); err != nil || url != s.url {
		t.Errorf("after a restart, tickets go to %q, %v", url, err)
	}
	later.Know("registry", []protocol.Listing{s.listing()})
	if all := later.Standings(); len(all) != 1 || all[0].Address != s.self.Address() || all[0].Region != "eu" || all[0].RTT != was.RTT.Truncate(time.Microsecond) && all[0].RTT != was.RTT {
		t.Errorf("after a restart: %+v", all)
	}
}

func TestChoose_doesNotFlapBetweenTwoThatAreAlike(t *testing.T) {
	t.Parallel()
	a, b := open(t, 100), open(t, 100)
	m := fair(t, Config{}, a, b)
	moves, last := 0, ""
	for i := range 300 {
		m.mu.Lock()
		m.reviewed = map[string]time.Time{} // every segment is compared anew
		m.mu.Unlock()
		c, err := m.Choose(t.Context(), ask)
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 && c.URL != last {
			moves++
		}
		last = c.URL
		a.price.Store(100 + uint64(i%7)) // a few percent, up and down
		sent := time.Now().Add(-400*time.Millisecond - time.Duration(i%5)*20*time.Millisecond)
		c.sent.Store(&sent)
		c.Succeeded()
		if i < 16 { // both are known
			m.mu.Lock()
			for _, s := range m.sellers {
				m.router.Observe(s, ask.group(), outcome(450*time.Millisecond), time.Now())
			}
			m.mu.Unlock()
		}
	}
	if moves > 15 {
		t.Errorf("the stream moved %d times in 300 segments", moves)
	}
}

func TestChoose_leavesAHolderThatBecomesDear(t *testing.T) {
	t.Parallel()
	a, b := open(t, 100), open(t, 110)
	m := fair(t, Config{}, a, b)
	if c, err := m.Choose(t.Context(), ask); err != nil || c.URL != a.url {
		t.Fatalf("%v, %v", c, err)
	}
	a.price.Store(115) // not worth a move
	forget := func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.reviewed = map[string]time.Time{}
		for _, s := range m.sellers {
			clear(s.quotes)
		}
	}
	forget()
	if c, err := m.Choose(t.Context(), ask); err != nil || c.URL != a.url {
		t.Errorf("it left for 4 %%: %v, %v", c, err)
	}
	a.price.Store(150)
	forget()
	if c, err := m.Choose(t.Context(), ask); err != nil || c.URL != b.url {
		t.Errorf("it stayed at a price that is a third higher: %v, %v", c, err)
	}
}

func TestChoose_sendsASegmentElsewhereWhileTheHolderIsLoaded(t *testing.T) {
	t.Parallel()
	a, b := open(t, 100), open(t, 200)
	m := fair(t, Config{}, a, b)
	first, err := m.Choose(t.Context(), ask)
	if err != nil || first.URL != a.url {
		t.Fatalf("%v, %v", first, err)
	}
	m.mu.Lock()
	for range 20 {
		m.router.Observe(first.seller, first.group, outcome(2500*time.Millisecond), time.Now())
	}
	m.mu.Unlock()
	first.departs()
	second, err := m.Choose(t.Context(), ask)
	if err != nil || second.URL != a.url {
		t.Fatalf("one in flight is no load: %v, %v", second, err)
	}
	second.departs()
	if c, err := m.Choose(t.Context(), ask); err != nil || c.URL != b.url {
		t.Errorf("the third goes to %v, %v", c, err)
	}
	first.Succeeded()
	second.Over()
	if c, err := m.Choose(t.Context(), ask); err != nil || c.URL != a.url {
		t.Errorf("the stream did not stay: %v, %v", c, err)
	}
}

func TestChoose_namesTheMostRoomThereIs(t *testing.T) {
	t.Parallel()
	a, b := open(t, 100), open(t, 200)
	m := fair(t, Config{}, a, b)
	a.refuse.Store(protocol.Limited(protocol.NoCapacity, "free_pixel_rate", 5000, "full"))
	b.refuse.Store(protocol.Limited(protocol.NoCapacity, "free_pixel_rate", 9000, "nearly full"))
	_, err := m.Choose(t.Context(), ask)
	if room, ok := Room(err); protocol.CodeOf(err) != protocol.NoCapacity || !ok || room != 9000 {
		t.Errorf("room %d, %v", room, err)
	}
}

func TestDistance_isMeasuredElseByRegion(t *testing.T) {
	t.Parallel()
	m := New(Config{Region: "eu", Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(m.Close)
	near := &seller{regions: map[string]string{"registry": "eu"}}
	far := &seller{regions: map[string]string{"registry": "us"}}
	if m.distance(near) >= m.distance(far) {
		t.Error("another region is as near as this one")
	}
	far.rtt = 5 * time.Millisecond
	if m.distance(far) != far.rtt {
		t.Error("what was measured does not count")
	}
}

func TestChoose_takesAnIdleReplicaForASecondOneWhereThereIsNoOtherOrchestrator(t *testing.T) {
	t.Parallel()
	a, replica := open(t, 100), open(t, 100)
	replica.self = a.self
	m := fair(t, Config{Keep: 1}, a, replica)
	if err := m.Meet(t.Context(), ask); err != nil {
		t.Fatal(err)
	}
	for _, s := range m.Standings() {
		if !s.Kept {
			t.Errorf("%s has no place: replicas share one", s.URL)
		}
	}
	first, err := m.Choose(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	first.departs()
	if second, err := m.Choose(t.Context(), ask, first.Orchestrator); err != nil || second.URL == first.URL {
		t.Errorf("the second one is %v, %v", second, err)
	}
	other := open(t, 500)
	m.Know("webhook", []protocol.Listing{other.listing()})
	m.mu.Lock()
	m.cfg.Keep = 0
	m.mu.Unlock()
	if second, err := m.Choose(t.Context(), ask, first.Orchestrator); err != nil || second.URL != other.url {
		t.Errorf("where there is another orchestrator, the second one is %v, %v", second, err)
	}
}
