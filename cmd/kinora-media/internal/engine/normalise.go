package engine

// #include "picture.h"
import "C"

import (
	"fmt"
	"strings"

	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/wire"
)

// normaliser makes of decoded pictures what scalers and encoders want: progressive, upright, in limited range and not RGB.
// One picture comes out for each that goes in, with its time. Most streams need none of it, and pass as they are.
type normaliser struct {
	keepFields bool // leave interlaced pictures as they are
	interlaced bool // a picture was; then each may be
	like       pictureKind
	graph      *graph // nil: pictures pass as they are
}

// pictureKind is what a graph is opened for.
type pictureKind struct {
	width, height  int
	format         astiav.PixelFormat
	sarNum, sarDen int
	colours        astiav.ColorSpace
	colourRange    astiav.ColorRange
	chain          string
}

// push takes a picture with a time (nil: the end) and gives those that are ready to take, which does not keep them.
func (n *normaliser) push(f *astiav.Frame, take func(*astiav.Frame) error) error {
	if f == nil {
		return n.close(take)
	}
	quirks := C.kinora_quirks(cFrame(f))
	if n.keepFields {
		quirks &^= C.KINORA_INTERLACED
	}
	if quirks == 0 && n.graph == nil {
		return take(f)
	}
	kind := pictureKind{width: f.Width(), height: f.Height(), format: f.PixelFormat(), colours: f.ColorSpace(), colourRange: f.ColorRange()}
	kind.sarNum, kind.sarDen = f.SampleAspectRatio().Num(), f.SampleAspectRatio().Den()
	n.interlaced = n.interlaced || quirks&C.KINORA_INTERLACED != 0
	kind.chain = n.chain(f, quirks)
	if kind != n.like || n.graph == nil {
		if err := n.close(take); err != nil {
			return err
		}
		if kind.chain == "" {
			C.kinora_turned(cFrame(f))
			return take(f)
		}
		g, err := newGraph(f, kind.chain)
		if err != nil {
			return failf(wire.CodeBadMedia, "pictures of %d×%d (%s): %v", kind.width, kind.height, kind.format, err)
		}
		n.graph, n.like = g, kind
	}
	return n.graph.push(f, func(f *astiav.Frame) error {
		C.kinora_turned(cFrame(f))
		return take(f)
	})
}

// wants tells whether f does not pass as it is.
func (n *normaliser) wants(f *astiav.Frame) bool {
	return n.graph != nil || n.interlaced || C.kinora_quirks(cFrame(f)) != 0
}

// chain is what f needs.
func (n *normaliser) chain(f *astiav.Frame, quirks C.int) string {
	var steps []string
	if n.interlaced && f.Width() >= 3 && f.Height() >= 4 { // the filter takes no less
		steps = append(steps, "bwdif=mode=send_frame:parity=auto:deint=interlaced")
	}
	if quirks&C.KINORA_TURNED != 0 {
		var text [64]C.char
		C.kinora_upright(cFrame(f), &text[0], C.int(len(text)))
		if s := C.GoString(&text[0]); s != "" {
			steps = append(steps, s)
		}
	}
	switch {
	case quirks&C.KINORA_RGB != 0:
		steps = append(steps, "scale=out_color_matrix=bt709:out_range=limited:flags=bicubic", "format=yuv444p10|yuv444p")
	case quirks&C.KINORA_FULL_RANGE != 0:
		steps = append(steps, "scale=in_range=full:out_range=limited:flags=bicubic")
	}
	return strings.Join(steps, ",")
}

// close brings out what the filters hold.
func (n *normaliser) close(take func(*astiav.Frame) error) error {
	if n.graph == nil {
		return nil
	}
	err := n.graph.push(nil, func(f *astiav.Frame) error {
		C.kinora_turned(cFrame(f))
		return take(f)
	})
	n.free()
	return err
}

func (n *normaliser) free() {
	if n.graph != nil {
		n.graph.free()
		n.graph = nil
	}
}

// toneMapper makes pictures of standard dynamic range (BT.709) from ones of high (PQ or HLG), one for one.
type toneMapper struct {
	like  pictureKind
	graph *graph
}

// toneMap is linear light in 32-bit floats, its highlights bent into what the screen has.
const toneMap = "zscale=transfer=linear:npl=100,format=gbrpf32le,zscale=primaries=bt709,tonemap=tonemap=hable:desat=0," +
	"zscale=transfer=bt709:matrix=bt709:range=limited,format=yuv420p"

// hdr tells whether pictures like f have a high dynamic range.
func hdr(f *astiav.Frame) bool { return C.kinora_hdr(cFrame(f)) != 0 }

// apply gives a picture which the caller frees: f itself, cloned, where its range is standard already. The work grows with
// the picture: scale it down before.
func (m *toneMapper) apply(f *astiav.Frame) (*astiav.Frame, error) {
	if !hdr(f) {
		return f.Clone(), nil
	}
	in := f.Clone()
	defer in.Free()
	C.kinora_hdr_defaults(cFrame(in))
	kind := pictureKind{width: in.Width(), height: in.Height(), format: in.PixelFormat(), colours: in.ColorSpace(), colourRange: in.ColorRange()}
	if m.graph == nil || kind != m.like {
		m.free()
		g, err := newGraph(in, toneMap)
		if err != nil {
			return nil, err
		}
		m.graph, m.like = g, kind
	}
	out, err := m.graph.one(in, "tone map")
	if err != nil {
		return nil, err
	}
	C.kinora_sdr(cFrame(out))
	return out, nil
}

func (m *toneMapper) free() {
	if m.graph != nil {
		m.graph.free()
		m.graph = nil
	}
}

// look is what describes pictures to an encoder: their colours, and the side data that holds for all of them (HDR10).
type look struct{ frame *astiav.Frame }

// lookOf is the look of pictures like f; free it.
func lookOf(f *astiav.Frame) (look, error) {
	l := look{astiav.AllocFrame()}
	if C.kinora_look(cFrame(l.frame), cFrame(f)) < 0 {
		l.free()
		return look{}, fmt.Errorf("describe pictures: no memory")
	}
	return l, nil
}

// dress describes the pictures to an encoder that is not open yet.
func (l look) dress(cc *astiav.CodecContext) error {
	if C.kinora_dress((*C.AVCodecContext)(cc.UnsafePointer()), cFrame(l.frame)) < 0 {
		return fmt.Errorf("describe pictures: no memory")
	}
	return nil
}

func (l look) free() {
	if l.frame != nil {
		l.frame.Free()
	}
}

func cFrame(f *astiav.Frame) *C.AVFrame { return (*C.AVFrame)(f.UnsafePointer()) }
