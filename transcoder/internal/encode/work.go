package encode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kinora/kinora/internal/protocol"
)

const (
	parkedSlots = 2 // wait for the next attempts of a lease
	maxAttempts = 4 // are in progress at once, parked slots included

	firstRetry = 100 * time.Millisecond
	lastRetry  = 2 * time.Second

	// goneFor is how long an orchestrator's URL is dead before a lease is given up: longer than a process takes to be started
	// again. Whoever took over from it has awarded the stream anew.
	goneFor = 6 * time.Second
)

// Work is a lease being worked on, from its acceptance until Done.
type Work struct {
	bench *Bench
	lease Lease
	log   *slog.Logger

	ctx    context.Context // of attempts
	cancel context.CancelCauseFunc
	taking context.Context // of parked slots
	finish context.CancelFunc
	done   chan struct{}
	serial atomic.Uint64
	door   chan struct{} // holds a token while a session is opened; never waited for with mu held
	parked chan struct{} // a token per parked slot, and one for each that is not wanted yet
	wanted func()        // all of them are

	mu       sync.Mutex
	first    time.Time // when the first source byte came
	last     time.Time // when something last happened
	inFlight int
	session  *opened
	retry    time.Duration // how long the next slot that fails waits
	dead     time.Time     // since when no slot could be parked at the URL; zero: the last one could
}

// opened is a session with what it was given last; whoever came through the door may ask and say so.
type opened struct {
	Session
	last protocol.SegmentKey
	used bool
}

// Activity is what a lease's clocks run by.
type Activity struct {
	First    time.Time // of the first source byte; zero before it
	Last     time.Time // of the newest attempt's begin or end
	InFlight int       // attempts
}

// Start begins to work on lease. Attempts end with ctx at the latest.
func (b *Bench) Start(ctx context.Context, lease Lease) *Work {
	w := &Work{bench: b, lease: lease, done: make(chan struct{}), door: make(chan struct{}, 1), last: time.Now(), retry: firstRetry,
		parked: make(chan struct{}, parkedSlots), wanted: func() {},
		log: b.Log.With("lease", lease.Award.Lease.Short(), "stream", lease.Award.Stream, "orchestrator", lease.Award.Orchestrator)}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	w.taking, w.finish = context.WithCancel(w.ctx)
	w.serial.Store(uint64(time.Now().UnixMicro()))
	if lease.Promote != nil {
		for range parkedSlots - 1 {
			w.parked <- struct{}{}
		}
		w.wanted = sync.OnceFunc(func() {
			for range parkedSlots - 1 {
				<-w.parked
			}
		})
	}
	go w.run()
	return w
}

// Activity reports what happened so far.
func (w *Work) Activity() Activity {
	w.mu.Lock()
	defer w.mu.Unlock()
	return Activity{First: w.first, Last: w.last, InFlight: w.inFlight}
}

// Finish takes no further segment; Done follows when those in progress are through.
func (w *Work) Finish() { w.finish() }

// Abort ends what is in progress too; cause is what the orchestrator is told.
func (w *Work) Abort(cause error) {
	w.finish()
	w.cancel(cause)
}

// Done closes when nothing of the lease runs any more.
func (w *Work) Done() <-chan struct{} { return w.done }

// run keeps slots parked until no more are taken, then waits for those in progress.
func (w *Work) run() {
	defer close(w.done)
	active := make(chan struct{}, maxAttempts)
	var slots sync.WaitGroup
	for take(w.taking, active) && take(w.taking, w.parked) {
		slots.Go(func() {
			defer func() { <-active }()
			unpark := sync.OnceFunc(func() { <-w.parked })
			defer unpark()
			if err := w.slot(unpark); err != nil {
				w.pause(err)
			}
		})
	}
	slots.Wait()
	w.cancel(protocol.Errorf(protocol.LeaseUnknown, "the lease has ended"))
	w.mu.Lock()
	session := w.session
	w.session = nil
	w.mu.Unlock()
	if session != nil {
		if err := session.Close(); err != nil {
			w.log.Warn("cannot close the encoder's session", "err", err)
		}
	}
}

