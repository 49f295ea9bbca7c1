package main

import (
	"testing"
	"time"
)

// Each part runs small: what it measures is real, only the numbers are few.
func TestParts_measureWhatTheyName(t *testing.T) {
	t.Parallel()
	for name, part := range map[string]struct {
		run     func(*testing.T, *benchmark) error
		figures []string
	}{
		"tickets": {func(_ *testing.T, b *benchmark) error { return b.tickets() },
			[]string{"sign_per_s", "verify_per_s", "peak_rss_tickets"}},
		"postgres": {func(t *testing.T, b *benchmark) error { return b.accept(t.Context(), "", openPostgres) },
			[]string{"accept_per_s_1", "accept_per_s_16", "accept_per_s_256", "accept_p99_256", "accept_cpu_256", "peak_rss_accept_256", "peak_rss_accept_256_postgres"}},
		"sqlite": {func(t *testing.T, b *benchmark) error { return b.accept(t.Context(), "sqlite_", openSQLite) },
			[]string{"accept_sqlite_per_s_1", "accept_sqlite_per_s_16", "accept_sqlite_per_s_256", "accept_sqlite_cpu_256"}},
		"idle": {func(t *testing.T, b *benchmark) error { return b.idle(t.Context()) }, nil}, // in so short a time it may ask for nothing
		"queue": {func(t *testing.T, b *benchmark) error { return b.queue(t.Context()) },
			[]string{"queue_first_tx", "queue_drained", "queue_txs", "peak_rss_queue"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &benchmark{seconds: 1, atMost: 600, winners: 300, lanes: 64, patience: 2 * time.Minute}
			if err := part.run(t, b); err != nil {
				t.Fatal(err)
			}
			got := map[string]float64{}
			for _, f := range b.figures {
				got[f.Name] = f.Value
				if f.Command != command {
					t.Errorf("%s comes from %q", f.Name, f.Command)
				}
			}
			for _, name := range part.figures {
				if got[name] <= 0 {
					t.Errorf("%s is %g", name, got[name])
				}
			}
			if name == "queue" && got["queue_winners"] != 300 {
				t.Errorf("%g winners stood in the queue, want 300", got["queue_winners"])
			}
		})
	}
}
