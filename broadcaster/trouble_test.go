package broadcaster_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
)

// post sends a request without a body and decodes the answer into v, if there is one to decode into.
func (n node) post(t testing.TB, path string, v any, header ...string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, n.base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("post %s: %v", path, err)
	}
	defer resp.Body.Close()
	if v != nil {
		if err := json.NewDecoder(resp.Body).Decode(v); err != nil {
			t.Fatalf("post %s: %v", path, err)
		}
	}
	return resp.StatusCode
}

type ended struct {
	Ended     bool `json:"ended"`
	Delivered bool `json:"tickets_delivered"`
}

func TestEnd_ofAStreamWhoseOrchestratorIsGoneRefusesNoPush(t *testing.T) {
	t.Parallel()
	g := setUp(t)
	gone, stays := newPeer(t, func() protocol.Domain { return g.domain }), newPeer(t, func() protocol.Domain { return g.domain })
	gone.price = protocol.NewWei(50) // cheaper: asked first
	n := start(t, g.config(t, pgtest.URL(t), gone, stays))
	segments := clip(t, 4)
	if code, _, problem := n.push(t, "/live/cam/0.ts", bytes.NewReader(segments[0].Bytes)); code != http.StatusOK {
		t.Fatalf("%d %+v", code, problem)
	}
	eventually(t, "the ticket", func() bool { return gone.paid() == 1 })
	gone.server.CloseClientConnections()
	gone.server.Close()
	answer := make(chan ended, 1)
	go func() {
		var e ended
		n.post(t, "/api/v1/streams/cam/end", &e)
		answer <- e
	}()
	eventually(t, "the end in the playlist", func() bool {
		_, text, _ := n.get(t, "/hls/cam/low/index.m3u8")
		return strings.HasSuffix(text, "#EXT-X-ENDLIST\n")
	})
	code, _, problem := n.push(t, "/live/cam/1.ts", bytes.NewReader(segments[1].Bytes))
	if code != http.StatusOK {
		t.Errorf("a push while the end waits for an orchestrator that is gone: %d %+v", code, problem)
	}
	if e := <-answer; !e.Ended || e.Delivered {
		t.Errorf("the end was answered with %+v", e)
	}
	var e ended // the other orchestrator's tickets are delivered as ever
	if code := n.post(t, "/api/v1/streams/other/end", nil); code != http.StatusNotFound {
		t.Errorf("the end of a stream that never was: %d", code)
	}
	if code, _, problem := n.push(t, "/live/other/0.ts", bytes.NewReader(segments[2].Bytes)); code != http.StatusOK {
		t.Fatalf("%d %+v", code, problem)
	}
	if code := n.post(t, "/api/v1/streams/other/end", &e); code != http.StatusOK || !e.Ended || !e.Delivered {
		t.Errorf("the end of a stream whose orchestrator is there: %d %+v", code, e)
	}
}

// drip yields what it is given, and ends when it is closed.
type drip struct {
	*io.PipeReader
	w *io.PipeWriter
}

func newDrip(t testing.TB) drip {
	r, w := io.Pipe()
	t.Cleanup(func() { _ = w.Close() })
	return drip{r, w}
}

