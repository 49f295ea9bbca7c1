package verify

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"hash"

	"github.com/kinora/kinora/internal/mpegts"
	"github.com/kinora/kinora/internal/protocol"
)

// MPEG-TS (ISO/IEC 13818-1), as much as says what a segment holds.
const (
	packetLen = 188
	syncByte  = 0x47
	nullPID   = 0x1fff
	reserved  = 0x20 // PIDs below carry tables

	typeH264    = 0x1b
	typeHEVC    = 0x24
	typeADTS    = 0x0f
	maxPrograms = 16
	maxTracks   = 32
	maxTable    = 1024     // bytes of one PAT or PMT section
	maxPES      = 16 << 20 // bytes of one coded picture
	wrap        = int64(1) << 33
	ticks       = 90_000 // per second
)

// What a PID carries.
const (
	unknown = iota
	ignored // declared, and neither of the two tracks that count
	pat
	pmt
	videoTrack
	audioTrack
)

// flaw is why a segment cannot be what it should be.
type flaw struct {
	code   protocol.Code
	limit  string
	detail string
}

func (f *flaw) Error() string { return string(f.code) + ": " + f.detail }

// scanner reads an MPEG-TS or an fMP4 as it arrives and keeps what is worth knowing of it. A strict scanner, for renditions,
// takes no container but a clean one of the kind asked for: one program, one track of pictures, at most one of sound, nothing
// undeclared, nothing lost. The other, for sources, takes what a decoder would.
type scanner struct {
	limits Limits
	strict bool
	asked  asked
	mp4    *boxes // where that is the container

	flaw    *flaw
	bytes   int64
	sum     hash.Hash
	packet  []byte // the packet that is not whole yet
	kind    [1 << 13]uint8
	counter [1 << 13]uint8 // continuity counter + 1 of the last packet, 0: none yet
	damaged bool
	synced  bool // a packet was seen

	tables    map[uint16]*table
	declared  int // tracks
	videoType uint8
	audioType uint8
	hasVideo  bool
	hasAudio  bool

	video, audio elementary
	base         int64 // timestamps are unwrapped around the first one seen
	based        bool

	pictures pictures
	sound    sound
}

// table is a PAT or PMT as it arrives.
type table struct {
	section []byte
	open    bool
	first   []byte // the first whole one: later ones must say the same
}

// elementary is a track's PES packets as they arrive.
type elementary struct {
	payload  []byte
	open     bool
	length   int // announced, 0: until the next begins
	pts, dts int64
	dated    bool
}

func newScanner(limits Limits, strict bool, a asked) *scanner {
	s := &scanner{limits: limits, strict: strict, asked: a, sum: sha256.New(),
		packet: make([]byte, 0, packetLen), tables: make(map[uint16]*table)}
	s.asked.codec = cmp.Or(a.codec, protocol.H264)
	s.asked.bits = cmp.Or(a.bits, 8)
	s.pictures.codec = s.asked.codec
	if a.fragmented {
		s.mp4 = &boxes{}
	}
	s.kind[0] = pat
	s.sound.sum = sha256.New()
	return s
}

func (s *scanner) fail(code protocol.Code, format string, args ...any) {
	if s.flaw == nil {
		s.flaw = &flaw{code: code, detail: fmt.Sprintf(format, args...)}
	}
}

func (s *scanner) limited(code protocol.Code, limit string, value any, format string, args ...any) {
	if s.flaw == nil {
		s.fail(code, format, args...)
		s.flaw.limit = fmt.Sprintf("%s=%v", limit, value)
	}
}

// blemish is a flaw of a rendition and damage of a source.
func (s *scanner) blemish(format string, args ...any) {
	s.damaged = true
	if s.strict {
		s.fail(protocol.BadMedia, format, args...)
	}
}

// write takes the next bytes; once there is a flaw it only counts.
func (s *scanner) write(p []byte) {
	s.bytes += int64(len(p))
	if s.flaw != nil {
		return
	}
	if s.bytes > s.limits.MaxBytes {
		s.limited(protocol.SegmentTooLarge, "max_bytes", s.limits.MaxBytes, "the segment has more than %d bytes", s.limits.MaxBytes)
		return
	}
	s.sum.Write(p)
	if s.mp4 != nil {
		s.mp4.write(s, p)
		return
	}
	for len(p) > 0 && s.flaw == nil {
		if len(s.packet) == 0 && len(p) >= packetLen {
			p = p[packetLen-len(s.take(p[:packetLen])):]
			continue
		}
		n := copy(s.packet[len(s.packet):packetLen], p)
		s.packet, p = s.packet[:len(s.packet)+n], p[n:]
		if len(s.packet) == packetLen {
			s.packet = s.packet[:copy(s.packet, s.take(s.packet))]
		}
	}
}

