// Package bidder sells a transcoder's free capacity: it keeps a signed bid standing, answers awards, and owns the leases
// that come of them until they end.
package bidder

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"golang.org/x/time/rate"

	"github.com/kinora/kinora/internal/capacity"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/transcoder/internal/encode"
	"github.com/kinora/kinora/transcoder/internal/store"
)

// Times of a standing bid and of a lease.
const (
	Heartbeat = 500 * time.Millisecond
	TTL       = 2 * time.Second

	maxBidAge  = TTL + 8*time.Second // an award may name a bid this old, by our own clock
	forgetting = 30 * 24 * time.Hour // of attempts and leases on disk

	recordEvery = 10 * time.Second // bids that bring the record of this machine, for orchestrators that came since
)

// Bus carries bids and answers.
type Bus interface {
	PublishBid(bid protocol.Signed[protocol.Bid]) error
	PublishDuty(d protocol.Signed[protocol.Duty]) error
	ServeAwards(ctx context.Context, self common.Address, handle func(context.Context, protocol.AwardOffer) protocol.AwardAnswer) error
	ServeLeases(ctx context.Context, self common.Address, handle func(context.Context, protocol.Signed[protocol.LeaseRequest]) protocol.Acknowledgement) error
	ServeParams(ctx context.Context, self common.Address, handle func(context.Context, protocol.Signed[protocol.ParamsRequest]) protocol.AwardAnswer) error
	ServeBidRequests(ctx context.Context, handle func(protocol.BidRequest) (protocol.Signed[protocol.Bid], bool)) error
	ServeTickets(ctx context.Context, self common.Address, handle func(context.Context, []byte) ([]byte, error)) error
}

// Recipient issues ticket parameters, says who has credit, and takes tickets.
type Recipient interface {
	ParamsAt(ctx context.Context, payer common.Address, stream string, maxFee, usualFee protocol.Wei) (protocol.Signed[protocol.TicketParams], error)
	// AdmitBy holds budget of payer's credit on the word of signer, who is the payer or a session key of it.
	AdmitBy(ctx context.Context, payer, signer common.Address, attempt protocol.ID, budget protocol.Wei) (release func(), err error)
	// AcceptTickets takes an encoded payment.Delivery and returns the encoded answer.
	AcceptTickets(ctx context.Context, delivery []byte) ([]byte, error)
}

// Journal remembers accepted leases and announced maintenance on disk.
type Journal interface {
	PutLease(ctx context.Context, l store.Lease, now time.Time) error
	Lease(ctx context.Context, id protocol.ID) (store.Lease, error)
	Prune(ctx context.Context, before time.Time) error
	PutWindow(ctx context.Context, w store.Window) error
	DropWindow(ctx context.Context, id protocol.ID) error
	Windows(ctx context.Context, now time.Time) ([]store.Window, error)
}

// Config is what a Bidder sells, and through whom.
type Config struct {
	Domain    protocol.Domain
	Signer    protocol.Signer
	Region    string
	Prices    func() protocol.Prices // of an idle machine, as they stand now
	Curve     []Rise                 // by load; none: the same at any
	Floor     func() protocol.Prices // what the power for a pixel costs, as far as that is known; may be nil
	OnRequest []protocol.Codec       // sold to whoever asks for bids on a piece of work, and not in the standing bid
	Meter     *capacity.Meter        // of what this machine can take
	Idle      time.Duration          // a lease without an attempt for so long lapses
	Lead      time.Duration          // before announced maintenance, leases still held are moved (20 s)
	Bus       Bus
	Recipient Recipient
	Journal   Journal
	Bench     *encode.Bench
	Events    func(protocol.Event)
	Log       *slog.Logger
}

// Bidder is a transcoder's seller.
type Bidder struct {
	cfg     Config
	changed chan struct{} // holds one token when free capacity changed
	ready   chan struct{} // closed once awards are served and a bid stands

	requests *rate.Limiter // for bids

	mu       sync.Mutex
	leases   map[protocol.ID]*lease
	askers   askers
	sequence uint64
	said     protocol.Bid // the terms of the standing bid
	duty     duty
	record   *protocol.Capabilities
	hash     protocol.Hash  // of record
	recorded time.Time      // when a bid last brought it
	ended    sync.WaitGroup // leases until they are done
}

