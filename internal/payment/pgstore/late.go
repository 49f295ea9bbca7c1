package pgstore

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/jackc/pgx/v5"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
)

// maxSettled is how many orders one settlement pays.
const maxSettled = 400

// Late implements payment.PayerStore.
func (p payer) Late(ctx context.Context, limit int) ([]payment.LateOrder, error) {
	return collect(ctx, p, "list late orders", func(r pgx.CollectableRow) (o payment.LateOrder, err error) {
		var recipient, attempt, raw []byte
		if err := r.Scan(&recipient, &attempt, &o.Fee, &raw); err != nil {
			return o, err
		}
		o.Recipient = common.BytesToAddress(recipient)
		copy(o.Attempt[:], attempt)
		return o, json.Unmarshal(raw, &o.Ticket)
	}, `SELECT recipient, attempt, CAST(fee AS text), ticket FROM (SELECT *, row_number() OVER (PARTITION BY recipient ORDER BY ordered_at, attempt) AS place
		FROM payer_orders o WHERE kind = 'ticket' AND state = 'refused' AND code = 'ticket_set_closed' AND settle_nonce IS NULL
		AND NOT EXISTS (SELECT FROM payer_orders l WHERE l.recipient = o.recipient AND l.settle_nonce = 0)) q WHERE place <= $1`, limit)
}

// NotLate implements payment.PayerStore.
func (p payer) NotLate(ctx context.Context, attempt protocol.ID) error {
	if _, err := p.pool.Exec(ctx, `UPDATE payer_orders SET settle_nonce = 0 WHERE attempt = $1 AND settle_nonce IS NULL`, attempt[:]); err != nil {
		return fmt.Errorf("note that order %s needs no settlement: %w", attempt.Short(), err)
	}
	return nil
}

// Unsettled implements payment.PayerStore.
func (p payer) Unsettled(ctx context.Context) ([]common.Address, error) {
	return collect(ctx, p, "list settlements", func(r pgx.CollectableRow) (common.Address, error) {
		var b []byte
		err := r.Scan(&b)
		return common.BytesToAddress(b), err
	}, `SELECT recipient FROM payer_settlements WHERE offer IS NOT NULL`)
}

// SettleLate implements payment.PayerStore. An order keeps the nonce of the first settlement that pays for it: once the chain
// is at that nonce it is paid, by whichever of those that share it.
func (p payer) SettleLate(ctx context.Context, recipient common.Address, attempts []protocol.ID, paid, renewBefore uint64, sign payment.SignSettlement) (offer *payment.SettlementOffer, err error) {
	err = p.within(ctx, "settle late orders", func(tx pgx.Tx) error {
		offer = nil
		if _, err := tx.Exec(ctx, `INSERT INTO payer_settlements (recipient) VALUES ($1) ON CONFLICT DO NOTHING`, recipient[:]); err != nil {
			return err
		}
		var last int64
		var raw []byte
		var delivered bool
		if err := tx.QueryRow(ctx, `SELECT last_nonce, offer, delivered FROM payer_settlements WHERE recipient = $1 FOR UPDATE`, recipient[:]).Scan(&last, &raw, &delivered); err != nil {
			return err
		}
		var before *payment.SettlementOffer
		if raw != nil {
			if err := json.Unmarshal(raw, &before); err != nil {
				return err
			}
		}
		stands := before != nil && before.Settlement.FromNonce > paid && before.Settlement.Expiry > renewBefore
		next := max(last, int64(paid)) + 1
		added, err := add(ctx, tx, recipient, attempts, int64(paid), next)
		if err != nil {
			return err
		}
		if added == 0 && stands {
			if !delivered {
				offer = before
			}
			return nil
		}
		o, err := p.draw(ctx, tx, recipient, ticket.Settlement{FromNonce: paid + 1, ToNonce: uint64(next)}, sign)
		if err != nil {
			return err
		}
		if o == nil { // all of it is paid
			_, err := tx.Exec(ctx, `UPDATE payer_settlements SET offer = NULL WHERE recipient = $1`, recipient[:])
			return err
		}
		if raw, err = json.Marshal(o); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE payer_settlements SET last_nonce = $2, offer = $3, delivered = false WHERE recipient = $1`, recipient[:], next, raw)
		offer = o
		return err
	})
	if err != nil {
		return nil, err
	}
	return offer, nil
}

// add puts late orders under the next settlement, as many as it has room for.
func add(ctx context.Context, tx pgx.Tx, recipient common.Address, attempts []protocol.ID, paid, next int64) (int64, error) {
	var open int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM payer_orders WHERE recipient = $1 AND settle_nonce > $2`, recipient[:], paid).Scan(&open); err != nil {
		return 0, err
	}
	var ids [][]byte
	for _, a := range attempts[:min(len(attempts), max(maxSettled-open, 0))] {
		ids = append(ids, a[:])
	}
	tag, err := tx.Exec(ctx, `UPDATE payer_orders SET settle_nonce = $1 WHERE recipient = $2 AND attempt = ANY($3) AND state = 'refused' AND settle_nonce IS NULL`,
		next, recipient[:], ids)
	return tag.RowsAffected(), err
}

// draw signs a settlement for every order that none has paid.
func (p payer) draw(ctx context.Context, tx pgx.Tx, recipient common.Address, s ticket.Settlement, sign payment.SignSettlement) (*payment.SettlementOffer, error) {
	type order struct {
		attempt []byte
		fee     protocol.Wei
	}
	rows, err := tx.Query(ctx, `SELECT attempt, CAST(fee AS text) FROM payer_orders WHERE recipient = $1 AND settle_nonce >= $2 ORDER BY attempt`, recipient[:], int64(s.FromNonce))
	if err != nil {
		return nil, err
	}
	orders, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (o order, err error) { return o, r.Scan(&o.attempt, &o.fee) })
	if err != nil || len(orders) == 0 {
		return nil, err
	}
	o := &payment.SettlementOffer{}
	for _, x := range orders {
		var id protocol.ID
		copy(id[:], x.attempt)
		o.Attempts = append(o.Attempts, id)
		s.Amount = s.Amount.Add(x.fee)
	}
	o.Signature, o.Settlement, err = sign(s)
	return o, err
}

// SettlementDelivered implements payment.PayerStore.
func (p payer) SettlementDelivered(ctx context.Context, recipient common.Address, nonce uint64) error {
	if _, err := p.pool.Exec(ctx, `UPDATE payer_settlements SET delivered = true WHERE recipient = $1 AND last_nonce = $2`, recipient[:], int64(nonce)); err != nil {
		return fmt.Errorf("note delivered settlement: %w", err)
	}
	return nil
}