// drips goes on with a byte now and then, which keeps up the rate of a body that began with many.
func (d drip) drips(first []byte, rest []byte) {
	_, _ = d.w.Write(first)
	for i := range rest {
		if _, err := d.w.Write(rest[i : i+1]); err != nil {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func TestPush_thatDripsHoldsBackNoSuccessor(t *testing.T) {
	t.Parallel()
	g := setUp(t)
	peer := newPeer(t, func() protocol.Domain { return g.domain })
	cfg := g.config(t, pgtest.URL(t), peer)
	cfg.HoldBack, cfg.MinBodyRate = 1, 1
	n := start(t, cfg)
	segments := clip(t, 4)
	if code, _, problem := n.push(t, "/live/cam/0.ts", bytes.NewReader(segments[0].Bytes)); code != http.StatusOK {
		t.Fatalf("%d %+v", code, problem)
	}
	slow := newDrip(t)
	half := len(segments[1].Bytes) / 2
	go slow.drips(segments[1].Bytes[:half], segments[1].Bytes[half:])
	go func() {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPut, n.base+"/live/cam/1.ts", slow)
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
		}
	}()
	eventually(t, "the slow segment at the orchestrator", func() bool { return len(peer.offered()) == 2 })
	if code, _, problem := n.push(t, "/live/cam/2.ts", bytes.NewReader(segments[2].Bytes)); code != http.StatusOK {
		t.Fatalf("%d %+v", code, problem)
	}
	eventually(t, "the successor, after a gap", func() bool {
		_, text, _ := n.get(t, "/hls/cam/low/index.m3u8")
		return strings.Contains(text, "#EXT-X-GAP") && strings.Contains(text, "\n0-2-")
	})
}

func TestPush_ofMoreTakesOverFromOneThatStalls(t *testing.T) {
	t.Parallel()
	g := setUp(t)
	peer := newPeer(t, func() protocol.Domain { return g.domain })
	cfg := g.config(t, pgtest.URL(t), peer)
	cfg.BodyGrace = time.Minute
	n := start(t, cfg)
	segments := clip(t, 4)
	stalls := newDrip(t)
	broken := make(chan protocol.Code, 1)
	go func() {
		_, _, problem := n.push(t, "/live/cam/0.ts", stalls)
		broken <- problem.Code
	}()
	if _, err := stalls.w.Write(segments[0].Bytes[:len(segments[0].Bytes)/2]); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the stalled segment at the orchestrator", func() bool { return len(peer.offered()) == 1 })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodPut, n.base+"/live/cam/0.ts", bytes.NewReader(segments[0].Bytes))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("the encoder's retry: %v", err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the encoder's retry: %s", resp.Status)
	}
	_ = stalls.w.Close()
	if code := <-broken; code != protocol.Cancelled {
		t.Errorf("the push that stalled was refused with %q", code)
	}
	eventually(t, "one ticket", func() bool { return peer.paid() == 1 })
}

func TestOrchestrator_thatFloodsIsCutShort(t *testing.T) {
	t.Parallel()
	g := setUp(t)
	flooding, honest := newPeer(t, func() protocol.Domain { return g.domain }), newPeer(t, func() protocol.Domain { return g.domain })
	flooding.price = protocol.NewWei(50) // cheaper: asked first
	flooding.flood.Store(64 << 20)
	n := start(t, g.config(t, pgtest.URL(t), flooding, honest))
	segments := clip(t, 4)
	if code, _, problem := n.push(t, "/live/cam/0.ts", bytes.NewReader(segments[0].Bytes)); code != http.StatusOK {
		t.Fatalf("%d %+v", code, problem)
	}
	// Of a ladder of 160 kbit/s some 5 MB are taken; what buffers hold comes on top.
	if got := flooding.flooded.Load(); got == 0 || got > 24<<20 {
		t.Errorf("%d bytes were taken of a rendition without end", got)
	}
	eventually(t, "one ticket to the honest one", func() bool { return honest.paid() == 1 && flooding.paid() == 0 })
}

func TestPush_thatBreaksOffIsNotItsOrchestratorsFault(t *testing.T) {
	t.Parallel()
	g := setUp(t)
	first, second := newPeer(t, func() protocol.Domain { return g.domain }), newPeer(t, func() protocol.Domain { return g.domain })
	first.price = protocol.NewWei(50) // cheaper: asked first
	n := start(t, g.config(t, pgtest.URL(t), first, second))
	segments := clip(t, 4)
	if code, _, problem := n.push(t, "/live/cam/0.ts", bytes.NewReader(segments[0].Bytes)); code != http.StatusOK {
		t.Fatalf("%d %+v", code, problem)
	}
	torn := newDrip(t)
	go func() {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPut, n.base+"/live/cam/1.ts", torn)
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
		}
	}()
	if _, err := torn.w.Write(segments[1].Bytes[:len(segments[1].Bytes)/2]); err != nil {
		t.Fatal(err)
	}
	eventually(t, "half a segment at the first", func() bool { return len(first.offered()) == 2 })
	_ = torn.w.CloseWithError(io.ErrUnexpectedEOF)
	eventually(t, "the end of that", func() bool {
		_, body, _ := n.get(t, "/api/v1/streams/cam")
		return strings.Contains(body, `"in_flight":0`)
	})
	if code, _, problem := n.push(t, "/live/cam/1.ts", bytes.NewReader(segments[1].Bytes)); code != http.StatusOK {
		t.Fatalf("%d %+v", code, problem)
	}
	if a, b := len(first.offered()), len(second.offered()); a != 3 || b != 0 {
		t.Errorf("%d offers to the first and %d to the second, want 3 and 0", a, b)
	}
}

