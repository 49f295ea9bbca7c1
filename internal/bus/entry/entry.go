// Package entry decides who may come in to the bus, and what they may say and hear there. It knows nothing of NATS: the embedded
// server and the callout of an external one both ask it.
package entry

import (
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

// maxRole is longer than any role's name.
const maxRole = 32

// patience bounds how long Guests may take: servers give up on a login soon after.
const patience = 3 * time.Second

// Guests knows who may take part.
type Guests interface {
	// Admit lets in a participant that proved who it is, or says why not (Unauthorized). joinToken is the one it brought, if any;
	// it is used up if it was needed.
	Admit(ctx context.Context, who common.Address, role protocol.Role, joinToken string) (Standing, error)
}

// Standing is how far a guest is let in: a transcoder that was let go, for some time and to be paid only.
type Standing struct {
	OwedUntil time.Time // zero: it takes part
}

// Listed are guests who are known beforehand.
type Listed map[common.Address]protocol.Role

// Admit is Guests'.
func (l Listed) Admit(_ context.Context, who common.Address, role protocol.Role, _ string) (Standing, error) {
	if l[who] != role {
		return Standing{}, protocol.Errorf(protocol.Unauthorized, "%s is no %s of this market", who, role)
	}
	return Standing{}, nil
}

// Gate checks logins.
type Gate struct {
	Domain  protocol.Domain
	Markets []common.Address // whose NATS this is: logins that were meant for another one are refused
	Guests  Guests
	Log     *slog.Logger

	refusals Sparing
}

// Claim is what a connection brought, as it came.
type Claim struct {
	Participant, Role, Market string // a protocol.Login, with the nonce that the server drew for this connection
	Nonce                     string
	Signature                 string // of it, base64 without padding, for URLs
	JoinToken                 string
	From                      string // shown in the log
}

// Pass is who a connection is, and what it may do.
type Pass struct {
	Participant common.Address
	Permissions Permissions
	Until       time.Time // zero: for as long as the server likes
}

// Enter checks who a connection says it is and whether that one may come in. Refusals are logged.
func (g *Gate) Enter(ctx context.Context, c Claim) (Pass, error) {
	login, err := g.check(c)
	var as Standing
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		as, err = g.Guests.Admit(ctx, login.Participant, login.Role, c.JoinToken)
	}
	if err != nil {
		g.refusals.Log(g.Log, slog.LevelWarn, "a login to NATS was refused", "participant", login.Participant, "role", login.Role, "from", c.From, "err", err)
		return Pass{}, err
	}
	g.Log.Debug("logged in to NATS", "participant", login.Participant, "role", login.Role, "from", c.From)
	if !as.OwedUntil.IsZero() {
		return Pass{login.Participant, permissionsOfOwed(login.Participant), as.OwedUntil}, nil
	}
	return Pass{Participant: login.Participant, Permissions: PermissionsOf(login.Role, login.Participant)}, nil
}

// check returns the login if its participant signed it for this connection; with an error, what it said as far as it is known.
func (g *Gate) check(c Claim) (protocol.Login, error) {
	if c.Participant == "" {
		return protocol.Login{}, protocol.Errorf(protocol.Unauthorized, "it does not say who it is")
	}
	if len(c.Role) > maxRole {
		return protocol.Login{}, protocol.Errorf(protocol.BadRequest, "role %.20q: there is none such", c.Role)
	}
	// Servers find the connections of somebody who is let go by this very text: it has one spelling.
	if common.HexToAddress(c.Participant).Hex() != c.Participant || c.Market != "" && !common.IsHexAddress(c.Market) {
		return protocol.Login{}, protocol.Errorf(protocol.BadRequest, "participant %.50q, market %.50q: want addresses", c.Participant, c.Market)
	}
	login := protocol.Login{Participant: common.HexToAddress(c.Participant), Role: protocol.Role(c.Role), Market: common.HexToAddress(c.Market), Nonce: c.Nonce}
	raw, err := base64.RawURLEncoding.DecodeString(c.Signature)
	if err == nil && len(raw) != len(protocol.Signature{}) {
		err = fmt.Errorf("%d bytes, want %d", len(raw), len(protocol.Signature{}))
	}
	if err != nil {
		return login, protocol.Errorf(protocol.BadSignature, "signature: %w", err)
	}
	if _, err := (protocol.Signed[protocol.Login]{Message: login, Signature: protocol.Signature(raw)}).Open(g.Domain); err != nil {
		return login, err
	}
	if login.Market != (common.Address{}) && !slices.Contains(g.Markets, login.Market) {
		return login, protocol.Errorf(protocol.Unauthorized, "it means to enter the market of %s, this is another one", login.Market)
	}
	return login, nil
}
