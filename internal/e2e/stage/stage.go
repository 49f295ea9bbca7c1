// Package stage plays a whole market in real processes that can be killed, stopped, cut off and started again, and counts
// what that costs its streams and its books: NATS, Postgres, a chain, orchestrator replicas, transcoders and a broadcaster.
package stage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/bus/busnode"
	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/identity"
	"github.com/kinora/kinora/internal/pgcluster"
	"github.com/kinora/kinora/internal/protocol"
)

// Options say how large the market is.
type Options struct {
	Dir           string // empty at the start; readable by everybody, since Postgres may run as another user
	Kinora, Media string // programs
	Ahead         string // kinora with a clock that is ahead, for faults of clocks
	Orchestrators int    // replicas of one identity
	Transcoders   int
	NATS          int    // servers, in a cluster when there are several
	Apart         string // a process that is in a network namespace of its own: broadcaster, orchestrator-1, transcoder-1, nats-1 or chain
}

// Stage is a running market.
type Stage struct {
	o       Options
	books   Books // as they were last
	mend    []func(context.Context) error
	network *network // nil: everybody is on loopback
	host    string   // where the servers listen
	secret  string   // that pushes bring, where the broadcaster is not on loopback

	NATS          []*Process
	Chain         *Process
	Broadcaster   *Process
	Orchestrators []*Process
	Transcoders   []*Process

	postgres *pgcluster.Cluster
	sockets  string // a link to where its socket is now
	links    string
	natsURL  string
	chainURL string
	escrow   common.Address
	keys     map[string]key
	password string
}

type key struct {
	address  common.Address
	keystore string
}

// Prices make a segment cost far more than its gas, as on a cheap chain.
const (
	sellWei = "120000000"
	bidWei  = 90_000_000
)

func ether(n uint64) protocol.Wei { return protocol.NewWei(1_000_000_000_000_000_000).Mul(n) }

// Start brings everything up, allocations included.
func Start(ctx context.Context, o Options) (*Stage, error) {
	s := &Stage{o: o, host: "127.0.0.1", keys: make(map[string]key)}
	if err := s.start(ctx); err != nil {
		s.Close()
		return nil, fmt.Errorf("set the stage: %w", err)
	}
	return s, nil
}

func (s *Stage) start(ctx context.Context) error {
	if err := os.MkdirAll(s.path("logs"), 0o755); err != nil {
		return err
	}
	if s.o.Apart != "" {
		n, err := newNetwork(ctx)
		if err != nil {
			return err
		}
		s.network, s.host = n, n.host
	}
	if err := s.makeKeys(); err != nil {
		return err
	}
	if err := together(func() error { return s.startNATS(ctx) }, func() error { return s.startChain(ctx) }, func() error { return s.StartPostgres(ctx) }); err != nil {
		return err
	}
	if err := s.fund(ctx); err != nil {
		return err
	}
	return s.startRoles(ctx)
}

func (s *Stage) path(name string) string { return filepath.Join(s.o.Dir, name) }

