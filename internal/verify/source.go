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

	mu    sync.Mutex
	own   map[ownID]*ownEncode
	grids map[media.MeasureOptions]*gridded // by the part of the pictures, and how they are shown
}

// NewSource begins a segment that was announced to last announced (0: unknown).
func NewSource(cfg Config, announced time.Duration) *Source {
	cfg.Limits = cfg.Limits.withDefaults()
	ctx, cancel := context.WithCancel(context.Background())
	return &Source{cfg: cfg, announced: announced, tape: newTape(), scan: newScanner(cfg.Limits, false, asked{}),
		seen: make(chan struct{}), done: make(chan struct{}), own: make(map[ownID]*ownEncode), grids: make(map[media.MeasureOptions]*gridded), ctx: ctx, cancel: cancel}
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
	p := s.scan.pictures.params
	if p == nil {
		return
	}
	select {
	case <-s.seen:
	default:
		s.head = Head{Width: p.width, Height: p.height, SARNum: p.sarNum, SARDen: p.sarDen, FPS: p.fps, HasAudio: s.scan.hasAudio}
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

// gridded are the luma grids of a part of the source's pictures.
type gridded struct {
	done chan struct{} // closed when the rest is known
	m    *media.Measurement
	err  error
}

// startMeasure begins to decode the source, once, for all deep checks on it that look at this part of its pictures.
func (s *Source) startMeasure(of media.MeasureOptions) *gridded {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.grids[of]
	if g == nil {
		g = &gridded{done: make(chan struct{})}
		s.grids[of] = g
		go func() {
			defer close(g.done)
			g.m, g.err = s.cfg.Meter.measure(s.ctx, "origin "+s.cfg.Origin, s.tape, of)
		}()
	}
	return g
}

// pictures waits for the luma grids of a part of the source's pictures.
func (s *Source) pictures(ctx context.Context, of media.MeasureOptions) (*media.Measurement, error) {
	g := s.startMeasure(of)
	select {
	case <-g.done:
		return g.m, g.err
	case <-ctx.Done():
		return nil, contextError(ctx.Err())
	}
}

// Decodes decodes the source in a media child of this side and says whether that works. ChildCrashed is an answer: it ended the
// child that had it, and another one. Cancelled, DeadlineExceeded, Internal and Unavailable are none.
func (s *Source) Decodes(ctx context.Context) error {
	if s.cfg.Meter == nil {
		return protocol.Errorf(protocol.Unavailable, "nothing here decodes")
	}
	_, err := s.pictures(ctx, media.MeasureOptions{})
	return err
}

// seenIn is the part of the source's pictures that profile p shows, and how.
func seenIn(src Stream, p protocol.Profile) media.MeasureOptions {
	o := media.MeasureOptions{SDR: p.DynamicRange == protocol.SDR}
	if p.Fit == protocol.Crop {
		o.Of = geometryOf(src, p).Crop
	}
	return o
}

// shownIn is the part of the rendition's pictures that is not bars; empty: all. It waits for the source's size.
func (s *Source) shownIn(ctx context.Context, p protocol.Profile) (o media.MeasureOptions, err error) {
	if p.Fit != protocol.Pad {
		return o, nil
	}
	h, err := s.Head(ctx)
	if err != nil {
		return o, err
	}
	o.Of = geometryOf(Stream{Width: h.Width, Height: h.Height, SARNum: h.SARNum, SARDen: h.SARDen}, p).Show
	return o, nil
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
