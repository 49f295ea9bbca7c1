package e2e

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/e2e/stage"
	"github.com/kinora/kinora/internal/media/mediatest"
)

func TestMain(m *testing.M) {
	stage.Main()
	os.Exit(m.Run())
}

// play sets a stage for a test; it is taken down at its end, and its logs are shown when it failed.
func play(t *testing.T, o stage.Options) *stage.Stage {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{dir, dir + "/.."} { // Postgres runs as another user here and there
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	o.Dir, o.Kinora, o.Media = dir, program(t, "kinora"), program(t, "kinora-media")
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	s, err := stage.Start(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(s.Logs())
		}
		s.Close()
	})
	return s
}

// segments of two seconds, as small as they can be.
func segments(t *testing.T, n int) [][]byte {
	t.Helper()
	var all [][]byte
	for _, s := range mediatest.Segments(t, mediatest.Spec{Width: 160, Height: 90, FPS: 15, Seconds: float64(2 * n), SegmentSeconds: 2, Bitrate: 100_000}) {
		all = append(all, s.Bytes)
	}
	return all
}

// holder is the transcoder with the most leases, as the orchestrator has them.
func holder(t *testing.T, s *stage.Stage) (*stage.Process, int) {
	t.Helper()
	var best *stage.Process
	most := -1
	for _, p := range s.Transcoders {
		var stats struct {
			Held int `json:"leases_held"`
		}
		if err := stage.Ask(t.Context(), http.MethodGet, "http://"+p.HTTP()+"/api/v1/stats", &stats); err != nil {
			t.Fatal(err)
		}
		if stats.Held > most {
			best, most = p, stats.Held
		}
	}
	return best, most
}

// member is one of an orchestrator's fleet.
type member struct {
	Address string `json:"address"`
	Quality uint32 `json:"quality_ppm"`
	Record  struct {
		Failed uint64 `json:"failed"`
	} `json:"record"`
}

func fleetOf(t *testing.T, s *stage.Stage) map[string]member {
	t.Helper()
	var all []member
	if err := stage.Ask(t.Context(), http.MethodGet, "http://"+s.Orchestrators[0].HTTP()+"/api/v1/fleet", &all); err != nil {
		t.Fatal(err)
	}
	byAddress := make(map[string]member)
	for _, m := range all {
		byAddress[strings.ToLower(m.Address)] = m
	}
	return byAddress
}

// TestDrain_ofTenStreamsLosesAndDelaysNothing drains the transcoder that ten live streams are with, by the command and then
// by SIGTERM the one they went to.
func TestDrain_ofTenStreamsLosesAndDelaysNothing(t *testing.T) {
	s := play(t, stage.Options{Transcoders: 3})
	load := stage.Load{Streams: 10, Segments: segments(t, 9), Name: "drain"}
	var commanded, terminated *stage.Process
	var held int // by the first
	loss, err := load.Run(t.Context(), s, 3, func(ctx context.Context) error {
		if commanded, held = holder(t, s); held < 1 {
			t.Errorf("%s has the most leases, which are %d", commanded.Name, held)
		}
		cmd := exec.CommandContext(ctx, program(t, "kinora"), "transcoder", "drain", "--at", commanded.HTTP(), "--reason", "upgrade", "--deadline", "30s")
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "drained for upgrade") {
			t.Errorf("kinora transcoder drain: %v\n%s", err, out)
		}
		if err := stage.Ask(ctx, http.MethodGet, "http://"+commanded.HTTP()+"/readyz", nil); err == nil || !strings.Contains(err.Error(), "503") {
			t.Errorf("drained, it says of its readiness: %v", err)
		}
		terminated, _ = holder(t, s)
		if err := terminated.Signal(syscall.SIGTERM); err != nil {
			return err
		}
		return terminated.Wait(15 * time.Second)
	})
	if err != nil {
		t.Fatal(err)
	}
	if loss.Lost != 0 || loss.Late != 0 {
		t.Errorf("of %d segments %d were lost and %d late, the longest took %s: %v", loss.Segments, loss.Lost, loss.Late, loss.Longest, loss.Why)
	}
	t.Logf("the longest of %d segments took %s", loss.Segments, loss.Longest)
	if commanded == terminated {
		t.Errorf("%s got its leases back while it was drained", commanded.Name)
	}
	for _, m := range fleetOf(t, s) {
		if m.Record.Failed != 0 {
			t.Errorf("held against %s: %+v", m.Address, m)
		}
	}
	log, err := os.ReadFile(s.Orchestrators[0].LogFile())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(log), "attempt abandoned") || strings.Contains(string(log), "attempt not begun") {
		t.Error("an attempt was abandoned, which counts against its transcoder")
	}
	if n := strings.Count(string(log), "lease handed over"); n < held {
		t.Errorf("%d leases were handed over, the first to leave had %d", n, held)
	}
	if err := terminated.Start(t.Context()); err != nil { // its owner comes back, and is paid what it is owed
		t.Fatal(err)
	}
	books, err := s.Settle(t.Context(), load)
	if err != nil {
		t.Fatal(err)
	}
	if books.Published != uint64(loss.Segments) || books.Gaps != 0 || !books.VainWei.IsZero() || !books.LostWei.IsZero() {
		t.Errorf("the books: %+v", books)
	}
}
