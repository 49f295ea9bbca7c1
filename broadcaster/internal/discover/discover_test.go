package discover

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/broadcaster/internal/store"
	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/chain/chaintest"
	"github.com/kinora/kinora/internal/chain/devchain"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
)

func newKey(t testing.TB) *protocol.KeySigner {
	t.Helper()
	k, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return protocol.NewKeySigner(k)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// place is a database, a chain with a registry, and its node, which can be told to fail.
type place struct {
	t        *testing.T
	store    *store.Store
	node     *chaintest.Node
	contract *chain.Registry
	accounts []*chain.Account
}

func newPlace(t *testing.T, accounts int) *place {
	t.Helper()
	keys, prefund := make([]*protocol.KeySigner, accounts), make(map[common.Address]protocol.Wei)
	for i := range keys {
		keys[i] = newKey(t)
		prefund[keys[i].Address()] = protocol.NewWei(1e18)
	}
	dev := must(devchain.Start(t.Context(), devchain.Options{Prefund: prefund}))
	t.Cleanup(func() { _ = dev.Close() })
	p := &place{t: t, store: store.New(pgtest.Open(t, pgtest.Migrated(t, "payer", "broadcaster")), nil), node: chaintest.NewNode(t, dev.URL())}
	direct := must(chain.Dial(t.Context(), dev.URL()))
	t.Cleanup(direct.Close)
	for _, k := range keys {
		p.accounts = append(p.accounts, chain.NewAccount(direct, k))
	}
	address, _, err := p.accounts[0].DeployRegistry(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client := must(chain.Dial(t.Context(), p.node.URL(), chain.CallTimeout(2*time.Second)))
	t.Cleanup(client.Close)
	p.contract = chain.NewRegistry(client, address)
	return p
}

func (p *place) register(account int, url, region string) {
	p.t.Helper()
	d := protocol.Descriptor{URL: url, Region: region}
	if _, err := p.contract.Register(p.t.Context(), p.accounts[account], d.Hash(), d.URI()); err != nil {
		p.t.Fatal(err)
	}
}

// blocks makes n blocks.
func (p *place) blocks(n int) {
	p.t.Helper()
	for range n {
		if _, err := p.accounts[0].Transfer(p.t.Context(), p.accounts[0].Address(), protocol.NewWei(1)); err != nil {
			p.t.Fatal(err)
		}
	}
}

// follow runs a source and hands on what it tells, URLs alone, sorted.
func follow(t *testing.T, s Source) (told <-chan string, stop func()) {
	t.Helper()
	lists := make(chan string, 64)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Run(ctx, func(all []protocol.Listing) {
			var urls []string
			for _, l := range all {
				urls = append(urls, l.URL+" "+l.Region)
			}
			slices.Sort(urls)
			lists <- strings.Join(urls, ", ")
		})
	}()
	stop = func() { cancel(); <-ended }
	t.Cleanup(stop)
	return lists, stop
}

func hears(t *testing.T, told <-chan string, want string) {
	t.Helper()
	timeout := time.After(30 * time.Second)
	for {
		select {
		case got := <-told:
			if got == want {
				return
			}
		case <-timeout:
			t.Fatalf("%q was not told within 30 s", want)
		}
	}
}

func (p *place) registry() *Registry {
	return &Registry{Contract: p.contract, Store: p.store, Confirmations: 2, Every: 10 * time.Millisecond, Log: slog.New(slog.DiscardHandler)}
}

func TestRegistry_readsEachBlockOnceWhenItIsConfirmedAndHonoursRemoval(t *testing.T) {
	t.Parallel()
	p := newPlace(t, 3)
	p.register(0, "https://one.example:8936", "eu")
	p.register(1, "https://two.example:8936", "us")
	p.register(2, "https://10.0.0.1:8936", "") // a private network: strangers do not choose addresses in it
	p.blocks(2)
	told, stop := follow(t, p.registry())
	hears(t, told, "https://one.example:8936 eu, https://two.example:8936 us")
	if _, err := p.contract.Unregister(t.Context(), p.accounts[1]); err != nil {
		t.Fatal(err)
	}
	p.register(0, "https://moved.example", "eu")
	select {
	case got := <-told:
		t.Fatalf("%q was told of blocks that are not confirmed", got)
	case <-time.After(100 * time.Millisecond):
	}
	p.blocks(2)
	hears(t, told, "https://moved.example eu")
	stop()

	// The chain is away: what was kept is told all the same.
	p.node.Spoil((*chaintest.Call).Hang)
	told, stop = follow(t, p.registry())
	hears(t, told, "https://moved.example eu")
	stop()

	// It is back: the reader goes on where it was.
	p.node.Spoil(nil)
	p.register(1, "https://back.example", "us")
	p.blocks(2)
	first := p.node.Calls("eth_getLogs")
	told, _ = follow(t, p.registry())
	hears(t, told, "https://back.example us, https://moved.example eu")
	if questions := p.node.Calls("eth_getLogs") - first; questions > 2 {
		t.Errorf("%d questions after the restart: it read everything again", questions)
	}
}

// What one stranger registers does not keep the others from being found, nor does a node that answers for a few blocks at a time.
func TestRegistry_goesOnPastARegistrationThatCannotBeStoredAndAtANodeThatAnswersLittle(t *testing.T) {
	t.Parallel()
	p := newPlace(t, 3)
	p.register(0, "https://one.example", "eu\x00")
	p.register(1, "https://two.example", "\x1b[31mus")
	p.register(2, "https://three.example", "us")
	p.blocks(2)
	p.node.Spoil(func(c *chaintest.Call) (json.RawMessage, bool) {
		var q struct{ FromBlock, ToBlock string }
		if c.Method != "eth_getLogs" || json.Unmarshal(c.Params[0], &q) != nil || q.FromBlock == q.ToBlock {
			return c.Forward()
		}
		return json.RawMessage(`!{"code":-32005,"message":"query returned more than 1 results"}`), true
	})
	told, _ := follow(t, p.registry())
	hears(t, told, "https://three.example us")
}

func TestRegistry_isReadAnewFromAnotherChain(t *testing.T) {
	t.Parallel()
	p := newPlace(t, 2)
	p.register(0, "https://one.example", "")
	p.blocks(2)
	told, stop := follow(t, p.registry())
	hears(t, told, "https://one.example ")
	stop()
	key := store.Registry{ChainID: p.contract.Client().ChainID(), Address: p.contract.Address()}
	at, _, _, err := p.store.Registered(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	at.Hash[0]++ // as if another chain had been read, where another account was registered
	if err := p.store.SaveRegistry(t.Context(), key, at, []protocol.Listing{{Account: newKey(t).Address(), URL: "https://elsewhere.example"}}, nil); err != nil {
		t.Fatal(err)
	}
	p.blocks(1)
	told, _ = follow(t, p.registry())
	hears(t, told, "https://elsewhere.example , https://one.example ")
	hears(t, told, "https://one.example ")
}

// hook serves a list, with an ETag.
type hook struct {
	server *httptest.Server
	body   atomic.Pointer[[]byte]
	status atomic.Int32
	asked  atomic.Int32
	fresh  atomic.Int32 // answers without a list
}

func newHook(t *testing.T) *hook {
	h := &hook{}
	h.status.Store(http.StatusOK)
	h.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.asked.Add(1)
		body := *h.body.Load()
		tag := `"` + crypto.Keccak256Hash(body).Hex() + `"`
		w.Header().Set("ETag", tag)
		w.Header().Set("Cache-Control", "public, max-age=30")
		if code := int(h.status.Load()); code != http.StatusOK {
			w.WriteHeader(code)
			return
		}
		if r.Header.Get("If-None-Match") == tag {
			h.fresh.Add(1)
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write(body)
	}))
	t.Cleanup(h.server.Close)
	return h
}

