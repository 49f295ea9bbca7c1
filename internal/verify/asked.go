package verify

import "github.com/kinora/kinora/internal/protocol"

// asked is what a rendition must be.
type asked struct {
	codec         protocol.Codec // empty: H.264
	fragmented    bool
	soundOnly     bool
	width, height int // 0: any
	bits          int // a sample, at most; 0: 8
}

// askedOf is what profile p asks for.
func askedOf(p protocol.Profile) asked {
	a := asked{codec: p.Codec, fragmented: p.Wrapped() == protocol.FMP4, soundOnly: p.SoundOnly(), width: int(p.Width), height: int(p.Height)}
	if p.Fit == protocol.Contain { // depends on the source
		a.width, a.height = 0, 0
	}
	if p.CodecProfile == "main10" {
		a.bits = 10
	}
	return a
}
