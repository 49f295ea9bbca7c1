package fleet

import (
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

// duty is what a member last said of whether it works, with the times by this machine's clock.
type duty struct {
	protocol.Duty
	at       time.Time
	deadline time.Time
	begins   time.Time // of its next maintenance; zero: none is announced
	ends     time.Time
}

// state is what counts at now: one that is not said again counts no longer.
func (d duty) state(now time.Time) protocol.DutyState {
	if now.Sub(d.at) > protocol.DutyFor {
		return protocol.DutyReady
	}
	return d.Duty.State
}

// away reports announced maintenance that goes on, or ended less than grace ago.
func (d duty) away(now time.Time, grace time.Duration) bool {
	return !d.begins.IsZero() && !now.Before(d.begins) && now.Before(d.ends.Add(grace))
}

// Duty takes a transcoder's word on itself from the bus, and reports whether by that it begins to leave. Only of those that bid is
// anything kept.
func (f *Fleet) Duty(signed protocol.Signed[protocol.Duty]) (leaves bool) {
	d, err := signed.Open(f.cfg.Domain)
	if err != nil {
		f.cfg.Log.Debug("duty refused", "transcoder", signed.Message.Transcoder, "err", err)
		return false
	}
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.members[d.Transcoder]
	if m == nil || d.Sequence < m.duty.Sequence {
		return false
	}
	before := m.duty.state(now)
	if before != d.State && !(before == "" && d.State == protocol.DutyReady) {
		f.cfg.Log.Info("a transcoder's duty changed", "transcoder", d.Transcoder, "from", before, "to", d.State, "reason", d.Reason, "leases", d.Leases)
	}
	begins, ends := m.duty.begins, m.duty.ends
	m.duty = duty{Duty: d, at: now, deadline: now.Add(time.Duration(d.DeadlineMillis) * time.Millisecond)}
	switch {
	case d.WindowMillis == 0:
	case now.Sub(m.heard) >= f.cfg.Absent: // or a word would be enough to keep a place, and never a bid
		m.duty.begins, m.duty.ends = begins, ends
	default:
		m.duty.begins = now.Add(time.Duration(d.WindowInMillis) * time.Millisecond)
		m.duty.ends = m.duty.begins.Add(time.Duration(d.WindowMillis) * time.Millisecond)
	}
	return d.State.Leaving() && !before.Leaving()
}

// Leaving says why the leases of t are to be moved to others, if they are; forced, that they end also when nobody else can
// take them.
func (f *Fleet) Leaving(t common.Address) (reason string, leaving, forced bool) {
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.members[t]
	switch {
	case m == nil:
		return "", false, false
	case m.quarantine.stands(now):
		return "quarantined: " + m.quarantine.Reason, true, true
	case m.duty.state(now).Leaving():
		return string(m.duty.State) + ": " + string(m.duty.Reason), true, false
	}
	return "", false, false
}

// Until bounds a lease of t that is to last for so long: by its deadline when it leaves, and by its next maintenance.
func (f *Fleet) Until(t common.Address, long time.Duration) time.Duration {
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.members[t]
	if m == nil {
		return long
	}
	whole := long
	if !m.duty.state(now).Taking() {
		long = min(long, m.duty.deadline.Sub(now))
	}
	if !m.duty.begins.IsZero() && now.Before(m.duty.ends) {
		long = min(long, m.duty.begins.Sub(now))
	}
	if long == whole {
		return long
	}
	return long - margin
}

// margin is what a lease ends before the time that its holder has told, by which both clocks have begun it.
const margin = 250 * time.Millisecond

// Standing is what the API shows of a member's duty.
type Standing struct {
	State       protocol.DutyState  `json:"state"`
	Reason      protocol.DutyReason `json:"reason,omitempty"`
	Deadline    *time.Time          `json:"deadline,omitempty"`
	Maintenance *Maintenance        `json:"maintenance,omitempty"` // the next, or the one that goes on
}

// Maintenance is a window that was announced.
type Maintenance struct {
	Begins time.Time           `json:"begins"`
	Ends   time.Time           `json:"ends"`
	Reason protocol.DutyReason `json:"reason"`
}

func (d duty) standing(now time.Time) *Standing {
	if d.Sequence == 0 {
		return nil
	}
	s := &Standing{State: d.state(now)}
	if !s.State.Taking() {
		deadline := d.deadline
		s.Reason, s.Deadline = d.Reason, &deadline
	}
	if !d.begins.IsZero() && now.Before(d.ends) {
		s.Maintenance = &Maintenance{d.begins, d.ends, d.WindowReason}
	}
	if s.State.Taking() && s.Maintenance == nil {
		return nil
	}
	return s
}
