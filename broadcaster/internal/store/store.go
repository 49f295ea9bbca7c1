// Package store is the broadcaster's durable state in Postgres: segments with their places in the playlists, renditions,
// verdicts, and the trust in orchestrators. A verdict, its ticket and its segment are committed together or not at all.
package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
)

// State is what became of a segment. The names are stored: they stay.
type State string

// The states of a segment.
const (
	Verified State = "verified"       // passed, paid, its renditions kept
	Failed   State = "failed"         // nothing of it passed
	Missing  State = "missing"        // never pushed, or lost: only marks a gap
	Passed   State = "passed_through" // nobody made anything of it: the source is its only rendition, unpaid
)

// Stream is a live stream and the numbers its playlists continue from.
type Stream struct {
	Name            string
	TargetSeconds   int
	NextMSN         uint64
	Discontinuities uint64
	Policy          *Policy   // as it was said of this stream; nil: the settings count
	NextIncarnation uint32    // lower ones may have been used by segments that are no longer on record
	EndedAt         time.Time // zero: live
}

// Policy is what a stream puts up with before it stops.
type Policy struct {
	MinRungs    int   `json:"min_rungs"`    // fewer are of no use to it
	PassThrough bool  `json:"pass_through"` // the source alone is better than nothing
	StopSeconds int64 `json:"stop_after_s"` // how long the source alone is; 0: for ever
}

// Segment is one identity of a stream and, once published, its place in the playlists.
type Segment struct {
	ID int64
	protocol.SegmentKey
	State       State
	Source      protocol.Hash
	Attempt     protocol.ID
	Code        protocol.Code // why Failed
	ArrivedAt   time.Time
	Duration    time.Duration
	FirstPTS    int64 // 1/90000 s
	Latency     time.Duration
	Late        bool
	Renditions  []Rendition // in the order of the ladder
	CommittedAt time.Time

	Published             bool // has a place: the fields below are set
	MSN                   uint64
	Gap                   bool
	Discontinuity         bool
	DiscontinuitySequence uint64
	ProgramAt             time.Time
	PublishedAt           time.Time
}

// EndPTS is where the next segment's timestamps continue, 1/90000 s.
func (s Segment) EndPTS() int64 {
	return s.FirstPTS + int64(s.Duration.Microseconds())*9/100
}

// Rendition is one verified output.
type Rendition struct {
	Name          string // of the profile
	Label         string // as the pusher named it
	File          string
	Init          string // file of the init segment; empty: MPEG-TS
	Bytes         int64  // of both
	InitBytes     int64
	SHA256        protocol.Hash // of both
	Width, Height int           // 0: sound alone
	Frames        int
	FPS           float64
	Codecs        string
	Duration      time.Duration
}

// Attempt is one judged attempt.
type Attempt struct {
	Assignment protocol.Signed[protocol.Assignment]
	Receipt    protocol.Signed[protocol.Receipt]
	Layers     string
	Code       protocol.Code // why rejected
	Detail     string
	Fee        protocol.Wei // of one that passed
	Trust      Trust        // in its orchestrator, after it
}

// Trust is what an orchestrator's work has earned it here.
type Trust struct {
	verify.Record
	Restored uint64 // how often it was let begin anew
}

// Payer writes the ticket, or the refusal, into the transaction that holds the verdict.
type Payer interface {
	PayTx(ctx context.Context, tx payment.Tx, o payment.Order) (payment.PayResult, error)
	RejectTx(ctx context.Context, tx payment.Tx, o payment.Order, code protocol.Code, detail string) error
	Wake() // after the commit: there is something to deliver
}

// ErrPaid says that another attempt at this identity was paid already.
var ErrPaid = errors.New("an attempt at this segment was already paid")

// ErrReused says that an orchestrator signed two attempts under one id.
var ErrReused = errors.New("an attempt under this id is on record already")

// Store is safe for concurrent use.
type Store struct {
	pool  *pgxpool.Pool
	payer Payer
}

// New works on pool, whose database has the broadcaster's and the payer's tables.
func New(pool *pgxpool.Pool, payer Payer) *Store { return &Store{pool: pool, payer: payer} }

// Open connects to a database.
func Open(ctx context.Context, url string) (*pgxpool.Pool, error) {
	pool, err := pgxpool.New(ctx, url)
	if err == nil {
		err = pool.Ping(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("connect to Postgres: %w", err)
	}
	return pool, nil
}

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.pool.Ping(ctx) }

