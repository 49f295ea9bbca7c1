// Package litestore keeps the receiving side of tickets in one SQLite file, for a transcoder.
package litestore

import (
	"context"
	"database/sql"
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
	return open(file, url.Values{"_txlock": {"immediate"}, "_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "busy_timeout(10000)",
		"cache_size(-16000)", "wal_autocheckpoint(4000)"}}) // kB, pages
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
func New(db *sql.DB) payment.Store {
	return ledger.New(&database{db: db, prepared: map[string]*sql.Stmt{}})
}

type database struct {
	db       *sql.DB
	settling sync.Mutex

	mu       sync.Mutex
	prepared map[string]*sql.Stmt // what Do runs, by its text
}

func (*database) Lock() string { return "" } // a writing transaction has the whole file

func (*database) Amount() string { return "text" }

func (d *database) Tx(ctx context.Context, f func(ledger.Conn) error) error {
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after a commit it does nothing
	c := conn{Tx: tx, d: d, fresh: map[string]*sql.Stmt{}}
	if err := f(c); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	d.keep(ctx, c.fresh)
	return nil
}

// maxPrepared bounds the statements that stay prepared. The ledger has fewer texts.
const maxPrepared = 256

// keep prepares for good what a transaction ran. It needs the connection, which that transaction had and another may have
// now: nothing is locked meanwhile.
func (d *database) keep(ctx context.Context, texts map[string]*sql.Stmt) {
	for text := range texts {
		p, err := d.db.PrepareContext(ctx, numbered(text))
		if err != nil {
			return // then the next transaction prepares it for itself
		}
		d.mu.Lock()
		if d.prepared[text] == nil && len(d.prepared) < maxPrepared {
			d.prepared[text], p = p, nil
		}
		d.mu.Unlock()
		if p != nil {
			_ = p.Close() // another was faster
		}
	}
}

func (d *database) known(text string) *sql.Stmt {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.prepared[text]
}

func (d *database) Exclusive(ctx context.Context, f func(ctx context.Context) error) (bool, error) {
	if !d.settling.TryLock() {
		return false, nil
	}
	defer d.settling.Unlock()
	return true, f(ctx)
}

type conn struct {
	*sql.Tx
	d     *database
	fresh map[string]*sql.Stmt // prepared for this transaction
}

// numbered is a text with SQLite's parameters: ?1, ?2, ….
func numbered(text string) string { return strings.ReplaceAll(text, "$", "?") }

func (c conn) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	r, err := c.ExecContext(ctx, numbered(sql), args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

func (c conn) Query(ctx context.Context, sql string, args ...any) (ledger.Rows, error) {
	r, err := c.QueryContext(ctx, numbered(sql), args...)
	if err != nil {
		return nil, err
	}
	return rows{r}, nil
}

// Do runs prepared statements: those of an earlier transaction, or its own.
func (c conn) Do(ctx context.Context, steps []ledger.Step) error {
	for _, s := range steps {
		p, err := c.prepare(ctx, s.SQL)
		if err != nil {
			return err
		}
		if err := c.do(ctx, p, s); err != nil {
			return err
		}
	}
	return nil
}

// prepare gives a statement that ends with the transaction.
func (c conn) prepare(ctx context.Context, text string) (*sql.Stmt, error) {
	if p := c.fresh[text]; p != nil {
		return p, nil
	}
	if p := c.d.known(text); p != nil {
		return c.StmtContext(ctx, p), nil
	}
	p, err := c.PrepareContext(ctx, numbered(text))
	if err == nil {
		c.fresh[text] = p
	}
	return p, err
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
