package verify

import (
	"context"
	"log/slog"
	"sync"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/protocol"
)

// maxIdle is how many media children a Meter keeps between checks.
const maxIdle = 6

// Meter lends media children to deep checks and keeps them warm between. A child is lent to one party's bytes for all its
// life: one that was taken over by what it parsed cannot speak about anybody else's.
type Meter struct {
	pool *media.Pool
	log  *slog.Logger

	mu     sync.Mutex
	idle   []lent // oldest first
	closed bool
}

type lent struct {
	*media.Child
	party string
}

// NewMeter takes children from pool, which stays the caller's to close after the Meter.
func NewMeter(pool *media.Pool, log *slog.Logger) *Meter {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Meter{pool: pool, log: log}
}

// borrow returns a child that has seen no bytes but party's.
func (m *Meter) borrow(ctx context.Context, party string) (lent, error) {
	for {
		m.mu.Lock()
		if m.closed {
			m.mu.Unlock()
			return lent{}, protocol.Errorf(protocol.Unavailable, "the meter is closed")
		}
		at := -1
		for i := range m.idle {
			if m.idle[i].party == party {
				at = i
			}
		}
		if at < 0 {
			m.mu.Unlock()
			c, err := m.pool.Get(ctx)
			return lent{c, party}, err
		}
		l := m.idle[at]
		m.idle = append(m.idle[:at:at], m.idle[at+1:]...)
		m.mu.Unlock()
		select {
		case <-l.Done(): // died while idle
			_ = l.Close()
		default:
			return l, nil
		}
	}
}

// giveBack keeps a child that did its work for the same party; keep is false for one that failed.
func (m *Meter) giveBack(l lent, keep bool) {
	var drop []lent
	m.mu.Lock()
	if keep && !m.closed {
		m.idle = append(m.idle, l)
		if len(m.idle) > maxIdle {
			drop = append(drop, m.idle[0])
			m.idle = append([]lent(nil), m.idle[1:]...)
		}
	} else {
		drop = append(drop, l)
	}
	m.mu.Unlock()
	for _, l := range drop {
		_ = l.Close()
	}
}

// Close ends the idle children; those at work end when their checks do.
func (m *Meter) Close() error {
	m.mu.Lock()
	m.closed = true
	idle := m.idle
	m.idle = nil
	m.mu.Unlock()
	for _, l := range idle {
		_ = l.Close()
	}
	return nil
}
