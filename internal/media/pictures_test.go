package media_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/protocol"
)

// write keeps bytes in a file for FFmpeg.
func write(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func sized(width, height uint32) protocol.Profile {
	p := rung(height, 400_000)
	p.Width = width
	return p
}

func TestPictures_areTurnedUpright(t *testing.T) {
	t.Parallel()
	c := start(t, media.Limits{})
	lying := write(t, "lying.mp4", clip(t, "mp4", x264+"-an"+faststart))
	for name, tc := range map[string]struct {
		args          []string
		width, height uint32
	}{
		"90":            {[]string{"-display_rotation", "90"}, 180, 320},
		"180":           {[]string{"-display_rotation", "180"}, 320, 180},
		"270":           {[]string{"-display_rotation", "270"}, 180, 320},
		"0":             {[]string{"-display_rotation", "0"}, 320, 180},
		"mirrored":      {[]string{"-display_hflip"}, 320, 180},
		"90 and turned": {[]string{"-display_rotation", "90", "-display_vflip"}, 180, 320},
	} {
		t.Run(name, func(t *testing.T) {
			turned := mediatest.Make(t, "mp4", append(tc.args, "-i", lying, "-c", "copy", "-movflags", "+faststart")...)
			upright := mediatest.Make(t, "mp4", "-i", write(t, "turned.mp4", turned), "-c:v", "libx264", "-preset", "ultrafast", "-crf", "10") // ffmpeg turns by itself
			res, out := transcode(t, c, protocol.Ladder{sized(tc.width/2, tc.height/2)}, turned, false)
			if res.Source.Width != int(tc.width) || res.Source.Height != int(tc.height) {
				t.Errorf("source is %d×%d", res.Source.Width, res.Source.Height)
			}
			want, source, got := measure(t, c, upright, true), measure(t, c, turned, true), measure(t, c, out[0], true)
			if len(got.Frames) != 30 || source.Width != int(tc.width) {
				t.Errorf("%d frames of %d×%d", len(got.Frames), source.Width, source.Height)
			}
			for i := range got.Frames { // by number: the muxers begin at other times
				got.Frames[i].PTS, source.Frames[i].PTS, want.Frames[i].PTS = int64(i), int64(i), int64(i)
			}
			if d := sameness(t, want, got); d > 3 {
				t.Errorf("rendition differs by %.2f", d)
			}
			if d := sameness(t, want, source); d > 2 {
				t.Errorf("the source's measure differs by %.2f", d)
			}
		})
	}
}

// combed is the share of pictures that FFmpeg finds interlaced.
func combed(t *testing.T, b []byte) float64 {
	t.Helper()
	_, report := mediatest.Run(t, nil, mediatest.FFmpeg(t), "-hide_banner", "-i", write(t, "x.ts", b), "-vf", "idet", "-an", "-f", "null", "-")
	_, line, ok := strings.Cut(report, "Multi frame detection: TFF:")
	if !ok {
		t.Fatalf("idet says %s", report)
	}
	f := strings.Fields(strings.NewReplacer("BFF:", " ", "Progressive:", " ", "Undetermined:", " ").Replace(line))
	var n [3]float64
	for i := range n {
		n[i], _ = strconv.ParseFloat(f[i], 64)
	}
	return (n[0] + n[1]) / (n[0] + n[1] + n[2])
}

func TestPictures_areDeinterlacedOneForOne(t *testing.T) {
	t.Parallel()
	c := start(t, media.Limits{})
	for name, args := range map[string]string{
		"H.264, top field first":     "-vf interlace=scan=tff -c:v libx264 -preset ultrafast -crf 15 -flags +ildct+ilme -x264opts tff=1",
		"H.264, bottom field first":  "-vf interlace=scan=bff -c:v libx264 -preset ultrafast -crf 15 -flags +ildct+ilme -x264opts bff=1",
		"MPEG-2":                     "-vf interlace=scan=tff -c:v mpeg2video -q:v 3 -flags +ildct+ilme",
		"H.264, then a moving sound": "-vf interlace=scan=tff -c:v libx264 -preset veryfast -crf 15 -flags +ildct+ilme -x264opts tff=1:bframes=3 -c:a aac",
	} {
		t.Run(name, func(t *testing.T) {
			input := []string{"-f", "lavfi", "-i", "testsrc2=size=640x180:rate=60:duration=1,crop=320:180:n*4:0"}
			if strings.Contains(args, "-c:a") {
				input = append(input, "-f", "lavfi", "-i", tone)
			}
			segment := mediatest.Make(t, "ts", append(input, strings.Fields(args)...)...)
			full, small := sized(320, 180), sized(160, 90)
			full.Bitrate = 2_000_000
			res, out := transcode(t, c, protocol.Ladder{full, small}, segment, false)
			if combed(t, segment) < 0.5 {
				t.Fatalf("the source is not interlaced: %.2f", combed(t, segment))
			}
			if share := combed(t, out[0]); share > 0.05 {
				t.Errorf("%.2f of the rendition is interlaced", share)
			}
			if res.Source.Frames != 30 {
				t.Errorf("source has %d frames", res.Source.Frames)
			}
			for i := range 2 {
				m := measure(t, c, out[i], true)
				if len(m.Frames) != 30 || m.Frames[0].PTS != res.Source.FirstPTS || sameness(t, measure(t, c, segment, true), m) > 4 {
					t.Errorf("%d frames from %d, source from %d", len(m.Frames), m.Frames[0].PTS, res.Source.FirstPTS)
				}
				for k := range m.Frames[1:] {
					if d := m.Frames[k+1].PTS - m.Frames[k].PTS; d != 3000 {
						t.Errorf("frame %d comes after %d", k+1, d)
					}
				}
				decodeCleanly(t, out[i])
			}
		})
	}
}

func TestPictures_ofAnyRangeAndDepthKeepTheirBrightness(t *testing.T) {
	t.Parallel()
	c := start(t, media.Limits{})
	want := measure(t, c, clip(t, "ts", x264+"-crf 10 -an"), true)
	for name, tc := range map[string]struct{ extension, args string }{
		"full range":          {"ts", "-vf scale=out_range=full -c:v libx264 -preset ultrafast -crf 10 -pix_fmt yuvj420p -color_range pc -an"},
		"full range 10 bit":   {"ts", "-vf scale=out_range=full -c:v libx265 -preset ultrafast -x265-params log-level=none -crf 10 -pix_fmt yuv420p10le -color_range pc -an"},
		"full range AV1":      {"mp4", "-vf scale=out_range=full -c:v libsvtav1 -preset 12 -crf 20 -pix_fmt yuv420p -color_range pc -an" + fragments},
		"10 bit":              {"ts", x265deep + "-crf 10 -an"},
		"4:2:2 10 bit":        {"ts", "-c:v libx264 -preset ultrafast -crf 10 -pix_fmt yuv422p10le -an"},
		"4:4:4 in full range": {"ts", "-vf scale=out_range=full -c:v libx264 -preset ultrafast -crf 10 -pix_fmt yuv444p -color_range pc -an"},
		"RGB":                 {"webm", "-vf scale=in_color_matrix=bt709,format=gbrp -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -crf 10 -b:v 4M -an"},
		"VP8":                 {"webm", "-c:v libvpx -deadline realtime -cpu-used 8 -crf 4 -b:v 4M -pix_fmt yuv420p -an"},
	} {
		t.Run(name, func(t *testing.T) {
			segment := clip(t, tc.extension, tc.args)
			_, out := transcode(t, c, protocol.Ladder{rung(144, 1_000_000)}, segment, false)
			for what, b := range map[string][]byte{"rendition": out[0], "source": segment} {
				got := measure(t, c, b, true)
				if len(got.Frames) != 30 || what == "rendition" && got.PixelFormat != "yuv420p" {
					t.Fatalf("%s: %d frames of %s", what, len(got.Frames), got.PixelFormat)
				}
				for i := range got.Frames {
					got.Frames[i].PTS = want.Frames[i].PTS
				}
				if d := sameness(t, want, got); d > 2.5 {
					t.Errorf("%s: brightness differs by %.2f", what, d)
				}
			}
		})
	}
}
