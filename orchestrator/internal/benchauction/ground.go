package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/bench"
	"github.com/kinora/kinora/internal/bus"
	"github.com/kinora/kinora/internal/bus/embedded"
	"github.com/kinora/kinora/internal/pgcluster"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/migrations"
	"github.com/kinora/kinora/orchestrator/internal/fleet"
	"github.com/kinora/kinora/orchestrator/internal/store"
)

// funded is a treasury whose allocations are confirmed at once: the chain has no part in an auction.
type funded struct{}

func (funded) Ensure(context.Context, common.Address, protocol.Wei) error { return nil }

// market is an orchestrator's half of the auction, on a NATS server and a Postgres of its own, and the process that plays
// the other half.
type market struct {
	fleet    *fleet.Fleet
	bus      *bus.Bus
	store    *store.Store
	server   *embedded.Server
	empty    int64         // heap without bidders
	taken    atomic.Uint64 // bids
	held     chan sold     // leases that run, oldest first
	declined atomic.Int64  // offers

	others *exec.Cmd // the bidders
	tell   io.WriteCloser
	hear   *bufio.Scanner

	closers []func()
}

func (m *market) close() {
	for _, f := range slices.Backward(m.closers) {
		f()
	}
}

// stand sets a market up and returns once all n bidders have a place; at most so many leases run in it at once.
func stand(ctx context.Context, n, leases int, program func(url string) *exec.Cmd) (m *market, err error) {
	m = &market{held: make(chan sold, leases)}
	defer func() {
		if err != nil {
			m.close()
		}
	}()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	dir, err := os.MkdirTemp("", "kinora-benchauction-")
	if err != nil {
		return m, err
	}
	m.closers = append(m.closers, func() { os.RemoveAll(dir) })
	cluster, err := pgcluster.Start(ctx, pgcluster.Options{Dir: filepath.Join(dir, "postgres")})
	if err != nil {
		return m, err
	}
	m.closers = append(m.closers, func() { cluster.Stop() })
	if err := cluster.CreateDatabase(ctx, "bench"); err != nil {
		return m, err
	}
	if err := migrations.Postgres(ctx, cluster.URL("bench"), "orchestrator"); err != nil {
		return m, err
	}
	if m.store, err = store.Open(ctx, cluster.URL("bench")); err != nil {
		return m, err
	}
	m.closers = append(m.closers, m.store.Close)
	if m.server, err = embedded.Start(embedded.Options{Log: log}); err != nil {
		return m, err
	}
	m.closers = append(m.closers, func() { m.server.Close() })
	if m.bus, err = bus.Dial(ctx, m.server.URL(), bus.Options{Name: "orchestrator", Log: log}); err != nil {
		return m, err
	}
	m.closers = append(m.closers, func() { m.bus.Close() })
	m.fleet = fleet.New(fleet.Config{Domain: domain, Self: orch.Address(), Allocation: protocol.NewWei(1), MaxMembers: n, FundEvery: time.Millisecond,
		Trial: time.Hour, Backoff: time.Second, TopUp: time.Hour, Events: func(protocol.Event) {}, Log: log}, m.store, funded{})
	m.fleet.Hold(fleet.Terms{Signer: orch, Rule: auction.SecondScore, Trials: 50_000, Publish: m.bus.PublishCommitment})
	life, stop := context.WithCancel(ctx)
	running := make(chan error, 1)
	go func() { running <- m.fleet.Run(life) }()
	m.closers = append(m.closers, func() { stop(); <-running })
	m.empty = heap()
	if err := m.bus.SubscribeBids(life, func(b protocol.Signed[protocol.Bid]) { m.fleet.Bid(b); m.taken.Add(1) }); err != nil {
		return m, err
	}

	m.others = program(m.server.URL())
	m.others.Stderr = os.Stderr
	if m.tell, err = m.others.StdinPipe(); err != nil {
		return m, err
	}
	said, err := m.others.StdoutPipe()
	if err != nil {
		return m, err
	}
	if err := m.others.Start(); err != nil {
		return m, err
	}
	m.closers = append(m.closers, func() { m.tell.Close(); _ = m.others.Wait() })
	m.hear = bufio.NewScanner(said)
	if !m.hear.Scan() {
		return m, fmt.Errorf("the bidders ended early")
	}
	return m, m.hired(ctx, n)
}

func heap() int64 {
	runtime.GC()
	runtime.GC() // what pools hold goes with the second
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}

// meter reads the CPU time of this process, of the one that plays the bidders, and of all others below this one, which are
// Postgres'.
type meter struct {
	pid                  int // of the bidders
	began                time.Time
	own, bidders, others time.Duration
}

func startMeter(bidders int) meter {
	m := meter{pid: bidders, began: time.Now(), own: bench.OwnCPU()}
	tree, _ := bench.Tree(os.Getpid())
	for _, p := range tree {
		switch p.PID {
		case os.Getpid():
		case bidders:
			m.bidders += p.CPU
		default:
			m.others += p.CPU
		}
	}
	return m
}

// peaks are the most that this process, and the one that plays the bidders, had in memory, in MiB.
func (m *market) peaks() (own, others float64) {
	tree, _ := bench.Tree(os.Getpid())
	for _, p := range tree {
		switch p.PID {
		case os.Getpid():
			own = float64(p.PeakRSS) / (1 << 20)
		case m.others.Process.Pid:
			others = float64(p.PeakRSS) / (1 << 20)
		}
	}
	return own, others
}

// rates are in cores.
type rates struct {
	own, bidders, others float64
	took                 time.Duration
}

func (m meter) rates() rates {
	now := startMeter(m.pid)
	took := now.began.Sub(m.began)
	cores := func(d time.Duration) float64 { return d.Seconds() / took.Seconds() }
	return rates{own: cores(now.own - m.own), bidders: cores(now.bidders - m.bidders), others: cores(now.others - m.others), took: took}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// hired waits until everybody has a place.
func (m *market) hired(ctx context.Context, n int) error {
	for {
		waiting, allocated := m.fleet.Backlog()
		if allocated >= n {
			return nil
		}
		fmt.Fprintf(os.Stderr, "\r%d of %d bidders have a place, %d wait ", allocated, n, waiting)
		if err := sleep(ctx, time.Second); err != nil {
			return err
		}
	}
}
