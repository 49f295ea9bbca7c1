package engine

// #include <libavutil/frame.h>
// static int kinora_crop(AVFrame *f, int x, int y, int w, int h) {
//   f->crop_left = x; f->crop_top = y; f->crop_right = f->width - x - w; f->crop_bottom = f->height - y - h;
//   return av_frame_apply_cropping(f, AV_FRAME_CROP_UNALIGNED);
// }
import "C"

import (
	"fmt"

	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/wire"
)

// part is the part r of a picture, which shares its pixels; free it.
func part(f *astiav.Frame, r wire.Rect) (*astiav.Frame, error) {
	c := f.Clone()
	if r == (wire.Rect{W: f.Width(), H: f.Height()}) {
		return c, nil
	}
	if C.kinora_crop((*C.AVFrame)(c.UnsafePointer()), C.int(r.X), C.int(r.Y), C.int(r.W), C.int(r.H)) < 0 {
		c.Free()
		return nil, fmt.Errorf("crop %d×%d to %+v", f.Width(), f.Height(), r)
	}
	return c, nil
}

// copyProperties gives to what from says of itself beside its pixels: times, colours, side data.
func copyProperties(to, from *astiav.Frame) error {
	if C.av_frame_copy_props((*C.AVFrame)(to.UnsafePointer()), (*C.AVFrame)(from.UnsafePointer())) < 0 {
		return fmt.Errorf("copy a picture's properties: no memory")
	}
	return nil
}
