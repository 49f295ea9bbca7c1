package ledger

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
)

const winnerColumns = `SELECT w.ticket, w.state, w.tx, w.not_before, w.tries, w.set_serial, s.seed, s.state, s.redeem_from
	FROM recipient_winners w JOIN recipient_sets s ON s.serial = w.set_serial`

func winner(r Rows) (w payment.Winner, err error) {
	var raw, tx, seed []byte
	var state, set string
	var notBefore, tries, redeem int64
	if err := r.Scan(&raw, &state, &tx, &notBefore, &tries, &w.SetSerial, &seed, &set, &redeem); err != nil {
		return w, err
	}
	copy(w.Seed[:], seed)
	w.State, w.Tx, w.NotBefore = payment.WinnerState(state), common.BytesToHash(tx), moment(notBefore)
	w.Tries, w.SetClosed, w.RedeemFrom = int(tries), set == "closed", moment(redeem)
	return w, json.Unmarshal(raw, &w.Ticket)
}

// Pending implements payment.Store.
func (l *Ledger) Pending(ctx context.Context) (out []payment.Winner, err error) {
	err = l.tx(ctx, "list winners", func(c Conn) error {
		out, err = all(ctx, c, winner, winnerColumns+` WHERE w.state IN ('won', 'submitted') ORDER BY w.payer, w.lane, w.nonce`)
		return err
	})
	return out, err
}

// Winners implements payment.Store.
func (l *Ledger) Winners(ctx context.Context, limit int) (out []payment.Record, err error) {
	if limit <= 0 {
		limit = math.MaxInt
	}
	err = l.tx(ctx, "list winners", func(c Conn) error {
		out, err = all(ctx, c, func(r Rows) (x payment.Record, err error) {
			var raw, tx []byte
			var state, set string
			var wonAt, notBefore, redeem int64
			var settledAt *int64
			if err := r.Scan(&raw, &state, &x.Reason, &tx, &wonAt, &settledAt, &notBefore, &x.SetSerial, &set, &redeem, &x.Stream); err != nil {
				return x, err
			}
			x.State, x.Tx, x.WonAt, x.NotBefore = payment.WinnerState(state), common.BytesToHash(tx), moment(wonAt), moment(notBefore)
			x.SetClosed, x.RedeemFrom = set == "closed", moment(redeem)
			if settledAt != nil {
				x.SettledAt = moment(*settledAt)
			}
			return x, json.Unmarshal(raw, &x.Ticket)
		}, `SELECT w.ticket, w.state, w.reason, COALESCE(r.relay_tx, w.tx), w.won_at, w.settled_at, w.not_before, w.set_serial, s.state, s.redeem_from, l.stream
			FROM recipient_winners w LEFT JOIN recipient_redemptions r ON r.tx = w.tx JOIN recipient_sets s ON s.serial = w.set_serial
			JOIN recipient_lanes l ON l.payer = w.payer AND l.lane = w.lane
			ORDER BY w.won_at DESC, w.payer, w.lane, w.nonce DESC LIMIT $1`, int64(limit))
		return err
	})
	return out, err
}

// Lanes implements payment.Store.
func (l *Ledger) Lanes(ctx context.Context) (out []payment.WaitingLane, err error) {
	err = l.tx(ctx, "list lanes", func(c Conn) error {
		out, err = all(ctx, c, func(r Rows) (x payment.WaitingLane, err error) {
			var payer []byte
			var lane, count, submitted, expiry, notBefore, redeem int64
			var set string
			err = r.Scan(&payer, &lane, &count, &submitted, &expiry, &x.FaceValue, &notBefore, &x.SetSerial, &set, &redeem)
			x.LaneKey = payment.LaneKey{Payer: address(payer), Lane: uint16(lane)}
			x.Count, x.Submitted, x.Expiry, x.NotBefore = uint64(count), uint64(submitted), uint64(expiry), moment(notBefore)
			x.SetClosed, x.RedeemFrom = set == "closed", moment(redeem)
			return x, err
		}, `SELECT q.payer, q.lane, q.count, q.submitted, q.expiry, CAST(w.face_value AS text), w.not_before,
			w.set_serial, s.state, s.redeem_from FROM (SELECT payer, lane, COUNT(*) AS count, SUM(CASE WHEN state = 'submitted' THEN 1 ELSE 0 END) AS submitted,
				MIN(expiry) AS expiry, MIN(nonce) AS first FROM recipient_winners WHERE state IN ('won', 'submitted') GROUP BY payer, lane) q
			JOIN recipient_winners w ON w.payer = q.payer AND w.lane = q.lane AND w.nonce = q.first
			JOIN recipient_sets s ON s.serial = w.set_serial ORDER BY q.payer, q.lane`)
		return err
	})
	return out, err
}

