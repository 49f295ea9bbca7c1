// Package pgcluster runs a private Postgres for one process: on a Unix socket that only this user reaches, in one
// directory, gone when the process is gone, whichever way it went.
package pgcluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Options say where a cluster lives.
type Options struct {
	Dir string // kept over restarts; "" is a temporary directory, removed when this process ends
	// Throwaway trades the promise that a power cut loses nothing for speed: for tests.
	Throwaway bool
	Log       *slog.Logger
}

// Cluster is a running Postgres.
type Cluster struct {
	log       *slog.Logger
	data      string // its data directory
	sockets   string // directory of its socket
	owner     *syscall.Credential
	temporary []string // removed at the end
	reaper    io.Closer
	server    *os.Process
	output    *tail
	exited    chan struct{}
}

const (
	superuser    = "kinora"
	port         = 5432 // names the socket; nothing listens on TCP
	startTimeout = 90 * time.Second
	stopTimeout  = 20 * time.Second
)

// Start initialises the cluster if its directory is empty, starts it and waits until it answers. Errors say what to do.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	c := &Cluster{log: o.Log, output: &tail{}, exited: make(chan struct{})}
	if c.owner, err = owner(); err != nil {
		return nil, err
	}
	if err := c.directories(o.Dir); err != nil {
		c.remove()
		return nil, err
	}
	if err := c.initialise(ctx, bin, o.Throwaway); err != nil {
		c.remove()
		return nil, err
	}
	if err := c.awaitPredecessor(ctx); err != nil {
		c.remove()
		return nil, err
	}
	if err := c.run(bin, o.Throwaway); err != nil {
		c.remove()
		return nil, err
	}
	if err := c.awaitReady(ctx); err != nil {
		c.Stop()
		return nil, err
	}
	return c, nil
}

// URL is the connection string of a database in the cluster.
func (c *Cluster) URL(db string) string {
	q := url.Values{"host": {c.sockets}, "port": {strconv.Itoa(port)}, "user": {superuser}, "sslmode": {"disable"}}
	return "postgres:///" + url.PathEscape(db) + "?" + q.Encode()
}

// CreateDatabase makes an empty database; one that exists is left as it is.
func (c *Cluster) CreateDatabase(ctx context.Context, name string) error {
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var known bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&known); err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	if known {
		return nil
	}
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	return nil
}

// Stop ends Postgres: first in order, then by force. Its clients should be gone by then; those that are not lose their
// connection. It may be called twice.
func (c *Cluster) Stop() {
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL} {
		_ = c.server.Signal(s) // an error means that it is gone
		timer := time.NewTimer(stopTimeout)
		select {
		case <-c.exited:
			timer.Stop()
			c.remove()
			return
		case <-timer.C:
			c.log.Warn("postgres does not stop", "signal", s.String(), "after", stopTimeout)
		}
	}
}

// Done is closed when Postgres ended, by Stop or on its own.
func (c *Cluster) Done() <-chan struct{} { return c.exited }

// programs is the directory of initdb and postgres, the newest version first.
func programs() (string, error) {
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is well formed
	sort.Slice(dirs, func(i, j int) bool { return major(dirs[i]) > major(dirs[j]) })
	if p, err := exec.LookPath("initdb"); err == nil {
		if p, err = filepath.EvalSymlinks(p); err == nil {
			dirs = append(dirs, filepath.Dir(p))
		}
	}
	for _, d := range dirs {
		if executable(filepath.Join(d, "initdb")) && executable(filepath.Join(d, "postgres")) {
			return d, nil
		}
	}
	return "", errors.New("no Postgres found in /usr/lib/postgresql/*/bin or PATH: run `make build` (or deploy/postgres.sh), " +
		"or name an external database with --database-url")
}

func major(bin string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(bin)))
	return n
}

func executable(file string) bool {
	s, err := os.Stat(file)
	return err == nil && s.Mode().IsRegular() && s.Mode()&0o111 != 0
}

