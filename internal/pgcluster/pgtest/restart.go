package pgtest

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/kinora/kinora/internal/pgcluster"
)

// Restartable is a Postgres of a test's own that can be away for a while. Its URLs stay.
type Restartable struct {
	t       testing.TB
	data    string
	sockets string // a link to wherever the socket is
	cluster *pgcluster.Cluster
}

// NewRestartable starts one; it ends with the test.
func NewRestartable(t testing.TB) *Restartable {
	t.Helper()
	dir, err := os.MkdirTemp("", "pg") // short: a socket's path must be
	if err != nil {
		t.Fatal(err)
	}
	p := &Restartable{t: t, data: filepath.Join(t.TempDir(), "pg"), sockets: filepath.Join(dir, "s")}
	t.Cleanup(func() { p.Stop(); _ = os.RemoveAll(dir) })
	p.Start()
	return p
}

// Start starts it, and waits until it answers.
func (p *Restartable) Start() {
	p.t.Helper()
	c, err := pgcluster.Start(context.WithoutCancel(p.t.Context()), pgcluster.Options{Dir: p.data, Throwaway: true})
	if err != nil {
		p.t.Fatal(err)
	}
	p.cluster = c
	u, err := url.Parse(c.URL("postgres"))
	if err != nil {
		p.t.Fatal(err)
	}
	_ = os.Remove(p.sockets) // there is none at first
	if err := os.Symlink(u.Query().Get("host"), p.sockets); err != nil {
		p.t.Fatal(err)
	}
}

// Stop ends it; whoever is connected loses the connection.
func (p *Restartable) Stop() { p.cluster.Stop() }

// URL is the connection string of a fresh database.
func (p *Restartable) URL(name string) string {
	p.t.Helper()
	if err := p.cluster.CreateDatabase(p.t.Context(), name); err != nil {
		p.t.Fatal(err)
	}
	u, err := url.Parse(p.cluster.URL(name))
	if err != nil {
		p.t.Fatal(err)
	}
	q := u.Query()
	q.Set("host", p.sockets)
	u.RawQuery = q.Encode()
	return u.String()
}
