package bidder_test

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/bus"
	"github.com/kinora/kinora/internal/bus/embedded"
	"github.com/kinora/kinora/internal/capacity"
	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/passport"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/transcoder/internal/bidder"
	"github.com/kinora/kinora/transcoder/internal/encode"
	"github.com/kinora/kinora/transcoder/internal/encode/encodetest"
	"github.com/kinora/kinora/transcoder/internal/store"
)

var ladder = protocol.Ladder{{Name: "a", Width: 160, Height: 90, Bitrate: 200_000, Codec: protocol.H264}}

const (
	fps   = 30
	price = 7
)

var work = ladder.PixelRate(fps)

// sessions is a meter of a machine that takes so many streams, whatever they weigh.
func sessions(n int) *capacity.Meter {
	return capacity.New(capacity.Config{Rates: capacity.Rates{Encode: protocol.CodecRates{{Codec: protocol.H264, PixelRate: 1 << 40}}, Sessions: n}})
}

// meter is of a machine that can take the work twice.
func meter() *capacity.Meter {
	return capacity.New(capacity.Config{Sold: capacity.Whole, CPUs: 2,
		Rates: capacity.Rates{Encode: protocol.CodecRates{{Codec: protocol.H264, PixelRate: 2 * work}}}})
}

// recipient is a ticket recipient in memory: who is allocated, and parameters on demand.
type recipient struct {
	key *protocol.KeySigner

	mu        sync.Mutex
	allocated map[common.Address]bool
	asked     []protocol.Wei // the largest fees parameters were asked for
}

func (r *recipient) ParamsAt(_ context.Context, payer common.Address, _ string, maxFee, _ protocol.Wei) (protocol.Signed[protocol.TicketParams], error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, maxFee)
	return protocol.Seal(encodetest.Domain, r.key, protocol.TicketParams{Set: protocol.NewID(), Payer: payer, Recipient: r.key.Address(), FaceValue: maxFee,
		RecipientRandHash: protocol.NewID(), Expiry: 1, UsableMillis: 60_000, AcceptMillis: 70_000, RedeemMillis: 71_000})
}

func (r *recipient) AdmitBy(_ context.Context, payer, _ common.Address, _ protocol.ID, _ protocol.Wei) (func(), error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.allocated[payer] {
		return nil, protocol.Errorf(protocol.NoAllocation, "none")
	}
	return func() {}, nil
}

func (r *recipient) Owe(context.Context, common.Address, protocol.ID, string, protocol.Wei) error {
	return nil
}
func (r *recipient) Forgive(context.Context, protocol.ID) error { return nil }

func (r *recipient) AcceptTickets(_ context.Context, b []byte) ([]byte, error) {
	return append([]byte("took "), b...), nil
}

// copier is an Encoder that copies.
type copier struct{}

func (copier) Open(context.Context, protocol.Ladder) (encode.Session, error) { return copier{}, nil }
func (copier) Close() error                                                  { return nil }
func (copier) Encode(_ context.Context, job media.Job) (*media.Result, error) {
	b, err := io.ReadAll(job.Source)
	if err != nil {
		return nil, err
	}
	r := &media.Result{}
	for i, p := range job.Ladder {
		if err := job.Out(i, b); err != nil {
			return nil, err
		}
		r.Renditions = append(r.Renditions, media.Rendition{Frames: 60, Pixels: 60 * int64(p.Width) * int64(p.Height), LastPTS: 1})
	}
	return r, nil
}

// slow is an encoder whose sessions take until they are let.
type slow struct {
	copier
	opening chan struct{} // receives one token per Open
	let     chan struct{}
}

