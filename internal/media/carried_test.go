package media_test

import (
	"bytes"
	"encoding/json"
	"math/bits"
	"slices"
	"strings"
	"testing"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/protocol"
)

// captioned is two seconds of H.264 that say text as CEA-608 captions, two letters with each picture.
func captioned(t *testing.T, text string) []byte {
	t.Helper()
	raw := mediatest.Make(t, "h264", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30:duration=2", "-c:v", "libx264", "-preset", "ultrafast", "-x264-params", "aud=1:bframes=0:keyint=60:scenecut=0")
	pairs := [][2]byte{{}, {0x14, 0x20}, {0x14, 0x20}, {0x14, 0x2e}, {0x14, 0x2e}, {0x14, 0x70}, {0x14, 0x70}} // load, clear, last row
	if len(text)%2 != 0 {
		text += " "
	}
	for i := 0; i < len(text); i += 2 {
		pairs = append(pairs, [2]byte{text[i], text[i+1]})
	}
	pairs = append(pairs, [2]byte{0x14, 0x2f}, [2]byte{0x14, 0x2f}) // show
	delimiter := []byte{0, 0, 0, 1, 9}
	parts := bytes.Split(raw, delimiter)
	var out []byte
	for i, part := range parts[1:] {
		out = append(append(out, delimiter...), part[0])
		out = append(out, captionSEI(slices.Concat(pairs, make([][2]byte, 100))[i])...)
		out = append(out, part[1:]...)
	}
	return mediatest.Make(t, "ts", "-f", "h264", "-framerate", "30", "-i", write(t, "x.h264", out), "-c", "copy", "-bsf:v", "setts=ts=N*3000:time_base=1/90000")
}

// captionSEI is the NAL unit that carries a pair of CEA-608 bytes among the padding of 30 pictures a second.
func captionSEI(pair [2]byte) []byte {
	odd := func(b byte) byte {
		if bits.OnesCount8(b)%2 == 0 {
			b |= 0x80
		}
		return b
	}
	body := []byte{0xb5, 0, 0x31, 'G', 'A', '9', '4', 3, 0x40 | 20, 0xff, 0xfc, odd(pair[0]), odd(pair[1]), 0xfd, 0x80, 0x80}
	for range 18 {
		body = append(body, 0xfa, 0, 0)
	}
	body = append(body, 0xff)
	nal := append([]byte{6, 4, byte(len(body))}, body...)
	out, zeros := []byte{0, 0, 0, 1}, 0
	for _, b := range append(nal, 0x80) {
		if zeros >= 2 && b <= 3 {
			out, zeros = append(out, 3), 0
		}
		if out = append(out, b); b == 0 {
			zeros++
		} else {
			zeros = 0
		}
	}
	return out
}

// said is what the captions of a rendition say.
func said(t *testing.T, b []byte) string {
	t.Helper()
	out, _ := mediatest.Run(t, nil, mediatest.FFmpeg(t), "-v", "error", "-f", "lavfi", "-i", "movie="+write(t, "x.ts", b)+"[out0+subcc]", "-map", "0:1", "-f", "webvtt", "-")
	var text []string
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSpace(line); line != "" && line != "WEBVTT" && !strings.Contains(line, "-->") {
			text = append(text, line)
		}
	}
	return strings.Join(text, "\n")
}

func TestCaptions_areCarriedThroughEveryRendition(t *testing.T) {
	t.Parallel()
	const text = "THE QUICK BROWN FOX SAYS KINORA"
	source := captioned(t, text)
	if got := said(t, source); !strings.Contains(got, text) {
		t.Fatalf("the source says %q", got)
	}
	profile := func(name string, width, height uint32, change func(*protocol.Profile)) protocol.Profile {
		p := sized(width, height)
		p.Name = name
		change(&p)
		return p
	}
	ladder := protocol.Ladder{
		profile("same", 320, 180, func(*protocol.Profile) {}),
		profile("reordered", 256, 144, func(p *protocol.Profile) { p.Preset = "medium" }),
		profile("zero", 256, 144, func(p *protocol.Profile) { p.Lookahead = -1 }),
		profile("half", 256, 144, func(p *protocol.Profile) { p.FPSNum, p.FPSDen = 15, 1 }),
		profile("third", 320, 180, func(p *protocol.Profile) { p.FPSNum, p.FPSDen = 10, 1 }),
		profile("twice", 256, 144, func(p *protocol.Profile) { p.FPSNum, p.FPSDen = 60, 1 }),
		profile("odd", 160, 90, func(p *protocol.Profile) { p.FPSNum, p.FPSDen = 24, 1 }),
	}
	c := start(t, media.Limits{})
	_, out := transcode(t, c, ladder, source, false)
	want := said(t, source)
	for i, p := range ladder {
		if got := said(t, out[i]); got != want {
			t.Errorf("%s: says %q, want %q", p.Name, got, want)
		}
	}
}

