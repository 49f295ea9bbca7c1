package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
)

// SaveAuctionEpoch records what the auctions of some minutes are held to, with the figures they begin with: before the first.
func (s *Store) SaveAuctionEpoch(ctx context.Context, e protocol.Signed[protocol.AuctionEpoch], secret auction.Secret, figures protocol.Signed[protocol.FiguresRoot]) error {
	key := secret.Show()
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO auction_epochs (commitment, secret, epoch, length_ms) VALUES ($1, $2, $3, $4)`,
			e.Message.Commitment[:], key[:], protocol.Encode(e), int64(e.Message.LengthMillis))
		if err != nil {
			return err
		}
		return saveFigures(ctx, tx, figures)
	})
	if err != nil {
		return fmt.Errorf("save an epoch of auctions: %w", err)
	}
	return nil
}

// SaveFigures records a root over the figures of quality before an award uses it.
func (s *Store) SaveFigures(ctx context.Context, r protocol.Signed[protocol.FiguresRoot]) error {
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return saveFigures(ctx, tx, r) })
	if err != nil {
		return fmt.Errorf("save the root over the figures: %w", err)
	}
	return nil
}

func saveFigures(ctx context.Context, tx pgx.Tx, r protocol.Signed[protocol.FiguresRoot]) error {
	_, err := tx.Exec(ctx, `INSERT INTO auction_figures (epoch, serial, root) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		r.Message.Epoch[:], int64(r.Message.Serial), protocol.Encode(r))
	return err
}

// AuctionPage is a page of an epoch's journal: its text, compressed, by the hash of what was compressed.
type AuctionPage struct {
	Hash protocol.Hash
	Text []byte
}