func (s slow) Open(ctx context.Context, _ protocol.Ladder) (encode.Session, error) {
	s.opening <- struct{}{}
	select {
	case <-s.let:
		return s.copier, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// market is a bidder and an orchestrator that share a real NATS server.
type market struct {
	peer      *encodetest.Peer
	key       *protocol.KeySigner
	recipient *recipient
	bidder    *bidder.Bidder
	bus       *bus.Bus // the orchestrator's
	store     *store.Store
	bids      chan protocol.Bid
	stop      context.CancelFunc
}

func newMarket(t *testing.T, change func(*bidder.Config)) *market {
	t.Helper()
	server, err := embedded.Start(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	dial := func() *bus.Bus {
		b, err := bus.Dial(t.Context(), server.URL(), bus.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = b.Close() })
		return b
	}
	m := &market{peer: encodetest.NewPeer(t), key: encodetest.NewKey(t), bus: dial(), bids: make(chan protocol.Bid, 1000)}
	m.recipient = &recipient{key: m.key, allocated: map[common.Address]bool{m.peer.Key.Address(): true}}
	if err := m.bus.SubscribeBids(t.Context(), func(b protocol.Signed[protocol.Bid]) {
		bid, err := b.Open(encodetest.Domain)
		if err != nil {
			t.Errorf("bid: %v", err)
		}
		m.bids <- bid
	}); err != nil {
		t.Fatal(err)
	}
	if m.store, err = store.Open(t.Context(), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	log, events := slog.New(slog.DiscardHandler), func(protocol.Event) {}
	cfg := bidder.Config{Domain: encodetest.Domain, Signer: m.key, Region: "test", Meter: meter(), Idle: time.Minute,
		Prices: func() protocol.Prices { return prices(price) },
		Bus:    dial(), Recipient: m.recipient, Journal: m.store, Events: events, Log: log,
		Bench: &encode.Bench{Domain: encodetest.Domain, Signer: m.key, Encoder: copier{}, Credit: m.recipient, Journal: m.store,
			Clients: encode.NewClients(passport.NewTrust(encodetest.Domain), false), Events: events, Log: log}}
	if change != nil {
		change(&cfg)
	}
	m.bidder = bidder.New(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- m.bidder.Run(ctx) }()
	m.stop = sync.OnceFunc(func() {
		drain, done := context.WithTimeout(context.Background(), time.Second)
		m.bidder.Drain(drain, protocol.ForUser)
		done()
		cancel()
		if err := <-ran; err != nil {
			t.Error(err)
		}
		_ = m.store.Close()
	})
	t.Cleanup(m.stop)
	return m
}

// bid waits for the next bid that ok likes.
func (m *market) bid(t *testing.T, what string, ok func(protocol.Bid) bool) protocol.Bid {
	t.Helper()
	timer := time.NewTimer(encodetest.Patience)
	defer timer.Stop()
	for {
		select {
		case b := <-m.bids:
			if ok(b) {
				return b
			}
		case <-timer.C:
			t.Fatal("no bid came that is " + what)
		}
	}
}

func (m *market) any(t *testing.T) protocol.Bid {
	t.Helper()
	return m.bid(t, "any", func(protocol.Bid) bool { return true })
}

func (m *market) free(t *testing.T, rate uint64) protocol.Bid {
	t.Helper()
	return m.bid(t, "of the expected free rate", func(b protocol.Bid) bool { return b.FreePixelRate == rate })
}

// offer makes an award that would be taken.
func (m *market) offer(b protocol.Bid) (protocol.Award, protocol.AwardOffer) {
	award := protocol.Award{Lease: protocol.NewID(), Orchestrator: m.peer.Key.Address(), Payer: m.peer.Key.Address(), Transcoder: m.key.Address(), Stream: "live",
		LadderHash: protocol.Hash(ladder.Hash()), Prices: b.Prices, MaxFee: protocol.NewWei(1 << 40), LeaseMillis: 60_000, BidSequence: b.Sequence, URL: m.peer.URL}
	return award, protocol.AwardOffer{Ladder: ladder, SourceFPS: fps, SegmentMillis: 2000}
}

// send seals and offers; code is the decline's, or empty.
func (m *market) send(t *testing.T, award protocol.Award, o protocol.AwardOffer) (protocol.AwardAnswer, protocol.Code) {
	t.Helper()
	o.Award = encodetest.Seal(t, m.peer.Key, award)
	return m.deliver(t, o)
}

func (m *market) deliver(t *testing.T, o protocol.AwardOffer) (protocol.AwardAnswer, protocol.Code) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), encodetest.Patience)
	defer cancel()
	answer, err := m.bus.OfferAward(ctx, m.key.Address(), o)
	if err != nil {
		t.Fatal(err)
	}
	if answer.Decline != nil {
		return answer, answer.Decline.Code
	}
	return answer, ""
}

