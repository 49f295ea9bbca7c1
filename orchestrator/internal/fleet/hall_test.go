package fleet_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
	"github.com/kinora/kinora/migrations"
	"github.com/kinora/kinora/orchestrator/internal/fleet"
	"github.com/kinora/kinora/orchestrator/internal/store"
)

// held is a fleet whose auctions are committed to.
type held struct {
	*fixture
	self *protocol.KeySigner
	stop func()

	mu    sync.Mutex
	said  []protocol.Commitment
	roots map[protocol.Hash]bool // published
}

func openHeld(t *testing.T, members int, epoch time.Duration) *held {
	t.Helper()
	url := pgtest.URL(t)
	if err := migrations.Postgres(t.Context(), url, "orchestrator"); err != nil {
		t.Fatal(err)
	}
	h := &held{fixture: &fixture{T: t, vault: &vault{let: true, ensure: map[common.Address]int{}}, store: store.New(pgtest.Open(t, url))}, self: key(t), roots: map[protocol.Hash]bool{}}
	h.Fleet = fleet.New(fleet.Config{Domain: domain, Self: h.self.Address(), Allocation: protocol.NewWei(100), MaxMembers: members, Backoff: 20 * time.Millisecond, TopUp: time.Hour,
		FundEvery: time.Millisecond, Log: slog.New(slog.DiscardHandler), Events: func(protocol.Event) {}}, h.store, h.vault)
	h.Hold(fleet.Terms{Signer: h.self, Rule: auction.SecondScore, Trials: 100_000, Epoch: epoch, Publish: func(c protocol.Commitment) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.said = append(h.said, c)
		if c.Figures != nil {
			h.roots[c.Figures.Message.Root] = true
		}
		return nil
	}})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Fleet.Run(ctx) }()
	h.stop = sync.OnceFunc(func() { cancel(); <-ended })
	t.Cleanup(h.stop)
	return h
}

func (h *held) commitments() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.said)
}

// reports audits every epoch that the database has.
func (h *held) reports(each func(auction.Auction, []auction.Choice, []auction.Offer, auction.Outcome)) (all []auction.Report) {
	h.Helper()
	epochs, err := h.store.AuctionEpochs(h.Context(), time.Now().Add(time.Hour), 100)
	if err != nil {
		h.Fatal(err)
	}
	var before *auction.Auditor
	for _, e := range slices.Backward(epochs) {
		u, err := auction.NewAuditor(domain, e)
		if err != nil {
			h.Fatal(err)
		}
		if before != nil {
			u.After(before)
		}
		before = u
		u.Each = each
		var pages []protocol.Hash
		for n := range e.Pages {
			p, err := h.store.AuctionPage(h.Context(), e.Epoch.Message.Commitment, n)
			if err != nil {
				h.Fatal(err)
			}
			z, err := gzip.NewReader(bytes.NewReader(p.Text))
			if err != nil {
				h.Fatal(err)
			}
			var entries []auction.Entry
			if err := json.NewDecoder(z).Decode(&entries); err != nil {
				h.Fatal(err)
			}
			pages = append(pages, p.Hash)
			u.Page(entries)
		}
		all = append(all, u.Finish(pages))
	}
	return all
}

