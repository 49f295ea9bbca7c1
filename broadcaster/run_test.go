package broadcaster_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/broadcaster"
	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/chain/devchain"
	"github.com/kinora/kinora/internal/identity"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
)

// ground is a chain with an escrow and a funded account, shared by the tests of this package; databases are their own.
type ground struct {
	chain    *devchain.Chain
	escrow   common.Address
	domain   protocol.Domain
	keystore string
	password string
}

var shared struct {
	once sync.Once
	ground
	err error
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "broadcaster-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	shared.keystore = dir
	code := m.Run()
	if shared.chain != nil {
		shared.chain.Close()
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func setUp(t testing.TB) ground {
	t.Helper()
	shared.once.Do(func() { shared.err = shared.begin(shared.keystore) })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.ground
}

func (g *ground) begin(dir string) error {
	ctx := context.Background()
	g.password = filepath.Join(dir, "password")
	_, file, err := identity.Create(dir, g.password, identity.LightScrypt())
	if err != nil {
		return err
	}
	g.keystore = file
	signer, err := identity.Load(file, g.password)
	if err != nil {
		return err
	}
	ether := protocol.NewWei(1_000_000_000_000_000_000)
	if g.chain, err = devchain.Start(ctx, devchain.Options{Prefund: map[common.Address]protocol.Wei{signer.Address(): ether.Mul(1000)}}); err != nil {
		return err
	}
	client, err := chain.Dial(ctx, g.chain.URL())
	if err != nil {
		return err
	}
	defer client.Close()
	account := chain.NewAccount(client, signer)
	if g.escrow, _, err = account.Deploy(ctx, 24*time.Hour); err != nil {
		return err
	}
	escrow, err := chain.NewEscrow(ctx, client, g.escrow)
	if err != nil {
		return err
	}
	g.domain = escrow.Domain()
	_, err = escrow.Deposit(ctx, account, ether.Mul(200))
	return err
}

// node is a running broadcaster.
type node struct {
	base string
	stop func()
}

func (g ground) config(t testing.TB, database string, peers ...*peer) broadcaster.Config {
	t.Helper()
	one := protocol.NewWei(1_000_000_000_000_000_000)
	cfg := broadcaster.Config{HTTP: "127.0.0.1:0", DatabaseURL: database, ChainRPC: g.chain.URL(), Escrow: g.escrow.Hex(), Keystore: g.keystore, PasswordFile: g.password, Data: t.TempDir(),
		AllocationPerOrchestrator: one, SpendPerHour: one.Mul(20), SpendTotal: one.Mul(100), SegmentDuration: 2 * time.Second, HoldBack: 3, StreamIdle: time.Minute,
		MaxSegmentBytes: 4 << 20, MaxSegmentDuration: 20 * time.Second, MaxPixels: 4 << 20, MinBodyRate: 4096, BodyGrace: time.Second, MaxStreams: 4, MaxInFlight: 8,
		MaxPushesPerSecond: 100, MaxAttempts: 4, KeepAllocated: 4,
		Ladder: `[{"name":"low","width":160,"height":90,"bitrate":100000,"preset":"ultrafast"},{"name":"lower","width":96,"height":54,"bitrate":60000,"preset":"ultrafast"}]`}
	for _, p := range peers {
		cfg.Orchestrators = append(cfg.Orchestrators, p.url)
	}
	return cfg
}

func start(t testing.TB, cfg broadcaster.Config) node {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan broadcaster.Ready, 1), make(chan error, 1)
	cfg.OnReady = func(r broadcaster.Ready) { ready <- r }
	go func() {
		defer close(ended) // so that it can be asked for twice
		ended <- broadcaster.Run(ctx, cfg, slog.New(slog.NewTextHandler(t.Output(), nil)))
	}()
	var once sync.Once
	stop := func() {
		once.Do(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("Run: %v", err)
			}
		})
	}
	t.Cleanup(stop)
	select {
	case r := <-ready:
		return node{base: "http://" + r.HTTP, stop: stop}
	case err := <-ended:
		t.Fatalf("Run ended: %v", err)
	case <-time.After(time.Minute):
		t.Fatal("not ready within a minute")
	}
	panic("unreachable")
}

type part struct {
	name, header string
	body         []byte
}