func (m *market) lease(t *testing.T, r protocol.LeaseRequest) protocol.Code {
	t.Helper()
	r.Orchestrator = m.peer.Key.Address()
	ack, err := m.bus.AskLease(t.Context(), m.key.Address(), encodetest.Seal(t, m.peer.Key, r))
	if err != nil {
		t.Fatal(err)
	}
	if ack.Problem != nil {
		return ack.Problem.Code
	}
	return ""
}

func TestBidder_keepsASignedBidStanding(t *testing.T) {
	t.Parallel()
	m := newMarket(t, nil)
	first := m.any(t)
	if first.Transcoder != m.key.Address() || first.FreePixelRate != 2*work || first.TTLMillis != 2000 || first.Region != "test" {
		t.Errorf("bid %+v", first)
	}
	if age := time.Since(time.UnixMilli(int64(first.Sequence))); age < 0 || age > time.Minute {
		t.Errorf("sequence %d is not the time in ms", first.Sequence)
	}
	for last := first; last.Sequence-first.Sequence < 1000; {
		next := m.any(t)
		if next.Sequence <= last.Sequence {
			t.Fatalf("sequence %d after %d", next.Sequence, last.Sequence)
		}
		last = next
	}
}

func TestBidder_saysWhatItsMachineIs(t *testing.T) {
	t.Parallel()
	m := newMarket(t, nil)
	if b := m.any(t); !b.Capabilities.IsZero() || b.Record != nil {
		t.Errorf("said %s, %+v before it knew", b.Capabilities, b.Record)
	}
	c := protocol.Capabilities{Transcoder: m.key.Address(), Engine: "test", Sandbox: protocol.Sandbox{Layers: []string{"seccomp"}, Attempts: 1, Blocked: 1}}
	hash := protocol.Hash(c.StructHash())
	m.bidder.Describe(c)
	said := func(b protocol.Bid) bool { return b.Capabilities == hash }
	if b := m.bid(t, "described", said); b.Record == nil || b.Record.Engine != "test" {
		t.Errorf("the first bid that names the record brings %+v", b.Record)
	}
	if b := m.bid(t, "described again", said); b.Record != nil {
		t.Error("the next one brings it again")
	}
}

func TestBidder_acceptsAnAwardAndChargesItsCapacity(t *testing.T) {
	t.Parallel()
	m := newMarket(t, nil)
	award, offer := m.offer(m.any(t))
	answer, code := m.send(t, award, offer)
	if code != "" {
		t.Fatal(answer.Decline.Detail)
	}
	params, err := answer.Params.Open(encodetest.Domain)
	if err != nil || params.Payer != m.peer.Key.Address() || params.Recipient != m.key.Address() || params.FaceValue != award.MaxFee {
		t.Errorf("params %+v, %v", params, err)
	}
	m.free(t, work)
	slot := m.peer.Slot(t)
	m.peer.Start(t, slot, m.peer.Assign(award, 1), false)
	if out := slot.Run(t, []byte("source")); out.Receipt == nil {
		t.Errorf("%+v, %v", out.Abandoned, out.Err)
	}
	if _, code := m.send(t, award, offer); code != "" { // the same award again: the answer was lost
		t.Errorf("the same award again: %s", code)
	}
	if leases := m.bidder.Leases(); leases != 1 {
		t.Errorf("%d leases", leases)
	}
}

