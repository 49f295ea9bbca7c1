package broadcaster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/broadcaster/internal/api"
	"github.com/kinora/kinora/broadcaster/internal/discover"
	"github.com/kinora/kinora/broadcaster/internal/ingest"
	"github.com/kinora/kinora/broadcaster/internal/market"
	"github.com/kinora/kinora/broadcaster/internal/playlist"
	"github.com/kinora/kinora/broadcaster/internal/store"
	"github.com/kinora/kinora/broadcaster/internal/stream"
	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/feed"
	"github.com/kinora/kinora/internal/identity"
	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/passport"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
	"github.com/kinora/kinora/migrations"
)

// drainTime is how long segments in flight may take when shutting down.
const drainTime = 6 * time.Second

// Run is the broadcaster from start to stop: it opens what it needs in order, serves until ctx ends, drains, and closes in
// reverse. It returns nil when ctx ended it.
func Run(ctx context.Context, cfg Config, log *slog.Logger) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	secret, err := cfg.secret()
	if err != nil {
		return err
	}
	ladder, err := cfg.ladder()
	if err != nil {
		return err
	}
	ladder, _ = stream.Order(ladder, nil)
	key, err := identity.Load(cfg.Keystore, cfg.PasswordFile)
	if err != nil {
		return err
	}
	client, err := chain.Dial(ctx, cfg.ChainRPC)
	if err != nil {
		return stopped(ctx, err)
	}
	defer client.Close()
	escrow, err := chain.NewEscrow(ctx, client, common.HexToAddress(cfg.Escrow))
	if err != nil {
		return stopped(ctx, err)
	}
	signer, err := payment.Spender(ctx, escrow, common.HexToAddress(cfg.Payer), key)
	if err != nil {
		return stopped(ctx, err)
	}
	if err := migrations.Postgres(ctx, cfg.DatabaseURL, "payer", "broadcaster"); err != nil {
		return stopped(ctx, err)
	}
	pool, err := store.Open(ctx, cfg.DatabaseURL)
	if err != nil {
		return stopped(ctx, err)
	}
	defer pool.Close()

	events := feed.New("broadcaster", signer.Address(), nil)
	clock, err := pgstore.Clock(ctx, pool)
	if err != nil {
		return stopped(ctx, err)
	}
	var buyer *market.Market
	payer := payment.NewPayer(payment.PayerConfig{Domain: escrow.Domain(), Signer: signer, MaxFaceValue: cfg.AllocationPerOrchestrator, Now: clock, Chain: escrow, Events: events.Emit, Log: log}, pgstore.Payer(pool),
		sender(func(ctx context.Context, recipient common.Address, d payment.Delivery) (payment.DeliveryAnswer, error) {
			return buyer.Deliver(ctx, recipient, d)
		}))
	rows := store.New(pool, payer)
	records, err := rows.Records(ctx)
	if err != nil {
		return stopped(ctx, err)
	}
	met, err := rows.Met(ctx)
	if err != nil {
		return stopped(ctx, err)
	}
	if err := os.MkdirAll(cfg.Data, 0o755); err != nil {
		return fmt.Errorf("make the folder of --data: %w", err)
	}
	decisions, err := market.OpenLog(filepath.Join(cfg.Data, "decisions.jsonl"), 0, log)
	if err != nil {
		return err
	}
	defer func() { _ = decisions.Close() }()
	buyer = market.New(market.Config{URLs: cfg.Orchestrators, Cleartext: cfg.InsecureCleartext, Keep: cfg.KeepAllocated, Allow: accounts(cfg.AllowOrchestrators), Deny: accounts(cfg.DenyOrchestrators),
		Region: cfg.Region, Met: met, Remember: rows.SaveMet, Decisions: decisions, Signer: signer, Domain: escrow.Domain(), MaxWeiPerPixel: cfg.MaxWeiPerPixel, Payer: payer,
		Records: records, Events: events.Emit, Log: log})
	defer buyer.Close()
	if err := buyer.TurnEpoch(ctx, rows); err != nil {
		return stopped(ctx, err)
	}
	if err := rows.EndEpochs(ctx, buyer.Commitment()); err != nil { // of earlier processes
		return stopped(ctx, err)
	}
	spent, recent, err := rows.Spending(ctx, time.Now().Add(-24*time.Hour))
	if err != nil {
		return stopped(ctx, err)
	}
	spend := payment.NewSpend(payment.Caps{Hour: cfg.SpendPerHour, Day: cfg.SpendPerDay, StreamDay: cfg.SpendPerStream, Total: cfg.SpendTotal}, spent, recent)
	policy := store.Policy{MinRungs: cfg.MinRungs, PassThrough: cfg.PassThrough, StopSeconds: int64(cfg.StopAfter / time.Second)}
	shelf, err := playlist.NewShelf(filepath.Join(cfg.Data, "hls"))
	if err != nil {
		return err
	}
	children := media.NewPool(media.Options{Path: cfg.MediaChild, Log: log}, 1)
	defer children.Close()
	meter := verify.NewMeter(children, log)
	defer meter.Close()
	desk, err := stream.Open(ctx, stream.Config{Store: rows, Market: buyer, Shelf: shelf, Spend: spend, Signer: signer, Domain: escrow.Domain(),
		Verify: verify.Config{Meter: meter, Log: log, Origin: signer.Address().Hex(), Limits: verify.Limits{MaxBytes: 2 * cfg.MaxSegmentBytes, // the ingest refuses before that
			MaxDuration: cfg.MaxSegmentDuration, MaxPixels: cfg.MaxPixels}},
		Flush: payer.EndStream, Events: events.Emit, Log: log,
		Ladder: ladder, Policy: policy, Calm: cmp.Or(cfg.ClimbAfter, 5*time.Second), Target: cfg.SegmentDuration, HoldBack: cfg.HoldBack, Retention: cfg.Retention, KeepRecords: cfg.KeepRecords, Idle: cfg.StreamIdle, MaxDuration: cfg.MaxSegmentDuration,
		MaxStreams: cfg.MaxStreams, MaxInFlight: cfg.MaxInFlight, PushesPerSec: cfg.MaxPushesPerSecond, AttemptsLimit: cfg.MaxAttempts})
	if err != nil {
		return stopped(ctx, err)
	}

	treasury := payment.NewTreasury(escrow, chain.NewAccount(client, key).WithFees(chain.Fees{MaxPerGas: cfg.MaxFeePerGas}).SharedBy(pgstore.Journal(pool)), events.Emit, log).Of(signer.Address()).Keep(payment.Keeping{Store: pgstore.Payer(pool), WarnBelow: cfg.WarnRunway, Now: clock})
	treasurer := &treasurer{market: buyer, ensure: treasury.Ensure, amount: cfg.AllocationPerOrchestrator, log: log, stood: make(chan struct{}),
		ask: market.Ask{Stream: "introduction", Ladder: ladder, FPS: 30, SegmentMillis: uint32(cfg.SegmentDuration.Milliseconds()), MaxMillis: uint32(2 * cfg.SegmentDuration.Milliseconds())}}
	metrics := api.NewMetrics()
	push := ingest.NewSecret(secret)
	bank := &api.Bank{Escrow: escrow, Self: signer.Address(), Market: buyer, Store: rows, Names: names(cfg.Parties)}
	face := api.New(api.Config{Desk: desk, Store: rows, Market: buyer, Spend: spend, Shelf: shelf, Feed: events, Secret: push, Self: signer.Address(), Ready: func() []string {
		if desk.Draining() {
			return []string{"draining: no new pushes are taken until the next start"}
		}
		return treasurer.missing()
	},
		Ingest: ingest.New(desk, remux(children), push, ingest.Limits{MaxBytes: cfg.MaxSegmentBytes, MaxDuration: cfg.MaxSegmentDuration, MinRate: cfg.MinBodyRate, Grace: cfg.BodyGrace, Policy: policy},
			metrics.Refused, log),
		Payer: payer.Stats, Funds: treasury.Funds, Balances: bank.Balances, Log: log}, metrics)
	listener, err := net.Listen("tcp", cfg.HTTP)
	if err != nil {
		desk.Close(ctx)
		return fmt.Errorf("listen: %w", err)
	}

	// Everything below lives until work ends; requests in flight until they are answered.
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var running sync.WaitGroup
	defer running.Wait()
	failed := make(chan error, 3)
	running.Go(func() {
		if err := payer.Run(background); err != nil && background.Err() == nil {
			failed <- fmt.Errorf("deliver tickets: %w", err)
		}
	})
	heard := &followers{ctx: background, heard: make(map[passport.Endpoint]context.CancelFunc), begin: func(ctx context.Context, at passport.Endpoint) {
		api.Follow(ctx, buyer.Client(at.Identity), at.URL, events.Relay, log)
	}}
	treasurer.follow = heard.follow
	running.Go(func() {
		treasurer.run(background)
		heard.all.Wait()
	})
	for _, source := range sources(cfg, client, rows, escrow.Domain(), log) {
		running.Go(func() { source.Run(background, func(listed []protocol.Listing) { buyer.Know(source.Name(), listed) }) })
	}
	running.Go(func() { buyer.Scout(background, treasurer.ask) })
	running.Go(func() {
		if err := treasury.Run(background); err != nil && background.Err() == nil {
			failed <- fmt.Errorf("treasury: %w", err)
		}
	})
	running.Go(func() { buyer.Sample(background, rows) })
	server := newServer(face.Routes(), log)
	running.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("serve: %w", err)
		}
	})
	log.Info("broadcaster serves", "http", listener.Addr().String(), "address", signer.Address(), "orchestrators", len(cfg.Orchestrators))
	if cfg.OnReady != nil {
		running.Go(func() {
			select {
			case <-treasurer.stood:
				cfg.OnReady(Ready{HTTP: listener.Addr().String(), Address: signer.Address()})
			case <-background.Done():
			}
		})
	}

	var fault error
	select {
	case <-ctx.Done():
		log.Info("broadcaster drains: no more pushes, those in flight end")
	case fault = <-failed:
	}
	drain, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	desk.Close(drain)
	stop()
	_ = server.Shutdown(drain)
	_ = server.Close()
	return fault
}

