package payment

import (
	"sync"
	"time"

	"github.com/kinora/kinora/internal/protocol"
)

// Caps bound what is spent on tickets. Zero is no bound.
type Caps struct {
	Hour      protocol.Wei // within any hour
	Day       protocol.Wei // within any 24 hours
	StreamDay protocol.Wei // on one stream within any 24 hours
	Total     protocol.Wei // ever
}

// Spent is what a stream cost: at one time, or within a minute.
type Spent struct {
	At     time.Time
	Stream string
	Fee    protocol.Wei
}

// Spend keeps the caps on what a payer may spend. What is in flight counts in full until it is settled, so the caps hold
// whatever happens. Safe for concurrent use.
type Spend struct {
	caps Caps

	mu     sync.Mutex
	spent  protocol.Wei
	held   protocol.Wei
	hour   window
	day    window
	byName map[string]*named
}

type named struct {
	held protocol.Wei
	day  window
}

// window is what was spent within a time, oldest first, in entries of up to a minute.
type window struct {
	length  time.Duration
	entries []entry
	sum     protocol.Wei
}

type entry struct {
	first, last time.Time
	fee         protocol.Wei
}

// add counts a fee. It goes on counting until all of its minute is older than the window, so never too little.
func (w *window) add(fee protocol.Wei, now time.Time) {
	if n := len(w.entries) - 1; n >= 0 && now.Sub(w.entries[n].first) < time.Minute {
		w.entries[n].fee = w.entries[n].fee.Add(fee)
		if w.entries[n].last.Before(now) { // else of another clock, or noted late
			w.entries[n].last = now
		}
	} else {
		w.entries = append(w.entries, entry{now, now, fee})
	}
	w.sum = w.sum.Add(fee)
}

func (w *window) spent(now time.Time) protocol.Wei {
	for len(w.entries) > 0 && now.Sub(w.entries[0].last) > w.length {
		w.sum = w.sum.Sub(w.entries[0].fee)
		w.entries = w.entries[1:]
	}
	return w.sum
}

// NewSpend continues from what the store says was spent: ever, and within the last day.
func NewSpend(caps Caps, spent protocol.Wei, recent []Spent) *Spend {
	s := &Spend{caps: caps, hour: window{length: time.Hour}, day: window{length: 24 * time.Hour}, byName: map[string]*named{}}
	for _, r := range recent {
		s.note(r.Stream, r.Fee, r.At)
	}
	s.spent = spent
	return s
}

// Note counts what another replica spent. In between, a cap can be passed by what others have in flight.
func (s *Spend) Note(stream string, fee protocol.Wei, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(stream, fee, at)
}

func (s *Spend) note(stream string, fee protocol.Wei, at time.Time) {
	s.spent = s.spent.Add(fee)
	s.hour.add(fee, at)
	s.day.add(fee, at)
	s.of(stream).day.add(fee, at)
}

func (s *Spend) of(stream string) *named {
	n := s.byName[stream]
	if n == nil {
		n = &named{day: window{length: 24 * time.Hour}}
		s.byName[stream] = n
	}
	return n
}

// Hold reserves budget for a segment of a stream until settle, which says what was really spent. SpendCapReached names the
// cap in the way.
func (s *Spend) Hold(stream string, budget protocol.Wei, now time.Time) (settle func(fee protocol.Wei, now time.Time), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(now)
	own := s.of(stream)
	for _, c := range s.bounds(stream, own, now) {
		if !c.cap.IsZero() && c.cap.Less(c.spent.Add(c.held).Add(budget)) {
			return nil, protocol.Limited(protocol.SpendCapReached, c.flag, c.cap,
				"%s wei were spent %s and %s are in flight; another %s would pass the cap of %s", c.spent, c.what, c.held, budget, c.cap)
		}
	}
	s.held, own.held = s.held.Add(budget), own.held.Add(budget)
	var once sync.Once
	return func(fee protocol.Wei, now time.Time) {
		once.Do(func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.held, own.held = s.held.Sub(budget), own.held.Sub(budget)
			if !fee.IsZero() {
				s.note(stream, fee, now)
			}
		})
	}, nil
}

// bound is one cap and what counts against it.
type bound struct {
	flag, what  string
	cap         protocol.Wei
	spent, held protocol.Wei
}

// bounds are the caps on a stream. s.mu is held.
func (s *Spend) bounds(stream string, own *named, now time.Time) []bound {
	return []bound{
		{"spend-total", "ever", s.caps.Total, s.spent, s.held},
		{"spend-per-hour", "within the hour", s.caps.Hour, s.hour.spent(now), s.held},
		{"spend-per-day", "within a day", s.caps.Day, s.day.spent(now), s.held},
		{"spend-per-stream", "on stream " + stream + " within a day", s.caps.StreamDay, own.day.spent(now), own.held},
	}
}

// Left is the most that a segment of a stream may cost now; bounded is false where there is no cap.
func (s *Spend) Left(stream string, now time.Time) (left protocol.Wei, bounded bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.bounds(stream, s.of(stream), now) {
		if b.cap.IsZero() {
			continue
		}
		free := b.cap.Sub(b.spent.Add(b.held).Min(b.cap))
		if !bounded || free.Less(left) {
			left, bounded = free, true
		}
	}
	return left, bounded
}

// Near names the caps of which four fifths and more are spent.
func (s *Spend) Near(stream string, now time.Time) (flags []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.bounds(stream, s.of(stream), now) {
		if !b.cap.IsZero() && !b.spent.Mul(5).Less(b.cap.Mul(4)) {
			flags = append(flags, b.flag)
		}
	}
	return flags
}

// forget drops streams of which nothing counts any more, once there are many. s.mu is held.
func (s *Spend) forget(now time.Time) {
	if len(s.byName) < 1024 {
		return
	}
	for name, n := range s.byName {
		if n.held.IsZero() && n.day.spent(now).IsZero() {
			delete(s.byName, name)
		}
	}
}

// Spending is what was spent, in wei, and the caps on it; a cap of 0 is none.
type Spending struct {
	Total     protocol.Wei `json:"total"`
	Hour      protocol.Wei `json:"hour"`
	Day       protocol.Wei `json:"day"`
	StreamDay protocol.Wei `json:"stream_day"` // of the stream on which most was spent within a day
	InFlight  protocol.Wei `json:"in_flight"`
	TotalCap  protocol.Wei `json:"total_cap"`
	HourCap   protocol.Wei `json:"hour_cap"`
	DayCap    protocol.Wei `json:"day_cap"`
	StreamCap protocol.Wei `json:"stream_cap"` // on one stream within a day
}

// Totals are what was spent by now.
func (s *Spend) Totals(now time.Time) Spending {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := Spending{Total: s.spent, Hour: s.hour.spent(now), Day: s.day.spent(now), InFlight: s.held,
		TotalCap: s.caps.Total, HourCap: s.caps.Hour, DayCap: s.caps.Day, StreamCap: s.caps.StreamDay}
	for _, n := range s.byName {
		if day := n.day.spent(now); t.StreamDay.Less(day) {
			t.StreamDay = day
		}
	}
	return t
}
