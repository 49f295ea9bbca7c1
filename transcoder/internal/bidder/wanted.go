package bidder

import (
	"slices"
	"time"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
)

// Requests for bids that are looked at: whoever is on the bus may send them, and each costs a signature.
const (
	requestsPerSecond = 20
	requestBurst      = 20
)

// wanted answers a request for a bid on work that the standing bid does not price, if this machine sells it, has room for it,
// and asks no more than is paid.
func (b *Bidder) wanted(r protocol.BidRequest) (protocol.Signed[protocol.Bid], bool) {
	var none protocol.Signed[protocol.Bid]
	now := time.Now()
	if !slices.ContainsFunc(r.Ladder, func(p protocol.Profile) bool { return slices.Contains(b.cfg.OnRequest, p.Codec) }) || !b.requests.AllowN(now, 1) {
		return none, false
	}
	if _, err := r.Request.Open(b.cfg.Domain); err != nil {
		b.cfg.Log.Debug("request for bids refused", "err", err)
		return none, false
	}
	work := r.Ladder.PixelRates(r.SourceFPS)
	b.mu.Lock()
	terms := b.termsLocked(true, now)
	ours := func(p protocol.CodecPrice) bool { _, ok := work.Of(p.Codec); return !ok }
	terms.Prices = slices.DeleteFunc(terms.Prices, ours)
	terms.Floor = slices.DeleteFunc(terms.Floor, ours)
	terms.Curves = slices.DeleteFunc(terms.Curves, func(c protocol.PriceCurve) bool { _, ok := work.Of(c.Codec); return !ok })
	asked := auction.Asked(terms, work)
	sells := len(terms.Prices) == len(work) && terms.Fits(work)
	for _, p := range asked {
		most, ok := r.Request.Message.MaxPrices.Of(p.Codec)
		sells = sells && ok && !most.Less(p.WeiPerPixel)
	}
	if !sells {
		b.mu.Unlock()
		return none, false
	}
	terms.Request = protocol.Hash(r.Request.Message.StructHash())
	bid := b.completeLocked(terms, now)
	b.mu.Unlock()
	signed, err := protocol.Seal(b.cfg.Domain, b.cfg.Signer, bid)
	if err != nil {
		b.cfg.Log.Warn("cannot bid for a request", "err", err)
	}
	return signed, err == nil
}
