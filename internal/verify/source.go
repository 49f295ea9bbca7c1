package verify

import (
	"context"
	"io"
	"time"

	"github.com/kinora/kinora/internal/protocol"
)

// Source is one segment's source, shared by all attempts on it. Write and Close are for one goroutine; the rest for any.
// Cancel must be called when the segment is settled: it ends what is still being measured.
type Source struct {
	cfg       Config
	announced time.Duration
	tape      *tape
}

// NewSource begins a segment that was announced to last announced (0: unknown).
func NewSource(cfg Config, announced time.Duration) *Source {
	return &Source{cfg: cfg, announced: announced, tape: newTape()}
}

// Write takes the next bytes of the source, in any portions. It fails as soon as they cannot become a segment; then Info
// fails with the same *protocol.Error.
func (s *Source) Write(p []byte) (int, error) { s.tape.write(p); return len(p), nil }

// Close says that the source is whole.
func (s *Source) Close() error { s.tape.finish(io.EOF); return nil }

// Cancel says that no more of the source comes, or that nobody needs its measure any longer. After Close it leaves Info
// as it is.
func (s *Source) Cancel() {}

// NewReader reads the source from its beginning while it arrives; Read waits for bytes until ctx ends.
func (s *Source) NewReader(ctx context.Context) io.Reader { return s.tape.reader(ctx) }

// Head waits for the first picture to begin.
func (s *Source) Head(ctx context.Context) (Head, error) {
	return Head{}, protocol.Errorf(protocol.Internal, "not built yet")
}

// Info waits for Close and returns what the source holds; milliseconds later at most. Its errors are *protocol.Error:
// EmptySegment, BadMedia, NoVideo, NoKeyframe, UnsupportedCodec, SegmentTooLarge, SegmentTooLong, TooManyPixels, Cancelled.
func (s *Source) Info(ctx context.Context) (SourceInfo, error) {
	return SourceInfo{}, protocol.Errorf(protocol.Internal, "not built yet")
}
