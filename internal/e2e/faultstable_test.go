package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/kinora/kinora/internal/e2e/stage"
)

// TestFaults plays faults of the table in docs/faults.md: a few in every run, all of them with KINORASTAGE_FAULTS=all, and any one
// by its name. What each costs is measured by make bench-faults.
func TestFaults(t *testing.T) {
	var play []stage.Fault
	chosen := os.Getenv("KINORASTAGE_FAULTS")
	for _, f := range stage.Faults() {
		if f.Name == chosen || chosen == "all" || chosen == "" && f.Smoke {
			play = append(play, f)
		}
	}
	if len(play) == 0 {
		t.Fatalf("KINORASTAGE_FAULTS=%s is no fault of the table", chosen)
	}
	stages := map[string]*stage.Stage{}
	for _, f := range play {
		s := stages[f.Apart]
		if s == nil {
			s = playFor(t, f, chosen)
			stages[f.Apart] = s
		}
		t.Run(f.Name, func(t *testing.T) {
			load := stage.Load{Streams: 3, Segments: segments(t, 7), Name: f.Name}
			out, err := s.Suffer(t.Context(), f, load)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Mend(t.Context()); err != nil {
				t.Fatal(err)
			}
			if out.Lost != 0 || out.Gaps != 0 || out.Unmatched != 0 {
				t.Errorf("of %d segments %d were lost, %d are gaps, %d are not on record: %v", out.Segments, out.Lost, out.Gaps, out.Unmatched, out.Why)
			}
			if out.LateMost > 1 {
				t.Errorf("%d segments were late, %d of one stream; the longest took %s", out.Late, out.LateMost, out.Longest)
			}
			if !out.LostWei.IsZero() || !out.VainWei.IsZero() {
				t.Errorf("%s wei were lost, %s paid in vain", out.LostWei, out.VainWei)
			}
			t.Logf("%d late, the longest took %s", out.Late, out.Longest)
		})
	}
}

func playFor(t *testing.T, f stage.Fault, chosen string) *stage.Stage {
	t.Helper()
	o := stage.Options{Transcoders: 3, Orchestrators: 2, Apart: f.Apart}
	if chosen == "all" || regexp.MustCompile(`^skew-`).MatchString(chosen) {
		var err error
		if o.Ahead, err = stage.Ahead(t.Context(), "../..", t.TempDir()); err != nil {
			t.Fatal(err)
		}
	}
	return play(t, o)
}

var faultRow = regexp.MustCompile("(?m)^\\| `TestFaults/([a-z0-9-]+)` \\|")

// TestFaultTable_namesEveryFaultThatIsTried holds docs/faults.md against what is tried: no row without its test, no test without
// its row.
func TestFaultTable_namesEveryFaultThatIsTried(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "faults.md"))
	if err != nil {
		t.Fatal(err)
	}
	var rows, tried []string
	for _, m := range faultRow.FindAllStringSubmatch(string(b), -1) {
		rows = append(rows, m[1])
	}
	for _, f := range stage.Faults() {
		tried = append(tried, f.Name)
	}
	slices.Sort(rows)
	slices.Sort(tried)
	if !slices.Equal(rows, tried) {
		t.Errorf("docs/faults.md has the rows\n%v\ntried are\n%v", rows, tried)
	}
}