// Waiting implements payment.Store.
func (l *Ledger) Waiting(ctx context.Context, k payment.LaneKey, limit int) (out []payment.Winner, err error) {
	err = l.tx(ctx, "list winners of a lane", func(c Conn) error {
		out, err = all(ctx, c, winner, winnerColumns+` WHERE w.payer = $1 AND w.lane = $2 AND w.state IN ('won', 'submitted') ORDER BY w.nonce LIMIT $3`,
			k.Payer[:], int64(k.Lane), int64(limit))
		return err
	})
	return out, err
}

// Submit implements payment.Store.
func (l *Ledger) Submit(ctx context.Context, p chain.Prepared, winners []payment.WinnerKey, now time.Time) error {
	return l.tx(ctx, "write redemption down", func(c Conn) error {
		if err := insertRedemption(ctx, c, p, now); err != nil {
			return err
		}
		for _, x := range spans(winners) { // a lane's winners go in the order of their nonces, without leaving one out
			n, err := c.Exec(ctx, `UPDATE recipient_winners SET state = 'submitted', tx = $1
				WHERE payer = $2 AND lane = $3 AND nonce BETWEEN $4 AND $5 AND state = 'won'`, p.Tx[:], x.lane.Payer[:], int64(x.lane.Lane), x.low, x.high)
			if err == nil && n != x.count {
				err = fmt.Errorf("%d of the %d winners from %d to %d of lane %d are won", n, x.count, x.low, x.high, x.lane.Lane)
			}
			if err != nil {
				return err
			}
		}
		_, err := c.Exec(ctx, `INSERT INTO recipient_redemption_winners (payer, lane, nonce, tx)
			SELECT payer, lane, nonce, tx FROM recipient_winners WHERE tx = $1 AND state = 'submitted'`, p.Tx[:])
		return err
	})
}

// span is part of a lane.
type span struct {
	lane             payment.LaneKey
	low, high, count int64
}

// spans joins neighbours in keys that are of one lane.
func spans(keys []payment.WinnerKey) (out []span) {
	for _, k := range keys {
		nonce := int64(k.TicketNonce)
		if n := len(out) - 1; n >= 0 && out[n].lane == k.LaneKey {
			x := &out[n]
			x.low, x.high, x.count = min(x.low, nonce), max(x.high, nonce), x.count+1
			continue
		}
		out = append(out, span{k.LaneKey, nonce, nonce, 1})
	}
	return out
}

func insertRedemption(ctx context.Context, c Conn, p chain.Prepared, now time.Time) error {
	return must(c.Exec(ctx, `INSERT INTO recipient_redemptions (tx, tx_nonce, raw, submitted_at) VALUES ($1, $2, $3, $4)`,
		p.Tx[:], int64(p.TxNonce), p.Raw, millis(now)))
}

func hashOf(r Rows) (common.Hash, error) {
	var tx []byte
	err := r.Scan(&tx)
	return common.BytesToHash(tx), err
}

