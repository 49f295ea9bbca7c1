package payment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
)

// Relay takes a request to a relayer and brings its answer back. An error means that no answer came, or a refusal.
type Relay interface {
	Ask(ctx context.Context, relayer common.Address, q RelayRequest) (RelayAnswer, error)
}

// RelayRequest asks what relaying a redemption costs, or, with an order, for it to be done. It travels as JSON.
type RelayRequest struct {
	Recipient common.Address `json:"recipient"`
	Gas       uint64         `json:"gas,omitempty"` // that it is expected to take, of what is asked about
	Order     *SignedOrder   `json:"order,omitempty"`
}

// SignedOrder is an order with what it redeems.
type SignedOrder struct {
	Order     ticket.RedeemOrder `json:"order"`
	Signature protocol.Signature `json:"signature"`
	Runs      []byte             `json:"runs"` // packed
}

// RelayAnswer says the least fee that is taken, and of an order what became of it.
type RelayAnswer struct {
	Fee     protocol.Wei      `json:"fee"`
	Tx      *common.Hash      `json:"tx,omitempty"`      // the transaction that carries it out
	Problem *protocol.Problem `json:"problem,omitempty"` // why nothing was sent
}

// RelayOrder is a redemption in somebody else's hands. Whoever has it can carry it out until its deadline.
type RelayOrder struct {
	SignedOrder
	Digest    common.Hash  `json:"digest"`
	Most      protocol.Wei `json:"most"`       // the fee that it may be raised to,
	Raised    bool         `json:"raised"`     // once
	FromBlock uint64       `json:"from_block"` // it was carried out in none before
}

// How relaying goes about its work.
const (
	quotePatience = 3 * time.Second
	orderPatience = 10 * time.Second
	maxAsked      = 4                  // relayers, one after another
	alwaysTries   = 3                  // of relaying always, before gas of one's own is used
	relayTickets  = 100                // in one order: what a message of the bus has room for
	lostAfter     = 7 * 24 * time.Hour // after its expiry, a ticket is given up that no event tells of
	orderMargin   = 16                 // blocks that a node may be behind
	gasPerOrder   = 20_000             // more than for a redemption of one's own: the order's signature and number, and the relayer's credit
	gasPerPayout  = 15_000
)

// relaying is what the loop remembers of relayers. All of it may be lost.
type relaying struct {
	out     bool                         // an order is in others' hands
	from    time.Time                    // nobody is asked before
	tries   int                          // since somebody took an order
	shunned map[common.Address]time.Time // until then
	waits   string                       // why
	why     string                       // nothing was sent, at this look
}

// shun asks a relayer no more for a while.
func (r *Recipient) shun(relayer common.Address, d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.relays.shunned == nil || len(r.relays.shunned) > allocationsCached {
		r.relays.shunned = map[common.Address]time.Time{}
	}
	r.relays.shunned[relayer] = time.Now().Add(d)
}

// relayers are who signed packed runs, those of the most tickets first, without those that are shunned: who owes for work
// has the account, the gas and the least reason to refuse what it will be known by. Behind a session key is the orchestrator
// that has it; its payer serves nobody.
func (r *Recipient) relayers(packed []byte) ([]common.Address, error) {
	heads, err := ticket.ReadRuns(packed, r.self)
	if err != nil {
		return nil, err
	}
	tickets := map[common.Address]int{}
	var signers []common.Address
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range heads {
		signer, err := r.hasher.Recover(h.First)
		if err != nil {
			return nil, err
		}
		if tickets[signer] == 0 && !time.Now().Before(r.relays.shunned[signer]) {
			signers = append(signers, signer)
		}
		tickets[signer] += h.Tickets
	}
	slices.SortStableFunc(signers, func(a, b common.Address) int { return tickets[b] - tickets[a] })
	return signers[:min(len(signers), maxAsked)], nil
}

