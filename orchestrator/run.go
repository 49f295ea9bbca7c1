package orchestrator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/bus"
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
	"github.com/kinora/kinora/orchestrator/internal/api"
	"github.com/kinora/kinora/orchestrator/internal/dispatch"
	"github.com/kinora/kinora/orchestrator/internal/fleet"
	"github.com/kinora/kinora/orchestrator/internal/store"
)

const (
	startPatience = time.Minute // for database, NATS and chain to answer when starting
	startRetry    = 500 * time.Millisecond
	keepAnswers   = time.Minute
	keepBytes     = 128 << 20
	cancelGrace   = time.Second
	mediaSpares   = 1
)

// Run is an orchestrator from start to a drained end: it returns nil after ctx ended and the segments in flight are settled.
func Run(ctx context.Context, c Config, log *slog.Logger) (err error) {
	if err := c.Validate(); err != nil {
		return err
	}
	var open closers
	defer func() {
		if ctx.Err() != nil && errors.Is(err, context.Canceled) { // asked to end while it was starting
			err = nil
		}
		err = errors.Join(err, open.close())
	}()

	// The outside: key, database, chain, NATS, media children, address.
	signer, err := identity.Load(c.Keystore, c.PasswordFile)
	if err != nil {
		return err
	}
	self := signer.Address()
	log = log.With("orchestrator", self)
	starting, started := context.WithTimeout(ctx, startPatience)
	defer started()
	db, err := openStore(starting, c, log)
	if err != nil {
		return err
	}
	open.add(func() error { db.Close(); return nil })
	escrow, err := dialChain(starting, c, log)
	if err != nil {
		return err
	}
	open.add(func() error { escrow.Client().Close(); return nil })
	spender, err := payment.Spender(starting, escrow, common.HexToAddress(c.Payer), signer)
	if err != nil {
		return err
	}
	secure, err := passport.NewIssuer(escrow.Domain(), signer, log)
	if err != nil {
		return err
	}
	if secure, err = secure.WithFiles(c.TLSCert, c.TLSKey); err != nil {
		return err
	}
	nats, err := openExchange(starting, exchangeConfig{Config: c, signer: signer, domain: escrow.Domain(), store: db, secure: secure, log: log}, &open)
	if err != nil {
		return err
	}
	path := c.MediaChild
	if path == "" {
		if path, err = media.Find(); err != nil {
			return err
		}
	}
	pool := media.NewPool(media.Options{Path: path, Log: log}, mediaSpares)
	open.add(pool.Close)
	meter := verify.NewMeter(pool, log)
	open.add(meter.Close)
	listener, err := api.Listen(c.HTTP)
	if err != nil {
		return err
	}
	open.add(func() error { _ = listener.Close(); return nil }) // the server closes it too
	overTLS, url := c.overTLS(secure), c.AdvertiseURL
	if url == "" {
		url = "http://" + listener.Addr().String()
		if overTLS != nil {
			url = "https://" + listener.Addr().String()
		}
	}

	// What goes on until everything in flight is settled, in order of need.
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	var parts sync.WaitGroup
	failed := make(chan error, 8)
	part := func(name string, run func(context.Context) error) {
		parts.Go(func() {
			if err := run(running); err != nil && running.Err() == nil {
				failed <- fmt.Errorf("%s: %w", name, err)
			}
		})
	}
	open.add(func() error { stop(); parts.Wait(); return nil })

	events := feed.New("orchestrator", self, func(e protocol.Event) {
		if err := nats.PublishEvent(e); err != nil {
			log.Debug("event not published", "kind", e.Kind, "err", err)
		}
	})
	domain := escrow.Domain()
	account := chain.NewAccount(escrow.Client(), signer).WithFees(chain.Fees{MaxPerGas: c.MaxFeePerGas}).SharedBy(pgstore.Journal(db.Pool()))
	clock, err := pgstore.Clock(ctx, db.Pool())
	if err != nil {
		return err
	}
	gas := payment.NewGasMeter(func(ctx context.Context) (protocol.Wei, error) { return account.GasCost(ctx, 1) }, log)
	var dispatcher *dispatch.Dispatcher
	recipient := payment.NewRecipient(payment.RecipientConfig{Domain: domain, Signer: signer, Account: account,
		Usable: c.TicketUsable, Accept: c.TicketAccept, Redeem: c.TicketRedeem, TicketLifetime: c.TicketLifetime,
		FaceValueMultiple: c.FaceValueMultiple, CreditWindow: c.CreditWindow,
		Confirmations: c.Confirmations, MaxGasPercent: c.MaxGasPercent, Gas: gas.Cost, Now: clock, Events: events.Emit, Log: log,
		Flushed:  func(payer common.Address, stream string) { dispatcher.EndStream(payer, stream) },
		Rejected: func(payer common.Address, r payment.Reject) { dispatcher.Rejected(payer, r.Attempt) },
	}, pgstore.Recipient(db.Pool()), escrow.PayingTo(common.HexToAddress(c.IncomeTo)))
	payer := payment.NewPayer(payment.PayerConfig{Domain: domain, Signer: spender, MaxFaceValue: c.AllocationPerTranscoder, Now: clock, Chain: escrow, Events: events.Emit, Log: log},
		pgstore.Payer(db.Pool()), sender{nats.Bus})
	db.UseLedger(store.Tickets(payer))
	treasury := payment.NewTreasury(escrow, account, events.Emit, log).Of(spender.Address()).Keep(payment.Keeping{Store: pgstore.Payer(db.Pool()), WarnBelow: c.WarnRunway, Now: clock})
	budget, err := dispatch.OpenBudget(ctx, db, payment.Caps{Hour: c.SpendPerHour, Day: c.SpendPerDay, StreamDay: c.SpendPerStream, Total: c.SpendTotal})
	if err != nil {
		return err
	}

	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	transcoders := fleet.New(fleet.Config{Domain: domain, Self: self, Allocation: c.AllocationPerTranscoder, MaxMembers: c.MaxTranscoders,
		Backoff: c.Backoff, TopUp: c.TopUpInterval, Events: events.Emit, Log: log}, db, treasury)
	dispatcher, err = dispatch.New(ctx, dispatch.Config{Domain: domain, Signer: signer, Budget: budget, Payer: spender.Address(), URL: url,
		Prices: protocol.PricesOf(c.WeiPerPixel, c.HEVCWeiPerPixel, c.AV1WeiPerPixel),
		Rule:   auction.Rule(cmp.Or(c.Auction, string(auction.SecondScore))), KeepPercent: c.KeepPercent, BidEpoch: c.AuctionEpoch, KeepBids: c.KeepAuctions, BidWait: c.BidWait, Publish: nats.PublishCommitment,
		Region: c.Region, QuoteValid: c.QuoteValid, LeaseTime: c.LeaseTime, IdleLease: c.LeaseIdle, AwardTimeout: c.AwardTimeout, SlotTimeout: c.SlotTimeout,
		CancelGrace: cancelGrace, MaxSegmentBytes: c.MaxSegmentBytes, MaxInFlight: c.MaxInFlight, MaxAttempts: c.MaxAttempts,
		KeepAnswers: keepAnswers, KeepBytes: keepBytes, KeepHistory: c.KeepHistory, Events: events.Emit, Metrics: dispatch.NewMetrics(registry), Log: log,
		Verify: verify.Config{Meter: meter, Limits: verify.Limits{MaxBytes: c.MaxSegmentBytes}, Log: log},
	}, db, transcoders, nats.Bus, payer, recipient)
	if err != nil {
		return err
	}
	drained := func() error {
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.DrainTimeout)
		defer cancel()
		dispatcher.Close(drain)
		return nil
	}
	open.add(drained)

	handler := api.New(api.Config{Domain: domain, Self: self, MinTranscoders: c.MinTranscoders, BodyIdle: c.BodyIdle, Spend: budget.Totals, Funds: treasury.Funds, Log: log},
		dispatcher, transcoders, db, events, recipient, payer, nats.connected, registry).Handler()
	server := api.Serve(listener, handler, overTLS, log)
	open.add(func() error {
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		return server.Close(drain)
	})
	if nats.expel != nil {
		part("admission", nats.watch)
	}
	part("fleet", transcoders.Run)
	part("dispatch", dispatcher.Run)
	part("tickets in", recipient.Run)
	part("tickets out", payer.Run)
	part("gas price", gas.Run)
	part("treasury", treasury.Run)
	if c.Relay {
		relayer := payment.NewRelayer(payment.RelayerConfig{Domain: domain, Account: account, Signers: []common.Address{self, account.Address()},
			MarginPercent: c.RelayMargin, Log: log}, pgstore.Relays(db.Pool()), escrow)
		part("relay", relayer.Run)
		if err := nats.ServeRelays(running, self, answer(relayer.Answer)); err != nil {
			return err
		}
	}
	if err := nats.SubscribeBids(running, transcoders.Bid); err != nil {
		return err
	}
	if err := nats.SubscribeDuties(running, dispatcher.Duty); err != nil {
		return err
	}
	if err := nats.SubscribeEvents(running, events.Relay); err != nil {
		return err
	}
	log.Info("orchestrator ready", "http", server.Addr(), "advertised", url, "nats", nats.at, "wei_per_pixel", c.WeiPerPixel)
	if c.OnReady != nil {
		c.OnReady(Ready{HTTP: server.Addr(), Address: self})
	}

	select {
	case <-ctx.Done():
		log.Info("draining: no new segments; those in flight are finished", "timeout", c.DrainTimeout)
		return drained() // while requests are still served: transcoders answer through them
	case err = <-failed:
	case err = <-server.Done():
	}
	return err
}

