package broadcaster_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kinora/kinora/broadcaster"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
)

// account is the events of some kinds as they come.
type account struct {
	mu  sync.Mutex
	all []protocol.Event
}

func (a *account) kinds() (kinds []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, e := range a.all {
		step, _, _ := strings.Cut(e.Detail, ":")
		kinds = append(kinds, strings.TrimPrefix(string(e.Kind), "stream_")+" "+step)
	}
	return kinds
}

// listen keeps the events that tell how streams stand.
func (n node) listen(t testing.TB) *account {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, n.base+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	a := &account{}
	go func() {
		defer resp.Body.Close()
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			data, ok := strings.CutPrefix(lines.Text(), "data: ")
			var e protocol.Event
			if !ok || json.Unmarshal([]byte(data), &e) != nil {
				continue
			}
			switch e.Kind {
			case protocol.StreamDegraded, protocol.StreamRestored, protocol.SpendCapNear:
				a.mu.Lock()
				a.all = append(a.all, e)
				a.mu.Unlock()
			}
		}
	}()
	return a
}

// standing is how a stream stands, by the API.
type standing struct {
	Degraded *struct {
		Step    string   `json:"step"`
		Made    []string `json:"made"`
		LeftOut []string `json:"left_out"`
		Why     string   `json:"why"`
	} `json:"degraded"`
}

func (n node) standing(t testing.TB, stream string) standing {
	t.Helper()
	_, body, _ := n.get(t, "/api/v1/streams/"+stream)
	var s standing
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return s
}

// made pushes a segment and returns what came of it: the names of its parts, or the code of its refusal.
func (n node) made(t testing.TB, stream string, seq int, s mediatest.Segment, header ...string) string {
	t.Helper()
	code, parts, problem := n.push(t, fmt.Sprintf("/live/%s/%d.ts", stream, seq), bytes.NewReader(s.Bytes), append([]string{"Content-Duration", "2000"}, header...)...)
	if code != http.StatusOK {
		return string(problem.Code)
	}
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	return strings.Join(names, " ")
}

const lower = 96 * 54 * 60 // pixels a second of the lesser rung, at the frame rate that is asked for before it was measured

func degrading(t *testing.T, change func(*broadcaster.Config, *peer)) (node, *peer, []mediatest.Segment) {
	t.Helper()
	g := setUp(t)
	p := newPeer(t, func() protocol.Domain { return g.domain })
	cfg := g.config(t, pgtest.URL(t), p)
	cfg.PassThrough, cfg.ClimbAfter = true, 30*time.Second
	change(&cfg, p)
	return start(t, cfg), p, clip(t, 8)
}

