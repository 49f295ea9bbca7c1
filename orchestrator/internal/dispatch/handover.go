package dispatch

import (
	"context"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

// Duty takes a transcoder's word on whether it works on, and moves what it holds at once if it does not.
func (d *Dispatcher) Duty(signed protocol.Signed[protocol.Duty]) {
	if d.fleet.Duty(signed) { // else it forged, repeats or recalls something: the tick sees to what is left
		d.moveAll(time.Now())
	}
}

// moveAll hands over the leases of those that leave, each once at a time, until nothing of theirs is left.
func (d *Dispatcher) moveAll(now time.Time) {
	for _, l := range d.leases.all() {
		reason, leaving, forced := d.fleet.Leaving(l.transcoder)
		if !leaving || !l.open(now) {
			continue
		}
		if l.probe {
			d.end(l, reason, true)
			continue
		}
		if l.move(now) && !d.background(func() { defer func() { l.moved(time.Now()) }(); d.handOver(l, reason, forced) }) {
			l.moved(now)
		}
	}
}

// handOver is the end of a lease between two segments: the stream's next segments go to another holder, which has accepted
// before the old one is told, and what the old one works on it finishes. Where nobody else can take it the old one goes on, as
// long as it may; a later tick tries again.
func (d *Dispatcher) handOver(l *Lease, reason string, forced bool) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(d.life, handOverTime)
	defer cancel()
	next, err := d.lease(ctx, l.sought(), d.leavers(l.transcoder))
	if err != nil {
		if forced {
			d.end(l, reason, true)
		}
		d.cfg.Log.Debug("nobody else takes a lease of one who leaves", "stream", l.key.stream, "transcoder", l.transcoder, "lease", l.id.Short(), "err", err)
		return
	}
	d.leases.prefer(next)
	if !l.settle(ctx, next, boundary) { // its segment goes on; the next tick finds the successor and looks again
		return
	}
	if d.end(l, reason, true) {
		id, t := next.id, l.transcoder
		d.cfg.Events(protocol.Event{Kind: protocol.LeaseHandedOver, Stream: l.key.stream, Incarnation: l.key.incarnation, Lease: &id, Counterparty: &t,
			Millis: time.Since(began).Milliseconds(), Detail: reason})
		d.cfg.Log.Info("lease handed over", "stream", l.key.stream, "from", l.transcoder, "to", next.transcoder, "lease", l.id.Short(), "next", id.Short(),
			"reason", reason, "ms", time.Since(began).Milliseconds())
	}
}

const (
	handOverTime = 30 * time.Second // for one try, which waits for the segment in work
	boundary     = 300 * time.Millisecond
)

// leavers are who a successor is not sought among.
func (d *Dispatcher) leavers(t common.Address) map[common.Address]bool {
	avoid := map[common.Address]bool{t: true}
	for _, l := range d.leases.all() {
		if _, leaving, _ := d.fleet.Leaving(l.transcoder); leaving {
			avoid[l.transcoder] = true
		}
	}
	return avoid
}

// move marks that the lease is being handed over; false when it is already, or was in vain a moment ago.
func (l *Lease) move(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.moving || l.ended || now.Before(l.nextMove) {
		return false
	}
	l.moving = true
	return true
}

// moves reports whether the lease is being handed over.
func (l *Lease) leaves() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.moving
}

// moved ends a hand-over; after one that was in vain the next waits, as long again with every time.
func (l *Lease) moved(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.moving = false
	l.nextMove = now.Add(min(lastRest, firstRest<<min(l.moves, 8)))
	l.moves++
}

// settle waits until nothing has been in work under the lease for so long: an attempt that chose it a moment before its
// successor came has begun by then. One that only stood by should have taken a segment, if one comes: until then its
// holder keeps no room for it. False when ctx ends first, or the successor's lease.
func (l *Lease) settle(ctx context.Context, next *Lease, long time.Duration) bool {
	tick := time.NewTicker(long / 6)
	defer tick.Stop()
	since := time.Now()
	promoted := since.Add(time.Duration(l.offer.SegmentMillis)*time.Millisecond + time.Second)
	for {
		select {
		case now := <-tick.C:
			l.mu.Lock()
			busy, used := l.inFlight > 0, l.lastUse
			l.mu.Unlock()
			if !next.open(now) {
				return false
			}
			if busy || next.stands() && now.Before(promoted) {
				since = now
			} else if used.After(since) {
				since = used
			}
			if now.Sub(since) >= long {
				return true
			}
		case <-ctx.Done():
			return false
		}
	}
}

// sought is what the lease was sought for. Of one that was taken over, the longest segment it was to pay for follows from the
// most it pays.
func (l *Lease) sought() work {
	if w := l.serves(); w.request.Ladder != nil {
		return w
	}
	a := l.offer.Award.Message
	low, high := l.offer.SegmentMillis, uint32(protocol.MaxSegmentMillis)
	for low < high {
		mid := low + (high-low)/2
		if fee, err := l.ladder().MaxFee(a.Prices, l.offer.SourceFPS, mid); err != nil || !fee.Less(a.MaxFee) {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return work{key: l.key, maxPrices: l.maxPrices, request: protocol.QuoteRequest{Payer: l.key.payer, Stream: l.key.stream, Ladder: l.ladder(),
		SourceFPS: l.offer.SourceFPS, SegmentMillis: l.offer.SegmentMillis, MaxMillis: low}}
}

// excused reports an attempt that ended because its transcoder left as it had told: nothing is held against it.
func (d *Dispatcher) excused(t *try) bool {
	if _, leaving, _ := d.fleet.Leaving(t.lease.transcoder); !leaving {
		return false
	}
	switch protocol.CodeOf(t.err) {
	case protocol.Draining, protocol.LeaseUnknown:
		return true
	}
	return false
}