// Sent implements payment.Store.
func (l *Ledger) Sent(ctx context.Context) (out []payment.Redemption, err error) {
	err = l.tx(ctx, "list redemptions", func(c Conn) error {
		out, err = all(ctx, c, func(r Rows) (x payment.Redemption, err error) {
			var tx, blockHash, relayTx []byte
			var nonce, at, count int64
			var block *int64
			var state string
			err = r.Scan(&tx, &nonce, &x.Raw, &at, &state, &block, &blockHash, &relayTx, &count)
			if err == nil && nonce < 0 {
				x.Relay = &payment.RelayOrder{}
				err = json.Unmarshal(x.Raw, x.Relay)
				x.RelayTx = common.BytesToHash(relayTx)
			}
			x.Tx, x.TxNonce, x.SubmittedAt, x.Winners = common.BytesToHash(tx), uint64(nonce), moment(at), uint64(count)
			if state == "mined" && block != nil {
				x.Mined = &payment.BlockRef{Number: uint64(*block), Hash: common.BytesToHash(blockHash)}
			}
			return x, err
		}, `SELECT tx, tx_nonce, raw, submitted_at, state, block, block_hash, relay_tx,
			(SELECT COUNT(*) FROM recipient_redemption_winners b WHERE b.tx = r.tx)
			FROM recipient_redemptions r WHERE state IN ('sent', 'mined') ORDER BY tx_nonce`)
		if err != nil {
			return err
		}
		for i := range out {
			x := &out[i]
			x.Replaced, err = all(ctx, c, hashOf, `SELECT tx FROM recipient_redemptions WHERE state = 'replaced' AND tx_nonce = $1 ORDER BY submitted_at`, int64(x.TxNonce))
			if err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// Batch implements payment.Store.
func (l *Ledger) Batch(ctx context.Context, tx common.Hash) (out []payment.Winner, err error) {
	err = l.tx(ctx, "list winners of a redemption", func(c Conn) error {
		out, err = all(ctx, c, winner, winnerColumns+` JOIN recipient_redemption_winners b ON b.payer = w.payer AND b.lane = w.lane AND b.nonce = w.nonce
			WHERE b.tx = $1 ORDER BY w.payer, w.lane, w.nonce`, tx[:])
		return err
	})
	return out, err
}

// Attempts implements payment.Store.
func (l *Ledger) Attempts(ctx context.Context, k payment.WinnerKey) (out []common.Hash, err error) {
	err = l.tx(ctx, "list redemptions of a winner", func(c Conn) error {
		out, err = all(ctx, c, hashOf, `SELECT tx FROM recipient_redemption_winners WHERE payer = $1 AND lane = $2 AND nonce = $3`,
			k.Payer[:], int64(k.Lane), int64(k.TicketNonce))
		return err
	})
	return out, err
}

// TxNonceFloor implements payment.Store.
func (l *Ledger) TxNonceFloor(ctx context.Context) (floor uint64, err error) {
	err = l.tx(ctx, "read the highest TxNonce", func(c Conn) error {
		var highest *int64
		_, err := one(ctx, c, `SELECT MAX(tx_nonce) FROM recipient_redemptions WHERE state IN ('mined', 'final') AND tx_nonce >= 0`, nil, &highest)
		floor = 0
		if highest != nil {
			floor = uint64(*highest) + 1
		}
		return err
	})
	return floor, err
}

// Replace implements payment.Store.
func (l *Ledger) Replace(ctx context.Context, old common.Hash, p chain.Prepared, now time.Time) error {
	return l.tx(ctx, "replace redemption", func(c Conn) error {
		if err := must(c.Exec(ctx, `UPDATE recipient_redemptions SET state = 'replaced' WHERE tx = $1 AND state = 'sent'`, old[:])); err != nil {
			return err
		}
		if err := insertRedemption(ctx, c, p, now); err != nil {
			return err
		}
		if _, err := c.Exec(ctx, `INSERT INTO recipient_redemption_winners (payer, lane, nonce, tx)
			SELECT payer, lane, nonce, $1 FROM recipient_redemption_winners WHERE tx = $2`, p.Tx[:], old[:]); err != nil {
			return err
		}
		_, err := c.Exec(ctx, `UPDATE recipient_winners SET tx = $1 WHERE tx = $2 AND state = 'submitted'`, p.Tx[:], old[:])
		return err
	})
}

// Mine implements payment.Store.
func (l *Ledger) Mine(ctx context.Context, tx common.Hash, at payment.BlockRef, gas protocol.Wei, paid []payment.WinnerKey, rest []payment.Settled, now time.Time) error {
	return l.tx(ctx, "note mined redemption", func(c Conn) error { return l.mine(ctx, c, tx, at, gas, paid, rest, now) })
}

func (l *Ledger) mine(ctx context.Context, c Conn, tx common.Hash, at payment.BlockRef, gas protocol.Wei, paid []payment.WinnerKey, rest []payment.Settled, now time.Time) error {
	var nonce int64
	found, err := one(ctx, c, `SELECT tx_nonce FROM recipient_redemptions WHERE tx = $1 AND state NOT IN ('mined', 'final')`+l.db.Lock(), []any{tx[:]}, &nonce)
	if err != nil || !found { // noted before
		return err
	}
	// The others with its TxNonce can no longer be mined; what was submitted with them is decided by this one.
	if _, err := c.Exec(ctx, `UPDATE recipient_redemptions SET state = 'replaced' WHERE tx_nonce = $1 AND state = 'sent'`, nonce); err != nil {
		return err
	}
	if _, err := c.Exec(ctx, `UPDATE recipient_winners SET tx = $1 WHERE state = 'submitted'
			AND tx IN (SELECT tx FROM recipient_redemptions WHERE tx_nonce = $2 AND state = 'replaced')`, tx[:], nonce); err != nil {
		return err
	}
	if err := must(c.Exec(ctx, `UPDATE recipient_redemptions SET state = 'mined', gas_wei = $2, block = $3, block_hash = $4 WHERE tx = $1`,
		tx[:], gas.String(), int64(at.Number), at.Hash[:])); err != nil {
		return err
	}
	for _, x := range spans(paid) { // also those that were put back, or even sent again, while nobody knew of this
		if _, err := c.Exec(ctx, `UPDATE recipient_winners SET state = 'mined', tx = $1, reason = '' WHERE payer = $2 AND lane = $3 AND nonce BETWEEN $4 AND $5
				AND state IN ('won', 'submitted') AND EXISTS (SELECT 1 FROM recipient_redemption_winners b WHERE b.tx = $1
				AND b.payer = recipient_winners.payer AND b.lane = recipient_winners.lane AND b.nonce = recipient_winners.nonce)`,
			tx[:], x.lane.Payer[:], int64(x.lane.Lane), x.low, x.high); err != nil {
			return err
		}
	}
	if err := l.settle(ctx, c, payment.StateSubmitted, tx, rest, now); err != nil {
		return err
	}
	// Winners of another transaction that was to have this TxNonce.
	_, err = c.Exec(ctx, `UPDATE recipient_winners SET state = 'won', tx = NULL, reason = 'dropped' WHERE tx = $1 AND state = 'submitted'`, tx[:])
	return err
}

// Unmine implements payment.Store.
func (l *Ledger) Unmine(ctx context.Context, tx common.Hash) error {
	return l.tx(ctx, "take mined redemption back", func(c Conn) error {
		n, err := c.Exec(ctx, `UPDATE recipient_redemptions SET state = 'sent', gas_wei = '0', fee_wei = '0', relay_tx = NULL, block = NULL, block_hash = NULL WHERE tx = $1 AND state = 'mined'`, tx[:])
		if err != nil || n == 0 {
			return err
		}
		_, err = c.Exec(ctx, `UPDATE recipient_winners SET state = 'submitted' WHERE tx = $1 AND state = 'mined'`, tx[:])
		return err
	})
}

// Finalise implements payment.Store.
func (l *Ledger) Finalise(ctx context.Context, tx common.Hash, now time.Time) error {
	return l.tx(ctx, "finalise redemption", func(c Conn) error {
		n, err := c.Exec(ctx, `UPDATE recipient_redemptions SET state = 'final' WHERE tx = $1 AND state = 'mined'`, tx[:])
		if err != nil || n == 0 {
			return err
		}
		paid, err := all(ctx, c, winner, winnerColumns+` WHERE w.tx = $1 AND w.state = 'mined' ORDER BY w.payer, w.lane, w.nonce`, tx[:])
		if err != nil {
			return err
		}
		if _, err := c.Exec(ctx, `UPDATE recipient_winners SET state = 'final', settled_at = $1 WHERE tx = $2 AND state = 'mined'`, millis(now), tx[:]); err != nil {
			return err
		}
		return l.count(ctx, c, "redeemed", paid)
	})
}

// Drop implements payment.Store.
func (l *Ledger) Drop(ctx context.Context, tx common.Hash, now time.Time) error {
	return l.tx(ctx, "drop redemption", func(c Conn) error {
		n, err := c.Exec(ctx, `UPDATE recipient_redemptions SET state = 'dropped' WHERE tx = $1 AND state = 'sent'`, tx[:])
		if err != nil || n == 0 {
			return err
		}
		_, err = c.Exec(ctx, `UPDATE recipient_winners SET state = 'won', tx = NULL, reason = 'dropped', not_before = $2 WHERE tx = $1 AND state = 'submitted'`,
			tx[:], millis(now))
		return err
	})
}

// Settle implements payment.Store.
func (l *Ledger) Settle(ctx context.Context, settled []payment.Settled, now time.Time) error {
	return l.tx(ctx, "settle winners", func(c Conn) error {
		return l.settle(ctx, c, payment.StateWon, common.Hash{}, settled, now)
	})
}

// settle moves winners out of the state from: won, or submitted with tx.
func (l *Ledger) settle(ctx context.Context, c Conn, from payment.WinnerState, tx common.Hash, settled []payment.Settled, now time.Time) error {
	var lost []payment.Winner
	for _, s := range settled {
		where, key := ` WHERE payer = $1 AND lane = $2 AND nonce = $3 AND state = 'won'`, []any{s.Key.Payer[:], int64(s.Key.Lane), int64(s.Key.TicketNonce), s.Reason}
		if from == payment.StateSubmitted {
			where = ` WHERE payer = $1 AND lane = $2 AND nonce = $3 AND state = 'submitted' AND tx = $6`
		}
		args := func(extra ...any) []any {
			if from == payment.StateSubmitted {
				extra = append(extra, tx[:])
			}
			return append(key, extra...)
		}
		if s.State == payment.StateWon {
			if _, err := c.Exec(ctx, `UPDATE recipient_winners SET state = 'won', tx = NULL, reason = $4, not_before = $5, tries = tries + 1`+where,
				args(millis(s.NotBefore))...); err != nil {
				return err
			}
			continue
		}
		n, err := c.Exec(ctx, `UPDATE recipient_winners SET state = '`+string(s.State)+`', reason = $4, settled_at = $5`+where, args(millis(now))...)
		if err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		w, err := all(ctx, c, winner, winnerColumns+` WHERE w.payer = $1 AND w.lane = $2 AND w.nonce = $3`, key[:3]...)
		if err != nil {
			return err
		}
		lost = append(lost, w...)
	}
	return l.count(ctx, c, "lost", lost)
}

// count adds settled winners to their lanes' totals, whose columns are named.
func (l *Ledger) count(ctx context.Context, c Conn, column string, winners []payment.Winner) error {
	slices.SortFunc(winners, func(a, b payment.Winner) int { // lanes are locked in one order everywhere
		return cmp.Or(bytes.Compare(a.Ticket.Payer[:], b.Ticket.Payer[:]), cmp.Compare(a.Ticket.Lane, b.Ticket.Lane))
	})
	for at := 0; at < len(winners); {
		lane, sum, end := winners[at].Key().LaneKey, protocol.Wei{}, at
		for ; end < len(winners) && winners[end].Key().LaneKey == lane; end++ {
			sum = sum.Add(winners[end].Ticket.FaceValue)
		}
		key := []any{lane.Payer[:], int64(lane.Lane)}
		var count int64
		var total protocol.Wei
		found, err := one(ctx, c, `SELECT `+column+`, CAST(`+column+`_wei AS text) FROM recipient_lanes WHERE payer = $1 AND lane = $2`+l.db.Lock(), key, &count, &total)
		if err != nil || !found {
			return errors.Join(err, missing(found, "lane"))
		}
		if err := must(c.Exec(ctx, `UPDATE recipient_lanes SET `+column+` = $3, `+column+`_wei = $4 WHERE payer = $1 AND lane = $2`,
			append(key, count+int64(end-at), total.Add(sum).String())...)); err != nil {
			return err
		}
		at = end
	}
	return nil
}
