package devices

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Reading is how a device fares. What it does not tell is nil.
type Reading struct {
	Kind        string   `json:"kind"`
	ID          string   `json:"id"`
	Path        string   `json:"path,omitempty"`
	Name        string   `json:"name,omitempty"`
	Load        *float64 `json:"load,omitempty"`          // 0 to 1
	Temperature *float64 `json:"temperature_c,omitempty"` // °C
	Power       *float64 `json:"power_w,omitempty"`
	Energy      *float64 `json:"energy_j,omitempty"` // of the device itself, or summed up here since the start
	MemoryUsed  *float64 `json:"memory_used_bytes,omitempty"`
	MemoryTotal *float64 `json:"memory_total_bytes,omitempty"`
	Sessions    *float64 `json:"encoder_sessions,omitempty"` // of every program on it
}

// Gauges read devices. The first reading of some has no load: that takes two.
type Gauges struct {
	root    string
	devices []Device

	mu   sync.Mutex
	last map[string]counter // by ID
}

type counter struct {
	at     time.Time
	power  float64
	energy float64 // summed up
	idle   float64 // ms in RC6, of an Intel GPU
}

// NewGauges reads what Probe found under root.
func NewGauges(root string, r Report) *Gauges {
	return &Gauges{root: root, devices: r.Devices, last: make(map[string]counter)}
}

// Read reads every device once. What one of them fails with is joined to the error; the others are there all the same.
func (g *Gauges) Read(ctx context.Context, now time.Time) ([]Reading, error) {
	var all []Reading
	var errs []error
	nvidia := false
	for _, d := range g.devices {
		switch d.Kind {
		case NVENC:
			nvidia = true
		case VAAPI:
			all = append(all, g.renderNode(d, now))
		}
	}
	if nvidia {
		cards, err := g.nvidia(ctx, now)
		all, errs = append(all, cards...), append(errs, err)
	}
	return all, errors.Join(errs...)
}

// Fields asked of nvidia-smi; every driver that encodes knows them.
var smiFields = []string{"index", "uuid", "name", "utilization.gpu", "temperature.gpu", "power.draw", "memory.used", "memory.total", "encoder.stats.sessionCount"}

// nvidia asks the driver's own program, so that no library of the driver is loaded into a process that holds keys.
func (g *Gauges) nvidia(ctx context.Context, now time.Time) ([]Reading, error) {
	program := "nvidia-smi"
	if g.root != "/" {
		program = filepath.Join(g.root, "usr/bin/nvidia-smi")
	}
	cmd := exec.CommandContext(ctx, program, "--query-gpu="+strings.Join(smiFields, ","), "--format=csv,noheader,nounits")
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("read the NVIDIA cards: %w", err)
	}
	rows := csv.NewReader(bytes.NewReader(out))
	rows.TrimLeadingSpace, rows.FieldsPerRecord = true, len(smiFields)
	table, err := rows.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read the NVIDIA cards: %w", err)
	}
	var all []Reading
	for _, row := range table {
		r := Reading{Kind: NVENC, Path: "/dev/nvidia" + row[0], ID: row[1], Name: row[2], Load: number(row[3], 0.01), Temperature: number(row[4], 1), Power: number(row[5], 1),
			MemoryUsed: number(row[6], 1<<20), MemoryTotal: number(row[7], 1<<20), Sessions: number(row[8], 1)}
		g.sum(&r, now, 0)
		all = append(all, r)
	}
	return all, nil
}

// renderNode reads a GPU by what its driver shows in /sys.
func (g *Gauges) renderNode(d Device, now time.Time) Reading {
	sys := filepath.Join(g.root, "sys/class/drm", filepath.Base(d.Path), "device")
	r := Reading{Kind: d.Kind, ID: d.ID, Path: d.Path, Name: d.Name, Load: number(text(filepath.Join(sys, "gpu_busy_percent")), 0.01),
		MemoryUsed: number(text(filepath.Join(sys, "mem_info_vram_used")), 1), MemoryTotal: number(text(filepath.Join(sys, "mem_info_vram_total")), 1)}
	if r.ID == "" {
		r.ID = d.Path
	}
	monitor := func(name string, scale float64) *float64 {
		files, _ := filepath.Glob(filepath.Join(sys, "hwmon/hwmon*", name))
		if len(files) == 0 {
			return nil
		}
		return number(text(files[0]), scale)
	}
	r.Temperature = monitor("temp1_input", 1e-3)
	if r.Power = monitor("power1_average", 1e-6); r.Power == nil {
		r.Power = monitor("power1_input", 1e-6)
	}
	r.Energy = monitor("energy1_input", 1e-6)
	idle := 0.0
	if files, _ := filepath.Glob(filepath.Join(sys, "drm/card*/gt/gt0/rc6_residency_ms")); r.Load == nil && len(files) > 0 {
		if ms := number(text(files[0]), 1); ms != nil {
			idle = *ms
		}
	}
	g.sum(&r, now, idle)
	return r
}

// sum makes of two readings what one does not tell: energy of power, power of energy, load of the time at rest.
func (g *Gauges) sum(r *Reading, now time.Time, idle float64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	was, known := g.last[r.ID]
	is, past := counter{at: now, idle: idle}, now.Sub(was.at).Seconds()
	switch {
	case r.Energy != nil: // the device counts
		is.energy = *r.Energy
		if known && past > 0 && r.Power == nil && is.energy >= was.energy {
			p := (is.energy - was.energy) / past
			r.Power = &p
		}
	case r.Power != nil:
		if is.power = *r.Power; known && past > 0 {
			is.energy = was.energy + (was.power+is.power)/2*past
		}
		r.Energy = &is.energy
	}
	if known && past > 0 && r.Load == nil && idle > 0 && idle >= was.idle {
		load := min(max(0, 1-(idle-was.idle)/1000/past), 1)
		r.Load = &load
	}
	g.last[r.ID] = is
}

// number reads a number and scales it; nil for [N/A] and the like.
func number(s string, scale float64) *float64 {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return nil
	}
	v *= scale
	return &v
}