// push pushes a segment and returns the status, the parts of a 200 and the problem of anything else.
func (n node) push(t testing.TB, path string, body io.Reader, header ...string) (int, []part, protocol.Problem) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, n.base+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "multipart/mixed")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("push %s: %v", path, err)
	}
	defer resp.Body.Close()
	if resp.Header.Get("X-Request-Id") == "" {
		t.Errorf("push %s: no X-Request-Id", path)
	}
	var problem protocol.Problem
	if resp.StatusCode != http.StatusOK {
		if resp.Header.Get("Content-Type") != protocol.ProblemType {
			t.Errorf("push %s: answered %d as %s", path, resp.StatusCode, resp.Header.Get("Content-Type"))
		}
		if err := json.NewDecoder(resp.Body).Decode(&problem); err != nil {
			t.Fatalf("push %s: %v", path, err)
		}
		return resp.StatusCode, nil, problem
	}
	kind, params, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/mixed" {
		t.Fatalf("push %s: answered as %q: %v", path, resp.Header.Get("Content-Type"), err)
	}
	var parts []part
	for r := multipart.NewReader(resp.Body, params["boundary"]); ; {
		p, err := r.NextPart()
		if err == io.EOF {
			return resp.StatusCode, parts, problem
		}
		if err != nil {
			t.Fatalf("push %s: %v", path, err)
		}
		b, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(len(b)) != p.Header.Get("Content-Length") || !strings.HasPrefix(p.Header.Get("Repr-Digest"), "sha-256=:") {
			t.Errorf("part of %d bytes has header %v", len(b), p.Header)
		}
		parts = append(parts, part{p.Header.Get("Rendition-Name"), p.Header.Get("Content-Type") + " " + p.Header.Get("Content-Disposition"), b})
	}
}

func (n node) get(t testing.TB, path string) (int, string, http.Header) {
	t.Helper()
	resp, err := http.Get(n.base + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b), resp.Header
}

type stats struct {
	SegmentsIn          uint64 `json:"segments_in"`
	SegmentsPublished   uint64 `json:"segments_published"`
	RenditionsPublished uint64 `json:"renditions_published"`
	SegmentsFailed      uint64 `json:"segments_failed"`
	VerifiedL0          uint64 `json:"verified_l0"`
	VerifiedL1          uint64 `json:"verified_l1"`
	Rejected            uint64 `json:"rejected"`
	InFlight            int    `json:"in_flight"`
	Latency             struct {
		P50 int64 `json:"p50"`
		P95 int64 `json:"p95"`
		Max int64 `json:"max"`
	} `json:"latency_ms"`
	Spend struct {
		Total    string `json:"total"`
		InFlight string `json:"in_flight"`
	} `json:"spend"`
}

func (n node) stats(t testing.TB) stats {
	t.Helper()
	code, body, _ := n.get(t, "/api/v1/stats")
	var s stats
	if err := json.Unmarshal([]byte(body), &s); err != nil || code != http.StatusOK {
		t.Fatalf("stats: %d %s: %v", code, body, err)
	}
	return s
}

func clip(t testing.TB, segments int) []mediatest.Segment {
	t.Helper()
	return mediatest.Segments(t, mediatest.Spec{Seconds: 2 * float64(segments)})
}

