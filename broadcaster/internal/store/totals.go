package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/kinora/kinora/internal/protocol"
)

// change is what a transaction adds to the running totals. It is the last statement of its transaction, so that the one
// row is locked for a moment only.
type change struct {
	segments, published, renditions, late, failed, passed, passedDeep, rejected int
	fee                                                                         protocol.Wei
}

func (c change) add(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `UPDATE live_totals SET segments = segments + $1, published = published + $2, renditions = renditions + $3, late = late + $4,
		failed = failed + $5, passed = passed + $6, passed_deep = passed_deep + $7, rejected = rejected + $8, fees = fees + $9`,
		c.segments, c.published, c.renditions, c.late, c.failed, c.passed, c.passedDeep, c.rejected, c.fee.String())
	return err
}

// stateOf is what became of a segment so far; empty: it is not on record.
func stateOf(ctx context.Context, tx pgx.Tx, key protocol.SegmentKey) (State, error) {
	var s string
	err := tx.QueryRow(ctx, `SELECT state FROM live_segments WHERE stream = $1 AND incarnation = $2 AND seq = $3 FOR UPDATE`,
		key.Stream, int64(key.Incarnation), int64(key.Seq)).Scan(&s)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	return State(s), err
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Counts are what happened since the beginning.
type Counts struct {
	Segments            uint64 // verified and failed
	Published           uint64
	RenditionsPublished uint64
	Late                uint64
	Failed              uint64 // that never were, or never will be, in a playlist as media
	VerifiedL0          uint64
	VerifiedL1          uint64
	Rejected            uint64
	LatencyMillis       struct{ P50, P95, Max int64 } // last source byte to commit, of the newest segments
}

// measured is of how many verified segments, the newest, the latency is told.
const measured = 1000

// Counts reads the totals, which survive any restart and any pruning.
func (s *Store) Counts(ctx context.Context) (Counts, error) {
	var c Counts
	var segments, published, late, failed, renditions, passed, deep, rejected int64
	err := s.pool.QueryRow(ctx, `SELECT segments, published, renditions, late, failed, passed, passed_deep, rejected FROM live_totals`).
		Scan(&segments, &published, &renditions, &late, &failed, &passed, &deep, &rejected)
	var p50, p95 float64
	if err == nil {
		err = s.pool.QueryRow(ctx, `
			SELECT coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms), 0), coalesce(percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_ms), 0),
				coalesce(max(latency_ms), 0)
			FROM (SELECT latency_ms FROM live_segments WHERE state = 'verified' ORDER BY id DESC LIMIT $1) newest`, measured).Scan(&p50, &p95, &c.LatencyMillis.Max)
	}
	if err != nil {
		return c, fmt.Errorf("count: %w", err)
	}
	c.Segments, c.Published, c.Late, c.Failed = uint64(segments), uint64(published), uint64(late), uint64(failed)
	c.RenditionsPublished, c.VerifiedL0, c.VerifiedL1, c.Rejected = uint64(renditions), uint64(passed), uint64(deep), uint64(rejected)
	c.LatencyMillis.P50, c.LatencyMillis.P95 = int64(p50), int64(p95)
	return c, nil
}

// Pruned is how many rows a Prune removed.
type Pruned struct{ Segments, Attempts int64 }

// Prune forgets segments that left the playlists for good, or never came into them, before a time, and the verdicts,
// transcoders and sampling epochs of before it. Totals stay, and a stream never uses an incarnation again of which it may have forgotten a
// segment: its recipients remember it.
func (s *Store) Prune(ctx context.Context, before time.Time) (Pruned, error) {
	var p Pruned
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, `
			WITH gone AS (
				DELETE FROM live_segments WHERE removed_at < $1 OR (state = 'failed' AND msn IS NULL AND committed_at < $1) RETURNING stream, incarnation
			), raised AS (
				UPDATE live_streams SET next_incarnation = greatest(next_incarnation, used.highest + 1)
				FROM (SELECT stream, max(incarnation) AS highest FROM gone GROUP BY stream) used WHERE name = used.stream
			)
			SELECT count(*) FROM gone`, before).Scan(&p.Segments); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `DELETE FROM live_attempts WHERE created_at < $1`, before)
		if err != nil {
			return err
		}
		p.Attempts = tag.RowsAffected()
		if _, err = tx.Exec(ctx, `DELETE FROM live_transcoders WHERE seen_at < $1`, before); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM live_epochs WHERE ended_at < $1`, before)
		return err
	})
	if err != nil {
		return p, fmt.Errorf("prune: %w", err)
	}
	return p, nil
}
