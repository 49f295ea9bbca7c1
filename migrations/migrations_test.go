package migrations_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/migrations"
)

func TestPostgres_migratesTwiceAndAtOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	errs := make(chan error, 4)
	for range cap(errs) {
		go func() { errs <- migrations.Postgres(t.Context(), url, "payer", "recipient") }()
	}
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func TestSQLite_migratesTwice(t *testing.T) {
	t.Parallel()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for range 2 {
		if err := migrations.SQLite(t.Context(), db, "recipient_sqlite"); err != nil {
			t.Error(err)
		}
	}
}
