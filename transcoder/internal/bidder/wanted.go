package bidder

import (
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"golang.org/x/time/rate"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
)

// Requests for bids that are looked at: whoever is on the bus may send them, and each costs the check of a signature; and those of
// one orchestrator that are answered, for one more.
const (
	requestsPerSecond = 200
	requestBurst      = 200
	answersPerSecond  = 20
	answerBurst       = 20
	maxAskers         = 256 // orchestrators whose requests are counted apart
)

// askers counts what each orchestrator asks.
type askers map[common.Address]*rate.Limiter

func (a askers) allow(orchestrator common.Address, now time.Time) bool {
	l := a[orchestrator]
	if l == nil {
		for old, x := range a {
			if len(a) < maxAskers {
				break
			}
			if x.TokensAt(now) >= answerBurst { // nothing is forgotten
				delete(a, old)
			}
		}
		if len(a) >= maxAskers {
			return false
		}
		l = rate.NewLimiter(answersPerSecond, answerBurst)
		a[orchestrator] = l
	}
	return l.AllowN(now, 1)
}

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
	if !b.askers.allow(r.Request.Message.Orchestrator, now) {
		b.mu.Unlock()
		return none, false
	}
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
