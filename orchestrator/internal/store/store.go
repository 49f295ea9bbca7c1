// Package store keeps what an orchestrator must not forget, in Postgres: quotes, leases, how every attempt ended, what each
// transcoder's outputs have earned it. Replicas share it; verdict, ticket and debt of an attempt are one commit.
package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
)

// Store is the orchestrator's side of the database.
type Store struct {
	pool   *pgxpool.Pool
	ledger Ledger
	writer protocol.ID // of what this process spends
}

// Open connects to the migrated database at url.
func Open(ctx context.Context, url string) (*Store, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("database url: %w", err)
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("reach database: %w", err)
	}
	return New(pool), nil
}

// New uses an open pool, which stays the caller's to close.
func New(pool *pgxpool.Pool) *Store { return &Store{pool: pool, writer: protocol.NewID()} }

// Pool is the connections, for the payment stores that share this database.
func (s *Store) Pool() *pgxpool.Pool { return s.pool }

// Close closes the pool.
func (s *Store) Close() { s.pool.Close() }

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.pool.Ping(ctx) }

// Quote is a stored quote with the request it answers.
type Quote struct {
	Quote   protocol.Signed[protocol.Quote]
	Request protocol.QuoteRequest
	Valid   time.Duration // left; negative once it has expired
}

// SaveQuote keeps q for as long as it is valid and a little longer.
func (s *Store) SaveQuote(ctx context.Context, q Quote) error {
	m := q.Quote.Message
	_, err := s.pool.Exec(ctx, `INSERT INTO quotes (id, payer, stream, quote, request, valid_until)
		VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 millisecond')`,
		m.ID[:], m.Payer[:], m.Stream, protocol.Encode(q.Quote), protocol.Encode(q.Request), m.ValidMillis)
	if err != nil {
		return fmt.Errorf("save quote: %w", err)
	}
	return nil
}

// Quote returns a stored quote, or QuoteUnknown.
func (s *Store) Quote(ctx context.Context, id protocol.ID) (Quote, error) {
	var q Quote
	var millis float64
	err := s.pool.QueryRow(ctx, `SELECT quote, request, (extract(epoch FROM valid_until - now()) * 1000)::float8 FROM quotes WHERE id = $1`, id[:]).
		Scan(&q.Quote, &q.Request, &millis)
	if errors.Is(err, pgx.ErrNoRows) {
		return q, protocol.Errorf(protocol.QuoteUnknown, "quote %s is not known here; ask for a new one", id.Short())
	}
	if err != nil {
		return q, fmt.Errorf("read quote: %w", err)
	}
	q.Valid = time.Duration(millis) * time.Millisecond
	return q, nil
}

// Lease is an awarded lease.
type Lease struct {
	Offer     protocol.AwardOffer
	Payer     common.Address
	MaxPrices protocol.Prices
	Probe     bool
	Expires   time.Duration // left
	EndedFor  string        // empty: open
}

// ID of the lease.
func (l Lease) ID() protocol.ID { return l.Offer.Award.Message.Lease }

// SaveLease records a lease that was accepted.
func (s *Store) SaveLease(ctx context.Context, l Lease) error {
	a := l.Offer.Award.Message
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO leases (id, transcoder, payer, stream, incarnation, offer, max_prices, probe, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now() + $9 * interval '1 millisecond')`,
			a.Lease[:], a.Transcoder[:], l.Payer[:], a.Stream, int64(a.Incarnation), protocol.Encode(l.Offer), protocol.Encode(l.MaxPrices), l.Probe, l.Expires.Milliseconds())
		if err != nil {
			return err
		}
		return update(ctx, tx, a.Transcoder, func(st *standing, _ *time.Time) { st.Tally.Awards++ })
	})
	if err != nil {
		return fmt.Errorf("save lease: %w", err)
	}
	return nil
}

// NextSerial draws the serial of a request about a lease; serials of one lease only grow, over restarts too.
func (s *Store) NextSerial(ctx context.Context, lease protocol.ID) (uint64, error) {
	var serial int64
	err := s.pool.QueryRow(ctx, `UPDATE leases SET serial = serial + 1 WHERE id = $1 RETURNING serial`, lease[:]).Scan(&serial)
	if err != nil {
		return 0, fmt.Errorf("draw serial of lease %s: %w", lease.Short(), err)
	}
	return uint64(serial), nil
}

// ExtendLease moves the end of an open lease to left from now.
func (s *Store) ExtendLease(ctx context.Context, lease protocol.ID, left time.Duration) error {
	_, err := s.pool.Exec(ctx, `UPDATE leases SET expires_at = now() + $2 * interval '1 millisecond' WHERE id = $1 AND ended_at IS NULL`,
		lease[:], left.Milliseconds())
	if err != nil {
		return fmt.Errorf("extend lease: %w", err)
	}
	return nil
}

// EndLease closes a lease for a reason; the first one stands.
func (s *Store) EndLease(ctx context.Context, lease protocol.ID, reason string) error {
	_, err := s.pool.Exec(ctx, `UPDATE leases SET ended_at = now(), ended_for = $2 WHERE id = $1 AND ended_at IS NULL`, lease[:], reason)
	if err != nil {
		return fmt.Errorf("end lease: %w", err)
	}
	return nil
}

const leaseColumns = `offer, payer, max_prices, probe, (extract(epoch FROM expires_at - now()) * 1000)::float8, coalesce(ended_for, '')`

func scanLease(row pgx.Row) (Lease, error) {
	var l Lease
	var payer []byte
	var millis float64
	if err := row.Scan(&l.Offer, &payer, &l.MaxPrices, &l.Probe, &millis, &l.EndedFor); err != nil {
		return l, err
	}
	l.Payer = common.BytesToAddress(payer)
	l.Expires = time.Duration(millis) * time.Millisecond
	return l, nil
}

// OpenLeases returns the leases that neither ended nor ran out and were awarded under url: those a process that starts
// again at that address can go on with.
func (s *Store) OpenLeases(ctx context.Context, url string) ([]Lease, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+leaseColumns+` FROM leases
		WHERE ended_at IS NULL AND expires_at > now() AND offer #>> '{award,message,url}' = $1 ORDER BY created_at`, url)
	if err != nil {
		return nil, fmt.Errorf("read open leases: %w", err)
	}
	leases, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (Lease, error) { return scanLease(r) })
	if err != nil {
		return nil, fmt.Errorf("read open leases: %w", err)
	}
	return leases, nil
}

