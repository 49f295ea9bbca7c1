package up

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// child is one role in a process of its own: started, watched, started again when it dies.
type child struct {
	name    string
	program string
	args    func() []string // asked at every start: ports chosen at the first are kept
	env     []string
	dir     string // where its ready file and log are
	secret  string // that its HTTP face asks for, if any
	log     *slog.Logger

	mu       sync.Mutex
	http     string // actual address, once ready
	process  *os.Process
	starts   int
	stopping bool
	ready    chan struct{} // closed at the first ready
	readied  sync.Once
	hopeless chan struct{} // closed when it is not started again, since it never was ready
	done     chan struct{} // closed when watched no more
}

// How a dead child is started again: at once, then slower while it keeps dying young.
const (
	firstPause = 100 * time.Millisecond
	longPause  = 3 * time.Second
	youth      = 5 * time.Second
)

// A child that was never ready is given up when it says that its flags cannot be, or after a few starts.
const (
	exitMisuse = 2
	firstTries = 4
)

func (c *child) start(ctx context.Context) {
	c.ready, c.hopeless, c.done = make(chan struct{}), make(chan struct{}), make(chan struct{})
	go c.watch(ctx)
}

// watch owns the process. The thread is locked because the kernel ends a child when the thread that made it ends.
func (c *child) watch(ctx context.Context) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread() // or the thread ends, and with it whatever else was ever started on it
	defer close(c.done)
	pause := firstPause
	for {
		began := time.Now()
		err := c.once()
		c.mu.Lock()
		stopping := c.stopping
		c.mu.Unlock()
		if stopping || ctx.Err() != nil {
			return
		}
		if time.Since(began) > youth {
			pause = firstPause
		}
		if c.neverReady() && (exitCode(err) == exitMisuse || c.starts >= firstTries) {
			close(c.hopeless)
			return
		}
		c.log.Warn("a process ended and is started again", "process", c.name, "err", err, "log", c.logFile())
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(pause*2, longPause)
	}
}

func (c *child) neverReady() bool {
	select {
	case <-c.ready:
		return false
	default:
		return true
	}
}

func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return -1
}

func (c *child) logFile() string   { return filepath.Join(c.dir, c.name+".log") }
func (c *child) readyFile() string { return filepath.Join(c.dir, c.name+".ready") }

func (c *child) once() error {
	_ = os.Remove(c.readyFile())
	out, err := os.OpenFile(c.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.Command(c.program, append(c.args(), "--ready-file", c.readyFile())...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Env = c.env
	// A group of its own: Ctrl-C in a terminal is for kinora up, which then stops the roles in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	c.mu.Lock()
	if c.stopping {
		c.mu.Unlock()
		return nil
	}
	if err := cmd.Start(); err != nil {
		c.mu.Unlock()
		return err
	}
	c.process = cmd.Process
	c.starts++
	c.mu.Unlock()
	ended := make(chan struct{})
	go c.awaitReady(ended)
	err = cmd.Wait()
	close(ended)
	return err
}

func (c *child) awaitReady(ended <-chan struct{}) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		b, err := os.ReadFile(c.readyFile())
		var said struct {
			HTTP string `json:"http"`
		}
		if err == nil && json.Unmarshal(b, &said) == nil {
			c.mu.Lock()
			c.http = said.HTTP
			c.mu.Unlock()
			c.readied.Do(func() { close(c.ready) })
			return
		}
		select {
		case <-ended:
			return
		case <-tick.C:
		}
	}
}

// wait blocks until the child was ready once.
func (c *child) wait(ctx context.Context) error {
	var why error
	select {
	case <-c.ready:
		return nil
	case <-c.hopeless:
		why = errors.New("it ends at once")
	case <-ctx.Done():
		why = context.Cause(ctx)
	}
	return fmt.Errorf("%s is not ready: %w; the end of its log (%s):\n%s", c.name, why, c.logFile(), tail(c.logFile(), 12))
}

// addr is the address the child is reached at from this machine; empty before it is ready.
func (c *child) addr() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	host, port, err := net.SplitHostPort(c.http)
	if ip := net.ParseIP(host); err == nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return c.http
}

// listen is the address the child is to listen on: the first time the given one, from then on the one it got.
func (c *child) listen(first string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return cmp.Or(c.http, first)
}

// stop asks the child to drain and end, and insists after patience.
func (c *child) stop(patience time.Duration) {
	c.mu.Lock()
	c.stopping = true
	p := c.process
	c.mu.Unlock()
	if p == nil {
		return
	}
	_ = p.Signal(syscall.SIGTERM)
	select {
	case <-c.done:
	case <-time.After(patience):
		c.log.Warn("a process did not end in time and is killed", "process", c.name, "after", patience)
		_ = p.Kill()
		<-c.done
	}
}

// ask calls the child's HTTP face and decodes a JSON answer into v, which may be nil.
func (c *child) ask(ctx context.Context, method, path string, v any) error {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+c.addr()+path, nil)
	if err != nil {
		return err
	}
	if c.secret != "" {
		req.Header.Set("Authorization", "Bearer "+c.secret)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s of %s: %s: %.300s", method, path, c.name, resp.Status, bytes.TrimSpace(b))
	}
	if v == nil {
		return nil
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%s %s of %s: %w", method, path, c.name, err)
	}
	return nil
}

func tail(file string, lines int) string {
	b, _ := os.ReadFile(file)
	all := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
