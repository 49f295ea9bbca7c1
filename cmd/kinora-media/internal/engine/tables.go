package engine

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/kinora/kinora/internal/mpegts"
)

// maxTables is how often the tables of a segment may change.
const maxTables = 32

// tables gives an MPEG-TS to libav up to where its program map names other tracks, or another codec for one: libav would go on
// with what it knows. From there on it is read as a new one.
type tables struct {
	src    io.Reader
	stride int // of packets

	data    []byte // read and not given out
	scanned int    // of data
	maps    map[int]string
	pat     []byte // the last packet that lists the programs
	split   bool   // data[scanned:] is of other tables
	end     error
}

func newTables(src io.Reader, stride int) *tables {
	return &tables{src: src, stride: stride, maps: make(map[int]string)}
}

// Read never returns bytes and an error together.
func (r *tables) Read(p []byte) (int, error) {
	for {
		if r.scanned > 0 {
			n := copy(p, r.data[:r.scanned])
			r.data, r.scanned = r.data[n:], r.scanned-n
			return n, nil
		}
		switch {
		case r.split:
			return 0, io.EOF
		case r.end != nil && len(r.data) > 0: // less than a packet
			r.scanned = len(r.data)
			continue
		case r.end != nil:
			return 0, r.end
		}
		var n int
		buf := slices.Grow(slices.Clone(r.data), ioBuffer)
		n, r.end = r.src.Read(buf[len(buf):cap(buf)])
		r.data = buf[:len(buf)+n]
		r.scan()
	}
}

// scan looks at every whole packet.
func (r *tables) scan() {
	for ; len(r.data)-r.scanned >= r.stride; r.scanned++ {
		packet := r.data[r.scanned : r.scanned+r.stride]
		if packet[0] != 0x47 { // out of step: look for the next packet
			continue
		}
		pid := int(packet[1]&31)<<8 | int(packet[2])
		if said, isMap := r.maps[pid]; pid == 0 || isMap {
			if section := section(packet[:tsPacket]); pid == 0 {
				r.programs(packet, section)
			} else if now := avTracks(section); now != "" && now != said {
				if said != "" {
					r.split = true
					return
				}
				r.maps[pid] = now
			}
		}
		r.scanned += r.stride - 1
	}
}

// programs notes where the maps of the programs are.
func (r *tables) programs(packet, section []byte) {
	if len(section) < 8 || section[0] != 0 {
		return
	}
	r.pat = slices.Clone(packet)
	for p := section[8:]; len(p) >= 4; p = p[4:] {
		pid := int(p[2]&31)<<8 | int(p[3])
		if _, known := r.maps[pid]; !known && binary.BigEndian.Uint16(p) != 0 {
			r.maps[pid] = ""
		}
	}
}

// more goes on behind a split; false when there is none.
func (r *tables) more() bool {
	if !r.split {
		return false
	}
	r.split, r.data = false, slices.Concat(r.pat, r.data)
	clear(r.maps)
	r.scan()
	return true
}

// section is the section that begins in the packet, without its checksum; nil unless it is whole and sound.
func section(packet []byte) []byte {
	at := 4
	if packet[1]&0x40 == 0 || packet[3]&0x10 == 0 {
		return nil
	}
	if packet[3]&0x20 != 0 {
		at += 1 + int(packet[4])
	}
	if at >= len(packet) {
		return nil
	}
	at += 1 + int(packet[at])
	if at+3 > len(packet) {
		return nil
	}
	s := packet[at:]
	n := 3 + (int(s[1]&15)<<8 | int(s[2]))
	if n < 12 || n > len(s) || mpegts.Checksum(s[:n]) != 0 {
		return nil
	}
	return s[:n-4]
}

// avTracks is what a program map says of its pictures and sound, as text.
func avTracks(section []byte) string {
	if len(section) < 12 || section[0] != 2 {
		return ""
	}
	var out []string
	skip := int(section[10]&15)<<8 | int(section[11])
	for p := section[12:]; len(p) >= skip+5; {
		p = p[skip:]
		switch p[0] {
		case 0x01, 0x02, 0x03, 0x04, 0x06, 0x0f, 0x10, 0x11, 0x1b, 0x24, 0x80, 0x81, 0x87:
			out = append(out, fmt.Sprintf("%d:%d", int(p[1]&31)<<8|int(p[2]), p[0]))
		}
		skip = int(p[3]&15)<<8 | int(p[4])
		p = p[5:]
	}
	slices.Sort(out)
	return strings.Join(out, " ") + "."
}
