package verify

import (
	"bytes"
	"fmt"
	"math/bits"
	"strings"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/av1"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"

	"github.com/kinora/kinora/internal/protocol"
)

// params is what a track says of its pictures before the first one.
type params struct {
	width, height  int
	profile        int // of the codec, in its own numbers
	level          int // ten times the codec's level
	fps            float64
	sarNum, sarDen int // 0: it does not say
	bits           int
	plain          bool   // 4:2:0
	codecs         string // of HLS CODECS
}

// accept takes parameters that are within the limits, and for a rendition what was asked for.
func (v *pictures) accept(s *scanner, p params) bool {
	w, h := p.width, p.height
	switch {
	case w <= 0 || h <= 0:
		s.blemish("the sequence parameters cannot be read")
		return false
	case w*h > s.limits.MaxPixels:
		s.limited(protocol.TooManyPixels, "max_pixels", s.limits.MaxPixels, "pictures are %d×%d, at most %d pixels", w, h, s.limits.MaxPixels)
	case s.asked.width > 0 && (w != s.asked.width || h != s.asked.height):
		s.fail(protocol.BadResolution, "pictures are %d×%d, not %d×%d", w, h, s.asked.width, s.asked.height)
	case v.params != nil && (w != v.params.width || h != v.params.height):
		s.fail(protocol.BadMedia, "pictures change from %d×%d to %d×%d", v.params.width, v.params.height, w, h)
	case s.strict && (!p.plain || p.bits > s.asked.bits):
		s.fail(protocol.BadMedia, "pictures are not %d-bit 4:2:0", s.asked.bits)
	}
	if v.params == nil {
		v.params = &p
	} else if !sameShape(p, *v.params) { // which of them the pictures are of, only a decoder knows
		s.blemish("the pixels change their shape")
	}
	return true
}

// sameShape reports whether both say the same of the pixels' shape; nothing is square.
func sameShape(a, b params) bool {
	an, ad, bn, bd := a.sarNum, a.sarDen, b.sarNum, b.sarDen
	if an <= 0 || ad <= 0 {
		an, ad = 1, 1
	}
	if bn <= 0 || bd <= 0 {
		bn, bd = 1, 1
	}
	return an*bd == bn*ad
}

// shapes of pixels by aspect_ratio_idc (ITU-T H.264 and H.265, table E-1).
var shapes = [17][2]int{{}, {1, 1}, {12, 11}, {10, 11}, {16, 11}, {40, 33}, {24, 11}, {20, 11}, {32, 11}, {80, 33}, {18, 11}, {15, 11}, {64, 33}, {160, 99}, {4, 3}, {3, 2}, {2, 1}}

// pixelShape is what the sequence parameters say of the pixels' shape; 0, 0: nothing.
func pixelShape(said bool, idc uint8, width, height uint16) (num, den int) {
	switch {
	case !said:
	case idc == 255:
		return int(width), int(height)
	case int(idc) < len(shapes):
		return shapes[idc][0], shapes[idc][1]
	}
	return 0, 0
}

// NAL units of HEVC (ITU-T H.265 table 7-1).
const (
	hevcIDRWithRADL = 19
	hevcIDR         = 20
	hevcCRA         = 21
	hevcSlices      = 32 // below: slices
	hevcSPS         = 33
)

func (v *pictures) hevcUnit(s *scanner, n []byte, e *elementary, before int) int {
	kind := n[0] >> 1 & 0x3f
	switch {
	case kind == hevcSPS:
		v.readSPS(s, bytes.TrimRight(n, "\x00"))
	case kind < hevcSlices && len(n) > 2:
		v.slices += int64(len(unpadded(n)))
		if n[2]&0x80 == 0 { // not the first of its picture
			return 0
		}
		v.recovery = kind == hevcCRA
		v.picture(s, e, kind == hevcIDR || kind == hevcIDRWithRADL, before)
		return 1
	}
	return 0
}

