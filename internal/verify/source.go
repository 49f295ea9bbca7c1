package verify

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/protocol"
)

// Source is one segment's source, shared by all attempts on it. Write and Close are for one goroutine, the rest for any.
// Cancel must be called when the segment is settled: it ends what is still being measured.
type Source struct {
	cfg       Config
	announced time.Duration
	tape      *tape
	scan      *scanner // of the writing goroutine until done

	seen   chan struct{} // closed when head is known
	head   Head
	once   sync.Once     // closes done
	done   chan struct{} // closed when info and err are known
	info   SourceInfo
	err    error
	ctx    context.Context // of the measure
	cancel context.CancelFunc

	measure  sync.Once
	measured chan struct{} // closed when grids and gridErr are known
	grids    *media.Measurement
	gridErr  error

	mu  sync.Mutex
	own map[ownID]*ownEncode
}

// NewSource begins a segment that was announced to last announced (0: unknown).
func NewSource(cfg Config, announced time.Duration) *Source {
	cfg.Limits = cfg.Limits.withDefaults()
	ctx, cancel := context.WithCancel(context.Background())
	return &Source{cfg: cfg, announced: announced, tape: newTape(), scan: newScanner(cfg.Limits, false, 0, 0),
		seen: make(chan struct{}), done: make(chan struct{}), measured: make(chan struct{}), own: make(map[ownID]*ownEncode), ctx: ctx, cancel: cancel}
}

// Write takes the next bytes of the source, in any portions. It fails as soon as they cannot become a segment, or after
// Cancel; then Info fails with the same *protocol.Error.
func (s *Source) Write(p []byte) (int, error) {
	select {
	case <-s.done:
		if s.err == nil {
			return 0, protocol.Errorf(protocol.Internal, "write after the source's end")
		}
		return 0, s.err
	default:
	}
	s.scan.write(p)
	if f := s.scan.flaw; f != nil {
		s.settle(SourceInfo{}, f.err())
		return 0, s.err
	}
	s.tape.write(p)
	s.look()
	return len(p), nil
}

// look tells those who wait for the size.
func (s *Source) look() {
	sps := s.scan.pictures.sps
	if sps == nil {
		return
	}
	select {
	case <-s.seen:
	default:
		s.head = Head{Width: sps.Width(), Height: sps.Height(), FPS: statedFPS(sps), HasAudio: s.scan.hasAudio}
		close(s.seen)
	}
}

// statedFPS is the frame rate the sequence parameters state, 0 if they do not or it cannot be.
func statedFPS(sps *h264.SPS) float64 {
	if sps.VUI == nil || sps.VUI.TimingInfo == nil || sps.VUI.TimingInfo.NumUnitsInTick == 0 {
		return 0
	}
	if fps := sps.FPS(); fps <= 1000 {
		return fps
	}
	return 0
}

// Close says that the source is whole. It fails as Info does.
func (s *Source) Close() error {
	select {
	case <-s.done:
		return s.err
	default:
	}
	stream := s.scan.finish()
	if stream.Duration == 0 {
		stream.Duration = s.announced // of a single picture
	}
	if f := s.scan.flaw; f != nil {
		s.settle(SourceInfo{stream}, f.err())
	} else {
		s.look()
		s.settle(SourceInfo{stream}, nil)
	}
	return s.err
}

// settle makes the outcome known; the first one stands.
func (s *Source) settle(info SourceInfo, err error) {
	s.once.Do(func() {
		s.info, s.err = info, err
		if err == nil {
			s.tape.finish(io.EOF)
		} else {
			s.tape.finish(err)
			s.cancel()
		}
		close(s.done)
	})
}

// Cancel says that no more of the source comes, or that nobody needs its measure any longer. After Close it leaves Info
// as it is.
func (s *Source) Cancel() {
	s.settle(SourceInfo{}, protocol.Errorf(protocol.Cancelled, "the segment was cancelled"))
	s.cancel()
}

// NewReader reads the source from its beginning while it arrives; Read waits for bytes until ctx ends.
func (s *Source) NewReader(ctx context.Context) io.Reader { return s.tape.reader(ctx) }

// Head waits for the first picture to begin. It fails as Info does.
func (s *Source) Head(ctx context.Context) (Head, error) {
	select {
	case <-s.seen:
		return s.head, nil
	case <-s.done:
		return s.head, s.err
	case <-ctx.Done():
		return Head{}, contextError(ctx.Err())
	}
}

// Info waits for Close and returns what the source holds; that takes no decoding. Its errors are *protocol.Error:
// EmptySegment, BadMedia, NoVideo, NoKeyframe, UnsupportedCodec, SegmentTooLarge, SegmentTooLong, TooManyPixels, Cancelled,
// and DeadlineExceeded or Cancelled of ctx.
func (s *Source) Info(ctx context.Context) (SourceInfo, error) {
	select {
	case <-s.done:
		return s.info, s.err
	default:
	}
	select {
	case <-s.done:
		return s.info, s.err
	case <-ctx.Done():
		return SourceInfo{}, contextError(ctx.Err())
	}
}

// startMeasure begins to decode the source, once, for all deep checks on it.
func (s *Source) startMeasure() {
	s.measure.Do(func() {
		go func() {
			defer close(s.measured)
			s.grids, s.gridErr = s.cfg.Meter.measure(s.ctx, "origin "+s.cfg.Origin, s.tape)
		}()
	})
}

// pictures waits for the source's luma grids.
func (s *Source) pictures(ctx context.Context) (*media.Measurement, error) {
	select {
	case <-s.measured:
		return s.grids, s.gridErr
	case <-ctx.Done():
		return nil, contextError(ctx.Err())
	}
}

func (f *flaw) err() *protocol.Error {
	return &protocol.Error{Code: f.code, Detail: f.detail, Limit: f.limit}
}

// contextError is err of a context as a *protocol.Error.
func contextError(err error) *protocol.Error {
	if errors.Is(err, context.DeadlineExceeded) {
		return protocol.Errorf(protocol.DeadlineExceeded, "the check ran out of time: %w", err)
	}
	return protocol.Errorf(protocol.Cancelled, "the check was cancelled: %w", err)
}
