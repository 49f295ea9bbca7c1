package broadcaster_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
)

// streams are the names of the streams that are known, live ones with a star.
func (n node) streams(t testing.TB) string {
	t.Helper()
	_, body, _ := n.get(t, "/api/v1/streams")
	var all []struct {
		Name string `json:"name"`
		Live bool   `json:"live"`
	}
	if err := json.Unmarshal([]byte(body), &all); err != nil {
		t.Fatalf("streams: %s: %v", body, err)
	}
	var names []string
	for _, s := range all {
		names = append(names, s.Name+map[bool]string{true: "*"}[s.Live])
	}
	return strings.Join(names, " ")
}

// age makes everything of the database at url so much older.
func age(t testing.TB, url string, by time.Duration) {
	t.Helper()
	pool := pgtest.Open(t, url)
	for _, statement := range []string{
		`UPDATE live_segments SET arrived_at = arrived_at - $1::interval, committed_at = committed_at - $1::interval, published_at = published_at - $1::interval,
			program_at = program_at - $1::interval, removed_at = removed_at - $1::interval`,
		`UPDATE live_streams SET created_at = created_at - $1::interval, ended_at = ended_at - $1::interval`,
		`UPDATE live_attempts SET created_at = created_at - $1::interval`,
	} {
		if _, err := pool.Exec(t.Context(), statement, fmt.Sprintf("%d seconds", int(by.Seconds()))); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPush_ofGarbageMakesNoLiveStream(t *testing.T) {
	t.Parallel()
	g := setUp(t)
	peer := newPeer(t, func() protocol.Domain { return g.domain })
	cfg := g.config(t, pgtest.URL(t), peer)
	cfg.MaxStreams = 2
	n := start(t, cfg)
	for i := range 4 {
		code, _, problem := n.push(t, fmt.Sprintf("/live/garbage-%d/0.ts", i), strings.NewReader(strings.Repeat("no transport stream ", 1000)))
		if code != http.StatusUnprocessableEntity {
			t.Errorf("garbage %d: %d %+v", i, code, problem)
		}
	}
	segments := clip(t, 4)
	for i, name := range []string{"cam", "cat"} {
		if code, _, problem := n.push(t, "/live/"+name+"/0.ts", bytes.NewReader(segments[i].Bytes)); code != http.StatusOK {
			t.Errorf("%s after garbage: %d %+v", name, code, problem)
		}
	}
	if code, _, problem := n.push(t, "/live/dog/0.ts", bytes.NewReader(segments[2].Bytes)); code != http.StatusTooManyRequests || problem.Limit != "max-streams=2" {
		t.Errorf("a third stream: %d %+v", code, problem)
	}
	eventually(t, "only live streams", func() bool { return n.streams(t) == "cam* cat*" })
	if code := n.post(t, "/api/v1/streams/cat/end", nil); code != http.StatusOK {
		t.Errorf("end: %d", code)
	}
	if code, _, problem := n.push(t, "/live/dog/0.ts", bytes.NewReader(segments[2].Bytes)); code != http.StatusOK {
		t.Errorf("a third stream once one has ended: %d %+v", code, problem)
	}
}

func TestStream_isForgottenOnceItHasEndedAndIsEmptyAndGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	g := setUp(t)
	peer := newPeer(t, func() protocol.Domain { return g.domain })
	database := pgtest.URL(t)
	cfg := g.config(t, database, peer)
	cfg.Retention = time.Second
	n := start(t, cfg)
	segments := clip(t, 4)
	if code, _, problem := n.push(t, "/live/cam/0.ts", bytes.NewReader(segments[0].Bytes)); code != http.StatusOK {
		t.Fatalf("%d %+v", code, problem)
	}
	if code := n.post(t, "/api/v1/streams/cam/end", nil); code != http.StatusOK {
		t.Fatalf("end: %d", code)
	}
	if got := n.streams(t); got != "cam" {
		t.Errorf("streams %q while it can be played, want cam", got)
	}
	n.stop()
	age(t, database, time.Hour)
	n = start(t, cfg)
	eventually(t, "nothing is left of the stream", func() bool { return n.streams(t) == "" })
	var e ended
	if code := n.post(t, "/api/v1/streams/cam/end", &e); code != http.StatusOK || !e.Ended {
		t.Errorf("ending it again: %d %+v", code, e)
	}
	if code, _, problem := n.push(t, "/live/cam/1.ts", bytes.NewReader(segments[1].Bytes)); code != http.StatusOK {
		t.Fatalf("taken up again: %d %+v", code, problem)
	}
	eventually(t, "the next media sequence number, in the next incarnation", func() bool {
		_, text, _ := n.get(t, "/hls/cam/low/index.m3u8")
		return strings.Contains(text, "#EXT-X-MEDIA-SEQUENCE:1\n") && strings.Contains(text, "\n1-1-")
	})
}

// count is how many rows a table of the database at url has.
func count(t testing.TB, url, table string) (n int) {
	t.Helper()
	if err := pgtest.Open(t, url).QueryRow(t.Context(), `SELECT count(*) FROM `+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRecords_arePrunedByAgeAndTheTotalsStay(t *testing.T) {
	t.Parallel()
	g := setUp(t)
	peer := newPeer(t, func() protocol.Domain { return g.domain })
	database := pgtest.URL(t)
	cfg := g.config(t, database, peer)
	cfg.Retention, cfg.KeepRecords = time.Second, 24*time.Hour
	n := start(t, cfg)
	segments := clip(t, 4)
	peer.blacken.Store(1) // the first attempt is rejected
	for i := range 2 {
		if code, _, problem := n.push(t, fmt.Sprintf("/live/cam/%d.ts", i), bytes.NewReader(segments[i].Bytes)); code != http.StatusOK {
			t.Fatalf("%d %+v", code, problem)
		}
	}
	eventually(t, "two published segments", func() bool { return n.stats(t).SegmentsPublished == 2 })
	if code := n.post(t, "/api/v1/streams/cam/end", nil); code != http.StatusOK {
		t.Fatalf("end: %d", code)
	}
	before := n.stats(t)
	if before.SegmentsIn != 2 || before.RenditionsPublished != 4 || before.VerifiedL0 != 2 || before.Rejected != 1 || before.Spend.Total == "0" {
		t.Errorf("stats %+v", before)
	}
	_, parties, _ := n.get(t, "/api/v1/balances")
	n.stop()

	age(t, database, 25*time.Hour) // first out of the playlists, which is a while before the records go
	n = start(t, cfg)
	eventually(t, "nothing in the playlists", func() bool { return n.streams(t) == "" })
	n.stop()
	if got := count(t, database, "live_segments"); got != 2 {
		t.Errorf("%d segments on record, want 2", got)
	}
	age(t, database, 25*time.Hour)
	n = start(t, cfg)
	eventually(t, "no segment and no attempt on record", func() bool {
		return count(t, database, "live_segments")+count(t, database, "live_renditions")+count(t, database, "live_attempts") == 0
	})
	after := n.stats(t)
	after.Latency = before.Latency // of recent segments, which are gone
	if after != before {
		t.Errorf("stats %+v after pruning, %+v before", after, before)
	}
	if _, again, _ := n.get(t, "/api/v1/balances"); strings.Count(again, `"role"`) != strings.Count(parties, `"role"`) {
		t.Errorf("parties %s after pruning, %s before", again, parties)
	}

	// The stream goes on in an incarnation that was never used, with the next media sequence number.
	if code, _, problem := n.push(t, "/live/cam/0.ts", bytes.NewReader(segments[2].Bytes)); code != http.StatusOK {
		t.Fatalf("taken up again: %d %+v", code, problem)
	}
	eventually(t, "the next incarnation", func() bool {
		_, text, _ := n.get(t, "/hls/cam/low/index.m3u8")
		return strings.Contains(text, "#EXT-X-MEDIA-SEQUENCE:2\n") && strings.Contains(text, "\n1-0-")
	})
	eventually(t, "the counts to go on", func() bool {
		s := n.stats(t)
		return s.SegmentsIn == 3 && s.SegmentsPublished == 3 && s.VerifiedL0 == 3 && s.Latency.Max > 0
	})
}

type epoch struct {
	Commitment protocol.Hash  `json:"commitment"`
	Secret     *protocol.Hash `json:"secret"`
	Ended      *time.Time     `json:"ended_at"`
}

func (n node) epochs(t testing.TB) (all []epoch, current protocol.Hash) {
	t.Helper()
	_, body, _ := n.get(t, "/api/v1/epochs")
	if err := json.Unmarshal([]byte(body), &all); err != nil {
		t.Fatalf("epochs: %s: %v", body, err)
	}
	_, body, _ = n.get(t, "/api/v1/stats")
	var s struct {
		Commitment protocol.Hash `json:"sampling_commitment"`
	}
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		t.Fatalf("stats: %s: %v", body, err)
	}
	return all, s.Commitment
}

func TestEpoch_isCommittedToBeforeItsUseAndRevealedOnceItIsOver(t *testing.T) {
	t.Parallel()
	g := setUp(t)
	peer := newPeer(t, func() protocol.Domain { return g.domain })
	database := pgtest.URL(t)
	cfg := g.config(t, database, peer)
	n := start(t, cfg)
	all, first := n.epochs(t)
	if len(all) != 1 || all[0].Commitment != first || first.IsZero() || all[0].Secret != nil || all[0].Ended != nil {
		t.Fatalf("a first epoch %s, of %+v", first, all)
	}
	n.stop()
	// One whose process was killed said nothing at its end.
	if _, err := pgtest.Open(t, database).Exec(t.Context(), `UPDATE live_epochs SET ended_at = NULL`); err != nil {
		t.Fatal(err)
	}
	n = start(t, cfg)
	all, second := n.epochs(t)
	if len(all) != 2 || all[0].Commitment != second || second == first || all[0].Secret != nil {
		t.Fatalf("a second epoch %s, of %+v", second, all)
	}
	if e := all[1]; e.Secret == nil || e.Ended == nil || verify.EpochOf(*e.Secret).Commitment() != first {
		t.Errorf("the first epoch once it is over: %+v", e)
	}
}
