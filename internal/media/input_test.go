package media_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/media/wire"
	"github.com/kinora/kinora/internal/protocol"
)

// make one with FFmpeg in a way no Spec describes.
func generate(t *testing.T, args ...string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "x.ts")
	mediatest.Run(t, nil, mediatest.FFmpeg(t), append(append([]string{"-v", "error", "-nostdin"}, args...), "-f", "mpegts", out)...)
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBadInput_isATypedErrorOrTrueRenditions(t *testing.T) {
	t.Parallel()
	good := mediatest.Segments(t, mediatest.Spec{Seconds: 4})
	noise := make([]byte, 300_000)
	src := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(src.Uint32())
	}
	syncNoise := bytes.Clone(noise)
	for i := 0; i < len(syncNoise); i += 188 {
		syncNoise[i] = 0x47
	}
	whole := good[0].Bytes
	flipped := bytes.Clone(whole)
	for range 200 {
		flipped[2000+src.IntN(len(flipped)-2000)] ^= byte(1 << src.IntN(8))
	}
	tables := whole[:188*3]
	size := []string{"-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30:duration=1"}
	noKeyframe := generate(t, append(size, "-c:v", "libx264", "-preset", "ultrafast", "-bsf:v", "noise=drop='not(n)'")...)
	silent := generate(t, "-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac")
	huge := generate(t, "-f", "lavfi", "-i", "color=size=8192x4320:rate=30:duration=0.04", "-c:v", "libx264", "-preset", "ultrafast", "-threads", "1")
	oneFrame := generate(t, "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30:duration=0.04", "-c:v", "libx264", "-preset", "ultrafast")
	scrambledVideo := scramble(whole, 0x100)

	c := start(t, media.Limits{})
	for _, tc := range []struct {
		name  string
		input []byte
		code  protocol.Code // empty: true renditions
	}{
		{"empty", nil, protocol.EmptySegment},
		{"one byte", []byte{0x47}, protocol.BadMedia},
		{"text", []byte(strings.Repeat("once upon a time there was a stream\n", 5000)), protocol.BadMedia},
		{"playlist", []byte("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile:///etc/passwd\n#EXTINF:2,\nhttp://127.0.0.1:1/\n"), protocol.BadMedia},
		{"random bytes", noise, protocol.BadMedia},
		{"random bytes in packets", syncNoise, "any"},
		{"zeros", make([]byte, 200_000), protocol.BadMedia},
		{"tables only", tables, "any"},
		{"no keyframe at the start", noKeyframe, protocol.NoKeyframe},
		{"sound only", silent, protocol.NoVideo},
		{"8192×4320", huge, protocol.TooManyPixels},
		{"scrambled pictures", scrambledVideo, "any"},
		{"one picture", oneFrame, ""},
		{"truncated", whole[:len(whole)/2], ""},
		{"truncated in a packet", whole[:len(whole)/3+57], ""},
		{"garbage before", append(bytes.Clone(noise[:5000]), whole...), "any"},
		{"flipped bits", flipped, "any"},
		{"twice the same", append(bytes.Clone(whole), whole...), ""},
		{"a gap", append(bytes.Clone(whole[:188*200]), whole[188*300:]...), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var o outputs
			began := time.Now()
			res, err := c.Transcode(background, media.Job{Ladder: protocol.Ladder{rung(144, 200_000)}, Source: bytes.NewReader(tc.input), Out: o.take})
			m, measureErr := c.Measure(background, bytes.NewReader(tc.input), media.MeasureOptions{Grid: true})
			if d := time.Since(began); d > 30*time.Second {
				t.Errorf("took %s", d)
			}
			switch {
			case err != nil && tc.code == "":
				t.Fatal(err)
			case err != nil:
				if got := protocol.CodeOf(err); tc.code != "any" && got != tc.code || got == protocol.Internal || got == protocol.ChildCrashed {
					t.Fatalf("transcode: %v, want %s", err, tc.code)
				}
				if got := protocol.CodeOf(measureErr); measureErr != nil && tc.code != "any" && got != tc.code {
					t.Fatalf("measure: %v, want %s", measureErr, tc.code)
				}
				return
			case tc.code != "" && tc.code != "any":
				t.Fatalf("%d frames, want %s", res.Renditions[0].Frames, tc.code)
			case measureErr != nil:
				t.Fatal(measureErr)
			}
			if n := len(m.Frames) + m.Damaged; res.Source.Frames == 0 || res.Renditions[0].Frames != res.Source.Frames || res.Source.Frames > n {
				t.Errorf("%d frames of %d, measured %d", res.Renditions[0].Frames, res.Source.Frames, n)
			}
			out := measure(t, c, o.got[0], true)
			if len(out.Frames) != res.Renditions[0].Frames || out.Height != 144 {
				t.Errorf("%d frames of height %d", len(out.Frames), out.Height)
			}
			_, messages := mediatest.Run(t, o.got[0], mediatest.FFmpeg(t), "-v", "warning", "-f", "mpegts", "-i", "-", "-map", "0:v", "-f", "null", "-")
			for line := range strings.Lines(messages) {
				if !strings.HasPrefix(line, "[aac @") { // sound is carried as it came
					t.Errorf("decoding says: %s", line)
				}
			}
		})
	}
	if res, _ := transcode(t, c, protocol.Ladder{rung(144, 200_000)}, whole, true); res.Renditions[0].Frames != 60 {
		t.Errorf("afterwards: %+v", res.Renditions[0])
	}
}

