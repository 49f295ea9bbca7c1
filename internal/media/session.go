package media

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/kinora/kinora/internal/protocol"
)

// Session transcodes the segments of one lease, several at once, on a child that it changes at segment boundaries: for one that is
// worn, when a spare is ready, and for one that crashed, at once. A segment whose child crashes is tried once more, alone on
// a child of its own, from the source bytes that were kept; one that crashes that too is poison.
type Session struct {
	pool *Pool
	log  *slog.Logger
	door chan struct{} // holds a token while a child is chosen

	mu      sync.Mutex
	current *tenant
	begun   uint64 // segments
	closed  bool
	work    sync.WaitGroup // of transcodes, and of children that are being closed
}

// tenant is a child of a session.
type tenant struct {
	*Child
	last  uint64 // number of the segment begun last on it
	users int
	gone  bool // closes when users is 0
}

// NewSession begins a lease; its first child is taken now.
func (p *Pool) NewSession(ctx context.Context) (*Session, error) {
	s := &Session{pool: p, log: p.opts.Log, door: make(chan struct{}, 1)}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	c, err := p.Get(ctx)
	if err != nil {
		return nil, err
	}
	s.current = &tenant{Child: c}
	return s, nil
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
	given := false
	out := job.Out
	job.Out = func(i int, p []byte) error {
		given = given || len(p) > 0
		return out(i, p)
	}

	t, follows, err := s.enter(ctx, number, known > 0) // one that crashed a child before gets one that nobody shares
	if err != nil {
		return nil, err
	}
	job.Source, job.Continues = source.reader(), job.Continues && follows
	result, err := t.Transcode(ctx, job)
	crash, crashed := t.casualty(ctx, err)
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
	if given {
		if job.Again == nil {
			return nil, err
		}
		if err := job.Again(); err != nil {
			return nil, err
		}
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
	t := s.current
	s.mu.Unlock()
	var next *Child
	switch {
	case t == nil || t.dead():
		if next, err = s.pool.Get(ctx); err != nil {
			return nil, false, err
		}
	default:
		why := t.Worn()
		if why == "" {
			break
		}
		if next = s.pool.spare(); next != nil { // without one the segment does not wait for it: the next one asks again
			s.log.Info("a media child is changed for a spare", "pid", t.Pid(), "because", why)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if next != nil {
		old := s.current
		t = &tenant{Child: next}
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
