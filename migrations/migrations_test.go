package migrations_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/pressly/goose/v3"
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

func TestPostgres_countsTheBroadcastersRowsOfBeforeItsTotals(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	before, err := goose.NewProvider(goose.DialectPostgres, db, os.DirFS("broadcaster"), goose.WithTableName("broadcaster_migrations"), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := before.UpTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), `
		INSERT INTO live_streams (name, target_seconds) VALUES ('cam', 2);
		INSERT INTO live_segments (stream, incarnation, seq, state, source, attempt, arrived_at, duration_us, late, code, msn, gap, program_at, published_at)
		SELECT 'cam', 0, seq, state, decode(repeat('00', 32), 'hex'), 'a', now(), 2000000, late, code, msn, gap, CASE WHEN msn IS NOT NULL THEN now() END, CASE WHEN msn IS NOT NULL THEN now() END
		FROM (VALUES (0, 'verified', false, '', 0, false), (1, 'verified', true, '', 1, true), (2, 'failed', false, 'internal', 2, true),
			(3, 'failed', false, 'internal', NULL, false), (4, 'missing', false, '', 3, true), (5, 'verified', false, '', NULL, false)) v (seq, state, late, code, msn, gap);
		INSERT INTO live_renditions (segment, position, name, label, file, bytes, sha256, width, height, frames, fps, codecs, duration_us)
		SELECT id, p, 'r' || p, 'r', 'f', 1, decode(repeat('00', 32), 'hex'), 2, 2, 1, 1, '', 1 FROM live_segments, generate_series(0, 1) p WHERE state = 'verified';
		INSERT INTO live_attempts (id, stream, incarnation, seq, source, orchestrator, transcoder, passed, layers, code, fee, assignment, receipt)
		SELECT decode(repeat('0' || n, 32), 'hex'), 'cam', 0, n, '', decode(repeat('0a', 20), 'hex'), decode(repeat('0' || n, 20), 'hex'), passed, layers, code, fee, '{}', '{}'
		FROM (VALUES (1, true, 'L0', '', 5), (2, true, 'L0+L1', '', 7), (3, false, 'L0', 'verification_failed', 0)) v (n, passed, layers, code, fee)`); err != nil {
		t.Fatal(err)
	}
	if err := migrations.Postgres(t.Context(), url, "broadcaster"); err != nil {
		t.Fatal(err)
	}
	var totals string
	if err := db.QueryRowContext(t.Context(), `SELECT concat_ws(' ', segments, published, renditions, late, failed, passed, passed_deep, rejected, fees,
		(SELECT count(*) FROM live_transcoders)) FROM live_totals`).Scan(&totals); err != nil {
		t.Fatal(err)
	}
	if want := "5 1 2 1 3 2 1 1 12 3"; totals != want {
		t.Errorf("totals %s, want %s", totals, want)
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
