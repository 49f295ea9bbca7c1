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
	payer   common.Address // whose money it is: the account's, or whom the account is a session key of
	events  func(protocol.Event)
	log     *slog.Logger
	keeping Keeping
	mu      sync.Mutex // one allocation at a time

	seen  sync.Mutex
	funds Funds
	noted map[common.Address]time.Time // when a want was written down last
	low   time.Time                    // when it was said that funds are low
}

// Keeping is how a Treasury looks after allocations and funds once Run runs.
type Keeping struct {
	Store PayerStore
	// RetireAfter is how long nobody may want an allocation before it is taken back: 24 h.
	RetireAfter time.Duration
	// WarnBelow is the runway below which an event says that funds are low: 6 h.
	WarnBelow time.Duration
	Now       func() time.Time // of the store's times; nil: this process's
}

// NewTreasury makes the treasury of an account. events and log may be nil.
func NewTreasury(escrow Escrow, account *chain.Account, events func(protocol.Event), log *slog.Logger) *Treasury {
	if events == nil {
		events = func(protocol.Event) {}
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Treasury{escrow: escrow, account: account, payer: account.Address(), events: events, log: log, noted: map[common.Address]time.Time{}}
}

// Of makes the treasury look after payer's money with a session key of it: the account, which pays the gas.
func (t *Treasury) Of(payer common.Address) *Treasury {
	t.payer = payer
	return t
}

// Keep makes Run look after what Ensure allocates. Call it before either.
func (t *Treasury) Keep(k Keeping) *Treasury {
	if k.RetireAfter == 0 {
		k.RetireAfter = 24 * time.Hour
	}
	if k.WarnBelow == 0 {
		k.WarnBelow = 6 * time.Hour
	}
	if k.Now == nil {
		k.Now = time.Now
	}
	t.keeping = k
	return t
}

// Ensure brings the allocation for recipient back to amount wei if less than half of that is left that is not thawing. It
// is confirmed on chain when Ensure returns. Without the balance for all of it, it allocates what there is, and takes a thaw
// back, as long as that brings it above half; else the error carries InsufficientCredit.
func (t *Treasury) Ensure(ctx context.Context, recipient common.Address, amount protocol.Wei) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.want(ctx, recipient); err != nil { // before there is anything to be taken back
		return err
	}
	a, err := t.escrow.Allocation(ctx, t.payer, recipient)
	if err != nil {
		return err
	}
	have := a.Credit()
	enough := amount.Add(protocol.NewWei(1)).Div(2)
	if !have.Less(enough) {
		return nil
	}
	balance, err := t.escrow.Balance(ctx, t.payer)
	if err != nil {
		return err
	}
	missing := amount.Sub(have).Min(balance)
	remedy := "deposit more with `kinora wallet deposit`"
	if t.bySession() {
		s, err := t.escrow.Session(ctx, t.payer, t.account.Address())
		if err != nil {
			return err
		}
		if s.Left.Less(missing) {
			missing = s.Left
			remedy = fmt.Sprintf("session key %s may allocate only %s more today (UTC), %s a day; authorise it for more with `kinora wallet authorise`", t.account.Address(), s.Left, s.DailyCap)
		}
	}
	kept := amount.Sub(have).Sub(missing).Min(a.Thawing)
	if have.Add(missing).Add(kept).Less(enough) {
		return protocol.Errorf(protocol.InsufficientCredit, "allocate to %s: %s wei are allocated, %s are wanted, and the escrow balance is %s: %s",
			recipient, have, amount, balance, remedy)
	}
	if !kept.IsZero() {
		if _, err := t.thaw(ctx, recipient, a.Thawing.Sub(kept)); err != nil {
			return fmt.Errorf("keep %s wei that thaw for %s: %w", kept, recipient, err)
		}
		t.log.Info("allocation kept that was thawing", "recipient", recipient, "wei", kept.String())
	}
	if missing.IsZero() {
		return nil
	}
	r, err := t.allocate(ctx, recipient, missing)
	if err != nil {
		var refused *chain.Revert
		if errors.As(err, &refused) {
			return protocol.Errorf(protocol.InsufficientCredit, "allocate %s wei to %s: %w", missing, recipient, err)
		}
		return err
	}
	t.say(protocol.AllocationMade, recipient, missing, r)
	t.log.Info("allocation made", "recipient", recipient, "wei", missing.String(), "tx", r.Tx, "gas_wei", fmt.Sprint(r.Cost))
	return nil
}

