package store

import (
	"context"
	"fmt"
	"time"

	"github.com/kinora/kinora/internal/protocol"
)

// Window is maintenance that was announced.
type Window struct {
	ID     protocol.ID         `json:"id"`
	Begins time.Time           `json:"begins"`
	Ends   time.Time           `json:"ends"`
	Reason protocol.DutyReason `json:"reason"`
}

// PutWindow remembers w.
func (s *Store) PutWindow(ctx context.Context, w Window) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO maintenance (id, begins_ms, ends_ms, reason) VALUES (?, ?, ?, ?)`,
		w.ID.String(), w.Begins.UnixMilli(), w.Ends.UnixMilli(), string(w.Reason))
	if err != nil {
		return fmt.Errorf("remember a maintenance window: %w", err)
	}
	return nil
}

// DropWindow forgets a window; one that is not known is forgotten already.
func (s *Store) DropWindow(ctx context.Context, id protocol.ID) error {
	if _, err := s.db.ExecContext(ctx, `DELETE FROM maintenance WHERE id = ?`, id.String()); err != nil {
		return fmt.Errorf("forget a maintenance window: %w", err)
	}
	return nil
}

// Windows returns those that have not ended at now, the next first, and forgets the others.
func (s *Store) Windows(ctx context.Context, now time.Time) ([]Window, error) {
	if _, err := s.db.ExecContext(ctx, `DELETE FROM maintenance WHERE ends_ms <= ?`, now.UnixMilli()); err != nil {
		return nil, fmt.Errorf("forget maintenance windows: %w", err)
	}
	rows, err := s.db.QueryContext(ctx, `SELECT id, begins_ms, ends_ms, reason FROM maintenance ORDER BY begins_ms, id`)
	if err != nil {
		return nil, fmt.Errorf("read maintenance windows: %w", err)
	}
	defer rows.Close()
	windows := []Window{}
	for rows.Next() {
		var id string
		var begins, ends int64
		var w Window
		if err := rows.Scan(&id, &begins, &ends, &w.Reason); err != nil {
			return nil, fmt.Errorf("read maintenance windows: %w", err)
		}
		if w.ID, err = protocol.ParseID(id); err != nil {
			return nil, fmt.Errorf("read maintenance windows: %w", err)
		}
		w.Begins, w.Ends = time.UnixMilli(begins), time.UnixMilli(ends)
		windows = append(windows, w)
	}
	return windows, rows.Err()
}
