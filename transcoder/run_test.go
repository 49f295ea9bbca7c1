package transcoder_test

import (
	"bufio"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/bus"
	"github.com/kinora/kinora/internal/bus/embedded"
	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/chain/devchain"
	"github.com/kinora/kinora/internal/identity"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
	"github.com/kinora/kinora/transcoder"
	"github.com/kinora/kinora/transcoder/internal/encode/encodetest"
)

var ladder = protocol.Ladder{
	{Name: "a", Width: 160, Height: 90, Bitrate: 200_000, Codec: protocol.H264, Preset: "ultrafast"},
	{Name: "b", Width: 128, Height: 72, Bitrate: 100_000, Codec: protocol.H264, Preset: "ultrafast"},
}

func ether(n uint64) protocol.Wei { return protocol.NewWei(1e18).Mul(n) }

// world is a chain with an escrow, a NATS server, and an orchestrator that deposited.
type world struct {
	orchestrator *protocol.KeySigner
	account      *chain.Account
	escrow       *chain.Escrow
	nats         *embedded.Server
	bus          *bus.Bus
	config       transcoder.Config
	transcoder   common.Address
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	address, keystore, err := identity.Create(dir, filepath.Join(dir, "password"), identity.LightScrypt())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{orchestrator: encodetest.NewKey(t), transcoder: common.HexToAddress(address)}
	dev, err := devchain.Start(t.Context(), devchain.Options{Prefund: map[common.Address]protocol.Wei{
		w.orchestrator.Address(): ether(100), w.transcoder: ether(1)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dev.Close() })
	client, err := chain.Dial(t.Context(), dev.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	w.account = chain.NewAccount(client, w.orchestrator)
	escrow, _, err := w.account.Deploy(t.Context(), 14*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if w.escrow, err = chain.NewEscrow(t.Context(), client, escrow); err != nil {
		t.Fatal(err)
	}
	if w.nats, err = embedded.Start(embedded.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.nats.Close() })
	if w.bus, err = bus.Dial(t.Context(), w.nats.URL(), bus.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.bus.Close() })
	w.config = transcoder.Config{HTTP: "127.0.0.1:0", NATS: w.nats.URL(), ChainRPC: dev.URL(), Escrow: escrow.Hex(), Keystore: keystore,
		PasswordFile: filepath.Join(dir, "password"), Data: filepath.Join(dir, "data"), WeiPerPixel: protocol.NewWei(1e9), Capacity: transcoder.PixelRates{{Codec: protocol.H264, PixelRate: 1 << 40}}, FreeSlots: 4,
		LeaseIdle: time.Minute, DrainTimeout: 10 * time.Second, TicketUsable: 20 * time.Second, TicketAccept: 40 * time.Second, TicketRedeem: 41 * time.Second}
	return w
}

// run starts the role and returns where it is and how to stop it; stopping twice is harmless.
func (w *world) run(t *testing.T) (ready transcoder.Ready, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c, ended := make(chan transcoder.Ready, 1), make(chan error, 1)
	config := w.config
	config.OnReady = func(r transcoder.Ready) { c <- r }
	go func() { ended <- transcoder.Run(ctx, config, slog.New(slog.NewTextHandler(t.Output(), nil))) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(encodetest.Patience):
			t.Error("Run did not end")
		}
	}
	t.Cleanup(stop)
	select {
	case ready = <-c:
	case err := <-ended:
		stopped = true
		t.Fatalf("Run: %v", err)
	case <-time.After(time.Minute):
		t.Fatal("not ready")
	}
	return ready, stop
}

type stats struct {
	Attempts  uint64                 `json:"attempts"`
	Receipts  uint64                 `json:"receipts"`
	Leases    uint64                 `json:"leases"`
	PixelRate uint64                 `json:"capacity_pixel_rate"`
	Recipient payment.RecipientStats `json:"recipient"`
}

func getJSON(t *testing.T, method, url string, into any) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return resp.StatusCode
}