func TestBidder_declines(t *testing.T) {
	t.Parallel()
	m := newMarket(t, nil)
	b := m.any(t)
	stranger := encodetest.NewKey(t)
	cases := []struct {
		name   string
		change func(a *protocol.Award, o *protocol.AwardOffer)
		want   protocol.Code
	}{
		{"a price below the bid", func(a *protocol.Award, _ *protocol.AwardOffer) { a.Prices = prices(price - 1) }, protocol.PriceBelowBid},
		{"a codec that is not sold", func(a *protocol.Award, o *protocol.AwardOffer) {
			o.Ladder = protocol.Ladder{{Name: "a", Width: 160, Height: 90, Bitrate: 200_000, Codec: protocol.AV1, Container: protocol.FMP4}}
			a.LadderHash = protocol.Hash(o.Ladder.Hash())
		}, protocol.UnsupportedCodec},
		{"a ladder that is not the one signed", func(_ *protocol.Award, o *protocol.AwardOffer) {
			o.Ladder = protocol.Ladder{{Name: "b", Width: 16, Height: 16, Bitrate: 200_000, Codec: protocol.H264}}
		}, protocol.BadRequest},
		{"more than is free", func(_ *protocol.Award, o *protocol.AwardOffer) { o.SourceFPS = 100 }, protocol.NoCapacity},
		{"a fee that cannot pay a usual segment", func(a *protocol.Award, _ *protocol.AwardOffer) { a.MaxFee = protocol.NewWei(100) }, protocol.BudgetTooSmall},
		{"a bid it never made", func(a *protocol.Award, _ *protocol.AwardOffer) { a.BidSequence += 1 << 40 }, protocol.Stale},
		{"a bid of long ago", func(a *protocol.Award, _ *protocol.AwardOffer) { a.BidSequence -= 60_000 }, protocol.Stale},
		{"a URL that is none", func(a *protocol.Award, _ *protocol.AwardOffer) { a.URL = "file:///etc/passwd" }, protocol.BadRequest},
		{"another's award", func(a *protocol.Award, _ *protocol.AwardOffer) { a.Transcoder = stranger.Address() }, protocol.BadRequest},
	}
	for _, c := range cases {
		award, offer := m.offer(b)
		c.change(&award, &offer)
		if _, code := m.send(t, award, offer); code != c.want {
			t.Errorf("%s: %q, want %q", c.name, code, c.want)
		}
	}

	award, offer := m.offer(b)
	award.Orchestrator, award.Payer = stranger.Address(), stranger.Address()
	offer.Award = encodetest.Seal(t, stranger, award)
	if _, code := m.deliver(t, offer); code != protocol.NotAllocated {
		t.Errorf("an orchestrator without allocation: %q, want %q", code, protocol.NotAllocated)
	}
	award.Orchestrator = m.peer.Key.Address()
	offer.Award.Message = award
	if _, code := m.deliver(t, offer); code != protocol.BadSignature {
		t.Errorf("a stranger in the orchestrator's name: %q, want %q", code, protocol.BadSignature)
	}
	if leases := m.bidder.Leases(); leases != 0 {
		t.Errorf("after declines only: %d leases", leases)
	}
	m.free(t, 2*work)
}

func prices(wei uint64) protocol.Prices {
	return protocol.Prices{{Codec: protocol.H264, WeiPerPixel: protocol.NewWei(wei)}}
}

func TestBidder_neverSellsMoreThanItHas(t *testing.T) {
	t.Parallel()
	m := newMarket(t, nil) // room for two
	b := m.any(t)
	const offers = 10
	codes := make(chan protocol.Code, offers)
	for range offers {
		award, offer := m.offer(b)
		offer.Award = encodetest.Seal(t, m.peer.Key, award)
		go func() {
			answer, err := m.bus.OfferAward(context.Background(), m.key.Address(), offer)
			switch {
			case err != nil:
				codes <- protocol.CodeOf(err)
			case answer.Decline != nil:
				codes <- answer.Decline.Code
			default:
				codes <- ""
			}
		}()
	}
	got := make(map[protocol.Code]int)
	for range offers {
		got[<-codes]++
	}
	if got[""] != 2 || got[protocol.NoCapacity] != offers-2 {
		t.Errorf("answers %v, want 2 accepted and the others declined for want of capacity", got)
	}
}

func TestBidder_bidsNothingWhenItsSlotsAreTaken(t *testing.T) {
	t.Parallel()
	m := newMarket(t, func(c *bidder.Config) { c.Meter = sessions(1) })
	award, offer := m.offer(m.any(t))
	if _, code := m.send(t, award, offer); code != "" {
		t.Fatal(code)
	}
	m.free(t, 0)
}