func TestRun_paysForWhatItVerifiedAndPlaysIt(t *testing.T) {
	t.Parallel()
	g := setUp(t)
	peer := newPeer(t, func() protocol.Domain { return g.domain })
	peer.usable = 9 * time.Second
	database := pgtest.URL(t)
	cfg := g.config(t, database, peer)
	n := start(t, cfg)
	if code, body, _ := n.get(t, "/readyz"); code != http.StatusOK {
		t.Fatalf("readyz: %d %s", code, body)
	}
	segments := clip(t, 4)
	for i, s := range segments[:3] {
		code, parts, problem := n.push(t, fmt.Sprintf("/live/cam/%d.ts", i), bytes.NewReader(s.Bytes), "Content-Duration", "2000", "Content-Resolution", "320x180")
		if code != http.StatusOK || len(parts) != 2 || parts[0].name != "lower" || parts[1].name != "low" {
			t.Fatalf("segment %d: %d, %d parts, %+v", i, code, len(parts), problem)
		}
		if want := fmt.Sprintf(`video/mp2t; name="lower_%d.ts" attachment; filename="lower_%d.ts"`, i, i); parts[0].header != want {
			t.Errorf("part header %s, want %s", parts[0].header, want)
		}
	}
	eventually(t, "three tickets", func() bool { return peer.paid() == 3 })

	// The same bytes again: answered, not paid again.
	code, parts, problem := n.push(t, "/live/cam/1.ts", bytes.NewReader(segments[1].Bytes))
	if code != http.StatusOK || len(parts) != 2 {
		t.Fatalf("replay: %d, %d parts, %+v", code, len(parts), problem)
	}
	if offers := len(peer.offered()); offers != 3 {
		t.Errorf("%d offers after a replay, want 3", offers)
	}

	eventually(t, "three published segments", func() bool { return n.stats(t).SegmentsPublished == 3 })
	s := n.stats(t)
	if s.SegmentsIn != 3 || s.RenditionsPublished != 6 || s.VerifiedL0 != 3 || s.VerifiedL1 != 3 || s.Rejected != 0 || s.SegmentsFailed != 0 {
		t.Errorf("stats %+v", s)
	}
	code, text, header := n.get(t, "/hls/cam/index.m3u8")
	if code != http.StatusOK || !strings.Contains(text, "RESOLUTION=160x90") || !strings.Contains(text, "avc1.") || !strings.Contains(text, "mp4a.40.2") || header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("multivariant playlist: %d %s", code, text)
	}

	// A restart: the playlists continue from the rows, and ffprobe decodes them whole.
	n.stop()
	n = start(t, cfg)
	if code, _, problem := n.push(t, "/live/cam/3.ts", bytes.NewReader(segments[3].Bytes)); code != http.StatusOK {
		t.Fatalf("after the restart: %d %+v", code, problem)
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, n.base+"/api/v1/streams/cam/end", nil)
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("end: %v %v", resp, err)
	}
	_ = resp.Body.Close()
	_, text, _ = n.get(t, "/hls/cam/low/index.m3u8")
	if strings.Count(text, "#EXTINF") != 4 || strings.Contains(text, "DISCONTINUITY") || !strings.HasSuffix(text, "#EXT-X-ENDLIST\n") {
		t.Errorf("media playlist after the restart:\n%s", text)
	}
	for rung, size := range map[string]string{"low": "160,90", "lower": "96,54"} {
		out, errs := mediatest.Run(t, nil, mediatest.FFprobe(t), "-v", "warning", "-count_frames", "-select_streams", "v", "-show_entries", "stream=width,height,nb_read_frames", "-of", "csv=p=0",
			n.base+"/hls/cam/"+rung+"/index.m3u8")
		if got := strings.TrimSpace(string(out)); !strings.HasPrefix(got, size+",240") || errs != "" {
			t.Errorf("%s: ffprobe reads %q, want %s,240; it warns %q", rung, got, size, errs)
		}
	}
	peer.mu.Lock()
	defer peer.mu.Unlock()
	if peer.flushes == 0 {
		t.Error("the end of the stream flushed no set")
	}
}

