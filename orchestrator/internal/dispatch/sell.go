package dispatch

import (
	"context"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator/internal/fleet"
)

// maxOffers is how many transcoders are asked in one auction, best first.
const maxOffers = 4

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

// sell offers the lease to those that an auction decided on, in order, until one takes it. It fails with NoTranscoder when
// nobody does.
func (d *Dispatcher) sell(ctx context.Context, w work, sale *fleet.Sale) (*Lease, error) {
	s := &selling{Sale: sale}
	taken := false
	defer func() { d.fleet.Conclude(sale, s.awards, taken) }()
	var declined []auction.Passed
	id := sale.Ask.Lease
	for _, o := range sale.Offers {
		l, err := d.award(ctx, w, id, offer{o.Bid, o.Paid, s}, false)
		if err == nil {
			taken = true
			d.sold(sale, id, auction.Pass(sale.Choices, declined), l.transcoder, o.Paid)
			return l, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		declined = append(declined, auction.Passed{Transcoder: o.Bid.Transcoder, Reason: auction.Declined})
		id = protocol.NewID() // a declined lease is never offered again, to anyone
	}
	if len(sale.Choices) == 0 {
		return nil, protocol.Errorf(protocol.NoTranscoder, "no transcoder has a live bid")
	}
	return nil, protocol.Errorf(protocol.NoTranscoder, "none of %d bidders can take it (%s)", len(sale.Choices), describe(sale.Choices))
}

// describe counts the reasons of those that cannot have a lease, without naming anybody.
func describe(choices []auction.Choice) string {
	counts := make(map[auction.Reason]int)
	var order []auction.Reason
	for _, c := range choices {
		r := c.Reason
		if r == "" {
			r = "declined"
		}
		if counts[r] == 0 {
			order = append(order, r)
		}
		counts[r]++
	}
	s := ""
	for _, r := range order {
		if s != "" {
			s += ", "
		}
		s += string(r)
	}
	return s
}
