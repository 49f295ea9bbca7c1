// Package dispatch carries segments from their payer to a transcoder and answers for the result: it admits, leases, relays
// while bytes arrive, verifies, and commits verdict and money before it says that a rendition may be released.
package dispatch

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
	"github.com/kinora/kinora/orchestrator/internal/fleet"
	"github.com/kinora/kinora/orchestrator/internal/store"
)

// Bus is what dispatch says to transcoders.
type Bus interface {
	OfferAward(ctx context.Context, t common.Address, offer protocol.AwardOffer) (protocol.AwardAnswer, error)
	AskLease(ctx context.Context, t common.Address, r protocol.Signed[protocol.LeaseRequest]) (protocol.Acknowledgement, error)
	RequestBids(ctx context.Context, r protocol.BidRequest, take func(protocol.Signed[protocol.Bid]) bool) error
	AskParams(ctx context.Context, t common.Address, r protocol.Signed[protocol.ParamsRequest]) (protocol.AwardAnswer, error)
}

// Payer is the side of hop two that writes tickets.
type Payer interface {
	// Use takes a transcoder's ticket parameters for a stream.
	Use(ctx context.Context, stream string, params protocol.Signed[protocol.TicketParams]) error
	// Usable says for how long tickets can still be written to recipient for stream.
	Usable(recipient common.Address, stream string) (time.Duration, bool)
	// Wake says that tickets were committed, so that they are delivered at once.
	Wake()
	// EndStream delivers what is outstanding and tells the recipients that no more comes.
	EndStream(ctx context.Context, stream string) error
}

// Recipient is the side of hop one that takes tickets.
type Recipient interface {
	// ParamsAt returns the parameter set for the stream's tickets: its face value covers maxFee and suits usualFee.
	ParamsAt(ctx context.Context, payer common.Address, stream string, maxFee, usualFee protocol.Wei) (protocol.Signed[protocol.TicketParams], error)
	// Signs says whether signer may order work in payer's name; BadSignature or SessionEnded if not.
	Signs(ctx context.Context, payer, signer common.Address) error
	// AdmitBy holds budget of the payer's credit on signer's word until release; NoAllocation, InsufficientCredit,
	// BadSignature or SessionEnded when there is not so much.
	AdmitBy(ctx context.Context, payer, signer common.Address, attempt protocol.ID, budget protocol.Wei) (release func(), err error)
	// Forgive takes back what a delivery was owed.
	Forgive(ctx context.Context, attempt protocol.ID) error
}

// Config of a Dispatcher.
type Config struct {
	Domain protocol.Domain
	Signer protocol.Signer
	Budget *Budget         // for transcoders; nil: none
	Payer  common.Address  // whose escrow pays transcoders: the signer's, or an account whose session key it is
	URL    string          // where transcoders park their slots
	Prices protocol.Prices // asked of payers
	Rule   auction.Rule    // what transcoders are paid; empty: as bid
	Trials uint32          // millionths of the leases that go to newcomers out of turn; zero: one in twenty
	// KeepPercent of what a payer pays is never paid to a transcoder, whatever the rule.
	KeepPercent uint32
	BidEpoch    time.Duration                   // how long bids stay sealed; zero: 5m
	BidWait     time.Duration                   // for bids on work that nobody has a standing price for; zero: none are asked for
	KeepBids    time.Duration                   // how long what auctions followed from is shown after their epoch; zero: 6h
	Publish     func(protocol.Commitment) error // of what auctions are held to; nil: it is served over HTTP alone

	// Canaries are the millionths of the segments that a newcomer is given a duplicate of, to show what it can; zero: one in ten;
	// negative: none.
	Canaries int32

	Region          string        // where this orchestrator says it is
	QuoteValid      time.Duration // how long a quote stands
	LeaseTime       time.Duration // of an award and of each renewal
	IdleLease       time.Duration // a lease without work for so long is released
	AwardTimeout    time.Duration // for a transcoder to answer an offer
	SlotTimeout     time.Duration // for a lease holder to park a slot
	CancelGrace     time.Duration // for a transcoder to acknowledge a cancel
	MaxSegmentBytes int64
	MaxInFlight     int           // segments at once
	MaxAttempts     int           // tries at one segment, probes aside
	KeepAnswers     time.Duration // how long a finished answer stays for replays
	KeepBytes       int           // and how many bytes of them, with their sources
	KeepHistory     time.Duration // how long settled attempts stay as evidence (a week); longer than a quote stands

	Verify  verify.Config
	Events  func(protocol.Event)
	Metrics *Metrics
	Log     *slog.Logger
}

