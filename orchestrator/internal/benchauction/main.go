// Command benchauction measures the auction: 1,000 and 10,000 bidders that heartbeat over an embedded NATS into an
// orchestrator's fleet, with its Postgres, on the same cores; then awards among them, one at a time and many in flight. An
// award is what an orchestrator does for a lease: rank, price, sign, one request and its answer, whose signature is checked.
// The bidders are a process of their own: they check the award's signature and answer with their ticket parameters. Their
// bids and parameters are signed ahead, as machines of their own would sign them. What an orchestrator does besides with
// every lease, one commit to Postgres, is not in it.
//
// With "scale" as its argument it measures instead what grows with a market of 10,000 bidders and 100,000 leases.
//
//	BENCH_SECONDS=N   length of each measurement (5)
//	BENCH_BIDDERS=N   measure this number alone
//	BENCH_LEASES=N    leases of scale (100000)
//	BENCH_PROFILE=DIR where to write a CPU profile of awards in flight, N.pprof (nowhere)
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/kinora/kinora/internal/bench"
)

const command = "make bench-auction"

func main() {
	run := part
	switch {
	case len(os.Args) == 1:
		run = func(ctx context.Context) error { return whole(ctx, "market", "auction", []int{1_000, 10_000}) }
	case len(os.Args) == 2 && os.Args[1] == "scale":
		run = func(ctx context.Context) error { return whole(ctx, "scale", "scale", []int{10_000}) }
	}
	bench.Main("benchauction", run)
}

// whole measures a part for each number of bidders, in processes of their own.
func whole(ctx context.Context, what, name string, sizes []int) error {
	dir, err := os.MkdirTemp("", "kinora-benchauction-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "benchauction")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "./orchestrator/internal/benchauction")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	if alone, err := bench.Number("BENCH_BIDDERS", 0, 1); err != nil {
		return err
	} else if alone > 0 {
		sizes = []int{alone}
	}
	var figures []bench.Figure
	for _, n := range sizes {
		fmt.Fprintln(os.Stderr, "measuring", n, "bidders")
		more, err := bench.Part(ctx, program, what, strconv.Itoa(n))
		if err != nil {
			return fmt.Errorf("%d bidders: %w", n, err)
		}
		figures = append(figures, more...)
	}
	figures = append(figures, growth(figures)...)
	bench.Print(os.Stdout, figures)
	return bench.Save(name, figures)
}

// growth says what ten times the bidders cost.
func growth(figures []bench.Figure) (more []bench.Figure) {
	value := make(map[string]float64)
	for _, f := range figures {
		value[f.Name] = f.Value
	}
	for _, name := range []string{"rank_us", "award_p50_ms", "award_cpu_us", "bid_cpu_us"} {
		if few := value[name+"_1000"]; few > 0 && value[name] > 0 {
			more = append(more, bench.Figure{Name: name + "_growth", Value: value[name] / few, Unit: "x", Aim: "< 10", Baseline: "10,000 bidders by 1,000", Command: command})
		}
	}
	return more
}

// stocked is how many seconds of bids last until all have a place; the rest is for the measurements.
const stocked = 10

// spare is how many leases more than its share a bidder has room for.
const spare = 2

func part(ctx context.Context) error {
	if len(os.Args) < 3 {
		return fmt.Errorf("no such part: %q", os.Args[1:])
	}
	n, err := strconv.Atoi(os.Args[2])
	if err != nil || n < 1 || n > 16_000 {
		return fmt.Errorf("bidders: %q, want 1 to 16000", os.Args[2])
	}
	seconds, err := bench.Number("BENCH_SECONDS", 5, 1)
	if err != nil {
		return err
	}
	count, err := bench.Number("BENCH_LEASES", 100_000, inFlight)
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	room := 0
	player := func(url string) *exec.Cmd {
		return exec.CommandContext(ctx, program, "bidders", strconv.Itoa(n), url, strconv.Itoa(seconds), strconv.Itoa(room))
	}
	var figures []bench.Figure
	switch os.Args[1] {
	case "market":
		figures, err = measure(ctx, n, seconds, player)
	case "scale":
		room = spare + (count+n-1)/n
		figures, err = scale(ctx, n, count, seconds, player)
	case "bidders":
		var numbers [2]int
		if _, err := fmt.Sscan(strings.Join(os.Args[4:], " "), &numbers[0], &numbers[1]); err != nil || len(os.Args) < 6 {
			return fmt.Errorf("bidders: want the address of NATS, the length of a measurement and the leases that each has room for")
		}
		return bidders(ctx, n, 4*numbers[0]+stocked, numbers[1], os.Args[3], os.Stdin, os.Stdout)
	default:
		return fmt.Errorf("no such part: %q", os.Args[1])
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(figures)
}
