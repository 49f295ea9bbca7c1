package verify

import (
	"fmt"
	"hash"
)

// sound is what the audio track of a segment holds. Of AAC in ADTS every whole frame is counted and hashed, however PES packets
// cut them: a frame that began in the segment before, or ends in the next, belongs to neither.
type sound struct {
	sum   hash.Hash
	rest  []byte // of a frame that is not whole yet
	begun bool

	packets  int
	bytes    int64
	rate     int
	channels int
	object   int // audio object type: 2 is AAC-LC
	first    int64
	last     int64
	timed    bool  // first and last are known
	dated    bool  // clock is known
	clock    int64 // when the next frame begins
	lost     bool
	coarse   int64 // longest time from one packet to the next, where frames are not counted
	end      int64 // when the last packet is over, where the container says

	name, codecs string // where the container says
}

const maxADTS = 8191 // bytes of one frame

var adtsRates = [16]int{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350}

// read takes one PES packet.
func (a *sound) read(s *scanner, e *elementary) {
	if s.audioType != typeADTS {
		a.sum.Write(e.payload)
		a.packets++
		a.bytes += int64(len(e.payload))
		if e.dated {
			if a.timed {
				a.coarse = max(a.coarse, e.pts-a.last)
			}
			a.date(e.pts)
		}
		return
	}
	// A frame of which the beginning was in the packet before keeps the time that follows from there.
	head := len(a.rest)
	b := append(a.rest, e.payload...)
	at := 0
	dated := !e.dated
	for {
		i := at
		for i+7 <= len(b) && !adtsHead(b[i:]) {
			i++
		}
		if i > at && a.begun && !a.lost {
			a.lost = true
			s.blemish("bytes between the frames of the sound")
		}
		at = i
		if at+7 > len(b) {
			break
		}
		size := int(b[at+3]&3)<<11 | int(b[at+4])<<3 | int(b[at+5])>>5
		if at+size > len(b) {
			break
		}
		if at+size+7 <= len(b) && !adtsHead(b[at+size:]) { // chance made it look like a header
			b[at] = 0
			continue
		}
		if !dated && at >= head { // the first frame that begins in this packet
			a.clock, dated = e.pts, true
			a.dated = true
		}
		a.frame(b[at:at+size], a.clock)
		at += size
	}
	if rest := b[at:]; len(rest) <= maxADTS {
		a.rest = append(a.rest[:0], rest...)
	} else {
		a.rest = a.rest[:0]
	}
	if !dated && len(a.rest) > 0 { // begins here, ends in the next
		a.clock, a.dated = e.pts, true
	}
}

func adtsHead(b []byte) bool {
	return b[0] == 0xff && b[1]&0xf6 == 0xf0 && adtsRates[b[2]>>2&15] > 0 &&
		int(b[3]&3)<<11|int(b[4])<<3|int(b[5])>>5 >= 9-2*int(b[1]&1)
}

func (a *sound) frame(f []byte, pts int64) {
	a.sum.Write(f[9-2*int(f[1]&1):]) // without its head, as other containers carry it
	a.packets++
	a.bytes += int64(len(f))
	a.rate = adtsRates[f[2]>>2&15]
	a.channels = int(f[2]&1<<2 | f[3]>>6)
	a.object = int(f[2]>>6) + 1
	blocks := int64(f[6]&3) + 1
	if a.dated {
		a.date(pts)
		a.clock = pts + (1024*blocks*ticks+int64(a.rate)/2)/int64(a.rate)
	}
	a.begun = true
}

func (a *sound) date(pts int64) {
	if !a.timed {
		a.first, a.timed = pts, true
	}
	a.last = max(pts, a.first)
}

// codec is its name, and its part of HLS CODECS.
func (a *sound) codec(kind uint8) (name, codecs string) {
	if a.name != "" {
		return a.name, a.codecs
	}
	switch kind {
	case typeADTS:
		return "aac", fmt.Sprintf("mp4a.40.%d", max(a.object, 1))
	case 0x03:
		return "mp2", "mp4a.6B"
	case 0x04:
		return "mp2", "mp4a.69"
	case 0x81:
		return "ac3", "ac-3"
	}
	return fmt.Sprintf("0x%02x", kind), ""
}
