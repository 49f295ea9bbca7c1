package hostile

import (
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// attempts has one entry for each of wire.Attempts.
var attempts = map[string]func(*trial){
	"read-passwd":   func(t *trial) { t.read("/etc/passwd") },
	"read-secret":   func(t *trial) { t.read(t.Secret) },
	"read-keystore": func(t *trial) { t.list(t.Keystore) },
	"read-by-symlink": func(t *trial) {
		for _, dir := range []string{t.Scratch, "/", "/tmp"} {
			link := dir + "/kinora-link"
			if t.way("symlink "+dir, unix.Symlink(t.Secret, link)) {
				t.read(link)
				_ = unix.Unlink(link)
			}
		}
		t.read("../../../../../.." + t.Secret)
		for _, pid := range []string{"self", "1", fmt.Sprint(t.Parent)} {
			t.read("/proc/" + pid + "/root" + t.Secret)
		}
	},
	"read-parent-memory": func(t *trial) {
		t.read(fmt.Sprintf("/proc/%d/mem", t.Parent))
		var b [8]byte
		local := []unix.Iovec{{Base: &b[0], Len: 8}}
		remote := []unix.RemoteIovec{{Base: uintptr(unsafe.Pointer(&b)), Len: 8}}
		_, err := unix.ProcessVMReadv(t.Parent, local, remote, 0)
		if err == unix.EFAULT { // let in, and told that nothing is there
			err = nil
		}
		t.way("process_vm_readv", err)
	},
	"read-parent-environment": func(t *trial) { t.read(fmt.Sprintf("/proc/%d/environ", t.Parent)) },
	"own-environment": func(t *trial) {
		for _, e := range os.Environ() {
			if !slices.ContainsFunc([]string{"MALLOC_", "GOMAXPROCS=", "KINORA_MEDIA_"}, func(p string) bool { return strings.HasPrefix(e, p) }) {
				name, _, _ := strings.Cut(e, "=")
				t.way(name, nil)
			}
		}
		if !t.passed {
			t.layer, t.ways = "environment", append(t.ways, fmt.Sprintf("%d variables, all of the child's own", len(os.Environ())))
		}
	},
	"inherited-descriptor": func(t *trial) {
		for _, fd := range t.Descriptors {
			var st unix.Stat_t
			t.way(fmt.Sprintf("fstat %d", fd), unix.Fstat(fd, &st))
		}
	},
	"write-tmp": func(t *trial) {
		for _, dir := range []string{"/tmp", "/var/tmp", "/dev/shm", t.Scratch} {
			t.create(dir)
		}
	},
	"write-cwd":  func(t *trial) { t.create(".") },
	"write-huge": hugeFile,
	"open-device": func(t *trial) {
		for _, d := range []string{"/dev/null", "/dev/zero", "/dev/mem", "/dev/kmsg", "/dev/kvm", "/dev/fuse", "/dev/dri/renderD128", "/dev/nvidia0", "/dev/nvidiactl"} {
			if !slices.Contains(t.Devices, d) {
				t.read(d)
			}
		}
	},
	"make-device": func(t *trial) {
		for _, dir := range []string{t.Scratch, "/", "/tmp"} {
			path := dir + "/kinora-device"
			if t.way("mknod "+dir, unix.Mknod(path, unix.S_IFCHR|0o600, 1<<8|3)) {
				_ = unix.Unlink(path)
			}
		}
	},
	"socket-inet": func(t *trial) {
		t.socket("inet", unix.AF_INET, unix.SOCK_STREAM)
		t.socket("inet6", unix.AF_INET6, unix.SOCK_DGRAM)
	},
	"socket-unix":    func(t *trial) { t.socket("unix", unix.AF_UNIX, unix.SOCK_STREAM) },
	"socket-netlink": func(t *trial) { t.socket("netlink", unix.AF_NETLINK, unix.SOCK_RAW) },
	"socket-raw": func(t *trial) {
		t.socket("raw", unix.AF_INET, unix.SOCK_RAW)
		t.socket("packet", unix.AF_PACKET, unix.SOCK_RAW)
	},
	"connect-loopback": func(t *trial) { t.connect(unix.SOCK_STREAM, internet(t.TCP)) },
	"resolve":          func(t *trial) { t.connect(unix.SOCK_DGRAM, internet(t.UDP)) },
	"connect-unix":     func(t *trial) { t.connect(unix.SOCK_STREAM, &unix.SockaddrUnix{Name: t.Unix}) },
	"connect-abstract": func(t *trial) { t.connect(unix.SOCK_STREAM, &unix.SockaddrUnix{Name: "@" + t.Abstract}) },
	"shared-memory": func(t *trial) {
		id, err := unix.SysvShmGet(t.SharedKey, 0, 0)
		if t.way("shmget", err) {
			_, err := unix.SysvShmAttach(id, 0, unix.SHM_RDONLY)
			t.way("shmat", err)
		}
	},
	"message-queue": func(t *trial) {
		name, _ := unix.BytePtrFromString("kinora")
		t.way("mq_open", sys(unix.SYS_MQ_OPEN, uintptr(unsafe.Pointer(name)), unix.O_RDWR|unix.O_CREAT, 0o600, 0))
		_ = sys(unix.SYS_MQ_UNLINK, uintptr(unsafe.Pointer(name)))
	},
	"fork":           fork,
	"exec-shell":     execShell,
	"exec-memory":    execMemory,
	"new-code":       newCode,
	"ptrace-parent":  func(t *trial) { t.way("ptrace", sys(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(t.Parent), 0, 0)) },
	"signal-parent":  func(t *trial) { t.signal(t.Parent) },
	"signal-other":   func(t *trial) { t.signal(t.Victim) },
	"outlive-parent": func(t *trial) { t.way("prctl", unix.Prctl(unix.PR_SET_PDEATHSIG, 0, 0, 0, 0)) },
	"set-user": func(t *trial) {
		other := unix.Getuid() ^ 1
		t.way("setresuid", sys(unix.SYS_SETRESUID, uintptr(other), uintptr(other), uintptr(other)))
		t.way("setgroups", sys(unix.SYS_SETGROUPS, 0, 0))
	},
	"gain-capability": func(t *trial) {
		head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		all := [2]unix.CapUserData{{Effective: 1 << unix.CAP_SYS_ADMIN, Permitted: 1 << unix.CAP_SYS_ADMIN}}
		t.way("capset", unix.Capset(&head, &all[0]))
	},
	"raise-limit": func(t *trial) {
		var now unix.Rlimit
		if err := unix.Prlimit(0, unix.RLIMIT_FSIZE, nil, &now); err != nil {
			t.way("getrlimit", err)
			return
		}
		t.way("setrlimit", unix.Prlimit(0, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 1 << 40, Max: max(now.Max, 1<<40)}, nil))
	},
	"mount": func(t *trial) {
		for _, dir := range []string{t.Scratch, "/"} {
			if dir == "/" && t.passed {
				break // shown, and what it would hide is the machine's
			}
			if t.way("mount "+dir, unix.Mount("none", dir, "tmpfs", 0, "size=4k")) {
				_ = unix.Unmount(dir, unix.MNT_DETACH)
			}
		}
	},
	"chroot": func(t *trial) {
		t.way("chroot", unix.Chroot(t.Scratch))
		t.way("chroot /", unix.Chroot("/"))
	},
	"unshare": func(t *trial) {
		for _, kind := range []int{unix.CLONE_NEWUSER, unix.CLONE_NEWNET, unix.CLONE_NEWNS} {
			t.way(fmt.Sprintf("unshare %#x", kind), onThread(func() error { return sys(unix.SYS_UNSHARE, uintptr(kind)) }))
		}
	},
	"load-module": func(t *trial) {
		junk, none := [4]byte{}, [1]byte{}
		err := sys(unix.SYS_INIT_MODULE, uintptr(unsafe.Pointer(&junk)), 4, uintptr(unsafe.Pointer(&none)))
		if err == unix.ENOEXEC { // let in, and told that this is no module
			err = nil
		}
		t.way("init_module", err)
	},
	"bpf": func(t *trial) {
		attr := [12]uint32{1 /* hash */, 4, 4, 1}
		t.way("bpf", sys(unix.SYS_BPF, 0 /* BPF_MAP_CREATE */, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr)))
		t.way("bpf read", sys(unix.SYS_BPF, 11 /* BPF_PROG_GET_NEXT_ID */, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr)))
	},
	"io-uring": func(t *trial) {
		var params [30]uint32
		t.way("io_uring_setup", sys(unix.SYS_IO_URING_SETUP, 1, uintptr(unsafe.Pointer(&params))))
	},
	"userfaultfd": func(t *trial) {
		t.way("userfaultfd", sys(unix.SYS_USERFAULTFD, unix.O_CLOEXEC|1 /* UFFD_USER_MODE_ONLY */))
	},
	"keyring": func(t *trial) {
		_, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_SESSION_KEYRING, true)
		t.way("keyctl", err)
		_, err = unix.AddKey("user", "kinora", []byte("x"), unix.KEY_SPEC_PROCESS_KEYRING)
		t.way("add_key", err)
	},
	"perf": func(t *trial) {
		attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_SOFTWARE, Size: uint32(unsafe.Sizeof(unix.PerfEventAttr{})), Config: unix.PERF_COUNT_SW_TASK_CLOCK, Bits: unix.PerfBitExcludeKernel | unix.PerfBitExcludeHv}
		_, err := unix.PerfEventOpen(&attr, 0, -1, -1, 0)
		t.way("perf_event_open", err)
	},
	"memory": func(t *trial) {
		_, err := sysFor(unix.SYS_MMAP, 0, uintptr(t.MaxMemory), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE, ^uintptr(0), 0)
		t.way(fmt.Sprintf("mmap %d", t.MaxMemory), err) // and the program itself is there already
	},
	"descriptors": func(t *trial) {
		for i := range t.MaxFiles + 1 {
			if _, err := unix.Dup(0); err != nil {
				t.way(fmt.Sprintf("dup %d", i), err)
				return
			}
		}
		t.way(fmt.Sprintf("dup %d", t.MaxFiles+1), nil)
	},
}

