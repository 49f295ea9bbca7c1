package dispatch

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator/internal/fleet"
)

const (
	maxOffers = 4             // transcoders that are asked in one auction, best first
	maxAsked  = 3 * maxOffers // and in all that are held for a lease
)

// offer is a bid that may be given a lease, and what it is then paid.
type offer struct {
	bid    protocol.Bid
	prices protocol.Prices
	sale   *selling // nil: nothing was auctioned
}

// selling is an auction whose lease is being offered.
type selling struct {
	*fleet.Sale
	awards []protocol.Signed[protocol.Award] // signed so far, in order
}

// seal signs the award of an offer, with what it was decided by. What is signed is told after the epoch, taken or not.
func (o offer) seal(d *Dispatcher, a protocol.Award) (protocol.Signed[protocol.Award], error) {
	if o.sale != nil {
		o.sale.Commit(&a)
	}
	signed, err := protocol.Seal(d.cfg.Domain, d.cfg.Signer, a)
	if err == nil && o.sale != nil {
		o.sale.awards = append(o.sale.awards, signed)
	}
	return signed, err
}

// ask is what is sought: at no more than the payer pays, less what the orchestrator keeps.
func (d *Dispatcher) ask(w work, id protocol.ID, avoid map[common.Address]bool) auction.Ask {
	ask := auction.Ask{Lease: id, Ladder: w.request.Ladder, SourceFPS: w.request.SourceFPS, MaxPrices: slices.Clone(w.maxPrices)}
	for i, p := range ask.MaxPrices {
		ask.MaxPrices[i].WeiPerPixel = p.WeiPerPixel.Mul(100 - uint64(min(d.cfg.KeepPercent, 100))).Div(100)
	}
	for t := range avoid {
		ask.Avoid = append(ask.Avoid, t)
	}
	slices.SortFunc(ask.Avoid, common.Address.Cmp)
	return ask
}

// sell offers the lease to those that an auction decided on, in order, until one takes it; nil when nobody does. said is why
// those that were asked declined.
func (d *Dispatcher) sell(ctx context.Context, w work, sale *fleet.Sale, said map[common.Address]error) (*Lease, error) {
	s := &selling{Sale: sale}
	taken := false
	defer func() { d.fleet.Conclude(sale, s.awards, taken) }()
	id := sale.Ask.Lease
	for _, o := range sale.Offers {
		t := o.Bid.Transcoder
		if len(said) > 0 {
			id = protocol.NewID() // a declined lease is never offered again, to anyone
		}
		l, err := d.award(ctx, w, id, offer{o.Bid, o.Paid, s}, holds)
		if err == nil {
			taken = true
			d.denials.forget(t)
			if outOfTurn(sale.Choices, t) {
				l.try()
			}
			d.sold(sale, id, auction.Pass(sale.Choices, declined(said)), t, o.Paid)
			d.second(l)
			d.succeed(w)
			return l, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		said[t] = err
		d.denials.note(o.Bid, err, time.Now())
	}
	return nil, nil
}

// declined are those that were asked in vain.
func declined(said map[common.Address]error) (passed []auction.Passed) {
	for _, t := range slices.SortedFunc(maps.Keys(said), common.Address.Cmp) {
		passed = append(passed, auction.Passed{Transcoder: t, Reason: auction.Declined})
	}
	return passed
}
