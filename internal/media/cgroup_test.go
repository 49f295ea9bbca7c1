package media_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/kinora/kinora/internal/media"
)

// A machine that delegates a control group is not always at hand, so its files are laid out here; that a child starts in the group is
// the kernel's doing.
func TestControlGroup_isTakenOnlyWhereItIsDelegatedAndOurs(t *testing.T) {
	t.Parallel()
	self := strconv.Itoa(os.Getpid())
	for name, c := range map[string]struct {
		own, controllers, members string
		fault                     string // or empty
	}{
		"delegated":           {"0::/user/kinora\n", "cpuset cpu io memory pids\n", self + "\n", ""},
		"version 1":           {"9:memory:/user\n1:name=systemd:/user\n", "", "", "no version 2"},
		"without controllers": {"1:name=systemd:/x\n0::/user/kinora\n", "cpu pids\n", self + "\n", "memory"},
		"shared":              {"0::/user/kinora\n", "cpu memory pids\n", "1\n" + self + "\n", "share"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proc, mount := t.TempDir(), t.TempDir()
			dir := filepath.Join(mount, "user", "kinora")
			for path, text := range map[string]string{filepath.Join(proc, "cgroup"): c.own, filepath.Join(dir, "cgroup.controllers"): c.controllers, filepath.Join(dir, "cgroup.procs"): c.members} {
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			group, err := media.Hierarchy(proc, mount, media.Limits{MaxResident: 1 << 30, MaxThreads: 99})
			if c.fault != "" {
				if err == nil || !strings.Contains(err.Error(), c.fault) {
					t.Errorf("error %v, want something about %q", err, c.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for file, want := range map[string]string{filepath.Join(dir, "kinora", "cgroup.procs"): self, filepath.Join(dir, "cgroup.subtree_control"): "+cpu +memory +pids",
				filepath.Join(group, "memory.max"): strconv.Itoa(1 << 30), filepath.Join(group, "pids.max"): "99", filepath.Join(group, "cpu.weight"): "50"} {
				if got, err := os.ReadFile(file); err != nil || string(got) != want {
					t.Errorf("%s holds %q, %v; want %q", file, got, err, want)
				}
			}
		})
	}
}