func TestPush_longerThanItWasAnnouncedIsAnnouncedAnew(t *testing.T) {
	t.Parallel()
	g := setUp(t)
	first, second := newPeer(t, func() protocol.Domain { return g.domain }), newPeer(t, func() protocol.Domain { return g.domain })
	first.price = protocol.NewWei(50) // cheaper: asked first
	n := start(t, g.config(t, pgtest.URL(t), first, second))
	long := mediatest.Segments(t, mediatest.Spec{Seconds: 6, SegmentSeconds: 6})[0]
	slow := newDrip(t)
	go func() {
		_, _ = slow.w.Write(long.Bytes[:len(long.Bytes)/2])
		for len(first.offered()) == 0 && t.Context().Err() == nil {
			time.Sleep(10 * time.Millisecond)
		}
		_, _ = slow.w.Write(long.Bytes[len(long.Bytes)/2:])
		_ = slow.w.Close()
	}()
	if code, _, problem := n.push(t, "/live/cam/0.ts", slow); code != http.StatusOK { // without Content-Duration: two seconds are assumed
		t.Fatalf("%d %+v", code, problem)
	}
	if a, b := first.offered(), second.offered(); len(a) != 2 || len(b) != 0 || a[0].DurationMillis != 2000 || a[1].DurationMillis < 5900 {
		t.Errorf("offers %+v to the first and %+v to the second", a, b)
	}
}

func TestSpend_heldForASegmentThatCannotBeKeptIsFreed(t *testing.T) {
	t.Parallel()
	g := setUp(t)
	peer := newPeer(t, func() protocol.Domain { return g.domain })
	cfg := g.config(t, pgtest.URL(t), peer)
	n := start(t, cfg)
	if err := os.WriteFile(filepath.Join(cfg.Data, "hls", "cam"), []byte("where a folder should be"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, problem := n.push(t, "/live/cam/0.ts", bytes.NewReader(clip(t, 4)[0].Bytes)); code != http.StatusInternalServerError {
		t.Fatalf("%d %+v", code, problem)
	}
	eventually(t, "nothing in flight", func() bool { return n.stats(t).InFlight == 0 })
	if s := n.stats(t); s.Spend.InFlight != "0" || s.Spend.Total != "0" {
		t.Errorf("%+v", s.Spend)
	}
	if peer.paid() != 0 {
		t.Error("paid for what was not kept")
	}
}

type seller struct {
	Address common.Address `json:"address"`
	State   string         `json:"state"`
	Passed  uint64         `json:"passed"`
	Failed  uint64         `json:"failed"`
	Flying  int            `json:"in_flight"`
	Error   string         `json:"error"`
}

func (n node) seller(t testing.TB, p *peer) seller {
	t.Helper()
	_, body, _ := n.get(t, "/api/v1/orchestrators")
	var all []seller
	if err := json.Unmarshal([]byte(body), &all); err != nil {
		t.Fatalf("orchestrators: %s: %v", body, err)
	}
	for _, s := range all {
		if s.Address == p.self.Address() {
			return s
		}
	}
	t.Fatalf("orchestrators: %s: %s is missing", body, p.self.Address())
	panic("unreachable")
}

// Who signs two attempts under one id, of two segments or of two parts of one, is the one who fails: others serve the stream.
func TestOrchestrator_thatSignsAnIDTwiceCostsNoSegment(t *testing.T) {
	t.Parallel()
	for name, parts := range map[string]func(int) bool{"of two segments": nil, "of two parts": func(int) bool { return true }} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := setUp(t)
			twice, honest := newPeer(t, func() protocol.Domain { return g.domain }), newPeer(t, func() protocol.Domain { return g.domain })
			twice.price = protocol.NewWei(50) // cheaper: asked first
			twice.reused, twice.parts = protocol.NewID(), parts
			n := start(t, g.config(t, pgtest.URL(t), twice, honest))
			segments := clip(t, 4)
			for i := range 2 {
				if code, got, problem := n.push(t, fmt.Sprintf("/live/cam/%d.ts", i), bytes.NewReader(segments[i].Bytes)); code != http.StatusOK || len(got) != 2 {
					t.Fatalf("segment %d: %d, %d parts, %+v", i, code, len(got), problem)
				}
			}
			if s := n.seller(t, twice); s.Error == "" || len(honest.offered()) == 0 {
				t.Errorf("%+v, %d segments went to the other one", s, len(honest.offered()))
			}
			eventually(t, "nothing is in flight", func() bool { return n.seller(t, twice).Flying == 0 && n.stats(t).Spend.InFlight == "0" })
		})
	}
}

