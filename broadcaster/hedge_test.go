package broadcaster_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
)

// A segment that straggles is given to a second orchestrator before it is late. The first one is called off: if it has not
// delivered it is not paid, if it has it is, once each, and nothing stays in flight.
func TestSegment_thatStragglesGoesToASecondOrchestratorAndWhoDeliversIsPaid(t *testing.T) {
	t.Parallel()
	for name, stubborn := range map[string]bool{"called off in time": false, "delivered all the same": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := setUp(t)
			slow, other := newPeer(t, func() protocol.Domain { return g.domain }), newPeer(t, func() protocol.Domain { return g.domain })
			slow.price = protocol.NewWei(50) // cheaper: asked first
			slow.held = make(chan struct{})  // for ever: only a call off ends its wait
			slow.stubborn.Store(stubborn)
			n := start(t, g.config(t, pgtest.URL(t), slow, other))
			began := time.Now()
			code, parts, problem := n.push(t, "/live/cam/0.ts", bytes.NewReader(clip(t, 1)[0].Bytes), "Content-Duration", "2000")
			if code != http.StatusOK || len(parts) != 2 {
				t.Fatalf("%d, %d parts, %+v", code, len(parts), problem)
			}
			if took := time.Since(began); took < 2*time.Second || took > 20*time.Second {
				t.Errorf("it took %s", took)
			}
			want := 0
			if stubborn {
				want = 1
			}
			eventually(t, "both are settled", func() bool {
				s := n.stats(t)
				return other.paid() == 1 && slow.paid() == want && s.Spend.InFlight == "0" && s.VerifiedL0 == uint64(1+want)
			})
			if s := n.stats(t); s.SegmentsPublished > 1 || s.SegmentsIn != 1 || s.SegmentsFailed != 0 {
				t.Errorf("%+v", s)
			}
			if !strings.Contains(n.events(t), `"kind":"segment_hedged"`) {
				t.Error("nobody was told")
			}
		})
	}
}

// events are those so far.
func (n node) events(t testing.TB) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.base+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	stop := time.AfterFunc(300*time.Millisecond, func() { _ = resp.Body.Close() }) // what there is comes at once; then it waits for more
	defer stop.Stop()
	var all bytes.Buffer
	_, _ = all.ReadFrom(resp.Body)
	return all.String()
}
