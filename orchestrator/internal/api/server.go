package api

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Server serves one handler on one address: HTTP/1.1 and HTTP/2, in the clear by prior knowledge or over TLS.
type Server struct {
	http     *http.Server
	listener net.Listener
	done     chan error
}

// Listen takes the address; nothing is served before Serve.
func Listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	return l, nil
}

// Serve starts serving on l; without a configuration of TLS in the clear.
func Serve(l net.Listener, handler http.Handler, secure *tls.Config, log *slog.Logger) *Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	if secure == nil {
		protocols.SetUnencryptedHTTP2(true)
	} else {
		protocols.SetHTTP2(true)
	}
	s := &Server{listener: l, done: make(chan error, 1), http: &http.Server{
		Handler:           handler,
		Protocols:         protocols,
		TLSConfig:         secure,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          1000, // a transcoder parks two per lease on one connection
			MaxReceiveBufferPerStream:     1 << 20,
			MaxReceiveBufferPerConnection: 4<<20 - 1,
			MaxReadFrameSize:              256 << 10,
			SendPingTimeout:               5 * time.Second, // a peer that vanished without a word is noticed
			PingTimeout:                   5 * time.Second,
		},
	}}
	go func() {
		var err error
		if secure == nil {
			err = s.http.Serve(l)
		} else {
			err = s.http.ServeTLS(l, "", "")
		}
		if errors.Is(err, http.ErrServerClosed) {
			err = nil
		}
		s.done <- err
	}()
	return s
}

// Done yields the error that ended serving, once.
func (s *Server) Done() <-chan error { return s.done }

// Addr is host:port as listened on.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Close takes no new requests, lets those in progress end until ctx does, then cuts them.
func (s *Server) Close(ctx context.Context) error {
	if err := s.http.Shutdown(ctx); err != nil {
		return s.http.Close()
	}
	return nil
}
