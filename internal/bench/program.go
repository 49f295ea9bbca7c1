package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"syscall"
)

// Main is the main function of the benchmark of that name: run, until it is done or a signal asks for its end.
func Main(name string, run func(context.Context) error) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// Number is what the environment gives for a setting, at least least; standard where it gives nothing.
func Number(name string, standard, least int) (int, error) {
	v := os.Getenv(name)
	if v == "" {
		return standard, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < least {
		return 0, fmt.Errorf("%s=%q, want a number of at least %d", name, v, least)
	}
	return n, nil
}

// Profile writes a CPU profile into the folder that BENCH_PROFILE names, if it does, until what it returns is called.
func Profile(name string) (stop func(), err error) {
	dir := os.Getenv("BENCH_PROFILE")
	if dir == "" {
		return func() {}, nil
	}
	f, err := os.Create(filepath.Join(dir, name+".pprof"))
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		f.Close()
		return nil, err
	}
	return func() { pprof.StopCPUProfile(); f.Close() }, nil
}

// Part runs a benchmark's program again for a part of it, in a process whose memory is its own, and reads the figures that
// this prints as JSON.
func Part(ctx context.Context, program string, args ...string) ([]Figure, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it may have a database to stop
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, err
	}
	var figures []Figure
	return figures, json.Unmarshal(out.Bytes(), &figures)
}
