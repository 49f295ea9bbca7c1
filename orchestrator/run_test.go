package orchestrator_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/bus/embedded"
	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/chain/devchain"
	"github.com/kinora/kinora/internal/identity"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/payment/litestore"
	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/migrations"
	"github.com/kinora/kinora/orchestrator"
	"github.com/kinora/kinora/orchestrator/internal/peertest"
)

const configVariable = "KINORA_ORCHESTRATOR_TEST_CONFIG"

// TestMain doubles as an orchestrator that serves until it is killed.
func TestMain(m *testing.M) {
	text := os.Getenv(configVariable)
	if text == "" {
		os.Exit(m.Run())
	}
	var c orchestrator.Config
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	c.OnReady = func(r orchestrator.Ready) { fmt.Println(r.HTTP) }
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := orchestrator.Run(ctx, c, slog.New(slog.NewTextHandler(os.Stderr, nil))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

const patience = 60 * time.Second

var ladder = protocol.Ladder{
	{Name: "90p", Width: 160, Height: 90, Bitrate: 200_000, Codec: protocol.H264, Preset: "ultrafast"},
	{Name: "54p", Width: 96, Height: 54, Bitrate: 100_000, Codec: protocol.H264, Preset: "ultrafast"},
}

func ether(n uint64) protocol.Wei { return protocol.NewWei(1e18).Mul(n) }

// town is a chain, a bus and a database with one payer and one transcoder, both with real tickets.
type town struct {
	*testing.T
	domain   protocol.Domain
	escrow   *chain.Escrow
	config   orchestrator.Config
	self     common.Address
	payerKey *protocol.KeySigner
	payer    *payment.Payer
	earner   *payment.Recipient
	worker   common.Address // the earner's
	url      string
	client   *http.Client
	log      *slog.Logger
	delivers func() // called before a receipt leaves, if it is set before work begins
	pay      func(ctx context.Context, o payment.Order) error
}

func (w *town) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *town) account(name string) (key *protocol.KeySigner, file, password string) {
	w.Helper()
	dir := filepath.Join(w.TempDir(), name)
	password = filepath.Join(dir, "password")
	_, file, err := identity.Create(dir, password, identity.LightScrypt())
	w.must(err)
	key, err = identity.Load(file, password)
	w.must(err)
	return key, file, password
}

func newTown(t *testing.T) *town {
	w := &town{T: t, log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))}
	ctx := t.Context()
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	t.Cleanup(stop)
	self, keystore, password := w.account("orchestrator")
	earner, _, _ := w.account("transcoder")
	w.payerKey, _, _ = w.account("broadcaster")
	w.self, w.worker = self.Address(), earner.Address()
	dev, err := devchain.Start(ctx, devchain.Options{Prefund: map[common.Address]protocol.Wei{
		self.Address(): ether(100), earner.Address(): ether(100), w.payerKey.Address(): ether(100)}})
	w.must(err)
	t.Cleanup(func() { _ = dev.Close() })
	client, err := chain.Dial(ctx, dev.URL())
	w.must(err)
	t.Cleanup(client.Close)
	address, _, err := chain.NewAccount(client, w.payerKey).Deploy(ctx, 24*time.Hour)
	w.must(err)
	w.escrow, err = chain.NewEscrow(ctx, client, address)
	w.must(err)
	w.domain = w.escrow.Domain()
	_, err = w.escrow.Deposit(ctx, chain.NewAccount(client, w.payerKey), ether(10))
	w.must(err)
	_, err = w.escrow.Deposit(ctx, chain.NewAccount(client, self), ether(10))
	w.must(err)
	_, err = w.escrow.Allocate(ctx, chain.NewAccount(client, w.payerKey), self.Address(), ether(2))
	w.must(err)

	nats, err := embedded.Start(embedded.Options{})
	w.must(err)
	t.Cleanup(func() { _ = nats.Close() })
	l, err := net.Listen("tcp", "127.0.0.1:0") // an address that a restart finds again
	w.must(err)
	w.config = orchestrator.Config{HTTP: l.Addr().String(), DatabaseURL: pgtest.URL(t), NATS: nats.URL(), ChainRPC: dev.URL(), Escrow: address.Hex(),
		Keystore: keystore, PasswordFile: password, WeiPerPixel: protocol.NewWei(150), QuoteValid: time.Minute, AllocationPerTranscoder: ether(1),
		MaxTranscoders: 4, MinTranscoders: 1, TopUpInterval: 5 * time.Second, LeaseTime: 30 * time.Second, LeaseIdle: 10 * time.Second, AwardTimeout: time.Second,
		SlotTimeout: 2 * time.Second, Backoff: 500 * time.Millisecond, MaxAttempts: 4, MaxInFlight: 16, MaxSegmentBytes: 8 << 20, BodyIdle: 5 * time.Second,
		DrainTimeout: 5 * time.Second, TicketUsable: 8 * time.Second, TicketAccept: 20 * time.Second, TicketRedeem: 22 * time.Second, FaceValueMultiple: 2}
	w.must(l.Close())
	w.url = "http://" + w.config.HTTP

	db, err := litestore.Open(filepath.Join(t.TempDir(), "tickets.db"))
	w.must(err)
	t.Cleanup(func() { _ = db.Close() })
	w.must(migrations.SQLite(ctx, db, "recipient_sqlite"))
	w.earner = payment.NewRecipient(payment.RecipientConfig{Domain: w.domain, Signer: earner, Account: chain.NewAccount(client, earner),
		Usable: 8 * time.Second, Accept: 20 * time.Second, Redeem: 22 * time.Second, FaceValueMultiple: 2, Log: w.log}, litestore.New(db), w.escrow)
	payerDB := pgtest.URL(t)
	w.must(migrations.Postgres(ctx, payerDB, "payer"))
	pool := pgtest.Open(t, payerDB)
	w.payer = payment.NewPayer(payment.PayerConfig{Domain: w.domain, Signer: w.payerKey, Log: w.log}, pgstore.Payer(pool), sender{w})
	w.pay = func(ctx context.Context, o payment.Order) error {
		tx, err := pool.Begin(ctx)
		if err != nil {
			return err
		}
		if _, err := w.payer.PayTx(ctx, tx, o); err != nil {
			return errors.Join(err, tx.Rollback(ctx))
		}
		if err := tx.Commit(ctx); err != nil {
			return err
		}
		w.payer.Wake()
		return nil
	}
	ended := make(chan struct{}, 2)
	go func() { _ = w.earner.Run(life); ended <- struct{}{} }()
	go func() { _ = w.payer.Run(life); ended <- struct{}{} }()
	t.Cleanup(func() { stop(); <-ended; <-ended })
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(transport.CloseIdleConnections)
	w.client = &http.Client{Transport: transport}
	peertest.Join(t, peertest.Options{Domain: w.domain, Key: earner, NATS: nats.URL(), Price: 100, Manner: peertest.Honest, Log: w.log,
		Params: w.earner.Params, Admit: w.earner.AdmitBy,
		Owe: func(ctx context.Context, payer common.Address, attempt protocol.ID, stream string, fee protocol.Wei) error {
			if w.delivers != nil {
				w.delivers()
			}
			return w.earner.Owe(ctx, payment.Owed{Payer: payer, Attempt: attempt, Stream: stream, Fee: fee})
		},
		Tickets: func(ctx context.Context, b []byte) ([]byte, error) {
			d, err := protocol.Decode[payment.Delivery](b)
			if err != nil {
				return nil, err
			}
			answer, err := w.earner.Accept(ctx, d)
			if err != nil {
				return nil, err
			}
			return protocol.Encode(answer), nil
		}})
	return w
}

