package store

import (
	"context"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/jackc/pgx/v5"

	"github.com/kinora/kinora/internal/protocol"
)

// Quarantine is an operator's decision that a transcoder gets no lease until a time.
type Quarantine struct {
	Address common.Address `json:"address"`
	Reason  string         `json:"reason"`
	Since   time.Time      `json:"since"`
	Until   time.Time      `json:"until"`
}

const quarantineColumns = `address, reason, since, until`

func scanQuarantine(row pgx.CollectableRow) (Quarantine, error) {
	var q Quarantine
	var address []byte
	err := row.Scan(&address, &q.Reason, &q.Since, &q.Until)
	q.Address = common.BytesToAddress(address)
	return q, err
}

// Quarantine puts t into quarantine from now on; a standing one is replaced. It need not have been seen before.
func (s *Store) Quarantine(ctx context.Context, t common.Address, reason string, long time.Duration) (Quarantine, error) {
	rows, err := s.pool.Query(ctx, `INSERT INTO quarantines (address, reason, until) VALUES ($1, $2, now() + $3 * interval '1 millisecond')
		ON CONFLICT (address) DO UPDATE SET reason = excluded.reason, since = excluded.since, until = excluded.until
		RETURNING `+quarantineColumns, t[:], reason, long.Milliseconds())
	if err != nil {
		return Quarantine{}, fmt.Errorf("quarantine transcoder %s: %w", t, err)
	}
	q, err := pgx.CollectExactlyOneRow(rows, scanQuarantine)
	if err != nil {
		return q, fmt.Errorf("quarantine transcoder %s: %w", t, err)
	}
	return q, nil
}

// ReleaseQuarantine ends that of t; NotFound when none stands.
func (s *Store) ReleaseQuarantine(ctx context.Context, t common.Address) error {
	done, err := s.pool.Exec(ctx, `DELETE FROM quarantines WHERE address = $1 AND until > now()`, t[:])
	if err != nil {
		return fmt.Errorf("release transcoder %s: %w", t, err)
	}
	if done.RowsAffected() == 0 {
		return protocol.Errorf(protocol.NotFound, "transcoder %s is not in quarantine", t)
	}
	return nil
}

// Quarantines are those that stand.
func (s *Store) Quarantines(ctx context.Context) ([]Quarantine, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+quarantineColumns+` FROM quarantines WHERE until > now() ORDER BY address`)
	if err != nil {
		return nil, fmt.Errorf("read quarantines: %w", err)
	}
	all, err := pgx.CollectRows(rows, scanQuarantine)
	if err != nil {
		return nil, fmt.Errorf("read quarantines: %w", err)
	}
	return all, nil
}
