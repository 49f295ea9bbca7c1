package media_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/protocol"
)

func TestTranscode_segmentsJoinWithoutASeam(t *testing.T) {
	t.Parallel()
	segments := mediatest.Segments(t, mediatest.Spec{Seconds: 11, SegmentSeconds: 1})
	if len(segments) < 10 {
		t.Fatalf("%d segments, want at least 10", len(segments))
	}
	medium := rung(144, 200_000)
	medium.Name, medium.Preset = "medium", "medium"
	half := rung(90, 60_000)
	half.FPSNum, half.FPSDen = 15, 1
	ladder := protocol.Ladder{medium, rung(120, 150_000), half}

	c := start(t, media.Limits{})
	joined := make([][]byte, len(ladder))
	var starts []int64 // PTS of the first picture of each segment
	videoBytes := make([]int64, len(ladder))
	frames := make([]int, len(ladder))
	for k, s := range segments {
		res, out := transcode(t, c, ladder, s.Bytes, k > 0)
		starts = append(starts, res.Source.FirstPTS)
		source := soundHashes(t, s.Bytes)
		for i, r := range res.Renditions {
			want := 30
			if ladder[i].FPSNum > 0 {
				want = 15
				end := res.Source.FirstPTS + int64(res.Source.Duration.Seconds()*90000+0.5)
				if n := media.Slots(res.Source.FirstPTS, end, 15, 1); int(n) != want {
					t.Errorf("segment %d: Slots is %d", k, n)
				}
			}
			if r.Frames != want || r.Keyframes != 1 || r.Name != ladder[i].Name {
				t.Errorf("segment %d %s: %d frames with %d keyframes, want %d with 1", k, r.Name, r.Frames, r.Keyframes, want)
			}
			if p := int64(want) * int64(ladder[i].Width) * int64(ladder[i].Height); r.Pixels != p {
				t.Errorf("segment %d %s: %d pixels, want %d", k, r.Name, r.Pixels, p)
			}
			if r.Bytes != int64(len(out[i])) {
				t.Errorf("segment %d %s: %d bytes, says %d", k, r.Name, len(out[i]), r.Bytes)
			}
			if got := soundHashes(t, out[i]); !slices.Equal(got, source) {
				t.Errorf("segment %d %s: sound packets differ: %d, source has %d", k, r.Name, len(got), len(source))
			}
			if pid := int(out[i][1]&31)<<8 | int(out[i][2]); pid != 0 && pid != 17 {
				t.Errorf("segment %d %s begins with PID %d, want the tables", k, r.Name, pid)
			}
			if p := packets(t, out[i], "v"); len(p) != want || !p[0].key {
				t.Errorf("segment %d %s alone: %d packets, first %+v", k, r.Name, len(p), p[0])
			}
			joined[i] = append(joined[i], out[i]...)
			videoBytes[i] += r.VideoBytes
			if most := float64(ladder[i].Bitrate) * 2 * 1.05; float64(r.VideoBytes)*8 > most { // its own second and the buffer's
				t.Errorf("segment %d %s: %d bits of pictures, at most %.0f", k, r.Name, r.VideoBytes*8, most)
			}
			frames[i] += r.Frames
		}
	}
	for i, ts := range joined {
		p := ladder[i]
		decodeCleanly(t, ts)
		got := packets(t, ts, "v")
		if len(got) != frames[i] {
			t.Errorf("%s: %d packets, want %d", p.Name, len(got), frames[i])
		}
		step := int64(3000)
		if p.FPSNum > 0 {
			step = 6000
		}
		var keys, pts []int64
		for k, x := range got {
			if k > 0 && x.dts-got[k-1].dts != step {
				t.Errorf("%s: DTS steps from %d to %d, want steps of %d", p.Name, got[k-1].dts, x.dts, step)
			}
			if x.key {
				keys = append(keys, x.pts)
			}
			pts = append(pts, x.pts)
		}
		slices.Sort(pts)
		for k := range pts[1:] {
			if pts[k+1]-pts[k] != step {
				t.Errorf("%s: PTS steps from %d to %d, want steps of %d", p.Name, pts[k], pts[k+1], step)
			}
		}
		if !slices.Equal(keys, starts) {
			t.Errorf("%s: keyframes at %v, segments begin at %v", p.Name, keys, starts)
		}
		if rate := float64(videoBytes[i]) * 8 / float64(len(segments)); i == 0 && (rate > 1.15*float64(p.Bitrate) || rate < 0.6*float64(p.Bitrate)) {
			t.Errorf("%s: %.0f bit/s, asked for %d", p.Name, rate, p.Bitrate)
		}
	}
}

