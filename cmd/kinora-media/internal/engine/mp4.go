package engine

import (
	"fmt"
	"strconv"

	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/wire"
)

// defaultPart is how much media one chunk holds where the profile does not say, in milliseconds.
const defaultPart = 500

// mp4Muxer writes CMAF: per segment an init segment, then a chunk (moof, mdat) for every part of it. Each segment has a libav
// muxer of its own, whose header is the init segment; what goes on from one to the next is the number of the chunks.
type mp4Muxer struct {
	sink
	part  int64 // ticks
	next  int   // number of the next chunk
	fc    *astiav.FormatContext
	video outTrack
	sound outTrack
	turns int64
	step  int64

	started   bool
	full      bool
	partBegan int64
	soundNext int64 // when the next sound packet is due, in the track's time base
	init      int64
}

func newMP4Muxer(p wire.Profile) *mp4Muxer {
	part := int64(defaultPart)
	if p.PartMillis > 0 {
		part = int64(p.PartMillis)
	}
	return &mp4Muxer{part: part * wire.TicksPerSecond / 1000, next: 1}
}

func (m *mp4Muxer) fits(tracks, int64) bool { return m.fault == nil }

func (m *mp4Muxer) begin(t tracks, write func([]byte) error) (err error) {
	m.close()
	m.video, m.sound, m.turns, m.step, m.started, m.init, m.soundNext = outTrack{}, outTrack{}, t.turns, t.step, false, 0, 0
	if m.fc, err = astiav.AllocOutputFormatContext(nil, "mp4", ""); err != nil {
		return fmt.Errorf("open muxer: %w", err)
	}
	if err := m.sink.open(); err != nil {
		return err
	}
	m.fc.SetPb(m.io)
	if t.video != nil {
		if m.video.stream, err = addVideo(m.fc, t.video); err != nil {
			return err
		}
		if t.video.CodecID() == astiav.CodecIDHevc { // the tag that Apple's players take
			m.video.stream.CodecParameters().SetCodecTag(tag("hvc1"))
		}
	}
	if t.sound != nil {
		if m.sound.stream, err = addSound(m.fc, t.sound); err != nil {
			return err
		}
	}
	// Chunks are cut by us. Decoding times run ahead of the pictures', as everywhere else: libav takes the other way, offsets
	// below zero, for a delay of the whole track.
	opts, err := options("movflags", "+empty_moov+default_base_moof+frag_custom+frag_discont+skip_trailer+skip_sidx",
		"use_editlist", "0", "video_track_timescale", strconv.Itoa(wire.TicksPerSecond), "fragment_index", strconv.Itoa(m.next),
		"avoid_negative_ts", "disabled", "fflags", "+bitexact", "flush_packets", "0", "strict", "experimental")
	if err != nil {
		return err
	}
	defer opts.Free()
	m.write = func(p []byte) error {
		m.init += int64(len(p))
		return write(p)
	}
	if err := m.fc.WriteHeader(opts); err != nil {
		return m.cause("open muxer", err)
	}
	m.io.Flush()
	m.write = write
	return leftover(opts)
}

func tag(name string) astiav.CodecTag {
	return astiav.CodecTag(uint32(name[0]) | uint32(name[1])<<8 | uint32(name[2])<<16 | uint32(name[3])<<24)
}

func (m *mp4Muxer) put(pkt *astiav.Packet, isVideo bool) error {
	t := &m.sound
	if isVideo {
		t = &m.video
	}
	if t.stream == nil {
		pkt.Unref()
		return nil
	}
	pkt.SetPts(pkt.Pts() - m.turns)
	pkt.SetDts(pkt.Dts() - m.turns)
	switch { // the container counts from zero
	case pkt.Dts() >= 0:
	case isVideo:
		pkt.SetDts(0)
	default: // what primes an encoder is not heard
		pkt.Unref()
		return nil
	}
	t.order(pkt)
	if isVideo || m.video.stream == nil {
		if m.started && pkt.Dts()-m.partBegan >= m.part {
			if err := m.cut(); err != nil {
				return err
			}
		}
		if !m.started {
			m.started, m.partBegan = true, pkt.Dts()
		}
	}
	if isVideo && pkt.Duration() == 0 {
		pkt.SetDuration(m.step)
	}
	m.full = isVideo && pkt.Dts()+pkt.Duration()-m.partBegan >= m.part
	pkt.SetStreamIndex(t.stream.Index())
	pkt.SetPos(-1)
	pkt.RescaleTs(timeBase, t.stream.TimeBase())
	if !isVideo {
		m.smooth(pkt)
	}
	if err := m.fc.WriteFrame(pkt); err != nil {
		return m.cause("mux", err)
	}
	pkt.Unref()
	if m.full { // without waiting for the next packet, which would only confirm it
		return m.cut()
	}
	return nil
}

// smooth dates sound by counting samples where its timestamps are only rounded apart.
func (m *mp4Muxer) smooth(pkt *astiav.Packet) {
	if d := pkt.Dts() - m.soundNext; m.soundNext != 0 && d >= -2 && d <= 2 {
		pkt.SetDts(m.soundNext)
		pkt.SetPts(m.soundNext)
	}
	if samples := int64(m.sound.stream.CodecParameters().FrameSize()); samples > 0 {
		pkt.SetDuration(samples)
	}
	m.soundNext = pkt.Dts() + pkt.Duration()
}

// cut ends a chunk.
func (m *mp4Muxer) cut() error {
	if err := m.fc.WriteFrame(nil); err != nil {
		return m.cause("cut chunk", err)
	}
	m.io.Flush()
	m.started = false
	m.next++
	return m.fault
}

func (m *mp4Muxer) end() error {
	if err := m.cut(); err != nil {
		return err
	}
	m.close()
	return nil
}

func (m *mp4Muxer) initBytes() int64 { return m.init }

func (m *mp4Muxer) close() {
	if m.fc != nil {
		m.fc.Free()
		m.fc = nil
	}
	if m.io != nil {
		m.io.Free()
		m.io = nil
	}
}

func (m *mp4Muxer) free() { m.close() }
