package up

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/cmd/kinora/internal/livesource"
	"github.com/kinora/kinora/internal/chain"
)

// fundEscrow deploys the contract once and lets each payer deposit what it will spend, each with a transaction of its own.
func (m *market) fundEscrow(ctx context.Context) (string, error) {
	file := filepath.Join(m.dir, "escrow.json")
	var kept struct{ Address common.Address }
	if b, err := os.ReadFile(file); err == nil {
		if err := json.Unmarshal(b, &kept); err != nil {
			return "", fmt.Errorf("%s: %w", file, err)
		}
	} else {
		deployer := chain.NewAccount(m.client, m.parties[0].Signer)
		address, _, err := deployer.Deploy(ctx, 24*time.Hour)
		if err != nil {
			return "", err
		}
		kept.Address = address
		b, _ := json.Marshal(kept)
		if err := os.WriteFile(file, b, 0o644); err != nil {
			return "", err
		}
	}
	var err error
	if m.escrow, err = chain.NewEscrow(ctx, m.client, kept.Address); err != nil {
		return "", err
	}
	deposits := make(chan error, 2)
	for _, p := range m.parties[:2] { // in one block
		go func() { deposits <- m.deposit(ctx, p) }()
	}
	return kept.Address.Hex(), errors.Join(<-deposits, <-deposits)
}

func (m *market) deposit(ctx context.Context, p party) error {
	balance, err := m.escrow.Balance(ctx, p.Signer.Address())
	if err == nil && balance.Less(depositWei.Div(10)) {
		_, err = m.escrow.Deposit(ctx, chain.NewAccount(m.client, p.Signer), depositWei)
	}
	if err != nil {
		return fmt.Errorf("deposit of %s: %w", p.Name, err)
	}
	return nil
}

// environment is this process's without Kinora's own settings, which are the flags of up, with extra entries.
func (m *market) environment(extra ...string) []string {
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "KINORA_") {
			env = append(env, e)
		}
	}
	if m.programs.ffmpeg != "" {
		env = append(env, "KINORA_FFMPEG="+m.programs.ffmpeg)
	}
	return append(append(env, "KINORA_MEDIA="+m.programs.media), extra...)
}

func (m *market) child(name, program string, env []string, args func(c *child) []string) *child {
	c := &child{name: name, program: program, env: env, dir: filepath.Join(m.dir, "logs"), log: m.log}
	c.args = func() []string { return args(c) }
	return c
}

// shared are the flags every role has.
func (m *market) shared(p party, listen string) []string {
	return []string{"--http", listen, "--chain-rpc", m.chain.URL(), "--escrow", m.escrow.Address().Hex(), "--keystore", p.Keystore,
		"--password-file", m.password, "--data", filepath.Join(m.dir, p.Name)}
}

func ticketTimes() []string {
	return []string{"--ticket-usable", ticketUsable.String(), "--ticket-accept", ticketAccept.String(), "--ticket-redeem", ticketRedeem.String(),
		"--face-value-multiple", "1", "--confirmations", "0", "--max-gas-percent", "0"} // a chain of our own takes nothing back
}