func TestRun_refusesBadPushesAndLosesNothing(t *testing.T) {
	t.Parallel()
	g := setUp(t)
	peer := newPeer(t, func() protocol.Domain { return g.domain })
	cfg := g.config(t, pgtest.URL(t), peer)
	cfg.PushSecretFile = filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(cfg.PushSecretFile, []byte("a long enough secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	n := start(t, cfg)
	segments := clip(t, 4)
	auth := []string{"Authorization", "Bearer a long enough secret"}
	good := func(seq int, s mediatest.Segment) {
		t.Helper()
		if code, parts, problem := n.push(t, fmt.Sprintf("/live/cam/%d.ts", seq), bytes.NewReader(s.Bytes), auth...); code != http.StatusOK || len(parts) != 2 {
			t.Fatalf("good segment %d: %d %+v", seq, code, problem)
		}
	}
	good(10, segments[0])

	random := bytes.Repeat([]byte("no transport stream at all. "), 20_000)
	cut := segments[2].Bytes[len(segments[2].Bytes)/2:] // begins between keyframes
	cut = cut[len(cut)%188:]
	for _, c := range []struct {
		name, path string
		body       io.Reader
		header     []string
		status     int
		code       protocol.Code
		limit      string
	}{
		{"empty", "/live/cam/11.ts", strings.NewReader(""), auth, 422, protocol.EmptySegment, ""},
		{"random bytes", "/live/cam/11.ts", bytes.NewReader(random), auth, 422, protocol.BadMedia, ""},
		{"text", "/live/cam/11.ts", strings.NewReader("hello"), auth, 422, protocol.BadMedia, ""},
		{"no keyframe", "/live/cam/11.ts", bytes.NewReader(cut), auth, 422, "", ""},
		{"wrong extension", "/live/cam/11.mov", bytes.NewReader(segments[1].Bytes), auth, 400, protocol.BadExtension, ""},
		{"text as MP4", "/live/cam/11.mp4", strings.NewReader("hello"), auth, 422, protocol.BadMedia, ""},
		{"no extension", "/live/cam/11", bytes.NewReader(segments[1].Bytes), auth, 400, protocol.BadExtension, ""},
		{"number that is none", "/live/cam/eleven.ts", bytes.NewReader(segments[1].Bytes), auth, 400, protocol.BadSequence, ""},
		{"huge number", "/live/cam/99999999999999999999.ts", bytes.NewReader(segments[1].Bytes), auth, 400, protocol.BadSequence, ""},
		{"bad stream name", "/live/..cam/11.ts", bytes.NewReader(segments[1].Bytes), auth, 400, protocol.BadStreamName, ""},
		{"huge, announced", "/live/cam/11.ts", bytes.NewReader(make([]byte, 5<<20)), auth, 413, protocol.SegmentTooLarge, "max-segment-bytes=4194304"},
		{"huge, not announced", "/live/cam/11.ts", io.MultiReader(bytes.NewReader(segments[1].Bytes), bytes.NewReader(make([]byte, 5<<20))), auth, 413, protocol.SegmentTooLarge, "max-segment-bytes=4194304"},
		{"too long", "/live/cam/11.ts", bytes.NewReader(segments[1].Bytes), append(auth[:2:2], "Content-Duration", "20001"), 422, protocol.SegmentTooLong, "max-segment-duration=20s"},
		{"bad duration", "/live/cam/11.ts", bytes.NewReader(segments[1].Bytes), append(auth[:2:2], "Content-Duration", "two"), 400, protocol.BadDuration, ""},
		{"bad resolution", "/live/cam/11.ts", bytes.NewReader(segments[1].Bytes), append(auth[:2:2], "Content-Resolution", "big"), 400, protocol.BadResolution, ""},
		{"bad ladder", "/live/cam/11.ts", bytes.NewReader(segments[1].Bytes), append(auth[:2:2], "Livepeer-Transcode-Configuration", "{"), 400, protocol.BadLadder, ""},
		{"no secret", "/live/cam/11.ts", bytes.NewReader(segments[1].Bytes), nil, 403, protocol.Unauthorized, ""},
		{"wrong secret", "/live/cam/11.ts?key=wrong", bytes.NewReader(segments[1].Bytes), nil, 403, protocol.Unauthorized, ""},
		{"slow body", "/live/cam/11.ts", slowly(t), auth, 408, protocol.BodyTooSlow, "min-body-rate=4096"},
		{"far back and bad", "/live/cam/2.ts", bytes.NewReader(random), auth, 422, protocol.BadMedia, ""},
	} {
		code, _, problem := n.push(t, c.path, c.body, c.header...)
		if code/100 != 4 || c.status != code || c.code != "" && problem.Code != c.code || problem.Limit != c.limit {
			t.Errorf("%s: %d %+v, want %d %s %q", c.name, code, problem, c.status, c.code, c.limit)
		}
	}
	// A truncated segment is refused, or answered with true renditions of what decodes.
	if code, parts, problem := n.push(t, "/live/torn/0.ts", bytes.NewReader(segments[0].Bytes[:len(segments[0].Bytes)*2/3]), auth...); code/100 != 4 && code != http.StatusOK {
		t.Errorf("truncated: %d %+v", code, problem)
	} else {
		for _, p := range parts {
			if bytes.Contains(segments[0].Bytes, p.body[:min(len(p.body), 4096)]) {
				t.Error("truncated: source bytes came back as a rendition")
			}
		}
	}
	// A muxer's playlist is nobody's segment.
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPut, n.base+"/live/cam/index.m3u8?key=a+long+enough+secret", strings.NewReader("#EXTM3U"))
	if resp, err := http.DefaultClient.Do(req); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("playlist: %v %v", resp, err)
	}
	// The stream goes on as if nothing had happened.
	good(11, segments[1])
	var text string
	eventually(t, "two listed segments", func() bool { // a row is published before it is listed
		_, text, _ = n.get(t, "/hls/cam/low/index.m3u8")
		return strings.Count(text, "#EXTINF") >= 2
	})
	if strings.Count(text, "#EXTINF") != 2 || strings.Contains(text, "GAP") || strings.Contains(text, "DISCONTINUITY") {
		t.Errorf("playlist after bad pushes:\n%s", text)
	}
	_, text, _ = n.get(t, "/metrics")
	if !strings.Contains(text, `kinora_broadcaster_pushes_refused_total{code="unauthorized"} 2`) {
		t.Error("refusals are not counted")
	}
}