func TestTranscode_showsThePicturesOfTheSource(t *testing.T) {
	t.Parallel()
	c := start(t, media.Limits{})
	for name, spec := range map[string]mediatest.Spec{
		"plain":            {},
		"not wide":         {Width: 180, Height: 320},
		"upscaled":         {Width: 128, Height: 72},
		"10 bit":           {PixelFormat: "yuv420p10le"},
		"4:4:4":            {PixelFormat: "yuv444p"},
		"full range":       {PixelFormat: "yuvj420p"},
		"fat pixels":       {Width: 160, SAR: "2/1"},
		"no sound":         {NoAudio: true},
		"25 fps":           {FPS: 25},
		"44.1 kHz":         {SampleRate: 44100},
		"B pyramid":        {Preset: "medium", Extra: "-bf 5 -refs 6"},
		"no reorder hints": {Extra: "-bf 3 -bsf:v filter_units=remove_types=6"},
		"HEVC":             {Video: "libx265", Extra: "-x265-params log-level=none"},
		"MPEG-2":           {Video: "mpeg2video", Extra: "-q:v 3"},
	} {
		t.Run(name, func(t *testing.T) {
			spec.SegmentSeconds = 1
			segment := mediatest.Segments(t, spec)[0]
			p := rung(144, 300_000)
			res, out := transcode(t, c, protocol.Ladder{p}, segment.Bytes, false)
			source, rendition := measure(t, c, segment.Bytes, true), measure(t, c, out[0], true)
			if n := len(source.Frames); len(rendition.Frames) != n || res.Renditions[0].Frames != n || res.Source.Frames != n || n < 24 {
				t.Errorf("%d frames, says %d, source has %d and says %d", len(rendition.Frames), res.Renditions[0].Frames, n, res.Source.Frames)
			}
			if d := sameness(t, source, rendition); d > 3 {
				t.Errorf("pictures differ by %.2f on average", d)
			}
			m := rendition.Measurement
			if m.Width != 256 || m.Height != 144 || m.SARNum != m.SARDen || m.PixelFormat != "yuv420p" || m.CodecProfile != "high" && m.CodecProfile != "constrained_baseline" {
				t.Errorf("rendition is %+v", m)
			}
			if m.Level == 0 || m.Level > 31 {
				t.Errorf("level is %d", m.Level)
			}
			if m.Audio.Hash != source.Audio.Hash || m.Audio.Packets != source.Audio.Packets || (m.Audio.Packets == 0) != spec.NoAudio {
				t.Errorf("sound is %+v, source's is %+v", m.Audio, source.Audio)
			}
			if !m.KeyframeAt0 || m.Damaged != 0 || m.DTSBackwards != 0 {
				t.Errorf("rendition is %+v", m)
			}
			decodeCleanly(t, out[0])
		})
	}
}

