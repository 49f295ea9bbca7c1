package payment

import (
	"context"
	"errors"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/protocol"
)

// maxFill bounds how many TxNonces are filled: a node that is wrong by more is not believed.
const maxFill = 16

// follow finds out what became of the redemptions that are not final, and says how many there were, and how many of them are
// not mined.
//
// What paid a winner is read from receipts alone. A node may be behind, wrong about a TxNonce, or forget a transaction: that
// can make this side wait, or send again what then is not paid twice, but never settle a winner wrongly.
func (r *Recipient) follow(ctx context.Context) (unfinished, inFlight int, err error) {
	sent, err := r.store.Sent(ctx)
	if err != nil {
		return 0, 0, err
	}
	floor, err := r.store.TxNonceFloor(ctx)
	if err != nil {
		return 0, 0, err
	}
	var open []chain.Prepared
	for _, s := range sent {
		if s.Mined == nil && s.Relay == nil {
			open = append(open, s.Prepared)
		}
	}
	r.config.Account.Known(floor, open)
	r.relays.out = false
	if len(sent) == 0 {
		return 0, 0, nil
	}
	client := r.config.Account.Client()
	// Asked before the receipts: a TxNonce that was used then has its receipt now.
	used, err := client.TxNonce(ctx, r.self)
	if err != nil {
		return 0, 0, err
	}
	head, err := client.BlockNumber(ctx)
	if err != nil {
		return 0, 0, err
	}
	oldest, unmined := uint64(0), 0
	orders := 0
	for _, s := range sent {
		if s.Relay != nil {
			over, err := r.orderFate(ctx, s, head)
			if err != nil {
				return 0, 0, err
			}
			if !over {
				r.relays.out = true
				orders++
			}
			continue
		}
		mined, err := r.fate(ctx, s, used, head)
		if err != nil {
			return 0, 0, err
		}
		if !mined {
			if unmined == 0 {
				oldest = s.TxNonce
			}
			unmined++
		}
	}
	if unmined > 0 {
		err = r.closeGap(ctx, used, oldest)
	}
	return len(sent), unmined + orders, err
}

// fate takes one redemption as far as the chain allows now, and says whether it is mined or over.
func (r *Recipient) fate(ctx context.Context, s Redemption, used, head uint64) (mined bool, err error) {
	now := r.now()
	for _, tx := range append([]common.Hash{s.Tx}, s.Replaced...) {
		receipt, found, err := r.receipt(ctx, tx)
		if err != nil {
			return false, err
		}
		if !found {
			continue
		}
		if s.Mined != nil && (s.Tx != tx || s.Mined.Hash != receipt.BlockHash) { // mined anew, perhaps to another result
			if err := r.reorganised(ctx, s); err != nil {
				return false, err
			}
			s.Mined = nil
		}
		if s.Mined == nil {
			if err := r.mined(ctx, receipt); err != nil {
				return false, err
			}
		}
		if head < receipt.Block+r.config.Confirmations {
			return true, nil
		}
		return true, r.finalise(ctx, receipt)
	}
	if s.Mined != nil {
		if head < s.Mined.Number { // the node is behind
			return true, nil
		}
		if err := r.reorganised(ctx, s); err != nil {
			return false, err
		}
	}
	if used > s.TxNonce {
		return r.overtaken(ctx, s, head, now)
	}
	r.forget(s.Tx, false)
	if now.Sub(s.SubmittedAt) > r.config.Pace.SpeedAfter {
		if sped, err := r.speed(ctx, s); sped || err != nil {
			return false, err
		}
	}
	if r.resend(s.Tx, now) { // also when this process never sent it: the one before may have been killed first
		err := r.config.Account.Broadcast(ctx, s.Raw)
		if chain.IsNoGas(err) && r.config.Relay != nil && now.Sub(s.SubmittedAt) > r.config.Pace.ResendAfter {
			// Should a node have it all the same, the chain pays its winners once, and what pays them is found.
			r.config.Log.Warn("redemption dropped: the account cannot pay for its gas any more", "tx", s.Tx, "tx_nonce", s.TxNonce, "winners", s.Winners)
			r.forget(s.Tx, true)
			return true, r.store.Drop(ctx, s.Tx, now)
		}
		if err != nil { // those behind it can be sent all the same
			r.config.Log.Warn("redemption not broadcast", "tx", s.Tx, "tx_nonce", s.TxNonce, "err", err)
		}
	}
	return false, nil
}

// outcome is a receipt, of a transaction that may have failed.
type outcome struct {
	chain.Receipt
	failed bool
	order  common.Hash // that the transaction, another's, carried out; zero: it is ours
	fee    protocol.Wei
}

