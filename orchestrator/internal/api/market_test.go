package api_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/bus"
	"github.com/kinora/kinora/internal/bus/embedded"
	"github.com/kinora/kinora/internal/feed"
	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
	"github.com/kinora/kinora/migrations"
	"github.com/kinora/kinora/orchestrator/internal/api"
	"github.com/kinora/kinora/orchestrator/internal/dispatch"
	"github.com/kinora/kinora/orchestrator/internal/fleet"
	"github.com/kinora/kinora/orchestrator/internal/peertest"
	"github.com/kinora/kinora/orchestrator/internal/store"
)

var (
	ladder = protocol.Ladder{
		{Name: "90p", Width: 160, Height: 90, Bitrate: 200_000, Codec: protocol.H264, Preset: "ultrafast"},
		{Name: "54p", Width: 96, Height: 54, Bitrate: 100_000, Codec: protocol.H264, Preset: "ultrafast"},
	}
	clip = mediatest.Spec{Seconds: 6, SegmentSeconds: 1}
	dark = mediatest.Spec{Seconds: 6, SegmentSeconds: 1, Picture: "black", NoClock: true}
)

const patience = 30 * time.Second

// books stands in for package payment, at the edge of what is tested here: it notes who is owed and paid what.
type books struct {
	domain protocol.Domain
	self   protocol.Signer

	mu       sync.Mutex
	noCredit error
	held     int
	owed     map[protocol.ID]protocol.Wei
	paid     map[protocol.ID]protocol.Wei
	payees   map[protocol.ID]common.Address
	rejected map[protocol.ID]protocol.Code
	funded   map[common.Address]protocol.Wei
	broke    bool           // nobody else is
	session  common.Address // a session key of every payer
	params   map[common.Address]time.Time
	ended    chan string
}

func (b *books) ParamsAt(_ context.Context, payer common.Address, _ string, maxFee, _ protocol.Wei) (protocol.Signed[protocol.TicketParams], error) {
	return params(b.domain, b.self, payer, maxFee)
}

func params(d protocol.Domain, self protocol.Signer, payer common.Address, face protocol.Wei) (protocol.Signed[protocol.TicketParams], error) {
	return protocol.Seal(d, self, protocol.TicketParams{Set: protocol.NewID(), Payer: payer, Recipient: self.Address(), FaceValue: face,
		RecipientRandHash: protocol.NewID(), Expiry: uint64(time.Now().Add(time.Hour).Unix()), UsableMillis: 10_000, AcceptMillis: 20_000, RedeemMillis: 30_000})
}

func (b *books) Signs(_ context.Context, payer, signer common.Address) error {
	if signer != payer && (signer == common.Address{} || signer != b.session) {
		return protocol.Errorf(protocol.BadSignature, "%s may not sign for %s", signer, payer)
	}
	return nil
}

func (b *books) AdmitBy(_ context.Context, _, _ common.Address, _ protocol.ID, _ protocol.Wei) (func(), error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.noCredit != nil {
		return nil, b.noCredit
	}
	b.held++
	return func() { b.mu.Lock(); defer b.mu.Unlock(); b.held-- }, nil
}

func (b *books) Forgive(_ context.Context, attempt protocol.ID) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.owed, attempt)
	return nil
}

func (b *books) Use(_ context.Context, _ string, p protocol.Signed[protocol.TicketParams]) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.params[p.Message.Recipient] = time.Now().Add(time.Duration(p.Message.UsableMillis) * time.Millisecond)
	return nil
}

func (b *books) Usable(recipient common.Address, _ string) (time.Duration, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	until, ok := b.params[recipient]
	return time.Until(until), ok
}

func (b *books) Wake() {}

func (b *books) EndStream(_ context.Context, stream string) error {
	b.ended <- stream
	return nil
}

func (b *books) Ensure(_ context.Context, t common.Address, amount protocol.Wei) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.funded[t]; b.broke && !ok {
		return protocol.Errorf(protocol.InsufficientCredit, "nothing is left for %s", t)
	}
	b.funded[t] = amount
	return nil
}

