package dispatch

import (
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/migrations"
	"github.com/kinora/kinora/orchestrator/internal/store"
)

func TestBudget_countsWhatOtherReplicasSpendOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	if err := migrations.Postgres(t.Context(), url, "orchestrator"); err != nil {
		t.Fatal(err)
	}
	st := store.New(pgtest.Open(t, url))
	other, payer, now := protocol.NewID(), common.Address{7}, time.Now()
	spend := func(at time.Time, writer protocol.ID, cost uint64) {
		t.Helper()
		if _, err := st.Pool().Exec(t.Context(), `INSERT INTO spending AS s VALUES (date_trunc('minute', $1::timestamptz), $2, $3, 'cam', $4)
			ON CONFLICT (minute, writer, payer, stream) DO UPDATE SET cost = s.cost + excluded.cost`, at, writer[:], payer[:], cost); err != nil {
			t.Fatal(err)
		}
	}
	spend(now.Add(-30*time.Hour), other, 1000) // before the day, and before this process
	spend(now.Add(-20*time.Hour), other, 100)
	spend(now, other, 10)
	b, err := OpenBudget(t.Context(), st, payment.Caps{Day: protocol.NewWei(150)})
	if err != nil {
		t.Fatal(err)
	}
	spent := func(when string, total, day uint64) {
		t.Helper()
		if err := b.hear(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := b.Totals(); s.Total != protocol.NewWei(total) || s.Day != protocol.NewWei(day) || s.StreamDay != s.Day {
			t.Errorf("%s: %+v, want %d in all and %d within the day", when, s, total, day)
		}
	}
	spent("at the start", 1110, 110)
	spend(now, other, 5)
	spend(now, st.Writer(), 3) // is counted where it is spent
	spent("another spends", 1115, 115)
	spent("nobody spends", 1115, 115)
	spend(now, protocol.NewID(), 20)
	spent("a third spends", 1135, 135)
	if err := st.PruneSpending(t.Context(), 25*time.Hour); err != nil {
		t.Fatal(err)
	}
	if total, err := st.SpentEver(t.Context()); err != nil || total != protocol.NewWei(1138) {
		t.Errorf("after pruning: %s, %v", total, err)
	}
	if again, err := OpenBudget(t.Context(), st, payment.Caps{}); err != nil || again.Totals().Day != protocol.NewWei(138) {
		t.Errorf("after a restart: %v", err)
	}
}
