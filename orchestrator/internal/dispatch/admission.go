package dispatch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/route"
)

// settling is how long an orchestrator listens before it believes that nobody bids: by then every standing bid has come again.
const settling = 2500 * time.Millisecond

// refuse is the typed reason why none of choices has the work: said is why those that were asked declined.
func (d *Dispatcher) refuse(choices []auction.Choice, ask auction.Ask, said map[common.Address]error) error {
	work := ask.Ladder.PixelRates(ask.SourceFPS)
	need := route.Need{MinTrust: 1, MaxPrice: auction.Perfect, PixelRate: sumOf(work)}
	rooms := make([]route.Room, len(choices))
	for i, c := range choices {
		rooms[i] = d.roomOf(c, work, said[c.Bid.Transcoder])
		rooms[i].Candidate = "candidate " + strconv.Itoa(i+1) // the bids are sealed: nobody is named
	}
	_, refused := route.Admit(rooms, need)
	if refused == nil { // it was able to when it was looked at, and somebody else had it first
		refused = &route.Refused{}
	}
	if len(refused.Failings) == 0 {
		return protocol.Errorf(protocol.NoTranscoder, "no transcoder has a live bid: %w", refused)
	}
	err := protocol.Errorf(refused.Code(), "none of %d bidders can take it: %w", len(choices), refused)
	if nearest := refused.Failings[0]; nearest.Check == route.FreePixelRate {
		err.Limit = fmt.Sprintf("%s=%d", nearest.Check, nearest.Have)
	}
	return err
}

// roomOf is what a bidder offers for work, and what keeps it from it.
func (d *Dispatcher) roomOf(c auction.Choice, work protocol.CodecRates, declined error) route.Room {
	r := route.Room{Trusted: auction.Perfect, FreePixelRate: sumOf(work)}
	switch {
	case protocol.CodeOf(declined) == protocol.NoCapacity:
		r.FreePixelRate = min(d.denials.free(c.Bid, time.Now()), sumOf(work)-1)
	case declined != nil:
		r.Barred, r.Passing = route.Check(protocol.CodeOf(declined)), true
	case c.Reason == auction.Distrusted:
		r.Trusted = 0
	case c.Reason == auction.PriceAboveMax:
		r.Price = auction.Perfect + 1
	case c.Reason == auction.NoCapacity:
		r.FreePixelRate = min(freeFor(c.Candidate, work), d.denials.free(c.Bid, time.Now()), sumOf(work)-1)
	case c.Reason != "":
		r.Barred, r.Passing = route.Check(c.Reason), c.Reason == auction.Busy || c.Reason == auction.NotAllocated
	}
	return r
}

// freeFor is how much of such work there is room for beside what c holds.
func freeFor(c auction.Candidate, work protocol.CodecRates) uint64 {
	used := func(rates protocol.CodecRates) (share float64) {
		for _, r := range rates {
			if r.PixelRate > 0 {
				share += float64(r.PixelRate) / float64(c.Bid.Free(r.Codec))
			}
		}
		return share
	}
	free := max(0, 1-used(c.Held)) / used(work)
	if math.IsNaN(free) {
		return 0
	}
	return uint64(free * float64(sumOf(work)))
}

func sumOf(rates protocol.CodecRates) (sum uint64) {
	for _, r := range rates {
		sum += r.PixelRate
	}
	return sum
}

// refusedWork is the refusal in err, nil where it is another failure.
func refusedWork(err error) (r *route.Refused) {
	errors.As(err, &r)
	return r
}

// passes reports that what err says may have passed in a moment: somebody rests or is being funded, or the bids are not all heard
// yet. Room that is taken and prices that are too high are no reason to wait.
func (d *Dispatcher) passes(err error) bool {
	r := refusedWork(err)
	return r != nil && (r.Passing() || len(r.Failings) == 0 && time.Since(d.started) < settling)
}