// CommitVerified makes seg known as verified in one transaction with the verdict a and its ticket, and fills in its ID. A
// failed segment of the same identity becomes verified, unless its source was another. Committing the same attempt again
// changes nothing. ErrPaid when another one was paid before, ErrReused when an attempt under its id, or of one of the others, is on
// record. Where several share the ladder, a is the first and its ticket pays all;
// the others are stored with it, as evidence.
func (s *Store) CommitVerified(ctx context.Context, seg *Segment, a Attempt, others ...Attempt) error {
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		was, err := stateOf(ctx, tx, seg.SegmentKey)
		if err != nil {
			return err
		}
		var gap bool // its place in the playlists has passed
		err = tx.QueryRow(ctx, `
			INSERT INTO live_segments (stream, incarnation, seq, state, source, attempt, arrived_at, duration_us, first_pts, latency_ms, late)
			VALUES ($1, $2, $3, 'verified', $4, $5, $6, $7, $8, $9, $10)
			ON CONFLICT (stream, incarnation, seq) DO UPDATE SET state = 'verified', source = excluded.source, attempt = excluded.attempt, code = '',
				arrived_at = excluded.arrived_at, duration_us = excluded.duration_us, first_pts = excluded.first_pts,
				latency_ms = excluded.latency_ms, late = excluded.late, committed_at = now()
			WHERE live_segments.state NOT IN ('verified', 'passed_through')
			RETURNING id, committed_at, gap`,
			seg.Stream, int64(seg.Incarnation), int64(seg.Seq), seg.Source[:], seg.Attempt[:], seg.ArrivedAt, seg.Duration.Microseconds(),
			seg.FirstPTS, seg.Latency.Milliseconds(), seg.Late).Scan(&seg.ID, &seg.CommittedAt, &gap)
		if errors.Is(err, pgx.ErrNoRows) {
			if err = tx.QueryRow(ctx, `SELECT id, committed_at FROM live_segments WHERE stream = $1 AND incarnation = $2 AND seq = $3 AND attempt = $4`,
				seg.Stream, int64(seg.Incarnation), int64(seg.Seq), seg.Attempt[:]).Scan(&seg.ID, &seg.CommittedAt); errors.Is(err, pgx.ErrNoRows) {
				return ErrPaid
			}
			return err
		}
		if err != nil {
			return err
		}
		if err := insertRenditions(ctx, tx, seg); err != nil {
			return err
		}
		deep := 0
		for part, x := range append([]Attempt{a}, others...) {
			if err := insertAttempt(ctx, tx, seg.Source, x, true, part); err != nil {
				return err
			}
			deep += one(x.Layers == verify.L0L1)
		}
		if _, err = s.payer.PayTx(ctx, tx, order(a)); err != nil {
			return err
		}
		return change{segments: one(was != Failed), failed: one(gap) - one(was == Failed), late: one(seg.Late), passed: 1 + len(others), passedDeep: deep,
			fee: a.Fee}.add(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("commit %s: %w", seg.SegmentKey, err)
	}
	s.payer.Wake()
	seg.State = Verified
	return nil
}

