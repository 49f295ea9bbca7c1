package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/kinora/kinora/internal/bench"
)

// The test's own program plays the bidders too.
func TestMain(m *testing.M) {
	if url := os.Getenv("BENCH_TEST_BIDDERS"); url != "" {
		room, _ := strconv.Atoi(os.Getenv("BENCH_TEST_ROOM"))
		if err := bidders(context.Background(), 20, 14, room, url, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// players are twenty bidders, with room for so many leases if that is counted.
func players(t *testing.T, room int) func(url string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return func(url string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), program)
		cmd.Env = append(os.Environ(), "BENCH_TEST_BIDDERS="+url, "BENCH_TEST_ROOM="+strconv.Itoa(room))
		return cmd
	}
}

// A small market: what is measured is real, only the numbers are few.
func TestMeasure_namesWhatItMeasures(t *testing.T) {
	t.Parallel()
	figures, err := measure(t.Context(), 20, 1, players(t, 0))
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

func TestScale_sellsAndRenewsEveryLease(t *testing.T) {
	t.Parallel()
	figures, err := scale(t.Context(), 20, 200, 1, players(t, 12))
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]float64)
	for _, f := range figures {
		if got[f.Name] = f.Value; f.Command != "make bench-scale" || !strings.HasPrefix(f.Baseline, "20 bidders, 200 leases") {
			t.Errorf("%s comes from %q, %q", f.Name, f.Command, f.Baseline)
		}
	}
	for _, name := range []string{"book_per_bidder", "bid_cpu_us", "stored_awards_per_s", "award_p50_ms", "award_p99_ms", "renewals_per_s", "delivered_per_s", "peak_rss_bidders"} {
		if got[name] <= 0 {
			t.Errorf("%s is %g", name, got[name])
		}
	}
	if got["delivered_per_s"] < listeners*got["bids_per_s"]/2 {
		t.Errorf("%g messages a second were delivered, of %g bids to %d more", got["delivered_per_s"], got["bids_per_s"], listeners)
	}
}

func TestGrowth_comparesTheTwoSizes(t *testing.T) {
	t.Parallel()
	more := growth([]bench.Figure{{Name: "rank_us_1000", Value: 10}, {Name: "rank_us", Value: 15}, {Name: "award_p50_ms", Value: 1}})
	if len(more) != 1 || more[0].Name != "rank_us_growth" || more[0].Value != 1.5 {
		t.Errorf("%+v", more)
	}
}
