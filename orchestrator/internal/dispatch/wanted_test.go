package dispatch

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/bus"
	"github.com/kinora/kinora/internal/bus/embedded"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/migrations"
	"github.com/kinora/kinora/orchestrator/internal/fleet"
	"github.com/kinora/kinora/orchestrator/internal/store"
)

// funded is a treasury whose allocations are confirmed at once: the chain has no part in this.
type funded struct{}

func (funded) Ensure(context.Context, common.Address, protocol.Wei) error { return nil }

// Nobody has a standing price for AV1: all are asked, over a real NATS, and the best of those that answer in time for just this
// work wins. For what somebody prices nobody is asked.
func TestAuction_asksForBidsOnlyWhereNobodyHasAPrice(t *testing.T) {
	t.Parallel()
	domain := protocol.NewDomain(1, common.HexToAddress("0xe5"))
	key := func() *protocol.KeySigner {
		k, err := crypto.GenerateKey()
		if err != nil {
			t.Fatal(err)
		}
		return protocol.NewKeySigner(k)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	server, err := embedded.Start(embedded.Options{})
	must(err)
	t.Cleanup(func() { _ = server.Close() })
	dial := func() *bus.Bus {
		b, err := bus.Dial(t.Context(), server.URL(), bus.Options{})
		must(err)
		t.Cleanup(func() { _ = b.Close() })
		return b
	}
	url := pgtest.URL(t)
	must(migrations.Postgres(t.Context(), url, "orchestrator"))
	st := store.New(pgtest.Open(t, url))
	self, log := key(), slog.New(slog.DiscardHandler)
	fl := fleet.New(fleet.Config{Domain: domain, Self: self.Address(), MaxMembers: 8, TopUp: time.Hour, Events: func(protocol.Event) {}, Log: log}, st, funded{})
	fl.Hold(fleet.Terms{Signer: self, Rule: auction.SecondScore})
	life, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = fl.Run(life) })
	t.Cleanup(func() { stop(); running.Wait() })

	type seller struct {
		price uint64
		late  bool // it answers when it no longer counts
		other bool // it answers for other work
	}
	var asked atomic.Int64
	tooLate := make(chan struct{})
	t.Cleanup(func() { close(tooLate) })
	type crowd struct {
		answers atomic.Int64
		through chan struct{}
	}
	var crowds sync.Map // of each request: strangers, more than are looked at, who answer before everybody else
	crowdOf := func(r protocol.BidRequest) *crowd {
		c, _ := crowds.LoadOrStore(r.Request.Message.Ask, &crowd{through: make(chan struct{})})
		return c.(*crowd)
	}
	strangers := dial()
	for range 2 * maxLiveBids {
		k := key()
		must(strangers.ServeBidRequests(t.Context(), func(r protocol.BidRequest) (protocol.Signed[protocol.Bid], bool) {
			signed, err := protocol.Seal(domain, k, protocol.Bid{Transcoder: k.Address(), Prices: protocol.Prices{{Codec: protocol.AV1, WeiPerPixel: protocol.NewWei(1)}},
				FreePixelRate: 1 << 40, TTLMillis: 60_000, Sequence: 1, Request: protocol.Hash(r.Request.Message.StructHash())})
			if c := crowdOf(r); c.answers.Add(1) == 2*maxLiveBids {
				close(c.through)
			}
			return signed, err == nil
		}))
	}
	var keys []*protocol.KeySigner
	var cheapAsked sync.Map // requests that offer next to nothing
	for _, s := range []seller{{price: 90}, {price: 80, late: true}, {price: 70, other: true}, {price: 95}} {
		k, b := key(), dial()
		keys = append(keys, k)
		standing := protocol.Bid{Transcoder: k.Address(), Prices: weiPerPixel(50), FreePixelRate: 1 << 40, TTLMillis: 60_000, Sequence: 1}
		signed, err := protocol.Seal(domain, k, standing)
		must(err)
		fl.Bid(signed)
		must(b.ServeBidRequests(t.Context(), func(r protocol.BidRequest) (protocol.Signed[protocol.Bid], bool) {
			asked.Add(1)
			if len(r.Request.Message.MaxPrices) == 1 {
				cheapAsked.Store(r.Request.Message.Ask, true)
			}
			<-crowdOf(r).through
			if s.late {
				<-tooLate
			}
			answer := standing
			answer.Prices, answer.Sequence = protocol.Prices{{Codec: protocol.AV1, WeiPerPixel: protocol.NewWei(s.price)}}, 2
			if answer.Request = protocol.Hash(r.Request.Message.StructHash()); s.other {
				answer.Request = protocol.Hash{1}
			}
			signed, err := protocol.Seal(domain, k, answer)
			return signed, err == nil
		}))
	}
	d := &Dispatcher{cfg: Config{Domain: domain, Signer: self, BidWait: protocol.MaxRequestWait * time.Millisecond, Log: log}, self: self.Address(), fleet: fl, bus: dial()}
	seek := func(codec protocol.Codec) work {
		l := protocol.Ladder{{Name: "240p", Width: 426, Height: 240, Bitrate: 400_000, Codec: codec, Container: protocol.FMP4}}
		return work{key: streamKey{stream: "cam", ladder: protocol.Hash(l.Hash())}, request: protocol.QuoteRequest{Ladder: l, SourceFPS: 30},
			maxPrices: protocol.Prices{{Codec: protocol.H264, WeiPerPixel: protocol.NewWei(100)}, {Codec: protocol.AV1, WeiPerPixel: protocol.NewWei(100)}}}
	}
	auctioned := func(w work) (*fleet.Sale, error) {
		return d.auction(t.Context(), w, d.ask(w, protocol.NewID(), nil), false, nil)
	}
	deadline := time.Now().Add(30 * time.Second)
	for n := 0; n < 4; _, n = fl.Backlog() {
		if time.Sleep(5 * time.Millisecond); time.Now().After(deadline) {
			t.Fatal("not everybody has a place")
		}
	}
	sale, err := auctioned(seek(protocol.H264))
	must(err)
	if len(sale.Offers) != 4 || asked.Load() > 0 {
		t.Errorf("%d offers for what all price, %d were asked", len(sale.Offers), asked.Load())
	}
	for sale.Offers = nil; len(sale.Offers) < 2; sale, err = auctioned(seek(protocol.AV1)) { // on a slow machine none may answer in time
		if must(err); time.Now().After(deadline) {
			t.Fatalf("%d offers, %d were asked", len(sale.Offers), asked.Load())
		}
	}
	first, second := sale.Offers[0], sale.Offers[1]
	if first.Bid.Transcoder != keys[0].Address() || second.Bid.Transcoder != keys[3].Address() || len(sale.Offers) != 2 {
		t.Errorf("offers %+v", sale.Offers)
	}
	if paid, _ := first.Paid.Of(protocol.AV1); paid != protocol.NewWei(95) {
		t.Errorf("the best is paid %s, want what the second asks", paid)
	}
	cheap := seek(protocol.AV1) // nobody sells at that
	cheap.maxPrices, cheap.key.ladder = weiPerPixel(1), protocol.Hash{9}
	for range 2 {
		if sale, err := auctioned(cheap); err != nil || len(sale.Offers) > 0 {
			t.Errorf("%d offers at a price that nobody takes, %v", len(sale.Offers), err)
		}
	}
	requests := 0
	cheapAsked.Range(func(any, any) bool { requests++; return true })
	if requests > 1 {
		t.Errorf("bids were asked for %d times within a second, in vain", requests)
	}
}
