package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
)

// State is how an attempt ended.
type State string

// The states of an attempt. They are stored: their names stay.
const (
	Verified  State = "verified"
	Rejected  State = "rejected"  // its output failed verification
	Abandoned State = "abandoned" // it never came to a receipt
)

// Settlement is the end of one attempt: verdict and money in one commit.
type Settlement struct {
	Payer      common.Address // of hop one
	Assignment protocol.Signed[protocol.Assignment]
	Source     protocol.Hash // zero when the source never ended
	Receipt    *protocol.Signed[protocol.Receipt]
	State      State
	Verdict    verify.Verdict // counts in the transcoder's record unless it is Abandoned or Inconclusive
	Code       protocol.Code  // why not Verified
	Detail     string
	Millis     int64 // from the last source byte to the receipt, or to the end of the attempt
	Probe      bool
	Held       bool             // the verdict waits: Judge adds it to the record, or nobody does
	Released   bool             // this attempt is the segment's delivery: the payer owes Price for it
	Avoided    []common.Address // transcoders whose delivery of the segment the payer rejected
	Price      protocol.Wei     // owed by the payer
	Cost       protocol.Wei     // paid to the transcoder
	Pixels     uint64
}

// Settled is what the commit changed.
type Settled struct {
	Record   verify.Record
	Was      verify.State // of the record before
	CutOff   bool         // this verdict cut the transcoder off
	Replaced protocol.ID  // an earlier delivery of the same segment that did not arrive: forgive it; zero: none
	Again    bool         // the attempt had been settled before; nothing changed
}

// Ledger is the payment side of a settlement, inside its transaction.
type Ledger interface {
	// Pay writes the one ticket of an attempt for its transcoder.
	Pay(ctx context.Context, tx payment.Tx, transcoder common.Address, stream string, attempt protocol.ID, fee protocol.Wei) error
	// Reject tells the transcoder, by the outbox, that an attempt is not paid for and why.
	Reject(ctx context.Context, tx payment.Tx, transcoder common.Address, stream string, attempt protocol.ID, code protocol.Code, detail string) error
	// Owe enters what the payer of hop one owes for an attempt.
	Owe(ctx context.Context, tx payment.Tx, payer common.Address, stream string, attempt protocol.ID, fee protocol.Wei) error
}

// UseLedger says who keeps the money's books; it is called once, before the first Settle.
func (s *Store) UseLedger(l Ledger) { s.ledger = l }

// What Postgres says of a transaction that may work the next time.
const (
	uniqueViolation      = "23505"
	deadlockDetected     = "40P01"
	serializationFailure = "40001"
)

// MaxDeliveries bounds how often one segment is delivered again after its answer was lost.
const MaxDeliveries = 8

// Settle commits x: the attempt's row, the ticket to the transcoder or its rejection, the payer's debt, the segment's
// delivery and the transcoder's record, all or nothing. Settling an attempt again changes nothing. SegmentConflict means
// that other bytes were delivered under the segment's key.
func (s *Store) Settle(ctx context.Context, x Settlement) (Settled, error) {
	out, err := s.SettleAll(ctx, []Settlement{x})
	if err != nil {
		return Settled{}, err
	}
	return out[0], nil
}

// SettleAll settles several attempts in one commit: those that make a segment together, a part of its ladder each.
func (s *Store) SettleAll(ctx context.Context, xs []Settlement) ([]Settled, error) {
	order := make([]int, len(xs))
	var makers [][]byte
	for i, x := range xs {
		order[i] = i
		if t := x.Assignment.Message.Transcoder; x.State == Verified {
			makers = append(makers, t[:])
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return xs[a].Assignment.Message.Transcoder.Cmp(xs[b].Assignment.Message.Transcoder)
	})
	var out []Settled
	var err error
	for range 3 { // replicas that deliver one segment at the same moment: one of them comes second
		err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
			out = make([]Settled, len(xs))
			// Rows are locked in one order, the segment's before its transcoders': else two commits that share rows could wait for each other.
			for i, x := range xs {
				if err := s.record(ctx, tx, x.moving(), makers, &out[i]); err != nil {
					return err
				}
			}
			for _, i := range order {
				if out[i].Again {
					continue
				}
				if err := s.reward(ctx, tx, xs[i].moving(), &out[i]); err != nil {
					return err
				}
			}
			return nil
		})
		var refused *pgconn.PgError
		if !errors.As(err, &refused) || !slices.Contains([]string{uniqueViolation, deadlockDetected, serializationFailure}, refused.Code) {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("settle attempt %s: %w", xs[0].Assignment.Message.Attempt.Short(), err)
	}
	return out, nil
}

