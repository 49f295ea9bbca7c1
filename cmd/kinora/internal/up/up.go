// Package up runs a whole market on one machine: it hosts the bus, a chain and a database itself and starts every role
// as a process of its own, so that any of them can be killed and what happens can be watched.
package up

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/cmd/kinora/internal/livesource"
	"github.com/kinora/kinora/internal/bus/embedded"
	"github.com/kinora/kinora/internal/bus/entry"
	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/chain/devchain"
	"github.com/kinora/kinora/internal/passport"
	"github.com/kinora/kinora/internal/pgcluster"
	"github.com/kinora/kinora/internal/protocol"
)

// Options are the flags of kinora up.
type Options struct {
	Duration    time.Duration `help:"Stop this long after the first segment; 0 runs until Ctrl-C." default:"0s"`
	JSON        bool          `help:"Print one JSON object about the run as the last line of standard output."`
	HTTP        string        `help:"Where the broadcaster listens; its page is at /. Port 0 picks a free one." default:"127.0.0.1:8935"`
	Transcoders int           `help:"How many transcoders to start." default:"3"`
	Input       string        `help:"File to loop as the live stream; none for no stream of its own; empty for a test picture with a clock and a tone." placeholder:"FILE"`
	Cheat       string        `help:"Make one transcoder dishonest: ${enum}." enum:"${cheats}" default:"none"`
	Hold        bool          `help:"After the run keep chain and broadcaster serving until a signal, so that the numbers can be checked."`
	Data        string        `help:"Directory that keeps chain, database and media over runs; empty for a temporary one, removed at the end." placeholder:"DIR"`
	Stream      string        `help:"Name of the stream." default:"demo"`
	Ladder      string        `help:"Profiles as JSON, or @FILE; empty for 240p and 160p." placeholder:"JSON"`

	PushSecretFile string `help:"File with the secret that pushes must bring; required unless --http is loopback." placeholder:"FILE"`
}

// Cheats are the values of Options.Cheat: none, and what kinora-adversary can do.
var Cheats = []string{"none", "black", "frozen", "flip", "replay", "wrong-size", "low-bitrate", "no-audio", "drop-frames", "truncated", "forged-receipt"}

// Validate names the flag that cannot be.
func (o Options) Validate() error {
	host, _, err := net.SplitHostPort(o.HTTP)
	if err != nil {
		return fmt.Errorf("--http: %q, want host:port, such as 127.0.0.1:0", o.HTTP)
	}
	if ip := net.ParseIP(host); o.PushSecretFile == "" && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("--http: %s is not loopback: --push-secret-file is needed too, or anybody could spend the deposit", o.HTTP)
	}
	if o.PushSecretFile != "" {
		if _, err := o.secret(); err != nil {
			return err
		}
	}
	if o.Transcoders < 1 || o.Transcoders > 64 {
		return fmt.Errorf("--transcoders: %d, want 1 to 64", o.Transcoders)
	}
	if o.Cheat != "none" && o.Transcoders < 2 {
		return fmt.Errorf("--cheat: %s needs an honest transcoder beside the dishonest one: --transcoders 2 or more", o.Cheat)
	}
	if o.Duration < 0 {
		return fmt.Errorf("--duration: %s is negative", o.Duration)
	}
	if o.Input != "" && o.Input != "none" {
		if info, err := os.Stat(o.Input); err != nil {
			return fmt.Errorf("--input: %w", err)
		} else if info.IsDir() {
			return fmt.Errorf("--input: %s is a directory, want a file with video", o.Input)
		}
	}
	if info, err := os.Stat(o.Data); err == nil && !info.IsDir() {
		return fmt.Errorf("--data: %s is a file, want a directory", o.Data)
	}
	if err := protocol.ValidateStream(o.Stream); err != nil {
		return fmt.Errorf("--%w", err)
	}
	return nil
}

