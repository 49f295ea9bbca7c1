package verify

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"

	"github.com/kinora/kinora/internal/protocol"
)

// An fMP4 rendition is ftyp and moov, its init segment, then moof and mdat again and again: nothing else, in no other order.
const (
	maxHeadBox  = 1 << 20 // bytes of a box that is not mdat
	maxInit     = 16 << 10
	boxHeadLen  = 8
	maxUnitHead = 4 // bytes of the length before a NAL unit
)

// boxes reads an fMP4 as it arrives, chunk by chunk.
type boxes struct {
	buf    []byte // ftyp and moov, or moof and mdat, as far as it is there
	box    int    // where in buf the box begins that is not whole yet
	init   int64  // bytes of the init segment, 0: not seen
	video  *fmp4.InitTrack
	sound  *fmp4.InitTrack
	chunks int

	longest int64 // of the chunks' pictures (or sound, where there are none), ticks
}

// next is the box that must come.
func (m *boxes) next() string {
	switch {
	case m.init == 0 && m.box == 0:
		return "ftyp"
	case m.init == 0:
		return "moov"
	case m.box == 0:
		return "moof"
	}
	return "mdat"
}

func (m *boxes) write(s *scanner, p []byte) {
	m.buf = append(m.buf, p...)
	for s.flaw == nil && len(m.buf)-m.box >= boxHeadLen {
		head := m.buf[m.box:]
		size, kind := int64(binary.BigEndian.Uint32(head)), string(head[4:8])
		want := m.next()
		most := int64(maxHeadBox)
		if want == "mdat" {
			most = maxPES
		}
		switch {
		case kind != want:
			s.fail(protocol.BadMedia, "box %q where %q should be", kind, want)
			return
		case size < boxHeadLen || size > most:
			s.fail(protocol.BadMedia, "box %q of %d bytes", kind, size)
			return
		case int64(len(head)) < size:
			return
		}
		m.box += int(size)
		switch want {
		case "moov":
			m.readInit(s, m.buf[:m.box])
			m.init = int64(m.box)
		case "mdat":
			m.readChunk(s, m.buf[:m.box])
			m.chunks++
		default:
			continue
		}
		m.buf = append(m.buf[:0], m.buf[m.box:]...)
		m.box = 0
	}
}

func (m *boxes) readInit(s *scanner, b []byte) {
	if m.checkInit(s, b); s.flaw != nil {
		return
	}
	var init fmp4.Init
	if err := init.Unmarshal(bytes.NewReader(b)); err != nil {
		s.fail(protocol.BadMedia, "the init segment cannot be read: %v", err)
		return
	}
	if len(b) > maxInit {
		s.fail(protocol.BadMedia, "the init segment has %d bytes, at most %d", len(b), maxInit)
		return
	}
	for _, t := range init.Tracks {
		s.declared++
		switch c := t.Codec.(type) {
		case *codecs.H264:
			m.addVideo(s, t, protocol.H264)
			s.pictures.readSPS(s, c.SPS)
		case *codecs.H265:
			m.addVideo(s, t, protocol.HEVC)
			s.pictures.readSPS(s, c.SPS)
		case *codecs.AV1:
			m.addVideo(s, t, protocol.AV1)
			s.pictures.readAV1(s, c.SequenceHeader)
		case *codecs.MPEG4Audio:
			m.addSound(s, t)
			s.sound.name, s.sound.rate, s.sound.channels = "aac", c.Config.SampleRate, c.Config.ChannelCount
			s.sound.codecs = fmt.Sprintf("mp4a.40.%d", c.Config.Type)
		case *codecs.Opus:
			m.addSound(s, t)
			s.sound.name, s.sound.rate, s.sound.channels, s.sound.codecs = "opus", 48_000, c.ChannelCount, "opus"
		default:
			s.fail(protocol.BadMedia, "a track of a codec that nobody asked for")
		}
	}
}

func (m *boxes) addVideo(s *scanner, t *fmp4.InitTrack, c protocol.Codec) {
	switch {
	case m.video != nil || s.asked.soundOnly:
		s.fail(protocol.BadMedia, "a further track of pictures")
	case c != s.asked.codec:
		s.fail(protocol.UnsupportedCodec, "pictures are in %s, not %s", c, s.asked.codec)
	}
	m.video, s.hasVideo = t, true
}