// Whatever happens between auctions, what the few that were looked at gave is what comparing the whole committed book gives.
func TestAuction_lookingAtFewIsWhatTheAuditOfAllFinds(t *testing.T) {
	t.Parallel()
	const bidders = 24
	h := openHeld(t, bidders-1, time.Second) // one finds no place
	r := rand.New(rand.NewPCG(7, 7))
	var keys []*protocol.KeySigner
	rate := ladder.PixelRate(30)
	sequence := uint64(0)
	bid := func(k *protocol.KeySigner) {
		sequence++
		b := protocol.Bid{Transcoder: k.Address(), FreePixelRate: rate * r.Uint64N(6), LoadPPM: r.Uint32N(protocol.FullLoad), TTLMillis: 60_000, Sequence: sequence,
			Prices: protocol.Prices{{Codec: protocol.H264, WeiPerPixel: protocol.NewWei(40 + r.Uint64N(6))}}}
		if r.IntN(3) == 0 {
			b.Curves = []protocol.PriceCurve{{Codec: protocol.H264, Points: []protocol.PricePoint{{LoadPPM: 500_000, WeiPerPixel: protocol.NewWei(46)}, {LoadPPM: 900_000, WeiPerPixel: protocol.NewWei(60)}}}}
		}
		if r.IntN(6) == 0 {
			b.TTLMillis = 5
		}
		signed, err := protocol.Seal(domain, k, b)
		if err != nil {
			t.Fatal(err)
		}
		h.Bid(signed)
	}
	for range bidders {
		keys = append(keys, key(t))
	}
	h.eventually("the places are taken", func() bool {
		for _, k := range keys {
			bid(k)
		}
		_, n := h.Backlog()
		return n >= bidders/2
	})
	sold := make(map[protocol.ID]common.Address)
	few := 0
	for n := range 600 {
		for range r.IntN(4) {
			k := keys[r.IntN(bidders)]
			switch r.IntN(6) {
			case 0:
				h.Failed(k.Address())
			case 1:
				h.Judged(k.Address(), verify.Record{State: []verify.State{verify.New, verify.Suspect}[r.IntN(2)]})
			case 2:
				for range 9 {
					h.Delivered(k.Address(), rate, time.Duration(100+r.IntN(2000))*time.Millisecond)
				}
			default:
				bid(k)
			}
		}
		a := ask
		a.Lease, a.Ladder = protocol.NewID(), slices.Clone(ladder)
		a.Ladder[0].Preset = []string{"", "slow", "ultrafast"}[r.IntN(3)]
		if r.IntN(5) == 0 {
			a.Avoid = []common.Address{keys[r.IntN(bidders)].Address()}
		}
		l := fleet.Listing{Ask: a, Payer: common.Address{1}, Stream: fmt.Sprint("cam", n%3), Most: 4, Proven: r.IntN(2) == 0}
		if r.IntN(5) == 0 {
			l.Passed = []auction.Passed{{Transcoder: keys[r.IntN(bidders)].Address(), Reason: auction.Declined}}
		}
		rests := keys[r.IntN(bidders)].Address()
		l.Rests = func(b protocol.Bid) bool { return b.Transcoder == rests }
		s, err := h.Auction(l)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Choices) == l.Most+1 {
			few++
		}
		var awards []protocol.Signed[protocol.Award]
		for i, o := range s.Offers {
			w := protocol.Award{Lease: protocol.NewID(), Orchestrator: h.self.Address(), Payer: h.self.Address(), Transcoder: o.Bid.Transcoder, Stream: l.Stream,
				LadderHash: protocol.Hash(a.Ladder.Hash()), Prices: o.Paid, MaxFee: protocol.NewWei(1), LeaseMillis: 1000, BidSequence: o.Bid.Sequence, URL: "http://x"}
			s.Commit(&w)
			h.mu.Lock()
			if !h.roots[w.Figures] {
				t.Error("an award uses figures whose root was not published")
			}
			h.mu.Unlock()
			signed, err := protocol.Seal(domain, h.self, w)
			if err != nil {
				t.Fatal(err)
			}
			awards = append(awards, signed)
			if i == len(s.Offers)-1 || r.IntN(3) > 0 {
				h.Awarded(o.Bid.Transcoder, w.Lease, a.Ladder.PixelRates(30))
				sold[w.Lease] = o.Bid.Transcoder
				if r.IntN(2) == 0 {
					h.Freed(o.Bid.Transcoder, w.Lease)
				}
				break
			}
		}
		h.Conclude(s, awards, len(awards) > 0)
		if n%120 == 119 { // figures turn, and epochs
			h.Delivered(keys[r.IntN(bidders)].Address(), rate, time.Second)
			before := h.commitments()
			h.eventually("something is committed to", func() bool { return h.commitments() > before })
		}
	}
	h.stop()
	leases := 0
	reports := h.reports(nil)
	for _, x := range reports {
		leases += int(x.Leases)
		if !x.Complete || len(x.Faults) > 0 {
			t.Errorf("epoch %s: complete %v, %d of %d auctions: %v", x.Epoch.Commitment.Short(), x.Complete, len(x.Faults), x.Auctions, x.Faults[:min(3, len(x.Faults))])
		}
	}
	if leases != len(sold) || len(reports) < 2 || few < 40 {
		t.Errorf("%d epochs tell of %d leases, %d were sold, %d of them among few", len(reports), leases, len(sold), few)
	}
}

func TestEpochs_storeOnceWhatDoesNotChange(t *testing.T) {
	t.Parallel()
	h := openHeld(t, 4, 50*time.Millisecond)
	for range 4 {
		h.bid(key(t), 1, 1e9, 100)
	}
	h.eventually("the places are taken", func() bool { _, n := h.Backlog(); return n == 4 })
	closed := func() (n int) {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, c := range h.said {
			if c.Close != nil {
				n++
			}
		}
		return n
	}
	before := closed()
	h.eventually("epochs have turned", func() bool { return closed() >= before+3 })
	h.stop()
	for _, x := range h.reports(nil) {
		if !x.Complete || len(x.Faults) > 0 {
			t.Errorf("%+v", x)
		}
	}
	count := func() (epochs, pages, texts int) {
		t.Helper()
		if err := h.store.Pool().QueryRow(t.Context(), `SELECT (SELECT count(*) FROM auction_epochs), (SELECT count(*) FROM auction_pages), (SELECT count(*) FROM auction_texts)`).
			Scan(&epochs, &pages, &texts); err != nil {
			t.Fatal(err)
		}
		return epochs, pages, texts
	}
	// Each has a page of figures, one of bids and one of their signed root, which alone is another one.
	if epochs, pages, texts := count(); texts > pages-2*2 {
		t.Errorf("%d texts for %d pages of %d epochs", texts, pages, epochs)
	}
	if _, err := h.store.Pool().Exec(t.Context(), `UPDATE auction_texts SET used_at = now() - interval '1 hour'`); err != nil {
		t.Fatal(err)
	}
	h.eventually("all is pruned", func() bool {
		if err := h.store.PruneAuctions(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		epochs, pages, texts := count()
		return epochs+pages+texts == 0
	})
}

func TestBid_thatChangesWithEveryBreathIsNotTaken(t *testing.T) {
	t.Parallel()
	h := openHeld(t, 1, time.Hour)
	k := key(t)
	h.bid(k, 1, 1e9, 100)
	h.eventually("it has a place", func() bool { _, n := h.Backlog(); return n == 1 })
	for n := range uint64(1000) {
		h.bid(k, 2+n, 1e9, 101+n%2)
	}
	h.stop()
	if got := h.reports(nil); len(got) != 1 || got[0].Bids < 50 || got[0].Bids > 400 {
		t.Errorf("reports %+v", got)
	}
}
