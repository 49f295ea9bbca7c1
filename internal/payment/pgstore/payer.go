package pgstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
)

type payer struct{ pool *pgxpool.Pool }

// Payer is the payer's store on a database with the migrations of the set "payer".
func Payer(pool *pgxpool.Pool) payment.PayerStore { return payer{pool} }

// within runs f in a transaction of its own, again when Postgres asks for that.
func (p payer) within(ctx context.Context, doing string, f func(pgx.Tx) error) error {
	var err error
	for range attempts {
		err = pgx.BeginFunc(ctx, p.pool, f)
		var e *pgconn.PgError
		if !errors.As(err, &e) || e.Code != "40001" && e.Code != "40P01" {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// AddSet implements payment.PayerStore.
func (p payer) AddSet(ctx context.Context, s payment.PayerSet) error {
	return p.within(ctx, "remember parameter set", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO payer_lanes (recipient, lane) VALUES ($1, $2) ON CONFLICT DO NOTHING`, s.Recipient[:], int32(s.Lane)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO payer_sets (id, recipient, lane, stream, face_value, rand_hash, expiry, usable_until)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING`, s.ID[:], s.Recipient[:], int32(s.Lane), s.Stream, s.FaceValue.String(),
			s.RandHash[:], int64(s.Expiry), s.UsableUntil.UnixMilli())
		return err
	})
}

const setColumns = `SELECT serial, id, recipient, lane, stream, CAST(face_value AS text), rand_hash, expiry, usable_until FROM payer_sets`

func set(r pgx.CollectableRow) (s payment.PayerSet, err error) {
	var id, recipient, hash []byte
	var lane int32
	var expiry, usable int64
	err = r.Scan(&s.Serial, &id, &recipient, &lane, &s.Stream, &s.FaceValue, &hash, &expiry, &usable)
	copy(s.ID[:], id)
	copy(s.Recipient[:], recipient)
	s.Lane, s.RandHash, s.Expiry, s.UsableUntil = uint16(lane), common.BytesToHash(hash), uint64(expiry), time.UnixMilli(usable)
	return s, err
}

// newest is the newest usable set of a stream.
func newest(ctx context.Context, tx pgx.Tx, k payment.StreamKey, now time.Time) (payment.PayerSet, bool, error) {
	rows, err := tx.Query(ctx, setColumns+` WHERE recipient = $1 AND stream = $2 AND NOT ended AND usable_until > $3 ORDER BY serial DESC LIMIT 1`,
		k.Recipient[:], k.Stream, now.UnixMilli())
	if err != nil {
		return payment.PayerSet{}, false, err
	}
	s, err := pgx.CollectExactlyOneRow(rows, set)
	if errors.Is(err, pgx.ErrNoRows) {
		return s, false, nil
	}
	return s, err == nil, err
}

func transaction(tx payment.Tx) (pgx.Tx, error) {
	t, ok := tx.(pgx.Tx)
	if !ok {
		return nil, fmt.Errorf("a %T is no pgx.Tx", tx)
	}
	return t, nil
}

// Pay implements payment.PayerStore.
func (p payer) Pay(ctx context.Context, tx payment.Tx, o payment.Order, now time.Time, sign payment.Sign) (payment.PayResult, error) {
	t, err := transaction(tx)
	if err != nil {
		return payment.PayResult{}, err
	}
	if r, known, err := known(ctx, t, o); err != nil || known {
		return r, err
	}
	l, err := lock(ctx, t, payment.StreamKey{Recipient: o.Recipient, Stream: o.Stream}, now)
	if err != nil {
		return payment.PayResult{}, err
	}
	tag, err := t.Exec(ctx, `INSERT INTO payer_orders (attempt, recipient, stream, kind, fee, state, ordered_at) VALUES ($1, $2, $3, 'ticket', $4, 'due', $5)
		ON CONFLICT (attempt) DO NOTHING`, o.Attempt[:], o.Recipient[:], o.Stream, o.Fee.String(), now.UnixMilli())
	if err != nil {
		return payment.PayResult{}, err
	}
	if tag.RowsAffected() == 0 { // another replica paid it while this one waited for the lane
		r, _, err := known(ctx, t, o)
		return r, err
	}
	if !l.covers(o.Fee) {
		return payment.PayResult{Due: true}, nil
	}
	return l.sign(ctx, t, o.Attempt, o.Fee, sign)
}

// known is what was done about an attempt before.
func known(ctx context.Context, tx pgx.Tx, o payment.Order) (r payment.PayResult, known bool, err error) {
	var recipient, raw []byte
	var kind string
	err = tx.QueryRow(ctx, `SELECT recipient, kind, ticket FROM payer_orders WHERE attempt = $1`, o.Attempt[:]).Scan(&recipient, &kind, &raw)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return r, false, nil
	case err != nil:
		return r, false, fmt.Errorf("look for order: %w", err)
	case kind != "ticket" || common.BytesToAddress(recipient) != o.Recipient:
		return r, false, protocol.Errorf(protocol.BadRequest, "attempt %s has a %s for %s already", o.Attempt, kind, common.BytesToAddress(recipient))
	case raw == nil:
		return payment.PayResult{Due: true}, true, nil
	}
	out := payment.Outgoing{}
	if err := json.Unmarshal(raw, &out.Ticket); err != nil {
		return r, false, fmt.Errorf("read order %s: %w", o.Attempt.Short(), err)
	}
	return payment.PayResult{Lane: out.Ticket.Lane, TicketNonce: out.Ticket.TicketNonce, FaceValue: out.Ticket.FaceValue, WinProb: out.Ticket.WinProb}, true, nil
}

