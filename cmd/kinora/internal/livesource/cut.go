// Package livesource makes a live stream without an encoder at hand: a test picture with a clock and a tone, or a file
// looped at its own pace, cut into MPEG-TS segments and pushed to a broadcaster while they are made.
package livesource

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

const packetLen = 188

// cutter splits one MPEG-TS into segments that begin at keyframes, each opened with the program tables. The muxer in
// front of it writes a PES in one run of packets, so no access unit is torn.
type cutter struct {
	r        *bufio.Reader
	pat, pmt []byte
	pmtPID   int
	videoPID int
	cc       [2]byte // continuity counters of the tables this cutter repeats
	pending  []byte  // the packet that opens the next segment
	minimum  int64   // 90 kHz: shortest segment
	startPTS int64
}

func newCutter(r io.Reader, minimumMillis int) *cutter {
	return &cutter{r: bufio.NewReaderSize(r, 64<<10), pmtPID: -1, videoPID: -1, minimum: int64(minimumMillis) * 90}
}

// next copies one segment to the writer that open returns, packet by packet as it comes. It returns io.EOF when the
// input has ended and no segment was begun.
func (c *cutter) next(open func() io.Writer) error {
	var w io.Writer
	if c.pending != nil {
		w = open()
		if err := c.begin(w, c.pending); err != nil {
			return err
		}
		c.pending = nil
	}
	for {
		var p [packetLen]byte
		if _, err := io.ReadFull(c.r, p[:]); err != nil {
			if w != nil && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) {
				return nil
			}
			return err
		}
		if p[0] != 0x47 {
			return fmt.Errorf("cut the source: lost packet synchronisation")
		}
		pid := int(p[1]&0x1f)<<8 | int(p[2])
		switch {
		case pid == 0:
			c.pat = append(c.pat[:0], p[:]...)
			c.pmtPID = patProgram(p[:])
			continue
		case pid == c.pmtPID:
			c.pmt = append(c.pmt[:0], p[:]...)
			c.videoPID = pmtVideo(p[:])
			continue
		case pid == 0x11 || pid == 0x1fff: // service description and stuffing
			continue
		}
		if pid == c.videoPID && keyframe(p[:]) {
			pts, ok := pesPTS(p[:])
			if w != nil && ok && (pts-c.startPTS >= c.minimum || pts < c.startPTS) {
				c.pending = append([]byte(nil), p[:]...)
				return nil
			}
			if w == nil && c.pmt != nil && ok {
				w = open()
				if err := c.begin(w, p[:]); err != nil {
					return err
				}
				continue
			}
		}
		if w == nil {
			continue // nothing can be decoded before the first keyframe
		}
		if _, err := w.Write(p[:]); err != nil {
			return err
		}
	}
}

func (c *cutter) begin(w io.Writer, first []byte) error {
	c.startPTS, _ = pesPTS(first)
	for i, table := range [][]byte{c.pat, c.pmt} {
		t := append([]byte(nil), table...)
		t[3] = t[3]&0xf0 | c.cc[i]&0x0f
		c.cc[i]++
		if _, err := w.Write(t); err != nil {
			return err
		}
	}
	_, err := w.Write(first)
	return err
}

// payload returns the packet's payload, behind its adaptation field.
func payload(p []byte) []byte {
	off := 4
	if p[3]&0x20 != 0 {
		off += 1 + int(p[4])
	}
	if p[3]&0x10 == 0 || off >= len(p) {
		return nil
	}
	return p[off:]
}

// section returns the PSI section that starts in p, without its pointer field.
func section(p []byte) []byte {
	b := payload(p)
	if p[1]&0x40 == 0 || len(b) < 1 || 1+int(b[0])+12 > len(b) {
		return nil
	}
	return b[1+int(b[0]):]
}

func patProgram(p []byte) int {
	s := section(p)
	if s == nil {
		return -1
	}
	return int(s[10]&0x1f)<<8 | int(s[11])
}

func pmtVideo(p []byte) int {
	s := section(p)
	if s == nil {
		return -1
	}
	end := min(3+(int(s[1]&0x0f)<<8|int(s[2]))-4, len(s))
	for i := 12 + (int(s[10]&0x0f)<<8 | int(s[11])); i+5 <= end; i += 5 + (int(s[i+3]&0x0f)<<8 | int(s[i+4])) {
		if s[i] == 0x1b {
			return int(s[i+1]&0x1f)<<8 | int(s[i+2])
		}
	}
	return -1
}

// keyframe reports a packet that begins an access unit marked as a random access point.
func keyframe(p []byte) bool {
	return p[1]&0x40 != 0 && p[3]&0x20 != 0 && p[4] > 0 && p[5]&0x40 != 0
}

func pesPTS(p []byte) (int64, bool) {
	b := payload(p)
	if len(b) < 14 || b[0] != 0 || b[1] != 0 || b[2] != 1 || b[7]&0x80 == 0 {
		return 0, false
	}
	return int64(b[9]>>1&7)<<30 | int64(b[10])<<22 | int64(b[11]>>1)<<15 | int64(b[12])<<7 | int64(b[13]>>1), true
}
