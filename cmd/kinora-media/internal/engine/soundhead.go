package engine

import "github.com/asticode/go-astiav"

// soundHead is what a coded frame of sound says of itself.
type soundHead struct {
	samples  int
	rate     int
	channels int // 0: it does not say
	length   int // bytes of the head where the container may do without it
}

var (
	adtsRates  = [16]int{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350}
	mpegRates  = [4]int{44100, 48000, 32000}
	ac3Rates   = [4]int{48000, 44100, 32000}
	ac3Layouts = [8]int{2, 1, 2, 3, 3, 4, 4, 5}
	eac3Blocks = [4]int{1, 2, 3, 6}
)

// readSoundHead reads the head of a frame; false where the frame has none, or not a sound one.
func readSoundHead(codec astiav.CodecID, p []byte) (soundHead, bool) {
	var h soundHead
	switch codec {
	case astiav.CodecIDAac: // ADTS
		if len(p) < 7 || p[0] != 0xff || p[1]&0xf6 != 0xf0 {
			return h, false
		}
		h = soundHead{1024 * (int(p[6]&3) + 1), adtsRates[p[2]>>2&15], int(p[2]&1<<2 | p[3]>>6), 9 - 2*int(p[1]&1)}
	case astiav.CodecIDMp2, astiav.CodecIDMp3:
		if len(p) < 4 || p[0] != 0xff || p[1]&0xe0 != 0xe0 {
			return h, false
		}
		version, layer := p[1]>>3&3, p[1]>>1&3
		if version == 1 || layer == 0 {
			return h, false
		}
		h = soundHead{samples: 1152, rate: mpegRates[p[2]>>2&3], channels: 2}
		switch {
		case version != 3 && layer == 1:
			h.samples = 576
		case layer == 3:
			h.samples = 384
		}
		switch version {
		case 2:
			h.rate /= 2
		case 0:
			h.rate /= 4
		}
		if p[3]>>6 == 3 {
			h.channels = 1
		}
	case astiav.CodecIDAc3, astiav.CodecIDEac3:
		if len(p) < 8 || p[0] != 0x0b || p[1] != 0x77 {
			return h, false
		}
		mode, lfe := p[6]>>5, byte(0)
		if p[5]>>3 > 10 { // E-AC-3
			h.samples, h.rate = 256*eac3Blocks[p[4]>>4&3], ac3Rates[p[4]>>6]
			if p[4]>>6 == 3 {
				h.samples, h.rate = 1536, ac3Rates[p[4]>>4&3]/2
			}
			mode, lfe = p[4]>>1&7, p[4]&1
		} else {
			h.samples, h.rate = 1536, ac3Rates[p[4]>>6]>>max(int(p[5]>>3)-8, 0)
			at := 3 // bits of p[6:] before the one that tells of a bass channel
			if mode&1 != 0 && mode != 1 {
				at += 2
			}
			if mode&4 != 0 {
				at += 2
			}
			if mode == 2 {
				at += 2
			}
			lfe = byte((int(p[6])<<8|int(p[7]))>>(15-at)) & 1
		}
		h.channels = ac3Layouts[mode] + int(lfe)
	case astiav.CodecIDOpus:
		if len(p) < 1 {
			return h, false
		}
		// RFC 6716, section 3.1: the length of a frame by its configuration, and how many there are.
		config := int(p[0] >> 3)
		switch {
		case config < 12:
			h.samples = [4]int{480, 960, 1920, 2880}[config&3]
		case config < 16:
			h.samples = [2]int{480, 960}[config&1]
		default:
			h.samples = [4]int{120, 240, 480, 960}[config&3]
		}
		switch p[0] & 3 {
		case 1, 2:
			h.samples *= 2
		case 3:
			if len(p) < 2 {
				return h, false
			}
			h.samples *= int(p[1] & 63)
		}
		h.rate = 48000
	default:
		return h, false
	}
	return h, h.rate > 0 && h.samples > 0
}
