// Package pgtest gives a test a real, empty Postgres database of its own.
package pgtest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/kinora/kinora/internal/pgcluster"
	"github.com/kinora/kinora/migrations"
)

// One cluster serves a whole test binary and dies with it.
var (
	start   sync.Once
	cluster *pgcluster.Cluster
	failure error
	serial  atomic.Uint64

	mu        sync.Mutex
	templates = map[string]*template{}
)

// template is a database that was migrated once, to be copied.
type template struct {
	once    sync.Once
	failure error
}

func started(t testing.TB) {
	t.Helper()
	start.Do(func() {
		cluster, failure = pgcluster.Start(context.Background(), pgcluster.Options{Throwaway: true})
	})
	if failure != nil {
		t.Fatalf("tests need a Postgres: %v", failure)
	}
}

// Migrated is the connection string of a fresh database with these sets of migrations. They are run once for a test binary.
func Migrated(t testing.TB, sets ...string) string {
	t.Helper()
	started(t)
	name := "with_" + strings.Join(sets, "_")
	mu.Lock()
	made := templates[name]
	if made == nil {
		made = &template{}
		templates[name] = made
	}
	mu.Unlock()
	made.once.Do(func() {
		ctx := context.Background() // it outlives the test that comes first
		if made.failure = cluster.CreateDatabase(ctx, name); made.failure == nil {
			made.failure = migrations.Postgres(ctx, cluster.URL(name), sets...)
		}
	})
	if made.failure != nil {
		t.Fatal(made.failure)
	}
	conn, err := pgx.Connect(t.Context(), cluster.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	copied := fmt.Sprintf("test_%d", serial.Add(1))
	if _, err := conn.Exec(t.Context(), "CREATE DATABASE "+copied+" TEMPLATE "+pgx.Identifier{name}.Sanitize()); err != nil {
		t.Fatalf("copy database %s: %v", name, err)
	}
	return cluster.URL(copied)
}

// URL is the connection string of a fresh, empty database; migrations.Postgres takes it.
func URL(t testing.TB) string {
	t.Helper()
	started(t)
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