// A media child can take seconds to start: neither the standing bid nor the next award waits for it.
func TestBidder_goesOnWhileAnEncoderOpens(t *testing.T) {
	t.Parallel()
	e := slow{opening: make(chan struct{}, 8), let: make(chan struct{})}
	m := newMarket(t, func(c *bidder.Config) { c.Bench.Encoder = e })
	award, offer := m.offer(m.any(t))
	if _, code := m.send(t, award, offer); code != "" {
		t.Fatal(code)
	}
	slot := m.peer.Slot(t)
	m.peer.Start(t, slot, m.peer.Assign(award, 1), false)
	select {
	case <-e.opening:
	case <-time.After(encodetest.Patience):
		t.Fatal("no session is opened")
	}
	now := uint64(time.Now().UnixMilli())
	b := m.bid(t, "made while the session opens", func(b protocol.Bid) bool { return b.Sequence > now+uint64(2*bidder.Heartbeat.Milliseconds()) })
	second, offer := m.offer(b)
	if _, code := m.send(t, second, offer); code != "" {
		t.Errorf("an award while a session opens: %q", code)
	}
	if code := m.lease(t, protocol.LeaseRequest{Lease: award.Lease, ExtendMillis: 60_000, Serial: 1}); code != "" {
		t.Errorf("a renewal while a session opens: %q", code)
	}
	close(e.let)
	if out := slot.Run(t, []byte("source")); out.Receipt == nil {
		t.Errorf("%+v, %v", out.Abandoned, out.Err)
	}
}

func TestLease_isRenewedAndReleased(t *testing.T) {
	t.Parallel()
	m := newMarket(t, nil)
	award, offer := m.offer(m.any(t))
	if _, code := m.send(t, award, offer); code != "" {
		t.Fatal(code)
	}
	m.free(t, work)
	steps := []struct {
		name string
		r    protocol.LeaseRequest
		want protocol.Code
	}{
		{"renewed", protocol.LeaseRequest{Lease: award.Lease, ExtendMillis: 1000, Serial: 2}, ""},
		{"the same request again", protocol.LeaseRequest{Lease: award.Lease, ExtendMillis: 1000, Serial: 2}, protocol.Stale},
		{"an older one", protocol.LeaseRequest{Lease: award.Lease, Serial: 1}, protocol.Stale},
		{"another lease", protocol.LeaseRequest{Lease: protocol.NewID(), Serial: 3}, protocol.LeaseUnknown},
		{"released", protocol.LeaseRequest{Lease: award.Lease, Serial: 3}, ""},
		{"after its release", protocol.LeaseRequest{Lease: award.Lease, ExtendMillis: 1000, Serial: 4}, protocol.LeaseUnknown},
	}
	for _, s := range steps {
		if code := m.lease(t, s.r); code != s.want {
			t.Errorf("%s: %q, want %q", s.name, code, s.want)
		}
	}
	m.free(t, 2*work) // at once, not with the next award
	if _, code := m.send(t, award, offer); code != protocol.Stale {
		t.Errorf("the award of an ended lease: %q, want %q", code, protocol.Stale)
	}
}

func TestLease_ofAnotherIsNotTouched(t *testing.T) {
	t.Parallel()
	m := newMarket(t, nil)
	award, offer := m.offer(m.any(t))
	if _, code := m.send(t, award, offer); code != "" {
		t.Fatal(code)
	}
	stranger := encodetest.NewKey(t)
	ack, err := m.bus.AskLease(t.Context(), m.key.Address(), encodetest.Seal(t, stranger,
		protocol.LeaseRequest{Lease: award.Lease, Orchestrator: stranger.Address(), Serial: 1}))
	if err != nil || ack.Problem == nil || ack.Problem.Code != protocol.LeaseUnknown {
		t.Errorf("%+v, %v", ack.Problem, err)
	}
}

func TestLease_lapsesWhenItsTimeIsUpCountedFromTheFirstByte(t *testing.T) {
	t.Parallel()
	m := newMarket(t, nil)
	award, offer := m.offer(m.any(t))
	award.LeaseMillis = 1000
	if _, code := m.send(t, award, offer); code != "" {
		t.Fatal(code)
	}
	held := m.free(t, work)
	for { // two seconds of bids: it does not count yet
		if b := m.any(t); b.Sequence > held.Sequence+2000 {
			break
		} else if b.FreePixelRate != work {
			t.Fatal("the lease ended before its first byte")
		}
	}
	slot := m.peer.Slot(t)
	m.peer.Start(t, slot, m.peer.Assign(award, 1), false)
	if out := slot.Run(t, []byte("x")); out.Receipt == nil {
		t.Fatalf("%+v, %v", out.Abandoned, out.Err)
	}
	m.free(t, 2*work)
}

