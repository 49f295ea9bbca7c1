package media_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/protocol"
)

func TestChild_endsWithItsStdin(t *testing.T) {
	t.Parallel()
	c, err := media.Start(t.Context(), media.Options{Limits: media.Limits{CancelGrace: time.Minute}}) // Close would kill only after that
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(began); d > 20*time.Second {
		t.Errorf("took %s", d)
	}
	within(t, time.Second, c.Done(), "not done")
	_, err = c.Measure(t.Context(), strings.NewReader(""), media.MeasureOptions{})
	wantCode(t, err, protocol.Unavailable)
}

const orphanEnv = "KINORA_TEST_ORPHAN"

// orphanParent is this program run as a parent that will be killed.
func orphanParent() {
	c, err := media.Start(background, media.Options{})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(c.Pid())
	select {}
}

func TestChild_diesWithItsParent(t *testing.T) {
	t.Parallel()
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), orphanEnv+"=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	_, scanErr := fmt.Fscan(out, &pid)
	// Stopped, the child cannot notice the end of its stdin: only the signal can end it.
	stopErr := syscall.Kill(pid, syscall.SIGSTOP)
	_ = parent.Process.Kill()
	_ = parent.Wait()
	if scanErr != nil || stopErr != nil {
		t.Fatal(scanErr, stopErr)
	}
	for deadline := time.Now().Add(10 * time.Second); alive(pid); {
		if time.Now().After(deadline) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			t.Fatal("the child lives on")
		}
		nap()
	}
}

func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}

// nap lets others run between two looks.
func nap() {
	<-time.After(5 * time.Millisecond)
}

// half is a source that gives half of a segment and then waits until it is told to go on.
type half struct {
	first, second io.Reader
	fed           chan struct{} // closed when the first half was read
	goOn          chan struct{} // closed by the test
	once          sync.Once
}

func newHalf(b []byte) *half {
	n := len(b) / 2
	return &half{first: bytes.NewReader(b[:n]), second: bytes.NewReader(b[n:]), fed: make(chan struct{}), goOn: make(chan struct{})}
}

func (h *half) Read(p []byte) (int, error) {
	if n, err := h.first.Read(p); err == nil {
		return n, nil
	}
	h.once.Do(func() { close(h.fed) })
	<-h.goOn
	return h.second.Read(p)
}

func TestTranscode_cancelStopsOneSegmentOnly(t *testing.T) {
	t.Parallel()
	segments := mediatest.Segments(t, mediatest.Spec{Seconds: 4})
	ladder := protocol.Ladder{rung(144, 200_000)}
	c := start(t, media.Limits{})
	other := newHalf(segments[0].Bytes)
	var wg sync.WaitGroup
	wg.Go(func() {
		var o outputs
		res, err := c.Transcode(background, media.Job{Ladder: ladder, Source: other, Out: o.take})
		if err != nil || res.Renditions[0].Frames != 60 {
			t.Errorf("the other segment: %v", err)
		}
	})
	<-other.fed

	ctx, cancel := context.WithCancel(background)
	stuck := newHalf(segments[1].Bytes)
	ended := make(chan struct{})
	var err error
	go func() {
		defer close(ended)
		_, err = c.Transcode(ctx, media.Job{Ladder: ladder, Source: stuck, Out: func(int, []byte) error { return nil }})
	}()
	<-stuck.fed
	cancel()
	within(t, 20*time.Second, ended, "cancel did not end the segment")
	wantCode(t, err, protocol.Cancelled)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v is not context.Canceled", err)
	}
	close(stuck.goOn)

	late, cancelLate := context.WithTimeout(background, 50*time.Millisecond)
	defer cancelLate()
	stuck = newHalf(segments[1].Bytes)
	_, err = c.Measure(late, stuck, media.MeasureOptions{Grid: true})
	close(stuck.goOn)
	wantCode(t, err, protocol.DeadlineExceeded)

	close(other.goOn)
	wg.Wait()
	if res, _ := transcode(t, c, ladder, segments[1].Bytes, true); res.Renditions[0].Frames != 60 {
		t.Errorf("afterwards: %+v", res.Renditions[0])
	}
}

func TestTranscode_segmentsOverlap(t *testing.T) {
	t.Parallel()
	segments := mediatest.Segments(t, mediatest.Spec{Seconds: 8})
	deep := rung(144, 200_000)
	deep.Preset, deep.Lookahead = "medium", 40
	ladder := protocol.Ladder{deep, rung(120, 150_000)}
	c := start(t, media.Limits{})
	sources := make([]*half, len(segments))
	outs := make([]outputs, len(segments))
	var wg sync.WaitGroup
	for k, s := range segments { // each begins while the one before waits for its second half
		sources[k] = newHalf(s.Bytes)
		wg.Go(func() {
			res, err := c.Transcode(background, media.Job{Ladder: ladder, Source: sources[k], Out: outs[k].take, Continues: k > 0})
			if err != nil {
				t.Errorf("segment %d: %v", k, err)
			} else if res.Renditions[0].Frames != 60 || res.Renditions[1].Frames != 60 {
				t.Errorf("segment %d: %+v", k, res.Renditions)
			}
		})
		<-sources[k].fed
	}
	for k := range sources { // let the later ones finish feeding first
		close(sources[len(sources)-1-k].goOn)
	}
	wg.Wait()
	for i := range ladder {
		var joined []byte
		for k := range outs {
			joined = append(joined, outs[k].got[i]...)
		}
		decodeCleanly(t, joined)
		got := packets(t, joined, "v")
		if len(got) != 60*len(segments) {
			t.Errorf("%s: %d packets", ladder[i].Name, len(got))
		}
		for k := range got[1:] {
			if got[k+1].dts-got[k].dts != 3000 {
				t.Errorf("%s: DTS steps from %d to %d", ladder[i].Name, got[k].dts, got[k+1].dts)
			}
		}
	}
}

