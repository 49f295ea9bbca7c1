package payment

import (
	"context"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
)

// Evidence is two different tickets of one nonce, both signed for their payer.
type Evidence struct {
	First, Second ticket.Signed
	SeenAt        time.Time
}

// flagAge is how long a payer is taken not to be flagged without asking again.
const flagAge = 30 * time.Second

// cachedFlag is what the chain said of a payer. A flag is for ever.
type cachedFlag struct {
	flagged bool
	fresh   time.Time // until then nobody asks again
}

// notFlagged refuses a payer that the chain shows to have signed one nonce twice: nobody knows what else it signed. While the
// chain does not answer, what it said last is good.
func (r *Recipient) notFlagged(ctx context.Context, payer common.Address) error {
	r.mu.Lock()
	c, known := r.flags[payer]
	r.mu.Unlock()
	if !known || !c.flagged && time.Now().After(c.fresh) {
		asking := ctx
		if known {
			var cancel context.CancelFunc
			asking, cancel = context.WithTimeout(ctx, allocationPatience)
			defer cancel()
		}
		flagged, err := r.escrow.IsFlagged(asking, payer)
		switch {
		case err == nil:
			c.flagged = flagged
		case !known || ctx.Err() != nil:
			return err
		default:
			r.config.Log.Debug("the chain does not answer; a payer is taken as last seen", "payer", payer, "err", err)
		}
		c.fresh = time.Now().Add(flagAge)
		r.mu.Lock()
		if len(r.flags) >= allocationsCached {
			clear(r.flags)
		}
		r.flags[payer] = c
		r.mu.Unlock()
	}
	if c.flagged {
		return protocol.Errorf(protocol.PayerFlagged, "payer %s signed two tickets of one nonce, as is proven on chain: no credit for it, for ever; pay with another account", payer)
	}
	return nil
}
