package engine

import (
	"errors"
	"fmt"
	"io"

	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/wire"
)

const (
	ioBuffer   = 32 << 10
	wrapTicks  = int64(1) << 33 // MPEG-TS timestamps wrap here
	maxRetries = 100_000        // reads of garbage that yield nothing
)

var timeBase = astiav.NewRational(1, wire.TicksPerSecond)

// demuxer reads packets of the first video and the first audio track of an MPEG-TS. Nothing is probed: tracks come from the
// container's tables, sizes and rates from the elementary streams themselves.
type demuxer struct {
	fc     *astiav.FormatContext
	io     *astiav.IOContext
	pkt    *astiav.Packet
	src    *source
	limits wire.Limits

	video, audio *astiav.Stream // nil until found
	streams      int
	packets      int
	retries      int
	first, last  int64 // PTS of video, as demuxed
	begun        bool

	shift int64 // added to timestamps; see place
	adts  adtsClock
}

func openDemuxer(src *source, limits wire.Limits) (*demuxer, error) {
	d := &demuxer{src: src, limits: limits}
	var err error
	if d.io, err = astiav.AllocIOContext(ioBuffer, false, src.Read, nil, nil); err != nil {
		return nil, err
	}
	d.fc = astiav.AllocFormatContext()
	d.fc.SetPb(d.io)
	opts, err := options("format_whitelist", "mpegts", "protocol_whitelist", "none")
	if err != nil {
		d.fc.Free()
		d.io.Free()
		return nil, err
	}
	defer opts.Free()
	if err := d.fc.OpenInput("", astiav.FindInputFormat("mpegts"), opts); err != nil { // has freed fc
		d.io.Free()
		if src.bytes() == 0 {
			return nil, failf(wire.CodeEmpty, "the segment has no bytes")
		}
		return nil, failf(wire.CodeBadMedia, "not an MPEG-TS: %v", err)
	}
	d.pkt = astiav.AllocPacket()
	return d, nil
}

func (d *demuxer) close() {
	d.pkt.Free()
	d.fc.CloseInput()
	d.io.Free()
}

// next reads the next packet of either track. io.EOF ends it. The packet is the demuxer's, until the next call.
func (d *demuxer) next() (pkt *astiav.Packet, isVideo bool, err error) {
	for {
		d.pkt.Unref()
		err := d.fc.ReadFrame(d.pkt)
		switch {
		case errors.Is(err, astiav.ErrEagain) && d.retries < maxRetries: // garbage was skipped
			d.retries++
			continue
		case errors.Is(err, astiav.ErrEof):
			return nil, false, d.end()
		case err != nil:
			if d.packets == 0 {
				return nil, false, failf(wire.CodeBadMedia, "not an MPEG-TS: %v", err)
			}
			return nil, false, failf(wire.CodeBadMedia, "the container is broken after %d packets: %v", d.packets, err)
		}
		if n := d.fc.NbStreams(); n != d.streams {
			if n > d.limits.MaxStreams {
				return nil, false, limitf(wire.CodeBadMedia, "max_streams", d.limits.MaxStreams, "the segment has %d elementary streams, at most %d", n, d.limits.MaxStreams)
			}
			d.streams = n
			d.pick()
		}
		switch i := d.pkt.StreamIndex(); {
		case d.video != nil && i == d.video.Index():
			d.packets++
			if d.packets > d.limits.MaxFrames {
				return nil, false, limitf(wire.CodeTooLong, "max_frames", d.limits.MaxFrames, "the segment has more than %d pictures", d.limits.MaxFrames)
			}
			if err := d.span(d.pkt.Pts()); err != nil {
				return nil, false, err
			}
			return d.pkt, true, nil
		case d.audio != nil && i == d.audio.Index():
			d.packets++
			if d.packets > 16*d.limits.MaxFrames {
				return nil, false, limitf(wire.CodeTooLong, "max_frames", d.limits.MaxFrames, "the segment has too many packets")
			}
			return d.pkt, false, nil
		}
	}
}

// pick takes the first track of each kind.
func (d *demuxer) pick() {
	for _, s := range d.fc.Streams() {
		switch mt := s.CodecParameters().MediaType(); {
		case mt == astiav.MediaTypeVideo && (d.video == nil || d.video.Index() == s.Index()):
			d.video = s
		case mt == astiav.MediaTypeAudio && (d.audio == nil || d.audio.Index() == s.Index()):
			d.audio = s
		default:
			s.SetDiscard(astiav.DiscardAll)
		}
	}
}

// span checks that the timestamps stay within the longest segment.
func (d *demuxer) span(pts int64) error {
	if pts == astiav.NoPtsValue {
		return nil
	}
	if !d.begun {
		d.begun, d.first, d.last = true, pts, pts
	}
	d.first, d.last = min(d.first, pts), max(d.last, pts)
	if limit := int64(d.limits.MaxDuration.Seconds() * wire.TicksPerSecond); d.last-d.first > limit {
		return limitf(wire.CodeTooLong, "max_duration", d.limits.MaxDuration, "the pictures of the segment span more than %s", d.limits.MaxDuration)
	}
	return nil
}

