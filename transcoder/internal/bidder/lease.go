package bidder

import (
	"context"
	"log/slog"
	"net/url"
	"time"

	"github.com/kinora/kinora/internal/capacity"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/transcoder/internal/encode"
	"github.com/kinora/kinora/transcoder/internal/store"
)

// lease is capacity that was promised, or that may be asked for. Its fields are guarded by Bidder.mu.
type lease struct {
	award   protocol.Award
	standby bool // nothing is promised before its first attempt
	weight  capacity.Work
	length  time.Duration // from the first source byte, or until expires once that is set
	expires time.Time     // zero before the first source byte
	serial  uint64        // of the newest LeaseRequest
	work    *encode.Work  // nil while the award is still being considered
	over    bool          // no further segment is taken
	segment time.Duration // usual length of one
}

func (l *lease) finish() {
	if l.work != nil {
		l.over = true
		l.work.Finish()
	}
}

// award answers an offered lease.
func (b *Bidder) award(ctx context.Context, offer protocol.AwardOffer) protocol.AwardAnswer {
	params, err := b.consider(ctx, offer)
	if err != nil {
		a, level := offer.Award.Message, slog.LevelInfo
		switch protocol.CodeOf(err) {
		case protocol.BadRequest, protocol.BadSignature, protocol.Stale: // anyone can send these, as often as they like
			level = slog.LevelDebug
		}
		b.cfg.Log.Log(ctx, level, "award declined", "lease", a.Lease.Short(), "orchestrator", a.Orchestrator, "err", err)
		p := protocol.ProblemOf(err)
		return protocol.AwardAnswer{Decline: &p}
	}
	return protocol.AwardAnswer{Params: &params}
}

// consider accepts an award and starts to work on it, or says why not.
func (b *Bidder) consider(ctx context.Context, offer protocol.AwardOffer) (protocol.Signed[protocol.TicketParams], error) {
	var none protocol.Signed[protocol.TicketParams]
	award, err := offer.Award.Open(b.cfg.Domain)
	if err != nil {
		return none, err
	}
	usual, err := b.acceptable(award, offer, time.Now())
	if err != nil {
		return none, err
	}

	// Capacity is reserved before the slow questions are asked, so that two awards at once cannot both have it.
	l := &lease{award: award, standby: offer.Standby, weight: capacity.Work{Ladder: offer.Ladder, SourceFPS: offer.SourceFPS},
		length: time.Duration(award.LeaseMillis) * time.Millisecond, segment: time.Duration(offer.SegmentMillis) * time.Millisecond}
	remembered := store.Lease{ID: award.Lease, Orchestrator: award.Orchestrator, Payer: award.Payer, Stream: award.Stream, MaxFee: award.MaxFee, UsualFee: usual}
	known, err := b.reserve(l)
	if err != nil {
		return none, err
	}
	if known { // the same award again: our answer was lost
		return b.paramsOf(ctx, remembered)
	}
	params, err := b.terms(ctx, remembered)
	if err == nil {
		err = b.cfg.Journal.PutLease(ctx, remembered, time.Now())
	}
	if err != nil {
		b.unreserve(l)
		return none, err
	}
	if !b.start(l, offer.Ladder) {
		return none, protocol.Errorf(protocol.Draining, "this transcoder is shutting down")
	}
	b.cfg.Log.Info("lease accepted", "lease", award.Lease.Short(), "orchestrator", award.Orchestrator, "stream", award.Stream, "pixel_rate", offer.Ladder.PixelRate(offer.SourceFPS),
		"auctioned", !award.Epoch.IsZero(), "epoch", award.Epoch.Short())
	return params, nil
}

