package verify

import (
	"encoding/binary"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"

	"github.com/kinora/kinora/internal/protocol"
)

// An index can say in several ways what is where and when, and readers differ in which they follow. What is judged must be what is
// played, so an fMP4 has none that is not needed; and since an entry of an index may take no bytes, entries are counted before they
// are read.
const (
	baseDataOffset    = 0x000001 // of tfhd
	defaultBaseIsMoof = 0x020000
)

// everyBox calls see with each box in b until it says false; false too where b is not boxes alone.
func everyBox(b []byte, see func(kind string, body []byte) bool) bool {
	for len(b) > 0 {
		if len(b) < boxHeadLen {
			return false
		}
		size := int64(binary.BigEndian.Uint32(b))
		if size < boxHeadLen || size > int64(len(b)) || !see(string(b[4:8]), b[boxHeadLen:size]) {
			return false
		}
		b = b[size:]
	}
	return true
}

// checkInit refuses an init segment that shifts its media (an edit list), or holds samples itself.
func (m *boxes) checkInit(s *scanner, b []byte) {
	parents := map[string]bool{"moov": true, "trak": true, "mdia": true, "minf": true, "stbl": true}
	var see func(kind string, body []byte) bool
	see = func(kind string, body []byte) bool {
		switch {
		case kind == "edts":
			s.fail(protocol.BadMedia, "the init segment has an edit list")
		case kind == "stsz" && (len(body) < 12 || binary.BigEndian.Uint32(body[8:]) != 0):
			s.fail(protocol.BadMedia, "the init segment has samples")
		case parents[kind]:
			return everyBox(body, see)
		}
		return s.flaw == nil
	}
	if !everyBox(b, see) {
		s.fail(protocol.BadMedia, "the init segment is not made of boxes")
	}
}

// checkIndex refuses the moof at the head of b if it claims too much, or points elsewhere than into the mdat behind it.
func (m *boxes) checkIndex(s *scanner, b []byte) {
	samples := uint64(0)
	run := func(kind string, body []byte) bool {
		switch {
		case kind == "tfhd" && len(body) >= 8:
			flags := binary.BigEndian.Uint32(body) & 0xffffff
			return flags&baseDataOffset == 0 && flags&defaultBaseIsMoof != 0
		case kind == "trun" && len(body) >= 8:
			samples += uint64(binary.BigEndian.Uint32(body[4:]))
			return samples <= uint64(s.limits.MaxFrames)
		}
		return kind == "tfdt"
	}
	sound := everyBox(b[boxHeadLen:binary.BigEndian.Uint32(b)], func(kind string, body []byte) bool {
		return kind == "mfhd" || kind == "traf" && everyBox(body, run)
	})
	switch {
	case samples > uint64(s.limits.MaxFrames):
		s.limited(protocol.SegmentTooLong, "max_frames", s.limits.MaxFrames, "the index of chunk %d has more than %d samples", m.chunks, s.limits.MaxFrames)
	case !sound:
		s.fail(protocol.BadMedia, "the index of chunk %d is not the plain one of a fragment", m.chunks)
	}
}

// checkShares refuses samples that are made of the same bytes.
func (m *boxes) checkShares(s *scanner, b []byte, tracks []*fmp4.PartTrack) {
	room := len(b) - int(binary.BigEndian.Uint32(b)) - boxHeadLen
	for _, t := range tracks {
		for _, x := range t.Samples {
			room -= len(x.Payload)
		}
	}
	if room < 0 {
		s.fail(protocol.BadMedia, "samples of chunk %d share their bytes", m.chunks)
	}
}
