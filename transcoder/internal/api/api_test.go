package api_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/feed"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/transcoder/internal/api"
)

func serve(t *testing.T, change func(*api.Status)) (string, *feed.Feed) {
	t.Helper()
	events := feed.New("transcoder", common.Address{7}, nil)
	s := api.Status{Feed: events, Log: slog.New(slog.DiscardHandler), Ready: func() error { return nil },
		Stats: func(context.Context) (api.Stats, error) { return api.Stats{Attempts: 3, PixelRate: 9}, nil },
		Drain: func(ctx context.Context) (any, error) {
			deadline, _ := ctx.Deadline()
			return map[string]int{"seconds": int(time.Until(deadline).Round(time.Second).Seconds())}, nil
		}}
	if change != nil {
		change(&s)
	}
	srv, err := api.Serve("127.0.0.1:0", s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	return "http://" + srv.Addr(), events
}

func request(t *testing.T, method, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
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
	return resp.StatusCode, string(b)
}

func TestStatus_answers(t *testing.T) {
	t.Parallel()
	base, _ := serve(t, nil)
	sick, _ := serve(t, func(s *api.Status) {
		s.Ready = func() error { return protocol.Errorf(protocol.Unavailable, "no NATS") }
		s.Stats = func(context.Context) (api.Stats, error) { return api.Stats{}, errors.New("secret: disk on fire") }
		s.Drain = func(context.Context) (any, error) { return nil, errors.New("secret: winners left") }
	})
	cases := []struct {
		method, url string
		status      int
		contains    string
	}{
		{"GET", base + "/healthz", 200, `"ok"`},
		{"GET", base + "/readyz", 200, `"ready"`},
		{"GET", base + "/api/v1/stats", 200, `"attempts":3`},
		{"GET", base + "/metrics", 200, "kinora_transcoder_capacity_pixels_per_second 9"},
		{"POST", base + "/api/v1/drain", 200, `"seconds":20`},
		{"POST", base + "/api/v1/drain?timeout=7s", 200, `"seconds":7`},
		{"POST", base + "/api/v1/drain?timeout=soon", 400, "bad_request"},
		{"GET", base + "/api/v1/drain", 405, "method_not_allowed"},
		{"GET", base + "/nothing", 404, "not_found"},
		{"GET", sick + "/healthz", 200, `"ok"`},
		{"GET", sick + "/readyz", 503, "unavailable"},
		{"GET", sick + "/api/v1/stats", 503, "unavailable"},
		{"POST", sick + "/api/v1/drain", 503, "unavailable"},
	}
	for _, c := range cases {
		status, body := request(t, c.method, c.url)
		if status != c.status || !strings.Contains(body, c.contains) || strings.Contains(body, "secret") {
			t.Errorf("%s %s: %d %.300s, want %d with %q", c.method, c.url, status, body, c.status, c.contains)
		}
	}
}

func TestDrain_isTheOwnersOnly(t *testing.T) {
	t.Parallel()
	base, _ := serve(t, nil)
	for name, change := range map[string]func(*http.Request){
		"a web page of another site":        func(r *http.Request) { r.Header.Set("Origin", "https://example.org") },
		"the world behind a proxy here":     func(r *http.Request) { r.Header.Set("X-Forwarded-For", "203.0.113.7") },
		"a web page whose name points here": func(r *http.Request) { r.Host = "example.org"; r.Header.Set("Origin", "http://example.org") },
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/api/v1/drain", nil)
		if err != nil {
			t.Fatal(err)
		}
		change(req)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != protocol.Unauthorized.HTTPStatus() {
			t.Errorf("%s: %d", name, resp.StatusCode)
		}
	}
}

func TestEvents_areThoseOfItsFeed(t *testing.T) {
	t.Parallel()
	base, events := serve(t, nil)
	events.Emit(protocol.Event{Kind: protocol.ReceiptSigned, Seq: 600})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			if e, err := protocol.Decode[protocol.Event]([]byte(data)); err != nil || e.Kind != protocol.ReceiptSigned || e.Role != "transcoder" {
				t.Errorf("%s: %v", data, err)
			}
			return
		}
	}
	t.Error("it ended without an event")
}