// Ladders returns what the open leases of the payer's stream are for, whichever replica holds them; probes aside.
func (s *Store) Ladders(ctx context.Context, payer common.Address, stream string) ([]protocol.Ladder, error) {
	rows, err := s.pool.Query(ctx, `SELECT offer -> 'ladder' FROM leases
		WHERE payer = $1 AND stream = $2 AND ended_at IS NULL AND expires_at > now() AND NOT probe`, payer[:], stream)
	if err != nil {
		return nil, fmt.Errorf("look for leases of stream %q: %w", stream, err)
	}
	ladders, err := pgx.CollectRows(rows, pgx.RowTo[protocol.Ladder])
	if err != nil {
		return nil, fmt.Errorf("look for leases of stream %q: %w", stream, err)
	}
	return ladders, nil
}

// LeasesElsewhere returns the open leases of one incarnation of a payer's stream that were awarded under other URLs than url:
// those of other replicas.
func (s *Store) LeasesElsewhere(ctx context.Context, url string, payer common.Address, stream string, incarnation uint32) ([]Lease, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+leaseColumns+` FROM leases
		WHERE payer = $2 AND stream = $3 AND incarnation = $4 AND ended_at IS NULL AND expires_at > now() AND offer #>> '{award,message,url}' <> $1`,
		url, payer[:], stream, int64(incarnation))
	if err != nil {
		return nil, fmt.Errorf("read leases of other replicas: %w", err)
	}
	leases, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (Lease, error) { return scanLease(r) })
	if err != nil {
		return nil, fmt.Errorf("read leases of other replicas: %w", err)
	}
	return leases, nil
}

// LapseLeases ends the leases that ran out, also those of a replica that is gone.
func (s *Store) LapseLeases(ctx context.Context) error {
	_, err := s.pool.Exec(ctx, `UPDATE leases SET ended_at = now(), ended_for = 'lapsed' WHERE ended_at IS NULL AND expires_at < now() - interval '5 seconds'`)
	if err != nil {
		return fmt.Errorf("lapse leases: %w", err)
	}
	return nil
}

// Transcoder is what is known of one.
type Transcoder struct {
	Address   common.Address
	Record    verify.Record
	Bids      uint64
	CutOffAt  *time.Time
	CutOffFor string
	FirstSeen time.Time
}

// See makes sure that t has a row and returns it.
func (s *Store) See(ctx context.Context, t common.Address) (Transcoder, error) {
	_, err := s.pool.Exec(ctx, `INSERT INTO transcoders (address, record) VALUES ($1, $2) ON CONFLICT (address) DO NOTHING`,
		t[:], protocol.Encode(verify.Record{State: verify.New}))
	if err != nil {
		return Transcoder{}, fmt.Errorf("enter transcoder %s: %w", t, err)
	}
	row := s.pool.QueryRow(ctx, `SELECT `+transcoderColumns+` FROM transcoders WHERE address = $1`, t[:])
	x, err := scanTranscoder(row)
	if err != nil {
		return x, fmt.Errorf("read transcoder %s: %w", t, err)
	}
	return x, nil
}

const transcoderColumns = `address, record, bids, cut_off_at, coalesce(cut_off_for, ''), first_seen`

