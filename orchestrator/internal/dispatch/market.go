package dispatch

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator/internal/store"
)

// work is what a lease is sought for.
type work struct {
	key       streamKey
	request   protocol.QuoteRequest // ladder, frame rate, usual and longest duration
	maxPrices protocol.Prices       // what the payer pays: nobody is paid more
	share     bool                  // a part of the ladder alone
}

// lease returns an open lease of the stream that is not with anybody in avoid, or auctions one. When nobody has it, it fails with
// the reason: NoCapacity, PriceAboveMax or NoTranscoder, around a *route.Refused.
func (d *Dispatcher) lease(ctx context.Context, w work, avoid map[common.Address]bool) (*Lease, error) {
	if l, ok := d.held(w, avoid); ok {
		return l, nil
	}
	done, err := d.leases.auction(ctx, w.key)
	if err != nil {
		return nil, err
	}
	defer done()
	if l, ok := d.held(w, avoid); ok { // another segment of the stream has just won it
		return l, nil
	}
	ask := d.ask(w, protocol.NewID(), avoid)
	said := make(map[common.Address]error)
	var choices []auction.Choice
	for proven := true; len(said) < maxAsked; {
		sale, err := d.auction(ctx, w, ask, proven, said)
		if err != nil {
			return nil, err
		}
		choices = sale.Choices
		if l, err := d.sell(ctx, w, sale, said); l != nil || err != nil {
			return l, err
		}
		if len(sale.Offers) < maxOffers { // there is nobody else
			if !proven {
				break
			}
			proven = false
		}
	}
	d.succeed(w) // the room that is missing may be what a dead replica held for this very stream
	err = d.refuse(choices, ask, said)
	d.cfg.Metrics.refusals.WithLabelValues("lease", string(protocol.CodeOf(err))).Inc()
	return nil, err
}

// held finds a lease at hand whose holder is still trusted: another replica may have judged it meanwhile.
func (d *Dispatcher) held(w work, avoid map[common.Address]bool) (*Lease, bool) {
	for {
		l, ok := d.leases.find(w.key, avoid, w.maxPrices)
		if !ok || d.fleet.Record(l.transcoder).Leasable() {
			return l, ok
		}
		d.end(l, "suspect", true)
	}
}

// term is what an award asks of a transcoder.
type term int

const (
	holds    term = iota // to do the stream's segments
	standsBy             // to be ready for them
	probes               // to do duplicates of them
)