// take reads one packet. What it returns is to be read again, in front of what follows.
func (s *scanner) take(p []byte) []byte {
	if p[0] == syncByte {
		s.synced = true
		s.read(p)
		return nil
	}
	if !s.synced {
		s.fail(protocol.BadMedia, "not an MPEG-TS: no sync byte at the start")
		return nil
	}
	s.blemish("a packet does not begin with a sync byte")
	if i := bytes.IndexByte(p[1:], syncByte); i >= 0 {
		return p[1+i:]
	}
	return nil
}

func (s *scanner) read(p []byte) {
	begins := p[1]&0x40 != 0
	pid := uint16(p[1]&0x1f)<<8 | uint16(p[2])
	control := p[3] >> 4 & 3
	if p[1]&0x80 != 0 {
		s.blemish("a packet is marked as damaged")
		return
	}
	if pid == nullPID {
		return
	}
	kind := s.kind[pid]
	if kind == unknown {
		if s.strict && pid >= reserved {
			s.fail(protocol.BadMedia, "packets of an undeclared track, PID %d", pid)
		}
		return
	}
	if kind == ignored || control&1 == 0 { // no payload: the counter stands still
		return
	}
	if p[3]&0xc0 != 0 {
		s.fail(protocol.BadMedia, "the track with PID %d is scrambled", pid)
		return
	}
	body := p[4:]
	jump := false
	if control&2 != 0 {
		n := int(body[0])
		if n >= len(body) {
			s.blemish("an adaptation field is longer than its packet")
			return
		}
		jump = n > 0 && body[1]&0x80 != 0
		body = body[1+n:]
	}
	cc := p[3]&15 + 1
	if last := s.counter[pid]; last != 0 && !jump && cc != last%16+1 {
		if cc == last { // a packet may be sent twice
			return
		}
		s.blemish("packets of the track with PID %d are missing", pid)
	}
	s.counter[pid] = cc
	switch kind {
	case pat, pmt:
		s.tableBytes(pid, kind, body, begins)
	case videoTrack:
		s.pesBytes(&s.video, body, begins, true)
	case audioTrack:
		s.pesBytes(&s.audio, body, begins, false)
	}
}

func (s *scanner) tableBytes(pid uint16, kind uint8, body []byte, begins bool) {
	t := s.tables[pid]
	if t == nil {
		t = new(table)
		s.tables[pid] = t
	}
	if begins {
		if len(body) < 1 || 1+int(body[0]) > len(body) {
			s.blemish("a table begins outside its packet")
			return
		}
		body = body[1+int(body[0]):]
		t.section, t.open = t.section[:0], true
	}
	if !t.open {
		return
	}
	t.section = append(t.section, body...)
	if len(t.section) < 3 {
		return
	}
	n := 3 + (int(t.section[1]&15)<<8 | int(t.section[2]))
	if n > maxTable || n < 12 {
		s.blemish("a table has %d bytes", n)
		t.open = false
		return
	}
	if len(t.section) < n {
		return
	}
	t.open = false
	section := t.section[:n]
	if mpegts.Checksum(section) != 0 {
		s.blemish("a table has a wrong checksum")
		return
	}
	switch {
	case t.first == nil:
		t.first = bytes.Clone(section)
		if kind == pat {
			s.readPAT(section)
		} else {
			s.readPMT(section)
		}
	case s.strict && !bytes.Equal(section, t.first):
		s.fail(protocol.BadMedia, "the tables change within the segment")
	}
}

func (s *scanner) readPAT(b []byte) {
	if b[0] != 0 {
		s.blemish("table %d where the PAT should be", b[0])
		return
	}
	programs := 0
	for e := b[8 : len(b)-4]; len(e) >= 4; e = e[4:] {
		pid := uint16(e[2]&0x1f)<<8 | uint16(e[3])
		if e[0] == 0 && e[1] == 0 || pid < reserved/2 || pid == nullPID || s.kind[pid] != unknown {
			continue
		}
		if programs++; programs > maxPrograms || s.strict && programs > 1 {
			s.blemish("the segment has more than one program")
			return
		}
		s.kind[pid] = pmt
	}
}