func (v *pictures) readHEVC(s *scanner, n []byte) {
	sps := new(h265.SPS)
	if err := sps.Unmarshal(n); err != nil || sps.PicWidthInLumaSamples > 16384 || sps.PicHeightInLumaSamples > 16384 || sps.ChromaFormatIdc > 3 ||
		sps.BitDepthLumaMinus8 > 8 || sps.BitDepthChromaMinus8 > 8 {
		s.blemish("the HEVC sequence parameters cannot be read")
		return
	}
	t := sps.ProfileTierLevel
	p := params{width: sps.Width(), height: sps.Height(), profile: int(t.GeneralProfileIdc), level: int(t.GeneralLevelIdc) / 3,
		bits: 8 + int(max(sps.BitDepthLumaMinus8, sps.BitDepthChromaMinus8)), plain: sps.ChromaFormatIdc == 1, codecs: hevcCodecs(n, t)}
	if u := sps.VUI; u != nil {
		p.sarNum, p.sarDen = pixelShape(u.AspectRatioInfoPresentFlag, u.AspectRatioIdc, u.SarWidth, u.SarHeight)
	}
	if v.accept(s, p) {
		v.spsBytes = bytes.Clone(n)
	}
}

// hevcCodecs is RFC 6381's name of an HEVC track (ISO/IEC 14496-15, annex E).
func hevcCodecs(n []byte, t h265.SPS_ProfileTierLevel) string {
	var compatible uint32
	for i, set := range t.GeneralProfileCompatibilityFlag {
		if set {
			compatible |= 1 << (31 - i)
		}
	}
	var b strings.Builder
	b.WriteString("hvc1.")
	if t.GeneralProfileSpace > 0 {
		b.WriteByte('A' + t.GeneralProfileSpace - 1)
	}
	fmt.Fprintf(&b, "%d.%X.%c%d", t.GeneralProfileIdc, bits.Reverse32(compatible), "LH"[t.GeneralTierFlag&1], t.GeneralLevelIdc)
	// The six bytes of constraints follow the header (2), the byte of layers (1), that of the profile and its compatibility (5).
	raw := h264.EmulationPreventionRemove(n[:min(len(n), 24)])
	if len(raw) >= 14 {
		for _, c := range bytes.TrimRight(raw[8:14], "\x00") {
			fmt.Fprintf(&b, ".%X", c)
		}
	}
	return b.String()
}

// OBUs of AV1.
const (
	obuSequence  = 1
	obuTileGroup = 4
	obuFrameHead = 3
	obuFrame     = 6
)

// av1Unit reads one temporal unit: a picture that is shown.
func (v *pictures) av1Unit(s *scanner, b []byte, e *elementary) {
	v.bytes += int64(len(b))
	var units av1.Bitstream
	if err := units.Unmarshal(b); err != nil {
		s.blemish("a coded picture of AV1 cannot be read: %v", err)
		return
	}
	key, coded := false, false
	for _, u := range units {
		if len(u) < 2 {
			continue
		}
		head := 1 + int(u[0]>>2&1) // with an extension
		switch kind := u[0] >> 3 & 15; kind {
		case obuSequence:
			v.readAV1(s, u)
		case obuFrameHead, obuFrame:
			if kind == obuFrame {
				v.slices += int64(len(bytes.TrimRight(u, "\x00")))
			}
			if len(u) > head && !coded {
				coded, key = true, u[head]&0xe0 == 0 // not one that was there before, and a key frame
			}
		case obuTileGroup:
			v.slices += int64(len(bytes.TrimRight(u, "\x00")))
		}
	}
	if !coded {
		s.blemish("a sample of AV1 without a picture")
		return
	}
	v.picture(s, e, key, 0)
}

func (v *pictures) readAV1(s *scanner, n []byte) {
	if bytes.Equal(n, v.spsBytes) {
		return
	}
	h := new(av1.SequenceHeader)
	if err := h.Unmarshal(n); err != nil || len(h.SeqLevelIdx) == 0 || len(h.SeqTier) == 0 {
		s.blemish("the AV1 sequence header cannot be read")
		return
	}
	index, tier := int(h.SeqLevelIdx[0]), byte('M')
	if h.SeqTier[0] {
		tier = 'H'
	}
	p := params{width: h.Width(), height: h.Height(), profile: int(h.SeqProfile), level: 10*(2+index>>2) + index&3, bits: h.ColorConfig.BitDepth,
		plain:  !h.ColorConfig.MonoChrome && h.ColorConfig.SubsamplingX && h.ColorConfig.SubsamplingY,
		codecs: fmt.Sprintf("av01.%d.%02d%c.%02d", h.SeqProfile, index, tier, h.ColorConfig.BitDepth)}
	if index == 31 { // no level
		p.level = 73
	}
	if v.accept(s, p) {
		v.spsBytes = bytes.Clone(n)
	}
}