// scramble overwrites the payload of one track.
func scramble(ts []byte, pid int) []byte {
	out := bytes.Clone(ts)
	src := rand.New(rand.NewPCG(3, 4))
	for i := 0; i+188 <= len(out); i += 188 {
		if int(out[i+1]&31)<<8|int(out[i+2]) == pid {
			for k := i + 60; k < i+188; k++ {
				out[k] = byte(src.Uint32())
			}
		}
	}
	return out
}

func TestLimits_areNamed(t *testing.T) {
	t.Parallel()
	segment := mediatest.Segments(t, mediatest.Spec{})[0]
	for _, tc := range []struct {
		limit  string
		limits media.Limits
		code   protocol.Code
	}{
		{"max_pixels", media.Limits{MaxPixels: 320*180 - 1}, protocol.TooManyPixels},
		{"max_streams", media.Limits{MaxStreams: 1}, protocol.BadMedia},
		{"max_frames", media.Limits{MaxFrames: 50}, protocol.SegmentTooLong},
		{"max_duration", media.Limits{MaxDuration: 1500 * time.Millisecond}, protocol.SegmentTooLong},
		{"max_input", media.Limits{MaxInput: 20_000}, protocol.SegmentTooLarge},
		{"max_output", media.Limits{MaxOutput: 5_000}, protocol.TranscodeFailed},
	} {
		t.Run(tc.limit, func(t *testing.T) {
			t.Parallel()
			c := start(t, tc.limits)
			_, err := c.Transcode(background, media.Job{Ladder: protocol.Ladder{rung(144, 200_000)}, Source: bytes.NewReader(segment.Bytes), Out: func(int, []byte) error { return nil }})
			wantCode(t, err, tc.code)
			if e, ok := err.(*media.Error); !ok || !strings.HasPrefix(e.Limit, tc.limit+"=") {
				t.Errorf("limit is not named: %#v", err)
			}
			if tc.limit == "max_output" {
				return
			}
			_, err = c.Measure(background, bytes.NewReader(segment.Bytes), media.MeasureOptions{Grid: true})
			wantCode(t, err, tc.code)
		})
	}
}

