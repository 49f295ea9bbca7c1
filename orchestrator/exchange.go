package orchestrator

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/bus"
	"github.com/kinora/kinora/internal/bus/callout"
	"github.com/kinora/kinora/internal/bus/embedded"
	"github.com/kinora/kinora/internal/bus/entry"
	"github.com/kinora/kinora/internal/loopback"
	"github.com/kinora/kinora/internal/passport"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator/internal/store"
)

// How soon a revocation is acted upon, and how long after that again: one who was just logging in when it came has done so then.
const (
	watchEvery = time.Second
	watchAgain = 10 * time.Second
)

// owedFor is how long one that was revoked may come in to be paid: tickets for its last segments are sent within minutes, and it may
// redeem them by a relay some minutes after that.
const owedFor = time.Hour

// exchange is the market's NATS as this orchestrator has it: its own connection and, if it keeps the gate, who is let in there.
type exchange struct {
	*bus.Bus
	at        string // where transcoders find it
	connected func() bool
	expel     func(context.Context, common.Address) error // nil: somebody else keeps the gate
	store     *store.Store
	log       *slog.Logger
}

type exchangeConfig struct {
	Config
	signer protocol.Signer
	domain protocol.Domain
	store  *store.Store
	secure *passport.Issuer
	log    *slog.Logger
}

// openExchange runs a NATS server, or answers for one that runs elsewhere, or just uses one, and connects to it.
func openExchange(ctx context.Context, c exchangeConfig, open *closers) (*exchange, error) {
	self := c.signer.Address()
	opts := bus.Options{Name: "orchestrator " + self.Hex(), Trust: passport.NewTrust(c.domain), Cleartext: c.InsecureCleartext, Log: c.log}
	x := &exchange{at: c.NATS, store: c.store, log: c.log}
	answers := func() bool { return true }
	switch {
	case c.NATSListen != "":
		host, _, _ := net.SplitHostPort(c.NATSListen) // Validate has seen it
		var secure *tls.Config
		if !loopback.Host(host) {
			secure = c.secure.Config()
		}
		server, err := embedded.Start(embedded.Options{Listen: c.NATSListen, Gate: c.gate(), TLS: secure, Log: c.log})
		if err != nil {
			return nil, fmt.Errorf("--nats-listen: %w", err)
		}
		open.add(server.Close)
		x.at, x.expel = self.Hex()+"@"+server.URL(), server.Expel
	case c.NATSAuthKeys != "":
		keys, err := callout.LoadKeys(c.NATSAuthKeys)
		if err != nil {
			return nil, fmt.Errorf("--nats-auth-keys: %w", err)
		}
		gatekeeper, err := callout.Dial(ctx, c.NATS, keys, c.gate(), opts)
		if err != nil {
			return nil, err
		}
		open.add(gatekeeper.Close)
		x.expel, answers = gatekeeper.Expel, gatekeeper.Connected
	}
	opts.Identity = &bus.Identity{Signer: c.signer, Domain: c.domain, Role: protocol.RoleOrchestrator}
	opts.Credentials = c.NATSCreds
	var err error
	if x.Bus, err = bus.Dial(ctx, x.at, opts); err != nil {
		return nil, err
	}
	open.add(x.Bus.Close)
	x.connected = func() bool { return x.Bus.Connected() && answers() }
	return x, nil
}

func (c exchangeConfig) gate() *entry.Gate {
	members := map[common.Address]bool{c.signer.Address(): true}
	for _, a := range c.Orchestrators {
		members[common.HexToAddress(a)] = true
	}
	gate := &entry.Gate{Domain: c.domain, Guests: newGuests(c.store, members, c.OpenMarket), Log: c.log}
	for a := range members {
		gate.Markets = append(gate.Markets, a)
	}
	return gate
}

// maxAdmitting bounds the questions to the database by those who log in: anybody may, and verdicts and payments need its connections.
const maxAdmitting = 2

// admitter is the record of transcoders; store.Store is one.
type admitter interface {
	Admit(ctx context.Context, transcoder common.Address, token *[32]byte, open bool) error
}

// guests are the orchestrators of the market, and the transcoders that the database admits.
type guests struct {
	store         admitter
	orchestrators map[common.Address]bool
	open          bool
	slots         chan struct{}
}

func newGuests(store admitter, orchestrators map[common.Address]bool, open bool) guests {
	return guests{store, orchestrators, open, make(chan struct{}, maxAdmitting)}
}

// Admit is entry.Guests'.
func (g guests) Admit(ctx context.Context, who common.Address, role protocol.Role, joinToken string) (entry.Standing, error) {
	switch {
	case role == protocol.RoleOrchestrator && !g.orchestrators[who]:
		return entry.Standing{}, protocol.Errorf(protocol.Unauthorized, "%s is no orchestrator of this market (--market-orchestrator)", who)
	case role == protocol.RoleOrchestrator:
		return entry.Standing{}, nil
	}
	select {
	case g.slots <- struct{}{}:
		defer func() { <-g.slots }()
	case <-ctx.Done():
		return entry.Standing{}, protocol.Errorf(protocol.Unavailable, "too many log in at once: %w", ctx.Err())
	}
	var token *[32]byte
	if joinToken != "" {
		hash := sha256.Sum256([]byte(joinToken))
		token = &hash
	}
	err := g.store.Admit(ctx, who, token, g.open)
	var revoked *store.RevokedError
	if errors.As(err, &revoked) && revoked.Ago < owedFor {
		return entry.Standing{OwedUntil: time.Now().Add(owedFor - revoked.Ago)}, nil
	}
	return entry.Standing{}, err
}

// overTLS is how --http is served; nil: in the clear.
func (c Config) overTLS(secure *passport.Issuer) *tls.Config {
	host, _, _ := net.SplitHostPort(c.HTTP) // Validate has seen it
	if c.TLSCert == "" && (c.InsecureCleartext || loopback.Host(host)) {
		return nil
	}
	return secure.Config("h2", "http/1.1")
}
