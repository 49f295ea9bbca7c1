package auction_test

import (
	"encoding/json"
	"errors"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"pgregory.net/rapid"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
)

func leaf(n int) protocol.Hash { return protocol.Hash{1, byte(n), byte(n >> 8)} }

func TestTree_provesWhatStandsWhereAndNothingElse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var tree auction.Tree
		leaves := make([]protocol.Hash, rapid.IntRange(1, 40).Draw(t, "places"))
		for range rapid.IntRange(1, 60).Draw(t, "changes") {
			i := rapid.IntRange(0, len(leaves)-1).Draw(t, "place")
			leaves[i] = leaf(100*rapid.IntRange(0, 9).Draw(t, "leaf") + i)
			tree.Set(i, leaves[i])
		}
		var again auction.Tree // the order of the changes does not matter
		for i := len(leaves) - 1; i >= 0; i-- {
			if _, ok := tree.Prove(i); ok {
				again.Set(i, leaves[i])
			}
		}
		if again.Root() != tree.Root() {
			t.Fatal("another order of changes gave another root")
		}
		i := rapid.IntRange(0, len(leaves)-1).Draw(t, "proven")
		p, ok := tree.Prove(i)
		if !ok {
			return // beyond the last place
		}
		if !p.Holds(leaves[i], tree.Root()) {
			t.Fatal("a proof does not hold")
		}
		if leaves[i].IsZero() {
			return // its neighbour may be empty too, and the same
		}
		for name, q := range map[string]auction.Proof{
			"another place":  {Place: i ^ 1, Places: max(p.Places, i^1+1), Siblings: p.Siblings},
			"another number": {Place: i, Places: p.Places + 1, Siblings: p.Siblings},
			"a level more":   {Place: i, Places: p.Places, Siblings: append(slices.Clone(p.Siblings), leaf(7))},
		} {
			if q.Holds(leaves[i], tree.Root()) {
				t.Fatalf("a proof of %s holds", name)
			}
		}
		if p.Holds(leaf(2000), tree.Root()) {
			t.Fatal("a proof of another leaf holds")
		}
		old := tree.Root()
		tree.Set(i, leaf(3000))
		if tree.Root() == old || p.Holds(leaf(3000), old) {
			t.Fatal("a change does not change the root")
		}
	})
}

// hall is an auction of real, signed bids.
type hall struct {
	domain  protocol.Domain
	keys    []protocol.Signer
	book    []protocol.Signed[protocol.Bid]
	figures []auction.Figure
	secret  auction.Secret
}

func newHall(t *testing.T, r *rand.Rand, bidders int) *hall {
	t.Helper()
	h := &hall{domain: protocol.NewDomain(1, common.Address{9}), secret: auction.SecretOf([32]byte{5})}
	for range bidders {
		k, err := crypto.GenerateKey()
		if err != nil {
			t.Fatal(err)
		}
		s := protocol.NewKeySigner(k)
		h.keys = append(h.keys, s)
		b, err := protocol.Seal(h.domain, s, protocol.Bid{Transcoder: s.Address(), Prices: prices(20 + r.Uint64N(60)), FreePixelRate: 1 << 40, TTLMillis: 2000, Sequence: 1})
		if err != nil {
			t.Fatal(err)
		}
		h.book = append(h.book, b)
		h.figures = append(h.figures, auction.Figure{Transcoder: s.Address(), Class: auction.ClassOf(ladder.PixelRate(fps)), Quality: auction.Perfect - r.Uint32N(200_000),
			Newcomer: r.IntN(4) == 0, Salt: h.secret.Salt(s.Address())})
	}
	return h
}

func (h *hall) roots() (book, figures protocol.Hash) {
	var b, f auction.Tree
	for i := range h.book {
		b.Set(i, auction.BidLeaf(h.book[i]))
		f.Set(i, h.figures[i].Leaf())
	}
	return b.Root(), f.Root()
}

