// Package ledger is the recipient's Store in SQL, written once in the dialect that Postgres and SQLite share. The bodies,
// pgstore and litestore, give it a database.
package ledger

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
)

// Conn is an open transaction. Parameters are $1, $2, …; amounts go in as decimal strings and come out through CAST(… AS text).
type Conn interface {
	Exec(ctx context.Context, sql string, args ...any) (affected int64, err error)
	Query(ctx context.Context, sql string, args ...any) (Rows, error)
	// Do runs statements in order, in one round trip where the database is reached by any.
	Do(ctx context.Context, steps []Step) error
}

// Step is one statement of several. Row, where there is one, reads each row it returns; without one it must change a row,
// or those that many gave it.
type Step struct {
	SQL  string
	Args []any
	Row  func(Rows) error
	rows int64
}

// Done judges how many rows a Step without Row changed.
func (s Step) Done(affected int64) error {
	if want := max(s.rows, 1); affected != want {
		return fmt.Errorf("%d rows changed, want %d", affected, want)
	}
	return nil
}

// Rows is a cursor; it must be closed before the next statement.
type Rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close()
}

// rowsHere is where many writes its rows.
const rowsHere = "{rows}"

// many gives a statement for all rows, in pieces of few different lengths, so that few texts are prepared. Each row is written
// as the template, with its parameters for the template's $.
func many[T any](all []T, args func(T) []any, s Step, template string) (steps []Step) {
	for _, size := range []int{64, 16, 4, 1} {
		for ; len(all) >= size; all = all[size:] {
			var rows strings.Builder
			piece := Step{Row: s.Row, rows: int64(size)}
			n := 0
			for i, x := range all[:size] {
				if i > 0 {
					rows.WriteString(", ")
				}
				for _, r := range template {
					rows.WriteRune(r)
					if r == '$' {
						n++
						rows.WriteString(strconv.Itoa(n))
					}
				}
				piece.Args = append(piece.Args, args(x)...)
			}
			piece.SQL = strings.Replace(s.SQL, rowsHere, rows.String(), 1)
			steps = append(steps, piece)
		}
	}
	return steps
}

func row(args []any) []any { return args }

// DB runs transactions.
type DB interface {
	// Tx runs f in one transaction, again when the database asks for that; it commits if f returns no error.
	Tx(ctx context.Context, f func(Conn) error) error
	// Lock is appended to a SELECT whose rows this transaction is about to change.
	Lock() string
	// Amount is the SQL type of amounts.
	Amount() string
	Exclusive(ctx context.Context, f func(ctx context.Context) error) (ran bool, err error)
}

// Ledger is a payment.Store over a DB with the recipient's tables.
type Ledger struct {
	db      DB
	accepts group
}

var _ payment.Store = (*Ledger)(nil)

// New makes the store.
func New(db DB) *Ledger { return &Ledger{db: db} }

// Exclusive is the DB's.
func (l *Ledger) Exclusive(ctx context.Context, f func(ctx context.Context) error) (bool, error) {
	return l.db.Exclusive(ctx, f)
}

