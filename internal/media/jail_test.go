package media_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/kinora/kinora/internal/media"
)

func procFile(t *testing.T, pid int, name string) string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestChild_isLockedIn(t *testing.T) {
	t.Parallel()
	c := start(t, media.Limits{MaxFiles: 33, MaxMemory: 6 << 30, MaxThreads: 500})
	layers, lacking := c.Layers()
	for _, want := range []string{"descriptors", "no-capabilities", "no-new-privs", "rlimits", "seccomp"} { // no kernel we run on is without
		if !slices.Contains(layers, want) {
			t.Errorf("%s does not hold: %s", want, lacking[want])
		}
	}
	for layer, why := range lacking {
		if why == "" || slices.Contains(layers, layer) {
			t.Errorf("%s is lacking because of %q, among %v", layer, why, layers)
		}
	}
	status := procFile(t, c.Pid(), "status")
	for _, want := range []string{"NoNewPrivs:\t1", "Seccomp:\t2", "CapEff:\t0000000000000000", "CapPrm:\t0000000000000000", "CapBnd:\t0000000000000000"} {
		if !strings.Contains(status, want) {
			t.Errorf("status lacks %q", want)
		}
	}
	limits := procFile(t, c.Pid(), "limits")
	wants := map[string]string{"Max open files": "33", "Max address space": strconv.Itoa(6 << 30), "Max file size": "0", "Max core file size": "0", "Max cpu time": "360000"}
	if slices.Contains(layers, "user-namespace") {
		wants["Max processes"] = "500"
	}
	for name, want := range wants {
		_, rest, _ := strings.Cut(limits, name)
		if f := strings.Fields(rest); len(f) == 0 || f[0] != want {
			t.Errorf("%s is not %s:\n%s", name, want, limits)
		}
	}
	if c.Memory() < 1<<20 {
		t.Errorf("%d bytes in memory", c.Memory())
	}
}