// acceptable checks what can be checked without asking anyone, and returns the fee of a usual segment.
func (b *Bidder) acceptable(a protocol.Award, offer protocol.AwardOffer, now time.Time) (protocol.Wei, error) {
	var none protocol.Wei
	if a.Transcoder != b.cfg.Signer.Address() {
		return none, protocol.Errorf(protocol.BadRequest, "the award is for %s", a.Transcoder)
	}
	b.mu.Lock()
	newest := b.sequence
	b.mu.Unlock()
	if a.BidSequence > newest || a.BidSequence+uint64(maxBidAge.Milliseconds()) < uint64(now.UnixMilli()) {
		return none, protocol.Errorf(protocol.Stale, "the award names bid %d; the newest is %d", a.BidSequence, newest)
	}
	prices := b.asks(offer.Ladder.PixelRates(offer.SourceFPS), now)
	for _, p := range offer.Ladder {
		price, sold := prices.Of(p.Codec)
		if !sold {
			return none, protocol.Errorf(protocol.UnsupportedCodec, "profile %q: %s is not sold here", p.Name, p.Codec)
		}
		if paid, ok := a.Prices.Of(p.Codec); !ok || paid.Less(price) {
			return none, protocol.Errorf(protocol.PriceBelowBid, "the award pays %s wei per pixel of %s, the bid asks %s", paid, p.Codec, price)
		}
	}
	usual, err := offer.Ladder.MaxFee(a.Prices, offer.SourceFPS, offer.SegmentMillis)
	if err != nil {
		return none, protocol.Errorf(protocol.BadRequest, "%w", err)
	}
	if a.MaxFee.Less(usual) {
		return none, protocol.Limited(protocol.BudgetTooSmall, "max_fee", a.MaxFee, "a usual segment of %d ms costs %s wei, the award pays at most %s", offer.SegmentMillis, usual, a.MaxFee)
	}
	if u, err := url.Parse(a.URL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return none, protocol.Errorf(protocol.BadRequest, "url %q: want http:// or https:// and a host", a.URL)
	}
	return usual, nil
}

// reserve charges l against the capacity, or says that the very same award is held already.
func (b *Bidder) reserve(l *lease) (known bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if held, ok := b.leases[l.award.Lease]; ok {
		if held.work == nil || held.award.StructHash() != l.award.StructHash() {
			return false, protocol.Errorf(protocol.Stale, "lease %s is held, or being considered", l.award.Lease.Short())
		}
		return true, nil
	}
	if !b.duty.state.Taking() {
		return false, protocol.Errorf(protocol.Draining, "this transcoder takes no new leases: %s", b.duty.reason)
	}
	if l.standby {
		err = b.standsByLocked(l)
	} else {
		err = b.cfg.Meter.Reserve(l.award.Lease, l.weight, time.Now())
	}
	if err != nil {
		return false, err
	}
	b.leases[l.award.Lease] = l
	b.ended.Add(1)
	return false, nil
}

// maxStandbys is how many leases may stand by: each keeps a slot parked and its ticket parameters, and nothing else.
const maxStandbys = 64

// standsByLocked says whether l may stand by: it would be taken now, and not too many do.
func (b *Bidder) standsByLocked(l *lease) error {
	n := 0
	for _, x := range b.leases {
		if x.standby {
			n++
		}
	}
	if n >= maxStandbys {
		return protocol.Limited(protocol.RateLimited, "standbys", maxStandbys, "%d leases stand by already", n) // there may be room for work
	}
	return b.cfg.Meter.Fits(l.weight, time.Now())
}

// promote makes a lease that stands by one like any other, when its first attempt comes; NoCapacity when there is no room for it
// any more.
func (b *Bidder) promote(l *lease) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !l.standby {
		return nil
	}
	if err := b.cfg.Meter.Reserve(l.award.Lease, l.weight, time.Now()); err != nil {
		return err
	}
	l.standby = false
	b.cfg.Log.Info("a lease that stood by is needed", "lease", l.award.Lease.Short(), "stream", l.award.Stream)
	b.rebid()
	return nil
}

func (b *Bidder) unreserve(l *lease) {
	b.mu.Lock()
	delete(b.leases, l.award.Lease)
	b.cfg.Meter.Release(l.award.Lease) // not later: the same award may come again as soon as its lease is gone
	b.mu.Unlock()
	b.ended.Done()
	if l.work != nil { // a declined award changed nothing that was published, and must not make us publish
		b.rebid()
	}
}

// terms asks the recipient of tickets: is there a confirmed allocation with room for this, and at which parameters.
func (b *Bidder) terms(ctx context.Context, l store.Lease) (protocol.Signed[protocol.TicketParams], error) {
	release, err := b.cfg.Recipient.AdmitBy(ctx, l.Payer, l.Orchestrator, l.ID, l.MaxFee)
	if err != nil {
		if protocol.CodeOf(err) == protocol.NoAllocation {
			err = protocol.Errorf(protocol.NotAllocated, "%s has no confirmed allocation to this transcoder: %w", l.Payer, err)
		}
		return protocol.Signed[protocol.TicketParams]{}, err
	}
	release()
	return b.paramsOf(ctx, l)
}

func (b *Bidder) paramsOf(ctx context.Context, l store.Lease) (protocol.Signed[protocol.TicketParams], error) {
	p, err := b.cfg.Recipient.ParamsAt(ctx, l.Payer, l.Stream, l.MaxFee, l.UsualFee)
	if err == nil && p.Message.UsableMillis < leastUsable {
		err = protocol.Errorf(protocol.InsufficientCredit, "the allocation of %s to this transcoder holds no ticket worth redeeming", l.Payer)
	}
	return p, err
}