func scanTranscoder(row pgx.Row) (Transcoder, error) {
	var t Transcoder
	var address []byte
	var bids int64
	if err := row.Scan(&address, &t.Record, &bids, &t.CutOffAt, &t.CutOffFor, &t.FirstSeen); err != nil {
		return t, err
	}
	t.Address, t.Bids = common.BytesToAddress(address), uint64(bids)
	return t, nil
}

// Transcoders returns all of them.
func (s *Store) Transcoders(ctx context.Context) ([]Transcoder, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+transcoderColumns+` FROM transcoders ORDER BY first_seen, address`)
	if err != nil {
		return nil, fmt.Errorf("read transcoders: %w", err)
	}
	ts, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (Transcoder, error) { return scanTranscoder(r) })
	if err != nil {
		return nil, fmt.Errorf("read transcoders: %w", err)
	}
	return ts, nil
}

// CountBids adds to the bids received of each transcoder.
func (s *Store) CountBids(ctx context.Context, bids map[common.Address]uint64) error {
	b := &pgx.Batch{}
	for _, t := range slices.SortedFunc(maps.Keys(bids), common.Address.Cmp) { // in one order, so that replicas do not block each other
		b.Queue(`UPDATE transcoders SET bids = bids + $2 WHERE address = $1`, t[:], int64(bids[t]))
	}
	if err := s.pool.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("count bids: %w", err)
	}
	return nil
}

// Restore lets a transcoder that was cut off begin anew: an operator's decision.
func (s *Store) Restore(ctx context.Context, t common.Address) (Transcoder, error) {
	var out Transcoder
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		err := update(ctx, tx, t, func(st *standing, _ *time.Time) { st.Record = st.Record.Restore() })
		if errors.Is(err, pgx.ErrNoRows) {
			return protocol.Errorf(protocol.NotFound, "transcoder %s was never seen here", t)
		}
		if err != nil {
			return err
		}
		out, err = scanTranscoder(tx.QueryRow(ctx, `UPDATE transcoders SET cut_off_at = NULL, cut_off_for = NULL WHERE address = $1 RETURNING `+transcoderColumns, t[:]))
		if err != nil {
			return fmt.Errorf("restore transcoder %s: %w", t, err)
		}
		return nil
	})
	return out, err
}

// SaveEpoch records a sampling epoch before its first use.
func (s *Store) SaveEpoch(ctx context.Context, e verify.Epoch) error {
	commitment, secret := e.Commitment(), e.Secret()
	_, err := s.pool.Exec(ctx, `INSERT INTO epochs (commitment, secret) VALUES ($1, $2)`, commitment[:], secret[:])
	if err != nil {
		return fmt.Errorf("save epoch: %w", err)
	}
	return nil
}

// EndEpoch says that an epoch decides nothing any more; its secret may be shown.
func (s *Store) EndEpoch(ctx context.Context, commitment protocol.Hash) error {
	_, err := s.pool.Exec(ctx, `UPDATE epochs SET ended_at = now() WHERE commitment = $1 AND ended_at IS NULL`, commitment[:])
	if err != nil {
		return fmt.Errorf("end epoch: %w", err)
	}
	return nil
}

// LapseEpochs ends the epochs that began longer ago than any process keeps one: those of processes that were killed.
func (s *Store) LapseEpochs(ctx context.Context, longest time.Duration) error {
	_, err := s.pool.Exec(ctx, `UPDATE epochs SET ended_at = now() WHERE ended_at IS NULL AND started_at < now() - $1 * interval '1 millisecond'`,
		longest.Milliseconds())
	if err != nil {
		return fmt.Errorf("lapse epochs: %w", err)
	}
	return nil
}

// Epoch is a sampling epoch; Secret is nil until it has ended.
type Epoch struct {
	Commitment protocol.Hash  `json:"commitment"`
	Secret     *protocol.Hash `json:"secret,omitempty"`
	StartedAt  time.Time      `json:"started_at"`
	EndedAt    *time.Time     `json:"ended_at,omitempty"`
}

// Epochs returns the newest, secrets only of those that ended.
func (s *Store) Epochs(ctx context.Context, limit int) ([]Epoch, error) {
	rows, err := s.pool.Query(ctx, `SELECT commitment, CASE WHEN ended_at IS NOT NULL THEN secret END, started_at, ended_at
		FROM epochs ORDER BY started_at DESC LIMIT $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("read epochs: %w", err)
	}
	return pgx.CollectRows(rows, func(r pgx.CollectableRow) (Epoch, error) {
		var e Epoch
		var commitment, secret []byte
		if err := r.Scan(&commitment, &secret, &e.StartedAt, &e.EndedAt); err != nil {
			return e, fmt.Errorf("read epochs: %w", err)
		}
		copy(e.Commitment[:], commitment)
		if secret != nil {
			h := protocol.Hash(secret)
			e.Secret = &h
		}
		return e, nil
	})
}
