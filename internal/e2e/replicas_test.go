package e2e

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/kinora/kinora/internal/e2e/stage"
)

// TestReplica_diesAndTheOtherServesItsStreams kills one of two orchestrators of one identity, and does not start it again.
func TestReplica_diesAndTheOtherServesItsStreams(t *testing.T) {
	s := play(t, stage.Options{Transcoders: 3, Orchestrators: 2})
	load := stage.Load{Streams: 4, Segments: segments(t, 9), Name: "replica"}
	var left *stage.Process
	loss, err := load.Run(t.Context(), s, 3, func(ctx context.Context) error {
		victim, err := s.Replica(ctx)
		if err != nil {
			return err
		}
		for _, p := range s.Orchestrators {
			if p != victim {
				left = p
			}
		}
		return victim.Kill()
	})
	if err != nil {
		t.Fatal(err)
	}
	if loss.Lost != 0 || loss.LateMost > 1 {
		t.Errorf("of %d segments %d were lost and %d late, %d of one stream; the longest took %s: %v", loss.Segments, loss.Lost, loss.Late, loss.LateMost, loss.Longest, loss.Why)
	}
	t.Logf("the longest of %d segments took %s, %d were late", loss.Segments, loss.Longest, loss.Late)
	log, err := os.ReadFile(left.LogFile())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(log), "took a stream over from another replica") {
		t.Error("nobody released what the dead replica held")
	}
	books, err := s.Settle(t.Context(), load)
	if err != nil {
		t.Fatal(err)
	}
	// What a transcoder had delivered to the dead replica and that one had not committed is nobody's to pay: one segment of each
	// stream, at most. The segment itself was delivered again, and paid once.
	if books.Published != uint64(loss.Segments) || books.Gaps != 0 || !books.VainWei.IsZero() || books.FeeWei.Mul(uint64(load.Streams)).Less(books.LostWei) {
		t.Errorf("the books: %+v", books)
	}
}
