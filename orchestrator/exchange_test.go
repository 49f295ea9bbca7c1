package orchestrator_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/internal/bus"
	"github.com/kinora/kinora/internal/bus/bustest"
	"github.com/kinora/kinora/internal/bus/callout"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator"
)

// gates are the ways in which orchestrators keep the gate of their market: each starts one or two replicas of one, which share a database.
var gates = map[string]func(t *testing.T, c orchestrator.Config) []orchestrator.Config{
	"a server of its own": func(_ *testing.T, c orchestrator.Config) []orchestrator.Config {
		c.NATSListen = "127.0.0.1:0"
		return []orchestrator.Config{c}
	},
	"a server of its own, for other machines": func(_ *testing.T, c orchestrator.Config) []orchestrator.Config {
		c.NATSListen = "0.0.0.0:0"
		return []orchestrator.Config{c}
	},
	"two replicas before a server elsewhere": func(t *testing.T, c orchestrator.Config) []orchestrator.Config {
		c.NATSAuthKeys = filepath.Join(t.TempDir(), "keys")
		keys, err := callout.CreateKeys(c.NATSAuthKeys)
		if err != nil {
			t.Fatal(err)
		}
		c.NATS = bustest.Server(t, keys.ServerConfig())
		return []orchestrator.Config{c, c}
	},
}

// gated is a market whose gate is kept, and the operator's record of who may enter.
type gated struct {
	*testing.T
	domain     protocol.Domain
	at         string
	bus        *bus.Bus // an orchestrator's
	admissions *orchestrator.Admissions
}

func eachGate(t *testing.T, config orchestrator.Config, test func(m gated)) {
	for name, start := range gates {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			m := gated{T: t, domain: protocol.NewDomain(1337, common.HexToAddress("0xe5"))}
			config := config
			config.DatabaseURL = pgtest.URL(t)
			var err error
			if m.admissions, err = orchestrator.OpenAdmissions(ctx, config.DatabaseURL); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(m.admissions.Close)
			self := m.key()
			for _, c := range start(t, config) {
				x, err := orchestrator.OpenExchange(ctx, c, self, m.domain, slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError})))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() {
					if err := x.End(); err != nil {
						t.Error(err)
					}
				})
				m.at, m.bus = x.At, x.Bus
			}
			test(m)
		})
	}
}

func (m gated) key() *protocol.KeySigner {
	k, err := crypto.GenerateKey()
	if err != nil {
		m.Fatal(err)
	}
	return protocol.NewKeySigner(k)
}

// enter is a transcoder that comes in, or not.
func (m gated) enter(who protocol.Signer, joinToken string) (*bus.Bus, error) {
	ctx, cancel := context.WithTimeout(m.Context(), patience)
	defer cancel()
	b, err := bus.Dial(ctx, m.at, bus.Options{Name: "transcoder", Log: slog.New(once{slog.DiscardHandler, cancel}), Identity: &bus.Identity{Signer: who, Domain: m.domain, Role: protocol.RoleTranscoder, JoinToken: joinToken}})
	if err == nil {
		m.Cleanup(func() { _ = b.Close() })
	}
	return b, err
}

// once ends an attempt to connect that was refused and is about to be repeated, which is logged.
type once struct {
	slog.Handler
	end func()
}

func (once) Enabled(context.Context, slog.Level) bool { return true }

func (o once) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok && bus.Refused(err) {
			o.end()
		}
		return true
	})
	return nil
}

func (m gated) must(who protocol.Signer, joinToken string) *bus.Bus {
	m.Helper()
	b, err := m.enter(who, joinToken)
	if err != nil {
		m.Fatal(err)
	}
	return b
}

func (m gated) refused(who protocol.Signer, joinToken, why string) {
	m.Helper()
	if _, err := m.enter(who, joinToken); protocol.CodeOf(err) != protocol.Unauthorized {
		m.Errorf("%s: %v, want a refusal", why, err)
	}
}

