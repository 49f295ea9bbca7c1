package dispatch

import (
	"context"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator/internal/fleet"
)

const (
	maxLiveBids  = 64          // that are looked at, of those that answer a request
	requestAgain = time.Second // after a request for some ladder that led to no offer
	requestsKept = 256         // ladders of which that is known
)

// auction decides who is to be offered a lease: somebody proven if there is one, where that is asked for, and nobody that has
// said no. Where nobody has a standing price for the ladder, all transcoders are asked for one first, for some milliseconds:
// never else.
func (d *Dispatcher) auction(ctx context.Context, w work, ask auction.Ask, proven bool, said map[common.Address]error) (*fleet.Sale, error) {
	listing := d.listing(w, ask)
	listing.Proven, listing.Passed = proven, declined(said)
	sale, err := d.fleet.Auction(listing)
	if err != nil || len(sale.Offers) > 0 || len(said) > 0 || proven || d.cfg.BidWait <= 0 || priced(sale.Choices, ask.Ladder) || !d.mayRequest(w.key.ladder) {
		return sale, err
	}
	request, live, err := d.requestBids(ctx, ask)
	if err != nil || len(live) == 0 {
		if err != nil {
			d.cfg.Log.Info("no bids could be asked for", "stream", w.key.stream, "err", err)
		}
		d.requestFailed(w.key.ladder)
		return sale, nil
	}
	listing.Request = &request
	if sale, err = d.fleet.Auction(listing, live...); err == nil && len(sale.Offers) == 0 {
		d.requestFailed(w.key.ladder)
	}
	return sale, err
}

// listing is work for sale. Who has just declined for want of room is not compared until it has bid anew and rested.
func (d *Dispatcher) listing(w work, ask auction.Ask) fleet.Listing {
	now := time.Now()
	return fleet.Listing{Ask: ask, Payer: w.key.payer, Stream: w.key.stream, Incarnation: w.key.incarnation, Most: maxOffers,
		Rests: func(b protocol.Bid) bool { return d.denials.stand(b, now) }}
}

// priced reports whether anybody has a price for all of ladder, or nobody is there to have one.
func priced(choices []auction.Choice, ladder protocol.Ladder) bool {
	return len(choices) == 0 || slices.ContainsFunc(choices, func(c auction.Choice) bool {
		return !slices.ContainsFunc(ladder, func(p protocol.Profile) bool { _, ok := c.Bid.Prices.Of(p.Codec); return !ok })
	})
}

// requestBids asks everybody for a bid on this work alone.
func (d *Dispatcher) requestBids(ctx context.Context, ask auction.Ask) (request protocol.Signed[protocol.WorkRequest], live []protocol.Signed[protocol.Bid], err error) {
	request, err = protocol.Seal(d.cfg.Domain, d.cfg.Signer, protocol.WorkRequest{Orchestrator: d.self, Ask: ask.Lease, LadderHash: protocol.Hash(ask.Ladder.Hash()),
		MaxPrices: ask.MaxPrices, AtMillis: uint64(time.Now().UnixMilli()), WaitMillis: uint32(max(1, d.cfg.BidWait.Milliseconds()))})
	if err != nil {
		return request, nil, err
	}
	hash := protocol.Hash(request.Message.StructHash())
	waiting, cancel := context.WithTimeout(ctx, d.cfg.BidWait)
	defer cancel()
	err = d.bus.RequestBids(waiting, protocol.BidRequest{Request: request, Ladder: ask.Ladder, SourceFPS: ask.SourceFPS}, func(bid protocol.Signed[protocol.Bid]) bool {
		if !d.fleet.Seated(bid.Message.Transcoder) { // strangers must not crowd out those that can have it
			return true
		}
		b, err := bid.Open(d.cfg.Domain)
		if err != nil || b.Request != hash || slices.ContainsFunc(live, func(l protocol.Signed[protocol.Bid]) bool { return l.Message.Transcoder == b.Transcoder }) {
			return true
		}
		bid.Message.Record = nil
		live = append(live, bid)
		return len(live) < maxLiveBids
	})
	return request, live, err
}

// mayRequest keeps a stream that nobody can serve from asking for bids with every segment.
func (d *Dispatcher) mayRequest(ladder protocol.Hash) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Since(d.unanswered[ladder]) >= requestAgain
}

func (d *Dispatcher) requestFailed(ladder protocol.Hash) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.unanswered == nil || len(d.unanswered) >= requestsKept {
		d.unanswered = make(map[protocol.Hash]time.Time)
	}
	d.unanswered[ladder] = time.Now()
}
