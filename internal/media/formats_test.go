package media_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/protocol"
)

const (
	picture = "testsrc2=size=320x180:rate=30:duration=1"
	tone    = "sine=frequency=440:sample_rate=48000:duration=1"
)

// clip is a second of the test picture and a tone, as the arguments say.
func clip(t *testing.T, extension, args string) []byte {
	t.Helper()
	return mediatest.Make(t, extension, append([]string{"-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", tone}, strings.Fields(args)...)...)
}

const (
	x264      = "-c:v libx264 -preset veryfast -pix_fmt yuv420p "
	x265      = "-c:v libx265 -preset ultrafast -x265-params log-level=none -pix_fmt yuv420p "
	x265deep  = "-c:v libx265 -preset ultrafast -x265-params log-level=none -pix_fmt yuv420p10le "
	av1       = "-c:v libsvtav1 -preset 12 -crf 35 -svtav1-params keyint=60 -pix_fmt yuv420p "
	av1deep   = "-c:v libsvtav1 -preset 12 -crf 35 -pix_fmt yuv420p10le "
	vp8       = "-c:v libvpx -deadline realtime -cpu-used 8 -b:v 1M -pix_fmt yuv420p "
	vp9       = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 1M -pix_fmt yuv420p "
	mpeg2     = "-c:v mpeg2video -q:v 3 -pix_fmt yuv420p "
	fragments = " -movflags +frag_keyframe+delay_moov+default_base_moof -frag_duration 200000"
	faststart = " -movflags +faststart"
)

func TestTranscode_takesEveryFormat(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		extension, args string
		video, audio    string
	}{
		"H.264, AAC in MPEG-TS":            {"ts", x264 + "-c:a aac", "h264", "aac"},
		"H.264, MP3 in MPEG-TS":            {"ts", x264 + "-c:a libmp3lame", "h264", "mp3"},
		"H.264, AC-3 in MPEG-TS":           {"ts", x264 + "-c:a ac3", "h264", "ac3"},
		"H.264, MP2 in MPEG-TS":            {"ts", x264 + "-c:a mp2", "h264", "mp2"},
		"HEVC, AAC in MPEG-TS":             {"ts", x265 + "-c:a aac", "hevc", "aac"},
		"HEVC 10 bit, AAC in MPEG-TS":      {"ts", x265deep + "-c:a aac", "hevc", "aac"},
		"MPEG-2, MP2 in MPEG-TS":           {"ts", mpeg2 + "-c:a mp2", "mpeg2video", "mp2"},
		"MPEG-2, AC-3 5.1 in MPEG-TS":      {"ts", mpeg2 + "-c:a ac3 -ac 6", "mpeg2video", "ac3"},
		"H.264, AC-3 in MPEG-TS, dated":    {"m2ts", x264 + "-c:a ac3 -mpegts_m2ts_mode 1", "h264", "ac3"},
		"H.264, AAC in fragments":          {"mp4", x264 + "-c:a aac" + fragments, "h264", "aac"},
		"HEVC, AAC in fragments":           {"mp4", x265 + "-tag:v hvc1 -c:a aac" + fragments, "hevc", "aac"},
		"AV1, AAC in fragments":            {"mp4", av1 + "-c:a aac" + fragments, "av1", "aac"},
		"AV1 10 bit, AAC in fragments":     {"mp4", av1deep + "-c:a aac" + fragments, "av1", "aac"},
		"VP9, MP3 in fragments":            {"mp4", vp9 + "-c:a libmp3lame" + fragments, "vp9", "mp3"},
		"H.264, AC-3 in an MP4":            {"mp4", x264 + "-c:a ac3" + faststart, "h264", "ac3"},
		"H.264, AAC in an MP4, index last": {"mp4", x264 + "-c:a aac", "h264", "aac"},
		"H.264, AAC in Matroska":           {"mkv", x264 + "-c:a aac", "h264", "aac"},
		"HEVC, MP3 in Matroska":            {"mkv", x265 + "-c:a libmp3lame", "hevc", "mp3"},
		"H.264, AC-3 5.1 in Matroska":      {"mkv", x264 + "-c:a ac3 -ac 6", "h264", "ac3"},
		"MPEG-2, AC-3 in Matroska":         {"mkv", mpeg2 + "-c:a ac3", "mpeg2video", "ac3"},
		"VP8, no sound in WebM":            {"webm", vp8 + "-an", "vp8", ""},
		"VP9, Opus in WebM":                {"webm", vp9 + "-c:a libopus", "vp9", "opus"},
		"AV1, Opus in WebM":                {"webm", av1 + "-c:a libopus", "av1", "opus"},
		"H.264, Opus in MPEG-TS":           {"ts", x264 + "-c:a libopus", "h264", "opus"},
		"H.264, Opus in fragments":         {"mp4", x264 + "-c:a libopus" + fragments, "h264", "opus"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			segment := clip(t, tc.extension, tc.args)
			c := start(t, media.Limits{})
			res, out := transcode(t, c, protocol.Ladder{rung(144, 300_000)}, segment, false)
			source, rendition := measure(t, c, segment, true), measure(t, c, out[0], true)
			s := res.Source
			if s.Codec != tc.video || s.Width != 320 || s.Height != 180 || s.FPSNum != 30 || s.FPSDen != 1 || s.Frames != 30 || s.Damaged != 0 || s.Bytes != int64(len(segment)) {
				t.Errorf("source of %d bytes is %+v", len(segment), s)
			}
			if len(source.Frames) != 30 || source.Damaged != 0 || source.Codec != tc.video || !source.KeyframeAt0 || source.Bytes != int64(len(segment)) {
				t.Errorf("measured %d frames: %+v", len(source.Frames), source.Measurement)
			}
			if len(rendition.Frames) != 30 || rendition.Damaged != 0 || sameness(t, source, rendition) > 3 {
				t.Errorf("rendition has %d frames, %d damaged, differs by %.2f", len(rendition.Frames), rendition.Damaged, sameness(t, source, rendition))
			}
			for i, f := range rendition.Frames {
				if d := f.PTS - res.Renditions[0].FirstPTS - int64(i)*3000; d > 90 || d < -90 { // Matroska counts milliseconds
					t.Errorf("frame %d is shown %d ticks late", i, d)
				}
			}
			if source.Audio.Codec != tc.audio || s.Audio.Codec != tc.audio && tc.audio != "opus" {
				t.Errorf("sound is %+v, measured %+v", s.Audio, source.Audio)
			}
			profile := map[string]string{"hevc": "main", "av1": "main", "h264": "high", "mpeg2video": "main", "vp9": "profile0"}[tc.video]
			if strings.Contains(name, "HEVC 10 bit") {
				profile = "main10"
			}
			if source.CodecProfile != profile {
				t.Errorf("codec profile is %q, want %q", source.CodecProfile, profile)
			}
			decodeCleanly(t, out[0])
			if tc.audio == "" || tc.audio == "opus" {
				return
			}
			a, b := source.Audio, rendition.Audio
			if a.SampleRate != 48000 || a.SampleRate != b.SampleRate || a.Channels != b.Channels || (a.Channels == 6) != strings.Contains(name, "5.1") {
				t.Errorf("sound is %+v of %+v", b, a)
			}
			if a.Hash != b.Hash || a.Packets != b.Packets || a.Packets < 30 {
				t.Errorf("carried sound is %+v of %+v", b, a)
			}
			if d := (b.FirstPTS - rendition.Frames[0].PTS) - (a.FirstPTS - source.Frames[0].PTS); d > 90 || d < -90 {
				t.Errorf("sound moved by %d ticks against the pictures", d)
			}
		})
	}
}

