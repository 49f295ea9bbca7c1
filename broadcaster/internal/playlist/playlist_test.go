package playlist_test

import (
	"bytes"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Eyevinn/hls-m3u8/m3u8"

	"github.com/kinora/kinora/broadcaster/internal/playlist"
)

var update = flag.Bool("update", false, "write the golden files")

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func entry(msn uint64, dseq uint64, d time.Duration) playlist.Segment {
	return playlist.Segment{MSN: msn, DiscontinuitySequence: dseq, Duration: d, At: start.Add(time.Duration(msn) * 2 * time.Second),
		URI: playlist.FileName(0, msn, "0123456789abcdef", playlist.TSExtension)}
}

func cases() map[string]playlist.Media {
	plain := playlist.Media{TargetSeconds: 2, Segments: []playlist.Segment{entry(0, 0, 2*time.Second), entry(1, 0, 1999999*time.Microsecond)}}
	slid := playlist.Media{TargetSeconds: 2, Segments: []playlist.Segment{entry(7, 1, 2*time.Second), entry(8, 2, 2*time.Second), entry(9, 2, 2*time.Second)}}
	slid.Segments[1].Discontinuity = true
	first := playlist.Media{TargetSeconds: 2, Segments: []playlist.Segment{entry(8, 2, 2*time.Second), entry(9, 2, 2*time.Second)}}
	first.Segments[0].Discontinuity = true
	gap := playlist.Media{TargetSeconds: 3, Ended: true, Segments: []playlist.Segment{entry(0, 0, 2*time.Second), entry(1, 0, 2*time.Second), entry(2, 0, 3*time.Second)}}
	gap.Segments[1].Gap = true
	fragments := playlist.Media{TargetSeconds: 2, Segments: []playlist.Segment{entry(3, 0, 2*time.Second), entry(4, 0, 2*time.Second), entry(5, 1, 2*time.Second), entry(6, 1, 2*time.Second)}}
	for i := range fragments.Segments {
		s := &fragments.Segments[i]
		s.URI, s.Map = playlist.FileName(0, s.MSN, "0123456789abcdef", playlist.MediaExtension), playlist.InitName("00000000")
	}
	fragments.Segments[2].Discontinuity, fragments.Segments[2].Map, fragments.Segments[3].Map = true, playlist.InitName("11111111"), playlist.InitName("11111111")
	return map[string]playlist.Media{"fragments": fragments, "plain": plain, "slid": slid, "discontinuity_first": first, "gap_ended": gap, "empty": {TargetSeconds: 2}}
}

