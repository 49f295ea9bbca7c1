// Package stream turns the pushes of live streams into verified, paid, published segments: STORY 1.
package stream

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/kinora/kinora/broadcaster/internal/market"
	"github.com/kinora/kinora/broadcaster/internal/playlist"
	"github.com/kinora/kinora/broadcaster/internal/store"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/route"
	"github.com/kinora/kinora/internal/verify"
)

// Config of a Desk.
type Config struct {
	Store  *store.Store
	Market *market.Market
	Shelf  *playlist.Shelf
	Spend  *payment.Spend
	Verify verify.Config
	Signer protocol.Signer
	Domain protocol.Domain
	Flush  func(ctx context.Context, stream string) error // delivers a stream's tickets and says that it ended
	Events func(protocol.Event)
	Log    *slog.Logger

	Policy        store.Policy    // of streams that say none
	Calm          time.Duration   // until a step back up is tried (30 s)
	Ladder        protocol.Ladder // for pushes that bring none, largest first
	Target        time.Duration   // least target duration; zero: the first segment's
	HoldBack      int             // target durations from a segment's last source byte until it is late
	Retention     time.Duration   // segments are kept so long, and listed for half of it; zero: for ever
	KeepRecords   time.Duration   // of segments that left the playlists, and of verdicts; zero: for ever
	Idle          time.Duration   // a stream without a push for so long has ended
	MaxDuration   time.Duration   // of a segment
	MaxStreams    int
	MaxInFlight   int     // segments of one stream
	PushesPerSec  float64 // of one stream
	AttemptsLimit int     // failed attempts at one segment before it is given up
}

// Push is one segment as it arrives.
type Push struct {
	Stream    string
	Seq       uint64
	Announced time.Duration
	Ladder    protocol.Ladder // largest first; nil: the configured one
	Labels    []string        // as the pusher named its profiles
	Policy    *store.Policy   // what the stream puts up with from now on; nil: as before
	Body      io.Reader
}

// Answer is what became of a push.
type Answer struct {
	Segment  store.Segment
	Replayed bool // from the record, or from another push of the same bytes
	Timing   Timing
}

// Timing says where the time went.
type Timing struct{ Upload, Transcode, Verify, Commit time.Duration }

// Desk owns all streams. Safe for concurrent use.
type Desk struct {
	cfg Config

	finding  sync.Mutex // held while a stream that is not at hand is read
	mu       sync.Mutex
	streams  map[string]*Stream // with something to do or to show
	draining bool

	seats sync.Mutex // taken last
	live  int        // streams

	work sync.WaitGroup
	ctx  context.Context
	stop context.CancelFunc
}

// Stream is one live stream.
type Stream struct {
	desk    *Desk
	name    string
	limiter *rate.Limiter
	wake    chan struct{}
	users   int // pushes and Ends; guarded by Desk.mu

	mu        sync.Mutex
	epoch     *epoch
	flying    int // over all epochs
	usual     time.Duration
	longest   time.Duration // what quotes must cover
	fps       float64       // of the source, from above
	measured  bool          // fps was
	lastPush  time.Time
	line      []*segment      // waiting for a place, in order
	window    []store.Segment // published and kept, in order
	aside     []store.Segment // committed after their place had passed: kept for replays alone
	target    int             // seconds
	nextMSN   uint64
	breaks    uint64 // discontinuities published
	live      bool   // has a seat: something is in flight, or the playlists are open
	stored    bool   // the stream has a row that says it is live
	ended     bool   // the playlists are closed
	flushing  int    // Ends whose tickets are on their way
	ending    int    // Ends that were asked for and wait
	idle      context.Context
	resume    context.CancelFunc // ends idle; nil unless the stream has ended
	settled   chan struct{}      // closed and replaced whenever a segment is settled or published
	publishMu sync.Mutex         // one publisher at a time
	allowance route.Allowance    // of segments that are done twice
	policy    *store.Policy      // as it was said of this stream; nil: the settings count
	anew      bool               // that was said since the last segment
	descent   route.Descent      // what is not made of it, for want of something
	why       string             // it stands so
	code      protocol.Code      // likewise
	trial     *segment           // that tries a step up
	rungs     map[string]bool    // by name, all that were asked for: whether the source can stand in for it
	near      []string           // spend caps that are nearly used up
	stills    *stills
}

