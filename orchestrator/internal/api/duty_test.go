package api_test

import (
	"bytes"
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/bus"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator/internal/dispatch"
	"github.com/kinora/kinora/orchestrator/internal/fleet"
	"github.com/kinora/kinora/orchestrator/internal/peertest"
	"github.com/kinora/kinora/orchestrator/internal/store"
)

// says has a peer publish its duty until the test ends, as a transcoder that leaves does.
func (m *market) says(p *peertest.Peer, d protocol.Duty) (stop func()) {
	m.Helper()
	nats, err := bus.Dial(m.Context(), m.nats, bus.Options{Name: "duty", Log: m.log})
	m.must(err)
	life, cancel := context.WithCancel(context.WithoutCancel(m.Context()))
	done := make(chan struct{})
	d.Transcoder = p.Address()
	go func() {
		defer close(done)
		every := time.NewTicker(200 * time.Millisecond)
		defer every.Stop()
		for life.Err() == nil {
			d.Sequence = uint64(time.Now().UnixNano())
			if signed, err := protocol.Seal(m.domain, p.Key, d); err != nil {
				m.Error(err)
			} else {
				_ = nats.PublishDuty(signed)
			}
			select {
			case <-every.C:
			case <-life.Done():
			}
		}
	}()
	stop = func() { cancel(); <-done; _ = nats.Close() }
	m.Cleanup(stop)
	return stop
}

func TestTranscoder_thatLeavesHandsItsLeaseOverUnpunished(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	first := m.join(peertest.Honest, 50)
	second := m.join(peertest.Honest, 100)
	q := m.quote()
	push := func(seq uint64, want *peertest.Peer) {
		t.Helper()
		r := m.push(m.offer(q, seq), bytes.NewReader(m.segments()[seq].Bytes))
		if a := r.passed(m); a.start.Assignment.Message.Transcoder != want.Address() || len(r.tries) != 1 {
			t.Errorf("segment %d: %d attempts, the last by %s", seq, len(r.tries), a.start.Assignment.Message.Transcoder)
		}
	}
	push(0, first)

	// While it only takes nothing new, its stream stays with it.
	stop := m.says(first, protocol.Duty{State: protocol.DutyDraining, Reason: protocol.ForHeat, Leases: 1, DeadlineMillis: 60_000})
	m.eventually("its duty is known", func() bool { d := m.member(first.Address()).Duty; return d != nil && d.State == protocol.DutyDraining })
	push(1, first)
	before := m.member(first.Address())
	stop()

	m.says(first, protocol.Duty{State: protocol.DutyHandingOver, Reason: protocol.ForHeat, Leases: 1, DeadlineMillis: 60_000})
	e := m.until("the hand-over", func(e protocol.Event) bool { return e.Kind == protocol.LeaseHandedOver })
	if *e.Counterparty != first.Address() || e.Detail != "handing-over: heat" {
		t.Errorf("event %+v", e)
	}
	m.eventually("its holder is released", func() bool { return first.Open() == 0 })
	push(2, second)
	after := m.member(first.Address())
	// Time moves the figure by some millionths; a failure takes thousands.
	if after.Quality+1000 < before.Quality || after.Record.Failed != 0 || after.Busy {
		t.Errorf("who left is worth less: %+v, it was %+v", after, before)
	}
	m.totals(3, 3, 0)
}

