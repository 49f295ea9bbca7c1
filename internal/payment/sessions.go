package payment

import (
	"context"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/protocol"
)

// Spender signs as payer, whose money is spent: with its own key, or with a session key of it that may at this moment.
func Spender(ctx context.Context, escrow Escrow, payer common.Address, key protocol.Signer) (protocol.Signer, error) {
	if payer == (common.Address{}) || payer == key.Address() {
		return key, nil
	}
	s, err := escrow.Session(ctx, payer, key.Address())
	if err != nil {
		return nil, err
	}
	now, err := escrow.BlockTime(ctx)
	if err != nil {
		return nil, err
	}
	if s.ValidUntil <= now || s.DailyCap.IsZero() {
		return nil, protocol.Errorf(protocol.SessionEnded, "payer %s has not authorised the key %s, or no longer: run `kinora wallet authorise %s` with the payer's key", payer, key.Address(), key.Address())
	}
	return protocol.OnBehalf(payer, key), nil
}

// sessionKey names a key that signs for a payer.
type sessionKey struct{ payer, signer common.Address }

// cachedSession is what was seen of a session.
type cachedSession struct {
	chain.Session
	seen  time.Time // a revocation after that takes a thaw period
	fresh time.Time // until then nobody asks again
}

// session is what signer may do for payer, as confirmed on chain and as old as an allocation may be: a revocation leaves
// valid for a thaw period what it finds. What does not suffice is asked for anew: it may have been set a moment ago, and a
// refusal can be final.
func (r *Recipient) session(ctx context.Context, k sessionKey, suffices func(chain.Session) bool) (chain.Session, error) {
	now := time.Now() // an age, so the process's own clock
	r.mu.Lock()
	c, known := r.sessions[k]
	r.mu.Unlock()
	known = known && now.Sub(c.seen) < r.escrow.ThawPeriod()/4
	if known && now.Before(c.fresh) && suffices(c.Session) {
		return c.Session, nil
	}
	asking := ctx
	if known {
		var cancel context.CancelFunc
		asking, cancel = context.WithTimeout(ctx, allocationPatience)
		defer cancel()
	}
	s, err := r.escrow.ConfirmedSession(asking, k.payer, k.signer, r.config.Confirmations)
	switch {
	case err == nil:
		c = cachedSession{Session: s, seen: now, fresh: now.Add(allocationAge)}
	case known && ctx.Err() == nil:
		r.config.Log.Debug("the chain does not answer; the session key is taken as last seen", "payer", k.payer, "signer", k.signer, "seen", c.seen, "err", err)
		c.fresh = time.Now().Add(allocationAge)
	default:
		return chain.Session{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.sessions) >= allocationsCached {
		clear(r.sessions)
	}
	r.sessions[k] = c
	return c.Session, nil
}

// authorised checks that what signer signs for payer counts when it expires by expiry. The contract judges by the expiry and
// not by the clock, so a ticket that passes is paid, whatever becomes of the session. Refusals carry BadSignature or
// SessionEnded.
func (r *Recipient) authorised(ctx context.Context, payer, signer common.Address, expiry uint64) error {
	if signer == payer {
		return nil
	}
	_, err := r.sessionUntil(ctx, payer, signer, expiry, func(chain.Session) bool { return true })
	return err
}

func (r *Recipient) sessionUntil(ctx context.Context, payer, signer common.Address, expiry uint64, suffices func(chain.Session) bool) (chain.Session, error) {
	s, err := r.session(ctx, sessionKey{payer, signer}, func(s chain.Session) bool { return s.ValidUntil >= expiry && suffices(s) })
	switch {
	case err != nil:
		return s, err
	case s.ValidUntil == 0:
		return s, protocol.Errorf(protocol.BadSignature, "%s signed for %s, which has never authorised it: `kinora wallet authorise`", signer, payer)
	case s.ValidUntil < expiry:
		return s, protocol.Errorf(protocol.SessionEnded, "%s signs for %s until %d, and this expires at %d: prolong its session, or use another key", signer, payer, s.ValidUntil, expiry)
	}
	return s, nil
}

// Signs checks that signer may order work in payer's name: its tickets still count when they come to be written, and it is not
// revoked, which leaves it no cap. Refusals carry BadSignature or SessionEnded.
func (r *Recipient) Signs(ctx context.Context, payer, signer common.Address) error {
	_, err := r.signs(ctx, payer, signer)
	return err
}

// signs is Signs, and how much work may be outstanding on the key's word.
func (r *Recipient) signs(ctx context.Context, payer, signer common.Address) (most protocol.Wei, err error) {
	if signer == payer {
		return protocol.MaxUint96, nil
	}
	s, err := r.sessionUntil(ctx, payer, signer, r.expiry(r.now().Add(r.config.HoldFor)), func(s chain.Session) bool { return !s.DailyCap.IsZero() })
	if err == nil && s.DailyCap.IsZero() {
		err = protocol.Errorf(protocol.SessionEnded, "%s may spend nothing for %s: it is revoked, or was authorised with a daily cap of 0", signer, payer)
	}
	return s.DailyCap, err
}