// admitQuote refuses a quote for a stream that nobody could take now: its payer looks elsewhere before it has sent a byte. One
// that is served already is not asked whether there is room for it beside itself.
func (d *Dispatcher) admitQuote(ctx context.Context, r protocol.QuoteRequest, prices protocol.Prices) error {
	ask := d.ask(work{request: r, maxPrices: prices}, protocol.NewID(), nil)
	choices := d.denials.pass(d.fleet.Best(ask, 1), time.Now())
	if len(auction.Ranked(choices)) == 0 {
		choices = d.denials.pass(d.fleet.Rank(ask), time.Now())
	}
	if len(auction.Ranked(choices)) > 0 {
		return nil
	}
	err := d.refuse(choices, ask, nil)
	switch {
	case d.passes(err):
		return nil
	case protocol.CodeOf(err) == protocol.NoCapacity && d.division(choices, ask) != nil: // several can share it
		return nil
	case d.cfg.BidWait > 0 && !priced(choices, r.Ladder): // whoever could make it is asked once there is something to make
		return nil
	}
	if held, failed := d.store.Ladders(ctx, r.Payer, r.Stream); failed != nil || covered(r.Ladder, held) {
		return failed
	}
	d.cfg.Metrics.refusals.WithLabelValues("quote", string(protocol.CodeOf(err))).Inc()
	return err
}

// Waits of a transcoder that has declined for want of room: as long again with every time.
const (
	firstRest = 250 * time.Millisecond
	lastRest  = 4 * time.Second
)

// denials are who declined for want of room, though its bid said otherwise: to ask it again with every segment would bring
// nothing and keep it busy. The zero denials is ready for use.
type denials struct {
	mu sync.Mutex
	of map[common.Address]denial
}

type denial struct {
	bid   uint64 // sequence of the newest bid by then
	free  uint64 // pixels a second that it said it has
	times int    // in a row
	until time.Time
}

// note remembers a decline; of any other reason than room it is not.
func (d *denials) note(bid protocol.Bid, err error, now time.Time) {
	var refusal *protocol.Error
	if !errors.As(err, &refusal) || refusal.Code != protocol.NoCapacity {
		return
	}
	var free uint64
	if said, ok := strings.CutPrefix(refusal.Limit, string(route.FreePixelRate)+"="); ok {
		free, _ = strconv.ParseUint(said, 10, 64)
	}
	d.rest(bid, free, now)
}

// rest leaves the bidder alone for a while, longer with every time in a row.
func (d *denials) rest(bid protocol.Bid, free uint64, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.of == nil {
		d.of = make(map[common.Address]denial)
	}
	times := d.of[bid.Transcoder].times + 1
	d.of[bid.Transcoder] = denial{bid: bid.Sequence, free: free, times: times, until: now.Add(min(lastRest, firstRest<<min(times-1, 8)))}
}

// forget that t ever declined: it has taken work.
func (d *denials) forget(t common.Address) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.of, t)
}

// free is what a bidder said it has when it declined, while that stands; else as much as there is.
func (d *denials) free(bid protocol.Bid, now time.Time) uint64 {
	if !d.stand(bid, now) {
		return math.MaxUint64
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.of[bid.Transcoder].free
}

// stand reports whether a decline still holds for bid.
func (d *denials) stand(bid protocol.Bid, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	x, ok := d.of[bid.Transcoder]
	return ok && (bid.Sequence <= x.bid || now.Before(x.until))
}

// pass takes those whose decline still holds out of the comparison.
func (d *denials) pass(choices []auction.Choice, now time.Time) []auction.Choice {
	if d.none() {
		return choices
	}
	var passed []auction.Passed
	for _, c := range choices {
		if (c.Reason == "" || c.Reason == auction.Busy) && d.stand(c.Bid, now) {
			passed = append(passed, auction.Passed{Transcoder: c.Bid.Transcoder, Reason: auction.NoCapacity})
		}
	}
	if len(passed) == 0 {
		return choices
	}
	choices = slices.Clone(choices)
	for i, c := range choices {
		if c.Reason == auction.Busy && slices.ContainsFunc(passed, func(p auction.Passed) bool { return p.Transcoder == c.Bid.Transcoder }) {
			choices[i].Reason = auction.NoCapacity
		}
	}
	return auction.Pass(choices, passed)
}

// none reports that nobody has declined of late.
func (d *denials) none() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.of) == 0
}

// prune forgets those that nobody asked for a while.
func (d *denials) prune(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.DeleteFunc(d.of, func(_ common.Address, x denial) bool { return now.Sub(x.until) > time.Minute })
}
