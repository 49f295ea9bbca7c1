package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator/internal/peertest"
)

// A payer that resets its request while its bytes are read is answered by nobody, and nothing touches the request any more:
// a deadline set on a request that has ended takes the whole process down.
func TestSegment_whoseRequestIsResetWhileItsBytesAreReadEndsAlone(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	m.join(peertest.Honest, 100)
	q := m.quote()
	seg := m.segments()[0].Bytes
	long := bytes.Repeat(seg, 1+(4<<20)/len(seg))
	var wg sync.WaitGroup
	for i := range uint64(8) {
		offer := m.offer(q, i)
		for range 2 { // the second one joins the first
			wg.Go(func() { m.reset(offer, long) })
		}
	}
	wg.Wait()
	m.eventually("no segment is in flight", func() bool { return m.dispatcher.InFlight() == 0 })
	m.push(m.offer(q, 20), bytes.NewReader(seg)).passed(m)
}

// reset pushes body and resets the stream once a megabyte of it has left.
func (m *market) reset(offer protocol.SegmentOffer, body []byte) {
	ctx, cut := context.WithCancel(m.Context())
	defer cut()
	src, w := io.Pipe()
	go func() {
		_, _ = w.Write(body[:1<<20])
		cut()
		_ = w.CloseWithError(context.Canceled)
	}()
	h := offer.Header.Message
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("%s/v1/streams/%s/segments/%d", m.url, h.Stream, h.Seq), src)
	if err != nil {
		m.Error(err)
		return
	}
	req.Header.Set(protocol.OfferField, protocol.EncodeField(offer))
	resp, err := m.client.Do(req)
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			m.Error(err)
		}
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
}