// tx adds to an error what was being done.
func (l *Ledger) tx(ctx context.Context, doing string, f func(Conn) error) error {
	if err := l.db.Tx(ctx, f); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// one reads at most one row.
func one(ctx context.Context, c Conn, sql string, args []any, dest ...any) (found bool, err error) {
	rows, err := c.Query(ctx, sql, args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	if !rows.Next() {
		return false, rows.Err()
	}
	if err := rows.Scan(dest...); err != nil {
		return false, err
	}
	return true, nil
}

// all reads every row; each row is scanned by f.
func all[T any](ctx context.Context, c Conn, f func(Rows) (T, error), sql string, args ...any) ([]T, error) {
	rows, err := c.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := f(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

func sum(ctx context.Context, c Conn, sql string, args ...any) (protocol.Wei, error) {
	amounts, err := all(ctx, c, func(r Rows) (protocol.Wei, error) {
		var w protocol.Wei
		return w, r.Scan(&w)
	}, sql, args...)
	var total protocol.Wei
	for _, w := range amounts {
		total = total.Add(w)
	}
	return total, err
}

// must wants a statement to change exactly one row.
func must(affected int64, err error) error {
	if err != nil {
		return err
	}
	if affected != 1 {
		return fmt.Errorf("%d rows changed, want 1", affected)
	}
	return nil
}

func millis(t time.Time) int64 { return t.UnixMilli() }

func moment(ms int64) time.Time { return time.UnixMilli(ms) }

// Secret implements payment.Store.
func (l *Ledger) Secret(ctx context.Context) (secret [32]byte, err error) {
	err = l.tx(ctx, "read recipient secret", func(c Conn) error {
		var fresh [32]byte
		_, _ = rand.Read(fresh[:]) // never fails, says crypto/rand
		if _, err := c.Exec(ctx, `INSERT INTO recipient_secret (id, secret) VALUES (1, $1) ON CONFLICT DO NOTHING`, fresh[:]); err != nil {
			return err
		}
		var b []byte
		found, err := one(ctx, c, `SELECT secret FROM recipient_secret WHERE id = 1`, nil, &b)
		if err == nil && (!found || len(b) != 32) {
			err = errors.New("the secret is not there")
		}
		copy(secret[:], b)
		return err
	})
	return secret, err
}

// Prune implements payment.Store.
func (l *Ledger) Prune(ctx context.Context, before time.Time) error {
	return l.tx(ctx, "forget old tickets", func(c Conn) error {
		if _, err := c.Exec(ctx, `DELETE FROM recipient_tickets WHERE expiry < $1`, before.Unix()); err != nil {
			return err
		}
		if _, err := c.Exec(ctx, `DELETE FROM recipient_debts WHERE is_open = 0 AND noted_at < $1`, millis(before)); err != nil {
			return err
		}
		// A stranger's lane has no ticket, so that nothing but the chain's watermark bounds the nonces of who gets its number next.
		const forgotten = ` IN (SELECT l.payer, l.lane FROM recipient_lanes l WHERE l.accepted = 0
			AND NOT EXISTS (SELECT 1 FROM recipient_payers p WHERE p.payer = l.payer)
			AND NOT EXISTS (SELECT 1 FROM recipient_sets s WHERE s.payer = l.payer AND s.lane = l.lane AND (s.state = 'open' OR s.expiry >= $1))
			AND l.used_at < $2)`
		if _, err := c.Exec(ctx, `DELETE FROM recipient_sets WHERE (payer, lane)`+forgotten, before.Unix(), millis(before)); err != nil {
			return err
		}
		_, err := c.Exec(ctx, `DELETE FROM recipient_lanes WHERE (payer, lane)`+forgotten, before.Unix(), millis(before))
		return err
	})
}

// Stats implements payment.Store.
func (l *Ledger) Stats(ctx context.Context, now time.Time) (s payment.RecipientStats, err error) {
	err = l.tx(ctx, "count", func(c Conn) error {
		s = payment.RecipientStats{}
		type lane struct {
			accepted, won, redeemed, lost                int64
			acceptedWei, wonWei, redeemedWei, lostWeiWei protocol.Wei
		}
		lanes, err := all(ctx, c, func(r Rows) (x lane, err error) {
			return x, r.Scan(&x.accepted, &x.won, &x.redeemed, &x.lost, &x.acceptedWei, &x.wonWei, &x.redeemedWei, &x.lostWeiWei)
		}, `SELECT accepted, won, redeemed, lost, CAST(accepted_wei AS text), CAST(won_wei AS text), CAST(redeemed_wei AS text),
			CAST(lost_wei AS text) FROM recipient_lanes`)
		if err != nil {
			return err
		}
		for _, x := range lanes {
			s.Accepted, s.Won = s.Accepted+uint64(x.accepted), s.Won+uint64(x.won)
			s.Redeemed, s.Lost = s.Redeemed+uint64(x.redeemed), s.Lost+uint64(x.lost)
			s.AcceptedWei, s.WonWei = s.AcceptedWei.Add(x.acceptedWei), s.WonWei.Add(x.wonWei)
			s.EarnedWei, s.LostWei = s.EarnedWei.Add(x.redeemedWei), s.LostWei.Add(x.lostWeiWei)
		}
		s.PendingWinners = s.Won - s.Redeemed - s.Lost
		s.PendingWei = s.WonWei.Sub(s.EarnedWei).Sub(s.LostWei)
		if _, err := one(ctx, c, `SELECT COUNT(*) FROM recipient_sets WHERE state = 'open'`, nil, &s.OpenSets); err != nil {
			return err
		}
		if _, err := one(ctx, c, `SELECT COUNT(*) FROM recipient_redemptions WHERE state IN ('mined', 'final')`, nil, &s.Txs); err != nil {
			return err
		}
		if s.GasWei, err = sum(ctx, c, `SELECT CAST(gas_wei AS text) FROM recipient_redemptions WHERE state IN ('mined', 'final')`); err != nil {
			return err
		}
		if s.RelayFeesWei, err = sum(ctx, c, `SELECT CAST(fee_wei AS text) FROM recipient_redemptions WHERE state IN ('mined', 'final') AND tx_nonce < 0`); err != nil {
			return err
		}
		if s.SettledWei, err = sum(ctx, c, `SELECT CAST(settled_wei AS text) FROM recipient_settlements`); err != nil {
			return err
		}
		owed, err := all(ctx, c, debt, debtColumns+` WHERE is_open = 1`)
		for _, d := range owed {
			s.OwedWei = s.OwedWei.Add(d.open())
		}
		return err
	})
	return s, err
}

func address(b []byte) (a common.Address) {
	copy(a[:], b)
	return a
}
