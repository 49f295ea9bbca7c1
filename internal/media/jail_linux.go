package media

import (
	"errors"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Layers a parent gives a child; those that the child takes by itself are named in its Hello.
const (
	layerUser   = "user-namespace"
	layerNet    = "net-namespace"
	layerPID    = "pid-namespace"
	layerIPC    = "ipc-namespace"
	layerMount  = "mount-namespace"
	layerCgroup = "cgroup"
)

// mends says what to do about a layer that does not hold.
var mends = map[string]string{
	layerUser:         "allow user namespaces: sysctl user.max_user_namespaces above 0, kernel.unprivileged_userns_clone=1 where it exists; on Ubuntu an AppArmor profile that grants userns to kinora",
	layerCgroup:       "run under systemd with Delegate=yes, on a machine whose control groups are version 2",
	"own-root":        "allow user namespaces, and mounts in them",
	"landlock":        "Linux 5.13 or newer, with landlock among the lsm= of its command line",
	"seccomp":         "a kernel with CONFIG_SECCOMP_FILTER, on x86-64 or arm64",
	"no-new-privs":    "a kernel with CONFIG_SECCOMP",
	"no-capabilities": "start kinora as an ordinary user",
	"rlimits":         "raise the limits kinora itself runs under (ulimit -a)",
}

// mend is what to do about layer.
func mend(layer string) string {
	switch layer {
	case layerNet, layerPID, layerIPC, layerMount:
		layer = layerUser
	}
	return mends[layer]
}

// namespaces are the sets a child may be started in, the best first.
var namespaces = []struct {
	flags  uintptr
	layers []string
}{
	{syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS,
		[]string{layerUser, layerNet, layerPID, layerIPC, layerMount}},
	{syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS, // root, where user namespaces are off
		[]string{layerNet, layerPID, layerIPC, layerMount}},
	{},
}

// usable is the first of namespaces that this kernel granted: a fact of the process, found by the first child. What was granted
// once is not given up: a refusal later on, such as for want of room for one more, is that child's failure.
var (
	usable  atomic.Int32
	granted atomic.Bool
)

const (
	nobody = 65534 // the user a child of root becomes, and as whom every other sees itself

	capSetpcap  = 8
	capSysAdmin = 21
)

// process makes the command of a child in the set of namespaces with that index. group is the control group to start in, or nil.
func process(path string, args []string, limits Limits, set int, group *os.File) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.Dir = "/"
	cmd.Env = []string{
		// x264's frames are taken and given back every segment: without these, each is mapped and cleared by the kernel again.
		// With more than one arena, what a segment's threads gave back is found by the next one's only by luck.
		"MALLOC_MMAP_THRESHOLD_=1073741824", "MALLOC_TRIM_THRESHOLD_=4294967296", "MALLOC_TOP_PAD_=67108864", "MALLOC_ARENA_MAX=1",
		"KINORA_MEDIA_MEMORY=" + strconv.FormatInt(limits.MaxMemory, 10), "KINORA_MEDIA_FILES=" + strconv.Itoa(limits.MaxFiles),
		"GOMAXPROCS=" + strconv.Itoa(runtime.GOMAXPROCS(0)), // it cannot look up the share of the machine that it was given
		"KINORA_MEDIA_CPU=" + strconv.FormatInt(int64(limits.MaxCPU.Seconds()), 10),
	}
	if len(limits.Devices) > 0 {
		cmd.Env = append(cmd.Env, "KINORA_MEDIA_DEVICES="+strings.Join(limits.Devices, ":"))
	}
	if limits.Card != "" { // the driver's numbers are not those of the device files
		cmd.Env = append(cmd.Env, "CUDA_VISIBLE_DEVICES="+limits.Card)
	}
	flags := namespaces[set].flags
	// The child ends when its parent dies; signals of the terminal are kept from it: its parent decides.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true, Cloneflags: flags}
	if group != nil {
		cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(group.Fd())
	}
	if flags&syscall.CLONE_NEWNS != 0 {
		cmd.Env = append(cmd.Env, "KINORA_MEDIA_ROOT=1")
	}
	if flags&syscall.CLONE_NEWUSER != 0 {
		cmd.Env = append(cmd.Env, "KINORA_MEDIA_THREADS="+strconv.Itoa(limits.MaxThreads))
		users := []syscall.SysProcIDMap{{ContainerID: nobody, HostID: os.Getuid(), Size: 1}}
		groups := []syscall.SysProcIDMap{{ContainerID: nobody, HostID: os.Getgid(), Size: 1}}
		if os.Getuid() == 0 { // the child becomes nobody by itself, once its program, which may be root's alone, has begun
			users = []syscall.SysProcIDMap{{HostID: 0, Size: 1}, {ContainerID: nobody, HostID: nobody, Size: 1}}
			groups = []syscall.SysProcIDMap{{HostID: 0, Size: 1}, {ContainerID: nobody, HostID: nobody, Size: 1}}
			cmd.SysProcAttr.GidMappingsEnableSetgroups = true // to give root's groups up
		} else { // to make itself a root and to give all of it up
			cmd.SysProcAttr.AmbientCaps = []uintptr{capSetpcap, capSysAdmin}
		}
		cmd.SysProcAttr.UidMappings, cmd.SysProcAttr.GidMappings = users, groups
	}
	return cmd
}

