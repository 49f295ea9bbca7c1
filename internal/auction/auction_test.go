package auction_test

import (
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"pgregory.net/rapid"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
)

var ladder = protocol.Ladder{
	{Name: "240p", Width: 426, Height: 240, Bitrate: 400_000, Codec: protocol.H264},
	{Name: "160p", Width: 284, Height: 160, Bitrate: 200_000, Codec: protocol.H264},
}

const fps = 30

func prices(wei uint64) protocol.Prices {
	return protocol.Prices{{Codec: protocol.H264, WeiPerPixel: protocol.NewWei(wei)}}
}

func held(rate uint64) protocol.CodecRates {
	return protocol.CodecRates{{Codec: protocol.H264, PixelRate: rate}}
}

func rate(r protocol.CodecRates) uint64 {
	n, _ := r.Of(protocol.H264)
	return n
}

func address(n byte) common.Address { return common.Address{19: n} }

// able is a candidate that could have any lease.
func able(n byte, wei uint64) auction.Candidate {
	return auction.Candidate{Bid: protocol.Bid{Transcoder: address(n), Prices: prices(wei), FreePixelRate: 1 << 40, TTLMillis: 2000, Sequence: 1},
		Quality: auction.Perfect, Allocated: true}
}

func ask(max uint64) auction.Ask {
	return auction.Ask{Lease: protocol.ID{1}, Ladder: ladder, SourceFPS: fps, MaxPrices: prices(max)}
}

func TestPick_saysWhyACandidateCannotHaveTheLease(t *testing.T) {
	t.Parallel()
	work := ladder.PixelRate(fps)
	cases := []struct {
		name   string
		change func(*auction.Candidate, *auction.Ask)
		want   auction.Reason
	}{
		{"able", func(*auction.Candidate, *auction.Ask) {}, ""},
		{"at the maximum price", func(c *auction.Candidate, _ *auction.Ask) { c.Bid.Prices = prices(100) }, ""},
		{"above the maximum price", func(c *auction.Candidate, _ *auction.Ask) { c.Bid.Prices = prices(101) }, auction.PriceAboveMax},
		{"a codec nobody buys", func(_ *auction.Candidate, a *auction.Ask) { a.MaxPrices = nil }, auction.PriceAboveMax},
		{"a codec it does not sell", func(c *auction.Candidate, _ *auction.Ask) { c.Bid.Prices[0].Codec = protocol.AV1 }, auction.CodecNotSold},
		{"just enough capacity", func(c *auction.Candidate, _ *auction.Ask) { c.Bid.FreePixelRate = work }, ""},
		{"too little capacity", func(c *auction.Candidate, _ *auction.Ask) { c.Bid.FreePixelRate = work - 1 }, auction.NoCapacity},
		{"capacity given away since", func(c *auction.Candidate, _ *auction.Ask) { c.Bid.FreePixelRate, c.Held = work+9, held(10) }, auction.NoCapacity},
		{"more held than it ever had", func(c *auction.Candidate, _ *auction.Ask) { c.Bid.FreePixelRate, c.Held = 5, held(10) }, auction.NoCapacity},
		{"avoided", func(c *auction.Candidate, a *auction.Ask) { a.Avoid = []common.Address{c.Bid.Transcoder} }, auction.Avoided},
		{"distrusted", func(c *auction.Candidate, _ *auction.Ask) { c.Distrust = true }, auction.Distrusted},
		{"not allocated", func(c *auction.Candidate, _ *auction.Ask) { c.Allocated = false }, auction.NotAllocated},
		{"below its floor", func(c *auction.Candidate, _ *auction.Ask) { c.Bid.Floor = prices(51) }, auction.BelowFloor},
		{"at its floor", func(c *auction.Candidate, _ *auction.Ask) { c.Bid.Floor = prices(50) }, ""},
		{"below the reserve", func(_ *auction.Candidate, a *auction.Ask) { a.Reserve = new(big.Int).Lsh(big.NewInt(1), 90) }, auction.BelowReserve},
		{"busy", func(c *auction.Candidate, _ *auction.Ask) { c.Busy = true }, auction.Busy},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			candidate, a := able(1, 50), ask(100)
			c.change(&candidate, &a)
			got := auction.Pick([]auction.Candidate{candidate}, a)[0]
			if got.Reason != c.want {
				t.Errorf("reason %q, want %q", got.Reason, c.want)
			}
			if (got.Score == nil) != (c.want != "") {
				t.Errorf("score %v beside reason %q", got.Score, got.Reason)
			}
		})
	}
}

