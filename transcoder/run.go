package transcoder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/bus"
	"github.com/kinora/kinora/internal/capacity"
	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/feed"
	"github.com/kinora/kinora/internal/identity"
	"github.com/kinora/kinora/internal/passport"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/payment/litestore"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/transcoder/internal/api"
	"github.com/kinora/kinora/transcoder/internal/bidder"
	"github.com/kinora/kinora/transcoder/internal/devices"
	"github.com/kinora/kinora/transcoder/internal/encode"
	"github.com/kinora/kinora/transcoder/internal/sheets"
	"github.com/kinora/kinora/transcoder/internal/store"
)

const (
	startPatience = time.Minute // for NATS and the chain to answer when starting
	startRetry    = time.Second
	gasPatience   = 5 * time.Second
)

// Run is a transcoder from start to a drained end: it returns nil after ctx ended and the segments in progress are through.
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

	signer, err := identity.Load(c.Keystore, c.PasswordFile)
	if err != nil {
		return err
	}
	log = log.With("transcoder", signer.Address())
	token, err := c.joinToken()
	if err != nil {
		return err
	}
	unlock, err := lock(c.Data)
	if err != nil {
		return err
	}
	open.add(unlock)
	disk, err := store.Open(ctx, c.Data)
	if err != nil {
		return err
	}
	open.add(disk.Close)

	escrow, err := dialChain(ctx, c, log)
	if err != nil {
		return err
	}
	open.add(func() error { escrow.Client().Close(); return nil })
	patient, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	trust := passport.NewTrust(escrow.Domain())
	nats, err := bus.Dial(patient, c.NATS, bus.Options{Name: "transcoder " + signer.Address().Hex(), Credentials: c.NATSCreds, Trust: trust, Cleartext: c.InsecureCleartext, Log: log,
		Identity: &bus.Identity{Signer: signer, Domain: escrow.Domain(), Role: protocol.RoleTranscoder, JoinToken: token}})
	if protocol.CodeOf(err) == protocol.Unauthorized {
		return fmt.Errorf("%w (a market that is not open wants the --join-token-file of its orchestrator, whose log says why it refuses)", err)
	}
	if err != nil {
		return err
	}
	open.add(nats.Close)

	events := feed.New("transcoder", signer.Address(), func(e protocol.Event) {
		if err := nats.PublishEvent(e); err != nil {
			log.Debug("event not published", "kind", e.Kind, "err", err)
		}
	})
	account := chain.NewAccount(escrow.Client(), signer).WithFees(chain.Fees{MaxPerGas: c.MaxFeePerGas})
	gas := payment.NewGasMeter(func(ctx context.Context) (protocol.Wei, error) { return account.GasCost(ctx, 1) }, log)
	pay := recipient{self: signer.Address(), Recipient: payment.NewRecipient(payment.RecipientConfig{
		Domain: escrow.Domain(), Signer: signer, Account: account,
		Usable: c.TicketUsable, Accept: c.TicketAccept, Redeem: c.TicketRedeem, TicketLifetime: c.TicketLifetime,
		FaceValueMultiple: c.FaceValueMultiple, CreditWindow: c.CreditWindow,
		Confirmations: c.Confirmations, MaxGasPercent: c.MaxGasPercent, Gas: gas.Cost, Events: events.Emit, Log: log,
		Relay: relays{nats}, RelayAlways: c.RelayAlways, Payout: common.HexToAddress(c.RelayPayout),
	}, litestore.New(disk.DB()), escrow)}

	engine, err := openEngine(c, log)
	if err != nil {
		return err
	}
	open.add(engine.close)
	probe := devices.Probe("/")
	probe.Log(log)
	tuning, err := engine.tuning(ctx, c, probe, log)
	if err != nil {
		return err
	}
	selling := capacity.Config{Rates: tuning.Rates, CPUs: engine.cpus(), Most: c.FreeSlots}
	if len(c.Capacity) > 0 {
		selling.Sold = capacity.Whole // as the owner says
	}
	meter := capacity.New(selling)
	full := &machineRates{rates: tuning.Rates, cards: engine.cards, meter: meter}
	engine.onDrop(func(d devices.Device, err error) {
		full.adjust()
		events.Emit(protocol.Event{Kind: protocol.DeviceDropped, Code: protocol.CodeOf(err), Detail: d.Kind + " " + d.Path})
	})
	gauges := devices.NewGauges("/", probe)
	var readings atomic.Pointer[[]devices.Reading]
	var power drawn
	watts := func() uint64 { return cmp.Or(c.PowerWatts, power.watts()) }
	if !c.PowerTariff.IsZero() && c.PowerWatts == 0 && len(probe.Devices) == 0 {
		log.Warn("what power costs is not known: no device of this machine tells what it draws, and --power-watts is not set")
	}

	// What follows goes on while the role drains: it ends when everything in progress has ended.
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	var parts sync.WaitGroup
	failed := make(chan error, 2)
	part := func(name string, run func(context.Context) error) {
		parts.Go(func() {
			if err := run(running); err != nil && running.Err() == nil {
				failed <- fmt.Errorf("%s: %w", name, err)
			}
		})
	}
	open.add(func() error { stop(); parts.Wait(); return nil })

	clients := encode.NewClients(trust, c.InsecureCleartext)
	seller := bidder.New(bidder.Config{
		Domain: escrow.Domain(), Signer: signer, Region: c.Region, Meter: meter, Idle: c.LeaseIdle,
		Prices: func() protocol.Prices { return prices(c.WeiPerPixel, meter.Rates()) }, Curve: c.PriceCurve, OnRequest: c.OnRequest,
		Floor: func() protocol.Prices { return floor(watts(), c.PowerTariff, meter.Rates()) },
		Bus:   nats, Recipient: pay, Journal: disk, Events: events.Emit, Log: log,
		Bench: &encode.Bench{Domain: escrow.Domain(), Signer: signer, Encoder: engine, Credit: pay, Journal: disk,
			Clients: clients, Events: events.Emit, Log: log,
			Observe: func(lease protocol.ID, s capacity.Segment) { meter.Observe(lease, s, time.Now()) }},
	})
	said := &record{tell: seller.Describe, c: protocol.Capabilities{Transcoder: signer.Address(), Owner: common.HexToAddress(cmp.Or(c.Owner, c.RelayPayout)), Sandbox: protocol.Sandbox{Layers: []string{}}}}
	said.measured(tuning)
	desk := sheets.New(sheets.Config{Domain: escrow.Domain(), Signer: signer, Client: clients.Of, Log: log})
	status := api.Status{Feed: events, Log: log, Sheets: desk.Given,
		Ready: func() error {
			if !nats.Connected() {
				return protocol.Errorf(protocol.Unavailable, "no connection to NATS")
			}
			if d := seller.Duty(); !d.State.Taking() {
				return protocol.Errorf(protocol.Draining, "%s, for %s: no new work is taken", d.State, d.Reason)
			}
			if ctx.Err() != nil || pay.Draining() {
				return protocol.Errorf(protocol.Draining, "draining: no new work is taken until the next start")
			}
			select {
			case <-seller.Ready():
				return nil
			default:
				return protocol.Errorf(protocol.Unavailable, "no bid stands yet")
			}
		},
		Stats: func(ctx context.Context) (api.Stats, error) {
			counts, err := disk.Counts(ctx)
			if err != nil {
				return api.Stats{}, err
			}
			paid, err := pay.Stats(ctx)
			if err != nil {
				return api.Stats{}, err
			}
			stats := api.Stats{Attempts: counts.Attempts, Receipts: counts.Receipts, Leases: counts.Leases, LeasesHeld: seller.Leases(), Duty: string(seller.Duty().State),
				Load: meter.State(time.Now()), Measured: said.said().Measured, Devices: probe.Devices, Recipient: paid}
			stats.PixelRate, _ = stats.Load.Capacity.Of(protocol.H264)
			stats.FreePixelRate, _ = stats.Load.Free.Of(protocol.H264)
			if now := readings.Load(); now != nil {
				stats.Readings = *now
			}
			if engine.pool != nil {
				stats.Children, stats.Poison = engine.pool.Stats(), engine.pool.Poisoned()
			}
			return stats, nil
		},
		Drain: func(ctx context.Context) (any, error) {
			if err := pay.Drain(ctx); err != nil {
				return nil, err
			}
			return pay.Stats(ctx)
		},
	}
	status.Duty = seller
	server, err := api.Serve(c.HTTP, status)
	if err != nil {
		return err
	}
	open.add(server.Close)
	if err := nats.SubscribeCommitments(running, desk.Hear); err != nil {
		return err
	}
	forget, err := remember(c.Data, server.Addr())
	if err != nil {
		return err
	}
	open.add(forget)
	part("payment", pay.Run)
	part("gas price", gas.Run)
	part("bidder", seller.Run)
	part("gas", func(ctx context.Context) error { sayGas(ctx, account, log); return nil })
	if engine.pool != nil {
		part("sandbox test", func(ctx context.Context) error { return lockedIn(ctx, c, said, log) })
	}
	if len(probe.Devices) > 0 {
		part("devices", func(ctx context.Context) error { return watch(ctx, gauges, &readings, &power, log) })
		part("trials of devices", func(ctx context.Context) error {
			return engine.mend(ctx, func(d devices.Device) {
				full.adjust()
				events.Emit(protocol.Event{Kind: protocol.DeviceRestored, Detail: d.Kind + " " + d.Path})
			})
		})
	}
	if tuning.Method == devices.ByEstimate {
		part("measurement", func(ctx context.Context) error {
			return engine.refine(ctx, c, tuning, probe.Devices, func() bool { return seller.Leases() > 0 }, func(t devices.Tuning) {
				full.set(t.Rates)
				said.measured(t)
			}, log)
		})
	}
	standing := seller.Ready()
	for waiting := true; waiting; {
		select {
		case <-standing:
			standing = nil // once
			log.Info("transcoder ready", "http", server.Addr(), "rates", PixelRates(tuning.Rates.Encode), "by", tuning.Method, "wei_per_pixel", c.WeiPerPixel)
			if c.OnReady != nil {
				c.OnReady(Ready{HTTP: server.Addr(), Address: signer.Address()})
			}
		case <-ctx.Done():
			log.Info("draining: no new leases; those held are handed over", "timeout", c.DrainTimeout)
			waiting = false
		case err = <-failed:
			waiting = false
		}
	}
	drain, cancelDrain := context.WithTimeout(context.WithoutCancel(ctx), c.DrainTimeout)
	defer cancelDrain()
	reason := protocol.ForUser
	if err != nil {
		reason = protocol.ForFault
	}
	seller.Drain(drain, reason)
	return err
}

