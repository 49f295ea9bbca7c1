package store

import (
	"context"
	"fmt"
	"time"
)

// pruneBatch is how many leases, and attempts of one transcoder, go at a time, so that no statement holds up the work for long.
const pruneBatch = 1000

// PruneQuotes forgets quotes that expired more than keep ago; what they priced stands in the attempts.
func (s *Store) PruneQuotes(ctx context.Context, keep time.Duration) error {
	_, err := s.pool.Exec(ctx, `DELETE FROM quotes WHERE valid_until < now() - $1 * interval '1 millisecond'`, keep.Milliseconds())
	if err != nil {
		return fmt.Errorf("prune quotes: %w", err)
	}
	return nil
}

// PruneHistory forgets attempts older than keep, the deliveries they made, and the leases and sampling epochs that ended before:
// the evidence of what was settled long ago. keep must be longer than a quote stands, since until then a segment may come again.
func (s *Store) PruneHistory(ctx context.Context, keep time.Duration) error {
	_, err := s.pool.Exec(ctx, `WITH old AS (
			SELECT a.id FROM transcoders t CROSS JOIN LATERAL (
				SELECT id FROM attempts WHERE transcoder = t.address AND created_at < now() - $1 * interval '1 millisecond'
				ORDER BY created_at LIMIT $2) a),
		delivered AS (DELETE FROM segments WHERE attempt IN (SELECT id FROM old))
		DELETE FROM attempts WHERE id IN (SELECT id FROM old)`, keep.Milliseconds(), pruneBatch)
	if err != nil {
		return fmt.Errorf("prune attempts: %w", err)
	}
	if _, err := s.pool.Exec(ctx, `DELETE FROM leases WHERE id IN (SELECT id FROM leases l WHERE ended_at < now() - $1 * interval '1 millisecond'
			AND NOT EXISTS (SELECT FROM attempts WHERE lease = l.id) ORDER BY ended_at LIMIT $2)`, keep.Milliseconds(), pruneBatch); err != nil {
		return fmt.Errorf("prune leases: %w", err)
	}
	if _, err := s.pool.Exec(ctx, `DELETE FROM epochs WHERE ended_at < now() - $1 * interval '1 millisecond'`, keep.Milliseconds()); err != nil {
		return fmt.Errorf("prune epochs: %w", err)
	}
	return nil
}
