// Package embedded runs a NATS server inside this process, for one machine: it listens on loopback only, since its
// clients do not authenticate.
package embedded

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

const startTimeout = 10 * time.Second

// Options say where to listen.
type Options struct {
	Listen string // host:port, loopback; empty or port 0: 127.0.0.1 and a free port
	Log    *slog.Logger
}

// Server is a running NATS server.
type Server struct{ server *server.Server }

// Start starts a server and returns once it takes connections.
func Start(opts Options) (*Server, error) {
	host, port, err := listen(opts.Listen)
	if err != nil {
		return nil, fmt.Errorf("start NATS: %w", err)
	}
	s, err := server.NewServer(&server.Options{
		ServerName: "kinora", Host: host, Port: port, NoSigs: true, NoSystemAccount: true, MaxPayload: 1 << 20,
		MaxPending: 64 << 20, PingInterval: 5 * time.Second, MaxPingsOut: 2,
	})
	if err != nil {
		return nil, fmt.Errorf("start NATS: %w", err)
	}
	if opts.Log != nil {
		s.SetLoggerV2(logger{opts.Log}, false, false, false)
	}
	s.Start()
	if !s.ReadyForConnections(startTimeout) {
		s.Shutdown()
		return nil, fmt.Errorf("start NATS: not ready on %s after %s; is the port free?", net.JoinHostPort(host, strconv.Itoa(max(port, 0))), startTimeout)
	}
	return &Server{server: s}, nil
}

// URL is where clients connect.
func (s *Server) URL() string { return s.server.ClientURL() }

// Close disconnects every client and waits for the server's end.
func (s *Server) Close() error {
	s.server.Shutdown()
	s.server.WaitForShutdown()
	return nil
}

func listen(addr string) (string, int, error) {
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
		return "", 0, fmt.Errorf("listen address %q: its clients do not authenticate, so only loopback is allowed", addr)
	}
	if port == 0 {
		return host, server.RANDOM_PORT, nil
	}
	return host, int(port), nil
}

// logger hands the server's lines to slog.
type logger struct{ log *slog.Logger }

func line(format string, args []any) string { return strings.TrimSpace(fmt.Sprintf(format, args...)) }

func (l logger) Noticef(format string, args ...any) { l.log.Debug("nats: " + line(format, args)) }
func (l logger) Warnf(format string, args ...any)   { l.log.Warn("nats: " + line(format, args)) }
func (l logger) Errorf(format string, args ...any)  { l.log.Error("nats: " + line(format, args)) }
func (l logger) Fatalf(format string, args ...any)  { l.log.Error("nats: " + line(format, args)) }
func (l logger) Debugf(format string, args ...any)  { l.log.Debug("nats: " + line(format, args)) }
func (l logger) Tracef(format string, args ...any)  { l.log.Debug("nats: " + line(format, args)) }
