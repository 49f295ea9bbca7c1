package stream

import (
	"sync"
	"time"

	"github.com/kinora/kinora/broadcaster/internal/store"
	"github.com/kinora/kinora/internal/protocol"
)

// Spend keeps the caps on what this broadcaster may spend. What is in flight counts in full until it is settled, so the
// caps hold whatever happens. Safe for concurrent use.
type Spend struct {
	perHour, total protocol.Wei

	mu     sync.Mutex
	spent  protocol.Wei
	recent []store.Spent // of the last hour, oldest first
	held   protocol.Wei
}

// NewSpend continues from what the store says was spent.
func NewSpend(perHour, total, spent protocol.Wei, recent []store.Spent) *Spend {
	return &Spend{perHour: perHour, total: total, spent: spent, recent: recent}
}

// Hold reserves budget until settle, which says what was really spent. SpendCapReached names the cap in the way.
func (s *Spend) Hold(budget protocol.Wei, now time.Time) (settle func(fee protocol.Wei, now time.Time), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hour := s.hour(now)
	want := s.held.Add(budget)
	if s.total.Less(s.spent.Add(want)) {
		return nil, protocol.Limited(protocol.SpendCapReached, "spend-total", s.total,
			"%s wei were spent and %s are in flight; another %s would pass the total cap of %s", s.spent, s.held, budget, s.total)
	}
	if s.perHour.Less(hour.Add(want)) {
		return nil, protocol.Limited(protocol.SpendCapReached, "spend-per-hour", s.perHour,
			"%s wei were spent within the hour and %s are in flight; another %s would pass the hourly cap of %s", hour, s.held, budget, s.perHour)
	}
	s.held = want
	var once sync.Once
	return func(fee protocol.Wei, now time.Time) {
		once.Do(func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.held = s.held.Sub(budget)
			if !fee.IsZero() {
				s.spent = s.spent.Add(fee)
				s.recent = append(s.recent, store.Spent{At: now, Fee: fee})
			}
		})
	}, nil
}

// hour is what was spent in the hour before now. s.mu is held.
func (s *Spend) hour(now time.Time) protocol.Wei {
	for len(s.recent) > 0 && now.Sub(s.recent[0].At) > time.Hour {
		s.recent = s.recent[1:]
	}
	var sum protocol.Wei
	for _, r := range s.recent {
		sum = sum.Add(r.Fee)
	}
	return sum
}

// Totals are what was spent: ever, within the last hour, and what is in flight; and the caps.
func (s *Spend) Totals(now time.Time) (spent, hour, held, perHour, total protocol.Wei) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spent, s.hour(now), s.held, s.perHour, s.total
}
