package media_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/protocol"
)

// decodedFilm is a stream as a player shows it: when each picture shows, its luma in 32×18, and the sound at 48 kHz.
type decodedFilm struct {
	pts      []int64 // 1/90000 s, ascending
	luma     [][]byte
	soundPTS []int64 // of the packets
	sound    []int16
}

// decodeFilm decodes a whole stream, and fails on any message of the decoder unless it is known to be dirty: FFmpeg's own segments
// begin their continuity counters anew.
func decodeFilm(t testing.TB, stream []byte, format string, dirty bool) decodedFilm {
	t.Helper()
	var f decodedFilm
	times := func(track string) (out []int64) {
		text, messages := mediatest.Run(t, stream, mediatest.FFprobe(t), "-v", "warning", "-select_streams", track, "-show_entries", "packet=pts_time", "-of", "csv=p=0", "-f", format, "-")
		if messages != "" && !dirty {
			t.Errorf("ffprobe says:\n%s", messages)
		}
		for _, line := range strings.Fields(string(text)) {
			s, err := strconv.ParseFloat(strings.Trim(line, ","), 64)
			if err != nil {
				t.Fatalf("ffprobe says %q", line)
			}
			out = append(out, int64(math.Round(s*90000)))
		}
		slices.Sort(out)
		return out
	}
	f.pts, f.soundPTS = times("v"), times("a")
	decode := func(args ...string) []byte {
		out, messages := mediatest.Run(t, stream, mediatest.FFmpeg(t), append([]string{"-v", "warning", "-f", format, "-i", "-"}, args...)...)
		if messages != "" && !dirty {
			t.Errorf("decoding says:\n%s", messages)
		}
		return out
	}
	if len(f.pts) > 0 {
		for raw := decode("-map", "0:v", "-vf", "scale=32:18:flags=area,format=gray", "-fps_mode", "passthrough", "-f", "rawvideo", "-"); len(raw) >= 32*18; raw = raw[32*18:] {
			f.luma = append(f.luma, raw[:32*18])
		}
	}
	if len(f.soundPTS) > 0 {
		raw := decode("-map", "0:a", "-ac", "1", "-ar", "48000", "-f", "s16le", "-")
		f.sound = make([]int16, len(raw)/2)
		for i := range f.sound {
			f.sound[i] = int16(binary.LittleEndian.Uint16(raw[2*i:]))
		}
	}
	return f
}

const window = 480 // 10 ms: 4.4 periods of the tone

// unsteady are the windows in which the sound, a tone, is louder or softer than most of it: where a seam repeats, loses or
// primes sound, and where an encoder goes wrong by itself.
func unsteady(t testing.TB, sound []int16) (out []int) {
	t.Helper()
	var loud []float64
	for i := 0; i+window <= len(sound); i += window {
		sum := 0.0
		for _, s := range sound[i : i+window] {
			sum += float64(s) * float64(s)
		}
		loud = append(loud, math.Sqrt(sum/window))
	}
	if len(loud) < 100 {
		t.Fatalf("%d ms of sound", 10*len(loud))
	}
	middle := slices.Sorted(slices.Values(loud))[len(loud)/2]
	for i, l := range loud {
		if l < 0.75*middle || l > 1.25*middle {
			out = append(out, i)
		}
	}
	return out
}

