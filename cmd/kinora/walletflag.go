package main

import (
	"context"
	"fmt"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/payment"
)

type walletFlag struct {
	transaction
	earnings
}

// Validate names what is missing.
func (w walletFlag) Validate() error {
	if err := w.earnings.Validate(); err != nil {
		return err
	}
	return w.transaction.Validate()
}

// flagged is a payer that was shown to the chain.
type flagged struct {
	Payer  string `json:"payer"`
	Lane   uint16 `json:"lane"`
	Nonce  uint64 `json:"nonce"`
	Tx     string `json:"tx,omitempty"` // none: it was flagged before
	GasWei string `json:"gas_wei,omitempty"`
}

// Run shows what is kept to the chain.
func (w walletFlag) Run(a *app) error {
	return w.signed(a, w.node, w.money, func(ctx context.Context, from *chain.Account) error {
		escrow, err := chain.NewEscrow(ctx, from.Client(), w.Escrow)
		if err != nil {
			return err
		}
		return w.with(ctx, false, func(o opened, _ []payment.Record) error {
			kept, err := o.Evidence(ctx)
			if err != nil {
				return err
			}
			return w.flag(ctx, a, escrow, from, kept)
		})
	})
}

func (w walletFlag) flag(ctx context.Context, a *app, escrow *chain.Escrow, from *chain.Account, kept []payment.Evidence) error {
	all, sent, text := []flagged{}, 0, ""
	for _, e := range kept {
		f := flagged{Payer: e.First.Payer.Hex(), Lane: e.First.Lane, Nonce: e.First.TicketNonce}
		before, err := escrow.IsFlagged(ctx, e.First.Payer)
		if err != nil {
			return err
		}
		if !before {
			r, err := escrow.Flag(ctx, from, e.First, e.Second)
			if err != nil {
				return err
			}
			f.Tx, f.GasWei = r.Tx.Hex(), r.Cost.String()
			sent++
			text += fmt.Sprintf("\n%s, lane %d, nonce %d (transaction %s, gas %s)", f.Payer, f.Lane, f.Nonce, f.Tx, w.sum(r.Cost))
		}
		all = append(all, f)
	}
	return w.answer(a, map[string]any{"address": from.Address().Hex(), "payers": all}, "%d payers signed one nonce twice; flagged now: %d%s", len(all), sent, text)
}
