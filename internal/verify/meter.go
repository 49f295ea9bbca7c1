package verify

import (
	"cmp"
	"context"
	"log/slog"
	"runtime"
	"slices"
	"sync"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/protocol"
)

// maxIdle is how many media children a Meter keeps that have nothing to do.
const maxIdle = 6

// Meter lends media children to deep checks and keeps them warm between. A child is lent to one party's bytes for all its
// life: one that was taken over by what it parsed cannot speak about anybody else's.
type Meter struct {
	pool *media.Pool
	log  *slog.Logger

	encodes chan struct{} // holds one token for each encode of our own

	mu     sync.Mutex
	lent   map[string]*lent // by party
	uses   uint64
	closed bool
}

// lent is one party's child. The Meter's mutex guards it, but child and err, which are set when ready is closed.
type lent struct {
	party string
	users int
	last  uint64 // when it was last given back, in uses of the Meter
	gone  bool   // not in the map any more: closed by its last user
	ready chan struct{}
	child *media.Child
	err   error
}

// NewMeter takes children from pool, which stays the caller's to close after the Meter.
func NewMeter(pool *media.Pool, log *slog.Logger) *Meter {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Meter{pool: pool, log: log, encodes: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), lent: make(map[string]*lent)}
}

// borrow returns a child that has seen no bytes but party's.
func (m *Meter) borrow(ctx context.Context, party string) (*lent, error) {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return nil, protocol.Errorf(protocol.Unavailable, "the meter is closed")
	}
	l := m.lent[party]
	if l != nil && l.dead() {
		m.drop(l)
		l = nil
	}
	if l == nil {
		l = &lent{party: party, ready: make(chan struct{})}
		m.lent[party] = l
		go func() {
			l.child, l.err = m.pool.Get(context.WithoutCancel(ctx))
			close(l.ready)
		}()
	}
	l.users++
	m.mu.Unlock()
	select {
	case <-l.ready:
		if l.err != nil {
			m.giveBack(l, false)
			return nil, l.err
		}
		return l, nil
	case <-ctx.Done():
		m.giveBack(l, true)
		return nil, contextError(ctx.Err())
	}
}

// dead reports a child that cannot be used; m.mu is held.
func (l *lent) dead() bool {
	select {
	case <-l.ready:
	default:
		return false
	}
	if l.err != nil {
		return true
	}
	select {
	case <-l.child.Done():
		return true
	default:
		return false
	}
}

// giveBack ends one use; keep is false when the child failed at it: then nobody new gets it.
func (m *Meter) giveBack(l *lent, keep bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.uses++
	l.users, l.last = l.users-1, m.uses
	if !keep || m.closed {
		m.drop(l)
		return
	}
	if l.gone && l.users == 0 {
		l.close()
	}
	var idle []*lent
	for _, l := range m.lent {
		if l.users == 0 {
			idle = append(idle, l)
		}
	}
	if len(idle) > maxIdle {
		m.drop(slices.MinFunc(idle, func(a, b *lent) int { return cmp.Compare(a.last, b.last) }))
	}
}

// drop takes l out of use and closes it once nobody uses it; m.mu is held.
func (m *Meter) drop(l *lent) {
	if m.lent[l.party] == l {
		delete(m.lent, l.party)
	}
	l.gone = true
	if l.users == 0 {
		l.close()
	}
}

// close ends the child without waiting for it.
func (l *lent) close() {
	go func() {
		<-l.ready
		if l.child != nil {
			_ = l.child.Close()
		}
	}()
}

// measure decodes what is on the tape and returns the luma grids of its pictures, or of a part of them.
func (m *Meter) measure(ctx context.Context, party string, t *tape, of media.MeasureOptions) (*media.Measurement, error) {
	of.Grid = true
	var got *media.Measurement
	err := m.with(ctx, party, func(c *media.Child) (err error) {
		got, err = c.Measure(ctx, t.reader(ctx), of)
		return err
	})
	return got, err
}

// with lets party's child do a job. A child that dies at it is replaced once: it may have been our own misfortune.
func (m *Meter) with(ctx context.Context, party string, job func(*media.Child) error) error {
	for try := 0; ; try++ {
		l, err := m.borrow(ctx, party)
		if err != nil {
			return err
		}
		err = job(l.child)
		m.giveBack(l, err == nil || ctx.Err() != nil)
		if err != nil && try == 0 && protocol.CodeOf(err) == protocol.ChildCrashed {
			m.log.Warn("a media child died at a check; trying again", "party", party, "err", err)
			continue
		}
		return err
	}
}

// Close ends the idle children; those at work end when their checks do.
func (m *Meter) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	for _, l := range m.lent {
		m.drop(l)
	}
	return nil
}
