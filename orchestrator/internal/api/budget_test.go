package api_test

import (
	"bytes"
	"testing"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/migrations"
	"github.com/kinora/kinora/orchestrator/internal/dispatch"
	"github.com/kinora/kinora/orchestrator/internal/peertest"
	"github.com/kinora/kinora/orchestrator/internal/store"
)

func TestBudget_thatIsUsedUpIsHeldAgainstNoTranscoder(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	if err := migrations.Postgres(t.Context(), url, "orchestrator"); err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.Close)
	budget, err := dispatch.OpenBudget(t.Context(), st, payment.Caps{Day: protocol.NewWei(1)})
	if err != nil {
		t.Fatal(err)
	}
	m := newMarket(t, func(c *dispatch.Config) { c.Budget = budget })
	p := m.join(peertest.Honest, 50)
	unknown := m.member(p.Address()).Quality
	q := m.quote()
	for seq := range uint64(2) {
		if r := m.push(m.offer(q, seq), bytes.NewReader(m.segments()[seq].Bytes)); r.code() != protocol.NoTranscoder || p.Tries.Load() != 0 {
			t.Fatalf("%d attempts, problem %s", p.Tries.Load(), protocol.Encode(r.problem))
		}
	}
	m.eventually("nothing is under way", func() bool {
		leases := m.dispatcher.Leases()
		return len(leases) == 1 && leases[0].InFlight == 0 && leases[0].Failures == 0
	})
	if x := m.member(p.Address()); x.Quality != unknown || x.Busy {
		t.Errorf("it counts against the transcoder: %+v", x)
	}
}
