package store

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/jackc/pgx/v5"

	"github.com/kinora/kinora/internal/protocol"
)

// JoinToken is what is known of a token: everything but itself.
type JoinToken struct {
	ID      string          `json:"id"` // the first digits of its hash
	Label   string          `json:"label"`
	Created time.Time       `json:"created_at"`
	Expires time.Time       `json:"expires_at"`
	Revoked *time.Time      `json:"revoked_at,omitempty"`
	Used    *time.Time      `json:"used_at,omitempty"`
	UsedBy  *common.Address `json:"used_by,omitempty"`
}

// Admission is one transcoder that was admitted or revoked.
type Admission struct {
	Transcoder common.Address `json:"transcoder"`
	Admitted   time.Time      `json:"admitted_at"`
	Label      string         `json:"label"` // of the token it came by
	Revoked    *time.Time     `json:"revoked_at,omitempty"`
	Reason     string         `json:"reason,omitempty"` // of the revocation
}

// tokenIDDigits of a token's hash name it.
const tokenIDDigits = 12

// AddJoinToken keeps the hash of a new token, and returns what it goes by.
func (s *Store) AddJoinToken(ctx context.Context, hash [32]byte, label string, life time.Duration) (JoinToken, error) {
	t := JoinToken{ID: hex.EncodeToString(hash[:])[:tokenIDDigits], Label: label}
	err := s.pool.QueryRow(ctx, `INSERT INTO join_tokens (hash, label, expires_at) VALUES ($1, $2, now() + $3 * interval '1 millisecond')
		RETURNING created_at, expires_at`, hash[:], label, life.Milliseconds()).Scan(&t.Created, &t.Expires)
	if err != nil {
		return t, fmt.Errorf("keep a join token: %w", err)
	}
	return t, nil
}

// JoinTokens lists the newest tokens first.
func (s *Store) JoinTokens(ctx context.Context) ([]JoinToken, error) {
	rows, err := s.pool.Query(ctx, `SELECT encode(hash, 'hex'), label, created_at, expires_at, revoked_at, used_at, used_by FROM join_tokens ORDER BY created_at DESC, hash`)
	if err != nil {
		return nil, fmt.Errorf("list join tokens: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t JoinToken, err error) {
		var by []byte
		if err = row.Scan(&t.ID, &t.Label, &t.Created, &t.Expires, &t.Revoked, &t.Used, &by); err == nil && by != nil {
			a := common.BytesToAddress(by)
			t.UsedBy = &a
		}
		if err == nil {
			t.ID = t.ID[:tokenIDDigits]
		}
		return t, err
	})
	if err != nil {
		return nil, fmt.Errorf("list join tokens: %w", err)
	}
	return list, nil
}

// RevokeJoinToken makes a token that nobody has used yet worthless; NotFound if there is none of that ID.
func (s *Store) RevokeJoinToken(ctx context.Context, id string) error {
	tag, err := s.pool.Exec(ctx, `UPDATE join_tokens SET revoked_at = coalesce(revoked_at, now()) WHERE used_at IS NULL AND left(encode(hash, 'hex'), $2) = $1`,
		strings.ToLower(id), tokenIDDigits)
	if err != nil {
		return fmt.Errorf("revoke a join token: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return protocol.Errorf(protocol.NotFound, "there is no unused join token %.20q: a used one has done its work, revoke the transcoder's address instead", id)
	}
	return nil
}

// RevokedError refuses one that was let go.
type RevokedError struct {
	Transcoder common.Address
	Ago        time.Duration
}

// Error is error's.
func (e *RevokedError) Error() string {
	return fmt.Sprintf("%s was revoked %s ago", e.Transcoder, e.Ago.Round(time.Second))
}

const agoMillis = `(extract(epoch FROM now() - revoked_at) * 1000)::bigint`

// Admit lets a transcoder in that was admitted before, or in an open market any that was not revoked, or one with an unused token
// (its hash), which it uses up. Otherwise the error says why not (Unauthorized; for one that was let go it is a RevokedError).
func (s *Store) Admit(ctx context.Context, transcoder common.Address, token *[32]byte, open bool) error {
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var ago *int64
		err := tx.QueryRow(ctx, `SELECT `+agoMillis+` FROM admissions WHERE transcoder = $1`, transcoder[:]).Scan(&ago)
		switch {
		case err == nil && ago != nil:
			return protocol.Errorf(protocol.Unauthorized, "%w; `kinora orchestrator admit` takes it back", &RevokedError{transcoder, time.Duration(*ago) * time.Millisecond})
		case err == nil || errors.Is(err, pgx.ErrNoRows) && open:
			return nil
		case !errors.Is(err, pgx.ErrNoRows):
			return err
		case token == nil:
			return protocol.Errorf(protocol.Unauthorized, "%s is not known here and brings no join token", transcoder)
		}
		var label string
		err = tx.QueryRow(ctx, `UPDATE join_tokens SET used_at = now(), used_by = $2
			WHERE hash = $1 AND used_at IS NULL AND revoked_at IS NULL AND expires_at > now() RETURNING label`, token[:], transcoder[:]).Scan(&label)
		if errors.Is(err, pgx.ErrNoRows) {
			return worthless(ctx, tx, token, transcoder)
		}
		if err == nil { // the row may have come since it was looked for: a revocation stands
			_, err = tx.Exec(ctx, `INSERT INTO admissions (transcoder, label) VALUES ($1, $2)`, transcoder[:], label)
		}
		return err
	})
	if err != nil && protocol.CodeOf(err) != protocol.Unauthorized {
		return fmt.Errorf("admit %s: %w", transcoder, err)
	}
	return err
}

