package payment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
)

// SettlementLane is the lane of every pair that no stream has: its nonces are those of settlements.
const SettlementLane = 65_535

// maxSettled bounds the attempts that one settlement pays for, so that a message can carry it.
const maxSettled = 400

// How settlements are gone about.
const (
	settlementEvery = time.Minute
	settlementLife  = 12 * time.Hour
	settlementRenew = 3 * time.Hour // before its end it is signed anew
	settlePatience  = 2 * time.Minute
	gasPerSettle    = 60_000
	lateChecked     = 56 // late tickets looked into at a time, per recipient
	pauseAtMost     = 72 * time.Hour
)

// SettlementOffer is a payer's settlement for attempts whose tickets came too late: it pays what they cost together.
type SettlementOffer struct {
	Settlement ticket.Settlement  `json:"settlement"`
	Signature  protocol.Signature `json:"signature"`
	Attempts   []protocol.ID      `json:"attempts"`
}

// Validate checks names and bounds, not the signature.
func (o SettlementOffer) Validate() error {
	switch {
	case o.Settlement.Lane != SettlementLane:
		return fmt.Errorf("settlement: lane %d, want %d", o.Settlement.Lane, SettlementLane)
	case len(o.Attempts) == 0 || len(o.Attempts) > maxSettled:
		return fmt.Errorf("settlement: %d attempts, want 1 to %d", len(o.Attempts), maxSettled)
	}
	return o.Settlement.Validate()
}

// PayerChain is what the payer of late tickets asks of the escrow; *chain.Escrow is one.
type PayerChain interface {
	Watermark(ctx context.Context, payer, recipient common.Address, lane uint16) (uint64, error)
	Passed(ctx context.Context, t ticket.Signed, since uint64) (chain.Passing, bool, error)
	BlockTime(ctx context.Context) (uint64, error)
}

// LateOrder is an order whose ticket was refused for its set being closed.
type LateOrder struct {
	Recipient common.Address
	Attempt   protocol.ID
	Fee       protocol.Wei
	Ticket    ticket.Signed
}

// settleLate looks after late tickets until ctx ends.
func (p *Payer) settleLate(ctx context.Context) {
	everySettlement(ctx, p.config.Log, "late tickets are not settled", p.SettleLate)
}

