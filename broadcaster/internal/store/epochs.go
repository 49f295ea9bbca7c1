package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
)

// Epoch is a sampling epoch; Secret is nil until it has ended.
type Epoch struct {
	Commitment protocol.Hash  `json:"commitment"`
	Secret     *protocol.Hash `json:"secret,omitempty"`
	StartedAt  time.Time      `json:"started_at"`
	EndedAt    *time.Time     `json:"ended_at,omitempty"`
}

// SaveEpoch records a sampling epoch before its first use.
func (s *Store) SaveEpoch(ctx context.Context, e verify.Epoch) error {
	commitment, secret := e.Commitment(), e.Secret()
	if _, err := s.pool.Exec(ctx, `INSERT INTO live_epochs (commitment, secret) VALUES ($1, $2)`, commitment[:], secret[:]); err != nil {
		return fmt.Errorf("save a sampling epoch: %w", err)
	}
	return nil
}

// EndEpochs says that no epoch but current decides anything any more: their secrets may be shown.
func (s *Store) EndEpochs(ctx context.Context, current protocol.Hash) error {
	if _, err := s.pool.Exec(ctx, `UPDATE live_epochs SET ended_at = now() WHERE commitment <> $1 AND ended_at IS NULL`, current[:]); err != nil {
		return fmt.Errorf("end sampling epochs: %w", err)
	}
	return nil
}

// Epochs returns the newest, secrets only of those that ended.
func (s *Store) Epochs(ctx context.Context, limit int) ([]Epoch, error) {
	rows, err := s.pool.Query(ctx, `SELECT commitment, CASE WHEN ended_at IS NOT NULL THEN secret END, started_at, ended_at
		FROM live_epochs ORDER BY started_at DESC, commitment LIMIT $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("read sampling epochs: %w", err)
	}
	epochs, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Epoch, error) {
		var e Epoch
		var commitment, secret []byte
		err := row.Scan(&commitment, &secret, &e.StartedAt, &e.EndedAt)
		copy(e.Commitment[:], commitment)
		if secret != nil {
			e.Secret = new(protocol.Hash)
			copy(e.Secret[:], secret)
		}
		return e, err
	})
	if err != nil {
		return nil, fmt.Errorf("read sampling epochs: %w", err)
	}
	return epochs, nil
}