func TestMedia_isWrittenAsInTheGoldenFiles(t *testing.T) {
	t.Parallel()
	for name, m := range cases() {
		golden(t, name+".m3u8", m.Encode())
	}
	golden(t, "multivariant.m3u8", playlist.Multivariant([]playlist.Variant{
		{URI: "240p/index.m3u8", Bandwidth: 512345, Average: 498000, Width: 426, Height: 240, FPS: 30, Codecs: "avc1.64001e,mp4a.40.2"},
		{URI: "sound/index.m3u8", Bandwidth: 66000, Average: 65000, Codecs: "mp4a.40.2"},
		{URI: "160p/index.m3u8", Bandwidth: 212345, Average: 198000, Width: 284, Height: 160, FPS: 29.97, Codecs: "avc1.64000d,mp4a.40.2"},
	}))
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

// The rules of RFC 8216 section 4.3 that a live playlist can break, read back by a parser that is not ours.
func TestMedia_keepsTheRulesOfRFC8216(t *testing.T) {
	t.Parallel()
	for name, m := range cases() {
		text := m.Encode()
		if !bytes.HasPrefix(text, []byte("#EXTM3U\n")) {
			t.Errorf("%s: does not begin with EXTM3U", name)
		}
		for _, once := range []string{"#EXT-X-VERSION:", "#EXT-X-TARGETDURATION:"} {
			if n := strings.Count(string(text), once); n != 1 {
				t.Errorf("%s: %s appears %d times", name, once, n)
			}
		}
		if len(m.Segments) == 0 {
			continue
		}
		parsed, kind, err := m3u8.DecodeFrom(bytes.NewReader(text), true)
		if err != nil || kind != m3u8.MEDIA {
			t.Fatalf("%s: parsed as %v: %v", name, kind, err)
		}
		p := parsed.(*m3u8.MediaPlaylist)
		if p.SeqNo != m.Segments[0].MSN || p.Closed != m.Ended {
			t.Errorf("%s: media sequence %d closed %v", name, p.SeqNo, p.Closed)
		}
		dseq := p.DiscontinuitySeq
		for i, s := range p.GetAllSegments() {
			want := m.Segments[i]
			if s.Discontinuity {
				dseq++
			}
			if s.URI != want.URI || s.Gap != want.Gap || dseq != want.DiscontinuitySequence || !s.ProgramDateTime.Equal(want.At) {
				t.Errorf("%s: segment %d reads %+v with discontinuity sequence %d, want %+v", name, i, s, dseq, want)
			}
			if math.Round(s.Duration) > float64(m.TargetSeconds) {
				t.Errorf("%s: EXTINF %v above target duration %d", name, s.Duration, m.TargetSeconds)
			}
		}
	}
}

func TestMultivariant_isReadByAnotherParser(t *testing.T) {
	t.Parallel()
	text := playlist.Multivariant([]playlist.Variant{{URI: "a/index.m3u8", Bandwidth: 5, Average: 4, Width: 426, Height: 240, FPS: 30000.0 / 1001, Codecs: "avc1.64001e,mp4a.40.2"}})
	parsed, kind, err := m3u8.DecodeFrom(bytes.NewReader(text), true)
	if err != nil || kind != m3u8.MASTER {
		t.Fatalf("parsed as %v: %v", kind, err)
	}
	v := parsed.(*m3u8.MasterPlaylist).Variants[0]
	if v.Bandwidth != 5 || v.AverageBandwidth != 4 || v.Resolution != "426x240" || v.FrameRate != 29.97 || v.Codecs != "avc1.64001e,mp4a.40.2" {
		t.Errorf("read as %+v", v.VariantParams)
	}
}

func TestTargetSeconds_neverBelowARoundedDuration(t *testing.T) {
	t.Parallel()
	for _, d := range []time.Duration{time.Millisecond, 999 * time.Millisecond, time.Second, 1500 * time.Millisecond, 2 * time.Second, 2000500 * time.Microsecond, 2002 * time.Millisecond, 9999 * time.Millisecond} {
		if got := playlist.TargetSeconds(d); got < 1 || float64(got) < math.Round(d.Seconds()) {
			t.Errorf("TargetSeconds(%v) = %d", d, got)
		}
	}
	if got := playlist.TargetSeconds(2 * time.Second); got != 2 {
		t.Errorf("TargetSeconds(2s) = %d", got)
	}
}

func TestFollows_acrossTheWrapAndNotAcrossAJump(t *testing.T) {
	t.Parallel()
	const top = 1<<33 - 1
	for _, c := range []struct {
		end, first int64
		want       bool
	}{
		{180000, 180000, true}, {180000, 183003, true}, {180000, 0, false}, {180000, 360000, false},
		{top, 0, true}, {top - 9000, 3000, true}, {1<<33 + 500, 500, true}, {0, top / 2, false},
	} {
		if got := playlist.Follows(c.end, c.first); got != c.want {
			t.Errorf("Follows(%d, %d) = %v", c.end, c.first, got)
		}
	}
}

func TestRate_peakAndAverage(t *testing.T) {
	t.Parallel()
	var r playlist.Rate
	if r.Average() != 0 {
		t.Error("average of nothing")
	}
	r.Add(1000, time.Second)
	r.Add(3000, 2*time.Second)
	r.Add(5, 0)
	if r.Peak() != 12000 || r.Average() != 10667 {
		t.Errorf("peak %d average %d", r.Peak(), r.Average())
	}
}

func TestShelf_sweepsOnlyWhatNobodyNames(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := playlist.NewShelf(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"keep.ts", "orphan.ts"} {
		if err := s.Write("live", "240p", f, []byte("bytes")); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "live", "240p", ".part-1"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	n, err := s.Sweep(func(stream, rendition, file string) bool {
		return stream == "live" && rendition == "240p" && file == "keep.ts"
	})
	if err != nil || n != 2 {
		t.Fatalf("swept %d: %v", n, err)
	}
	if !s.Holds("live", "240p", "keep.ts", 5) || s.Holds("live", "240p", "keep.ts", 4) || s.Holds("live", "240p", "orphan.ts", 5) {
		t.Error("wrong files held")
	}
	for range 2 {
		if err := s.Remove("live", "240p", "keep.ts"); err != nil {
			t.Error(err)
		}
	}
}
