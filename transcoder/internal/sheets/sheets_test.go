package sheets_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/transcoder/internal/sheets"
)

var (
	domain = protocol.NewDomain(5, common.Address{7})
	self   = me.Address()
)

func key(t *testing.T) *protocol.KeySigner {
	t.Helper()
	k, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return protocol.NewKeySigner(k)
}

func seal[M protocol.Message](t *testing.T, s protocol.Signer, m M) protocol.Signed[M] {
	t.Helper()
	signed, err := protocol.Seal(domain, s, m)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// town is an orchestrator that gives sheets, and what it commits to.
type town struct {
	*testing.T
	key   *protocol.KeySigner
	url   string
	asked atomic.Int64
}

var me = func() *protocol.KeySigner {
	k, err := crypto.GenerateKey()
	if err != nil {
		panic(err)
	}
	return protocol.NewKeySigner(k)
}()

func newTown(t *testing.T, give func(o *protocol.KeySigner) []protocol.Signed[protocol.ScoreSheet]) *town {
	o := &town{T: t, key: key(t)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.asked.Add(1)
		if r.URL.Path != "/api/v1/fleet/"+self.Hex()+"/sheets" {
			http.NotFound(w, r)
			return
		}
		asks, err := protocol.DecodeField[protocol.Signed[protocol.SheetRequest]](r.Header.Get(protocol.SheetRequestField))
		if err != nil {
			t.Errorf("who asks does not sign: %v", err)
		} else if m, err := asks.Open(domain); err != nil || m.Transcoder != self || m.Orchestrator != o.key.Address() {
			t.Errorf("%+v asks, %v", m, err)
		}
		_, _ = w.Write(protocol.Encode(give(o.key)))
	}))
	t.Cleanup(server.Close)
	o.url = server.URL
	return o
}

func (o *town) epoch(n byte) protocol.Commitment {
	e := seal(o.T, o.key, protocol.AuctionEpoch{Orchestrator: o.key.Address(), Commitment: protocol.Hash{n}, Rule: "second-score", BeganMillis: 1, LengthMillis: 1, URL: o.url})
	return protocol.Commitment{Epoch: &e}
}

func (o *town) figures(n byte, serial uint64, root protocol.Hash) protocol.Commitment {
	r := seal(o.T, o.key, protocol.FiguresRoot{Orchestrator: o.key.Address(), Epoch: protocol.Hash{n}, Serial: serial, Root: root})
	return protocol.Commitment{Figures: &r}
}

func sheet(o *protocol.KeySigner, lease byte, figures protocol.Hash) protocol.ScoreSheet {
	return protocol.ScoreSheet{Lease: protocol.ID{lease}, Orchestrator: o.Address(), Transcoder: self, Reason: "outscored", Epoch: protocol.Hash{1}, Auction: 1, Figures: figures,
		Prices: protocol.Prices{{Codec: protocol.H264, WeiPerPixel: protocol.NewWei(5)}}}
}

func desk() *sheets.Desk {
	return sheets.New(sheets.Config{Domain: domain, Signer: me, Client: func(common.Address) *http.Client { return http.DefaultClient }, Log: slog.New(slog.DiscardHandler)})
}

func TestDesk_givesTheSignedSheetsOfEveryOrchestratorItHears(t *testing.T) {
	t.Parallel()
	one := newTown(t, func(o *protocol.KeySigner) []protocol.Signed[protocol.ScoreSheet] {
		return []protocol.Signed[protocol.ScoreSheet]{seal(t, o, sheet(o, 1, protocol.Hash{11})), seal(t, o, sheet(o, 2, protocol.Hash{99}))}
	})
	two := newTown(t, func(*protocol.KeySigner) []protocol.Signed[protocol.ScoreSheet] { return nil })
	d := desk()
	d.Hear(one.epoch(1))
	d.Hear(one.figures(1, 1, protocol.Hash{11}))
	d.Hear(one.figures(1, 2, protocol.Hash{12}))
	d.Hear(one.epoch(1)) // said again
	d.Hear(two.epoch(2))
	got := d.Given(t.Context())
	if len(got) != 2 || got[0].Orchestrator != two.key.Address() || len(got[0].Sheets) != 0 || got[0].Problem != "" {
		t.Fatalf("given %+v", got)
	}
	if g := got[1]; g.Orchestrator != one.key.Address() || len(g.Sheets) != 2 || g.Problem != "" || len(g.Unpublished) != 1 || g.Unpublished[0] != (protocol.ID{2}) {
		t.Errorf("given %+v", g)
	}
	d.Given(t.Context())
	if n := one.asked.Load(); n != 1 {
		t.Errorf("it was asked %d times within a moment", n)
	}
}

func TestDesk_blamesNobodyForRootsItMayHaveMissed(t *testing.T) {
	t.Parallel()
	one := newTown(t, func(o *protocol.KeySigner) []protocol.Signed[protocol.ScoreSheet] {
		return []protocol.Signed[protocol.ScoreSheet]{seal(t, o, sheet(o, 1, protocol.Hash{11}))}
	})
	d := desk()
	d.Hear(one.epoch(1))
	d.Hear(one.figures(1, 2, protocol.Hash{12}))
	if got := d.Given(t.Context()); len(got[0].Unpublished) > 0 {
		t.Errorf("given %+v", got)
	}
}

func TestDesk_showsNoSheetThatItsOrchestratorDidNotSignForIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		give func(o *protocol.KeySigner) protocol.Signed[protocol.ScoreSheet]
		want string
	}{
		"changed": {func(o *protocol.KeySigner) protocol.Signed[protocol.ScoreSheet] {
			s := seal(t, o, sheet(o, 1, protocol.Hash{}))
			s.Message.Quality++
			return s
		}, "bad_signature"},
		"another's": {func(o *protocol.KeySigner) protocol.Signed[protocol.ScoreSheet] {
			s := sheet(o, 1, protocol.Hash{})
			s.Transcoder = common.Address{9}
			return seal(t, o, s)
		}, "another one's"},
		"of somebody else": {func(*protocol.KeySigner) protocol.Signed[protocol.ScoreSheet] {
			k := key(t)
			return seal(t, k, sheet(k, 1, protocol.Hash{}))
		}, "another one's"},
	} {
		o := newTown(t, func(o *protocol.KeySigner) []protocol.Signed[protocol.ScoreSheet] {
			return []protocol.Signed[protocol.ScoreSheet]{c.give(o)}
		})
		d := desk()
		d.Hear(o.epoch(1))
		if got := d.Given(t.Context()); len(got) != 1 || len(got[0].Sheets) > 0 || !strings.Contains(got[0].Problem, c.want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestDesk_knowsAsManyAsItCanAsk(t *testing.T) {
	t.Parallel()
	d := desk()
	forged := newTown(t, nil).epoch(1)
	forged.Epoch.Message.URL = "http://elsewhere"
	d.Hear(forged)
	if got := d.Given(t.Context()); len(got) != 0 {
		t.Errorf("given %+v", got)
	}
	d = desk()
	none := func(*protocol.KeySigner) []protocol.Signed[protocol.ScoreSheet] { return nil }
	var last *town
	for range 20 {
		last = newTown(t, none)
		d.Hear(last.epoch(1))
	}
	if got := d.Given(t.Context()); len(got) != 16 || got[0].URL != last.url {
		t.Errorf("%d orchestrators are asked", len(got))
	}
}