var domain = protocol.NewDomain(1337, common.HexToAddress("0x01"))

func (h *hook) publish(publisher *protocol.KeySigner, sequence uint64, listed ...protocol.Listing) {
	body := protocol.Encode(must(protocol.Seal(domain, publisher, protocol.List{Publisher: publisher.Address(), Sequence: sequence, Orchestrators: listed})))
	h.body.Store(&body)
}

func TestWebhook_takesWhatItsPublisherSignedAndKeepsItWhileTheURLIsAway(t *testing.T) {
	t.Parallel()
	publisher, thief := newKey(t), newKey(t)
	h := newHook(t)
	kept := store.New(pgtest.Open(t, pgtest.Migrated(t, "payer", "broadcaster")), nil)
	newWebhook := func() *Webhook {
		return &Webhook{URL: h.server.URL, Publisher: publisher.Address(), Domain: domain, Store: kept, Loopback: true, Log: slog.New(slog.DiscardHandler), client: h.server.Client()}
	}
	one := protocol.Listing{Account: newKey(t).Address(), URL: "https://one.example", Region: "eu"}
	two := protocol.Listing{Account: newKey(t).Address(), URL: "http://127.0.0.1:8936"}
	w := newWebhook()
	h.publish(publisher, 5, one)
	if changed, next, err := w.fetch(t.Context()); err != nil || !changed || next != 30*time.Second {
		t.Fatalf("%v, %s, %v", changed, next, err)
	}
	if changed, _, err := w.fetch(t.Context()); err != nil || changed || h.fresh.Load() != 1 {
		t.Errorf("the same list again: %v, %v; %d answers without it", changed, err, h.fresh.Load())
	}
	for want, spoil := range map[string]func(){
		"the configured publisher is": func() { h.publish(thief, 6, two) },
		"number 5 was seen before":    func() { h.publish(publisher, 4, two) },
		"its sequence did not":        func() { h.publish(publisher, 5, two) },
		"more than 1048576 bytes":     func() { b := make([]byte, maxList+1); h.body.Store(&b) },
		"the list: ":                  func() { b := []byte("<html>"); h.body.Store(&b) },
		"answered 500":                func() { h.status.Store(http.StatusInternalServerError) },
		"bad signature": func() {
			b := []byte(strings.Replace(string(protocol.Encode(w.list)), "one.example", "two.example", 1))
			h.body.Store(&b)
		},
	} {
		h.status.Store(http.StatusOK)
		spoil()
		if changed, _, err := w.fetch(t.Context()); err == nil || changed || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v (%v)", want, err, changed)
		}
		if len(w.list.Message.Orchestrators) != 1 || w.list.Message.Orchestrators[0] != one {
			t.Fatalf("after %q the list is %+v", want, w.list.Message)
		}
	}
	h.status.Store(http.StatusOK)
	h.publish(publisher, 6, one, two)
	if changed, _, err := w.fetch(t.Context()); err != nil || !changed || len(w.list.Message.Orchestrators) != 2 {
		t.Errorf("the next list: %v, %v", changed, err)
	}

	// Its URL is away at the next start: the list is told, and so it is not by one with another publisher.
	h.server.Close()
	told, stop := follow(t, newWebhook())
	hears(t, told, "http://127.0.0.1:8936 , https://one.example eu")
	stop()
	other := newWebhook()
	other.Publisher = thief.Address()
	if err := other.load(t.Context()); protocol.CodeOf(err) != protocol.BadSignature || other.found {
		t.Errorf("a kept list of another publisher: %v", err)
	}
}

func TestValidateListURL_isHTTPSOrLoopback(t *testing.T) {
	t.Parallel()
	for url, ok := range map[string]bool{"https://lists.example/kinora.json": true, "http://127.0.0.1:1/x": true, "http://lists.example/x": false, "file:///etc/passwd": false, "": false} {
		if err := ValidateListURL(url); (err == nil) != ok {
			t.Errorf("%q: %v", url, err)
		}
	}
}

func TestUsable_keepsStrangersOutOfTheOperatorsNetwork(t *testing.T) {
	t.Parallel()
	account := common.Address{1}
	for url, want := range map[string]bool{"https://orchestrator.example": true, "https://192.0.2.1:8936": true, "https://10.0.0.1": false, "https://169.254.169.254": false,
		"https://[fe80::1]:1": false, "https://0.0.0.0": false, "https://intranet": false, "http://127.0.0.1:1": false, "https://localhost": false} {
		if err := Usable(protocol.Listing{Account: account, URL: url}, false); (err == nil) != want {
			t.Errorf("%s: %v", url, err)
		}
	}
	if err := Usable(protocol.Listing{Account: account, URL: "http://127.0.0.1:1"}, true); err != nil {
		t.Errorf("where loopback is allowed: %v", err)
	}
}