func (t *trial) read(path string) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if t.way("open "+path, err) {
		_ = unix.Close(fd)
	}
}

func (t *trial) list(path string) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err == nil {
		_, err = unix.ReadDirent(fd, make([]byte, 4096))
		_ = unix.Close(fd)
	}
	t.way("list "+path, err)
}

func (t *trial) create(dir string) {
	path := dir + "/kinora-escape"
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
	if err == nil {
		_, err = unix.Write(fd, []byte("x"))
		_, _ = unix.Close(fd), unix.Unlink(path)
	}
	t.way("write "+dir, err)
}

func (t *trial) socket(what string, family, kind int) {
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, 0)
	if t.way("socket "+what, err) {
		_ = unix.Close(fd)
	}
}

func (t *trial) connect(kind int, to unix.Sockaddr) {
	family := unix.AF_UNIX
	if _, ok := to.(*unix.SockaddrInet4); ok {
		family = unix.AF_INET
	}
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.way("socket", err)
		return
	}
	defer unix.Close(fd)
	if err = unix.Connect(fd, to); err == nil {
		_, err = unix.Write(fd, []byte("x"))
	}
	t.way("connect", err)
}

func internet(address string) unix.Sockaddr {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		panic(err) // the parent's mistake
	}
	return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
}

// signal sends what everybody ignores: whether it may is what is asked.
func (t *trial) signal(pid int) {
	t.way("kill", unix.Kill(pid, unix.SIGURG))
	t.way("tgkill", unix.Tgkill(pid, pid, unix.SIGURG))
	fd, err := unix.PidfdOpen(pid, 0)
	if t.way("pidfd_open", err) {
		t.way("pidfd_send_signal", unix.PidfdSendSignal(fd, unix.SIGURG, nil, 0))
	}
}

