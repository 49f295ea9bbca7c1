package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
)

const winnerColumns = `SELECT w.ticket, w.state, w.tx, w.not_before, w.set_serial, s.seed, s.state, s.redeem_from
	FROM recipient_winners w JOIN recipient_sets s ON s.serial = w.set_serial`

func winner(r Rows) (w payment.Winner, err error) {
	var raw, tx, seed []byte
	var state, set string
	var notBefore, redeem int64
	if err := r.Scan(&raw, &state, &tx, &notBefore, &w.SetSerial, &seed, &set, &redeem); err != nil {
		return w, err
	}
	copy(w.Seed[:], seed)
	w.State, w.Tx, w.NotBefore = payment.WinnerState(state), common.BytesToHash(tx), moment(notBefore)
	w.SetClosed, w.RedeemFrom = set == "closed", moment(redeem)
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

// Submit implements payment.Store.
func (l *Ledger) Submit(ctx context.Context, p chain.Prepared, winners []payment.WinnerKey, now time.Time) error {
	return l.tx(ctx, "write redemption down", func(c Conn) error {
		if err := insertRedemption(ctx, c, p, now); err != nil {
			return err
		}
		for _, k := range winners {
			err := must(c.Exec(ctx, `UPDATE recipient_winners SET state = 'submitted', tx = $1 WHERE payer = $2 AND lane = $3 AND nonce = $4 AND state = 'won'`,
				p.Tx[:], k.Payer[:], int64(k.Lane), int64(k.TicketNonce)))
			if err != nil {
				return fmt.Errorf("winner %d of lane %d: %w", k.TicketNonce, k.Lane, err)
			}
		}
		return nil
	})
}

func insertRedemption(ctx context.Context, c Conn, p chain.Prepared, now time.Time) error {
	return must(c.Exec(ctx, `INSERT INTO recipient_redemptions (tx, tx_nonce, raw, submitted_at) VALUES ($1, $2, $3, $4)`,
		p.Tx[:], int64(p.TxNonce), p.Raw, millis(now)))
}

// Sent implements payment.Store.
func (l *Ledger) Sent(ctx context.Context) (out []payment.Redemption, err error) {
	err = l.tx(ctx, "list redemptions", func(c Conn) error {
		out, err = all(ctx, c, func(r Rows) (x payment.Redemption, err error) {
			var tx []byte
			var nonce, at int64
			err = r.Scan(&tx, &nonce, &x.Raw, &at)
			x.Tx, x.TxNonce, x.SubmittedAt = common.BytesToHash(tx), uint64(nonce), moment(at)
			return x, err
		}, `SELECT tx, tx_nonce, raw, submitted_at FROM recipient_redemptions WHERE state = 'sent' ORDER BY tx_nonce`)
		if err != nil {
			return err
		}
		for i := range out {
			x := &out[i]
			if x.Winners, err = all(ctx, c, winner, winnerColumns+` WHERE w.state = 'submitted' AND w.tx = $1 ORDER BY w.payer, w.lane, w.nonce`, x.Tx[:]); err != nil {
				return err
			}
			x.Replaced, err = all(ctx, c, func(r Rows) (common.Hash, error) {
				var tx []byte
				err := r.Scan(&tx)
				return common.BytesToHash(tx), err
			}, `SELECT tx FROM recipient_redemptions WHERE state = 'replaced' AND tx_nonce = $1`, int64(x.TxNonce))
			if err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// Replace implements payment.Store.
func (l *Ledger) Replace(ctx context.Context, old common.Hash, p chain.Prepared, now time.Time) error {
	return l.tx(ctx, "replace redemption", func(c Conn) error {
		if err := insertRedemption(ctx, c, p, now); err != nil {
			return err
		}
		if err := must(c.Exec(ctx, `UPDATE recipient_redemptions SET state = 'replaced' WHERE tx = $1 AND state = 'sent'`, old[:])); err != nil {
			return err
		}
		_, err := c.Exec(ctx, `UPDATE recipient_winners SET tx = $1 WHERE tx = $2 AND state = 'submitted'`, p.Tx[:], old[:])
		return err
	})
}

// Resolve implements payment.Store.
func (l *Ledger) Resolve(ctx context.Context, tx common.Hash, mined bool, gas protocol.Wei, settled []payment.Settled, now time.Time) error {
	state := "dropped"
	if mined {
		state = "mined"
	}
	return l.tx(ctx, "settle redemption", func(c Conn) error {
		n, err := c.Exec(ctx, `UPDATE recipient_redemptions SET state = $1, gas_wei = $2 WHERE tx = $3 AND state IN ('sent', 'replaced')`, state, gas.String(), tx[:])
		if err != nil || n == 0 { // settled before
			return err
		}
		return l.settle(ctx, c, payment.StateSubmitted, settled, now)
	})
}

// Settle implements payment.Store.
func (l *Ledger) Settle(ctx context.Context, settled []payment.Settled, now time.Time) error {
	return l.tx(ctx, "settle winners", func(c Conn) error { return l.settle(ctx, c, payment.StateWon, settled, now) })
}

// settle moves winners out of the state from.
func (l *Ledger) settle(ctx context.Context, c Conn, from payment.WinnerState, settled []payment.Settled, now time.Time) error {
	for _, s := range settled {
		key := []any{s.Key.Payer[:], int64(s.Key.Lane), int64(s.Key.TicketNonce)}
		if s.State == payment.StateWon {
			if _, err := c.Exec(ctx, `UPDATE recipient_winners SET state = 'won', tx = NULL, not_before = $4 WHERE payer = $1 AND lane = $2 AND nonce = $3 AND state = $5`,
				append(key, millis(s.NotBefore), string(from))...); err != nil {
				return err
			}
			continue
		}
		n, err := c.Exec(ctx, `UPDATE recipient_winners SET state = $4, reason = $5, settled_at = $6 WHERE payer = $1 AND lane = $2 AND nonce = $3 AND state = $7`,
			append(key, string(s.State), s.Reason, millis(now), string(from))...)
		if err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		if err := l.countSettled(ctx, c, s, key); err != nil {
			return err
		}
	}
	return nil
}

// countSettled adds a settled winner to its lane's totals.
func (l *Ledger) countSettled(ctx context.Context, c Conn, s payment.Settled, key []any) error {
	var amount protocol.Wei
	found, err := one(ctx, c, `SELECT CAST(face_value AS text) FROM recipient_winners WHERE payer = $1 AND lane = $2 AND nonce = $3`, key, &amount)
	if err != nil || !found {
		return errors.Join(err, missing(found, "winner"))
	}
	var count int64
	var total protocol.Wei
	column := "lost"
	if s.State == payment.StateRedeemed {
		column = "redeemed"
	}
	found, err = one(ctx, c, `SELECT `+column+`, CAST(`+column+`_wei AS text) FROM recipient_lanes WHERE payer = $1 AND lane = $2`+l.db.Lock(), key[:2], &count, &total)
	if err != nil || !found {
		return errors.Join(err, missing(found, "lane"))
	}
	return must(c.Exec(ctx, `UPDATE recipient_lanes SET `+column+` = $3, `+column+`_wei = $4 WHERE payer = $1 AND lane = $2`,
		append(key[:2:2], count+1, total.Add(amount).String())...))
}
