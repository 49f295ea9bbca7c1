package pgstore_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/migrations"
)

func TestExplain_knowsADatabaseThatIsAwayFromOneThatRefuses(t *testing.T) {
	t.Parallel()
	p := pgtest.NewRestartable(t)
	url := p.URL("away")
	if err := migrations.Postgres(t.Context(), url, "payer"); err != nil {
		t.Fatal(err)
	}
	pool := pgtest.Open(t, url)
	payer := pgstore.Payer(pool)
	ask := func() error { _, err := payer.Stats(t.Context()); return err }
	if err := ask(); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(t.Context(), "SELECT nothing"); err == nil || pgstore.Explain(err) != err {
		t.Errorf("a wrong statement: %v", pgstore.Explain(err))
	}
	p.Stop()
	for range 3 { // a connection that breaks, then none
		err := pgstore.Explain(ask())
		if protocol.CodeOf(err) != protocol.Unavailable || strings.Contains(protocol.ProblemOf(err).Detail, "away") {
			t.Errorf("while it is away: %v", err)
		}
	}
	bounded, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := pgstore.Patiently(bounded, ask); protocol.CodeOf(err) != protocol.Unavailable {
		t.Errorf("until the time is over: %v", err)
	}
	answered := make(chan error, 1)
	go func() { answered <- pgstore.Patiently(t.Context(), ask) }()
	p.Start()
	if err := <-answered; err != nil {
		t.Errorf("once it is back: %v", err)
	}
	own, tries := errors.New("ours"), 0
	if err := pgstore.Patiently(t.Context(), func() error { tries++; return own }); err != own || tries != 1 {
		t.Errorf("another error: %v after %d tries", err, tries)
	}
}
