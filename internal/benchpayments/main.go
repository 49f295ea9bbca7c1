// Command benchpayments measures tickets: signing, verifying and drawing them, accepting them durably on a Postgres and on a
// transcoder's SQLite file that both sync every commit to disk, and taking a queue of winners to a chain with a block a
// second. Everything but the chain's part is measured in a build with cgo and in one without.
//
//	BENCH_SECONDS=N   length of each measurement (4)
//	BENCH_WINNERS=N   winners in the queue (100000)
//	BENCH_LANES=N     lanes that they stand on (64)
//	BENCH_PATIENCE=D  how long the queue may take before it is given up, with what was reached (2h)
//	BENCH_PROFILE=DIR where to write a CPU profile of each part, PART.pprof (nowhere)
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/kinora/kinora/internal/bench"
)

const command = "make bench-payments"

func main() {
	run := whole
	if len(os.Args) > 1 {
		run = part
	}
	bench.Main("benchpayments", run)
}

// whole builds this program twice and lets the builds measure.
func whole(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "kinora-benchpayments-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var figures []bench.Figure
	for _, b := range []struct{ cgo, suffix, note string }{{"1", "", "with cgo"}, {"0", "_nocgo", "without cgo"}} {
		program := filepath.Join(dir, "benchpayments"+b.suffix)
		fmt.Fprintln(os.Stderr, "building", b.note)
		build := exec.CommandContext(ctx, "go", "build", "-o", program, "./internal/benchpayments")
		build.Env, build.Stderr = append(os.Environ(), "CGO_ENABLED="+b.cgo), os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("build %s: %w", b.note, err)
		}
		parts := []string{"tickets", "postgres", "sqlite"}
		if b.cgo == "1" {
			parts = append(parts, "idle", "queue")
		}
		for _, p := range parts { // each in a process of its own, whose memory is its own
			fmt.Fprintln(os.Stderr, "measuring", p, b.note)
			more, err := bench.Part(ctx, program, p)
			if err != nil {
				return fmt.Errorf("%s %s: %w", p, b.note, err)
			}
			for _, f := range more {
				f.Name += b.suffix
				f.Baseline = b.note + f.Baseline
				if b.cgo == "0" {
					f.Aim = "" // the aims are for a build with cgo
				}
				figures = append(figures, f)
			}
		}
	}
	bench.Print(os.Stdout, figures)
	return bench.Save("payments", figures)
}

// part measures one thing and prints its figures as JSON.
func part(ctx context.Context) error {
	b := &benchmark{atMost: 20_000}
	var err error
	if b.seconds, err = bench.Number("BENCH_SECONDS", 4, 1); err != nil {
		return err
	}
	if b.winners, err = bench.Number("BENCH_WINNERS", 100_000, 1); err != nil {
		return err
	}
	if b.lanes, err = bench.Number("BENCH_LANES", 64, 1); err != nil {
		return err
	}
	b.patience = 2 * time.Hour
	if v := os.Getenv("BENCH_PATIENCE"); v != "" {
		if b.patience, err = time.ParseDuration(v); err != nil || b.patience <= 0 {
			return fmt.Errorf("BENCH_PATIENCE=%q, want a duration such as 20m", v)
		}
	}
	profiled, err := bench.Profile(os.Args[1])
	if err != nil {
		return err
	}
	defer profiled()
	switch os.Args[1] {
	case "tickets":
		err = b.tickets()
	case "postgres":
		err = b.accept(ctx, "", openPostgres)
	case "sqlite":
		err = b.accept(ctx, "sqlite_", openSQLite)
	case "idle":
		err = b.idle(ctx)
	case "queue":
		err = b.queue(ctx)
	default:
		err = fmt.Errorf("no such part: %q", os.Args[1])
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(b.figures)
}

type benchmark struct {
	seconds  int
	atMost   int // tickets a second that are signed ahead for a measurement of acceptance
	winners  int
	lanes    int
	patience time.Duration
	figures  []bench.Figure
}

func (b *benchmark) figure(name string, value float64, unit, aim, baseline string) {
	if baseline != "" {
		baseline = ", " + baseline
	}
	b.figures = append(b.figures, bench.Figure{Name: name, Value: value, Unit: unit, Aim: aim, Baseline: baseline, Command: command})
}

// memory notes the largest process of this part: itself, and its Postgres.
func (b *benchmark) memory(name string) error {
	tree, err := bench.Tree(os.Getpid())
	if err != nil {
		return err
	}
	var own, postgres int64
	for _, p := range tree {
		if p.PID == os.Getpid() {
			own = p.PeakRSS
		} else {
			postgres = max(postgres, p.PeakRSS)
		}
	}
	b.figure("peak_rss_"+name, float64(own)/(1<<20), "MiB", "", "the program, with the chain and the payers it stands for")
	if postgres > 0 {
		b.figure("peak_rss_"+name+"_postgres", float64(postgres)/(1<<20), "MiB", "", "the largest Postgres process")
	}
	return nil
}