// moving is x with the money that it moves.
func (x Settlement) moving() Settlement {
	if x.State != Verified {
		x.Released, x.Price, x.Cost = false, protocol.Wei{}, protocol.Wei{}
	}
	if !x.Released {
		x.Price = protocol.Wei{}
	}
	return x
}

// record enters the attempt, unless it is known, and what its payer owes for it.
func (s *Store) record(ctx context.Context, tx pgx.Tx, x Settlement, makers [][]byte, out *Settled) error {
	a := x.Assignment.Message
	var receipt, source []byte
	if x.Receipt != nil {
		receipt = protocol.Encode(*x.Receipt)
	}
	if !x.Source.IsZero() {
		source = x.Source[:]
	}
	layers := x.Verdict.Layers
	if x.State == Abandoned {
		layers = ""
	}
	tag, err := tx.Exec(ctx, `INSERT INTO attempts (id, payer, stream, incarnation, seq, source, transcoder, lease, state, probe,
			code, detail, layers, millis, price, cost, pixels, assignment, receipt)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15::text::numeric, $16::text::numeric, $17, $18, $19)
		ON CONFLICT (id) DO NOTHING`,
		a.Attempt[:], x.Payer[:], a.Stream, int64(a.Incarnation), int64(a.Seq), source, a.Transcoder[:], a.Lease[:], string(x.State), x.Probe,
		string(x.Code), clip(x.Detail), layers, x.Millis, x.Price.String(), x.Cost.String(), int64(x.Pixels), protocol.Encode(x.Assignment), receipt)
	if err != nil {
		return fmt.Errorf("insert attempt: %w", err)
	}
	if tag.RowsAffected() == 0 {
		out.Again = true
		return nil
	}
	if !x.Released {
		return nil
	}
	if out.Replaced, err = deliver(ctx, tx, x, makers); err != nil {
		return err
	}
	if x.Price.IsZero() {
		return fmt.Errorf("a delivery without a price")
	}
	if err := s.ledger.Owe(ctx, tx, x.Payer, a.Stream, a.Attempt, x.Price); err != nil {
		return fmt.Errorf("owe: %w", err)
	}
	return nil
}

// reward pays the attempt's transcoder, or says that it is not paid, and adds the verdict to its record.
func (s *Store) reward(ctx context.Context, tx pgx.Tx, x Settlement, out *Settled) error {
	a := x.Assignment.Message
	var err error
	switch {
	case x.State == Verified && !x.Cost.IsZero():
		if err = s.spend(ctx, tx, x.Payer, a.Stream, x.Cost); err != nil {
			return err
		}
		err = s.ledger.Pay(ctx, tx, a.Transcoder, a.Stream, a.Attempt, x.Cost)
	case x.State == Rejected:
		err = s.ledger.Reject(ctx, tx, a.Transcoder, a.Stream, a.Attempt, x.Code, clip(x.Detail))
	}
	if err != nil {
		return fmt.Errorf("ticket: %w", err)
	}
	if x.State == Abandoned || x.Verdict.Inconclusive {
		return nil
	}
	return x.enter(ctx, tx, out, func(st *standing) {
		st.Tally.count(x)
		if !x.Held {
			st.Record = st.Record.After(x.Verdict)
		}
	})
}

// Judge adds the verdict of a settled attempt to its transcoder's record: one that was held, or one that a later look found.
func (s *Store) Judge(ctx context.Context, x Settlement) (Settled, error) {
	var out Settled
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		return x.enter(ctx, tx, &out, func(st *standing) { st.Record = st.Record.After(x.Verdict) })
	})
	if err != nil {
		return Settled{}, fmt.Errorf("judge attempt %s: %w", x.Assignment.Message.Attempt.Short(), err)
	}
	return out, nil
}

