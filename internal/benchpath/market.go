package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/kinora/kinora/internal/bench"
)

// market is one kinora up with a single transcoder and no stream of its own.
type market struct {
	cmd  *exec.Cmd
	dir  string
	page string
}

var pageLine = regexp.MustCompile(`^\s+page\s+(http://\S+?)/?$`)

func start(kinora, ladder string) (*market, error) {
	dir, err := os.MkdirTemp("", "kinora-bench-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return nil, err
	}
	m := &market{dir: dir}
	m.cmd = exec.Command(kinora, "up", "--input", "none", "--transcoders", "1", "--http", "127.0.0.1:0", "--data", dir, "--ladder", ladder)
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stderr, err := m.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := m.cmd.Start(); err != nil {
		return nil, err
	}
	var said strings.Builder
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		fmt.Fprintln(&said, lines.Text())
		if p := pageLine.FindStringSubmatch(lines.Text()); p != nil {
			m.page = p[1]
			go func() { _, _ = io.Copy(io.Discard, stderr) }()
			return m, nil
		}
	}
	return nil, fmt.Errorf("kinora up did not come up: %v\n%s", m.cmd.Wait(), &said)
}

func (m *market) stop() {
	_ = m.cmd.Process.Signal(syscall.SIGINT)
	ended := make(chan struct{})
	go func() { _ = m.cmd.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(90 * time.Second):
		_ = m.cmd.Process.Kill()
		<-ended
	}
	_ = os.RemoveAll(m.dir)
}

// usage sums CPU time over the three roles with their children, and over what they stand on (bus, chain, database).
func (m *market) usage() (roles, ground time.Duration, tree []bench.Process, err error) {
	tree, err = bench.Tree(m.cmd.Process.Pid)
	if err != nil {
		return 0, 0, nil, err
	}
	all := index(tree)
	for _, p := range tree {
		if role(p, all) != "" {
			roles += p.CPU
		} else {
			ground += p.CPU
		}
	}
	return roles, ground, tree, nil
}

var roleOf = regexp.MustCompile(`/kinora (broadcaster|orchestrator|transcoder) `)

// role names the role a process belongs to, itself or as a child.
func role(p bench.Process, all map[int]bench.Process) string {
	for ok := true; ok; p, ok = all[p.Parent] {
		if r := roleOf.FindStringSubmatch(p.Command); r != nil {
			return r[1]
		}
	}
	return ""
}

// push sends one segment and returns the time from the first byte, and from the last, to the end of the answer. pace
// spreads the body evenly over its duration; zero sends it at once.
func (m *market) push(ctx context.Context, stream string, seq int, body []byte, header map[string]string, pace time.Duration) (whole, tail time.Duration, err error) {
	reader := &bench.Paced{Body: body, Over: pace}
	begun := time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, fmt.Sprintf("%s/live/%s/%d.ts", m.page, stream, seq), reader)
	if err != nil {
		return 0, 0, err
	}
	req.ContentLength = int64(len(body))
	req.Header.Set("Accept", "multipart/mixed")
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, 0, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, 0, err
	}
	if resp.StatusCode != http.StatusOK {
		return 0, 0, fmt.Errorf("push %s/%d: %s: %.400s", stream, seq, resp.Status, answer)
	}
	end := time.Now()
	if bytes.Count(answer, []byte("Rendition-Name")) == 0 {
		return 0, 0, fmt.Errorf("push %s/%d: no renditions in the answer", stream, seq)
	}
	return end.Sub(begun), end.Sub(reader.Ended), nil
}
