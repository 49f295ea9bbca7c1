package transcoder_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/transcoder"
	"github.com/kinora/kinora/transcoder/internal/encode/encodetest"
)

type duty struct {
	State   string `json:"state"`
	Reason  string `json:"reason"`
	Code    string `json:"code"` // of a refusal
	Windows []struct {
		ID     string    `json:"id"`
		Begins time.Time `json:"begins"`
		Reason string    `json:"reason"`
	} `json:"windows"`
}

func (w *world) duty(t *testing.T, method, path string, body any) (int, duty) {
	t.Helper()
	at, err := transcoder.Whereabouts(w.config.Data)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+at+path, bytes.NewReader(protocol.Encode(body)))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var d duty
	if err := json.NewDecoder(resp.Body).Decode(&d); err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return resp.StatusCode, d
}

func TestRun_leavesComesBackAndKeepsWhatItAnnounced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := transcoder.Whereabouts(w.config.Data); err == nil {
		t.Error("it is said to run before it does")
	}
	_, stop := w.run(t)
	state := func(want string) func() bool {
		return func() bool { _, d := w.duty(t, http.MethodGet, "/api/v1/duty", nil); return d.State == want }
	}
	if !state("ready")() {
		t.Error("it is not on duty when it has begun")
	}
	begins := time.Now().Add(6 * time.Hour)
	if status, _ := w.duty(t, http.MethodPost, "/api/v1/duty/maintenance", map[string]any{"begins": begins, "length_ms": 3_600_000, "reason": "maintenance"}); status != http.StatusOK {
		t.Errorf("announcing maintenance: %d", status)
	}
	if status, d := w.duty(t, http.MethodPost, "/api/v1/duty/drain", map[string]any{"reason": "heat"}); status != http.StatusOK || d.State == "ready" || d.Reason != "heat" {
		t.Errorf("drain: %d %+v", status, d)
	}
	encodetest.Eventually(t, "it holds nothing", state("drained"))
	if status, d := w.duty(t, http.MethodGet, "/readyz", nil); status != http.StatusServiceUnavailable || d.Code != string(protocol.Draining) {
		t.Errorf("drained, it says of its readiness: %d %+v", status, d)
	}
	if status, d := w.duty(t, http.MethodPost, "/api/v1/duty/resume", nil); status != http.StatusOK || d.State != "ready" {
		t.Errorf("resume: %d %+v", status, d)
	}
	if status, _ := w.duty(t, http.MethodGet, "/readyz", nil); status != http.StatusOK {
		t.Errorf("back on duty, it says of its readiness: %d", status)
	}
	for name, body := range map[string]map[string]any{"no reason": {}, "a reason there is not": {"reason": "boredom"},
		"a deadline before its patience": {"reason": "user", "patience_ms": 2000, "deadline_ms": 1000}, "ages": {"reason": "user", "patience_ms": 1 << 40}} {
		if status, d := w.duty(t, http.MethodPost, "/api/v1/duty/drain", body); status != http.StatusBadRequest {
			t.Errorf("a drain with %s: %d %+v", name, status, d)
		}
	}
	stop()
	if _, err := transcoder.Whereabouts(w.config.Data); err == nil {
		t.Error("it is said to run after it has ended")
	}

	w.run(t)
	_, d := w.duty(t, http.MethodGet, "/api/v1/duty", nil)
	if d.State != "ready" || len(d.Windows) != 1 || d.Windows[0].Begins.UnixMilli() != begins.UnixMilli() {
		t.Fatalf("after a restart: %+v", d)
	}
	if status, d := w.duty(t, http.MethodDelete, "/api/v1/duty/maintenance/"+d.Windows[0].ID, nil); status != http.StatusOK || len(d.Windows) != 0 {
		t.Errorf("cancelling maintenance: %d %+v", status, d)
	}
	if status, _ := w.duty(t, http.MethodDelete, "/api/v1/duty/maintenance/"+d.Windows[0].ID, nil); status != http.StatusNotFound {
		t.Errorf("cancelling it twice: %d", status)
	}
}
