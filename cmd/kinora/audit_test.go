package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
)

var auditDomain = protocol.NewDomain(5, common.Address{7})

func auditSeal[M protocol.Message](t *testing.T, s protocol.Signer, m M) protocol.Signed[M] {
	t.Helper()
	signed, err := protocol.Seal(auditDomain, s, m)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// auditedOrchestrator is one auction among two, as an orchestrator tells it: the first asks 30, the second 40 and is paid for at
// that by second score. cheat changes what is told, before it is signed as the whole.
func auditedOrchestrator(t *testing.T, cheat func(self protocol.Signer, journal []auction.Entry)) (url string, lease protocol.ID) {
	t.Helper()
	key := func() *protocol.KeySigner {
		k, err := crypto.GenerateKey()
		if err != nil {
			t.Fatal(err)
		}
		return protocol.NewKeySigner(k)
	}
	price := func(wei uint64) protocol.Prices {
		return protocol.Prices{{Codec: protocol.H264, WeiPerPixel: protocol.NewWei(wei)}}
	}
	self, secret := key(), auction.NewSecret()
	var bids, figures auction.Tree
	var journal []auction.Entry
	var candidates []auction.Candidate
	for i, wei := range []uint64{30, 40} {
		k := key()
		p := auction.Place{Bid: auditSeal(t, k, protocol.Bid{Transcoder: k.Address(), Prices: price(wei), FreePixelRate: 1 << 40, TTLMillis: 1, Sequence: 1})}
		f := auction.Figure{Transcoder: k.Address()}
		for c := range f.Quality {
			f.Quality[c] = auction.Perfect
		}
		bids.Set(i, p.Leaf())
		figures.Set(i, f.Leaf(secret.Salt(k.Address())))
		journal = append(journal, auction.Entry{Bid: &auction.Change{Place: i, Bid: &p.Bid}}, auction.Entry{Figure: &auction.FigureAt{Place: i, Figure: f}})
		candidates = append(candidates, p.Candidate(f, 0))
	}
	root := auditSeal(t, self, protocol.FiguresRoot{Orchestrator: self.Address(), Epoch: secret.Commitment(), Serial: 1, Root: figures.Root()})
	ladder := protocol.Ladder{{Name: "240p", Width: 426, Height: 240, Bitrate: 400_000, Codec: protocol.H264}}
	x := auction.Auction{Number: 1, Payer: common.Address{1}, Stream: "cam", Turn: 1, Most: 4, Book: bids.Root(), Figures: figures.Root(),
		Ask: auction.Ask{Lease: protocol.NewID(), Ladder: ladder, SourceFPS: 30, MaxPrices: price(100), Tie: secret.Tie(common.Address{1}, "cam", 0, protocol.Hash(ladder.Hash()), 1)}}
	offers, _ := auction.Offers(auction.Pick(candidates, x.Ask), x.Ask, auction.SecondScore, x.Exploration, 4)
	award := auditSeal(t, self, protocol.Award{Lease: protocol.NewID(), Orchestrator: self.Address(), Payer: self.Address(), Transcoder: offers[0].Bid.Transcoder, Stream: "cam",
		LadderHash: protocol.Hash(ladder.Hash()), Prices: offers[0].Paid, MaxFee: protocol.NewWei(1), LeaseMillis: 1000, BidSequence: 1, URL: "http://x",
		Epoch: secret.Commitment(), Auction: 1, Book: x.Book, Figures: x.Figures})
	journal = append(journal, auction.Entry{Figures: &root}, auction.Entry{Auction: &x}, auction.Entry{Outcome: &auction.Outcome{Number: 1, Awards: []protocol.Signed[protocol.Award]{award}, Taken: true}})
	if cheat != nil {
		cheat(self, journal)
	}
	page := protocol.Encode(journal)
	end := auditSeal(t, self, protocol.AuctionClose{Orchestrator: self.Address(), Epoch: secret.Commitment(), Auctions: 1, Pages: 1, Journal: auction.Journal([]protocol.Hash{sha256.Sum256(page)})})
	shown := protocol.Hash(secret.Show())
	over := auction.Reveal{Epoch: auditSeal(t, self, protocol.AuctionEpoch{Orchestrator: self.Address(), Commitment: secret.Commitment(), Rule: "second-score", BeganMillis: 1, LengthMillis: 1}),
		Secret: &shown, Close: &end, Over: true, Pages: 1}
	sealed := auction.Reveal{Epoch: auditSeal(t, self, protocol.AuctionEpoch{Orchestrator: self.Address(), Commitment: protocol.Hash{1}, Rule: "second-score", BeganMillis: 2, LengthMillis: 1})}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/api/v1/auctions/epochs":
			_, _ = w.Write(protocol.Encode([]auction.Reveal{sealed, over}))
		case r.URL.Path == "/api/v1/auctions/epochs/"+secret.Commitment().String() && r.URL.Query().Get("page") == "0":
			_, _ = w.Write(page)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, award.Message.Lease
}

func auditRun(url string, more ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = run(slices.Concat([]string{"audit", url, "--escrow", common.Address{7}.Hex(), "--chain-id", "5"}, more), &out, &err)
	return code, out.String(), err.String()
}

func TestAudit_showsThatAnHonestOrchestratorKeptToItsCommitments(t *testing.T) {
	t.Parallel()
	url, lease := auditedOrchestrator(t, nil)
	for _, c := range []struct {
		args []string
		want string // "": it fails
	}{
		{nil, "1 auctions, 1 awards, 1 leases taken"},
		{[]string{"--lease", lease.Short()}, "took it  at 40 wei per pixel of h264"},
		{[]string{"--lease", lease.Short()}, "at most 100 wei per pixel of h264, source of 30 frames a second, 0 avoided"},
		{[]string{"--lease", lease.String()}, "asked 40 wei per pixel of h264"},
		{[]string{"--lease", "ffffffffffff"}, ""},
		{[]string{"--epoch", "0100000000"}, ""}, // sealed
		{[]string{"--chain-id", "6"}, ""},
	} {
		code, stdout, stderr := auditRun(url, c.args...)
		if (code != 0) != (c.want == "") || !strings.Contains(stdout, c.want) || strings.Contains(stdout, "FAULT") {
			t.Errorf("%v: exit code %d\n%s%s", c.args, code, stdout, stderr)
		}
	}
	code, stdout, _ := auditRun(url, "--json")
	var reports []struct {
		auction.Report
	}
	if err := json.Unmarshal([]byte(stdout), &reports); err != nil || code != 0 || len(reports) != 1 || reports[0].Leases != 1 || !reports[0].Complete {
		t.Errorf("exit code %d, %v: %s", code, err, stdout)
	}
}

func TestAudit_namesEachFaultAndFails(t *testing.T) {
	t.Parallel()
	for want, cheat := range map[string]func(protocol.Signer, []auction.Entry){
		"FAULT figures": func(_ protocol.Signer, j []auction.Entry) { j[1].Figure.Figure.Quality[4] -= 7 },
		"FAULT book":    func(_ protocol.Signer, j []auction.Entry) { j[2].Bid = &auction.Change{Place: 1, Out: auction.Expired} },
		"FAULT tie":     func(_ protocol.Signer, j []auction.Entry) { j[5].Auction.Ask.Tie[0]++ },
		"FAULT price": func(s protocol.Signer, j []auction.Entry) {
			w := j[6].Outcome.Awards[0].Message
			w.Prices = protocol.Prices{{Codec: protocol.H264, WeiPerPixel: protocol.NewWei(39)}}
			j[6].Outcome.Awards[0], _ = protocol.Seal(auditDomain, s, w)
		},
	} {
		url, _ := auditedOrchestrator(t, cheat)
		code, stdout, stderr := auditRun(url)
		if code != 1 || !strings.Contains(stdout, want) || !strings.Contains(stderr, "did not keep to what it committed to") {
			t.Errorf("%s: exit code %d\n%s%s", want, code, stdout, stderr)
		}
		if code, stdout, _ := auditRun(url, "--json"); code != 1 || !strings.Contains(stdout, strconv.Quote(strings.TrimPrefix(want, "FAULT "))) {
			t.Errorf("%s: exit code %d, %s", want, code, stdout)
		}
	}
}

func TestOverlaps_areEpochsThatBeganBeforeOneBeforeThemWasToEnd(t *testing.T) {
	t.Parallel()
	var epochs []auction.Reveal
	for _, x := range [][2]uint64{{0, 100}, {100, 30}, {110, 10}, {125, 10}, {200, 10}} {
		var r auction.Reveal
		r.Epoch.Message.BeganMillis, r.Epoch.Message.LengthMillis = x[0], uint32(x[1])
		epochs = append(epochs, r)
	}
	if got, want := overlaps(epochs), []bool{false, false, true, true, false}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
