package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/kinora/kinora/internal/bench"
)

// The test's own program plays the bidders too.
func TestMain(m *testing.M) {
	if url := os.Getenv("BENCH_TEST_BIDDERS"); url != "" {
		if err := bidders(context.Background(), 20, 14, url, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// A small market: what is measured is real, only the numbers are few.
func TestMeasure_namesWhatItMeasures(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	figures, err := measure(t.Context(), 20, 1, func(url string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), program)
		cmd.Env = append(os.Environ(), "BENCH_TEST_BIDDERS="+url)
		return cmd
	})
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]bench.Figure)
	for _, f := range figures {
		got[f.Name] = f
		if f.Command != command || !strings.HasPrefix(f.Baseline, "20 bidders") {
			t.Errorf("%s comes from %q, %q", f.Name, f.Command, f.Baseline)
		}
	}
	for _, name := range []string{"bids_per_s_20", "idle_cores_20", "rank_us_20", "award_p50_ms_20", "award_p99_ms_20", "awards_per_s_20", "awards_in_flight_p99_ms_20",
		"award_cpu_us_20", "award_cpu_bidder_us_20", "awards_by_cpu_20", "bid_ingest_per_s_20", "peak_rss_20", "peak_rss_bidders_20"} {
		if got[name].Value <= 0 {
			t.Errorf("%s is %g", name, got[name].Value)
		}
	}
	if got["award_p50_ms_20"].Value > got["award_p99_ms_20"].Value {
		t.Error("the median award takes longer than the 99th percentile")
	}
}

func TestGrowth_comparesTheTwoSizes(t *testing.T) {
	t.Parallel()
	more := growth([]bench.Figure{{Name: "rank_us_1000", Value: 10}, {Name: "rank_us", Value: 15}, {Name: "award_p50_ms", Value: 1}})
	if len(more) != 1 || more[0].Name != "rank_us_growth" || more[0].Value != 1.5 {
		t.Errorf("%+v", more)
	}
}
