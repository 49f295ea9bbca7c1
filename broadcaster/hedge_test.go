package broadcaster_test

import (
	"bytes"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
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

// The first one delivers after all, when the second one has the segment too, or was chosen and sent nothing since no more money
// may be held. It had less time, or none: it is not blamed.
func TestSegment_thatTheFirstOneServesAfterAllIsNoFaultOfTheSecond(t *testing.T) {
	t.Parallel()
	for name, most := range map[string]uint64{"has the segment": 1e18, "was sent nothing": 300_000_000} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := setUp(t)
			slow, other := newPeer(t, func() protocol.Domain { return g.domain }), newPeer(t, func() protocol.Domain { return g.domain })
			slow.price = protocol.NewWei(50)
			slow.held, other.held = make(chan struct{}), make(chan struct{})
			cfg := g.config(t, pgtest.URL(t), slow, other)
			cfg.SpendTotal = protocol.NewWei(most)
			other.valid = 500 * time.Millisecond // it is asked again when the segment straggles
			var questions atomic.Int32
			other.quoting = func(*http.Request) { questions.Add(1) }
			n := start(t, cfg)
			go func() {
				for len(slow.offered()) == 0 && t.Context().Err() == nil {
					time.Sleep(10 * time.Millisecond)
				}
				for before := questions.Load(); len(other.offered()) == 0 && (most == 1e18 || questions.Load() == before) && t.Context().Err() == nil; {
					time.Sleep(10 * time.Millisecond)
				}
				close(slow.held)
			}()
			code, parts, problem := n.push(t, "/live/cam/0.ts", bytes.NewReader(clip(t, 1)[0].Bytes), "Content-Duration", "2000")
			if code != http.StatusOK || len(parts) != 2 {
				t.Fatalf("%d, %d parts, %+v", code, len(parts), problem)
			}
			eventually(t, "all is settled", func() bool { return slow.paid() == 1 && n.stats(t).Spend.InFlight == "0" })
			if s := n.seller(t, other); s.Error != "" || s.Flying != 0 {
				t.Errorf("%+v", s)
			}
			if got := len(other.offered()); got > 0 != (most == 1e18) {
				t.Errorf("%d segments went to the second one", got)
			}
		})
	}
}

// The first one delivers while the second one is still being asked for its price: nothing is sent to the second one any more.
func TestSegment_thatWasServedIsSentToNobodyWhoWasStillBeingChosen(t *testing.T) {
	t.Parallel()
	g := setUp(t)
	slow, other := newPeer(t, func() protocol.Domain { return g.domain }), newPeer(t, func() protocol.Domain { return g.domain })
	slow.price = protocol.NewWei(50)
	slow.held = make(chan struct{})
	var thinks atomic.Bool
	var asked sync.Once
	gone := make(chan struct{})
	other.valid = 500 * time.Millisecond // what it says before the segment straggles is of no use then
	other.quoting = func(r *http.Request) {
		if !thinks.Load() {
			return
		}
		asked.Do(func() {
			close(slow.held)
			<-r.Context().Done()
			close(gone)
		})
	}
	n := start(t, g.config(t, pgtest.URL(t), slow, other))
	go func() {
		for len(slow.offered()) == 0 && t.Context().Err() == nil {
			time.Sleep(10 * time.Millisecond)
		}
		thinks.Store(true)
	}()
	code, parts, problem := n.push(t, "/live/cam/0.ts", bytes.NewReader(clip(t, 1)[0].Bytes), "Content-Duration", "2000")
	if code != http.StatusOK || len(parts) != 2 {
		t.Fatalf("%d, %d parts, %+v", code, len(parts), problem)
	}
	select {
	case <-gone:
	case <-time.After(time.Second): // half of what a quote may take
		t.Error("the second one is still being asked")
	}
	eventually(t, "the first one is paid", func() bool { return slow.paid() == 1 && n.stats(t).Spend.InFlight == "0" })
	if offered := other.offered(); len(offered) > 0 {
		t.Errorf("%d segments went to the second one", len(offered))
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
