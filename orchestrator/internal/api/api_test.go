package api_test

import (
	"bytes"
	"testing"

	"github.com/kinora/kinora/internal/protocol"
)

func TestSegment_isTranscodedVerifiedAndPaidOnce(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	p := m.join(honest, 100)
	q := m.quote()
	for seq, seg := range m.segments()[:3] {
		r := m.push(m.offer(q, uint64(seq)), bytes.NewReader(seg.Bytes))
		a := r.passed(m)
		if len(r.tries) != 1 || a.start.Continues != (seq > 0) {
			t.Errorf("seq %d: %d attempts, continues %v", seq, len(r.tries), a.start.Continues)
		}
		price, err := ladder.Fee(q.Quote.Message.Prices, a.receipt.Message)
		m.must(err)
		cost := price.Div(150).Mul(100)
		m.books.mu.Lock()
		if got := m.books.owed[a.verdict.Attempt]; got != price {
			t.Errorf("seq %d: owed %s, want %s", seq, got, price)
		}
		if got := m.books.paid[a.verdict.Attempt]; got != cost {
			t.Errorf("seq %d: paid %s, want %s", seq, got, cost)
		}
		m.books.mu.Unlock()
	}
	if owed, paid, rejected := m.books.totals(); owed != 3 || paid != 3 || rejected != 0 {
		t.Errorf("owed %d, paid %d, rejected %d, want 3, 3, 0", owed, paid, rejected)
	}
	if n := p.held.Load(); n != 1 {
		t.Errorf("%d leases were awarded for one stream", n)
	}
	if r := m.fleet.Record(p.address()); r.Passed != 3 {
		t.Errorf("record %+v, want 3 passed", r)
	}
	m.eventually("no credit is held", func() bool { m.books.mu.Lock(); defer m.books.mu.Unlock(); return m.books.held == 0 })
	_ = protocol.NewID
}