// lane is a locked lane with the set that signs on it, if there is one.
type lane struct {
	set    payment.PayerSet
	usable bool
	next   int64
}

// lock takes the lane of a stream's newest usable set. The set is read again once the lane is ours: a newer one may have
// come, or its stream may have ended. A set older than one that signed never signs again: its nonces would come too late.
func lock(ctx context.Context, tx pgx.Tx, k payment.StreamKey, now time.Time) (l lane, err error) {
	s, ok, err := newest(ctx, tx, k, now)
	if err != nil || !ok {
		return lane{}, err
	}
	var last int64
	err = tx.QueryRow(ctx, `SELECT next_nonce, last_serial FROM payer_lanes WHERE recipient = $1 AND lane = $2 FOR UPDATE`, s.Recipient[:], int32(s.Lane)).Scan(&l.next, &last)
	if err != nil {
		return lane{}, fmt.Errorf("lock lane: %w", err)
	}
	again, ok, err := newest(ctx, tx, k, now)
	if err != nil || !ok || again.Lane != s.Lane || again.Serial < last {
		return lane{}, err
	}
	l.set, l.usable = again, true
	return l, nil
}

func (l lane) covers(fee protocol.Wei) bool { return l.usable && !l.set.FaceValue.Less(fee) }

// sign signs a due order and takes its nonce.
func (l *lane) sign(ctx context.Context, tx pgx.Tx, attempt protocol.ID, fee protocol.Wei, sign payment.Sign) (payment.PayResult, error) {
	t, err := sign(l.set, uint64(l.next), fee)
	if err != nil {
		return payment.PayResult{}, err
	}
	raw, err := json.Marshal(t)
	if err != nil {
		return payment.PayResult{}, fmt.Errorf("write ticket: %w", err)
	}
	tag, err := tx.Exec(ctx, `UPDATE payer_orders SET state = 'signed', lane = $1, ticket_nonce = $2, ticket = $3 WHERE attempt = $4 AND state = 'due'`,
		int32(t.Lane), l.next, raw, attempt[:])
	if err != nil || tag.RowsAffected() != 1 {
		return payment.PayResult{}, errors.Join(err, fmt.Errorf("sign order: %d rows changed", tag.RowsAffected()))
	}
	tag, err = tx.Exec(ctx, `UPDATE payer_lanes SET next_nonce = $1, last_serial = $2, signed = signed + 1, fee_wei = fee_wei + $3, face_wei = face_wei + $4
		WHERE recipient = $5 AND lane = $6`, l.next+1, l.set.Serial, fee.String(), t.FaceValue.String(), t.Recipient[:], int32(t.Lane))
	if err != nil || tag.RowsAffected() != 1 {
		return payment.PayResult{}, errors.Join(err, fmt.Errorf("take nonce: %d rows changed", tag.RowsAffected()))
	}
	l.next++
	return payment.PayResult{Lane: t.Lane, TicketNonce: t.TicketNonce, FaceValue: t.FaceValue, WinProb: t.WinProb}, nil
}