func TestTranscoder_thatLeavesGoesOnWhereNobodyElseCan(t *testing.T) {
	t.Parallel()
	m := newMarket(t, func(c *dispatch.Config) { c.LeaseTime = 2 * time.Second })
	only := m.join(peertest.Honest, 50)
	q := m.quote()
	m.push(m.offer(q, 0), bytes.NewReader(m.segments()[0].Bytes)).passed(m)
	m.says(only, protocol.Duty{State: protocol.DutyHandingOver, Reason: protocol.ForUser, Leases: 1, DeadlineMillis: 60_000,
		WindowInMillis: 3_600_000, WindowMillis: 60_000, WindowReason: protocol.ForMaintenance})
	m.eventually("its duty is known", func() bool {
		d := m.member(only.Address()).Duty
		return d != nil && d.State == protocol.DutyHandingOver && d.Maintenance != nil && d.Maintenance.Reason == protocol.ForMaintenance
	})
	for seq := uint64(1); seq < 4; seq++ { // for longer than the lease: it is renewed
		m.push(m.offer(q, seq), bytes.NewReader(m.segments()[seq].Bytes)).passed(m)
	}
	if only.Open() != 1 {
		t.Errorf("it holds %d leases", only.Open())
	}
}

func TestQuarantine_movesLeasesAndEndsByTimeOrWord(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	bad := m.join(peertest.Honest, 50)
	good := m.join(peertest.Honest, 100)
	q := m.quote()
	m.push(m.offer(q, 0), bytes.NewReader(m.segments()[0].Bytes)).passed(m)

	// Another replica on the same database obeys too.
	replica := fleet.New(fleet.Config{Domain: m.domain, Self: m.self.Address(), Allocation: protocol.NewWei(1), MaxMembers: 8, TopUp: time.Hour,
		Events: func(protocol.Event) {}, Log: m.log}, m.store, m.books)
	life, end := context.WithCancel(context.WithoutCancel(t.Context()))
	ran := make(chan error, 1)
	go func() { ran <- replica.Run(life) }()
	defer func() { end(); <-ran }()

	path := "/api/v1/fleet/" + bad.Address().Hex()
	kept, p := post[store.Quarantine](m, path+"/quarantine", map[string]any{"for_ms": 3_600_000, "reason": "green pictures"})
	if p != nil || kept.Reason != "green pictures" || time.Until(kept.Until) < 50*time.Minute {
		t.Fatalf("%+v, %+v", kept, p)
	}
	m.until("the hand-over", func(e protocol.Event) bool {
		return e.Kind == protocol.LeaseHandedOver && *e.Counterparty == bad.Address()
	})
	if a := m.push(m.offer(q, 1), bytes.NewReader(m.segments()[1].Bytes)).passed(m); a.start.Assignment.Message.Transcoder != good.Address() {
		t.Error("one in quarantine was given a segment")
	}
	if x := m.member(bad.Address()).Quarantine; x == nil || x.Reason != "green pictures" {
		t.Errorf("the fleet shows %+v", x)
	}
	m.eventually("the replica obeys", func() bool { _, leaving, _ := replica.Leaving(bad.Address()); return leaving })

	if _, p := post[map[string]any](m, path+"/release", map[string]any{}); p != nil {
		t.Errorf("release: %+v", p)
	}
	if _, p := post[map[string]any](m, path+"/release", map[string]any{}); p == nil || p.Code != protocol.NotFound {
		t.Errorf("released twice: %+v", p)
	}
	m.eventually("the replica lets it in again", func() bool { _, leaving, _ := replica.Leaving(bad.Address()); return !leaving })

	if _, p := post[store.Quarantine](m, path+"/quarantine", map[string]any{"for_ms": 300, "reason": "a moment"}); p != nil {
		t.Fatal(p.Detail)
	}
	m.eventually("it ends by itself", func() bool { return m.member(bad.Address()).Quarantine == nil })
	for name, body := range map[string]map[string]any{"without a reason": {"for_ms": 1000}, "for no time": {"reason": "x"}, "for ages": {"for_ms": int64(1) << 50, "reason": "x"}} {
		if _, p := post[store.Quarantine](m, path+"/quarantine", body); p == nil || p.Code != protocol.BadRequest {
			t.Errorf("%s: %+v", name, p)
		}
	}
	resp, err := m.client.Post(m.url+"/api/v1/fleet/nobody/quarantine", "application/json", bytes.NewReader([]byte("{}")))
	m.must(err)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("no address: %d", resp.StatusCode)
	}
}
