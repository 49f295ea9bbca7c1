package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
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
	serial uint64
	stock  []protocol.Signed[protocol.Bid] // signed ahead
	params protocol.Signed[protocol.TicketParams]
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
	b.serial++
	return protocol.Seal(domain, b.key, protocol.Bid{Transcoder: b.key.Address(), Prices: protocol.Prices{{Codec: protocol.H264, WeiPerPixel: protocol.NewWei(b.price)}},
		FreePixelRate: work.PixelRate(fps), TTLMillis: uint32(ttl.Milliseconds()), Sequence: b.serial})
}

// award answers an offer as a transcoder does that has room.
func (b *bidder) award(_ context.Context, offer protocol.AwardOffer) protocol.AwardAnswer {
	if _, err := offer.Award.Open(domain); err != nil {
		p := protocol.ProblemOf(err)
		return protocol.AwardAnswer{Decline: &p}
	}
	return protocol.AwardAnswer{Params: &b.params}
}

// bidders plays n transcoders until in ends, with bids signed ahead for so many seconds; a line in it has them send so many bids ahead, as fast as they can. It says
// on out when they have all bid, and when those bids have left.
func bidders(ctx context.Context, n, seconds int, url string, in io.Reader, out io.Writer) error {
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
		for range 1 + time.Duration(seconds)*time.Second/beat {
			bid, err := b.bid(ttl)
			if err != nil {
				return err
			}
			b.stock = append(b.stock, bid)
		}
		all[i] = b
	}
	lines := make(chan int)
	go func() {
		defer stop()
		for s := bufio.NewScanner(in); s.Scan(); {
			var ahead int
			if _, err := fmt.Sscan(s.Text(), &ahead); err != nil {
				return
			}
			lines <- ahead
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
