package fleet_test

import (
	"testing"
	"time"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
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
	f := open(t, func(c *fleet.Config) { c.Absent, c.FundEvery, c.MaxMembers = time.Second, time.Millisecond, 3 })
	away, gone, idle, waits := key(t), key(t), key(t), key(t)
	sequence := uint64(0)
	bid := func(all ...*protocol.KeySigner) {
		sequence++
		for _, k := range all {
			f.bid(k, sequence, 1e9, 100)
		}
	}
	f.eventually("three are allocated", func() bool { bid(away, gone, idle); _, n := f.Backlog(); return n == 3 })
	for _, k := range []*protocol.KeySigner{away, gone} {
		address, record := k.Address(), verify.Record{Passed: 1, State: verify.New}
		if _, err := f.store.Pool().Exec(t.Context(), `UPDATE transcoders SET record = $2 WHERE address = $1`, address[:], protocol.Encode(record)); err != nil {
			t.Fatal(err)
		}
		f.eventually("its output is known", func() bool { bid(away, gone, idle); return f.Record(address) == record })
	}
	maintenance := protocol.Duty{State: protocol.DutyDrained, Reason: protocol.ForMaintenance, Sequence: sequence, WindowMillis: 3_600_000, WindowReason: protocol.ForMaintenance}
	f.says(away, maintenance)
	f.says(idle, maintenance)
	f.eventually("those that are gone lose their places", func() bool {
		bid(waits)
		return f.reason(waits.Address()) == "" && f.reason(gone.Address()) == auction.NotAllocated && f.reason(idle.Address()) == auction.NotAllocated
	})
	if r := f.reason(away.Address()); r != "" {
		t.Errorf("the one in maintenance: %q", r)
	}
	for _, k := range []*protocol.KeySigner{away, idle} { // once more, without a bid
		maintenance.WindowInMillis = 7_200_000
		f.says(k, maintenance)
	}
	for _, x := range f.Members() {
		if d := x.Duty; x.Address == away.Address() && (d == nil || d.Maintenance == nil || time.Until(d.Maintenance.Begins) > 0) {
			t.Errorf("one that does not bid moves its maintenance: %+v", d)
		}
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