// process is an orchestrator in a process of its own.
type process struct {
	*exec.Cmd
	ended chan error
}

func (w *town) start() *process {
	w.Helper()
	text, err := json.Marshal(w.config)
	w.must(err)
	p := &process{Cmd: exec.Command(os.Args[0]), ended: make(chan error, 1)}
	p.Env = append(os.Environ(), configVariable+"="+string(text))
	p.Stderr = w.Output()
	p.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := p.StdoutPipe()
	w.must(err)
	w.must(p.Start())
	ready := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(out)
		if lines.Scan() {
			ready <- lines.Text()
		}
		_, _ = io.Copy(io.Discard, out)
		p.ended <- p.Wait()
	}()
	w.Cleanup(func() { _ = p.Process.Kill() })
	select {
	case <-ready:
	case err := <-p.ended:
		w.Fatalf("the orchestrator ended: %v", err)
	case <-time.After(patience):
		w.Fatal("the orchestrator is not ready")
	}
	w.eventually("it says that it is ready", func() bool {
		resp, err := w.client.Get(w.url + "/readyz")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return p
}

func (w *town) eventually(what string, is func() bool) {
	w.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for !is() {
		select {
		case <-poll.C:
		case <-deadline.C:
			w.Fatalf("waited in vain until %s", what)
		}
	}
}

// sender is the payer's way to the orchestrator.
type sender struct{ w *town }

// Send is payment.Sender's.
func (s sender) Send(ctx context.Context, _ common.Address, d payment.Delivery) (payment.DeliveryAnswer, error) {
	var answer payment.DeliveryAnswer
	return answer, s.w.post(ctx, "/v1/tickets", d, &answer)
}

func (w *town) post(ctx context.Context, path string, body, answer any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url+path, bytes.NewReader(protocol.Encode(body)))
	if err != nil {
		return err
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		var p protocol.Problem
		if err := json.NewDecoder(resp.Body).Decode(&p); err != nil {
			return err
		}
		return p.Err()
	}
	return json.NewDecoder(resp.Body).Decode(answer)
}

