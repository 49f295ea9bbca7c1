package media_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/protocol"
)

// lease is a session on a pool of its own.
type lease struct {
	*testing.T
	*media.Session
	pool *media.Pool
}

func newLease(t *testing.T, opts media.Options, spares int) *lease {
	t.Helper()
	pool := media.NewPool(opts, spares)
	t.Cleanup(func() { _ = pool.Close() })
	s, err := pool.NewSession(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	l := &lease{T: t, Session: s, pool: pool}
	return l
}

// spareReady waits until the pool has a spare again, by watching this process's children.
func (l *lease) spareReady(children int) {
	l.Helper()
	for deadline := time.Now().Add(20 * time.Second); l.pool.Idle() < children; nap() {
		if time.Now().After(deadline) {
			l.Fatalf("the pool has %d spares, want %d", l.pool.Idle(), children)
		}
	}
}

var small = protocol.Ladder{rung(144, 200_000)}

// run transcodes a segment from source; what Out took before Again is dropped.
func (l *lease) run(ctx context.Context, source io.Reader, continues bool) (*media.Result, []byte, int, error) {
	var out []byte
	again := 0
	res, err := l.Transcode(ctx, media.Job{Ladder: small, Source: source, Continues: continues,
		Out:   func(_ int, p []byte) error { out = append(out, p...); return nil },
		Again: func() error { again++; out = nil; return nil }})
	return res, out, again, err
}

// killer is a source that kills the session's child, or whatever child is at work on it, after so many bytes, whenever they are read.
type killer struct {
	io.Reader
	after int
	kill  func()
	once  sync.Once
}

func (k *killer) Read(p []byte) (int, error) {
	if k.after <= 0 {
		k.once.Do(k.kill)
	}
	n, err := k.Reader.Read(p[:min(len(p), max(k.after, 1))])
	k.after -= n
	return n, err
}

func signalTo(t testing.TB, sig syscall.Signal, pid func() int) func() {
	return func() {
		if err := syscall.Kill(pid(), sig); err != nil {
			t.Error(err)
		}
	}
}

func TestSession_triesASegmentOnceMoreWhenItsChildIsKilled(t *testing.T) {
	t.Parallel()
	segments := mediatest.Segments(t, mediatest.Spec{Seconds: 6})
	l := newLease(t, media.Options{}, 1)
	l.spareReady(1)
	if _, _, _, err := l.run(t.Context(), bytes.NewReader(segments[0].Bytes), false); err != nil {
		t.Fatal(err)
	}
	before, first := l.pool.Stats(), l.Pid()
	whole := segments[1].Bytes
	res, out, again, err := l.run(t.Context(), &killer{Reader: bytes.NewReader(whole), after: len(whole) / 2, kill: signalTo(t, syscall.SIGKILL, l.Pid)}, true)
	if err != nil || res.Renditions[0].Frames != 60 {
		t.Fatalf("%+v, %v", res, err)
	}
	decodeCleanly(t, out)
	if n := len(packets(t, out, "v")); n != 60 || again > 1 {
		t.Errorf("%d pictures came out, begun anew %d times", n, again)
	}
	if now := l.pool.Stats(); now.Waited != before.Waited || now.Ready != before.Ready+1 {
		t.Errorf("handed out %+v, then %+v: a spare was ready and was not used", before, now)
	}
	second := l.Pid()
	if res, _, _, err := l.run(t.Context(), bytes.NewReader(segments[2].Bytes), true); err != nil || res.Renditions[0].Frames != 60 {
		t.Errorf("the next segment: %v", err)
	}
	if first == second || l.Pid() != second {
		t.Errorf("children %d, then %d, then %d: the spare should stay", first, second, l.Pid())
	}
	if p := l.pool.Poisoned(); len(p) != 0 {
		t.Errorf("%+v is refused for one crash", p)
	}
}

func TestSession_triesASegmentOnceMoreWhenItsChildHangs(t *testing.T) {
	t.Parallel()
	segment := mediatest.Segments(t, mediatest.Spec{})[0]
	l := newLease(t, media.Options{}, 1)
	l.spareReady(1)
	source := &killer{Reader: bytes.NewReader(segment.Bytes), after: len(segment.Bytes) / 2, kill: signalTo(t, syscall.SIGSTOP, l.Pid)}
	var o outputs
	res, err := l.Transcode(t.Context(), media.Job{Ladder: small, Source: source, Out: o.take, Stall: 2 * time.Second, Again: func() error { o.got = nil; return nil }})
	if err != nil || res.Renditions[0].Frames != 60 {
		t.Fatalf("%+v, %v", res, err)
	}
}

func TestSession_triesNothingAgainWhoseOutputCannotBeTakenBack(t *testing.T) {
	t.Parallel()
	segment := mediatest.Segments(t, mediatest.Spec{})[0]
	l := newLease(t, media.Options{}, 1)
	kill := sync.OnceFunc(signalTo(t, syscall.SIGKILL, l.Pid))
	_, err := l.Transcode(t.Context(), media.Job{Ladder: small, Source: bytes.NewReader(segment.Bytes), Out: func(int, []byte) error { kill(); return nil }})
	wantCode(t, err, protocol.ChildCrashed)
}

// A segment beside a poison one loses its child too, and is no worse for it.
func TestSession_refusesPoisonAndNothingElse(t *testing.T) {
	t.Parallel()
	segments := mediatest.Segments(t, mediatest.Spec{Seconds: 4})
	const poison = "kinora-media: crash now"
	l := newLease(t, media.Options{Path: testChild(t)}, 1)
	bad := append(bytes.Clone(segments[0].Bytes), poison...)

	innocent := newHalf(segments[1].Bytes)
	var wg sync.WaitGroup
	wg.Go(func() {
		res, _, _, err := l.run(t.Context(), innocent, false)
		if err != nil || res.Renditions[0].Frames != 60 {
			t.Errorf("the segment beside it: %v", err)
		}
	})
	<-innocent.fed
	_, _, _, err := l.run(t.Context(), bytes.NewReader(bad), false)
	close(innocent.goOn)
	wg.Wait()
	wantCode(t, err, protocol.PoisonSegment)
	var p *media.Poison
	if !errors.As(err, &p) || p.Evidence.Source.IsZero() || p.Evidence.Bytes != len(bad) || len(p.Evidence.Crashes) != 2 {
		t.Fatalf("%+v", p)
	}
	for _, c := range p.Evidence.Crashes {
		if !strings.Contains(c.Status, "exit status") || len(c.Layers) == 0 || c.Engine == "" || !strings.Contains(strings.Join(c.Stderr, "\n"), "told to crash") {
			t.Errorf("evidence %+v", c)
		}
	}
	if problem := protocol.ProblemOf(err); problem.Status != 422 || problem.Retryable || strings.Contains(problem.Detail, "told to") || !strings.Contains(problem.Detail, p.Evidence.Source.String()) {
		t.Errorf("problem %+v", problem)
	}
	before := l.pool.Stats()
	_, _, _, err = l.run(t.Context(), bytes.NewReader(bad), false)
	wantCode(t, err, protocol.PoisonSegment)
	if now := l.pool.Stats(); now != before {
		t.Errorf("a known poison segment took children: %+v, then %+v", before, now)
	}
	if _, _, _, err := l.run(t.Context(), bytes.NewReader(segments[0].Bytes), false); err != nil {
		t.Errorf("a segment that begins like it: %v", err)
	}
	if n := len(l.pool.Poisoned()); n != 1 {
		t.Errorf("%d segments are refused", n)
	}
}

func TestSession_refusesWhatHangsEveryChild(t *testing.T) {
	t.Parallel()
	segment := mediatest.Segments(t, mediatest.Spec{})[0]
	l := newLease(t, media.Options{Path: testChild(t)}, 1)
	bad := append(bytes.Clone(segment.Bytes), "kinora-media: hang now"...)
	_, err := l.Transcode(t.Context(), media.Job{Ladder: small, Source: bytes.NewReader(bad), Out: func(int, []byte) error { return nil }, Stall: 2 * time.Second, Again: func() error { return nil }})
	wantCode(t, err, protocol.PoisonSegment)
	var p *media.Poison
	if !errors.As(err, &p) || len(p.Evidence.Crashes) != 2 || !strings.Contains(p.Evidence.Crashes[1].Status, "said nothing for 2s") {
		t.Errorf("%+v", p)
	}
}

// Where the first crash could not be followed by a retry, the next attempt at the same bytes is the retry: alone on its child.
func TestSession_remembersASuspect(t *testing.T) {
	t.Parallel()
	segment := mediatest.Segments(t, mediatest.Spec{})[0]
	l := newLease(t, media.Options{Path: testChild(t)}, 1)
	bad := append(bytes.Clone(segment.Bytes), "kinora-media: crash now"...)
	source := newHalf(bad)
	goOn := sync.OnceFunc(func() { close(source.goOn) })
	_, err := l.Transcode(t.Context(), media.Job{Ladder: small, Source: source, Out: func(int, []byte) error { goOn(); return nil }})
	wantCode(t, err, protocol.ChildCrashed)
	_, err = l.Transcode(t.Context(), media.Job{Ladder: small, Source: bytes.NewReader(bad), Out: func(int, []byte) error { return nil }})
	wantCode(t, err, protocol.PoisonSegment)
	var p *media.Poison
	if !errors.As(err, &p) || len(p.Evidence.Crashes) != 2 {
		t.Errorf("%+v", p)
	}
}

func TestSession_changesAWornChildForASpare(t *testing.T) {
	t.Parallel()
	segments := mediatest.Segments(t, mediatest.Spec{Seconds: 4})
	for name, worn := range map[string]media.Worn{"age": {Age: time.Nanosecond}, "segments": {Segments: 1}, "memory": {Memory: 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLease(t, media.Options{Worn: worn}, 1)
			l.spareReady(1)
			if _, _, _, err := l.run(t.Context(), bytes.NewReader(segments[0].Bytes), false); err != nil {
				t.Fatal(err)
			}
			l.spareReady(1)
			before, was := l.pool.Stats(), l.Pid()
			res, out, _, err := l.run(t.Context(), bytes.NewReader(segments[1].Bytes), true)
			if err != nil || res.Renditions[0].Frames != 60 {
				t.Fatalf("%+v, %v", res, err)
			}
			decodeCleanly(t, out)
			if now := l.pool.Stats(); l.Pid() == was || now.Ready != before.Ready+1 || now.Waited != before.Waited {
				t.Errorf("child %d, then %d; handed out %+v, then %+v", was, l.Pid(), before, now)
			}
		})
	}
	t.Run("without a spare", func(t *testing.T) { // no segment waits for a child to start
		t.Parallel()
		l := newLease(t, media.Options{Worn: media.Worn{Segments: 1}}, 0)
		was := l.Pid()
		for _, s := range segments {
			if _, _, _, err := l.run(t.Context(), bytes.NewReader(s.Bytes), true); err != nil {
				t.Fatal(err)
			}
		}
		if l.Pid() != was {
			t.Error("a worn child was changed though no spare was ready")
		}
	})
}

func TestSession_thatIsClosedTakesNothing(t *testing.T) {
	t.Parallel()
	l := newLease(t, media.Options{}, 0)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	_, _, _, err := l.run(t.Context(), strings.NewReader(""), false)
	wantCode(t, err, protocol.Unavailable)
}
