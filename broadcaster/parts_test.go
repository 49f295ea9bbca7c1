package broadcaster_test

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
)

// TestRun_paysOnceForALadderThatTwoTranscodersShare: each attempt is checked against its own part, the segment is released whole, and
// the first attempt's ticket pays the sum.
func TestRun_paysOnceForALadderThatTwoTranscodersShare(t *testing.T) {
	t.Parallel()
	g := setUp(t)
	peer := newPeer(t, func() protocol.Domain { return g.domain })
	bad := 0 // the second part of the second segment shows something else, once
	pushes := 0
	peer.parts = func(part int) bool {
		if part == 0 {
			pushes++
		}
		if pushes == 2 && part == 1 {
			bad++
			return false
		}
		return true
	}
	database := pgtest.URL(t)
	n := start(t, g.config(t, database, peer))
	segments := clip(t, 2)
	for i, s := range segments {
		code, parts, problem := n.push(t, fmt.Sprintf("/live/cam/%d.ts", i), bytes.NewReader(s.Bytes), "Content-Duration", "2000")
		if code != http.StatusOK || len(parts) != 2 || parts[0].name != "lower" || parts[1].name != "low" {
			t.Fatalf("segment %d: %d, %d parts, %+v", i, code, len(parts), problem)
		}
	}
	if bad != 1 || len(peer.offered()) != 3 {
		t.Errorf("%d bad parts, %d offers; want one of each more than segments", bad, len(peer.offered()))
	}
	eventually(t, "one ticket per segment", func() bool { return peer.paid() == 2 })
	eventually(t, "the part that shows something else is refused", func() bool { return peer.rejected() == 1 })

	db, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	var attempts, transcoders, paid int
	var fee, rungs string
	if err := db.QueryRow(t.Context(), `SELECT count(*), count(DISTINCT transcoder), count(*) FILTER (WHERE fee > 0), sum(fee)::text FROM live_attempts WHERE passed`).
		Scan(&attempts, &transcoders, &paid, &fee); err != nil {
		t.Fatal(err)
	}
	if err := db.QueryRow(t.Context(), `SELECT (sum(width::bigint * height * frames) * 100)::text FROM live_renditions`).Scan(&rungs); err != nil {
		t.Fatal(err)
	}
	if attempts != 4 || transcoders != 4 || paid != 2 || fee != rungs {
		t.Errorf("%d attempts by %d transcoders passed, %d pay %s wei, the renditions cost %s", attempts, transcoders, paid, fee, rungs)
	}
	if s := n.stats(t); s.SegmentsFailed != 0 || s.Rejected != 1 {
		t.Errorf("stats %+v", s)
	}
}