func TestStream_shedsThenPassesThroughThenClimbsBackAsCapacityGoesAndComes(t *testing.T) {
	t.Parallel()
	n, p, segments := degrading(t, func(c *broadcaster.Config, _ *peer) { c.ClimbAfter = time.Millisecond })
	heard := n.listen(t)
	seq := 0
	push := func(want string) {
		t.Helper()
		if got := n.made(t, "cam", seq, segments[seq]); got != want {
			t.Errorf("of segment %d %q is made, want %q", seq, got, want)
		}
		seq++
	}
	push("lower low")
	p.room.Store(lower)
	push("lower")
	if d := n.standing(t, "cam").Degraded; d == nil || d.Step != "shed" || !slices.Equal(d.Made, []string{"lower"}) || !slices.Equal(d.LeftOut, []string{"low"}) || !strings.Contains(d.Why, "free_pixel_rate") {
		t.Errorf("after the first loss it stands %+v", d)
	}
	p.room.Store(1)
	push("source")
	push("source") // a step up was tried meanwhile, and refused
	if d := n.standing(t, "cam").Degraded; d == nil || d.Step != "pass_through" || len(d.Made) != 0 {
		t.Errorf("without any capacity it stands %+v", d)
	}
	eventually(t, "the source is listed", func() bool { return n.stats(t).SegmentsPublished == 4 })
	if paid := p.paid(); paid > 2 {
		t.Errorf("%d were paid, two were made", paid)
	}
	_, master, _ := n.get(t, "/hls/cam/index.m3u8")
	_, low, _ := n.get(t, "/hls/cam/low/index.m3u8")
	_, source, _ := n.get(t, "/hls/cam/source/index.m3u8")
	if !strings.Contains(master, "source/index.m3u8") || !strings.Contains(master, "low/index.m3u8") || !strings.Contains(master, "RESOLUTION=320x180") {
		t.Errorf("master playlist:\n%s", master)
	}
	// Whoever plays the larger rung meets a gap, and then the source after a discontinuity, at the same numbers as everywhere.
	if gaps := strings.Count(low, "#EXT-X-GAP"); gaps != 1 || strings.Count(low, "#EXTINF") != 4 || strings.Count(low, "../source/0-") != 2 || strings.Count(low, "#EXT-X-DISCONTINUITY\n") != 1 ||
		strings.Index(low, "#EXT-X-DISCONTINUITY") > strings.Index(low, "../source/0-2-") {
		t.Errorf("playlist of the larger rung:\n%s", low)
	}
	if strings.Count(source, "#EXT-X-GAP") != 2 || strings.Count(source, "#EXT-X-DISCONTINUITY\n") != 1 {
		t.Errorf("playlist of the source:\n%s", source)
	}

	p.room.Store(0)
	time.Sleep(5 * time.Millisecond) // until a step up may be tried, and then one with each segment
	for range 3 {
		if got := n.made(t, "cam", seq, segments[seq]); got == "source" {
			t.Errorf("segment %d is passed through though there is room", seq)
		}
		seq++
		time.Sleep(5 * time.Millisecond)
	}
	push("lower low")
	if d := n.standing(t, "cam").Degraded; d != nil {
		t.Errorf("with all the room it stands %+v", d)
	}
	eventually(t, "the steps in order", func() bool {
		return slices.Equal(heard.kinds(), []string{"degraded shed", "degraded pass_through", "restored shed", "restored whole"})
	})
	var e ended
	n.post(t, "/api/v1/streams/cam/end", &e)
	out, errs := mediatest.Run(t, nil, mediatest.FFprobe(t), "-v", "error", "-count_frames", "-select_streams", "v", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0",
		n.base+"/hls/cam/lower/index.m3u8")
	if got := strings.TrimSpace(string(out)); !strings.HasPrefix(got, "480") {
		t.Errorf("ffprobe counts %q pictures of 8 segments in the lesser rung, want 480; it says %q", got, errs)
	}
}

func TestStream_withNothingLessStopsAndSaysWhy(t *testing.T) {
	t.Parallel()
	n, p, segments := degrading(t, func(c *broadcaster.Config, _ *peer) { c.PassThrough, c.ClimbAfter = false, time.Millisecond })
	heard := n.listen(t)
	if got := n.made(t, "cam", 0, segments[0]); got != "lower low" {
		t.Fatalf("%q", got)
	}
	p.room.Store(1)
	if got := n.made(t, "cam", 1, segments[1]); got != string(protocol.NoCapacity) {
		t.Errorf("without room: %q", got)
	}
	if d := n.standing(t, "cam").Degraded; d == nil || d.Step != "stop" {
		t.Errorf("it stands %+v", d)
	}
	put := func(body string) int {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPut, n.base+"/api/v1/streams/cam/policy", strings.NewReader(body))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
	if code := put(`{"min_rungs": 99}`); code != http.StatusBadRequest {
		t.Errorf("99 rungs: %d", code)
	}
	if code := put(`{"min_rungs": 1, "pass_through": true}`); code != http.StatusOK {
		t.Errorf("the policy: %d", code)
	}
	time.Sleep(5 * time.Millisecond)
	if got := n.made(t, "cam", 2, segments[2]); got != "source" {
		t.Errorf("with a policy that passes the source through: %q", got)
	}
	if _, body, _ := n.get(t, "/api/v1/streams/cam/policy"); body != `{"min_rungs":1,"pass_through":true,"stop_after_s":0,"own":true}`+"\n" {
		t.Errorf("policy %s", body)
	}
	// A push says so itself: all of the ladder or nothing.
	if got := n.made(t, "other", 0, segments[3], "Kinora-Degrade", "min_rungs=2, pass_through=false"); got != string(protocol.NoCapacity) {
		t.Errorf("all or nothing: %q", got)
	}
	if got := n.made(t, "third", 0, segments[3], "Kinora-Degrade", "rungs=2"); got != string(protocol.BadRequest) {
		t.Errorf("a field that cannot be: %q", got)
	}
	eventually(t, "the steps in order", func() bool {
		kinds := heard.kinds()
		return len(kinds) >= 3 && slices.Equal(kinds[:2], []string{"degraded stop", "degraded pass_through"}) && kinds[len(kinds)-1] == "degraded stop"
	})
}

