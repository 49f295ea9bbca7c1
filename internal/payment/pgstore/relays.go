package pgstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/ethereum/go-ethereum/common"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/kinora/kinora/internal/payment"
)

type relays struct{ pool *pgxpool.Pool }

// Relays is a relayer's store on a database with the migrations of the set "payer".
func Relays(pool *pgxpool.Pool) payment.RelayStore { return relays{pool} }

// Claim implements payment.RelayStore. Orders that ended long ago are forgotten by the way.
func (r relays) Claim(ctx context.Context, recipient common.Address, number, deadline, now uint64) (mine bool, err error) {
	err = pgx.BeginFunc(ctx, r.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM payer_relays WHERE deadline < $1`, int64(now)-24*60*60); err != nil {
			return err
		}
		var one int
		err := tx.QueryRow(ctx, `INSERT INTO payer_relays AS r (recipient, order_nonce, deadline) VALUES ($1, $2, $3)
			ON CONFLICT (recipient, order_nonce) DO UPDATE SET deadline = $3 WHERE r.deadline < $4 RETURNING 1`,
			recipient[:], strconv.FormatUint(number, 10), int64(deadline), int64(now)).Scan(&one)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		mine = err == nil
		return err
	})
	if err != nil {
		return false, fmt.Errorf("claim order %d of %s: %w", number, recipient, err)
	}
	return mine, nil
}

// Unclaim implements payment.RelayStore.
func (r relays) Unclaim(ctx context.Context, recipient common.Address, number uint64) error {
	if _, err := r.pool.Exec(ctx, `DELETE FROM payer_relays WHERE recipient = $1 AND order_nonce = $2`, recipient[:], strconv.FormatUint(number, 10)); err != nil {
		return fmt.Errorf("give up order %d of %s: %w", number, recipient, err)
	}
	return nil
}
