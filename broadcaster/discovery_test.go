package broadcaster_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/identity"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
)

// place is an orchestrator as the API lists it.
type place struct {
	URL      string            `json:"url"`
	Address  common.Address    `json:"address"`
	Claimed  common.Address    `json:"claimed"`
	Sources  []string          `json:"sources"`
	Region   string            `json:"region"`
	Prices   map[string]string `json:"prices"`
	RTT      float64           `json:"rtt_ms"`
	Kept     bool              `json:"kept"`
	Streams  int               `json:"streams"`
	Excluded string            `json:"excluded"`
}

func (n node) places(t testing.TB) (all []place) {
	t.Helper()
	_, body, _ := n.get(t, "/api/v1/orchestrators")
	if err := json.Unmarshal([]byte(body), &all); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return all
}

// register puts a peer into a registry of its own account.
func (g ground) register(t testing.TB, registry *chain.Registry, p *peer, region string) {
	t.Helper()
	rich := must(identity.Load(g.keystore, g.password))
	payer := chain.NewAccount(registry.Client(), rich)
	if _, err := payer.Transfer(t.Context(), p.self.Address(), protocol.NewWei(1e17)); err != nil {
		t.Fatal(err)
	}
	d := protocol.Descriptor{URL: p.url, Region: region}
	if _, err := registry.Register(t.Context(), chain.NewAccount(registry.Client(), p.self), d.Hash(), d.URI()); err != nil {
		t.Fatal(err)
	}
}

func TestRun_findsOrchestratorsInTheRegistryAndInASignedList(t *testing.T) {
	t.Parallel()
	g := setUp(t)
	domain := func() protocol.Domain { return g.domain }
	registered, listed, denied := newPeer(t, domain), newPeer(t, domain), newPeer(t, domain)
	registered.price = protocol.NewWei(50)
	denied.price = protocol.NewWei(1)
	client := must(chain.Dial(t.Context(), g.chain.URL()))
	t.Cleanup(client.Close)
	rich := must(identity.Load(g.keystore, g.password))
	address, deployed, err := chain.NewAccount(client, rich).DeployRegistry(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	registry := chain.NewRegistry(client, address)
	g.register(t, registry, registered, "eu")
	publisher := newKey(t)
	list := protocol.Encode(must(protocol.Seal(g.domain, publisher, protocol.List{Publisher: publisher.Address(), Sequence: 1, Orchestrators: []protocol.Listing{
		{Account: listed.self.Address(), URL: listed.url, Region: "us"}, {Account: denied.self.Address(), URL: denied.url}}})))
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(list) }))
	t.Cleanup(hook.Close)

	cfg := g.config(t, pgtest.URL(t))
	cfg.Registry, cfg.RegistryFromBlock = address.Hex(), deployed.Block
	cfg.OrchestratorList, cfg.OrchestratorListSigner = hook.URL, publisher.Address().Hex()
	cfg.DiscoverLoopback, cfg.KeepAllocated = true, 2
	cfg.DenyOrchestrators = []string{denied.self.Address().Hex()}
	n := start(t, cfg)
	eventually(t, "two of the three have a place", func() bool {
		kept := 0
		for _, p := range n.places(t) {
			if p.Kept && p.Address != (common.Address{}) {
				kept++
			}
		}
		return kept == 2
	})
	for i, s := range clip(t, 2) {
		if code, _, problem := n.push(t, fmt.Sprintf("/live/cam/%d.ts", i), bytes.NewReader(s.Bytes)); code != http.StatusOK {
			t.Fatalf("%d %+v", code, problem)
		}
	}
	eventually(t, "the cheaper of the two is paid", func() bool { return registered.paid() == 2 && listed.paid() == 0 && denied.paid() == 0 })
	for _, p := range n.places(t) {
		want := map[common.Address]place{
			registered.self.Address(): {Sources: []string{"registry"}, Region: "eu", Prices: map[string]string{"h264": "50", "hevc": "50"}, Kept: true, Streams: 1},
			listed.self.Address():     {Sources: []string{"webhook"}, Region: "us", Prices: map[string]string{"h264": "100", "hevc": "100"}, Kept: true},
			denied.self.Address():     {Sources: []string{"webhook"}, Excluded: fmt.Sprintf("unauthorized: %s is denied by --deny-orchestrator", denied.self.Address())},
		}[p.Claimed]
		if fmt.Sprint(p.Sources, p.Region, p.Kept, p.Streams, p.Excluded) != fmt.Sprint(want.Sources, want.Region, want.Kept, want.Streams, want.Excluded) {
			t.Errorf("%+v, want %+v", p, want)
		}
		if p.Kept && (p.Prices["h264"] != want.Prices["h264"] || p.RTT <= 0) {
			t.Errorf("%+v: price or distance", p)
		}
	}
	if len(denied.offered()) != 0 {
		t.Error("the denied one was given work")
	}

	// The list's URL is away: a start knows both as before.
	n.stop()
	hook.Close()
	n = start(t, cfg)
	if len(n.places(t)) != 3 {
		t.Errorf("after a restart: %+v", n.places(t))
	}
	if code, _, problem := n.push(t, "/live/other/0.ts", bytes.NewReader(clip(t, 2)[0].Bytes)); code != http.StatusOK {
		t.Fatalf("%d %+v", code, problem)
	}
}