func TestLease_thatNobodyUsesLapses(t *testing.T) {
	t.Parallel()
	m := newMarket(t, func(c *bidder.Config) { c.Idle = time.Second })
	award, offer := m.offer(m.any(t))
	if _, code := m.send(t, award, offer); code != "" {
		t.Fatal(code)
	}
	m.free(t, work)
	m.free(t, 2*work)
}

func TestParams_areGivenForALeaseThatEnded(t *testing.T) {
	t.Parallel()
	m := newMarket(t, nil)
	award, offer := m.offer(m.any(t))
	if _, code := m.send(t, award, offer); code != "" {
		t.Fatal(code)
	}
	if code := m.lease(t, protocol.LeaseRequest{Lease: award.Lease, Serial: 1}); code != "" {
		t.Fatal(code)
	}
	m.free(t, 2*work)
	ask := func(s protocol.Signer, lease protocol.ID) protocol.AwardAnswer {
		answer, err := m.bus.AskParams(t.Context(), m.key.Address(), encodetest.Seal(t, s,
			protocol.ParamsRequest{Lease: lease, Orchestrator: s.Address(), Serial: 1}))
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	if a := ask(m.peer.Key, award.Lease); a.Params == nil || a.Params.Message.FaceValue != award.MaxFee {
		t.Errorf("%+v", a)
	}
	if a := ask(m.peer.Key, protocol.NewID()); a.Decline == nil || a.Decline.Code != protocol.LeaseUnknown {
		t.Errorf("an unknown lease: %+v", a)
	}
	if a := ask(encodetest.NewKey(t), award.Lease); a.Decline == nil || a.Decline.Code != protocol.LeaseUnknown {
		t.Errorf("another's lease: %+v", a)
	}
}

func TestTickets_reachTheRecipient(t *testing.T) {
	t.Parallel()
	m := newMarket(t, nil)
	m.any(t)
	if a, err := m.bus.SendTickets(t.Context(), m.key.Address(), []byte("tickets")); err != nil || string(a) != "took tickets" {
		t.Errorf("%q, %v", a, err)
	}
}

func TestDrain_declinesAndFinishesWhatIsInFlight(t *testing.T) {
	t.Parallel()
	m := newMarket(t, nil)
	award, offer := m.offer(m.any(t))
	if _, code := m.send(t, award, offer); code != "" {
		t.Fatal(code)
	}
	slot := m.peer.Slot(t)
	m.peer.Start(t, slot, m.peer.Assign(award, 1), false)
	slot.Source(t, []byte("so"))
	encodetest.Eventually(t, "a slot is in use and two are parked", func() bool { return m.peer.Parked() == 3 })
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		ctx, cancel := context.WithTimeout(context.Background(), encodetest.Patience)
		defer cancel()
		m.bidder.Drain(ctx, protocol.ForUpgrade)
	}()
	b := m.free(t, 0)
	_, next := m.offer(b)
	award.Lease, award.BidSequence = protocol.NewID(), b.Sequence
	if _, code := m.send(t, award, next); code != protocol.Draining {
		t.Errorf("an award while draining: %q, want %q", code, protocol.Draining)
	}
	if err := m.bidder.Resume(t.Context()); protocol.CodeOf(err) != protocol.Draining {
		t.Errorf("resumed while it stops: %v", err)
	}
	slot.Source(t, []byte("urce"))
	slot.End(t, []byte("source"))
	if out := slot.Outcome(); out.Receipt == nil {
		t.Errorf("%+v, %v", out.Abandoned, out.Err)
	}
	select {
	case <-drained:
	case <-time.After(encodetest.Patience):
		t.Fatal("it never drained")
	}
}

func TestDrain_cutsOffWhatTakesTooLong(t *testing.T) {
	t.Parallel()
	m := newMarket(t, nil)
	award, offer := m.offer(m.any(t))
	if _, code := m.send(t, award, offer); code != "" {
		t.Fatal(code)
	}
	slot := m.peer.Slot(t)
	m.peer.Start(t, slot, m.peer.Assign(award, 1), false)
	slot.Source(t, []byte("never ends"))
	encodetest.Eventually(t, "a slot is in use and two are parked", func() bool { return m.peer.Parked() == 3 })
	begun := time.Now()
	m.stop() // bounded by a second
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
}