// Reject implements payment.PayerStore.
func (p payer) Reject(ctx context.Context, tx payment.Tx, o payment.Order, code protocol.Code, detail string, now time.Time) error {
	t, err := transaction(tx)
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, `INSERT INTO payer_orders (attempt, recipient, stream, kind, fee, state, code, detail, ordered_at)
		VALUES ($1, $2, $3, 'reject', $4, 'signed', $5, $6, $7) ON CONFLICT (attempt) DO NOTHING`,
		o.Attempt[:], o.Recipient[:], o.Stream, o.Fee.String(), string(code), detail, now.UnixMilli())
	if err != nil {
		return fmt.Errorf("write reject: %w", err)
	}
	return nil
}

// maxSigned bounds how many due orders one transaction signs.
const maxSigned = 64

// SignDue implements payment.PayerStore.
func (p payer) SignDue(ctx context.Context, k payment.StreamKey, now time.Time, sign payment.Sign) (signed int, err error) {
	err = p.within(ctx, "sign due tickets", func(tx pgx.Tx) error {
		signed = 0
		l, err := lock(ctx, tx, k, now)
		if err != nil || !l.usable {
			return err
		}
		type due struct {
			attempt []byte
			fee     protocol.Wei
		}
		rows, err := tx.Query(ctx, `SELECT attempt, CAST(fee AS text) FROM payer_orders WHERE recipient = $1 AND stream = $2 AND state = 'due'
			ORDER BY ordered_at, attempt LIMIT $3 FOR UPDATE`, k.Recipient[:], k.Stream, maxSigned)
		if err != nil {
			return err
		}
		orders, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (d due, err error) { return d, r.Scan(&d.attempt, &d.fee) })
		if err != nil {
			return err
		}
		for _, d := range orders {
			if !l.covers(d.fee) {
				continue
			}
			var id protocol.ID
			copy(id[:], d.attempt)
			if _, err := l.sign(ctx, tx, id, d.fee, sign); err != nil {
				return err
			}
			signed++
		}
		return nil
	})
	return signed, err
}

// Due implements payment.PayerStore.
func (p payer) Due(ctx context.Context) ([]payment.StreamKey, error) {
	return collect(ctx, p, "list due streams", func(r pgx.CollectableRow) (k payment.StreamKey, err error) {
		var b []byte
		err = r.Scan(&b, &k.Stream)
		k.Recipient = common.BytesToAddress(b)
		return k, err
	}, `SELECT DISTINCT recipient, stream FROM payer_orders WHERE state = 'due'`)
}

// Waiting implements payment.PayerStore.
func (p payer) Waiting(ctx context.Context) ([]common.Address, error) {
	return collect(ctx, p, "list recipients", func(r pgx.CollectableRow) (common.Address, error) {
		var b []byte
		err := r.Scan(&b)
		return common.BytesToAddress(b), err
	}, `SELECT DISTINCT recipient FROM payer_orders WHERE state = 'signed'`)
}

// Outgoing implements payment.PayerStore.
func (p payer) Outgoing(ctx context.Context, recipient common.Address, limit int) ([]payment.Outgoing, error) {
	return collect(ctx, p, "read outbox", func(r pgx.CollectableRow) (o payment.Outgoing, err error) {
		var attempt, raw []byte
		if err := r.Scan(&attempt, &o.Stream, &o.Fee, &raw, &o.Code, &o.Detail); err != nil {
			return o, err
		}
		copy(o.Attempt[:], attempt)
		if raw == nil {
			return o, nil
		}
		return o, json.Unmarshal(raw, &o.Ticket)
	}, `SELECT attempt, stream, CAST(fee AS text), ticket, code, detail FROM payer_orders WHERE recipient = $1 AND state = 'signed'
		ORDER BY lane, ticket_nonce, ordered_at LIMIT $2`, recipient[:], limit)
}