func (s *scanner) readPMT(b []byte) {
	skip := 12 + (int(b[10]&15)<<8 | int(b[11]))
	if b[0] != 2 || skip > len(b)-4 {
		s.blemish("table %d where a PMT should be", b[0])
		return
	}
	mine := !s.hasVideo // the program with the first track of the codec is the one that counts
	var audioPID uint16
	var audioType uint8
	for e := b[skip : len(b)-4]; len(e) >= 5; {
		pid := uint16(e[1]&0x1f)<<8 | uint16(e[2])
		n := 5 + (int(e[3]&15)<<8 | int(e[4]))
		if n > len(e) {
			s.blemish("the PMT is cut")
			return
		}
		if s.declared++; s.declared > maxTracks {
			s.fail(protocol.BadMedia, "the segment has more than %d tracks", maxTracks)
			return
		}
		if s.kind[pid] != unknown || pid < reserved/2 || pid == nullPID {
			s.blemish("the PMT names PID %d for a track", pid)
			e = e[n:]
			continue
		}
		s.kind[pid] = ignored
		if !s.strict && !s.hasVideo && e[0] == typeHEVC { // a source is what it is
			s.asked.codec, s.pictures.codec = protocol.HEVC, protocol.HEVC
		}
		switch t := e[0]; {
		case t == s.wantedType() && !s.hasVideo && !s.asked.soundOnly:
			s.hasVideo = true
			s.kind[pid] = videoTrack
		case isAudio(t, e[5:n]) && mine && audioPID == 0:
			audioPID, audioType = pid, t
		default:
			if isVideo(t) && s.videoType == 0 {
				s.videoType = t
			}
			if s.strict {
				s.fail(protocol.BadMedia, "a further track of type 0x%02x", t)
			}
		}
		e = e[n:]
	}
	if (s.hasVideo || s.asked.soundOnly) && mine && audioPID != 0 {
		s.hasAudio, s.audioType = true, audioType
		s.kind[audioPID] = audioTrack
	}
}

// wantedType is the stream type of the pictures that count.
func (s *scanner) wantedType() uint8 {
	if s.asked.codec == protocol.HEVC {
		return typeHEVC
	}
	return typeH264
}

func isVideo(t uint8) bool {
	switch t {
	case 0x01, 0x02, 0x10, 0x1b, 0x20, 0x21, 0x24, 0x33, 0x42, 0xd1, 0xea:
		return true
	}
	return false
}

func isAudio(t uint8, descriptors []byte) bool {
	switch t {
	case 0x03, 0x04, 0x0f, 0x11, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x8a:
		return true
	case 0x06: // private: sound if a descriptor says so
		for d := descriptors; len(d) >= 2 && 2+int(d[1]) <= len(d); d = d[2+int(d[1]):] {
			switch d[0] {
			case 0x6a, 0x7a, 0x7b, 0x7c: // AC-3, E-AC-3, DTS, AAC
				return true
			case 0x05:
				switch string(d[2 : 2+min(int(d[1]), 4)]) {
				case "Opus", "AC-3", "EAC3", "DTS1", "DTS2", "DTS3", "BSSD":
					return true
				}
			}
		}
	}
	return false
}

func (s *scanner) pesBytes(e *elementary, body []byte, begins, video bool) {
	if begins {
		s.endPES(e, video)
		if s.flaw != nil {
			return
		}
		if len(body) < 9 || body[0] != 0 || body[1] != 0 || body[2] != 1 || 9+int(body[8]) > len(body) {
			// A header longer than a packet is allowed and never made.
			s.blemish("a PES packet begins without a header")
			return
		}
		e.open, e.length, e.dated = true, int(body[4])<<8|int(body[5]), false
		head := body[9 : 9+int(body[8])]
		if e.length > 0 {
			e.length = max(0, e.length-3-len(head))
			if e.length == 0 {
				e.open = false
			}
		}
		if body[7]&0x80 != 0 && len(head) >= 5 {
			e.pts, e.dated = s.unwrap(timestamp(head)), true
			e.dts = e.pts
			if body[7]&0x40 != 0 && len(head) >= 10 {
				e.dts = s.unwrap(timestamp(head[5:]))
			}
		}
		e.payload = e.payload[:0]
		body = body[9+int(body[8]):]
	}
	if !e.open {
		return
	}
	if len(e.payload)+len(body) > maxPES {
		s.fail(protocol.BadMedia, "a coded picture has more than %d bytes", maxPES)
		return
	}
	e.payload = append(e.payload, body...)
	if e.length > 0 && len(e.payload) > e.length {
		e.payload = e.payload[:e.length] // stuffing
	}
	if video && s.pictures.params == nil {
		s.pictures.findSize(s, e.payload)
	}
}

// endPES reads the PES packet that is whole now.
func (s *scanner) endPES(e *elementary, video bool) {
	if !e.open {
		return
	}
	e.open = false
	if e.length > 0 && len(e.payload) < e.length {
		s.blemish("a PES packet is cut")
	}
	if video {
		s.pictures.read(s, e)
	} else {
		s.sound.read(s, e)
	}
}

func timestamp(b []byte) int64 {
	return int64(b[0]>>1&7)<<30 | int64(b[1])<<22 | int64(b[2]>>1)<<15 | int64(b[3])<<7 | int64(b[4]>>1)
}

// unwrap chooses among the times that a timestamp can mean the one nearest to the first of the segment.
func (s *scanner) unwrap(t int64) int64 {
	if !s.based {
		s.base, s.based = t, true
	}
	return near(t, s.base)
}

// near is t plus the multiple of the wrap that brings it nearest to base.
func near(t, base int64) int64 {
	d := (t - base) % wrap
	switch {
	case d >= wrap/2:
		d -= wrap
	case d < -wrap/2:
		d += wrap
	}
	return base + d
}