// award is what an honest orchestrator records.
func (h *hall) award(t *testing.T, rule auction.Rule, passed ...auction.Passed) (auction.Record, []auction.Choice) {
	t.Helper()
	r := auction.Record{Ask: ask(100), Rule: rule, Exploration: auction.Exploration{Share: 50_000, Leases: 19}, Passed: passed}
	r.Ask.Tie = h.secret.Tie(common.Address{1}, "cam", 0, protocol.Hash{}, 1)
	r.Book, r.Figures = h.roots()
	var candidates []auction.Candidate
	for i, b := range h.book {
		candidates = append(candidates, auction.Candidate{Bid: b.Message, Quality: h.figures[i].Quality, Newcomer: h.figures[i].Newcomer, Allocated: true,
			Busy: slices.ContainsFunc(passed, func(p auction.Passed) bool { return p.Transcoder == b.Message.Transcoder })})
	}
	choices := auction.Pick(candidates, r.Ask)
	ranked := auction.Ranked(choices)
	i, paid, _ := r.Exploration.Next(ranked, r.Ask, rule)
	r.Winner, r.Prices = ranked[i].Bid.Transcoder, paid
	return r, choices
}

func TestAudit_findsNoFaultWithAnHonestAward(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	for range 10 {
		h := newHall(t, r, 1+r.IntN(9))
		for _, rule := range []auction.Rule{auction.PayAsBid, auction.SecondScore} {
			record, choices := h.award(t, rule)
			if len(choices) > 2 {
				record, choices = h.award(t, rule, auction.Passed{Transcoder: choices[0].Bid.Transcoder, Reason: auction.Busy})
			}
			travelled := auction.Record{}
			b, err := json.Marshal(record)
			if err == nil {
				err = json.Unmarshal(b, &travelled)
			}
			if err != nil {
				t.Fatal(err)
			}
			again, err := auction.Audit(h.domain, travelled, h.book, h.figures)
			if err != nil {
				t.Fatal(err)
			}
			for i := range again {
				if again[i].Bid.Transcoder != choices[i].Bid.Transcoder || again[i].Reason != choices[i].Reason {
					t.Errorf("place %d: %s, in the award %s", i, again[i], choices[i])
				}
			}
		}
	}
}