// openStore waits for the database and brings it up to date.
func openStore(ctx context.Context, c Config, log *slog.Logger) (*store.Store, error) {
	var db *store.Store
	err := retry(ctx, log, "the database", func() error {
		err := migrations.Postgres(ctx, c.DatabaseURL, "payer", "recipient", "orchestrator")
		if err != nil {
			return err
		}
		db, err = store.Open(ctx, c.DatabaseURL)
		return err
	})
	return db, err
}

// dialChain waits for the chain and finds the escrow on it.
func dialChain(ctx context.Context, c Config, log *slog.Logger) (*chain.Escrow, error) {
	var escrow *chain.Escrow
	err := retry(ctx, log, "the chain", func() error {
		client, err := chain.Dial(ctx, c.ChainRPC)
		if err != nil {
			return err
		}
		if escrow, err = chain.NewEscrow(ctx, client, common.HexToAddress(c.Escrow)); err != nil {
			client.Close()
		}
		return err
	})
	return escrow, err
}

// retry tries until it works or ctx ends, then says why it did not.
func retry(ctx context.Context, log *slog.Logger, what string, try func() error) error {
	for {
		err := try()
		if err == nil || ctx.Err() != nil {
			return err
		}
		log.Warn(what+" does not answer yet; trying again", "err", err)
		select {
		case <-time.After(startRetry):
		case <-ctx.Done():
			return fmt.Errorf("%s did not answer: %w", what, err)
		}
	}
}