func TestRun_worksIsPaidAndRedeems(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	peer := encodetest.NewPeer(t)
	peer.Key, peer.Domain = w.orchestrator, w.escrow.Domain()
	domain := w.escrow.Domain()
	bids := make(chan protocol.Bid, 100)
	if err := w.bus.SubscribeBids(t.Context(), func(b protocol.Signed[protocol.Bid]) {
		if m, err := b.Open(domain); err == nil {
			bids <- m
		} else {
			t.Errorf("bid: %v", err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	ready, stop := w.run(t)
	if ready.Address != w.transcoder {
		t.Errorf("address %s, want %s", ready.Address, w.transcoder)
	}
	base := "http://" + ready.HTTP
	for _, path := range []string{"/healthz", "/readyz"} {
		var body map[string]string
		if status := getJSON(t, http.MethodGet, base+path, &body); status != http.StatusOK {
			t.Errorf("%s: %d %v", path, status, body)
		}
	}

	// Without an allocation there is no work; with one there is.
	award := func() (protocol.Award, protocol.AwardAnswer) {
		b := <-bids
		for len(bids) > 0 {
			b = <-bids
		}
		a := protocol.Award{Lease: protocol.NewID(), Orchestrator: w.orchestrator.Address(), Payer: w.orchestrator.Address(), Transcoder: w.transcoder, Stream: "live",
			LadderHash: protocol.Hash(ladder.Hash()), Prices: b.Prices, MaxFee: ether(1).Div(10), LeaseMillis: 60_000, BidSequence: b.Sequence, URL: peer.URL}
		answer, err := w.bus.OfferAward(t.Context(), w.transcoder, protocol.AwardOffer{Award: peer.SealAward(t, a), Ladder: ladder, SourceFPS: 30, SegmentMillis: 2000})
		if err != nil {
			t.Fatal(err)
		}
		return a, answer
	}
	if _, answer := award(); answer.Decline == nil || answer.Decline.Code != protocol.NotAllocated {
		t.Fatalf("without an allocation: %+v", answer.Decline)
	}
	if _, err := w.escrow.Deposit(t.Context(), w.account, ether(10)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.escrow.Allocate(t.Context(), w.account, w.transcoder, ether(10)); err != nil {
		t.Fatal(err)
	}
	var a protocol.Award
	var answer protocol.AwardAnswer
	encodetest.Eventually(t, "the allocation is seen", func() bool {
		a, answer = award()
		return answer.Params != nil
	})
	params, err := answer.Params.Open(domain)
	if err != nil {
		t.Fatal(err)
	}

	// Two segments, paid with tickets that always win.
	hasher := ticket.Domain{ChainID: domain.ChainID, Escrow: domain.Escrow}.Hasher()
	var delivery payment.Delivery
	delivery.Payer, delivery.Recipient = w.orchestrator.Address(), w.transcoder
	for i, seg := range mediatest.Segments(t, mediatest.Spec{Seconds: 4}) {
		slot := peer.Slot(t)
		assignment := peer.Assign(a, uint64(i))
		peer.Start(t, slot, assignment, i > 0)
		out := slot.Run(t, seg.Bytes)
		if out.Receipt == nil {
			t.Fatalf("segment %d: %+v, %v", i, out.Abandoned, out.Err)
		}
		if _, err := out.Receipt.Open(domain); err != nil {
			t.Error(err)
		}
		signed, err := hasher.Sign(w.orchestrator, ticket.Ticket{Payer: params.Payer, Recipient: params.Recipient, Lane: params.Lane, TicketNonce: uint64(i + 1),
			FaceValue: params.FaceValue, WinProb: ticket.AlwaysWins, Expiry: params.Expiry, RecipientRandHash: common.Hash(params.RecipientRandHash), Salt: uint64(i)})
		if err != nil {
			t.Fatal(err)
		}
		delivery.Tickets = append(delivery.Tickets, payment.Paid{Attempt: assignment.Attempt, Ticket: signed})
	}
	for range 2 { // twice: identical bytes are acknowledged again
		raw, err := w.bus.SendTickets(t.Context(), w.transcoder, protocol.Encode(delivery))
		if err != nil {
			t.Fatal(err)
		}
		got, err := protocol.Decode[payment.DeliveryAnswer](raw)
		if err != nil || len(got.Results) != 2 || got.Results[0].Code != "" || got.Results[1].Code != "" {
			t.Fatalf("delivery: %+v, %v", got, err)
		}
	}
	if _, err := w.bus.SendTickets(t.Context(), w.transcoder, []byte("{")); protocol.CodeOf(err) != protocol.BadRequest {
		t.Errorf("a senseless delivery: %v", err)
	}
	var before stats
	getJSON(t, http.MethodGet, base+"/api/v1/stats", &before)
	if before.Attempts != 2 || before.Receipts != 2 || before.Leases != 1 || before.PixelRate != 1<<40 || before.Recipient.Accepted != 2 || before.Recipient.Won != 2 {
		t.Errorf("stats %+v", before)
	}

	// A restart keeps what was won and issued; the lease is the orchestrator's to award anew.
	stop()
	ready, stop = w.run(t)
	base = "http://" + ready.HTTP
	request, err := protocol.Seal(domain, w.orchestrator, protocol.ParamsRequest{Lease: a.Lease, Orchestrator: w.orchestrator.Address(), Serial: 1})
	if err != nil {
		t.Fatal(err)
	}
	if again, err := w.bus.AskParams(t.Context(), w.transcoder, request); err != nil || again.Params == nil {
		t.Errorf("parameters of an earlier run's lease: %+v, %v", again.Decline, err)
	}
	var settled payment.RecipientStats
	if status := getJSON(t, http.MethodPost, base+"/api/v1/drain?timeout=60s", &settled); status != http.StatusOK || settled.Redeemed != 2 || settled.PendingWinners != 0 {
		t.Errorf("drain: %d %+v", status, settled)
	}
	var problem protocol.Problem
	if status := getJSON(t, http.MethodGet, base+"/readyz", &problem); status != http.StatusServiceUnavailable || problem.Code != protocol.Draining {
		t.Errorf("after a drain it says that it is ready: %d %+v", status, problem)
	}
	earned, err := w.escrow.Balance(t.Context(), w.transcoder)
	if err != nil || earned != params.FaceValue.Mul(2) {
		t.Errorf("the chain says %s earned, %v; want two face values of %s", earned, err, params.FaceValue)
	}

	// What happened is on the event stream and in the metrics.
	resp, err := http.Get(base + "/api/v1/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	redeemed := false
	for !redeemed && lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			e, err := protocol.Decode[protocol.Event]([]byte(data))
			if err != nil || e.Actor != w.transcoder || e.Role != "transcoder" {
				t.Errorf("event %s: %v", data, err)
			}
			redeemed = e.Kind == protocol.TicketRedeemed
		}
	}
	if !redeemed {
		t.Error("no event tells of the redemption")
	}
	stop()
}

func TestRun_refusesADataFolderInUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(t)
	err := transcoder.Run(t.Context(), w.config, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second process on one data folder: %v", err)
	}
}

func TestConfig_validateNamesTheField(t *testing.T) {
	t.Parallel()
	good := transcoder.Config{HTTP: "127.0.0.1:0", NATS: "nats://127.0.0.1:4222", ChainRPC: "http://127.0.0.1:8545", Escrow: "0x00000000000000000000000000000000000000e5",
		Keystore: "k", PasswordFile: "p", Data: "d", WeiPerPixel: protocol.NewWei(1), FreeSlots: 1, LeaseIdle: time.Second}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	cases := map[string]func(*transcoder.Config){
		"http": func(c *transcoder.Config) { c.HTTP = "here" }, "nats": func(c *transcoder.Config) { c.NATS = "" },
		"chain-rpc": func(c *transcoder.Config) { c.ChainRPC = "" }, "escrow": func(c *transcoder.Config) { c.Escrow = "0x0" },
		"keystore": func(c *transcoder.Config) { c.Keystore = "" }, "password-file": func(c *transcoder.Config) { c.PasswordFile = "" },
		"data": func(c *transcoder.Config) { c.Data = "" }, "region": func(c *transcoder.Config) { c.Region = strings.Repeat("x", 33) },
		"wei-per-pixel": func(c *transcoder.Config) { c.WeiPerPixel = protocol.Wei{} }, "free-slots": func(c *transcoder.Config) { c.FreeSlots = -1 }, "encoders": func(c *transcoder.Config) { c.Encoders = "gpu" },
		"capacity":   func(c *transcoder.Config) { c.Capacity = transcoder.PixelRates{{Codec: "h263", PixelRate: 1}} },
		"lease-idle": func(c *transcoder.Config) { c.LeaseIdle = 0 }, "drain-timeout": func(c *transcoder.Config) { c.DrainTimeout = -1 },
		"ticket-accept": func(c *transcoder.Config) { c.TicketUsable, c.TicketAccept = 2, 1 },
		"ticket-redeem": func(c *transcoder.Config) { c.TicketAccept, c.TicketRedeem = 2, 1 },
	}
	for field, spoil := range cases {
		c := good
		spoil(&c)
		if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), "--"+field+":") {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestRun_saysHowItsMediaIsLockedIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	said := make(chan protocol.Sandbox, 1)
	if err := w.bus.SubscribeBids(t.Context(), func(b protocol.Signed[protocol.Bid]) {
		if m, err := b.Open(w.escrow.Domain()); err == nil && m.Record != nil && m.Record.Sandbox.Attempts > 0 {
			select {
			case said <- m.Record.Sandbox:
			default:
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	w.run(t)
	select {
	case s := <-said:
		if !s.Tight() || !slices.Contains(s.Layers, "seccomp") || s.Report.IsZero() || s.At == 0 {
			t.Errorf("it says %+v", s)
		}
	case <-time.After(3 * time.Minute):
		t.Fatal("no bid says so")
	}
}
