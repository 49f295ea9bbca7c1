package auction_test

import (
	"math/big"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"pgregory.net/rapid"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
)

// mixed is a ladder in two codecs, with a maximum price for each.
var mixed = protocol.Ladder{ladder[0], {Name: "160p", Width: 284, Height: 160, Bitrate: 200_000, Codec: protocol.HEVC}}

func mixedPrices(h264, hevc uint64) protocol.Prices {
	return protocol.Prices{{Codec: protocol.H264, WeiPerPixel: protocol.NewWei(h264)}, {Codec: protocol.HEVC, WeiPerPixel: protocol.NewWei(hevc)}}
}

func cost(t interface{ Fatalf(string, ...any) }, l protocol.Ladder, p protocol.Prices) *big.Int {
	c, ok := auction.Cost(l, p, fps)
	if !ok {
		t.Fatalf("%v does not price the ladder", p)
	}
	return c.Big()
}

// drawMarket is an auction of either ladder in which bidder 1 is free to bid what it likes.
func drawMarket(t *rapid.T) ([]auction.Candidate, auction.Ask) {
	a := ask(rapid.Uint64Range(50, 120).Draw(t, "max"))
	a.Lease = protocol.ID{rapid.Byte().Draw(t, "lease")}
	if rapid.Bool().Draw(t, "two codecs") {
		a.Ladder, a.MaxPrices = mixed, mixedPrices(rapid.Uint64Range(50, 120).Draw(t, "max h264"), rapid.Uint64Range(50, 120).Draw(t, "max hevc"))
	}
	if rapid.Bool().Draw(t, "reserve") {
		a.Reserve = new(big.Int).Mul(cost(t, a.Ladder, a.MaxPrices), big.NewInt(rapid.Int64Range(0, 2*auction.Perfect).Draw(t, "reserve score")))
	}
	candidates := make([]auction.Candidate, rapid.IntRange(1, 6).Draw(t, "bidders"))
	for i := range candidates {
		c := able(byte(i+1), 0)
		c.Bid.Prices = mixedPrices(rapid.Uint64Range(0, 125).Draw(t, "h264"), rapid.Uint64Range(0, 125).Draw(t, "hevc"))
		c.Quality = rapid.Uint32Range(auction.Perfect/2, auction.Perfect).Draw(t, "quality")
		c.Bid.Curves, c.Bid.LoadPPM = drawCurve(t, c.Bid.Prices, 30), rapid.Uint32Range(0, protocol.FullLoad).Draw(t, "load")
		if rapid.IntRange(0, 2).Draw(t, "has a floor") == 0 {
			c.Bid.Floor = mixedPrices(rapid.Uint64Range(0, 60).Draw(t, "floor h264"), rapid.Uint64Range(0, 60).Draw(t, "floor hevc"))
		}
		c.Newcomer = rapid.IntRange(0, 2).Draw(t, "newcomer") == 0
		c.Bid.FreePixelRate = rapid.Uint64Range(0, 4).Draw(t, "leases it can hold")*a.Ladder.PixelRate(fps) + 1000 // shares of a machine are rounded up
		candidates[i] = c
	}
	return candidates, a
}

func TestRules_payNobodyBelowItsBidOrAboveTheMaximum(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		candidates, a := drawMarket(t)
		check := func(c auction.Choice, paid protocol.Prices) {
			for _, p := range a.Ladder {
				bid, _ := c.Prices.Of(p.Codec)
				got, _ := paid.Of(p.Codec)
				most, _ := a.MaxPrices.Of(p.Codec)
				if floor, ok := c.Bid.Floor.Of(p.Codec); ok && bid.Less(floor) {
					t.Fatalf("%s won with %s for %s, below its floor of %s", c.Bid.Transcoder, bid, p.Codec, floor)
				}
				if got.Less(bid) || most.Less(got) {
					t.Fatalf("%s is paid %s for %s, it bid %s, the maximum is %s", c.Bid.Transcoder, got, p.Codec, bid, most)
				}
			}
		}
		for _, rule := range []auction.Rule{auction.PayAsBid, auction.SecondScore} {
			ranked := auction.Ranked(auction.Pick(candidates, a))
			for i, c := range ranked {
				check(c, rule.Prices(ranked, i, a))
			}
			k := rapid.IntRange(0, 8).Draw(t, "leases")
			held := make(map[common.Address]uint64)
			sales := auction.Clear(candidates, a, k, rule)
			for _, s := range sales {
				check(s.Choice, s.Prices)
				held[s.Bid.Transcoder] += a.Ladder.PixelRate(fps)
				if held[s.Bid.Transcoder] > s.Bid.FreePixelRate {
					t.Fatalf("%s holds more than it has", s.Bid.Transcoder)
				}
			}
			room, dear := 0, false
			for _, c := range ranked {
				room += int(c.Bid.FreePixelRate / a.Ladder.PixelRate(fps))
				dear = dear || len(c.Bid.Curves) > 0 // the next may cost more than the maximum
			}
			if len(sales) > min(k, room) || !dear && a.Reserve == nil && len(sales) < min(k, room) {
				t.Fatalf("%d of %d leases sold, there is room for %d", len(sales), k, room)
			}
			if len(ranked) > 0 {
				i, paid, next := auction.Exploration{Share: 300_000, Leases: 10}.Next(ranked, a, rule)
				check(ranked[i], paid)
				if i > 0 && (!ranked[i].Newcomer || next.Granted != 1) {
					t.Fatalf("rank %d was explored: %+v", i, next)
				}
			}
		}
	})
}

