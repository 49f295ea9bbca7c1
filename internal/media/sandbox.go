package media

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kinora/kinora/internal/media/wire"
)

// Sandbox is what a hostile child could and could not do.
type Sandbox struct {
	Engine  string            `json:"engine"`
	Layers  []string          `json:"layers"`            // that hold
	Lacking map[string]string `json:"lacking,omitempty"` // with the reason
	Escapes []Escape          `json:"escapes"`
	At      time.Time         `json:"at"`
}

// Escape is one attempt to get out of the jail.
type Escape struct {
	Name string `json:"name"`
	What string `json:"what"`
	wire.Escape
}

// Passed are the attempts that got out.
func (s Sandbox) Passed() []Escape {
	var out []Escape
	for _, e := range s.Escapes {
		if e.Passed {
			out = append(out, e)
		}
	}
	return out
}

// Lack is a layer that does not hold, and what mends that.
type Lack struct{ Layer, Because, Mend string }

// Lacks are the layers that do not hold, by name.
func (s Sandbox) Lacks() []Lack { return lacks(s.Lacking) }

// Hash is of everything but the time, so that the same jail gives the same one.
func (s Sandbox) Hash() [32]byte {
	s.At = time.Time{}
	for i, e := range s.Escapes {
		s.Escapes = slices.Clone(s.Escapes)
		e.Detail = "" // names processes and folders
		s.Escapes[i] = e
	}
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings and numbers always can be
	}
	return sha256.Sum256(b)
}

const escapeTimeout = 20 * time.Second // for one attempt, on a loaded machine

// SandboxTest makes every attempt to escape, each by a child in the very jail that children of opts are in. An error says that
// the test itself could not be made. keystore is a folder worth protecting; empty: one is made.
func SandboxTest(ctx context.Context, opts Options, keystore string) (Sandbox, error) {
	bait, err := setBait(ctx, opts, keystore)
	if err != nil {
		return Sandbox{}, fmt.Errorf("sandbox test: %w", err)
	}
	defer bait.close()
	s := Sandbox{Engine: bait.victim.Engine(), Layers: bait.victim.layers, Lacking: bait.victim.lacking, At: time.Now().UTC().Truncate(time.Second)}
	for _, a := range wire.Attempts {
		e, err := attempt(ctx, opts, a[0], bait)
		if err != nil {
			return Sandbox{}, fmt.Errorf("sandbox test: attempt %s: %w", a[0], err)
		}
		s.Escapes = append(s.Escapes, Escape{Name: a[0], What: a[1], Escape: e})
	}
	return s, nil
}

// attempt has a child of its own make one attempt.
func attempt(ctx context.Context, opts Options, name string, bait *bait) (wire.Escape, error) {
	ctx, cancel := context.WithTimeout(ctx, escapeTimeout)
	defer cancel()
	c := newChild(opts)
	c.log = slog.New(slog.DiscardHandler)
	c.extra = []*os.File{bait.open}
	targets, err := json.Marshal(bait.targets)
	if err != nil {
		return wire.Escape{}, err
	}
	stdout, err := c.spawn(opts.Path, "sandbox-test", name)
	if err != nil {
		return wire.Escape{}, err
	}
	defer stdout.Close()
	defer context.AfterFunc(ctx, func() { c.kill(ctx.Err()) })()
	_, writeErr := c.stdin.Write(targets)
	answer, readErr := io.ReadAll(io.LimitReader(stdout, 64<<10))
	c.kill(nil)
	<-c.done
	if err := ctx.Err(); err != nil {
		return wire.Escape{}, err
	}
	var e wire.Escape
	if err := json.Unmarshal(bytes.TrimSpace(answer), &e); err != nil {
		// A jail may also answer with death; an attempt that was never made is something else.
		if state := c.cmd.ProcessState; state != nil && !state.Success() && readErr == nil && writeErr == nil && len(answer) == 0 && len(c.stderr.newest()) == 0 {
			return wire.Escape{Layer: "kernel", Detail: "the process was ended: " + state.String()}, nil
		}
		return wire.Escape{}, fmt.Errorf("it answers %.100q, %v: %w", answer, c.stderr.newest(), errors.Join(err, readErr, writeErr))
	}
	return e, nil
}

// bait is what a hostile child could reach if nothing stopped it.
type bait struct {
	targets wire.Targets
	victim  *Child
	open    *os.File // left to children on purpose
	end     []func()
}

func (b *bait) close() {
	for _, f := range slices.Backward(b.end) {
		f()
	}
}

func setBait(ctx context.Context, opts Options, keystore string) (_ *bait, err error) {
	b := &bait{}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	if b.victim, err = Start(ctx, opts); err != nil {
		return nil, err
	}
	b.end = append(b.end, func() { _ = b.victim.Close() })
	dir, err := os.MkdirTemp("", "kinora-sandbox-*")
	if err != nil {
		return nil, err
	}
	b.end = append(b.end, func() { _ = unix.Unmount(dir, unix.MNT_DETACH); _ = os.RemoveAll(dir) })
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("a secret"), 0o644); err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o777); err != nil { // open to whomever a child of root becomes: nothing but the jail is to stop it
		return nil, err
	}
	if keystore == "" {
		keystore = dir
	}
	if b.open, err = os.Open(secret); err != nil {
		return nil, err
	}
	b.end = append(b.end, func() { _ = b.open.Close() })
	t := &b.targets
	*t = wire.Targets{Parent: os.Getpid(), Victim: b.victim.Pid(), Secret: secret, Keystore: keystore, Scratch: dir, Unix: filepath.Join(dir, "socket"),
		Abstract: "kinora-" + rand.Text(), MaxMemory: b.victim.limits.MaxMemory, MaxFiles: b.victim.limits.MaxFiles, Devices: opts.Limits.Devices,
		Descriptors: []int{3}}
	for _, l := range []struct{ network, address string }{{"tcp4", "127.0.0.1:0"}, {"unix", t.Unix}, {"unix", "@" + t.Abstract}} {
		listener, err := net.Listen(l.network, l.address)
		if err != nil {
			return nil, err
		}
		b.end = append(b.end, func() { _ = listener.Close() })
		if l.network == "tcp4" {
			t.TCP = listener.Addr().String()
		}
	}
	if err := os.Chmod(t.Unix, 0o777); err != nil {
		return nil, err
	}
	names, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b.end = append(b.end, func() { _ = names.Close() })
	t.UDP = names.LocalAddr().String()
	t.SharedKey = os.Getpid() | 1<<30
	segment, err := unix.SysvShmGet(t.SharedKey, 4096, unix.IPC_CREAT|0o666)
	if err != nil && !errors.Is(err, unix.ENOSYS) {
		return nil, fmt.Errorf("shared memory: %w", err)
	}
	if err == nil {
		b.end = append(b.end, func() { _, _ = unix.SysvShmCtl(segment, unix.IPC_RMID, nil) })
	}
	return b, nil
}
