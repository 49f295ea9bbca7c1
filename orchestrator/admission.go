package orchestrator

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/migrations"
	"github.com/kinora/kinora/orchestrator/internal/store"
)

// JoinToken and Admission are what is on record of who may join.
type (
	JoinToken = store.JoinToken
	Admission = store.Admission
)

// Admissions is the record of who may join, for the operator; the orchestrators that share its database go by it.
type Admissions struct{ store *store.Store }

// OpenAdmissions opens the record in an orchestrator's database.
func OpenAdmissions(ctx context.Context, databaseURL string) (*Admissions, error) {
	if err := migrations.Postgres(ctx, databaseURL, "orchestrator"); err != nil {
		return nil, err
	}
	s, err := store.Open(ctx, databaseURL)
	if err != nil {
		return nil, err
	}
	return &Admissions{s}, nil
}

// Close closes it.
func (a *Admissions) Close() { a.store.Close() }

// CreateToken makes a secret that admits the one transcoder that brings it first, within life. It is kept nowhere.
func (a *Admissions) CreateToken(ctx context.Context, label string, life time.Duration) (secret string, t JoinToken, err error) {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails, says crypto/rand
	secret = "kinora-join-" + base64.RawURLEncoding.EncodeToString(b[:])
	t, err = a.store.AddJoinToken(ctx, sha256.Sum256([]byte(secret)), label, life)
	return secret, t, err
}

// Tokens lists the tokens, the newest first.
func (a *Admissions) Tokens(ctx context.Context) ([]JoinToken, error) { return a.store.JoinTokens(ctx) }

// RevokeToken makes an unused token worthless.
func (a *Admissions) RevokeToken(ctx context.Context, id string) error {
	return a.store.RevokeJoinToken(ctx, id)
}

// Admit admits a transcoder without a token, also one that was revoked.
func (a *Admissions) Admit(ctx context.Context, transcoder common.Address) error {
	return a.store.Enrol(ctx, transcoder)
}

// Revoke cuts a transcoder off within seconds, at every replica, and lets it in no more.
func (a *Admissions) Revoke(ctx context.Context, transcoder common.Address, reason string) error {
	return a.store.Revoke(ctx, transcoder, reason)
}

// List lists those with an entry, the newest first: in an open market others may take part too.
func (a *Admissions) List(ctx context.Context) ([]Admission, error) { return a.store.Admissions(ctx) }
