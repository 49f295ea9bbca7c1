package payment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/protocol"
)

// RedeemReady takes the winners to the chain that may be redeemed now, and waits until what it sent is mined, not until that
// is final. It closes no set: tickets on their way are still taken by whoever runs. It may run beside Run, also of another
// process; what waits for cheaper gas, or for money of its payer, stays.
func (r *Recipient) RedeemReady(ctx context.Context) error {
	left := uint64(0)
	for first := true; ; first = false {
		p, err := r.runOnce(ctx, false)
		if err == nil && p.ran {
			var done bool
			if done, left, err = r.nothingSent(ctx, p, left); err == nil && done && !first {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("redeem: %w", errors.Join(ctx.Err(), err))
		case <-time.After(min(r.config.Pace.Every, 100*time.Millisecond)):
		}
	}
}

// nothingSent reports that a look at the queue sent nothing and settled nothing since there were before ready.
func (r *Recipient) nothingSent(ctx context.Context, p pass, before uint64) (bool, uint64, error) {
	lanes, err := r.store.Lanes(ctx)
	if err != nil {
		return false, before, err
	}
	for _, l := range lanes {
		if l.Submitted > 0 {
			return false, before, nil
		}
	}
	_, _, ready, err := r.readyLanes(ctx)
	return p.inFlight == 0 && ready == before, ready, err
}

// Rehearse works out the next redemption as RedeemReady would send it, with an account whose signer is a chain.Rehearsal. It
// writes nothing down. Nil: nothing would be sent.
func (r *Recipient) Rehearse(ctx context.Context) (*chain.Rehearsed, error) {
	looking := NewRecipient(r.config, onlyLooking{r.store}, r.escrow)
	_, _, err := looking.redeem(ctx, 0)
	var rehearsed *chain.Rehearsed
	if errors.As(err, &rehearsed) {
		return rehearsed, nil
	}
	return nil, err
}

// onlyLooking is a store in which nothing changes: what redeem would write down before it sends is left out.
type onlyLooking struct{ Store }

// Settle leaves winners where they are.
func (onlyLooking) Settle(context.Context, []Settled, time.Time) error { return nil }

// Mine leaves it to the next look at the queue that counts.
func (onlyLooking) Mine(context.Context, common.Hash, BlockRef, protocol.Wei, []WinnerKey, []Settled, time.Time) error {
	return nil
}

// Credit too.
func (onlyLooking) Credit(context.Context, common.Hash, BlockRef, protocol.Wei, WinnerKey, time.Time) error {
	return nil
}
