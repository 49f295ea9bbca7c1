package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/internal/bus"
	"github.com/kinora/kinora/internal/protocol"
)

var (
	domain = protocol.NewDomain(1, common.HexToAddress("0xe5"))
	orch   = func() *protocol.KeySigner {
		k, err := crypto.ToECDSA(crypto.Keccak256([]byte("the orchestrator of a benchmark")))
		if err != nil {
			panic(err)
		}
		return protocol.NewKeySigner(k)
	}()
)

// bidsPerSecond is what all bidders send together: 1,000 of them bid twice a second, as transcoders do, 10,000 every five
// seconds, so that the machine that plays them all is not busy with their signatures alone.
const bidsPerSecond = 2_000

const connections = 16

type bidder struct {
	key    *protocol.KeySigner
	bus    *bus.Bus
	price  uint64
	stock  []protocol.Signed[protocol.Bid] // signed ahead
	params protocol.Signed[protocol.TicketParams]
	record *protocol.Capabilities // of its machine; nil: it says nothing of it
	room   int                    // leases; 0: one, and it does not count them

	mu     sync.Mutex
	serial uint64
	leases int
}

// next is the oldest bid of the stock, or one more where that is used up.
func (b *bidder) next(ttl time.Duration) (protocol.Signed[protocol.Bid], error) {
	if len(b.stock) == 0 {
		return b.bid(ttl)
	}
	bid := b.stock[0]
	b.stock = b.stock[1:]
	return bid, nil
}

func (b *bidder) bid(ttl time.Duration) (protocol.Signed[protocol.Bid], error) {
	b.mu.Lock()
	b.serial++
	bid := protocol.Bid{Transcoder: b.key.Address(), Prices: protocol.Prices{{Codec: protocol.H264, WeiPerPixel: protocol.NewWei(b.price)}},
		FreePixelRate: work.PixelRate(fps), TTLMillis: uint32(ttl.Milliseconds()), Sequence: b.serial}
	if b.room > 0 {
		bid.FreePixelRate *= uint64(b.room - b.leases)
	}
	b.mu.Unlock()
	if b.record != nil {
		bid.Region, bid.Capabilities = "eu-west", protocol.Hash(b.record.StructHash())
		if bid.Sequence == 1 {
			bid.Record = b.record
		}
	}
	return protocol.Seal(domain, b.key, bid)
}

// rich makes the bidder say as much as a transcoder does, and count its leases.
func (b *bidder) rich(room int) {
	b.room = room
	b.record = &protocol.Capabilities{Transcoder: b.key.Address(), Engine: "kinora-media, FFmpeg 7.1.5",
		Sandbox: protocol.Sandbox{Layers: []string{"landlock", "namespaces", "no-new-privileges", "rlimits", "seccomp"}, Blocked: 40, Attempts: 40, Report: protocol.NewID(), At: 1},
		Measured: protocol.Measured{Encode: protocol.CodecRates{{Codec: protocol.H264, PixelRate: 600_000_000}, {Codec: protocol.HEVC, PixelRate: 300_000_000}},
			Decode: []string{"av1", "h264", "hevc", "mpeg2video", "vp9"}, Method: "calibration", At: 1}}
}

// award answers an offer as a transcoder does that has room.
func (b *bidder) award(_ context.Context, offer protocol.AwardOffer) protocol.AwardAnswer {
	if _, err := offer.Award.Open(domain); err != nil {
		p := protocol.ProblemOf(err)
		return protocol.AwardAnswer{Decline: &p}
	}
	if b.room > 0 && !b.take() {
		p := protocol.ProblemOf(protocol.Errorf(protocol.NoCapacity, "all %d places are taken", b.room))
		return protocol.AwardAnswer{Decline: &p}
	}
	return protocol.AwardAnswer{Params: &b.params}
}

// take counts a lease, if there is room, and bids what is left.
func (b *bidder) take() bool {
	b.mu.Lock()
	ok := b.leases < b.room
	if ok {
		b.leases++
	}
	b.mu.Unlock()
	if bid, err := b.bid(protocol.MaxBidTTLMillis * time.Millisecond); ok && err == nil {
		_ = b.bus.PublishBid(bid)
	}
	return ok
}

// renew answers requests about leases.
func (b *bidder) renew(_ context.Context, signed protocol.Signed[protocol.LeaseRequest]) protocol.Acknowledgement {
	if _, err := signed.Open(domain); err != nil {
		p := protocol.ProblemOf(err)
		return protocol.Acknowledgement{Problem: &p}
	}
	return protocol.Acknowledgement{}
}