// SaveAuctionPages appends pages to an epoch's journal, from a number on. To do it again changes nothing.
func (s *Store) SaveAuctionPages(ctx context.Context, epoch protocol.Hash, from int, pages []AuctionPage) error {
	b := &pgx.Batch{}
	for i, p := range pages {
		b.Queue(`INSERT INTO auction_texts (hash, text) VALUES ($1, $2) ON CONFLICT (hash) DO UPDATE SET used_at = now()`, p.Hash[:], p.Text)
		b.Queue(`INSERT INTO auction_pages (epoch, number, hash) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, epoch[:], from+i, p.Hash[:])
	}
	if err := s.pool.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("save the journal of an epoch: %w", err)
	}
	return nil
}

// EndAuctionEpoch says that an epoch decides nothing any more and its journal is whole: both may be shown.
func (s *Store) EndAuctionEpoch(ctx context.Context, c protocol.Signed[protocol.AuctionClose]) error {
	_, err := s.pool.Exec(ctx, `UPDATE auction_epochs SET ended_at = now(), close = $2 WHERE commitment = $1 AND ended_at IS NULL`, c.Message.Epoch[:], protocol.Encode(c))
	if err != nil {
		return fmt.Errorf("end an epoch of auctions: %w", err)
	}
	return nil
}

// LapseAuctionEpochs ends the epochs whose process must be gone: one in use is turned long before. Their journals may lack the end.
func (s *Store) LapseAuctionEpochs(ctx context.Context) error {
	_, err := s.pool.Exec(ctx, `UPDATE auction_epochs SET ended_at = now() WHERE ended_at IS NULL AND started_at < now() - length_ms * interval '3 milliseconds' - interval '1 minute'`)
	if err != nil {
		return fmt.Errorf("lapse epochs of auctions: %w", err)
	}
	return nil
}

// PruneAuctions forgets the epochs that ended longer ago than keep, and the pages that no other epoch has.
func (s *Store) PruneAuctions(ctx context.Context, keep time.Duration) error {
	_, err := s.pool.Exec(ctx, `DELETE FROM auction_epochs WHERE commitment IN (
			SELECT commitment FROM auction_epochs WHERE ended_at < now() - $1 * interval '1 millisecond' ORDER BY started_at LIMIT 16)`, keep.Milliseconds())
	if err != nil {
		return fmt.Errorf("prune epochs of auctions: %w", err)
	}
	_, err = s.pool.Exec(ctx, `DELETE FROM auction_texts WHERE hash IN (
			SELECT hash FROM auction_texts t WHERE used_at < now() - interval '10 minutes' AND NOT EXISTS (SELECT FROM auction_pages WHERE hash = t.hash) LIMIT $1)`, pruneBatch)
	if err != nil {
		return fmt.Errorf("prune the journals of auctions: %w", err)
	}
	return nil
}

const revealColumns = `epoch, CASE WHEN ended_at IS NOT NULL THEN secret END, close, ended_at IS NOT NULL,
	CASE WHEN ended_at IS NOT NULL THEN (SELECT count(*) FROM auction_pages p WHERE p.epoch = e.commitment) ELSE 0 END`

func scanReveal(row pgx.Row) (r auction.Reveal, err error) {
	var secret []byte
	if err := row.Scan(&r.Epoch, &secret, &r.Close, &r.Over, &r.Pages); err != nil {
		return r, err
	}
	if secret != nil {
		h := protocol.Hash(secret)
		r.Secret = &h
	}
	return r, nil
}

// AuctionEpochs returns the newest that began before a time, secrets only of those that are over.
func (s *Store) AuctionEpochs(ctx context.Context, before time.Time, limit int) ([]auction.Reveal, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+revealColumns+` FROM auction_epochs e WHERE (epoch #>> '{message,began_ms}')::bigint < $1 ORDER BY started_at DESC LIMIT $2`,
		before.UnixMilli(), limit)
	if err != nil {
		return nil, fmt.Errorf("read epochs of auctions: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (auction.Reveal, error) { return scanReveal(r) })
	if err != nil {
		return nil, fmt.Errorf("read epochs of auctions: %w", err)
	}
	return all, nil
}

// AuctionEpoch returns one, or NotFound.
func (s *Store) AuctionEpoch(ctx context.Context, commitment protocol.Hash) (auction.Reveal, error) {
	r, err := scanReveal(s.pool.QueryRow(ctx, `SELECT `+revealColumns+` FROM auction_epochs e WHERE commitment = $1`, commitment[:]))
	if errors.Is(err, pgx.ErrNoRows) {
		return r, protocol.Errorf(protocol.NotFound, "no epoch of auctions %s is known here", commitment)
	}
	if err != nil {
		return r, fmt.Errorf("read an epoch of auctions: %w", err)
	}
	return r, nil
}

// FigureRoots returns those of an epoch after a serial, as they were published.
func (s *Store) FigureRoots(ctx context.Context, commitment protocol.Hash, after uint64, limit int) ([]protocol.Signed[protocol.FiguresRoot], error) {
	rows, err := s.pool.Query(ctx, `SELECT root FROM auction_figures WHERE epoch = $1 AND serial > $2 ORDER BY serial LIMIT $3`, commitment[:], int64(min(after, 1<<62)), limit)
	if err != nil {
		return nil, fmt.Errorf("read roots over the figures: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[protocol.Signed[protocol.FiguresRoot]])
	if err != nil {
		return nil, fmt.Errorf("read roots over the figures: %w", err)
	}
	return all, nil
}

// AuctionPage returns a page of the journal of an epoch that is over, or NotFound.
func (s *Store) AuctionPage(ctx context.Context, commitment protocol.Hash, number int) (AuctionPage, error) {
	var p AuctionPage
	var hash []byte
	err := s.pool.QueryRow(ctx, `SELECT t.hash, t.text FROM auction_pages p JOIN auction_texts t ON t.hash = p.hash JOIN auction_epochs e ON e.commitment = p.epoch
		WHERE p.epoch = $1 AND p.number = $2 AND e.ended_at IS NOT NULL`, commitment[:], number).Scan(&hash, &p.Text)
	if errors.Is(err, pgx.ErrNoRows) {
		return p, protocol.Errorf(protocol.NotFound, "the journal of epoch %s has no page %d, or is sealed until the epoch is over", commitment.Short(), number)
	}
	if err != nil {
		return p, fmt.Errorf("read the journal of an epoch: %w", err)
	}
	p.Hash = protocol.Hash(hash)
	return p, nil
}