// shown is what ffprobe says of the pictures' colours and of the first one's side data.
func shownBy(t *testing.T, b []byte) (colours string, side map[string]string) {
	t.Helper()
	text, _ := mediatest.Run(t, b, mediatest.FFprobe(t), "-v", "error", "-select_streams", "v", "-read_intervals", "%+#1", "-show_frames", "-show_streams", "-of", "json", "-")
	var probed struct {
		Frames []struct {
			Range     string           `json:"color_range"`
			Space     string           `json:"color_space"`
			Primaries string           `json:"color_primaries"`
			Transfer  string           `json:"color_transfer"`
			Side      []map[string]any `json:"side_data_list"`
		}
	}
	if err := json.Unmarshal(text, &probed); err != nil || len(probed.Frames) == 0 {
		t.Fatalf("%v: %s", err, text)
	}
	f := probed.Frames[0]
	side = make(map[string]string)
	for _, s := range f.Side {
		b, _ := json.Marshal(s)
		side[s["side_data_type"].(string)] = string(b)
	}
	return strings.Join([]string{f.Range, f.Space, f.Primaries, f.Transfer}, " "), side
}

const hdr10 = "-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -x265-params log-level=none:hdr10=1:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:" +
	"master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=1000,400:repeat-headers=1 -an"

func TestColours_areCarried(t *testing.T) {
	t.Parallel()
	c := start(t, media.Limits{})
	for name, tc := range map[string]struct{ extension, args, want string }{
		"BT.709":          {"ts", x264 + "-x264-params colorprim=bt709:transfer=bt709:colormatrix=bt709 -an", "tv bt709 bt709 bt709"},
		"BT.601":          {"ts", x264 + "-x264-params colorprim=smpte170m:transfer=smpte170m:colormatrix=smpte170m -an", "tv smpte170m smpte170m smpte170m"},
		"BT.709 turned":   {"mp4", x264 + "-x264-params colorprim=bt709:transfer=bt709:colormatrix=bt709 -an" + faststart, "tv bt709 bt709 bt709"},
		"HDR10":           {"ts", hdr10, "tv bt2020nc bt2020 smpte2084"},
		"AV1, HLG":        {"mp4", "-vf setparams=color_primaries=bt2020:color_trc=arib-std-b67:colorspace=bt2020nc -c:v libsvtav1 -preset 12 -pix_fmt yuv420p10le -an" + fragments, "tv bt2020nc bt2020 arib-std-b67"},
		"full to limited": {"ts", "-vf scale=out_range=full -c:v libx264 -preset ultrafast -pix_fmt yuvj420p -color_range pc -x264-params colorprim=bt709:transfer=bt709:colormatrix=bt709 -an", "tv bt709 bt709 bt709"},
	} {
		t.Run(name, func(t *testing.T) {
			segment := clip(t, tc.extension, tc.args)
			if strings.HasSuffix(name, "turned") {
				segment = mediatest.Make(t, "mp4", "-display_rotation", "90", "-i", write(t, "x.mp4", segment), "-c", "copy", "-movflags", "+faststart")
			}
			small := sized(160, 90)
			_, out := transcode(t, c, protocol.Ladder{sized(320, 180), small}, segment, false)
			for i := range 2 {
				colours, side := shownBy(t, out[i])
				if colours != tc.want {
					t.Errorf("rendition %d: %s, want %s", i, colours, tc.want)
				}
				if name != "HDR10" {
					continue
				}
				_, source := shownBy(t, segment)
				for _, kind := range []string{"Mastering display metadata", "Content light level metadata"} {
					if source[kind] == "" || side[kind] != source[kind] {
						t.Errorf("rendition %d: %s is %q, source's %q", i, kind, side[kind], source[kind])
					}
				}
			}
		})
	}
}
