package dispatch

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
)

// source is one segment on its way in. verify.Source holds the bounded copy of its bytes from which every attempt reads at
// its own pace; here is what was received: hash, size, and when the last byte came.
type source struct {
	*verify.Source

	started chan struct{} // closed at the first byte
	ended   chan struct{} // closed at the last one, or when none will come

	mu   sync.Mutex
	err  error // why it will never be whole
	hash protocol.Hash
	size int64
	end  time.Time
}

func newSource(s *verify.Source) *source {
	return &source{Source: s, started: make(chan struct{}), ended: make(chan struct{})}
}

// fill takes body until it ends, at most limit bytes. It is called once.
func (s *source) fill(body io.Reader, limit int64) {
	hash, size, err := receive(body, limit, func(p []byte, first bool) error {
		if first {
			close(s.started)
		}
		_, err := s.Write(p)
		return err
	})
	s.mu.Lock()
	s.hash, s.size, s.err, s.end = hash, size, err, time.Now()
	s.mu.Unlock()
	if err != nil {
		s.Source.Cancel()
	} else if err := s.Source.Close(); err != nil {
		s.fail(err)
	}
	close(s.ended)
}

func (s *source) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// whole waits for the end and returns hash and size of the bytes and when the last one came, or why they broke off.
func (s *source) whole(ctx context.Context) (hash protocol.Hash, size int64, end time.Time, err error) {
	select {
	case <-s.ended:
	case <-ctx.Done():
		return hash, 0, end, context.Cause(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hash, s.size, s.end, s.err
}

// receive reads body to its end and hashes it. Errors carry EmptySegment, SegmentTooLarge, BodyTooSlow or Cancelled, or are
// those of take.
func receive(body io.Reader, limit int64, take func(p []byte, first bool) error) (protocol.Hash, int64, error) {
	sum := sha256.New()
	chunk := make([]byte, 32<<10)
	var total int64
	for {
		n, err := body.Read(chunk)
		if n > 0 {
			first := total == 0
			if total += int64(n); total > limit {
				return protocol.Hash{}, total, protocol.Limited(protocol.SegmentTooLarge, "max_segment_bytes", limit,
					"the segment has more than %d bytes", limit)
			}
			sum.Write(chunk[:n])
			if err := take(chunk[:n], first); err != nil {
				return protocol.Hash{}, total, err
			}
		}
		switch {
		case errors.Is(err, io.EOF) && total == 0:
			return protocol.Hash{}, 0, protocol.Errorf(protocol.EmptySegment, "the segment has no bytes")
		case errors.Is(err, io.EOF):
			return protocol.Hash(sum.Sum(nil)), total, nil
		case err != nil:
			var refusal *protocol.Error
			if !errors.As(err, &refusal) {
				err = protocol.Errorf(protocol.Cancelled, "the source broke off after %d bytes: %w", total, err)
			}
			return protocol.Hash{}, total, err
		}
	}
}
