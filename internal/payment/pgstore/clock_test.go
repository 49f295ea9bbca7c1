package pgstore_test

import (
	"testing"
	"time"

	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
)

func TestClock_tellsTheDatabasesTime(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	now, err := pgstore.Clock(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	var before, after time.Time
	const ask = `SELECT clock_timestamp()`
	if err := pool.QueryRow(t.Context(), ask).Scan(&before); err != nil {
		t.Fatal(err)
	}
	got := now()
	if err := pool.QueryRow(t.Context(), ask).Scan(&after); err != nil {
		t.Fatal(err)
	}
	const trip = 100 * time.Millisecond // half a round trip of the reading, on a busy machine
	if got.Before(before.Add(-trip)) || got.After(after.Add(trip)) {
		t.Errorf("the clock says %s, the database %s to %s", got, before, after)
	}
	pool.Close()
	if later := now(); later.Before(got) {
		t.Errorf("without a database the clock went back from %s to %s", got, later)
	}
	if _, err := pgstore.Clock(t.Context(), pool); err == nil {
		t.Error("a clock was read from no database")
	}
}
