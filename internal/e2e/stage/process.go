package stage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/kinora/kinora/internal/bench"
)

// Process is one real process of the stage: a role or a server. A supervisor would start it again after it died; here the
// stage does, when it is told to.
type Process struct {
	Name    string
	program string
	args    func() []string
	env     []string
	dir     string
	wrap    []string // before the program: how to enter a network namespace

	mu    sync.Mutex
	http  string
	cmd   *exec.Cmd
	ended chan struct{}
}

func (p *Process) log() string { return filepath.Join(p.dir, p.Name+".log") }

// LogFile is where it writes.
func (p *Process) LogFile() string { return p.log() }
func (p *Process) ready() string   { return filepath.Join(p.dir, p.Name+".ready") }

// Start starts it and returns once it says that it is ready.
func (p *Process) Start(ctx context.Context) error {
	if err := p.Launch(); err != nil {
		return err
	}
	return p.Await(ctx)
}

// Launch starts it.
func (p *Process) Launch() error {
	_ = os.Remove(p.ready())
	out, err := os.OpenFile(p.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	argv := append(append([]string{}, p.wrap...), p.program)
	argv = append(argv, p.args()...)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr, cmd.Env = out, out, p.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	ended := make(chan struct{})
	started := make(chan error)
	go func() { // the kernel ends the child when the thread that made it ends
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
		close(ended)
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start %s: %w", p.Name, err)
	}
	p.mu.Lock()
	p.cmd, p.ended = cmd, ended
	p.mu.Unlock()
	return nil
}

// Await returns once it says that it is ready.
func (p *Process) Await(ctx context.Context) error {
	p.mu.Lock()
	ended := p.ended
	p.mu.Unlock()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		var said struct {
			HTTP string `json:"http"`
		}
		if b, err := os.ReadFile(p.ready()); err == nil && json.Unmarshal(b, &said) == nil {
			p.mu.Lock()
			p.http = said.HTTP
			p.mu.Unlock()
			return nil
		}
		select {
		case <-ended:
			return fmt.Errorf("%s ended before it was ready:\n%s", p.Name, p.Tail(15))
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w\n%s", p.Name, context.Cause(ctx), p.Tail(15))
		case <-tick.C:
		}
	}
}

// HTTP is host:port of its HTTP face; a second start listens there again.
func (p *Process) HTTP() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.http
}

func (p *Process) pid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return 0
	}
	return p.cmd.Process.Pid
}

// Signal sends s to the process itself.
func (p *Process) Signal(s syscall.Signal) error { return syscall.Kill(p.pid(), s) }

// SignalAll sends s to it and every process below it.
func (p *Process) SignalAll(s syscall.Signal) error {
	tree, err := bench.Tree(p.pid())
	if err != nil {
		return err
	}
	var errs []error
	for _, x := range tree {
		errs = append(errs, syscall.Kill(x.PID, s))
	}
	return errors.Join(errs...)
}

// Children are the processes below it whose command contains what.
func (p *Process) Children(what string) ([]int, error) {
	tree, err := bench.Tree(p.pid())
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, x := range tree {
		if x.PID != p.pid() && strings.Contains(x.Command, what) {
			pids = append(pids, x.PID)
		}
	}
	return pids, nil
}

// Kill ends it without a word, and waits for its end.
func (p *Process) Kill() error {
	if err := p.Signal(syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill %s: %w", p.Name, err)
	}
	return p.Wait(10 * time.Second)
}

// Wait waits for its end.
func (p *Process) Wait(patience time.Duration) error {
	p.mu.Lock()
	ended := p.ended
	p.mu.Unlock()
	if ended == nil {
		return nil
	}
	select {
	case <-ended:
		return nil
	case <-time.After(patience):
		return fmt.Errorf("%s does not end within %s:\n%s", p.Name, patience, p.Tail(15))
	}
}

// stop asks it to end, and insists.
func (p *Process) stop(patience time.Duration) {
	if p.pid() == 0 {
		return
	}
	_ = p.SignalAll(syscall.SIGCONT)
	_ = p.Signal(syscall.SIGTERM)
	if p.Wait(patience) != nil {
		_ = p.SignalAll(syscall.SIGKILL)
		_ = p.Wait(10 * time.Second)
	}
}

// Tail is the end of its log.
func (p *Process) Tail(lines int) string {
	b, _ := os.ReadFile(p.log())
	all := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
