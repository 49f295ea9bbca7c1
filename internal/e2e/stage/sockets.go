package stage

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// NATSOf is the node of the cluster that a process is connected to, by what the kernel says of its sockets.
func (s *Stage) NATSOf(p *Process) (*Process, error) {
	dir := fmt.Sprintf("/proc/%d", p.pid())
	own := make(map[string]bool)
	links, err := filepath.Glob(dir + "/fd/*")
	if err != nil {
		return nil, err
	}
	for _, l := range links {
		if to, err := os.Readlink(l); err == nil && strings.HasPrefix(to, "socket:[") {
			own[strings.TrimSuffix(strings.TrimPrefix(to, "socket:["), "]")] = true
		}
	}
	table, err := os.ReadFile(dir + "/net/tcp")
	if err != nil {
		return nil, err
	}
	for _, line := range strings.Split(string(table), "\n")[1:] {
		f := strings.Fields(line)
		const established = "01"
		if len(f) < 10 || f[3] != established || !own[f[9]] {
			continue
		}
		_, port, _ := strings.Cut(f[2], ":")
		n, err := strconv.ParseUint(port, 16, 16)
		if err != nil {
			return nil, err
		}
		for i, url := range strings.Split(s.natsURL, ",") {
			if _, at, err := net.SplitHostPort(strings.TrimPrefix(url, "nats://")); err == nil && at == fmt.Sprint(n) {
				return s.NATS[i], nil
			}
		}
	}
	return nil, fmt.Errorf("%s is connected to no NATS", p.Name)
}
