package bus_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/bus"
	"github.com/kinora/kinora/internal/bus/bustest"
	"github.com/kinora/kinora/internal/bus/embedded"
	"github.com/kinora/kinora/internal/bus/entry"
	"github.com/kinora/kinora/internal/passport"
	"github.com/kinora/kinora/internal/protocol"
)

func identified(t *testing.T, who protocol.Signer) *tls.Config {
	t.Helper()
	i, err := passport.NewIssuer(domain, who, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return i.Config()
}

// gated is a NATS server that authenticates, over TLS by who's identity.
func gated(t *testing.T, listen string, who protocol.Signer, guests entry.Listed) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(embedded.Options{Listen: listen, TLS: identified(t, who),
		Gate: &entry.Gate{Domain: domain, Markets: []common.Address{who.Address()}, Guests: guests, Log: slog.New(slog.DiscardHandler)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestEmbedded_thatAuthenticatesListensEverywhereOverTLSOnly(t *testing.T) {
	t.Parallel()
	self := signer(t, 1)
	guests := entry.Listed{self.Address(): protocol.RoleOrchestrator}
	gate := &entry.Gate{Domain: domain, Guests: guests, Log: slog.New(slog.DiscardHandler)}
	for want, opts := range map[string]embedded.Options{
		"TLS":                  {Listen: "0.0.0.0:0", Gate: gate},
		"do not authenticate":  {Listen: "0.0.0.0:0", TLS: identified(t, self)},
		"do not authenticate,": {Listen: "[::]:0"},
	} {
		if s, err := embedded.Start(opts); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
			if err == nil {
				_ = s.Close()
			}
		}
	}
	s := gated(t, "0.0.0.0:0", self, guests)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(s.URL(), "tls://"))
	if err != nil {
		t.Fatal(err)
	}
	own := bus.Options{Identity: &bus.Identity{Signer: self, Domain: domain, Role: protocol.RoleOrchestrator}}
	for _, url := range []string{self.Address().Hex() + "@tls://127.0.0.1:" + port, self.Address().Hex() + "@nats://127.0.0.1:" + port, self.Address().Hex() + "@" + s.URL()} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		b, err := bus.Dial(ctx, url, own)
		cancel()
		if err != nil {
			t.Fatalf("%s: %v", url, err)
		}
		if _, err := b.Conn().TLSConnectionState(); err != nil {
			t.Errorf("%s: %v", url, err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestDial_refusesAServerThatIsNotWhoItShouldBe(t *testing.T) {
	t.Parallel()
	owner, thief, guest := signer(t, 1), signer(t, 2), signer(t, 3)
	market := gated(t, "", thief, entry.Listed{guest.Address(): protocol.RoleTranscoder})
	clear := start(t)
	for url, want := range map[string]string{
		owner.Address().Hex() + "@" + market.URL(): "the server is " + thief.Address().Hex() + ", not " + owner.Address().Hex(),
		market.URL(): "write " + thief.Address().Hex() + "@", // no authority knows it, and nobody named it
		"tls://" + strings.TrimPrefix(clear.URL(), "nats://"): "secure connection",
		"nats://192.0.2.1:4222":                               "in the clear",
		"192.0.2.1:4222":                                      "in the clear",
		"0x12@tls://127.0.0.1:1":                              "no address",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // none is tried twice
		b, err := bus.Dial(ctx, url, bus.Options{Identity: &bus.Identity{Signer: guest, Domain: domain, Role: protocol.RoleTranscoder}})
		cancel()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", url, err, want)
		}
		if err == nil {
			_ = b.Close()
		}
	}
	_, err := bus.Dial(t.Context(), "nats://192.0.2.1:4222", bus.Options{Cleartext: true,
		Identity: &bus.Identity{Signer: guest, Domain: domain, Role: protocol.RoleTranscoder, JoinToken: "secret"}})
	if err == nil || !strings.Contains(err.Error(), "join token") || strings.Contains(err.Error(), "secret") {
		t.Errorf("a join token in the clear: %v", err)
	}
}

// The servers that a server names may be on other machines.
func TestDial_inTheClearGoesToNobodyButThoseItWasGiven(t *testing.T) {
	t.Parallel()
	first := bustest.Start(t, "server_name: first\ncluster { name: c, listen: 127.0.0.1:-1 }")
	bustest.Start(t, fmt.Sprintf("server_name: second\nclient_advertise: \"192.0.2.1:4222\"\ncluster { name: c, listen: 127.0.0.1:-1, routes: [ nats://%s ] }", first.ClusterAddr()))
	found := func(opts bus.Options) int {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		b, err := bus.Dial(ctx, first.ClientURL(), opts)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		return len(b.Conn().DiscoveredServers())
	}
	eventually(t, "the server tells of the other one", func() bool { return found(bus.Options{Cleartext: true}) == 1 })
	if n := found(bus.Options{}); n != 0 {
		t.Errorf("it would connect to %d others", n)
	}
	identity := bus.Identity{Signer: signer(t, 3), Domain: domain, Role: protocol.RoleTranscoder, JoinToken: "x"}
	if n := found(bus.Options{Cleartext: true, Identity: &identity}); n != 0 {
		t.Errorf("it would bring its join token to %d others", n)
	}
}

// A server that is started anew has a new certificate.
func TestBus_reconnectsToTheSameIdentityWithAnotherCertificate(t *testing.T) {
	t.Parallel()
	owner, guest := signer(t, 1), signer(t, 3)
	guests := entry.Listed{guest.Address(): protocol.RoleTranscoder}
	first := gated(t, "", owner, guests)
	url := first.URL()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	b, err := bus.Dial(ctx, owner.Address().Hex()+"@"+url, bus.Options{Identity: &bus.Identity{Signer: guest, Domain: domain, Role: protocol.RoleTranscoder}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	_ = first.Close()
	eventually(t, "disconnected", func() bool { return !b.Connected() })
	gated(t, strings.TrimPrefix(url, "tls://"), owner, guests)
	eventually(t, "connected again", func() bool { return b.Connected() })
}

func TestDial_goesToAServerThatAsksNobody(t *testing.T) {
	t.Parallel()
	guest := signer(t, 3)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	b, err := bus.Dial(ctx, start(t).URL(), bus.Options{Identity: &bus.Identity{Signer: guest, Domain: domain, Role: protocol.RoleTranscoder, JoinToken: "x"}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.PublishBid(bid(t, guest, 1)); err != nil {
		t.Error(err)
	}
}

// A server may be started anew with a gate, or without one.
func TestBus_logsInAgainWhereItIsAskedTo(t *testing.T) {
	t.Parallel()
	guest := signer(t, 3)
	var server *embedded.Server
	started := func(listen string, gated bool) {
		opts := embedded.Options{Listen: listen}
		if gated {
			opts.Gate = &entry.Gate{Domain: domain, Guests: entry.Listed{guest.Address(): protocol.RoleTranscoder}, Log: slog.New(slog.DiscardHandler)}
		}
		var err error
		if server, err = embedded.Start(opts); err != nil {
			t.Fatal(err)
		}
	}
	started("", false)
	defer func() { _ = server.Close() }()
	url := server.URL()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	b, err := bus.Dial(ctx, url, bus.Options{Identity: &bus.Identity{Signer: guest, Domain: domain, Role: protocol.RoleTranscoder, JoinToken: "x"}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, gated := range []bool{true, false, true} {
		if err := server.Close(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "disconnected", func() bool { return !b.Connected() })
		started(strings.TrimPrefix(url, "nats://"), gated)
		eventually(t, "connected again", func() bool { return b.Connected() })
		if err := b.Flush(ctx); err != nil {
			t.Errorf("with a gate: %v: %v", gated, err)
		}
	}
}
