package dispatch

import (
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
)

func bidder(n byte, wei uint64) auction.Candidate {
	return auction.Candidate{Bid: protocol.Bid{Transcoder: common.Address{19: n}, Prices: weiPerPixel(wei), FreePixelRate: 1 << 40}, Quality: auction.Perfect, Allocated: true}
}

func weiPerPixel(wei uint64) protocol.Prices {
	return protocol.Prices{{Codec: protocol.H264, WeiPerPixel: protocol.NewWei(wei)}}
}

var listing = auction.Ask{Lease: protocol.ID{1}, Ladder: protocol.Ladder{{Name: "240p", Width: 426, Height: 240, Codec: protocol.H264}}, SourceFPS: 30, MaxPrices: weiPerPixel(100)}

func paid(t *testing.T, o offer) uint64 {
	t.Helper()
	p, ok := o.prices.Of(protocol.H264)
	if !ok {
		t.Fatalf("%s is offered no price", o.bid.Transcoder)
	}
	return p.Uint64()
}

func TestOffers_payByTheRuleAndEndWithWhoWasBusy(t *testing.T) {
	t.Parallel()
	busy := bidder(4, 10)
	busy.Busy = true
	choices := auction.Pick([]auction.Candidate{bidder(1, 30), bidder(2, 40), bidder(3, 60), busy, bidder(5, 101)}, listing)
	for rule, want := range map[auction.Rule][]uint64{auction.PayAsBid: {30, 40, 60, 10}, auction.SecondScore: {40, 60, 100, 10}} {
		d := &Dispatcher{cfg: Config{Rule: rule}}
		offers := d.offers(choices, listing)
		if len(offers) != len(want) {
			t.Fatalf("%s: %d offers", rule, len(offers))
		}
		for i, o := range offers {
			if o.bid.Transcoder != (common.Address{19: byte(i + 1)}) || paid(t, o) != want[i] {
				t.Errorf("%s: offer %d is to %s at %d, want %d", rule, i, o.bid.Transcoder, paid(t, o), want[i])
			}
		}
	}
}

func TestOffers_tryANewcomerNowAndThenButNotWhereSomebodyFailed(t *testing.T) {
	t.Parallel()
	newcomer := bidder(9, 40)
	newcomer.Newcomer, newcomer.Quality = true, auction.Perfect/2
	choices := auction.Pick([]auction.Candidate{bidder(1, 50), bidder(2, 60), newcomer}, listing)
	d := &Dispatcher{cfg: Config{Rule: auction.PayAsBid}, exploration: auction.Exploration{Share: 50_000}}
	tried := 0
	for n := range 100 {
		again := listing
		if n%2 == 1 {
			again.Avoid = []common.Address{{19: 7}}
		}
		offers := d.offers(choices, again)
		if len(offers) != 3 {
			t.Fatalf("%d offers", len(offers))
		}
		if offers[0].bid.Transcoder != newcomer.Bid.Transcoder {
			continue
		}
		tried++
		if n%2 == 1 {
			t.Error("a newcomer was tried where another had failed")
		}
		if got := paid(t, offers[0]); got != 50 { // what the lease would have cost
			t.Errorf("the newcomer is paid %d", got)
		}
		if offers[1].bid.Transcoder != (common.Address{19: 1}) {
			t.Errorf("if it declines, %s is next", offers[1].bid.Transcoder)
		}
	}
	if tried != 2 { // of fifty leases
		t.Errorf("%d of 50 leases went to a newcomer", tried)
	}
}

func TestSheet_tellsALoserItsPlaceAndLaterThePriceThatWouldHaveWon(t *testing.T) {
	t.Parallel()
	d := &Dispatcher{}
	choices := auction.Pick([]auction.Candidate{bidder(1, 30), bidder(2, 40), bidder(3, 101)}, listing)
	declined := []auction.Passed{{Transcoder: common.Address{19: 1}, Reason: auction.Declined}}
	taken := protocol.ID{2}
	d.sold(listing, taken, auction.Pass(choices, declined), common.Address{19: 2}, weiPerPixel(40))
	sold, self := d.auctions[0], common.Address{5}
	for n, want := range map[byte]auction.Reason{1: auction.Declined, 2: "", 3: auction.PriceAboveMax} {
		s, ok := sold.sheet(common.Address{19: n}, self, sold.at)
		if !ok || s.Reason != string(want) || s.Won != (n == 2) || s.Lease != taken || s.Validate() != nil {
			t.Errorf("bidder %d: %+v", n, s)
		}
		if len(s.WouldWin) > 0 {
			t.Errorf("bidder %d is told at once what would have won", n)
		}
	}
	late, _ := sold.sheet(common.Address{19: 3}, self, sold.at.Add(sealedFor))
	if price, _ := late.WouldWin.Of(protocol.H264); price != protocol.NewWei(40) && price != protocol.NewWei(39) { // by the tie
		t.Errorf("it would have won at %v", late.WouldWin)
	}
	if _, ok := sold.sheet(common.Address{19: 9}, self, sold.at); ok {
		t.Error("one that did not bid has a sheet")
	}
	for range 2 * keptAuctions {
		d.sold(listing, taken, choices, common.Address{}, nil)
	}
	if len(d.auctions) != keptAuctions {
		t.Errorf("%d auctions are kept", len(d.auctions))
	}
}