// sender takes deliveries to transcoders over the bus.
type sender struct{ bus *bus.Bus }

// Send is payment.Sender's.
func (s sender) Send(ctx context.Context, recipient common.Address, d payment.Delivery) (payment.DeliveryAnswer, error) {
	b, err := s.bus.SendTickets(ctx, recipient, protocol.Encode(d))
	if err != nil {
		return payment.DeliveryAnswer{}, err
	}
	return protocol.Decode[payment.DeliveryAnswer](b)
}

// answer serves typed requests over the bus.
func answer[Q, A any](handle func(context.Context, Q) (A, error)) func(context.Context, []byte) ([]byte, error) {
	return func(ctx context.Context, b []byte) ([]byte, error) {
		q, err := protocol.Decode[Q](b)
		if err != nil {
			return nil, err
		}
		a, err := handle(ctx, q)
		if err != nil {
			return nil, err
		}
		return protocol.Encode(a), nil
	}
}

// closers close what was opened, in reverse.
type closers struct{ list []func() error }

func (c *closers) add(f func() error) { c.list = append(c.list, f) }

func (c *closers) close() error {
	var errs []error
	for i := len(c.list) - 1; i >= 0; i-- {
		errs = append(errs, c.list[i]())
	}
	return errors.Join(errs...)
}
