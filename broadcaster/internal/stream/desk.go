// Package stream turns the pushes of live streams into verified, paid, published segments: STORY 1.
package stream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/kinora/kinora/broadcaster/internal/market"
	"github.com/kinora/kinora/broadcaster/internal/playlist"
	"github.com/kinora/kinora/broadcaster/internal/store"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
)

// Config of a Desk.
type Config struct {
	Store  *store.Store
	Market *market.Market
	Shelf  *playlist.Shelf
	Spend  *Spend
	Verify verify.Config
	Signer protocol.Signer
	Domain protocol.Domain
	Flush  func(ctx context.Context, stream string) error // delivers a stream's tickets and says that it ended
	Events func(protocol.Event)
	Log    *slog.Logger

	Ladder        protocol.Ladder // for pushes that bring none, largest first
	Target        time.Duration   // least target duration; zero: the first segment's
	HoldBack      int             // target durations from a segment's last source byte until it is late
	Retention     time.Duration   // segments are kept so long, and listed for half of it; zero: for ever
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

	mu       sync.Mutex
	streams  map[string]*Stream
	draining bool

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
	stored    bool   // the stream has a row that says it is live
	ended     bool
	ending    int // Ends that were asked for and wait
	idle      context.Context
	resume    context.CancelFunc // ends idle; nil unless the stream has ended
	settled   chan struct{}      // closed and replaced whenever a segment is settled or published
	publishMu sync.Mutex         // one publisher at a time
}

// segment is a push that was given its identity.
type segment struct {
	protocol.SegmentKey
	push    Push
	ladder  protocol.Ladder
	labels  []string
	source  *verify.Source
	epoch   *epoch
	arrived time.Time
	cancel  context.CancelCauseFunc
	whole   chan struct{} // closed when the last source byte has come
	ended   time.Time     // when that was; set before whole is closed
	done    chan struct{} // closed when result or err is set
	result  Answer
	err     error

	// Guarded by Stream.mu.
	ready  bool // verified and committed
	failed bool
	row    store.Segment
}

// Open continues every stream from its rows and removes files that no row names.
func Open(ctx context.Context, cfg Config) (*Desk, error) {
	d := &Desk{cfg: cfg, streams: make(map[string]*Stream)}
	d.ctx, d.stop = context.WithCancel(context.Background())
	rows, err := cfg.Store.Streams(ctx)
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
				named[strings.Join([]string{s.name, r.Name, r.File}, "/")] = true
			}
		}
		d.streams[s.name] = s
	}
	swept, err := cfg.Shelf.Sweep(func(stream, rendition, file string) bool { return named[stream+"/"+rendition+"/"+file] })
	if err != nil {
		return nil, err
	}
	cfg.Log.Info("streams continue from the database", "streams", len(rows), "orphan_files_removed", swept)
	for _, s := range d.streams {
		d.work.Go(func() { s.run(d.ctx) })
	}
	return d, nil
}

func rowsOf(line []*segment) []store.Segment {
	rows := make([]store.Segment, len(line))
	for i, seg := range line {
		rows[i] = seg.row
	}
	return rows
}

func (d *Desk) newStream(name string) *Stream {
	return &Stream{desk: d, name: name, epoch: newEpoch(0, nil), wake: make(chan struct{}, 1), settled: make(chan struct{}), fps: 60,
		limiter: rate.NewLimiter(rate.Limit(d.cfg.PushesPerSec), max(8, int(2*d.cfg.PushesPerSec)))}
}