// leastUsable is how many milliseconds parameters must last to be worth an acceptance: those that only introduce us last one.
const leastUsable = 100

// start begins the work and sees to its end; false when draining began meanwhile.
func (b *Bidder) start(l *lease, ladder protocol.Ladder) bool {
	b.mu.Lock()
	draining := !b.duty.state.Taking()
	if !draining {
		work := encode.Lease{Award: l.award, Ladder: ladder}
		if l.standby {
			work.Promote = func() error { return b.promote(l) }
			l.expires = time.Now().Add(l.length) // it has no first byte to count from
		}
		l.work = b.cfg.Bench.Start(context.Background(), work) // until Finish or Abort
	}
	b.mu.Unlock()
	if draining {
		b.unreserve(l)
		return false
	}
	go func() {
		<-l.work.Done()
		b.cfg.Log.Info("lease ended", "lease", l.award.Lease.Short(), "stream", l.award.Stream)
		b.unreserve(l)
	}()
	b.rebid()
	return true
}

// lapse finishes the leases whose time is up, and those nobody uses.
func (b *Bidder) lapse(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	ends, bounded := b.endsLocked()
	for _, l := range b.leases {
		if l.work == nil {
			continue
		}
		a := l.work.Activity()
		if l.expires.IsZero() && !a.First.IsZero() {
			l.expires = a.First.Add(l.length)
		}
		expires := l.expires
		if bounded && expires.After(ends) { // for as long as that stands: full duty may be resumed
			expires = ends
		}
		idle := a.InFlight == 0 && now.Sub(a.Last) >= b.cfg.Idle && !l.standby
		if idle || !expires.IsZero() && !now.Before(expires) {
			l.finish()
		}
	}
}

// change renews or releases a lease.
func (b *Bidder) change(_ context.Context, signed protocol.Signed[protocol.LeaseRequest]) protocol.Acknowledgement {
	err := b.changeLease(signed, time.Now())
	if err == nil {
		return protocol.Acknowledgement{}
	}
	p := protocol.ProblemOf(err)
	return protocol.Acknowledgement{Problem: &p}
}

func (b *Bidder) changeLease(signed protocol.Signed[protocol.LeaseRequest], now time.Time) error {
	r, err := signed.Open(b.cfg.Domain)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	l, ok := b.leases[r.Lease]
	switch {
	case !ok || l.work == nil || l.over || l.award.Orchestrator != r.Orchestrator:
		return protocol.Errorf(protocol.LeaseUnknown, "no lease %s of %s", r.Lease.Short(), r.Orchestrator)
	case r.Serial <= l.serial:
		return protocol.Errorf(protocol.Stale, "request %d about lease %s: %d is known", r.Serial, r.Lease.Short(), l.serial)
	}
	if ends, bounded := b.endsLocked(); bounded && r.ExtendMillis > 0 && now.Add(time.Duration(r.ExtendMillis)*time.Millisecond).After(ends) {
		return protocol.Limited(protocol.Draining, "left_ms", max(0, ends.Sub(now).Milliseconds()), "this transcoder leaves in %s", ends.Sub(now).Round(time.Millisecond))
	}
	l.serial = r.Serial
	if r.ExtendMillis == 0 {
		l.finish()
		return nil
	}
	l.length = time.Duration(r.ExtendMillis) * time.Millisecond
	if l.standby || !l.work.Activity().First.IsZero() {
		l.expires = now.Add(l.length)
	}
	return nil
}

// params answers a request for ticket parameters. A lease that has ended, or that an earlier run of this process held,
// still has segments to be paid.
func (b *Bidder) params(ctx context.Context, signed protocol.Signed[protocol.ParamsRequest]) protocol.AwardAnswer {
	params, err := b.leaseParams(ctx, signed)
	if err != nil {
		p := protocol.ProblemOf(err)
		return protocol.AwardAnswer{Decline: &p}
	}
	return protocol.AwardAnswer{Params: &params}
}

func (b *Bidder) leaseParams(ctx context.Context, signed protocol.Signed[protocol.ParamsRequest]) (protocol.Signed[protocol.TicketParams], error) {
	var none protocol.Signed[protocol.TicketParams]
	r, err := signed.Open(b.cfg.Domain)
	if err != nil {
		return none, err
	}
	l, err := b.cfg.Journal.Lease(ctx, r.Lease)
	if err != nil {
		return none, err
	}
	if l.Orchestrator != r.Orchestrator {
		return none, protocol.Errorf(protocol.LeaseUnknown, "no lease %s of %s", r.Lease.Short(), r.Orchestrator)
	}
	return b.paramsOf(ctx, l)
}
