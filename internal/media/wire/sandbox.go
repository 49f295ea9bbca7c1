package wire

// Targets are what a hostile child is to reach, all of them real: without a jail it would. They come on its stdin as JSON.
type Targets struct {
	Parent      int      `json:"parent"`      // process id of its parent
	Victim      int      `json:"victim"`      // of another process of the same user
	Secret      string   `json:"secret"`      // a file its user may read
	Keystore    string   `json:"keystore"`    // a folder its user may list
	Scratch     string   `json:"scratch"`     // a folder its user may write
	TCP         string   `json:"tcp"`         // host:port where somebody listens
	UDP         string   `json:"udp"`         // likewise; stands for a name server
	Unix        string   `json:"unix"`        // path of a socket where somebody listens; stands for a database's
	Abstract    string   `json:"abstract"`    // name of an abstract one
	SharedKey   int      `json:"shared_key"`  // of a System V shared memory segment its user may attach
	MaxMemory   int64    `json:"max_memory"`  // bytes; one more is an escape
	MaxFiles    int      `json:"max_files"`   // likewise
	Devices     []string `json:"devices"`     // that were granted, and are no escape
	Descriptors []int    `json:"descriptors"` // that its parent left open
}

// Escape is how one attempt ended.
type Escape struct {
	Passed bool   `json:"passed"`
	Layer  string `json:"layer"`  // what stopped it: a layer of the jail, or "kernel" for what holds without one
	Detail string `json:"detail"` // the calls made, and their errors
}

// Attempts are the escapes a hostile child tries, one in each process: a name and what it is.
var Attempts = [][2]string{
	{"read-passwd", "read /etc/passwd"},
	{"read-secret", "read a file of its own user"},
	{"read-keystore", "list the folder of the keystore"},
	{"read-by-symlink", "reach a file by a link, by .. and by /proc"},
	{"read-parent-memory", "read its parent's memory"},
	{"read-parent-environment", "read its parent's environment"},
	{"own-environment", "find a secret in its own environment"},
	{"inherited-descriptor", "use a descriptor its parent left open"},
	{"write-tmp", "write to /tmp, /var/tmp, /dev/shm"},
	{"write-cwd", "write to the working directory"},
	{"write-huge", "write a file of a gigabyte"},
	{"open-device", "open a device node"},
	{"make-device", "make a device node"},
	{"socket-inet", "make an internet socket"},
	{"socket-unix", "make a Unix socket"},
	{"socket-netlink", "make a netlink socket"},
	{"socket-raw", "make a raw socket"},
	{"connect-loopback", "connect to a port of this machine"},
	{"resolve", "ask a name server"},
	{"connect-unix", "connect to a database's socket"},
	{"connect-abstract", "connect to an abstract socket"},
	{"shared-memory", "attach another process's shared memory"},
	{"message-queue", "make a message queue"},
	{"fork", "fork, and again"},
	{"exec-shell", "run a shell"},
	{"exec-memory", "run a program from memory"},
	{"new-code", "map memory as code"},
	{"ptrace-parent", "trace its parent"},
	{"signal-parent", "signal its parent"},
	{"signal-other", "signal another process"},
	{"outlive-parent", "live on without its parent"},
	{"set-user", "become another user"},
	{"gain-capability", "take capabilities"},
	{"raise-limit", "raise a limit"},
	{"mount", "mount a file system"},
	{"chroot", "change its root"},
	{"unshare", "make a namespace"},
	{"load-module", "load a kernel module"},
	{"bpf", "load a kernel program"},
	{"io-uring", "make an io_uring"},
	{"userfaultfd", "handle its own page faults"},
	{"keyring", "use the kernel's keyrings"},
	{"perf", "open performance counters"},
	{"memory", "take more memory than it may"},
	{"descriptors", "open more files than it may"},
}
