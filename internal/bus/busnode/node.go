// Package busnode runs NATS servers for tests that kill them: several in a cluster, at addresses that are not loopback.
package busnode

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Node is one server, alone or of a cluster.
type Node struct {
	Name    string
	Listen  string   // host:port for clients
	Cluster string   // host:port for the other nodes; empty: it is alone
	Routes  []string // host:port of the nodes' Cluster
}

// Serve runs the server until ctx ends; ready is called once it takes clients.
func (n Node) Serve(ctx context.Context, ready func()) error {
	o := &server.Options{ServerName: n.Name, NoSigs: true, MaxPayload: 1 << 20, MaxPending: 64 << 20, PingInterval: 2 * time.Second, MaxPingsOut: 2}
	var err error
	if o.Host, o.Port, err = split(n.Listen); err != nil {
		return err
	}
	if n.Cluster != "" {
		o.Cluster.Name = "stage"
		if o.Cluster.Host, o.Cluster.Port, err = split(n.Cluster); err != nil {
			return err
		}
		for _, r := range n.Routes {
			o.Routes = append(o.Routes, &url.URL{Scheme: "nats", Host: r})
		}
	}
	s, err := server.NewServer(o)
	if err != nil {
		return fmt.Errorf("start NATS: %w", err)
	}
	s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		s.Shutdown()
		return fmt.Errorf("NATS is not ready on %s", n.Listen)
	}
	ready()
	<-ctx.Done()
	s.Shutdown()
	s.WaitForShutdown()
	return nil
}

func split(addr string) (string, int, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, fmt.Errorf("address %q: %w", addr, err)
	}
	n, err := strconv.Atoi(port)
	return host, n, err
}
