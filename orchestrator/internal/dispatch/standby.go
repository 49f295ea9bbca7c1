package dispatch

import (
	"context"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/route"
)

// standbyEvery is how often somebody is sought to stand by for a stream that nobody does.
const standbyEvery = 2 * time.Second

// second has the runner-up of l's stream stand by, unless somebody does: its award is accepted, its ticket parameters are in use and
// a slot of it is parked, so that a hedge or a hand-over begins without an auction. It is none of the holder's owner.
func (d *Dispatcher) second(l *Lease) {
	if l.work.request.Ladder == nil || l.probe || l.stands() || !d.leases.lonely(l.key, time.Now()) {
		return
	}
	d.background(func() {
		tried := []route.Owned[common.Address]{d.fleet.Owned(l.transcoder)}
		for range maxOffers {
			ask := d.ask(l.work, protocol.NewID(), nil)
			for _, t := range tried {
				ask.Avoid = append(ask.Avoid, t.Node)
			}
			choices := d.known(d.contenders(ask), ask)
			ranked := auction.Ranked(choices)
			owned := make([]route.Owned[common.Address], len(ranked))
			for i, c := range ranked {
				owned[i] = d.fleet.Owned(c.Bid.Transcoder)
			}
			i := route.Second(owned, tried)
			if i < 0 || d.life.Err() != nil {
				return
			}
			o := offer{ranked[i].Bid, d.cfg.Rule.Prices(ranked, i, ask)}
			if d.stand(l.work, ask, choices, o) {
				return
			}
			tried = append(tried, route.Owned[common.Address]{Node: o.bid.Transcoder}) // its owner may have another that will
		}
	})
}

// stand has one bidder stand by; false when it does not, or has no slot parked in time.
func (d *Dispatcher) stand(w work, ask auction.Ask, choices []auction.Choice, o offer) bool {
	ctx, cancel := context.WithTimeout(d.life, d.cfg.AwardTimeout+d.cfg.SlotTimeout)
	defer cancel()
	l, err := d.award(ctx, w, ask.Lease, o, standsBy)
	if err != nil {
		d.denials.note(o.bid, err, time.Now())
		return false
	}
	if err := l.parking.wait(ctx); err != nil {
		d.fleet.Declined(l.transcoder)
		d.end(l, "it stands by without a slot", true)
		return false
	}
	d.sold(ask, ask.Lease, choices, l.transcoder, o.prices)
	return true
}

// kin are all transcoders of the owners of those at work on s: another of them would lose nothing by being late twice.
func (d *Dispatcher) kin(s *segment) []common.Address {
	var tried []route.Owned[common.Address]
	s.mu.Lock()
	for _, t := range s.tries {
		if t.transcoder != (common.Address{}) && !t.ended && !t.probe {
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
	var kin []common.Address
	for _, o := range d.fleet.Owners() {
		if route.Second([]route.Owned[common.Address]{o}, tried) < 0 {
			kin = append(kin, o.Node)
		}
	}
	return kin
}
