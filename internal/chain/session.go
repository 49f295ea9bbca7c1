package chain

import (
	"context"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

// Session is what a payer lets a key sign for it. The zero value is a key it never authorised.
type Session struct {
	ValidUntil uint64       // last Unix second, chain time, by which what the key signs expires
	DailyCap   protocol.Wei // what it may allocate in a UTC day; 0 once it is revoked
	Left       protocol.Wei // of that, today
}

// Authorise lets signer sign for the account what expires by validUntil, and allocate at most dailyCap wei a UTC day of the
// account's balance. Validity is never shortened but by Revoke.
func (e *Escrow) Authorise(ctx context.Context, a *Account, signer common.Address, validUntil uint64, dailyCap protocol.Wei) (Receipt, error) {
	return a.send(ctx, "authorise session key", e.address, protocol.Wei{}, e.abi.PackSetSession(signer, new(big.Int).SetUint64(validUntil), dailyCap.Big()))
}

// Revoke ends a session of the account: the key allocates nothing more, and what it signed counts when it expires within a
// thaw period.
func (e *Escrow) Revoke(ctx context.Context, a *Account, signer common.Address) (Receipt, error) {
	return a.send(ctx, "revoke session key", e.address, protocol.Wei{}, e.abi.PackRevokeSession(signer))
}

// Session is what signer may do for payer now.
func (e *Escrow) Session(ctx context.Context, payer, signer common.Address) (Session, error) {
	out, err := call(ctx, e, "read session", e.abi.PackSession(payer, signer), e.abi.UnpackSession)
	if err != nil {
		return Session{}, err
	}
	s := Session{ValidUntil: out.ValidUntil.Uint64()}
	if s.DailyCap, err = protocol.WeiFromBig(out.DailyCap); err != nil {
		return Session{}, err
	}
	s.Left, err = protocol.WeiFromBig(out.Left)
	return s, err
}

// ConfirmedSession is what signer may do for payer, no more than it was so many blocks ago: a reorg of fewer blocks does not
// take it away.
func (e *Escrow) ConfirmedSession(ctx context.Context, payer, signer common.Address, blocks uint64) (Session, error) {
	now, err := e.Session(ctx, payer, signer)
	if err != nil || blocks == 0 || now.ValidUntil == 0 {
		return now, err
	}
	data, err := e.callBack(ctx, "read session", e.abi.PackSession(payer, signer), blocks)
	if err != nil || len(data) == 0 {
		return Session{}, err
	}
	out, err := e.abi.UnpackSession(data)
	if err != nil {
		return Session{}, err
	}
	dailyCap, err := protocol.WeiFromBig(out.DailyCap)
	now.ValidUntil, now.DailyCap = min(now.ValidUntil, out.ValidUntil.Uint64()), now.DailyCap.Min(dailyCap)
	return now, err
}

// AllocateFrom is Allocate of payer's balance by a session key of it, inside the key's daily cap.
func (e *Escrow) AllocateFrom(ctx context.Context, a *Account, payer, recipient common.Address, amount protocol.Wei) (Receipt, error) {
	return a.send(ctx, "allocate", e.address, protocol.Wei{}, e.abi.PackAllocateFrom(payer, recipient, amount.Big()))
}

// ThawOf is Thaw of payer's allocation by a session key of it.
func (e *Escrow) ThawOf(ctx context.Context, a *Account, payer, recipient common.Address, amount protocol.Wei) (Receipt, error) {
	return a.send(ctx, "thaw", e.address, protocol.Wei{}, e.abi.PackThawAllocationOf(payer, recipient, amount.Big()))
}

// ReleaseOf is Release to payer's balance by a session key of it.
func (e *Escrow) ReleaseOf(ctx context.Context, a *Account, payer, recipient common.Address) (Receipt, error) {
	return a.send(ctx, "release", e.address, protocol.Wei{}, e.abi.PackReleaseAllocationOf(payer, recipient))
}