func TestTranscode_goesOnAfterASegmentThatFailed(t *testing.T) {
	t.Parallel()
	segments := mediatest.Segments(t, mediatest.Spec{Seconds: 6})
	ladder := protocol.Ladder{rung(144, 200_000)}
	c := start(t, media.Limits{})
	_, first := transcode(t, c, ladder, segments[0].Bytes, false)
	sentinel := errors.New("disk full")
	n := 0
	_, err := c.Transcode(background, media.Job{Ladder: ladder, Source: bytes.NewReader(segments[1].Bytes), Continues: true, Out: func(int, []byte) error {
		if n++; n > 5 {
			return sentinel
		}
		return nil
	}})
	if !errors.Is(err, sentinel) {
		t.Fatalf("error is %v", err)
	}
	_, err = c.Transcode(background, media.Job{Ladder: ladder, Source: strings.NewReader("nonsense"), Continues: true, Out: func(int, []byte) error { return nil }})
	wantCode(t, err, protocol.BadMedia)
	_, second := transcode(t, c, ladder, segments[1].Bytes, true)
	_, third := transcode(t, c, ladder, segments[2].Bytes, true)
	decodeCleanly(t, bytes.Join([][]byte{first[0], second[0], third[0]}, nil))
}

func TestTranscode_aSourceThatFailsIsNamed(t *testing.T) {
	t.Parallel()
	segment := mediatest.Segments(t, mediatest.Spec{})[0]
	c := start(t, media.Limits{})
	slow := protocol.Errorf(protocol.BodyTooSlow, "below the minimum rate")
	source := io.MultiReader(bytes.NewReader(segment.Bytes[:len(segment.Bytes)/2]), failing{slow})
	_, err := c.Transcode(background, media.Job{Ladder: protocol.Ladder{rung(144, 200_000)}, Source: source, Out: func(int, []byte) error { return nil }})
	wantCode(t, err, protocol.BodyTooSlow)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestTranscode_aSlowReaderHoldsUpNoOtherSegment(t *testing.T) {
	t.Parallel()
	segments := mediatest.Segments(t, mediatest.Spec{Seconds: 4})
	c := start(t, media.Limits{})
	blocked, release := make(chan struct{}), make(chan struct{})
	var once, wg = sync.Once{}, sync.WaitGroup{}
	wg.Go(func() {
		_, err := c.Transcode(background, media.Job{Ladder: protocol.Ladder{rung(144, 200_000)}, Source: bytes.NewReader(segments[0].Bytes), Out: func(int, []byte) error {
			once.Do(func() { close(blocked) })
			<-release
			return nil
		}})
		if err != nil {
			t.Error(err)
		}
	})
	<-blocked
	transcode(t, c, protocol.Ladder{rung(120, 200_000)}, segments[1].Bytes, false)
	measure(t, c, segments[1].Bytes, true)
	close(release)
	wg.Wait()
}

func TestChild_thatDoesNotConfirmACancelIsKilled(t *testing.T) {
	t.Parallel()
	segment := mediatest.Segments(t, mediatest.Spec{})[0]
	c := start(t, media.Limits{CancelGrace: 200 * time.Millisecond})
	ctx, cancel := context.WithCancel(background)
	source := newHalf(segment.Bytes)
	defer close(source.goOn)
	ended := make(chan error, 1)
	go func() {
		_, err := c.Measure(ctx, source, media.MeasureOptions{})
		ended <- err
	}()
	<-source.fed
	if err := syscall.Kill(c.Pid(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	cancel()
	wantCode(t, <-ended, protocol.Cancelled)
	within(t, 10*time.Second, c.Done(), "the child was not killed")
}

func TestPool_recoversFromAKilledChild(t *testing.T) {
	t.Parallel()
	segment := mediatest.Segments(t, mediatest.Spec{})[0]
	p := media.NewPool(media.Options{}, 1)
	defer func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		_, err := p.Get(background)
		wantCode(t, err, protocol.Unavailable)
	}()
	c, err := p.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	source := newHalf(segment.Bytes)
	ended := make(chan error, 1)
	go func() {
		_, err := c.Transcode(background, media.Job{Ladder: protocol.Ladder{rung(144, 200_000)}, Source: source, Out: func(int, []byte) error { return nil }})
		ended <- err
	}()
	<-source.fed
	if err := syscall.Kill(c.Pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	wantCode(t, <-ended, protocol.ChildCrashed)
	close(source.goOn)
	within(t, 10*time.Second, c.Done(), "not done")
	_, err = c.Measure(t.Context(), bytes.NewReader(segment.Bytes), media.MeasureOptions{})
	wantCode(t, err, protocol.ChildCrashed)

	for range 2 { // a spare, and whatever comes after it
		c, err := p.Get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if m := measure(t, c, segment.Bytes, false); m.Width != 320 {
			t.Errorf("measured %+v", m.Measurement)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestStart_refusesAnotherProgram(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/bin/true", "/bin/echo", "/does/not/exist"} {
		_, err := media.Start(t.Context(), media.Options{Path: path})
		wantCode(t, err, protocol.Internal)
	}
	ctx, cancel := context.WithTimeout(background, 50*time.Millisecond)
	defer cancel()
	_, err := media.Start(ctx, media.Options{Path: "/bin/cat"}) // says nothing
	wantCode(t, err, protocol.Internal)
}
