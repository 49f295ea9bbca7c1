package payment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
)

// How the settling loop goes about its work.
const (
	settleEvery   = 500 * time.Millisecond
	pruneEvery    = time.Hour
	keepTickets   = 24 * time.Hour // after they expired
	tryAgainAfter = 5 * time.Second
	resendAfter   = 15 * time.Second
	speedAfter    = 90 * time.Second
	batchTickets  = 250 // about 1.7 M gas and 22 kB of calldata
)

// Run closes sets when their time is over and takes winners to the chain, until ctx ends. Trouble with the chain or the
// store is logged and tried again; only a configuration that cannot work is an error.
func (r *Recipient) Run(ctx context.Context) error {
	if err := r.config.validate(r.escrow.ThawPeriod()); err != nil {
		return fmt.Errorf("payment recipient: %w", err)
	}
	closeFrom := time.Now().Add(r.config.RestartGrace)
	ticker := time.NewTicker(settleEvery)
	defer ticker.Stop()
	var pruned time.Time
	var last string
	for {
		err := r.runOnce(ctx, time.Now().After(closeFrom))
		if err == nil && time.Since(pruned) > pruneEvery {
			pruned = time.Now()
			err = r.store.Prune(ctx, pruned.Add(-keepTickets))
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && err.Error() != last { // not the same line twice a second while a chain is away
			r.config.Log.Warn("settling is held up", "err", err)
		}
		last = ""
		if err != nil {
			last = err.Error()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		case <-r.wake:
		}
	}
}

// Drain closes every set and settles until no winner is left that the chain would pay now. It may run beside Run.
func (r *Recipient) Drain(ctx context.Context) error {
	if err := r.CloseAll(ctx); err != nil {
		return err
	}
	for {
		err := r.runOnce(ctx, true)
		if err == nil {
			var left bool
			if left, err = r.payable(ctx); err == nil && !left {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			s, statsErr := r.Stats(context.WithoutCancel(ctx))
			return fmt.Errorf("drain: %d winners are left: %w", s.PendingWinners, errors.Join(ctx.Err(), err, statsErr))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// payable reports winners that are under way or can be sent sooner or later without more money of their payer's. Those
// wait whose turn was postponed, and those behind them on their lane.
func (r *Recipient) payable(ctx context.Context) (bool, error) {
	pending, err := r.store.Pending(ctx)
	now := time.Now()
	waits := map[LaneKey]bool{}
	for _, w := range pending {
		k := w.Key().LaneKey
		switch {
		case w.State == StateWon && (waits[k] || w.NotBefore.After(now)):
			waits[k] = true
		default:
			return true, err
		}
	}
	return false, err
}

// runOnce closes, asks after what was sent, and sends at most one redemption.
func (r *Recipient) runOnce(ctx context.Context, closeDue bool) error {
	if closeDue {
		if _, err := r.store.CloseDue(ctx, r.now()); err != nil {
			return err
		}
	}
	_, err := r.store.Exclusive(ctx, func(ctx context.Context) error {
		underWay, err := r.reconcile(ctx)
		if err != nil || underWay {
			return err
		}
		return r.redeem(ctx)
	})
	return err
}

// reconcile finds out what became of the redemptions that were sent, and says whether one is still under way.
func (r *Recipient) reconcile(ctx context.Context) (underWay bool, err error) {
	sent, err := r.store.Sent(ctx)
	if err != nil || len(sent) == 0 {
		return false, err
	}
	client := r.config.Account.Client()
	// Asked before the receipts: a TxNonce that was used then has its receipt now.
	used, err := client.TxNonce(ctx, r.self)
	if err != nil {
		return true, err
	}
	head, err := client.BlockNumber(ctx)
	if err != nil {
		return true, err
	}
	for _, s := range sent {
		fate, err := r.fate(ctx, s, used, head)
		if err != nil {
			return true, err
		}
		underWay = underWay || !fate
	}
	return underWay, nil
}

// fate resolves one redemption if that is possible yet.
func (r *Recipient) fate(ctx context.Context, s Redemption, used, head uint64) (resolved bool, err error) {
	now := time.Now()
	for _, tx := range append([]common.Hash{s.Tx}, s.Replaced...) {
		receipt, mined, err := r.config.Account.Client().Receipt(ctx, tx)
		var failed *chain.Revert
		switch {
		case errors.As(err, &failed):
			// Nothing of it could be paid any more. Why is found out by the next try.
			r.config.Log.Warn("redemption failed", "tx", tx, "winners", len(s.Winners))
			return true, r.store.Resolve(ctx, s.Tx, true, receipt.Cost, again(s.Winners, now.Add(tryAgainAfter)), now)
		case err != nil:
			return false, err
		case mined && head < receipt.Block+r.config.Confirmations:
			return false, nil
		case mined:
			return true, r.mined(ctx, s, receipt)
		}
	}
	if used > s.TxNonce { // another transaction took its place
		r.config.Log.Warn("redemption dropped", "tx", s.Tx, "winners", len(s.Winners))
		return true, r.store.Resolve(ctx, s.Tx, false, protocol.Wei{}, again(s.Winners, now), now)
	}
	switch age := now.Sub(s.SubmittedAt); {
	case age > speedAfter:
		_, err := r.config.Account.Speed(ctx, s.Raw, func(p chain.Prepared) error { return r.store.Replace(ctx, s.Tx, p, time.Now()) })
		return false, err
	case r.resend(s.Tx, now): // also when this process never sent it: the one before may have been killed first
		return false, r.config.Account.Broadcast(ctx, s.Raw)
	}
	return false, nil
}

// resend reports whether tx was not sent for a while, and takes it as sent now.
func (r *Recipient) resend(tx common.Hash, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.sent.at) < resendAfter && r.sent.tx == tx {
		return false
	}
	r.sent.tx, r.sent.at = tx, now
	return true
}

func again(winners []Winner, notBefore time.Time) []Settled {
	out := make([]Settled, len(winners))
	for i, w := range winners {
		out[i] = Settled{Key: w.Key(), State: StateWon, NotBefore: notBefore}
	}
	return out
}

// mined sorts the winners of a mined redemption into paid, refused for good, and to be tried again.
func (r *Recipient) mined(ctx context.Context, s Redemption, receipt chain.Receipt) error {
	paid, stopped, err := r.escrow.Runs(receipt)
	if err != nil {
		return err
	}
	now := time.Now()
	upTo := map[LaneKey]uint64{}
	for _, p := range paid {
		k := LaneKey{p.Payer, p.Lane}
		upTo[k] = max(upTo[k], p.LastNonce)
	}
	reasons := map[WinnerKey]chain.Refusal{}
	for _, x := range stopped {
		reasons[WinnerKey{LaneKey{x.Payer, x.Lane}, x.TicketNonce}] = x.Reason
	}
	var settled []Settled
	var total protocol.Wei
	count := uint64(0)
	for _, w := range s.Winners {
		k := w.Key()
		if k.TicketNonce <= upTo[k.LaneKey] {
			settled = append(settled, Settled{Key: k, State: StateRedeemed})
			total, count = total.Add(w.Ticket.FaceValue), count+1
			continue
		}
		settled = append(settled, refused(k, reasons[k], now))
	}
	if err := r.store.Resolve(ctx, s.Tx, true, receipt.Cost, settled, now); err != nil {
		return err
	}
	r.forgetAllocations(paid...)
	for _, p := range paid {
		r.config.Events(protocol.Event{At: now, Actor: r.self, Kind: protocol.TicketRedeemed, Counterparty: &p.Payer, Wei: &p.Amount, Count: p.Tickets, Tx: &receipt.Tx})
	}
	r.config.Log.Info("tickets redeemed", "tickets", count, "of", len(s.Winners), "wei", total.String(), "tx", receipt.Tx, "gas_wei", receipt.Cost.String())
	return nil
}

// refused is where a winner goes that the contract did not pay for this reason.
func refused(k WinnerKey, reason chain.Refusal, now time.Time) Settled {
	switch reason {
	case chain.RefusalNone, chain.BelowMinPayout: // it stood behind the one that stopped its run
		return Settled{Key: k, State: StateWon, NotBefore: now}
	case chain.Underfunded:
		return Settled{Key: k, State: StateWon, NotBefore: now.Add(tryAgainAfter)}
	case chain.Expired:
		return Settled{Key: k, State: StateExpired, Reason: reason.String()}
	default:
		return Settled{Key: k, State: StateUnpayable, Reason: reason.String()}
	}
}

// redeem sends one transaction with all that can be redeemed now.
func (r *Recipient) redeem(ctx context.Context) error {
	ready, err := r.ready(ctx)
	if err != nil || len(ready) == 0 {
		return err
	}
	runs, keys, settled, err := r.assemble(ctx, ready)
	if err != nil {
		return err
	}
	now := time.Now()
	if len(settled) > 0 {
		if err := r.store.Settle(ctx, settled, now); err != nil {
			return err
		}
		r.logLost(settled)
	}
	if len(runs) == 0 {
		return nil
	}
	p, err := r.escrow.RedeemBatch(ctx, r.config.Account, runs, protocol.Wei{}, func(p chain.Prepared) error {
		return r.store.Submit(ctx, p, keys, time.Now())
	})
	var refusal *chain.Revert
	if errors.As(err, &refusal) {
		return r.diagnose(ctx, runs, refusal)
	}
	if err == nil {
		r.resend(p.Tx, time.Now())
		r.config.Log.Info("redemption sent", "tx", p.Tx, "tickets", len(keys), "runs", len(runs))
	}
	return err
}

// ready are the winners that may be disclosed now and stand first on their lane: no lower winner waits or is under way, and
// no set of the lane that is as old still accepts.
func (r *Recipient) ready(ctx context.Context) ([]Winner, error) {
	pending, err := r.store.Pending(ctx)
	if err != nil || len(pending) == 0 {
		return nil, err
	}
	open, err := r.store.EarliestOpen(ctx)
	if err != nil {
		return nil, err
	}
	now := r.now()
	blocked := map[LaneKey]bool{}
	var out []Winner
	for _, w := range pending {
		k := w.Key().LaneKey
		earliest, accepts := open[k]
		if blocked[k] || w.State != StateWon || !w.SetClosed || w.RedeemFrom.After(now) || w.NotBefore.After(now) || accepts && earliest <= w.SetSerial {
			blocked[k] = true
			continue
		}
		out = append(out, w)
	}
	return out, nil
}

// assemble makes runs of what the chain would pay at this moment, and settles or postpones the rest.
func (r *Recipient) assemble(ctx context.Context, ready []Winner) (runs []ticket.Run, keys []WinnerKey, settled []Settled, err error) {
	chainTime, err := r.escrow.BlockTime(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	now := time.Now()
	marks := map[LaneKey]uint64{}
	funds := map[common.Address]protocol.Wei{}
	stopped := map[LaneKey]bool{}
	for _, w := range ready {
		t, k := w.Ticket, w.Key()
		if stopped[k.LaneKey] {
			continue
		}
		mark, known := marks[k.LaneKey]
		if !known {
			if mark, err = r.escrow.Watermark(ctx, t.Payer, r.self, t.Lane); err != nil {
				return nil, nil, nil, err
			}
			marks[k.LaneKey] = mark
		}
		left, known := funds[t.Payer]
		if !known {
			if left, err = r.funds(ctx, t.Payer); err != nil {
				return nil, nil, nil, err
			}
		}
		switch {
		case t.Expiry < chainTime:
			settled = append(settled, refused(k, chain.Expired, now))
		case t.TicketNonce <= mark:
			settled = append(settled, refused(k, chain.NonceUsed, now))
		case left.Less(t.FaceValue):
			settled = append(settled, refused(k, chain.Underfunded, now))
			stopped[k.LaneKey] = true
		default:
			var joined bool
			if runs, joined, err = r.join(ctx, runs, w); err != nil {
				return nil, nil, nil, err
			}
			if !joined {
				stopped[k.LaneKey] = true
				continue
			}
			keys = append(keys, k)
			left = left.Sub(t.FaceValue)
		}
		funds[t.Payer] = left
		if len(keys) == batchTickets {
			break
		}
	}
	return runs, keys, settled, nil
}

// join adds a winner to the run of its set, or begins one. A second run on a lane must not be of a lower face value: should
// the payer's money shrink before the first run is mined, the second would be paid and burn what the first left.
func (r *Recipient) join(ctx context.Context, runs []ticket.Run, w Winner) ([]ticket.Run, bool, error) {
	t := w.Ticket
	if n := len(runs) - 1; n >= 0 {
		last := &runs[n]
		first := last.Tickets[0].Ticket
		if first.SameSet(t.Ticket) {
			last.Tickets = append(last.Tickets, t)
			return runs, true, nil
		}
		if first.Payer == t.Payer && first.Lane == t.Lane && t.FaceValue.Less(first.FaceValue) {
			return runs, false, nil
		}
	}
	secret, err := r.rand(ctx, Set{Seed: w.Seed, Payer: t.Payer, Lane: t.Lane, FaceValue: t.FaceValue, Expiry: t.Expiry})
	if err != nil {
		return nil, false, err
	}
	// One ticket is worth the run: it pays the longest prefix it can, and leaves the rest for another day.
	return append(runs, ticket.Run{Tickets: []ticket.Signed{t}, RecipientRand: secret, MinPayout: t.FaceValue}), true, nil
}

// funds is what the payer can pay this side with: its balance and its allocation to us.
func (r *Recipient) funds(ctx context.Context, payer common.Address) (protocol.Wei, error) {
	b, err := r.escrow.Balance(ctx, payer)
	if err != nil {
		return protocol.Wei{}, err
	}
	a, err := r.escrow.Allocation(ctx, payer, r.self)
	return b.Add(a.Amount), err
}

// diagnose follows a batch that would pay nothing: it asks about the first ticket of each run, alone, and settles those
// that never will be paid, so that they hold up nobody.
func (r *Recipient) diagnose(ctx context.Context, runs []ticket.Run, refusal *chain.Revert) error {
	now := time.Now()
	var settled []Settled
	for _, run := range runs {
		t := run.Tickets[0]
		reason, err := r.escrow.Diagnose(ctx, t, run.RecipientRand)
		if err != nil {
			return err
		}
		if reason == chain.RefusalNone {
			reason = chain.Underfunded // by itself it would be paid: the money is not there for all of them yet
		}
		settled = append(settled, refused(WinnerKey{LaneKey{t.Payer, t.Lane}, t.TicketNonce}, reason, now))
	}
	if err := r.store.Settle(ctx, settled, now); err != nil {
		return err
	}
	r.logLost(settled)
	r.config.Log.Warn("the chain would pay nothing of a batch", "runs", len(runs), "reason", refusal.Error())
	return nil
}

func (r *Recipient) logLost(settled []Settled) {
	for _, s := range settled {
		if s.State == StateExpired || s.State == StateUnpayable {
			r.config.Log.Error("winner lost", "payer", s.Key.Payer, "lane", s.Key.Lane, "nonce", s.Key.TicketNonce, "state", s.State, "reason", s.Reason)
		}
	}
}
