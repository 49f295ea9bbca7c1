package verify

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/kinora/kinora/internal/protocol"
)

// finish reads what is left and says what the segment holds. Where a flaw ended the scan, it says what was seen until then.
func (s *scanner) finish() Stream {
	if s.flaw == nil {
		if s.mp4 != nil {
			s.mp4.finish(s)
		}
		if len(s.packet) > 0 {
			s.blemish("the last packet is cut")
		}
		s.endPES(&s.video, true)
		s.endPES(&s.audio, false)
	}
	v := &s.pictures
	switch {
	case s.flaw != nil:
	case s.bytes == 0:
		s.fail(protocol.EmptySegment, "the segment has no bytes")
	case s.mp4 == nil && (len(s.tables) == 0 || s.declared == 0):
		s.fail(protocol.BadMedia, "not an MPEG-TS: no tables in %d bytes", s.bytes)
	case s.asked.soundOnly:
		if !s.hasAudio || s.sound.packets == 0 {
			s.fail(protocol.BadMedia, "the segment has no sound")
		}
	case !s.hasVideo && s.videoType != 0:
		wanted := "H.264 (0x1b) and HEVC (0x24) are"
		if s.strict {
			wanted = fmt.Sprintf("only %s (0x%02x) is", s.asked.codec, s.wantedType())
		}
		s.fail(protocol.UnsupportedCodec, "the video track is of stream type 0x%02x; %s taken", s.videoType, wanted)
	case !s.hasVideo:
		s.fail(protocol.NoVideo, "the segment has no video track")
	case !v.begun:
		s.fail(protocol.NoVideo, "the video track has no pictures")
	case !v.startsKey: // before the parameters, which go missing with it
		s.fail(protocol.NoKeyframe, "the first picture is not a keyframe: cut segments at keyframes")
	case v.params == nil:
		s.fail(protocol.BadMedia, "the video track has no readable sequence parameters")
	case len(v.pts) == 0:
		s.fail(protocol.BadMedia, "no picture has a timestamp")
	}
	st := Stream{Bytes: s.bytes, Codec: string(s.asked.codec), VideoBytes: v.bytes, slices: v.slices, Keyframes: len(v.keys), Damaged: s.damaged}
	s.sum.Sum(st.SHA256[:0])
	if s.mp4 != nil {
		st.InitBytes, st.chunks, st.longestChunk = s.mp4.init, s.mp4.chunks, s.mp4.longest
	}
	if s.asked.soundOnly {
		return st.soundAlone(s)
	}
	if v.params == nil || len(v.pts) == 0 {
		return st
	}
	st.Width, st.Height, st.Codecs = v.params.width, v.params.height, v.params.codecs
	st.SARNum, st.SARDen = v.params.sarNum, v.params.sarDen
	st.Frames = len(v.pts) + v.undated
	st.Pixels = uint64(st.Width) * uint64(st.Height) * uint64(st.Frames)
	first, last := slices.Min(v.pts), slices.Max(v.pts)
	shift := first - first&(wrap-1) // what is shown first lies in [0, 2^33)
	st.turns = shift
	st.PTS = make([]int64, len(v.pts))
	for i, t := range v.pts {
		st.PTS[i] = t - shift
		if len(v.keys) > 0 && t < v.keys[0] {
			st.Leading++
		}
	}
	slices.Sort(st.PTS)
	if slices.Contains(gaps(st.PTS), 0) {
		s.blemish("two pictures have the same PTS")
		st.Damaged = s.damaged
	}
	st.FirstPTS, st.LastPTS = first-shift, last-shift
	st.rate()
	if codecs := st.hear(s, shift); codecs != "" {
		st.Codecs += "," + codecs
	}
	return st
}

// hear adds the sound, and returns its part of CODECS.
func (st *Stream) hear(s *scanner, shift int64) string {
	a := &s.sound
	if !s.hasAudio || a.packets == 0 {
		return ""
	}
	name, codecs := a.codec(s.audioType)
	st.Audio = Audio{Codec: name, SampleRate: a.rate, Channels: a.channels, Packets: a.packets, Bytes: a.bytes,
		FirstPTS: a.first - shift, LastPTS: a.last - shift, coarse: min(a.coarse, ticks)}
	a.sum.Sum(st.Audio.Hash[:0])
	return codecs
}

// soundAlone is the stream of a rendition without pictures: its times are those of its packets.
func (st Stream) soundAlone(s *scanner) Stream {
	a := &s.sound
	if a.packets == 0 || !a.timed {
		return st
	}
	st.Codec = ""
	shift := a.first - a.first&(wrap-1)
	st.turns = shift
	st.Codecs = st.hear(s, shift)
	st.FirstPTS, st.LastPTS = a.first-shift, a.last-shift
	end := max(a.end, a.clock, a.last)
	st.Duration = time.Duration(float64(end-a.first) / ticks * float64(time.Second))
	return st
}

// gaps are the distances between neighbours.
func gaps(pts []int64) []int64 {
	if len(pts) < 2 {
		return nil
	}
	out := make([]int64, len(pts)-1)
	for i := range out {
		out[i] = pts[i+1] - pts[i]
	}
	return out
}

// usualRates are snapped to where timestamps rounded to 1/90000 s mean them.
var usualRates = [][2]uint32{{24000, 1001}, {24, 1}, {25, 1}, {30000, 1001}, {30, 1}, {48, 1}, {50, 1}, {60000, 1001}, {60, 1},
	{12, 1}, {15000, 1001}, {15, 1}, {120, 1}, {20, 1}, {10, 1}, {5, 1}, {25, 2}}

// rate derives the frame rate and the duration from the timestamps; the last picture is taken to show for the mean
// interval, as kinora-media does.
func (st *Stream) rate() {
	span := st.LastPTS - st.FirstPTS
	intervals := int64(st.Frames - 1)
	if span <= 0 || intervals <= 0 {
		return
	}
	end := st.LastPTS + (span+intervals/2)/intervals
	st.Duration = time.Duration(float64(end-st.FirstPTS) / ticks * float64(time.Second))
	fps := float64(intervals) * ticks / float64(span)
	d := gcd(intervals*ticks, span)
	num, den := intervals*ticks/d, span/d
	for _, r := range usualRates {
		if math.Abs(fps*float64(r[1])/float64(r[0])-1) < 0.0004 {
			num, den = int64(r[0]), int64(r[1])
			break
		}
	}
	for num > math.MaxUint32 || den > math.MaxUint32 {
		num, den = (num+1)/2, (den+1)/2
	}
	st.FPSNum, st.FPSDen, st.FPS = uint32(num), uint32(den), float64(num)/float64(den)
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