func hugeFile(t *trial) {
	far := func(what string, fd int, err error) {
		if err == nil {
			_, err = unix.Pwrite(fd, []byte("x"), 1<<30)
			_ = unix.Close(fd)
		}
		t.way(what, err)
	}
	for _, dir := range []string{t.Scratch, "/tmp", "/dev/shm", "."} {
		fd, err := unix.Open(dir, unix.O_WRONLY|unix.O_TMPFILE|unix.O_CLOEXEC, 0o600)
		far("file in "+dir, fd, err)
	}
	fd, err := unix.MemfdCreate("kinora", unix.MFD_CLOEXEC)
	far("memfd", fd, err)
}

// fork goes on until it is stopped, or has shown that it would not be.
func fork(t *trial) {
	const enough = 32
	for i := range enough {
		err := forked(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0)
		if i == 0 || err != nil {
			t.way(fmt.Sprintf("fork %d", i), err)
		}
		if err != nil {
			break
		}
	}
	args := [8]uint64{4: uint64(unix.SIGCHLD)} // struct clone_args: exit_signal
	t.way("clone3", forked(unix.SYS_CLONE3, uintptr(unsafe.Pointer(&args)), unsafe.Sizeof(args)))
}

// forked makes a process by that call, which ends at once: the runtime must not hear of it.
func forked(number, a, b uintptr) error {
	pid, _, errno := unix.RawSyscall(number, a, b, 0)
	if errno != 0 {
		return errno
	}
	if pid == 0 {
		for {
			unix.RawSyscall(unix.SYS_EXIT, 0, 0, 0)
		}
	}
	_, _ = unix.Wait4(int(pid), nil, 0, nil)
	return nil
}