// award offers one lease to one bidder. On acceptance its parameters are in use and the lease is stored
// before the first segment goes there.
func (d *Dispatcher) award(ctx context.Context, w work, id protocol.ID, o offer, as term) (*Lease, error) {
	probe := as == probes
	t := o.bid.Transcoder
	maxFee, err := w.request.Ladder.MaxFee(o.prices, w.request.SourceFPS, w.request.MaxMillis)
	if err != nil {
		return nil, protocol.Errorf(protocol.UnsupportedCodec, "%w", err)
	}
	signed, err := o.seal(d, protocol.Award{Lease: id, Orchestrator: d.self, Payer: d.cfg.Payer, Transcoder: t,
		Stream: w.key.stream, Incarnation: w.key.incarnation, LadderHash: w.key.ladder, Prices: o.prices, MaxFee: maxFee,
		LeaseMillis: uint32(d.cfg.LeaseTime.Milliseconds()), BidSequence: o.bid.Sequence, URL: d.cfg.URL})
	if err != nil {
		return nil, err
	}
	stored := store.Lease{Payer: w.key.payer, MaxPrices: w.maxPrices, Probe: probe, Expires: d.cfg.LeaseTime, Offer: protocol.AwardOffer{
		Award: signed, Ladder: w.request.Ladder, SourceFPS: w.request.SourceFPS, SegmentMillis: w.request.SegmentMillis, Standby: as == standsBy}}
	l := newLease(w.key, stored)
	l.serve(w)
	l.ask() // nothing else is asked about it until it stands
	defer l.asked()
	d.leases.add(l, false) // its holder may park a slot before its answer is here

	taken := func() {
		if as != standsBy { // which is no work yet
			d.fleet.Awarded(t, id, l.offer.Ladder.PixelRates(l.offer.SourceFPS))
		}
	}
	taken()
	began := time.Now()
	asking, cancel := context.WithTimeout(ctx, d.cfg.AwardTimeout)
	defer cancel()
	answer, err := d.bus.OfferAward(asking, t, stored.Offer)
	switch {
	case err != nil:
	case answer.Decline != nil:
		err = answer.Decline.Err()
	default:
		err = d.accept(ctx, l, answer)
	}
	if err == nil {
		err = d.store.SaveLease(ctx, stored)
	}
	d.cfg.Metrics.awards.WithLabelValues(outcome(err)).Inc()
	if err != nil {
		l.end()
		d.leases.remove(l)
		d.fleet.Freed(t, id)
		if ctx.Err() == nil {
			if as != standsBy || protocol.CodeOf(err) == protocol.Unreachable { // it may do what is there to do all the same
				d.fleet.Declined(t)
			}
			d.cfg.Events(protocol.Event{Kind: protocol.LeaseDeclined, Stream: w.key.stream, Incarnation: w.key.incarnation, Lease: &id,
				Counterparty: &t, Code: protocol.CodeOf(err), Detail: err.Error(), Millis: time.Since(began).Milliseconds()})
			d.cfg.Log.Info("lease declined", "stream", w.key.stream, "transcoder", t, "lease", id.Short(), "err", err)
		}
		return nil, err
	}
	d.leases.add(l, true)
	taken()
	price, _ := o.prices.Of(protocol.H264)
	detail := ""
	switch as {
	case probes:
		detail = "probe: its work is checked and paid, not released"
	case standsBy:
		detail = "standby: no work before the first hedge or hand-over"
	}
	d.cfg.Events(protocol.Event{Kind: protocol.LeaseAwarded, Stream: w.key.stream, Incarnation: w.key.incarnation, Lease: &id, Counterparty: &t,
		Wei: &price, Count: l.rate(), Millis: time.Since(began).Milliseconds(), Detail: detail})
	d.cfg.Log.Info("lease awarded", "stream", w.key.stream, "transcoder", t, "lease", id.Short(), "wei_per_pixel", price, "probe", probe, "standby", as == standsBy,
		"ms", time.Since(began).Milliseconds())
	return l, nil
}

// accept takes the parameters of an acceptance.
func (d *Dispatcher) accept(ctx context.Context, l *Lease, answer protocol.AwardAnswer) error {
	p, err := answer.Params.Open(d.cfg.Domain)
	if err != nil {
		return err
	}
	a := l.offer.Award.Message
	if p.Payer != a.Payer || p.Recipient != l.transcoder {
		return protocol.Errorf(protocol.BadRequest, "ticket parameters are for payer %s and recipient %s", p.Payer, p.Recipient)
	}
	if p.FaceValue.Less(a.MaxFee) {
		return protocol.Errorf(protocol.FeeAboveFaceValue, "a segment may cost %s wei, a ticket is worth %s", a.MaxFee, p.FaceValue)
	}
	return d.payer.Use(ctx, a.Stream, *answer.Params)
}

func outcome(err error) string {
	if err == nil {
		return "ok"
	}
	return string(protocol.CodeOf(err))
}

// tend renews leases in use at half time, fetches ticket parameters before they run out, and releases those that idle.
func (d *Dispatcher) tend(now time.Time) {
	d.moveAll(now)
	for _, l := range d.leases.all() {
		if !l.open(now) {
			d.end(l, "lapsed", false)
			continue
		}
		if l.idle(now, d.cfg.IdleLease) && !(l.stands() && d.busy(l.key, now)) {
			d.end(l, "idle", true) // its holder's capacity is free at once, and nobody waits for a slot that it parks no more
			continue
		}
		if l.due(now) && l.ask() && !d.background(func() { defer l.asked(); d.renew(l) }) {
			l.asked()
		}
		d.freshen(l)
		d.second(l)
	}
}

