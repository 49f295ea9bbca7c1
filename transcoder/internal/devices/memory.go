package devices

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Bandwidth is how many bytes a second the machine copies with every core, read and written counted once.
func Bandwidth() uint64 {
	const size, rounds = 32 << 20, 6
	var cores sync.WaitGroup
	begun := time.Now()
	for range runtime.NumCPU() {
		cores.Go(func() {
			from, to := make([]byte, size), make([]byte, size)
			for range rounds {
				copy(to, from)
			}
		})
	}
	cores.Wait()
	return uint64(float64(runtime.NumCPU()*size*rounds) / time.Since(begun).Seconds())
}

// PeakMemory is the most memory a process has had, in bytes; 0 where the system does not say.
func PeakMemory(pid int) uint64 {
	fields := keyed(filepath.Join("/proc", strconv.Itoa(pid), "status"), ":")
	n, _ := strconv.ParseUint(strings.TrimSpace(strings.TrimSuffix(fields["VmHWM"], "kB")), 10, 64)
	return n << 10
}

// MemoryOf is how much memory the machine under root has and how much of it is free.
func MemoryOf(root string) Memory {
	total, available := memoryOf(root)
	return Memory{Total: total, Available: available}
}

// Idle tells whether the machine did hardly anything between two calls of it: nobody's work would disturb a measurement,
// nor be disturbed.
type Idle struct{ busy, all uint64 }

// Now is true when less than a tenth of the machine was in use since the last call; false at the first.
func (i *Idle) Now() bool {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return false
	}
	line, _, _ := strings.Cut(string(b), "\n")
	fields := strings.Fields(line)
	if len(fields) < 6 || fields[0] != "cpu" {
		return false
	}
	var all, rest uint64
	for n, f := range fields[1:min(len(fields), 9)] { // what follows is counted in user already
		v, _ := strconv.ParseUint(f, 10, 64)
		all += v
		if n == 3 || n == 4 { // idle, and waiting for the disk
			rest += v
		}
	}
	was := *i
	i.busy, i.all = all-rest, all
	return was.all > 0 && i.all > was.all && (i.busy-was.busy)*10 < i.all-was.all
}
