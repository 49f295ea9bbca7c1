package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/kinora/kinora/internal/protocol"
)

const streamColumns = `name, target_seconds, next_msn, discontinuities, next_incarnation, ended_at, policy`

// ShownStreams are the streams that are live or have segments whose files are kept, the newest first.
func (s *Store) ShownStreams(ctx context.Context) ([]Stream, error) {
	return s.streams(ctx, `ended_at IS NULL OR EXISTS (
		SELECT FROM live_segments WHERE stream = name AND removed_at IS NULL AND (state IN ('verified', 'passed_through') OR msn IS NOT NULL))`)
}

// Stream finds a stream by its name.
func (s *Store) Stream(ctx context.Context, name string) (st Stream, found bool, err error) {
	streams, err := s.streams(ctx, `name = $1`, name)
	if err != nil || len(streams) == 0 {
		return Stream{}, false, err
	}
	return streams[0], true, nil
}

func (s *Store) streams(ctx context.Context, where string, args ...any) ([]Stream, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+streamColumns+` FROM live_streams WHERE `+where+` ORDER BY created_at DESC, name`, args...)
	if err != nil {
		return nil, fmt.Errorf("read the streams: %w", err)
	}
	streams, err := pgx.CollectRows(rows, scanStream)
	if err != nil {
		return nil, fmt.Errorf("read the streams: %w", err)
	}
	return streams, nil
}

func scanStream(row pgx.CollectableRow) (Stream, error) {
	var st Stream
	var msn, disc, incarnation int64
	var ended *time.Time
	var policy []byte
	err := row.Scan(&st.Name, &st.TargetSeconds, &msn, &disc, &incarnation, &ended, &policy)
	st.NextMSN, st.Discontinuities, st.NextIncarnation = uint64(msn), uint64(disc), uint32(incarnation)
	if ended != nil {
		st.EndedAt = *ended
	}
	if err == nil && policy != nil {
		st.Policy = &Policy{}
		err = json.Unmarshal(policy, st.Policy)
	}
	return st, err
}

// BeginStream makes a stream known, or takes up one that had ended. The target duration of a known one only grows.
func (s *Store) BeginStream(ctx context.Context, name string, targetSeconds int) error {
	_, err := s.pool.Exec(ctx, `INSERT INTO live_streams (name, target_seconds) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET target_seconds = greatest(live_streams.target_seconds, excluded.target_seconds), ended_at = NULL`, name, targetSeconds)
	if err != nil {
		return fmt.Errorf("begin stream %s: %w", name, err)
	}
	return nil
}

// SavePolicy keeps what was said of a stream; nil: nothing is. A stream that has no row yet has none to keep it in.
func (s *Store) SavePolicy(ctx context.Context, name string, p *Policy) error {
	var text []byte
	if p != nil {
		text = protocol.Encode(p)
	}
	if _, err := s.pool.Exec(ctx, `UPDATE live_streams SET policy = $2 WHERE name = $1`, name, text); err != nil {
		return fmt.Errorf("save the policy of stream %s: %w", name, err)
	}
	return nil
}

// EndStream marks the end.
func (s *Store) EndStream(ctx context.Context, name string, at time.Time) error {
	if _, err := s.pool.Exec(ctx, `UPDATE live_streams SET ended_at = $2 WHERE name = $1 AND ended_at IS NULL`, name, at); err != nil {
		return fmt.Errorf("end stream %s: %w", name, err)
	}
	return nil
}

