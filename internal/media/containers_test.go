package media_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/protocol"
)

// box is a box of an MP4.
func box(kind string, body ...[]byte) []byte {
	b := slices.Concat(body...)
	return slices.Concat(binary.BigEndian.AppendUint32(nil, uint32(len(b)+8)), []byte(kind), b)
}

// boxes are the offsets at which the top-level boxes begin.
func boxes(t *testing.T, mp4 []byte) (at []int) {
	t.Helper()
	for i := 0; i+8 <= len(mp4); {
		at = append(at, i)
		n := int(binary.BigEndian.Uint32(mp4[i:]))
		if n < 8 {
			t.Fatalf("a box of %d bytes at %d", n, i)
		}
		i += n
	}
	return at
}

// only transcodes what may be anything and wants an error with code and text.
func refused(t *testing.T, c *media.Child, input []byte, code protocol.Code, text string) {
	t.Helper()
	began := time.Now()
	_, err := c.Transcode(background, media.Job{Ladder: protocol.Ladder{rung(144, 200_000)}, Source: bytes.NewReader(input), Out: func(int, []byte) error { return nil }})
	wantCode(t, err, code)
	if !strings.Contains(err.Error(), text) {
		t.Errorf("%v: want a word of %q", err, text)
	}
	_, err = c.Measure(background, bytes.NewReader(input), media.MeasureOptions{Grid: true})
	wantCode(t, err, code)
	if d := time.Since(began); d > 30*time.Second {
		t.Errorf("took %s", d)
	}
}

func TestContainer_isFoundByItsBytesAndNoOtherIsOpened(t *testing.T) {
	t.Parallel()
	c := start(t, media.Limits{})
	for _, tc := range []struct{ input, text string }{
		{"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:2,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n", "an HLS playlist"},
		{"\xef\xbb\xbf\r\n#EXTM3U\n#EXTINF:2,\nhttp://127.0.0.1:1/x.ts\n", "an HLS playlist"},
		{"ffconcat version 1.0\nfile '/etc/passwd'\n", "a list of files"},
		{"<?xml version=\"1.0\"?><MPD><BaseURL>file:///etc/passwd</BaseURL></MPD>", "XML"},
		{"<MPD></MPD>", "a DASH manifest"},
		{"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=video 5004 RTP/AVP 96\r\n", "a session description"},
		{"http://127.0.0.1:1/x.ts\n", "an address"},
		{"\x89PNG\r\n\x1a\n" + strings.Repeat("x", 400), "a PNG picture"},
		{"GIF89a" + strings.Repeat("x", 400), "a GIF picture"},
		{"FLV\x01\x05\x00\x00\x00\x09" + strings.Repeat("\x00", 400), "FLV"},
		{"RIFF\x00\x10\x00\x00AVI LIST" + strings.Repeat("\x00", 400), "RIFF"},
		{"\x1a\x45\xdf\xa3" + strings.Repeat("x", 400), "Matroska"},
		{"Gone with the wind", "neither MPEG-TS, MP4 nor Matroska"},
	} {
		refused(t, c, []byte(tc.input), protocol.BadMedia, tc.text)
	}
}

func TestMP4_thatClaimsTooMuchIsRefused(t *testing.T) {
	t.Parallel()
	c := start(t, media.Limits{})
	whole := clip(t, "mp4", x264+"-an"+faststart)
	parts := clip(t, "mp4", x264+"-an"+fragments)
	find := func(b []byte, kind string) int {
		i := bytes.Index(b, []byte(kind))
		if i < 0 {
			t.Fatalf("no %s", kind)
		}
		return i + 4
	}
	with := func(b []byte, at int, n uint32) []byte {
		b = bytes.Clone(b)
		binary.BigEndian.PutUint32(b[at:], n)
		return b
	}
	samples := with(with(whole, find(whole, "stsz")+4, 100), find(whole, "stsz")+8, 1<<31-1)
	refused(t, c, samples, protocol.SegmentTooLong, "claims 2147483647 samples")
	refused(t, c, with(parts, find(parts, "trun")+4, 1<<30), protocol.SegmentTooLong, "claims 1073741824 samples")
	refused(t, c, with(whole, find(whole, "moov")-8, 1<<30), protocol.BadMedia, "moov of the MP4 claims")
	refused(t, c, with(whole, find(whole, "moov")-8, 4), protocol.BadMedia, "claims 4 bytes")
	refused(t, c, slices.Concat(box("ftyp", []byte("isom")), box("free", make([]byte, 2<<20)), whole), protocol.BadMedia, "neither index")
	at := boxes(t, parts)
	refused(t, c, parts[at[2]:], protocol.BadMedia, "send the initialisation segment")
	refused(t, c, slices.Concat(parts, parts), protocol.BadMedia, "second index")
	refused(t, c, slices.Concat(box("ftyp", []byte("isom")), box("mdat", make([]byte, 500))), protocol.BadMedia, "no index (moov)")
	refused(t, c, box("ftyp", []byte("isom")), protocol.BadMedia, "no media")
	refused(t, c, slices.Concat(box("ftyp", []byte("isom")), box("mdat", make([]byte, 65<<20))), protocol.BadMedia, "faststart")
}