// remux has a child of its own for every segment: it sees the bytes of one pusher.
func remux(children *media.Pool) ingest.Remux {
	return func(ctx context.Context, segment io.Reader, out func(p []byte) error) error {
		child, err := children.Get(ctx)
		if err != nil {
			return err
		}
		defer child.Close()
		return child.Remux(ctx, segment, out)
	}
}

// stopped is nil for an error that merely says that ctx ended.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// newServer speaks HTTP/1.1 and HTTP/2, with prior knowledge on a plain connection.
func newServer(handler http.Handler, log *slog.Logger) *http.Server {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	ctx, cancel := context.WithCancel(context.Background())
	server := &http.Server{Handler: handler, Protocols: &protocols, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx }, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	server.RegisterOnShutdown(cancel) // ends the event streams
	return server
}

// sender is a function that delivers tickets.
type sender func(ctx context.Context, recipient common.Address, d payment.Delivery) (payment.DeliveryAnswer, error)

// Send calls it.
func (s sender) Send(ctx context.Context, recipient common.Address, d payment.Delivery) (payment.DeliveryAnswer, error) {
	return s(ctx, recipient, d)
}

// sources are where orchestrators are found, beside those that were configured.
func sources(cfg Config, client *chain.Client, rows *store.Store, domain protocol.Domain, log *slog.Logger) (all []discover.Source) {
	if cfg.Registry != "" {
		all = append(all, &discover.Registry{Contract: chain.NewRegistry(client, common.HexToAddress(cfg.Registry)), Store: rows, From: cfg.RegistryFromBlock,
			Confirmations: cfg.RegistryConfirmations, Loopback: cfg.DiscoverLoopback, Log: log})
	}
	if cfg.OrchestratorList != "" {
		all = append(all, &discover.Webhook{URL: cfg.OrchestratorList, Publisher: common.HexToAddress(cfg.OrchestratorListSigner), Domain: domain, Store: rows,
			Loopback: cfg.DiscoverLoopback, Log: log})
	}
	return all
}

func accounts(texts []string) []common.Address {
	all := make([]common.Address, len(texts))
	for i, text := range texts {
		all[i] = common.HexToAddress(text)
	}
	return all
}

func names(parties map[string]string) map[common.Address]string {
	by := make(map[common.Address]string, len(parties))
	for name, address := range parties {
		by[common.HexToAddress(address)] = name
	}
	return by
}
