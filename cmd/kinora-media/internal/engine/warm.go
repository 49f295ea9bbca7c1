package engine

import (
	"fmt"
	"sync"

	"github.com/asticode/go-astiav"
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
	if err := s.ctx.ScaleFrame(from, to); err != nil {
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
	f.SetWidth(s.key.toW)
	f.SetHeight(s.key.toH)
	f.SetPixelFormat(s.key.to)
	if err := f.AllocBuffer(0); err != nil {
		f.Free()
		return nil, fmt.Errorf("picture of %d×%d: %w", s.key.toW, s.key.toH, err)
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
