package engine

// #cgo pkg-config: libavutil libavcodec
// #cgo CFLAGS: -O3
// #include <libavutil/avutil.h>
// #include "grid.h"
import "C"

import (
	"unsafe"

	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/wire"
)

// gridder averages the luma of pictures over a grid.
type gridder struct {
	sums   []C.uint32_t
	narrow []C.uint16_t
	gray   *scaler // for pictures whose luma is not a plane of bytes
}

func (g *gridder) measure(f *astiav.Frame, out *[wire.GridLen]uint8) error {
	if !byteLuma(f.PixelFormat()) {
		key := plainKey(f.Width(), f.Height(), f.PixelFormat(), f.Width(), f.Height(), astiav.PixelFormatGray8)
		if g.gray == nil || g.gray.key != key {
			g.free()
			s, err := newScaler(key)
			if err != nil {
				return err
			}
			g.gray = s
		}
		gray, err := g.gray.scale(f)
		if err != nil {
			return err
		}
		defer gray.Free()
		gray.SetColorRange(astiav.ColorRangeJpeg) // libswscale's gray always is
		f = gray
	}
	if n := f.Width(); len(g.sums) < n {
		g.sums, g.narrow = make([]C.uint32_t, n), make([]C.uint16_t, n)
	}
	C.kinora_grid((*C.AVFrame)(f.UnsafePointer()), &g.sums[0], &g.narrow[0], (*C.uint8_t)(unsafe.Pointer(&out[0])))
	return nil
}

func (g *gridder) free() {
	if g.gray != nil {
		g.gray.free()
		g.gray = nil
	}
}

func byteLuma(f astiav.PixelFormat) bool {
	switch f {
	case astiav.PixelFormatYuv420P, astiav.PixelFormatYuvj420P, astiav.PixelFormatYuv422P, astiav.PixelFormatYuvj422P,
		astiav.PixelFormatYuv444P, astiav.PixelFormatYuvj444P, astiav.PixelFormatNv12, astiav.PixelFormatGray8:
		return true
	}
	return false
}

// damaged tells whether the decoder had to guess parts of f.
func damaged(f *astiav.Frame) bool { return C.kinora_damaged((*C.AVFrame)(f.UnsafePointer())) != 0 }

// libraryVersion is FFmpeg's.
func libraryVersion() string { return C.GoString(C.av_version_info()) }
