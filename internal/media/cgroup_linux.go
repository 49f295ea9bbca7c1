package media

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// hierarchy is the control group that was delegated to this process, with the folder in which children get theirs.
type hierarchy struct {
	dir  string
	next atomic.Uint64
}

// delegated finds it once: which group this process runs in is a fact of the process, and entering a leaf happens once.
var delegated = sync.OnceValues(func() (*hierarchy, error) { return findHierarchy("/proc/self", "/sys/fs/cgroup") })

// wanted are the controllers that bound a child.
var wanted = []string{"cpu", "memory", "pids"}

// findHierarchy takes over the group that proc says this process is in, if it is alone there and may: version 2 bounds only groups
// without processes of their own, so it moves to a leaf beside its children.
func findHierarchy(proc, mount string) (*hierarchy, error) {
	own, err := os.ReadFile(filepath.Join(proc, "cgroup"))
	if err != nil {
		return nil, err
	}
	path, ok := "", false
	for line := range strings.Lines(string(own)) {
		if p, found := strings.CutPrefix(strings.TrimSpace(line), "0::"); found {
			path, ok = p, true
		}
	}
	if !ok {
		return nil, errors.New("no version 2 hierarchy")
	}
	dir := filepath.Join(mount, path)
	controllers, err := words(filepath.Join(dir, "cgroup.controllers"))
	if err != nil {
		return nil, err
	}
	for _, c := range wanted {
		if !slices.Contains(controllers, c) {
			return nil, fmt.Errorf("the controller %s is not delegated to %s", c, path)
		}
	}
	members, err := words(filepath.Join(dir, "cgroup.procs"))
	if err != nil {
		return nil, err
	}
	self := strconv.Itoa(os.Getpid())
	if slices.ContainsFunc(members, func(pid string) bool { return pid != self }) {
		return nil, fmt.Errorf("other processes share %s", path)
	}
	leaf := filepath.Join(dir, "kinora")
	if err := os.Mkdir(leaf, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	if err := write(leaf, "cgroup.procs", self); err != nil {
		return nil, err
	}
	if err := write(dir, "cgroup.subtree_control", "+cpu +memory +pids"); err != nil {
		return nil, err
	}
	return &hierarchy{dir: dir}, nil
}

// group makes a group of its own for one child; remove it when the child has ended.
func (h *hierarchy) group(limits Limits) (dir string, err error) {
	dir = filepath.Join(h.dir, fmt.Sprintf("media-%d-%d", os.Getpid(), h.next.Add(1)))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	for _, set := range [][2]string{{"memory.max", strconv.FormatInt(limits.MaxResident, 10)}, {"pids.max", strconv.Itoa(limits.MaxThreads)}, {"cpu.weight", "50"}} {
		if err := write(dir, set[0], set[1]); err != nil {
			return "", errors.Join(err, os.Remove(dir))
		}
	}
	_ = write(dir, "memory.swap.max", "0") // absent where the kernel does not account for swap
	_ = write(dir, "memory.oom.group", "1")
	return dir, nil
}

func write(dir, file, text string) error {
	return os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644)
}

func words(path string) ([]string, error) {
	b, err := os.ReadFile(path)
	return strings.Fields(string(b)), err
}
