package entry_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/kinora/kinora/internal/bus"
	"github.com/kinora/kinora/internal/bus/bustest"
	"github.com/kinora/kinora/internal/bus/callout"
	"github.com/kinora/kinora/internal/bus/embedded"
	"github.com/kinora/kinora/internal/bus/entry"
	"github.com/kinora/kinora/internal/protocol"
)

var (
	domain = protocol.NewDomain(1337, common.HexToAddress("0xe5c0"))

	orchestrator, colleague = key("orchestrator"), key("another orchestrator")
	transcoder, rival       = key("transcoder"), key("another transcoder")
)

func key(name string) *protocol.KeySigner {
	seed := sha256.Sum256([]byte(name))
	k, err := crypto.ToECDSA(seed[:])
	if err != nil {
		panic(err)
	}
	return protocol.NewKeySigner(k)
}

// book is a list of guests that can change.
type book struct {
	mu     sync.Mutex
	guests entry.Listed
	tokens []string // that were shown
}

func newBook() *book {
	return &book{guests: entry.Listed{orchestrator.Address(): protocol.RoleOrchestrator, colleague.Address(): protocol.RoleOrchestrator,
		transcoder.Address(): protocol.RoleTranscoder, rival.Address(): protocol.RoleTranscoder}}
}

func (b *book) Admit(ctx context.Context, who common.Address, role protocol.Role, joinToken string) (entry.Standing, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens = append(b.tokens, joinToken)
	return b.guests.Admit(ctx, who, role, joinToken)
}

func (b *book) strike(who common.Address) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.guests, who)
}

// site is NATS with a gate: one server or several.
type site struct {
	urls  []string
	guest *book
	expel func(context.Context, common.Address) error
}

func gate(t *testing.T, guests entry.Guests) *entry.Gate {
	return &entry.Gate{Domain: domain, Markets: []common.Address{orchestrator.Address(), colleague.Address()}, Guests: guests, Log: logger(t)}
}

func logger(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// everywhere runs a test on each kind of NATS there is.
func everywhere(t *testing.T, test func(t *testing.T, s site)) {
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		guests := newBook()
		s, err := embedded.Start(embedded.Options{Gate: gate(t, guests), Log: logger(t)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		test(t, site{[]string{s.URL()}, guests, s.Expel})
	})
	t.Run("callout of a cluster", func(t *testing.T) {
		t.Parallel()
		test(t, cluster(t))
	})
}

// cluster is two NATS servers as their owner would configure them, and a callout at the first.
func cluster(t *testing.T) site {
	t.Helper()
	file := filepath.Join(t.TempDir(), "keys")
	if _, err := callout.CreateKeys(file); err != nil {
		t.Fatal(err)
	}
	keys, err := callout.LoadKeys(file)
	if err != nil {
		t.Fatal(err)
	}
	var servers []*server.Server
	routes := ""
	for i := range 2 {
		s := bustest.Start(t, fmt.Sprintf("server_name: s%d\ncluster { name: c, listen: 127.0.0.1:-1, routes: [ %s ] }\n%s", i, routes, keys.ServerConfig()))
		routes = "nats://" + s.ClusterAddr().String()
		servers = append(servers, s)
	}
	eventually(t, "the servers find each other", func() bool { return servers[0].NumRoutes() > 0 && servers[1].NumRoutes() > 0 })
	guests := newBook()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c, err := callout.Dial(ctx, servers[0].ClientURL(), keys, gate(t, guests), bus.Options{Name: "callout", Log: logger(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return site{[]string{servers[0].ClientURL(), servers[1].ClientURL()}, guests, c.Expel}
}

// One who is in must not be able to fill the server's memory.
func TestServers_boundWhatOneParticipantMakesThemRemember(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, s site) {
		conn := enter(t, s.urls[0], as(transcoder, protocol.RoleTranscoder)).Conn()
		for i := range entry.MaxSubscriptions + 1 {
			if _, err := conn.SubscribeSync(fmt.Sprintf("%s.%d", entry.InboxPrefix(transcoder.Address()), i)); err != nil {
				t.Fatal(err)
			}
		}
		if err := conn.FlushTimeout(20 * time.Second); err != nil {
			t.Fatal(err)
		}
		if err := conn.LastError(); err == nil || !strings.Contains(err.Error(), "maximum subscriptions exceeded") {
			t.Errorf("after %d subscriptions: %v", entry.MaxSubscriptions+1, err)
		}
	})
}

func TestEmbedded_takesSoManyConnectionsOfOneParticipant(t *testing.T) {
	t.Parallel()
	s, err := embedded.Start(embedded.Options{Gate: gate(t, newBook())})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	connect := func(who protocol.Signer) (*nats.Conn, error) {
		return nats.Connect(s.URL(), nats.Nkey(who.Address().Hex(), signed(who, protocol.Login{Participant: who.Address(), Role: protocol.RoleTranscoder})),
			nats.UserInfo(string(protocol.RoleTranscoder), ""), nats.Timeout(20*time.Second), nats.NoReconnect())
	}
	var own []*nats.Conn
	for {
		conn, err := connect(transcoder)
		if err != nil {
			break
		}
		t.Cleanup(conn.Close)
		if own = append(own, conn); len(own) > 100 {
			t.Fatal("no bound up to 100 connections")
		}
	}
	if len(own) < 8 {
		t.Errorf("only %d connections of one participant", len(own))
	}
	if conn, err := connect(rival); err != nil {
		t.Error("another one was refused too:", err)
	} else {
		conn.Close()
	}
	own[0].Close()
	eventually(t, "one more after one was closed", func() bool {
		conn, err := connect(transcoder)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("not within 20 s: " + what)
		}
	}
}

func as(who protocol.Signer, role protocol.Role) bus.Options {
	return bus.Options{Name: "test", Identity: &bus.Identity{Signer: who, Domain: domain, Role: role}}
}

func enter(t *testing.T, url string, opts bus.Options) *bus.Bus {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	b, err := bus.Dial(ctx, url, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}
