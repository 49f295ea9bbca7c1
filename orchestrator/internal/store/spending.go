package store

import (
	"context"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/jackc/pgx/v5"

	"github.com/kinora/kinora/internal/protocol"
)

// Spent is what one process paid transcoders for one stream within a minute.
type Spent struct {
	Minute time.Time
	Writer protocol.ID
	Payer  common.Address // of the stream
	Stream string
	Cost   protocol.Wei
}

// Writer names this process in what it spends.
func (s *Store) Writer() protocol.ID { return s.writer }

// spend enters what an attempt cost. Attempts of one stream enter one after another.
func (s *Store) spend(ctx context.Context, tx pgx.Tx, payer common.Address, stream string, cost protocol.Wei) error {
	_, err := tx.Exec(ctx, `INSERT INTO spending AS s (minute, writer, payer, stream, cost) VALUES (date_trunc('minute', now()), $1, $2, $3, $4::text::numeric)
		ON CONFLICT (minute, writer, payer, stream) DO UPDATE SET cost = s.cost + excluded.cost`, s.writer[:], payer[:], stream, cost.String())
	if err != nil {
		return fmt.Errorf("enter what was spent: %w", err)
	}
	return nil
}

// SpentSince is what every process spent in the minutes since then, oldest first.
func (s *Store) SpentSince(ctx context.Context, since time.Time) ([]Spent, error) {
	rows, err := s.pool.Query(ctx, `SELECT minute, writer, payer, stream, cost::text FROM spending WHERE minute >= date_trunc('minute', $1::timestamptz) ORDER BY minute`, since)
	if err != nil {
		return nil, fmt.Errorf("read what was spent: %w", err)
	}
	var all []Spent
	var one Spent
	var writer, payer []byte
	_, err = pgx.ForEachRow(rows, []any{&one.Minute, &writer, &payer, &one.Stream, &one.Cost}, func() error {
		one.Writer, one.Payer = protocol.ID(writer), common.BytesToAddress(payer)
		all = append(all, one)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what was spent: %w", err)
	}
	return all, nil
}

// SpentEver is what every process spent since the beginning of the database.
func (s *Store) SpentEver(ctx context.Context) (total protocol.Wei, err error) {
	err = s.pool.QueryRow(ctx, `SELECT ((SELECT coalesce(sum(cost), 0) FROM spending) + (SELECT cost FROM spending_before))::text`).Scan(&total)
	if err != nil {
		return total, fmt.Errorf("add up what was spent: %w", err)
	}
	return total, nil
}

// PruneSpending adds up what is older than keep, which must be longer than a day.
func (s *Store) PruneSpending(ctx context.Context, keep time.Duration) error {
	_, err := s.pool.Exec(ctx, `WITH old AS (DELETE FROM spending WHERE minute < now() - $1 * interval '1 millisecond' RETURNING cost)
		UPDATE spending_before SET cost = cost + (SELECT coalesce(sum(cost), 0) FROM old)`, keep.Milliseconds())
	if err != nil {
		return fmt.Errorf("prune what was spent: %w", err)
	}
	return nil
}