// worthless says what is wrong with a token; nothing, if another connection of the same transcoder has just used it.
func worthless(ctx context.Context, tx pgx.Tx, token *[32]byte, transcoder common.Address) error {
	var used, own, revoked bool
	err := tx.QueryRow(ctx, `SELECT used_at IS NOT NULL, coalesce(used_by = $2, false), revoked_at IS NOT NULL FROM join_tokens WHERE hash = $1`,
		token[:], transcoder[:]).Scan(&used, &own, &revoked)
	switch {
	case err == nil && own:
		return nil
	case errors.Is(err, pgx.ErrNoRows):
		return protocol.Errorf(protocol.Unauthorized, "its join token is unknown")
	case err != nil:
		return err
	case used:
		return protocol.Errorf(protocol.Unauthorized, "its join token was used by another one")
	case revoked:
		return protocol.Errorf(protocol.Unauthorized, "its join token was revoked")
	}
	return protocol.Errorf(protocol.Unauthorized, "its join token has expired")
}

// Enrol admits a transcoder on the operator's word, also one that was revoked.
func (s *Store) Enrol(ctx context.Context, transcoder common.Address) error {
	_, err := s.pool.Exec(ctx, `INSERT INTO admissions (transcoder, label) VALUES ($1, '')
		ON CONFLICT (transcoder) DO UPDATE SET revoked_at = NULL, reason = ''`, transcoder[:])
	if err != nil {
		return fmt.Errorf("admit %s: %w", transcoder, err)
	}
	return nil
}

// Revoke lets a transcoder in no more, also one that never came.
func (s *Store) Revoke(ctx context.Context, transcoder common.Address, reason string) error {
	_, err := s.pool.Exec(ctx, `INSERT INTO admissions (transcoder, label, revoked_at, reason) VALUES ($1, '', now(), $2)
		ON CONFLICT (transcoder) DO UPDATE SET revoked_at = now(), reason = $2`, transcoder[:], reason)
	if err != nil {
		return fmt.Errorf("revoke %s: %w", transcoder, err)
	}
	return nil
}

// Revocation is one that stands.
type Revocation struct {
	Transcoder common.Address
	At         time.Time
	Ago        time.Duration // by the database's clock
}

// RevokedWithin are those that were revoked within that time.
func (s *Store) RevokedWithin(ctx context.Context, d time.Duration) ([]Revocation, error) {
	rows, err := s.pool.Query(ctx, `SELECT transcoder, revoked_at, `+agoMillis+` FROM admissions WHERE revoked_at > now() - $1 * interval '1 millisecond' ORDER BY revoked_at`, d.Milliseconds())
	if err != nil {
		return nil, fmt.Errorf("list revocations: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r Revocation, err error) {
		var b []byte
		var ago int64
		err = row.Scan(&b, &r.At, &ago)
		r.Transcoder, r.Ago = common.BytesToAddress(b), time.Duration(ago)*time.Millisecond
		return r, err
	})
	if err != nil {
		return nil, fmt.Errorf("list revocations: %w", err)
	}
	return list, nil
}

// Admissions lists whom an entry of its own names, the newest first.
func (s *Store) Admissions(ctx context.Context) ([]Admission, error) {
	rows, err := s.pool.Query(ctx, `SELECT transcoder, admitted_at, label, revoked_at, reason FROM admissions ORDER BY admitted_at DESC, transcoder`)
	if err != nil {
		return nil, fmt.Errorf("list admissions: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (a Admission, err error) {
		var b []byte
		err = row.Scan(&b, &a.Admitted, &a.Label, &a.Revoked, &a.Reason)
		a.Transcoder = common.BytesToAddress(b)
		return a, err
	})
	if err != nil {
		return nil, fmt.Errorf("list admissions: %w", err)
	}
	return list, nil
}
