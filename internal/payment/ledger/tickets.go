package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
)

type debtRow struct {
	payer    common.Address
	stream   string
	fee      *protocol.Wei
	paid     protocol.Wei
	forgiven bool
}

const debtColumns = `SELECT payer, stream, CAST(fee AS text), CAST(paid AS text), forgiven FROM recipient_debts`

func debt(r Rows) (d debtRow, err error) {
	var payer []byte
	var fee *string
	var forgiven int64
	if err := r.Scan(&payer, &d.stream, &fee, &d.paid, &forgiven); err != nil {
		return d, err
	}
	d.payer, d.forgiven = address(payer), forgiven != 0
	if fee != nil {
		w, err := protocol.ParseWei(*fee)
		if err != nil {
			return d, err
		}
		d.fee = &w
	}
	return d, nil
}

// open is what is still owed.
func (d debtRow) open() protocol.Wei {
	if d.fee == nil || d.forgiven {
		return protocol.Wei{}
	}
	return d.fee.Sub(d.paid)
}

// changeDebt changes the row of an attempt, which it makes if need be.
func (l *Ledger) changeDebt(ctx context.Context, c Conn, payer common.Address, attempt protocol.ID, now time.Time, change func(*debtRow)) (debtRow, error) {
	if _, err := c.Exec(ctx, `INSERT INTO recipient_debts (payer, attempt, noted_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		payer[:], attempt[:], millis(now)); err != nil {
		return debtRow{}, err
	}
	rows, err := all(ctx, c, debt, debtColumns+` WHERE payer = $1 AND attempt = $2`+l.db.Lock(), payer[:], attempt[:])
	if err != nil || len(rows) != 1 {
		return debtRow{}, errors.Join(err, missing(len(rows) == 1, "debt"))
	}
	d := rows[0]
	change(&d)
	err = must(c.Exec(ctx, updateDebt, d.args(attempt)...))
	return d, err
}

const updateDebt = `UPDATE recipient_debts SET stream = $1, fee = $2, paid = $3, is_open = $4 WHERE payer = $5 AND attempt = $6`

// args are those of updateDebt.
func (d debtRow) args(attempt protocol.ID) []any {
	var fee any
	if d.fee != nil {
		fee = d.fee.String()
	}
	isOpen := 0
	if !d.open().IsZero() {
		isOpen = 1
	}
	return []any{d.stream, fee, d.paid.String(), isOpen, d.payer[:], attempt[:]}
}

// Owe implements payment.Store.
func (l *Ledger) Owe(ctx context.Context, o payment.Owed, now time.Time) error {
	return l.tx(ctx, "note debt", func(c Conn) error { return l.OweIn(ctx, c, o, now) })
}

// OweIn is Owe inside a transaction of the caller's.
func (l *Ledger) OweIn(ctx context.Context, c Conn, o payment.Owed, now time.Time) error {
	if _, err := l.changeDebt(ctx, c, o.Payer, o.Attempt, now, func(d *debtRow) { d.stream, d.fee = o.Stream, &o.Fee }); err != nil {
		return err
	}
	_, err := c.Exec(ctx, `DELETE FROM recipient_holds WHERE payer = $1 AND attempt = $2`, o.Payer[:], o.Attempt[:])
	return err
}

// Forgive implements payment.Store.
func (l *Ledger) Forgive(ctx context.Context, attempt protocol.ID) error {
	return l.tx(ctx, "forgive debt", func(c Conn) error {
		if _, err := c.Exec(ctx, `UPDATE recipient_debts SET forgiven = 1, is_open = 0 WHERE attempt = $1`, attempt[:]); err != nil {
			return err
		}
		_, err := c.Exec(ctx, `DELETE FROM recipient_holds WHERE attempt = $1`, attempt[:])
		return err
	})
}

// Hold implements payment.Store.
func (l *Ledger) Hold(ctx context.Context, payer common.Address, attempt protocol.ID, budget protocol.Wei, now, until time.Time, check func(payment.Exposure) error) error {
	var refusal error
	err := l.tx(ctx, "hold credit", func(c Conn) error {
		refusal = nil
		if _, err := c.Exec(ctx, `INSERT INTO recipient_payers (payer) VALUES ($1) ON CONFLICT DO NOTHING`, payer[:]); err != nil {
			return err
		}
		var locked []byte
		if _, err := one(ctx, c, `SELECT payer FROM recipient_payers WHERE payer = $1`+l.db.Lock(), []any{payer[:]}, &locked); err != nil {
			return err
		}
		if _, err := c.Exec(ctx, `DELETE FROM recipient_holds WHERE payer = $1 AND (attempt = $2 OR expires_at <= $3)`, payer[:], attempt[:], millis(now)); err != nil {
			return err
		}
		e, err := exposure(ctx, c, payer)
		if err != nil {
			return err
		}
		if refusal = check(e); refusal != nil {
			return nil
		}
		return must(c.Exec(ctx, `INSERT INTO recipient_holds (payer, attempt, budget, expires_at) VALUES ($1, $2, $3, $4)`,
			payer[:], attempt[:], budget.String(), millis(until)))
	})
	return errors.Join(err, refusal)
}

func exposure(ctx context.Context, c Conn, payer common.Address) (e payment.Exposure, err error) {
	// A lane's totals instead of its winners: a long queue makes no admission slower. Mined winners have left the float, and
	// few wait for that to be final.
	var left protocol.Wei
	if _, err = all(ctx, c, func(r Rows) (struct{}, error) {
		var won, redeemed, lost protocol.Wei
		err := r.Scan(&won, &redeemed, &lost)
		e.Float, left = e.Float.Add(won), left.Add(redeemed).Add(lost)
		return struct{}{}, err
	}, `SELECT CAST(won_wei AS text), CAST(redeemed_wei AS text), CAST(lost_wei AS text) FROM recipient_lanes WHERE payer = $1 AND won > redeemed + lost
		UNION ALL SELECT '0', CAST(face_value AS text), '0' FROM recipient_winners WHERE state IN ('submitted', 'mined') AND state = 'mined' AND payer = $1`, payer[:]); err != nil {
		return e, err
	}
	e.Float = e.Float.Sub(left)
	if e.Held, err = sum(ctx, c, `SELECT CAST(budget AS text) FROM recipient_holds WHERE payer = $1`, payer[:]); err != nil {
		return e, err
	}
	debts, err := all(ctx, c, debt, debtColumns+` WHERE payer = $1 AND is_open = 1`, payer[:])
	if err != nil {
		return e, err
	}
	for _, d := range debts {
		e.Unpaid = e.Unpaid.Add(d.open())
	}
	faces, err := all(ctx, c, func(r Rows) (w protocol.Wei, err error) { return w, r.Scan(&w) },
		`SELECT CAST(face_value AS text) FROM recipient_sets WHERE payer = $1 AND state = 'open'`, payer[:])
	for _, w := range faces {
		if e.FaceValue.Less(w) {
			e.FaceValue = w
		}
	}
	return e, err
}

// Release implements payment.Store.
func (l *Ledger) Release(ctx context.Context, payer common.Address, attempt protocol.ID) error {
	return l.tx(ctx, "release credit", func(c Conn) error {
		_, err := c.Exec(ctx, `DELETE FROM recipient_holds WHERE payer = $1 AND attempt = $2`, payer[:], attempt[:])
		return err
	})
}