func TestTranscode_doesWhatTheProfileAsks(t *testing.T) {
	t.Parallel()
	segment := mediatest.Segments(t, mediatest.Spec{})[0]
	c := start(t, media.Limits{})
	profile := func(name string, change func(*protocol.Profile)) protocol.Profile {
		p := rung(144, 300_000)
		p.Name, p.Preset = name, "veryfast"
		change(&p)
		return p
	}
	ladder := protocol.Ladder{
		profile("baseline", func(p *protocol.Profile) { p.CodecProfile = "baseline" }),
		profile("main", func(p *protocol.Profile) { p.CodecProfile = "main" }),
		profile("high", func(p *protocol.Profile) { p.CodecProfile, p.Lookahead, p.Preset = "high", 60, "medium" }),
		profile("gop", func(p *protocol.Profile) { p.GOPMillis = 500 }),
		profile("zero", func(p *protocol.Profile) { p.Lookahead = -1 }),
		profile("ntsc", func(p *protocol.Profile) { p.FPSNum, p.FPSDen = 30000, 1001 }),
		profile("fast", func(p *protocol.Profile) { p.FPSNum, p.FPSDen = 60, 1 }),
		profile("default", func(p *protocol.Profile) { p.Preset = "" }),
	}
	res, out := transcode(t, c, ladder, segment.Bytes, false)
	for i, want := range []struct {
		profile      string
		frames, keys int
	}{{"constrained_baseline", 60, 1}, {"main", 60, 1}, {"high", 60, 1}, {"high", 60, 4}, {"high", 60, 1}, {"high", 60, 1}, {"high", 120, 1}, {"high", 60, 1}} {
		m, r := measure(t, c, out[i], true), res.Renditions[i]
		keys := 0
		for _, f := range m.Frames {
			if f.Key {
				keys++
			}
		}
		if m.CodecProfile != want.profile || len(m.Frames) != want.frames || r.Frames != want.frames || keys != want.keys || r.Keyframes != want.keys {
			t.Errorf("%s: %s with %d frames (says %d), %d keyframes (says %d), want %+v", ladder[i].Name, m.CodecProfile, len(m.Frames), r.Frames, keys, r.Keyframes, want)
		}
		if m.Frames[0].PTS != r.FirstPTS || m.Frames[len(m.Frames)-1].PTS != r.LastPTS {
			t.Errorf("%s: shows from %d to %d, says %d to %d", ladder[i].Name, m.Frames[0].PTS, m.Frames[len(m.Frames)-1].PTS, r.FirstPTS, r.LastPTS)
		}
		decodeCleanly(t, out[i])
	}
}

func TestTranscode_carriesColourTags(t *testing.T) {
	t.Parallel()
	segment := mediatest.Segments(t, mediatest.Spec{SegmentSeconds: 1, Extra: "-x264-params colorprim=bt709:transfer=bt709:colormatrix=bt709"})[0]
	c := start(t, media.Limits{})
	_, out := transcode(t, c, protocol.Ladder{rung(144, 200_000)}, segment.Bytes, false)
	got, _ := mediatest.Run(t, out[0], mediatest.FFprobe(t), "-v", "error", "-select_streams", "v", "-show_entries", "stream=color_space,color_transfer,color_primaries", "-of", "csv=p=0", "-f", "mpegts", "-")
	if first, _, _ := strings.Cut(strings.TrimSpace(string(got)), "\n"); first != "bt709,bt709,bt709" {
		t.Errorf("colours are %q", first)
	}
}

