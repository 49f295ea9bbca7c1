package dispatch

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/route"
	"github.com/kinora/kinora/orchestrator/internal/store"
)

var three = protocol.Ladder{
	{Name: "240p", Width: 426, Height: 240, Codec: protocol.H264}, {Name: "720p", Width: 1280, Height: 720, Codec: protocol.H264},
	{Name: "480p", Width: 854, Height: 480, Codec: protocol.H264},
}

// leased is a lease of the stream on some rungs of three; share nil: of an earlier process.
func leased(d *Dispatcher, s *segment, share *bool, rungs ...int) *Lease {
	ladder := route.Rungs(three, rungs)
	key := s.work.key
	key.ladder = protocol.Hash(ladder.Hash())
	offer := protocol.AwardOffer{Ladder: ladder, SourceFPS: 30, Award: protocol.Signed[protocol.Award]{Message: protocol.Award{Lease: protocol.NewID(), Transcoder: common.Address{19: byte(len(rungs))}}}}
	l := newLease(key, store.Lease{Offer: offer, Expires: time.Minute})
	if share != nil {
		l.serve(work{key: key, request: protocol.QuoteRequest{Ladder: ladder}, share: *share})
	}
	d.leases.add(l, true)
	return l
}

func TestParts_areThoseThatTheStreamIsLeasedIn(t *testing.T) {
	t.Parallel()
	share, own := true, false
	for name, c := range map[string]struct {
		leases func(d *Dispatcher, s *segment)
		want   string
	}{
		"nobody has it": {func(*Dispatcher, *segment) {}, "[[]]"},
		"one has all":   {func(d *Dispatcher, s *segment) { leased(d, s, &own, 0, 1, 2) }, "[[]]"},
		"one has all, and some still hold parts": {func(d *Dispatcher, s *segment) {
			leased(d, s, &share, 1)
			leased(d, s, &own, 0, 1, 2)
		}, "[[]]"},
		"two share it":                 {func(d *Dispatcher, s *segment) { leased(d, s, &share, 1); leased(d, s, &share, 0, 2) }, "[[1] [0 2]]"},
		"one part is gone":             {func(d *Dispatcher, s *segment) { leased(d, s, &share, 1) }, "[[1] [0 2]]"},
		"an earlier process shared it": {func(d *Dispatcher, s *segment) { leased(d, s, nil, 0, 2); leased(d, s, nil, 1) }, "[[0 2] [1]]"},
		"it had a smaller ladder":      {func(d *Dispatcher, s *segment) { leased(d, s, &own, 0, 2) }, "[[]]"},
		"what overlaps comes second":   {func(d *Dispatcher, s *segment) { leased(d, s, &share, 0, 2); leased(d, s, &share, 1, 2) }, "[[0 2] [1]]"},
		"another stream is shared": {func(d *Dispatcher, s *segment) {
			other := &segment{work: s.work}
			other.work.key.stream = "other"
			leased(d, other, &share, 1)
		}, "[[]]"},
		"it is over": {func(d *Dispatcher, s *segment) { leased(d, s, &share, 1).end() }, "[[]]"},
	} {
		d := &Dispatcher{leases: newLeases()}
		s := &segment{work: work{key: streamKey{stream: "demo", ladder: protocol.Hash(three.Hash())}, request: protocol.QuoteRequest{Ladder: three}}}
		c.leases(d, s)
		var got [][]int
		for _, p := range d.partsOf(s) {
			got = append(got, p.rungs)
			if whole := p.rungs == nil; whole != (p.work.key == s.work.key) || whole == p.work.share {
				t.Errorf("%s: part %v is of work %+v", name, p.rungs, p.work)
			}
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
}

func TestPieces_areWhatAnotherSegmentHasLeasedMeanwhile(t *testing.T) {
	t.Parallel()
	share := true
	d := &Dispatcher{leases: newLeases()}
	s := &segment{work: work{key: streamKey{stream: "demo", ladder: protocol.Hash(three.Hash())}, request: protocol.QuoteRequest{Ladder: three}}}
	pieces := func(p *part) (got [][]int) {
		for _, x := range d.pieces(p) {
			got = append(got, x.rungs)
		}
		return got
	}
	for _, step := range []struct {
		leased           []int
		ofAll, ofTheRest string
	}{{nil, "[]", "[]"}, {[]int{1}, "[[1] [0 2]]", "[]"}, {[]int{0}, "[[1] [0] [2]]", "[[0] [2]]"}, {[]int{2}, "[[1] [0] [2]]", "[[0] [2]]"}} {
		if step.leased != nil {
			leased(d, s, &share, step.leased...)
		}
		if all, rest := fmt.Sprint(pieces(partOf(s, nil))), fmt.Sprint(pieces(partOf(s, []int{0, 2}))); all != step.ofAll || rest != step.ofTheRest {
			t.Errorf("once %v is leased: %s and %s, want %s and %s", step.leased, all, rest, step.ofAll, step.ofTheRest)
		}
	}
}

func TestCovered_byOneOrByThoseThatShareIt(t *testing.T) {
	t.Parallel()
	for want, cases := range map[bool][][][]int{
		true:  {{{0, 1, 2}}, {{1}, {0, 2}}, {{0, 1}, {1, 2}}},
		false: {{}, {{1}}, {{0, 2}, {0}}},
	} {
		for _, rungs := range cases {
			held := []protocol.Ladder{{{Name: "other", Width: 64, Height: 36, Codec: protocol.H264}}}
			for _, r := range rungs {
				held = append(held, route.Rungs(three, r))
			}
			if got := covered(three, held); got != want {
				t.Errorf("held in %v: %v", rungs, got)
			}
		}
	}
}

func TestDenials_standUntilTheBidIsNewAndTheRestIsOver(t *testing.T) {
	t.Parallel()
	var d denials
	now := time.Unix(1000, 0)
	bid := protocol.Bid{Transcoder: common.Address{1}, Sequence: 7}
	d.note(bid, protocol.Errorf(protocol.Unreachable, "gone"), now)
	if d.stand(bid, now) {
		t.Error("one that did not answer is said to be full")
	}
	d.note(bid, protocol.Limited(protocol.RateLimited, "standbys", 64, "too many stand by"), now)
	if d.stand(bid, now) {
		t.Error("one for which enough leases stand by is said to be full")
	}
	full := protocol.Limited(protocol.NoCapacity, "free_pixel_rate", 42, "full")
	d.note(bid, full, now)
	newer := bid
	newer.Sequence++
	for _, c := range []struct {
		bid   protocol.Bid
		after time.Duration
		want  bool
	}{{bid, time.Hour, true}, {newer, firstRest - 1, true}, {newer, firstRest, false}} {
		if got := d.stand(c.bid, now.Add(c.after)); got != c.want {
			t.Errorf("bid %d after %s: %v", c.bid.Sequence, c.after, got)
		}
	}
	if got := d.free(bid, now); got != 42 {
		t.Errorf("it said that it has 42, not %d", got)
	}
	if got := d.free(newer, now.Add(firstRest)); got != math.MaxUint64 {
		t.Errorf("by a new bid it is held to what it said before: %d", got)
	}
	for range 20 {
		d.note(newer, full, now)
	}
	newer.Sequence++
	if !d.stand(newer, now.Add(lastRest-1)) || d.stand(newer, now.Add(lastRest)) {
		t.Error("its rest does not grow to its bound")
	}
	d.forget(bid.Transcoder)
	if d.stand(bid, now) {
		t.Error("it has taken work and is still said to be full")
	}
}