// deliver makes the attempt the segment's delivery, of all parts by makers. An earlier delivery of the same bytes by transcoders
// none of which the payer rejects was lost on its way: its debt passes to this one, so that nobody pays twice.
func deliver(ctx context.Context, tx pgx.Tx, x Settlement, makers [][]byte) (replaced protocol.ID, err error) {
	a := x.Assignment.Message
	key := []any{x.Payer[:], a.Stream, int64(a.Incarnation), int64(a.Seq)}
	tag, err := tx.Exec(ctx, `INSERT INTO segments (payer, stream, incarnation, seq, source, attempt, makers) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		append(key, x.Source[:], a.Attempt[:], makers)...)
	if err != nil {
		return replaced, fmt.Errorf("insert segment: %w", err)
	}
	if tag.RowsAffected() == 1 {
		return replaced, nil
	}
	// The attempt is read apart: a join would be of the row as it was before another replica's delivery was waited for.
	var source, attempt, transcoder []byte
	var before [][]byte
	var deliveries int
	err = tx.QueryRow(ctx, `SELECT source, attempt, makers, deliveries FROM segments WHERE payer = $1 AND stream = $2 AND incarnation = $3 AND seq = $4 FOR UPDATE`,
		key...).Scan(&source, &attempt, &before, &deliveries)
	if err != nil {
		return replaced, fmt.Errorf("read segment: %w", err)
	}
	if err := tx.QueryRow(ctx, `SELECT transcoder FROM attempts WHERE id = $1`, attempt).Scan(&transcoder); err != nil {
		return replaced, fmt.Errorf("read the attempt that was delivered: %w", err)
	}
	if protocol.Hash(source) != x.Source {
		return replaced, protocol.Errorf(protocol.SegmentConflict, "segment %s was delivered with other bytes", a.SegmentKey)
	}
	if err := (Delivery{Deliveries: deliveries}).Spent(a.SegmentKey); err != nil {
		return replaced, err
	}
	_, err = tx.Exec(ctx, `UPDATE segments SET attempt = $5, makers = $6, deliveries = deliveries + 1 WHERE payer = $1 AND stream = $2 AND incarnation = $3 AND seq = $4`,
		append(key, a.Attempt[:], makers)...)
	if err != nil {
		return replaced, fmt.Errorf("replace delivery: %w", err)
	}
	for _, by := range append(before, transcoder) {
		if slices.Contains(x.Avoided, common.BytesToAddress(by)) {
			return replaced, nil // rejected by the payer, verified here: still owed
		}
	}
	copy(replaced[:], attempt)
	return replaced, nil
}

// enter changes the standing of the attempt's transcoder.
func (x Settlement) enter(ctx context.Context, tx pgx.Tx, out *Settled, change func(*standing)) error {
	t := x.Assignment.Message.Transcoder
	var at *time.Time
	err := update(ctx, tx, t, func(st *standing, cutOffAt *time.Time) {
		at, out.Was = cutOffAt, st.State
		change(st)
		out.Record = st.Record
	})
	out.CutOff = err == nil && at == nil && out.Record.State == verify.CutOff
	if !out.CutOff {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE transcoders SET cut_off_at = now(), cut_off_for = $2 WHERE address = $1`, t[:],
		clip(fmt.Sprintf("attempt %s: %s: %s", x.Assignment.Message.Attempt, x.Code, x.Detail)))
	if err != nil {
		return fmt.Errorf("cut off transcoder %s: %w", t, err)
	}
	return nil
}

// Delivery is the attempt a segment was delivered by.
type Delivery struct {
	Source     protocol.Hash
	Attempt    protocol.ID
	Transcoder common.Address
	Deliveries int
}

// Spent is why the segment is not delivered again; nil while it can be.
func (d Delivery) Spent(key protocol.SegmentKey) error {
	if d.Deliveries < MaxDeliveries {
		return nil
	}
	return protocol.Limited(protocol.RateLimited, "max_deliveries", MaxDeliveries, "segment %s was delivered %d times; give its content another number", key, d.Deliveries)
}

// Delivered looks the segment up; ok is false when it was not delivered yet.
func (s *Store) Delivered(ctx context.Context, payer common.Address, key protocol.SegmentKey) (d Delivery, ok bool, err error) {
	var source, attempt, transcoder []byte
	err = s.pool.QueryRow(ctx, `SELECT s.source, s.attempt, t.transcoder, s.deliveries FROM segments s JOIN attempts t ON t.id = s.attempt
		WHERE s.payer = $1 AND s.stream = $2 AND s.incarnation = $3 AND s.seq = $4`,
		payer[:], key.Stream, int64(key.Incarnation), int64(key.Seq)).Scan(&source, &attempt, &transcoder, &d.Deliveries)
	if errors.Is(err, pgx.ErrNoRows) {
		return d, false, nil
	}
	if err != nil {
		return d, false, fmt.Errorf("read segment %s: %w", key, err)
	}
	copy(d.Source[:], source)
	copy(d.Attempt[:], attempt)
	d.Transcoder = common.BytesToAddress(transcoder)
	return d, true, nil
}

// clip bounds text that came from elsewhere.
func clip(s string) string {
	const most = 500
	if len(s) > most {
		s = s[:most]
	}
	b := []rune(s)
	for i, r := range b {
		if r == 0 {
			b[i] = ' ' // Postgres text holds no NUL
		}
	}
	return string(b)
}
