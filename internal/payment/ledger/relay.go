package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
)

// unknownNonce stands for the TxNonce of a redemption that somebody else sent.
const unknownNonce = math.MinInt64

// orderNonce is where an order stands among TxNonces: below them all, and no two of one number.
func orderNonce(number uint64) (int64, error) {
	if number >= math.MaxInt64 {
		return 0, fmt.Errorf("order number %d is too high", number)
	}
	return -1 - int64(number), nil
}

// pseudo is an order as a redemption is written down.
func pseudo(o payment.RelayOrder) (chain.Prepared, error) {
	raw, err := json.Marshal(o)
	if err != nil {
		return chain.Prepared{}, fmt.Errorf("write order: %w", err)
	}
	nonce, err := orderNonce(o.Order.OrderNonce)
	return chain.Prepared{Tx: o.Digest, TxNonce: uint64(nonce), Raw: raw}, err
}

// HandOut implements payment.Store.
func (l *Ledger) HandOut(ctx context.Context, o payment.RelayOrder, winners []payment.WinnerKey, now time.Time) error {
	p, err := pseudo(o)
	if err != nil {
		return err
	}
	return l.Submit(ctx, p, winners, now)
}

// Raise implements payment.Store.
func (l *Ledger) Raise(ctx context.Context, old common.Hash, o payment.RelayOrder, now time.Time) error {
	p, err := pseudo(o)
	if err != nil {
		return err
	}
	return l.Replace(ctx, old, p, now)
}

// MineRelayed implements payment.Store.
func (l *Ledger) MineRelayed(ctx context.Context, order, tx common.Hash, at payment.BlockRef, fee protocol.Wei, paid []payment.WinnerKey, rest []payment.Settled, now time.Time) error {
	return l.tx(ctx, "note relayed redemption", func(c Conn) error {
		if err := l.mine(ctx, c, order, at, protocol.Wei{}, paid, rest, now); err != nil {
			return err
		}
		_, err := c.Exec(ctx, `UPDATE recipient_redemptions SET fee_wei = $2, relay_tx = $3 WHERE tx = $1 AND state = 'mined'`, order[:], fee.String(), tx[:])
		return err
	})
}

// Credit implements payment.Store.
func (l *Ledger) Credit(ctx context.Context, tx common.Hash, at payment.BlockRef, fee protocol.Wei, paid payment.WinnerKey, now time.Time) error {
	return l.tx(ctx, "credit a winner that others redeemed", func(c Conn) error {
		if _, err := c.Exec(ctx, `INSERT INTO recipient_redemptions (tx, tx_nonce, raw, submitted_at, state, block, block_hash, fee_wei)
			VALUES ($1, $2, $3, $4, 'final', $5, $6, $7) ON CONFLICT (tx) DO NOTHING`,
			tx[:], int64(unknownNonce), []byte{}, millis(now), int64(at.Number), at.Hash[:], fee.String()); err != nil {
			return err
		}
		key := []any{paid.Payer[:], int64(paid.Lane), int64(paid.TicketNonce)}
		n, err := c.Exec(ctx, `UPDATE recipient_winners SET state = 'final', tx = $4, reason = '', settled_at = $5
			WHERE payer = $1 AND lane = $2 AND nonce = $3 AND state = 'won'`, append(key, tx[:], millis(now))...)
		if err != nil || n == 0 {
			return err
		}
		if _, err := c.Exec(ctx, `INSERT INTO recipient_redemption_winners (payer, lane, nonce, tx) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
			append(key, tx[:])...); err != nil {
			return err
		}
		w, err := all(ctx, c, winner, winnerColumns+` WHERE w.payer = $1 AND w.lane = $2 AND w.nonce = $3`, key...)
		if err != nil {
			return err
		}
		return l.count(ctx, c, "redeemed", w)
	})
}