func TestSource_thatChangesItsSize(t *testing.T) {
	t.Parallel()
	small := mediatest.Segments(t, mediatest.Spec{SegmentSeconds: 1})[0]
	large := mediatest.Segments(t, mediatest.Spec{SegmentSeconds: 1, Width: 480, Height: 270, Start: 1})[0]
	both := append(bytes.Clone(small.Bytes), large.Bytes...)
	c := start(t, media.Limits{})
	res, out := transcode(t, c, protocol.Ladder{rung(144, 200_000)}, both, false)
	source, m := measure(t, c, both, true), measure(t, c, out[0], true)
	if res.Renditions[0].Frames != 60 || len(m.Frames) != 60 || m.OtherSize != 0 {
		t.Errorf("%d frames, measured %d, %d of another size", res.Renditions[0].Frames, len(m.Frames), m.OtherSize)
	}
	if len(source.Frames) != 60 || source.OtherSize != 30 || sameness(t, source, m) > 3 {
		t.Errorf("source has %d frames, %d of another size, differs by %.2f", len(source.Frames), source.OtherSize, sameness(t, source, m))
	}
	strict := start(t, media.Limits{MaxPixels: 320 * 180})
	_, err := strict.Measure(background, bytes.NewReader(both), media.MeasureOptions{Grid: true})
	wantCode(t, err, protocol.TooManyPixels)
}

func TestMeasure_withoutGridReadsTheContainer(t *testing.T) {
	t.Parallel()
	segment := mediatest.Segments(t, mediatest.Spec{Preset: "medium"})[0]
	c := start(t, media.Limits{})
	deep, flat := measure(t, c, segment.Bytes, true), measure(t, c, segment.Bytes, false)
	deep.CPU, flat.CPU = 0, 0
	if deep.Measurement != flat.Measurement {
		t.Errorf("deep: %+v\nflat: %+v", deep.Measurement, flat.Measurement)
	}
	if len(deep.Frames) != len(flat.Frames) || len(flat.Frames) != 60 {
		t.Fatalf("deep %d frames, flat %d", len(deep.Frames), len(flat.Frames))
	}
	for i, f := range flat.Frames {
		if d := deep.Frames[i]; f.PTS != d.PTS || f.Key != d.Key || f.Key != (i == 0) {
			t.Errorf("frame %d: deep %d %t, flat %d %t", i, d.PTS, d.Key, f.PTS, f.Key)
		}
	}
}

func TestMeasure_severalAtOnce(t *testing.T) {
	t.Parallel()
	segments := mediatest.Segments(t, mediatest.Spec{Seconds: 8})
	c := start(t, media.Limits{})
	type answer struct {
		m   *media.Measurement
		err error
	}
	answers := make([]chan answer, len(segments))
	for i, s := range segments {
		answers[i] = make(chan answer, 1)
		go func() {
			m, err := c.Measure(background, io.MultiReader(bytes.NewReader(s.Bytes)), media.MeasureOptions{Grid: true})
			answers[i] <- answer{m, err}
		}()
	}
	for i, a := range answers {
		got := <-a
		if got.err != nil {
			t.Fatal(got.err)
		}
		if len(got.m.Frames) != 60 || got.m.Bytes != int64(len(segments[i].Bytes)) {
			t.Errorf("segment %d: %d frames, %d bytes", i, len(got.m.Frames), got.m.Bytes)
		}
	}
}

func TestCodes_areTheProtocols(t *testing.T) {
	t.Parallel()
	for child, code := range map[string]protocol.Code{
		wire.CodeEmpty: protocol.EmptySegment, wire.CodeBadMedia: protocol.BadMedia, wire.CodeNoVideo: protocol.NoVideo,
		wire.CodeNoKeyframe: protocol.NoKeyframe, wire.CodeTooLong: protocol.SegmentTooLong,
		wire.CodeTooManyPixels: protocol.TooManyPixels, wire.CodeUnsupportedCodec: protocol.UnsupportedCodec,
		wire.CodeBadLadder: protocol.BadLadder, wire.CodeCancelled: protocol.Cancelled, wire.CodeFailed: protocol.TranscodeFailed,
		wire.CodeInternal: protocol.Internal,
	} {
		if child != string(code) {
			t.Errorf("the child says %q for %q", child, code)
		}
	}
}
