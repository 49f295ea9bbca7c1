package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/media/mediatest"
)

// TestPushesGoodAndBad pushes by hand: the contract of go-livepeer's clients, and everything a stranger may send.
func TestPushesGoodAndBad(t *testing.T) {
	m := up(t, t.TempDir(), "--input", "none", "--duration", "10m")
	segments := mediatest.Segments(t, mediatest.Spec{Width: 640, Height: 360, FPS: 30, Seconds: 8, SegmentSeconds: 2, Bitrate: 1_000_000})
	good := segments[0].Bytes

	t.Run("multipart answer", func(t *testing.T) {
		ladder := `{"profiles":[{"name":"240p","width":426,"height":240,"bitrate":400000,"fps":0,"profile":"H264Main","gop":"2.0"},` +
			`{"name":"160p","width":284,"height":160,"bitrate":200000,"fps":0,"profile":"H264Main","gop":"2.0"}]}`
		for i, s := range segments[:3] {
			resp := push(t, m, fmt.Sprintf("/live/hand/%d.ts", i), bytes.NewReader(s.Bytes), map[string]string{
				"Accept": "multipart/mixed", "Content-Duration": "2000", "Content-Resolution": "640x360", "Livepeer-Transcode-Configuration": ladder})
			checkParts(t, resp, i)
		}
	})

	bad := []struct {
		name, path string
		body       []byte
		header     map[string]string
		code       string
	}{
		{"empty", "/live/bad1/0.ts", nil, nil, "empty_segment"},
		{"random bytes", "/live/bad2/0.ts", noise(100_000), nil, "bad_media"},
		{"text", "/live/bad3/0.ts", []byte(strings.Repeat("this is no video\n", 1000)), nil, "bad_media"},
		{"no keyframe", "/live/bad4/0.ts", withoutKeyframe(t), nil, "no_keyframe"},
		{"wrong extension", "/live/bad5/0.avi", good, nil, "bad_extension"},
		{"non-numeric sequence", "/live/bad6/first.ts", good, nil, "bad_sequence"},
		{"negative sequence", "/live/bad6/-1.ts", good, nil, "bad_sequence"},
		{"bad stream name", "/live/bad..name/0.ts", good, nil, "bad_stream_name"},
		{"bad duration", "/live/bad7/0.ts", good, map[string]string{"Content-Duration": "soon"}, "bad_duration"},
		{"bad resolution", "/live/bad8/0.ts", good, map[string]string{"Content-Resolution": "wide"}, "bad_resolution"},
		{"bad ladder", "/live/bad9/0.ts", good, map[string]string{"Livepeer-Transcode-Configuration": `{"profiles":[{"name":"x","width":-4}]}`}, "bad_ladder"},
		{"ladder not JSON", "/live/bad10/0.ts", good, map[string]string{"Livepeer-Transcode-Configuration": `{`}, "bad_ladder"},
	}
	for _, b := range bad {
		t.Run(b.name, func(t *testing.T) {
			checkProblem(t, push(t, m, b.path, bytes.NewReader(b.body), b.header), b.code)
		})
	}

	t.Run("huge", func(t *testing.T) {
		checkProblem(t, push(t, m, "/live/bad11/0.ts", io.LimitReader(zeros{}, 1<<30), nil), "segment_too_large", "bad_media")
	})
	t.Run("truncated is refused or truly transcoded", func(t *testing.T) {
		resp := push(t, m, "/live/cut/0.ts", bytes.NewReader(good[:len(good)/2]), map[string]string{"Accept": "multipart/mixed"})
		if resp.StatusCode == http.StatusOK {
			for _, p := range parts(t, resp) {
				if bytes.Contains(good, p.body) {
					t.Errorf("rendition %s is made of source bytes", p.name)
				}
				decode(t, p.body)
			}
		} else if resp.StatusCode/100 != 4 {
			t.Errorf("status %d", resp.StatusCode)
		}
	})
	t.Run("other bytes under a key in flight", func(t *testing.T) {
		slow, w := io.Pipe()
		first := make(chan int, 1)
		go func() {
			resp := push(t, m, "/live/twice/0.ts", slow, nil)
			first <- resp.StatusCode
		}()
		half := len(segments[1].Bytes) / 2
		if _, err := w.Write(segments[1].Bytes[:half]); err != nil {
			t.Fatal(err)
		}
		m.eventually(20*time.Second, "the first push to be in flight", func() bool {
			var s struct {
				InFlight int `json:"in_flight"`
			}
			return m.get("/api/v1/stats", &s) && s.InFlight > 0
		})
		checkProblem(t, push(t, m, "/live/twice/0.ts", bytes.NewReader(segments[2].Bytes), nil), "segment_conflict")
		if _, err := w.Write(segments[1].Bytes[half:]); err != nil {
			t.Fatal(err)
		}
		w.Close()
		if status := <-first; status != http.StatusOK {
			t.Errorf("the push in flight ended with %d", status)
		}
	})
	t.Run("slow body", func(t *testing.T) {
		slow, w := io.Pipe()
		defer w.Close()
		go func() { _, _ = w.Write(good[:188*20]) }() // and then nothing
		resp := push(t, m, "/live/slow/0.ts", slow, nil)
		checkProblem(t, resp, "body_too_slow")
	})
	t.Run("a replay is answered from the record and paid once", func(t *testing.T) {
		before := stats(t, m)
		resp := push(t, m, "/live/hand/2.ts", bytes.NewReader(segments[2].Bytes), map[string]string{"Accept": "multipart/mixed"})
		checkParts(t, resp, 2)
		after := stats(t, m)
		if after["tickets"] != before["tickets"] {
			t.Errorf("%v tickets before the replay, %v after", before["tickets"], after["tickets"])
		}
	})
	t.Run("nothing crashed and a good push works", func(t *testing.T) {
		for _, name := range []string{"broadcaster", "orchestrator", "transcoder-1", "transcoder-2", "transcoder-3"} {
			if _, ok := m.role(name); !ok {
				t.Errorf("%s is gone", name)
			}
		}
		if strings.Contains(m.log(), "a process ended") {
			t.Errorf("a process ended:\n%s", m.log())
		}
		resp := push(t, m, "/live/hand/3.ts", bytes.NewReader(segments[3].Bytes), map[string]string{"Accept": "multipart/mixed"})
		checkParts(t, resp, 3)
	})
}