func together(steps ...func() error) error {
	errs := make([]error, len(steps))
	var wg sync.WaitGroup
	for i, f := range steps {
		wg.Go(func() { errs[i] = f() })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (s *Stage) makeKeys() error {
	names := []string{"broadcaster", "orchestrator"}
	for i := range s.o.Transcoders {
		names = append(names, fmt.Sprintf("transcoder-%d", i+1))
	}
	s.password = s.path("password")
	for _, name := range names {
		dir := s.path("key-" + name)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		address, file, err := identity.Create(dir, s.password, identity.LightScrypt())
		if err != nil {
			return err
		}
		s.keys[name] = key{common.HexToAddress(address), file}
	}
	return nil
}

// hostOf is where a process listens.
func (s *Stage) hostOf(name string) string {
	if s.network != nil && s.o.Apart == name {
		return s.network.guest
	}
	return s.host
}

// port is where a process of that name can listen: at a port that is free now.
func (s *Stage) port(name string) (string, error) {
	l, err := net.Listen("tcp", s.host+":0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return net.JoinHostPort(s.hostOf(name), port), err
}

// place puts a process where it belongs.
func (s *Stage) place(p *Process) {
	if s.network != nil && s.o.Apart == p.Name {
		p.wrap = s.network.wrap()
	}
}

// serve is a process of this very program.
func (s *Stage) serve(name string, what server) (*Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &Process{Name: name, program: self, dir: s.path("logs"), args: func() []string { return nil }}
	s.place(p)
	what.Ready = p.ready()
	b, err := json.Marshal(what)
	p.env = append(os.Environ(), serverVariable+"="+string(b))
	return p, err
}

func (s *Stage) startNATS(ctx context.Context) error {
	count := max(1, s.o.NATS)
	nodes := make([]busnode.Node, count)
	var urls []string
	for i := range nodes {
		name := fmt.Sprintf("nats-%d", i+1)
		listen, err := s.port(name)
		if err != nil {
			return err
		}
		nodes[i] = busnode.Node{Name: name, Listen: listen}
		urls = append(urls, "nats://"+listen)
		if count > 1 {
			if nodes[i].Cluster, err = s.port(name); err != nil {
				return err
			}
		}
	}
	for i := range nodes {
		for _, n := range nodes {
			if count > 1 && n.Name != nodes[i].Name {
				nodes[i].Routes = append(nodes[i].Routes, n.Cluster)
			}
		}
		p, err := s.serve(nodes[i].Name, server{NATS: &nodes[i]})
		if err != nil {
			return err
		}
		s.NATS = append(s.NATS, p)
		if err := p.Start(ctx); err != nil {
			return err
		}
	}
	s.natsURL = strings.Join(urls, ",")
	return nil
}

func (s *Stage) startChain(ctx context.Context) error {
	listen, err := s.port("chain")
	if err != nil {
		return err
	}
	s.chainURL = "http://" + listen
	s.Chain, err = s.serve("chain", server{Chain: &chainServer{Dir: s.path("chain"), HTTP: listen, Prefund: map[common.Address]protocol.Wei{
		s.keys["broadcaster"].address: ether(1000), s.keys["orchestrator"].address: ether(1000)}}})
	if err != nil {
		return err
	}
	return s.Chain.Start(ctx)
}

// StartPostgres starts it, also again after it was killed: its URLs stay.
func (s *Stage) StartPostgres(ctx context.Context) error {
	c, err := pgcluster.Start(ctx, pgcluster.Options{Dir: s.path("postgres")})
	if err != nil {
		return err
	}
	s.postgres = c
	if s.sockets == "" {
		if s.links, err = os.MkdirTemp("", "kst"); err != nil { // short: a socket's path must be
			return err
		}
		if err := os.Chmod(s.links, 0o755); err != nil {
			return err
		}
		s.sockets = filepath.Join(s.links, "s")
		for _, db := range []string{"broadcaster", "orchestrator"} {
			if err := c.CreateDatabase(ctx, db); err != nil {
				return err
			}
		}
	}
	u, err := url.Parse(c.URL("postgres"))
	if err != nil {
		return err
	}
	_ = os.Remove(s.sockets)
	return os.Symlink(u.Query().Get("host"), s.sockets)
}

func (s *Stage) databaseURL(name string) string {
	q := url.Values{"host": {s.sockets}, "port": {"5432"}, "user": {"kinora"}, "sslmode": {"disable"}}
	return "postgres:///" + name + "?" + q.Encode()
}

// Postmaster is the process of the database server.
func (s *Stage) Postmaster() (*Process, error) {
	b, err := os.ReadFile(filepath.Join(s.path("postgres"), "postmaster.pid"))
	if err != nil {
		return nil, err
	}
	var pid int
	if _, err := fmt.Sscan(string(b), &pid); err != nil {
		return nil, err
	}
	return &Process{Name: "postgres", dir: s.path("logs"), cmd: &exec.Cmd{Process: &os.Process{Pid: pid}}, ended: make(chan struct{})}, nil
}

// PostgresEnded is closed when the server that runs now has ended.
func (s *Stage) PostgresEnded() <-chan struct{} { return s.postgres.Done() }

func (s *Stage) fund(ctx context.Context) error {
	client, err := chain.Dial(ctx, s.chainURL)
	if err != nil {
		return err
	}
	defer client.Close()
	accounts := map[string]*chain.Account{}
	for _, name := range []string{"broadcaster", "orchestrator"} {
		signer, err := identity.Load(s.keys[name].keystore, s.password)
		if err != nil {
			return err
		}
		accounts[name] = chain.NewAccount(client, signer)
	}
	if s.escrow, _, err = accounts["broadcaster"].Deploy(ctx, 24*time.Hour); err != nil {
		return err
	}
	e, err := chain.NewEscrow(ctx, client, s.escrow)
	if err != nil {
		return err
	}
	deposit := func(name string) func() error {
		return func() error { _, err := e.Deposit(ctx, accounts[name], ether(100)); return err }
	}
	return together(deposit("broadcaster"), deposit("orchestrator"))
}

func (s *Stage) role(name, owner string, args func(p *Process) []string, env ...string) *Process {
	p := &Process{Name: name, program: s.o.Kinora, dir: s.path("logs")}
	s.place(p)
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "KINORA_") {
			p.env = append(p.env, e)
		}
	}
	p.env = append(append(p.env, "KINORA_MEDIA="+s.o.Media), env...)
	p.args = func() []string {
		all := append(args(p), "--chain-rpc", s.chainURL, "--escrow", s.escrow.Hex(), "--keystore", s.keys[owner].keystore, "--password-file", s.password,
			"--data", s.path("data-"+name), "--ready-file", p.ready())
		if s.network != nil { // whose wires are this kernel's
			all = append(all, "--insecure-cleartext")
		}
		return all
	}
	return p
}

// again is the address to listen on: the first one it got.
func again(p *Process, first string) string {
	if at := p.HTTP(); at != "" {
		return at
	}
	return first
}

func tickets() []string {
	return []string{"--ticket-usable", "20s", "--ticket-accept", "40s", "--ticket-redeem", "41s", "--face-value-multiple", "1", "--confirmations", "0", "--max-gas-percent", "0"}
}

// Ladder is what every stream is transcoded to: small, since what is looked at is not the pictures.
const Ladder = `[{"name":"72p","width":128,"height":72,"bitrate":100000,"codec":"h264","preset":"ultrafast"}]`

func (s *Stage) startRoles(ctx context.Context) error {
	var all []*Process
	for i := range max(1, s.o.Orchestrators) {
		p := s.role(fmt.Sprintf("orchestrator-%d", i+1), "orchestrator", func(p *Process) []string {
			return append([]string{"orchestrator", "--http", again(p, s.hostOf(p.Name)+":0"), "--nats", s.natsURL, "--wei-per-pixel", sellWei,
				"--allocation-per-transcoder", ether(1).String()}, tickets()...)
		}, "KINORA_DATABASE_URL="+s.databaseURL("orchestrator"))
		s.Orchestrators = append(s.Orchestrators, p)
		all = append(all, p)
	}
	for i := range s.o.Transcoders {
		name := fmt.Sprintf("transcoder-%d", i+1)
		p := s.role(name, name, func(p *Process) []string {
			return append([]string{"transcoder", "--http", again(p, s.hostOf(p.Name)+":0"), "--nats", s.natsURL, "--wei-per-pixel", fmt.Sprint(bidWei + 1_000_000*i),
				"--capacity", "h264=100000000", "--encoders", "cpu"}, tickets()...)
		})
		s.Transcoders = append(s.Transcoders, p)
		all = append(all, p)
	}
	for _, p := range all { // one after another: they migrate one database
		if err := p.Start(ctx); err != nil {
			return err
		}
	}
	if err := s.allocated(ctx); err != nil {
		return err
	}
	s.secret = "encoders know it"
	if err := os.WriteFile(s.path("push-secret"), []byte(s.secret), 0o600); err != nil {
		return err
	}
	s.Broadcaster = s.role("broadcaster", "broadcaster", func(p *Process) []string {
		args := []string{"broadcaster", "--http", again(p, s.hostOf(p.Name)+":0"), "--push-secret-file", s.path("push-secret"), "--segment-duration", "2s", "--ladder", Ladder, "--retention", "0s", "--warn-runway", "1m",
			"--max-pushes-per-second", "100"}
		for _, o := range s.Orchestrators {
			args = append(args, "--orchestrator", "http://"+o.HTTP())
		}
		return args
	}, "KINORA_DATABASE_URL="+s.databaseURL("broadcaster"))
	return s.Broadcaster.Start(ctx)
}

// allocated waits until every replica may give leases to every transcoder.
func (s *Stage) allocated(ctx context.Context) error {
	for _, o := range s.Orchestrators {
		if err := Poll(ctx, func() (bool, error) {
			var stats struct {
				Allocated int `json:"allocated"`
			}
			err := Ask(ctx, http.MethodGet, "http://"+o.HTTP()+"/api/v1/stats", &stats)
			return err == nil && stats.Allocated >= s.o.Transcoders, err
		}); err != nil {
			return fmt.Errorf("allocations of %s: %w", o.Name, err)
		}
	}
	return nil
}

// Close ends what runs.
func (s *Stage) Close() {
	roles := append([]*Process{s.Broadcaster}, s.Transcoders...)
	roles = append(append(roles, s.Orchestrators...), s.Chain)
	var wg sync.WaitGroup
	for _, p := range append(roles, s.NATS...) {
		if p != nil {
			wg.Go(func() { p.stop(4 * time.Second) })
		}
	}
	wg.Wait()
	if s.postgres != nil {
		s.postgres.Stop()
	}
	if s.links != "" {
		_ = os.RemoveAll(s.links)
	}
	if s.network != nil {
		s.network.close()
	}
}

// Logs are the ends of all logs, for a failed test.
func (s *Stage) Logs() string {
	var b strings.Builder
	files, _ := filepath.Glob(filepath.Join(s.path("logs"), "*.log"))
	for _, f := range files {
		p := &Process{Name: strings.TrimSuffix(filepath.Base(f), ".log"), dir: s.path("logs")}
		fmt.Fprintf(&b, "--- %s\n%s\n", p.Name, p.Tail(40))
	}
	return b.String()
}

// askPatience bounds one question to a role.
const askPatience = 10 * time.Second

// Ask calls a role's HTTP face and decodes its JSON answer into v, which may be nil.
func Ask(ctx context.Context, method, url string, v any) error {
	return ask(ctx, method, url, "", v)
}

func ask(ctx context.Context, method, url, secret string, v any) error {
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return err
	}
	if secret != "" {
		req.Header.Set("Authorization", "Bearer "+secret)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s: %.300s", method, url, resp.Status, b)
	}
	if v == nil {
		return nil
	}
	return json.Unmarshal(b, v)
}

// Poll asks until the answer is yes; the last refusal is in the error.
func Poll(ctx context.Context, ask func() (bool, error)) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var last error
	for {
		yes, err := ask()
		if yes {
			return nil
		}
		if err != nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), last)
		case <-tick.C:
		}
	}
}
