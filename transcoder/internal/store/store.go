// Package store is a transcoder's memory on disk: the leases it accepted, the attempts it began and the receipts it signed.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/payment/litestore"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/migrations"
)

// Sets are the migrations of the database: this package's tables and those of a recipient of tickets.
var sets = []string{"transcoder", "recipient_sqlite"}

// Store is an open database. Its methods may be called from several goroutines at once.
type Store struct{ db *sql.DB }

// Open opens or creates dir/transcoder.db and brings its tables up to date. What it commits survives a power cut.
func Open(ctx context.Context, dir string) (*Store, error) {
	path := filepath.Join(dir, "transcoder.db")
	db, err := litestore.Open(path)
	if err != nil {
		return nil, err
	}
	if err := migrations.SQLite(ctx, db, sets...); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), db.Close())
	}
	return &Store{db: db}, nil
}

// Look opens dir/transcoder.db to be read only, as it is; a transcoder may be using it.
func Look(dir string) (*Store, error) {
	path := filepath.Join(dir, "transcoder.db")
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("look into the transcoder's folder: %w", err)
	}
	db, err := litestore.OpenReadOnly(path)
	if err != nil {
		return nil, err
	}
	return &Store{db: db}, nil
}

// DB is the database, for the recipient's tables in it.
func (s *Store) DB() *sql.DB { return s.db }

// Close closes the database.
func (s *Store) Close() error { return s.db.Close() }

// Lease is what is remembered of an accepted award.
type Lease struct {
	ID           protocol.ID
	Orchestrator common.Address
	Payer        common.Address // whose tickets pay for it
	Stream       string
	MaxFee       protocol.Wei // of one segment
	UsualFee     protocol.Wei
}

// PutLease remembers l. A known lease is Stale: an award is good once.
func (s *Store) PutLease(ctx context.Context, l Lease, now time.Time) error {
	return s.tx(ctx, "remember lease", func(tx *sql.Tx) error {
		n, err := affected(tx.ExecContext(ctx, `INSERT INTO lease (id, orchestrator, payer, stream, max_fee, usual_fee, granted_ms) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO NOTHING`, l.ID.String(), l.Orchestrator.Hex(), l.Payer.Hex(), l.Stream, l.MaxFee.String(), l.UsualFee.String(), now.UnixMilli()))
		if err != nil {
			return err
		}
		if n == 0 {
			return protocol.Errorf(protocol.Stale, "lease %s was awarded before", l.ID.Short())
		}
		return count(ctx, tx, "leases")
	})
}

// Lease returns the lease id, or LeaseUnknown.
func (s *Store) Lease(ctx context.Context, id protocol.ID) (Lease, error) {
	l := Lease{ID: id}
	var orchestrator, payer string
	err := s.db.QueryRowContext(ctx, `SELECT orchestrator, payer, stream, max_fee, usual_fee FROM lease WHERE id = ?`, id.String()).
		Scan(&orchestrator, &payer, &l.Stream, &l.MaxFee, &l.UsualFee)
	if errors.Is(err, sql.ErrNoRows) {
		return Lease{}, protocol.Errorf(protocol.LeaseUnknown, "no lease %s", id.Short())
	}
	if err != nil {
		return Lease{}, fmt.Errorf("read lease %s: %w", id.Short(), err)
	}
	l.Orchestrator, l.Payer = common.HexToAddress(orchestrator), common.HexToAddress(payer)
	return l, nil
}

