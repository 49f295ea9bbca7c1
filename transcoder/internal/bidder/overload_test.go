package bidder_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/capacity"
	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/transcoder/internal/bidder"
	"github.com/kinora/kinora/transcoder/internal/encode"
	"github.com/kinora/kinora/transcoder/internal/encode/encodetest"
)

// TestBidder_refusesOneTooManyAndTheRunningOnesHold sells a machine to the last stream it is said to take, with media children
// that encode for real: one more is refused at once with the numbers, and every stream gets all of its segments.
func TestBidder_refusesOneTooManyAndTheRunningOnesHold(t *testing.T) {
	t.Parallel()
	const streams, segments = 3, 3
	pool := media.NewPool(media.Options{}, 1)
	t.Cleanup(func() { _ = pool.Close() })
	m := newMarket(t, func(c *bidder.Config) {
		c.Bench.Encoder = encode.Children{Pool: pool}
		meter := capacity.New(capacity.Config{Sold: capacity.Whole, // of CPU time nothing is learnt here: the machine may be busy with anything
			Rates: capacity.Rates{Encode: protocol.CodecRates{{Codec: protocol.H264, PixelRate: streams * work}}}})
		c.Meter = meter
		c.Bench.Observe = func(lease protocol.ID, s capacity.Segment) { meter.Observe(lease, s, time.Now()) }
	})
	b := m.any(t)
	var awards []protocol.Award
	for range streams {
		award, offer := m.offer(b)
		if _, code := m.send(t, award, offer); code != "" {
			t.Fatalf("stream %d: %s", len(awards), code)
		}
		awards = append(awards, award)
	}
	m.free(t, 0)
	award, offer := m.offer(b)
	begun := time.Now()
	answer, code := m.send(t, award, offer)
	if code != protocol.NoCapacity || answer.Decline.Limit != "free_pixel_rate=0" || !strings.Contains(answer.Decline.Detail, "432000 pixels a second") {
		t.Errorf("one too many: %+v", answer.Decline)
	}
	t.Logf("refused after %s", time.Since(begun))

	parked := make(map[protocol.ID][]*encodetest.Slot)
	slotOf := func(lease protocol.ID) *encodetest.Slot {
		for len(parked[lease]) == 0 {
			s := m.peer.Slot(t)
			parked[s.Request.Lease] = append(parked[s.Request.Lease], s)
		}
		s := parked[lease][0]
		parked[lease] = parked[lease][1:]
		return s
	}
	checks := make(chan func(), streams*segments)
	var running sync.WaitGroup
	for seq, segment := range mediatest.Segments(t, mediatest.Spec{Width: 160, Height: 90, SegmentSeconds: 1, Seconds: segments}) {
		for _, award := range awards {
			slot := slotOf(award.Lease)
			m.peer.Start(t, slot, m.peer.Assign(award, uint64(seq+1)), seq > 0)
			running.Go(func() {
				out := slot.Run(t, segment.Bytes)
				checks <- func() {
					if out.Receipt == nil {
						t.Errorf("segment %d: %+v, %v", seq, out.Abandoned, out.Err)
					} else if r := out.Receipt.Message.Renditions[0]; r.Frames != 30 {
						t.Errorf("segment %d has %d pictures, want 30", seq, r.Frames)
					}
				}
			})
		}
		running.Wait()
	}
	close(checks)
	for check := range checks {
		check()
	}
	if code := m.lease(t, protocol.LeaseRequest{Lease: awards[0].Lease, Serial: 1}); code != "" {
		t.Fatal(code)
	}
	m.free(t, work)
}
