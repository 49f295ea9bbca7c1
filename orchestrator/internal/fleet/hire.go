package fleet

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/verify"
)

// strangers is how long after its last bid a key that was never hired is remembered.
const strangers = 30 * time.Second

func (f *Fleet) hireLoop(ctx context.Context) {
	topUp := time.NewTicker(f.cfg.TopUp)
	defer topUp.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.wake:
			f.hire(ctx, false)
		case <-topUp.C:
			f.hire(ctx, true)
		}
	}
}

// hire gives the free places to those that wait, and with all also looks after the allocations of those that have one.
func (f *Fleet) hire(ctx context.Context, all bool) {
	staff, next := f.places(time.Now(), all)
	for _, t := range append(staff, next...) {
		if ctx.Err() != nil {
			return
		}
		if err := f.enter(ctx, t); err != nil {
			f.cfg.Log.Warn("cannot enter a transcoder", "transcoder", t, "err", err)
			continue
		}
		f.mu.Lock()
		m := f.members[t]
		may := m.Record.State != verify.CutOff && (m.funded || f.funds.Tokens() >= 1)
		f.mu.Unlock()
		if !may {
			continue
		}
		err := f.treasury.Ensure(ctx, t, f.cfg.Allocation)
		f.mu.Lock()
		m.refusal = ""
		switch {
		case err != nil:
			m.refusal = err.Error()
		case !m.allocated:
			f.seatLocked(m, true)
			m.hired = time.Now()
			f.rankLocked(t, m.hired)
		}
		if err == nil && !m.funded {
			m.funded = true
			f.funds.Allow() // counted once it has the money, so that a dry spell does not use up the turns
		}
		f.mu.Unlock()
		if err != nil && ctx.Err() == nil {
			f.cfg.Log.Warn("cannot allocate to a transcoder; it gets no lease until that works", "transcoder", t, "wei", f.cfg.Allocation, "err", err)
		}
	}
}

// places frees the places of those that are gone, and of those that never delivered while others wait, and returns who is
// next, by arrival, and with all who has one. Keys cost nothing: whoever only bids must not keep out those that would work.
func (f *Fleet) places(now time.Time, all bool) (staff, next []common.Address) {
	live := f.book.Live(now)
	f.mu.Lock()
	defer f.mu.Unlock()
	for t, m := range f.members {
		switch {
		case !m.allocated:
		case m.Record.State == verify.CutOff:
			f.seatLocked(m, false)
			f.rankLocked(t, now)
		case now.Sub(m.heard) >= f.cfg.Absent && (m.Record.Passed == 0 || !m.duty.away(now, f.cfg.Absent)): // announced maintenance costs nobody its place that has worked
			f.seatLocked(m, false)
			f.rankLocked(t, now)
			m.queued = time.Time{}
			f.cfg.Log.Info("the place of a transcoder that bids no more is free", "transcoder", t)
		}
		if !m.entered && !m.quarantine.stands(now) && now.Sub(m.heard) >= min(strangers, f.cfg.Absent) {
			f.seatLocked(m, false)
			delete(f.members, t)
			f.rankLocked(t, now)
		}
	}
	for _, s := range live {
		t := s.Bid.Message.Transcoder
		switch m := f.members[t]; {
		case m == nil, m.Record.State == verify.CutOff, now.Sub(m.heard) >= f.cfg.Absent:
		case m.allocated:
			staff = append(staff, t)
		default:
			next = append(next, t)
		}
	}
	if len(next) == 0 && !all {
		return nil, nil // most of the time, and awards wait for this lock
	}
	since := func(at func(*member) time.Time) func(a, b common.Address) int {
		return func(a, b common.Address) int {
			return cmp.Or(at(f.members[a]).Compare(at(f.members[b])), bytes.Compare(a[:], b[:]))
		}
	}
	slices.SortFunc(staff, since(func(m *member) time.Time { return m.hired }))
	slices.SortFunc(next, since(func(m *member) time.Time { return m.queued }))
	free := f.cfg.MaxMembers - f.hired
	turns := int(f.funds.Tokens())
	for _, t := range staff {
		m := f.members[t]
		if free >= min(len(next), turns) || now.Sub(m.hired) < f.cfg.Trial {
			break
		}
		if m.Record.Passed == 0 {
			f.seatLocked(m, false)
			m.queued = now
			free++
			f.cfg.Log.Info("a transcoder that has delivered nothing yields its place", "transcoder", t, "hired", m.hired)
		}
	}
	if !all {
		staff = nil
	}
	staff = slices.DeleteFunc(staff, func(t common.Address) bool { return !f.members[t].allocated })
	return staff, next[:max(0, min(free, len(next)))]
}

// enter makes sure that t, which is to be hired, has its row.
func (f *Fleet) enter(ctx context.Context, t common.Address) error {
	f.mu.Lock()
	m := f.members[t]
	entered := m.entered
	f.mu.Unlock()
	if entered {
		return nil
	}
	row, err := f.store.See(ctx, t)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	m.Transcoder, m.entered = row, true
	return nil
}

// seatLocked gives a member its place, or takes it.
func (f *Fleet) seatLocked(m *member, allocated bool) {
	switch {
	case allocated && !m.allocated:
		f.hired++
	case !allocated && m.allocated:
		f.hired--
	}
	m.allocated = allocated
	f.placeMemberLocked(m, time.Now())
}

// Backlog counts live, trusted bidders that wait for an allocation, and those that have one.
func (f *Fleet) Backlog() (waiting, allocated int) {
	live := f.book.Live(time.Now())
	f.mu.Lock()
	defer f.mu.Unlock()
	full := f.hired >= f.cfg.MaxMembers
	for _, s := range live {
		m := f.members[s.Bid.Message.Transcoder]
		switch {
		case m == nil:
			waiting++
		case m.allocated && m.entered && f.weighedLocked(m):
			allocated++
		case m.Record.State != verify.CutOff && !full:
			waiting++
		}
	}
	return waiting, allocated
}