func (t *Treasury) bySession() bool { return t.payer != t.account.Address() }

func (t *Treasury) allocate(ctx context.Context, recipient common.Address, amount protocol.Wei) (chain.Receipt, error) {
	if t.bySession() {
		return t.escrow.AllocateFrom(ctx, t.account, t.payer, recipient, amount)
	}
	return t.escrow.Allocate(ctx, t.account, recipient, amount)
}

func (t *Treasury) thaw(ctx context.Context, recipient common.Address, amount protocol.Wei) (chain.Receipt, error) {
	if t.bySession() {
		return t.escrow.ThawOf(ctx, t.account, t.payer, recipient, amount)
	}
	return t.escrow.Thaw(ctx, t.account, recipient, amount)
}

func (t *Treasury) release(ctx context.Context, recipient common.Address) (chain.Receipt, error) {
	if t.bySession() {
		return t.escrow.ReleaseOf(ctx, t.account, t.payer, recipient)
	}
	return t.escrow.Release(ctx, t.account, recipient)
}

func (t *Treasury) say(kind protocol.EventKind, recipient common.Address, amount protocol.Wei, r chain.Receipt) {
	t.events(protocol.Event{At: time.Now(), Actor: t.payer, Kind: kind, Counterparty: &recipient, Wei: &amount, Tx: &r.Tx})
}

// want writes down that an allocation is wanted, not more often than says anything new.
func (t *Treasury) want(ctx context.Context, recipient common.Address) error {
	if t.keeping.Store == nil {
		return nil
	}
	now := t.keeping.Now()
	t.seen.Lock()
	fresh := now.Sub(t.noted[recipient]) < t.keeping.RetireAfter/10
	t.seen.Unlock()
	if fresh {
		return nil
	}
	if err := t.keeping.Store.Want(ctx, recipient, now); err != nil {
		return err
	}
	t.seen.Lock()
	defer t.seen.Unlock()
	t.noted[recipient] = now
	return nil
}

// Retire takes the allocation for recipient back, one step at a time however often it is called: what does not thaw begins
// to, what has thawed is released. Winners are redeemed in between: a thaw outlasts their tickets. It says when nothing is
// left.
func (t *Treasury) Retire(ctx context.Context, recipient common.Address) (gone bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a, err := t.escrow.Allocation(ctx, t.payer, recipient)
	if err != nil || a.Amount.IsZero() {
		return err == nil, err
	}
	if credit := a.Credit(); !credit.IsZero() {
		r, err := t.thaw(ctx, recipient, a.Amount)
		if err != nil {
			return false, fmt.Errorf("thaw the allocation for %s: %w", recipient, err)
		}
		t.say(protocol.AllocationThawing, recipient, credit, r)
		t.log.Info("allocation thaws", "recipient", recipient, "wei", a.Amount.String(), "tx", r.Tx)
		return false, nil
	}
	now, err := t.escrow.BlockTime(ctx)
	if err != nil || now < a.ThawEnd {
		return false, err
	}
	r, err := t.release(ctx, recipient)
	if err != nil {
		return false, fmt.Errorf("release the allocation for %s: %w", recipient, err)
	}
	t.say(protocol.AllocationReleased, recipient, a.Amount, r)
	t.log.Info("allocation released", "recipient", recipient, "wei", a.Amount.String(), "tx", r.Tx)
	return true, nil
}
