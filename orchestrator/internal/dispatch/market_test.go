package dispatch

import (
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator/internal/fleet"
)

func bidder(n byte, wei uint64) auction.Candidate {
	return auction.Candidate{Bid: protocol.Bid{Transcoder: common.Address{19: n}, Prices: weiPerPixel(wei), FreePixelRate: 1 << 40}, Quality: auction.Perfect, Allocated: true}
}

func weiPerPixel(wei uint64) protocol.Prices {
	return protocol.Prices{{Codec: protocol.H264, WeiPerPixel: protocol.NewWei(wei)}}
}

var listing = auction.Ask{Lease: protocol.ID{1}, Ladder: protocol.Ladder{{Name: "240p", Width: 426, Height: 240, Codec: protocol.H264}}, SourceFPS: 30, MaxPrices: weiPerPixel(100)}

func TestSheet_tellsALoserItsPlaceAndAfterTheEpochThePriceThatWouldHaveWon(t *testing.T) {
	t.Parallel()
	d := &Dispatcher{}
	choices := auction.Pick([]auction.Candidate{bidder(1, 30), bidder(2, 40), bidder(3, 101)}, listing)
	declined := []auction.Passed{{Transcoder: common.Address{19: 1}, Reason: auction.Declined}}
	taken, of := protocol.ID{2}, &fleet.Sale{Ask: listing, Number: 7, Epoch: protocol.Hash{1}, Book: protocol.Hash{2}, Figures: protocol.Hash{3}}
	d.sold(of, taken, auction.Pass(choices, declined), common.Address{19: 2}, weiPerPixel(40))
	sold, self := d.auctions[0], common.Address{5}
	for n, want := range map[byte]auction.Reason{1: auction.Declined, 2: "", 3: auction.PriceAboveMax} {
		s, ok := sold.sheet(common.Address{19: n}, self, false)
		if !ok || s.Reason != string(want) || s.Won != (n == 2) || s.Lease != taken || s.Validate() != nil {
			t.Errorf("bidder %d: %+v", n, s)
		}
		if s.Auction != 7 || s.Epoch != of.Epoch || s.Book != of.Book || s.Figures != of.Figures {
			t.Errorf("bidder %d is not told what the auction is held to: %+v", n, s)
		}
		if len(s.WouldWin) > 0 {
			t.Errorf("bidder %d is told what would have won while the bids are sealed", n)
		}
	}
	late, _ := sold.sheet(common.Address{19: 3}, self, true)
	if price, _ := late.WouldWin.Of(protocol.H264); price != protocol.NewWei(40) && price != protocol.NewWei(39) { // by the tie
		t.Errorf("it would have won at %v", late.WouldWin)
	}
	if _, ok := sold.sheet(common.Address{19: 9}, self, false); ok {
		t.Error("one that did not bid has a sheet")
	}
	for range 2 * keptAuctions {
		d.sold(of, taken, choices, common.Address{}, nil)
	}
	if len(d.auctions) != keptAuctions {
		t.Errorf("%d auctions are kept", len(d.auctions))
	}
	for range keptAuctions {
		d.sold(of, taken, slices.Repeat(choices, 100), common.Address{}, nil)
	}
	if n := len(d.auctions); n != keptInAll/keptChoices || d.keptChoices != keptInAll {
		t.Errorf("%d auctions with %d choices are kept", n, d.keptChoices)
	}
}