// of is the outcome of an order.
func (o outcome) of(order common.Hash) outcome {
	o.order = order
	return o
}

// redemption is what the store knows it by.
func (o outcome) redemption() common.Hash {
	if (o.order != common.Hash{}) {
		return o.order
	}
	return o.Tx
}

func (r *Recipient) receipt(ctx context.Context, tx common.Hash) (outcome, bool, error) {
	receipt, mined, err := r.config.Account.Client().Receipt(ctx, tx)
	var failed *chain.Revert
	if errors.As(err, &failed) {
		return outcome{Receipt: receipt, failed: true}, true, nil
	}
	return outcome{Receipt: receipt}, mined, err
}

// mined sorts the winners of a mined redemption into paid, refused for good, and to be tried again.
func (r *Recipient) mined(ctx context.Context, o outcome) error {
	batch, err := r.store.Batch(ctx, o.redemption())
	if err != nil {
		return err
	}
	upTo, reasons := map[LaneKey]uint64{}, map[WinnerKey]chain.Refusal{}
	if !o.failed {
		paid, stopped, err := r.escrow.Runs(o.Receipt, r.self)
		if err != nil {
			return err
		}
		for _, p := range paid {
			k := LaneKey{p.Payer, p.Lane}
			upTo[k] = max(upTo[k], p.LastNonce)
		}
		for _, x := range stopped {
			reasons[WinnerKey{LaneKey{x.Payer, x.Lane}, x.TicketNonce}] = x.Reason
		}
	}
	now := r.now()
	var paid []WinnerKey
	var rest []Settled
	var total protocol.Wei
	for _, w := range batch {
		if k := w.Key(); k.TicketNonce <= upTo[k.LaneKey] {
			paid = append(paid, k)
			total = total.Add(w.Ticket.FaceValue)
			r.took(k.Payer, w.Ticket.FaceValue)
			continue
		}
		reason, stopped := reasons[w.Key()]
		switch {
		case o.failed: // nothing of it could be paid any more; why is found out by the next try
			rest = append(rest, r.putBack(w, "reverted", now))
		case !stopped: // it stood behind the one that stopped its run
			rest = append(rest, Settled{Key: w.Key(), State: StateWon, Reason: "behind_another", NotBefore: now})
		default:
			rest = append(rest, r.refused(w, reason, now))
		}
	}
	at := BlockRef{o.Block, o.BlockHash}
	if (o.order != common.Hash{}) {
		err = r.store.MineRelayed(ctx, o.order, o.Tx, at, o.fee, paid, rest, now)
		o.Cost = protocol.Wei{} // the relayer's
	} else {
		err = r.store.Mine(ctx, o.Tx, at, o.Cost, paid, rest, now)
	}
	if err != nil {
		return err
	}
	r.logLost(rest)
	r.forgetAllocations()
	level := r.config.Log.Info
	if o.failed {
		level = r.config.Log.Warn
	}
	level("redemption mined", "tickets", len(paid), "of", len(batch), "wei", total.String(), "tx", o.Tx, "block", o.Block, "gas_wei", o.Cost.String(), "fee_wei", o.fee.String(), "failed", o.failed)
	return nil
}

// refused is where a winner goes that the contract did not pay for this reason. Only what no reorganisation can change is
// for good; expiry is judged by redeem, in confirmed time.
func (r *Recipient) refused(w Winner, reason chain.Refusal, now time.Time) Settled {
	switch reason {
	case chain.SelfPayment, chain.ZeroFaceValue, chain.WrongRand, chain.NotWinning, chain.BadSignature:
		return Settled{Key: w.Key(), State: StateUnpayable, Reason: reason.String()}
	default:
		return r.putBack(w, reason.String(), now)
	}
}

// finalise ends a redemption deep enough in the chain.
func (r *Recipient) finalise(ctx context.Context, o outcome) error {
	now := r.now()
	if err := r.store.Finalise(ctx, o.redemption(), now); err != nil {
		return err
	}
	r.forget(o.redemption(), true)
	if o.failed {
		return nil
	}
	paid, _, err := r.escrow.Runs(o.Receipt, r.self)
	if err != nil {
		return err
	}
	for _, p := range paid {
		r.config.Events(protocol.Event{At: now, Actor: r.self, Kind: protocol.TicketRedeemed, Counterparty: &p.Payer, Wei: &p.Amount, Count: p.Tickets, Tx: &o.Tx})
		r.config.Log.Info("tickets redeemed", "payer", p.Payer, "lane", p.Lane, "tickets", p.Tickets, "wei", p.Amount.String(), "tx", o.Tx)
	}
	return nil
}

