package encode

import (
	"context"
	"crypto/sha256"
	"hash"
	"io"
	"sync"
	"time"

	"github.com/kinora/kinora/internal/protocol"
)

// maxBuffered is how much of a source may wait for the encoder. Behind it the orchestrator waits; below it a cancel is
// seen at once however slow the encoder is.
const maxBuffered = 16 << 20

// source takes bytes from the orchestrator and gives them to the encoder, hashing them on the way.
type source struct {
	mu     sync.Mutex
	change sync.Cond // wakes whoever waits for mu's fields
	buf    []byte
	end    error // what the reader gets behind buf: io.EOF, or why there is no more
	hash   hash.Hash
	bytes  uint64
	sum    protocol.Hash // set with io.EOF, as is
	at     time.Time     // when its last byte was known to be
	waited time.Duration // since then, for whoever takes the renditions
}

func newSource() *source {
	s := &source{hash: sha256.New()}
	s.change.L = &s.mu
	return s
}

// write appends p; it waits while the buffer is full and fails once the source has ended.
func (s *source) write(p []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.buf) >= maxBuffered && s.end == nil {
		s.change.Wait()
	}
	if s.end != nil {
		return s.end
	}
	s.hash.Write(p)
	s.bytes += uint64(len(p))
	s.buf = append(s.buf, p...)
	s.change.Broadcast()
	return nil
}

// finish ends the source if it is what end says was sent.
func (s *source) finish(end protocol.SourceEnd) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end != nil {
		return s.end
	}
	s.hash.Sum(s.sum[:0])
	if s.sum != end.Source || s.bytes != end.Bytes {
		return protocol.Errorf(protocol.BadRequest, "source has %d bytes with hash %s, its end says %d with %s", s.bytes, s.sum, end.Bytes, end.Source)
	}
	s.end, s.at = io.EOF, time.Now()
	s.change.Broadcast()
	return nil
}

// fail ends the source with err, also for a Read in progress.
func (s *source) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end == nil || s.end == io.EOF { // bytes dropped below must not look like the end of a shorter source
		s.end = err
	}
	s.buf = nil
	s.change.Broadcast()
}

// failWith fails the source when ctx ends.
func (s *source) failWith(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() { s.fail(context.Cause(ctx)) })
}

// Read is the encoder's end.
func (s *source) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.buf) == 0 && s.end == nil {
		s.change.Wait()
	}
	if len(s.buf) == 0 {
		return 0, s.end
	}
	n := copy(p, s.buf)
	s.buf = s.buf[n:]
	s.change.Broadcast()
	return n, nil
}

// whole returns the source's hash once all of it has arrived.
func (s *source) whole() (protocol.Hash, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sum, s.end == io.EOF
}

// waits begins a time, and what it returns ends it, in which the encoder waits for whoever takes its bytes.
func (s *source) waits() (over func()) {
	begun := time.Now()
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.at.IsZero() {
			s.waited += time.Since(maxTime(begun, s.at))
		}
	}
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// tail is how long ago the last byte came, without the time that the encoder waited since; false before that.
func (s *source) tail() (time.Duration, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at.IsZero() {
		return 0, false
	}
	return time.Since(s.at) - s.waited, true
}