// gain is what bidder 1 makes of n leases when its true costs are costs.
func gain(t interface{ Fatalf(string, ...any) }, a auction.Ask, costs protocol.Prices, paid ...protocol.Prices) *big.Int {
	sum := new(big.Int)
	for _, p := range paid {
		sum.Add(sum, cost(t, a.Ladder, p))
		sum.Sub(sum, cost(t, a.Ladder, costs))
	}
	return sum
}

// earned is what a bidder makes whose true costs are those of a curve: each lease costs what the load that it brings makes it.
func earned(t interface{ Fatalf(string, ...any) }, a auction.Ask, truth protocol.Bid, held protocol.CodecRates, paid ...protocol.Prices) *big.Int {
	sum := new(big.Int)
	for _, p := range paid {
		held = held.Plus(a.Ladder.PixelRates(fps))
		sum.Add(sum, gain(t, a, auction.Asked(truth, held), p))
	}
	return sum
}

// The best response of one bidder to any bids of the others, over curves, is the curve of its costs, for one lease and for
// several at once. What rounding moves is less than a wei per pixel.
func TestSecondScore_makesBiddingOnesCostsTheBestResponse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		candidates, a := drawMarket(t)
		k := rapid.IntRange(1, 5).Draw(t, "leases")
		candidates[0].Bid.Floor = nil // its costs are not below its floor
		truth := candidates[0].Bid
		truth.Prices = mixedPrices(rapid.Uint64Range(0, 40).Draw(t, "true h264"), rapid.Uint64Range(0, 40).Draw(t, "true hevc"))
		truth.Curves = drawCurve(t, truth.Prices, 10) // below every maximum: it may bid them
		single := func(bid protocol.Bid) *big.Int {
			candidates[0].Bid = bid
			ranked := auction.Ranked(auction.Pick(candidates, a))
			if len(ranked) == 0 || ranked[0].Bid.Transcoder != address(1) {
				return new(big.Int)
			}
			return earned(t, a, truth, candidates[0].Held, auction.SecondScore.Prices(ranked, 0, a))
		}
		several := func(bid protocol.Bid) *big.Int {
			candidates[0].Bid = bid
			var paid []protocol.Prices
			for _, s := range auction.Clear(candidates, a, k, auction.SecondScore) {
				if s.Bid.Transcoder == address(1) {
					paid = append(paid, s.Prices)
				}
			}
			return earned(t, a, truth, candidates[0].Held, paid...)
		}
		rounding := new(big.Int).SetUint64(2 * a.Ladder.PixelRate(fps))
		slack := func(n int) *big.Int { return new(big.Int).Mul(rounding, big.NewInt(int64(n))) }
		honest, honestly := single(truth), several(truth)
		if honest.Sign() < 0 || honestly.Sign() < 0 {
			t.Fatalf("honest bidding loses money: %s and %s", honest, honestly)
		}
		for range 12 {
			lie := truth
			lie.Prices = mixedPrices(rapid.Uint64Range(0, 125).Draw(t, "lie h264"), rapid.Uint64Range(0, 125).Draw(t, "lie hevc"))
			lie.Curves = drawCurve(t, lie.Prices, 80)
			if g := single(lie); g.Cmp(new(big.Int).Add(honest, slack(1))) > 0 {
				t.Fatalf("bidding %v, %v makes %s, the cost %v, %v makes %s", lie.Prices, lie.Curves, g, truth.Prices, truth.Curves, honest)
			}
			if g := several(lie); g.Cmp(new(big.Int).Add(honestly, slack(k))) > 0 {
				t.Fatalf("of %d leases, bidding %v, %v makes %s, the cost %v, %v makes %s", k, lie.Prices, lie.Curves, g, truth.Prices, truth.Curves, honestly)
			}
		}
	})
}

// Under pay-as-bid the same search finds a lie that pays, so that the search above can find one.
func TestPayAsBid_rewardsBiddingAboveOnesCost(t *testing.T) {
	t.Parallel()
	me, other := able(1, 20), able(2, 50)
	ranked := auction.Pick([]auction.Candidate{me, other}, ask(100))
	honest := gain(t, ask(100), prices(20), auction.PayAsBid.Prices(ranked, 0, ask(100)))
	me.Bid.Prices = prices(49)
	ranked = auction.Pick([]auction.Candidate{me, other}, ask(100))
	if lie := gain(t, ask(100), prices(20), auction.PayAsBid.Prices(ranked, 0, ask(100))); lie.Cmp(honest) <= 0 {
		t.Errorf("a lie made %s, the truth %s", lie, honest)
	}
}

