package main

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/protocol"
)

// transaction is a command that sends one to the escrow.
type transaction struct {
	sender
	node
	money
	Escrow common.Address `help:"Address of the escrow (kinora contracts deploy)." required:"" placeholder:"ADDRESS"`
}

// Validate names all that is missing at once.
func (t transaction) Validate() error {
	var names []string
	if t.ChainRPC == "" {
		names = append(names, "--chain-rpc")
	}
	if (t.Escrow == common.Address{}) {
		names = append(names, "--escrow")
	}
	return t.sender.missing(names...)
}

// outcome is what a transaction did.
type outcome struct {
	receipt chain.Receipt
	said    string
	more    map[string]any
}

func (t transaction) send(a *app, do func(context.Context, *chain.Escrow, *chain.Account) (outcome, error)) error {
	return t.signed(a, t.node, t.money, func(ctx context.Context, from *chain.Account) error {
		escrow, err := chain.NewEscrow(ctx, from.Client(), t.Escrow)
		if err != nil {
			return err
		}
		o, err := do(ctx, escrow, from)
		if err != nil {
			return err
		}
		object := map[string]any{"address": from.Address().Hex(), "tx": o.receipt.Tx, "block": o.receipt.Block, "gas_wei": o.receipt.Cost}
		maps.Copy(object, o.more)
		return t.answer(a, object, "%s (transaction %s, gas %s)", o.said, o.receipt.Tx, t.sum(o.receipt.Cost))
	})
}

// movement is a transaction that moves an amount.
type movement struct {
	transaction
	Amount protocol.Wei `arg:"" help:"In wei, or with a unit: 1.5gwei, 0.25ether."`
}

// Validate refuses to move nothing, which an amount that was left out is too.
func (m movement) Validate() error {
	if m.Amount.IsZero() {
		return errors.New("<amount>: want more than 0, in wei or with a unit")
	}
	return m.transaction.Validate()
}

// counterpart is who an allocation is for.
type counterpart struct {
	Recipient common.Address `help:"Who the tickets are for." required:"" placeholder:"ADDRESS"`
}

type walletDeposit struct {
	movement
}

// Run deposits.
func (w walletDeposit) Run(a *app) error {
	return w.send(a, func(ctx context.Context, e *chain.Escrow, from *chain.Account) (outcome, error) {
		r, err := e.Deposit(ctx, from, w.Amount)
		return outcome{r, "deposited " + w.sum(w.Amount), map[string]any{"amount": w.Amount}}, err
	})
}

type walletAllocate struct {
	movement
	counterpart
}

// Run allocates.
func (w walletAllocate) Run(a *app) error {
	return w.send(a, func(ctx context.Context, e *chain.Escrow, from *chain.Account) (outcome, error) {
		if from.Address() == w.Recipient {
			return outcome{}, fmt.Errorf("--recipient: %s is the account itself; allocate to whom it will pay", w.Recipient)
		}
		r, err := e.Allocate(ctx, from, w.Recipient, w.Amount)
		more := map[string]any{"amount": w.Amount, "recipient": w.Recipient.Hex()}
		return outcome{r, fmt.Sprintf("allocated %s to %s", w.sum(w.Amount), w.Recipient), more}, err
	})
}

type walletThaw struct {
	transaction
	Amount protocol.Wei `arg:"" help:"How much of the allocation is to thaw, in wei or with a unit; what is thawing is set to this, so 0 ends a thaw."`
	counterpart
}

// Run sets what is thawing.
func (w walletThaw) Run(a *app) error {
	return w.send(a, func(ctx context.Context, e *chain.Escrow, from *chain.Account) (outcome, error) {
		r, err := e.Thaw(ctx, from, w.Recipient, w.Amount)
		if err != nil {
			return outcome{}, err
		}
		now, err := e.Allocation(ctx, from.Address(), w.Recipient)
		if err != nil {
			return outcome{}, err
		}
		more := map[string]any{"amount": now.Amount, "thawing": now.Thawing, "thaw_end": now.ThawEnd, "recipient": w.Recipient.Hex()}
		said := fmt.Sprintf("nothing thaws of the %s allocated to %s", w.sum(now.Amount), w.Recipient)
		if !now.Thawing.IsZero() {
			said = fmt.Sprintf("%s of the %s allocated to %s %s", w.sum(now.Thawing), w.sum(now.Amount), w.Recipient, until(now.ThawEnd))
		}
		return outcome{r, said, more}, nil
	})
}

type walletRelease struct {
	transaction
	counterpart
}

// Run takes back what has thawed.
func (w walletRelease) Run(a *app) error {
	return w.send(a, func(ctx context.Context, e *chain.Escrow, from *chain.Account) (outcome, error) {
		r, err := e.Release(ctx, from, w.Recipient)
		if err != nil {
			return outcome{}, err
		}
		now, err := e.Allocation(ctx, from.Address(), w.Recipient)
		if err != nil {
			return outcome{}, err
		}
		more := map[string]any{"amount": now.Amount, "recipient": w.Recipient.Hex()}
		return outcome{r, fmt.Sprintf("released; %s stay allocated to %s", w.sum(now.Amount), w.Recipient), more}, nil
	})
}

type walletWithdraw struct {
	movement
	To common.Address `help:"Where to; by default the account itself." placeholder:"ADDRESS"`
}

// Run withdraws.
func (w walletWithdraw) Run(a *app) error {
	return w.send(a, func(ctx context.Context, e *chain.Escrow, from *chain.Account) (outcome, error) {
		to := w.To
		if to == (common.Address{}) {
			to = from.Address()
		}
		r, err := e.Withdraw(ctx, from, to, w.Amount)
		more := map[string]any{"amount": w.Amount, "to": to.Hex()}
		return outcome{r, fmt.Sprintf("withdrew %s to %s", w.sum(w.Amount), to), more}, err
	})
}