// Publish gives seg its place: its MSN must be the stream's next. A missing segment gets its row here. Giving it the same
// place again changes nothing.
func (s *Store) Publish(ctx context.Context, seg *Segment) error {
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE live_streams SET next_msn = next_msn + 1, discontinuities = $3 WHERE name = $1 AND next_msn = $2`,
			seg.Stream, int64(seg.MSN), int64(seg.DiscontinuitySequence))
		if err != nil {
			return err
		}
		if tag.RowsAffected() != 1 {
			err := tx.QueryRow(ctx, `SELECT id FROM live_segments WHERE stream = $1 AND incarnation = $2 AND seq = $3 AND msn = $4`,
				seg.Stream, int64(seg.Incarnation), int64(seg.Seq), int64(seg.MSN)).Scan(&seg.ID)
			if !errors.Is(err, pgx.ErrNoRows) {
				return err
			}
			return fmt.Errorf("media sequence number %d is not the next", seg.MSN)
		}
		if seg.State == Missing && seg.ID == 0 {
			return tx.QueryRow(ctx, `
				INSERT INTO live_segments (stream, incarnation, seq, state, arrived_at, duration_us, first_pts, msn, gap, discontinuity, discontinuity_sequence, program_at, published_at)
				VALUES ($1, $2, $3, 'missing', $4, $5, $6, $7, true, $8, $9, $10, $11) RETURNING id`,
				seg.Stream, int64(seg.Incarnation), int64(seg.Seq), seg.ArrivedAt, seg.Duration.Microseconds(), seg.FirstPTS, int64(seg.MSN),
				seg.Discontinuity, int64(seg.DiscontinuitySequence), seg.ProgramAt, seg.PublishedAt).Scan(&seg.ID)
		}
		tag, err = tx.Exec(ctx, `
			UPDATE live_segments SET msn = $2, gap = $3, discontinuity = $4, discontinuity_sequence = $5, program_at = $6, published_at = $7, duration_us = $8, first_pts = $9
			WHERE id = $1 AND msn IS NULL AND ($3 OR state IN ('verified', 'passed_through'))`,
			seg.ID, int64(seg.MSN), seg.Gap, seg.Discontinuity, int64(seg.DiscontinuitySequence), seg.ProgramAt, seg.PublishedAt, seg.Duration.Microseconds(), seg.FirstPTS)
		if err == nil && tag.RowsAffected() != 1 {
			err = errors.New("it has a place already, or has nothing to publish")
		}
		if err != nil || seg.Gap {
			return err
		}
		return change{published: 1, renditions: len(seg.Renditions)}.add(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("publish %s: %w", seg.SegmentKey, err)
	}
	seg.Published = true
	return nil
}

// Remove takes published segments out of the playlists for good; their files may go afterwards.
func (s *Store) Remove(ctx context.Context, ids []int64) error {
	if _, err := s.pool.Exec(ctx, `UPDATE live_segments SET removed_at = now() WHERE id = ANY($1) AND removed_at IS NULL`, ids); err != nil {
		return fmt.Errorf("remove old segments: %w", err)
	}
	return nil
}

const segmentColumns = `id, stream, incarnation, seq, state, source, attempt, code, arrived_at, duration_us, first_pts, latency_ms, late, committed_at,
	msn, gap, discontinuity, discontinuity_sequence, program_at, published_at`

// Lookup finds a segment by its identity, and whether its files are still kept.
func (s *Store) Lookup(ctx context.Context, key protocol.SegmentKey) (seg Segment, kept, found bool, err error) {
	segs, err := s.read(ctx, `stream = $1 AND incarnation = $2 AND seq = $3`, key.Stream, int64(key.Incarnation), int64(key.Seq))
	if err != nil || len(segs) == 0 {
		return Segment{}, false, false, err
	}
	err = s.pool.QueryRow(ctx, `SELECT removed_at IS NULL FROM live_segments WHERE id = $1`, segs[0].ID).Scan(&kept)
	if err != nil {
		return Segment{}, false, false, fmt.Errorf("read a segment: %w", err)
	}
	return segs[0], kept, true, nil
}

// Kept are a stream's segments whose files are kept: published ones in their order, then those that wait for a place.
func (s *Store) Kept(ctx context.Context, stream string) ([]Segment, error) {
	return s.read(ctx, `stream = $1 AND removed_at IS NULL`, stream)
}

// Newest is the newest incarnation of a stream and its highest sequence number that was pushed.
func (s *Store) Newest(ctx context.Context, stream string) (incarnation uint32, seq uint64, found bool, err error) {
	var inc, n int64
	err = s.pool.QueryRow(ctx, `SELECT incarnation, seq FROM live_segments WHERE stream = $1 AND state <> 'missing'
		ORDER BY incarnation DESC, seq DESC LIMIT 1`, stream).Scan(&inc, &n)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, 0, false, nil
	}
	if err != nil {
		return 0, 0, false, fmt.Errorf("read the newest segment of %s: %w", stream, err)
	}
	return uint32(inc), uint64(n), true, nil
}

func (s *Store) read(ctx context.Context, where string, args ...any) ([]Segment, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+segmentColumns+` FROM live_segments WHERE `+where+` ORDER BY msn NULLS LAST, incarnation, seq`, args...)
	if err != nil {
		return nil, fmt.Errorf("read segments: %w", err)
	}
	segs, err := pgx.CollectRows(rows, scanSegment)
	if err != nil {
		return nil, fmt.Errorf("read segments: %w", err)
	}
	at := make(map[int64]int, len(segs))
	ids := make([]int64, len(segs))
	for i, seg := range segs {
		at[seg.ID], ids[i] = i, seg.ID
	}
	rows, err = s.pool.Query(ctx, `SELECT segment, name, label, file, bytes, sha256, width, height, frames, fps, codecs, duration_us, init_file, init_bytes
		FROM live_renditions WHERE segment = ANY($1) ORDER BY segment, position`, ids)
	if err != nil {
		return nil, fmt.Errorf("read renditions: %w", err)
	}
	var (
		id, us int64
		r      Rendition
		hash   []byte
	)
	if _, err := pgx.ForEachRow(rows, []any{&id, &r.Name, &r.Label, &r.File, &r.Bytes, &hash, &r.Width, &r.Height, &r.Frames, &r.FPS, &r.Codecs, &us, &r.Init, &r.InitBytes}, func() error {
		copy(r.SHA256[:], hash)
		r.Duration = time.Duration(us) * time.Microsecond
		segs[at[id]].Renditions = append(segs[at[id]].Renditions, r)
		return nil
	}); err != nil {
		return nil, fmt.Errorf("read renditions: %w", err)
	}
	return segs, nil
}

func scanSegment(row pgx.CollectableRow) (Segment, error) {
	var (
		s                        Segment
		incarnation, seq, us, ms int64
		state, code              string
		source, attempt          []byte
		msn                      *int64
		dseq                     int64
		program, published       *time.Time
	)
	err := row.Scan(&s.ID, &s.Stream, &incarnation, &seq, &state, &source, &attempt, &code, &s.ArrivedAt, &us, &s.FirstPTS, &ms, &s.Late, &s.CommittedAt,
		&msn, &s.Gap, &s.Discontinuity, &dseq, &program, &published)
	if err != nil {
		return s, err
	}
	s.Incarnation, s.Seq, s.State, s.Code = uint32(incarnation), uint64(seq), State(state), protocol.Code(code)
	copy(s.Source[:], source)
	copy(s.Attempt[:], attempt)
	s.Duration, s.Latency = time.Duration(us)*time.Microsecond, time.Duration(ms)*time.Millisecond
	s.DiscontinuitySequence = uint64(dseq)
	if msn != nil {
		s.Published, s.MSN, s.ProgramAt, s.PublishedAt = true, uint64(*msn), *program, *published
	}
	return s, nil
}
