// Package pgtest gives a test a real, empty Postgres database of its own.
package pgtest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/kinora/kinora/internal/pgcluster"
)

// One cluster serves a whole test binary and dies with it.
var (
	start   sync.Once
	cluster *pgcluster.Cluster
	failure error
	serial  atomic.Uint64
)

// URL is the connection string of a fresh, empty database; migrations.Postgres takes it.
func URL(t testing.TB) string {
	t.Helper()
	start.Do(func() {
		cluster, failure = pgcluster.Start(context.Background(), pgcluster.Options{Throwaway: true})
	})
	if failure != nil {
		t.Fatalf("tests need a Postgres: %v", failure)
	}
	name := fmt.Sprintf("test_%d", serial.Add(1))
	if err := cluster.CreateDatabase(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	return cluster.URL(name)
}

// New is a pool on a fresh, empty database, closed when the test ends.
func New(t testing.TB) *pgxpool.Pool {
	t.Helper()
	return Open(t, URL(t))
}

// Open is a pool on the database at url, closed when the test ends.
func Open(t testing.TB, url string) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}
