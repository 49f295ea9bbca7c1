// Package embedded runs a NATS server inside this process. Without a gate its clients do not say who they are, so it listens on
// loopback only; beyond that it needs TLS too.
package embedded

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/nats-io/nats-server/v2/server"

	"github.com/kinora/kinora/internal/bus/entry"
)

const (
	startTimeout = 10 * time.Second
	loginTimeout = 8 * time.Second // of handshake and login together; the gate may ask a database, a client a signer elsewhere

	maxConns = 16_384
)

// Options say where to listen, and whom to let in.
type Options struct {
	Listen string      // host:port; empty or port 0: 127.0.0.1 and a free port
	Gate   *entry.Gate // nil: everybody is let in, and may do everything
	TLS    *tls.Config // nil: in the clear
	Log    *slog.Logger
}

// Server is a running NATS server.
type Server struct {
	server *server.Server
	life   context.Context // of logins
	end    context.CancelFunc
}

// Start starts a server and returns once it takes connections.
func Start(opts Options) (*Server, error) {
	host, port, err := listen(opts)
	if err != nil {
		return nil, fmt.Errorf("start NATS: %w", err)
	}
	settings := &server.Options{
		ServerName: "kinora", Host: host, Port: port, NoSigs: true, NoSystemAccount: true, MaxPayload: 1 << 20,
		MaxPending: 64 << 20, PingInterval: 5 * time.Second, MaxPingsOut: 2, AuthTimeout: loginTimeout.Seconds(),
	}
	life, end := context.WithCancel(context.Background())
	var watch *guard
	if opts.Gate != nil {
		settings.AlwaysEnableNonce = true
		settings.MaxConn, settings.MaxSubs = maxConns, entry.MaxSubscriptions
		watch = &guard{life: life, gate: opts.Gate, conns: map[common.Address][]uint64{}, log: opts.Log}
		settings.CustomClientAuthentication = watch
	}
	if opts.TLS != nil {
		settings.TLS, settings.TLSConfig, settings.TLSTimeout = true, opts.TLS, loginTimeout.Seconds()
	}
	s, err := server.NewServer(settings)
	if err != nil {
		end()
		return nil, fmt.Errorf("start NATS: %w", err)
	}
	if watch != nil {
		watch.open = func(id uint64) bool { return s.GetClient(id) != nil }
	}
	if opts.Log != nil {
		s.SetLoggerV2(&logger{log: opts.Log}, false, false, false)
	}
	s.Start()
	if !s.ReadyForConnections(startTimeout) {
		end()
		s.Shutdown()
		return nil, fmt.Errorf("start NATS: not ready on %s after %s; is the port free?", net.JoinHostPort(host, strconv.Itoa(max(port, 0))), startTimeout)
	}
	return &Server{s, life, end}, nil
}

// URL is where clients of this machine connect.
func (s *Server) URL() string {
	u, err := url.Parse(s.server.ClientURL())
	if err != nil {
		return s.server.ClientURL()
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && ip.IsUnspecified() {
		u.Host = net.JoinHostPort("127.0.0.1", u.Port())
	}
	return u.String()
}

// Expel cuts every connection of a participant. One that is just logging in may slip through: ask again a moment later.
func (s *Server) Expel(_ context.Context, participant common.Address) error {
	list, err := s.server.Connz(&server.ConnzOptions{Username: true, User: participant.Hex()})
	if err != nil {
		return fmt.Errorf("connections of %s: %w", participant, err)
	}
	for _, c := range list.Conns {
		_ = s.server.DisconnectClientByID(c.Cid) // fails only when it has gone
	}
	return nil
}

// Close disconnects every client and waits for the server's end.
func (s *Server) Close() error {
	s.end()
	s.server.Shutdown()
	s.server.WaitForShutdown()
	return nil
}

func listen(opts Options) (string, int, error) {
	addr := opts.Listen
	if addr == "" {
		return "127.0.0.1", server.RANDOM_PORT, nil
	}
	host, portText, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, fmt.Errorf("listen address %q: want host:port", addr)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("listen address %q: port must be 0 to 65535", addr)
	}
	if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
		switch {
		case opts.Gate == nil:
			return "", 0, fmt.Errorf("listen address %q: its clients do not authenticate, so only loopback is allowed", addr)
		case opts.TLS == nil:
			return "", 0, fmt.Errorf("listen address %q: without TLS only loopback is allowed", addr)
		}
		if host == "" {
			host = "0.0.0.0"
		}
	}
	if port == 0 {
		return host, server.RANDOM_PORT, nil
	}
	return host, int(port), nil
}