// Answer implements payment.PayerStore.
func (p payer) Answer(ctx context.Context, recipient common.Address, answers []payment.Answered, now time.Time) error {
	return p.within(ctx, "note answers", func(tx pgx.Tx) error {
		var acknowledged, refused int64
		for _, a := range answers {
			state := "acknowledged"
			if a.Refused {
				state = "refused"
			}
			// A reject keeps the code it was sent with.
			var kind string
			err := tx.QueryRow(ctx, `UPDATE payer_orders SET state = $1, answered_at = $2, code = CASE WHEN kind = 'reject' THEN code ELSE $3 END,
				detail = CASE WHEN kind = 'reject' THEN detail ELSE $4 END WHERE attempt = $5 AND recipient = $6 AND state = 'signed' RETURNING kind`,
				state, now.UnixMilli(), string(a.Code), a.Detail, a.Attempt[:], recipient[:]).Scan(&kind)
			switch {
			case errors.Is(err, pgx.ErrNoRows) || err == nil && kind != "ticket":
			case err != nil:
				return err
			case a.Refused:
				refused++
			default:
				acknowledged++
			}
		}
		_, err := tx.Exec(ctx, `INSERT INTO payer_answers AS p (recipient, acknowledged, refused) VALUES ($1, $2, $3)
			ON CONFLICT (recipient) DO UPDATE SET acknowledged = p.acknowledged + $2, refused = p.refused + $3`, recipient[:], acknowledged, refused)
		return err
	})
}

// Unanswered implements payment.PayerStore.
func (p payer) Unanswered(ctx context.Context, stream string) (n int, err error) {
	err = p.pool.QueryRow(ctx, `SELECT count(*) FROM payer_orders WHERE state IN ('due', 'signed') AND stream = $1`, stream).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count unanswered orders: %w", err)
	}
	return n, nil
}

// EndSets implements payment.PayerStore.
func (p payer) EndSets(ctx context.Context, stream string) (out []payment.PayerSet, err error) {
	err = p.within(ctx, "end sets", func(tx pgx.Tx) error {
		// Under the lanes' locks, so that no ticket is being signed with a set that ends here.
		if _, err := tx.Exec(ctx, `SELECT FROM payer_lanes WHERE (recipient, lane) IN (SELECT recipient, lane FROM payer_sets WHERE stream = $1 AND NOT ended)
			ORDER BY recipient, lane FOR UPDATE`, stream); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, setColumns+` WHERE serial IN (SELECT max(serial) FROM payer_sets WHERE stream = $1 AND NOT ended GROUP BY recipient, lane)`, stream)
		if err != nil {
			return err
		}
		if out, err = pgx.CollectRows(rows, set); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE payer_sets SET ended = true WHERE stream = $1 AND NOT ended`, stream)
		return err
	})
	return out, err
}

// keepLate is how much longer a late ticket is kept that no settlement pays for.
const keepLate = 96 * time.Hour

// Prune implements payment.PayerStore.
func (p payer) Prune(ctx context.Context, before time.Time, limit int) (pruned int, err error) {
	// A late ticket is settled at the latest when a pause can have been over, and then kept until that is paid. One that was
	// redeemed all the same says for ever what its recipient's word is worth.
	orders, err := p.pool.Exec(ctx, `DELETE FROM payer_orders WHERE attempt IN (SELECT attempt FROM payer_orders o
		WHERE ordered_at < $1 AND answered_at < $1 AND NOT (state = 'refused' AND code = 'ticket_set_closed' AND (settle_nonce = 0
			OR settle_nonce IS NULL AND ordered_at >= $3
			OR settle_nonce > 0 AND EXISTS (SELECT FROM payer_settlements s WHERE s.recipient = o.recipient AND s.offer IS NOT NULL)))
		ORDER BY ordered_at LIMIT $2)`, before.UnixMilli(), limit, before.Add(-keepLate).UnixMilli())
	if err != nil {
		return 0, fmt.Errorf("forget old orders: %w", err)
	}
	sets, err := p.pool.Exec(ctx, `DELETE FROM payer_sets WHERE serial IN (SELECT serial FROM payer_sets WHERE expiry < $1 AND usable_until < $2
		ORDER BY expiry LIMIT $3)`, before.Unix(), before.UnixMilli(), limit)
	if err != nil {
		return 0, fmt.Errorf("forget old parameter sets: %w", err)
	}
	return int(orders.RowsAffected() + sets.RowsAffected()), nil
}

// Stats implements payment.PayerStore.
func (p payer) Stats(ctx context.Context) (s payment.PayerStats, err error) {
	err = p.within(ctx, "count", func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, `SELECT coalesce(sum(signed), 0)::bigint, coalesce(sum(fee_wei), 0)::text, coalesce(sum(face_wei), 0)::text FROM payer_lanes`).
			Scan(&s.Signed, &s.FeeWei, &s.FaceWei); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `SELECT coalesce(sum(acknowledged), 0)::bigint, coalesce(sum(refused), 0)::bigint FROM payer_answers`).
			Scan(&s.Acknowledged, &s.Refused); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT count(*) FILTER (WHERE state = 'signed' AND kind = 'ticket'), count(*) FILTER (WHERE state = 'due')
			FROM payer_orders WHERE state IN ('signed', 'due')`).Scan(&s.Unsent, &s.Due)
	})
	return s, err
}

