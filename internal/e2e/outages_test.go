package e2e

import (
	"context"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/e2e/stage"
)

// TestStreams_outliveTheLossOf takes away, one after another, a node of the NATS cluster, the database for as long as it takes to
// start it again, and the network between one transcoder and everybody else.
func TestStreams_outliveTheLossOf(t *testing.T) {
	options := stage.Options{Transcoders: 3, NATS: 3, Apart: "transcoder-1"}
	whole := stage.Separable(t.Context())
	if whole != nil {
		t.Logf("no network is taken away: %v", whole)
		options.Apart = ""
	}
	s := play(t, options)
	for name, c := range map[string]struct {
		strike func(context.Context) error
		late   int // of one stream, at most
	}{
		"a node of the NATS cluster": {func(context.Context) error {
			node, err := s.NATSOf(s.Orchestrators[0])
			if err != nil {
				return err
			}
			return node.Kill()
		}, 0},
		"the database for a moment": {func(ctx context.Context) error {
			p, err := s.Postmaster()
			if err != nil {
				return err
			}
			if err := p.Signal(syscall.SIGKILL); err != nil {
				return err
			}
			<-s.PostgresEnded()
			return s.StartPostgres(ctx)
		}, 1},
		"the network of a transcoder": {func(ctx context.Context) error {
			if err := s.Cut(ctx); err != nil {
				return err
			}
			timer := time.NewTimer(6 * time.Second)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-ctx.Done():
			}
			return s.Heal(context.WithoutCancel(ctx))
		}, 1},
	} {
		if whole != nil && name == "the network of a transcoder" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			load := stage.Load{Streams: 3, Segments: segments(t, 7), Name: strings.ReplaceAll(name, " ", "-")}
			loss, err := load.Run(t.Context(), s, 2, c.strike)
			if err != nil {
				t.Fatal(err)
			}
			if loss.Lost != 0 || loss.LateMost > c.late {
				t.Errorf("of %d segments %d were lost and %d late, %d of one stream; the longest took %s: %v",
					loss.Segments, loss.Lost, loss.Late, loss.LateMost, loss.Longest, loss.Why)
			}
			t.Logf("the longest of %d segments took %s, %d were late", loss.Segments, loss.Longest, loss.Late)
		})
	}
	if t.Failed() {
		return
	}
	log, err := os.ReadFile(s.Orchestrators[0].LogFile())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(log), "connected to NATS again") {
		t.Error("the orchestrator never went to another node")
	}
}
