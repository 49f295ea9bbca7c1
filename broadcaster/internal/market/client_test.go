package market

import (
	"log/slog"
	"testing"

	"github.com/ethereum/go-ethereum/common"

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
	if m.ClientAt("https://127.0.0.1:1") != m.clients.Of(named) || m.ClientAt("http://127.0.0.1:2") != m.clients.Of(common.Address{}) {
		t.Error("the wrong client")
	}
}
