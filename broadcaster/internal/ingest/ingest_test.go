package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/kinora/kinora/broadcaster/internal/store"
	"github.com/kinora/kinora/broadcaster/internal/stream"
	"github.com/kinora/kinora/internal/protocol"
)

var limits = Limits{MaxBytes: 1 << 20, MaxDuration: 20 * time.Second, MinRate: 4096, Grace: time.Second}

func TestParseConfiguration_readsWhatGoLivepeerReads(t *testing.T) {
	t.Parallel()
	ladder, labels, err := parseConfiguration(`{"manifestID":"x","streamKey":"k","presets":["P240p30fps16x9"],"verificationFreq":3,
		"profiles":[{"name":"Best One","width":1280,"height":720,"bitrate":2000000,"fps":30000,"fpsDen":1001,"profile":"H264Baseline","gop":"2.5","encoder":"H.264","colorDepth":8,"chromaFormat":420},
		{"width":160,"height":90,"bitrate":100000,"gop":"intra"},{"name":"best one","width":640,"height":360,"bitrate":1000000,"fps":30}]}`)
	if err != nil {
		t.Fatal(err)
	}
	want := protocol.Ladder{
		{Name: "best-one", Width: 1280, Height: 720, Bitrate: 2_000_000, FPSNum: 30000, FPSDen: 1001, GOPMillis: 2500, Codec: protocol.H264, CodecProfile: "baseline"},
		{Name: "best-one-2", Width: 640, Height: 360, Bitrate: 1_000_000, FPSNum: 30, FPSDen: 1, Codec: protocol.H264},
		{Name: "p240p30fps16x9", Width: 426, Height: 240, Bitrate: 600_000, FPSNum: 30, FPSDen: 1, Codec: protocol.H264},
		{Name: "160x90_100000", Width: 160, Height: 90, Bitrate: 100_000, GOPMillis: 1, Codec: protocol.H264},
	}
	wantLabels := []string{"Best One", "best one", "P240p30fps16x9", "160x90_100000"}
	if len(ladder) != len(want) {
		t.Fatalf("%d profiles, want %d", len(ladder), len(want))
	}
	for i := range want {
		if ladder[i] != want[i] || labels[i] != wantLabels[i] {
			t.Errorf("profile %d is %+v %q, want %+v %q", i, ladder[i], labels[i], want[i], wantLabels[i])
		}
	}
	for _, none := range []string{"", "{}", `{"profiles":[]}`} {
		if ladder, _, err := parseConfiguration(none); ladder != nil || err != nil {
			t.Errorf("%q asks for %v, %v", none, ladder, err)
		}
	}
	for name, p := range presets {
		if err := (protocol.Ladder{{Name: plain(name), Width: p.width, Height: p.height, Bitrate: p.bitrate, FPSNum: p.fps, FPSDen: 1, Codec: protocol.H264}}).Validate(); err != nil {
			t.Errorf("preset %s: %v", name, err)
		}
	}
}