// secret is what pushes must bring; empty when they need none.
func (o Options) secret() (string, error) {
	if o.PushSecretFile == "" {
		return "", nil
	}
	b, err := os.ReadFile(o.PushSecretFile)
	if err != nil {
		return "", fmt.Errorf("--push-secret-file: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// The economy of one machine. The prices make a two-second segment cost about a thousand times its gas share, so that
// what is shown is what a market on a cheap chain would do.
const (
	segmentSeconds  = 2
	sellWeiPerPixel = "120000000"
	bidWeiPerPixel  = 90_000_000 // of the first transcoder; each further one asks a little more
	cheatWeiPerPx   = "40000000"
	ticketUsable    = 10 * time.Second
	ticketAccept    = 22 * time.Second
	ticketRedeem    = 23 * time.Second
	chainID         = 1337
	blockPeriod     = time.Second
	setupPatience   = 90 * time.Second
	addressPatience = 3 * time.Second
)

var (
	genesisWei = ether(1000) // native money of each payer, for gas and deposits
	depositWei = ether(100)  // of each payer, in the escrow
)

func ether(n uint64) protocol.Wei { return protocol.NewWei(1_000_000_000_000_000_000).Mul(n) }

// market is everything that runs.
type market struct {
	o        Options
	log      *slog.Logger
	say      progress
	stdout   io.Writer
	dir      string
	programs programs
	parties  []party
	password string

	postgres *pgcluster.Cluster
	nats     *embedded.Server
	chain    *devchain.Chain
	client   *chain.Client
	escrow   *chain.Escrow

	broadcaster  *child
	orchestrator *child
	transcoders  []*child
}

type programs struct{ kinora, media, adversary, ffmpeg string }

// Run sets the market up, runs it and takes it down again. It returns nil when all went as asked.
func Run(ctx context.Context, o Options, log *slog.Logger, stdout, stderr io.Writer) (err error) {
	if err := o.Validate(); err != nil {
		return err
	}
	m := &market{o: o, log: log, say: progress{stderr}, stdout: stdout}
	unlock, err := m.directory()
	if err != nil {
		return err
	}
	defer unlock()
	setup, cancel := context.WithTimeoutCause(ctx, setupPatience, errors.New("set-up took too long"))
	defer cancel()
	defer func() { err = errors.Join(err, m.takeDown()) }()
	m.say.say("kinora up: a whole market on this machine")
	if err := m.setUp(setup, ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	before, err := m.books(ctx)
	if err != nil {
		return err
	}
	m.say.say("\n  page      http://%s/\n  playlist  http://%s/hls/%s/index.m3u8\n  chain     %s  escrow %s\n",
		m.broadcaster.addr(), m.broadcaster.addr(), m.o.Stream, m.chain.URL(), m.escrow.Address())
	m.broadcast(ctx)
	report, err := m.account(before)
	if err != nil {
		return err
	}
	if m.o.Hold && ctx.Err() == nil {
		m.say.say("holding: chain and broadcaster serve until Ctrl-C")
	}
	if m.o.JSON {
		line, err := json.Marshal(report)
		if err != nil {
			return err
		}
		fmt.Fprintf(m.stdout, "%s\n", line)
	} else {
		report.print(m.say)
	}
	if m.o.Hold {
		<-ctx.Done()
	}
	return nil
}

// directory makes or locks the data directory; the returned function gives it up again.
func (m *market) directory() (func(), error) {
	if m.o.Data == "" {
		dir, err := os.MkdirTemp("", "kinora-up-")
		if err != nil {
			return nil, err
		}
		// The database runs as another user where this process is root, and must reach its own directory below.
		if err := os.Chmod(dir, 0o755); err != nil {
			return nil, err
		}
		m.dir = dir
		return func() { _ = os.RemoveAll(dir) }, nil
	}
	dir, err := filepath.Abs(m.o.Data)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("another kinora up uses %s: end it, or choose another --data", dir)
	}
	m.dir = dir
	return func() { lock.Close() }, nil
}

// setUp starts everything, what does not need each other at once. ctx bounds the set-up, life the market.
func (m *market) setUp(ctx, life context.Context) error {
	const seeLog = "mend what the end of its log says; with --data the log is kept whole"
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	first := []step{
		{"find the programs", "run make build", m.findPrograms},
		{"video to show", "name a file with video, or leave --input out for a test picture", func() (string, error) { return m.checkInput(ctx) }},
		{"address of the page", "end what listens there, or take any free port by --http 127.0.0.1:0", func() (string, error) { return m.tryAddress(ctx) }},
	}
	ledger := []step{
		{"keys of the parties", "check that the data directory is writable", m.makeParties},
		{"chain with JSON-RPC", "with --data: move the chain directory away to begin a new chain", func() (string, error) { return m.startChain(ctx) }},
		{"escrow contract and deposits", "with --data: begin with an empty directory", func() (string, error) { return m.fundEscrow(ctx) }},
		{"message bus (NATS)", "check that loopback ports can be opened", m.startNATS},
	}
	database := []step{{"private Postgres", "install Debian's postgresql package, or run make build", func() (string, error) { return m.startPostgres(ctx) }}}
	sellers := []step{{"orchestrator and transcoders", seeLog, func() (string, error) { return m.startMarket(ctx, life) }}}
	allocations := []step{{"an allocation to each transcoder", seeLog, func() (string, error) { return m.awaitAllocations(ctx) }}}
	buyer := []step{{"broadcaster, with its own allocation", seeLog, func() (string, error) { return m.startBroadcaster(ctx, life) }}}
	for _, stage := range [][][]step{{first}, {ledger, database}, {sellers}, {allocations, buyer}} {
		if err := m.say.together(cancel, stage...); err != nil {
			return err
		}
	}
	return nil
}

func (m *market) findPrograms() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	dir := filepath.Dir(self)
	m.programs.kinora = self
	m.programs.media = filepath.Join(dir, "kinora-media")
	if v := os.Getenv("KINORA_MEDIA"); v != "" {
		m.programs.media = v
	}
	m.programs.adversary = filepath.Join(dir, "kinora-adversary")
	need := []string{m.programs.media}
	if m.o.Cheat != "none" {
		need = append(need, m.programs.adversary)
	}
	for _, p := range need {
		if _, err := os.Stat(p); err != nil {
			return "", fmt.Errorf("%s is missing", p)
		}
	}
	if m.o.Input != "none" || m.o.Cheat != "none" {
		if m.programs.ffmpeg, err = livesource.Program(dir); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// checkInput finds out now that there is nothing to show, which would be tried for ever.
func (m *market) checkInput(ctx context.Context) (string, error) {
	switch m.o.Input {
	case "":
		return "a test picture", nil
	case "none":
		return "none of its own", nil
	}
	if err := livesource.Check(ctx, m.programs.ffmpeg, m.o.Input); err != nil {
		return "", fmt.Errorf("--input: %w", err)
	}
	return m.o.Input, nil
}

// tryAddress finds out now, not when all the rest is up, that the broadcaster could not listen. The processes of an up
// that was killed may need a moment to end.
func (m *market) tryAddress(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, addressPatience)
	defer cancel()
	var busy error
	err := poll(ctx, func() (bool, error) {
		l, err := net.Listen("tcp", m.o.HTTP)
		if busy = err; err != nil {
			return false, nil
		}
		return true, l.Close()
	})
	if err != nil {
		return "", fmt.Errorf("--http: %w", cmp.Or(busy, err))
	}
	return m.o.HTTP, nil
}

func (m *market) names() []string {
	names := []string{"broadcaster", "orchestrator"}
	for i := range m.o.Transcoders {
		names = append(names, fmt.Sprintf("transcoder-%d", i+1))
	}
	return names
}

func (m *market) makeParties() (string, error) {
	var err error
	m.parties, m.password, err = parties(m.dir, m.names())
	return fmt.Sprintf("%d accounts", len(m.parties)), err
}

func (m *market) startPostgres(ctx context.Context) (string, error) {
	var err error
	m.postgres, err = pgcluster.Start(ctx, pgcluster.Options{Dir: filepath.Join(m.dir, "postgres"), Log: m.log})
	if err != nil {
		return "", err
	}
	for _, db := range []string{"broadcaster", "orchestrator"} {
		if err := m.postgres.CreateDatabase(ctx, db); err != nil {
			return "", err
		}
	}
	return "databases broadcaster and orchestrator", nil
}

func (m *market) startNATS() (string, error) {
	var err error
	guests := entry.Listed{m.seller().Signer.Address(): protocol.RoleOrchestrator}
	for _, p := range m.parties[2:] {
		guests[p.Signer.Address()] = protocol.RoleTranscoder
	}
	m.nats, err = embedded.Start(embedded.Options{Log: m.log, Gate: &entry.Gate{Domain: m.escrow.Domain(), Guests: guests, Log: m.log,
		Markets: []common.Address{m.seller().Signer.Address()}}})
	if err != nil {
		return "", err
	}
	return m.nats.URL() + ", for these parties alone", nil
}

func (m *market) startChain(ctx context.Context) (string, error) {
	prefund := map[common.Address]protocol.Wei{}
	for _, p := range m.parties[:2] { // transcoders need no gas: the orchestrator redeems for them
		prefund[p.Signer.Address()] = genesisWei
	}
	addr := "127.0.0.1:0"
	var kept struct{ RPC string }
	file := filepath.Join(m.dir, "chain.json")
	if b, err := os.ReadFile(file); err == nil && json.Unmarshal(b, &kept) == nil && kept.RPC != "" && free(kept.RPC) {
		addr = kept.RPC // the address that was printed stays true over restarts
	}
	var err error
	m.chain, err = devchain.Start(ctx, devchain.Options{Dir: filepath.Join(m.dir, "chain"), HTTP: addr, ChainID: chainID,
		Period: blockPeriod, Prefund: prefund})
	if err != nil {
		return "", err
	}
	b, _ := json.Marshal(map[string]string{"RPC": strings.TrimPrefix(m.chain.URL(), "http://")})
	if err := os.WriteFile(file, b, 0o644); err != nil {
		return "", err
	}
	if m.client, err = chain.Dial(ctx, m.chain.URL()); err != nil {
		return "", err
	}
	return m.chain.URL(), nil
}

// seller is the orchestrator's account.
func (m *market) seller() party { return m.parties[1] }

// exchange is where the parties find NATS, and whose it is.
func (m *market) exchange() string {
	return passport.Endpoint{Identity: m.seller().Signer.Address(), URL: m.nats.URL()}.String()
}

func free(addr string) bool {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	l.Close()
	return true
}
