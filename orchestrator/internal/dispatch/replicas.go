package dispatch

import (
	"context"
	"time"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator/internal/store"
)

// succeed releases what other replicas hold of a stream that has come here: its payer has left them, since they died or were
// too slow. Their transcoders have the room back at once, not when those leases lapse; what is in work under them is finished.
func (d *Dispatcher) succeed(w work) {
	d.background(func() {
		key := w.key
		ctx, cancel := context.WithTimeout(d.life, successionTime)
		defer cancel()
		others, err := d.store.LeasesElsewhere(ctx, d.cfg.URL, key.payer, key.stream, key.incarnation)
		if err != nil {
			if ctx.Err() == nil {
				d.cfg.Log.Warn("cannot read what other replicas hold of a stream", "stream", key.stream, "err", err)
			}
			return
		}
		for _, l := range others {
			held := l.Offer.Ladder
			if held.Hash() == w.request.Ladder.Hash() || indices(w.request.Ladder, held) != nil { // all of it, or a part that it was shared in
				d.releaseOf(ctx, key, l)
			}
		}
	})
}

// successionTime bounds it.
const successionTime = 10 * time.Second

// releaseOf releases a lease of another replica, which has the same identity.
func (d *Dispatcher) releaseOf(ctx context.Context, key streamKey, l store.Lease) {
	a := l.Offer.Award.Message
	if a.Payer != d.cfg.Payer {
		return
	}
	asking, cancel := context.WithTimeout(ctx, d.cfg.AwardTimeout)
	defer cancel()
	err := d.askLease(asking, &Lease{id: a.Lease, transcoder: a.Transcoder}, 0)
	switch code := protocol.CodeOf(err); {
	case err == nil, code == protocol.LeaseUnknown: // it has given it up by itself
	default:
		d.cfg.Log.Debug("a lease of another replica was not released; it lapses", "stream", key.stream, "transcoder", a.Transcoder, "lease", a.Lease.Short(), "err", err)
		return
	}
	if err := d.store.EndLease(ctx, a.Lease, "another replica took over"); err != nil {
		d.cfg.Log.Warn("the end of a lease was not stored", "lease", a.Lease.Short(), "err", err)
		return
	}
	d.cfg.Log.Info("took a stream over from another replica", "stream", key.stream, "transcoder", a.Transcoder, "lease", a.Lease.Short(), "replica", a.URL)
}
