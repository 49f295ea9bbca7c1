package bus_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/internal/bus"
	"github.com/kinora/kinora/internal/bus/embedded"
	"github.com/kinora/kinora/internal/protocol"
)

var domain = protocol.NewDomain(1337, common.HexToAddress("0xe5c0"))

func signer(t *testing.T, n int64) *protocol.KeySigner {
	t.Helper()
	key := &ecdsa.PrivateKey{D: big.NewInt(n)}
	key.Curve = crypto.S256()
	key.X, key.Y = key.Curve.ScalarBaseMult(key.D.Bytes())
	return protocol.NewKeySigner(key)
}

func start(t *testing.T) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func dial(t *testing.T, url string) *bus.Bus {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	b, err := bus.Dial(ctx, url, bus.Options{Name: t.Name()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func seal[M protocol.Message](t *testing.T, s protocol.Signer, m M) protocol.Signed[M] {
	t.Helper()
	signed, err := protocol.Seal(domain, s, m)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func prices(wei uint64) protocol.Prices {
	return protocol.Prices{{Codec: protocol.H264, WeiPerPixel: protocol.NewWei(wei)}}
}

func bid(t *testing.T, s protocol.Signer, sequence uint64) protocol.Signed[protocol.Bid] {
	return seal(t, s, protocol.Bid{Transcoder: s.Address(), Prices: prices(7), FreePixelRate: 1, TTLMillis: 2000, Sequence: sequence})
}

func offer(t *testing.T, orchestrator protocol.Signer, transcoder common.Address) protocol.AwardOffer {
	ladder := protocol.Ladder{{Name: "240p", Width: 426, Height: 240, Bitrate: 400_000, Codec: protocol.H264}}
	return protocol.AwardOffer{Ladder: ladder, SourceFPS: 30, SegmentMillis: 2000, Award: seal(t, orchestrator, protocol.Award{
		Lease: protocol.NewID(), Orchestrator: orchestrator.Address(), Payer: orchestrator.Address(), Transcoder: transcoder, Stream: "live", LadderHash: protocol.Hash(ladder.Hash()),
		Prices: prices(7), MaxFee: protocol.NewWei(1 << 40), LeaseMillis: 30_000, BidSequence: 1, URL: "http://127.0.0.1:1"})}
}

func receive[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(10 * time.Second):
		t.Fatal("nothing came within 10 s")
		panic("unreachable")
	}
}

// eventually polls until ok or ten seconds have passed.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("not within 10 s: " + what)
		}
	}
}

func TestBids_arriveInOrderAndStillVerify(t *testing.T) {
	t.Parallel()
	s := start(t)
	transcoder, orchestrator := dial(t, s.URL()), dial(t, s.URL())
	got := make(chan protocol.Signed[protocol.Bid], 10)
	if err := orchestrator.SubscribeBids(t.Context(), func(b protocol.Signed[protocol.Bid]) { got <- b }); err != nil {
		t.Fatal(err)
	}
	key := signer(t, 1)
	for i := uint64(1); i <= 3; i++ {
		if err := transcoder.PublishBid(bid(t, key, i)); err != nil {
			t.Fatal(err)
		}
		b := receive(t, got)
		if m, err := b.Open(domain); err != nil || m.Sequence != i {
			t.Errorf("bid %d: sequence %d, %v", i, m.Sequence, err)
		}
	}
}

// One who sends more than is taken holds up nobody, and of its own bids only the newest waits.
func TestBids_ofAFloodHoldUpNobodyElse(t *testing.T) {
	t.Parallel()
	b := dial(t, start(t).URL())
	flooder, hold, begun := signer(t, 1), make(chan struct{}), make(chan struct{}, 1)
	flood, others := make(chan uint64, 10), make(chan common.Address, 64)
	if err := b.SubscribeBids(t.Context(), func(s protocol.Signed[protocol.Bid]) {
		if s.Message.Transcoder != flooder.Address() {
			others <- s.Message.Transcoder
			return
		}
		if s.Message.Sequence == 1 {
			begun <- struct{}{}
			<-hold
		}
		flood <- s.Message.Sequence
	}); err != nil {
		t.Fatal(err)
	}
	publish := func(s protocol.Signed[protocol.Bid]) {
		if err := b.PublishBid(s); err != nil {
			t.Error(err)
		}
	}
	publish(bid(t, flooder, 1))
	receive(t, begun)
	signed := bid(t, flooder, 2)
	const many = 300
	for i := range uint64(many) {
		signed.Message.Sequence = 2 + i // nobody here looks at the signature
		publish(signed)
	}
	for i := range int64(16) {
		publish(bid(t, signer(t, i+2), 1))
	}
	for range 16 {
		receive(t, others)
	}
	close(hold)
	if first, second := receive(t, flood), receive(t, flood); first != 1 || second != many+1 {
		t.Errorf("of the flood, %d and then %d were taken, want the first and the newest", first, second)
	}
	if n := b.Dropped(); n != many-1 {
		t.Errorf("%d dropped, want %d: those that were not taken are counted", n, many-1)
	}
}