// New makes a Bidder; Run starts it.
func New(cfg Config) *Bidder {
	cfg.Lead = cmp.Or(cfg.Lead, lead)
	return &Bidder{cfg: cfg, changed: make(chan struct{}, 1), ready: make(chan struct{}), requests: rate.NewLimiter(requestsPerSecond, requestBurst),
		leases: make(map[protocol.ID]*lease), askers: make(askers), duty: newDuty()}
}

// Run serves and bids until ctx ends. Leases go on; see Drain.
func (b *Bidder) Run(ctx context.Context) error {
	bus, self := b.cfg.Bus, b.cfg.Signer.Address()
	if err := errors.Join(bus.ServeAwards(ctx, self, b.award), bus.ServeLeases(ctx, self, b.change),
		bus.ServeParams(ctx, self, b.params), bus.ServeBidRequests(ctx, b.wanted), bus.ServeTickets(ctx, self, b.cfg.Recipient.AcceptTickets)); err != nil {
		return err
	}
	if err := b.recall(ctx); err != nil {
		return err
	}
	beat, prune := time.NewTicker(Heartbeat), time.NewTicker(time.Hour)
	defer beat.Stop()
	defer prune.Stop()
	quiet, standing := false, sync.OnceFunc(func() { close(b.ready) })
	for {
		b.lapse(time.Now())
		b.advance(time.Now())
		err := b.publish(time.Now())
		if err == nil {
			standing()
		}
		if failed := err != nil; failed != quiet { // once per outage, not twice a second
			quiet = failed
			if failed {
				b.cfg.Log.Warn("cannot publish the bid", "err", err)
			} else {
				b.cfg.Log.Info("bidding again")
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
		case <-b.changed:
		case <-prune.C:
			if err := b.cfg.Journal.Prune(ctx, time.Now().Add(-forgetting)); err != nil && ctx.Err() == nil {
				b.cfg.Log.Warn("cannot prune the store", "err", err)
			}
		}
	}
}

// Ready closes once awards are served and a bid stands.
func (b *Bidder) Ready() <-chan struct{} { return b.ready }

// Describe says what this machine is, from the next bid on.
func (b *Bidder) Describe(c protocol.Capabilities) {
	b.mu.Lock()
	b.record, b.hash, b.recorded = &c, protocol.Hash(c.StructHash()), time.Time{}
	b.mu.Unlock()
	b.rebid()
}

// Leases is how many are held.
func (b *Bidder) Leases() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.leases)
}

// publish signs and sends the bid as it stands now. Sequences are the time in milliseconds, or the next number when that
// has been used, so they grow over restarts as well.
func (b *Bidder) publish(now time.Time) error {
	b.mu.Lock()
	b.said = steady(b.said, b.termsLocked(false, now), b.cfg.Meter.State(now).Capacity)
	bid := b.completeLocked(b.said, now)
	if now.Sub(b.recorded) >= recordEvery {
		bid.Record, b.recorded = b.record, now
	}
	duty, leaves := b.sayLocked(now)
	b.mu.Unlock()
	if leaves {
		signed, err := protocol.Seal(b.cfg.Domain, b.cfg.Signer, duty)
		if err != nil {
			return err
		}
		if err := b.cfg.Bus.PublishDuty(signed); err != nil {
			return err
		}
	}
	signed, err := protocol.Seal(b.cfg.Domain, b.cfg.Signer, bid)
	if err != nil {
		return err
	}
	return b.cfg.Bus.PublishBid(signed)
}

// completeLocked makes a bid of terms, with the next sequence.
func (b *Bidder) completeLocked(bid protocol.Bid, now time.Time) protocol.Bid {
	b.sequence = max(b.sequence+1, uint64(now.UnixMilli()))
	bid.Transcoder, bid.Region, bid.TTLMillis, bid.Sequence, bid.Capabilities = b.cfg.Signer.Address(), b.cfg.Region, uint32(TTL.Milliseconds()), b.sequence, b.hash
	return bid
}

// rebid has the bid published at once.
func (b *Bidder) rebid() {
	select {
	case b.changed <- struct{}{}:
	default:
	}
}
