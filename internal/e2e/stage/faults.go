package stage

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"syscall"
	"time"

	"github.com/kinora/kinora/internal/protocol"
)

// Fault is one thing that can go wrong, and what is done about it by whoever runs the market: a process that died is started
// again after a second.
type Fault struct {
	Name   string // the test is TestFaults/NAME
	What   string
	Whom   string
	Apart  string // the process that the stage must have in a network of its own
	Smoke  bool   // also part of a usual test run
	strike func(ctx context.Context, s *Stage) error
}

const (
	downFor    = time.Second     // until somebody starts a dead process again
	stoppedFor = 6 * time.Second // of a process that stands still
	cutFor     = 6 * time.Second // of a network
	lossy      = 8 * time.Second
	lossShare  = 30 // percent of the packets, each way
)

// victim finds the process that a fault strikes when it does.
type victim func(ctx context.Context, s *Stage) (*Process, error)

func one(of func(s *Stage) *Process) victim {
	return func(_ context.Context, s *Stage) (*Process, error) { return of(s), nil }
}

var (
	theBroadcaster  = one(func(s *Stage) *Process { return s.Broadcaster })
	theOrchestrator = func(ctx context.Context, s *Stage) (*Process, error) { return s.Replica(ctx) }
	theNATS         = one(func(s *Stage) *Process { return s.NATS[0] })
	theChain        = one(func(s *Stage) *Process { return s.Chain })
	theHolder       = func(ctx context.Context, s *Stage) (*Process, error) { return s.Holder(ctx) }
)

// Holder is the transcoder with the most leases.
func (s *Stage) Holder(ctx context.Context) (*Process, error) {
	var best *Process
	most := -1
	for _, p := range s.Transcoders {
		var stats struct {
			Held int `json:"leases_held"`
		}
		if err := Ask(ctx, http.MethodGet, "http://"+p.HTTP()+"/api/v1/stats", &stats); err != nil {
			return nil, err
		}
		if stats.Held > most {
			best, most = p, stats.Held
		}
	}
	return best, nil
}

// Replica is the orchestrator with the most leases.
func (s *Stage) Replica(ctx context.Context) (*Process, error) {
	var best *Process
	most := -1
	for _, p := range s.Orchestrators {
		var leases []struct{}
		if err := Ask(ctx, http.MethodGet, "http://"+p.HTTP()+"/api/v1/leases", &leases); err != nil {
			return nil, err
		}
		if len(leases) > most {
			best, most = p, len(leases)
		}
	}
	return best, nil
}

// Faults are all that are tried, in the order of the table.
func Faults() []Fault {
	var all []Fault
	add := func(name, what, whom string, strike func(context.Context, *Stage) error) *Fault {
		all = append(all, Fault{Name: name, What: what, Whom: whom, strike: strike})
		return &all[len(all)-1]
	}
	roles := []struct {
		name, whom string
		who        victim
		apart      string
	}{
		{"broadcaster", "broadcaster", theBroadcaster, "broadcaster"},
		{"orchestrator", "orchestrator, the busier of two replicas", theOrchestrator, "orchestrator-1"},
		{"transcoder", "transcoder with the most leases", theHolder, "transcoder-1"},
		{"nats", "NATS, the only server", theNATS, "nats-1"},
		{"chain", "chain, the only endpoint", theChain, "chain"},
	}
	for _, r := range roles {
		add("kill-"+r.name, "kill -9", r.whom, killed(r.who)).Smoke = r.name == "transcoder" || r.name == "orchestrator"
	}
	add("kill-media", "kill -9", "media children of the transcoder with the most leases", killedMedia)
	add("kill-postgres", "kill -9", "Postgres, the only server", killedPostgres)
	for _, r := range roles {
		add("stop-"+r.name, "SIGSTOP, 6 s", r.whom, stopped(r.who))
	}
	add("stop-media", "SIGSTOP, 6 s", "media children of the transcoder with the most leases", stoppedMedia)
	add("stop-postgres", "SIGSTOP, 6 s", "Postgres with its backends", stoppedPostgres)
	for _, r := range roles {
		whom := r.whom
		switch r.name {
		case "transcoder":
			whom = "transcoder-1, the cheapest"
		case "orchestrator":
			whom = "orchestrator-1 of two replicas"
		}
		add("partition-"+r.name, "partition, 6 s", whom, during(cutFor, (*Stage).Cut)).Apart = r.apart
		add("loss-"+r.name, "30 % packet loss, 8 s", whom, during(lossy, func(s *Stage, ctx context.Context) error { return s.Lose(ctx, lossShare) })).Apart = r.apart
	}
	add("slow-disk-postgres", "slow disk: each fsync takes 50 ms", "Postgres", preloaded("SLOW_FSYNC_MS=50"))
	for _, r := range roles[:3] {
		add("skew-"+r.name, "clock 30 s ahead", r.whom, skewed(r.who))
	}
	add("skew-postgres", "clock 30 s ahead", "Postgres, by whose clock ticket sets live", preloaded("SKEW_S=30"))
	return all
}

