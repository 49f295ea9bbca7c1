package engine

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/kinora/kinora/internal/media/wire"
)

// source is the bytes of one segment as they arrive: an io.Reader that waits for them and grants the parent credit for what
// it has read. What waits in it is bounded by that credit.
type source struct {
	credit func(int)

	mu    sync.Mutex
	some  sync.Cond
	data  [][]byte
	held  int
	owed  int   // read, and not granted yet
	total int64 // read
	err   error // after the last of data
}

func newSource(credit func(int)) *source {
	s := &source{credit: credit}
	s.some.L = &s.mu
	return s
}

func (s *source) put(p []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil { // what comes after a cancel
		return nil
	}
	if s.held += len(p); s.held > wire.SourceWindow {
		return fmt.Errorf("%w: source beyond the window", wire.ErrFormat)
	}
	if len(p) > 0 {
		s.data = append(s.data, p)
		s.some.Signal()
	}
	return nil
}

// end says that no more bytes come: io.EOF, or context.Canceled to drop those that wait too.
func (s *source) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != io.EOF {
		s.data = nil
	}
	if s.err == nil || s.err == io.EOF {
		s.err = err
	}
	s.some.Signal()
}

// Read waits for bytes. It never returns bytes and an error together: libav's callback would lose the bytes.
func (s *source) Read(p []byte) (int, error) {
	s.mu.Lock()
	for len(s.data) == 0 && s.err == nil {
		s.some.Wait()
	}
	if len(s.data) == 0 {
		defer s.mu.Unlock()
		return 0, s.err
	}
	n := 0
	for n < len(p) && len(s.data) > 0 {
		k := copy(p[n:], s.data[0])
		n += k
		if s.data[0] = s.data[0][k:]; len(s.data[0]) == 0 {
			s.data = s.data[1:]
		}
	}
	s.held -= n
	s.total += int64(n)
	s.owed += n
	grant := 0
	if s.owed >= wire.SourceWindow/4 && s.err == nil {
		grant, s.owed = s.owed, 0
	}
	s.mu.Unlock()
	if grant > 0 {
		s.credit(grant)
	}
	return n, nil
}

func (s *source) bytes() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total
}

// window is how many bytes may be sent before the parent grants more.
type window struct {
	mu    sync.Mutex
	left  int
	grown chan struct{} // holds one token when left grew
}

func newWindow(n int) *window { return &window{left: n, grown: make(chan struct{}, 1)} }

func (w *window) grant(n int) {
	w.mu.Lock()
	w.left += n
	w.mu.Unlock()
	select {
	case w.grown <- struct{}{}:
	default:
	}
}

// take waits until n bytes may be sent.
func (w *window) take(ctx context.Context, n int) error {
	for {
		w.mu.Lock()
		if w.left >= n {
			w.left -= n
			again := w.left > 0
			w.mu.Unlock()
			if again { // for another that waits
				w.grant(0)
			}
			return nil
		}
		w.mu.Unlock()
		select {
		case <-w.grown:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