func insertRenditions(ctx context.Context, tx pgx.Tx, seg *Segment) error {
	for i, r := range seg.Renditions {
		if _, err := tx.Exec(ctx, `
			INSERT INTO live_renditions (segment, position, name, label, file, bytes, sha256, width, height, frames, fps, codecs, duration_us, init_file, init_bytes)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
			seg.ID, i, r.Name, r.Label, r.File, r.Bytes, r.SHA256[:], r.Width, r.Height, r.Frames, r.FPS, r.Codecs, r.Duration.Microseconds(), r.Init, r.InitBytes); err != nil {
			return err
		}
	}
	return nil
}

// CommitPassed makes seg known as passed through: the source is its rendition and nobody is paid. A failed one of the same
// identity becomes so; one that was verified or passed through before stays as it is.
func (s *Store) CommitPassed(ctx context.Context, seg *Segment) error {
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		was, err := stateOf(ctx, tx, seg.SegmentKey)
		if err != nil {
			return err
		}
		var gap bool
		err = tx.QueryRow(ctx, `
			INSERT INTO live_segments (stream, incarnation, seq, state, source, arrived_at, duration_us, first_pts, latency_ms, late)
			VALUES ($1, $2, $3, 'passed_through', $4, $5, $6, $7, $8, $9)
			ON CONFLICT (stream, incarnation, seq) DO UPDATE SET state = 'passed_through', source = excluded.source, attempt = NULL, code = '',
				arrived_at = excluded.arrived_at, duration_us = excluded.duration_us, first_pts = excluded.first_pts,
				latency_ms = excluded.latency_ms, late = excluded.late, committed_at = now()
			WHERE live_segments.state NOT IN ('verified', 'passed_through')
			RETURNING id, committed_at, gap`,
			seg.Stream, int64(seg.Incarnation), int64(seg.Seq), seg.Source[:], seg.ArrivedAt, seg.Duration.Microseconds(), seg.FirstPTS, seg.Latency.Milliseconds(),
			seg.Late).Scan(&seg.ID, &seg.CommittedAt, &gap)
		if errors.Is(err, pgx.ErrNoRows) { // committed before, by this call or another
			return tx.QueryRow(ctx, `SELECT id, committed_at FROM live_segments WHERE stream = $1 AND incarnation = $2 AND seq = $3`,
				seg.Stream, int64(seg.Incarnation), int64(seg.Seq)).Scan(&seg.ID, &seg.CommittedAt)
		}
		if err == nil {
			err = insertRenditions(ctx, tx, seg)
		}
		if err != nil {
			return err
		}
		return change{segments: one(was != Failed), failed: one(gap) - one(was == Failed), late: one(seg.Late)}.add(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("commit %s as passed through: %w", seg.SegmentKey, err)
	}
	seg.State = Passed
	return nil
}

// CommitDuplicate pays for an attempt that passed at a segment which another attempt had already made known as verified: two
// orchestrators were asked, and both delivered. Once, however often; and once for each orchestrator. Others are its parts, as in CommitVerified.
func (s *Store) CommitDuplicate(ctx context.Context, source protocol.Hash, a Attempt, others ...Attempt) (paid bool, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		paid = false
		var known bool
		m := a.Assignment.Message
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM live_attempts WHERE id = $1 OR (stream = $2 AND incarnation = $3 AND seq = $4 AND orchestrator = $5 AND passed))`,
			m.Attempt[:], m.Stream, int64(m.Incarnation), int64(m.Seq), m.Orchestrator[:]).Scan(&known); err != nil || known {
			return err
		}
		deep := 0
		for part, x := range append([]Attempt{a}, others...) {
			if err := insertAttempt(ctx, tx, source, x, true, part); err != nil {
				return err
			}
			deep += one(x.Layers == verify.L0L1)
		}
		if _, err := s.payer.PayTx(ctx, tx, order(a)); err != nil {
			return err
		}
		paid = true
		return change{passed: 1 + len(others), passedDeep: deep, fee: a.Fee}.add(ctx, tx)
	})
	if err != nil {
		return false, fmt.Errorf("commit the duplicate of %s: %w", a.Assignment.Message.SegmentKey, err)
	}
	s.payer.Wake()
	return paid, nil
}

