package store

import (
	"context"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/jackc/pgx/v5"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
)

// standing is what the record of a transcoder's row holds: what its outputs have earned it, and how much of everything there
// was. The second outlives the rows it counts, which are pruned.
type standing struct {
	verify.Record
	Tally tally `json:"tally"`
}

// tally counts what happened with one transcoder. It is stored: its names stay.
type tally struct {
	Awards   uint64 `json:"awards"`
	Verified uint64 `json:"verified"`
	Deep     uint64 `json:"verified_deep"` // of Verified
	Rejected uint64 `json:"rejected"`
}

func (t *tally) count(x Settlement) {
	switch {
	case x.State == Rejected:
		t.Rejected++
	case x.State == Verified:
		t.Verified++
		if x.Verdict.Layers == verify.L0L1 {
			t.Deep++
		}
	}
}

// update changes the standing of t under its row lock: replicas do so one after another. The lock leaves the key alone, which
// inserts of attempts and leases refer to at the same time.
func update(ctx context.Context, tx pgx.Tx, t common.Address, change func(st *standing, cutOffAt *time.Time)) error {
	var st standing
	var at *time.Time
	err := tx.QueryRow(ctx, `SELECT record, cut_off_at FROM transcoders WHERE address = $1 FOR NO KEY UPDATE`, t[:]).Scan(&st, &at)
	if err != nil {
		return fmt.Errorf("read transcoder %s: %w", t, err)
	}
	change(&st, at)
	if _, err := tx.Exec(ctx, `UPDATE transcoders SET record = $2 WHERE address = $1`, t[:], protocol.Encode(st)); err != nil {
		return fmt.Errorf("update transcoder %s: %w", t, err)
	}
	return nil
}

// Counts are the totals over all replicas and restarts.
type Counts struct {
	Bids           uint64 `json:"bids"`
	Awards         uint64 `json:"awards"`
	VerifiedL0     uint64 `json:"verified_l0"` // outputs that passed
	VerifiedL1     uint64 `json:"verified_l1"` // of them, with L1
	Rejected       uint64 `json:"rejected"`
	CheatersCaught uint64 `json:"cheaters_caught"`
	Transcoders    uint64 `json:"transcoders"`
}

// Counts adds up what stands in the transcoders' rows; it reads no history.
func (s *Store) Counts(ctx context.Context) (Counts, error) {
	var c Counts
	err := s.pool.QueryRow(ctx, `SELECT coalesce(sum(bids), 0)::bigint,
			coalesce(sum((record #>> '{tally,awards}')::bigint), 0)::bigint,
			coalesce(sum((record #>> '{tally,verified}')::bigint), 0)::bigint,
			coalesce(sum((record #>> '{tally,verified_deep}')::bigint), 0)::bigint,
			coalesce(sum((record #>> '{tally,rejected}')::bigint), 0)::bigint,
			count(cut_off_at), count(*)
		FROM transcoders`).
		Scan(&c.Bids, &c.Awards, &c.VerifiedL0, &c.VerifiedL1, &c.Rejected, &c.CheatersCaught, &c.Transcoders)
	if err != nil {
		return c, fmt.Errorf("count: %w", err)
	}
	return c, nil
}
