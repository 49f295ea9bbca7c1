package api_test

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator/internal/peertest"
)

// callOff asks for a segment to be called off and returns the status.
func (m *market) callOff(offer protocol.SegmentOffer, path string) int {
	m.Helper()
	req, err := http.NewRequestWithContext(m.Context(), http.MethodPost, m.url+path+"/cancel", nil)
	m.must(err)
	req.Header.Set(protocol.OfferField, protocol.EncodeField(offer))
	resp, err := m.client.Do(req)
	m.must(err)
	defer resp.Body.Close()
	return resp.StatusCode
}

func TestSegment_thatItsPayerCallsOffEndsAndIsNotOwed(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	p := m.join(peertest.Sleeper, 100)
	offer := m.offer(m.quote(), 0)
	answered := make(chan result, 1)
	go func() { answered <- m.push(offer, bytes.NewReader(m.segments()[0].Bytes)) }()
	m.eventually("the transcoder is at it", func() bool { return p.Tries.Load() == 1 })
	path := "/v1/streams/" + offer.Header.Message.Stream + "/segments/0"
	if code := m.callOff(m.offer(m.quote(), 0), "/v1/streams/"+offer.Header.Message.Stream+"/segments/1"); code != http.StatusBadRequest {
		t.Errorf("a header of another segment: %d", code)
	}
	if code := m.callOff(offer, path); code != http.StatusNoContent {
		t.Fatalf("called off: %d", code)
	}
	if r := <-answered; r.code() != protocol.Cancelled {
		t.Errorf("the answer ended with %s", r.code())
	}
	m.totals(0, 0, 0)
	m.eventually("it is forgotten", func() bool { return m.callOff(offer, path) == http.StatusNotFound })
}
