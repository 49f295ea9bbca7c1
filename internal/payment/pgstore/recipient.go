// Package pgstore keeps both sides of the ticket in Postgres, shared by all replicas of a role.
package pgstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/payment/ledger"
)

// Recipient is the recipient's store on a database with the migrations of the set "recipient".
func Recipient(pool *pgxpool.Pool) payment.Store { return ledger.New(database{pool}) }

// OweTx notes a delivered segment inside a transaction of the role's.
func OweTx(ctx context.Context, tx pgx.Tx, o payment.Owed) error {
	if err := ledger.New(database{}).OweIn(ctx, conn{tx}, o, time.Now()); err != nil {
		return fmt.Errorf("note debt: %w", err)
	}
	return nil
}

// settling is the key of the advisory lock that one settling process holds, for one database.
const settling = 0x6b696e6f7261 // "kinora"

type database struct{ pool *pgxpool.Pool }

func (database) Lock() string { return " FOR UPDATE" }

// attempts bounds how often a transaction is tried that lost to others.
const attempts = 10

func (d database) Tx(ctx context.Context, f func(ledger.Conn) error) error {
	var err error
	for range attempts {
		err = pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error { return f(conn{tx}) })
		var e *pgconn.PgError
		if !errors.As(err, &e) || e.Code != "40001" && e.Code != "40P01" { // serialization failure, deadlock
			return err
		}
	}
	return err
}

func (d database) Exclusive(ctx context.Context, f func(ctx context.Context) error) (bool, error) {
	c, err := d.pool.Acquire(ctx)
	if err != nil {
		return false, fmt.Errorf("take the settling lock: %w", err)
	}
	defer c.Release()
	var mine bool
	if err := c.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", int64(settling)).Scan(&mine); err != nil || !mine {
		if err != nil {
			err = fmt.Errorf("take the settling lock: %w", err)
		}
		return false, err
	}
	defer func() {
		done, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if _, err := c.Exec(done, "SELECT pg_advisory_unlock($1)", int64(settling)); err != nil {
			_ = c.Conn().Close(done) // the lock goes with the connection
		}
	}()
	return true, f(ctx)
}

type conn struct{ tx pgx.Tx }

func (c conn) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	tag, err := c.tx.Exec(ctx, sql, args...)
	return tag.RowsAffected(), err
}

func (c conn) Query(ctx context.Context, sql string, args ...any) (ledger.Rows, error) {
	return c.tx.Query(ctx, sql, args...)
}

func (c conn) Do(ctx context.Context, steps []ledger.Step) (err error) {
	var b pgx.Batch
	for _, s := range steps {
		b.Queue(s.SQL, s.Args...)
	}
	results := c.tx.SendBatch(ctx, &b)
	defer func() { err = errors.Join(err, results.Close()) }()
	for _, s := range steps {
		if s.Row == nil {
			tag, err := results.Exec()
			if err == nil {
				err = s.Done(tag.RowsAffected())
			}
			if err != nil {
				return err
			}
			continue
		}
		rows, err := results.Query()
		if err != nil {
			return err
		}
		for rows.Next() && err == nil {
			err = s.Row(rows)
		}
		rows.Close()
		if err = errors.Join(err, rows.Err()); err != nil {
			return err
		}
	}
	return nil
}
