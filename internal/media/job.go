package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/kinora/kinora/internal/media/wire"
	"github.com/kinora/kinora/internal/protocol"
)

// job is one request to a child: a feeder goroutine sends the source within its credit, the caller's goroutine takes what
// the child sends, and the child's reader puts it into inbox, never waiting.
type job struct {
	child      *Child
	id         uint32
	source     io.Reader
	renditions int
	out        func(int, []byte) error
	pictures   []FrameGrid

	ended chan struct{} // closed by the caller's goroutine when the job is over on this side
	wake  chan struct{} // holds one token while inbox may have something
	fed   chan error    // the feeder's verdict: why the source could not be sent whole

	mu     sync.Mutex
	inbox  []wire.Frame
	queued int64         // bytes of renditions in inbox, at most wire.OutputWindow
	cause  error         // the child is gone
	credit int           // bytes of the source the child would take now
	more   chan struct{} // holds one token when credit grew
}

func newJob(c *Child, source io.Reader) *job {
	return &job{child: c, source: source, ended: make(chan struct{}), wake: make(chan struct{}, 1), fed: make(chan error, 1),
		credit: wire.SourceWindow, more: make(chan struct{}, 1)}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// take is called by the child's reader with every frame of this job.
func (j *job) take(f wire.Frame) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch f.Kind {
	case wire.KindCredit:
		n, err := wire.DecodeCredit(f.Payload)
		if err != nil || n > wire.SourceWindow || j.credit+n > wire.SourceWindow {
			return fmt.Errorf("%w: credit beyond the window", wire.ErrFormat)
		}
		j.credit += n
		signal(j.more)
		return nil
	case wire.KindOutput:
		if int(f.Rendition) >= j.renditions {
			return fmt.Errorf("%w: rendition %d of %d", wire.ErrFormat, f.Rendition, j.renditions)
		}
		if j.queued += int64(len(f.Payload)); j.queued > wire.OutputWindow {
			return fmt.Errorf("%w: output beyond the window", wire.ErrFormat)
		}
	case wire.KindGrids:
		pictures, err := wire.DecodePictures(f.Payload)
		if err != nil {
			return err
		}
		if j.renditions > 0 || len(j.pictures)+len(pictures) > j.child.limits.MaxFrames {
			return fmt.Errorf("%w: more pictures than the limit", wire.ErrFormat)
		}
		j.pictures = append(j.pictures, pictures...)
		return nil
	}
	j.inbox = append(j.inbox, f)
	signal(j.wake)
	return nil
}

// fail is called once when the child is gone.
func (j *job) fail(cause error) {
	j.mu.Lock()
	j.cause = cause
	j.mu.Unlock()
	signal(j.wake)
}

// next takes the oldest frame; without one it returns false and the reason for which none will come, if there is one.
func (j *job) next() (wire.Frame, bool, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.inbox) == 0 {
		return wire.Frame{}, false, j.cause
	}
	f := j.inbox[0]
	j.inbox = j.inbox[1:]
	if f.Kind == wire.KindOutput {
		j.queued -= int64(len(f.Payload))
	}
	return f, true, nil
}

// run carries the job through and returns the payload of its answer.
func (j *job) run(ctx context.Context, kind wire.Kind, request any) ([]byte, error) {
	defer close(j.ended)
	if err := ctx.Err(); err != nil {
		return nil, contextError(err)
	}
	if err := j.child.begin(j, kind, request); err != nil {
		return nil, err
	}
	defer j.child.forget(j)
	go j.feed()

	owed := 0 // bytes taken for which no credit was sent yet
	for {
		f, ok, cause := j.next()
		switch {
		case ok && f.Kind == wire.KindOutput:
			if err := j.out(int(f.Rendition), f.Payload); err != nil {
				return nil, j.cancel(fmt.Errorf("write rendition %d: %w", f.Rendition, err))
			}
			if owed += len(f.Payload); owed >= wire.OutputWindow/4 {
				if err := j.child.send(wire.Frame{Kind: wire.KindCredit, Job: j.id, Payload: wire.Credit(owed)}); err != nil {
					return nil, err
				}
				owed = 0
			}
			if err := ctx.Err(); err != nil {
				return nil, j.cancel(contextError(err))
			}
		case ok:
			answer, err := j.answer(f, kind)
			select {
			case fed := <-j.fed: // what was wrong with the source explains whatever the child made of it
				if fed != nil && err != nil {
					err = fed
				}
			default:
			}
			return answer, err
		case cause != nil:
			return nil, cause
		default:
			select {
			case <-j.wake:
			case err := <-j.fed:
				if err != nil {
					return nil, j.cancel(err)
				}
			case <-ctx.Done():
				return nil, j.cancel(contextError(ctx.Err()))
			}
		}
	}
}