// Begin records that a is being tried. An attempt that was begun before, on these bytes or others, is Stale: two receipts
// of one attempt with different outputs would be the one provable fault.
func (s *Store) Begin(ctx context.Context, a protocol.Assignment, now time.Time) error {
	return s.tx(ctx, "begin attempt", func(tx *sql.Tx) error {
		n, err := affected(tx.ExecContext(ctx, `INSERT INTO attempt (id, lease, orchestrator, stream, incarnation, seq, begun_ms)
			VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
			a.Attempt.String(), a.Lease.String(), a.Orchestrator.Hex(), a.Stream, int64(a.Incarnation), int64(a.Seq), now.UnixMilli()))
		if err != nil {
			return err
		}
		if n == 0 {
			return protocol.Errorf(protocol.Stale, "attempt %s was begun before; an attempt is never reused", a.Attempt.Short())
		}
		return count(ctx, tx, "attempts")
	})
}

// PutReceipt records the receipt of an attempt in progress. It is on disk when PutReceipt returns.
func (s *Store) PutReceipt(ctx context.Context, r protocol.Signed[protocol.Receipt], fee protocol.Wei, now time.Time) error {
	id := r.Message.Attempt
	return s.tx(ctx, "store receipt", func(tx *sql.Tx) error {
		n, err := affected(tx.ExecContext(ctx, `UPDATE attempt SET state = 'receipted', source = ?, receipt = ?, fee = ?, ended_ms = ?
			WHERE id = ? AND state = 'begun'`, r.Message.Source.String(), string(protocol.Encode(r)), fee.String(), now.UnixMilli(), id.String()))
		if err != nil {
			return err
		}
		if n == 0 {
			return protocol.Errorf(protocol.Stale, "attempt %s is not in progress", id.Short())
		}
		return count(ctx, tx, "receipts")
	})
}

// Abandon records that an attempt in progress ended without a receipt.
func (s *Store) Abandon(ctx context.Context, attempt protocol.ID, code protocol.Code, now time.Time) error {
	_, err := s.db.ExecContext(ctx, `UPDATE attempt SET state = 'abandoned', code = ?, ended_ms = ? WHERE id = ? AND state = 'begun'`,
		string(code), now.UnixMilli(), attempt.String())
	if err != nil {
		return fmt.Errorf("abandon attempt %s: %w", attempt.Short(), err)
	}
	return nil
}

// Receipt returns the receipt of an attempt, or NotFound.
func (s *Store) Receipt(ctx context.Context, attempt protocol.ID) (protocol.Signed[protocol.Receipt], error) {
	var text sql.NullString
	err := s.db.QueryRowContext(ctx, `SELECT receipt FROM attempt WHERE id = ?`, attempt.String()).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !text.Valid {
		return protocol.Signed[protocol.Receipt]{}, protocol.Errorf(protocol.NotFound, "no receipt of attempt %s", attempt.Short())
	}
	if err != nil {
		return protocol.Signed[protocol.Receipt]{}, fmt.Errorf("read receipt %s: %w", attempt.Short(), err)
	}
	return protocol.Decode[protocol.Signed[protocol.Receipt]]([]byte(text.String))
}

// Counts are totals since the database was made.
type Counts struct{ Attempts, Receipts, Leases uint64 }

// Counts reads the totals.
func (s *Store) Counts(ctx context.Context) (Counts, error) {
	var c Counts
	err := s.db.QueryRowContext(ctx, `SELECT
		(SELECT count FROM tally WHERE name = 'attempts'),
		(SELECT count FROM tally WHERE name = 'receipts'),
		(SELECT count FROM tally WHERE name = 'leases')`).Scan(&c.Attempts, &c.Receipts, &c.Leases)
	if err != nil {
		return Counts{}, fmt.Errorf("read counts: %w", err)
	}
	return c, nil
}

// Prune forgets attempts and leases that are older than before: by then they are paid or never will be.
func (s *Store) Prune(ctx context.Context, before time.Time) error {
	return s.tx(ctx, "prune", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM attempt WHERE begun_ms < ?`, before.UnixMilli()); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM lease WHERE granted_ms < ?`, before.UnixMilli())
		return err
	})
}

func (s *Store) tx(ctx context.Context, what string, do func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer tx.Rollback()
	if err = do(tx); err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func affected(r sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

func count(ctx context.Context, tx *sql.Tx, name string) error {
	_, err := tx.ExecContext(ctx, `UPDATE tally SET count = count + 1 WHERE name = ?`, name)
	return err
}
