package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/jackc/pgx/v5"

	"github.com/kinora/kinora/internal/protocol"
)

// Registry names a service registry.
type Registry struct {
	ChainID uint64
	Address common.Address
}

// Cursor is how far a registry was read.
type Cursor struct {
	Block uint64
	Hash  common.Hash // of that block
}

// Registered is what is kept of a registry; known is false when it was never read.
func (s *Store) Registered(ctx context.Context, r Registry) (at Cursor, known bool, listed []protocol.Listing, err error) {
	var block int64
	var hash []byte
	err = s.pool.QueryRow(ctx, `SELECT block, block_hash FROM live_registries WHERE chain_id = $1 AND registry = $2`, int64(r.ChainID), r.Address[:]).Scan(&block, &hash)
	if errors.Is(err, pgx.ErrNoRows) {
		return Cursor{}, false, nil, nil
	}
	if err != nil {
		return Cursor{}, false, nil, fmt.Errorf("read what is kept of registry %s: %w", r.Address, err)
	}
	rows, err := s.pool.Query(ctx, `SELECT account, url, region FROM live_registrations WHERE chain_id = $1 AND registry = $2 ORDER BY block, account`, int64(r.ChainID), r.Address[:])
	if err == nil {
		listed, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (l protocol.Listing, err error) {
			var account []byte
			err = row.Scan(&account, &l.URL, &l.Region)
			l.Account = common.BytesToAddress(account)
			return l, err
		})
	}
	if err != nil {
		return Cursor{}, false, nil, fmt.Errorf("read what is kept of registry %s: %w", r.Address, err)
	}
	return Cursor{Block: uint64(block), Hash: common.BytesToHash(hash)}, true, listed, nil
}

// ForgetRegistry drops what is kept of a registry: the chain is not the one that was read.
func (s *Store) ForgetRegistry(ctx context.Context, r Registry) error {
	if _, err := s.pool.Exec(ctx, `DELETE FROM live_registries WHERE chain_id = $1 AND registry = $2`, int64(r.ChainID), r.Address[:]); err != nil {
		return fmt.Errorf("forget registry %s: %w", r.Address, err)
	}
	return nil
}

// SaveRegistry keeps what blocks up to at changed: who is listed now, and who no longer. A cursor never goes back.
func (s *Store) SaveRegistry(ctx context.Context, r Registry, at Cursor, listed []protocol.Listing, gone []common.Address) error {
	id := int64(r.ChainID)
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `INSERT INTO live_registries (chain_id, registry, block, block_hash) VALUES ($1, $2, $3, $4)
			ON CONFLICT (chain_id, registry) DO UPDATE SET block = excluded.block, block_hash = excluded.block_hash WHERE live_registries.block <= excluded.block`,
			id, r.Address[:], int64(at.Block), at.Hash[:])
		if err != nil || tag.RowsAffected() == 0 { // another replica is further
			return err
		}
		for _, a := range gone {
			if _, err := tx.Exec(ctx, `DELETE FROM live_registrations WHERE chain_id = $1 AND registry = $2 AND account = $3`, id, r.Address[:], a[:]); err != nil {
				return err
			}
		}
		for _, l := range listed {
			if _, err := tx.Exec(ctx, `INSERT INTO live_registrations (chain_id, registry, account, url, region, block) VALUES ($1, $2, $3, $4, $5, $6)
				ON CONFLICT (chain_id, registry, account) DO UPDATE SET url = excluded.url, region = excluded.region, block = excluded.block`,
				id, r.Address[:], l.Account[:], l.URL, l.Region, int64(at.Block)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep what registry %s says: %w", r.Address, err)
	}
	return nil
}

// List is the newest list that came from url, with its ETag; found is false when none did.
func (s *Store) List(ctx context.Context, url string) (list protocol.Signed[protocol.List], etag string, found bool, err error) {
	var b []byte
	err = s.pool.QueryRow(ctx, `SELECT list, etag FROM live_lists WHERE url = $1`, url).Scan(&b, &etag)
	if errors.Is(err, pgx.ErrNoRows) {
		return list, "", false, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &list)
	}
	if err != nil {
		return list, "", false, fmt.Errorf("read the kept list of orchestrators: %w", err)
	}
	return list, etag, true, nil
}

// SaveList keeps the newest list of url.
func (s *Store) SaveList(ctx context.Context, url string, list protocol.Signed[protocol.List], etag string) error {
	if _, err := s.pool.Exec(ctx, `INSERT INTO live_lists (url, list, etag) VALUES ($1, $2, $3)
		ON CONFLICT (url) DO UPDATE SET list = excluded.list, etag = excluded.etag, fetched_at = now()`, url, protocol.Encode(list), etag); err != nil {
		return fmt.Errorf("keep a list of orchestrators: %w", err)
	}
	return nil
}

// Met is an orchestrator that answered, and what it said.
type Met struct {
	Account common.Address
	URL     string
	Region  string
	Prices  protocol.Prices
	RTT     time.Duration
}

// Met are all that ever answered, the newest first.
func (s *Store) Met(ctx context.Context) ([]Met, error) {
	rows, err := s.pool.Query(ctx, `SELECT account, url, region, prices, rtt_us FROM live_met ORDER BY seen_at DESC, account`)
	var all []Met
	if err == nil {
		all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (m Met, err error) {
			var account, prices []byte
			var rtt int64
			if err = row.Scan(&account, &m.URL, &m.Region, &prices, &rtt); err == nil {
				err = json.Unmarshal(prices, &m.Prices)
			}
			m.Account, m.RTT = common.BytesToAddress(account), time.Duration(rtt)*time.Microsecond
			return m, err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("read the orchestrators that were met: %w", err)
	}
	return all, nil
}

// SaveMet notes that an orchestrator answered.
func (s *Store) SaveMet(ctx context.Context, m Met) error {
	if _, err := s.pool.Exec(ctx, `INSERT INTO live_met (account, url, region, prices, rtt_us) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (account) DO UPDATE SET url = excluded.url, region = excluded.region, prices = excluded.prices, rtt_us = excluded.rtt_us, seen_at = now()`,
		m.Account[:], m.URL, m.Region, protocol.Encode(m.Prices), m.RTT.Microseconds()); err != nil {
		return fmt.Errorf("note that orchestrator %s was met: %w", m.Account, err)
	}
	return nil
}