// push offers one segment and pays for it, as a broadcaster does that trusts the verdict.
func (w *town) push(ctx context.Context, seq uint64, b []byte) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var q protocol.QuoteAnswer
	if err := w.post(ctx, "/v1/quote", protocol.QuoteRequest{Payer: w.payerKey.Address(), Stream: "demo", Ladder: ladder, SourceFPS: 30, SegmentMillis: 1000, MaxMillis: 2000}, &q); err != nil {
		return err
	}
	if err := w.payer.Use(ctx, "demo", q.Params); err != nil {
		return err
	}
	h, err := protocol.Seal(w.domain, w.payerKey, protocol.SegmentHeader{Payer: w.payerKey.Address(), Recipient: w.self, Quote: q.Quote.Message.ID,
		SegmentKey: protocol.SegmentKey{Stream: "demo", Seq: seq}, Budget: q.Quote.Message.MaxFee, Expiry: uint64(time.Now().Add(time.Hour).Unix())})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("%s/v1/streams/demo/segments/%d", w.url, seq), bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set(protocol.OfferField, protocol.EncodeField(protocol.SegmentOffer{Header: h, DurationMillis: 1000, BudgetMillis: 8000}))
	resp, err := w.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, err := io.ReadAll(resp.Body)
		return errors.Join(fmt.Errorf("status %d: %s", resp.StatusCode, text), err)
	}
	var receipt protocol.Signed[protocol.Receipt]
	for frames := protocol.NewFrameReader(resp.Body); ; {
		f, err := frames.Read()
		if err != nil {
			return err
		}
		switch f.Kind {
		case protocol.FrameReceipt:
			err = json.Unmarshal(f.Payload, &receipt)
		case protocol.FrameVerdict:
			var v protocol.Verdict
			if err = json.Unmarshal(f.Payload, &v); err == nil && v.Passed {
				fee, err := ladder.Fee(q.Quote.Message.Prices, receipt.Message)
				if err != nil {
					return err
				}
				return w.pay(ctx, payment.Order{Recipient: w.self, Stream: "demo", Attempt: v.Attempt, Fee: fee})
			}
		case protocol.FrameEnd:
			return fmt.Errorf("ended without a verdict: %s", f.Payload)
		}
		if err != nil {
			return err
		}
	}
}