// relay puts lanes into the hands of a relayer, one order at a time, since the chain takes them by number. why says what keeps
// this side from sending them itself.
func (r *Recipient) relay(ctx context.Context, lanes []laneBatch, why string) (paused uint64, err error) {
	runs, keys, value, most := gather(lanes)
	wait := func(why string) (uint64, error) {
		r.relays.why = why
		return uint64(len(keys)), nil
	}
	rest := func(why string) (uint64, error) {
		r.relays.from, r.relays.waits = r.config.Pace.retryAt(time.Now(), r.relays.tries), why
		r.relays.tries++
		return wait(why)
	}
	switch {
	case r.config.Relay == nil:
		return rest(why)
	case r.relays.out:
		return wait(why + "; a relayer has an order")
	case len(keys) > relayTickets && len(lanes) > 1:
		return r.relay(ctx, lanes[:len(lanes)/2], why)
	case len(keys) > relayTickets:
		half, err := r.lower(ctx, lanes[0], relayTickets)
		if err != nil {
			return 0, err
		}
		return r.relay(ctx, []laneBatch{half}, why)
	}
	packed, err := chain.PackRuns(runs)
	if err != nil {
		return 0, err
	}
	var refusal *chain.Revert
	gas, err := r.escrow.EstimateRedeem(ctx, r.self, packed, value)
	if errors.As(err, &refusal) {
		return r.halve(ctx, lanes, refusal)
	} else if err != nil {
		return 0, err
	}
	if r.config.MaxGasPercent == 0 { // whatever it costs, but not all
		most = value.Sub(protocol.NewWei(1))
	}
	gas += gasPerOrder
	if (r.config.Payout != common.Address{}) {
		gas += gasPerPayout
	}
	fee, found, refused := r.quote(ctx, packed, RelayRequest{Recipient: r.self, Gas: gas}, most)
	if !found {
		return rest(why + ", and nobody relays: " + refused)
	}
	o, err := r.order(ctx, packed, value, fee, most)
	if err != nil {
		return 0, err
	}
	if err := r.store.HandOut(ctx, o, keys, r.now()); err != nil { // before it leaves: from then on it can be used
		return 0, err
	}
	r.relays.out, r.relays.tries, r.relays.from = true, 0, time.Time{}
	r.config.Log.Info("a relayer is to redeem", "why", why, "order", o.Order.OrderNonce, "tickets", len(keys), "wei", value.String(), "fee_wei", fee.String())
	return 0, r.deliverOrder(ctx, o)
}

// gather is what goes into one transaction.
func gather(lanes []laneBatch) (runs []ticket.Run, keys []WinnerKey, value, most protocol.Wei) {
	for _, l := range lanes {
		runs = append(runs, l.runs...)
		for _, w := range l.winners {
			keys = append(keys, w.Key())
		}
		value, most = value.Add(l.value), most.Add(l.affordable)
	}
	return runs, keys, value, most
}

// quote is the first acceptable fee.
func (r *Recipient) quote(ctx context.Context, packed []byte, q RelayRequest, most protocol.Wei) (fee protocol.Wei, found bool, refused string) {
	relayers, err := r.relayers(packed)
	if err != nil {
		return fee, false, err.Error()
	}
	refused = "all of them failed lately"
	for _, relayer := range relayers {
		asking, cancel := context.WithTimeout(ctx, quotePatience)
		answer, err := r.config.Relay.Ask(asking, relayer, q)
		cancel()
		switch {
		case err != nil:
			refused = fmt.Sprintf("%s: %v", relayer, err)
		case answer.Problem != nil:
			refused = fmt.Sprintf("%s: %v", relayer, answer.Problem.Err())
		case answer.Fee.IsZero() || most.Less(answer.Fee):
			refused = fmt.Sprintf("%s asks %s wei, allowed are 1 to %s", relayer, answer.Fee, most)
		default:
			return answer.Fee, true, ""
		}
		r.shun(relayer, r.config.Pace.RetryAfter)
	}
	return fee, false, refused
}

// order signs.
func (r *Recipient) order(ctx context.Context, packed []byte, value, fee, most protocol.Wei) (o RelayOrder, err error) {
	head, err := r.config.Account.Client().Head(ctx)
	if err != nil {
		return o, err
	}
	number, err := r.escrow.OrderNonce(ctx, r.self)
	if err != nil {
		return o, err
	}
	return r.signOrder(RelayOrder{SignedOrder: SignedOrder{Runs: packed, Order: ticket.RedeemOrder{Recipient: r.self, RunsHash: crypto.Keccak256Hash(packed),
		MinTotal: value, Fee: fee, To: r.config.Payout, OrderNonce: number, Deadline: head.Time + uint64(r.config.Pace.OrderFor/time.Second)}},
		Most: most, FromBlock: head.Number - min(head.Number, orderMargin)})
}

func (r *Recipient) signOrder(o RelayOrder) (RelayOrder, error) {
	if err := o.Order.Validate(); err != nil {
		return o, err
	}
	o.Digest = r.hasher.OrderDigest(o.Order)
	var err error
	o.Signature, err = r.config.Signer.SignDigest(o.Digest)
	if err != nil {
		return o, fmt.Errorf("sign order: %w", err)
	}
	return o, nil
}

