package auction_test

import (
	"crypto/sha256"
	"encoding/json"
	"math/big"
	"math/rand/v2"
	"slices"
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

// hall is an orchestrator that keeps an honest journal of auctions among real, signed bids; a cheat changes what it shows.
type hall struct {
	t       *testing.T
	domain  protocol.Domain
	self    *protocol.KeySigner
	keys    []*protocol.KeySigner
	secret  auction.Secret
	epoch   protocol.AuctionEpoch
	rule    auction.Rule
	places  []auction.Place
	figures []auction.Figure
	bids    auction.Tree
	quality auction.Tree
	serial  uint64
	number  uint64
	turns   uint64
	trials  auction.Exploration
	journal []auction.Entry
}

func signer(t *testing.T) *protocol.KeySigner {
	t.Helper()
	k, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return protocol.NewKeySigner(k)
}

func sealed[M protocol.Message](t *testing.T, d protocol.Domain, s protocol.Signer, m M) protocol.Signed[M] {
	t.Helper()
	signed, err := protocol.Seal(d, s, m)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func newHall(t *testing.T, r *rand.Rand, bidders int, rule auction.Rule) *hall {
	t.Helper()
	h := &hall{t: t, domain: protocol.NewDomain(1, common.Address{9}), self: signer(t), secret: auction.SecretOf([32]byte{5, byte(r.Uint32())}), rule: rule,
		trials: auction.Exploration{Share: 50_000, Leases: 17}}
	h.epoch = protocol.AuctionEpoch{Orchestrator: h.self.Address(), Commitment: h.secret.Commitment(), Rule: string(rule), TrialsPPM: 50_000, BeganMillis: 1, LengthMillis: 1}
	for i := range bidders {
		s := signer(t)
		h.keys = append(h.keys, s)
		h.places = append(h.places, auction.Place{})
		f := auction.Figure{Transcoder: s.Address(), Newcomer: r.IntN(4) == 0}
		for c := range f.Quality {
			f.Quality[c] = auction.Perfect - r.Uint32N(200_000)
		}
		h.figures = append(h.figures, auction.Figure{})
		h.bid(i, 1, 20+r.Uint64N(60))
		h.figure(i, f)
	}
	h.commit()
	return h
}

func (h *hall) bid(i int, sequence, price uint64) {
	b := protocol.Bid{Transcoder: h.keys[i].Address(), Prices: prices(price), FreePixelRate: 2 * ladder.PixelRate(fps), TTLMillis: 2000, Sequence: sequence,
		Curves: []protocol.PriceCurve{{Codec: protocol.H264, Points: []protocol.PricePoint{{LoadPPM: protocol.FullLoad, WeiPerPixel: protocol.NewWei(2 * price)}}}}}
	signed := sealed(h.t, h.domain, h.keys[i], b)
	h.change(auction.Change{Place: i, Bid: &signed})
}

func (h *hall) change(c auction.Change) {
	h.places[c.Place] = c.Of(h.places[c.Place])
	h.bids.Set(c.Place, h.places[c.Place].Leaf())
	h.journal = append(h.journal, auction.Entry{Bid: &c})
}

func (h *hall) figure(i int, f auction.Figure) {
	h.figures[i] = f
	h.quality.Set(i, f.Leaf(h.secret.Salt(f.Transcoder)))
	h.journal = append(h.journal, auction.Entry{Figure: &auction.FigureAt{Place: i, Figure: f}})
}

func (h *hall) commit() {
	h.serial++
	r := sealed(h.t, h.domain, h.self, protocol.FiguresRoot{Orchestrator: h.self.Address(), Epoch: h.epoch.Commitment, Serial: h.serial, Root: h.quality.Root()})
	h.journal = append(h.journal, auction.Entry{Figures: &r})
}

// sell holds an auction in which so many decline.
func (h *hall) sell(decline int, passed ...auction.Passed) (auction.Auction, auction.Outcome) {
	h.t.Helper()
	return h.hold(decline, func(*auction.Auction) {}, passed...)
}

// hold is sell, where something is changed in the auction before it is decided.
func (h *hall) hold(decline int, change func(*auction.Auction), passed ...auction.Passed) (auction.Auction, auction.Outcome) {
	h.t.Helper()
	h.number++
	h.turns++
	a := auction.Auction{Number: h.number, Payer: common.Address{1}, Stream: "cam", Turn: h.turns, Ask: ask(100), Exploration: h.trials, Most: 4, Passed: passed,
		Figures: h.quality.Root()}
	change(&a)
	a.Book = auction.With(h.bids.Root(), a.Live)
	a.Ask.Tie = h.secret.Tie(a.Payer, a.Stream, 0, protocol.Hash(ladder.Hash()), a.Turn)
	var candidates []auction.Candidate
	class := auction.ClassOf(ladder.PixelRate(fps))
	for i, p := range h.places {
		for _, b := range a.Live {
			if b.Message.Transcoder == p.Bid.Message.Transcoder {
				p.Bid = b
			}
		}
		c := p.Candidate(h.figures[i], class)
		c.Busy = slices.ContainsFunc(passed, func(p auction.Passed) bool { return p.Transcoder == c.Bid.Transcoder })
		if !p.Empty() {
			candidates = append(candidates, c)
		}
	}
	var offers []auction.Offer
	offers, h.trials = auction.Offers(auction.Pick(candidates, a.Ask), a.Ask, h.rule, h.trials, a.Most)
	h.journal = append(h.journal, auction.Entry{Auction: &a})
	o := auction.Outcome{Number: a.Number}
	for i, x := range offers[:min(decline+1, len(offers))] {
		o.Awards = append(o.Awards, h.award(a, x.Bid, x.Paid))
		o.Taken = i == decline
	}
	h.journal = append(h.journal, auction.Entry{Outcome: &o})
	return a, o
}

// asked has bids for the work of an auction alone, each changed before it is signed.
func (h *hall) asked(from []int, change func(*protocol.WorkRequest, *protocol.Bid)) func(*auction.Auction) {
	return func(a *auction.Auction) {
		w := protocol.WorkRequest{Orchestrator: h.self.Address(), Ask: a.Ask.Lease, LadderHash: protocol.Hash(ladder.Hash()), MaxPrices: a.Ask.MaxPrices, AtMillis: 1, WaitMillis: 5}
		change(&w, &protocol.Bid{})
		request := sealed(h.t, h.domain, h.self, w)
		a.Request = &request
		for n, i := range from {
			b := h.places[i].Bid.Message
			b.Sequence, b.Prices, b.Curves, b.Request = b.Sequence+10, prices(10+uint64(n)), nil, protocol.Hash(w.StructHash())
			change(&w, &b)
			a.Live = append(a.Live, sealed(h.t, h.domain, h.keys[i], b))
		}
	}
}

func (h *hall) award(a auction.Auction, bid protocol.Bid, paid protocol.Prices) protocol.Signed[protocol.Award] {
	return sealed(h.t, h.domain, h.self, protocol.Award{Lease: protocol.NewID(), Orchestrator: h.self.Address(), Payer: h.self.Address(), Transcoder: bid.Transcoder, Stream: a.Stream,
		LadderHash: protocol.Hash(ladder.Hash()), Prices: paid, MaxFee: protocol.NewWei(1), LeaseMillis: 30_000, BidSequence: bid.Sequence, URL: "http://x",
		Epoch: h.epoch.Commitment, Auction: a.Number, Book: a.Book, Figures: a.Figures})
}

// audit reads the journal as it travels, page by page.
func (h *hall) audit(closed func(*protocol.AuctionClose)) auction.Report {
	h.t.Helper()
	_, r := h.auditAfter(nil, closed)
	return r
}

func (h *hall) auditAfter(before *auction.Auditor, closed func(*protocol.AuctionClose)) (*auction.Auditor, auction.Report) {
	h.t.Helper()
	var pages []protocol.Hash
	var read [][]auction.Entry
	for part := range slices.Chunk(h.journal, 7) {
		b := protocol.Encode(part)
		pages = append(pages, sha256.Sum256(b))
		var entries []auction.Entry
		if err := json.Unmarshal(b, &entries); err != nil {
			h.t.Fatal(err)
		}
		read = append(read, entries)
	}
	end := protocol.AuctionClose{Orchestrator: h.self.Address(), Epoch: h.epoch.Commitment, Auctions: h.number, Pages: uint32(len(pages)), Journal: auction.Journal(pages)}
	if closed != nil {
		closed(&end)
	}
	key := protocol.Hash(h.secret.Show())
	last := sealed(h.t, h.domain, h.self, end)
	u, err := auction.NewAuditor(h.domain, auction.Reveal{Epoch: sealed(h.t, h.domain, h.self, h.epoch), Secret: &key, Close: &last, Over: true})
	if err != nil {
		h.t.Fatal(err)
	}
	if before != nil {
		u.After(before)
	}
	for _, p := range read {
		u.Page(p)
	}
	return u, u.Finish(pages)
}

func TestAuditor_noticesABidOfAnEpochBeforeThatWasReplacedThere(t *testing.T) {
	t.Parallel()
	h := newHall(t, rand.New(rand.NewPCG(3, 3)), 3, auction.SecondScore)
	old := h.places[1].Bid
	again := *h
	h.bid(1, 2, 99)
	before, r := h.auditAfter(nil, nil)
	if len(r.Faults) > 0 {
		t.Fatalf("%+v", r.Faults)
	}
	again.journal = slices.Clone(again.journal)
	again.change(auction.Change{Place: 1, Bid: &old})
	if _, r := again.auditAfter(before, nil); len(r.Faults) != 2 || r.Faults[0].Kind != auction.FaultBook { // with what it began with
		t.Errorf("%+v", r.Faults)
	}
}

func TestAudit_findsNoFaultWithAnHonestEpoch(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	for _, rule := range []auction.Rule{auction.PayAsBid, auction.SecondScore} {
		h := newHall(t, r, 9, rule)
		for n := range 25 {
			i := r.IntN(len(h.keys))
			switch n % 5 {
			case 0:
				h.bid(i, uint64(2+n), 20+r.Uint64N(60))
			case 1:
				h.change(auction.Change{Place: i, Held: held(ladder.PixelRate(fps))})
			case 2:
				f := h.figures[i]
				f.Quality[r.IntN(auction.Classes)] = r.Uint32N(auction.Perfect)
				h.figure(i, f)
				h.commit()
			case 3:
				h.change(auction.Change{Place: i, Out: auction.Expired})
				h.bid(i, uint64(2+n), 40)
			}
			if n == 7 {
				h.hold(n%3, h.asked([]int{1, 4}, func(*protocol.WorkRequest, *protocol.Bid) {}))
				continue
			}
			h.sell(n%3, auction.Passed{Transcoder: h.keys[r.IntN(len(h.keys))].Address(), Reason: auction.Busy})
		}
		got := h.audit(nil)
		if len(got.Faults) > 0 || got.Auctions != 25 || got.Leases != 25 || !got.Complete || got.Figures != h.serial || got.Awards != 9+2*8+3*8 {
			t.Errorf("%s: %+v", rule, got)
		}
	}
}

// What an auctioneer can do wrong, and the name that it has in the audit.
func TestAudit_namesWhatAnAuctioneerDidWrong(t *testing.T) {
	t.Parallel()
	last := func(h *hall) *auction.Outcome { return h.journal[len(h.journal)-1].Outcome }
	decided := func(h *hall) *auction.Auction { return h.journal[len(h.journal)-2].Auction }
	find := func(h *hall, is func(auction.Entry) bool) *auction.Entry {
		return &h.journal[slices.IndexFunc(h.journal, is)]
	}
	aBid := func(e auction.Entry) bool { return e.Bid != nil && e.Bid.Place == 2 }
	for name, c := range map[string]struct {
		want  auction.FaultKind
		cheat func(*hall)
		close func(*protocol.AuctionClose)
	}{
		"a quality is moved after the award": {auction.FaultFigures, func(h *hall) {
			e := find(h, func(e auction.Entry) bool { return e.Figure != nil && e.Figure.Place == 3 })
			f := *e.Figure
			f.Figure.Quality[3] -= 100_000
			e.Figure = &f
		}, nil},
		"a quality is moved for one award": {auction.FaultFigures, func(h *hall) {
			f := h.figures[3]
			f.Quality[auction.ClassOf(ladder.PixelRate(fps))] /= 2
			h.figure(3, f) // and no root of it was published
			h.sell(0)
		}, nil},
		"a quality is moved for one award and back": {auction.FaultFigures, func(h *hall) {
			root, was := h.quality.Root(), h.figures[3]
			f := was
			f.Quality[auction.ClassOf(ladder.PixelRate(fps))] /= 2
			h.figure(3, f)
			h.hold(0, func(a *auction.Auction) { a.Figures = root })
			h.figure(3, was)
			h.sell(0)
		}, nil},
		"one has two figures under one root": {auction.FaultFigures, func(h *hall) {
			f := h.figures[3]
			f.Quality[auction.ClassOf(ladder.PixelRate(fps))] /= 2
			h.figures = append(h.figures, auction.Figure{})
			h.figure(len(h.figures)-1, f)
			h.commit()
			h.figure(3, h.figures[3]) // it stands there: the root does not move, what is looked up does
			h.sell(0)
		}, nil},
		"a bid for other work is used": {auction.FaultBook, func(h *hall) {
			h.hold(0, h.asked([]int{1}, func(w *protocol.WorkRequest, _ *protocol.Bid) { w.Ask = protocol.Hash{7} }))
		}, nil},
		"a bid for another request is used": {auction.FaultBook, func(h *hall) {
			h.hold(0, h.asked([]int{1, 2}, func(_ *protocol.WorkRequest, b *protocol.Bid) { b.Request = protocol.Hash{7} }))
		}, nil},
		"a request is not told": {auction.FaultBook, func(h *hall) {
			asked := h.asked([]int{1}, func(*protocol.WorkRequest, *protocol.Bid) {})
			h.hold(0, func(a *auction.Auction) { asked(a); a.Request = nil })
		}, nil},
		"a request is used twice": {auction.FaultBook, func(h *hall) {
			asked := h.asked([]int{1}, func(*protocol.WorkRequest, *protocol.Bid) {})
			h.hold(0, asked)
			h.hold(0, asked)
		}, nil},
		"one bids twice for one work": {auction.FaultBook, func(h *hall) {
			h.hold(0, h.asked([]int{1, 1}, func(*protocol.WorkRequest, *protocol.Bid) {}))
		}, nil},
		"a bid is dropped": {auction.FaultBook, func(h *hall) {
			h.journal = slices.DeleteFunc(h.journal, aBid)
		}, nil},
		"a bid is made up": {auction.FaultSignature, func(h *hall) {
			forged := h.places[1].Bid
			forged.Message.Prices, forged.Message.Sequence = prices(1), 9
			h.change(auction.Change{Place: 1, Bid: &forged})
			h.sell(0)
		}, nil},
		"one bids twice": {auction.FaultBook, func(h *hall) {
			b := h.places[1].Bid
			h.change(auction.Change{Place: 2, Bid: &b})
			h.sell(0)
		}, nil},
		"an old bid is brought back": {auction.FaultBook, func(h *hall) {
			old := h.places[1].Bid
			h.bid(1, 2, 99)
			h.change(auction.Change{Place: 1, Bid: &old})
			h.sell(0)
		}, nil},
		"another price is paid": {auction.FaultPrice, func(h *hall) {
			o, a := last(h), decided(h)
			w := o.Awards[0].Message
			o.Awards[0] = h.award(*a, protocol.Bid{Transcoder: w.Transcoder, Sequence: w.BidSequence}, prices(w.Prices[0].WeiPerPixel.Uint64()-1))
		}, nil},
		"a reserve is made up": {auction.FaultPrice, func(h *hall) {
			h.hold(0, func(a *auction.Auction) { a.Ask.Reserve = big.NewInt(1) })
		}, nil},
		"quality is given another weight": {auction.FaultPrice, func(h *hall) {
			h.hold(0, func(a *auction.Auction) { a.Ask.Value = protocol.NewWei(1 << 40) })
		}, nil},
		"a friend is given it": {auction.FaultWinner, func(h *hall) {
			o, a := last(h), decided(h)
			friend := slices.IndexFunc(h.places, func(p auction.Place) bool { return p.Bid.Message.Transcoder != o.Awards[0].Message.Transcoder })
			o.Awards[0] = h.award(*a, h.places[friend].Bid.Message, o.Awards[0].Message.Prices)
		}, nil},
		"a tie is changed": {auction.FaultTie, func(h *hall) { decided(h).Ask.Tie = protocol.Hash{7} }, nil},
		"a turn is skipped for a better tie": {auction.FaultTie, func(h *hall) {
			h.turns++
			h.sell(0)
		}, nil},
		"another secret is shown": {auction.FaultSecret, func(h *hall) { h.secret = auction.SecretOf([32]byte{66}) }, nil},
		"a newcomer is tried too often": {auction.FaultExploration, func(h *hall) {
			h.trials.Leases += 100
			h.sell(0)
		}, nil},
		"an epoch begins with turns for newcomers": {auction.FaultExploration, func(h *hall) { decided(h).Exploration.Leases = 100 }, nil},
		"a loss is not told": {auction.FaultMissing, func(h *hall) {
			h.journal = h.journal[:len(h.journal)-2]
		}, nil},
		"an outcome is not told": {auction.FaultMissing, func(h *hall) {
			h.journal = h.journal[:len(h.journal)-1]
		}, nil},
		"a root of figures is left out": {auction.FaultMissing, func(h *hall) {
			h.serial++
			h.commit()
		}, nil},
		"the winner was told another book": {auction.FaultBook, func(h *hall) {
			a, w := *decided(h), last(h).Awards[0].Message
			a.Book = protocol.Hash{3}
			last(h).Awards[0] = h.award(a, protocol.Bid{Transcoder: w.Transcoder, Sequence: w.BidSequence}, w.Prices)
		}, nil},
		"the award is of no auction": {auction.FaultAward, func(h *hall) {
			a, w := *decided(h), last(h).Awards[0].Message
			a.Number = 77
			last(h).Awards[0] = h.award(a, protocol.Bid{Transcoder: w.Transcoder, Sequence: w.BidSequence}, w.Prices)
		}, nil},
		"another journal was closed": {auction.FaultJournal, func(*hall) {}, func(c *protocol.AuctionClose) { c.Journal = protocol.Hash{1} }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHall(t, rand.New(rand.NewPCG(2, 2)), 6, auction.SecondScore)
			h.sell(0)
			c.cheat(h)
			got := h.audit(c.close)
			if !slices.ContainsFunc(got.Faults, func(f auction.Fault) bool { return f.Kind == c.want }) {
				t.Errorf("found %+v, want %s", got.Faults, c.want)
			}
		})
	}
}

func TestAuditor_readsNothingThatIsSealed(t *testing.T) {
	t.Parallel()
	h := newHall(t, rand.New(rand.NewPCG(2, 2)), 1, auction.PayAsBid)
	if _, err := auction.NewAuditor(h.domain, auction.Reveal{Epoch: sealed(t, h.domain, h.self, h.epoch)}); err == nil {
		t.Error("an epoch that is not over was audited")
	}
	key := protocol.Hash(h.secret.Show())
	if _, err := auction.NewAuditor(protocol.NewDomain(2, common.Address{9}), auction.Reveal{Epoch: sealed(t, h.domain, h.self, h.epoch), Secret: &key, Over: true}); err == nil {
		t.Error("an epoch of another chain was audited")
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
			candidates[i].Bid.Prices, candidates[i].Bid.Curves = protocol.Prices{{Codec: protocol.H264, WeiPerPixel: price}}, nil
			ranked := auction.Ranked(auction.Pick(candidates, a))
			return len(ranked) > 0 && ranked[0].Bid.Transcoder == me
		}
		price, _ := would.Of(protocol.H264)
		most, _ := a.MaxPrices.Of(protocol.H264)
		candidates[i].Bid.Prices, candidates[i].Bid.Curves = prices(0), nil
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
