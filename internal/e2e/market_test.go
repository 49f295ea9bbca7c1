// Package e2e tests the whole market as its users run it: the built programs, real bus, database, chain, FFmpeg and browser.
package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// report mirrors what kinora up --json promises.
type report struct {
	SegmentsIn          int `json:"segments_in"`
	SegmentsPublished   int `json:"segments_published"`
	RenditionsPublished int `json:"renditions_published"`
	SegmentsLate        int `json:"segments_late"`
	SegmentsFailed      int `json:"segments_failed"`
	VerifiedL0          int `json:"verified_l0"`
	VerifiedL1          int `json:"verified_l1"`
	Rejected            int `json:"rejected"`
	Bids                int `json:"bids"`
	Awards              int `json:"awards"`
	CheatersCaught      int `json:"cheaters_caught"`
	TicketsSent         int `json:"tickets_sent"`
	TicketsWon          int `json:"tickets_won"`
	TicketsRedeemed     int `json:"tickets_redeemed"`
	RedemptionTxs       int `json:"redemption_txs"`
	Latency             struct {
		P50, P95, Max float64
	} `json:"latency_ms"`
	Wei            map[string]string `json:"wei"`
	LedgerBalanced bool              `json:"ledger_balanced"`
	LedgerNotes    []string          `json:"ledger_notes"`
	RPCURL         string            `json:"rpc_url"`
	Escrow         string            `json:"escrow_address"`
	Parties        map[string]string `json:"parties"`
	HLSURL         string            `json:"hls_url"`
}

// market is one running kinora up.
type market struct {
	t      *testing.T
	cmd    *exec.Cmd
	dir    string
	page   string // http://host:port
	report chan report
	ended  chan error

	mu   sync.Mutex
	said []string
}

var pageLine = regexp.MustCompile(`^\s+page\s+(http://\S+?)/?$`)

func program(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../../bin", name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%s is not built: run make build", path)
	}
	return path
}

// up starts a market in dir and returns when its page is served. It is stopped at the end of the test, and must then
// leave no process behind.
func up(t *testing.T, dir string, args ...string) *market {
	t.Helper()
	m := &market{t: t, dir: dir, report: make(chan report, 1), ended: make(chan error, 1)}
	args = append([]string{"up", "--json", "--http", "127.0.0.1:0", "--data", dir}, args...)
	m.cmd = exec.Command(program(t, "kinora"), args...)
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdout, err := m.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := m.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pages := make(chan string, 1)
	var pipes sync.WaitGroup
	pipes.Add(2)
	go func() {
		defer pipes.Done()
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			m.mu.Lock()
			m.said = append(m.said, lines.Text())
			m.mu.Unlock()
			if p := pageLine.FindStringSubmatch(lines.Text()); p != nil {
				pages <- p[1]
			}
		}
	}()
	go func() {
		defer pipes.Done()
		last := ""
		lines := bufio.NewScanner(stdout)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			last = lines.Text()
			var r report
			if err := json.Unmarshal([]byte(last), &r); err == nil {
				m.report <- r
			}
		}
	}()
	go func() {
		pipes.Wait()
		m.ended <- m.cmd.Wait()
	}()
	t.Cleanup(m.stop)
	select {
	case m.page = <-pages:
	case err := <-m.ended:
		m.ended <- err
		t.Fatalf("kinora up ended before its page was served: %v\n%s", err, m.log())
	case <-time.After(3 * time.Minute):
		t.Fatalf("kinora up does not serve its page\n%s", m.log())
	}
	return m
}

func (m *market) log() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return strings.Join(m.said, "\n")
}

// logs adds what the roles wrote, for a failed test.
func (m *market) logs() string {
	files, _ := filepath.Glob(filepath.Join(m.dir, "logs", "*.log"))
	var b strings.Builder
	b.WriteString(m.log())
	for _, f := range files {
		text, _ := os.ReadFile(f)
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		fmt.Fprintf(&b, "\n--- %s\n%s", filepath.Base(f), strings.Join(lines[max(0, len(lines)-25):], "\n"))
	}
	return b.String()
}

