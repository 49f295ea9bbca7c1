package corpus

import (
	"encoding/binary"
	"math/bits"
)

const packetLen = 188 // of MPEG-TS

// containers are the MP4 boxes that hold boxes.
var containers = map[string]bool{"moov": true, "trak": true, "mdia": true, "minf": true, "stbl": true, "mvex": true, "moof": true, "traf": true, "dinf": true, "edts": true, "udta": true}

// boxes appends to at where the boxes in b, which stands at offset, begin and end.
func boxes(b []byte, offset int, at []int) []int {
	for len(b) >= 8 {
		n := int(binary.BigEndian.Uint32(b))
		if n < 8 || n > len(b) {
			break
		}
		if containers[string(b[4:8])] {
			at = append(at, offset+8)
			at = boxes(b[8:n], offset+8, at)
		}
		offset += n
		b = b[n:]
		at = append(at, offset)
	}
	return at
}

// Matroska elements that hold elements.
const (
	idEBML, idSegment, idTracks, idTrack, idCluster = 0x1a45dfa3, 0x18538067, 0x1654ae6b, 0xae, 0x1f43b675
)

// elements is boxes for Matroska.
func elements(b []byte, offset int, at []int) []int {
	for len(b) > 2 {
		id, n := vint(b, true)
		size, m := vint(b[n:], false)
		if n == 0 || m == 0 {
			break
		}
		head := n + m
		body := min(uint64(len(b)-head), size)
		switch id {
		case idEBML, idSegment, idTracks, idTrack, idCluster:
			at = append(at, offset+head)
			at = elements(b[head:head+int(body)], offset+head, at)
		}
		offset += head + int(body)
		b = b[head+int(body):]
		at = append(at, offset)
	}
	return at
}

// vint reads a variable-length number: an ID keeps its length marker. 0 bytes: none is there.
func vint(b []byte, id bool) (value uint64, n int) {
	if len(b) == 0 || b[0] == 0 {
		return 0, 0
	}
	n = bits.LeadingZeros8(b[0]) + 1
	if n > len(b) {
		return 0, 0
	}
	value = uint64(b[0])
	if !id {
		value &= 1<<(8-n) - 1
	}
	for _, x := range b[1:n] {
		value = value<<8 | uint64(x)
	}
	return value, n
}
