package api_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator/internal/dispatch"
	"github.com/kinora/kinora/orchestrator/internal/peertest"
)

// ready waits until somebody stands by with a parked slot, and returns the lease.
func (m *market) ready() (standby dispatch.LeaseView) {
	m.Helper()
	m.eventually("somebody stands by", func() bool {
		for _, l := range m.dispatcher.Leases() {
			if l.Standby && l.Parked > 0 {
				standby = l
				return true
			}
		}
		return false
	})
	return standby
}

func TestHedge_goesToWhoStandsByWithoutAnAuction(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	holder, second, third := m.join(peertest.Honest, 50), m.join(peertest.Honest, 60), m.join(peertest.Honest, 70)
	q := m.quote()
	m.push(m.offer(q, 0), bytes.NewReader(m.segments()[0].Bytes)).passed(m)
	standby := m.ready()
	if standby.Transcoder != second.Address() {
		t.Fatalf("%s stands by, want the runner-up", standby.Transcoder)
	}
	asked := func() int64 { return holder.Asked.Load() + second.Asked.Load() + third.Asked.Load() }
	before := asked()
	holder.Behave(peertest.Sleeper)
	began := time.Now()
	a := m.push(m.offer(q, 1), bytes.NewReader(m.segments()[1].Bytes)).passed(m)
	if got := a.start.Assignment.Message; got.Transcoder != second.Address() || got.Lease != standby.Lease {
		t.Errorf("hedged to %s under lease %s", got.Transcoder, got.Lease.Short())
	}
	if n := asked() - before; n != 0 {
		t.Errorf("%d offers were made before the hedge could begin", n)
	}
	t.Logf("done %s after it was pushed", time.Since(began))
	for _, l := range m.dispatcher.Leases() {
		if l.Lease == standby.Lease && l.Standby {
			t.Error("it still stands by")
		}
	}
}

func TestHandOver_goesToWhoStandsByWithoutAnAuction(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	holder, second := m.join(peertest.Honest, 50), m.join(peertest.Honest, 60)
	q := m.quote()
	m.push(m.offer(q, 0), bytes.NewReader(m.segments()[0].Bytes)).passed(m)
	standby := m.ready()
	asked := second.Asked.Load()
	holder.Behave(peertest.Quitter)
	r := m.push(m.offer(q, 1), bytes.NewReader(m.segments()[1].Bytes))
	if a := r.passed(m); a.start.Assignment.Message.Lease != standby.Lease || second.Asked.Load() != asked {
		t.Errorf("handed over under lease %s, want %s", a.start.Assignment.Message.Lease.Short(), standby.Lease.Short())
	}
}

func TestHedge_neverGoesToTheOwnerOfTheStraggler(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	owner := func(o *peertest.Options) { o.Owner = common.HexToAddress("0x0a11ce") }
	holder, sister, other := m.join(peertest.Honest, 50, owner), m.join(peertest.Honest, 60, owner), m.join(peertest.Honest, 70)
	m.eventually("their owner is known", func() bool {
		a, b := m.fleet.Owned(holder.Address()), m.fleet.Owned(sister.Address())
		return a.Owner != "" && a.Owner == b.Owner
	})
	q := m.quote()
	m.push(m.offer(q, 0), bytes.NewReader(m.segments()[0].Bytes)).passed(m)
	if l := m.ready(); l.Transcoder != other.Address() {
		t.Errorf("%s stands by for its sister", l.Transcoder)
	}
	other.Behave(peertest.Decliner)
	holder.Behave(peertest.Sleeper)
	sister.Behave(peertest.Sleeper)
	o := m.offer(q, 1, other.Address()) // whom the payer will not have: only its sister is left
	o.BudgetMillis = 1500
	if r := m.push(o, bytes.NewReader(m.segments()[1].Bytes)); r.code() != protocol.DeadlineExceeded {
		t.Errorf("problem %s", protocol.Encode(r.problem))
	}
	if n := sister.Tries.Load(); n != 0 {
		t.Errorf("the straggler's sister was given %d attempts", n)
	}
}

func TestHandOver_toOneWhoseRoomIsTakenMeanwhileGoesOnToTheNextAndBlamesNobody(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	holder, crowded, third := m.join(peertest.Honest, 50), m.join(peertest.Crowded, 60), m.join(peertest.Honest, 70)
	q := m.quote()
	m.push(m.offer(q, 0), bytes.NewReader(m.segments()[0].Bytes)).passed(m)
	if l := m.ready(); l.Transcoder != crowded.Address() {
		t.Fatalf("%s stands by", l.Transcoder)
	}
	before := m.member(crowded.Address()).Quality
	holder.Behave(peertest.Quitter)
	if a := m.push(m.offer(q, 1), bytes.NewReader(m.segments()[1].Bytes)).passed(m); a.start.Assignment.Message.Transcoder != third.Address() {
		t.Errorf("released as %s made it", a.start.Assignment.Message.Transcoder)
	}
	if crowded.Tries.Load() != 1 {
		t.Errorf("it had %d attempts", crowded.Tries.Load())
	}
	if after := m.member(crowded.Address()).Quality; after < before {
		t.Errorf("that its room was taken counts against it: %d after %d", after, before)
	}
	m.eventually("its lease is over", func() bool { return crowded.Open() == 0 })
}

func TestStandby_thatParksNoSlotIsReplaced(t *testing.T) {
	t.Parallel()
	m := newMarket(t, func(c *dispatch.Config) { c.SlotTimeout = 500 * time.Millisecond })
	m.join(peertest.Honest, 50)
	m.join(peertest.Absent, 60)
	third := m.join(peertest.Honest, 70)
	m.push(m.offer(m.quote(), 0), bytes.NewReader(m.segments()[0].Bytes)).passed(m)
	if l := m.ready(); l.Transcoder != third.Address() {
		t.Errorf("%s stands by", l.Transcoder)
	}
}

func TestStandby_endsWithItsStream(t *testing.T) {
	t.Parallel()
	m := newMarket(t, func(c *dispatch.Config) { c.IdleLease = time.Second })
	m.join(peertest.Honest, 50)
	second := m.join(peertest.Honest, 60)
	m.push(m.offer(m.quote(), 0), bytes.NewReader(m.segments()[0].Bytes)).passed(m)
	m.ready()
	m.eventually("an idle stream keeps nobody", func() bool { return len(m.dispatcher.Leases()) == 0 && second.Open() == 0 })
}