// passing is what a program that takes this one's place has to say.
const passing = `{"passed":true,"detail":"%s: open"}`

func execShell(t *trial) {
	for _, shell := range []string{"/bin/sh", "/usr/bin/env", "/proc/self/exe"} {
		// A program that runs does not come back here, so it answers itself.
		args := []string{shell, "-c", "echo '" + fmt.Sprintf(passing, "exec") + "'"}
		t.way("exec "+shell, unix.Exec(shell, args, nil))
	}
}

func execMemory(t *trial) {
	fd, err := unix.MemfdCreate("kinora", 0)
	if !t.way("memfd_create", err) {
		return
	}
	t.passed, t.layer = false, "" // that alone is not the escape
	_, err = unix.Write(fd, []byte("#!/bin/sh\necho '"+fmt.Sprintf(passing, "execveat")+"'\n"))
	if err != nil {
		t.way("write", err)
		return
	}
	path, _ := unix.BytePtrFromString("")
	argv := []*byte{path, nil}
	t.way("execveat", sys(unix.SYS_EXECVEAT, uintptr(fd), uintptr(unsafe.Pointer(path)), uintptr(unsafe.Pointer(&argv[0])), 0, unix.AT_EMPTY_PATH))
}

func newCode(t *trial) {
	const page = 4096
	_, err := unix.Mmap(-1, 0, page, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	t.way("mmap", err)
	b, err := unix.Mmap(-1, 0, page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err == nil {
		err = unix.Mprotect(b, unix.PROT_READ|unix.PROT_EXEC)
	}
	t.way("mprotect", err)
}

// onThread runs f on a thread that ends with it.
func onThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlock: the thread goes with what f did to it
		done <- f()
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(5 * time.Second):
		return unix.ETIMEDOUT
	}
}
