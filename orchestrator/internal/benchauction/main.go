// Command benchauction measures the auction: 1,000 and 10,000 bidders that heartbeat over an embedded NATS into an
// orchestrator's fleet, with its Postgres, on the same cores; then awards among them, one at a time and many in flight. An
// award is what an orchestrator does for a lease: rank, price, sign, one request and its answer, whose signature is checked.
// The bidders are a process of their own: they check the award's signature and answer with their ticket parameters. What
// an orchestrator does besides with every lease, one commit to Postgres, is not in it.
//
//	BENCH_SECONDS=N  length of each measurement (5)
//	BENCH_BIDDERS=N  measure this number alone
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/kinora/kinora/internal/bench"
)

const command = "make bench-auction"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	run := whole
	if len(os.Args) > 1 {
		run = part
	}
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "benchauction:", err)
		os.Exit(1)
	}
}

// whole measures each number of bidders in a process of its own.
func whole(ctx context.Context) error {
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
	sizes := []int{1_000, 10_000}
	if alone, err := number("BENCH_BIDDERS", 0); err != nil {
		return err
	} else if alone > 0 {
		sizes = []int{alone}
	}
	var figures []bench.Figure
	for _, n := range sizes {
		fmt.Fprintln(os.Stderr, "measuring", n, "bidders")
		cmd := exec.CommandContext(ctx, program, "market", strconv.Itoa(n))
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it has a database to stop
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%d bidders: %w", n, err)
		}
		var more []bench.Figure
		if err := json.Unmarshal(out.Bytes(), &more); err != nil {
			return err
		}
		figures = append(figures, more...)
	}
	figures = append(figures, growth(figures)...)
	bench.Print(os.Stdout, figures)
	return bench.Save("auction", figures)
}

// growth says what ten times the bidders cost.
func growth(figures []bench.Figure) (more []bench.Figure) {
	value := make(map[string]float64)
	for _, f := range figures {
		value[f.Name] = f.Value
	}
	for _, name := range []string{"rank_us", "award_p50_ms", "bid_cpu_us"} {
		if few := value[name+"_1000"]; few > 0 && value[name] > 0 {
			more = append(more, bench.Figure{Name: name + "_growth", Value: value[name] / few, Unit: "x", Aim: "< 10", Baseline: "10,000 bidders by 1,000", Command: command})
		}
	}
	return more
}

func part(ctx context.Context) error {
	if len(os.Args) < 3 {
		return fmt.Errorf("no such part: %q", os.Args[1:])
	}
	n, err := strconv.Atoi(os.Args[2])
	if err != nil || n < 1 || n > 16_000 {
		return fmt.Errorf("bidders: %q, want 1 to 16000", os.Args[2])
	}
	switch os.Args[1] {
	case "market":
		seconds, err := number("BENCH_SECONDS", 5)
		if err != nil {
			return err
		}
		program, err := os.Executable()
		if err != nil {
			return err
		}
		figures, err := measure(ctx, n, seconds, func(url string) *exec.Cmd {
			return exec.CommandContext(ctx, program, "bidders", strconv.Itoa(n), url)
		})
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(figures)
	case "bidders":
		if len(os.Args) < 4 {
			return fmt.Errorf("bidders: no address of NATS")
		}
		return bidders(ctx, n, os.Args[3], os.Stdin, os.Stdout)
	}
	return fmt.Errorf("no such part: %q", os.Args[1])
}

func number(name string, standard int) (int, error) {
	v := os.Getenv(name)
	if v == "" {
		return standard, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%s=%q, want a number of at least 1", name, v)
	}
	return n, nil
}
