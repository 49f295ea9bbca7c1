package ledger

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
)

// TakeSettlement implements payment.Store.
func (l *Ledger) TakeSettlement(ctx context.Context, o payment.SettlementOffer, mark uint64) error {
	raw, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("take settlement: %w", err)
	}
	payer := o.Settlement.Payer
	var refusal error
	err = l.tx(ctx, "take settlement", func(c Conn) error {
		refusal = nil
		if _, err := c.Exec(ctx, `INSERT INTO recipient_settlements (payer) VALUES ($1) ON CONFLICT DO NOTHING`, payer[:]); err != nil {
			return err
		}
		var known []byte
		if _, err := one(ctx, c, `SELECT offer FROM recipient_settlements WHERE payer = $1`+l.db.Lock(), []any{payer[:]}, &known); err != nil {
			return err
		}
		if known != nil {
			var before payment.SettlementOffer
			if err := json.Unmarshal(known, &before); err != nil {
				return err
			}
			if before.Settlement.ToNonce >= o.Settlement.ToNonce { // an older one, or the same again
				return nil
			}
		}
		// What an older one was to pay, and the chain has not, is closed by this one too: only one of them is paid.
		owes := map[protocol.ID]protocol.Wei{}
		if _, err := all(ctx, c, func(r Rows) (struct{}, error) {
			var attempt []byte
			var fee, paid protocol.Wei
			err := r.Scan(&attempt, &fee, &paid)
			owes[protocol.ID(attempt)] = fee.Sub(paid)
			return struct{}{}, err
		}, `SELECT attempt, CAST(fee AS text), CAST(paid AS text) FROM recipient_debts WHERE payer = $1 AND settle_nonce > $2 AND is_open = 1 ORDER BY attempt`+l.db.Lock(),
			payer[:], int64(mark)); err != nil {
			return err
		}
		for _, attempt := range o.Attempts {
			rows, err := all(ctx, c, debt, debtColumns+` WHERE payer = $1 AND attempt = $2`+l.db.Lock(), payer[:], attempt[:])
			if err != nil {
				return err
			}
			for _, d := range rows {
				owes[attempt] = d.open()
			}
		}
		var owed protocol.Wei
		for _, w := range owes {
			owed = owed.Add(w)
		}
		if o.Settlement.Amount.Less(owed) {
			refusal = protocol.Limited(protocol.TicketUnderpays, "owed", owed, "the settlement pays %s wei for %d attempts; %s are owed for these and what older settlements name", o.Settlement.Amount, len(o.Attempts), owed)
			return nil
		}
		for _, attempt := range o.Attempts {
			if _, err := c.Exec(ctx, `UPDATE recipient_debts SET settle_nonce = $3 WHERE payer = $1 AND attempt = $2 AND settle_nonce IS NULL`,
				payer[:], attempt[:], int64(o.Settlement.ToNonce)); err != nil {
				return err
			}
		}
		return must(c.Exec(ctx, `UPDATE recipient_settlements SET offer = $2 WHERE payer = $1`, payer[:], raw))
	})
	if err != nil {
		return err
	}
	return refusal
}

// Settlements implements payment.Store.
func (l *Ledger) Settlements(ctx context.Context) (out []payment.SettlementOffer, err error) {
	err = l.tx(ctx, "list settlements", func(c Conn) error {
		out, err = all(ctx, c, func(r Rows) (o payment.SettlementOffer, err error) {
			var raw []byte
			if err := r.Scan(&raw); err != nil {
				return o, err
			}
			return o, json.Unmarshal(raw, &o)
		}, `SELECT offer FROM recipient_settlements WHERE offer IS NOT NULL ORDER BY payer`)
		return err
	})
	return out, err
}

// SettlementPaid implements payment.Store.
func (l *Ledger) SettlementPaid(ctx context.Context, payer common.Address, mark uint64) (paid protocol.Wei, err error) {
	err = l.tx(ctx, "note paid settlement", func(c Conn) error {
		paid = protocol.Wei{}
		var raw []byte
		var total protocol.Wei
		found, err := one(ctx, c, `SELECT offer, CAST(settled_wei AS text) FROM recipient_settlements WHERE payer = $1`+l.db.Lock(), []any{payer[:]}, &raw, &total)
		if err != nil || !found {
			return err
		}
		type closing struct {
			debtRow
			attempt protocol.ID
		}
		debts, err := all(ctx, c, func(r Rows) (x closing, err error) {
			var attempt []byte
			x.fee = &protocol.Wei{}
			err = r.Scan(&attempt, x.fee, &x.paid)
			copy(x.attempt[:], attempt)
			return x, err
		}, `SELECT attempt, CAST(fee AS text), CAST(paid AS text) FROM recipient_debts WHERE payer = $1 AND settle_nonce <= $2 AND is_open = 1 ORDER BY attempt`, payer[:], int64(mark))
		if err != nil {
			return err
		}
		for _, d := range debts {
			paid = paid.Add(d.open())
			if err := must(c.Exec(ctx, `UPDATE recipient_debts SET paid = $3, is_open = 0 WHERE payer = $1 AND attempt = $2`, payer[:], d.attempt[:], d.fee.String())); err != nil {
				return err
			}
		}
		var keep any
		if raw != nil {
			var o payment.SettlementOffer
			if err := json.Unmarshal(raw, &o); err != nil {
				return err
			}
			if o.Settlement.FromNonce > mark {
				keep = raw
			}
		}
		return must(c.Exec(ctx, `UPDATE recipient_settlements SET offer = $2, settled_wei = $3 WHERE payer = $1`, payer[:], keep, total.Add(paid).String()))
	})
	return paid, err
}
