package fleet_test

import (
	"testing"
	"time"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator/internal/fleet"
)

func (f *fixture) says(k *protocol.KeySigner, d protocol.Duty) (leaves bool) {
	f.Helper()
	d.Transcoder = k.Address()
	signed, err := protocol.Seal(domain, k, d)
	if err != nil {
		f.Fatal(err)
	}
	return f.Duty(signed)
}

func TestPlace_isKeptDuringAnnouncedMaintenance(t *testing.T) {
	t.Parallel()
	f := open(t, func(c *fleet.Config) { c.Absent, c.FundEvery = time.Second, time.Millisecond })
	away, gone, waits := key(t), key(t), key(t)
	f.bid(away, 1, 1e9, 100)
	f.bid(gone, 1, 1e9, 100)
	f.eventually("two are allocated", func() bool { _, n := f.Backlog(); return n == 2 })
	f.says(away, protocol.Duty{State: protocol.DutyDrained, Reason: protocol.ForMaintenance, Sequence: 2, WindowMillis: 3_600_000, WindowReason: protocol.ForMaintenance})
	sequence := uint64(1)
	f.eventually("a place is given on", func() bool {
		sequence++
		f.bid(waits, sequence, 1e9, 100)
		return f.reason(waits.Address()) == ""
	})
	if a, b := f.reason(away.Address()), f.reason(gone.Address()); a != "" || b != auction.NotAllocated {
		t.Errorf("the one in maintenance: %q, the one that is gone: %q", a, b)
	}
}

func TestDuty_boundsLeasesAndIsNobodyElsesToSay(t *testing.T) {
	t.Parallel()
	f := open(t)
	k := key(t)
	f.bid(k, 1, 1e9, 100)
	a := k.Address()
	if until := f.Until(a, time.Minute); until != time.Minute {
		t.Errorf("a lease of one that said nothing lasts %s", until)
	}
	f.says(k, protocol.Duty{State: protocol.DutyReady, Sequence: 5, WindowInMillis: 20_000, WindowMillis: 60_000, WindowReason: protocol.ForUpgrade})
	if until := f.Until(a, time.Minute); until > 20*time.Second || until < 15*time.Second {
		t.Errorf("a lease before maintenance in 20 s lasts %s", until)
	}
	if _, leaving, _ := f.Leaving(a); leaving {
		t.Error("it is ready, and is said to leave")
	}
	leaves := protocol.Duty{State: protocol.DutyHandingOver, Reason: protocol.ForHeat, DeadlineMillis: 10_000, Sequence: 6}
	if f.Duty(protocol.Signed[protocol.Duty]{Message: protocol.Duty{Transcoder: a, State: protocol.DutyHandingOver, Sequence: 6}}) {
		t.Error("it begins to leave by a forged word")
	}
	if !f.says(k, leaves) || f.says(k, leaves) {
		t.Error("it does not begin to leave once")
	}
	if reason, leaving, forced := f.Leaving(a); !leaving || forced || reason != "handing-over: heat" {
		t.Errorf("it leaves %v, forced %v: %q", leaving, forced, reason)
	}
	if until := f.Until(a, time.Minute); until > 10*time.Second {
		t.Errorf("a lease of one that is cut off in 10 s lasts %s", until)
	}
	f.says(k, protocol.Duty{State: protocol.DutyReady, Sequence: 5}) // recorded, and said once more by somebody
	if _, leaving, _ := f.Leaving(a); !leaving {
		t.Error("an old word counts")
	}
	forged, err := protocol.Seal(domain, key(t), protocol.Duty{Transcoder: a, State: protocol.DutyReady, Sequence: 9})
	if err == nil {
		t.Fatal("somebody else's key seals it")
	}
	forged = protocol.Signed[protocol.Duty]{Message: protocol.Duty{Transcoder: a, State: protocol.DutyReady, Sequence: 9}}
	f.Duty(forged)
	if _, leaving, _ := f.Leaving(a); !leaving {
		t.Error("a forged word counts")
	}
}
