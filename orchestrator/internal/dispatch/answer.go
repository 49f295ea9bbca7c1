package dispatch

import (
	"context"
	"sync"

	"github.com/kinora/kinora/internal/protocol"
)

// Answer is what the payer of one segment is told: frames in their order, one attempt after another, and how it ended.
// One story writes it; any number of requests for the same segment read it, each from the start.
type Answer struct {
	mu     sync.Mutex
	frames []protocol.Frame
	bytes  int
	ended  bool
	err    error
	grew   chan struct{}
}

func newAnswer() *Answer { return &Answer{grew: make(chan struct{})} }

// put appends a frame; the payload must not change any more.
func (a *Answer) put(frames ...protocol.Frame) {
	if len(frames) == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended {
		return
	}
	a.frames = append(a.frames, frames...)
	for _, f := range frames {
		a.bytes += len(f.Payload)
	}
	close(a.grew)
	a.grew = make(chan struct{})
}

// end says that nothing follows; err is why there is no verified result.
func (a *Answer) end(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.ended {
		a.ended, a.err = true, err
		close(a.grew)
	}
}

func (a *Answer) size() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.bytes
}

// of returns the frames of one attempt.
func (a *Answer) of(attempt uint8) []protocol.Frame {
	a.mu.Lock()
	defer a.mu.Unlock()
	var frames []protocol.Frame
	for _, f := range a.frames {
		if f.Attempt == attempt {
			frames = append(frames, f)
		}
	}
	return frames
}

// Copy hands every frame to emit as it comes, without the closing FrameEnd. It returns nil when the answer ended well,
// else why it did not; started says whether any frame came, since a refusal before the first one has a status of its own.
// The error of emit or of ctx is returned as failed.
func (a *Answer) Copy(ctx context.Context, emit func(protocol.Frame) error) (started bool, refused, failed error) {
	for i := 0; ; {
		a.mu.Lock()
		frames, ended, err, grew := a.frames[i:], a.ended, a.err, a.grew
		a.mu.Unlock()
		for _, f := range frames {
			if failed = emit(f); failed != nil {
				return i > 0, nil, failed
			}
			i++
		}
		if len(frames) > 0 {
			continue
		}
		if ended {
			return i > 0, err, nil
		}
		select {
		case <-grew:
		case <-ctx.Done():
			return i > 0, nil, context.Cause(ctx)
		}
	}
}
