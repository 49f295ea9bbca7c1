package payment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/protocol"
)

// Treasury keeps a payer's allocations: out of what it deposited and what it earned.
type Treasury struct {
	escrow  Escrow
	account *chain.Account
	events  func(protocol.Event)
	log     *slog.Logger
	mu      sync.Mutex // one allocation at a time
}

// NewTreasury makes the treasury of an account. events and log may be nil.
func NewTreasury(escrow Escrow, account *chain.Account, events func(protocol.Event), log *slog.Logger) *Treasury {
	if events == nil {
		events = func(protocol.Event) {}
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Treasury{escrow: escrow, account: account, events: events, log: log}
}

// Ensure brings the allocation for recipient back to amount wei if less than half of that is left that is not thawing. It
// is confirmed on chain when Ensure returns. Without the balance for all of it, it allocates what there is, as long as
// that brings it above half; else the error carries InsufficientCredit.
func (t *Treasury) Ensure(ctx context.Context, recipient common.Address, amount protocol.Wei) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	a, err := t.escrow.Allocation(ctx, t.account.Address(), recipient)
	if err != nil {
		return err
	}
	have := a.Credit()
	enough := amount.Add(protocol.NewWei(1)).Div(2)
	if !have.Less(enough) {
		return nil
	}
	balance, err := t.escrow.Balance(ctx, t.account.Address())
	if err != nil {
		return err
	}
	missing := amount.Sub(have).Min(balance)
	if have.Add(missing).Less(enough) {
		return protocol.Errorf(protocol.InsufficientCredit, "allocate to %s: %s wei are allocated, %s are wanted, and the escrow balance is %s: deposit more with `kinora wallet deposit`",
			recipient, have, amount, balance)
	}
	r, err := t.escrow.Allocate(ctx, t.account, recipient, missing)
	if err != nil {
		var refused *chain.Revert
		if errors.As(err, &refused) {
			return protocol.Errorf(protocol.InsufficientCredit, "allocate %s wei to %s: %w", missing, recipient, err)
		}
		return err
	}
	t.events(protocol.Event{At: time.Now(), Actor: t.account.Address(), Kind: protocol.AllocationMade, Counterparty: &recipient, Wei: &missing, Tx: &r.Tx})
	t.log.Info("allocation made", "recipient", recipient, "wei", missing.String(), "tx", r.Tx, "gas_wei", fmt.Sprint(r.Cost))
	return nil
}
