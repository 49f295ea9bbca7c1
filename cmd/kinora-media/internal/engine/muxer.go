package engine

import (
	"fmt"

	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/wire"
)

// tracks are what a muxer carries of one segment.
type tracks struct {
	video *astiav.CodecContext    // encoder of the pictures; nil: sound alone
	sound *astiav.CodecParameters // nil: none
	turns int64                   // what times of the segment exceed the container's by
	step  int64                   // how long a picture shows, ticks
}

// muxer writes one rendition segment after segment.
type muxer interface {
	// fits tells whether the muxer can go on with a segment of these tracks whose first packet is due at dts.
	fits(t tracks, dts int64) bool
	// begin starts a segment whose bytes go to write.
	begin(t tracks, write func([]byte) error) error
	// put writes a packet (1/90000 s) and leaves it blank.
	put(pkt *astiav.Packet, isVideo bool) error
	// end brings out what the segment still holds.
	end() error
	// initBytes is how many of the segment's bytes are its init segment.
	initBytes() int64
	free()
}

func newMuxer(p wire.Profile, t tracks) (muxer, error) {
	if p.Fragmented() {
		return newMP4Muxer(p), nil
	}
	return newTSMuxer(t, p.Lookahead < 0)
}

// sink is where libav writes, and who is to blame when that fails: libav forgets.
type sink struct {
	io    *astiav.IOContext
	write func([]byte) error
	fault error
}

func (s *sink) open() (err error) {
	s.io, err = astiav.AllocIOContext(ioBuffer, true, nil, nil, func(p []byte) (int, error) {
		if s.fault == nil {
			s.fault = s.write(p)
		}
		return len(p), s.fault
	})
	return err
}

func (s *sink) cause(doing string, err error) error {
	if s.fault != nil {
		return s.fault
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// outTrack is one stream of a libav muxer and the last decoding time written to it.
type outTrack struct {
	stream *astiav.Stream
	dts    int64
	begun  bool
}

// order makes the packet's decoding time exceed the last one: a variable frame rate or a jump of the sound may bring times that overlap.
func (t *outTrack) order(pkt *astiav.Packet) {
	if t.begun && pkt.Dts() <= t.dts {
		pkt.SetDts(t.dts + 1)
		if pkt.Pts() < pkt.Dts() {
			pkt.SetPts(pkt.Dts())
		}
	}
	t.begun, t.dts = true, pkt.Dts()
}

// tsMuxer writes MPEG-TS: continuity counters go on from segment to segment, and every segment begins with the tables. A new
// one marks its first packets as discontinuous, so that what another muxer wrote before it joins cleanly too.
type tsMuxer struct {
	sink
	fc      *astiav.FormatContext
	video   outTrack // without a stream: sound alone
	sound   outTrack // without a stream: none
	soundID astiav.CodecID
	videoID astiav.CodecID
	direct  bool // packets leave in the order they come, without waiting for those of the other outTrack
}

func newTSMuxer(t tracks, direct bool) (m *tsMuxer, err error) {
	m = &tsMuxer{direct: direct}
	defer func() {
		if err != nil {
			m.free()
			m = nil
		}
	}()
	if m.fc, err = astiav.AllocOutputFormatContext(nil, "mpegts", ""); err != nil {
		return m, fmt.Errorf("open muxer: %w", err)
	}
	if err := m.sink.open(); err != nil {
		return m, err
	}
	m.fc.SetPb(m.io)
	if t.video != nil {
		if m.video.stream, err = addVideo(m.fc, t.video); err != nil {
			return m, err
		}
		m.videoID = m.video.stream.CodecParameters().CodecID()
	}
	if t.sound != nil {
		if m.sound.stream, err = addSound(m.fc, t.sound); err != nil {
			return m, err
		}
		m.soundID = t.sound.CodecID()
	}
	// The tables stand at the head of every segment, so they need not be repeated within it. Without max_delay every sound
	// packet would travel in a PES of its own, and the clock reference would not run ahead of the pictures.
	opts, err := options("mpegts_copyts", "1", "max_delay", "700000", "pat_period", "10", "sdt_period", "10",
		"mpegts_flags", "+resend_headers+initial_discontinuity", "flush_packets", "1",
		"avoid_negative_ts", "disabled", "fflags", "+bitexact")
	if err != nil {
		return m, err
	}
	defer opts.Free()
	m.write = func([]byte) error { return nil }
	if err := m.fc.WriteHeader(opts); err != nil {
		return m, fmt.Errorf("open muxer: %w", err)
	}
	return m, leftover(opts)
}

func addVideo(fc *astiav.FormatContext, cc *astiav.CodecContext) (*astiav.Stream, error) {
	s := fc.NewStream(nil)
	if s == nil {
		return nil, fmt.Errorf("open muxer: no memory")
	}
	if err := cc.ToCodecParameters(s.CodecParameters()); err != nil {
		return nil, fmt.Errorf("open muxer: %w", err)
	}
	s.SetTimeBase(timeBase)
	return s, nil
}

func addSound(fc *astiav.FormatContext, sound *astiav.CodecParameters) (*astiav.Stream, error) {
	s := fc.NewStream(nil)
	if s == nil {
		return nil, fmt.Errorf("open muxer: no memory")
	}
	if err := sound.Copy(s.CodecParameters()); err != nil {
		return nil, fmt.Errorf("open muxer: %w", err)
	}
	if s.CodecParameters().SampleRate() == 0 { // every muxer wants one, MPEG-TS does not use it
		s.CodecParameters().SetSampleRate(8000)
	}
	s.CodecParameters().SetCodecTag(0)
	s.SetTimeBase(timeBase)
	return s, nil
}

func (m *tsMuxer) fits(t tracks, dts int64) bool {
	if m.fault != nil || (t.sound != nil) != (m.sound.stream != nil) || (t.video != nil) != (m.video.stream != nil) ||
		t.sound != nil && t.sound.CodecID() != m.soundID || t.video != nil && t.video.CodecID() != m.videoID {
		return false
	}
	last := m.sound.dts
	if m.video.stream != nil {
		last = m.video.dts
	}
	return dts > last-wire.TicksPerSecond
}

func (m *tsMuxer) begin(_ tracks, write func([]byte) error) error {
	m.write = write
	if err := m.fc.PrivateData().Options().Set("mpegts_flags", "+resend_headers", astiav.NewOptionSearchFlags()); err != nil {
		return fmt.Errorf("resend tables: %w", err)
	}
	return nil
}

func (m *tsMuxer) put(pkt *astiav.Packet, isVideo bool) error {
	t := &m.sound
	if isVideo {
		t = &m.video
	}
	if t.stream == nil {
		pkt.Unref()
		return nil
	}
	t.order(pkt)
	pkt.SetStreamIndex(t.stream.Index())
	pkt.SetPos(-1)
	pkt.RescaleTs(timeBase, t.stream.TimeBase())
	write := m.fc.WriteInterleavedFrame
	if m.direct {
		write = m.fc.WriteFrame
	}
	if err := write(pkt); err != nil {
		return m.cause("mux", err)
	}
	return nil
}

func (m *tsMuxer) end() error {
	if !m.direct {
		if err := m.fc.WriteInterleavedFrame(nil); err != nil {
			return m.cause("end segment", err)
		}
	}
	if err := m.fc.WriteFrame(nil); err != nil {
		return m.cause("end segment", err)
	}
	m.io.Flush()
	return m.fault
}

func (m *tsMuxer) initBytes() int64 { return 0 }

func (m *tsMuxer) free() {
	if m.fc != nil {
		m.fc.Free()
	}
	if m.io != nil {
		m.io.Free()
	}
}
