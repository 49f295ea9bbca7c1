// Package migrations holds every table of Kinora as SQL and brings databases up to date.
//
// Each folder is a set: payer and recipient (Postgres) and recipient_sqlite keep the two sides of the ticket, the roles
// keep theirs beside them. A set has a version table of its own, so sets share a database without knowing each other.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the "pgx" driver that goose works through
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed *
var files embed.FS

// Postgres brings the named sets of the database at dsn up to date. Processes that do so at once wait for each other.
func Postgres(ctx context.Context, dsn string, sets ...string) error {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return fmt.Errorf("migrate: open database: %w", err)
	}
	defer db.Close()
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return up(ctx, goose.DialectPostgres, db, sets, goose.WithSessionLocker(locker))
}

// SQLite brings the named sets of db up to date.
func SQLite(ctx context.Context, db *sql.DB, sets ...string) error {
	return up(ctx, goose.DialectSQLite3, db, sets)
}

func up(ctx context.Context, dialect goose.Dialect, db *sql.DB, sets []string, options ...goose.ProviderOption) error {
	for _, set := range sets {
		dir, err := fs.Sub(files, set)
		if err != nil {
			return fmt.Errorf("migrate %s: %w", set, err)
		}
		p, err := goose.NewProvider(dialect, db, dir, append([]goose.ProviderOption{
			goose.WithTableName(strings.TrimSuffix(set, "_sqlite") + "_migrations"), goose.WithDisableGlobalRegistry(true)}, options...)...)
		if err != nil {
			return fmt.Errorf("migrate %s: %w", set, err)
		}
		if _, err := p.Up(ctx); err != nil {
			return fmt.Errorf("migrate %s: %w", set, err)
		}
	}
	return nil
}
