package verify

import (
	"bytes"
	"testing"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/protocol"
)

// FuzzScanner: arbitrary bytes in arbitrary portions are read without panic, alike whatever the portions, and what comes out of a
// scan without flaw is coherent.
func FuzzScanner(f *testing.F) {
	f.Add([]byte{}, uint8(1), false)
	f.Add([]byte("Go is not a container"), uint8(3), true)
	f.Fuzz(func(t *testing.T, b []byte, portion uint8, strict bool) { checkScanner(t, b, portion, strict, asked{}) })
}

// FuzzFragments does the same with fMP4 of every codec. The container is cheap to break, so real ones are the seeds.
func FuzzFragments(f *testing.F) {
	child, err := media.Start(f.Context(), media.Options{})
	if err != nil {
		f.Fatal(err)
	}
	source := mediatest.Segments(f, mediatest.Spec{SegmentSeconds: 0.2})[0].Bytes
	kinds := []protocol.Codec{protocol.H264, protocol.HEVC, protocol.AV1}
	for i, codec := range kinds {
		var out []byte
		ladder := protocol.Ladder{{Name: "p", Width: 64, Height: 64, Bitrate: 20_000, Codec: codec, Container: "fmp4", AudioCodec: []string{"", "aac", "opus"}[i]}}
		if _, err := child.Transcode(f.Context(), media.Job{Ladder: ladder, Source: bytes.NewReader(source), Out: func(_ int, p []byte) error {
			out = append(out, p...)
			return nil
		}}); err != nil {
			f.Fatal(err)
		}
		f.Add(out, uint8(255), uint8(i))
	}
	if err := child.Close(); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte, portion, kind uint8) {
		checkScanner(t, b, portion, true, asked{codec: kinds[int(kind)%len(kinds)], fragmented: true, soundOnly: kind&8 != 0})
	})
}

func checkScanner(t *testing.T, b []byte, portion uint8, strict bool, a asked) {
	limits := Limits{MaxBytes: 1 << 20, MaxFrames: 200}.withDefaults()
	whole := newScanner(limits, strict, a)
	whole.write(b)
	want := whole.finish()
	parts := newScanner(limits, strict, a)
	for p := b; len(p) > 0; {
		n := min(len(p), int(portion)+1)
		parts.write(p[:n])
		p = p[n:]
	}
	got := parts.finish()
	if (whole.flaw == nil) != (parts.flaw == nil) || got.Frames != want.Frames || got.Audio != want.Audio || whole.flaw == nil && got.SHA256 != want.SHA256 {
		t.Fatalf("%v %+v; in portions of %d: %v %+v", whole.flaw, want, int(portion)+1, parts.flaw, got)
	}
	if whole.flaw != nil || a.soundOnly {
		return
	}
	if want.Frames < 1 || len(want.PTS) > want.Frames || want.FirstPTS < 0 || want.FirstPTS >= wrap || want.LastPTS < want.FirstPTS ||
		want.Width <= 0 || want.Height <= 0 || want.Pixels == 0 || want.Duration < 0 {
		t.Fatalf("%+v", want)
	}
	for _, p := range []protocol.Profile{{Width: 320, Height: 180, Bitrate: 1000}, {Width: 320, Height: 180, Bitrate: 1000, FPSNum: 15, FPSDen: 1}} {
		compare(want, want, p, whole.pictures) // must not panic
	}
}
