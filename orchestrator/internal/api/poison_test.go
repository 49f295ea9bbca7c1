package api_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
	"github.com/kinora/kinora/orchestrator/internal/dispatch"
	"github.com/kinora/kinora/orchestrator/internal/fleet"
	"github.com/kinora/kinora/orchestrator/internal/peertest"
)

func (m *market) member(a common.Address) fleet.Member {
	m.Helper()
	for _, x := range m.fleet.Members() {
		if x.Address == a {
			return x
		}
	}
	m.Fatalf("%s is no member", a)
	return fleet.Member{}
}

// deadly is a source that ends the children of poisonable.
func (m *market) deadly() []byte {
	return append(bytes.Clone(m.segments()[0].Bytes), "kinora-media: crash now"...)
}

// mortal builds, once, a media child that certain bytes end.
var mortal = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "kinora-media-")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-tags", "jailtest", "-o", dir, "github.com/kinora/kinora/cmd/kinora-media").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("build the child: %w: %s", err, out)
	}
	return filepath.Join(dir, "kinora-media"), err
})

// poisonable has the orchestrator decode with it.
func poisonable(t *testing.T) func(*dispatch.Config) {
	t.Helper()
	path, err := mortal()
	if err != nil {
		t.Fatal(err)
	}
	pool := media.NewPool(media.Options{Path: path}, 1)
	meter := verify.NewMeter(pool, nil)
	t.Cleanup(func() { _, _ = meter.Close(), pool.Close() })
	return func(c *dispatch.Config) { c.Verify.Meter = meter }
}

func TestPoison_thatTwoTranscodersReportAndThatIsSoCountsForNeither(t *testing.T) {
	t.Parallel()
	m := newMarket(t, poisonable(t))
	first, second := m.join(peertest.Poisoner, 50), m.join(peertest.Poisoner, 60)
	third := m.join(peertest.Honest, 100) // two and this side are enough: a third would only lose a child too
	unknown := m.member(first.Address()).Quality
	q := m.quote()
	r := m.push(m.offer(q, 0), bytes.NewReader(m.deadly()))
	if r.code() != protocol.PoisonSegment || r.problem.Retryable || len(r.tries) != 2 || third.Tries.Load() != 0 {
		t.Fatalf("%d attempts, problem %s", len(r.tries), protocol.Encode(r.problem))
	}
	for _, p := range []*peertest.Peer{first, second} {
		x := m.member(p.Address())
		if x.Quality != unknown || x.Busy || x.Record.Failed != 0 {
			t.Errorf("it counts against one that reported it: %+v", x)
		}
		if p.Open() == 0 {
			t.Error("it lost its lease")
		}
	}
	m.totals(0, 0, 0)
}

func TestPoison_thatTwoLiarsMakeOfAGoodSegmentEndsNothing(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	liars := []*peertest.Peer{m.join(peertest.Poisoner, 50), m.join(peertest.Poisoner, 60)}
	honest := m.join(peertest.Honest, 100)
	unknown := m.member(honest.Address()).Quality
	r := m.push(m.offer(m.quote(), 0), bytes.NewReader(m.segments()[0].Bytes))
	if a := r.passed(m); a.start.Assignment.Message.Transcoder != honest.Address() || len(r.tries) != 3 {
		t.Errorf("%d attempts, released that of %s", len(r.tries), a.start.Assignment.Message.Transcoder)
	}
	for _, p := range liars {
		m.eventually("its claim counts as a failure", func() bool { return m.member(p.Address()).Quality < unknown })
		m.eventually("and ends its lease", func() bool {
			return !slices.ContainsFunc(m.dispatcher.Leases(), func(l dispatch.LeaseView) bool { return l.Transcoder == p.Address() && !l.Standby })
		})
	}
}