func TestRestore_givesACutOffOrchestratorWorkAgain(t *testing.T) {
	t.Parallel()
	g := setUp(t)
	liar, honest := newPeer(t, func() protocol.Domain { return g.domain }), newPeer(t, func() protocol.Domain { return g.domain })
	liar.price = protocol.NewWei(50) // cheaper: asked first
	liar.blacken.Store(2)
	cfg := g.config(t, pgtest.URL(t), liar, honest)
	cfg.PushSecretFile = filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(cfg.PushSecretFile, []byte("a long enough secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	auth := []string{"Authorization", "Bearer a long enough secret"}
	n := start(t, cfg)
	segments := clip(t, 4)
	push := func(path string, s mediatest.Segment) {
		t.Helper()
		if code, _, problem := n.push(t, path, bytes.NewReader(s.Bytes), auth...); code != http.StatusOK {
			t.Fatalf("%s: %d %+v", path, code, problem)
		}
	}
	push("/live/cam/0.ts", segments[0])
	if s := n.seller(t, liar); s.State != "cut_off" || s.Failed != 2 {
		t.Fatalf("after two lies: %+v", s)
	}
	push("/live/cam/1.ts", segments[1])

	restore := "/api/v1/orchestrators/" + liar.self.Address().Hex() + "/restore"
	for what, header := range map[string][]string{
		"without the secret":            nil,
		"by another site's page":        append(auth[:2:2], "Sec-Fetch-Site", "cross-site"),
		"under a name that points here": append(auth[:2:2], "Host", "rebound.example"),
		"through a proxy":               append(auth[:2:2], "X-Forwarded-For", "203.0.113.7"),
	} {
		if code := n.post(t, restore, nil, header...); code != http.StatusForbidden {
			t.Errorf("asked for %s: %d", what, code)
		}
	}
	for path, want := range map[string]int{"/api/v1/orchestrators/nobody/restore": http.StatusBadRequest,
		"/api/v1/orchestrators/" + newKey(t).Address().Hex() + "/restore": http.StatusNotFound} {
		if code := n.post(t, path, nil, auth...); code != want {
			t.Errorf("%s: %d, want %d", path, code, want)
		}
	}
	if s := n.seller(t, liar); s.State != "cut_off" {
		t.Fatalf("before it was restored: %+v", s)
	}
	var s seller
	if code := n.post(t, restore, &s, auth...); code != http.StatusOK || s.State != "new" || s.Failed != 2 {
		t.Fatalf("restored: %d %+v", code, s)
	}
	n.stop()
	n = start(t, cfg) // it stays so
	push("/live/other/0.ts", segments[2])
	if s := n.seller(t, liar); s.State != "new" || s.Passed != 1 || len(liar.offered()) != 3 {
		t.Errorf("after a restart and good work: %+v, %d offers", s, len(liar.offered()))
	}
}

// Whoever sends pushes here hears of the drain before the door is closed.
func TestDrain_isSaidByReadyz(t *testing.T) {
	t.Parallel()
	g := setUp(t)
	peer := newPeer(t, func() protocol.Domain { return g.domain })
	n := start(t, g.config(t, pgtest.URL(t), peer))
	if code, body, _ := n.get(t, "/readyz"); code != http.StatusOK {
		t.Fatalf("before: %d %s", code, body)
	}
	peer.held = make(chan struct{})
	pushed := make(chan int, 1)
	go func() {
		code, _, _ := n.push(t, "/live/cam/0.ts", bytes.NewReader(clip(t, 1)[0].Bytes), "Content-Duration", "2000")
		pushed <- code
	}()
	eventually(t, "the segment is worked on", func() bool { return len(peer.offered()) == 1 })
	stopped := make(chan struct{})
	go func() { n.stop(); close(stopped) }()
	eventually(t, "it says that it drains", func() bool {
		code, body, _ := n.get(t, "/readyz")
		return code == http.StatusServiceUnavailable && strings.Contains(body, "draining")
	})
	close(peer.held)
	if code := <-pushed; code != http.StatusOK {
		t.Errorf("the segment in flight: %d", code)
	}
	<-stopped
}

// An orchestrator that hangs, before it says anything or in the middle, costs half the hold-back where there is another, and
// the stream stays with that one.
func TestOrchestrator_thatHangsLeavesTheOtherItsTime(t *testing.T) {
	t.Parallel()
	g := setUp(t)
	for name, hang := range map[string]func(*peer){
		"before it answers":      func(p *peer) { p.mute = make(chan struct{}) },
		"once an attempt begins": func(p *peer) { p.held = make(chan struct{}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hung, other := newPeer(t, func() protocol.Domain { return g.domain }), newPeer(t, func() protocol.Domain { return g.domain })
			hung.price = protocol.NewWei(50) // cheaper: asked first
			hang(hung)
			t.Cleanup(func() { // lets its handlers end
				if hung.held != nil {
					close(hung.held)
				}
			})
			n := start(t, g.config(t, pgtest.URL(t), hung, other))
			code, parts, problem := n.push(t, "/live/cam/0.ts", bytes.NewReader(clip(t, 1)[0].Bytes), "Content-Duration", "2000")
			if code != http.StatusOK || len(parts) != 2 {
				t.Fatalf("%d, %d parts, %+v", code, len(parts), problem)
			}
			if len(hung.offered()) != 1 || len(other.offered()) != 1 {
				t.Errorf("asked were the one that hangs %d times and the other %d times", len(hung.offered()), len(other.offered()))
			}
			code, _, problem = n.push(t, "/live/cam/1.ts", bytes.NewReader(clip(t, 2)[1].Bytes), "Content-Duration", "2000")
			if code != http.StatusOK || len(hung.offered()) != 1 || len(other.offered()) != 2 {
				t.Errorf("the next segment: %d, %+v; %d and %d offers", code, problem, len(hung.offered()), len(other.offered()))
			}
			if s := n.seller(t, hung); !strings.Contains(s.Error, "straggled") {
				t.Errorf("of the one that hangs it is said: %+v", s)
			}
		})
	}
}

func TestPush_thatNobodyServesIsToldWhyAndNotThatTimeRanOut(t *testing.T) {
	t.Parallel()
	g := setUp(t)
	p := newPeer(t, func() protocol.Domain { return g.domain })
	full, late := protocol.NoTranscoder, protocol.DeadlineExceeded
	p.refuse.Store(&full)
	p.andThen.Store(&late)
	cfg := g.config(t, pgtest.URL(t), p)
	cfg.MaxAttempts = 3
	n := start(t, cfg)
	code, _, problem := n.push(t, "/live/cam/0.ts", bytes.NewReader(clip(t, 1)[0].Bytes))
	if code != protocol.NoTranscoder.HTTPStatus() || problem.Code != protocol.NoTranscoder {
		t.Errorf("%d %+v", code, problem)
	}
	if p.refuse.Load() != &late {
		t.Error("it was asked once only")
	}
}
