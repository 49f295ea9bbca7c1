package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"github.com/kinora/kinora/internal/protocol"
)

// Session transcodes the segments of one lease, several at once, on a child that it changes at segment boundaries: for one that is
// worn, when a spare is ready, and for one that crashed, at once. A segment whose child crashes is tried once more, alone on
// a child of its own, from the source bytes that were kept; one that crashes that too is poison. A segment that fails on a
// device is first made in software.
type Session struct {
	pool *Pool
	log  *slog.Logger
	door chan struct{} // holds a token while a child is chosen

	mu       sync.Mutex
	hardware *Hardware // nil: segments are made in software
	current  *tenant
	begun    uint64 // segments
	closed   bool
	work     sync.WaitGroup // of transcodes, and of children that are being closed
}

// Hardware has the segments of a Session made on a device until one fails there.
type Hardware struct {
	Pool     *Pool       // of children that may use the device
	Device   string      // see Job
	Encoders []string    // see Job
	Failed   func(error) // called at most once: no further segment goes there; by code BadMedia, software made what the device did not read
}

// tenant is a child of a session.
type tenant struct {
	*Child
	on    *Hardware // nil: one of the session's own pool
	last  uint64    // number of the segment begun last on it
	users int
	gone  bool // closes when users is 0
}

// NewSession begins a lease; its first child is taken now.
func (p *Pool) NewSession(ctx context.Context) (*Session, error) { return p.NewSessionOn(ctx, nil) }

// NewSessionOn begins a lease on a device; what fails there goes on in software, on children of p.
func (p *Pool) NewSessionOn(ctx context.Context, on *Hardware) (*Session, error) {
	s := &Session{pool: p, log: p.opts.Log, door: make(chan struct{}, 1), hardware: on}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	c, on, err := s.get(ctx, on)
	if err != nil {
		return nil, err
	}
	s.current = &tenant{Child: c, on: on}
	return s, nil
}

// get takes a child that may use on, or, where none starts there, one that works in software.
func (s *Session) get(ctx context.Context, on *Hardware) (*Child, *Hardware, error) {
	if on != nil {
		c, err := on.Pool.Get(ctx)
		if err == nil || ctx.Err() != nil {
			return c, on, err
		}
		s.forsake(on, err)
	}
	c, err := s.pool.Get(ctx)
	return c, nil, err
}

// forsake sends no further segment to a device.
func (s *Session) forsake(on *Hardware, because error) {
	s.mu.Lock()
	first := s.hardware == on
	if first {
		s.hardware = nil
		if t := s.current; t != nil && t.on == on {
			s.current = nil
			s.retireLocked(t)
		}
	}
	s.mu.Unlock()
	if first && on.Failed != nil {
		on.Failed(because)
	}
}

// deviceMay reports whether software may make what failed on a device with err: neither the source nor whoever takes the
// renditions failed, and there is time left.
func deviceMay(ctx context.Context, err error, source *kept, refused bool) bool {
	if _, end := source.have(); refused || ctx.Err() != nil || end != nil && end != io.EOF {
		return false
	}
	switch protocol.CodeOf(err) {
	case protocol.UnsupportedCodec, protocol.TranscodeFailed, protocol.Internal, protocol.ChildCrashed, protocol.BadMedia:
		return true
	}
	return false
}

// Transcode is Child.Transcode on whichever child is right. Its error can be a *Poison.
func (s *Session) Transcode(ctx context.Context, job Job) (*Result, error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, protocol.Errorf(protocol.Unavailable, "the session was closed")
	}
	s.begun++
	number := s.begun
	s.work.Add(1)
	s.mu.Unlock()
	defer s.work.Done()

	source := newKept(job.Source, s.pool.opts.Limits.withDefaults().MaxInput)
	known, err := s.pool.quarantine.screen(source)
	if err != nil {
		return nil, err
	}
	given, refused := false, false
	out := job.Out
	job.Out = func(i int, p []byte) error {
		given = given || len(p) > 0
		err := out(i, p)
		refused = refused || err != nil
		return err
	}
	again := func(err error) error { // takes back what was given
		if !given {
			return nil
		}
		if given = false; job.Again == nil {
			return err
		}
		return job.Again()
	}

	t, follows, err := s.enter(ctx, number, known > 0) // one that crashed a child before gets one that nobody shares
	if err != nil {
		return nil, err
	}
	job.Source, job.Continues = source.reader(), job.Continues && follows
	var failed *Hardware
	var because error
	if t.on != nil {
		try := job
		try.Device, try.Encoders = t.on.Device, t.on.Encoders
		result, err := t.Transcode(ctx, try)
		s.leave(t)
		if err == nil || !deviceMay(ctx, err, source, refused) {
			return result, err
		}
		failed, because = t.on, err
		s.log.Info("a segment that failed on a device is made in software", "device", failed.Device, "err", err)
		if err := again(because); err != nil {
			return nil, err
		}
		if t, _, err = s.enter(ctx, number, true); err != nil {
			return nil, err
		}
		job.Source, job.Continues = source.reader(), false
	}
	result, err := t.Transcode(ctx, job)
	crash, crashed := t.casualty(ctx, err)
	if failed != nil && err == nil { // so the segment was not to blame
		s.forsake(failed, because)
		s.adopt(t, number)
		return result, nil
	}
	s.leave(t)
	if !crashed {
		return result, err
	}
	s.log.Warn("a media child crashed under a segment", "crash", crash.Status, "stderr", crash.Stderr)
	crashes := []Crash{crash}
	if s.pool.quarantine.strike(source, crash, known > 0) {
		return nil, s.poison(ctx, source, crashes)
	}
	if ctx.Err() != nil {
		return nil, err
	}
	if err := again(err); err != nil {
		return nil, err
	}

	t, _, err = s.enter(ctx, number, true)
	if err != nil {
		return nil, err
	}
	job.Source, job.Continues = source.reader(), false
	result, err = t.Transcode(ctx, job)
	crash, crashed = t.casualty(ctx, err)
	if !crashed {
		if err == nil {
			s.pool.quarantine.absolve(source)
		}
		s.adopt(t, number)
		return result, err
	}
	s.leave(t)
	return nil, s.poison(ctx, source, append(crashes, crash))
}