func (d *Desk) load(ctx context.Context, row store.Stream) (*Stream, error) {
	s := d.newStream(row.Name)
	s.target, s.nextMSN, s.breaks, s.ended = row.TargetSeconds, row.NextMSN, row.Discontinuities, !row.EndedAt.IsZero()
	s.lastPush, s.stored = time.Now(), !s.ended
	incarnation, seq, found, err := d.cfg.Store.Newest(ctx, row.Name)
	if err != nil {
		return nil, err
	}
	if found {
		s.epoch = newEpoch(incarnation, nil)
		s.epoch.settle(seq)
	}
	if s.ended && found {
		s.epoch = s.epoch.next()
	}
	kept, err := d.cfg.Store.Kept(ctx, row.Name)
	if err != nil {
		return nil, err
	}
	for _, seg := range kept {
		switch {
		case seg.Published:
			for _, r := range seg.Renditions {
				if !d.cfg.Shelf.Holds(seg.Stream, r.Name, r.File, r.Bytes) {
					seg.Gap = true // players get a gap where a disk lost the file
				}
			}
			s.window = append(s.window, seg)
		case seg.State == store.Verified || seg.State == store.Failed:
			waiting := &segment{SegmentKey: seg.SegmentKey, arrived: seg.ArrivedAt, whole: make(chan struct{}), done: make(chan struct{}), row: seg,
				ready: seg.State == store.Verified, failed: seg.State == store.Failed, ended: seg.CommittedAt.Add(-seg.Latency)}
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

// open returns a stream that takes pushes.
func (d *Desk) open(name string) (*Stream, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.draining {
		return nil, protocol.Errorf(protocol.Draining, "this broadcaster is shutting down")
	}
	s := d.streams[name]
	if s == nil || s.isEnded() {
		live := 0
		for _, other := range d.streams {
			if other != s && !other.isEnded() {
				live++
			}
		}
		if live >= d.cfg.MaxStreams {
			return nil, protocol.Limited(protocol.RateLimited, "max-streams", d.cfg.MaxStreams, "%d streams are live, no more are taken", live)
		}
	}
	if s == nil {
		s = d.newStream(name)
		s.lastPush = time.Now()
		d.streams[name] = s
		d.work.Go(func() { s.run(d.ctx) })
	}
	return s, nil
}

func (s *Stream) isEnded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended && s.flying == 0
}

// Push takes one segment: it streams p.Body onward while it arrives and returns when the segment was released or refused.
// Errors are *protocol.Error. When ctx ends after the last byte, the segment goes on without its pusher.
func (d *Desk) Push(ctx context.Context, p Push) (Answer, error) {
	s, err := d.open(p.Stream)
	if err != nil {
		return Answer{}, err
	}
	if !s.limiter.Allow() {
		return Answer{}, protocol.Limited(protocol.RateLimited, "max-pushes-per-second", d.cfg.PushesPerSec, "stream %s is pushed too often", p.Stream)
	}
	seg := &segment{SegmentKey: protocol.SegmentKey{Stream: p.Stream, Seq: p.Seq}, push: p, arrived: time.Now(), whole: make(chan struct{}), done: make(chan struct{}),
		source: verify.NewSource(d.cfg.Verify, p.Announced)}
	work, cancel := context.WithCancelCause(d.ctx)
	seg.cancel = cancel
	d.work.Go(func() {
		defer cancel(nil)
		defer seg.source.Cancel()
		seg.result, seg.err = s.handle(work, seg)
		close(seg.done)
	})
	if !feed(seg) { // the work is cancelled, or over
		<-seg.done
		return seg.result, seg.err
	}
	select {
	case <-seg.done:
		return seg.result, seg.err
	case <-ctx.Done():
		return Answer{}, protocol.Errorf(protocol.Cancelled, "the pusher went away: %w", ctx.Err())
	}
}

// feed passes the body to the source until its end, its failure, or the refusal of the segment. It reports whether the
// source is whole.
func feed(seg *segment) bool {
	buf := make([]byte, 64<<10)
	for {
		n, err := seg.push.Body.Read(buf)
		if n > 0 {
			if _, werr := seg.source.Write(buf[:n]); werr != nil {
				seg.cancel(werr)
				return false
			}
		}
		switch {
		case err == io.EOF:
			seg.ended = time.Now()
			_ = seg.source.Close()
			close(seg.whole)
			return true
		case err != nil:
			var typed *protocol.Error
			if !errors.As(err, &typed) {
				err = protocol.Errorf(protocol.Cancelled, "the body broke off: %w", err)
			}
			seg.cancel(err)
			seg.source.Cancel()
			return false
		}
		select {
		case <-seg.done:
			return false
		default:
		}
	}
}

// handle gives a push its identity and does what follows from it.
func (s *Stream) handle(ctx context.Context, seg *segment) (Answer, error) {
	head, err := seg.source.Head(ctx)
	if err != nil {
		return Answer{}, reason(ctx, err)
	}
	s.recipe(seg, head)
	if err := seg.ladder.Validate(); err != nil {
		return Answer{}, protocol.Errorf(protocol.BadLadder, "%w", err)
	}
	found, err := s.admit(ctx, seg)
	if err != nil {
		return Answer{}, reason(ctx, err)
	}
	if found != nil {
		return *found, nil
	}
	s.desk.cfg.Events(protocol.Event{Kind: protocol.SegmentIngested, Stream: seg.Stream, Incarnation: seg.Incarnation, Seq: seg.Seq})
	got, err := s.transcode(ctx, seg)
	if err != nil {
		err = reason(ctx, err)
		s.lost(seg, err)
		return Answer{}, err
	}
	return got, nil
}

// recipe decides what is to be made of seg.
func (s *Stream) recipe(seg *segment, head verify.Head) {
	s.mu.Lock()
	if head.FPS > 0 && !s.measured {
		s.fps = rateAbove(head.FPS)
	}
	s.mu.Unlock()
	seg.ladder, seg.labels = seg.push.Ladder, seg.push.Labels
	if seg.ladder == nil {
		seg.ladder = fit(s.desk.cfg.Ladder, head.Width, head.Height)
		seg.labels = nil
		for _, p := range seg.ladder {
			seg.labels = append(seg.labels, p.Name)
		}
	}
}

// reason is why work on a segment really ended: the cause of its context, where that is a refusal, hides behind err.
func reason(ctx context.Context, err error) error {
	var typed *protocol.Error
	if cause := context.Cause(ctx); cause != nil && errors.As(cause, &typed) {
		return cause
	}
	if errors.As(err, &typed) {
		return err
	}
	if ctx.Err() != nil {
		return protocol.Errorf(protocol.Draining, "this broadcaster is shutting down")
	}
	return err
}

// admit places seg: nil when it begins, otherwise the answer it shares with an earlier push.
func (s *Stream) admit(ctx context.Context, seg *segment) (*Answer, error) {
	for {
		s.mu.Lock()
		e := s.epoch
		other := e.flying[seg.Seq]
		newest, started := e.newest()
		if other == nil && (!started || seg.Seq > newest) {
			err := s.place(seg, e)
			s.mu.Unlock()
			return nil, err
		}
		s.mu.Unlock()
		if other != nil {
			k, err := compare(ctx, other, seg)
			if err != nil {
				return nil, err
			}
			if k != unknown && decide(started, newest, seg.Seq, k) == conflict {
				return nil, protocol.Errorf(protocol.SegmentConflict, "other bytes are being pushed as %s/%d: push these under another number, or again once that one is answered", seg.Stream, seg.Seq)
			}
			select {
			case <-other.done:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			if k == unknown {
				continue
			}
			if other.err == nil {
				return &Answer{Segment: other.result.Segment, Replayed: true, Timing: other.result.Timing}, nil
			}
			if c := protocol.CodeOf(other.err); c == protocol.Cancelled || c == protocol.BodyTooSlow {
				continue // it broke off: this push takes its place
			}
			return nil, other.err
		}
		record, kept, found, err := s.desk.cfg.Store.Lookup(ctx, protocol.SegmentKey{Stream: s.name, Incarnation: e.incarnation, Seq: seg.Seq})
		if err != nil {
			return nil, err
		}
		k := unknown
		if found && record.State != store.Missing {
			info, err := seg.source.Info(ctx)
			if err != nil {
				return nil, err
			}
			switch same := info.SHA256 == record.Source; {
			case !same:
				k = recordedOther
			case record.State == store.Failed:
				k = recordedFailed
			default:
				k = recordedSame
			}
		}
		switch decide(started, newest, seg.Seq, k) {
		case answer:
			if !kept {
				return nil, protocol.Errorf(protocol.Stale, "%s was published before and its renditions are no longer kept", record.SegmentKey)
			}
			return &Answer{Segment: record, Replayed: true}, nil
		case begin:
			err = s.placeIf(seg, e, e)
		default:
			err = s.placeIf(seg, e, e.next())
		}
		if !errors.Is(err, errOvertaken) {
			return nil, err
		}
	}
}

var errOvertaken = errors.New("another push changed the stream meanwhile")

// placeIf places seg in epoch to, unless the current one is no longer from.
func (s *Stream) placeIf(seg *segment, from, to *epoch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.epoch != from || to.flying[seg.Seq] != nil {
		return errOvertaken
	}
	return s.place(seg, to)
}

// place makes seg a segment of e. s.mu is held.
func (s *Stream) place(seg *segment, e *epoch) error {
	if s.ending > 0 {
		return protocol.Errorf(protocol.Draining, "stream %s is being ended", s.name)
	}
	if s.flying >= s.desk.cfg.MaxInFlight {
		return protocol.Limited(protocol.RateLimited, "max-in-flight", s.desk.cfg.MaxInFlight, "stream %s has %d segments in flight", s.name, s.flying)
	}
	if e != s.epoch {
		s.desk.cfg.Log.Info("the encoder restarted: a new incarnation begins", "stream", s.name, "incarnation", e.incarnation, "seq", seg.Seq)
	}
	s.epoch = e
	seg.epoch, seg.Incarnation = e, e.incarnation
	e.flying[seg.Seq] = seg
	s.flying++
	s.lastPush = time.Now()
	if s.resume != nil {
		s.resume()
		s.idle, s.resume = nil, nil
	}
	if a := seg.push.Announced; a > s.usual || s.usual == 0 {
		s.usual = a
	}
	s.longest = max(s.longest, min(2*s.usual, s.desk.cfg.MaxDuration))
	s.enqueue(seg)
	return nil
}

// overtaken is how long a segment in flight may stay behind a later push of its bytes before that push takes its place:
// an encoder that tries again does not wait for a connection that is dead.
const overtaken = time.Second

// compare reads the sources of a segment in flight and of a push of its key while both arrive. Unknown: the one in flight
// was settled, broke off or was overtaken before they differed; it is over, or will be in a moment.
func compare(ctx context.Context, flying, push *segment) (known, error) {
	reading, stop := context.WithCancel(ctx)
	defer stop()
	a, b := flying.source.NewReader(reading), push.source.NewReader(ctx)
	// follow reads what the one in flight has where the push has more; late: it did not come.
	follow := func(x []byte) (n int, err error, late bool) {
		timer := time.AfterFunc(overtaken, stop)
		n, err = io.ReadFull(a, x)
		return n, err, !timer.Stop() && err != nil && !isEnd(err)
	}
	takeOver := func() (known, error) {
		flying.cancel(protocol.Errorf(protocol.Cancelled, "a later push of the same bytes was further: it takes over"))
		return unknown, nil
	}
	x, y := make([]byte, 32<<10), make([]byte, 32<<10)
	for {
		m, errB := io.ReadFull(b, y)
		if errB != nil && !isEnd(errB) {
			return unknown, fmt.Errorf("read the push: %w", errB)
		}
		n, errA, late := follow(x[:m])
		switch {
		case !bytes.Equal(x[:n], y[:n]) || isEnd(errA):
			return flyingOther, nil
		case late && ctx.Err() == nil:
			return takeOver()
		case errA != nil:
			return unknown, nil
		case errB == nil:
			continue
		}
		switch extra, errA, late := follow(x[:1]); { // the push has ended: has the one in flight too?
		case extra > 0:
			return flyingOther, nil
		case isEnd(errA):
			return flyingSame, nil
		case late && ctx.Err() == nil:
			return takeOver()
		}
		return unknown, nil
	}
}

func isEnd(err error) bool { return err == io.EOF || err == io.ErrUnexpectedEOF }

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
