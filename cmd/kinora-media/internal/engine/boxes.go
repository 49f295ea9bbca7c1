package engine

import (
	"encoding/binary"
	"errors"
	"io"
	"math"

	"github.com/kinora/kinora/internal/media/wire"
)

const (
	maxMoov  = 8 << 20 // its tables take six times as much in memory
	maxMoof  = 2 << 20
	maxWhole = 64 << 20 // of an MP4 whose index comes last
)

// boxReader gives an MP4 to libav as it arrives, each index only when it is whole and claims no more samples than a segment
// may have: libav makes room for what is claimed.
type boxReader struct {
	src        io.Reader
	maxSamples uint64

	ready []byte // checked, to be given out
	pass  int64  // bytes of the box begun that are given out as they come
	moov  bool   // was seen
	media bool   // mdat or moof was seen
	late  bool   // the moov may come after the media
	fault error
}

func newBoxReader(src io.Reader, limits wire.Limits) *boxReader {
	return &boxReader{src: src, maxSamples: 16 * uint64(limits.MaxFrames)}
}

// upFront reads up to what says how the file is made: its moov, or its media without one.
func (r *boxReader) upFront() error {
	for !r.moov && !r.media {
		if r.pass > 0 { // a box in front that is not needed to tell
			n := min(r.pass, maxUpFront-int64(len(r.ready))+1)
			if err := r.whole(int(n), "first boxes"); err != nil {
				return err
			}
			r.pass -= n
		}
		if len(r.ready) > maxUpFront {
			return failf(wire.CodeBadMedia, "the MP4 has neither index (moov) nor media in its first %d bytes", maxUpFront)
		}
		if err := r.next(); err != nil {
			return err
		}
	}
	return nil
}

// rest is the whole file, for one whose index comes after the media.
func (r *boxReader) rest() ([]byte, error) {
	r.late = true
	b, err := io.ReadAll(io.LimitReader(r, maxWhole+1))
	switch {
	case err != nil:
		return nil, err
	case len(b) > maxWhole:
		return nil, limitf(wire.CodeBadMedia, "max_unindexed", maxWhole, "the index (moov) of the MP4 comes after more than %d bytes of media: put it first (faststart), or write fragments", maxWhole)
	case !r.moov:
		return nil, failf(wire.CodeBadMedia, "the MP4 has no index (moov) in %d bytes", len(b))
	}
	return b, nil
}

// Read never returns bytes and an error together.
func (r *boxReader) Read(p []byte) (int, error) {
	for r.fault == nil {
		if len(r.ready) > 0 {
			n := copy(p, r.ready)
			r.ready = r.ready[n:]
			return n, nil
		}
		if r.pass > 0 {
			n, err := r.src.Read(p[:min(int64(len(p)), r.pass)])
			r.pass -= int64(n)
			if n == 0 && err != nil {
				r.fault = err
				continue
			}
			return n, nil
		}
		if err := r.next(); err != nil {
			r.fault = err
			if len(r.ready) > 0 && errors.Is(err, io.EOF) {
				n := copy(p, r.ready) // the stump of a header
				r.ready = nil
				return n, nil
			}
		}
	}
	return 0, r.fault
}

// whole reads n more bytes into ready.
func (r *boxReader) whole(n int, what string) error {
	at := len(r.ready)
	for len(r.ready) < at+n { // in steps: the size is a claim
		step := min(at+n-len(r.ready), 64<<10)
		r.ready = append(r.ready, make([]byte, step)...)
		k, err := io.ReadFull(r.src, r.ready[len(r.ready)-step:])
		if err != nil {
			r.ready = r.ready[:len(r.ready)-step+k]
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return failf(wire.CodeBadMedia, "the MP4 ends within its %s", what)
			}
			return err
		}
	}
	return nil
}

// next begins the next box.
func (r *boxReader) next() error {
	at := len(r.ready)
	head := make([]byte, 16)
	n, err := io.ReadFull(r.src, head[:8])
	r.ready = append(r.ready, head[:n]...)
	if err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return io.EOF
		}
		return err
	}
	kind, size, header := string(head[4:8]), uint64(binary.BigEndian.Uint32(head)), 8
	switch size {
	case 0: // to the end of the file
		size = math.MaxInt64
	case 1:
		if _, err := io.ReadFull(r.src, head[8:]); err != nil {
			return failf(wire.CodeBadMedia, "the MP4 ends within its %q", kind)
		}
		r.ready = append(r.ready, head[8:]...)
		size, header = binary.BigEndian.Uint64(head[8:]), 16
	}
	if size < uint64(header) || size > math.MaxInt64 {
		return failf(wire.CodeBadMedia, "a box %q of the MP4 claims %d bytes", kind, size)
	}
	body := int64(size) - int64(header)
	switch kind {
	case "moov", "moof":
		limit := int64(maxMoov)
		if kind == "moof" {
			if limit = maxMoof; !r.moov && !r.late {
				return failf(wire.CodeBadMedia, "the MP4 begins with a fragment (moof): send the initialisation segment (moov) in front of it")
			}
		}
		if kind == "moov" && r.moov {
			return failf(wire.CodeBadMedia, "the MP4 has a second index (moov): send what follows it as a segment of its own")
		}
		if body > limit {
			return limitf(wire.CodeBadMedia, "max_"+kind, limit, "the %s of the MP4 claims %d bytes, at most %d", kind, body, limit)
		}
		if err := r.whole(int(body), kind); err != nil {
			return err
		}
		if err := checkBoxes(r.ready[at+header:], r.maxSamples, 0); err != nil {
			return err
		}
		r.moov, r.media = r.moov || kind == "moov", r.media || kind == "moof"
		return nil
	case "mdat":
		r.media = true
	case "ftyp", "styp", "sidx", "emsg", "prft":
	default: // nothing that the media needs
		copy(r.ready[at+4:], "free")
	}
	r.pass = body
	return nil
}

// boxParents hold the boxes that matter below.
var boxParents = map[string]bool{"trak": true, "mdia": true, "minf": true, "stbl": true, "traf": true}

// checkBoxes looks for indexes that claim more samples than limit.
func checkBoxes(b []byte, limit uint64, depth int) error {
	var fragment uint64 // samples of all runs of a traf
	for len(b) >= 8 {
		size, kind := uint64(binary.BigEndian.Uint32(b)), string(b[4:8])
		header := uint64(8)
		if size == 1 && len(b) >= 16 {
			size, header = binary.BigEndian.Uint64(b[8:]), 16
		}
		if size == 0 || size > uint64(len(b)) {
			size = uint64(len(b))
		}
		if size < header {
			return failf(wire.CodeBadMedia, "a box %q of the MP4's index claims %d bytes", kind, size)
		}
		body := b[header:size]
		var samples uint64
		switch {
		case boxParents[kind] && depth < 8:
			if err := checkBoxes(body, limit, depth+1); err != nil {
				return err
			}
		case (kind == "stsz" || kind == "stz2") && len(body) >= 12:
			samples = uint64(binary.BigEndian.Uint32(body[8:]))
		case kind == "trun" && len(body) >= 8:
			fragment += uint64(binary.BigEndian.Uint32(body[4:]))
			samples = fragment
		}
		if samples > limit {
			return limitf(wire.CodeTooLong, "max_frames", limit, "the index of the MP4 claims %d samples, at most %d", samples, limit)
		}
		b = b[size:]
	}
	return nil
}