// Dispatcher runs the stories of all segments. Its methods may be called from several goroutines at once.
type Dispatcher struct {
	cfg       Config
	self      common.Address
	store     *store.Store
	fleet     *fleet.Fleet
	bus       Bus
	payer     Payer
	recipient Recipient
	leases    *leases
	denials   denials
	unready   denials // to stand by
	divisions divisions
	started   time.Time
	reviewing chan struct{} // a token per look at a rejected delivery

	life   context.Context // of everything that outlives its request; cancelled by Close
	cancel context.CancelFunc

	mu          sync.Mutex
	closing     bool
	running     sync.WaitGroup
	stories     int
	segments    map[segmentID]*segment // in flight, and finished ones kept for replays
	kept        []*segment             // finished, oldest first
	keptSize    int
	quotes      map[protocol.ID]quoteEntry
	auctions    []sale                      // of late, oldest first
	keptChoices int                         // of all of them
	unanswered  map[protocol.Hash]time.Time // ladders that bids were asked for in vain, and when
	canaries    share
	epoch       verify.Epoch
	since       time.Time // of epoch
}

// New makes a Dispatcher, holds the fleet's auctions to its terms, and takes over the leases of an earlier process at the same URL.
func New(ctx context.Context, cfg Config, st *store.Store, fl *fleet.Fleet, bus Bus, payer Payer, recipient Recipient) (*Dispatcher, error) {
	cfg.Payer = cmp.Or(cfg.Payer, cfg.Signer.Address())
	cfg.KeepHistory = cmp.Or(cfg.KeepHistory, 7*24*time.Hour)
	cfg.KeepBids = cmp.Or(cfg.KeepBids, 6*time.Hour)
	cfg.Rule, cfg.Trials = cmp.Or(cfg.Rule, auction.PayAsBid), cmp.Or(cfg.Trials, 50_000)
	d := &Dispatcher{cfg: cfg, self: cfg.Signer.Address(), store: st, fleet: fl, bus: bus, payer: payer, recipient: recipient,
		leases: newLeases(), started: time.Now(), reviewing: make(chan struct{}, reviews), segments: make(map[segmentID]*segment), quotes: make(map[protocol.ID]quoteEntry),
		canaries: share{millionths: cmp.Or(cfg.Canaries, 100_000)}}
	fl.Hold(fleet.Terms{Signer: cfg.Signer, Rule: cfg.Rule, Trials: cfg.Trials, Epoch: cfg.BidEpoch, URL: cfg.URL, Publish: cfg.Publish})
	d.life, d.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if err := d.turnEpoch(ctx); err != nil {
		return nil, err
	}
	open, err := st.OpenLeases(ctx, cfg.URL)
	if err != nil {
		return nil, err
	}
	for _, l := range open {
		a := l.Offer.Award.Message
		if a.Payer != cfg.Payer { // of when somebody else paid: it runs out by itself
			continue
		}
		d.leases.add(newLease(streamKey{l.Payer, a.Stream, a.Incarnation, a.LadderHash}, l), true)
	}
	if len(open) > 0 {
		cfg.Log.Info("took over open leases", "leases", len(open))
	}
	return d, nil
}

