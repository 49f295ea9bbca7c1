package media_test

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/protocol"
)

// at is a second of picture and sound that begins at that second of the clock.
func at(t *testing.T, second int, size, args string) []byte {
	t.Helper()
	return mediatest.Make(t, "ts", append([]string{"-f", "lavfi", "-i", "testsrc2=rate=30:duration=1:size=" + size, "-f", "lavfi", "-i", tone},
		append(strings.Fields(args), "-output_ts_offset", strconv.Itoa(second))...)...)
}

// steady fails unless the pictures stand step ticks apart.
func steady(t *testing.T, frames []media.FrameGrid, step int64) {
	t.Helper()
	for i := 1; i < len(frames); i++ {
		if d := frames[i].PTS - frames[i-1].PTS; d != step {
			t.Errorf("picture %d comes %d ticks after the one before", i, d)
		}
	}
}

func TestChanges_betweenSegmentsJoin(t *testing.T) {
	t.Parallel()
	c := start(t, media.Limits{})
	ladder := protocol.Ladder{rung(144, 300_000), rung(90, 100_000)}
	var joined [2][]byte
	for i, segment := range [][]byte{
		at(t, 1, "320x180", x264+"-bf 0 -c:a aac"),
		at(t, 2, "480x270", x265deep+"-bf 0 -c:a aac -ac 6"),
		at(t, 3, "180x320", mpeg2+"-bf 0 -c:a aac -ac 1"),
		at(t, 4, "320x180", x264+"-bf 0 -an"),
		at(t, 5, "320x180", x264+"-bf 0 -c:a libmp3lame"),
		at(t, 6, "64x64", x264+"-bf 0 -c:a ac3 -ac 6"),
	} {
		res, out := transcode(t, c, ladder, segment, i > 0)
		if res.Source.Frames != 30 || (res.Source.Audio.Packets > 0) != (i != 3) {
			t.Errorf("segment %d: %+v", i, res.Source)
		}
		for k := range joined {
			joined[k] = append(joined[k], out[k]...)
		}
	}
	for k, ts := range joined {
		got := packets(t, ts, "v")
		if len(got) != 180 {
			t.Errorf("rendition %d: %d pictures", k, len(got))
		}
		var shown []media.FrameGrid
		for i, p := range got {
			shown = append(shown, media.FrameGrid{PTS: p.pts})
			if i > 0 && p.dts <= got[i-1].dts {
				t.Errorf("rendition %d: DTS goes from %d to %d", k, got[i-1].dts, p.dts)
			}
		}
		slices.SortFunc(shown, func(a, b media.FrameGrid) int { return int(a.PTS - b.PTS) })
		steady(t, shown, 3000)
	}
}

func TestChanges_withinASegment(t *testing.T) {
	t.Parallel()
	c := start(t, media.Limits{})
	for name, tc := range map[string]struct {
		parts [][]byte
		code  protocol.Code
		text  string
	}{
		"codec":                {[][]byte{at(t, 1, "320x180", x264+"-bf 0 -an"), at(t, 2, "320x180", x265+"-bf 0 -an"), at(t, 3, "320x180", mpeg2+"-bf 0 -an")}, "", ""},
		"the track":            {[][]byte{at(t, 1, "320x180", x264+"-bf 0 -c:a aac"), at(t, 2, "320x180", x264+"-bf 0 -c:a aac -mpegts_start_pid 0x180")}, "", ""},
		"depth and size":       {[][]byte{at(t, 1, "320x180", x265deep+"-bf 0 -an"), at(t, 2, "160x120", x265+"-bf 0 -an")}, "", ""},
		"interlaced from here": {[][]byte{at(t, 1, "320x180", mpeg2+"-bf 0 -an"), at(t, 2, "320x180", "-vf interlace -r 30 -c:v mpeg2video -q:v 3 -flags +ildct+ilme -bf 0 -an")}, "", ""},
		"channels":             {[][]byte{at(t, 1, "320x180", x264+"-bf 0 -c:a aac -ac 2"), at(t, 2, "320x180", x264+"-bf 0 -c:a aac -ac 6")}, "", ""},
		"sound ends":           {[][]byte{at(t, 1, "320x180", x264+"-bf 0 -c:a aac"), at(t, 2, "320x180", x264+"-bf 0 -an")}, "", ""},
		"sound begins":         {[][]byte{at(t, 1, "320x180", x264+"-bf 0 -an"), at(t, 2, "320x180", x264+"-bf 0 -c:a aac")}, protocol.BadMedia, "sound track appears"},
		"codec of the sound":   {[][]byte{at(t, 1, "320x180", x264+"-bf 0 -c:a aac"), at(t, 2, "320x180", x264+"-bf 0 -c:a ac3")}, protocol.BadMedia, "sound changes from aac to ac3"},
	} {
		t.Run(name, func(t *testing.T) {
			segment := slices.Concat(tc.parts...)
			if tc.code != "" {
				_, err := c.Transcode(background, media.Job{Ladder: protocol.Ladder{rung(144, 300_000)}, Source: bytes.NewReader(segment), Out: func(int, []byte) error { return nil }})
				wantCode(t, err, tc.code)
				if !strings.Contains(err.Error(), tc.text) {
					t.Errorf("%v, want %q", err, tc.text)
				}
				return
			}
			res, out := transcode(t, c, protocol.Ladder{rung(144, 300_000)}, segment, false)
			source, m := measure(t, c, segment, true), measure(t, c, out[0], true)
			n := 30 * len(tc.parts)
			if name == "interlaced from here" {
				n = len(source.Frames)
			}
			if res.Source.Frames != n || len(m.Frames) != n || m.OtherSize != 0 || m.Damaged != 0 || len(source.Frames) != n {
				t.Errorf("%d frames, measured %d of %d: %+v", res.Source.Frames, len(m.Frames), len(source.Frames), m.Measurement)
			}
			if d := sameness(t, source, m); d > 3 {
				t.Errorf("differs by %.2f", d)
			}
			if m.Audio.Packets != source.Audio.Packets || m.Audio.Hash != source.Audio.Hash {
				t.Errorf("sound is %+v of %+v", m.Audio, source.Audio)
			}
			decodeCleanly(t, out[0])
		})
	}
}