// slowly is a body that never comes to an end; it says nothing after its first byte.
func slowly(t testing.TB) io.Reader {
	r, w := io.Pipe()
	go func() { _, _ = w.Write([]byte{0x47}) }()
	t.Cleanup(func() { _ = w.Close() })
	return r
}

func TestRun_otherBytesUnderAKeyInFlightConflict(t *testing.T) {
	t.Parallel()
	g := setUp(t)
	peer := newPeer(t, func() protocol.Domain { return g.domain })
	peer.held = make(chan struct{})
	n := start(t, g.config(t, pgtest.URL(t), peer))
	segments := clip(t, 4)
	var answered sync.WaitGroup
	same := func() {
		code, parts, problem := n.push(t, "/live/cam/0.ts", bytes.NewReader(segments[0].Bytes))
		if code != http.StatusOK || len(parts) != 2 {
			t.Errorf("same bytes: %d %+v", code, problem)
		}
	}
	answered.Go(same)
	eventually(t, "the segment at the orchestrator", func() bool { return len(peer.offered()) == 1 })
	answered.Go(same) // joins
	if code, _, problem := n.push(t, "/live/cam/0.ts", bytes.NewReader(segments[1].Bytes)); code != http.StatusConflict || problem.Code != protocol.SegmentConflict {
		t.Errorf("other bytes: %d %+v", code, problem)
	}
	close(peer.held)
	answered.Wait()
	if n := len(peer.offered()); n != 1 {
		t.Errorf("%d offers, want 1", n)
	}
	// Once settled, other bytes under the key are a restart of the encoder.
	if code, _, problem := n.push(t, "/live/cam/0.ts", bytes.NewReader(segments[1].Bytes)); code != http.StatusOK {
		t.Fatalf("restart: %d %+v", code, problem)
	}
	eventually(t, "both published", func() bool { return n.stats(t).SegmentsPublished == 2 })
	_, text, _ := n.get(t, "/hls/cam/low/index.m3u8")
	if strings.Count(text, "#EXT-X-DISCONTINUITY\n") != 1 || !strings.Contains(text, "\n1-0-") {
		t.Errorf("playlist after a restart of the encoder:\n%s", text)
	}
}

