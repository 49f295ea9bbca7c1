package engine

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/media/wire"
)

func tiny(t *testing.T, extension, args string) []byte {
	t.Helper()
	return mediatest.Make(t, extension, append([]string{"-f", "lavfi", "-i", "testsrc2=size=64x36:rate=30:duration=0.2"}, strings.Fields(args)...)...)
}

// parts reads what the tables part from each other.
func parts(t *testing.T, r *tables) (out [][]byte) {
	t.Helper()
	for {
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b)
		if !r.more() {
			return out
		}
	}
}

func TestTables_partWhereTracksChange(t *testing.T) {
	t.Parallel()
	a, b := tiny(t, "ts", "-c:v libx264 -preset ultrafast"), tiny(t, "ts", "-c:v mpeg2video")
	other := tiny(t, "ts", "-c:v libx264 -preset ultrafast -mpegts_start_pid 0x200")
	broken := bytes.Clone(b)
	broken[188*2+20] ^= 1 // in its program map: the checksum is wrong
	if broken[188*2+3]&0x10 == 0 || broken[188*2+5] != 2 {
		t.Fatal("the third packet is no program map")
	}
	for name, tc := range map[string]struct {
		input []byte
		want  []int // where the parts begin
	}{
		"one":                {a, []int{0}},
		"the same again":     {slices.Concat(a, a, a), []int{0}},
		"another codec":      {slices.Concat(a, b), []int{0, len(a)}},
		"there and back":     {slices.Concat(a, b, a), []int{0, len(a), len(a) + len(b)}},
		"another track":      {slices.Concat(a, other), []int{0, len(a)}},
		"a broken map":       {slices.Concat(a, broken[:188*4]), []int{0}},
		"noise in between":   {slices.Concat(a, bytes.Repeat([]byte{0x47, 1, 2}, 99), b), []int{0, len(a) + 297}},
		"less than a packet": {a[:100], []int{0}},
		"cut":                {slices.Concat(a, b)[:len(a)+188*3+50], []int{0, len(a)}},
	} {
		for _, one := range []bool{false, true} {
			var src io.Reader = bytes.NewReader(tc.input)
			if one {
				src = iotest.HalfReader(src)
			}
			got := parts(t, newTables(src, tsPacket))
			if len(got) != len(tc.want) {
				t.Errorf("%s: %d parts, want %d", name, len(got), len(tc.want))
				continue
			}
			var all []byte
			for i, p := range got {
				if i > 0 { // each begins with the list of programs again
					if p[1]&31 != 0 || p[2] != 0 {
						t.Errorf("%s: part %d begins with PID %d", name, i, p[2])
					}
					p = p[188:]
				}
				all = append(all, p...)
			}
			if !bytes.Equal(all, tc.input) {
				t.Errorf("%s: %d bytes come out of %d", name, len(all), len(tc.input))
			}
		}
	}
}

// readThrough reads a whole segment and returns why it ended.
func readThrough(b []byte) error {
	src := newSource(func(int) {})
	if err := src.put(b); err != nil {
		return err
	}
	src.end(io.EOF)
	d, err := openDemuxer(src, testLimits)
	if err != nil {
		return err
	}
	defer d.close()
	for {
		pkt, isVideo, err := d.next()
		if err != nil {
			return err
		}
		if !isVideo {
			d.dateAudio(pkt)
		}
	}
}

func TestDemuxer_refusesTablesThatNeverSettle(t *testing.T) {
	t.Parallel()
	a, b := tiny(t, "ts", "-c:v libx264 -preset ultrafast"), tiny(t, "ts", "-c:v mpeg2video")
	err := readThrough(bytes.Repeat(slices.Concat(a, b), 20))
	var f *wire.Failure
	if !errors.As(err, &f) || f.Code != wire.CodeBadMedia || !strings.Contains(f.Detail, "more than 32 times") {
		t.Errorf("%v", err)
	}
	if err := readThrough(bytes.Repeat(slices.Concat(a, b), 3)); !errors.Is(err, io.EOF) {
		t.Errorf("six parts: %v", err)
	}
}

// FuzzDemuxer: whatever comes is read to an end that is known.
func FuzzDemuxer(f *testing.F) {
	for _, b := range [][]byte{nil, {0x47}, []byte("#EXTM3U\n"), []byte("\x00\x00\x00\x10ftypisom\x00\x00\x00\x00"), {0x1a, 0x45, 0xdf, 0xa3, 0x84, 1, 2, 3, 4}} {
		f.Add(b)
	}
	for _, made := range []struct{ extension, args string }{
		{"ts", "-c:v libx264 -preset ultrafast"}, {"ts", "-c:v mpeg2video"}, {"mp4", "-c:v libx264 -preset ultrafast -movflags +frag_keyframe+empty_moov"},
		{"mp4", "-c:v libx264 -preset ultrafast -movflags +faststart"}, {"mp4", "-c:v libx264 -preset ultrafast"}, {"mkv", "-c:v libx264 -preset ultrafast"}, {"webm", "-c:v libvpx -cpu-used 8"},
	} {
		f.Add(mediatest.Make(f, made.extension, append([]string{"-f", "lavfi", "-i", "testsrc2=size=64x36:rate=30:duration=0.1"}, strings.Fields(made.args)...)...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > wire.SourceWindow {
			return
		}
		err := readThrough(b)
		var failure *wire.Failure
		if !errors.Is(err, io.EOF) && !errors.As(err, &failure) {
			t.Errorf("%v", err)
		}
	})
}
