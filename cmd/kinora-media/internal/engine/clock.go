package engine

import (
	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/wire"
)

const wrapTicks = int64(1) << 33 // MPEG-TS timestamps wrap here

// place chooses the shift that puts the segment beginning at first nearest to near (0: anywhere), in a time that does not
// wrap and stays positive. The container wraps it again.
func (d *demuxer) place(first, near int64) {
	turns := int64(1)
	if near != 0 {
		turns = (near - first + wrapTicks/2) / wrapTicks
	}
	for first+turns*wrapTicks < wrapTicks/2 {
		turns++
	}
	d.shift = turns * wrapTicks
}

// shown is an unwrapped time as the container carries it, relative to base, another one.
func shown(t, base int64) int64 { return base&(wrapTicks-1) + t - base }

// soundClock dates the packets of an audio track: several frames of one PES all come with its timestamp, or but the first with none.
type soundClock struct {
	longest  int64 // a jump beyond is a broken timestamp
	pes      int64 // timestamp of the PES the last packet was in
	since    int64 // from there to the packet, in samples
	samples  int   // of the last packet
	rate     int
	channels int
	last     int64
	begun    bool
}

// date is when the packet with timestamp pts begins; false when nothing is known.
func (c *soundClock) date(pts int64, head soundHead) (int64, bool) {
	if head.rate > 0 {
		c.rate, c.channels = head.rate, head.channels
	}
	if pts == astiav.NoPtsValue && !c.begun {
		return 0, false
	}
	next := c.pes + c.length(c.since+int64(c.samples))
	far := c.longest > 0 && c.begun && (pts-next > c.longest || next-pts > c.longest)
	t := next
	if pts == astiav.NoPtsValue || c.begun && pts == c.pes || far {
		c.since += int64(c.samples)
	} else {
		c.pes, c.since = pts, 0
		t = pts
	}
	if c.begun && t <= c.last { // the clock jumps back: go on as before
		t = c.last + max(c.length(int64(c.samples)), 1)
	}
	c.begun, c.last, c.samples = true, t, head.samples
	return t, true
}

func (c *soundClock) length(samples int64) int64 {
	if c.rate == 0 {
		return 0
	}
	return (samples*wire.TicksPerSecond + int64(c.rate)/2) / int64(c.rate)
}

// next is when the last packet ends.
func (c *soundClock) next() int64 { return c.last + c.length(int64(c.samples)) }