func TestBids_ofDifferentTranscodersAreTakenAtOnce(t *testing.T) {
	t.Parallel()
	b := dial(t, start(t).URL())
	const many = 32
	var first, second sync.Once
	other, taken := make(chan struct{}), make(chan struct{}, many)
	if err := b.SubscribeBids(t.Context(), func(protocol.Signed[protocol.Bid]) {
		waits := false
		first.Do(func() { waits = true })
		if waits {
			select {
			case <-other:
			case <-t.Context().Done():
			}
		} else {
			second.Do(func() { close(other) })
		}
		taken <- struct{}{}
	}); err != nil {
		t.Fatal(err)
	}
	for i := range many {
		if err := b.PublishBid(bid(t, signer(t, int64(i+1)), 1)); err != nil {
			t.Fatal(err)
		}
	}
	for range many {
		receive(t, taken)
	}
}

func TestBids_thatCannotBeAreDroppedAndCounted(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := dial(t, s.URL())
	got := make(chan protocol.Signed[protocol.Bid], 10)
	if err := b.SubscribeBids(t.Context(), func(b protocol.Signed[protocol.Bid]) { got <- b }); err != nil {
		t.Fatal(err)
	}
	key, other := signer(t, 1), signer(t, 2)
	senseless := bid(t, key, 1)
	senseless.Message.TTLMillis = 0
	foreign := bid(t, other, 1)
	for _, payload := range [][]byte{nil, []byte("{"), bytes.Repeat([]byte("x"), protocol.MaxMessage+1), protocol.Encode(senseless), protocol.Encode(foreign)} {
		if err := bus.PublishRaw(b, protocol.BidSubject(key.Address()), payload); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.PublishBid(bid(t, key, 9)); err != nil {
		t.Fatal(err)
	}
	if m := receive(t, got).Message; m.Sequence != 9 {
		t.Errorf("the first bid taken has sequence %d, want 9", m.Sequence)
	}
	if n := b.Dropped(); n != 5 {
		t.Errorf("%d dropped, want 5", n)
	}
}

func TestSubscription_endsWithItsContext(t *testing.T) {
	t.Parallel()
	b := dial(t, start(t).URL())
	ctx, cancel := context.WithCancel(t.Context())
	self := signer(t, 1).Address()
	if err := b.ServeTickets(ctx, self, func(context.Context, []byte) ([]byte, error) { return []byte("x"), nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := b.SendTickets(t.Context(), self, nil); err != nil {
		t.Fatal(err)
	}
	cancel()
	eventually(t, "no more answers", func() bool {
		_, err := b.SendTickets(t.Context(), self, nil)
		return protocol.CodeOf(err) == protocol.Unreachable
	})
}

// Two replicas of one orchestrator would pay the gas of one order twice.
func TestRelay_oneOfSeveralReplicasGetsEachRequest(t *testing.T) {
	t.Parallel()
	s := start(t)
	self := signer(t, 1).Address()
	var served atomic.Int64
	for range 2 {
		if err := dial(t, s.URL()).ServeRelays(t.Context(), self, func(_ context.Context, q []byte) ([]byte, error) {
			served.Add(1)
			if len(q) == 0 {
				return nil, protocol.Limited(protocol.FeeTooLow, "fee", 7, "too little")
			}
			return append([]byte("sent "), q...), nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	b := dial(t, s.URL())
	for range 10 {
		if a, err := b.AskRelay(t.Context(), self, []byte("order")); err != nil || string(a) != "sent order" {
			t.Fatalf("answer %q, %v", a, err)
		}
	}
	if n := served.Load(); n != 10 {
		t.Errorf("10 requests were served %d times", n)
	}
	if _, err := b.AskRelay(t.Context(), self, nil); protocol.CodeOf(err) != protocol.FeeTooLow {
		t.Errorf("error %v, want the refusal", err)
	}
	if _, err := b.AskRelay(t.Context(), signer(t, 2).Address(), []byte("order")); protocol.CodeOf(err) != protocol.Unreachable {
		t.Errorf("error %v, want nobody to serve it", err)
	}
	if _, err := b.AskRelay(t.Context(), self, make([]byte, protocol.MaxMessage+1)); protocol.CodeOf(err) != protocol.BadRequest {
		t.Errorf("error %v, want a bound", err)
	}
}

func TestAward_isAcceptedOrDeclined(t *testing.T) {
	t.Parallel()
	s := start(t)
	orchestratorKey, transcoderKey := signer(t, 1), signer(t, 2)
	transcoder, orchestrator := dial(t, s.URL()), dial(t, s.URL())
	params := seal(t, transcoderKey, protocol.TicketParams{Set: protocol.NewID(), Payer: orchestratorKey.Address(), Recipient: transcoderKey.Address(),
		FaceValue: protocol.NewWei(1), RecipientRandHash: protocol.NewID(), Expiry: 1, UsableMillis: 1, AcceptMillis: 2, RedeemMillis: 3})
	err := transcoder.ServeAwards(t.Context(), transcoderKey.Address(), func(_ context.Context, o protocol.AwardOffer) protocol.AwardAnswer {
		if o.SegmentMillis == 2000 {
			return protocol.AwardAnswer{Params: &params}
		}
		p := protocol.ProblemOf(protocol.Errorf(protocol.NoCapacity, "full"))
		return protocol.AwardAnswer{Decline: &p}
	})
	if err != nil {
		t.Fatal(err)
	}
	o := offer(t, orchestratorKey, transcoderKey.Address())
	answer, err := orchestrator.OfferAward(t.Context(), transcoderKey.Address(), o)
	if err != nil || answer.Params == nil {
		t.Fatalf("answer %+v, %v", answer, err)
	}
	if _, err := answer.Params.Open(domain); err != nil {
		t.Error(err)
	}
	o.SegmentMillis = 1000
	answer, err = orchestrator.OfferAward(t.Context(), transcoderKey.Address(), o)
	if err != nil || answer.Decline == nil || answer.Decline.Code != protocol.NoCapacity {
		t.Errorf("answer %+v, %v, want a decline for want of capacity", answer, err)
	}
	o.SegmentMillis = 0 // never reaches the handler
	answer, err = orchestrator.OfferAward(t.Context(), transcoderKey.Address(), o)
	if err != nil || answer.Decline == nil || answer.Decline.Code != protocol.BadRequest {
		t.Errorf("answer %+v, %v, want bad_request", answer, err)
	}
}

func TestAward_withAnAnswerThatSaysNothingIsAnError(t *testing.T) {
	t.Parallel()
	b := dial(t, start(t).URL())
	orchestrator, transcoder := signer(t, 1), signer(t, 2)
	err := b.ServeAwards(t.Context(), transcoder.Address(), func(context.Context, protocol.AwardOffer) protocol.AwardAnswer { return protocol.AwardAnswer{} })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.OfferAward(t.Context(), transcoder.Address(), offer(t, orchestrator, transcoder.Address())); protocol.CodeOf(err) != protocol.BadRequest {
		t.Errorf("error %v, want bad_request", err)
	}
}

func TestRequest_toNobodyIsUnreachableAtOnce(t *testing.T) {
	t.Parallel()
	b := dial(t, start(t).URL())
	begun := time.Now()
	_, err := b.AskLease(t.Context(), signer(t, 2).Address(), protocol.Signed[protocol.LeaseRequest]{})
	if protocol.CodeOf(err) != protocol.Unreachable {
		t.Errorf("error %v, want unreachable", err)
	}
	if took := time.Since(begun); took >= bus.RequestTimeout {
		t.Errorf("it took %s, the server knows that nobody serves", took)
	}
}

func TestRequest_thatIsNotAnsweredIsUnreachableAtItsDeadline(t *testing.T) {
	t.Parallel()
	b := dial(t, start(t).URL())
	hold := make(chan struct{})
	t.Cleanup(func() { close(hold) })
	self := signer(t, 2)
	if err := b.ServeLeases(t.Context(), self.Address(), func(context.Context, protocol.Signed[protocol.LeaseRequest]) protocol.Acknowledgement {
		<-hold
		return protocol.Acknowledgement{}
	}); err != nil {
		t.Fatal(err)
	}
	r := seal(t, signer(t, 1), protocol.LeaseRequest{Lease: protocol.NewID(), Orchestrator: signer(t, 1).Address(), Serial: 1})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := b.AskLease(ctx, self.Address(), r); protocol.CodeOf(err) != protocol.Unreachable || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want unreachable by deadline", err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := b.AskLease(stopped, self.Address(), r); protocol.CodeOf(err) != protocol.Cancelled {
		t.Errorf("error %v, want cancelled", err)
	}
}

func TestParamsAndTickets_goThereAndBack(t *testing.T) {
	t.Parallel()
	b := dial(t, start(t).URL())
	orchestrator, self := signer(t, 1), signer(t, 2)
	err := errors.Join(
		b.ServeParams(t.Context(), self.Address(), func(_ context.Context, r protocol.Signed[protocol.ParamsRequest]) protocol.AwardAnswer {
			_, err := r.Open(domain)
			p := protocol.ProblemOf(protocol.Errorf(protocol.LeaseUnknown, "%v", err))
			return protocol.AwardAnswer{Decline: &p}
		}),
		b.ServeTickets(t.Context(), self.Address(), func(_ context.Context, d []byte) ([]byte, error) {
			if len(d) == 0 {
				return nil, protocol.Limited(protocol.TicketInvalid, "min_bytes", 1, "no tickets")
			}
			return append([]byte("got "), d...), nil
		}))
	if err != nil {
		t.Fatal(err)
	}
	request := seal(t, orchestrator, protocol.ParamsRequest{Lease: protocol.NewID(), Orchestrator: orchestrator.Address(), Serial: 1})
	if a, err := b.AskParams(t.Context(), self.Address(), request); err != nil || a.Decline.Detail != "<nil>" {
		t.Errorf("answer %+v, %v", a, err)
	}
	if a, err := b.SendTickets(t.Context(), self.Address(), []byte("tickets")); err != nil || string(a) != "got tickets" {
		t.Errorf("answer %q, %v", a, err)
	}
	var refused *protocol.Error
	if _, err := b.SendTickets(t.Context(), self.Address(), nil); !errors.As(err, &refused) || refused.Code != protocol.TicketInvalid || refused.Limit != "min_bytes=1" {
		t.Errorf("error %v, want ticket_invalid with its limit", err)
	}
	if _, err := b.SendTickets(t.Context(), self.Address(), make([]byte, bus.MaxTickets+1)); protocol.CodeOf(err) != protocol.BadRequest {
		t.Errorf("error %v, want bad_request for a delivery beyond the bound", err)
	}
}

func TestHandlers_runAtOnceWithinABound(t *testing.T) {
	t.Parallel()
	b := dial(t, start(t).URL())
	self := signer(t, 2).Address()
	hold := make(chan struct{})
	if err := b.ServeTickets(t.Context(), self, func(context.Context, []byte) ([]byte, error) {
		<-hold
		return nil, nil
	}); err != nil {
		t.Fatal(err)
	}
	const callers = 100
	codes := make(chan protocol.Code, callers)
	for range callers {
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			_, err := b.SendTickets(ctx, self, []byte("x"))
			if err == nil {
				codes <- ""
				return
			}
			codes <- protocol.CodeOf(err)
		}()
	}
	refused := 0
	for refused < callers-64 { // those beyond the bound are answered at once, while the others wait
		if c := receive(t, codes); c != protocol.Unavailable {
			t.Fatalf("code %q, want unavailable", c)
		}
		refused++
	}
	close(hold)
	for range 64 {
		if c := receive(t, codes); c != "" {
			t.Errorf("code %q, want none", c)
		}
	}
}

func TestClose_letsAHandlerAnswer(t *testing.T) {
	t.Parallel()
	s := start(t)
	asker, server := dial(t, s.URL()), dial(t, s.URL())
	self := signer(t, 2).Address()
	entered, leave := make(chan struct{}), make(chan struct{})
	if err := server.ServeTickets(t.Context(), self, func(_ context.Context, data []byte) ([]byte, error) {
		if string(data) != "x" {
			return nil, nil // came before the close
		}
		close(entered)
		<-leave
		return []byte("done"), nil
	}); err != nil {
		t.Fatal(err)
	}
	answer := make(chan string, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		b, err := asker.SendTickets(ctx, self, []byte("x"))
		answer <- fmt.Sprint(string(b), err)
	}()
	receive(t, entered)
	closed := make(chan error, 1)
	go func() { closed <- server.Close() }()
	eventually(t, "new requests find nobody", func() bool {
		_, err := asker.SendTickets(t.Context(), self, []byte("y"))
		return protocol.CodeOf(err) == protocol.Unreachable
	})
	close(leave)
	if a := receive(t, answer); a != "done<nil>" {
		t.Errorf("answer %s", a)
	}
	if err := receive(t, closed); err != nil {
		t.Error(err)
	}
}

func TestEvents_reachEverySubscriberFromTheirActorOnly(t *testing.T) {
	t.Parallel()
	b := dial(t, start(t).URL())
	got := make(chan protocol.Event, 10)
	if err := b.SubscribeEvents(t.Context(), func(e protocol.Event) { got <- e }); err != nil {
		t.Fatal(err)
	}
	actor := signer(t, 1).Address()
	if err := bus.PublishRaw(b, protocol.EventSubject(actor), protocol.Encode(protocol.Event{Kind: protocol.TicketWon})); err != nil {
		t.Fatal(err)
	}
	if err := b.PublishEvent(protocol.Event{Actor: actor, Kind: protocol.TicketRedeemed}); err != nil {
		t.Fatal(err)
	}
	if e := receive(t, got); e.Kind != protocol.TicketRedeemed || b.Dropped() != 1 {
		t.Errorf("event %s, %d dropped", e.Kind, b.Dropped())
	}
}

func TestDial_waitsForAServerAndGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := bus.Dial(ctx, "nats://user:secret@127.0.0.1:1", bus.Options{})
	if protocol.CodeOf(err) != protocol.Unreachable {
		t.Fatalf("error %v, want unreachable", err)
	}
	if bytes.Contains([]byte(err.Error()), []byte("secret")) {
		t.Errorf("the error tells the password: %v", err)
	}
}

func TestBus_reconnectsAndServesOn(t *testing.T) {
	t.Parallel()
	first, err := embedded.Start(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	url := first.URL()
	b := dial(t, url)
	self := signer(t, 2).Address()
	if err := b.ServeTickets(t.Context(), self, func(_ context.Context, d []byte) ([]byte, error) { return d, nil }); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "disconnected", func() bool { return !b.Connected() })
	if err := b.PublishBid(bid(t, signer(t, 1), 1)); protocol.CodeOf(err) != protocol.Unreachable {
		t.Errorf("publishing while disconnected: %v, want unreachable rather than a late bid", err)
	}
	second, err := embedded.Start(embedded.Options{Listen: url[len("nats://"):]})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = second.Close() })
	eventually(t, "served again", func() bool {
		a, err := b.SendTickets(t.Context(), self, []byte("x"))
		return err == nil && string(a) == "x"
	})
}

func TestEmbedded_listensOnLoopbackOnly(t *testing.T) {
	t.Parallel()
	for _, listen := range []string{"0.0.0.0:0", ":4222", "192.0.2.1:0", "example.org:1", "127.0.0.1", "127.0.0.1:70000"} {
		if s, err := embedded.Start(embedded.Options{Listen: listen}); err == nil {
			_ = s.Close()
			t.Errorf("%q was taken", listen)
		}
	}
}

func TestBus_isSafeForManyAtOnce(t *testing.T) {
	t.Parallel()
	b := dial(t, start(t).URL())
	self := signer(t, 2).Address()
	if err := b.ServeTickets(t.Context(), self, func(_ context.Context, d []byte) ([]byte, error) { return d, nil }); err != nil {
		t.Fatal(err)
	}
	var callers sync.WaitGroup
	for i := range 8 {
		callers.Go(func() {
			for j := range 20 {
				want := fmt.Sprint(i, "/", j)
				if a, err := b.SendTickets(t.Context(), self, []byte(want)); err != nil || string(a) != want {
					t.Errorf("%s: %q, %v", want, a, err)
				}
			}
		})
	}
	callers.Wait()
}
