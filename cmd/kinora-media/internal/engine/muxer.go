package engine

import (
	"fmt"

	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/wire"
)

// muxer writes one rendition's MPEG-TS, segment after segment: continuity counters go on, every segment begins with the
// tables. A new one marks its first packets as discontinuous, so that what another muxer wrote before it joins cleanly too.
type muxer struct {
	fc       *astiav.FormatContext
	io       *astiav.IOContext
	video    *astiav.Stream
	audio    *astiav.Stream // nil without a sound track
	audioID  astiav.CodecID
	videoDTS int64 // last written
	audioDTS int64

	write func([]byte) error // where the segment's bytes go
	fault error              // of write: libav forgets which
}

// newMuxer makes a muxer for pictures of cc and, if audio is not nil, a sound track like it.
func newMuxer(cc *astiav.CodecContext, audio *astiav.CodecParameters, rate int) (m *muxer, err error) {
	m = &muxer{}
	defer func() {
		if err != nil {
			m.free()
			m = nil
		}
	}()
	if m.fc, err = astiav.AllocOutputFormatContext(nil, "mpegts", ""); err != nil {
		return m, fmt.Errorf("open muxer: %w", err)
	}
	if m.io, err = astiav.AllocIOContext(ioBuffer, true, nil, nil, func(p []byte) (int, error) {
		if m.fault == nil {
			m.fault = m.write(p)
		}
		return len(p), m.fault
	}); err != nil {
		return m, err
	}
	m.fc.SetPb(m.io)
	if m.video = m.fc.NewStream(nil); m.video == nil {
		return m, fmt.Errorf("open muxer: no memory")
	}
	if err := cc.ToCodecParameters(m.video.CodecParameters()); err != nil {
		return m, fmt.Errorf("open muxer: %w", err)
	}
	m.video.SetTimeBase(timeBase)
	if audio != nil {
		if m.audio = m.fc.NewStream(nil); m.audio == nil {
			return m, fmt.Errorf("open muxer: no memory")
		}
		if err := audio.Copy(m.audio.CodecParameters()); err != nil {
			return m, fmt.Errorf("open muxer: %w", err)
		}
		if m.audio.CodecParameters().SampleRate() == 0 { // the muxer wants one and does not use it
			m.audio.CodecParameters().SetSampleRate(max(rate, 8000))
		}
		m.audio.CodecParameters().SetCodecTag(0)
		m.audio.SetTimeBase(timeBase)
		m.audioID = audio.CodecID()
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

// fits tells whether the muxer has the tracks of a segment with this audio, and whether its pictures may go on at dts.
func (m *muxer) fits(audio *astiav.CodecParameters, dts int64) bool {
	if m.fault != nil || (audio != nil) != (m.audio != nil) || audio != nil && audio.CodecID() != m.audioID {
		return false
	}
	return dts > m.videoDTS-wire.TicksPerSecond
}

// begin starts a segment whose bytes go to write.
func (m *muxer) begin(write func([]byte) error) error {
	m.write = write
	if err := m.fc.PrivateData().Options().Set("mpegts_flags", "+resend_headers", astiav.NewOptionSearchFlags()); err != nil {
		return fmt.Errorf("resend tables: %w", err)
	}
	return nil
}

// put writes a packet (1/90000 s) and leaves it blank.
func (m *muxer) put(pkt *astiav.Packet, isVideo bool) error {
	track, last := m.audio, &m.audioDTS
	if isVideo {
		track, last = m.video, &m.videoDTS
	}
	if track == nil {
		pkt.Unref()
		return nil
	}
	// A variable frame rate or a jump of the sound may bring decoding times that overlap those of the segment before.
	if pkt.Dts() <= *last {
		pkt.SetDts(*last + 1)
		if pkt.Pts() < pkt.Dts() {
			pkt.SetPts(pkt.Dts())
		}
	}
	*last = pkt.Dts()
	pkt.SetStreamIndex(track.Index())
	pkt.SetPos(-1)
	pkt.RescaleTs(timeBase, track.TimeBase())
	if err := m.fc.WriteInterleavedFrame(pkt); err != nil {
		return m.cause("mux", err)
	}
	return nil
}

// end brings out what the segment still holds.
func (m *muxer) end() error {
	if err := m.fc.WriteInterleavedFrame(nil); err != nil {
		return m.cause("end segment", err)
	}
	if err := m.fc.WriteFrame(nil); err != nil {
		return m.cause("end segment", err)
	}
	m.io.Flush()
	return m.fault
}

func (m *muxer) cause(doing string, err error) error {
	if m.fault != nil {
		return m.fault
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func (m *muxer) free() {
	if m.fc != nil {
		m.fc.Free()
	}
	if m.io != nil {
		m.io.Free()
	}
}