// wait returns the report of the run.
func (m *market) wait(patience time.Duration) report {
	m.t.Helper()
	select {
	case r := <-m.report:
		return r
	case err := <-m.ended:
		m.ended <- err
		select {
		case r := <-m.report:
			return r
		default:
		}
		m.t.Fatalf("kinora up ended without a report: %v\n%s", err, m.logs())
	case <-time.After(patience):
		m.t.Fatalf("no report after %s\n%s", patience, m.logs())
	}
	return report{}
}

// interrupt does what Ctrl-C in a terminal does: every process of the group gets the signal.
func (m *market) interrupt() { _ = syscall.Kill(-m.cmd.Process.Pid, syscall.SIGINT) }

// stop ends the market.
func (m *market) stop() {
	if m.t.Failed() {
		m.t.Logf("%s", m.logs())
	}
	m.interrupt()
	select {
	case err := <-m.ended:
		m.ended <- err
	case <-time.After(2 * time.Minute):
		_ = m.cmd.Process.Kill()
		m.t.Errorf("kinora up does not end after SIGINT")
	}
	m.noneLeft(20 * time.Second)
}

// noneLeft fails the test when a process of this market outlives patience.
func (m *market) noneLeft(patience time.Duration) {
	deadline := time.Now().Add(patience)
	for {
		left := processes(m.t, func(p process) bool { return strings.Contains(p.cmdline, m.dir) })
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			m.t.Errorf("processes are left behind: %+v", left)
			return
		}
		time.Sleep(50 * time.Millisecond) // what is awaited is the kernel's process table
	}
}

type process struct {
	pid, parent int
	cmdline     string
}

func processes(t *testing.T, want func(process) bool) []process {
	t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	var found []process
	for _, d := range dirs {
		pid, _ := strconv.Atoi(filepath.Base(d))
		cmdline, err := os.ReadFile(filepath.Join(d, "cmdline"))
		if err != nil || pid == os.Getpid() {
			continue
		}
		stat, err := os.ReadFile(filepath.Join(d, "stat"))
		if err != nil {
			continue
		}
		rest := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(rest) < 2 || rest[0] == "Z" {
			continue
		}
		parent, _ := strconv.Atoi(rest[1])
		p := process{pid, parent, strings.ReplaceAll(string(cmdline), "\x00", " ")}
		if want(p) {
			found = append(found, p)
		}
	}
	return found
}

// role finds the process of a role by the data directory it was given.
func (m *market) role(name string) (process, bool) {
	data := "--data " + filepath.Join(m.dir, name) + " "
	for _, p := range processes(m.t, func(p process) bool { return p.parent == m.cmd.Process.Pid }) {
		if strings.Contains(p.cmdline, data) {
			return p, true
		}
	}
	return process{}, false
}

// kill9 kills a role and waits for its successor.
func (m *market) kill9(name string) {
	m.t.Helper()
	victim, ok := m.role(name)
	if !ok {
		m.t.Fatalf("no process of %s\n%s", name, m.logs())
	}
	if err := syscall.Kill(victim.pid, syscall.SIGKILL); err != nil {
		m.t.Fatal(err)
	}
	m.eventually(20*time.Second, "a new process of "+name, func() bool {
		p, ok := m.role(name)
		return ok && p.pid != victim.pid
	})
}

func (m *market) eventually(patience time.Duration, what string, yes func() bool) {
	m.t.Helper()
	deadline := time.Now().Add(patience)
	for !yes() {
		if time.Now().After(deadline) {
			m.t.Fatalf("waited %s for %s\n%s", patience, what, m.logs())
		}
		time.Sleep(50 * time.Millisecond) // polling a condition, not hoping for one
	}
}

// published is the broadcaster's count; -1 while it is away.
func (m *market) published() int {
	var s struct {
		Published int `json:"segments_published"`
	}
	if !m.get("/api/v1/stats", &s) {
		return -1
	}
	return s.Published
}

func (m *market) get(path string, v any) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.page+path, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK && json.NewDecoder(resp.Body).Decode(v) == nil
}

func fetch(t *testing.T, url string) (string, http.Header) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s: %s", url, resp.Status, b)
	}
	return string(b), resp.Header
}