func stats(t *testing.T, m *market) map[string]uint64 {
	t.Helper()
	var s struct {
		Published uint64 `json:"segments_published"`
		Payer     struct{ Signed, Due uint64 }
	}
	if !m.get("/api/v1/stats", &s) {
		t.Fatal("no stats")
	}
	return map[string]uint64{"published": s.Published, "tickets": s.Payer.Signed + s.Payer.Due}
}

func push(t *testing.T, m *market, path string, body io.Reader, header map[string]string) *http.Response {
	t.Helper()
	req, err := http.NewRequest(http.MethodPut, m.page+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	client := &http.Client{Timeout: 60 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		t.Errorf("push %s: %v", path, err)
		return &http.Response{StatusCode: 0, Header: http.Header{}, Body: http.NoBody}
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func checkProblem(t *testing.T, resp *http.Response, codes ...string) {
	t.Helper()
	b, _ := io.ReadAll(resp.Body)
	var p struct{ Code, Detail string }
	if err := json.Unmarshal(b, &p); err != nil {
		t.Fatalf("status %d, body %.200q: %v", resp.StatusCode, b, err)
	}
	if resp.StatusCode/100 != 4 || resp.Header.Get("Content-Type") != "application/problem+json" || p.Detail == "" {
		t.Errorf("status %d, type %q, detail %q", resp.StatusCode, resp.Header.Get("Content-Type"), p.Detail)
	}
	for _, c := range codes {
		if p.Code == c {
			return
		}
	}
	t.Errorf("code is %q (%s), want one of %v", p.Code, p.Detail, codes)
}

type part struct {
	name string
	body []byte
}

func parts(t *testing.T, resp *http.Response) []part {
	t.Helper()
	if resp.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(resp.Body)
		t.Fatalf("status %s: %s", resp.Status, b)
	}
	kind, params, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/mixed" {
		t.Fatalf("content type is %q: %v", resp.Header.Get("Content-Type"), err)
	}
	var all []part
	for r := multipart.NewReader(resp.Body, params["boundary"]); ; {
		p, err := r.NextPart()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		if p.Header.Get("Content-Length") != fmt.Sprint(len(b)) || !strings.HasPrefix(strings.ToLower(p.Header.Get("Content-Type")), "video/mp2t") {
			t.Errorf("part headers %v of %d bytes", p.Header, len(b))
		}
		all = append(all, part{p.Header.Get("Rendition-Name"), b})
	}
}

func checkParts(t *testing.T, resp *http.Response, seq int) {
	t.Helper()
	got := parts(t, resp)
	if len(got) != 2 || got[0].name == got[1].name {
		t.Fatalf("segment %d: %d parts", seq, len(got))
	}
	for _, p := range got {
		if frames := decode(t, p.body); frames != 60 {
			t.Errorf("segment %d: rendition %s has %d frames, want 60", seq, p.name, frames)
		}
	}
}

// decode counts the video frames of a rendition.
func decode(t *testing.T, b []byte) int {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rendition.ts")
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
	out, warnings := mediatest.Run(t, nil, mediatest.FFprobe(t), "-v", "warning", "-select_streams", "v", "-count_frames",
		"-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", file)
	if warnings != "" {
		t.Errorf("ffprobe warns: %s", warnings)
	}
	var n int
	fmt.Sscan(strings.TrimSpace(strings.Split(string(out), "\n")[0]), &n)
	return n
}

func noise(n int) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// withoutKeyframe is a segment whose first picture is missing: decodable packets, but nothing to begin with.
func withoutKeyframe(t *testing.T) []byte {
	t.Helper()
	const packet, videoPID = 188, 0x100 // where FFmpeg's muxer puts the first track
	whole := mediatest.Segments(t, mediatest.Spec{Width: 320, Height: 180, FPS: 30, Seconds: 2, SegmentSeconds: 2})[0].Bytes
	var kept []byte
	pictures := 0
	for ; len(whole) >= packet; whole = whole[packet:] {
		if int(whole[1]&0x1f)<<8|int(whole[2]) == videoPID {
			if whole[1]&0x40 != 0 {
				pictures++
			}
			if pictures < 2 {
				continue
			}
		}
		kept = append(kept, whole[:packet]...)
	}
	if pictures < 2 {
		t.Fatal("the segment has no second picture")
	}
	return kept
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
