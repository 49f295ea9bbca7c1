package payment

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
)

// laneBatch is what of one lane goes into a transaction: its first winners, in runs of one set each.
type laneBatch struct {
	key        LaneKey
	winners    []Winner
	runs       []ticket.Run
	maxRuns    int
	value      protocol.Wei
	affordable protocol.Wei // what redeeming it may cost
}

// moment is what the chain says at the beginning of a look at the queue.
type moment struct {
	now         time.Time
	chainTime   uint64            // of the newest block
	confirmed   uint64            // of the newest that is final
	pausedUntil uint64            // the end of the escrow's last pause
	gasPrice    protocol.Wei      // wei per gas; zero: it does not matter
	open        map[LaneKey]int64 // lanes with a set that accepts
	funds       map[common.Address]purse
}

// redeem sends what can be redeemed now, what has the most to lose first, and says how many winners wait for cheaper gas, and
// whether the last transaction was full, so that more may be waiting.
func (r *Recipient) redeem(ctx context.Context, inFlight int) (paused uint64, full bool, err error) {
	if inFlight >= r.config.Pace.InFlight {
		return 0, false, nil
	}
	ready, open, count, err := r.readyLanes(ctx)
	if err != nil || len(ready) == 0 || inFlight > 0 && !r.fillsOne(count, ready) {
		return 0, false, err
	}
	m, err := r.look(ctx)
	m.open = open
	var dear *chain.TooDear
	if errors.As(err, &dear) {
		r.logPaused(count, dear.Error(), protocol.Wei{})
		return count, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	// A chain that makes a block for a transaction only has a clock that stands still: there this one says that a pause is over.
	if m.chainTime < m.pausedUntil && time.Now().Before(time.Unix(int64(m.pausedUntil), 0)) {
		r.logPaused(count, "the escrow is paused", protocol.Wei{})
		return count, false, nil
	}
	rank(ready, m.chainTime)
	var waits protocol.Wei
	r.relays.why = ""
	for {
		var lanes []laneBatch
		room, runs := r.config.Pace.BatchTickets, r.config.Pace.BatchRuns
		for room > 0 && runs > 0 && len(ready) > 0 {
			l := ready[0]
			ready, count = ready[1:], count-l.Count
			b, err := r.assemble(ctx, m, l.LaneKey, room, runs)
			if err != nil {
				return 0, false, err
			}
			if len(b.winners) == 0 {
				continue
			}
			if !m.gasPrice.IsZero() && b.affordable.Less(m.gasPrice.Mul(b.gas())) {
				paused += uint64(len(b.winners))
				waits = waits.Add(b.value)
				continue
			}
			lanes = append(lanes, b)
			room, runs = room-len(b.winners), runs-len(b.runs)
		}
		more, err := r.send(ctx, lanes)
		paused += more
		full = (room == 0 || runs == 0) && more == 0
		if err != nil {
			return paused, full, err
		}
		// The next lanes of the same look: a long queue is read once for all the transactions that may be under way.
		if inFlight++; !full || inFlight >= r.config.Pace.InFlight || !r.fillsOne(count, ready) {
			r.logPaused(paused, cmp.Or(r.relays.why, "it costs more than is allowed of what it pays"), waits)
			return paused, full, nil
		}
	}
}

// fillsOne reports whether so many winners on these lanes leave no room in a transaction.
func (r *Recipient) fillsOne(count uint64, lanes []WaitingLane) bool {
	return count >= uint64(r.config.Pace.BatchTickets) || len(lanes) >= r.config.Pace.BatchRuns
}

// readyLanes are the lanes whose first winner may be sent, and how many winners wait there. A secret may be shown only of a
// closed set, and while a lower winner is under way or could still come the higher ones wait: were they paid first, it never
// would be.
func (r *Recipient) readyLanes(ctx context.Context) (ready []WaitingLane, open map[LaneKey]int64, count uint64, err error) {
	lanes, err := r.store.Lanes(ctx)
	if err != nil || len(lanes) == 0 {
		return nil, nil, 0, err
	}
	if open, err = r.store.EarliestOpen(ctx); err != nil {
		return nil, nil, 0, err
	}
	now := r.now()
	for _, l := range lanes {
		earliest, accepts := open[l.LaneKey]
		if l.Submitted == 0 && l.SetClosed && !l.RedeemFrom.After(now) && !l.NotBefore.After(now) && !(accepts && earliest <= l.SetSerial) {
			ready = append(ready, l)
			count += l.Count
		}
	}
	return ready, open, count, nil
}

func (r *Recipient) look(ctx context.Context) (m moment, err error) {
	client := r.config.Account.Client()
	head, err := client.Head(ctx)
	if err != nil {
		return m, err
	}
	m = moment{now: r.now(), chainTime: head.Time, confirmed: head.Time, funds: map[common.Address]purse{}}
	if c := r.config.Confirmations; c > 0 {
		deep, err := client.HeadAt(ctx, head.Number-min(c, head.Number))
		if err != nil {
			return m, err
		}
		m.confirmed = deep.Time
	}
	pause, err := r.escrow.LastPause(ctx)
	if err != nil {
		return m, err
	}
	m.pausedUntil = pause.End
	if r.config.MaxGasPercent > 0 {
		m.gasPrice, err = r.config.Account.GasCost(ctx, 1)
	}
	return m, err
}

// assemble takes the first winners of a lane that the chain would pay at this moment, at most room in at most so many runs,
// and settles or postpones those that it would not.
func (r *Recipient) assemble(ctx context.Context, m moment, lane LaneKey, room, runs int) (b laneBatch, err error) {
	winners, err := r.store.Waiting(ctx, lane, room)
	if err != nil || len(winners) == 0 {
		return b, err
	}
	b.key, b.maxRuns = lane, runs
	earliest, accepts := m.open[lane]
	mark, err := r.escrow.Watermark(ctx, lane.Payer, r.self, lane.Lane)
	if err != nil {
		return b, err
	}
	left, known := m.funds[lane.Payer]
	if !known {
		if left, err = r.funds(ctx, lane.Payer); err != nil {
			return b, err
		}
	}
	var settled []Settled
take:
	for _, w := range winners {
		t := w.Ticket
		bySession := r.isBySession(t)
		payable, err := r.payableUntil(ctx, m, t.Expiry)
		if err != nil {
			return b, err
		}
		if w.State != StateWon || !w.SetClosed || w.RedeemFrom.After(m.now) || w.NotBefore.After(m.now) || accepts && earliest <= w.SetSerial {
			break
		}
		switch {
		case t.TicketNonce <= mark:
			s, over, err := r.investigate(ctx, m, w)
			if err != nil {
				return b, err
			}
			if over { // the next look sees the lane as it is then
				r.wakeUp()
				break take
			}
			settled = append(settled, s)
		case payable < m.confirmed:
			settled = append(settled, Settled{Key: w.Key(), State: StateExpired, Reason: chain.Expired.String()})
		case payable < m.chainTime:
			break take
		case !left.covers(t.FaceValue, bySession):
			settled = append(settled, r.putBack(w, chain.Underfunded.String(), m.now))
			break take
		default:
			joined, err := r.join(ctx, &b, w)
			if err != nil {
				return b, err
			}
			if !joined {
				break take
			}
			left = left.less(t.FaceValue, bySession)
			b.value = b.value.Add(t.FaceValue)
			until := time.Duration(payable-m.chainTime) * time.Second
			b.affordable = b.affordable.Add(affordable(t.FaceValue, r.config.MaxGasPercent, until, r.config.TicketLifetime))
		}
	}
	m.funds[lane.Payer] = left
	if len(settled) > 0 {
		if err := r.store.Settle(ctx, settled, m.now); err != nil {
			return b, err
		}
		r.logLost(settled)
	}
	return b, nil
}

// payableUntil is when a ticket with this expiry really ends: a pause that began before puts it off by its length.
func (r *Recipient) payableUntil(ctx context.Context, m moment, expiry uint64) (uint64, error) {
	if m.pausedUntil == 0 || expiry >= m.chainTime { // soon enough to ask when it has passed
		return expiry, nil
	}
	return r.escrow.PayableUntil(ctx, expiry)
}

// join adds a winner to the run of its set, or begins one. A second run on a lane must not be of a lower face value: should
// the payer's money shrink before the first run is mined, the second would be paid and burn what the first left.
func (r *Recipient) join(ctx context.Context, b *laneBatch, w Winner) (bool, error) {
	t := w.Ticket
	if n := len(b.runs) - 1; n >= 0 {
		last := &b.runs[n]
		first := last.Tickets[0].Ticket
		if first.SameSet(t.Ticket) {
			last.Tickets = append(last.Tickets, t)
			b.winners = append(b.winners, w)
			return true, nil
		}
		if t.FaceValue.Less(first.FaceValue) {
			return false, nil
		}
	}
	if len(b.runs) == b.maxRuns {
		return false, nil
	}
	secret, err := r.rand(ctx, Set{Seed: w.Seed, Payer: t.Payer, Lane: t.Lane, FaceValue: t.FaceValue, Expiry: t.Expiry})
	if err != nil {
		return false, err
	}
	// One ticket is worth the run: it pays the longest prefix it can, and leaves the rest for another day.
	b.runs = append(b.runs, ticket.Run{Tickets: []ticket.Signed{t}, RecipientRand: secret, MinPayout: t.FaceValue})
	b.winners = append(b.winners, w)
	return true, nil
}

// gas is what the lane adds to a transaction.
func (b laneBatch) gas() uint64 {
	return uint64(len(b.runs))*gasPerRun + uint64(len(b.winners))*gasPerTicket
}

// purse is what the payer can pay this side with.
type purse struct{ balance, allocated protocol.Wei }

// covers reports whether there is enough for a ticket: a session key's draws on the allocation alone.
func (p purse) covers(amount protocol.Wei, bySession bool) bool {
	if bySession {
		return !p.allocated.Less(amount)
	}
	return !p.balance.Add(p.allocated).Less(amount)
}

// less is what a ticket leaves that is covered. The payer's own takes the balance first.
func (p purse) less(amount protocol.Wei, bySession bool) purse {
	if !bySession {
		first := amount.Min(p.balance)
		p.balance, amount = p.balance.Sub(first), amount.Sub(first)
	}
	p.allocated = p.allocated.Sub(amount)
	return p
}

func (r *Recipient) funds(ctx context.Context, payer common.Address) (p purse, err error) {
	if p.balance, err = r.escrow.Balance(ctx, payer); err != nil {
		return p, err
	}
	a, err := r.escrow.Allocation(ctx, payer, r.self)
	p.allocated = a.Amount
	return p, err
}

// isBySession reports whether another key than the payer's signed a ticket that was accepted.
func (r *Recipient) isBySession(t ticket.Signed) bool {
	signer, err := r.hasher.Recover(t)
	return err == nil && signer != t.Payer
}

// errNotWorth stops a transaction that would cost more than its winners bear.
var errNotWorth = errors.New("the gas costs more than is allowed")

// send redeems lanes in one transaction. Where the chain would refuse all of it, it is halved until those are found that are
// to blame, so that they hold up nobody.
func (r *Recipient) send(ctx context.Context, lanes []laneBatch) (paused uint64, err error) {
	if len(lanes) == 0 {
		return 0, nil
	}
	runs, keys, value, most := gather(lanes)
	switch {
	case time.Now().Before(r.relays.from): // there was no gas, and nobody to relay
		r.relays.why = r.relays.waits
		return uint64(len(keys)), nil
	case r.config.RelayAlways && r.config.Relay != nil && r.relays.tries < alwaysTries:
		return r.relay(ctx, lanes, "this side does not send itself")
	}
	p, err := r.escrow.RedeemBatch(ctx, r.config.Account, runs, protocol.Wei{}, func(p chain.Prepared, bill chain.Bill) error {
		if r.config.MaxGasPercent > 0 && most.Less(bill.Expected) {
			return errNotWorth
		}
		return r.store.Submit(ctx, p, keys, r.now())
	})
	var refusal *chain.Revert
	var dear *chain.TooDear
	switch {
	case chain.IsNoGas(err) && (p.Tx == common.Hash{}):
		return r.relay(ctx, lanes, err.Error())
	case errors.Is(err, errNotWorth) || errors.As(err, &dear):
		return uint64(len(keys)), nil
	case errors.As(err, &refusal):
		return r.halve(ctx, lanes, refusal)
	case err != nil:
		return 0, err
	}
	r.resend(p.Tx, r.now())
	r.relays.tries = 0 // the next redemption asks relayers again
	r.config.Log.Info("redemption sent", "tx", p.Tx, "tx_nonce", p.TxNonce, "tickets", len(keys), "runs", len(runs), "wei", value.String())
	return 0, nil
}

// halve sends the two halves of a batch that the chain would not pay. Of one lane it sends the lower half, since the upper
// may not go first.
func (r *Recipient) halve(ctx context.Context, lanes []laneBatch, refusal *chain.Revert) (paused uint64, err error) {
	if n := len(lanes); n > 1 {
		low, err := r.send(ctx, lanes[:n/2])
		if err != nil {
			return low, err
		}
		high, err := r.send(ctx, lanes[n/2:])
		return low + high, err
	}
	if n := len(lanes[0].winners); n > 1 {
		half, err := r.lower(ctx, lanes[0], n/2)
		if err != nil {
			return 0, err
		}
		return r.send(ctx, []laneBatch{half})
	}
	return 0, r.diagnose(ctx, lanes[0], refusal)
}

// diagnose settles or postpones the one winner that a transaction was refused for.
func (r *Recipient) diagnose(ctx context.Context, b laneBatch, refusal *chain.Revert) error {
	w, now := b.winners[0], r.now()
	reason, err := r.escrow.Diagnose(ctx, w.Ticket, b.runs[0].RecipientRand)
	if err != nil {
		return err
	}
	s := r.refused(w, reason, now)
	if reason == chain.RefusalNone { // what refused it has changed meanwhile
		s = r.putBack(w, refusal.Name, now)
	}
	if err := r.store.Settle(ctx, []Settled{s}, now); err != nil {
		return err
	}
	r.logLost([]Settled{s})
	r.config.Log.Warn("the chain would not pay a winner", "payer", b.key.Payer, "lane", b.key.Lane, "nonce", w.Ticket.TicketNonce, "reason", reason.String(), "refusal", refusal.Error())
	return nil
}

// investigate finds out what became of a winner whose nonce the chain has passed: a transaction of ours that was believed
// lost may have paid it, or one of a relayer. found: that is written down now. Else it says where the winner goes.
func (r *Recipient) investigate(ctx context.Context, m moment, w Winner) (s Settled, found bool, err error) {
	attempts, err := r.store.Attempts(ctx, w.Key())
	if err != nil {
		return s, false, err
	}
	for _, tx := range attempts {
		o, mined, err := r.receipt(ctx, tx)
		if err != nil || !mined || o.failed {
			if err != nil {
				return s, false, err
			}
			continue
		}
		paid, _, err := r.escrow.Runs(o.Receipt, r.self)
		if err != nil {
			return s, false, err
		}
		for _, p := range paid {
			if p.Payer == w.Ticket.Payer && p.Lane == w.Ticket.Lane && p.LastNonce >= w.Ticket.TicketNonce {
				return s, true, r.mined(ctx, o)
			}
		}
	}
	return r.credit(ctx, m, w)
}