func TestRun_rejectedOutputIsNotReleasedNotPaidAndDoneElsewhere(t *testing.T) {
	t.Parallel()
	g := setUp(t)
	liar, honest := newPeer(t, func() protocol.Domain { return g.domain }), newPeer(t, func() protocol.Domain { return g.domain })
	liar.price = protocol.NewWei(50) // cheaper: asked first
	liar.blacken.Store(1)
	honest.abandon.Store(1)
	n := start(t, g.config(t, pgtest.URL(t), liar, honest))
	segments := clip(t, 4)
	code, parts, problem := n.push(t, "/live/cam/0.ts", bytes.NewReader(segments[0].Bytes))
	if code != http.StatusOK || len(parts) != 2 {
		t.Fatalf("%d %+v", code, problem)
	}
	offers := append(liar.offered(), honest.offered()...)
	if len(offers) < 2 || len(offers[len(offers)-1].Avoid) == 0 && len(offers[1].Avoid) == 0 {
		t.Errorf("%d offers; the second does not avoid the first transcoder", len(offers))
	}
	eventually(t, "the refusal and one ticket", func() bool { return liar.rejected() == 1 && liar.paid()+honest.paid() == 1 })
	if s := n.stats(t); s.Rejected != 1 || s.VerifiedL0 != 1 {
		t.Errorf("stats %+v", s)
	}
	for _, p := range parts {
		out, _ := mediatest.Run(t, p.body, mediatest.FFprobe(t), "-v", "error", "-select_streams", "v", "-show_entries", "stream=height", "-of", "csv=p=0", "-i", "-")
		if h := strings.Fields(string(out))[0]; h != map[string]string{"low": "90", "lower": "54"}[p.name] {
			t.Errorf("%s has height %s", p.name, h)
		}
	}
}

func TestRun_goesToTheNextOrchestratorWhenOneFails(t *testing.T) {
	t.Parallel()
	g := setUp(t)
	first, second := newPeer(t, func() protocol.Domain { return g.domain }), newPeer(t, func() protocol.Domain { return g.domain })
	first.price = protocol.NewWei(50)
	cfg := g.config(t, pgtest.URL(t), first, second)
	n := start(t, cfg)
	segments := clip(t, 4)
	for i := range 2 {
		if code, _, problem := n.push(t, fmt.Sprintf("/live/cam/%d.ts", i), bytes.NewReader(segments[i].Bytes)); code != http.StatusOK {
			t.Fatalf("segment %d: %d %+v", i, code, problem)
		}
	}
	if a, b := len(first.offered()), len(second.offered()); a != 2 || b != 0 {
		t.Fatalf("offers %d and %d, want both to the cheaper", a, b)
	}
	first.server.CloseClientConnections()
	first.server.Close()
	if code, _, problem := n.push(t, "/live/cam/2.ts", bytes.NewReader(segments[2].Bytes)); code != http.StatusOK {
		t.Fatalf("after the first died: %d %+v", code, problem)
	}
	if b := len(second.offered()); b != 1 {
		t.Errorf("%d offers to the second, want 1", b)
	}
}

func TestRun_keepsSpendAndPriceCaps(t *testing.T) {
	t.Parallel()
	g := setUp(t)
	peer := newPeer(t, func() protocol.Domain { return g.domain })
	segments := clip(t, 4)
	cfg := g.config(t, pgtest.URL(t), peer)
	cfg.SpendTotal = protocol.NewWei(400_000_000)
	cfg.MinRungs = 2 // all or nothing
	n := start(t, cfg)
	seq := 0
	for ; seq < 4; seq++ {
		code, _, problem := n.push(t, fmt.Sprintf("/live/cam/%d.ts", seq), bytes.NewReader(segments[seq].Bytes))
		if code == http.StatusOK {
			continue
		}
		if code != http.StatusPaymentRequired || problem.Code != protocol.SpendCapReached || problem.Limit != "spend-total=400000000" {
			t.Errorf("at the cap: %d %+v", code, problem)
		}
		break
	}
	if seq == 0 || seq == 4 {
		t.Errorf("the cap was met at segment %d", seq)
	}
	n.stop()
	cfg.SpendTotal, cfg.MaxWeiPerPixel = cfg.SpendPerHour, protocol.NewWei(99)
	// Nobody sells at that price, so it never becomes ready; its own address is asked instead of waiting for that.
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	cfg.HTTP = strings.TrimPrefix(n.base, "http://")
	go func() { ended <- broadcaster.Run(ctx, cfg, slog.New(slog.DiscardHandler)) }()
	eventually(t, "it listens", func() bool {
		resp, err := http.Get(n.base + "/healthz")
		if err == nil {
			_ = resp.Body.Close()
		}
		return err == nil
	})
	if code, _, problem := n.push(t, "/live/dear/0.ts", bytes.NewReader(segments[0].Bytes)); code != http.StatusServiceUnavailable || problem.Code != protocol.PriceAboveMax {
		t.Errorf("too dear: %d %+v", code, problem)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