func (b *books) Pay(_ context.Context, _ payment.Tx, t common.Address, _ string, attempt protocol.ID, fee protocol.Wei) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.paid[attempt], b.payees[attempt] = fee, t
	return nil
}

func (b *books) Reject(_ context.Context, _ payment.Tx, t common.Address, _ string, attempt protocol.ID, code protocol.Code, _ string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rejected[attempt], b.payees[attempt] = code, t
	return nil
}

func (b *books) Owe(_ context.Context, _ payment.Tx, _ common.Address, _ string, attempt protocol.ID, fee protocol.Wei) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.owed[attempt] = fee
	return nil
}

func (b *books) Accept(context.Context, payment.Delivery) (payment.DeliveryAnswer, error) {
	return payment.DeliveryAnswer{Results: []payment.Result{}}, nil
}

func (b *books) Drain(context.Context) error { return nil }

func (b *books) Draining() bool { return false }

// totals says how many attempts are owed for, paid for and rejected.
func (b *books) totals() (owed, paid, rejected int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.owed), len(b.paid), len(b.rejected)
}

// paidTo lists how often t was paid.
func (b *books) paidTo(t common.Address) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for attempt := range b.paid {
		if b.payees[attempt] == t {
			n++
		}
	}
	return n
}

// ticketsOut and ticketsIn are the books as the API's two sides of payment.
type ticketsOut struct{ *books }

func (ticketsOut) Stats(context.Context) (payment.PayerStats, error) {
	return payment.PayerStats{}, nil
}

type ticketsIn struct{ *books }

func (ticketsIn) Stats(context.Context) (payment.RecipientStats, error) {
	return payment.RecipientStats{}, nil
}

// market is an orchestrator with real NATS, Postgres, media children and HTTP around it, and one payer.
type market struct {
	*testing.T
	url        string
	domain     protocol.Domain
	self       *protocol.KeySigner
	payer      *protocol.KeySigner
	books      *books
	store      *store.Store
	fleet      *fleet.Fleet
	feed       *feed.Feed
	dispatcher *dispatch.Dispatcher
	nats       string
	client     *http.Client
	log        *slog.Logger
}

func key(t testing.TB) *protocol.KeySigner {
	t.Helper()
	k, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return protocol.NewKeySigner(k)
}