type stats struct {
	Awards     uint64                 `json:"awards"`
	VerifiedL0 uint64                 `json:"verified_l0"`
	InFlight   int                    `json:"in_flight"`
	Payer      payment.PayerStats     `json:"payer"`
	Recipient  payment.RecipientStats `json:"recipient"`
	Spend      payment.Spending       `json:"spend"`
	Funds      payment.Funds          `json:"funds"`
}

func (w *town) stats() (s stats) {
	w.Helper()
	resp, err := w.client.Get(w.url + "/api/v1/stats")
	w.must(err)
	defer resp.Body.Close()
	w.must(json.NewDecoder(resp.Body).Decode(&s))
	return s
}

// The orchestrator is killed while segments are in flight, twice. The stream goes on, and in the end every segment was paid
// for once on hop one, and every verified attempt once on hop two.
func TestRun_killedAtAnyMomentPaysAndIsPaidOnce(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	segments := mediatest.Segments(t, mediatest.Spec{Seconds: 8, SegmentSeconds: 1})
	p := w.start()
	kills := 0
	for seq, s := range segments {
		if seq == 2 || seq == 5 { // somewhere inside the next segment
			kills++
			doomed := p
			time.AfterFunc(time.Duration(120*kills)*time.Millisecond, func() { _ = doomed.Process.Kill() })
		}
		tried := time.Now()
		for err := w.push(t.Context(), uint64(seq), s.Bytes); err != nil; err = w.push(t.Context(), uint64(seq), s.Bytes) {
			if time.Since(tried) > patience {
				t.Fatalf("segment %d: %v", seq, err)
			}
			select {
			case <-p.ended:
				p = w.start()
			case <-time.After(100 * time.Millisecond):
			}
		}
		if seq == 2 || seq == 5 { // if it was fast enough, the kill comes now
			select {
			case <-p.ended:
				p = w.start()
			case <-time.After(500 * time.Millisecond):
			}
		}
	}
	w.must(w.payer.EndStream(t.Context(), "demo"))
	n := uint64(len(segments))
	var s stats
	w.eventually("both hops are paid", func() bool {
		s = w.stats()
		return s.Recipient.Accepted == n && s.Recipient.OwedWei.IsZero() && s.Payer.Acknowledged == s.VerifiedL0 && s.Payer.Unsent == 0 && s.Payer.Due == 0 && s.InFlight == 0
	})
	if s.VerifiedL0 < n || s.VerifiedL0 > n+2 {
		t.Errorf("%d attempts were verified for %d segments and 2 kills", s.VerifiedL0, n)
	}
	earned, err := w.earner.Stats(t.Context())
	w.must(err)
	if earned.Accepted != s.VerifiedL0 || !earned.OwedWei.IsZero() && s.VerifiedL0 == earned.Accepted+1 {
		t.Errorf("the transcoder has %d tickets for %d verified attempts, and %s wei owed", earned.Accepted, s.VerifiedL0, earned.OwedWei)
	}
	// The end of the stream reached the second hop: its sets are closed before their time.
	w.eventually("the transcoder's sets are closed", func() bool {
		earned, err := w.earner.Stats(t.Context())
		w.must(err)
		return earned.OpenSets == 0
	})
	// What was won is redeemed on both hops, and the chain agrees.
	var answer payment.RecipientStats
	w.must(w.post(t.Context(), "/api/v1/drain?timeout=30s", nil, &answer))
	if resp, err := w.client.Get(w.url + "/readyz"); err != nil {
		t.Error(err)
	} else if text, err := io.ReadAll(resp.Body); resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(text), "draining") {
		t.Errorf("after a drain it says that it is ready: %d %s, %v", resp.StatusCode, text, err)
	}
	w.must(w.earner.Drain(t.Context()))
	paid, err := w.escrow.Redemptions(t.Context(), 0)
	w.must(err)
	var in, out protocol.Wei
	for _, r := range paid {
		if r.Recipient == w.self {
			in = in.Add(r.Amount)
		} else {
			out = out.Add(r.Amount)
		}
	}
	earned, err = w.earner.Stats(t.Context())
	w.must(err)
	if in != answer.EarnedWei || in != answer.WonWei || out != earned.EarnedWei || out != earned.WonWei {
		t.Errorf("chain: %s in, %s out; books: %s of %s in, %s of %s out", in, out, answer.EarnedWei, answer.WonWei, earned.EarnedWei, earned.WonWei)
	}
	w.must(p.Process.Signal(syscall.SIGTERM))
	select {
	case err := <-p.ended:
		if err != nil {
			t.Errorf("a graceful end: %v", err)
		}
	case <-time.After(patience):
		t.Error("it does not end")
	}
}

