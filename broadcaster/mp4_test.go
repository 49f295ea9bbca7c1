package broadcaster_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
)

func TestRun_takesMP4AsItTakesMPEGTS(t *testing.T) {
	t.Parallel()
	g := setUp(t)
	peer := newPeer(t, func() protocol.Domain { return g.domain })
	n := start(t, g.config(t, pgtest.URL(t), peer))
	segment := func(second int, container string) []byte {
		return mediatest.Make(t, "mp4", strings.Fields(fmt.Sprintf("-f lavfi -i testsrc2=size=320x180:rate=30:duration=2 -f lavfi -i sine=duration=2 -c:v libx264 -preset veryfast -pix_fmt yuv420p -c:a aac -output_ts_offset %d -movflags %s", second, container))...)
	}
	fragments, plain := segment(10, "+frag_keyframe+delay_moov+default_base_moof -frag_duration 200000"), segment(12, "+faststart")
	for i, b := range [][]byte{fragments, plain} {
		code, parts, problem := n.push(t, fmt.Sprintf("/live/cam/%d.mp4", i), bytes.NewReader(b), "Content-Duration", "2000", "Content-Resolution", "320x180")
		if code != http.StatusOK || len(parts) != 2 {
			t.Fatalf("segment %d: %d, %d parts, %+v", i, code, len(parts), problem)
		}
		for _, p := range parts {
			out, errs := mediatest.Run(t, p.body, mediatest.FFprobe(t), "-v", "warning", "-count_frames", "-show_entries", "stream=codec_name,nb_read_frames", "-of", "csv=p=0", "-f", "mpegts", "-")
			if text := string(out); !strings.Contains(text, "h264,60") || !strings.Contains(text, "aac,") || errs != "" {
				t.Errorf("segment %d: part %s has %s; %s", i, p.name, text, errs)
			}
		}
	}
	eventually(t, "two published segments", func() bool { return n.stats(t).SegmentsPublished == 2 })
	if code, parts, problem := n.push(t, "/live/cam/0.mp4", bytes.NewReader(fragments)); code != http.StatusOK || len(parts) != 2 {
		t.Errorf("replay: %d %+v", code, problem)
	}
	if s := n.stats(t); s.SegmentsPublished != 2 { // the same bytes give the same segment
		t.Errorf("a replay was published: %+v", s)
	}
	hevc := mediatest.Make(t, "mp4", strings.Fields("-f lavfi -i testsrc2=size=320x180:rate=30:duration=1 -c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -x265-params log-level=none -tag:v hvc1 -movflags +faststart")...)
	if code, parts, problem := n.push(t, "/live/deep/0.mp4", bytes.NewReader(hevc), "Content-Duration", "1000"); code != http.StatusOK || len(parts) != 2 {
		t.Errorf("HEVC: %d %+v", code, problem)
	}
	for name, tc := range map[string]struct {
		body []byte
		code protocol.Code
	}{
		"a playlist":        {[]byte("#EXTM3U\nfile:///etc/passwd\n"), protocol.BadMedia},
		"nothing":           {nil, protocol.EmptySegment},
		"another codec":     {mediatest.Make(t, "mp4", strings.Fields("-f lavfi -i testsrc2=size=64x36:rate=30:duration=0.5 -c:v libvpx-vp9 -cpu-used 8 -deadline realtime")...), protocol.UnsupportedCodec},
		"a fragment's half": {fragments[len(fragments)/2:], protocol.BadMedia},
	} {
		if _, _, problem := n.push(t, "/live/other/0.mp4", bytes.NewReader(tc.body)); problem.Code != tc.code {
			t.Errorf("%s: %+v, want %s", name, problem, tc.code)
		}
	}
}
