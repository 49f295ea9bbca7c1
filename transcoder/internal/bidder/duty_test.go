package bidder_test

import (
	"context"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/transcoder/internal/bidder"
	"github.com/kinora/kinora/transcoder/internal/encode/encodetest"
	"github.com/kinora/kinora/transcoder/internal/store"
)

// duties collects what the transcoder says of itself.
func (m *market) duties(t *testing.T) func(what string, ok func(protocol.Duty) bool) protocol.Duty {
	t.Helper()
	said := make(chan protocol.Duty, 1000)
	if err := m.bus.SubscribeDuties(t.Context(), func(s protocol.Signed[protocol.Duty]) {
		d, err := s.Open(encodetest.Domain)
		if err != nil {
			t.Errorf("duty: %v", err)
		}
		said <- d
	}); err != nil {
		t.Fatal(err)
	}
	return func(what string, ok func(protocol.Duty) bool) protocol.Duty {
		t.Helper()
		timer := time.NewTimer(encodetest.Patience)
		defer timer.Stop()
		for {
			select {
			case d := <-said:
				if ok(d) {
					return d
				}
			case <-timer.C:
				t.Fatalf("it never said that it is %s; it is %+v", what, m.bidder.Duty())
			}
		}
	}
}

func in(state protocol.DutyState) func(protocol.Duty) bool {
	return func(d protocol.Duty) bool { return d.State == state }
}

func TestLeave_handsOverWhatItHoldsAndComesBack(t *testing.T) {
	t.Parallel()
	m := newMarket(t, nil)
	said := m.duties(t)
	award, offer := m.offer(m.any(t))
	if _, code := m.send(t, award, offer); code != "" {
		t.Fatal(code)
	}
	slot := m.peer.Slot(t)
	m.peer.Start(t, slot, m.peer.Assign(award, 1), false)
	slot.Source(t, []byte("so"))

	// With patience it serves on, takes nothing new, and says until when.
	if err := m.bidder.Leave(bidder.Order{Reason: protocol.ForHeat, Patience: time.Hour, Deadline: 2 * time.Hour}); err != nil {
		t.Fatal(err)
	}
	d := said("draining", in(protocol.DutyDraining))
	if d.Reason != protocol.ForHeat || d.Leases != 1 || d.DeadlineMillis < 7_100_000 || d.DeadlineMillis > 7_200_000 {
		t.Errorf("it says %+v", d)
	}
	own := m.bidder.Duty()
	if own.State != protocol.DutyDraining || own.Leases != 1 || own.ETAMillis < 3_500_000 || own.HandOver == nil || own.Deadline == nil {
		t.Errorf("its duty is %+v", own)
	}
	b := m.free(t, 0)
	next, nextOffer := m.offer(b)
	if _, code := m.send(t, next, nextOffer); code != protocol.Draining {
		t.Errorf("an award while draining: %q, want %q", code, protocol.Draining)
	}
	if code := m.lease(t, protocol.LeaseRequest{Lease: award.Lease, ExtendMillis: 60_000, Serial: 1}); code != "" {
		t.Errorf("a renewal that ends before the deadline: %q", code)
	}

	// Then what it holds is to be moved, and nothing is renewed beyond the deadline.
	if err := m.bidder.Leave(bidder.Order{Reason: protocol.ForUser, Deadline: 30 * time.Second}); err != nil {
		t.Fatal(err)
	}
	if d := said("handing over", in(protocol.DutyHandingOver)); d.Reason != protocol.ForHeat || d.DeadlineMillis > 30_000 {
		t.Errorf("it says %+v", d)
	}
	if code := m.lease(t, protocol.LeaseRequest{Lease: award.Lease, ExtendMillis: 60_000, Serial: 2}); code != protocol.Draining {
		t.Errorf("a renewal beyond the deadline: %q, want %q", code, protocol.Draining)
	}
	if code := m.lease(t, protocol.LeaseRequest{Lease: award.Lease, ExtendMillis: 5_000, Serial: 3}); code != "" {
		t.Errorf("a renewal while nobody else has taken it: %q", code)
	}

	// The orchestrator releases it with a segment still in work: that is finished.
	if code := m.lease(t, protocol.LeaseRequest{Lease: award.Lease, Serial: 4}); code != "" {
		t.Fatal(code)
	}
	slot.Source(t, []byte("urce"))
	slot.End(t, []byte("source"))
	if out := slot.Outcome(); out.Receipt == nil {
		t.Errorf("%+v, %v", out.Abandoned, out.Err)
	}
	said("drained", in(protocol.DutyDrained))

	if err := m.bidder.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	said("ready", in(protocol.DutyReady))
	m.free(t, 2*work)
	var states []protocol.DutyState
	for _, turn := range m.bidder.Duty().History {
		states = append(states, turn.State)
	}
	want := []protocol.DutyState{"ready", "cordoned", "draining", "handing-over", "drained", "ready"}
	if len(states) != len(want) {
		t.Fatalf("it went through %v, want %v", states, want)
	}
	for i := range want {
		if states[i] != want[i] {
			t.Fatalf("it went through %v, want %v", states, want)
		}
	}
	m.stop()
	if err := m.bidder.Resume(t.Context()); protocol.CodeOf(err) != protocol.Draining {
		t.Errorf("resumed after it stopped: %v", err)
	}
}

