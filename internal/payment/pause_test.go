package payment_test

import (
	"context"
	"math/big"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/contracts/bindings"
	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/chain/chaintest"
	"github.com/kinora/kinora/internal/payment"
)

// pauseEscrow counts how often it is asked for a pause.
type pauseEscrow struct {
	*chain.Escrow
	looks atomic.Int64
}

func (e *pauseEscrow) LastPause(ctx context.Context) (chain.Pause, error) {
	defer e.looks.Add(1)
	return e.Escrow.LastPause(ctx)
}

// A pause outlasts a ticket's expiry: its winner is not given up, and no transaction is spent on it meanwhile. What a pause does
// not save is given up.
func TestPause_givesNoWinnerUpEarly(t *testing.T) {
	t.Parallel()
	rich, pauser := newKey(t), newKey(t).Address()
	anvil := chaintest.NewAnvil(t, 0, rich.Address(), ether(1_000_000))
	m := marketOn(t, anvil.URL, rich)
	anvil.Do("anvil_setBalance", pauser, (*hexutil.Big)(ether(10).Big()))
	anvil.Do("anvil_impersonateAccount", pauser)
	order := func(to *common.Address, data []byte) {
		tx := map[string]any{"from": pauser, "data": hexutil.Encode(data)}
		if to != nil {
			tx["to"] = to
		}
		before, err := m.client.TxNonce(t.Context(), pauser)
		m.no(err)
		anvil.Do("eth_sendTransaction", tx)
		m.eventually("it is mined", func() bool { n, err := m.client.TxNonce(t.Context(), pauser); return err == nil && n > before })
	}
	authority, address := crypto.CreateAddress(pauser, 0), crypto.CreateAddress(pauser, 1)
	b := bindings.NewTicketEscrow()
	order(nil, append(common.FromHex(bindings.AuthorityMetaData.Bin), bindings.NewAuthority().PackConstructor(pauser)...))
	order(nil, append(common.FromHex(bindings.TicketEscrowMetaData.Bin), b.PackConstructor(common.Address{}, big.NewInt(3600), authority)...))
	var err error
	m.escrow, err = chain.NewEscrow(t.Context(), m.client, address)
	m.no(err)
	m.domain = m.escrow.Domain()
	later := func(d time.Duration) {
		anvil.Do("evm_increaseTime", uint64(d/time.Second))
		anvil.Mine(1)
	}

	payer, earner := m.party(), m.party()
	payer.backs(earner.address(), wei(10_000), wei(0))
	store := m.onSQLite()()
	watched := &pauseEscrow{Escrow: m.escrow}
	r := earner.recipient(store, watched, hasty) // its tickets live for 36 minutes
	win := func(stream string) {
		params := payer.asks(r, stream, wei(1000))
		payer.pays(r, payer.write(params, 1))
		payer.flushes(r, params)
	}
	win("before")
	order(&address, b.PackPause())
	stop := m.running(r.Run)
	for range 3 {
		later(20 * time.Minute) // past the expiry
		seen := watched.looks.Load()
		m.eventually("the queue is looked at", func() bool { return watched.looks.Load() > seen+1 })
		if st := m.statsOf(r); st.PendingWinners != 1 || st.Lost != 0 || st.Txs != 0 {
			t.Fatalf("while the escrow is paused: %+v", st)
		}
	}
	order(&address, b.PackUnpause()) // after an hour: a ticket of 36 minutes pays until minute 96
	m.eventually("it is paid", func() bool { return m.statsOf(r).Redeemed == 1 })
	stop()
	if got := earner.balance(); got != wei(1000) {
		t.Errorf("the recipient has %s, want 1000", got)
	}

	now, err := m.escrow.BlockTime(t.Context())
	m.no(err)
	r = earner.recipient(store, m.escrow, hasty, func(c *payment.RecipientConfig) {
		c.Now = func() time.Time { return time.Unix(int64(now), 0) }
	})
	win("after")
	later(100 * time.Minute) // the contract cannot tell it from one signed before: it gains an hour too, and no more
	m.drain(r)
	if st := m.statsOf(r); st.Redeemed != 1 || st.Lost != 1 || st.PendingWinners != 0 {
		t.Errorf("a winner that no pause saves: %+v", st)
	}
}
