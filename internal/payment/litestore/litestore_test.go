package litestore_test

import (
	"path/filepath"
	"testing"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/payment/litestore"
	"github.com/kinora/kinora/internal/payment/storetest"
	"github.com/kinora/kinora/migrations"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Exercise(t, func(t *testing.T) (payment.Store, func() payment.Store) {
		file := filepath.Join(t.TempDir(), "with space & % #.db")
		open := func() payment.Store {
			db, err := litestore.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			if err := migrations.SQLite(t.Context(), db, "recipient_sqlite"); err != nil {
				t.Fatal(err)
			}
			return litestore.New(db)
		}
		return open(), open
	})
}
