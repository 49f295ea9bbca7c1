// Package hostile is a media child that was taken over: it tries to get out of the jail it runs in, for the owner of the machine
// to see that it cannot. Every attempt is made in earnest, on what the parent set up to be reached.
package hostile

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/kinora/kinora/internal/media/wire"
)

// Try makes one attempt, with targets as JSON from in, and writes how it ended as JSON to out.
func Try(name string, in io.Reader, out io.Writer, layers []string) error {
	attempt := attempts[name]
	if attempt == nil {
		return fmt.Errorf("no attempt is called %q", name)
	}
	t := &trial{layers: layers}
	if err := json.NewDecoder(in).Decode(&t.Targets); err != nil {
		return fmt.Errorf("targets: %w", err)
	}
	attempt(t)
	return json.NewEncoder(out).Encode(t.result())
}

// trial is an attempt under way: an attempt has several ways, and has passed if one did.
type trial struct {
	wire.Targets
	layers []string
	ways   []string
	passed bool
	layer  string // what stopped the first way
}

func (t *trial) result() wire.Escape {
	return wire.Escape{Passed: t.passed, Layer: t.layer, Detail: strings.Join(t.ways, "; ")}
}

// way notes how one way ended and returns whether it was open.
func (t *trial) way(what string, err error) bool {
	if err == nil {
		t.passed, t.layer = true, ""
		t.ways = append(t.ways, what+": open")
		return true
	}
	t.ways = append(t.ways, what+": "+err.Error())
	if t.layer == "" && !t.passed {
		t.layer = t.blame(err)
	}
	return false
}

// blame says which layer answers with err. The filter of system calls comes before everything else in the kernel, and its
// answer is EPERM.
func (t *trial) blame(err error) string {
	errno, ok := err.(unix.Errno)
	if !ok {
		return err.Error()
	}
	var by []string
	switch errno {
	case unix.EPERM, unix.ENOSYS:
		by = []string{"seccomp", "landlock", "no-capabilities"}
	case unix.ENOENT, unix.ENOTDIR, unix.EROFS:
		by = []string{"own-root", "ipc-namespace"}
	case unix.EACCES:
		by = []string{"landlock", "no-capabilities"}
	case unix.ENETUNREACH, unix.ECONNREFUSED, unix.EADDRNOTAVAIL:
		by = []string{"net-namespace"}
	case unix.ESRCH:
		by = []string{"pid-namespace"}
	case unix.EMFILE, unix.ENOMEM, unix.EFBIG, unix.EAGAIN, unix.EMSGSIZE, unix.ENOSPC:
		by = []string{"rlimits"}
	case unix.EBADF:
		by = []string{"descriptors"}
	}
	for _, layer := range by {
		if slices.Contains(t.layers, layer) {
			return layer
		}
	}
	return "kernel"
}

// sys makes a system call for its error.
func sys(number uintptr, args ...uintptr) error {
	_, err := sysFor(number, args...)
	return err
}

// sysFor makes a system call for its result.
func sysFor(number uintptr, args ...uintptr) (uintptr, error) {
	var a [6]uintptr
	copy(a[:], args)
	r, _, errno := unix.Syscall6(number, a[0], a[1], a[2], a[3], a[4], a[5])
	if errno != 0 {
		return 0, errno
	}
	return r, nil
}
