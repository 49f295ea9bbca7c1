package bidder_test

import (
	"context"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/capacity"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/transcoder/internal/bidder"
	"github.com/kinora/kinora/transcoder/internal/encode/encodetest"
)

func at(wei uint64) protocol.Wei { return protocol.NewWei(wei) }

// The machine takes the work twice: with one lease it is half full, with two full.
func TestBidder_asksMoreOfALoadedMachine(t *testing.T) {
	t.Parallel()
	m := newMarket(t, func(c *bidder.Config) {
		c.Curve = []bidder.Rise{{LoadPercent: 50, PricePercent: 100}, {LoadPercent: 100, PricePercent: 300}}
	})
	idle := m.free(t, 2*work)
	if want := []protocol.PricePoint{{LoadPPM: 500_000, WeiPerPixel: at(price)}, {LoadPPM: 1_000_000, WeiPerPixel: at(3 * price)}}; idle.LoadPPM != 0 || len(idle.Curves) != 1 ||
		len(idle.Curves[0].Points) != 2 || idle.Curves[0].Points[0] != want[0] || idle.Curves[0].Points[1] != want[1] {
		t.Fatalf("bid %+v", idle)
	}
	award, offer := m.offer(idle)
	if _, code := m.send(t, award, offer); code != "" {
		t.Fatal(code)
	}
	half := m.free(t, work)
	if half.LoadPPM != 500_000 {
		t.Errorf("half full it says %d ppm", half.LoadPPM)
	}
	award, offer = m.offer(half)
	if _, code := m.send(t, award, offer); code != protocol.PriceBelowBid {
		t.Errorf("the last of it at the price of an idle machine: %q", code)
	}
	award.Prices = prices(3 * price)
	if _, code := m.send(t, award, offer); code != "" {
		t.Errorf("at what it asks: %q", code)
	}
}

func TestBidder_sellsNothingBelowItsFloor(t *testing.T) {
	t.Parallel()
	m := newMarket(t, func(c *bidder.Config) {
		c.Floor = func() protocol.Prices { return prices(price + 2) }
		c.Curve = []bidder.Rise{{LoadPercent: 100, PricePercent: 110}}
	})
	b := m.any(t)
	if asked, _ := b.Prices.Of(protocol.H264); asked != at(price+2) || len(b.Floor) != 1 || b.Floor[0].WeiPerPixel != at(price+2) || b.Curves[0].Points[0].WeiPerPixel != at(price+2) {
		t.Errorf("bid %+v", b)
	}
}

// What segments correct of a load by less than a hundredth is no new bid; more is, and so is every overstatement.
func TestBidder_repeatsABidThatIsNearlyTrue(t *testing.T) {
	t.Parallel()
	meter := capacity.New(capacity.Config{Sold: capacity.Whole, CPUs: 1, Rates: capacity.Rates{Encode: protocol.CodecRates{{Codec: protocol.H264, PixelRate: 1000 * work}}}})
	m := newMarket(t, func(c *bidder.Config) { c.Meter = meter })
	m.free(t, 1000*work)
	reserve := func(streams int) (ids []protocol.ID) {
		for range streams {
			id := protocol.NewID()
			if err := meter.Reserve(id, capacity.Work{Ladder: ladder, SourceFPS: fps}, time.Now()); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		return ids
	}
	ids := reserve(30)
	m.free(t, 970*work)
	for _, id := range ids[:5] {
		meter.Release(id)
	}
	for range 3 { // half a hundredth more is free
		if b := m.any(t); b.FreePixelRate != 970*work {
			t.Errorf("%d streams are free, which is no news", b.FreePixelRate/work)
		}
	}
	reserve(6)
	m.free(t, 969*work)
}

func TestBidder_answersRequestsForWhatItSellsOnRequest(t *testing.T) {
	t.Parallel()
	encode := protocol.CodecRates{{Codec: protocol.H264, PixelRate: 2 * work}, {Codec: protocol.AV1, PixelRate: work}}
	m := newMarket(t, func(c *bidder.Config) {
		c.Meter = capacity.New(capacity.Config{Sold: capacity.Whole, Rates: capacity.Rates{Encode: encode}})
		c.Prices = func() protocol.Prices {
			return append(prices(price), protocol.CodecPrice{Codec: protocol.AV1, WeiPerPixel: at(20)})
		}
		c.OnRequest = []protocol.Codec{protocol.AV1}
	})
	standing := m.any(t)
	if _, sold := standing.Prices.Of(protocol.AV1); sold || len(standing.FreeByCodec) > 0 {
		t.Errorf("the standing bid has AV1: %+v", standing)
	}
	ask := func(codec protocol.Codec, most uint64) (answers []protocol.Bid) {
		t.Helper()
		l := protocol.Ladder{ladder[0]}
		l[0].Codec, l[0].Container = codec, protocol.FMP4
		r := encodetest.Seal(t, m.peer.Key, protocol.WorkRequest{Orchestrator: m.peer.Key.Address(), Ask: protocol.NewID(), LadderHash: protocol.Hash(l.Hash()),
			MaxPrices: protocol.Prices{{Codec: codec, WeiPerPixel: at(most)}}, AtMillis: 1, WaitMillis: 250})
		wait := 300 * time.Millisecond
		if most > 20 {
			wait = encodetest.Patience // it ends with the answer
		}
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		defer cancel()
		if err := m.bus.RequestBids(ctx, protocol.BidRequest{Request: r, Ladder: l, SourceFPS: fps}, func(b protocol.Signed[protocol.Bid]) bool {
			bid, err := b.Open(encodetest.Domain)
			if err != nil || bid.Request != protocol.Hash(r.Message.StructHash()) {
				t.Errorf("bid %+v, %v", bid, err)
			}
			answers = append(answers, bid)
			return false
		}); err != nil {
			t.Fatal(err)
		}
		return answers
	}
	got := ask(protocol.AV1, 30)
	if len(got) != 1 || len(got[0].Prices) != 1 || got[0].Prices[0].WeiPerPixel != at(20) || got[0].Sequence <= standing.Sequence || got[0].Free(protocol.AV1) != work {
		t.Fatalf("answers %+v", got)
	}
	if few := ask(protocol.AV1, 19); len(few) > 0 {
		t.Errorf("it bids %+v above what is paid", few)
	}
	award, offer := m.offer(got[0])
	offer.Ladder = protocol.Ladder{ladder[0]}
	offer.Ladder[0].Codec, offer.Ladder[0].Container = protocol.AV1, protocol.FMP4
	award.LadderHash = protocol.Hash(offer.Ladder.Hash())
	if _, code := m.send(t, award, offer); code != "" {
		t.Errorf("an award of what it bid for: %q", code)
	}
}
