package dispatch

import (
	"context"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/route"
	"github.com/kinora/kinora/orchestrator/internal/fleet"
)

// standbyEvery is how often somebody is sought to stand by for a stream that nobody does.
const standbyEvery = 2 * time.Second

// second has the runner-up of l's stream stand by, unless somebody does: its award is accepted, its ticket parameters are in use and
// a slot of it is parked, so that a hedge or a hand-over begins without an auction. It is none of the holder's owner.
func (d *Dispatcher) second(l *Lease) {
	w := l.serves()
	if w.request.Ladder == nil || l.probe || l.stands() || !d.leases.lonely(l.key, time.Now()) {
		return
	}
	d.background(func() {
		tried := []route.Owned[common.Address]{d.fleet.Owned(l.transcoder)}
		for range maxOffers {
			ask := d.ask(w, protocol.NewID(), nil)
			ask.Avoid = d.kinOf(tried)
			listing := d.listing(w, ask)
			listing.Proven, listing.Most = true, 1
			full := listing.Rests
			listing.Rests = func(b protocol.Bid) bool { return full(b) || d.unready.stand(b, time.Now()) }
			sale, err := d.fleet.Auction(listing)
			if err != nil || len(sale.Offers) == 0 || d.life.Err() != nil {
				return
			}
			if d.stand(w, sale) {
				return
			}
			tried = append(tried, route.Owned[common.Address]{Node: sale.Offers[0].Bid.Transcoder}) // its owner may have another that will
		}
	})
}

// stand has the winner of an auction stand by; false when it does not, or has no slot parked in time.
func (d *Dispatcher) stand(w work, sale *fleet.Sale) bool {
	ctx, cancel := context.WithTimeout(d.life, d.cfg.AwardTimeout+d.cfg.SlotTimeout)
	defer cancel()
	o, s := sale.Offers[0], &selling{Sale: sale}
	l, err := d.award(ctx, w, sale.Ask.Lease, offer{o.Bid, o.Paid, s}, standsBy)
	d.fleet.Conclude(sale, s.awards, err == nil)
	if err != nil {
		d.unready.rest(o.Bid, 0, time.Now()) // which is no word on work that is there
		return false
	}
	d.unready.forget(l.transcoder)
	if err := l.parking.wait(ctx); err != nil {
		d.fleet.Declined(l.transcoder)
		d.end(l, "it stands by without a slot", true)
		return false
	}
	// Those of the holder's owner took no part: to them it is no loss.
	others := slices.DeleteFunc(slices.Clone(sale.Choices), func(c auction.Choice) bool { return c.Reason == auction.Avoided })
	d.sold(sale, sale.Ask.Lease, others, l.transcoder, o.Paid)
	return true
}

// kin are all transcoders of the owners of those at work on p: another of them would lose nothing by being late twice.
func (d *Dispatcher) kin(p *part) []common.Address {
	var tried []route.Owned[common.Address]
	s := p.seg
	s.mu.Lock()
	for _, t := range s.tries {
		if t.part == p && t.transcoder != (common.Address{}) && !t.ended && !t.probe {
			tried = append(tried, route.Owned[common.Address]{Node: t.transcoder})
		}
	}
	s.mu.Unlock()
	if len(tried) == 0 {
		return nil
	}
	for i := range tried {
		tried[i] = d.fleet.Owned(tried[i].Node)
	}
	return d.kinOf(tried)
}

// kinOf are those of tried, and all others of their owners.
func (d *Dispatcher) kinOf(tried []route.Owned[common.Address]) []common.Address {
	var kin []common.Address
	for _, t := range tried {
		kin = append(kin, t.Node)
	}
	for _, o := range d.fleet.Owners() {
		if !slices.Contains(kin, o.Node) && route.Second([]route.Owned[common.Address]{o}, tried) < 0 {
			kin = append(kin, o.Node)
		}
	}
	slices.SortFunc(kin, common.Address.Cmp)
	return kin
}