// segment is a push that was given its identity.
type segment struct {
	protocol.SegmentKey
	push       Push
	ladder     protocol.Ladder // that is made
	labels     []string
	full       protocol.Ladder // that was asked for
	fullLabels []string
	descent    route.Descent // by which it is planned
	source     *verify.Source
	epoch      *epoch
	arrived    time.Time
	cancel     context.CancelCauseFunc
	whole      chan struct{} // closed when the last source byte has come
	ended      time.Time     // when that was; set before whole is closed
	done       chan struct{} // closed when result or err is set
	result     Answer
	err        error
	rest       sync.WaitGroup // runs that go on after that

	// Guarded by Stream.mu.
	ready  bool // verified and committed
	failed bool
	row    store.Segment
}

// Open continues every stream that is live or can be played and removes files that no row names.
func Open(ctx context.Context, cfg Config) (*Desk, error) {
	d := &Desk{cfg: cfg, streams: make(map[string]*Stream)}
	d.ctx, d.stop = context.WithCancel(context.Background())
	rows, err := cfg.Store.ShownStreams(ctx)
	if err != nil {
		return nil, err
	}
	named := make(map[string]bool)
	for _, row := range rows {
		s, err := d.load(ctx, row)
		if err != nil {
			return nil, err
		}
		for _, seg := range slices.Concat(s.window, s.aside, rowsOf(s.line)) {
			for _, r := range seg.Renditions {
				for _, file := range filesOf(r) {
					named[strings.Join([]string{s.name, r.Name, file}, "/")] = true
				}
			}
		}
		if s.live {
			d.live++
		}
		d.streams[s.name] = s
	}
	swept, err := cfg.Shelf.Sweep(func(stream, rendition, file string) bool { return named[stream+"/"+rendition+"/"+file] })
	if err != nil {
		return nil, err
	}
	cfg.Log.Info("streams continue from the database", "streams", len(rows), "orphan_files_removed", swept)
	for _, s := range slices.Collect(maps.Values(d.streams)) { // one that runs may already forget itself
		d.work.Go(func() { s.run(d.ctx) })
	}
	if cfg.KeepRecords > 0 {
		d.work.Go(d.prune)
	}
	return d, nil
}

// prune forgets old records, now and then every hour.
func (d *Desk) prune() {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		pruned, err := d.cfg.Store.Prune(d.ctx, time.Now().Add(-d.cfg.KeepRecords))
		if err != nil && d.ctx.Err() == nil {
			d.cfg.Log.Error("cannot prune old records; trying again in an hour", "err", err)
		} else if pruned != (store.Pruned{}) {
			d.cfg.Log.Info("old records are pruned", "segments", pruned.Segments, "verdicts", pruned.Attempts)
		}
		select {
		case <-tick.C:
		case <-d.ctx.Done():
			return
		}
	}
}

func rowsOf(line []*segment) []store.Segment {
	rows := make([]store.Segment, len(line))
	for i, seg := range line {
		rows[i] = seg.row
	}
	return rows
}

func (d *Desk) newStream(name string) *Stream {
	return &Stream{desk: d, name: name, epoch: newEpoch(0, nil), wake: make(chan struct{}, 1), settled: make(chan struct{}), stills: newStills(), fps: 60,
		limiter: rate.NewLimiter(rate.Limit(d.cfg.PushesPerSec), max(8, int(2*d.cfg.PushesPerSec)))}
}

func (d *Desk) load(ctx context.Context, row store.Stream) (*Stream, error) {
	s := d.newStream(row.Name)
	s.policy = row.Policy
	s.target, s.nextMSN, s.breaks, s.ended = row.TargetSeconds, row.NextMSN, row.Discontinuities, !row.EndedAt.IsZero()
	s.lastPush, s.stored, s.live = time.Now(), !s.ended, !s.ended
	incarnation, seq, found, err := d.cfg.Store.Newest(ctx, row.Name)
	if err != nil {
		return nil, err
	}
	s.epoch = newEpoch(row.NextIncarnation, nil)
	if found && !s.ended && incarnation+1 >= row.NextIncarnation {
		s.epoch = newEpoch(incarnation, nil)
		s.epoch.settle(seq)
	} else if found {
		s.epoch = newEpoch(max(incarnation+1, row.NextIncarnation), nil)
	}
	kept, err := d.cfg.Store.Kept(ctx, row.Name)
	if err != nil {
		return nil, err
	}
	for _, seg := range kept {
		switch {
		case seg.Published:
			for _, r := range seg.Renditions {
				if !d.cfg.holds(seg.Stream, r) {
					seg.Gap = true // players get a gap where a disk lost the file
				}
			}
			s.window = append(s.window, seg)
		case seg.State == store.Failed && (s.ended || s.passed(seg.SegmentKey)): // never had a place or a file
		case seg.State == store.Verified || seg.State == store.Passed || seg.State == store.Failed:
			waiting := &segment{SegmentKey: seg.SegmentKey, arrived: seg.ArrivedAt, whole: make(chan struct{}), done: make(chan struct{}), row: seg,
				ready: seg.State != store.Failed, failed: seg.State == store.Failed, ended: seg.CommittedAt.Add(-seg.Latency)}
			close(waiting.whole)
			close(waiting.done)
			if s.passed(waiting.SegmentKey) {
				s.aside = append(s.aside, seg)
			} else {
				s.line = append(s.line, waiting)
			}
		}
	}
	return s, nil
}

