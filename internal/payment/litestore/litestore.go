// Package litestore keeps the receiving side of tickets in one SQLite file, for a transcoder.
package litestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"

	_ "modernc.org/sqlite" // the "sqlite" driver

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/payment/ledger"
)

// Open opens or makes a SQLite file in the way money needs it: every commit on disk before it returns, foreign keys
// checked, writers one after another. Its migrations are the caller's to run.
func Open(file string) (*sql.DB, error) {
	return open(file, url.Values{"_txlock": {"immediate"}, "_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "busy_timeout(10000)"}})
}

// OpenReadOnly opens a file that exists to look at, also while another process writes to it.
func OpenReadOnly(file string) (*sql.DB, error) {
	return open(file, url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(10000)"}})
}

func open(file string, q url.Values) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+url.PathEscape(file)+"?"+q.Encode())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", file, err)
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// New is the recipient's store on a database with the migrations of the set "recipient_sqlite". It is for one process.
func New(db *sql.DB) payment.Store { return ledger.New(&database{db: db}) }

type database struct {
	db       *sql.DB
	settling sync.Mutex
}

func (*database) Lock() string { return "" } // a writing transaction has the whole file

func (*database) Amount() string { return "text" }

func (d *database) Tx(ctx context.Context, f func(ledger.Conn) error) error {
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after a commit it does nothing
	if err := f(conn{tx}); err != nil {
		return err
	}
	return tx.Commit()
}

func (d *database) Exclusive(ctx context.Context, f func(ctx context.Context) error) (bool, error) {
	if !d.settling.TryLock() {
		return false, nil
	}
	defer d.settling.Unlock()
	return true, f(ctx)
}

type conn struct{ tx *sql.Tx }

// SQLite numbers parameters ?1, ?2, ….
func (c conn) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	r, err := c.tx.ExecContext(ctx, strings.ReplaceAll(sql, "$", "?"), args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

func (c conn) Query(ctx context.Context, sql string, args ...any) (ledger.Rows, error) {
	r, err := c.tx.QueryContext(ctx, strings.ReplaceAll(sql, "$", "?"), args...)
	if err != nil {
		return nil, err
	}
	return rows{r}, nil
}

// Do prepares each text once.
func (c conn) Do(ctx context.Context, steps []ledger.Step) (err error) {
	prepared := map[string]*sql.Stmt{}
	defer func() {
		for _, p := range prepared {
			err = errors.Join(err, p.Close())
		}
	}()
	for _, s := range steps {
		p := prepared[s.SQL]
		if p == nil {
			if p, err = c.tx.PrepareContext(ctx, strings.ReplaceAll(s.SQL, "$", "?")); err != nil {
				return err
			}
			prepared[s.SQL] = p
		}
		if err := c.do(ctx, p, s); err != nil {
			return err
		}
	}
	return nil
}

func (conn) do(ctx context.Context, p *sql.Stmt, s ledger.Step) error {
	if s.Row == nil {
		r, err := p.ExecContext(ctx, s.Args...)
		if err != nil {
			return err
		}
		affected, err := r.RowsAffected()
		if err != nil {
			return err
		}
		return s.Done(affected)
	}
	r, err := p.QueryContext(ctx, s.Args...)
	if err != nil {
		return err
	}
	defer r.Close()
	for r.Next() {
		if err := s.Row(rows{r}); err != nil {
			return err
		}
	}
	return r.Err()
}

type rows struct{ *sql.Rows }

func (r rows) Close() { _ = r.Rows.Close() } // Err has what matters
