package verify

import (
	"bytes"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/bits"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"github.com/kinora/kinora/internal/protocol"
)

// NAL units (ITU-T H.264 table 7-1).
const (
	nalSlice = 1
	nalIDR   = 5
	nalSEI   = 6
	nalSPS   = 7
)

var startCode = []byte{0, 0, 1}

// pictures is what the track of pictures of a segment holds.
type pictures struct {
	codec    protocol.Codec
	params   *params // nil: not seen yet
	sps      *h264.SPS
	spsBytes []byte

	pts       []int64 // in coded order
	keys      []int64 // PTS of the pictures a decoder can start at
	idrs      int     // of those, IDRs
	begun     bool
	startsKey bool // the first picture is one of keys
	startsIDR bool
	bytes     int64
	slices    int64 // of these, in slices
	loose     bool  // pictures without a time of their own: their count is all that is known
	undated   int
	lastDTS   int64

	recovery bool // a recovery point was announced for the next picture
	field    fieldState
	frameNum uint64 // of the field that waits for its other half
}

type fieldState struct{ pair, bottom bool }

// findSize looks for the sequence parameters in the beginning of the first picture, so that its size is known early.
func (v *pictures) findSize(s *scanner, p []byte) {
	for {
		i := bytes.Index(p, startCode)
		if i < 0 || i+3 >= len(p) {
			return
		}
		p = p[i+3:]
		if v.isSPS(p) {
			j := bytes.Index(p, startCode)
			if j < 0 {
				return // not whole yet
			}
			v.readSPS(s, bytes.TrimRight(p[:j], "\x00"))
			return
		}
	}
}

// read takes one PES packet: usually one coded picture.
func (v *pictures) read(s *scanner, e *elementary) {
	v.bytes += int64(len(e.payload))
	p := e.payload
	i := bytes.Index(p, startCode)
	found := 0
	for i >= 0 && i+3 < len(p) && s.flaw == nil {
		p = p[i+3:]
		if i = bytes.Index(p, startCode); i < 0 {
			i = len(p)
		}
		found += v.unit(s, p[:i], e, found)
		if i == len(p) {
			break
		}
	}
}

func (v *pictures) isSPS(n []byte) bool {
	if v.codec == protocol.HEVC {
		return n[0]>>1&0x3f == hevcSPS
	}
	return n[0]&0x1f == nalSPS
}

// unit reads one NAL unit and returns how many pictures it begins: 0 or 1.
func (v *pictures) unit(s *scanner, n []byte, e *elementary, before int) int {
	if len(n) == 0 {
		return 0
	}
	if v.codec == protocol.HEVC {
		return v.hevcUnit(s, n, e, before)
	}
	switch n[0] & 0x1f {
	case nalSPS:
		v.readSPS(s, bytes.TrimRight(n, "\x00"))
	case nalSEI:
		v.recovery = v.recovery || hasRecoveryPoint(n[1:])
	case nalSlice, nalIDR:
		v.slices += int64(len(unpadded(n)))
		if len(n) < 2 || n[1]&0x80 == 0 { // first_mb_in_slice is not 0: the picture goes on
			return 0
		}
		idr := n[0]&0x1f == nalIDR
		if !idr && v.secondField(n) {
			return 0
		}
		if idr {
			v.secondField(n)
		}
		v.picture(s, e, idr, before)
		return 1
	}
	return 0
}

// cabacZeroWord may follow a slice any number of times (ITU-T H.264 7.3.2.10), as may zeros: neither holds anything.
var cabacZeroWord = []byte{0, 0, 3}

// unpadded is a slice without what anybody can append to it, so that padding neither lifts the least that is asked of a
// rendition nor satisfies it.
func unpadded(n []byte) []byte {
	for {
		n = bytes.TrimRight(n, "\x00")
		cut, found := bytes.CutSuffix(n, cabacZeroWord)
		if !found {
			return n
		}
		n = cut
	}
}

