// Package bench holds what the benchmarks share: figures, the CPU time and memory of a tree of processes, and percentiles.
package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// Figure is one number of a benchmark.
type Figure struct {
	Name     string  `json:"name"`
	Value    float64 `json:"value"`
	Unit     string  `json:"unit"`
	Aim      string  `json:"aim"`      // such as "<= 0.95"; empty where there is none
	Baseline string  `json:"baseline"` // what it was measured against
	Command  string  `json:"command"`
}

// Print writes a table of the figures.
func Print(w io.Writer, figures []Figure) {
	t := tabwriter.NewWriter(w, 2, 0, 2, ' ', 0)
	fmt.Fprintln(t, "name\tvalue\tunit\taim\tagainst")
	for _, f := range figures {
		fmt.Fprintf(t, "%s\t%.3f\t%s\t%s\t%s\n", f.Name, f.Value, f.Unit, f.Aim, f.Baseline)
	}
	t.Flush()
}

// Save writes build/bench/NAME.json below the working directory.
func Save(name string, figures []Figure) error {
	dir := filepath.Join("build", "bench")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	b, err := json.MarshalIndent(figures, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name+".json"), append(b, '\n'), 0o644)
}

// Percentile returns the p-th percentile (0 to 100) of v by nearest rank.
func Percentile(v []float64, p float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Clone(v)
	slices.Sort(s)
	return s[min(len(s)-1, int(p/100*float64(len(s))))]
}

// Process is one process as /proc shows it.
type Process struct {
	PID, Parent int
	Command     string
	CPU         time.Duration // its own and that of its ended children
	PeakRSS     int64         // bytes
	Started     time.Time
}

// clockTick is USER_HZ, which Linux fixes at 100 for what /proc shows.
const clockTick = 10 * time.Millisecond

// Tree lists root and every process below it.
func Tree(root int) ([]Process, error) {
	booted, err := bootTime()
	if err != nil {
		return nil, err
	}
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	all := map[int]Process{}
	for _, d := range dirs {
		if p, ok := read(d, booted); ok {
			all[p.PID] = p
		}
	}
	var tree []Process
	for _, p := range all {
		for q, ok := p, true; ok; q, ok = all[q.Parent] {
			if q.PID == root {
				tree = append(tree, p)
				break
			}
		}
	}
	slices.SortFunc(tree, func(a, b Process) int { return a.PID - b.PID })
	return tree, nil
}

func read(dir string, booted time.Time) (Process, bool) {
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return Process{}, false
	}
	pid, _ := strconv.Atoi(filepath.Base(dir))
	f := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(f) < 22 {
		return Process{}, false
	}
	ticks := func(i int) time.Duration {
		n, _ := strconv.ParseInt(f[i], 10, 64)
		return time.Duration(n) * clockTick
	}
	parent, _ := strconv.Atoi(f[1])
	command, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
	p := Process{PID: pid, Parent: parent, Command: strings.TrimSpace(strings.ReplaceAll(string(command), "\x00", " ")),
		CPU: ticks(11) + ticks(12) + ticks(13) + ticks(14), Started: booted.Add(ticks(19))}
	status, _ := os.ReadFile(filepath.Join(dir, "status"))
	for _, line := range strings.Split(string(status), "\n") {
		if kb, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(kb), " kB"), 10, 64)
			p.PeakRSS = n << 10
		}
	}
	return p, true
}

func bootTime() (time.Time, error) {
	b, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return time.Time{}, err
	}
	up, err := strconv.ParseFloat(strings.Fields(string(b))[0], 64)
	return time.Now().Add(-time.Duration(up * float64(time.Second))), err
}
