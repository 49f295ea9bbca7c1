package bidder_test

import (
	"sync"
	"testing"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/transcoder/internal/encode/encodetest"
)

// TestBidder_isNeverOverCommittedByReplicas has two replicas of one orchestrator award to one transcoder at once, each by
// what its own copy of the bids says is free: the transcoder alone knows, and declines what it cannot take.
func TestBidder_isNeverOverCommittedByReplicas(t *testing.T) {
	t.Parallel()
	m := newMarket(t, nil) // it takes the work twice
	other := encodetest.NewPeer(t)
	b := m.any(t)
	const each = 8
	codes := make(chan protocol.Code, 2*each)
	var asking sync.WaitGroup
	for _, url := range []string{m.peer.URL, other.URL} {
		for range each {
			award, offer := m.offer(b)
			award.URL = url
			asking.Go(func() {
				_, code := m.send(t, award, offer)
				codes <- code
			})
		}
	}
	asking.Wait()
	close(codes)
	got := make(map[protocol.Code]int)
	for code := range codes {
		got[code]++
	}
	if got[""] != 2 || got[protocol.NoCapacity] != 2*each-2 {
		t.Errorf("of %d awards: %v, want two taken and the others declined for want of room", 2*each, got)
	}
	if n := m.bidder.Leases(); n != 2 {
		t.Errorf("it holds %d leases", n)
	}
	m.free(t, 0)
}
