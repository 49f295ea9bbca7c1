package engine

// #include "samples.h"
import "C"

import (
	"fmt"

	"github.com/asticode/go-astiav"
)

// tame silences what of a decoded frame is no sound. A broken packet can decode to samples that are no numbers, at which
// encoders fail, and after which filters with a memory give out nothing else.
func tame(f *astiav.Frame) error {
	if code := C.kinora_tame((*C.AVFrame)(f.UnsafePointer())); code < 0 {
		return fmt.Errorf("keep sound: %w", astiav.Error(code))
	}
	return nil
}