// answer reads the frame that ended the job.
func (j *job) answer(f wire.Frame, kind wire.Kind) ([]byte, error) {
	switch {
	case f.Kind == wire.KindResult && kind == wire.KindTranscode, f.Kind == wire.KindMeasurement && kind == wire.KindMeasure,
		f.Kind == wire.KindRemuxed && kind == wire.KindRemux:
		return f.Payload, nil
	case f.Kind == wire.KindFailure:
		var fail wire.Failure
		if err := wire.Decode(f.Payload, &fail); err != nil {
			return nil, protocol.Errorf(protocol.Internal, "media child %d: %w", j.child.Pid(), err)
		}
		return nil, &Error{Code: protocol.Code(fail.Code), Detail: fail.Detail, Limit: fail.Limit}
	}
	err := protocol.Errorf(protocol.ChildCrashed, "media child %d: kind %d is no answer to kind %d", j.child.Pid(), f.Kind, kind)
	j.child.kill(err)
	return nil, err
}

// contextError is err of a context as an Error.
func contextError(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return protocol.Errorf(protocol.DeadlineExceeded, "the segment's deadline has passed: %w", err)
	}
	return protocol.Errorf(protocol.Cancelled, "the segment was cancelled: %w", err)
}

// cancel tells the child to drop the job and waits until it has; a child that does not answer is killed. It returns reason.
func (j *job) cancel(reason error) error {
	grace := time.NewTimer(j.child.limits.CancelGrace)
	defer grace.Stop()
	sent := make(chan struct{})
	go func() { // a child that hangs may not even read
		defer close(sent)
		_ = j.child.send(wire.Frame{Kind: wire.KindCancel, Job: j.id}) // if it is gone, cause says so below
	}()
	defer func() { <-sent }()
	for {
		f, ok, cause := j.next()
		if cause != nil || ok && (f.Kind == wire.KindFailure || f.Kind == wire.KindResult || f.Kind == wire.KindMeasurement || f.Kind == wire.KindRemuxed) {
			return reason
		}
		if ok {
			continue
		}
		select {
		case <-j.wake:
		case <-grace.C:
			j.child.kill(protocol.Errorf(protocol.ChildCrashed, "media child %d did not confirm a cancel within %s", j.child.Pid(), j.child.limits.CancelGrace))
			return reason
		}
	}
}

// feed sends the source as credit allows, until it ends or the job does.
func (j *job) feed() {
	buf := make([]byte, wire.DataChunk)
	var total int64
	for {
		n, err := 0, error(nil)
		allowed, ok := j.await(len(buf))
		if !ok {
			return
		}
		n, err = j.source.Read(buf[:allowed])
		if n > 0 {
			if total += int64(n); total > j.child.limits.MaxInput {
				j.fed <- protocol.Limited(protocol.SegmentTooLarge, "max_input", j.child.limits.MaxInput, "the segment has more than %d bytes", j.child.limits.MaxInput)
				return
			}
			j.mu.Lock()
			j.credit -= n
			j.mu.Unlock()
			if j.over() || j.child.send(wire.Frame{Kind: wire.KindData, Job: j.id, Payload: buf[:n]}) != nil {
				return // whoever ended it knows why
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			if !j.over() {
				_ = j.child.send(wire.Frame{Kind: wire.KindEnd, Job: j.id})
			}
			j.fed <- nil
			return
		case err != nil:
			j.fed <- fmt.Errorf("read source: %w", err)
			return
		}
	}
}

func (j *job) over() bool {
	select {
	case <-j.ended:
		return true
	default:
		return false
	}
}

// await waits for credit and returns how much of want there is; false when the job is over.
func (j *job) await(want int) (int, bool) {
	for {
		j.mu.Lock()
		n := min(want, j.credit)
		j.mu.Unlock()
		if j.over() {
			return 0, false
		}
		if n > 0 {
			return n, true
		}
		select {
		case <-j.more:
		case <-j.ended:
			return 0, false
		}
	}
}