// end is why there is nothing more to read.
func (d *demuxer) end() error {
	switch {
	case d.src.bytes() == 0:
		return failf(wire.CodeEmpty, "the segment has no bytes")
	case d.packets == 0 && d.fc.NbStreams() == 0:
		return failf(wire.CodeBadMedia, "not an MPEG-TS: no tracks in %d bytes", d.src.bytes())
	case d.video == nil:
		return failf(wire.CodeNoVideo, "the segment has no video track")
	}
	return io.EOF
}

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

// adtsClock dates the packets of an audio track: several AAC frames of one PES all come with its timestamp.
type adtsClock struct {
	pes      int64 // timestamp of the PES the last packet was in
	n        int64 // packets of that PES so far
	rate     int
	channels int
	last     int64
	begun    bool
}

var adtsRates = [16]int{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350}

// parse reads an ADTS header.
func (c *adtsClock) parse(p []byte) {
	if len(p) < 7 || p[0] != 0xff || p[1]&0xf6 != 0xf0 {
		return
	}
	if r := adtsRates[p[2]>>2&15]; r > 0 {
		c.rate = r
		c.channels = int(p[2]&1<<2 | p[3]>>6)
	}
}

// date is when the packet with timestamp pts begins; false when nothing is known.
func (c *adtsClock) date(pts int64, samples int) (int64, bool) {
	switch {
	case pts == astiav.NoPtsValue && !c.begun:
		return 0, false
	case pts == astiav.NoPtsValue || c.begun && pts == c.pes:
		c.n++
	default:
		c.pes, c.n = pts, 0
	}
	t := c.pes
	if c.rate > 0 {
		t += (c.n*int64(samples)*wire.TicksPerSecond + int64(c.rate)/2) / int64(c.rate)
	}
	if c.begun && t <= c.last { // the clock jumps back: go on as before
		t = c.last + 1
		if c.rate > 0 && samples > 0 {
			t = c.last + int64(samples)*wire.TicksPerSecond/int64(c.rate)
		}
	}
	c.begun, c.last = true, t
	return t, true
}

// dateAudio sets the timestamps of a packet of the audio track (not shifted); false when it has none.
func (d *demuxer) dateAudio(pkt *astiav.Packet) bool {
	samples := 0
	if d.audio.CodecParameters().CodecID() == astiav.CodecIDAac {
		d.adts.parse(pkt.Data())
		samples = 1024
	}
	t, ok := d.adts.date(pkt.Pts(), samples)
	if ok {
		pkt.SetPts(t)
		pkt.SetDts(t)
	}
	return ok
}

// decoder decodes the video track.
type decoder struct {
	cc    *astiav.CodecContext
	frame *astiav.Frame
	name  string
	bad   int // packets that were refused
}

// openDecoder opens a fresh decoder for the track, with more options than the common ones.
func openDecoder(track *astiav.Stream, limits wire.Limits, extra ...string) (*decoder, error) {
	id := track.CodecParameters().CodecID()
	codec := astiav.FindDecoder(id)
	if codec == nil {
		return nil, failf(wire.CodeBadMedia, "no decoder for %s", id.Name())
	}
	cc := astiav.AllocCodecContext(codec)
	cc.SetThreadCount(1)
	cc.SetTimeBase(timeBase)
	// Without a hint in the stream, wait for as many pictures as the level allows instead of dropping those that come late.
	cc.SetStrictStdCompliance(astiav.StrictStdComplianceStrict)
	// Four times the limit: one that is a little too large shall decode, and be refused by its true size.
	opts, err := options(append([]string{"max_pixels", fmt.Sprint(4 * limits.MaxPixels)}, extra...)...)
	if err != nil {
		cc.Free()
		return nil, err
	}
	defer opts.Free()
	if err := cc.Open(codec, opts); err != nil {
		cc.Free()
		return nil, fmt.Errorf("open decoder %s: %w", id.Name(), err)
	}
	if err := leftover(opts); err != nil {
		cc.Free()
		return nil, err
	}
	return &decoder{cc: cc, frame: astiav.AllocFrame(), name: id.Name()}, nil
}

func (d *decoder) free() {
	d.frame.Free()
	d.cc.Free()
}

// decode gives pkt (nil: the end) to the decoder and every picture that comes out to take, whose frame it stays the decoder's.
func (d *decoder) decode(pkt *astiav.Packet, take func(*astiav.Frame) error) error {
	if err := d.cc.SendPacket(pkt); err != nil && !errors.Is(err, astiav.ErrEof) {
		d.bad++
	}
	for failures := 0; failures < 100; {
		err := d.cc.ReceiveFrame(d.frame)
		switch {
		case errors.Is(err, astiav.ErrEagain), errors.Is(err, astiav.ErrEof):
			return nil
		case err != nil:
			d.bad++
			failures++
			continue
		}
		err = take(d.frame)
		d.frame.Unref()
		if err != nil {
			return err
		}
	}
	return nil
}

// checkSize refuses pictures beyond the limit.
func checkSize(f *astiav.Frame, limits wire.Limits) error {
	if n := f.Width() * f.Height(); n > limits.MaxPixels {
		return limitf(wire.CodeTooManyPixels, "max_pixels", limits.MaxPixels, "pictures are %d×%d, at most %d pixels", f.Width(), f.Height(), limits.MaxPixels)
	}
	return nil
}
