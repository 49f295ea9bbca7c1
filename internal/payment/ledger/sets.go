package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
)

const lanes = 1 << 16

// KnownLane implements payment.Store.
func (l *Ledger) KnownLane(ctx context.Context, payer common.Address, stream string) (lane uint16, known bool, err error) {
	err = l.tx(ctx, "find lane", func(c Conn) error {
		var n int64
		known, err = one(ctx, c, `SELECT lane FROM recipient_lanes WHERE payer = $1 AND stream = $2`, []any{payer[:], stream}, &n)
		lane = uint16(n)
		return err
	})
	return lane, known, err
}

// Strangers implements payment.Store.
func (l *Ledger) Strangers(ctx context.Context) (n int, err error) {
	err = l.tx(ctx, "count strangers", func(c Conn) error {
		_, err := one(ctx, c, `SELECT COUNT(*) FROM recipient_lanes l WHERE NOT EXISTS (SELECT 1 FROM recipient_payers p WHERE p.payer = l.payer)`, nil, &n)
		return err
	})
	return n, err
}

// Lane implements payment.Store.
func (l *Ledger) Lane(ctx context.Context, payer common.Address, stream string, now time.Time,
	floor func(ctx context.Context, lane uint16) (uint64, error)) (lane uint16, err error) {
	for range 16 { // others may take the lane while the chain is asked
		lane, known, err := l.KnownLane(ctx, payer, stream)
		if err != nil || known {
			return lane, err
		}
		var free, nonce int64
		reused := false
		err = l.tx(ctx, "look for a lane", func(c Conn) error {
			var used *int64
			reused = false
			if _, err := one(ctx, c, `SELECT MAX(lane) FROM recipient_lanes WHERE payer = $1`, []any{payer[:]}, &used); err != nil {
				return err
			}
			switch {
			case used == nil:
				free = 0
			case *used+1 < lanes:
				free = *used + 1
			default: // all were used: the one that rested longest, once nothing of it is under way
				reused, err = one(ctx, c, `SELECT l.lane, l.highest_nonce FROM recipient_lanes l WHERE l.payer = $1
					AND NOT EXISTS (SELECT 1 FROM recipient_sets s WHERE s.payer = l.payer AND s.lane = l.lane AND s.state = 'open')
					AND NOT EXISTS (SELECT 1 FROM recipient_winners w WHERE w.payer = l.payer AND w.lane = l.lane AND w.state IN ('won', 'submitted', 'mined'))
					ORDER BY l.used_at LIMIT 1`, []any{payer[:]}, &free, &nonce)
				if err == nil && !reused {
					err = protocol.Limited(protocol.RateLimited, "lanes", lanes, "payer %s has live streams on every lane", payer)
				}
				return err
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
		if !reused {
			f, err := floor(ctx, uint16(free))
			if err != nil {
				return 0, fmt.Errorf("open lane: %w", err)
			}
			nonce = int64(f)
		}
		err = l.tx(ctx, "open lane", func(c Conn) error {
			if reused {
				_, err := c.Exec(ctx, `UPDATE recipient_lanes SET stream = $1, floor_nonce = highest_nonce, used_at = $2
					WHERE payer = $3 AND lane = $4 AND highest_nonce = $5
					AND NOT EXISTS (SELECT 1 FROM recipient_sets s WHERE s.payer = $3 AND s.lane = $4 AND s.state = 'open')`,
					stream, millis(now), payer[:], free, nonce)
				return err
			}
			_, err := c.Exec(ctx, `INSERT INTO recipient_lanes (payer, lane, stream, floor_nonce, highest_nonce, used_at)
				VALUES ($1, $2, $3, $4, $4, $5) ON CONFLICT DO NOTHING`, payer[:], free, stream, nonce, millis(now))
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	return 0, protocol.Errorf(protocol.Unavailable, "open lane: others were faster every time")
}

const setColumns = `SELECT s.serial, s.id, s.payer, s.lane, l.stream, CAST(s.face_value AS text), s.seed, s.rand_hash, s.expiry, s.opened_at,
	s.usable_until, s.accept_until, s.redeem_from, s.state
	FROM recipient_sets s JOIN recipient_lanes l ON l.payer = s.payer AND l.lane = s.lane`

func set(r Rows) (s payment.Set, err error) {
	var id, payer, seed, hash []byte
	var lane, expiry, opened, usable, accept, redeem int64
	var state string
	err = r.Scan(&s.Serial, &id, &payer, &lane, &s.Stream, &s.FaceValue, &seed, &hash, &expiry, &opened, &usable, &accept, &redeem, &state)
	copy(s.ID[:], id)
	copy(s.Seed[:], seed)
	s.Payer, s.Lane, s.RandHash, s.Expiry = address(payer), uint16(lane), common.BytesToHash(hash), uint64(expiry)
	s.OpenedAt, s.UsableUntil, s.AcceptUntil, s.RedeemFrom = moment(opened), moment(usable), moment(accept), moment(redeem)
	s.Closed = state == "closed"
	return s, err
}

func firstSet(ctx context.Context, c Conn, rest string, args ...any) (payment.Set, bool, error) {
	sets, err := all(ctx, c, set, setColumns+rest, args...)
	if err != nil || len(sets) == 0 {
		return payment.Set{}, false, err
	}
	return sets[0], true, nil
}

// NewestSet implements payment.Store.
func (l *Ledger) NewestSet(ctx context.Context, payer common.Address, lane uint16) (s payment.Set, ok bool, err error) {
	err = l.tx(ctx, "find newest set", func(c Conn) error {
		s, ok, err = firstSet(ctx, c, ` WHERE s.payer = $1 AND s.lane = $2 ORDER BY s.serial DESC LIMIT 1`, payer[:], int64(lane))
		return err
	})
	return s, ok, err
}

// SetByRandHash implements payment.Store.
func (l *Ledger) SetByRandHash(ctx context.Context, h common.Hash) (s payment.Set, ok bool, err error) {
	err = l.tx(ctx, "find set", func(c Conn) error {
		s, ok, err = firstSet(ctx, c, ` WHERE s.rand_hash = $1`, h[:])
		return err
	})
	return s, ok, err
}

// SetByID implements payment.Store.
func (l *Ledger) SetByID(ctx context.Context, payer common.Address, id protocol.ID) (s payment.Set, ok bool, err error) {
	err = l.tx(ctx, "find set", func(c Conn) error {
		s, ok, err = firstSet(ctx, c, ` WHERE s.payer = $1 AND s.id = $2`, payer[:], id[:])
		return err
	})
	return s, ok, err
}

// AddSet implements payment.Store.
func (l *Ledger) AddSet(ctx context.Context, s payment.Set, after int64) (out payment.Set, err error) {
	err = l.tx(ctx, "open set", func(c Conn) error {
		var stream string
		found, err := one(ctx, c, `SELECT stream FROM recipient_lanes WHERE payer = $1 AND lane = $2`+l.db.Lock(), []any{s.Payer[:], int64(s.Lane)}, &stream)
		if err != nil || !found {
			return errors.Join(err, missing(found, "lane"))
		}
		newest, ok, err := firstSet(ctx, c, ` WHERE s.payer = $1 AND s.lane = $2 ORDER BY s.serial DESC LIMIT 1`, s.Payer[:], int64(s.Lane))
		if err != nil {
			return err
		}
		if ok && newest.Serial != after {
			out = newest
			return nil
		}
		if _, err := c.Exec(ctx, `UPDATE recipient_lanes SET used_at = $1 WHERE payer = $2 AND lane = $3`, millis(s.OpenedAt), s.Payer[:], int64(s.Lane)); err != nil {
			return err
		}
		err = must(c.Exec(ctx, `INSERT INTO recipient_sets (id, payer, lane, face_value, seed, rand_hash, expiry, opened_at, usable_until, accept_until, redeem_from)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`, s.ID[:], s.Payer[:], int64(s.Lane), s.FaceValue.String(), s.Seed[:], s.RandHash[:],
			int64(s.Expiry), millis(s.OpenedAt), millis(s.UsableUntil), millis(s.AcceptUntil), millis(s.RedeemFrom)))
		if err != nil {
			return err
		}
		out, ok, err = firstSet(ctx, c, ` WHERE s.id = $1`, s.ID[:])
		return errors.Join(err, missing(ok, "set"))
	})
	return out, err
}

func missing(found bool, what string) error {
	if found {
		return nil
	}
	return fmt.Errorf("the %s is not there", what)
}

// CloseDue implements payment.Store.
func (l *Ledger) CloseDue(ctx context.Context, now time.Time) (int, error) {
	return l.close(ctx, "close due sets", now, false, ` WHERE s.state = 'open' AND s.accept_until <= $1`, millis(now))
}

// NextClose implements payment.Store.
func (l *Ledger) NextClose(ctx context.Context) (at time.Time, ok bool, err error) {
	err = l.tx(ctx, "find the next set to close", func(c Conn) error {
		var ms *int64
		at, ok = time.Time{}, false
		_, err := one(ctx, c, `SELECT MIN(accept_until) FROM recipient_sets WHERE state = 'open'`, nil, &ms)
		if ms != nil {
			at, ok = moment(*ms), true
		}
		return err
	})
	return at, ok, err
}

// CloseUpTo implements payment.Store.
func (l *Ledger) CloseUpTo(ctx context.Context, payer common.Address, id protocol.ID, now time.Time) (int, error) {
	return l.close(ctx, "close sets of a lane", now, true, ` WHERE s.state = 'open' AND s.payer = $1 AND EXISTS (SELECT 1 FROM recipient_sets n
		WHERE n.id = $2 AND n.payer = s.payer AND n.lane = s.lane AND n.serial >= s.serial)`, payer[:], id[:])
}

// CloseAll implements payment.Store.
func (l *Ledger) CloseAll(ctx context.Context, now time.Time) (int, error) {
	return l.close(ctx, "close all sets", now, true, ` WHERE s.state = 'open'`)
}

// close closes sets one transaction each, so that it never waits for one ticket while it holds up another.
func (l *Ledger) close(ctx context.Context, doing string, now time.Time, disclose bool, where string, args ...any) (closed int, err error) {
	var due []payment.Set
	err = l.tx(ctx, doing, func(c Conn) error {
		due, err = all(ctx, c, set, setColumns+where+` ORDER BY s.serial`, args...)
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, s := range due {
		redeem := s.RedeemFrom
		if disclose || redeem.Before(now) {
			redeem = now
		}
		err := l.tx(ctx, doing, func(c Conn) error {
			n, err := c.Exec(ctx, `UPDATE recipient_sets SET state = 'closed', closed_at = $1, redeem_from = $2 WHERE serial = $3 AND state = 'open'`,
				millis(now), millis(redeem), s.Serial)
			closed += int(n)
			return err
		})
		if err != nil {
			return closed, err
		}
	}
	return closed, nil
}

// EarliestOpen implements payment.Store.
func (l *Ledger) EarliestOpen(ctx context.Context) (map[payment.LaneKey]int64, error) {
	out := map[payment.LaneKey]int64{}
	err := l.tx(ctx, "find open sets", func(c Conn) error {
		clear(out)
		_, err := all(ctx, c, func(r Rows) (struct{}, error) {
			var payer []byte
			var lane, serial int64
			err := r.Scan(&payer, &lane, &serial)
			out[payment.LaneKey{Payer: address(payer), Lane: uint16(lane)}] = serial
			return struct{}{}, err
		}, `SELECT payer, lane, MIN(serial) FROM recipient_sets WHERE state = 'open' GROUP BY payer, lane`)
		return err
	})
	return out, err
}