// rewritten changes the timestamps of one track: change gets the number and PTS of each PES, and returns a PTS or -1 for none.
func rewritten(t *testing.T, ts []byte, pid int, change func(n int, pts int64) int64) []byte {
	t.Helper()
	out, n := bytes.Clone(ts), 0
	for i := 0; i+188 <= len(out); i += 188 {
		p := out[i : i+188]
		if int(p[1]&31)<<8|int(p[2]) != pid || p[1]&0x40 == 0 {
			continue
		}
		at := 4
		if p[3]&0x20 != 0 {
			at += 1 + int(p[4])
		}
		pes := p[at:]
		if pes[7]&0x80 == 0 {
			t.Fatalf("PES %d has no PTS", n)
		}
		b := pes[9:14]
		pts := int64(b[0]>>1&7)<<30 | int64(b[1])<<22 | int64(b[2]>>1)<<15 | int64(b[3])<<7 | int64(b[4]>>1)
		if pts = change(n, pts); pts < 0 {
			pes[7] &= 0x3f
			for k := range int(pes[8]) {
				pes[9+k] = 0xff
			}
		} else {
			pts &= 1<<33 - 1
			copy(b, []byte{b[0]&0xf1 | byte(pts>>30<<1), byte(pts >> 22), byte(pts>>15<<1) | 1, byte(pts >> 7), byte(pts<<1) | 1})
		}
		n++
	}
	if n == 0 {
		t.Fatalf("no PES of PID %d", pid)
	}
	return out
}

