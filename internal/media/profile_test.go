package media_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/protocol"
)

// probed is what ffprobe says of a stream's tracks.
type probed struct {
	Type          string `json:"codec_type"`
	Codec         string `json:"codec_name"`
	Profile       string `json:"profile"`
	Tag           string `json:"codec_tag_string"`
	Width         int    `json:"width"`
	Height        int    `json:"height"`
	Level         int    `json:"level"`
	PixelFormat   string `json:"pix_fmt"`
	SAR           string `json:"sample_aspect_ratio"`
	SampleRate    string `json:"sample_rate"`
	Channels      int    `json:"channels"`
	Primaries     string `json:"color_primaries"`
	Transfer      string `json:"color_transfer"`
	Space         string `json:"color_space"`
	Range         string `json:"color_range"`
	HasBFrames    int    `json:"has_b_frames"`
	ClosedCaption int    `json:"closed_captions"`
}

func probe(t testing.TB, stream []byte) map[string]probed {
	t.Helper()
	text, messages := mediatest.Run(t, stream, mediatest.FFprobe(t), "-v", "warning", "-show_streams", "-of", "json", "-")
	if messages != "" {
		t.Errorf("ffprobe says:\n%s", messages)
	}
	var got struct{ Streams []probed }
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	out := make(map[string]probed)
	for _, s := range got.Streams {
		out[s.Type] = s
	}
	return out
}

func TestTranscode_keepsToTheCodecProfileLevelAndSoundAskedFor(t *testing.T) {
	t.Parallel()
	segment := mediatest.Segments(t, mediatest.Spec{SegmentSeconds: 1})[0]
	c := start(t, media.Limits{})
	base := protocol.Profile{Width: 256, Height: 144, Bitrate: 300_000, Preset: "ultrafast"}
	for name, tc := range map[string]struct {
		change  func(*protocol.Profile)
		profile string
		level   int
		pixels  string
		sound   string // codec and channels
	}{
		"h264 level":      {func(p *protocol.Profile) { p.Codec, p.Level, p.CodecProfile, p.Preset = "h264", 41, "main", "veryfast" }, "Main", 41, "yuv420p", "aac 1"},
		"h264 tuned":      {func(p *protocol.Profile) { p.Codec, p.Tune, p.AudioCodec = "h264", "film", "none" }, "High", 12, "yuv420p", ""},
		"h264 tuned fast": {func(p *protocol.Profile) { p.Codec, p.Tune, p.Lookahead = "h264", "animation", -1 }, "High", 12, "yuv420p", "aac 1"},
		"hevc":            {func(p *protocol.Profile) { p.Codec, p.Level = "hevc", 31 }, "Main", 93, "yuv420p", "aac 1"},
		"hevc 10 bit": {func(p *protocol.Profile) {
			p.Codec, p.CodecProfile, p.Container, p.Tune, p.AudioCodec, p.AudioChannels = "hevc", "main10", "fmp4", "grain", "aac", 2
		}, "Main 10", 60, "yuv420p10le", "aac 2"},
		"av1": {func(p *protocol.Profile) {
			p.Codec, p.Container, p.AudioCodec, p.AudioChannels = "av1", "fmp4", "opus", 6
		}, "Main", 0, "yuv420p", "opus 6"},
		"opus": {func(p *protocol.Profile) {
			p.Codec, p.Container, p.AudioCodec, p.AudioBitrate = "h264", "fmp4", "opus", 24_000
		}, "High", 12, "yuv420p", "opus 1"},
	} {
		t.Run(name, func(t *testing.T) {
			p := base
			p.Name = strings.ReplaceAll(name, " ", "-")
			tc.change(&p)
			if p.Codec == "h264" && p.CodecProfile == "" {
				p.Preset = "veryfast" // with which it is High
			}
			res, out := transcode(t, c, protocol.Ladder{p}, segment.Bytes, false)
			got := probe(t, out[0])
			v, a := got["video"], got["audio"]
			if v.Codec != string(p.Codec) || v.Profile != tc.profile || v.Level != tc.level || v.PixelFormat != tc.pixels || v.Width != 256 || v.Height != 144 || v.SAR != "1:1" {
				t.Errorf("pictures are %+v", v)
			}
			if p.Container == "fmp4" && p.Codec == "hevc" && v.Tag != "hvc1" {
				t.Errorf("the tag is %s", v.Tag)
			}
			sound := ""
			if a.Codec != "" {
				sound = fmt.Sprintf("%s %d", a.Codec, a.Channels)
			}
			if sound != tc.sound || res.Renditions[0].AudioCodec != a.Codec {
				t.Errorf("sound is %q (%+v), says %q", sound, a, res.Renditions[0].AudioCodec)
			}
		})
	}
}