func TestParseConfiguration_refusesWhatCannotBe(t *testing.T) {
	t.Parallel()
	for text, code := range map[string]protocol.Code{
		`{`:                           protocol.BadLadder,
		`[]`:                          protocol.BadLadder,
		`{"presets":["P9"]}`:          protocol.BadLadder,
		`{"profiles":[{"name":"a"}]}`: protocol.BadLadder,
		`{"profiles":[{"width":-2,"height":90,"bitrate":1000}]}`:                            protocol.BadLadder,
		`{"profiles":[{"width":4294967456,"height":90,"bitrate":100000}]}`:                  protocol.BadLadder,
		`{"profiles":[{"width":160,"height":91,"bitrate":100000}]}`:                         protocol.BadLadder,
		`{"profiles":[{"width":160,"height":90,"bitrate":100000,"gop":"soon"}]}`:            protocol.BadLadder,
		`{"profiles":[{"width":160,"height":90,"bitrate":100000,"gop":"NaN"}]}`:             protocol.BadLadder,
		`{"profiles":[{"width":160,"height":90,"bitrate":100000,"profile":"VP8"}]}`:         protocol.BadLadder,
		`{"profiles":[{"width":160,"height":90,"bitrate":100000,"fps":1000}]}`:              protocol.BadLadder,
		`{"profiles":[{"name":"a\"b","width":160,"height":90,"bitrate":100000}]}`:           protocol.BadLadder,
		`{"profiles":[{"width":160,"height":90,"bitrate":100000,"encoder":"VP9"}]}`:         protocol.UnsupportedCodec,
		`{"profiles":[{"width":160,"height":90,"bitrate":100000,"colorDepth":10}]}`:         protocol.UnsupportedCodec,
		`{"presets":["` + strings.Repeat(`P144p25fps16x9","`, 8) + `P144p25fps16x9"]}`:      protocol.BadLadder,
		`{"profiles":[{"name":"` + strings.Repeat("a", maxConfiguration) + `","width":1}]}`: protocol.BadLadder,
	} {
		if ladder, _, err := parseConfiguration(text); protocol.CodeOf(err) != code || err == nil {
			t.Errorf("%.80s: %v, %v, want %s", text, ladder, err, code)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("PUT", "cam", "0.ts", "2000", "1280x720", "multipart/mixed", `{"presets":["P240p30fps16x9"]}`)
	f.Add("POST", "cam", "00012.ts", "", "", "*/*", `{"profiles":[{"name":"a","width":160,"height":90,"bitrate":100000,"fps":30,"fpsDen":1,"gop":"2.5","profile":"H264High"}]}`)
	f.Add("GET", "..", "a.mp4", "-1", "x", "", "{")
	f.Add("PUT", "a", "index.m3u8", "1e3", "1x0", "multipart/mixed; q=1, */*", "null")
	f.Fuzz(func(t *testing.T, method, name, file, duration, resolution, accept, configuration string) {
		header := http.Header{"Content-Duration": {duration}, "Content-Resolution": {resolution}, "Accept": {accept}, "Livepeer-Transcode-Configuration": {configuration}}
		req, err := parse(method, name, file, header, limits)
		if err != nil {
			var e *protocol.Error
			if !errors.As(err, &e) || e.Code.HTTPStatus()/100 != 4 {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if req.ignored {
			return
		}
		p := req.push
		if protocol.ValidateStream(p.Stream) != nil || p.Seq >= 1<<63 || p.Announced <= 0 || p.Announced > limits.MaxDuration || len(p.Labels) != len(p.Ladder) {
			t.Fatalf("taken: %+v", p)
		}
		if p.Ladder != nil {
			if err := p.Ladder.Validate(); err != nil {
				t.Fatalf("taken: %v", err)
			}
			for i := 1; i < len(p.Ladder); i++ {
				if a, b := p.Ladder[i-1], p.Ladder[i]; a.Width*a.Height < b.Width*b.Height {
					t.Fatalf("not largest first: %+v", p.Ladder)
				}
			}
			for _, label := range p.Labels {
				if _, _, err := mime.ParseMediaType(`video/mp2t; name="` + label + `_0.ts"`); err != nil {
					t.Fatalf("label %q breaks a header field: %v", label, err)
				}
			}
		}
	})
}

func TestSecret_admitsByHeaderOrKeyOnly(t *testing.T) {
	t.Parallel()
	s := NewSecret("correct horse")
	for _, c := range []struct {
		url, header string
		want        bool
	}{
		{"/live/a/0.ts", "", false}, {"/live/a/0.ts", "Bearer correct horse", true}, {"/live/a/0.ts", "Bearer correct", false}, {"/live/a/0.ts", "Basic correct horse", false},
		{"/live/a/0.ts?key=correct+horse", "", true}, {"/live/a/0.ts?key=", "", false}, {"/live/a/0.ts?key=correct+horse", "Bearer wrong", false},
	} {
		r := httptest.NewRequest(http.MethodPut, c.url, nil)
		if c.header != "" {
			r.Header.Set("Authorization", c.header)
		}
		if got := s.Admits(r); got != c.want {
			t.Errorf("%s %q: %v", c.url, c.header, got)
		}
	}
	if !(Secret{}).Admits(httptest.NewRequest(http.MethodPut, "/", nil)) || NewSecret("").set {
		t.Error("no secret must admit")
	}
}

// desk answers every push with two renditions once it has read the body.
type desk struct{ read []byte }

func (d *desk) Push(_ context.Context, p stream.Push) (stream.Answer, error) {
	b, err := io.ReadAll(p.Body)
	d.read = b
	return stream.Answer{Segment: store.Segment{SegmentKey: protocol.SegmentKey{Stream: p.Stream, Seq: p.Seq},
		Renditions: []store.Rendition{{Name: "high", Label: "High One"}, {Name: "low", Label: "Low"}}}}, err
}

func (d *desk) Read(_ protocol.SegmentKey, r store.Rendition) ([]byte, error) {
	if r.Name == "low" && string(d.read) == "gone" {
		return nil, os.ErrNotExist
	}
	return []byte("bytes of " + r.Name), nil
}

// shout stands for a child that remuxes: it makes capitals of the bytes, and knows no digits.
func shout(_ context.Context, segment io.Reader, out func([]byte) error) error {
	for {
		var b [4]byte
		n, err := segment.Read(b[:])
		if bytes.ContainsAny(b[:n], "0123456789") {
			return protocol.Errorf(protocol.BadMedia, "no letters")
		}
		if n > 0 {
			if err := out(bytes.ToUpper(b[:n])); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func TestHandler_answersAsGoLivepeerDoes(t *testing.T) {
	t.Parallel()
	var counted []protocol.Code
	d := &desk{}
	r := chi.NewRouter()
	New(d, shout, Secret{}, limits, func(c protocol.Code) { counted = append(counted, c) }, slog.New(slog.DiscardHandler)).Mount(r)
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	do := func(method, path, body string, header ...string) (*http.Response, []byte) {
		t.Helper()
		req, err := http.NewRequest(method, server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i+1 < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, b
	}
	if resp, b := do("POST", "/live/cam/007.ts", "seg", "X-Request-Id", "mine-1"); resp.StatusCode != 200 || len(b) != 0 || resp.Header.Get("X-Request-Id") != "mine-1" || !strings.Contains(resp.Header.Get("Server-Timing"), "verify;dur=") {
		t.Errorf("without Accept: %d, %d bytes, %v", resp.StatusCode, len(b), resp.Header)
	}
	resp, b := do("PUT", "/live/cam/7.ts", "seg", "Accept", "multipart/mixed", "X-Request-Id", "bad id\u00e9")
	if id := resp.Header.Get("X-Request-Id"); len(id) != 16 {
		t.Errorf("request id %q", id)
	}
	_, params, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(bytes.NewReader(b), params["boundary"])
	for _, want := range []struct{ label, body string }{{"Low", "bytes of low"}, {"High One", "bytes of high"}} {
		p, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(p)
		if p.Header.Get("Rendition-Name") != want.label || string(got) != want.body || p.FileName() != want.label+"_7.ts" || !strings.HasPrefix(p.Header.Get("Content-Type"), `video/mp2t; name="`+want.label) {
			t.Errorf("part %v %q, want %+v", p.Header, got, want)
		}
	}
	if resp, b := do("PUT", "/live/cam/7.ts", "gone", "Accept", "multipart/mixed"); resp.StatusCode != 400 || !bytes.Contains(b, []byte(`"stale"`)) {
		t.Errorf("renditions that are gone: %d %s", resp.StatusCode, b)
	}
	if resp, _ := do("PUT", "/live/cam/8.mp4", "ftyp and so on"); resp.StatusCode != 200 || string(d.read) != "FTYP AND SO ON" {
		t.Errorf("an MP4: %d, the desk read %q", resp.StatusCode, d.read)
	}
	for _, c := range []struct {
		method, path, body string
		status             int
		code               protocol.Code
	}{
		{"PUT", "/live/cam/7.mp4", "ftyp 123" + strings.Repeat("x", 1<<19), 422, protocol.BadMedia},
		{"PUT", "/live/cam/7.mp4", strings.Repeat("x", 1<<20+1), 413, protocol.SegmentTooLarge},
		{"PUT", "/live/cam/7.mp4.ts", "", 400, protocol.BadExtension},
		{"PUT", "/live/cam/7.ts.mp4", "", 400, protocol.BadSequence},
		{"GET", "/live/cam/7.ts", "", 405, protocol.MethodNotAllowed},
		{"PUT", "/live/cam/7.jpg", "", 400, protocol.BadExtension},
		{"PUT", "/live/cam/+7.ts", "", 400, protocol.BadSequence},
		{"PUT", "/live/cam/-7.ts", "", 400, protocol.BadSequence},
		{"PUT", "/live/cam/9223372036854775808.ts", "", 400, protocol.BadSequence},
		{"PUT", "/live/c%2Fam/7.ts", "", 400, protocol.BadStreamName},
		{"PUT", "/live/cam/7.ts", strings.Repeat("x", 1<<20+1), 413, protocol.SegmentTooLarge},
	} {
		resp, b := do(c.method, c.path, c.body)
		var p protocol.Problem
		if err := json.Unmarshal(b, &p); err != nil || resp.StatusCode != c.status || p.Code != c.code {
			t.Errorf("%s %s: %d %s, want %d %s", c.method, c.path, resp.StatusCode, b, c.status, c.code)
		}
	}
	if len(counted) != 11 {
		t.Errorf("%d refusals counted: %v", len(counted), counted)
	}
	if resp, _ := do("PUT", "/live/cam/index.m3u8", "#EXTM3U"); resp.StatusCode != 200 || resp.Close {
		t.Errorf("a muxer's playlist: %d, closed %v", resp.StatusCode, resp.Close)
	}
	if resp, _ := do("PUT", "/live/cam/7.jpg", "unread"); !resp.Close {
		t.Error("the rest of a body that was refused unread stays on a connection that goes on")
	}
}

func TestHandler_refusesABodyThatStalls(t *testing.T) {
	t.Parallel()
	slow := limits
	slow.Grace = 50 * time.Millisecond
	r := chi.NewRouter()
	New(&desk{}, shout, Secret{}, slow, func(protocol.Code) {}, slog.New(slog.DiscardHandler)).Mount(r)
	server := httptest.NewUnstartedServer(r)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		client := server.Client()
		if version == "HTTP/1.1" {
			transport := client.Transport.(*http.Transport).Clone()
			transport.Protocols = new(http.Protocols)
			transport.Protocols.SetHTTP1(true)
			transport.TLSClientConfig.NextProtos = nil // what StartTLS offers is HTTP/2 first
			client = &http.Client{Transport: transport}
		}
		body, w := io.Pipe()
		go func() { _, _ = w.Write([]byte("G")) }()
		req, _ := http.NewRequest("PUT", server.URL+"/live/cam/0.ts", body)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatalf("%s: %v", version, err)
		}
		b, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		_ = w.Close()
		if resp.Proto != version || resp.StatusCode != http.StatusRequestTimeout || !bytes.Contains(b, []byte("min-body-rate=4096")) {
			t.Errorf("%s (%s): %d %s", version, resp.Proto, resp.StatusCode, b)
		}
	}
}

// waits answers once it has waited for longer than a body may take, unless the request ends before.
type waits struct {
	desk
	wait time.Duration
}

func (w *waits) Push(ctx context.Context, p stream.Push) (stream.Answer, error) {
	a, err := w.desk.Push(ctx, p)
	timer := time.NewTimer(w.wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return a, err
	case <-ctx.Done():
		return a, protocol.Errorf(protocol.Cancelled, "the pusher went away")
	}
}

func TestHandler_answersLongAfterTheBodyOnAnyVersion(t *testing.T) {
	t.Parallel()
	short := limits
	short.Grace = 50 * time.Millisecond
	r := chi.NewRouter()
	New(&waits{wait: 500 * time.Millisecond}, shout, Secret{}, short, func(protocol.Code) {}, slog.New(slog.DiscardHandler)).Mount(r)
	server := httptest.NewUnstartedServer(r)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		transport := &http.Transport{Protocols: new(http.Protocols)}
		transport.Protocols.SetHTTP1(version == "HTTP/1.1")
		transport.Protocols.SetUnencryptedHTTP2(version == "HTTP/2.0")
		t.Cleanup(transport.CloseIdleConnections)
		for _, body := range []io.Reader{strings.NewReader("of known length"), io.MultiReader(strings.NewReader("in chunks"))} {
			req, _ := http.NewRequest("PUT", server.URL+"/live/cam/0.ts", body)
			resp, err := (&http.Client{Transport: transport}).Do(req)
			if err != nil {
				t.Fatalf("%s: %v", version, err)
			}
			b, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if resp.Proto != version || resp.StatusCode != http.StatusOK {
				t.Errorf("%s (%s): %d %s", version, resp.Proto, resp.StatusCode, b)
			}
		}
	}
}

func TestHandler_refusesABodyThatStallsAfterAGoodStart(t *testing.T) {
	t.Parallel()
	stalls := limits
	stalls.Grace = 100 * time.Millisecond // on average, 200,000 bytes may take 48 s more
	r := chi.NewRouter()
	New(&desk{}, shout, Secret{}, stalls, func(protocol.Code) {}, slog.New(slog.DiscardHandler)).Mount(r)
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	body, w := io.Pipe()
	go func() { _, _ = w.Write(make([]byte, 200_000)) }()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	context.AfterFunc(ctx, func() { _ = w.Close() }) // the client waits for its body
	req, _ := http.NewRequestWithContext(ctx, "PUT", server.URL+"/live/cam/0.ts", body)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusRequestTimeout || !bytes.Contains(b, []byte("body-grace=100ms")) {
		t.Errorf("%d %s", resp.StatusCode, b)
	}
}