// Want implements payment.PayerStore.
func (p payer) Want(ctx context.Context, recipient common.Address, now time.Time) error {
	_, err := p.pool.Exec(ctx, `INSERT INTO payer_allocations AS a (recipient, wanted_at) VALUES ($1, $2)
		ON CONFLICT (recipient) DO UPDATE SET wanted_at = $2 WHERE a.wanted_at < $2`, recipient[:], now.UnixMilli())
	if err != nil {
		return fmt.Errorf("note a wanted allocation: %w", err)
	}
	return nil
}

// Wanted implements payment.PayerStore.
func (p payer) Wanted(ctx context.Context) (map[common.Address]time.Time, error) {
	out := map[common.Address]time.Time{}
	_, err := collect(ctx, p, "list wanted allocations", func(r pgx.CollectableRow) (struct{}, error) {
		var b []byte
		var at int64
		err := r.Scan(&b, &at)
		out[common.BytesToAddress(b)] = time.UnixMilli(at)
		return struct{}{}, err
	}, `SELECT recipient, wanted_at FROM payer_allocations`)
	return out, err
}

// Unwant implements payment.PayerStore.
func (p payer) Unwant(ctx context.Context, recipient common.Address, since time.Time) error {
	if _, err := p.pool.Exec(ctx, `DELETE FROM payer_allocations WHERE recipient = $1 AND wanted_at <= $2`, recipient[:], since.UnixMilli()); err != nil {
		return fmt.Errorf("forget an allocation: %w", err)
	}
	return nil
}

// Spent implements payment.PayerStore.
func (p payer) Spent(ctx context.Context, since time.Time) (fees protocol.Wei, first time.Time, err error) {
	var at int64
	err = p.pool.QueryRow(ctx, `SELECT coalesce(sum(fee), 0)::text, coalesce(min(ordered_at), 0) FROM payer_orders
		WHERE kind = 'ticket' AND ordered_at >= $1`, since.UnixMilli()).Scan(&fees, &at)
	if err != nil {
		return fees, first, fmt.Errorf("add up what was spent: %w", err)
	}
	return fees, time.UnixMilli(at), nil
}

func collect[T any](ctx context.Context, p payer, doing string, f pgx.RowToFunc[T], sql string, args ...any) ([]T, error) {
	rows, err := p.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	out, err := pgx.CollectRows(rows, f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	return out, nil
}