// How often devices are read, and how long that may take.
const (
	readEvery    = 5 * time.Second
	readPatience = 4 * time.Second
)

// watch keeps the readings of the devices fresh.
func watch(ctx context.Context, gauges *devices.Gauges, into *atomic.Pointer[[]devices.Reading], power *drawn, log *slog.Logger) error {
	tick := time.NewTicker(readEvery)
	defer tick.Stop()
	failing := false
	for {
		bounded, cancel := context.WithTimeout(ctx, readPatience)
		all, err := gauges.Read(bounded, time.Now())
		cancel()
		into.Store(&all)
		power.see(all)
		if failed := err != nil && ctx.Err() == nil; failed != failing { // once, not every five seconds
			if failing = failed; failing {
				log.Warn("a device does not say how it fares", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// sayGas tells an owner that begins without gas how it is paid.
func sayGas(ctx context.Context, account *chain.Account, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(ctx, gasPatience)
	defer cancel()
	if have, err := account.Client().Balance(ctx, account.Address()); err == nil && have.IsZero() {
		log.Info("this account has no money for gas: the orchestrators that it works for redeem its winners, for a fee out of them", "account", account.Address())
	}
}

// dialChain waits for the chain and finds the escrow on it.
func dialChain(ctx context.Context, c Config, log *slog.Logger) (*chain.Escrow, error) {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for first := true; ; first = false {
		client, err := chain.Dial(ctx, c.ChainRPC)
		if err == nil {
			var escrow *chain.Escrow
			if escrow, err = chain.NewEscrow(ctx, client, common.HexToAddress(c.Escrow)); err == nil {
				return escrow, nil
			}
			client.Close()
		}
		if first {
			log.Warn("the chain does not answer as it should; trying again", "err", err)
		}
		select {
		case <-time.After(startRetry):
		case <-ctx.Done():
			return nil, fmt.Errorf("--chain-rpc, --escrow: %w", err)
		}
	}
}

// lock keeps a second process off the data folder: two would share winning tickets.
func lock(dir string) (unlock func() error, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("--data: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("--data: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("--data: %s is in use by another transcoder: %w", dir, err), f.Close())
	}
	return f.Close, nil
}

// closers close in reverse what was opened in order.
type closers struct{ list []func() error }

func (c *closers) add(f func() error) { c.list = append(c.list, f) }

func (c *closers) close() error {
	var all error
	for i := len(c.list) - 1; i >= 0; i-- {
		all = errors.Join(all, c.list[i]())
	}
	return all
}
