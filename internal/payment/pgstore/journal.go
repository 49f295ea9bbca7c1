package pgstore

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/kinora/kinora/internal/chain"
)

// Journal is the TxNonces that replicas took, on a database with the migrations of the set "payer".
func Journal(pool *pgxpool.Pool) chain.Journal { return journal{pool} }

type journal struct{ pool *pgxpool.Pool }

// kept is how many entries stay behind the newest: all that a reorganisation can bring back, and more than ever wait.
const kept = 1024

// Take implements chain.Journal.
func (j journal) Take(ctx context.Context, account common.Address, prepare func([]chain.Prepared) (chain.Prepared, bool, error)) error {
	return pgx.BeginFunc(ctx, j.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, "kinora account "+account.Hex()); err != nil {
			return fmt.Errorf("wait for the account's other processes: %w", err)
		}
		rows, err := tx.Query(ctx, `SELECT tx_nonce, tx, raw FROM payer_transactions WHERE account = $1`, account[:])
		if err != nil {
			return fmt.Errorf("read the account's transactions: %w", err)
		}
		taken, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (p chain.Prepared, err error) {
			var nonce int64
			var hash []byte
			err = r.Scan(&nonce, &hash, &p.Raw)
			p.TxNonce, p.Tx = uint64(nonce), common.BytesToHash(hash)
			return p, err
		})
		if err != nil {
			return fmt.Errorf("read the account's transactions: %w", err)
		}
		p, elsewhere, err := prepare(taken)
		if err != nil {
			return err
		}
		raw := p.Raw
		if elsewhere {
			raw = nil
		}
		if _, err := tx.Exec(ctx, `INSERT INTO payer_transactions (account, tx_nonce, tx, raw) VALUES ($1, $2, $3, $4)
			ON CONFLICT (account, tx_nonce) DO UPDATE SET tx = excluded.tx, raw = excluded.raw`, account[:], int64(p.TxNonce), p.Tx[:], raw); err != nil {
			return fmt.Errorf("write transaction %s down: %w", p.Tx, err)
		}
		if _, err := tx.Exec(ctx, `DELETE FROM payer_transactions WHERE account = $1 AND tx_nonce < $2`, account[:], int64(p.TxNonce)-kept); err != nil {
			return fmt.Errorf("forget old transactions: %w", err)
		}
		return nil
	})
}

// Drop implements chain.Journal.
func (j journal) Drop(ctx context.Context, account common.Address, p chain.Prepared) error {
	if _, err := j.pool.Exec(ctx, `DELETE FROM payer_transactions WHERE account = $1 AND tx_nonce = $2 AND tx = $3`, account[:], int64(p.TxNonce), p.Tx[:]); err != nil {
		return fmt.Errorf("forget transaction %s: %w", p.Tx, err)
	}
	return nil
}