func TestTranscode_ofSoundAloneMakesWhatIsSoundAlone(t *testing.T) {
	t.Parallel()
	alone := protocol.Profile{Name: "sound", Codec: protocol.H264, AudioCodec: "aac", AudioBitrate: 96_000}
	if err := (protocol.Ladder{rung(144, 200_000), alone}).Validate(); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"ts -c:a aac", "ts -c:a libmp3lame", "mp4 -c:a aac -movflags +faststart", "webm -c:a libopus", "mkv -c:a aac"} {
		extension, rest, _ := strings.Cut(args, " ")
		segment := mediatest.Make(t, extension, append([]string{"-f", "lavfi", "-i", tone}, strings.Fields(rest)...)...)
		c := start(t, media.Limits{})
		for i := range 2 {
			res, out := transcode(t, c, protocol.Ladder{rung(144, 200_000), alone}, segment, i > 0)
			r := res.Renditions
			if len(out[0]) != 0 || r[0].Name != "144p" || r[0].Bytes != 0 || r[1].AudioPackets < 40 || r[1].Bytes != int64(len(out[1])) || res.Source.Frames != 0 {
				t.Errorf("%s: %+v", args, res)
			}
			if d := res.Source.Duration; d < 900*time.Millisecond || d > 1100*time.Millisecond {
				t.Errorf("%s lasts %s", args, d)
			}
			if n := len(packets(t, out[1], "a")); n != r[1].AudioPackets {
				t.Errorf("%s: %d sound packets, says %d", args, n, r[1].AudioPackets)
			}
			decodeCleanly(t, out[1])
		}
		refused(t, c, segment, protocol.NoVideo, "no video track")
	}
}

func TestSound_whoseFrameIsShorterThanItsHeadEndsNoChild(t *testing.T) {
	t.Parallel()
	segment := bytes.Clone(mediatest.Segments(t, mediatest.Spec{SegmentSeconds: 1})[0].Bytes)
	spoiled := 0
	for p := segment; len(p) >= 188; p = p[188:] {
		at := bytes.Index(p[:188], []byte{0xff, 0xf1})
		if bytes.Index(p[:188], []byte{0, 0, 1, 0xc0}) < 0 || at < 0 || at+7 > 188 {
			continue
		}
		p[at+1] &^= 1 // a checksum makes the head nine bytes, of a frame of eight
		p[at+3], p[at+4], p[at+5] = p[at+3]&^3, 1, p[at+5]&31
		spoiled++
	}
	if spoiled == 0 {
		t.Fatal("no frame was found")
	}
	c := start(t, media.Limits{})
	if m := measure(t, c, segment, true); len(m.Frames) != 30 {
		t.Errorf("%d pictures", len(m.Frames))
	}
	if res, _ := transcode(t, c, protocol.Ladder{rung(144, 200_000)}, segment, false); res.Renditions[0].Frames != 30 {
		t.Errorf("%d pictures", res.Renditions[0].Frames)
	}
}