func newMarket(t *testing.T, change ...func(*dispatch.Config)) *market {
	t.Helper()
	m := &market{T: t, domain: protocol.NewDomain(1337, common.HexToAddress("0xe5c0")), self: key(t), payer: key(t), client: h2c(t)}
	level := slog.LevelError
	if os.Getenv("KINORA_TEST_LOG") != "" {
		level = slog.LevelDebug
	}
	m.log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: level}))
	ctx := t.Context()
	life, stop := context.WithCancel(context.WithoutCancel(ctx))

	server, err := embedded.Start(embedded.Options{})
	m.must(err)
	t.Cleanup(func() { _ = server.Close() })
	m.nats = server.URL()
	nats, err := bus.Dial(ctx, m.nats, bus.Options{Name: "orchestrator", Log: m.log})
	m.must(err)
	t.Cleanup(func() { _ = nats.Close() })
	url := pgtest.URL(t)
	m.must(migrations.Postgres(ctx, url, "orchestrator"))
	m.store, err = store.Open(ctx, url)
	m.must(err)
	t.Cleanup(m.store.Close)
	m.books = &books{domain: m.domain, self: m.self, owed: map[protocol.ID]protocol.Wei{}, paid: map[protocol.ID]protocol.Wei{},
		payees: map[protocol.ID]common.Address{}, rejected: map[protocol.ID]protocol.Code{}, funded: map[common.Address]protocol.Wei{},
		params: map[common.Address]time.Time{}, ended: make(chan string, 8)}
	m.store.UseLedger(m.books)

	pool := media.NewPool(media.Options{Log: m.log}, 1)
	t.Cleanup(func() { _ = pool.Close() })
	meter := verify.NewMeter(pool, m.log)
	t.Cleanup(func() { _ = meter.Close() })
	m.feed = feed.New("orchestrator", m.self.Address(), nil)
	measure := auction.StandardMeasure()
	measure.Probation = 3 // so that a newcomer is known before a test has pushed for long
	m.fleet = fleet.New(fleet.Config{Measure: measure, Domain: m.domain, Self: m.self.Address(), Allocation: protocol.NewWei(1e15), MaxMembers: 8,
		Backoff: 500 * time.Millisecond, TopUp: time.Second, Events: m.feed.Emit, Log: m.log}, m.store, m.books)
	registry := prometheus.NewRegistry()
	l, err := api.Listen("127.0.0.1:0")
	m.must(err)
	m.url = "http://" + l.Addr().String()
	cfg := dispatch.Config{Domain: m.domain, Signer: m.self, URL: m.url, Prices: protocol.Prices{{Codec: protocol.H264, WeiPerPixel: protocol.NewWei(150)}},
		QuoteValid: time.Minute, LeaseTime: 30 * time.Second, IdleLease: 10 * time.Second, AwardTimeout: time.Second, SlotTimeout: 2 * time.Second,
		CancelGrace: time.Second, MaxSegmentBytes: 8 << 20, MaxInFlight: 16, MaxAttempts: 4, Canaries: -1, KeepAnswers: time.Minute, KeepBytes: 64 << 20,
		Verify: verify.Config{Meter: meter, Log: m.log}, Events: m.feed.Emit, Metrics: dispatch.NewMetrics(registry), Log: m.log}
	for _, c := range change {
		c(&cfg)
	}
	m.dispatcher, err = dispatch.New(ctx, cfg, m.store, m.fleet, nats, m.books, m.books)
	m.must(err)
	handler := api.New(api.Config{Domain: m.domain, Self: m.self.Address(), MinTranscoders: 1, BodyIdle: time.Second, Log: m.log}, m.dispatcher, m.fleet, m.store, m.feed,
		ticketsIn{m.books}, ticketsOut{m.books}, nats.Connected, registry).Handler()
	httpServer := api.Serve(l, handler, nil, m.log)
	var parts sync.WaitGroup
	parts.Go(func() { _ = m.fleet.Run(life) })
	parts.Go(func() { _ = m.dispatcher.Run(life) })
	t.Cleanup(func() {
		ending, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		m.dispatcher.Close(ending)
		_ = httpServer.Close(ending)
		stop()
		parts.Wait()
	})
	m.must(nats.SubscribeBids(life, m.fleet.Bid))
	m.must(nats.SubscribeDuties(life, m.dispatcher.Duty))
	return m
}

func (m *market) must(err error) {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
}

func h2c(t testing.TB) *http.Client {
	tr := &http.Transport{Protocols: new(http.Protocols)}
	tr.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// post sends JSON and decodes the answer, or the problem.
func post[A any](m *market, path string, body any) (A, *protocol.Problem) {
	m.Helper()
	var answer A
	resp, err := m.client.Post(m.url+path, "application/json", bytes.NewReader(protocol.Encode(body)))
	m.must(err)
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		var p protocol.Problem
		m.must(json.NewDecoder(resp.Body).Decode(&p))
		if p.Status != resp.StatusCode || resp.Header.Get("Content-Type") != protocol.ProblemType {
			m.Errorf("%s: status %d, type %q for problem %+v", path, resp.StatusCode, resp.Header.Get("Content-Type"), p)
		}
		return answer, &p
	}
	m.must(json.NewDecoder(resp.Body).Decode(&answer))
	return answer, nil
}

func (m *market) request() protocol.QuoteRequest {
	return protocol.QuoteRequest{Payer: m.payer.Address(), Stream: "demo", Ladder: ladder, SourceFPS: 30, SegmentMillis: 1000, MaxMillis: 4000}
}

