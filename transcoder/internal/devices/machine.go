package devices

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// Machine is what a measurement holds for: on another one, or with another program, it says nothing.
type Machine struct {
	CPU     string   `json:"cpu"`
	CPUs    int      `json:"cpus"`
	Memory  uint64   `json:"memory_bytes,omitempty"`
	FFmpeg  string   `json:"ffmpeg"`
	Program string   `json:"program"`           // kinora-media: its size and age
	Devices []string `json:"devices,omitempty"` // by ID
}

// Describe says what the machine under root is. program is the path of kinora-media and ffmpeg what it says of itself.
func Describe(root, program, ffmpeg string, r Report) Machine {
	m := Machine{CPUs: runtime.NumCPU(), FFmpeg: ffmpeg, Program: fingerprint(program)}
	m.CPU = keyed(filepath.Join(root, "proc/cpuinfo"), ":")["model name"]
	if m.CPU == "" {
		m.CPU = runtime.GOARCH
	}
	m.Memory, _ = memoryOf(root)
	for _, d := range r.Devices {
		if d.Missing == "" {
			m.Devices = append(m.Devices, d.Kind+" "+d.Path+" "+d.ID)
		}
	}
	return m
}

// Same tells whether what was measured on one holds for the other. Memory is not compared: it does not set the pace.
func (m Machine) Same(o Machine) bool {
	return m.CPU == o.CPU && m.CPUs == o.CPUs && m.FFmpeg == o.FFmpeg && m.Program == o.Program && slices.Equal(m.Devices, o.Devices)
}

// String names it in a line.
func (m Machine) String() string {
	s := fmt.Sprintf("%d × %s", m.CPUs, m.CPU)
	if m.Memory > 0 {
		s += fmt.Sprintf(", %.1f GiB", float64(m.Memory)/(1<<30))
	}
	return s + ", FFmpeg " + m.FFmpeg
}

// memoryOf is the memory of the machine and what of it is free, in bytes.
func memoryOf(root string) (total, available uint64) {
	fields := keyed(filepath.Join(root, "proc/meminfo"), ":")
	read := func(name string) uint64 {
		n, _ := strconv.ParseUint(strings.TrimSpace(strings.TrimSuffix(fields[name], "kB")), 10, 64)
		return n << 10
	}
	return read("MemTotal"), read("MemAvailable")
}

// fingerprint changes when the program does.
func fingerprint(path string) string {
	st, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d bytes of %s", st.Size(), st.ModTime().UTC().Format("2006-01-02T15:04:05Z"))
}
