package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/protocol"
)

// sessionSigner is the key that an account lets sign for it.
type sessionSigner struct {
	Signer common.Address `arg:"" help:"Address of the session key."`
}

type walletAuthorise struct {
	transaction
	sessionSigner
	For      time.Duration `help:"How long its tickets may still expire; what a session has already is never shortened." default:"720h"`
	DailyCap protocol.Wei  `help:"What it may allocate in a UTC day, in wei or with a unit; recipients also give it no more credit at a time." required:""`
}

// Validate refuses what recipients would take for a revoked key.
func (w walletAuthorise) Validate() error {
	switch {
	case w.DailyCap.IsZero() || !w.DailyCap.FitsUint96():
		return errors.New("--daily-cap: want 1 to 2^96-1 wei; recipients give a key no credit that may allocate nothing")
	case w.For < time.Hour || w.For > 10*365*24*time.Hour:
		return errors.New("--for: want 1h to ten years")
	}
	return w.transaction.Validate()
}

// Run authorises.
func (w walletAuthorise) Run(a *app) error {
	return w.send(a, func(ctx context.Context, e *chain.Escrow, from *chain.Account) (outcome, error) {
		now, err := e.BlockTime(ctx)
		if err != nil {
			return outcome{}, err
		}
		until := now + uint64(w.For/time.Second)
		r, err := e.Authorise(ctx, from, w.Signer, until, w.DailyCap)
		more := map[string]any{"signer": w.Signer.Hex(), "valid_until": until, "daily_cap": w.DailyCap}
		return outcome{r, fmt.Sprintf("%s signs for %s until %s and allocates up to %s a day", w.Signer, from.Address(), date(until), human(w.DailyCap)), more}, err
	})
}

type walletRevoke struct {
	transaction
	sessionSigner
}

// Run revokes.
func (w walletRevoke) Run(a *app) error {
	return w.send(a, func(ctx context.Context, e *chain.Escrow, from *chain.Account) (outcome, error) {
		r, err := e.Revoke(ctx, from, w.Signer)
		if err != nil {
			return outcome{}, err
		}
		s, err := e.Session(ctx, from.Address(), w.Signer)
		more := map[string]any{"signer": w.Signer.Hex(), "valid_until": s.ValidUntil}
		return outcome{r, fmt.Sprintf("%s is revoked; what it signed counts when it expires by %s", w.Signer, date(s.ValidUntil)), more}, err
	})
}

type walletSession struct {
	node
	sessionSigner
	Payer  common.Address `help:"Account that it signs for." required:"" placeholder:"ADDRESS"`
	Escrow common.Address `help:"Address of the escrow (kinora contracts deploy)." required:"" placeholder:"ADDRESS"`
}

// Run shows the session.
func (w walletSession) Run(a *app) error {
	return w.dialled(a, func(ctx context.Context, client *chain.Client) error {
		e, err := chain.NewEscrow(ctx, client, w.Escrow)
		if err != nil {
			return err
		}
		s, err := e.Session(ctx, w.Payer, w.Signer)
		if err != nil {
			return err
		}
		said := fmt.Sprintf("%s never signed for %s", w.Signer, w.Payer)
		if s.ValidUntil > 0 {
			said = fmt.Sprintf("%s signs for %s what expires by %s; it may allocate %s a day, %s more today", w.Signer, w.Payer, date(s.ValidUntil), human(s.DailyCap), human(s.Left))
		}
		return w.answer(a, map[string]any{"signer": w.Signer.Hex(), "payer": w.Payer.Hex(), "valid_until": s.ValidUntil, "daily_cap": s.DailyCap, "left_today": s.Left}, "%s", said)
	})
}

func date(second uint64) string { return time.Unix(int64(second), 0).UTC().Format(time.RFC3339) }
