package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/broadcaster"
	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/chain/devchain"
	"github.com/kinora/kinora/internal/identity"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/passport"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator"
	"github.com/kinora/kinora/transcoder"
)

// The settings of the roles without their methods: defaults alone are not valid.
type (
	sellerSettings orchestrator.Config
	workerSettings transcoder.Config
	buyerSettings  broadcaster.Config
)

// defaults are those of a role's flags.
func defaults[C any](t *testing.T) (c C) {
	t.Helper()
	if err := kong.ApplyDefaults(&c); err != nil {
		t.Fatal(err)
	}
	return c
}

// freePort is one that a role may listen on, and that others must be told before it does.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// TestMarketBetweenMachines_isEncryptedAndKnowsEverybodyByIdentity runs three roles as if on three machines: every hop is TLS, no
// certificate is anybody's but its server's own, and the transcoder joins by a token.
func TestMarketBetweenMachines_isEncryptedAndKnowsEverybodyByIdentity(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	type party struct {
		*protocol.KeySigner
		keystore, password string
	}
	enrol := func(name string) party {
		dir := filepath.Join(t.TempDir(), name)
		_, file, err := identity.Create(dir, filepath.Join(dir, "password"), identity.LightScrypt())
		must(err)
		key, err := identity.Load(file, filepath.Join(dir, "password"))
		must(err)
		return party{key, file, filepath.Join(dir, "password")}
	}
	seller, worker, buyer := enrol("orchestrator"), enrol("transcoder"), enrol("broadcaster")
	ether := protocol.NewWei(1e18)
	dev, err := devchain.Start(ctx, devchain.Options{Period: time.Second, Prefund: map[common.Address]protocol.Wei{seller.Address(): ether.Mul(100), buyer.Address(): ether.Mul(100)}})
	must(err)
	t.Cleanup(func() { _ = dev.Close() })
	client, err := chain.Dial(ctx, dev.URL())
	must(err)
	t.Cleanup(client.Close)
	address, _, err := chain.NewAccount(client, buyer).Deploy(ctx, 24*time.Hour)
	must(err)
	escrow, err := chain.NewEscrow(ctx, client, address)
	must(err)
	for _, p := range []party{seller, buyer} {
		_, err = escrow.Deposit(ctx, chain.NewAccount(client, p), ether.Mul(10))
		must(err)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	run := func(name string, role func(context.Context) error) {
		life, stop := context.WithCancel(context.WithoutCancel(ctx))
		ended := make(chan error, 1)
		go func() { ended <- role(life) }()
		t.Cleanup(func() {
			stop()
			if err := <-ended; err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	await := func(name string, ready <-chan struct{}) {
		select {
		case <-ready:
		case <-ctx.Done():
			t.Fatalf("the %s is not ready", name)
		}
	}

	o := orchestrator.Config(defaults[sellerSettings](t))
	httpPort, natsPort := freePort(t), freePort(t)
	o.HTTP, o.AdvertiseURL, o.NATSListen = "0.0.0.0:"+httpPort, "https://127.0.0.1:"+httpPort, "0.0.0.0:"+natsPort
	o.DatabaseURL, o.ChainRPC, o.Escrow, o.Keystore, o.PasswordFile = pgtest.URL(t), dev.URL(), address.Hex(), seller.keystore, seller.password
	o.Confirmations, o.TopUpInterval, o.MediaChild, o.AllocationPerTranscoder = 0, 500*time.Millisecond, program(t, "kinora-media"), ether
	selling := make(chan struct{})
	o.OnReady = func(orchestrator.Ready) { close(selling) }
	admissions, err := orchestrator.OpenAdmissions(ctx, o.DatabaseURL)
	must(err)
	t.Cleanup(admissions.Close)
	token, _, err := admissions.CreateToken(ctx, "", time.Hour)
	must(err)
	run("orchestrator", func(ctx context.Context) error { return orchestrator.Run(ctx, o, log) })
	await("orchestrator", selling)

	w := transcoder.Config(defaults[workerSettings](t))
	w.NATS, w.ChainRPC, w.Escrow, w.Keystore, w.PasswordFile = seller.Address().Hex()+"@tls://127.0.0.1:"+natsPort, dev.URL(), address.Hex(), worker.keystore, worker.password
	w.Data, w.MediaChild, w.Encoders, w.Confirmations, w.JoinTokenFile = t.TempDir(), program(t, "kinora-media"), transcoder.EncodersCPU, 0, filepath.Join(t.TempDir(), "token")
	must(os.WriteFile(w.JoinTokenFile, []byte(token+"\n"), 0o600))
	bidding := make(chan struct{})
	w.OnReady = func(transcoder.Ready) { close(bidding) }
	run("transcoder", func(ctx context.Context) error { return transcoder.Run(ctx, w, log) })
	await("transcoder", bidding)

	b := broadcaster.Config(defaults[buyerSettings](t))
	b.HTTP, b.DatabaseURL, b.ChainRPC, b.Escrow, b.Keystore, b.PasswordFile = "127.0.0.1:0", pgtest.URL(t), dev.URL(), address.Hex(), buyer.keystore, buyer.password
	b.Data, b.MediaChild, b.Orchestrators = t.TempDir(), program(t, "kinora-media"), []string{seller.Address().Hex() + "@https://127.0.0.1:" + httpPort}
	buying, page := make(chan struct{}), ""
	b.OnReady = func(r broadcaster.Ready) { page = r.HTTP; close(buying) }
	run("broadcaster", func(ctx context.Context) error { return broadcaster.Run(ctx, b, log) })
	await("broadcaster", buying)

	segments := mediatest.Segments(t, mediatest.Spec{Width: 640, Height: 360, FPS: 30, Seconds: 4, SegmentSeconds: 2, Bitrate: 1_000_000})
	for i, s := range segments {
		for { // until the orchestrator has allocated to the transcoder
			req, err := http.NewRequestWithContext(ctx, http.MethodPut, fmt.Sprintf("http://%s/live/cam/%d.ts", page, i), bytes.NewReader(s.Bytes))
			must(err)
			req.Header.Set("Content-Duration", "2000")
			resp, err := http.DefaultClient.Do(req)
			must(err)
			body, err := io.ReadAll(resp.Body)
			must(err)
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				break
			}
			if !strings.Contains(string(body), "no_transcoder") && !strings.Contains(string(body), "no_orchestrator") && !strings.Contains(string(body), "no_allocation") && !strings.Contains(string(body), "deadline") {
				t.Fatalf("segment %d: %s %s", i, resp.Status, body)
			}
		}
	}

	// Whoever does not know the orchestrator's identity, or means another, gets no connection at all.
	for who, want := range map[common.Address]string{{}: "write " + seller.Address().Hex() + "@", buyer.Address(): "not " + buyer.Address().Hex()} {
		conn, err := passport.NewTrust(escrow.Domain()).Dial(ctx, "tcp", "127.0.0.1:"+httpPort, who, "h2")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("expecting %s: %v", who, err)
		}
		if err == nil {
			conn.Close()
		}
	}
	if resp, err := http.Get("http://127.0.0.1:" + httpPort + "/healthz"); err == nil {
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			t.Error("it answers in the clear")
		}
	}
}