// TestTranscode_boundsTheRateByItsBuffer pours the coded pictures of noise, which no rate is enough for, into the buffer of a
// second that the profile speaks of.
func TestTranscode_boundsTheRateByItsBuffer(t *testing.T) {
	t.Parallel()
	segments := mediatest.Segments(t, mediatest.Spec{Width: 256, Height: 144, Picture: "testsrc2", Seconds: 6, SegmentSeconds: 2, Extra: "-vf noise=alls=60:allf=t+u -crf 18", NoAudio: true})
	for _, codec := range []protocol.Codec{"h264", "hevc", "av1"} {
		for _, lookahead := range []int32{0, -1} {
			t.Run(fmt.Sprint(codec, lookahead), func(t *testing.T) {
				t.Parallel()
				c := start(t, media.Limits{})
				p := protocol.Profile{Name: "p", Width: 256, Height: 144, Bitrate: 400_000, Codec: codec, Preset: "veryfast", Lookahead: lookahead, Container: "fmp4"}
				var at, size []float64
				for k, s := range segments {
					_, out := transcode(t, c, protocol.Ladder{p}, s.Bytes, k > 0)
					text, _ := mediatest.Run(t, out[0], mediatest.FFprobe(t), "-v", "warning", "-select_streams", "v", "-show_entries", "packet=dts_time,size", "-of", "csv=p=0", "-f", "mp4", "-")
					for _, line := range strings.Fields(string(text)) {
						cells := strings.Split(line, ",")
						seconds, err1 := strconv.ParseFloat(cells[0], 64)
						bytes, err2 := strconv.ParseFloat(cells[1], 64)
						if err1 != nil || err2 != nil {
							t.Fatalf("ffprobe says %q", line)
						}
						at, size = append(at, seconds), append(size, 8*bytes)
					}
				}
				if len(at) != 180 {
					t.Fatalf("%d pictures", len(at))
				}
				rate, most, total := float64(p.Bitrate), 0.0, 0.0
				for i := range at {
					window := 0.0
					for j := i; j < len(at) && at[j] < at[i]+1; j++ {
						window += size[j]
					}
					most, total = max(most, window), total+size[i]
				}
				t.Logf("%.2f of the rate over all, at most %.2f in a second", total/6/rate, most/rate)
				if most > 2*rate {
					t.Errorf("%.0f bits in a second, the rate and the buffer are %.0f", most, 2*rate)
				}
				if mean := total / 6 / rate; mean < 0.8 || mean > 1.15 {
					t.Errorf("%.2f of the rate on average", mean)
				}
			})
		}
	}
}

func TestTranscode_fitsPicturesOfAnotherShape(t *testing.T) {
	t.Parallel()
	// A black square of 90×90 in the middle of white: bars show at the edge, and the square what became of the shape.
	square := mediatest.Spec{Width: 240, Height: 180, NoClock: true, NoAudio: true, SegmentSeconds: 0.5, Picture: "color=c=white",
		Extra: "-vf drawbox=x=75:y=45:w=90:h=90:color=black:t=fill"}
	fat := square
	fat.Width, fat.SAR, fat.Extra = 120, "2/1", "-vf drawbox=x=37:y=45:w=45:h=90:color=black:t=fill,setsar=2/1"
	type shape struct {
		width, height int  // of the picture
		w, h          int  // of the square
		left, top     bool // bars
	}
	for name, spec := range map[string]mediatest.Spec{"square pixels": square, "fat pixels": fat} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t, media.Limits{})
			segment := mediatest.Segments(t, spec)[0]
			for fit, want := range map[protocol.Fit]shape{
				"":               {320, 180, 120, 90, false, false},
				protocol.Stretch: {320, 180, 120, 90, false, false},
				protocol.Pad:     {320, 180, 90, 90, true, false},
				protocol.Crop:    {320, 180, 120, 120, false, false},
				protocol.Contain: {240, 180, 90, 90, false, false},
			} {
				p := protocol.Profile{Name: "p", Width: 320, Height: 180, Bitrate: 500_000, Codec: protocol.H264, Preset: "ultrafast", Fit: fit}
				tall := p
				tall.Name, tall.Width, tall.Height = "tall", 160, 320
				res, out := transcode(t, c, protocol.Ladder{p, tall}, segment.Bytes, false)
				r := res.Renditions[0]
				if r.Width != want.width || r.Height != want.height || r.Pixels != int64(r.Frames*want.width*want.height) {
					t.Errorf("%q: %d×%d, %d pixels of %d pictures", fit, r.Width, r.Height, r.Pixels, r.Frames)
				}
				got := lookAt(t, out[0], want.width, want.height)
				if d := got.w - want.w; d < -5 || d > 5 {
					t.Errorf("%q: the square is %d wide, want %d", fit, got.w, want.w)
				}
				if d := got.h - want.h; d < -5 || d > 5 {
					t.Errorf("%q: the square is %d high, want %d", fit, got.h, want.h)
				}
				if got.left != want.left || got.top != want.top {
					t.Errorf("%q: bars at the left %t, at the top %t", fit, got.left, got.top)
				}
				if fit == protocol.Pad {
					if got := lookAt(t, out[1], 160, 320); !got.top || got.left || got.w < 57 || got.w > 63 || got.h < 57 || got.h > 63 {
						t.Errorf("padded into a tall picture: %+v", got)
					}
				}
			}
		})
	}
}

// lookAt finds the black square in the middle of the first picture, and black at its edges.
func lookAt(t testing.TB, stream []byte, width, height int) (s struct {
	w, h      int
	left, top bool
}) {
	t.Helper()
	raw, _ := mediatest.Run(t, stream, mediatest.FFmpeg(t), "-v", "error", "-i", "-", "-frames:v", "1", "-vf", "format=gray", "-f", "rawvideo", "-")
	if len(raw) != width*height {
		t.Fatalf("%d bytes of luma for %d×%d", len(raw), width, height)
	}
	dark := func(x, y int) bool { return raw[y*width+x] < 110 }
	for x := width / 2; x < width && dark(x, height/2); x++ {
		s.w += 2
	}
	for y := height / 2; y < height && dark(width/2, y); y++ {
		s.h += 2
	}
	s.left, s.top = dark(1, height/2), dark(width/2, 1)
	return s
}