func TestExchange_admitsATranscoderByItsTokenOnceAndForGood(t *testing.T) {
	t.Parallel()
	eachGate(t, orchestrator.Config{}, func(m gated) {
		secret, _, err := m.admissions.CreateToken(m.Context(), "the first", time.Hour)
		if err != nil {
			m.Fatal(err)
		}
		one, other := m.key(), m.key()
		m.refused(one, "", "without a token")
		m.refused(one, secret[:len(secret)-1], "half a token")
		m.must(one, secret)
		m.must(one, "")
		m.refused(other, secret, "a token that was used")
	})
}

// It may still be paid, and do nothing else.
func TestExchange_cutsWhoIsRevokedWithinSecondsAtEveryReplica(t *testing.T) {
	t.Parallel()
	eachGate(t, orchestrator.Config{OpenMarket: true}, func(m gated) {
		one, other := m.key(), m.key()
		goes, stays := m.must(one, ""), m.must(other, "")
		if err := errors.Join(
			goes.ServeTickets(m.Context(), one.Address(), func(context.Context, []byte) ([]byte, error) { return []byte("taken"), nil }),
			goes.ServeLeases(m.Context(), one.Address(), func(context.Context, protocol.Signed[protocol.LeaseRequest]) protocol.Acknowledgement {
				return protocol.Acknowledgement{}
			})); err != nil {
			m.Fatal(err)
		}
		works := func() bool {
			_, err := m.bus.AskLease(m.Context(), one.Address(), protocol.Signed[protocol.LeaseRequest]{})
			return err == nil
		}
		paid := func() bool {
			b, err := m.bus.SendTickets(m.Context(), one.Address(), nil)
			return err == nil && string(b) == "taken"
		}
		m.within("it works", func() bool { return works() && paid() })
		if err := m.admissions.Revoke(m.Context(), one.Address(), "it cheats"); err != nil {
			m.Fatal(err)
		}
		began := time.Now()
		m.within("it is cut", func() bool { return goes.Conn().Stats().Reconnects > 0 })
		m.Logf("cut, and in again, after %s", time.Since(began))
		m.within("it is paid", paid)
		if works() {
			m.Error("it works on")
		}
		if again := m.must(one, ""); again.SubscribeBids(m.Context(), func(protocol.Signed[protocol.Bid]) {}) == nil && again.Conn().LastError() == nil {
			m.Error("it may hear bids")
		}
		if stays.Conn().Stats().Reconnects > 0 || !stays.Connected() {
			m.Error("another one was cut too")
		}
		if err := m.admissions.Admit(m.Context(), one.Address()); err != nil {
			m.Fatal(err)
		}
		m.within("it works again", works)
	})
}

// within waits for what must come.
func (m gated) within(what string, ok func() bool) {
	m.Helper()
	for began := time.Now(); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > patience {
			m.Fatal("in vain: " + what)
		}
	}
}

