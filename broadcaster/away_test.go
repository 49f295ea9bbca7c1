package broadcaster_test

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
)

// The database goes while a segment is being transcoded and comes back within its hold-back: the segment waits for it, and
// so does the first push of another stream.
func TestRun_losesNoSegmentToADatabaseThatIsAwayForAMoment(t *testing.T) {
	t.Parallel()
	g := setUp(t)
	db := pgtest.NewRestartable(t)
	peer := newPeer(t, func() protocol.Domain { return g.domain })
	n := start(t, g.config(t, db.URL("broadcaster"), peer))
	segments := clip(t, 2)
	push := func(path string, i int) <-chan protocol.Problem {
		answer := make(chan protocol.Problem, 1)
		go func() {
			code, parts, problem := n.push(t, path, bytes.NewReader(segments[i].Bytes), "Content-Duration", "2000")
			if code == http.StatusOK && len(parts) != 2 {
				t.Errorf("%s: %d parts", path, len(parts))
			}
			answer <- problem
		}()
		return answer
	}
	if p := <-push("/live/cam/0.ts", 0); p.Code != "" {
		t.Fatalf("%+v", p)
	}
	peer.held = make(chan struct{})
	working := push("/live/cam/1.ts", 1)
	eventually(t, "the second segment is worked on", func() bool { return len(peer.offered()) == 2 })
	db.Stop()
	close(peer.held)
	other := push("/live/other/0.ts", 0)
	db.Start()
	for name, answer := range map[string]<-chan protocol.Problem{"in flight": working, "another stream's first": other} {
		if p := <-answer; p.Code != "" {
			t.Errorf("the segment %s: %+v", name, p)
		}
	}
	eventually(t, "all is published and paid", func() bool {
		s := n.stats(t)
		return s.SegmentsPublished == 3 && s.SegmentsFailed == 0 && peer.paid() == 3
	})
}