// deliverOrder hands an order to its next relayer. Whether that did anything is for the chain to say.
func (r *Recipient) deliverOrder(ctx context.Context, o RelayOrder) error {
	r.resend(o.Digest, r.now())
	relayers, err := r.relayers(o.Runs)
	if err != nil {
		return err
	}
	for _, relayer := range relayers {
		asking, cancel := context.WithTimeout(ctx, orderPatience)
		answer, err := r.config.Relay.Ask(asking, relayer, RelayRequest{Recipient: r.self, Order: &o.SignedOrder})
		cancel()
		switch {
		case err != nil:
			r.config.Log.Warn("a relayer did not answer an order", "relayer", relayer, "order", o.Order.OrderNonce, "err", err)
			r.shun(relayer, r.config.Pace.RetryAfter)
		case answer.Problem == nil:
			r.config.Log.Info("a relayer sends a redemption", "relayer", relayer, "order", o.Order.OrderNonce, "tx", answer.Tx)
			return nil
		case !o.Raised && o.Order.Fee.Less(answer.Fee) && !o.Most.Less(answer.Fee):
			return r.raise(ctx, o, answer.Fee)
		default:
			r.config.Log.Warn("a relayer refused an order", "relayer", relayer, "order", o.Order.OrderNonce, "fee_wei", o.Order.Fee.String(), "would_take_wei", answer.Fee.String(), "err", answer.Problem.Err())
			r.shun(relayer, r.config.Pace.RetryAfter)
		}
	}
	return nil
}

// raise signs the order anew for more; the chain takes one of the two. It leaves with the next look at what is out.
func (r *Recipient) raise(ctx context.Context, o RelayOrder, fee protocol.Wei) error {
	old := o.Digest
	o.Order.Fee, o.Raised = fee, true
	o, err := r.signOrder(o)
	if err != nil {
		return err
	}
	r.config.Log.Info("a relayer asks for more", "order", o.Order.OrderNonce, "fee_wei", fee.String())
	return r.store.Raise(ctx, old, o, r.now())
}

// orderFate takes an order that was handed out as far as the chain allows now, and says whether it is mined or over.
func (r *Recipient) orderFate(ctx context.Context, s Redemption, head uint64) (over bool, err error) {
	if s.Mined != nil {
		receipt, found, err := r.receipt(ctx, s.RelayTx)
		switch {
		case err != nil:
			return false, err
		case found && receipt.BlockHash == s.Mined.Hash:
			if head < receipt.Block+r.config.Confirmations {
				return true, nil
			}
			return true, r.finalise(ctx, receipt.of(s.Tx))
		case !found && head < s.Mined.Number: // the node is behind
			return true, nil
		}
		if err := r.reorganised(ctx, s); err != nil {
			return false, err
		}
	}
	o := s.Relay.Order
	ended, err := r.passedDeadline(ctx, o.Deadline, head) // read before the number: an order is used before its deadline or never
	if err != nil {
		return false, err
	}
	number, err := r.escrow.OrderNonce(ctx, r.self)
	if err != nil {
		return false, err
	}
	if number > o.OrderNonce {
		used, err := r.used(ctx, s)
		if used || err != nil {
			return used, err
		}
	}
	if !ended {
		if r.config.Relay != nil && number == o.OrderNonce && r.resend(s.Tx, r.now()) {
			return false, r.deliverOrder(ctx, *s.Relay)
		}
		return false, nil
	}
	// Its money may still turn out to have been paid: then the watermark is past the winners, and investigate finds by whom.
	r.config.Log.Warn("an order ended without being carried out", "order", o.OrderNonce, "winners", s.Winners)
	if relayers, err := r.relayers(s.Relay.Runs); err == nil && len(relayers) > 0 {
		r.shun(relayers[0], r.config.Pace.RetryAtMost)
	}
	r.forget(s.Tx, true)
	return true, r.store.Drop(ctx, s.Tx, r.now())
}

// passedDeadline reports whether a block past the deadline is as deep in the chain as must be.
func (r *Recipient) passedDeadline(ctx context.Context, deadline, head uint64) (bool, error) {
	h, err := r.config.Account.Client().HeadAt(ctx, head-min(head, r.config.Confirmations))
	return err == nil && h.Time > deadline, err
}