func take(ctx context.Context, slots chan struct{}) bool {
	select {
	case <-ctx.Done():
		return false
	default:
	}
	select {
	case slots <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// pause waits before a slot is parked again; a lease that the orchestrator does not know ends.
func (w *Work) pause(err error) {
	if protocol.CodeOf(err) == protocol.LeaseUnknown {
		w.log.Info("the orchestrator ended the lease", "detail", err)
		w.finish()
		return
	}
	w.mu.Lock()
	wait := w.retry
	w.retry = min(2*wait, lastRetry)
	gone := !w.dead.IsZero() && time.Since(w.dead) >= goneFor && w.inFlight == 0
	w.mu.Unlock()
	if gone {
		w.log.Info("nobody answers at the orchestrator's URL: the lease is given up", "url", w.lease.Award.URL, "err", err)
		w.finish()
		return
	}
	if w.taking.Err() == nil {
		w.log.Debug("slot lost; parking another", "err", err, "in", wait)
	}
	select {
	case <-time.After(wait):
	case <-w.taking.Done():
	}
}

// slot parks one slot and works on the attempt that comes down it, if one comes. unpark is called when the slot does not
// wait any more. An error means that the slot itself failed, not the attempt.
func (w *Work) slot(unpark func()) error {
	ctx, cancel := context.WithCancel(w.ctx)
	defer cancel()
	leave := context.AfterFunc(w.taking, cancel) // a slot that still waits goes when no more are taken
	defer leave()

	body, out := io.Pipe()
	defer out.Close()
	// Once the answer has begun, the HTTP/2 client looks at its context only between reads of this body.
	defer context.AfterFunc(ctx, func() { _ = out.CloseWithError(context.Cause(ctx)) })()
	req, err := w.request(ctx, body)
	if err != nil {
		return err
	}
	resp, err := w.bench.Clients.Of(w.lease.Award.Orchestrator).Do(req)
	w.reached(err == nil)
	if err != nil {
		return fmt.Errorf("park a slot: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return refusal(resp)
	}
	in := protocol.NewFrameReader(resp.Body)
	frame, err := in.Read()
	if err != nil {
		return fmt.Errorf("parked slot: %w", err)
	}
	if !leave() {
		return protocol.Errorf(protocol.Draining, "no more segments are taken")
	}
	unpark()
	if frame.Kind != protocol.FrameAttempt {
		return protocol.Errorf(protocol.BadRequest, "parked slot: frame of kind %d before an attempt", frame.Kind)
	}
	start, err := protocol.Decode[protocol.AttemptStart](frame.Payload)
	if err != nil {
		return fmt.Errorf("parked slot: %w", err)
	}
	w.mu.Lock()
	w.retry = firstRetry
	w.mu.Unlock()
	w.attempt(ctx, &exchange{ordinal: frame.Attempt, in: in, out: protocol.NewFrameWriter(out, nil), pipe: out}, start)
	return nil
}

// reached notes whether the orchestrator's URL answers.
func (w *Work) reached(yes bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case yes:
		w.dead = time.Time{}
	case w.dead.IsZero():
		w.dead = time.Now()
	}
}

func (w *Work) request(ctx context.Context, body io.Reader) (*http.Request, error) {
	award := w.lease.Award
	signed, err := protocol.Seal(w.bench.Domain, w.bench.Signer, protocol.SlotRequest{
		Lease: award.Lease, Transcoder: w.bench.Signer.Address(), Serial: w.serial.Add(1)})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(award.URL, "/")+"/v1/leases/"+award.Lease.String()+"/slots", body)
	if err != nil {
		return nil, fmt.Errorf("park a slot: %w", err)
	}
	req.Header.Set("Content-Type", protocol.FrameType)
	req.Header.Set(protocol.SlotField, protocol.EncodeField(signed))
	return req, nil
}

// refusal is the Problem an orchestrator answered with.
func refusal(resp *http.Response) error {
	b, err := io.ReadAll(io.LimitReader(resp.Body, protocol.MaxMessage))
	if err != nil {
		return fmt.Errorf("park a slot: status %d: %w", resp.StatusCode, err)
	}
	p, err := protocol.Decode[protocol.Problem](b)
	if err != nil || p.Code == "" {
		return fmt.Errorf("park a slot: status %d", resp.StatusCode)
	}
	return fmt.Errorf("park a slot: %w", p.Err())
}

// began and ended keep the lease's clocks.
func (w *Work) began() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.inFlight++
	w.last = time.Now()
}

func (w *Work) ended() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.inFlight--
	w.last = time.Now()
}

func (w *Work) firstByte() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.first.IsZero() {
		w.first = time.Now()
	}
}

// open returns the lease's session, a new one where there is none or the last one died, and whether key directly follows
// what it was given last. A session can take seconds to open: only attempts wait for that, and no longer than they last.
func (w *Work) open(ctx context.Context, key protocol.SegmentKey) (*opened, bool, error) {
	select {
	case w.door <- struct{}{}:
		defer func() { <-w.door }()
	case <-ctx.Done():
		return nil, false, context.Cause(ctx)
	}
	w.mu.Lock()
	s := w.session
	w.mu.Unlock()
	if s != nil && dead(s.Session) {
		w.discard(s)
		s = nil
	}
	if s == nil {
		session, err := w.bench.Encoder.Open(ctx, w.lease.Ladder)
		if err != nil {
			return nil, false, err
		}
		s = &opened{Session: session}
		w.mu.Lock()
		w.session = s
		w.mu.Unlock()
	}
	follows := s.used && s.last.Stream == key.Stream && s.last.Incarnation == key.Incarnation && s.last.Seq+1 == key.Seq
	s.last, s.used = key, true
	return s, follows, nil
}

// dead reports whether a session that can tell has ended.
func dead(s Session) bool {
	if s, ok := s.(interface{ Done() <-chan struct{} }); ok {
		select {
		case <-s.Done():
			return true
		default:
		}
	}
	return false
}

// promoted makes sure that there is room for an attempt.
func (w *Work) promoted() error {
	if w.lease.Promote == nil {
		return nil
	}
	err := w.lease.Promote()
	if err == nil {
		w.wanted()
	}
	return err
}

// discard ends a session whose child crashed; the next attempt gets another.
func (w *Work) discard(s *opened) {
	w.mu.Lock()
	if w.session == s {
		w.session = nil
	}
	w.mu.Unlock()
	if err := s.Close(); err != nil && !errors.Is(err, context.Canceled) {
		w.log.Debug("crashed session", "err", err)
	}
}