func TestResume_givesLeasesTheirTimeBack(t *testing.T) {
	t.Parallel()
	m := newMarket(t, nil)
	award, offer := m.offer(m.any(t))
	if _, code := m.send(t, award, offer); code != "" {
		t.Fatal(code)
	}
	slot := m.peer.Slot(t)
	m.peer.Start(t, slot, m.peer.Assign(award, 1), false)
	slot.Source(t, []byte("goes on"))
	encodetest.Eventually(t, "a slot is in use and two are parked", func() bool { return m.peer.Parked() == 3 })
	const long = 5 * time.Second
	if err := m.bidder.Leave(bidder.Order{Reason: protocol.ForHeat, Patience: long, Deadline: long}); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(long)
	for range 3 { // heartbeats, with each of which leases that are over end
		m.free(t, 0)
	}
	if err := m.bidder.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.bid(t, "of after what was the deadline", func(protocol.Bid) bool { return time.Since(deadline) > 2*bidder.Heartbeat })
	if code := m.lease(t, protocol.LeaseRequest{Lease: award.Lease, ExtendMillis: 60_000, Serial: 1}); code != "" {
		t.Errorf("the lease is cut off all the same: %q", code)
	}
}

func TestLeave_givesUpALeaseWhoseOrchestratorIsGone(t *testing.T) {
	t.Parallel()
	m := newMarket(t, nil)
	said := m.duties(t)
	award, offer := m.offer(m.any(t))
	if _, code := m.send(t, award, offer); code != "" {
		t.Fatal(code)
	}
	if err := m.bidder.Leave(bidder.Order{Reason: protocol.ForUser, Deadline: time.Hour}); err != nil {
		t.Fatal(err)
	}
	said("drained", in(protocol.DutyDrained)) // nobody releases it
}

func TestAnnounce_leavesForTheWindowAndReturnsAfterIt(t *testing.T) {
	t.Parallel()
	m := newMarket(t, func(c *bidder.Config) { c.Lead = 500 * time.Millisecond })
	said := m.duties(t)
	b := m.any(t)
	award, offer := m.offer(b)
	if _, code := m.send(t, award, offer); code != "" {
		t.Fatal(code)
	}
	now := time.Now()
	w := store.Window{ID: protocol.NewID(), Begins: now.Add(4 * time.Second), Ends: now.Add(6 * time.Second), Reason: protocol.ForMaintenance}
	later := store.Window{ID: protocol.NewID(), Begins: now.Add(time.Hour), Ends: now.Add(2 * time.Hour), Reason: protocol.ForUpgrade}
	for _, x := range []store.Window{later, w} {
		if err := m.bidder.Announce(t.Context(), x); err != nil {
			t.Fatal(err)
		}
	}
	ahead := said("ready, with maintenance ahead", func(d protocol.Duty) bool { return d.WindowReason == protocol.ForMaintenance })
	if ahead.State != protocol.DutyReady && ahead.WindowInMillis > 500 || ahead.WindowInMillis > 4000 || ahead.WindowMillis != 2000 && ahead.WindowInMillis > 0 {
		t.Errorf("it says %+v", ahead)
	}
	if code := m.lease(t, protocol.LeaseRequest{Lease: award.Lease, ExtendMillis: 30_000, Serial: 1}); code != protocol.Draining {
		t.Errorf("a renewal into the window: %q, want %q", code, protocol.Draining)
	}
	if d := said("handing over", in(protocol.DutyHandingOver)); d.Reason != protocol.ForMaintenance {
		t.Errorf("it says %+v", d)
	}
	said("drained", in(protocol.DutyDrained))
	if d := m.bidder.Duty(); d.Returns == nil || d.Returns.UnixMilli() != w.Ends.UnixMilli() {
		t.Errorf("it returns at %v", d.Returns)
	}
	back := said("back", in(protocol.DutyReady))
	if time.Now().Before(w.Ends) || back.WindowReason != protocol.ForUpgrade {
		t.Errorf("back before its window is over, or with %+v ahead", back)
	}
	m.free(t, 2*work)
	kept, err := m.store.Windows(context.Background(), time.Now())
	if err != nil || len(kept) != 1 || kept[0].ID != later.ID {
		t.Errorf("on disk: %+v, %v", kept, err)
	}
	if err := m.bidder.Cancel(t.Context(), later.ID); err != nil {
		t.Error(err)
	}
	if err := m.bidder.Cancel(t.Context(), later.ID); protocol.CodeOf(err) != protocol.NotFound {
		t.Errorf("cancelled twice: %v", err)
	}
	for name, bad := range map[string]store.Window{
		"without a reason": {Begins: now.Add(time.Hour), Ends: now.Add(2 * time.Hour)},
		"of no length":     {Begins: now.Add(time.Hour), Ends: now.Add(time.Hour), Reason: protocol.ForHeat},
		"long over":        {Begins: now.Add(-2 * time.Hour), Ends: now.Add(-time.Hour), Reason: protocol.ForHeat},
		"too far ahead":    {Begins: now.Add(2 * protocol.MaxWindowIn), Ends: now.Add(2*protocol.MaxWindowIn + 1), Reason: protocol.ForHeat},
		"too long":         {Begins: now, Ends: now.Add(2 * protocol.MaxWindow), Reason: protocol.ForHeat},
	} {
		if err := m.bidder.Announce(t.Context(), bad); protocol.CodeOf(err) != protocol.BadRequest {
			t.Errorf("a window %s: %v", name, err)
		}
	}
}
