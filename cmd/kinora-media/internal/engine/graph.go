package engine

import (
	"errors"
	"fmt"

	"github.com/asticode/go-astiav"
)

// graph is a chain of filters for pictures or sound of one kind.
type graph struct {
	g     *astiav.FilterGraph
	in    *astiav.BuffersrcFilterContext
	out   *astiav.BuffersinkFilterContext
	frame *astiav.Frame
}

// newGraph makes a chain for pictures like f, timed in 1/90000 s.
func newGraph(f *astiav.Frame, chain string) (*graph, error) {
	par := astiav.AllocBuffersrcFilterContextParameters()
	defer par.Free()
	par.SetWidth(f.Width())
	par.SetHeight(f.Height())
	par.SetPixelFormat(f.PixelFormat())
	par.SetSampleAspectRatio(f.SampleAspectRatio())
	par.SetColorRange(f.ColorRange())
	par.SetColorSpace(f.ColorSpace())
	par.SetTimeBase(timeBase)
	if onDevice(f) {
		par.SetHardwareFramesContext(f.HardwareFramesContext()) // borrowed: the graph takes its own reference
	}
	return connect("buffer", par, chain, "buffersink")
}

// newSoundGraph makes a chain for sound of this shape, timed in 1/90000 s.
func newSoundGraph(s soundShape, chain string) (*graph, error) {
	par := astiav.AllocBuffersrcFilterContextParameters()
	defer par.Free()
	par.SetSampleRate(s.rate)
	par.SetSampleFormat(s.format)
	par.SetChannelLayout(s.channels)
	par.SetTimeBase(timeBase)
	return connect("abuffer", par, chain, "abuffersink")
}

func connect(source string, par *astiav.BuffersrcFilterContextParameters, chain, sink string) (_ *graph, err error) {
	g := &graph{g: astiav.AllocFilterGraph(), frame: astiav.AllocFrame()}
	defer func() {
		if err != nil {
			g.free()
			err = fmt.Errorf("open filters %s: %w", chain, err)
		}
	}()
	g.g.SetThreadCount(1)
	if g.in, err = g.g.NewBuffersrcFilterContext(astiav.FindFilterByName(source), "in"); err != nil {
		return nil, err
	}
	if err := g.in.SetParameters(par); err != nil {
		return nil, err
	}
	if err := g.in.Initialize(nil); err != nil {
		return nil, err
	}
	if g.out, err = g.g.NewBuffersinkFilterContext(astiav.FindFilterByName(sink), "out"); err != nil {
		return nil, err
	}
	from, to := astiav.AllocFilterInOut(), astiav.AllocFilterInOut()
	defer from.Free()
	defer to.Free()
	from.SetName("in")
	from.SetFilterContext(g.in.FilterContext())
	to.SetName("out")
	to.SetFilterContext(g.out.FilterContext())
	if err := g.g.Parse(chain, to, from); err != nil {
		return nil, err
	}
	if err := g.g.Configure(); err != nil {
		return nil, err
	}
	return g, nil
}

// push gives f (nil: the end) to the chain and every frame that comes out, in 1/90000 s, to take. That one stays the graph's.
func (g *graph) push(f *astiav.Frame, take func(*astiav.Frame) error) error {
	if err := g.in.AddFrame(f, astiav.NewBuffersrcFlags(astiav.BuffersrcFlagKeepRef)); err != nil {
		return fmt.Errorf("filter: %w", err)
	}
	unit := g.out.TimeBase()
	for {
		err := g.out.GetFrame(g.frame, astiav.NewBuffersinkFlags())
		switch {
		case errors.Is(err, astiav.ErrEagain), errors.Is(err, astiav.ErrEof):
			return nil
		case err != nil:
			return fmt.Errorf("filter: %w", err)
		}
		if pts := g.frame.Pts(); pts != astiav.NoPtsValue {
			g.frame.SetPts(astiav.RescaleQ(pts, unit, timeBase))
		}
		err = take(g.frame)
		g.frame.Unref()
		if err != nil {
			return err
		}
	}
}

// one gives the one picture that the graph makes of f; free it.
func (g *graph) one(f *astiav.Frame, what string) (*astiav.Frame, error) {
	var out *astiav.Frame
	err := g.push(f, func(f *astiav.Frame) error {
		if out != nil {
			return fmt.Errorf("%s: two pictures of one", what)
		}
		out = f.Clone()
		return nil
	})
	if err == nil && out == nil {
		err = fmt.Errorf("%s: no picture", what)
	}
	if err != nil && out != nil {
		out.Free()
		out = nil
	}
	return out, err
}

func (g *graph) free() {
	g.frame.Free()
	g.g.Free()
}
