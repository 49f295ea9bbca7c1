package corpus

import "bytes"

// PIDs of FFmpeg's MPEG-TS muxer.
const (
	pidVideo = 0x100
	pidSound = 0x101
)

// Timed are segments whose timestamps are missing, wrap, jump or stand still, and ones without their parameter sets.
func Timed() []Case {
	ts := Seed("h264-aac.ts")
	silent := Seed("h264-silent.ts")
	const wrap = int64(1) << 33
	moved := func(b []byte, by int64) []byte {
		return retimed(b, func(_ int, _ int, t int64) (int64, bool) { return t + by, true })
	}
	return []Case{
		{"timestamps wrap in the middle", moved(ts, wrap-126000-20000), Good},
		{"timestamps wrap at the first picture", moved(ts, wrap-126000), Good},
		{"timestamps jump back by 10 s", retimed(ts, func(pid, n int, t int64) (int64, bool) {
			if n > 5 {
				t += 2*wrap - 900000
			}
			return t, true
		}), Either},
		{"timestamps jump on by 1 h", retimed(ts, func(pid, n int, t int64) (int64, bool) {
			if n > 5 {
				t += 3600 * 90000
			}
			return t, true
		}), Either},
		{"every picture at the same time", retimed(silent, func(int, int, int64) (int64, bool) { return 126000, true }), Either},
		{"pictures in the wrong order", retimed(silent, func(_, n int, t int64) (int64, bool) { return 126000 + int64(20-n)*6000, true }), Either},
		{"no timestamps", retimed(silent, func(int, int, int64) (int64, bool) { return 0, false }), Refused},
		{"no timestamps after the first", retimed(silent, func(_, n int, t int64) (int64, bool) { return t, n == 0 }), Either},
		{"sound all at one time", retimed(ts, func(pid, _ int, t int64) (int64, bool) {
			if pid == pidSound {
				t = 126000
			}
			return t, true
		}), Good},
		{"sound without timestamps", retimed(ts, func(pid, _ int, t int64) (int64, bool) { return t, pid != pidSound }), Either},
		{"sound an hour away from its pictures", retimed(ts, func(pid, _ int, t int64) (int64, bool) {
			if pid == pidSound {
				t += 3600 * 90000
			}
			return t, true
		}), Either},
		{"no parameter sets", withoutUnits(silent, 7, 8), Refused},
		{"no sequence parameter set", withoutUnits(silent, 7), Refused},
		{"no picture parameter set", withoutUnits(silent, 8), Refused},
		{"no pictures, parameter sets only", withoutUnits(silent, 1, 5), Refused},
		{"twice the same", append(bytes.Clone(ts), ts...), Either},
		{"two codecs in a row", append(bytes.Clone(silent), moved(Seed("mpeg2-mp2.ts"), 72000)...), Either},
		{"two sizes in a row", append(bytes.Clone(silent), moved(Seed("tiny-16x16.ts"), 72000)...), Either},
	}
}

// retimed gives every PES of the transport stream the times that to says for it: by PID, number and time as it is; false
// takes them away.
func retimed(ts []byte, to func(pid, n int, t int64) (int64, bool)) []byte {
	b := bytes.Clone(ts)
	count := make(map[int]int)
	for i := 0; i+packetLen <= len(b); i += packetLen {
		p := b[i : i+packetLen]
		pid := int(p[1]&31)<<8 | int(p[2])
		if p[1]&0x40 == 0 || pid < pidVideo || pid > pidSound {
			continue
		}
		at := 4
		if p[3]&0x20 != 0 {
			at += 1 + int(p[4])
		}
		if at+14 > packetLen || p[at] != 0 || p[at+1] != 0 || p[at+2] != 1 {
			continue
		}
		pes := p[at:]
		n := count[pid]
		count[pid]++
		if pes[7]&0x80 == 0 {
			continue
		}
		pts, dts := stamp(pes[9:]), int64(0)
		if pes[7]&0x40 != 0 {
			dts = stamp(pes[14:])
		}
		now, keep := to(pid, n, pts)
		if !keep {
			length := int(pes[8])
			pes[7] &^= 0xc0
			for k := range length {
				pes[9+k] = 0xff
			}
			continue
		}
		putStamp(pes[9:], now)
		if pes[7]&0x40 != 0 {
			putStamp(pes[14:], now-(pts-dts))
		}
	}
	return b
}

func stamp(b []byte) int64 {
	return int64(b[0]>>1&7)<<30 | int64(b[1])<<22 | int64(b[2]>>1)<<15 | int64(b[3])<<7 | int64(b[4]>>1)
}

func putStamp(b []byte, t int64) {
	t &= 1<<33 - 1
	b[0] = b[0]&0xf1 | byte(t>>30&7)<<1
	b[1] = byte(t >> 22)
	b[2] = byte(t>>14) | 1
	b[3] = byte(t >> 7)
	b[4] = byte(t<<1) | 1
}

// withoutUnits turns the H.264 units of these types into filler.
func withoutUnits(ts []byte, types ...byte) []byte {
	b := bytes.Clone(ts)
	for i := 0; i+packetLen <= len(b); i += packetLen {
		p := b[i : i+packetLen]
		if int(p[1]&31)<<8|int(p[2]) != pidVideo {
			continue
		}
		for k := 4; k+4 < packetLen; k++ {
			if p[k] == 0 && p[k+1] == 0 && p[k+2] == 1 && bytes.IndexByte(types, p[k+3]&31) >= 0 && p[k+3]&0x80 == 0 && p[k+3]&31 != 0 {
				p[k+3] = p[k+3]&^31 | 12
			}
		}
	}
	return b
}