func TestTimestamps_thatAreWrongComeOutRightOrAreRefused(t *testing.T) {
	t.Parallel()
	const video, audio = 0x100, 0x101
	c := start(t, media.Limits{})
	one := at(t, 10, "320x180", x264+"-bf 0 -c:a aac")
	next := func(second int) []byte { return slices.Concat(one, at(t, second, "320x180", x264+"-bf 0 -c:a aac")) }
	for name, tc := range map[string]struct {
		input  []byte
		frames int
		gap    int64 // the longest step between pictures
		code   protocol.Code
	}{
		"as they should be":      {next(11), 60, 3000, ""},
		"jump back":              {next(5), 60, 3000, ""},
		"jump back by an hour":   {slices.Concat(at(t, 3610, "320x180", x264+"-bf 0 -c:a aac"), one), 60, 0, protocol.SegmentTooLong},
		"jump ahead":             {next(21), 60, 10*90000 + 3000, ""},
		"jump ahead by an hour":  {next(3610), 60, 0, protocol.SegmentTooLong},
		"pictures without":       {rewritten(t, one, video, func(n int, pts int64) int64 { return map[bool]int64{true: -1, false: pts}[n%3 == 1] }), 30, 3000, ""},
		"only the first":         {rewritten(t, one, video, func(n int, pts int64) int64 { return map[bool]int64{true: -1, false: pts}[n > 0] }), 30, 3000, ""},
		"pictures all without":   {rewritten(t, one, video, func(int, int64) int64 { return -1 }), 0, 0, protocol.BadMedia},
		"pictures all at once":   {rewritten(t, one, video, func(int, int64) int64 { return 900000 }), 30, 3000, ""},
		"sound all at once":      {rewritten(t, one, audio, func(int, int64) int64 { return 900000 }), 30, 3000, ""},
		"sound without":          {rewritten(t, one, audio, func(n int, pts int64) int64 { return map[bool]int64{true: -1, false: pts}[n > 0] }), 30, 3000, ""},
		"sound jumps by an hour": {rewritten(t, one, audio, func(n int, pts int64) int64 { return pts + map[bool]int64{true: 3600 * 90000}[n == 2] }), 30, 3000, ""},
		"sound jumps back":       {rewritten(t, one, audio, func(n int, pts int64) int64 { return pts - map[bool]int64{true: 5 * 90000}[n >= 2] }), 30, 3000, ""},
		"sound is elsewhere":     {rewritten(t, one, audio, func(n int, pts int64) int64 { return pts + 3600*90000 }), 0, 0, protocol.BadMedia},
		"wraps":                  {mediatest.Make(t, "ts", strings.Fields("-f lavfi -i "+picture+" -f lavfi -i "+tone+" "+x264+"-bf 2 -c:a aac -output_ts_offset 95442.2")...), 30, 3000, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var o outputs
			began := time.Now()
			res, err := c.Transcode(background, media.Job{Ladder: protocol.Ladder{rung(144, 300_000)}, Source: bytes.NewReader(tc.input), Out: o.take})
			if d := time.Since(began); d > 30*time.Second {
				t.Errorf("took %s", d)
			}
			if tc.code != "" {
				wantCode(t, err, tc.code)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			m := measure(t, c, o.got[0], true)
			if res.Source.Frames != tc.frames || len(m.Frames) != tc.frames || m.DTSBackwards != 0 || m.Damaged != 0 {
				t.Errorf("%d frames, measured %d, want %d: %+v", res.Source.Frames, len(m.Frames), tc.frames, m.Measurement)
			}
			for i := 1; i < len(m.Frames); i++ {
				if d := m.Frames[i].PTS - m.Frames[i-1].PTS; d <= 0 || d > tc.gap {
					t.Errorf("picture %d comes %d ticks after the one before", i, d)
				}
			}
			var last int64
			sound := packets(t, o.got[0], "a")
			for i, p := range sound {
				if d := p.pts - last; i > 0 && (d < 1900 || d > 1950 && d > tc.gap) {
					t.Errorf("sound packet %d comes %d ticks after the one before", i, d)
				}
				last = p.pts
			}
			if want := measure(t, c, tc.input, false).Audio.Packets; len(sound) != want || want < 40*tc.frames/30 {
				t.Errorf("%d sound packets of %d", len(sound), want)
			}
			if tc.gap == 3000 { // ffmpeg mends a jump, and says so
				decodeCleanly(t, o.got[0])
			}
		})
	}
}

func TestTimestamps_ofAVariableRateAreKept(t *testing.T) {
	t.Parallel()
	c := start(t, media.Limits{})
	for _, extension := range []string{"ts", "mp4", "mkv"} {
		segment := mediatest.Make(t, extension, strings.Fields("-f lavfi -i testsrc2=size=320x180:rate=60:duration=1,select=lt(n\\,10)+not(mod(n\\,7))+between(n\\,40\\,44) -fps_mode vfr "+x264+"-bf 2 -an -movflags +faststart")...)
		half := rung(90, 100_000)
		half.FPSNum, half.FPSDen = 30, 1
		_, out := transcode(t, c, protocol.Ladder{rung(144, 300_000), half}, segment, false)
		source, m, steadied := measure(t, c, segment, true), measure(t, c, out[0], true), measure(t, c, out[1], true)
		if len(m.Frames) != len(source.Frames) || len(m.Frames) < 15 || len(m.Frames) > 30 {
			t.Fatalf("%s: %d pictures of %d", extension, len(m.Frames), len(source.Frames))
		}
		for i := range m.Frames {
			if m.Frames[i].PTS-m.Frames[0].PTS != source.Frames[i].PTS-source.Frames[0].PTS {
				t.Errorf("%s: picture %d is at %d, was at %d", extension, i, m.Frames[i].PTS, source.Frames[i].PTS)
			}
		}
		steady(t, steadied.Frames, 3000)
		decodeCleanly(t, out[0])
	}
}