// CommitRejected stores a verdict that pays nothing, with the refusal for the recipient; once, however often.
func (s *Store) CommitRejected(ctx context.Context, source protocol.Hash, a Attempt) error {
	a.Fee = protocol.Wei{}
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var known bool
		id := a.Assignment.Message.Attempt
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM live_attempts WHERE id = $1)`, id[:]).Scan(&known); err != nil || known {
			return err
		}
		if err := insertAttempt(ctx, tx, source, a, false, 0); err != nil {
			return err
		}
		if err := s.payer.RejectTx(ctx, tx, order(a), a.Code, a.Detail); err != nil {
			return err
		}
		return change{rejected: 1}.add(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("commit the refusal of attempt %s: %w", a.Assignment.Message.Attempt.Short(), err)
	}
	s.payer.Wake()
	return nil
}

func order(a Attempt) payment.Order {
	m := a.Assignment.Message
	return payment.Order{Recipient: m.Orchestrator, Stream: m.Stream, Attempt: m.Attempt, Fee: a.Fee}
}

func insertAttempt(ctx context.Context, tx pgx.Tx, source protocol.Hash, a Attempt, passed bool, part int) error {
	m := a.Assignment.Message
	if _, err := tx.Exec(ctx, `
		INSERT INTO live_attempts (id, stream, incarnation, seq, source, orchestrator, transcoder, passed, layers, code, detail, fee, assignment, receipt, part)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		m.Attempt[:], m.Stream, int64(m.Incarnation), int64(m.Seq), source[:], m.Orchestrator[:], m.Transcoder[:], passed, a.Layers, string(a.Code),
		a.Detail, a.Fee.String(), protocol.Encode(a.Assignment), protocol.Encode(a.Receipt), part); err != nil {
		var said *pgconn.PgError
		if errors.As(err, &said) && said.ConstraintName == "live_attempts_pkey" {
			return ErrReused
		}
		return err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO live_transcoders (address) VALUES ($1)
		ON CONFLICT (address) DO UPDATE SET seen_at = now() WHERE live_transcoders.seen_at < now() - interval '1 hour'`, m.Transcoder[:]); err != nil {
		return err
	}
	return saveTrust(ctx, tx, m.Orchestrator, a.Trust)
}

// SaveTrust stores the trust in an orchestrator on its own.
func (s *Store) SaveTrust(ctx context.Context, orchestrator common.Address, t Trust) error {
	if err := saveTrust(ctx, s.pool, orchestrator, t); err != nil {
		return fmt.Errorf("save the record of orchestrator %s: %w", orchestrator, err)
	}
	return nil
}

func saveTrust(ctx context.Context, db interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}, orchestrator common.Address, t Trust) error {
	b, err := json.Marshal(t.Record)
	if err != nil {
		return err
	}
	_, err = db.Exec(ctx, `INSERT INTO live_orchestrators (address, record, restored) VALUES ($1, $2, $3)
		ON CONFLICT (address) DO UPDATE SET record = excluded.record, restored = excluded.restored
		WHERE (live_orchestrators.restored, (live_orchestrators.record->>'passed')::bigint + (live_orchestrators.record->>'failed')::bigint)
			<= (excluded.restored, (excluded.record->>'passed')::bigint + (excluded.record->>'failed')::bigint) -- commits may overtake each other: the longer history stays`,
		orchestrator[:], b, int64(t.Restored))
	return err
}

// Records is the trust in every orchestrator ever paid or refused.
func (s *Store) Records(ctx context.Context) (map[common.Address]Trust, error) {
	records := make(map[common.Address]Trust)
	rows, err := s.pool.Query(ctx, `SELECT address, record, restored FROM live_orchestrators`)
	if err != nil {
		return nil, fmt.Errorf("read the orchestrators' records: %w", err)
	}
	var address, record []byte
	var restored int64
	_, err = pgx.ForEachRow(rows, []any{&address, &record, &restored}, func() error {
		t := Trust{Restored: uint64(restored)}
		err := json.Unmarshal(record, &t.Record)
		records[common.BytesToAddress(address)] = t
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the orchestrators' records: %w", err)
	}
	return records, nil
}

// Parties are the orchestrators and transcoders that attempts were judged of.
func (s *Store) Parties(ctx context.Context) (orchestrators, transcoders []common.Address, err error) {
	for table, list := range map[string]*[]common.Address{"live_orchestrators": &orchestrators, "live_transcoders": &transcoders} {
		rows, err := s.pool.Query(ctx, `SELECT address FROM `+table+` ORDER BY met_at, address LIMIT 64`)
		if err != nil {
			return nil, nil, fmt.Errorf("read the parties: %w", err)
		}
		var address []byte
		if _, err := pgx.ForEachRow(rows, []any{&address}, func() error {
			*list = append(*list, common.BytesToAddress(address))
			return nil
		}); err != nil {
			return nil, nil, fmt.Errorf("read the parties: %w", err)
		}
	}
	return orchestrators, transcoders, nil
}

// CommitFailed makes a segment known as failed. One that was verified stays so.
func (s *Store) CommitFailed(ctx context.Context, seg *Segment) error {
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		was, err := stateOf(ctx, tx, seg.SegmentKey)
		if err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `
			INSERT INTO live_segments (stream, incarnation, seq, state, source, code, arrived_at)
			VALUES ($1, $2, $3, 'failed', $4, $5, $6)
			ON CONFLICT (stream, incarnation, seq) DO UPDATE SET state = 'failed', code = excluded.code, source = excluded.source
			WHERE live_segments.state NOT IN ('verified', 'passed_through')
			RETURNING id`,
			seg.Stream, int64(seg.Incarnation), int64(seg.Seq), seg.Source[:], string(seg.Code), seg.ArrivedAt).Scan(&seg.ID); err != nil {
			return err
		}
		return change{segments: one(was != Failed), failed: one(was != Failed)}.add(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("commit the failure of %s: %w", seg.SegmentKey, err)
	}
	seg.State = Failed
	return nil
}

// Spending is the sum of all fees ever committed, and those since a time by stream and minute, oldest first.
func (s *Store) Spending(ctx context.Context, since time.Time) (total protocol.Wei, recent []payment.Spent, err error) {
	if err := s.pool.QueryRow(ctx, `SELECT fees::text FROM live_totals`).Scan(&total); err != nil {
		return total, nil, fmt.Errorf("read what was spent: %w", err)
	}
	rows, err := s.pool.Query(ctx, `SELECT max(created_at), stream, sum(fee)::text FROM live_attempts WHERE passed AND created_at >= $1
		GROUP BY date_trunc('minute', created_at), stream ORDER BY 1`, since)
	if err != nil {
		return total, nil, fmt.Errorf("read what was spent: %w", err)
	}
	var one payment.Spent
	if _, err = pgx.ForEachRow(rows, []any{&one.At, &one.Stream, &one.Fee}, func() error { recent = append(recent, one); return nil }); err != nil {
		return total, nil, fmt.Errorf("read what was spent: %w", err)
	}
	return total, recent, nil
}