// One that cannot be cut is no reason to leave the others in.
func TestWatch_cutsTheOthersWhereOneCannotBe(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	url := pgtest.URL(t)
	admissions, err := orchestrator.OpenAdmissions(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(admissions.Close)
	all := []common.Address{{1}, {2}, {3}}
	for _, a := range all {
		if err := admissions.Revoke(ctx, a, "it cheats"); err != nil {
			t.Fatal(err)
		}
	}
	life, end := context.WithCancel(ctx)
	tries := map[common.Address]int{}
	if err := orchestrator.WatchRevoked(life, url, func(_ context.Context, a common.Address) error {
		tries[a]++
		if tries[all[0]] >= 2 {
			end()
		}
		if a == all[0] {
			return errors.New("a server does not answer")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, a := range all[1:] {
		if tries[a] != 1 {
			t.Errorf("%d cuts of %s, want one: it comes again to be paid", tries[a], a)
		}
	}
}

// Strangers that log in, however many, leave the database's connections to those who settle.
func TestGuests_askTheDatabaseAFewAtATime(t *testing.T) {
	t.Parallel()
	asked, answer := make(chan common.Address, 100), make(chan struct{})
	guests := orchestrator.Guests(func(who common.Address) error { asked <- who; <-answer; return nil })
	var logins sync.WaitGroup
	for i := range orchestrator.MaxAdmitting {
		logins.Go(func() {
			if _, err := guests.Admit(t.Context(), common.Address{byte(i + 1)}, protocol.RoleTranscoder, ""); err != nil {
				t.Error(err)
			}
		})
	}
	for range orchestrator.MaxAdmitting {
		<-asked
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond) // as the gate's patience
	defer cancel()
	if _, err := guests.Admit(ctx, common.Address{99}, protocol.RoleTranscoder, ""); protocol.CodeOf(err) != protocol.Unavailable {
		t.Errorf("one too many: %v, want unavailable", err)
	}
	if n := len(asked); n != 0 {
		t.Errorf("%d asked the database meanwhile", n)
	}
	close(answer)
	logins.Wait()
	if _, err := guests.Admit(t.Context(), common.Address{99}, protocol.RoleTranscoder, ""); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestGuests_letInWhoWasRevokedToBePaidAndForAnHour(t *testing.T) {
	t.Parallel()
	for ago, in := range map[time.Duration]bool{0: true, 59 * time.Minute: true, time.Hour: false, 24 * time.Hour: false} {
		guests := orchestrator.Guests(func(who common.Address) error { return orchestrator.Revoked(who, ago) })
		as, err := guests.Admit(t.Context(), common.Address{1}, protocol.RoleTranscoder, "")
		if in != (err == nil) || in == as.OwedUntil.IsZero() || time.Until(as.OwedUntil) > time.Hour-ago {
			t.Errorf("revoked %s ago: until %s, %v", ago, as.OwedUntil, err)
		}
	}
}

func TestRun_refusesSettingsOfTheGateThatCannotBe(t *testing.T) {
	t.Parallel()
	good := orchestrator.Config{HTTP: "127.0.0.1:0", NATS: "nats://127.0.0.1:4222", ChainRPC: "http://127.0.0.1:1", DatabaseURL: "postgres://127.0.0.1/x",
		Escrow: "0x00000000000000000000000000000000000000e5", Keystore: "key", PasswordFile: "password", WeiPerPixel: protocol.NewWei(1), QuoteValid: time.Minute,
		AllocationPerTranscoder: protocol.NewWei(1), MaxTranscoders: 1, TopUpInterval: time.Second, LeaseTime: 30 * time.Second, LeaseIdle: 10 * time.Second,
		AwardTimeout: time.Second, SlotTimeout: time.Second, MaxAttempts: 4, MaxInFlight: 1, MaxSegmentBytes: 1, BodyIdle: time.Second}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		want   string
		spoil  func(*orchestrator.Config)
		mended bool // by --insecure-cleartext
	}{
		{"--nats-listen", func(c *orchestrator.Config) { c.NATSListen, c.NATSAuthKeys = "127.0.0.1:0", "keys" }, false},
		{"--nats-listen", func(c *orchestrator.Config) { c.NATSListen = "4222" }, false},
		{"--open-market", func(c *orchestrator.Config) { c.OpenMarket = true }, false},
		{"--market-orchestrator", func(c *orchestrator.Config) { c.Orchestrators = []string{"me"} }, false},
		{"--nats: ", func(c *orchestrator.Config) { c.NATS = "0x12@tls://example.org" }, false},
		{"--nats: ", func(c *orchestrator.Config) { c.NATS = "nats://example.org" }, true},
		{"--advertise-url", func(c *orchestrator.Config) { c.AdvertiseURL = "http://example.org" }, true},
	} {
		config := good
		c.spoil(&config)
		if err := config.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.want, err)
		}
		config.InsecureCleartext = true
		if err := config.Validate(); c.mended != (err == nil) {
			t.Errorf("%s, cleartext allowed: %v", c.want, err)
		}
	}
}
