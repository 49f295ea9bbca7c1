package stream

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/kinora/kinora/broadcaster/internal/market"
	"github.com/kinora/kinora/internal/protocol"
)

// listen breaks a run off when its orchestrator has all the bytes and is silent for the hold-back: a second one was asked long
// before, but may have failed as well. Where there is no other, waiting is all there is. heard is to be called for every frame,
// stop once the run is over.
func (s *Stream) listen(ctx context.Context, seg *segment, choice *market.Choice, give context.CancelCauseFunc) (heard, stop func()) {
	if !choice.HasAlternative() {
		return func() {}, func() {}
	}
	silence := max(time.Second, s.holdBack())
	var last atomic.Int64 // Unix, ns
	last.Store(time.Now().UnixNano())
	over, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-seg.whole:
		case <-over.Done():
			return
		}
		for {
			since := time.Unix(0, last.Load())
			if since.Before(seg.ended) {
				since = seg.ended
			}
			left := silence - time.Since(since)
			if left <= 0 {
				give(protocol.Errorf(protocol.Unreachable, "orchestrator %s has been silent for %s", choice.URL, silence))
				return
			}
			timer := time.NewTimer(left)
			select {
			case <-timer.C:
			case <-over.Done():
				timer.Stop()
				return
			}
		}
	}()
	return func() { last.Store(time.Now().UnixNano()) }, cancel
}