func TestSecondScore_paysWhatItCouldHaveAsked(t *testing.T) {
	t.Parallel()
	// Value is twice the cost at 100: 10 % of quality is worth 20 of price.
	a, better, cheaper := ask(100), able(1, 30), able(2, 25)
	cheaper.Quality = auction.Perfect * 8 / 10
	for _, c := range []struct {
		name   string
		change func()
		want   uint64
	}{
		{"as good as the second at 65", func() {}, 65},
		{"no more than the maximum", func() { cheaper.Bid.Prices = prices(70) }, 100},
		{"what the reserve leaves", func() {
			a.Reserve = new(big.Int).Mul(cost(t, ladder, prices(120)), big.NewInt(auction.Perfect)) // of 200, less a price of 80
		}, 80},
		{"its bid, where the next is as good", func() { cheaper.Bid.Prices, cheaper.Quality, a.Reserve = prices(30), auction.Perfect, nil }, 30},
	} {
		c.change()
		ranked := auction.Ranked(auction.Pick([]auction.Candidate{better, cheaper}, a))
		got, _ := auction.SecondScore.Prices(ranked, 0, a).Of(protocol.H264)
		if got != protocol.NewWei(c.want) {
			t.Errorf("%s: paid %s, want %d", c.name, got, c.want)
		}
	}
	if alone, _ := auction.SecondScore.Prices(auction.Pick([]auction.Candidate{better}, ask(100)), 0, ask(100)).Of(protocol.H264); alone != protocol.NewWei(100) {
		t.Errorf("alone it is paid %s", alone)
	}
}

func TestClear_ofOneLeaseIsTheAuction(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		candidates, a := drawMarket(t)
		for _, rule := range []auction.Rule{auction.PayAsBid, auction.SecondScore} {
			ranked, sales := auction.Ranked(auction.Pick(candidates, a)), auction.Clear(candidates, a, 1, rule)
			if len(sales) != min(1, len(ranked)) {
				t.Fatalf("%d sales", len(sales))
			}
			if len(sales) == 1 && (sales[0].Bid.Transcoder != ranked[0].Bid.Transcoder || !slices.Equal(sales[0].Prices, rule.Prices(ranked, 0, a))) {
				t.Fatalf("%s: sold to %s at %v", rule, sales[0].Bid.Transcoder, sales[0].Prices)
			}
		}
	})
}

func TestClear_paysAPairTheWorthOfThoseItDisplaces(t *testing.T) {
	t.Parallel()
	// Bidder 1 holds two of three leases, bidder 2 one. Without it, 3 and 4 would have had its two, at 50 and 70.
	var candidates []auction.Candidate
	for n, price := range []uint64{10, 20, 50, 70} {
		c := able(byte(n+1), price)
		c.Bid.FreePixelRate = ladder.PixelRate(fps)
		if n == 0 {
			c.Bid.FreePixelRate *= 2
		}
		candidates = append(candidates, c)
	}
	want := []uint64{60, 60, 50} // 2 displaces 3
	for i, s := range auction.Clear(candidates, ask(100), 3, auction.SecondScore) {
		if got, _ := s.Prices.Of(protocol.H264); got != protocol.NewWei(want[i]) {
			t.Errorf("lease %d: %s is paid %s, want %d", i, s.Bid.Transcoder, got, want[i])
		}
	}
}

func TestExploration_givesNewcomersTheirShareFairlyAndNoMore(t *testing.T) {
	t.Parallel()
	known, dear := able(1, 30), able(9, 90)
	candidates := []auction.Candidate{known, able(8, 60), dear}
	for n := byte(2); n < 6; n++ {
		c := able(n, 40)
		c.Newcomer, c.Quality = true, auction.Perfect/2
		candidates = append(candidates, c)
	}
	tooDear := able(6, 61)
	tooDear.Newcomer, tooDear.Quality = true, auction.Perfect/2
	candidates = append(candidates, tooDear)
	e, wins := auction.Exploration{Share: 50_000}, make(map[common.Address]int)
	const leases = 8000
	for n := range leases {
		a := ask(100)
		a.Tie = protocol.Hash{byte(n), byte(n >> 8), 1}
		ranked := auction.Ranked(auction.Pick(candidates, a))
		var i int
		var paid protocol.Prices
		i, paid, e = e.Next(ranked, a, auction.SecondScore)
		wins[ranked[i].Bid.Transcoder]++
		if got, _ := paid.Of(protocol.H264); got != protocol.NewWei(60) { // what the best known one would have been paid
			t.Fatalf("lease %d costs %s", n, got)
		}
	}
	if e.Granted != leases/20 || wins[known.Bid.Transcoder] != leases-leases/20 {
		t.Errorf("%d of %d leases went to newcomers", e.Granted, leases)
	}
	for n := byte(2); n < 6; n++ {
		if got := wins[address(n)]; got < 60 || got > 140 { // 100, give or take four standard deviations
			t.Errorf("newcomer %d won %d of %d", n, got, e.Granted)
		}
	}
	if wins[tooDear.Bid.Transcoder] > 0 {
		t.Error("a newcomer that asks more than the lease costs won")
	}
}