func (m *market) quote() protocol.QuoteAnswer {
	m.Helper()
	answer, p := post[protocol.QuoteAnswer](m, "/v1/quote", m.request())
	if p != nil {
		m.Fatalf("quote: %s: %s", p.Code, p.Detail)
	}
	return answer
}

// offer signs a header for one segment of the quote's stream.
func (m *market) offer(q protocol.QuoteAnswer, seq uint64, avoid ...common.Address) protocol.SegmentOffer {
	m.Helper()
	h, err := protocol.Seal(m.domain, m.payer, protocol.SegmentHeader{Payer: m.payer.Address(), Recipient: m.self.Address(), Quote: q.Quote.Message.ID,
		SegmentKey: protocol.SegmentKey{Stream: "demo", Incarnation: 1, Seq: seq}, Budget: q.Quote.Message.MaxFee, Expiry: uint64(time.Now().Add(time.Hour).Unix())})
	m.must(err)
	return protocol.SegmentOffer{Header: h, DurationMillis: 1000, BudgetMillis: 8000, Avoid: avoid}
}

// result is what a push brought.
type result struct {
	status  int
	problem *protocol.Problem // of a refusal or of FrameEnd
	tries   []attempt
	ended   bool
}

type attempt struct {
	start      protocol.AttemptStart
	renditions [][]byte
	receipt    *protocol.Signed[protocol.Receipt]
	abandoned  *protocol.Problem
	verdict    *protocol.Verdict
}

func (r result) code() protocol.Code {
	if r.problem == nil {
		return ""
	}
	return r.problem.Code
}

// passed is the attempt the payer may release.
func (r result) passed(m *market) attempt {
	m.Helper()
	if r.problem != nil || !r.ended || len(r.tries) == 0 {
		m.Fatalf("status %d, %d attempts, ended %v: %s", r.status, len(r.tries), r.ended, protocol.Encode(r.problem))
	}
	last := r.tries[len(r.tries)-1]
	if last.verdict == nil || !last.verdict.Passed || last.receipt == nil {
		m.Fatalf("last attempt: verdict %+v, receipt %v", last.verdict, last.receipt != nil)
	}
	for i, x := range last.receipt.Message.Renditions {
		if sum := protocol.Hash(sha256.Sum256(last.renditions[i])); sum != x.Output {
			m.Errorf("rendition %d: the frames have hash %s, the receipt says %s", i, sum.Short(), x.Output.Short())
		}
	}
	return last
}

func (m *market) push(offer protocol.SegmentOffer, body io.Reader) result {
	m.Helper()
	r, err := m.try(offer, body)
	if err != nil {
		m.Fatal(err)
	}
	return r
}

func (m *market) try(offer protocol.SegmentOffer, body io.Reader) (result, error) {
	h := offer.Header.Message
	return m.send(fmt.Sprintf("/v1/streams/%s/segments/%d", h.Stream, h.Seq), protocol.EncodeField(offer), body)
}

func (m *market) send(path, field string, body io.Reader) (result, error) {
	ctx, cancel := context.WithTimeout(m.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.url+path, struct{ io.Reader }{body}) // of unknown length
	if err != nil {
		return result{}, err
	}
	req.Header.Set(protocol.OfferField, field)
	resp, err := m.client.Do(req)
	if err != nil {
		return result{}, err
	}
	defer resp.Body.Close()
	defer cancel() // first: closing waits for a request body that somebody still holds open
	r := result{status: resp.StatusCode}
	if resp.StatusCode != http.StatusOK {
		return r, json.NewDecoder(resp.Body).Decode(&r.problem)
	}
	frames := protocol.NewFrameReader(resp.Body)
	for {
		f, err := frames.Read()
		if errors.Is(err, io.EOF) {
			return r, nil
		}
		if err != nil {
			return r, err
		}
		if f.Kind != protocol.FrameEnd && f.Kind != protocol.FrameAttempt && int(f.Attempt) != len(r.tries)-1 {
			return r, fmt.Errorf("frame of kind %d is of attempt %d, the newest is %d", f.Kind, f.Attempt, len(r.tries)-1)
		}
		if err := r.add(f); err != nil {
			return r, err
		}
	}
}

