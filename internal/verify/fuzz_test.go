package verify

import (
	"testing"

	"github.com/kinora/kinora/internal/protocol"
)

// FuzzScanner: arbitrary bytes in arbitrary portions are read without panic, alike whatever the portions, and what comes out of a
// scan without flaw is coherent.
func FuzzScanner(f *testing.F) {
	f.Add([]byte{}, uint8(1), false)
	f.Add([]byte("Go is not a container"), uint8(3), true)
	f.Fuzz(func(t *testing.T, b []byte, portion uint8, strict bool) {
		limits := Limits{MaxBytes: 1 << 20, MaxFrames: 200}.withDefaults()
		whole := newScanner(limits, strict, 0, 0)
		whole.write(b)
		want := whole.finish()
		parts := newScanner(limits, strict, 0, 0)
		for p := b; len(p) > 0; {
			n := min(len(p), int(portion)+1)
			parts.write(p[:n])
			p = p[n:]
		}
		got := parts.finish()
		if (whole.flaw == nil) != (parts.flaw == nil) || got.Frames != want.Frames || got.Audio != want.Audio || whole.flaw == nil && got.SHA256 != want.SHA256 {
			t.Fatalf("%v %+v; in portions of %d: %v %+v", whole.flaw, want, int(portion)+1, parts.flaw, got)
		}
		if whole.flaw != nil {
			return
		}
		if want.Frames < 1 || len(want.PTS) > want.Frames || want.FirstPTS < 0 || want.FirstPTS >= wrap || want.LastPTS < want.FirstPTS ||
			want.Width <= 0 || want.Height <= 0 || want.Pixels == 0 || want.Duration < 0 {
			t.Fatalf("%+v", want)
		}
		for _, p := range []protocol.Profile{{Width: 320, Height: 180, Bitrate: 1000}, {Width: 320, Height: 180, Bitrate: 1000, FPSNum: 15, FPSDen: 1}} {
			compare(want, want, p, whole.pictures) // must not panic
		}
	})
}