// poison waits for the end of a source that crashed a child it had to itself, remembers it, and is the refusal.
func (s *Session) poison(ctx context.Context, source *kept, crashes []Crash) error {
	source.drain(ctx)
	p := s.pool.quarantine.condemn(source, crashes)
	s.log.Error("a segment is poison; it will be refused", "evidence", p.Evidence)
	return p
}

// enter chooses the child for the next segment, and tells whether the last one begun on it is the one before. With alone nobody
// else is on it, or comes to it.
func (s *Session) enter(ctx context.Context, number uint64, alone bool) (_ *tenant, follows bool, err error) {
	if alone {
		c, err := s.pool.Get(ctx)
		if err != nil {
			return nil, false, err
		}
		return &tenant{Child: c, users: 1, gone: true, last: number}, false, nil
	}
	select {
	case s.door <- struct{}{}:
		defer func() { <-s.door }()
	case <-ctx.Done():
		return nil, false, contextError(ctx.Err())
	}
	s.mu.Lock()
	t, on := s.current, s.hardware
	s.mu.Unlock()
	var next *Child
	switch {
	case t == nil || t.dead():
		if next, on, err = s.get(ctx, on); err != nil {
			return nil, false, err
		}
	default:
		why := t.Worn()
		if why == "" {
			break
		}
		from := s.pool
		if on = t.on; on != nil {
			from = on.Pool
		}
		if next = from.spare(); next != nil { // without one the segment does not wait for it: the next one asks again
			s.log.Info("a media child is changed for a spare", "pid", t.Pid(), "because", why)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if next != nil {
		old := s.current
		t = &tenant{Child: next, on: on}
		s.current = t
		s.retireLocked(old)
	}
	if s.closed {
		s.retireLocked(t)
		return nil, false, protocol.Errorf(protocol.Unavailable, "the session was closed")
	}
	t.users++
	follows = t.last+1 == number
	t.last = number
	return t, follows, nil
}

// leave ends one use.
func (s *Session) leave(t *tenant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.users--
	if t.dead() && s.current == t {
		s.current = nil
		t.gone = true
	}
	s.closeIdleLocked(t)
}

// adopt makes the child on which a segment succeeded alone the session's, if that has none and nothing has begun since.
func (s *Session) adopt(t *tenant, number uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.users--
	if (s.current == nil || s.current.dead()) && s.begun == number && !s.closed {
		old := s.current
		s.current, t.gone = t, false
		s.retireLocked(old)
		return
	}
	s.closeIdleLocked(t)
}

func (s *Session) retireLocked(t *tenant) {
	if t != nil {
		t.gone = true
		s.closeIdleLocked(t)
	}
}

// closeIdleLocked ends a child that is out of use, without making a segment wait for that.
func (s *Session) closeIdleLocked(t *tenant) {
	if t.gone && t.users == 0 {
		t.users = -1 // once
		s.work.Go(func() { _ = t.Close() })
	}
}

func (c *Child) dead() bool {
	select {
	case <-c.done:
		return true
	default:
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause != nil
}

// Engine names the program and the FFmpeg of the newest child.
func (s *Session) Engine() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil {
		return ""
	}
	return s.current.Engine()
}

// Pid is the process id of the newest child, 0 without one.
func (s *Session) Pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil {
		return 0
	}
	return s.current.Pid()
}

// Close ends the children; jobs in progress fail.
func (s *Session) Close() error {
	s.mu.Lock()
	s.closed = true
	t := s.current
	s.current = nil
	s.mu.Unlock()
	if t != nil {
		_ = t.Close()
	}
	s.work.Wait()
	return nil
}

// Crash is how a child ended under a segment.
type Crash struct {
	Status string   `json:"status"`           // signal or exit status, or what made its parent end it
	Stderr []string `json:"stderr,omitempty"` // its last words: they may quote the media, so they stay on this machine
	Engine string   `json:"engine"`
	Layers []string `json:"layers"`
}

// casualty reports whether err is that the child went down under the job, and how.
func (c *Child) casualty(ctx context.Context, err error) (Crash, bool) {
	if err == nil || !c.dead() {
		return Crash{}, false
	}
	c.mu.Lock()
	closed, cause := c.closed, c.cause
	c.mu.Unlock()
	var why *protocol.Error
	if closed || !errors.As(cause, &why) || why.Code != protocol.ChildCrashed {
		return Crash{}, false
	}
	// A child that was killed because it did not hear of a cancel hung; that is the segment's doing when the deadline was what it
	// missed, and the machine was not too busy for it.
	if ctx.Err() != nil && protocol.CodeOf(err) != protocol.ChildCrashed {
		late := protocol.CodeOf(context.Cause(ctx)) == protocol.DeadlineExceeded || errors.Is(ctx.Err(), context.DeadlineExceeded)
		if !late || c.starved.Load() {
			return Crash{}, false
		}
	}
	<-c.done // killed or ended, so this is soon
	status := c.cmd.ProcessState.String()
	if c.stuck.Load() {
		status = fmt.Sprintf("%s (%s)", why.Detail, status)
	}
	return Crash{Status: status, Stderr: c.stderr.newest(), Engine: c.Engine(), Layers: c.layers}, true
}
