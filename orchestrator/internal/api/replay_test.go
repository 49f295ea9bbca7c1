package api_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator/internal/dispatch"
	"github.com/kinora/kinora/orchestrator/internal/peertest"
	"github.com/kinora/kinora/orchestrator/internal/store"
)

// What cannot be charged any more is refused before a transcoder works for it, or is paid.
func TestReplay_beyondTheLastDeliveryIsRefusedBeforeAnybodyWorks(t *testing.T) {
	t.Parallel()
	m := newMarket(t, func(c *dispatch.Config) { c.KeepBytes = 0 }) // no answer is at hand for a replay
	p := m.join(peertest.Honest, 100)
	q := m.quote()
	seg := m.segments()[0].Bytes
	for range store.MaxDeliveries {
		m.push(m.offer(q, 0), bytes.NewReader(seg)).passed(m)
	}
	tries := p.Tries.Load()
	if r := m.push(m.offer(q, 0), bytes.NewReader(seg)); r.code() != protocol.RateLimited || r.status != http.StatusTooManyRequests {
		t.Errorf("delivery %d: status %d, code %q", store.MaxDeliveries+1, r.status, r.code())
	}
	if n := p.Tries.Load() - tries; n != 0 {
		t.Errorf("%d attempts were made at what cannot be charged", n)
	}
	m.totals(1, store.MaxDeliveries, 0)
	m.push(m.offer(q, 1), bytes.NewReader(m.segments()[1].Bytes)).passed(m)
}

func TestReplay_withOtherBytesIsRefusedBeforeAnybodyWorks(t *testing.T) {
	t.Parallel()
	m := newMarket(t, func(c *dispatch.Config) { c.KeepBytes = 0 })
	p := m.join(peertest.Honest, 100)
	q := m.quote()
	m.push(m.offer(q, 0), bytes.NewReader(m.segments()[0].Bytes)).passed(m)
	tries := p.Tries.Load()
	body, w := io.Pipe()
	other := m.segments()[1].Bytes
	go func() {
		_, _ = w.Write(other[:len(other)/2])
		begun := time.Now().Add(300 * time.Millisecond) // an attempt would have begun by then
		for p.Tries.Load() == tries && time.Now().Before(begun) {
			time.Sleep(5 * time.Millisecond)
		}
		_, _ = w.Write(other[len(other)/2:])
		_ = w.Close()
	}()
	if r := m.push(m.offer(q, 0), body); r.code() != protocol.SegmentConflict {
		t.Errorf("other bytes: status %d, code %q", r.status, r.code())
	}
	if n := p.Tries.Load() - tries; n != 0 {
		t.Errorf("%d attempts were made at other bytes", n)
	}
	m.totals(1, 1, 0)
}