// busy reports whether a lease of the stream is in use.
func (d *Dispatcher) busy(key streamKey, now time.Time) bool {
	return slices.ContainsFunc(d.leases.of(key), func(l *Lease) bool { return !l.stands() && !l.idle(now, d.cfg.IdleLease) })
}

// freshen asks for new ticket parameters when those at hand run out soon.
func (d *Dispatcher) freshen(l *Lease) {
	if left, ok := d.payer.Usable(l.transcoder, l.key.stream); ok && left > paramsReserve {
		return
	}
	if l.ask() && !d.background(func() { defer l.asked(); d.fetchParams(l) }) {
		l.asked()
	}
}

// paramsReserve is how long before their end parameters are replaced.
const paramsReserve = 3 * time.Second

func (d *Dispatcher) renew(l *Lease) {
	ctx, cancel := context.WithTimeout(d.life, d.cfg.AwardTimeout)
	defer cancel()
	long := d.fleet.Until(l.transcoder, d.cfg.LeaseTime) // not beyond what its holder has told
	until := time.Now().Add(long)
	if until.Before(l.ends()) {
		return
	}
	err := d.askLease(ctx, l, uint32(long.Milliseconds()))
	var refusal *protocol.Error
	switch {
	case err == nil:
		l.extend(until)
		if err := d.store.ExtendLease(ctx, l.id, long); err != nil {
			d.cfg.Log.Warn("a lease was renewed but not stored", "lease", l.id.Short(), "err", err)
		}
	case errors.As(err, &refusal) && refusal.Code != protocol.Unreachable && refusal.Code != protocol.Cancelled:
		d.cfg.Log.Info("lease not renewed", "stream", l.key.stream, "transcoder", l.transcoder, "lease", l.id.Short(), "err", err)
		d.end(l, "not renewed: "+string(refusal.Code), false)
	default: // asked again on the next tick, until it lapses
		d.cfg.Log.Debug("lease not renewed yet", "lease", l.id.Short(), "err", err)
	}
}

func (d *Dispatcher) askLease(ctx context.Context, l *Lease, millis uint32) error {
	serial, err := d.store.NextSerial(ctx, l.id)
	if err != nil {
		return err
	}
	r, err := protocol.Seal(d.cfg.Domain, d.cfg.Signer, protocol.LeaseRequest{Lease: l.id, Orchestrator: d.self, ExtendMillis: millis, Serial: serial})
	if err != nil {
		return err
	}
	ack, err := d.bus.AskLease(ctx, l.transcoder, r)
	if err == nil && ack.Problem != nil {
		err = ack.Problem.Err()
	}
	return err
}

func (d *Dispatcher) fetchParams(l *Lease) {
	ctx, cancel := context.WithTimeout(d.life, d.cfg.AwardTimeout)
	defer cancel()
	err := func() error {
		serial, err := d.store.NextSerial(ctx, l.id)
		if err != nil {
			return err
		}
		r, err := protocol.Seal(d.cfg.Domain, d.cfg.Signer, protocol.ParamsRequest{Lease: l.id, Orchestrator: d.self, Serial: serial})
		if err != nil {
			return err
		}
		answer, err := d.bus.AskParams(ctx, l.transcoder, r)
		if err != nil {
			return err
		}
		if answer.Decline != nil {
			return answer.Decline.Err()
		}
		return d.accept(ctx, l, answer)
	}()
	switch protocol.CodeOf(err) {
	case protocol.LeaseUnknown, protocol.Draining, protocol.NotAllocated:
		d.end(l, "no ticket parameters: "+string(protocol.CodeOf(err)), false)
	}
	if err != nil && ctx.Err() == nil {
		d.cfg.Log.Info("no fresh ticket parameters", "stream", l.key.stream, "transcoder", l.transcoder, "lease", l.id.Short(), "err", err)
	}
}