// refused reports that a kernel does not grant namespaces, as opposed to a program that cannot be run.
func refused(err error) bool {
	for _, no := range []error{syscall.EPERM, syscall.EINVAL, syscall.ENOSPC, syscall.EUSERS, syscall.ENOSYS} {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}

// layersOf are all layers of a child started in that set of namespaces, and those that it lacks with the reason.
func layersOf(set int, group bool, hold []string, lack map[string]string) (layers []string, lacking map[string]string) {
	layers, lacking = slices.Concat(hold, namespaces[set].layers), make(map[string]string)
	for layer, why := range lack {
		lacking[layer] = why
	}
	for _, layer := range namespaces[0].layers {
		if !slices.Contains(layers, layer) {
			lacking[layer] = "the kernel does not grant it"
		}
	}
	if group {
		layers = append(layers, layerCgroup)
	} else {
		lacking[layerCgroup] = "no control group is delegated to this process"
	}
	slices.Sort(layers)
	return layers, lacking
}

func lacks(lacking map[string]string) (out []Lack) {
	for _, layer := range slices.Sorted(maps.Keys(lacking)) {
		out = append(out, Lack{layer, lacking[layer], mend(layer)})
	}
	return out
}

// warn tells of every layer that does not hold, and what to do about it.
func warn(log *slog.Logger, lacking map[string]string) {
	for _, l := range lacks(lacking) {
		log.Warn("a layer of the media children's jail does not hold", "layer", l.Layer, "because", l.Because, "mend", l.Mend)
	}
}

// memory is how much of a process is in memory, in bytes; 0 when it is gone.
func memory(pid int) int64 {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// effort is how long the threads of a process have run, and how long they were ready to and had no processor. Where the kernel does
// not count that, both are 0.
func effort(pid int) (ran, waited time.Duration) {
	dir := "/proc/" + strconv.Itoa(pid) + "/task"
	threads, err := os.ReadDir(dir)
	if err != nil {
		return 0, 0
	}
	for _, t := range threads {
		b, err := os.ReadFile(dir + "/" + t.Name() + "/schedstat")
		if err != nil {
			continue // it has ended
		}
		if f := strings.Fields(string(b)); len(f) >= 2 {
			r, _ := strconv.ParseInt(f[0], 10, 64)
			w, _ := strconv.ParseInt(f[1], 10, 64)
			ran, waited = ran+time.Duration(r), waited+time.Duration(w)
		}
	}
	return ran, waited
}