// startMarket starts the orchestrator and the transcoders, which find each other by the bus, and waits until all are ready.
func (m *market) startMarket(ctx, life context.Context) (string, error) {
	if err := os.MkdirAll(filepath.Join(m.dir, "logs"), 0o755); err != nil {
		return "", err
	}
	env := m.environment("KINORA_DATABASE_URL=" + m.postgres.URL("orchestrator"))
	m.orchestrator = m.child("orchestrator", m.programs.kinora, env, func(c *child) []string {
		args := append([]string{"orchestrator"}, m.shared(m.seller(), c.listen("127.0.0.1:0"))...)
		return append(append(args, ticketTimes()...), "--nats", m.exchange(), "--wei-per-pixel", sellWeiPerPixel,
			"--allocation-per-transcoder", ether(1).String())
	})
	m.orchestrator.start(life)
	for i := range m.o.Transcoders {
		p := m.parties[2+i]
		program, own := m.programs.kinora, []string{"transcoder"}
		price := fmt.Sprint(bidWeiPerPixel + 2_000_000*i)
		if m.o.Cheat != "none" && i == m.o.Transcoders-1 {
			program, own, price = m.programs.adversary, []string{"transcoder", "--cheat", m.o.Cheat}, cheatWeiPerPx
		}
		t := m.child(p.Name, program, m.environment(), func(c *child) []string {
			args := append(append([]string{}, own...), m.shared(p, c.listen("127.0.0.1:0"))...)
			return append(append(args, ticketTimes()...), "--nats", m.exchange(), "--wei-per-pixel", price)
		})
		m.transcoders = append(m.transcoders, t)
		t.start(life)
	}
	for _, c := range append([]*child{m.orchestrator}, m.transcoders...) {
		if err := c.wait(ctx); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("http://%s/, cheat: %s", m.orchestrator.addr(), m.o.Cheat), nil
}

// awaitAllocations waits until the orchestrator has allocated to each transcoder: an award needs that confirmed.
func (m *market) awaitAllocations(ctx context.Context) (string, error) {
	err := poll(ctx, func() (bool, error) {
		var s orchestratorStats
		err := m.orchestrator.ask(ctx, "GET", "/api/v1/stats", &s)
		return err == nil && s.Allocated >= m.o.Transcoders, err
	})
	if err != nil {
		return "", fmt.Errorf("the orchestrator did not allocate to every transcoder: %w; its log is %s", err, m.orchestrator.logFile())
	}
	return fmt.Sprintf("%d of them", m.o.Transcoders), nil
}

func (m *market) startBroadcaster(ctx, life context.Context) (string, error) {
	env := m.environment("KINORA_DATABASE_URL=" + m.postgres.URL("broadcaster"))
	m.broadcaster = m.child("broadcaster", m.programs.kinora, env, func(c *child) []string {
		args := append([]string{"broadcaster"}, m.shared(m.parties[0], c.listen(m.o.HTTP))...)
		args = append(args, "--orchestrator", "http://"+m.orchestrator.addr(), "--segment-duration", fmt.Sprintf("%ds", segmentSeconds),
			"--warn-runway", "30m", "--no-pass-through") // what is published here is paid for: the books are compared
		for _, p := range m.parties {
			args = append(args, "--party", p.Name+"="+p.Signer.Address().Hex())
		}
		if m.o.Ladder != "" {
			args = append(args, "--ladder", m.o.Ladder)
		}
		if m.o.PushSecretFile != "" {
			args = append(args, "--push-secret-file", m.o.PushSecretFile)
		}
		if m.o.Hold {
			args = append(args, "--retention", "0s")
		}
		return args
	})
	var err error
	if m.broadcaster.secret, err = m.o.secret(); err != nil {
		return "", err
	}
	m.broadcaster.start(life)
	if err := m.broadcaster.wait(ctx); err != nil {
		return "", err
	}
	return "http://" + m.broadcaster.addr() + "/", nil
}

// broadcast runs the source until the duration, counted from the first segment, or the context ends.
func (m *market) broadcast(ctx context.Context) {
	if m.o.Input == "none" {
		m.say.say("no stream of its own (--input none): push to http://%s/live/%s/0.ts", m.broadcaster.addr(), m.o.Stream)
		var timer <-chan time.Time
		if m.o.Duration > 0 {
			timer = time.After(m.o.Duration)
		}
		select {
		case <-ctx.Done():
		case <-timer:
		}
		return
	}
	live, stop := context.WithCancel(ctx)
	defer stop()
	var once sync.Once
	source := livesource.Source{FFmpeg: m.programs.ffmpeg, Input: m.o.Input, SegmentSeconds: segmentSeconds, Secret: m.broadcaster.secret,
		PushURL: fmt.Sprintf("http://%s/live/%s", m.broadcaster.addr(), m.o.Stream), Log: m.log,
		OnBegin: func() {
			if m.o.Duration > 0 {
				once.Do(func() { time.AfterFunc(m.o.Duration, stop) })
			}
		},
		OnFirst: func() { m.say.say("the first segment is transcoded, verified and published") },
	}
	for seq := uint64(0); live.Err() == nil; {
		pushed, err := source.Run(live)
		if err != nil && live.Err() == nil {
			m.log.Warn("the source is started again", "err", err)
			seq += uint64(pushed) + 1
			source.FirstSeq = seq
			pause(live, time.Second)
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// Patience at the end of a run: for segments in flight and tickets under way, and for redemptions to be mined.
const (
	finishPatience = 30 * time.Second
	settlePatience = 40 * time.Second
	stopPatience   = 8 * time.Second
)

// account ends the stream, lets everything won be redeemed, and draws up the report.
func (m *market) account(before snapshot) (Report, error) {
	// A signal that ended the run does not end its accounting: money won must be redeemed.
	ctx, cancel := context.WithTimeout(context.Background(), finishPatience+settlePatience)
	defer cancel()
	m.say.say("\nstopping: finishing segments, flushing tickets, redeeming winners")
	end := "/api/v1/streams/" + m.o.Stream + "/end"
	if err := poll(ctx, func() (bool, error) {
		err := m.broadcaster.ask(ctx, "POST", end, nil)
		if err != nil && m.o.Input == "none" && strings.Contains(err.Error(), "not_found") {
			return true, nil // nothing was pushed
		}
		return err == nil, err
	}); err != nil {
		return Report{}, fmt.Errorf("end the stream: %w", err)
	}
	recipients := append([]*child{m.orchestrator}, m.transcoders...)
	failures := make(chan error, len(recipients))
	for _, c := range recipients {
		go func() {
			failures <- poll(ctx, func() (bool, error) {
				err := c.ask(ctx, "POST", "/api/v1/drain?timeout=20s", nil)
				return err == nil, err
			})
		}()
	}
	for range recipients {
		if err := <-failures; err != nil {
			m.log.Warn("winners are left to be redeemed", "err", err)
		}
	}
	after, err := m.books(ctx)
	if err != nil {
		return Report{}, err
	}
	return m.compare(ctx, before, after)
}

// poll asks until the answer is yes; the last refusal is kept for the error.
func poll(ctx context.Context, ask func() (bool, error)) error {
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

// takeDown stops what was started, in reverse: roles first, then what they stand on.
func (m *market) takeDown() error {
	roles := append([]*child{m.broadcaster}, m.transcoders...)
	for _, c := range append(roles, m.orchestrator) {
		if c != nil {
			c.stop(stopPatience)
		}
	}
	var errs []error
	if m.client != nil {
		m.client.Close()
	}
	if m.chain != nil {
		errs = append(errs, m.chain.Close())
	}
	if m.nats != nil {
		errs = append(errs, m.nats.Close())
	}
	if m.postgres != nil {
		m.postgres.Stop()
	}
	return errors.Join(errs...)
}
