package api_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator/internal/peertest"
)

// bids waits until the fleet has a bid with so much free.
func (m *market) bids(p *peertest.Peer, free uint64) {
	m.Helper()
	p.HasFree(free)
	m.eventually("the bid says so", func() bool { b := m.member(p.Address()).Bid; return b != nil && b.FreePixelRate == free })
}

func TestQuote_isRefusedEarlyWithTheNumbersOfTheNearest(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	work, _ := ladder.PixelRates(30).Of(protocol.H264)
	far, near := m.join(peertest.Honest, 97), m.join(peertest.Honest, 98)
	dear := m.join(peertest.Honest, 151) // asks for more than the quote brings in
	m.bids(far, 1000)
	m.bids(near, work-1)
	_, p := post[protocol.QuoteAnswer](m, "/v1/quote", m.request())
	want := fmt.Sprintf("free_pixel_rate is %d, want at least %d", work-1, work)
	if p == nil || p.Code != protocol.NoCapacity || p.Status != http.StatusServiceUnavailable || p.Limit != fmt.Sprintf("free_pixel_rate=%d", work-1) ||
		!strings.Contains(p.Detail, want) || strings.Index(p.Detail, want) > strings.Index(p.Detail, "free_pixel_rate is 1000,") || !strings.Contains(p.Detail, "price is above") {
		t.Fatalf("problem %s", protocol.Encode(p))
	}
	for _, sealed := range []string{"97", "98", "151", near.Address().Hex(), far.Address().Hex(), dear.Address().Hex()} {
		if strings.Contains(p.Detail, sealed) {
			t.Errorf("a sealed bid is shown: %q in %q", sealed, p.Detail)
		}
	}
	if near.Asked.Load()+far.Asked.Load()+dear.Asked.Load() != 0 {
		t.Error("somebody was asked though no bid has room")
	}

	m.bids(near, work)
	q := m.quote()
	m.push(m.offer(q, 0), bytes.NewReader(m.segments()[0].Bytes)).passed(m)
	m.bids(near, 0)
	m.quote() // what runs is not asked whether there is room for it beside itself
	other := m.request()
	other.Stream = "other"
	if _, p := post[protocol.QuoteAnswer](m, "/v1/quote", other); p == nil || p.Code != protocol.NoCapacity {
		t.Errorf("another stream: %s", protocol.Encode(p))
	}
}

func TestQuote_saysWhenOnlyThePriceIsWrong(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	m.join(peertest.Honest, 151)
	_, p := post[protocol.QuoteAnswer](m, "/v1/quote", m.request())
	if p == nil || p.Code != protocol.PriceAboveMax || !strings.Contains(p.Detail, "candidate 1: price is above the most that is paid") {
		t.Fatalf("problem %s", protocol.Encode(p))
	}
}

// TestSegment_isNotQueuedForRoomThatWillNotCome: a transcoder whose bid promises more than it takes is asked once, not again and
// again while the payer waits; and not at all for the next segment, until it has bid anew.
func TestSegment_isNotQueuedForRoomThatWillNotCome(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	p := m.join(peertest.Decliner, 100)
	q := m.quote()
	r := m.push(m.offer(q, 0), bytes.NewReader(m.segments()[0].Bytes))
	if r.code() != protocol.NoCapacity || r.status != http.StatusServiceUnavailable || !r.problem.Retryable || !strings.HasPrefix(r.problem.Limit, "free_pixel_rate=") {
		t.Fatalf("status %d, problem %s", r.status, protocol.Encode(r.problem))
	}
	if n := p.Asked.Load(); n != 1 {
		t.Errorf("it was asked %d times", n)
	}
	for seq := uint64(1); seq < 4; seq++ {
		if r := m.push(m.offer(q, seq), bytes.NewReader(m.segments()[1].Bytes)); r.code() != protocol.NoCapacity {
			t.Errorf("segment %d: problem %s", seq, protocol.Encode(r.problem))
		}
	}
	if n := p.Asked.Load(); n > 4 {
		t.Errorf("it was asked %d times for four segments", n)
	}
	p.Behave(peertest.Honest)
	m.eventually("it is asked again once it has rested", func() bool {
		r, err := m.try(m.offer(q, 4), bytes.NewReader(m.segments()[1].Bytes))
		return err == nil && r.code() == ""
	})
}