func TestTranscode_fiftySegmentsJoinAsOneInEveryKindOfOutput(t *testing.T) {
	t.Parallel()
	const pictures = 12 // of a segment
	segments := mediatest.Segments(t, mediatest.Spec{Width: 160, Height: 90, FPS: 24, Seconds: 25, SegmentSeconds: 0.5})
	if len(segments) != 50 {
		t.Fatalf("%d segments", len(segments))
	}
	var whole []byte
	for _, s := range segments {
		whole = append(whole, s.Bytes...)
	}
	source := decodeFilm(t, whole, "mpegts", true)
	if len(source.pts) != 50*pictures || len(source.luma) != len(source.pts) {
		t.Fatalf("the source has %d pictures, %d of them decode", len(source.pts), len(source.luma))
	}
	picture := func(change func(*protocol.Profile)) protocol.Profile {
		p := protocol.Profile{Name: "p", Width: 128, Height: 72, Bitrate: 300_000, Codec: protocol.H264, Preset: "ultrafast"}
		change(&p)
		return p
	}
	for name, p := range map[string]protocol.Profile{
		"h264 ts":           picture(func(p *protocol.Profile) { p.Preset = "veryfast" }),
		"h264 fmp4":         picture(func(p *protocol.Profile) { p.Container, p.PartMillis, p.Preset = "fmp4", 100, "veryfast" }),
		"hevc ts":           picture(func(p *protocol.Profile) { p.Codec = "hevc" }),
		"hevc fmp4":         picture(func(p *protocol.Profile) { p.Codec, p.Container = "hevc", "fmp4" }),
		"av1":               picture(func(p *protocol.Profile) { p.Codec, p.Container = "av1", "fmp4" }),
		"zero latency ts":   picture(func(p *protocol.Profile) { p.Lookahead = -1 }),
		"zero latency fmp4": picture(func(p *protocol.Profile) { p.Lookahead, p.Container, p.PartMillis = -1, "fmp4", 40 }),
		"zero latency hevc": picture(func(p *protocol.Profile) { p.Lookahead, p.Codec = -1, "hevc" }),
		"aac":               picture(func(p *protocol.Profile) { p.AudioCodec, p.AudioBitrate = "aac", 64_000 }),
		"opus":              picture(func(p *protocol.Profile) { p.AudioCodec, p.Container = "opus", "fmp4" }),
		"sound alone":       {Name: "p", Codec: protocol.H264},
		"aac alone fmp4":    {Name: "p", Codec: protocol.H264, AudioCodec: "aac", Container: "fmp4"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t, media.Limits{})
			ladder := protocol.Ladder{p}
			if p.SoundOnly() {
				ladder = append(ladder, picture(func(p *protocol.Profile) { p.Name, p.Width, p.Height = "beside", 32, 18 }))
			}
			var joined, init []byte
			for k, s := range segments {
				res, out := transcode(t, c, ladder, s.Bytes, k > 0)
				r := res.Renditions[0]
				if !p.SoundOnly() && (r.Frames != pictures || r.Keyframes != 1) || r.Bytes != int64(len(out[0])) {
					t.Fatalf("segment %d: %+v of %d bytes", k, r, len(out[0]))
				}
				head := out[0][:r.InitBytes]
				if (p.Container == "fmp4") != (len(head) > 0) {
					t.Fatalf("segment %d has an init segment of %d bytes", k, len(head))
				}
				if k == 0 {
					init, joined = head, slices.Clone(head)
				}
				if !bytes.Equal(init, head) {
					t.Fatalf("segment %d begins with another init segment", k)
				}
				joined = append(joined, out[0][r.InitBytes:]...)
			}
			format := "mpegts"
			if p.Container == "fmp4" {
				format = "mp4"
			}
			got := decodeFilm(t, joined, format, false)
			if !p.SoundOnly() {
				comparePictures(t, source, got)
			} else if len(got.pts) > 0 {
				t.Errorf("%d pictures", len(got.pts))
			}
			compareSound(t, source, got, p)
		})
	}
}

func comparePictures(t *testing.T, source, got decodedFilm) {
	t.Helper()
	if !slices.Equal(got.pts, source.pts) {
		i := 0
		for i < min(len(got.pts), len(source.pts)) && got.pts[i] == source.pts[i] {
			i++
		}
		t.Fatalf("%d pictures, the source has %d; from picture %d on they show at %v, not %v", len(got.pts), len(source.pts), i, got.pts[i:min(i+3, len(got.pts))], source.pts[i:min(i+3, len(source.pts))])
	}
	if len(got.luma) != len(got.pts) {
		t.Fatalf("%d of %d pictures decode", len(got.luma), len(got.pts))
	}
	for i, luma := range got.luma {
		if d := lumaDistance(luma, source.luma[i]); d > 6 {
			t.Fatalf("picture %d differs by %.1f", i, d)
		}
		// The one that shows must be this one, not a neighbour.
		for _, j := range []int{i - 2, i + 2} {
			if j >= 0 && j < len(source.luma) && lumaDistance(luma, source.luma[j]) < lumaDistance(luma, source.luma[i])-0.5 {
				t.Fatalf("picture %d looks like picture %d of the source", i, j)
			}
		}
	}
}

func lumaDistance(a, b []byte) float64 {
	sum := 0
	for i := range a {
		sum += max(int(a[i])-int(b[i]), int(b[i])-int(a[i]))
	}
	return float64(sum) / float64(len(a))
}

func compareSound(t *testing.T, source, got decodedFilm, p protocol.Profile) {
	t.Helper()
	if p.AudioCodec == "" {
		if len(got.soundPTS) != len(source.soundPTS) || math.Abs(float64(got.soundPTS[0]-source.soundPTS[0])) > 2 {
			t.Errorf("%d packets of sound from %d, the source has %d from %d", len(got.soundPTS), got.soundPTS[0], len(source.soundPTS), source.soundPTS[0])
		}
	} else {
		step, early := int64(1024*90000/48000), int64(1024*90000/48000)
		if p.AudioCodec == "opus" {
			step, early = 1800, 312*90000/48000
		}
		if got.soundPTS[0] != source.soundPTS[0]-early {
			t.Errorf("the sound begins at %d, the source's at %d, with %d that prime it", got.soundPTS[0], source.soundPTS[0], early)
		}
		for i := range got.soundPTS[1:] {
			if d := got.soundPTS[i+1] - got.soundPTS[i]; d != step {
				t.Fatalf("packet %d of the sound is %d ticks after the one before, want %d", i+1, d, step)
			}
		}
	}
	if a, b := len(got.sound), len(source.sound); a < b-3*2048 || a > b+2048 {
		t.Errorf("%d samples, the source has %d", a, b)
	}
	bad := unsteady(t, source.sound)
	for _, i := range unsteady(t, got.sound) {
		near := func(j int) bool { return i-j <= 5 && j-i <= 5 }
		if !near(0) && !near(len(got.sound)/window) && !slices.ContainsFunc(bad, near) {
			t.Fatalf("the sound breaks at %d ms", 10*i)
		}
	}
}
