package media_test

import (
	"bytes"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/protocol"
)

// ebur128 is what FFmpeg itself measures.
func ebur128(t *testing.T, extension string, b []byte) (lufs, peak float64) {
	t.Helper()
	_, report := mediatest.Run(t, nil, mediatest.FFmpeg(t), "-hide_banner", "-nostats", "-i", write(t, "x."+extension, b), "-vn", "-af", "ebur128=peak=true:framelog=quiet", "-f", "null", "-")
	number := func(pattern string) float64 {
		m := regexp.MustCompile(pattern).FindAllStringSubmatch(report, -1)
		if m == nil {
			t.Fatalf("ebur128 says %s", report)
		}
		v, err := strconv.ParseFloat(m[len(m)-1][1], 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	return number(`I:\s+(-?[\d.]+) LUFS`), number(`Peak:\s+(-?[\d.inf]+) dBFS`)
}

func TestLoudness_isWhatFFmpegMeasures(t *testing.T) {
	t.Parallel()
	c := start(t, media.Limits{})
	for name, tc := range map[string]struct{ extension, filter, codec string }{
		"quiet AAC":    {"ts", "volume=-10dB", "-c:a aac -b:a 192k"},
		"loud AC-3":    {"ts", "volume=14dB", "-c:a ac3 -b:a 448k"},
		"5.1 AC-3":     {"mkv", "aformat=channel_layouts=5.1", "-c:a ac3 -b:a 448k"},
		"mono MP3":     {"ts", "aformat=channel_layouts=mono", "-c:a libmp3lame"},
		"44.1 kHz AAC": {"mp4", "aresample=44100", "-c:a aac -movflags +faststart"},
		"Opus":         {"webm", "volume=3dB", "-c:v libvpx -cpu-used 8 -c:a libopus"},
	} {
		t.Run(name, func(t *testing.T) {
			video := "-c:v libx264 -preset ultrafast "
			if tc.extension == "webm" {
				video = ""
			}
			segment := mediatest.Make(t, tc.extension, append([]string{"-f", "lavfi", "-i", "testsrc2=size=160x90:rate=30:duration=2", "-f", "lavfi", "-i", "anoisesrc=color=pink:sample_rate=48000:duration=2:seed=7,highpass=f=200," + tc.filter + ",aformat=sample_fmts=s16"},
				strings.Fields(video+tc.codec)...)...)
			lufs, peak := ebur128(t, tc.extension, segment)
			m, err := c.Measure(t.Context(), bytes.NewReader(segment), media.MeasureOptions{Loudness: true})
			if err != nil {
				t.Fatal(err)
			}
			res, err := c.Transcode(t.Context(), media.Job{Ladder: protocol.Ladder{rung(90, 100_000)}, Source: bytes.NewReader(segment), Out: func(int, []byte) error { return nil }, Loudness: true})
			if err != nil {
				t.Fatal(err)
			}
			for what, a := range map[string]media.Audio{"measure": m.Audio, "transcode": res.Source.Audio} {
				if math.Abs(a.LUFS-lufs) > 0.5 || math.Abs(a.TruePeak-peak) > 0.5 || a.LUFS > 0 {
					t.Errorf("%s: %.1f LUFS, %.1f dBTP; ffmpeg measures %.1f and %.1f", what, a.LUFS, a.TruePeak, lufs, peak)
				}
			}
		})
	}
	silent := mediatest.Make(t, "ts", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "anullsrc=duration=1", "-t", "1", "-c:v", "libx264", "-c:a", "aac")
	none := mediatest.Make(t, "ts", "-f", "lavfi", "-i", picture, "-c:v", "libx264")
	for _, tc := range []struct {
		input []byte
		want  float64
	}{{silent, -70}, {none, 0}} {
		m, err := c.Measure(t.Context(), bytes.NewReader(tc.input), media.MeasureOptions{Loudness: true})
		if err != nil || m.Audio.LUFS != tc.want || m.Audio.TruePeak != tc.want {
			t.Errorf("%v: %+v, want %.0f", err, m, tc.want)
		}
	}
	if m := measure(t, c, silent, false); m.Audio.LUFS != 0 {
		t.Errorf("not asked for, and is %.1f", m.Audio.LUFS)
	}
}
