package market

import (
	"log/slog"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/passport"
	"github.com/kinora/kinora/internal/protocol"
)

// An orchestrator that was named by its address is reached as that one alone, and its quotes must be its own.
func TestMarket_holdsAnOrchestratorToTheAddressItWasNamedBy(t *testing.T) {
	t.Parallel()
	named, other := common.HexToAddress("0xaa"), common.HexToAddress("0xbb")
	m := New(Config{URLs: []string{named.Hex() + "@https://127.0.0.1:1/", "http://127.0.0.1:2"}, Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(m.Close)
	if err := m.met(m.sellers[0], other); protocol.CodeOf(err) != protocol.BadSignature {
		t.Errorf("another account was taken for it: %v", err)
	}
	if err := m.met(m.sellers[0], named); err != nil {
		t.Error(err)
	}
	if err := m.met(m.sellers[1], other); err != nil {
		t.Errorf("one that was not named: %v", err)
	}
	for account, want := range map[common.Address]passport.Endpoint{named: {Identity: named, URL: "https://127.0.0.1:1"}, other: {URL: "http://127.0.0.1:2"}} {
		if at, err := m.endpointsOf(account); err != nil || !slices.Equal(at, []passport.Endpoint{want}) {
			t.Errorf("%s is reached at %v, %v", account, at, err)
		}
	}
}

// Who lists another's URL as its own does not come between the other and its tickets.
func TestMarket_deliversToWhoIsMeantWhereAnotherListsItsURL(t *testing.T) {
	t.Parallel()
	const url = "https://orchestrator.example"
	thief, honest := common.HexToAddress("0xaa"), common.HexToAddress("0xbb")
	m := New(Config{Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(m.Close)
	m.Know("registry", []protocol.Listing{{Account: thief, URL: url}, {Account: honest, URL: url}})
	if err := m.met(m.sellers[1], honest); err != nil {
		t.Fatal(err)
	}
	if at, err := m.endpointsOf(honest); err != nil || !slices.Equal(at, []passport.Endpoint{{Identity: honest, URL: url}}) {
		t.Errorf("it is reached at %v, %v", at, err)
	}
}
