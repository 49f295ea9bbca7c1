package media_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/protocol"
)

func remux(t *testing.T, c *media.Child, segment []byte) ([]byte, error) {
	t.Helper()
	var out []byte
	err := c.Remux(t.Context(), bytes.NewReader(segment), func(p []byte) error {
		out = append(out, p...)
		return nil
	})
	return out, err
}

func TestRemux_carriesPicturesAndSoundAsTheyAre(t *testing.T) {
	t.Parallel()
	c := start(t, media.Limits{})
	for name, tc := range map[string]struct{ extension, args string }{
		"fragments":         {"mp4", x264 + "-c:a aac" + fragments},
		"a plain MP4":       {"mp4", x264 + "-c:a aac" + faststart},
		"its index last":    {"mp4", x264 + "-c:a libmp3lame"},
		"Matroska":          {"mkv", x264 + "-bf 0 -c:a ac3"},
		"no sound":          {"mp4", x264 + "-an" + fragments},
		"MPEG-TS":           {"ts", x264 + "-c:a aac"},
		"HEVC in fragments": {"mp4", x265 + "-c:a aac" + fragments},
	} {
		t.Run(name, func(t *testing.T) {
			segment := clip(t, tc.extension, tc.args)
			ts, err := remux(t, c, segment)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := remux(t, c, segment); err != nil || !bytes.Equal(ts, again) {
				t.Errorf("another time it is not the same: %v", err)
			}
			if len(ts)%188 != 0 || ts[0] != 0x47 {
				t.Fatalf("%d bytes of no MPEG-TS", len(ts))
			}
			a, b := measure(t, c, segment, true), measure(t, c, ts, true)
			if len(b.Frames) != 30 || b.Damaged != 0 || b.DTSBackwards != 0 || a.Audio.Packets != b.Audio.Packets || a.Audio.Hash != b.Audio.Hash {
				t.Errorf("%d frames, %+v of %+v", len(b.Frames), b.Measurement, a.Measurement)
			}
			for i := range b.Frames {
				if !bytes.Equal(a.Frames[i].Luma[:], b.Frames[i].Luma[:]) || a.Frames[i].Key != b.Frames[i].Key ||
					a.Frames[i].PTS-a.Frames[0].PTS != b.Frames[i].PTS-b.Frames[0].PTS {
					t.Errorf("picture %d is not what it was", i)
				}
			}
			decodeCleanly(t, ts)
		})
	}
	for _, tc := range []struct {
		input []byte
		code  protocol.Code
		text  string
	}{
		{clip(t, "webm", vp8+"-an"), protocol.UnsupportedCodec, "push H.264"},
		{mediatest.Make(t, "mp4", append([]string{"-f", "lavfi", "-i", tone}, strings.Fields("-c:a aac"+fragments)...)...), protocol.NoVideo, "no video"},
		{clip(t, "mkv", x264+"-bf 2 -an"), protocol.BadMedia, "push MP4"},
		{mediatest.Make(t, "mp4", "-display_rotation", "90", "-i", write(t, "x.mp4", clip(t, "mp4", x264+"-an"+faststart)), "-c", "copy"), protocol.BadMedia, "turned by"},
		{nil, protocol.EmptySegment, "no bytes"},
		{[]byte("#EXTM3U\n"), protocol.BadMedia, "playlist"},
	} {
		_, err := remux(t, c, tc.input)
		wantCode(t, err, tc.code)
		if !strings.Contains(err.Error(), tc.text) {
			t.Errorf("%v: want a word of %q", err, tc.text)
		}
	}
	full := errors.New("full")
	if err := c.Remux(t.Context(), bytes.NewReader(clip(t, "mp4", x264+"-an"+fragments)), func([]byte) error { return full }); !errors.Is(err, full) {
		t.Errorf("out fails with %v", err)
	}
	if ts, err := remux(t, c, slices.Concat(clip(t, "mp4", x264+"-an"+faststart))); err != nil || len(ts) == 0 {
		t.Errorf("afterwards: %v", err)
	}
}
