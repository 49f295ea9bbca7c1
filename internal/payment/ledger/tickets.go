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

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
)

// Accept implements payment.Store.
func (l *Ledger) Accept(ctx context.Context, arrivals []payment.Arrival, now time.Time) (outcomes []payment.Outcome, err error) {
	// Lanes are locked in one order everywhere; inside a lane tickets are taken by nonce.
	order := make([]int, len(arrivals))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		a, b := arrivals[i].Ticket, arrivals[j].Ticket
		return cmp.Or(bytes.Compare(a.Payer[:], b.Payer[:]), cmp.Compare(a.Lane, b.Lane), cmp.Compare(a.TicketNonce, b.TicketNonce))
	})
	err = l.tx(ctx, "accept tickets", func(c Conn) error {
		outcomes = make([]payment.Outcome, len(arrivals))
		for at := 0; at < len(order); {
			first := arrivals[order[at]].Ticket
			end := at
			for end < len(order) && arrivals[order[end]].Ticket.Payer == first.Payer && arrivals[order[end]].Ticket.Lane == first.Lane {
				end++
			}
			if err := l.acceptLane(ctx, c, arrivals, order[at:end], outcomes, now); err != nil {
				return err
			}
			at = end
		}
		return nil
	})
	return outcomes, err
}

// lane is a lane's row, locked.
type lane struct {
	floor, highest, accepted, won int64
	acceptedWei, wonWei           protocol.Wei
}

func (l *Ledger) acceptLane(ctx context.Context, c Conn, arrivals []payment.Arrival, order []int, outcomes []payment.Outcome, now time.Time) error {
	payer, number := arrivals[order[0]].Ticket.Payer, int64(arrivals[order[0]].Ticket.Lane)
	var x lane
	found, err := one(ctx, c, `SELECT floor_nonce, highest_nonce, accepted, won, CAST(accepted_wei AS text), CAST(won_wei AS text)
		FROM recipient_lanes WHERE payer = $1 AND lane = $2`+l.db.Lock(), []any{payer[:], number},
		&x.floor, &x.highest, &x.accepted, &x.won, &x.acceptedWei, &x.wonWei)
	if err != nil || !found {
		return errors.Join(err, missing(found, "lane"))
	}
	for _, i := range order {
		if outcomes[i], err = l.acceptOne(ctx, c, &x, arrivals[i], now); err != nil {
			return err
		}
	}
	return must(c.Exec(ctx, `UPDATE recipient_lanes SET highest_nonce = $1, accepted = $2, accepted_wei = $3, won = $4, won_wei = $5
		WHERE payer = $6 AND lane = $7`, x.highest, x.accepted, x.acceptedWei.String(), x.won, x.wonWei.String(), payer[:], number))
}

