// Command benchfaults measures what each fault of the table in docs/faults.md costs live streams, and the books. BENCH_FAULTS
// takes those alone whose names it lists, separated by commas.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kinora/kinora/internal/bench"
	"github.com/kinora/kinora/internal/e2e/stage"
)

const (
	streams  = 3
	segments = 9
	command  = "make bench-faults"
	baseline = "a stream without a fault"
)

func main() {
	stage.Main()
	bench.Main("benchfaults", run)
}

func run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "kinora-faults-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // Postgres may run as another user
		return err
	}
	b := benchmark{dir: dir, stages: map[string]*stage.Stage{}}
	defer b.close()
	for name, into := range map[string]*string{"bin/kinora": &b.o.Kinora, "bin/kinora-media": &b.o.Media} {
		if *into, err = filepath.Abs(name); err != nil {
			return err
		}
	}
	_, b.footage, err = bench.Footage{Name: "s", Width: 160, Height: 90, Rate: "100k", Count: segments, Seconds: 2, Generated: true}.
		Make(ctx, os.Getenv("KINORA_FFMPEG"), dir)
	if err != nil {
		return err
	}
	var chosen []string
	if names := os.Getenv("BENCH_FAULTS"); names != "" {
		chosen = strings.Split(names, ",")
	}
	faults := slices.DeleteFunc(stage.Faults(), func(f stage.Fault) bool { return chosen != nil && !slices.Contains(chosen, f.Name) })
	if len(faults) == 0 {
		return fmt.Errorf("BENCH_FAULTS=%s names no fault", os.Getenv("BENCH_FAULTS"))
	}
	if slices.ContainsFunc(faults, func(f stage.Fault) bool { return strings.HasPrefix(f.Name, "skew-") }) {
		if b.o.Ahead, err = stage.Ahead(ctx, ".", dir); err != nil {
			return err
		}
	}
	var failed []error
	for _, f := range faults {
		if err := b.measure(ctx, f); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			failed = append(failed, err)
			b.end(f.Apart) // the next fault finds a stage of its own
		}
	}
	bench.Print(os.Stdout, b.figures)
	return errors.Join(append(failed, bench.Save("faults", b.figures))...)
}

type benchmark struct {
	dir     string
	o       stage.Options
	footage [][]byte
	stages  map[string]*stage.Stage // by who is apart; one at a time
	begun   int
	figures []bench.Figure
}

// on is the stage for a fault: the one that stands, if it fits.
func (b *benchmark) on(ctx context.Context, f stage.Fault) (*stage.Stage, error) {
	if s := b.stages[f.Apart]; s != nil {
		return s, nil
	}
	b.close()
	b.begun++
	o := b.o
	o.Dir, o.Orchestrators, o.Transcoders, o.Apart = filepath.Join(b.dir, fmt.Sprintf("stage-%d", b.begun)), 2, 3, f.Apart
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, err
	}
	patient, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	s, err := stage.Start(patient, o)
	if err == nil {
		b.stages[f.Apart] = s
	}
	return s, err
}

func (b *benchmark) end(apart string) {
	if s := b.stages[apart]; s != nil {
		s.Close()
		delete(b.stages, apart)
	}
}

func (b *benchmark) close() {
	for apart := range b.stages {
		b.end(apart)
	}
}

func (b *benchmark) measure(ctx context.Context, f stage.Fault) error {
	s, err := b.on(ctx, f)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Name, err)
	}
	out, err := s.Suffer(ctx, f, stage.Load{Streams: streams, Segments: b.footage, Name: f.Name})
	if err == nil {
		err = s.Mend(ctx)
	}
	if err != nil {
		return err
	}
	figure := func(what string, value float64, unit, aim string) {
		b.figures = append(b.figures, bench.Figure{Name: f.Name + " " + what, Value: value, Unit: unit, Aim: aim, Baseline: baseline, Command: command})
	}
	figure("segments lost", float64(out.Lost+out.Gaps), fmt.Sprintf("of %d", out.Segments), "<= 0")
	figure("late, of one stream at most", float64(out.LateMost), fmt.Sprintf("of %d", segments), "<= 1")
	figure("longest to release", out.Longest.Seconds(), "s", "")
	figure("to recover", out.Recovered.Seconds(), "s", "")
	figure("wei lost or paid in vain", wei(out), "wei", "<= 0")
	fmt.Fprintf(os.Stderr, "%-24s %d lost, %d late (%d of one stream), longest %.1f s, recovered after %.1f s, %s wei lost, %s paid in vain\n",
		f.Name, out.Lost+out.Gaps, out.Late, out.LateMost, out.Longest.Seconds(), out.Recovered.Seconds(), out.LostWei, out.VainWei)
	for _, why := range out.Why {
		fmt.Fprintln(os.Stderr, "  "+why)
	}
	return nil
}

// wei is a sum of money as a number of a table, in which there is nothing else to do with it.
func wei(out stage.Outcome) float64 {
	f, _ := out.LostWei.Add(out.VainWei).Big().Float64()
	return f
}