func TestPick_weighsQualityAgainstPrice(t *testing.T) {
	t.Parallel()
	// The default value is twice the cost at 100: 10 % of quality is worth 20 of price.
	dear, cheap := able(1, 60), able(2, 45)
	cheap.Quality = auction.Perfect * 9 / 10
	if w := auction.Pick([]auction.Candidate{cheap, dear}, ask(100))[0]; w.Bid.Transcoder != dear.Bid.Transcoder {
		t.Errorf("%s won: 15 cheaper must not outweigh 10 %% of quality", w)
	}
	cheap.Bid.Prices = prices(39)
	if w := auction.Pick([]auction.Candidate{cheap, dear}, ask(100))[0]; w.Bid.Transcoder != cheap.Bid.Transcoder {
		t.Errorf("%s won: 21 cheaper must outweigh 10 %% of quality", w)
	}
	a := ask(100)
	a.Value = protocol.NewWei(1)
	cheap.Bid.Prices = prices(59)
	if w := auction.Pick([]auction.Candidate{cheap, dear}, a)[0]; w.Bid.Transcoder != cheap.Bid.Transcoder {
		t.Errorf("%s won: where quality is worth nothing the price decides", w)
	}
}

func TestPick_isEmptyWithoutCandidates(t *testing.T) {
	t.Parallel()
	if got := auction.Ranked(auction.Pick(nil, ask(1))); len(got) != 0 {
		t.Errorf("%d ranked", len(got))
	}
}

func TestPick_breaksTiesFairlyOverLeases(t *testing.T) {
	t.Parallel()
	const bidders, leases = 4, 4000
	var candidates []auction.Candidate
	for i := range bidders {
		candidates = append(candidates, able(byte(i+1), 10))
	}
	wins := make(map[common.Address]int)
	for i := range leases {
		a := ask(100)
		a.Lease = protocol.ID{byte(i), byte(i >> 8)}
		wins[auction.Pick(candidates, a)[0].Bid.Transcoder]++
	}
	for a, n := range wins {
		if share := float64(n) * bidders / leases; share < 0.85 || share > 1.15 { // 1000 ± 150, more than five standard deviations
			t.Errorf("%s won %d of %d equal auctions among %d", a, n, leases, bidders)
		}
	}
	if len(wins) != bidders {
		t.Errorf("%d of %d ever won", len(wins), bidders)
	}
}

func drawCandidates(t *rapid.T) []auction.Candidate {
	n := rapid.IntRange(1, 12).Draw(t, "bidders")
	out := make([]auction.Candidate, n)
	for i := range out {
		c := able(byte(i+1), rapid.Uint64Range(0, 120).Draw(t, "price"))
		c.Quality = rapid.Uint32Range(0, auction.Perfect+5).Draw(t, "quality")
		c.Bid.Curves, c.Bid.LoadPPM = drawCurve(t, c.Bid.Prices, 40), rapid.Uint32Range(0, protocol.FullLoad).Draw(t, "load")
		c.Bid.FreePixelRate = rapid.Uint64Range(0, 3*ladder.PixelRate(fps)).Draw(t, "free")
		c.Held = held(rapid.Uint64Range(0, ladder.PixelRate(fps)).Draw(t, "held"))
		c.Allocated = rapid.IntRange(0, 9).Draw(t, "allocated") > 0
		c.Distrust = rapid.IntRange(0, 9).Draw(t, "distrust") == 0
		c.Busy = rapid.IntRange(0, 9).Draw(t, "busy") == 0
		out[i] = c
	}
	return out
}

func drawAsk(t *rapid.T) auction.Ask {
	a := ask(rapid.Uint64Range(1, 120).Draw(t, "max"))
	a.Lease = protocol.ID{rapid.Byte().Draw(t, "lease")}
	if rapid.Bool().Draw(t, "value given") {
		a.Value = protocol.NewWei(rapid.Uint64Range(1, 1<<40).Draw(t, "value"))
	}
	return a
}

func rank(choices []auction.Choice, a common.Address) int {
	for i, c := range auction.Ranked(choices) {
		if c.Bid.Transcoder == a {
			return i
		}
	}
	return len(choices)
}

func TestPick_isIndividuallyRationalAndNeverPaysAboveTheMaximum(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		candidates, a := drawCandidates(t), drawAsk(t)
		choices := auction.Pick(candidates, a)
		if len(choices) != len(candidates) {
			t.Fatalf("%d choices of %d candidates", len(choices), len(candidates))
		}
		max, _ := a.MaxPrices.Of(protocol.H264)
		for i, c := range auction.Ranked(choices) {
			paid, _ := auction.PayAsBid.Prices(auction.Ranked(choices), i, a).Of(protocol.H264)
			bid, _ := c.Prices.Of(protocol.H264)
			if idle, _ := c.Bid.Prices.Of(protocol.H264); paid.Less(bid) || bid.Less(idle) {
				t.Fatalf("%s is paid %s, it bid %s", c.Bid.Transcoder, paid, bid)
			}
			if max.Less(paid) {
				t.Fatalf("%s is paid %s, the maximum is %s", c.Bid.Transcoder, paid, max)
			}
			if !c.Allocated || c.Distrust || c.Busy || c.Bid.FreePixelRate < ladder.PixelRate(fps)+rate(c.Held) {
				t.Fatalf("%s cannot have the lease", c.Bid.Transcoder)
			}
			if i > 0 && choices[i-1].Score.Cmp(c.Score) < 0 {
				t.Fatalf("rank %d scores above rank %d", i, i-1)
			}
		}
	})
}