func (r *result) add(f protocol.Frame) error {
	var last *attempt
	if len(r.tries) > 0 {
		last = &r.tries[len(r.tries)-1]
	}
	switch f.Kind {
	case protocol.FrameAttempt:
		if int(f.Attempt) != len(r.tries) {
			return fmt.Errorf("attempt %d begins after %d", f.Attempt, len(r.tries))
		}
		if last != nil && last.abandoned == nil && last.verdict == nil {
			return errors.New("an attempt begins while another one has no end")
		}
		a := attempt{renditions: make([][]byte, len(ladder))}
		r.tries = append(r.tries, a)
		return json.Unmarshal(f.Payload, &r.tries[len(r.tries)-1].start)
	case protocol.FrameRendition:
		last.renditions[f.Rendition] = append(last.renditions[f.Rendition], f.Payload...)
	case protocol.FrameReceipt:
		return json.Unmarshal(f.Payload, &last.receipt)
	case protocol.FrameAbandoned:
		return json.Unmarshal(f.Payload, &last.abandoned)
	case protocol.FrameVerdict:
		return json.Unmarshal(f.Payload, &last.verdict)
	case protocol.FrameEnd:
		r.ended = true
		if len(f.Payload) > 0 {
			return json.Unmarshal(f.Payload, &r.problem)
		}
	default:
		return fmt.Errorf("frame of kind %d", f.Kind)
	}
	return nil
}

// until waits for an event of the feed.
func (m *market) until(what string, is func(protocol.Event) bool) protocol.Event {
	m.Helper()
	ctx, cancel := context.WithTimeout(m.Context(), patience)
	defer cancel()
	past, more := m.feed.Read(ctx, 0)
	var seen []string
	for _, e := range past {
		if is(e.Event) {
			return e.Event
		}
		seen = append(seen, string(e.Event.Kind))
	}
	for e := range more {
		if is(e.Event) {
			return e.Event
		}
		seen = append(seen, string(e.Event.Kind))
	}
	m.Fatalf("waited in vain for %s; seen: %s", what, strings.Join(seen, " "))
	return protocol.Event{}
}

// eventually polls until is holds.
func (m *market) eventually(what string, is func() bool) {
	m.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for !is() {
		select {
		case <-poll.C:
		case <-deadline.C:
			m.Fatalf("waited in vain until %s", what)
		}
	}
}

func (m *market) segments() []mediatest.Segment { return mediatest.Segments(m, clip) }

// join brings a peer to the market and waits until it can be hired.
func (m *market) join(how peertest.Manner, price uint64, change ...func(*peertest.Options)) *peertest.Peer {
	m.Helper()
	k := key(m)
	var instead []mediatest.Segment
	if how == peertest.Dark { // made here: a probe may still run when the test, and its directory, are gone
		instead = mediatest.Segments(m, dark)
	}
	o := peertest.Options{Domain: m.domain, Key: k, NATS: m.nats, Price: price, Manner: how, Log: m.log,
		Params: func(_ context.Context, payer common.Address, _ string, _ protocol.Wei) (protocol.Signed[protocol.TicketParams], error) {
			return params(m.domain, k, payer, protocol.NewWei(1e15))
		},
		Instead: func(seq uint64) []byte { return instead[seq].Bytes }}
	for _, c := range change {
		c(&o)
	}
	p := peertest.Join(m, o)
	m.eventually("the peer is allocated", func() bool {
		for _, x := range m.fleet.Members() {
			if x.Address == k.Address() && x.Allocated {
				return true
			}
		}
		return false
	})
	return p
}