func (m *boxes) addSound(s *scanner, t *fmp4.InitTrack) {
	if m.sound != nil {
		s.fail(protocol.BadMedia, "a further track of sound")
	}
	m.sound, s.hasAudio = t, true
}

func (m *boxes) readChunk(s *scanner, b []byte) {
	if m.checkIndex(s, b); s.flaw != nil {
		return
	}
	var parts fmp4.Parts
	if err := parts.Unmarshal(b); err != nil || len(parts) != 1 {
		s.blemish("chunk %d cannot be read: %v", m.chunks, err)
		return
	}
	if m.checkShares(s, b, parts[0].Tracks); s.flaw != nil {
		return
	}
	for _, t := range parts[0].Tracks {
		switch {
		case m.video != nil && t.ID == m.video.ID:
			m.span(t, m.video.TimeScale)
			m.readPictures(s, t)
		case m.sound != nil && t.ID == m.sound.ID:
			if m.video == nil {
				m.span(t, m.sound.TimeScale)
			}
			m.readSound(s, t)
		default:
			s.fail(protocol.BadMedia, "chunk %d has a track %d that the init segment does not", m.chunks, t.ID)
			return
		}
	}
}

// span notes how much media the chunk holds.
func (m *boxes) span(t *fmp4.PartTrack, scale uint32) {
	var sum uint64
	for _, x := range t.Samples {
		sum += uint64(x.Duration)
	}
	m.longest = max(m.longest, tick(min(sum, 1<<40), scale))
}

// tick is a time of a track in 1/90000 s.
func tick(t uint64, scale uint32) int64 {
	if scale == ticks {
		return int64(t)
	}
	whole, rest := t/uint64(scale), t%uint64(scale)
	return int64(whole)*ticks + (int64(rest)*ticks+int64(scale)/2)/int64(scale)
}

// maxMediaTime bounds what a track may say, so that sums stay sums.
const maxMediaTime = 1 << 50

func (m *boxes) readPictures(s *scanner, t *fmp4.PartTrack) {
	at := t.BaseTime
	for _, x := range t.Samples {
		if at > maxMediaTime {
			s.fail(protocol.BadMedia, "a picture at %d units", at)
			return
		}
		e := &elementary{dated: true, dts: tick(at, m.video.TimeScale)}
		shows := int64(at) + int64(x.PTSOffset)
		if shows < 0 {
			s.fail(protocol.BadMedia, "a picture before time began")
			return
		}
		e.pts = tick(uint64(shows), m.video.TimeScale)
		at += uint64(x.Duration)
		before := len(s.pictures.pts)
		if s.asked.codec == protocol.AV1 {
			s.pictures.av1Unit(s, x.Payload, e)
		} else {
			s.pictures.sample(s, x.Payload, e)
		}
		if s.flaw != nil {
			return
		}
		if len(s.pictures.pts) != before+1 {
			s.fail(protocol.BadMedia, "a sample that is not one picture")
			return
		}
	}
}

// sample reads a coded picture whose units have their length before them.
func (v *pictures) sample(s *scanner, b []byte, e *elementary) {
	v.bytes += int64(len(b))
	found := 0
	for len(b) > 0 && s.flaw == nil {
		if len(b) < maxUnitHead {
			s.blemish("a coded picture is cut")
			return
		}
		n := binary.BigEndian.Uint32(b)
		b = b[maxUnitHead:]
		if uint64(n) > uint64(len(b)) {
			s.blemish("a coded picture is cut")
			return
		}
		found += v.unit(s, b[:n], e, found)
		b = b[n:]
	}
}

func (m *boxes) readSound(s *scanner, t *fmp4.PartTrack) {
	a := &s.sound
	at := t.BaseTime
	for _, x := range t.Samples {
		if at > maxMediaTime {
			s.fail(protocol.BadMedia, "sound at %d units", at)
			return
		}
		a.sum.Write(x.Payload)
		a.packets++
		a.bytes += int64(len(x.Payload))
		a.date(tick(at, m.sound.TimeScale))
		at += uint64(x.Duration)
	}
	a.end = tick(at, m.sound.TimeScale)
}

// finish says what is missing at the end.
func (m *boxes) finish(s *scanner) {
	switch {
	case len(m.buf) > 0:
		s.blemish("the last box is cut")
	case m.init == 0 && s.bytes > 0:
		s.fail(protocol.BadMedia, "no init segment in %d bytes", s.bytes)
	}
}