func (v *pictures) picture(s *scanner, e *elementary, idr bool, before int) {
	key := idr || v.recovery
	v.recovery = false
	if !v.begun {
		v.begun, v.startsKey, v.startsIDR = true, key, idr
	}
	switch {
	case !e.dated || before > 0:
		v.loose = true
		v.undated++
		if s.strict {
			s.fail(protocol.BadMedia, "a picture has no time of its own")
			return
		}
	default:
		if len(v.pts) > 0 && e.dts <= v.lastDTS {
			s.blemish("DTS goes back from %d to %d", v.lastDTS, e.dts)
		}
		if s.strict && e.dts > e.pts {
			s.fail(protocol.BadMedia, "a picture at PTS %d is due only at DTS %d", e.pts, e.dts)
		}
		v.lastDTS = e.dts
		v.pts = append(v.pts, e.pts)
		if limit := int64(s.limits.MaxDuration.Seconds() * ticks); e.pts-v.pts[0] > limit || v.pts[0]-e.pts > limit {
			s.limited(protocol.SegmentTooLong, "max_duration", s.limits.MaxDuration, "the pictures span more than %s", s.limits.MaxDuration)
		}
		if key {
			v.keys = append(v.keys, e.pts)
			if idr {
				v.idrs++
			}
		}
	}
	if len(v.pts)+v.undated > s.limits.MaxFrames {
		s.limited(protocol.SegmentTooLong, "max_frames", s.limits.MaxFrames, "the segment has more than %d pictures", s.limits.MaxFrames)
	}
	if s.strict && !v.startsIDR {
		s.fail(protocol.NoKeyframe, "it does not begin with a keyframe")
	}
}

func (v *pictures) readSPS(s *scanner, n []byte) {
	if bytes.Equal(n, v.spsBytes) || len(n) < 4 {
		return
	}
	if v.codec == protocol.HEVC {
		v.readHEVC(s, n)
		return
	}
	sps := new(h264.SPS)
	if err := sps.Unmarshal(n); err != nil || sps.PicWidthInMbsMinus1 >= 1024 || sps.PicHeightInMapUnitsMinus1 >= 1024 ||
		sps.Log2MaxFrameNumMinus4 > 12 || sps.ChromaFormatIdc > 3 || cropped(sps) {
		s.blemish("the H.264 sequence parameters cannot be read")
		return
	}
	p := params{width: sps.Width(), height: sps.Height(), profile: int(n[1]), level: int(n[3]), fps: statedFPS(sps),
		codecs: fmt.Sprintf("avc1.%02x%02x%02x", n[1], n[2], n[3]), plain: sps.ChromaFormatIdc == 1, bits: 8 + int(max(sps.BitDepthLumaMinus8, sps.BitDepthChromaMinus8))}
	if u := sps.VUI; u != nil {
		p.sarNum, p.sarDen = pixelShape(u.AspectRatioInfoPresentFlag, u.AspectRatioIdc, u.SarWidth, u.SarHeight)
	}
	if n[1] < 100 && n[3] == 11 && n[2]&0x10 != 0 { // level 1b
		p.level = 10
	}
	if v.accept(s, p) {
		v.sps, v.spsBytes = sps, bytes.Clone(n)
	}
}

// cropped reports a cropping that leaves nothing or overflows.
func cropped(sps *h264.SPS) bool {
	c := sps.FrameCropping
	return c != nil && (c.LeftOffset > 1<<14 || c.RightOffset > 1<<14 || c.TopOffset > 1<<14 || c.BottomOffset > 1<<14)
}

// secondField reports whether the slice belongs to the second field of the frame before; it remembers a first one.
func (v *pictures) secondField(n []byte) bool {
	if v.sps == nil || v.sps.FrameMbsOnlyFlag {
		return false
	}
	b := h264.EmulationPreventionRemove(n[1:min(len(n), 48)])
	pos := 0
	for range 3 { // first_mb_in_slice, slice_type, pic_parameter_set_id
		if _, err := bits.ReadGolombUnsigned(b, &pos); err != nil {
			return false
		}
	}
	if v.sps.SeparateColourPlaneFlag {
		pos += 2
	}
	number, err := bits.ReadBits(b, &pos, int(v.sps.Log2MaxFrameNumMinus4)+4)
	if err != nil {
		return false
	}
	field, err := bits.ReadFlag(b, &pos)
	if err != nil || !field {
		v.field = fieldState{}
		return false
	}
	bottom, err := bits.ReadFlag(b, &pos)
	if err != nil {
		return false
	}
	if v.field.pair && v.field.bottom != bottom && v.frameNum == number {
		v.field = fieldState{}
		return true
	}
	v.field, v.frameNum = fieldState{pair: true, bottom: bottom}, number
	return false
}

// hasRecoveryPoint reports whether an SEI announces that decoding may start here.
func hasRecoveryPoint(b []byte) bool {
	for len(b) > 2 {
		kind, size := 0, 0
		for len(b) > 0 && b[0] == 0xff {
			kind, b = kind+255, b[1:]
		}
		if len(b) == 0 {
			return false
		}
		kind, b = kind+int(b[0]), b[1:]
		for len(b) > 0 && b[0] == 0xff {
			size, b = size+255, b[1:]
		}
		if len(b) == 0 {
			return false
		}
		size, b = size+int(b[0]), b[1:]
		if kind == 6 {
			return true
		}
		if size >= len(b) {
			return false
		}
		b = b[size:]
	}
	return false
}