// reorganised takes a redemption back whose block is gone.
func (r *Recipient) reorganised(ctx context.Context, s Redemption) error {
	if err := r.store.Unmine(ctx, s.Tx); err != nil {
		return err
	}
	r.forget(s.Tx, true) // it is sent again at once
	r.forgetAllocations()
	r.config.Log.Warn("the chain took a redemption's block back", "tx", s.Tx, "block", s.Mined.Number, "winners", s.Winners)
	return nil
}

// overtaken deals with a redemption whose TxNonce another transaction has, as the node says. It is given up once that was so
// for a while and as deep in the chain as its own receipt would have to be.
func (r *Recipient) overtaken(ctx context.Context, s Redemption, head uint64, now time.Time) (over bool, err error) {
	r.mu.Lock()
	since, known := r.settling.overtaken[s.Tx]
	if !known {
		since = now
		r.settling.overtaken[s.Tx] = now
	}
	r.mu.Unlock()
	if now.Sub(since) < r.config.Pace.DropAfter {
		return false, nil
	}
	if c := r.config.Confirmations; c > 0 {
		if head < c {
			return false, nil
		}
		used, err := r.config.Account.Client().TxNonceAt(ctx, r.self, head-c)
		if err != nil || used <= s.TxNonce {
			return false, err
		}
	}
	r.config.Log.Warn("redemption dropped: another transaction took its TxNonce", "tx", s.Tx, "tx_nonce", s.TxNonce, "winners", s.Winners)
	r.forget(s.Tx, true)
	return true, r.store.Drop(ctx, s.Tx, now)
}

// speed replaces a redemption that is not mined by one with higher fees, as far as its winners are worth it, and those that
// cannot be sent before it is out of the way.
func (r *Recipient) speed(ctx context.Context, s Redemption) (bool, error) {
	var worth protocol.Wei
	if r.config.MaxGasPercent > 0 {
		batch, err := r.store.Batch(ctx, s.Tx)
		if err != nil {
			return false, err
		}
		for _, w := range batch {
			if w.State == StateSubmitted {
				worth = worth.Add(w.Ticket.FaceValue)
			}
		}
		lanes, err := r.store.Lanes(ctx)
		if err != nil {
			return false, err
		}
		for _, l := range lanes {
			worth = worth.Add(l.FaceValue.Mul(l.Count - l.Submitted))
		}
		if worth.IsZero() {
			return false, nil
		}
	}
	p, err := r.config.Account.Speed(ctx, s.Raw, worth, func(p chain.Prepared) error { return r.store.Replace(ctx, s.Tx, p, r.now()) })
	var dear *chain.TooDear
	if errors.As(err, &dear) || chain.IsNoGas(err) {
		return false, nil
	}
	if err == nil {
		r.resend(p.Tx, r.now())
		r.config.Log.Info("redemption replaced by one with higher fees", "old", s.Tx, "tx", p.Tx, "tx_nonce", s.TxNonce)
	}
	return true, err
}

// closeGap fills the TxNonce that no transaction has and the oldest redemption waits for: it was signed when the node named
// a TxNonce too high, or behind a transaction that nobody has any more.
func (r *Recipient) closeGap(ctx context.Context, used, oldest uint64) error {
	g := &r.settling.gap
	now := r.now()
	r.mu.Lock()
	if oldest <= used || g.nonce != used {
		g.nonce, g.since = used, now
	}
	due := oldest > used && now.Sub(g.since) > r.config.Pace.FillAfter
	r.mu.Unlock()
	switch {
	case !due:
		return nil
	case oldest-used > maxFill:
		return protocol.Errorf(protocol.Unavailable, "the chain counts %d transactions of %s, and the next redemption has TxNonce %d: is the node behind?", used, r.self, oldest)
	}
	filled, err := r.config.Account.Fill(ctx, used)
	if filled {
		r.config.Log.Warn("filled a TxNonce that nothing had and redemptions waited behind", "tx_nonce", used)
	}
	return err
}

// resend reports whether tx was not sent for a while, and takes it as sent now.
func (r *Recipient) resend(tx common.Hash, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.settling.broadcast[tx]) < r.config.Pace.ResendAfter {
		return false
	}
	r.settling.broadcast[tx] = now
	return true
}

// forget drops what was remembered of a transaction: that it was overtaken, and with sent also when it was sent.
func (r *Recipient) forget(tx common.Hash, sent bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.settling.overtaken, tx)
	if sent {
		delete(r.settling.broadcast, tx)
	}
}
