package market

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/route"
	"github.com/kinora/kinora/internal/sim/evaluate"
)

// read returns the decisions of a log.
func read(t *testing.T, path string) []route.Decision {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, skipped, err := evaluate.Read(f)
	if err != nil || skipped > 0 {
		t.Fatalf("%d lines cannot be read, %v", skipped, err)
	}
	return all
}

func TestDecisions_areLoggedOnceWithWhatCameOfThem(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "decisions.jsonl")
	log, err := OpenLog(path, 0, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	a, b := open(t, 100), open(t, 300)
	m := fair(t, Config{Decisions: log}, a, b)
	first, err := m.Choose(t.Context(), Ask{Stream: "cam", Ladder: ask.Ladder, FPS: 30, SegmentMillis: 2000, MaxMillis: 4000, Seq: 7})
	if err != nil {
		t.Fatal(err)
	}
	serve(first, 700*time.Millisecond, 1)
	first.Succeeded() // said once more: it is one outcome
	held, err := m.Choose(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	serve(held, time.Second, 1) // not compared with anybody: no decision
	m.mu.Lock()
	for range 20 {
		for _, s := range m.sellers {
			m.router.Observe(s, ask.group(), outcome(500*time.Millisecond), time.Now())
		}
	}
	clear(m.reviewed)
	m.mu.Unlock()
	drawn, err := m.Choose(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	second, err := m.Choose(t.Context(), ask, drawn.Orchestrator)
	if err != nil {
		t.Fatal(err)
	}
	drawn.Outpaced(second)
	second.Failed(os.ErrClosed)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	all := read(t, path)
	if len(all) != 3 {
		t.Fatalf("%d decisions: %+v", len(all), all)
	}
	d := all[0]
	if d.Policy != "cheapest" || d.Propensity != 1 || d.Seq != 7 || len(d.Options) != 2 || d.Options[d.Chosen].Node != a.self.Address().Hex() || !d.Came.Verified || d.Came.Late ||
		d.Came.Millis < 700 || d.Options[0].Wei.IsZero() || d.Options[0].Price == 0 || d.Options[0].Millis == 0 || d.Options[0].RTTMicros == 0 || d.Group != "h264/2^22/" {
		t.Errorf("%+v", d)
	}
	if d = all[1]; d.Policy != "drawn" || d.Propensity <= 0 || !d.Came.Cut || d.Came.Verified {
		t.Errorf("%+v", d)
	}
	if d = all[2]; d.Policy != "second" || d.Came.Verified || d.Came.Cut || len(d.Options) != 1 {
		t.Errorf("%+v", d)
	}
}

func TestLog_isPutAsideBeforeItGrowsTooLarge(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "decisions.jsonl")
	for range 2 { // also over a restart
		log, err := OpenLog(path, 2000, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 20 {
			log.Write(route.Decision{Seq: uint64(i), Options: []route.Considered{{}}, Propensity: 1, Came: &route.Came{}})
		}
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{path, path + ".1"} {
		if st, err := os.Stat(file); err != nil || st.Size() > 2000 || st.Size() == 0 {
			t.Errorf("%s: %v, %v", file, st, err)
		}
	}
	if all := read(t, path); all[len(all)-1].Seq != 19 {
		t.Errorf("the newest is %+v", all[len(all)-1])
	}
}