// restarted starts a process that died, after a moment.
func restarted(ctx context.Context, p *Process) error {
	if !sleep(ctx, downFor) {
		return ctx.Err()
	}
	return p.Start(ctx)
}

func killed(who victim) func(context.Context, *Stage) error {
	return func(ctx context.Context, s *Stage) error {
		p, err := who(ctx, s)
		if err != nil {
			return err
		}
		if err := p.Kill(); err != nil {
			return err
		}
		return restarted(ctx, p)
	}
}

func stopped(who victim) func(context.Context, *Stage) error {
	return func(ctx context.Context, s *Stage) error {
		p, err := who(ctx, s)
		if err != nil {
			return err
		}
		return standStill(ctx, p.Signal)
	}
}

func standStill(ctx context.Context, signal func(syscall.Signal) error) error {
	if err := signal(syscall.SIGSTOP); err != nil {
		return err
	}
	sleep(ctx, stoppedFor)
	return signal(syscall.SIGCONT)
}

func media(ctx context.Context, s *Stage, signal syscall.Signal) ([]int, error) {
	p, err := s.Holder(ctx)
	if err != nil {
		return nil, err
	}
	children, err := p.Children("kinora-media")
	if err == nil && len(children) == 0 {
		err = fmt.Errorf("%s has no media children", p.Name)
	}
	if err != nil {
		return nil, err
	}
	for _, pid := range children {
		if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return nil, err
		}
	}
	return children, nil
}

func killedMedia(ctx context.Context, s *Stage) error {
	_, err := media(ctx, s, syscall.SIGKILL)
	return err
}

func stoppedMedia(ctx context.Context, s *Stage) error {
	children, err := media(ctx, s, syscall.SIGSTOP)
	if err != nil {
		return err
	}
	sleep(ctx, stoppedFor)
	for _, pid := range children { // those that were given up are gone
		if err := syscall.Kill(pid, syscall.SIGCONT); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	return nil
}

func killedPostgres(ctx context.Context, s *Stage) error {
	p, err := s.Postmaster()
	if err != nil {
		return err
	}
	if err := p.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	select {
	case <-s.PostgresEnded():
	case <-ctx.Done():
		return ctx.Err()
	}
	return s.StartPostgres(ctx) // which waits for the end of its backends: that is its second
}

func stoppedPostgres(ctx context.Context, s *Stage) error {
	p, err := s.Postmaster()
	if err != nil {
		return err
	}
	return standStill(ctx, p.SignalAll)
}

// during lets something be for a while.
func during(long time.Duration, begin func(*Stage, context.Context) error) func(context.Context, *Stage) error {
	return func(ctx context.Context, s *Stage) error {
		if err := begin(s, ctx); err != nil {
			return err
		}
		sleep(ctx, long)
		return s.Heal(context.WithoutCancel(ctx))
	}
}

// Outcome is what a fault cost.
type Outcome struct {
	Loss
	LostWei   protocol.Wei // delivered and never paid, or won and never redeemable
	VainWei   protocol.Wei // paid for segments that no playlist lists, or once more
	Gaps      int
	Unmatched int64 // segments released, less those on record as published
}

// Suffer runs a load with a fault in it, and settles.
func (s *Stage) Suffer(ctx context.Context, f Fault, l Load) (Outcome, error) {
	before := s.books
	loss, err := l.Run(ctx, s, 2, func(ctx context.Context) error { return f.strike(ctx, s) })
	if err != nil {
		return Outcome{Loss: loss}, fmt.Errorf("%s: %w", f.Name, err)
	}
	after, err := s.Settle(ctx, l)
	if err != nil {
		return Outcome{Loss: loss}, fmt.Errorf("%s: %w", f.Name, err)
	}
	s.books = after
	less := func(a, b protocol.Wei) protocol.Wei {
		if a.Less(b) { // what was late by the last account has come
			return protocol.Wei{}
		}
		return a.Sub(b)
	}
	return Outcome{Loss: loss, LostWei: less(after.LostWei, before.LostWei), VainWei: less(after.VainWei, before.VainWei), Gaps: after.Gaps,
		Unmatched: int64(loss.Segments-loss.Lost) - int64(after.Published-before.Published)}, nil
}