// everySettlement does look now and every settlementEvery, until ctx ends. An error that repeats is said once.
func everySettlement(ctx context.Context, log *slog.Logger, trouble string, look func(context.Context) error) {
	ticker := time.NewTicker(settlementEvery)
	defer ticker.Stop()
	var last string
	for {
		err := look(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil && err.Error() != last {
			log.Warn(trouble, "err", err)
		}
		if last = ""; err != nil {
			last = err.Error()
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// SettleLate signs one settlement to each recipient for the tickets that it refused since their sets were closed, and
// delivers it. Only for a ticket that can never be redeemed: one that lost, as the recipient's secret shows, or one that the chain has passed over or let
// expire. A recipient that cannot be reached or asked delays no other.
func (p *Payer) SettleLate(ctx context.Context) error {
	if p.config.Chain == nil {
		return nil
	}
	late, err := p.store.Late(ctx, lateChecked)
	if err != nil {
		return err
	}
	by := map[common.Address][]LateOrder{}
	for _, o := range late {
		by[o.Recipient] = append(by[o.Recipient], o)
	}
	renew, err := p.store.Unsettled(ctx)
	if err != nil {
		return err
	}
	for _, recipient := range renew { // signed before, and not known to be paid
		if _, has := by[recipient]; !has {
			by[recipient] = nil
		}
	}
	var failures error
	for recipient, orders := range by {
		if err := p.settleWith(ctx, recipient, orders); err != nil {
			failures = errors.Join(failures, fmt.Errorf("settle with %s: %w", recipient, err))
		}
	}
	return failures
}

func (p *Payer) settleWith(ctx context.Context, recipient common.Address, orders []LateOrder) error {
	var dead []protocol.ID
	for _, o := range orders {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		is, err := p.neverPays(ctx, o)
		if err != nil {
			return err
		}
		if !is { // those behind it wait: a recipient that knows which tickets win could have the others settled first
			break
		}
		dead = append(dead, o.Attempt)
	}
	mark, err := p.config.Chain.Watermark(ctx, p.self, recipient, SettlementLane)
	if err != nil {
		return err
	}
	now, err := p.config.Chain.BlockTime(ctx)
	if err != nil {
		return err
	}
	offer, err := p.store.SettleLate(ctx, recipient, dead, mark, now+uint64(settlementRenew/time.Second), func(s ticket.Settlement) (protocol.Signature, ticket.Settlement, error) {
		s.Payer, s.Recipient, s.Lane, s.Expiry = p.self, recipient, SettlementLane, now+uint64(settlementLife/time.Second)
		if err := s.Validate(); err != nil {
			return protocol.Signature{}, s, err
		}
		sig, err := p.config.Signer.SignDigest(p.hasher.SettlementDigest(s))
		return sig, s, err
	})
	if err != nil || offer == nil {
		return err
	}
	sending, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	answer, err := p.sender.Send(sending, recipient, Delivery{Payer: p.self, Recipient: recipient, Settlement: offer})
	if err != nil {
		return err
	}
	if answer.Settlement == nil {
		return protocol.Errorf(protocol.Unavailable, "the recipient says nothing of the settlement")
	}
	if c := answer.Settlement.Code; c != "" {
		return protocol.Errorf(c, "the recipient refuses it: %s", answer.Settlement.Detail)
	}
	p.config.Log.Info("late tickets are settled", "recipient", recipient, "attempts", len(offer.Attempts), "wei", offer.Settlement.Amount.String(), "nonce", offer.Settlement.ToNonce)
	return p.store.SettlementDelivered(ctx, recipient, offer.Settlement.ToNonce)
}

// neverPays reports that a late ticket can never be redeemed. One that was, since its recipient lied or was slow to say so, is
// noted to need no settlement.
func (p *Payer) neverPays(ctx context.Context, o LateOrder) (bool, error) {
	t := o.Ticket
	mark, err := p.config.Chain.Watermark(ctx, t.Payer, t.Recipient, t.Lane)
	if err != nil {
		return false, err
	}
	if mark >= t.TicketNonce {
		passing, found, err := p.config.Chain.Passed(ctx, t, t.Expiry-min(t.Expiry, uint64(p.config.MaxLifetime/time.Second)))
		if err != nil || !found {
			return false, err
		}
		if passing.Paid {
			p.config.Log.Warn("a ticket that was refused as late was redeemed all the same: no settlement for it", "recipient", t.Recipient, "attempt", o.Attempt.Short(), "tx", passing.Tx)
			return false, p.store.NotLate(ctx, o.Attempt)
		}
		return true, nil
	}
	now, err := p.config.Chain.BlockTime(ctx)
	if err != nil {
		return false, err
	}
	if now > t.Expiry+uint64(pauseAtMost/time.Second) {
		return true, nil
	}
	// The recipient may show the secret of a closed set: then it is known whether the ticket would have won.
	sending, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	answer, err := p.sender.Send(sending, t.Recipient, Delivery{Payer: p.self, Recipient: t.Recipient, Tickets: []Paid{{Attempt: o.Attempt, Ticket: t}}})
	if err != nil {
		return false, err
	}
	r, ok := answer.resultOf(o.Attempt)
	if !ok || r.Rand == nil || ticket.RandHash([32]byte(*r.Rand)) != t.RecipientRandHash {
		return false, nil
	}
	return !ticket.Won([32]byte(*r.Rand), p.hasher.Digest(t.Ticket), t.WinProb), nil
}

// takeSettlement keeps a payer's settlement for what it pays, if that is what is owed.
func (r *Recipient) takeSettlement(ctx context.Context, payer common.Address, o SettlementOffer) error {
	s := o.Settlement
	if s.Payer != payer || s.Recipient != r.self {
		return protocol.Errorf(protocol.BadRequest, "settlement of %s for %s in a delivery of %s to %s", s.Payer, s.Recipient, payer, r.self)
	}
	signer, err := o.Signature.Recover(r.hasher.SettlementDigest(s))
	if err != nil {
		return protocol.Errorf(protocol.TicketInvalid, "settlement: %w", err)
	}
	if err := r.authorised(ctx, payer, signer, s.Expiry); err != nil {
		return err
	}
	mark, err := r.escrow.Watermark(ctx, payer, r.self, SettlementLane)
	if err != nil {
		return err
	}
	if s.FromNonce <= mark {
		return protocol.Errorf(protocol.Stale, "settlement from nonce %d, and the chain has paid up to %d", s.FromNonce, mark)
	}
	if err := r.store.TakeSettlement(ctx, o, mark); err != nil {
		return err
	}
	r.config.Log.Info("settlement taken for late tickets", "payer", payer, "attempts", len(o.Attempts), "wei", s.Amount.String(), "nonce", s.ToNonce)
	return nil
}

// settlePairs takes settlements to the chain until ctx ends.
func (r *Recipient) settlePairs(ctx context.Context) {
	everySettlement(ctx, r.config.Log, "settlements are held up", r.SettlePairs)
}

// SettlePairs books the settlements that the chain has paid, and takes those to it that are worth their gas. What was paid is
// read from the chain's watermark, so whoever sent it, and whoever is killed when, a debt is closed once.
func (r *Recipient) SettlePairs(ctx context.Context) error {
	offers, err := r.store.Settlements(ctx)
	if err != nil {
		return err
	}
	var failures error
	for _, o := range offers {
		if err := r.settlePair(ctx, o); err != nil {
			failures = errors.Join(failures, fmt.Errorf("settlement of %s: %w", o.Settlement.Payer, err))
		}
	}
	return failures
}

func (r *Recipient) settlePair(ctx context.Context, o SettlementOffer) error {
	s := o.Settlement
	mark, err := r.escrow.Watermark(ctx, s.Payer, r.self, SettlementLane)
	if err != nil {
		return err
	}
	if mark < s.FromNonce {
		if sent, err := r.sendSettlement(ctx, o); !sent || err != nil {
			return err
		}
	}
	deep, err := r.escrow.ConfirmedWatermark(ctx, s.Payer, r.self, SettlementLane, r.config.Confirmations)
	if err != nil || deep < s.FromNonce {
		return err
	}
	paid, err := r.store.SettlementPaid(ctx, s.Payer, deep)
	if err != nil {
		return err
	}
	r.forgetAllocations()
	r.config.Log.Info("late tickets are paid for", "payer", s.Payer, "wei", paid.String(), "nonce", deep)
	return nil
}

// sendSettlement sends one that is worth its gas, and waits until it is mined.
func (r *Recipient) sendSettlement(ctx context.Context, o SettlementOffer) (bool, error) {
	s := o.Settlement
	now, err := r.escrow.BlockTime(ctx)
	if err != nil || now > s.Expiry {
		return false, err
	}
	if r.config.MaxGasPercent > 0 {
		cost, err := r.config.Account.GasCost(ctx, gasPerSettle)
		var dear *chain.TooDear
		if errors.As(err, &dear) {
			return false, nil
		}
		if err != nil || s.Amount.Mul(r.config.MaxGasPercent).Less(cost.Mul(100)) { // it grows with what else comes late
			return false, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, settlePatience)
	defer cancel()
	receipt, err := r.escrow.Settle(ctx, r.config.Account, s, o.Signature)
	if chain.IsNoGas(err) {
		r.config.Log.Debug("a settlement waits for gas", "payer", s.Payer, "wei", s.Amount.String(), "err", err)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	r.config.Log.Info("settlement mined", "payer", s.Payer, "wei", s.Amount.String(), "nonce", s.ToNonce, "tx", receipt.Tx, "gas_wei", receipt.Cost.String())
	return true, nil
}