func TestTranscode_resamplesSegmentsThatStartAnywhere(t *testing.T) {
	t.Parallel()
	segments := mediatest.Segments(t, mediatest.Spec{FPS: 60, Seconds: 4, SegmentSeconds: 1, Start: 12.345})
	half, odd := rung(144, 200_000), rung(120, 200_000)
	half.FPSNum, half.FPSDen = 30, 1
	odd.FPSNum, odd.FPSDen = 24, 1
	ladder := protocol.Ladder{half, odd}
	var joined [2][]byte
	for k, s := range segments {
		c := start(t, media.Limits{}) // every segment by another child: the grid alone makes them fit
		res, out := transcode(t, c, ladder, s.Bytes, k > 0)
		for i, r := range res.Renditions {
			first, last := res.Source.FirstPTS, res.Source.FirstPTS+int64(res.Source.Duration.Seconds()*90000+0.5)
			if n := media.Slots(first, last, ladder[i].FPSNum, ladder[i].FPSDen); int64(r.Frames) != n {
				t.Errorf("segment %d %s: %d frames, want %d", k, r.Name, r.Frames, n)
			}
			if d := r.FirstPTS - first; d > 1900 || d < -1900 {
				t.Errorf("segment %d %s begins %d ticks after its source", k, r.Name, d)
			}
			joined[i] = append(joined[i], out[i]...)
		}
	}
	for i, step := range []int64{3000, 3750} {
		decodeCleanly(t, joined[i])
		var pts []int64
		for _, p := range packets(t, joined[i], "v") {
			pts = append(pts, p.pts)
		}
		slices.Sort(pts)
		for k := range pts[1:] {
			if pts[k+1]-pts[k] != step {
				t.Errorf("%s: PTS steps from %d to %d, want steps of %d", ladder[i].Name, pts[k], pts[k+1], step)
			}
		}
	}
}

func TestTranscode_timestampsWrap(t *testing.T) {
	t.Parallel()
	const wrap = 1 << 33
	segments := mediatest.Segments(t, mediatest.Spec{Seconds: 6, SegmentSeconds: 1, Start: wrap/90000. - 1.4 - 2.5})
	ladder := protocol.Ladder{rung(144, 200_000)}
	c := start(t, media.Limits{})
	var starts []int64
	for k, s := range segments {
		res, out := transcode(t, c, ladder, s.Bytes, k > 0)
		r := res.Renditions[0]
		if r.Frames != 30 || r.FirstPTS != res.Source.FirstPTS || r.LastPTS-r.FirstPTS != 29*3000 {
			t.Errorf("segment %d: %+v of %+v", k, r, res.Source)
		}
		starts = append(starts, r.FirstPTS)
		decodeCleanly(t, out[0])
		m := measure(t, c, out[0], true)
		if len(m.Frames) != 30 || m.Frames[0].PTS != r.FirstPTS || m.Frames[29].PTS != r.LastPTS || sameness(t, measure(t, c, s.Bytes, true), m) > 3 {
			t.Errorf("segment %d shows %d frames from %d to %d", k, len(m.Frames), m.Frames[0].PTS, m.Frames[29].PTS)
		}
	}
	turns := 0
	for k := range starts[1:] {
		if starts[k+1] < starts[k] {
			turns++
		}
		if d := (starts[k+1] - starts[k] + wrap) % wrap; d != 90000 {
			t.Errorf("segment %d begins %d ticks after the one before", k+1, d)
		}
	}
	if turns != 1 {
		t.Errorf("segments begin at %v: the clock was to wrap once", starts)
	}
}

func TestTranscode_refusesWhatItCannotDo(t *testing.T) {
	t.Parallel()
	c := start(t, media.Limits{})
	segment := mediatest.Segments(t, mediatest.Spec{SegmentSeconds: 1})[0]
	refused := func(code protocol.Code, word string, p protocol.Profile, encoder string) {
		t.Helper()
		_, err := c.Transcode(background, media.Job{Ladder: protocol.Ladder{p}, Encoders: []string{encoder}, Source: bytes.NewReader(segment.Bytes), Out: func(int, []byte) error { return nil }})
		wantCode(t, err, code)
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%v does not name %s", err, word)
		}
	}
	p := rung(144, 200_000)
	refused(protocol.UnsupportedCodec, "no_such", p, "no_such")
	refused(protocol.BadLadder, "libx265", p, "libx265")
	p.Level = 10
	refused(protocol.BadLadder, "level", p, "")
	p = rung(576, 200_000)
	p.Level = 30 // has room for the pictures, not for 30 of them
	refused(protocol.BadLadder, "level", p, "")
	_, err := c.Transcode(background, media.Job{Source: strings.NewReader(""), Out: func(int, []byte) error { return nil }})
	wantCode(t, err, protocol.BadLadder)
}