// use returns a stream for a push or an End until release, taking it up from its row when it is not at hand; without a row
// it is a new one, or nil unless create.
func (d *Desk) use(ctx context.Context, name string, create bool) (*Stream, error) {
	if s, err := d.hold(name); s != nil || err != nil {
		return s, err
	}
	d.finding.Lock()
	defer d.finding.Unlock()
	if s, err := d.hold(name); s != nil || err != nil {
		return s, err
	}
	row, found, err := d.cfg.Store.Stream(ctx, name)
	if err != nil || !found && !create {
		return nil, err
	}
	s := d.newStream(name)
	if found {
		if s, err = d.load(ctx, row); err != nil {
			return nil, err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.draining {
		return nil, shuttingDown()
	}
	trying := 0
	for _, other := range d.streams {
		if other.users > 0 && !other.isLive() {
			trying++
		}
	}
	if create && trying >= d.cfg.MaxStreams {
		return nil, d.full()
	}
	d.streams[name], s.users = s, 1
	d.work.Go(func() { s.run(d.ctx) })
	return s, nil
}

// hold takes a stream that is at hand.
func (d *Desk) hold(name string) (*Stream, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.draining {
		return nil, shuttingDown()
	}
	s := d.streams[name]
	if s != nil {
		s.users++
	}
	return s, nil
}

// release ends a use.
func (d *Desk) release(s *Stream) {
	d.mu.Lock()
	s.users--
	d.mu.Unlock()
	s.poke()
}

// forget drops a stream that nobody uses and that has nothing to do or to show. What goes on from here is in its row.
func (d *Desk) forget(s *Stream) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users > 0 || s.live || s.flying+s.ending+s.flushing+len(s.line)+len(s.window)+len(s.aside) > 0 {
		return false
	}
	delete(d.streams, s.name)
	s.takenUp()
	return true
}

// sit gives s its place among the live streams, of which there are only so many. s.mu is held.
func (d *Desk) sit(s *Stream) error {
	d.seats.Lock()
	defer d.seats.Unlock()
	if s.live {
		return nil
	}
	if d.live >= d.cfg.MaxStreams {
		return d.full()
	}
	s.live = true
	d.live++
	return nil
}

// rise takes it back. s.mu is held.
func (d *Desk) rise(s *Stream) {
	d.seats.Lock()
	defer d.seats.Unlock()
	if s.live {
		s.live = false
		d.live--
	}
}

func (d *Desk) full() error {
	return protocol.Limited(protocol.RateLimited, "max-streams", d.cfg.MaxStreams, "%d streams are live, no more are taken", d.cfg.MaxStreams)
}

func shuttingDown() error {
	return protocol.Errorf(protocol.Draining, "this broadcaster is shutting down")
}

func (s *Stream) isLive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live
}

// takenUp tells the Ends that still deliver tickets that the stream goes on, or that nobody needs to know. s.mu is held.
func (s *Stream) takenUp() {
	if s.resume != nil {
		s.resume()
		s.idle, s.resume = nil, nil
	}
}

// Close takes no more pushes, lets those in flight end while ctx lasts, and stops.
func (d *Desk) Close(ctx context.Context) {
	d.mu.Lock()
	d.draining = true
	streams := make([]*Stream, 0, len(d.streams))
	for _, s := range d.streams {
		streams = append(streams, s)
	}
	d.mu.Unlock()
	for _, s := range streams {
		s.await(ctx, func() bool { return s.flying == 0 })
	}
	d.stop()
	d.work.Wait()
}

// Draining reports that no more pushes are taken, since Close.
func (d *Desk) Draining() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.draining
}

// background runs f unless the desk is closing.
func (d *Desk) background(f func()) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.draining {
		return false
	}
	d.work.Go(f)
	return true
}

// await waits until cond, which is called with s.mu held, or the end of ctx.
func (s *Stream) await(ctx context.Context, cond func() bool) bool {
	for {
		s.mu.Lock()
		ok, changed := cond(), s.settled
		s.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// poke wakes the publisher.
func (s *Stream) poke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed()
}

// changed wakes the publisher and those in await. s.mu is held.
func (s *Stream) changed() {
	close(s.settled)
	s.settled = make(chan struct{})
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
