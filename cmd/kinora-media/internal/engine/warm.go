package engine

import (
	"fmt"
	"sync"

	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/wire"
)

// warm keeps scalers and their pictures between segments, so that neither filters nor pages are made anew for each.
type warm struct {
	mu   sync.Mutex
	idle map[scalerKey][]*scaler
}

type scalerKey struct {
	fromW, fromH int
	from         astiav.PixelFormat
	toW, toH     int
	to           astiav.PixelFormat
	w, h, x, y   int // of the whole picture, black around what is scaled, and where in it that is
}

// plainKey is of a scaler that fills the whole picture.
func plainKey(fromW, fromH int, from astiav.PixelFormat, toW, toH int, to astiav.PixelFormat) scalerKey {
	return scalerKey{fromW, fromH, from, toW, toH, to, toW, toH, 0, 0}
}

func newWarm() *warm { return &warm{idle: make(map[scalerKey][]*scaler)} }

// maxIdle bounds what is kept: sizes change rarely within a lease.
const maxIdle = 32

func (w *warm) take(k scalerKey) (*scaler, error) {
	w.mu.Lock()
	if l := w.idle[k]; len(l) > 0 {
		s := l[len(l)-1]
		w.idle[k] = l[:len(l)-1]
		w.mu.Unlock()
		return s, nil
	}
	w.mu.Unlock()
	return newScaler(k)
}

func newScaler(k scalerKey) (*scaler, error) {
	c, err := astiav.CreateSoftwareScaleContext(k.fromW, k.fromH, k.from, k.toW, k.toH, k.to,
		astiav.NewSoftwareScaleContextFlags(astiav.SoftwareScaleContextFlagBicubic))
	if err != nil {
		return nil, fmt.Errorf("scale %s %d×%d to %d×%d: %w", k.from, k.fromW, k.fromH, k.toW, k.toH, err)
	}
	return &scaler{key: k, ctx: c}, nil
}

func (w *warm) give(s *scaler) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, l := range w.idle {
		n += len(l)
	}
	if n >= maxIdle {
		s.free()
		return
	}
	w.idle[s.key] = append(w.idle[s.key], s)
}

// scaler makes pictures of one size from pictures of another.
type scaler struct {
	key  scalerKey
	ctx  *astiav.SoftwareScaleContext
	pool []*astiav.Frame // those nobody else holds are free
}

// scale returns a picture which the caller frees. It has the colours of from but none of its timestamps.
func (s *scaler) scale(from *astiav.Frame) (*astiav.Frame, error) {
	to, err := s.blank()
	if err != nil {
		return nil, err
	}
	into, err := part(to, wire.Rect{X: s.key.x, Y: s.key.y, W: s.key.toW, H: s.key.toH})
	if err != nil {
		return nil, err
	}
	err = s.ctx.ScaleFrame(from, into)
	into.Free()
	if err != nil {
		return nil, fmt.Errorf("scale to %d×%d: %w", s.key.toW, s.key.toH, err)
	}
	return to.Clone(), nil
}

func (s *scaler) blank() (*astiav.Frame, error) {
	for _, f := range s.pool {
		if f.IsWritable() {
			return f, nil
		}
	}
	f := astiav.AllocFrame()
	f.SetWidth(s.key.w)
	f.SetHeight(s.key.h)
	f.SetPixelFormat(s.key.to)
	if err := f.AllocBuffer(0); err != nil {
		f.Free()
		return nil, fmt.Errorf("picture of %d×%d: %w", s.key.w, s.key.h, err)
	}
	if s.key.w != s.key.toW || s.key.h != s.key.toH { // the bars are painted once: what is scaled later leaves them alone
		f.SetColorRange(astiav.ColorRangeMpeg)
		if err := f.ImageFillBlack(); err != nil {
			f.Free()
			return nil, fmt.Errorf("black picture of %d×%d: %w", s.key.w, s.key.h, err)
		}
	}
	s.pool = append(s.pool, f)
	return f, nil
}

func (s *scaler) free() {
	for _, f := range s.pool {
		f.Free()
	}
	s.ctx.Free()
}

// shaper makes one level's pictures of the source's, or of a larger level's.
type shaper struct {
	fit          string
	geometry     wire.Geometry // for pictures of the size that follows
	fromW, fromH int
	sar          astiav.Rational
	to           astiav.PixelFormat
	scaler       *scaler
}

// newShaper is for pictures of w×h that become those of a profile.
func newShaper(p wire.Profile, w, h int, sar astiav.Rational) shaper {
	return shaper{fit: p.Fit, geometry: wire.Fitted(p.Fit, w, h, sar.Num(), sar.Den(), p.Width, p.Height), fromW: w, fromH: h, sar: sar, to: pixelFormat(p)}
}

// refit finds the geometry anew for a source that changes: what is made keeps its size.
func (s *shaper) refit(w, h int, sar astiav.Rational) {
	if s.fromW == w && s.fromH == h && s.sar == sar {
		return
	}
	fit := s.fit
	if fit == wire.FitContain {
		fit = wire.FitPad
	}
	s.geometry, s.fromW, s.fromH, s.sar = wire.Fitted(fit, w, h, sar.Num(), sar.Den(), s.geometry.Width, s.geometry.Height), w, h, sar
}

// plain tells whether the pictures show all of the source's, and nothing else.
func (s *shaper) plain() bool { return s.geometry.Plain(s.fromW, s.fromH) }

// scale makes a picture, which the caller frees. Of a picture of the chain all is shown; of the source's what the geometry says.
func (s *shaper) scale(w *warm, from *astiav.Frame, to astiav.PixelFormat, chained bool) (*astiav.Frame, error) {
	if !chained {
		s.refit(from.Width(), from.Height(), from.SampleAspectRatio())
	}
	g := s.geometry
	if chained {
		g = wire.Geometry{Crop: wire.Rect{W: from.Width(), H: from.Height()}, Show: wire.Rect{W: g.Width, H: g.Height}, Width: g.Width, Height: g.Height}
	}
	key := scalerKey{g.Crop.W, g.Crop.H, from.PixelFormat(), g.Show.W, g.Show.H, to, g.Width, g.Height, g.Show.X, g.Show.Y}
	if key.fromW == g.Width && key.fromH == g.Height && g.Plain(from.Width(), from.Height()) && key.from == key.to && from.ColorRange() != astiav.ColorRangeJpeg {
		return from.Clone(), nil
	}
	if s.scaler == nil || s.scaler.key != key {
		s.free(w)
		var err error
		if s.scaler, err = w.take(key); err != nil {
			return nil, err
		}
	}
	shown, err := part(from, g.Crop)
	if err != nil {
		return nil, err
	}
	defer shown.Free()
	f, err := s.scaler.scale(shown)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (s *shaper) free(w *warm) {
	if s.scaler != nil {
		w.give(s.scaler)
		s.scaler = nil
	}
}
