package orchestrator_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
)

// A verdict waits for a database that is away for a moment; a segment that comes meanwhile is told that it may come again.
func TestRun_outlivesADatabaseThatIsAwayForAMoment(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	db := pgtest.NewRestartable(t)
	w.config.DatabaseURL = db.URL("orchestrator")
	segments := mediatest.Segments(t, mediatest.Spec{Seconds: 3, SegmentSeconds: 1})
	var once sync.Once
	back := make(chan struct{})
	w.delivers = func() { // the first receipt is on its way, and its verdict not stored
		once.Do(func() {
			db.Stop()
			go func() { defer close(back); db.Start() }()
		})
	}
	w.start()
	if err := w.push(t.Context(), 0, segments[0].Bytes); err != nil {
		t.Errorf("the segment whose verdict waited: %v", err)
	}
	<-back
	if err := w.push(t.Context(), 1, segments[1].Bytes); err != nil {
		t.Fatal(err)
	}

	db.Stop()
	err := w.push(t.Context(), 2, segments[2].Bytes)
	if err == nil || !strings.Contains(err.Error(), string(protocol.Unavailable)) {
		t.Errorf("while the database is away: %v", err)
	}
	db.Start()
	w.eventually("the segment is taken", func() bool { return w.push(t.Context(), 2, segments[2].Bytes) == nil })
	w.must(w.payer.EndStream(t.Context(), "demo"))
	w.eventually("both hops are paid", func() bool {
		s := w.stats()
		return s.Recipient.Accepted == 3 && s.Recipient.OwedWei.IsZero() && s.VerifiedL0 >= 3 && s.Payer.Acknowledged == s.VerifiedL0 && s.Payer.Due == 0
	})
}