func TestStream_goesOnThroughAPriceSpike(t *testing.T) {
	t.Parallel()
	n, p, segments := degrading(t, func(c *broadcaster.Config, p *peer) {
		c.MaxWeiPerPixel, c.ClimbAfter = protocol.NewWei(150), time.Millisecond
		p.valid = time.Second
	})
	heard := n.listen(t)
	if got := n.made(t, "cam", 0, segments[0]); got != "lower low" {
		t.Fatalf("%q", got)
	}
	p.spike.Store(1000)
	time.Sleep(p.valid) // a quote is binding for as long as it was given
	for seq := 1; seq < 3; seq++ {
		if got := n.made(t, "cam", seq, segments[seq]); got != "source" {
			t.Errorf("at ten times the price, of segment %d %q is made", seq, got)
		}
	}
	if d := n.standing(t, "cam").Degraded; d == nil || !strings.Contains(d.Why, "1000 wei per pixel") {
		t.Errorf("it stands %+v", d)
	}
	p.spike.Store(0)
	for seq := 3; seq < 6; seq++ {
		time.Sleep(20 * time.Millisecond)
		n.made(t, "cam", seq, segments[seq])
	}
	if got := n.made(t, "cam", 6, segments[6]); got != "lower low" {
		t.Errorf("at the old price, %q is made", got)
	}
	eventually(t, "the steps in order", func() bool {
		kinds := heard.kinds()
		return len(kinds) == 3 && kinds[0] == "degraded pass_through" && kinds[2] == "restored whole"
	})
}

func TestStream_isToldBeforeItsMoneyRunsOut(t *testing.T) {
	t.Parallel()
	n, p, segments := degrading(t, func(c *broadcaster.Config, _ *peer) { c.SpendPerStream = protocol.NewWei(500_000_000) })
	heard := n.listen(t)
	var all []string
	for seq, s := range segments {
		all = append(all, n.made(t, "cam", seq, s))
	}
	eventually(t, "the steps in order", func() bool {
		kinds := heard.kinds()
		return len(kinds) == 3 && strings.HasPrefix(kinds[0], "spend_cap_near four fifths of --spend-per-stream are spent") && kinds[1] == "degraded shed" && kinds[2] == "degraded pass_through" ||
			len(kinds) == 3 && kinds[0] == "degraded shed" && strings.HasPrefix(kinds[1], "spend_cap_near four fifths") && kinds[2] == "degraded pass_through"
	})
	if all[0] != "lower low" || all[len(all)-1] != "source" || !slices.Contains(all, "lower") || slices.ContainsFunc(all, func(s string) bool { return s == string(protocol.SpendCapReached) }) {
		t.Errorf("made were %q", all)
	}
	eventually(t, "no more than the cap is spent", func() bool { return p.paid() > 0 && len(n.stats(t).Spend.Total) <= len("500000000") })
}

func TestSegment_thatWouldBeLatePassesThroughInsteadOfAGap(t *testing.T) {
	t.Parallel()
	n, p, segments := degrading(t, func(c *broadcaster.Config, p *peer) { p.held = make(chan struct{}) })
	began := time.Now()
	if got := n.made(t, "cam", 0, segments[0]); got != "source" {
		t.Errorf("of a segment that nobody finishes, %q is made", got)
	}
	if took := time.Since(began); took < 5*time.Second || took > 20*time.Second {
		t.Errorf("after %s", took)
	}
	select {
	case <-p.calledOff:
		t.Error("the word that calls it off was left lying") // it was taken by who waits for it
	default:
	}
	if d := n.standing(t, "cam").Degraded; d != nil {
		t.Errorf("one late segment makes the stream stand %+v", d)
	}
	eventually(t, "nothing is held and nobody is paid", func() bool { return n.stats(t).Spend.InFlight == "0" && p.paid() == 0 })
}