// owner is the account Postgres runs as: it refuses to be root.
func owner() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, errors.New("postgres refuses to run as root and there is no user `postgres` to run it as: " +
			"install your distribution's postgresql package, or start kinora as another user")
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("user postgres: %w", err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// searchCaps lets the user postgres pass the directories above its data where root closed them to others, such as /root. It
// owns its data, but could not reach it.
func (c *Cluster) searchCaps() []uintptr {
	if c.owner == nil {
		return nil
	}
	const capDACReadSearch, othersMaySearch = 2, 0o001
	for dir := filepath.Dir(c.data); ; dir = filepath.Dir(dir) {
		if s, err := os.Stat(dir); err == nil && s.Mode()&othersMaySearch == 0 {
			return []uintptr{capDACReadSearch}
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// directories makes the data directory, and one with a short path for the socket: its path has at most 107 bytes.
func (c *Cluster) directories(dir string) error {
	sockets, err := os.MkdirTemp("", "kinora-pg-")
	if err != nil {
		return fmt.Errorf("postgres: make socket directory: %w", err)
	}
	c.sockets, c.temporary = sockets, append(c.temporary, sockets)
	if dir == "" {
		dir = filepath.Join(sockets, "data")
	}
	if c.data, err = filepath.Abs(dir); err != nil {
		return fmt.Errorf("postgres: data directory %s: %w", dir, err)
	}
	if err := os.MkdirAll(c.data, 0o700); err != nil {
		return fmt.Errorf("postgres: make data directory: %w", err)
	}
	if c.owner != nil {
		for _, d := range []string{c.sockets, c.data} {
			if err := os.Chown(d, int(c.owner.Uid), int(c.owner.Gid)); err != nil {
				return fmt.Errorf("postgres: hand directory to user postgres: %w", err)
			}
		}
	}
	return c.startReaper()
}

// startReaper leaves a shell that removes the temporary directories once this process is gone and Postgres with it, since
// nobody else would after a kill -9. It learns of our end by the end of its input.
func (c *Cluster) startReaper() error {
	const script = `read -r _; pid="$1"; shift; n=0
while [ -e "$pid" ] && [ $n -lt 200 ]; do sleep 0.1; n=$((n+1)); done
rm -rf -- "$@"`
	cmd := exec.Command("/bin/sh", append([]string{"-c", script, "reaper", filepath.Join(c.data, "postmaster.pid")}, c.temporary...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("postgres: start clean-up shell: %w", err)
	}
	go func() { _ = cmd.Wait() }() // collects it; its exit status says nothing
	c.reaper = in
	return nil
}

func (c *Cluster) remove() {
	for _, d := range c.temporary {
		if err := os.RemoveAll(d); err != nil {
			c.log.Warn("temporary directory of postgres stays", "err", err)
		}
	}
	if c.reaper != nil {
		_ = c.reaper.Close() // it removes what is gone already
	}
}

func (c *Cluster) initialise(ctx context.Context, bin string, throwaway bool) error {
	if _, err := os.Stat(filepath.Join(c.data, "PG_VERSION")); err == nil {
		return c.checkVersion(bin)
	}
	// Initialised beside its place and moved there, so that a kill leaves no half-made cluster that looks whole.
	half := filepath.Join(c.data, "initialising")
	if err := os.RemoveAll(half); err != nil {
		return fmt.Errorf("postgres: clear %s: %w", half, err)
	}
	args := []string{"--pgdata", half, "--username", superuser, "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-instructions"}
	if throwaway {
		args = append(args, "--no-sync")
	}
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), args...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.owner, AmbientCaps: c.searchCaps()}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("postgres: initdb in %s: %w: %s (every directory above it must be open to the user it runs as)",
			c.data, err, bytes.TrimSpace(out))
	}
	entries, err := os.ReadDir(half)
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	move := func(name string) error {
		return os.Rename(filepath.Join(half, name), filepath.Join(c.data, name))
	}
	for _, e := range entries { // PG_VERSION last: it says that the cluster is whole
		if e.Name() != "PG_VERSION" {
			if err := errors.Join(os.RemoveAll(filepath.Join(c.data, e.Name())), move(e.Name())); err != nil {
				return fmt.Errorf("postgres: move new cluster: %w", err)
			}
		}
	}
	if err := errors.Join(move("PG_VERSION"), os.Remove(half)); err != nil {
		return fmt.Errorf("postgres: move new cluster: %w", err)
	}
	return nil
}

func (c *Cluster) checkVersion(bin string) error {
	made, err := os.ReadFile(filepath.Join(c.data, "PG_VERSION"))
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	out, err := exec.Command(filepath.Join(bin, "postgres"), "--version").Output()
	if err != nil {
		return fmt.Errorf("postgres: ask its version: %w", err)
	}
	have := strings.FieldsFunc(string(out), func(r rune) bool { return r < '0' || r > '9' })
	if want := strings.TrimSpace(string(made)); len(have) == 0 || have[0] != want {
		return fmt.Errorf("postgres: %s was made by Postgres %s, installed is %s: install Postgres %s, or begin with an empty data directory",
			c.data, want, bytes.TrimSpace(out), want)
	}
	return nil
}

// awaitPredecessor deals with postmaster.pid: a Postgres whose parent was killed may still be shutting down in this
// directory, and the number of one that is gone may belong to another program by now, which Postgres cannot tell.
func (c *Cluster) awaitPredecessor(ctx context.Context) error {
	file := filepath.Join(c.data, "postmaster.pid")
	deadline := time.Now().Add(stopTimeout)
	for {
		b, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("postgres: %w", err)
		}
		line, _, _ := strings.Cut(string(b), "\n")
		pid, _ := strconv.Atoi(strings.TrimSpace(line))
		cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
		if errors.Is(err, os.ErrPermission) {
			return nil // another user's process: Postgres itself says what it finds
		}
		if err != nil || cwd != c.data {
			if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("postgres: remove stale lock file: %w", err)
			}
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("postgres: process %d still serves %s: stop the kinora that uses this data directory", pid, c.data)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// run starts the server as a child that gets SIGINT (shut down at once, in order) when this process dies. The kernel sends
// it when the thread that forked ends, so that thread belongs to one goroutine until the child is gone.
func (c *Cluster) run(bin string, throwaway bool) error {
	args := []string{"-D", c.data, "-k", c.sockets, "-c", "listen_addresses=", "-c", "port=" + strconv.Itoa(port),
		"-c", "unix_socket_permissions=0700", "-c", "max_connections=200", "-c", "shared_buffers=32MB", "-c", "log_min_messages=warning"}
	if throwaway {
		args = append(args, "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off")
	}
	cmd := exec.Command(filepath.Join(bin, "postgres"), args...)
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = c.output, c.output
	cmd.WaitDelay = stopTimeout // should a backend outlive the server with our pipe in hand
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.owner, AmbientCaps: c.searchCaps(), Pdeathsig: syscall.SIGINT, Setpgid: true}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread() // or the thread ends, and with it whatever else was ever started on it
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		err = cmd.Wait()
		c.log.Debug("postgres ended", "state", fmt.Sprint(err))
		close(c.exited)
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start postgres: %w", err)
	}
	c.server = cmd.Process
	return nil
}

func (c *Cluster) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, c.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-c.exited:
			return fmt.Errorf("postgres ended while it started: %s", c.output)
		case <-ctx.Done():
			return fmt.Errorf("postgres does not answer: %w; it said: %s", err, c.output)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
