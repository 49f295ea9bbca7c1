package api_test

import (
	"bytes"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/media/mediatest"
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

// deceive has a trusted transcoder, the only one, send other pictures of the same times until one such output is taken unseen: only a
// sample of its attempts is looked at. It returns the segment's number and the attempt.
func (m *market) deceive(q protocol.QuoteAnswer) (cheat common.Address, seq uint64, attempt protocol.ID) {
	m.Helper()
	other := mediatest.Segments(m, mediatest.Spec{Seconds: 6, SegmentSeconds: 1, Picture: "mandelbrot", NoClock: true})
	p := m.join(peertest.Dark, 50, func(o *peertest.Options) {
		o.Instead = func(seq uint64) []byte { return other[seq%6].Bytes }
	})
	cheat = p.Address()
	for seq = 0; seq < 40; seq += 2 {
		trusted := verify.Record{Passed: 500, State: verify.Steady}
		_, err := m.store.Pool().Exec(m.Context(), `UPDATE transcoders SET record = $2, cut_off_at = NULL, cut_off_for = NULL WHERE address = $1`,
			cheat[:], protocol.Encode(trusted))
		m.must(err)
		m.eventually("it is trusted", func() bool { return m.fleet.Record(cheat) == trusted })
		r := m.push(m.offer(q, seq), bytes.NewReader(m.segments()[seq%6].Bytes))
		if len(r.tries) > 0 && r.tries[0].verdict != nil && r.tries[0].verdict.Passed {
			return cheat, seq, r.tries[0].verdict.Attempt
		}
	}
	m.Fatal("each of its outputs was looked at")
	return cheat, 0, attempt
}

func TestRejection_ofAnOutputThatWasNotLookedAtConvictsItsTranscoder(t *testing.T) {
	t.Parallel()
	for name, reject := range map[string]func(m *market, q protocol.QuoteAnswer, cheat common.Address, seq uint64, attempt protocol.ID){
		"the payer asks for another one": func(m *market, q protocol.QuoteAnswer, cheat common.Address, seq uint64, _ protocol.ID) {
			a := m.push(m.offer(q, seq, cheat), bytes.NewReader(m.segments()[seq%6].Bytes)).passed(m)
			if a.start.Assignment.Message.Transcoder == cheat {
				m.Error("the cheater did it again")
			}
		},
		"the payer says that it does not pay": func(m *market, _ protocol.QuoteAnswer, _ common.Address, _ uint64, attempt protocol.ID) {
			m.dispatcher.Rejected(common.Address{1}, attempt) // nobody asked this one
			m.dispatcher.Rejected(m.payer.Address(), attempt)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMarket(t)
			q := m.quote()
			cheat, seq, attempt := m.deceive(q)
			m.join(peertest.Honest, 100)
			reject(m, q, cheat, seq, attempt)
			m.eventually("it is a suspect", func() bool { return m.fleet.Record(cheat).State == verify.Suspect })
			m.eventually("the payer is forgiven", func() bool {
				m.books.mu.Lock()
				defer m.books.mu.Unlock()
				_, owed := m.books.owed[attempt]
				return !owed
			})
			e := m.until("the rejection", func(e protocol.Event) bool { return e.Kind == protocol.OutputRejected && *e.Attempt == attempt })
			if *e.Counterparty != cheat || e.Layers != verify.L0L1 || e.Code != protocol.VerificationFailed {
				t.Errorf("event %+v", e)
			}
			for _, l := range m.dispatcher.Leases() {
				if l.Transcoder == cheat && !l.Probe {
					t.Error("the cheater keeps its lease")
				}
			}
		})
	}
}

func TestRejection_ofAGoodOutputChangesNothing(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	p := m.join(peertest.Honest, 50)
	other := m.join(peertest.Honest, 100)
	q := m.quote()
	first := m.push(m.offer(q, 0), bytes.NewReader(m.segments()[0].Bytes)).passed(m)
	m.push(m.offer(q, 0, p.Address()), bytes.NewReader(m.segments()[0].Bytes)).passed(m)
	m.push(m.offer(q, 0, p.Address(), other.Address()), bytes.NewReader(m.segments()[0].Bytes))
	if r := m.fleet.Record(p.Address()); r.Failed != 0 || r.Passed != 1 {
		t.Errorf("record %+v", r)
	}
	m.books.mu.Lock()
	defer m.books.mu.Unlock()
	if _, owed := m.books.owed[first.verdict.Attempt]; !owed {
		t.Error("a good output is not owed any more")
	}
}
