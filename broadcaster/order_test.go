package broadcaster_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
)

// TestSegments_areWorkedOnAtOnceAndPublishedInOrder holds one segment back until its two successors are done: they are in work beside
// it, are paid and answered to their pusher, and appear in the playlist behind it.
func TestSegments_areWorkedOnAtOnceAndPublishedInOrder(t *testing.T) {
	t.Parallel()
	g := setUp(t)
	peer := newPeer(t, func() protocol.Domain { return g.domain })
	goOn, working := make(chan struct{}), make(chan struct{})
	begun := sync.OnceFunc(func() { close(working) })
	peer.before = func(seq uint64) {
		if seq == 1 {
			begun()
			<-goOn
		}
	}
	cfg := g.config(t, pgtest.URL(t), peer)
	cfg.HoldBack = 15 // the one that is held back is not given up meanwhile
	n := start(t, cfg)
	segments := clip(t, 4)
	push := func(seq int) {
		if code, _, problem := n.push(t, fmt.Sprintf("/live/cam/%d.ts", seq), bytes.NewReader(segments[seq].Bytes), "Content-Duration", "2000"); code != http.StatusOK {
			t.Errorf("segment %d: %d %+v", seq, code, problem)
		}
	}
	push(0)
	var first sync.WaitGroup
	first.Go(func() { push(1) })
	<-working
	var wg sync.WaitGroup
	for seq := 2; seq < 4; seq++ {
		wg.Go(func() { push(seq) })
	}
	wg.Wait() // done, while the one before them is not
	if s := n.stats(t); s.SegmentsPublished > 1 {
		t.Errorf("%d segments are published before the second is done", s.SegmentsPublished)
	}
	close(goOn)
	first.Wait()
	eventually(t, "all are published", func() bool { return n.stats(t).SegmentsPublished == 4 })
	_, text, _ := n.get(t, "/hls/cam/low/index.m3u8")
	var order []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			order = append(order, strings.Split(strings.TrimSpace(line), "-")[1])
		}
	}
	if got := strings.Join(order, " "); got != "0 1 2 3" || strings.Contains(text, "GAP") {
		t.Errorf("published as %s:\n%s", got, text)
	}
}