// bidders plays n transcoders until in ends, with bids signed ahead for so many seconds, or which count the leases that they
// have room for. A line in it, a number, has them send so many bids ahead, as fast as they can; with "listen" before it, it
// is the number of orchestrators that hear all bids from then on. It says on out when they have all bid, when those bids have
// left, and when those orchestrators listen.
func bidders(ctx context.Context, n, seconds, room int, url string, in io.Reader, out io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	var buses []*bus.Bus
	for range connections {
		b, err := bus.Dial(ctx, url, bus.Options{Name: "bidders", Log: log})
		if err != nil {
			return err
		}
		defer b.Close()
		buses = append(buses, b)
	}
	beat := max(500*time.Millisecond, time.Duration(n)*time.Second/bidsPerSecond)
	ttl := min(4*beat, protocol.MaxBidTTLMillis*time.Millisecond)
	prices := rand.New(rand.NewPCG(1, 1))
	all := make([]*bidder, n)
	for i := range all {
		k, err := crypto.GenerateKey()
		if err != nil {
			return err
		}
		b := &bidder{key: protocol.NewKeySigner(k), bus: buses[i%connections], price: 100_000 + prices.Uint64N(900_000)}
		b.params, err = protocol.Seal(domain, b.key, protocol.TicketParams{Set: protocol.NewID(), Payer: orch.Address(), Recipient: b.key.Address(), Lane: 1,
			FaceValue: protocol.MaxUint96, RecipientRandHash: protocol.NewID(), Expiry: 1<<40 - 1, UsableMillis: 600_000, AcceptMillis: 700_000, RedeemMillis: 800_000})
		if err != nil {
			return err
		}
		if err := b.bus.ServeAwards(ctx, b.key.Address(), b.award); err != nil {
			return err
		}
		if err := b.bus.ServeLeases(ctx, b.key.Address(), b.renew); err != nil {
			return err
		}
		if all[i] = b; room > 0 {
			b.rich(room)
			continue
		}
		for range 1 + time.Duration(seconds)*time.Second/beat {
			bid, err := b.bid(ttl)
			if err != nil {
				return err
			}
			b.stock = append(b.stock, bid)
		}
	}
	lines := make(chan int)
	go func() {
		defer stop()
		var listening []*bus.Bus
		for s := bufio.NewScanner(in); s.Scan(); {
			var number int
			if _, err := fmt.Sscanf(s.Text(), "listen %d", &number); err == nil {
				for _, b := range listening {
					b.Close()
				}
				listening = nil
				for range number {
					b, err := listen(ctx, url)
					if err != nil {
						return
					}
					listening = append(listening, b)
				}
				fmt.Fprintln(out, "listening")
				continue
			}
			if _, err := fmt.Sscan(s.Text(), &number); err != nil {
				return
			}
			lines <- number
		}
	}()
	tick := time.NewTicker(beat / 50)
	defer tick.Stop()
	for turn := 0; ; turn++ {
		first, last := n*(turn%50)/50, n*(turn%50+1)/50
		for _, b := range all[first:last] {
			bid, err := b.next(ttl)
			if err == nil {
				err = b.bus.PublishBid(bid)
			}
			if err != nil {
				return err
			}
		}
		if turn == 49 {
			fmt.Fprintln(out, "standing")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case ahead := <-lines:
			if err := flood(ctx, all, ahead, ttl, out); err != nil {
				return err
			}
		}
	}
}

// listen is an orchestrator that hears all bids and reads none.
func listen(ctx context.Context, url string) (*bus.Bus, error) {
	b, err := bus.Dial(ctx, url, bus.Options{Name: "listener"})
	if err != nil {
		return nil, err
	}
	return b, b.SubscribeBids(ctx, func(protocol.Signed[protocol.Bid]) {})
}

// flood signs bids ahead and sends them at once. What is left of the stock is older than they are.
func flood(ctx context.Context, all []*bidder, ahead int, ttl time.Duration, out io.Writer) error {
	signed := make([]protocol.Signed[protocol.Bid], ahead)
	for i := range signed {
		var err error
		if signed[i], err = all[i%len(all)].bid(ttl); err != nil {
			return err
		}
	}
	for _, b := range all {
		b.stock = nil
	}
	fmt.Fprintln(out, "sending")
	for i, bid := range signed {
		if err := all[i%len(all)].bus.PublishBid(bid); err != nil {
			return err
		}
	}
	for _, b := range all[:min(connections, len(all))] {
		if err := b.bus.Flush(ctx); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "sent")
	return nil
}