// end closes a lease; tell says whether its holder is to hear of it. False when it was closed already.
func (d *Dispatcher) end(l *Lease, reason string, tell bool) bool {
	if !l.end() {
		return false
	}
	d.leases.remove(l)
	d.fleet.Freed(l.transcoder, l.id)
	d.cfg.Log.Info("lease ended", "stream", l.key.stream, "transcoder", l.transcoder, "lease", l.id.Short(), "reason", reason)
	d.background(func() {
		if tell {
			d.release(l, reason)
			return
		}
		ctx, cancel := context.WithTimeout(d.life, 5*time.Second)
		defer cancel()
		if err := d.store.EndLease(ctx, l.id, reason); err != nil {
			d.cfg.Log.Warn("the end of a lease was not stored", "lease", l.id.Short(), "err", err)
		}
	})
	return true
}

// release tells the holder of an ended lease; if it does not hear, the lease lapses there by itself.
func (d *Dispatcher) release(l *Lease, reason string) {
	ctx, cancel := context.WithTimeout(d.life, d.cfg.AwardTimeout)
	defer cancel()
	if err := d.askLease(ctx, l, 0); err != nil {
		d.cfg.Log.Debug("a release was not heard", "lease", l.id.Short(), "transcoder", l.transcoder, "err", err)
	}
	stored, cancelStore := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancelStore()
	if err := d.store.EndLease(stored, l.id, reason); err != nil {
		d.cfg.Log.Warn("the end of a lease was not stored", "lease", l.id.Short(), "err", err)
	}
}

// dismiss ends every lease of a transcoder, probes too when all is set.
func (d *Dispatcher) dismiss(t common.Address, reason string, all bool) {
	for _, l := range d.leases.all() {
		if l.transcoder == t && (all || !l.probe) {
			d.end(l, reason, true)
		}
	}
}

// probeLease returns a lease under which a suspect gets duplicates of the stream's segments.
func (d *Dispatcher) probeLease(ctx context.Context, w work, bid protocol.Bid) (*Lease, error) {
	now := time.Now()
	for _, l := range d.leases.all() {
		if l.probe && l.transcoder == bid.Transcoder && l.key == w.key && l.open(now) {
			return l, nil
		}
	}
	return d.award(ctx, w, protocol.NewID(), offer{bid: bid, prices: auction.Asked(bid, w.request.Ladder.PixelRates(w.request.SourceFPS))}, probes)
}

// EndStream releases the leases of a payer's stream and flushes its tickets to the transcoders. Segments in flight finish.
func (d *Dispatcher) EndStream(payer common.Address, stream string) {
	d.background(func() {
		ctx, cancel := context.WithTimeout(d.life, 30*time.Second)
		defer cancel()
		quiet, done := context.WithTimeout(ctx, 5*time.Second)
		d.quiesce(quiet, payer, stream)
		done()
		shared := false
		for _, l := range d.leases.all() {
			if l.key.stream != stream {
				continue
			}
			if l.key.payer == payer {
				d.end(l, "stream ended", true)
			} else {
				shared = true // another payer's stream of the same name uses the same ticket sets
			}
		}
		if shared {
			return
		}
		if err := d.payer.EndStream(ctx, stream); err != nil && ctx.Err() == nil {
			d.cfg.Log.Warn("the tickets of a stream that ended were not all delivered; the outbox goes on", "stream", stream, "err", err)
		}
	})
}

// quiesce waits until no segment of the stream is in flight.
func (d *Dispatcher) quiesce(ctx context.Context, payer common.Address, stream string) {
	for {
		var running *segment
		d.mu.Lock()
		for id, s := range d.segments {
			if id.payer == payer && id.key.Stream == stream && !s.settled() {
				running = s
			}
		}
		d.mu.Unlock()
		if running == nil {
			return
		}
		select {
		case <-running.rest:
		case <-ctx.Done():
			return
		}
	}
}