func TestPick_isMonotoneInPriceAndQuality(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		candidates, a := drawCandidates(t), drawAsk(t)
		i := rapid.IntRange(0, len(candidates)-1).Draw(t, "who")
		before := rank(auction.Pick(candidates, a), candidates[i].Bid.Transcoder)
		price, _ := candidates[i].Bid.Prices.Of(protocol.H264)
		lower := rapid.Uint64Range(0, price.Uint64()).Draw(t, "lower price")
		candidates[i].Bid.Prices = prices(lower)
		for j, p := range candidates[i].Bid.Curves { // and all of its curve
			for k, point := range p.Points {
				candidates[i].Bid.Curves[j].Points[k].WeiPerPixel = protocol.NewWei(max(lower, point.WeiPerPixel.Uint64()-min(point.WeiPerPixel.Uint64(), price.Uint64()-lower)))
			}
		}
		if after := rank(auction.Pick(candidates, a), candidates[i].Bid.Transcoder); after > before {
			t.Fatalf("a lower price moved it from rank %d to %d", before, after)
		} else {
			before = after
		}
		candidates[i].Quality = rapid.Uint32Range(candidates[i].Quality, auction.Perfect+10).Draw(t, "better")
		if after := rank(auction.Pick(candidates, a), candidates[i].Bid.Transcoder); after > before {
			t.Fatalf("a better quality moved it from rank %d to %d", before, after)
		}
	})
}

func TestPick_doesNotDependOnTheOrderOfBids(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		candidates, a := drawCandidates(t), drawAsk(t)
		want := auction.Pick(candidates, a)
		got := auction.Pick(rapid.Permutation(candidates).Draw(t, "shuffled"), a)
		for i := range want {
			if want[i].Bid.Transcoder != got[i].Bid.Transcoder {
				t.Fatalf("place %d: %s, in another order %s", i, want[i].Bid.Transcoder, got[i].Bid.Transcoder)
			}
		}
	})
}

func standing(n byte, sequence uint64, ttl uint32) protocol.Signed[protocol.Bid] {
	b := able(n, 1).Bid
	b.Sequence, b.TTLMillis = sequence, ttl
	return protocol.Signed[protocol.Bid]{Message: b}
}

func TestBook_keepsTheNewestSequenceUntilItsTTL(t *testing.T) {
	t.Parallel()
	t0 := time.Unix(1000, 0)
	at := func(ms int) time.Time { return t0.Add(time.Duration(ms) * time.Millisecond) }
	book := auction.NewBook(10)
	steps := []struct {
		ms       int
		sequence uint64
		code     protocol.Code
	}{
		{0, 5, ""}, {1, 5, protocol.Stale}, {2, 4, protocol.Stale}, {3, 6, ""},
		{5000, 6, protocol.Stale}, // expired, and still no news
		{5001, 7, ""},
	}
	for _, s := range steps {
		err := book.Put(standing(1, s.sequence, 2000), at(s.ms))
		if code := codeOf(err); code != s.code {
			t.Errorf("at %d ms, sequence %d: %q, want %q", s.ms, s.sequence, code, s.code)
		}
	}
	if got := len(book.Live(at(7000))); got != 1 {
		t.Errorf("%d live just before the TTL ran out", got)
	}
	if got := len(book.Live(at(7001))); got != 0 {
		t.Errorf("%d live when the TTL ran out", got)
	}
	if _, ok := book.Get(address(1), at(7001)); ok {
		t.Error("Get returns an expired bid")
	}
	if n := book.Seen(); n != 3 {
		t.Errorf("%d seen, want 3", n)
	}
}

func TestBook_isBoundedAndKeepsTheLiving(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	book := auction.NewBook(2)
	for _, b := range []protocol.Signed[protocol.Bid]{standing(1, 1, 1000), standing(2, 1, 5000)} {
		if err := book.Put(b, now); err != nil {
			t.Fatal(err)
		}
	}
	if err := book.Put(standing(3, 1, 1000), now); codeOf(err) != protocol.RateLimited {
		t.Errorf("a full book: %v, want rate_limited", err)
	}
	later := now.Add(2 * time.Second)
	if err := book.Put(standing(3, 1, 1000), later); err != nil {
		t.Errorf("an expired bid must make room: %v", err)
	}
	if _, ok := book.Get(address(2), later); !ok {
		t.Error("the living bid was dropped")
	}
}

func TestBook_withdrawnBidStandsAgainWithTheNextSequence(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	book := auction.NewBook(2)
	if err := book.Put(standing(1, 1, 1000), now); err != nil {
		t.Fatal(err)
	}
	book.Withdraw(address(1))
	if len(book.Live(now)) != 0 {
		t.Error("it stands")
	}
	if err := book.Put(standing(1, 1, 1000), now); codeOf(err) != protocol.Stale {
		t.Errorf("the same bid again: %v, want stale", err)
	}
	if err := book.Put(standing(1, 2, 1000), now); err != nil || len(book.Live(now)) != 1 {
		t.Errorf("the next one: %v, %d live", err, len(book.Live(now)))
	}
}

func codeOf(err error) protocol.Code {
	if err == nil {
		return ""
	}
	return protocol.CodeOf(err)
}
