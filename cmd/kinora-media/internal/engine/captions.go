package engine

// #include "picture.h"
import "C"

import (
	"fmt"
	"unsafe"

	"github.com/asticode/go-astiav"
)

const (
	captionLen  = 3               // bytes of a CEA-608/708 triplet
	maxCaptions = 31              // triplets of one picture
	maxOwed     = 60 * captionLen // of a rendition that shows fewer pictures than carry some
)

// captionsOf is the closed captions that a picture carries.
func captionsOf(f *astiav.Frame) []byte {
	var p *C.uint8_t
	n := C.kinora_captions(cFrame(f), &p)
	if n == 0 {
		return nil
	}
	return C.GoBytes(unsafe.Pointer(p), n)
}

// captions are those of the source that a rendition has yet to carry: with a frame rate of its own its pictures are others,
// and none may be lost or said twice.
type captions struct {
	owed []byte
	some bool // the stream has captions
}

// add takes the captions of one picture of the source. Where pictures are left out, so is the padding.
func (c *captions) add(bytes []byte, all bool) {
	if len(bytes) == 0 {
		return
	}
	c.some = true
	for ; len(bytes) >= captionLen && len(c.owed) < maxOwed; bytes = bytes[captionLen:] {
		if all || bytes[0]&4 != 0 {
			c.owed = append(c.owed, bytes[:captionLen]...)
		}
	}
}

// put has a picture carry what is owed.
func (c *captions) put(f *astiav.Frame) error {
	if !c.some {
		return nil
	}
	n := min(len(c.owed), maxCaptions*captionLen)
	var p *C.uint8_t
	if n > 0 {
		p = (*C.uint8_t)(&c.owed[0])
	}
	if C.kinora_set_captions(cFrame(f), p, C.int(n)) < 0 {
		return fmt.Errorf("carry captions: no memory")
	}
	c.owed = c.owed[:copy(c.owed, c.owed[n:])]
	return nil
}