func (l *Ledger) acceptOne(ctx context.Context, c Conn, x *lane, a payment.Arrival, now time.Time) (payment.Outcome, error) {
	t := a.Ticket
	refuse := func(code protocol.Code, format string, args ...any) (payment.Outcome, error) {
		return payment.Outcome{Code: code, Detail: fmt.Sprintf(format, args...)}, nil
	}
	if t.TicketNonce > math.MaxInt64-payment.NonceWindow {
		return refuse(protocol.TicketInvalid, "nonce %d is outside the window", t.TicketNonce)
	}
	nonce, number := int64(t.TicketNonce), int64(t.Lane)

	var digest []byte
	known, err := one(ctx, c, `SELECT digest FROM recipient_tickets WHERE payer = $1 AND lane = $2 AND nonce = $3`, []any{t.Payer[:], number, nonce}, &digest)
	switch {
	case err != nil:
		return payment.Outcome{}, err
	case known && bytes.Equal(digest, a.Digest[:]):
		return payment.Outcome{Known: true}, nil
	case known:
		return refuse(protocol.TicketInvalid, "nonce %d of lane %d was used by another ticket", nonce, number)
	}

	var state string
	var low, high *int64
	found, err := one(ctx, c, `SELECT state, min_nonce, max_nonce FROM recipient_sets WHERE serial = $1`+l.db.Lock(), []any{a.SetSerial}, &state, &low, &high)
	if err != nil || !found {
		return payment.Outcome{}, errors.Join(err, missing(found, "set"))
	}
	if state != "open" {
		return refuse(protocol.TicketSetClosed, "the parameter set of nonce %d is closed", nonce)
	}
	if nonce <= x.floor || nonce > x.highest+payment.NonceWindow {
		return refuse(protocol.TicketInvalid, "nonce %d of lane %d is outside the window from %d to %d", nonce, number, x.floor+1, x.highest+payment.NonceWindow)
	}
	// A set's nonces lie above those of earlier sets and below those of later ones. Without that a payer could have an early
	// set's high nonce redeemed first, which kills the winners below it.
	var above, below *int64
	if _, err := one(ctx, c, `SELECT MAX(max_nonce) FROM recipient_sets WHERE payer = $1 AND lane = $2 AND serial < $3`, []any{t.Payer[:], number, a.SetSerial}, &above); err != nil {
		return payment.Outcome{}, err
	}
	if _, err := one(ctx, c, `SELECT MIN(min_nonce) FROM recipient_sets WHERE payer = $1 AND lane = $2 AND serial > $3`, []any{t.Payer[:], number, a.SetSerial}, &below); err != nil {
		return payment.Outcome{}, err
	}
	if above != nil && nonce <= *above || below != nil && nonce >= *below {
		return refuse(protocol.TicketInvalid, "nonce %d of lane %d is out of the order of its parameter sets", nonce, number)
	}

	if err := must(c.Exec(ctx, `INSERT INTO recipient_tickets (payer, lane, nonce, digest, attempt, expiry) VALUES ($1, $2, $3, $4, $5, $6)`,
		t.Payer[:], number, nonce, a.Digest[:], a.Attempt[:], int64(t.Expiry))); err != nil {
		return payment.Outcome{}, err
	}
	if low == nil || nonce < *low {
		low = &nonce
	}
	if high == nil || nonce > *high {
		high = &nonce
	}
	if err := must(c.Exec(ctx, `UPDATE recipient_sets SET min_nonce = $1, max_nonce = $2 WHERE serial = $3`, *low, *high, a.SetSerial)); err != nil {
		return payment.Outcome{}, err
	}
	if a.Won {
		raw, err := json.Marshal(t)
		if err != nil {
			return payment.Outcome{}, err
		}
		if err := must(c.Exec(ctx, `INSERT INTO recipient_winners (payer, lane, nonce, set_serial, face_value, expiry, ticket, won_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, t.Payer[:], number, nonce, a.SetSerial, t.FaceValue.String(), int64(t.Expiry), raw, millis(now))); err != nil {
			return payment.Outcome{}, err
		}
		x.won++
		x.wonWei = x.wonWei.Add(t.FaceValue)
	}
	worth := t.EV()
	x.accepted++
	x.acceptedWei = x.acceptedWei.Add(worth)
	x.highest = max(x.highest, nonce)

	d, err := l.changeDebt(ctx, c, t.Payer, a.Attempt, now, func(d *debtRow) { d.paid = d.paid.Add(worth) })
	if err != nil {
		return payment.Outcome{}, err
	}
	if rest := d.open(); !rest.IsZero() {
		return refuse(protocol.TicketUnderpays, "accepted for %s wei; %s wei are still owed", worth, rest)
	}
	return payment.Outcome{}, nil
}

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
	var fee any
	if d.fee != nil {
		fee = d.fee.String()
	}
	isOpen := 0
	if !d.open().IsZero() {
		isOpen = 1
	}
	err = must(c.Exec(ctx, `UPDATE recipient_debts SET stream = $1, fee = $2, paid = $3, is_open = $4 WHERE payer = $5 AND attempt = $6`,
		d.stream, fee, d.paid.String(), isOpen, payer[:], attempt[:]))
	return d, err
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
	if e.Float, err = sum(ctx, c, `SELECT CAST(face_value AS text) FROM recipient_winners WHERE payer = $1 AND state IN ('won', 'submitted')`, payer[:]); err != nil {
		return e, err
	}
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
