package stage

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
)

// network is a namespace joined to this one by a pair of interfaces: what goes between them can be dropped, all of it or a
// part, packet by packet, as between two machines.
type network struct {
	name  string // of the namespace
	near  string // interface here, and its address
	far   string // interface there
	host  string
	guest string
}

var networks atomic.Int64

// Separable says why this machine lets nobody make a network of its own, or nil: containers often do not.
func Separable(ctx context.Context) error {
	n, err := newNetwork(ctx)
	if err == nil {
		n.close()
	}
	return err
}

// newNetwork makes one. It needs root, and ip and tc of iproute2.
func newNetwork(ctx context.Context) (*network, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("a network namespace is needed, and this process may make none: run it as root")
	}
	for _, program := range []string{"ip", "tc"} {
		if _, err := exec.LookPath(program); err != nil {
			return nil, fmt.Errorf("a network namespace is needed: install iproute2: %w", err)
		}
	}
	id := int64(os.Getpid()%(1<<14))<<2 | networks.Add(1)&3
	n := &network{name: fmt.Sprintf("kinora-%d", id), near: fmt.Sprintf("kn%d", id), far: fmt.Sprintf("kf%d", id)}
	subnet := fmt.Sprintf("10.%d.%d.", 200+id>>14, id>>6&0xff)
	low := id << 2 & 0xfc
	n.host, n.guest = fmt.Sprintf("%s%d", subnet, low+1), fmt.Sprintf("%s%d", subnet, low+2)
	for _, line := range []string{
		"ip netns add " + n.name,
		"ip link add " + n.near + " type veth peer name " + n.far + " netns " + n.name,
		"ip addr add " + n.host + "/30 dev " + n.near,
		"ip link set " + n.near + " up",
		"ip -n " + n.name + " addr add " + n.guest + "/30 dev " + n.far,
		"ip -n " + n.name + " link set " + n.far + " up",
		"ip -n " + n.name + " link set lo up",
	} {
		if err := run(ctx, line); err != nil {
			n.close()
			return nil, fmt.Errorf("make a network namespace (the kernel needs NET_NS and VETH): %w", err)
		}
	}
	return n, nil
}

func run(ctx context.Context, line string) error {
	f := strings.Fields(line)
	if out, err := exec.CommandContext(ctx, f[0], f[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", line, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// wrap is before the program that is to run inside.
func (n *network) wrap() []string { return []string{"ip", "netns", "exec", n.name} }

// ends are how tc names both interfaces.
func (n *network) ends() []string {
	return []string{"tc qdisc %s dev " + n.near, "tc -n " + n.name + " qdisc %s dev " + n.far}
}

// cut drops every packet, both ways, without a word to anybody.
func (n *network) cut(ctx context.Context) error {
	for _, end := range n.ends() {
		if err := run(ctx, fmt.Sprintf(end, "add")+" root blackhole"); err != nil {
			return err
		}
	}
	return nil
}

// lose drops percent of the packets, each by itself, both ways. Kernels need not have netem: a filter draws a number for
// each packet, and sends those that lose into a class whose queue keeps nothing.
func (n *network) lose(ctx context.Context, percent int) error {
	most := uint32(uint64(math.MaxUint32) * uint64(percent) / 100)
	const random = 0xfffff038 // SKF_AD_OFF + SKF_AD_RANDOM
	for _, end := range n.ends() {
		tc := strings.Split(end, " qdisc ")[0]
		dev := " dev " + end[strings.LastIndexByte(end, ' ')+1:]
		for _, line := range []string{
			tc + " qdisc add" + dev + " root handle 1: htb default 10 r2q 100000",
			tc + " class add" + dev + " parent 1: classid 1:10 htb rate 10gbit",
			tc + " class add" + dev + " parent 1: classid 1:20 htb rate 10gbit",
			tc + " qdisc add" + dev + " parent 1:20 blackhole",
			tc + " filter add" + dev + " parent 1: protocol all prio 1 bpf bytecode " +
				fmt.Sprintf("4,32 0 0 %d,37 1 0 %d,6 0 0 4294967295,6 0 0 0", uint32(random), most) + " classid 1:20",
		} {
			if err := tcRun(ctx, line); err != nil {
				return err
			}
		}
	}
	return nil
}

// tcRun is run for a line whose bytecode is one argument with blanks in it.
func tcRun(ctx context.Context, line string) error {
	before, rest, ok := strings.Cut(line, " bytecode ")
	if !ok {
		return run(ctx, line)
	}
	code, after, _ := strings.Cut(rest, " classid ")
	args := append(strings.Fields(before), "bytecode", code, "classid", after)
	if out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s (the kernel needs NET_SCH_HTB and NET_CLS_BPF): %w: %s", line, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// heal drops nothing any more.
func (n *network) heal(ctx context.Context) error {
	var errs []error
	for _, end := range n.ends() {
		errs = append(errs, run(ctx, fmt.Sprintf(end, "del")+" root"))
	}
	return errors.Join(errs...)
}

// close takes both interfaces and the namespace away.
func (n *network) close() {
	ctx := context.Background()
	_ = run(ctx, "ip link del "+n.near)
	_ = run(ctx, "ip netns del "+n.name)
}

// Cut parts the first transcoder's network from everybody else's, until Heal.
func (s *Stage) Cut(ctx context.Context) error { return s.network.cut(ctx) }

// Lose loses a part of the packets from and to the first transcoder, until Heal.
func (s *Stage) Lose(ctx context.Context, percent int) error { return s.network.lose(ctx, percent) }

// Heal joins the networks again.
func (s *Stage) Heal(ctx context.Context) error { return s.network.heal(ctx) }