// epochTime is how long one sampling secret decides.
const epochTime = time.Hour

// Run keeps leases and parameters fresh and forgets what is old, until ctx ends.
func (d *Dispatcher) Run(ctx context.Context) error {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	clean := time.NewTicker(10 * time.Second)
	defer clean.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			d.tend(now)
			d.forget(now)
		case <-clean.C:
			if err := d.clean(ctx); err != nil && ctx.Err() == nil {
				d.cfg.Log.Warn("housekeeping failed; trying again", "err", err)
			}
		}
	}
}

func (d *Dispatcher) clean(ctx context.Context) error {
	d.denials.prune(time.Now())
	d.unready.prune(time.Now())
	if time.Since(d.since) > epochTime {
		if err := d.turnEpoch(ctx); err != nil {
			return err
		}
	}
	if err := d.store.PruneQuotes(ctx, time.Hour); err != nil {
		return err
	}
	if err := d.store.LapseEpochs(ctx, 3*epochTime); err != nil { // much longer: a secret in use is never shown
		return err
	}
	if err := d.store.LapseAuctionEpochs(ctx); err != nil {
		return err
	}
	if err := d.store.PruneAuctions(ctx, d.cfg.KeepBids); err != nil {
		return err
	}
	if d.cfg.Budget != nil {
		if err := d.cfg.Budget.hear(ctx); err != nil {
			return err
		}
	}
	if err := d.store.PruneSpending(ctx, day+time.Hour); err != nil {
		return err
	}
	if err := d.store.PruneHistory(ctx, d.cfg.KeepHistory); err != nil {
		return err
	}
	return d.store.LapseLeases(ctx)
}

// turnEpoch begins a new sampling epoch; the secret of the old one may then be shown.
func (d *Dispatcher) turnEpoch(ctx context.Context) error {
	e := verify.NewEpoch()
	if err := d.store.SaveEpoch(ctx, e); err != nil { // before its first use
		return err
	}
	d.mu.Lock()
	old, first := d.epoch, d.since.IsZero()
	d.epoch, d.since = e, time.Now()
	d.mu.Unlock()
	if first {
		return nil
	}
	return d.store.EndEpoch(ctx, old.Commitment())
}

// sampled decides at its start whether an attempt gets the deep check.
func (d *Dispatcher) sampled(attempt protocol.ID, r verify.Record) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.epoch.Sampled(attempt, r.Rate())
}

// Commitment is that of the current sampling epoch.
func (d *Dispatcher) Commitment() protocol.Hash {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.epoch.Commitment()
}

// InFlight counts segments.
func (d *Dispatcher) InFlight() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stories
}

// Leases lists the open ones.
func (d *Dispatcher) Leases() []LeaseView {
	now := time.Now()
	views := []LeaseView{}
	for _, l := range d.leases.all() {
		views = append(views, l.view(now))
	}
	return views
}

// Draining reports that no more segments are taken, since Close.
func (d *Dispatcher) Draining() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.closing
}

// background runs f in a goroutine that Close waits for; it returns false once closing has begun.
func (d *Dispatcher) background(f func()) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closing {
		return false
	}
	d.running.Go(f)
	return true
}

// Close takes no new segments, waits for those in flight until ctx ends, then cancels the rest and releases every lease.
func (d *Dispatcher) Close(ctx context.Context) {
	d.mu.Lock()
	if d.closing {
		d.mu.Unlock()
		return
	}
	d.closing = true
	d.mu.Unlock()
	settled := make(chan struct{})
	go func() {
		d.running.Wait()
		close(settled)
	}()
	select {
	case <-settled:
	case <-ctx.Done():
	}
	var wg sync.WaitGroup
	for _, l := range d.leases.all() {
		if l.end() {
			wg.Go(func() { d.release(l, "shutting down") })
		}
	}
	wg.Wait()
	d.cancel()
	<-settled
}