// Every cut of an MP4 or a Matroska is true renditions of what came, or an error that says what is the matter.
func TestContainers_cutAnywhere(t *testing.T) {
	t.Parallel()
	c := start(t, media.Limits{})
	for _, input := range [][]byte{clip(t, "mp4", x264+"-c:a aac"+fragments), clip(t, "mp4", x264+"-c:a aac"+faststart), clip(t, "mp4", x264+"-c:a aac"), clip(t, "mkv", x264+"-c:a aac")} {
		var cuts []int
		if string(input[4:8]) == "ftyp" {
			for _, at := range boxes(t, input) {
				cuts = append(cuts, at, at+5, at+8, at+9)
			}
		}
		for n := 1; n < len(input); n += len(input)/9 + 1 {
			cuts = append(cuts, n)
		}
		last := 0
		for _, n := range cuts[1:] {
			var o outputs
			res, err := c.Transcode(background, media.Job{Ladder: protocol.Ladder{rung(90, 100_000)}, Source: bytes.NewReader(input[:min(n, len(input))]), Out: o.take})
			if err != nil {
				switch code := protocol.CodeOf(err); code {
				case protocol.BadMedia, protocol.NoVideo, protocol.NoKeyframe:
				default:
					t.Errorf("cut at %d of %d: %v", n, len(input), err)
				}
				continue
			}
			if m := measure(t, c, o.got[0], true); len(m.Frames) != res.Source.Frames || m.Damaged != 0 {
				t.Errorf("cut at %d of %d: %d frames, says %d", n, len(input), len(m.Frames), res.Source.Frames)
			}
			last = max(last, res.Source.Frames)
		}
		if string(input[4:8]) != "ftyp" && last < 20 {
			t.Errorf("the longest cut gave %d frames", last)
		}
	}
}

func TestFragments_areTranscodedWhileTheyArrive(t *testing.T) {
	t.Parallel()
	segment := clip(t, "mp4", x264+"-g 10 -c:a aac"+fragments)
	c := start(t, media.Limits{})
	zero := rung(144, 300_000)
	zero.Lookahead = -1
	r, w := io.Pipe()
	first := make(chan struct{})
	go func() {
		n := len(segment) * 2 / 3
		if _, err := w.Write(segment[:n]); err != nil {
			return
		}
		<-first // the rest comes when the first of it is out
		_, _ = w.Write(segment[n:])
		w.Close()
	}()
	done := make(chan error, 1)
	go func() {
		once := false
		_, err := c.Transcode(t.Context(), media.Job{Ladder: protocol.Ladder{zero}, Source: r, Out: func(int, []byte) error {
			if !once {
				once = true
				close(first)
			}
			return nil
		}})
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("nothing came out before the last bytes went in")
	}
}

func TestTracks_theDefaultOneIsTaken(t *testing.T) {
	t.Parallel()
	c := start(t, media.Limits{})
	args := []string{"-f", "lavfi", "-i", "color=black:size=160x90:rate=30:duration=1", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", tone, "-f", "lavfi", "-i", tone,
		"-map", "0:v", "-map", "1:v", "-map", "2:a", "-map", "3:a", "-c:v", "libx264", "-preset", "ultrafast", "-c:a:0", "libmp3lame", "-c:a:1", "aac"}
	second := append(slices.Clone(args), "-disposition:v:0", "0", "-disposition:v:1", "default", "-disposition:a:0", "0", "-disposition:a:1", "default")
	for _, tc := range []struct {
		extension string
		args      []string
		width     int
		audio     string
	}{{"mkv", args, 160, "mp3"}, {"mkv", second, 320, "aac"}, {"ts", args, 160, "mp3"}} {
		res, _ := transcode(t, c, protocol.Ladder{rung(90, 100_000)}, mediatest.Make(t, tc.extension, tc.args...), false)
		if res.Source.Width != tc.width || res.Source.Audio.Codec != tc.audio || res.Source.Frames != 30 {
			t.Errorf("%s: took %+v", tc.extension, res.Source)
		}
	}
	// A cover is no video track.
	cover := mediatest.Make(t, "mp4", "-f", "lavfi", "-i", tone, "-f", "lavfi", "-i", "color=red:size=64x64:duration=0.04", "-map", "0", "-map", "1", "-c:a", "aac", "-c:v", "png", "-disposition:v", "attached_pic", "-movflags", "+faststart")
	refused(t, c, cover, protocol.NoVideo, "no video track")
}
