package auction_test

import (
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
)

func paid(t *testing.T, o auction.Offer) uint64 {
	t.Helper()
	p, ok := o.Paid.Of(protocol.H264)
	if !ok {
		t.Fatalf("%s is offered no price", o.Bid.Transcoder)
	}
	return p.Uint64()
}

func TestOffers_payByTheRuleAndEndWithWhoWasBusy(t *testing.T) {
	t.Parallel()
	busy := able(4, 10)
	busy.Busy = true
	choices := auction.Pick([]auction.Candidate{able(1, 30), able(2, 40), able(3, 60), busy, able(5, 101)}, ask(100))
	for rule, want := range map[auction.Rule][]uint64{auction.PayAsBid: {30, 40, 60, 10}, auction.SecondScore: {40, 60, 100, 10}} {
		offers, _ := auction.Offers(choices, ask(100), rule, auction.Exploration{}, 4)
		if len(offers) != len(want) {
			t.Fatalf("%s: %d offers", rule, len(offers))
		}
		for i, o := range offers {
			if o.Bid.Transcoder != address(byte(i+1)) || paid(t, o) != want[i] {
				t.Errorf("%s: offer %d is to %s at %d, want %d", rule, i, o.Bid.Transcoder, paid(t, o), want[i])
			}
		}
		if few, _ := auction.Offers(choices, ask(100), rule, auction.Exploration{}, 2); len(few) != 2 || paid(t, few[1]) != want[1] {
			t.Errorf("%s: %d offers, want 2", rule, len(few))
		}
	}
}

func TestOffers_tryANewcomerNowAndThenButNotWhereSomebodyFailed(t *testing.T) {
	t.Parallel()
	newcomer := able(9, 40)
	newcomer.Newcomer, newcomer.Quality = true, auction.Perfect/2
	choices := auction.Pick([]auction.Candidate{able(1, 50), able(2, 60), newcomer}, ask(100))
	e, tried := auction.Exploration{Share: 50_000}, 0
	for n := range 100 {
		a := ask(100)
		if n%2 == 1 {
			a.Avoid = []common.Address{address(7)}
		}
		var offers []auction.Offer
		offers, e = auction.Offers(choices, a, auction.PayAsBid, e, 4)
		if len(offers) != 3 {
			t.Fatalf("%d offers", len(offers))
		}
		if offers[0].Bid.Transcoder != newcomer.Bid.Transcoder {
			continue
		}
		tried++
		if n%2 == 1 {
			t.Error("a newcomer was tried where another had failed")
		}
		if got := paid(t, offers[0]); got != 50 { // what the lease would have cost
			t.Errorf("the newcomer is paid %d", got)
		}
		if offers[1].Bid.Transcoder != address(1) {
			t.Errorf("if it declines, %s is next", offers[1].Bid.Transcoder)
		}
	}
	if tried != 2 { // of fifty leases
		t.Errorf("%d of 50 leases went to a newcomer", tried)
	}
}