func TestPoison_thatNobodyElseIsLeftToRefuteIsRefutedHere(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	p := m.join(peertest.Poisoner, 50)
	unknown := m.member(p.Address()).Quality
	r := m.push(m.offer(m.quote(), 0), bytes.NewReader(m.segments()[0].Bytes))
	if r.code() == protocol.PoisonSegment || r.code() == "" {
		t.Fatalf("%d attempts, problem %s", p.Tries.Load(), protocol.Encode(r.problem))
	}
	m.eventually("its claim counts as a failure", func() bool { return m.member(p.Address()).Quality < unknown })
}

func TestPoison_thatAnotherTranscoderEncodesCountsForWhoeverReportedIt(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	liar := m.join(peertest.Poisoner, 50)
	m.join(peertest.Honest, 100)
	unknown := m.member(liar.Address()).Quality
	q := m.quote()
	m.push(m.offer(q, 0), bytes.NewReader(m.segments()[0].Bytes)).passed(m)
	m.eventually("it counts", func() bool { return m.member(liar.Address()).Quality < unknown })
	m.eventually("its lease ends", func() bool { return liar.Open() == 0 })
}

func TestPoison_thatTheOnlyTranscoderReportsIsSaidToBe(t *testing.T) {
	t.Parallel()
	m := newMarket(t, poisonable(t))
	p := m.join(peertest.Poisoner, 50)
	r := m.push(m.offer(m.quote(), 0), bytes.NewReader(m.deadly()))
	if r.code() != protocol.PoisonSegment || p.Tries.Load() != 1 {
		t.Fatalf("%d attempts, problem %s", p.Tries.Load(), protocol.Encode(r.problem))
	}
}

func TestPoison_thatCannotBeFoundOutHereIsNotSaid(t *testing.T) {
	t.Parallel()
	m := newMarket(t, func(c *dispatch.Config) { c.Verify.Meter = nil })
	p := m.join(peertest.Poisoner, 50)
	r := m.push(m.offer(m.quote(), 0), bytes.NewReader(m.segments()[0].Bytes))
	if r.code() != protocol.TranscodeFailed || p.Tries.Load() != 1 {
		t.Fatalf("%d attempts, problem %s", p.Tries.Load(), protocol.Encode(r.problem))
	}
}

func TestAttempt_thatBeginsAnewIsTwoToThePayerAndJudgedByTheSecond(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	p := m.join(peertest.Stumbler, 50)
	r := m.push(m.offer(m.quote(), 0), bytes.NewReader(m.segments()[0].Bytes))
	a := r.passed(m)
	if len(r.tries) != 2 || r.tries[0].abandoned == nil || r.tries[0].abandoned.Code != protocol.ChildCrashed {
		t.Fatalf("%d attempts were shown, the first %+v", len(r.tries), r.tries[0].abandoned)
	}
	if a.start.Assignment.Message.Attempt != r.tries[0].start.Assignment.Message.Attempt || p.Tries.Load() != 1 {
		t.Error("it was another attempt")
	}
	m.totals(1, 1, 0)
}

func TestPoison_thatSuspectsReportEndsNoSegment(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	for price := uint64(10); price <= 20; price += 10 {
		p := m.join(peertest.Poisoner, price)
		suspect, a := verify.Record{Passed: 9, Failed: 1, LLR: 6, State: verify.Suspect}, p.Address()
		_, err := m.store.Pool().Exec(t.Context(), `UPDATE transcoders SET record = $2 WHERE address = $1`, a[:], protocol.Encode(suspect))
		m.must(err)
		m.eventually("it is a suspect", func() bool { return m.fleet.Record(a) == suspect })
	}
	other := mediatest.Segments(t, mediatest.Spec{Seconds: 6, SegmentSeconds: 1, Picture: "mandelbrot", NoClock: true})
	m.join(peertest.Dark, 50, func(o *peertest.Options) { o.Instead = func(seq uint64) []byte { return other[seq%6].Bytes } }) // fails after they spoke
	m.join(peertest.Honest, 100)
	m.push(m.offer(m.quote(), 0), bytes.NewReader(m.segments()[0].Bytes)).passed(m)
}
