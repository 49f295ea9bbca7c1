package bidder_test

import (
	"testing"
	"time"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/transcoder/internal/bidder"
	"github.com/kinora/kinora/transcoder/internal/encode/encodetest"
)

// standby has a lease stand by, and waits until its slot is parked.
func (m *market) standby(t *testing.T) (protocol.Award, *encodetest.Slot) {
	t.Helper()
	award, offer := m.offer(m.any(t))
	offer.Standby = true
	answer, code := m.send(t, award, offer)
	if code != "" {
		t.Fatal(code)
	}
	if p := answer.Params.Message; p.Payer != award.Payer || p.FaceValue.Less(award.MaxFee) {
		t.Errorf("parameters %+v", p)
	}
	return award, m.peer.Slot(t)
}

func TestStandby_holdsNothingButASlotUntilItsFirstAttempt(t *testing.T) {
	t.Parallel()
	m := newMarket(t, nil)
	award, slot := m.standby(t)
	m.free(t, 2*work)
	if n := m.peer.Parked(); n != 1 {
		t.Errorf("%d slots are parked, want one", n)
	}
	m.peer.Start(t, slot, m.peer.Assign(award, 1), false)
	if out := slot.Run(t, []byte("segment")); out.Receipt == nil {
		t.Fatalf("%+v, %v", out.Abandoned, out.Err)
	}
	m.free(t, work) // now it is a lease like any other
	m.peer.Slot(t)
	m.peer.Slot(t)
	if code := m.lease(t, protocol.LeaseRequest{Lease: award.Lease, Serial: 1}); code != "" {
		t.Fatal(code)
	}
	m.free(t, 2*work)
}

func TestStandby_declinesItsFirstAttemptWhereTheRoomIsTaken(t *testing.T) {
	t.Parallel()
	m := newMarket(t, nil)
	award, slot := m.standby(t)
	for range 2 {
		other, offer := m.offer(m.any(t))
		if _, code := m.send(t, other, offer); code != "" {
			t.Fatalf("a lease that stands by keeps out another: %s", code)
		}
	}
	m.free(t, 0)
	m.peer.Start(t, slot, m.peer.Assign(award, 1), false)
	if out := slot.Run(t, []byte("segment")); out.Abandoned == nil || out.Abandoned.Code != protocol.NoCapacity {
		t.Errorf("%+v, %v", out.Abandoned, out.Err)
	}
	third, offer := m.offer(m.any(t))
	offer.Standby = true
	if _, code := m.send(t, third, offer); code != protocol.NoCapacity {
		t.Errorf("a full machine stands by: %q", code)
	}
}

func TestStandby_ofWhichThereAreManyLeavesRoomForWork(t *testing.T) {
	t.Parallel()
	m := newMarket(t, nil)
	b := m.any(t)
	for n := 0; ; n++ {
		award, offer := m.offer(b)
		offer.Standby = true
		if _, code := m.send(t, award, offer); code == protocol.RateLimited && n > 1 {
			break
		} else if code != "" {
			t.Fatalf("standby %d: %s", n, code)
		}
	}
	award, offer := m.offer(b)
	if _, code := m.send(t, award, offer); code != "" {
		t.Errorf("a lease that is needed now is declined: %s", code)
	}
}

func TestStandby_staysWhileItIsRenewedThoughNothingComes(t *testing.T) {
	t.Parallel()
	m := newMarket(t, func(c *bidder.Config) { c.Idle = time.Millisecond })
	award, offer := m.offer(m.any(t))
	award.LeaseMillis, offer.Standby = 1500, true
	if _, code := m.send(t, award, offer); code != "" {
		t.Fatal(code)
	}
	m.peer.Slot(t)
	for serial := uint64(1); serial <= 3; serial++ {
		m.any(t)
		if code := m.lease(t, protocol.LeaseRequest{Lease: award.Lease, ExtendMillis: 1500, Serial: serial}); code != "" {
			t.Fatalf("renewal %d: %s", serial, code)
		}
	}
	encodetest.Eventually(t, "it lapses when nobody renews it", func() bool { return m.bidder.Leases() == 0 })
}
