package payment_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/chain/chaintest"
	"github.com/kinora/kinora/internal/protocol"
)

// A payer signs two tickets of one nonce. Both are kept, over a restart; shown to the chain, they end the payer's credit with
// everybody, and what it has signed is paid.
func TestEquivocation_isKeptAndShownToTheChain(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner, honest := m.party(), m.party(), m.party()
	payer.backs(earner.address(), wei(10_000), wei(0))
	honest.backs(earner.address(), wei(10_000), wei(0))
	open := m.onSQLite()
	r := earner.recipient(open(), m.escrow)
	params := payer.asks(r, stream, wei(1000))
	first, second := payer.write(params, 5), payer.write(params, 5)
	payer.pays(r, first)
	if codes := payer.gives(r, second, payer.write(params, 5)); codes[0] != protocol.TicketInvalid || codes[1] != protocol.TicketInvalid {
		t.Errorf("other tickets of nonce 5: %q", codes)
	}

	_ = honest.asks(r, stream, wei(1000))

	store := open()
	kept, err := store.Evidence(t.Context())
	m.no(err)
	if len(kept) != 1 || kept[0].First != first || kept[0].Second != second || kept[0].SeenAt.IsZero() {
		t.Fatalf("kept is %+v, want the first two tickets of nonce 5", kept)
	}
	if _, err := r.Admit(t.Context(), payer.address(), protocol.NewID(), wei(1000)); err != nil {
		t.Errorf("before it is flagged: %v", err)
	}
	_, err = m.escrow.Flag(t.Context(), earner.account, kept[0].First, kept[0].Second)
	m.no(err)
	_, err = m.escrow.Flag(t.Context(), earner.account, kept[0].First, kept[0].Second)
	var refused *chain.Revert
	if !errors.As(err, &refused) {
		t.Errorf("flagged twice: %v", err)
	}

	after := earner.recipient(store, m.escrow) // what is known is half a minute old at most
	if _, err := after.Admit(t.Context(), payer.address(), protocol.NewID(), wei(1000)); protocol.CodeOf(err) != protocol.PayerFlagged {
		t.Errorf("credit for a flagged payer: %v", err)
	}
	if _, err := after.Params(t.Context(), payer.address(), "another", wei(1000)); protocol.CodeOf(err) != protocol.PayerFlagged {
		t.Errorf("parameters for a flagged payer: %v", err)
	}
	if _, err := after.Admit(t.Context(), honest.address(), protocol.NewID(), wei(1000)); err != nil {
		t.Errorf("credit for an honest payer: %v", err)
	}
	payer.flushes(after, params)
	m.drain(after)
	if earner.balance() != wei(1000) {
		t.Errorf("balance %s, want the winner to be paid", earner.balance())
	}
}

// While the chain is away, a payer that was not flagged when it was asked last keeps its credit, at once.
func TestFlag_isNotWaitedForWhileTheChainIsAway(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	node := chaintest.NewNode(t, m.url)
	client, err := chain.Dial(t.Context(), node.URL())
	m.no(err)
	t.Cleanup(client.Close)
	escrow, err := chain.NewEscrow(t.Context(), client, m.escrow.Address())
	m.no(err)
	payer, earner := m.party(), m.party()
	payer.backs(earner.address(), wei(10_000), wei(0))
	r := earner.recipient(m.onSQLite()(), escrow)
	_ = payer.asks(r, stream, wei(1000))
	node.Spoil(func(*chaintest.Call) (json.RawMessage, bool) { return nil, false })
	release, err := r.Admit(t.Context(), payer.address(), protocol.NewID(), wei(1000))
	m.no(err)
	release()
	stranger := m.party()
	if _, err := r.Admit(t.Context(), stranger.address(), protocol.NewID(), wei(1000)); err == nil {
		t.Error("a payer that nobody could ask about got credit")
	}
}