func TestAudit_provesWhatAnAuctioneerDidWrong(t *testing.T) {
	t.Parallel()
	for want, cheat := range map[string]func(*hall, *auction.Record, []auction.Choice){
		"wins, ": func(_ *hall, r *auction.Record, c []auction.Choice) { r.Winner = c[1].Bid.Transcoder },
		"were paid": func(_ *hall, r *auction.Record, _ []auction.Choice) {
			r.Prices = protocol.Prices{{Codec: protocol.H264, WeiPerPixel: r.Prices[0].WeiPerPixel.Add(protocol.NewWei(1))}}
		},
		"the bids have root": func(h *hall, _ *auction.Record, _ []auction.Choice) { h.book = h.book[1:] }, // a bid withheld
		"the figures have root": func(h *hall, _ *auction.Record, c []auction.Choice) { // a quality moved afterwards
			i := slices.IndexFunc(h.figures, func(f auction.Figure) bool { return f.Transcoder == c[0].Bid.Transcoder })
			h.figures[i].Quality -= 100_000
		},
		"the bid at place 0": func(h *hall, r *auction.Record, _ []auction.Choice) { // a bid that nobody made
			h.book[0].Message.Prices = prices(1)
			r.Book, _ = h.roots()
		},
		"bids twice": func(h *hall, r *auction.Record, _ []auction.Choice) {
			h.book[1] = h.book[0]
			r.Book, _ = h.roots()
		},
		"is for work of class": func(h *hall, r *auction.Record, _ []auction.Choice) {
			h.figures[1].Class++
			_, r.Figures = h.roots()
		},
		"there is no figure of": func(h *hall, r *auction.Record, _ []auction.Choice) {
			h.figures[2].Transcoder = common.Address{1}
			_, r.Figures = h.roots()
		},
	} {
		h := newHall(t, rand.New(rand.NewPCG(2, 2)), 6)
		record, choices := h.award(t, auction.SecondScore)
		cheat(h, &record, choices)
		_, err := auction.Audit(h.domain, record, h.book, h.figures)
		var f *auction.Fault
		if !errors.As(err, &f) || !strings.Contains(f.Detail, want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

func TestSheet_tellsItsOwnTermsAndLaterThePriceThatWouldHaveWon(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		candidates, a := drawCandidates(t), drawAsk(t)
		i := rapid.IntRange(0, len(candidates)-1).Draw(t, "who")
		me := candidates[i].Bid.Transcoder
		choices := auction.Pick(candidates, a)
		var winner common.Address
		if ranked := auction.Ranked(choices); len(ranked) > 0 {
			winner = ranked[0].Bid.Transcoder
		}
		s, ok := auction.SheetOf(choices, a, me, winner, nil)
		if !ok || s.Won != (me == winner) || (s.Reason == "") != s.Won || s.Won != (s.Rank == 1) {
			t.Fatalf("sheet %+v, the winner is %s", s, winner)
		}
		would, could := auction.WouldHaveWon(choices, a, me)
		if !could {
			return
		}
		wins := func(price protocol.Wei) bool {
			candidates[i].Bid.Prices = protocol.Prices{{Codec: protocol.H264, WeiPerPixel: price}}
			ranked := auction.Ranked(auction.Pick(candidates, a))
			return len(ranked) > 0 && ranked[0].Bid.Transcoder == me
		}
		price, _ := would.Of(protocol.H264)
		most, _ := a.MaxPrices.Of(protocol.H264)
		candidates[i].Bid.Prices = prices(0)
		if r := auction.Pick(candidates, a)[0].Reason; r == auction.NoCapacity || r == auction.Busy || r == auction.NotAllocated || r == auction.Distrusted {
			return // at no price
		}
		if s.Reason == auction.PriceAboveMax && !wins(protocol.NewWei(0)) {
			return // it lacked more than a lower price
		}
		if !wins(price) {
			t.Fatalf("it would not have won at %s", price)
		}
		if price.Less(most) && wins(price.Add(protocol.NewWei(1))) {
			t.Fatalf("it would have won above %s too", price)
		}
	})
}

func TestQuality_isALowerBoundThatGrowsWithWhatIsSeen(t *testing.T) {
	t.Parallel()
	m, now := auction.StandardMeasure(), time.Unix(1_000_000, 0)
	var newcomer, good, slow, broken auction.Quality
	for range 50 {
		good = good.Verified(3, 500*time.Millisecond, now, m)
		slow = slow.Verified(3, 2900*time.Millisecond, now, m)
		broken = broken.Verified(3, 500*time.Millisecond, now, m).Failed(now, m)
	}
	figure := func(q auction.Quality) uint32 { return q.Figure(3, now, m) }
	if !(figure(good) > figure(newcomer) && figure(newcomer) > figure(slow) && figure(slow) > figure(broken)) || figure(good) > auction.Perfect || figure(good) < auction.Perfect*95/100 {
		t.Errorf("good %d, newcomer %d, slow %d, broken %d", figure(good), figure(newcomer), figure(slow), figure(broken))
	}
	if !newcomer.Newcomer(now, m) || good.Newcomer(now, m) || !good.Newcomer(now.Add(10*time.Hour), m) {
		t.Error("a newcomer is one of whom little was seen, or long ago")
	}
	mixed := good
	for range 50 {
		mixed = mixed.Verified(5, 7*time.Second, now, m)
	}
	if light, heavy := mixed.Figure(3, now, m), mixed.Figure(5, now, m); light < auction.Perfect*9/10 || heavy > auction.Perfect/2 {
		t.Errorf("fast at light work and slow at heavy work: %d and %d", light, heavy)
	}
	poor := good
	for range 50 {
		poor = poor.Compared(0.7, now, m)
	}
	if f := figure(poor); f > auction.Perfect*8/10 || f < auction.Perfect*6/10 {
		t.Errorf("a likeness of 0.7 gives %d", f)
	}
	if later := broken.Figure(3, now.Add(20*time.Hour), m); later < figure(newcomer)*99/100 {
		t.Errorf("failures of yesterday still weigh: %d, a newcomer has %d", later, figure(newcomer))
	}
}

func TestSecret_bindsTiesToWhatTheAuctionIsFor(t *testing.T) {
	t.Parallel()
	s := auction.NewSecret()
	a := s.Tie(common.Address{1}, "cam", 0, protocol.Hash{}, 1)
	if a == s.Tie(common.Address{1}, "cam", 0, protocol.Hash{}, 2) || a == auction.NewSecret().Tie(common.Address{1}, "cam", 0, protocol.Hash{}, 1) {
		t.Error("two auctions have the same tie")
	}
	shown := auction.SecretOf(s.Show())
	if shown.Commitment() != s.Commitment() || a != shown.Tie(common.Address{1}, "cam", 0, protocol.Hash{}, 1) {
		t.Error("the secret that is shown gives another tie")
	}
	if new(big.Int).SetBytes(a[:]).Sign() == 0 {
		t.Error("a tie is zero")
	}
}
