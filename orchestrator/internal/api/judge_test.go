package api_test

import (
	"bytes"
	"testing"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
	"github.com/kinora/kinora/orchestrator/internal/peertest"
)

// A fault that the source may have provoked counts for nobody while nobody can show that it need not have been.
func TestFailure_thatEverybodySharesIsNobodys(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	first, second := m.join(peertest.Choppy, 50), m.join(peertest.Choppy, 60)
	q := m.quote()
	for seq, seg := range m.segments()[:2] {
		r := m.push(m.offer(q, uint64(seq)), bytes.NewReader(seg.Bytes))
		if r.problem == nil || len(r.tries) != 2 {
			t.Fatalf("segment %d: %d attempts were shown, problem %s", seq, len(r.tries), protocol.Encode(r.problem))
		}
		for _, a := range r.tries {
			if a.verdict == nil || a.verdict.Passed || a.verdict.Code != protocol.VerificationFailed {
				t.Errorf("segment %d: verdict %+v", seq, a.verdict)
			}
		}
	}
	m.totals(0, 0, 4) // and yet nothing of it is paid
	for _, p := range []*peertest.Peer{first, second} {
		if r := m.fleet.Record(p.Address()); r.Failed != 0 || !r.Leasable() {
			t.Errorf("record %+v of one of two that failed alike", r)
		}
	}
	rows, err := m.store.Transcoders(t.Context())
	m.must(err)
	for _, row := range rows {
		if row.Record.Failed != 0 || row.CutOffAt != nil {
			t.Errorf("stored: %+v", row)
		}
	}
}

func TestFailure_countsOnceAnotherTranscodersOutputPassed(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	bad := m.join(peertest.Choppy, 50)
	m.join(peertest.Honest, 100)
	q := m.quote()
	m.push(m.offer(q, 0), bytes.NewReader(m.segments()[0].Bytes)).passed(m)
	if r := m.fleet.Record(bad.Address()); r.Failed != 1 || r.State != verify.Suspect {
		t.Fatalf("record %+v after a failure where another one passed", r)
	}
	// Its next one is a probe beside an output that passes: whichever ends first, the second failure cuts it off.
	m.push(m.offer(q, 1), bytes.NewReader(m.segments()[1].Bytes)).passed(m)
	e := m.until("the cut-off", func(e protocol.Event) bool { return e.Kind == protocol.TranscoderCutOff })
	if *e.Counterparty != bad.Address() {
		t.Errorf("event %+v", e)
	}
	m.totals(2, 2, 2)
}
