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

	"github.com/kinora/kinora/internal/capacity"
	"github.com/kinora/kinora/internal/feed"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/transcoder/internal/api"
	"github.com/kinora/kinora/transcoder/internal/devices"
	"github.com/kinora/kinora/transcoder/internal/sheets"
)

func serve(t *testing.T, change func(*api.Status)) (string, *feed.Feed) {
	t.Helper()
	events := feed.New("transcoder", common.Address{7}, nil)
	s := api.Status{Feed: events, Log: slog.New(slog.DiscardHandler), Ready: func() error { return nil },
		Stats: func(context.Context) (api.Stats, error) {
			warm := 61.0
			return api.Stats{Attempts: 3, Load: capacity.State{Capacity: protocol.CodecRates{{Codec: protocol.H264, PixelRate: 9}}, Used: capacity.Whole / 4},
				Readings: []devices.Reading{{Kind: devices.NVENC, ID: "GPU-1", Temperature: &warm}}}, nil
		},
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
		{"GET", base + "/metrics", 200, "kinora_transcoder_capacity_pixels_per_second{codec=\"h264\"} 9"},
		{"GET", base + "/metrics", 200, "kinora_transcoder_used_ratio 0.25"},
		{"GET", base + "/metrics", 200, "kinora_transcoder_device_temperature_celsius{device=\"GPU-1\",kind=\"nvenc\"} 61"},
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

func TestPage_saysWhyBidsWereLost(t *testing.T) {
	t.Parallel()
	price := func(wei uint64) protocol.Prices {
		return protocol.Prices{{Codec: protocol.H264, WeiPerPixel: protocol.NewWei(wei)}}
	}
	base, _ := serve(t, func(s *api.Status) {
		s.Sheets = func(context.Context) []sheets.Given {
			return []sheets.Given{{Orchestrator: common.Address{9}, URL: "http://o.example", Unpublished: []protocol.ID{{1}}, Sheets: []protocol.ScoreSheet{
				{Lease: protocol.ID{0xab}, Reason: "outscored", Rank: 2, Of: 3, Prices: price(50), WouldWin: price(42)},
				{Lease: protocol.ID{0xcd}, Won: true, Prices: price(50), Paid: price(60)},
				{Lease: protocol.ID{0xef}, Reason: "<script>", Prices: price(50), TellMillis: 1}}},
				{Orchestrator: common.Address{8}, URL: "http://p.example", Problem: "it is away"}}
		}
	})
	status, body := request(t, "GET", base+"/")
	for _, want := range []string{"another one&#39;s score was better", "2 of 3", "42 h264 or less", "60 h264", "&lt;script&gt;", "told after 00:00:00 UTC", "it is away", "figures that nobody was told of"} {
		if status != 200 || !strings.Contains(body, want) {
			t.Errorf("status %d, the page lacks %q: %s", status, want, body)
		}
	}
	if status, body := request(t, "GET", base+"/api/v1/sheets"); status != 200 || !strings.Contains(body, `"would_have_won":[{"codec":"h264","wei_per_pixel":"42"}]`) {
		t.Errorf("%d %s", status, body)
	}
	lonely, _ := serve(t, nil)
	if status, body := request(t, "GET", lonely+"/"); status != 200 || !strings.Contains(body, "No orchestrator was heard of") {
		t.Errorf("%d %s", status, body)
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