func TestValidate_namesTheSetting(t *testing.T) {
	t.Parallel()
	good := orchestrator.Config{HTTP: "127.0.0.1:0", DatabaseURL: "postgres://x", NATS: "nats://127.0.0.1", ChainRPC: "http://x", Escrow: common.HexToAddress("0x1").Hex(),
		Keystore: "k", PasswordFile: "p", WeiPerPixel: protocol.NewWei(1), QuoteValid: time.Minute, AllocationPerTranscoder: protocol.NewWei(1), MaxTranscoders: 1,
		TopUpInterval: time.Second, LeaseTime: time.Minute, LeaseIdle: time.Second, AwardTimeout: time.Second, SlotTimeout: time.Second, MaxAttempts: 1,
		MaxInFlight: 1, MaxSegmentBytes: 1, BodyIdle: time.Second}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*orchestrator.Config){
		"http":                      func(c *orchestrator.Config) { c.HTTP = "8936" },
		"advertise-url":             func(c *orchestrator.Config) { c.HTTP = "0.0.0.0:8936" },
		"database-url":              func(c *orchestrator.Config) { c.DatabaseURL = "" },
		"nats":                      func(c *orchestrator.Config) { c.NATS = "" },
		"chain-rpc":                 func(c *orchestrator.Config) { c.ChainRPC = "" },
		"escrow":                    func(c *orchestrator.Config) { c.Escrow = "0x0" },
		"keystore":                  func(c *orchestrator.Config) { c.Keystore = "" },
		"password-file":             func(c *orchestrator.Config) { c.PasswordFile = "" },
		"wei-per-pixel":             func(c *orchestrator.Config) { c.WeiPerPixel = protocol.Wei{} },
		"allocation-per-transcoder": func(c *orchestrator.Config) { c.AllocationPerTranscoder = protocol.Wei{} },
		"tls-cert":                  func(c *orchestrator.Config) { c.TLSCert = "x" },
		"auction":                   func(c *orchestrator.Config) { c.Auction = "first-come" },
		"keep-percent":              func(c *orchestrator.Config) { c.KeepPercent = 91 },
		"auction-epoch":             func(c *orchestrator.Config) { c.AuctionEpoch = time.Second },
		"lease-time":                func(c *orchestrator.Config) { c.LeaseTime = 0 },
		"ticket-accept":             func(c *orchestrator.Config) { c.TicketUsable, c.TicketAccept = 2, 1 },
		"ticket-redeem":             func(c *orchestrator.Config) { c.TicketAccept, c.TicketRedeem = 2, 1 },
	} {
		c := good
		change(&c)
		if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), "--"+name+": ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
