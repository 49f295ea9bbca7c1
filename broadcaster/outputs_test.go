package broadcaster_test

import (
	"bytes"
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
)

func TestRun_playsFragmentsAndSoundAlone(t *testing.T) {
	t.Parallel()
	g := setUp(t)
	peer := newPeer(t, func() protocol.Domain { return g.domain })
	cfg := g.config(t, pgtest.URL(t), peer)
	cfg.Ladder = `[{"name":"low","width":160,"height":90,"bitrate":100000,"preset":"ultrafast","container":"fmp4","part_ms":200},
		{"name":"hevc","codec":"hevc","width":128,"height":72,"bitrate":80000,"preset":"ultrafast","container":"fmp4","audio_codec":"opus"},
		{"name":"sound","width":0,"height":0,"bitrate":0},{"name":"voice","width":0,"height":0,"bitrate":0,"container":"fmp4","audio_codec":"aac","audio_bitrate":48000}]`
	n := start(t, cfg)
	segments := clip(t, 4)
	var first []byte
	for i, s := range segments[:3] {
		code, parts, problem := n.push(t, fmt.Sprintf("/live/cam/%d.ts", i), bytes.NewReader(s.Bytes), "Content-Duration", "2000", "Content-Resolution", "320x180")
		if code != http.StatusOK || len(parts) != 4 {
			t.Fatalf("segment %d: %d, %d parts, %+v", i, code, len(parts), problem)
		}
		low := parts[3]
		if want := fmt.Sprintf(`video/mp4; name="low_%d.mp4" attachment; filename="low_%d.mp4"`, i, i); low.name != "low" || low.header != want {
			t.Errorf("part %s has header %s, want %s", low.name, low.header, want)
		}
		if i == 0 {
			first = low.body
		}
	}
	// A replay is answered from the files, whole again.
	if _, parts, problem := n.push(t, "/live/cam/0.ts", bytes.NewReader(segments[0].Bytes)); len(parts) != 4 || !bytes.Equal(parts[3].body, first) {
		t.Fatalf("replay: %d parts, %+v", len(parts), problem)
	}
	n.stop()
	n = start(t, cfg)
	if code, _, problem := n.push(t, "/live/cam/3.ts", bytes.NewReader(segments[3].Bytes)); code != http.StatusOK {
		t.Fatalf("after the restart: %d %+v", code, problem)
	}
	eventually(t, "four published segments", func() bool { return n.stats(t).SegmentsPublished == 4 })
	_, text, _ := n.get(t, "/hls/cam/index.m3u8")
	for _, want := range []string{"avc1.42c00b,mp4a.40.2\",RESOLUTION=160x90", "hvc1.1.6.L30.90,opus\",RESOLUTION=128x72", "CODECS=\"mp4a.40.2\"\nsound/", "CODECS=\"mp4a.40.2\"\nvoice/"} {
		if !strings.Contains(text, want) {
			t.Errorf("the multivariant playlist lacks %s:\n%s", want, text)
		}
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, n.base+"/api/v1/streams/cam/end", nil)
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("end: %v %v", resp, err)
	}
	_ = resp.Body.Close()
	for name, track := range map[string]string{"low": "video,240", "hevc": "video,240", "sound": "audio,", "voice": "audio,"} {
		url := n.base + "/hls/cam/" + name + "/index.m3u8"
		out, errs := mediatest.Run(t, nil, mediatest.FFprobe(t), "-v", "warning", "-count_frames", "-select_streams", track[:1], "-show_entries", "stream=codec_type,nb_read_frames", "-of", "csv=p=0", url)
		if got := strings.TrimSpace(string(out)); !strings.HasPrefix(got, track) || errs != "" && name != "sound" { // FFmpeg's HLS reader warns of sound without pictures in MPEG-TS
			t.Errorf("%s: ffprobe reads %q, want %s; it warns %q", name, got, track, errs)
		}
	}
	_, text, _ = n.get(t, "/hls/cam/low/index.m3u8")
	maps := regexp.MustCompile(`#EXT-X-MAP:URI="([^"]+)"`).FindAllStringSubmatch(text, -1)
	if len(maps) != 1 || strings.Count(text, ".m4s\n") != 4 || strings.Contains(text, "DISCONTINUITY") || !strings.Contains(text, "#EXT-X-VERSION:7") {
		t.Fatalf("media playlist:\n%s", text)
	}
	if code, body, header := n.get(t, "/hls/cam/low/"+maps[0][1]); code != http.StatusOK || header.Get("Content-Type") != "video/mp4" || body[4:8] != "ftyp" || !bytes.HasPrefix(first, []byte(body)) {
		t.Errorf("init segment: %d as %s, %d bytes", code, header.Get("Content-Type"), len(body))
	}
	files, err := filepath.Glob(filepath.Join(cfg.Data, "*", "cam", "low", "*"))
	if err != nil || len(files) != 5 {
		t.Errorf("files %v: %v", files, err)
	}
}