// used finds the transaction that carried an order out, and books it.
func (r *Recipient) used(ctx context.Context, s Redemption) (bool, error) {
	relays, err := r.escrow.Relays(ctx, r.self, s.Relay.FromBlock, s.Relay.Order.Deadline)
	if err != nil {
		return false, err
	}
	for _, x := range relays {
		if x.OrderNonce != s.Relay.Order.OrderNonce {
			continue
		}
		receipt, found, err := r.receipt(ctx, x.Tx)
		if err != nil || !found || receipt.failed {
			return false, err
		}
		done := receipt.of(s.Tx)
		done.fee = x.Fee
		if err := r.mined(ctx, done); err != nil {
			return false, err
		}
		head, err := r.config.Account.Client().BlockNumber(ctx) // it may be of a block that was not there before
		if err != nil || head < receipt.Block+r.config.Confirmations {
			return true, err
		}
		return true, r.finalise(ctx, done)
	}
	return false, nil
}

// credit books a winner that somebody else's transaction paid, once that is deep enough in the chain; until then, and while
// the node does not know who paid it, the winner waits.
func (r *Recipient) credit(ctx context.Context, m moment, w Winner) (s Settled, credited bool, err error) {
	life := r.config.TicketLifetime + r.config.Accept + time.Hour
	p, found, err := r.escrow.Passed(ctx, w.Ticket, w.Ticket.Expiry-min(w.Ticket.Expiry, uint64(life/time.Second)))
	if err != nil {
		return s, false, err
	}
	head, err := r.config.Account.Client().BlockNumber(ctx)
	if err != nil {
		return s, false, err
	}
	switch {
	case !found && w.Ticket.Expiry+uint64(lostAfter/time.Second) < m.confirmed: // no node will ever know more
		return Settled{Key: w.Key(), State: StateUnpayable, Reason: chain.NonceUsed.String()}, false, nil
	case !found || head < p.Block.Number+r.config.Confirmations:
		return r.putBack(w, chain.NonceUsed.String(), m.now), false, nil
	case !p.Paid:
		return Settled{Key: w.Key(), State: StateUnpayable, Reason: chain.NonceUsed.String()}, false, nil
	}
	receipt, mined, err := r.receipt(ctx, p.Tx)
	if err != nil || !mined {
		return r.putBack(w, chain.NonceUsed.String(), m.now), false, err
	}
	relays, err := r.escrow.RelaysIn(receipt.Receipt)
	if err != nil {
		return s, false, err
	}
	var fee protocol.Wei
	for _, x := range relays {
		if x.Recipient == r.self {
			fee = fee.Add(x.Fee)
		}
	}
	if err := r.store.Credit(ctx, p.Tx, BlockRef(p.Block), fee, w.Key(), m.now); err != nil {
		return s, false, err
	}
	r.took(w.Ticket.Payer, w.Ticket.FaceValue)
	r.forgetAllocations()
	r.config.Events(protocol.Event{At: m.now, Actor: r.self, Kind: protocol.TicketRedeemed, Counterparty: &w.Ticket.Payer, Wei: &w.Ticket.FaceValue, Count: 1, Tx: &p.Tx})
	r.config.Log.Info("a ticket was redeemed by another's transaction", "payer", w.Ticket.Payer, "lane", w.Ticket.Lane, "nonce", w.Ticket.TicketNonce, "wei", w.Ticket.FaceValue.String(), "tx", p.Tx)
	return s, true, nil
}

// lower is the first n winners of a lane's batch.
func (r *Recipient) lower(ctx context.Context, b laneBatch, n int) (half laneBatch, err error) {
	half = laneBatch{key: b.key, maxRuns: b.maxRuns}
	for _, w := range b.winners[:n] {
		if _, err := r.join(ctx, &half, w); err != nil {
			return half, err
		}
		half.value = half.value.Add(w.Ticket.FaceValue)
	}
	half.affordable = b.affordable.Mul(uint64(n)).Div(uint64(len(b.winners)))
	return half, nil
}

// check finds out that an order is one of its recipient's for these runs.
func (o SignedOrder) check(h *ticket.Hasher) (common.Hash, error) {
	if err := o.Order.Validate(); err != nil {
		return common.Hash{}, protocol.Errorf(protocol.BadRequest, "%w", err)
	}
	if hash := crypto.Keccak256(o.Runs); !bytes.Equal(hash, o.Order.RunsHash[:]) {
		return common.Hash{}, protocol.Errorf(protocol.BadRequest, "the runs have hash %x, the order is for %s", hash, o.Order.RunsHash)
	}
	digest := h.OrderDigest(o.Order)
	if err := o.Signature.Check(digest, o.Order.Recipient); err != nil {
		return digest, protocol.Errorf(protocol.BadSignature, "order: %w", err)
	}
	return digest, nil
}
