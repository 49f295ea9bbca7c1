package verify

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/protocol"
)

// content is what TestLikeness shows: lavfi graphs. blind names cheats that cannot be seen in them, since what they do looks the same.
var content = []struct {
	name, graph string
	blind       []string
}{
	{"testsrc2", "testsrc2=size=%s:rate=30", nil},
	{"clock on black", "color=c=black:size=%s:rate=30,drawtext=text='%%{pts\\:hms}':fontsize=h/6:x=(w-tw)/2:y=h-th*2:fontcolor=white",
		[]string{"replay", "splice", "swapped", "reversed", "late"}},
	{"life", "life=size=%s:rate=30:mold=10:ratio=0.1:death_color=#C83232:life_color=#00ff00:seed=7", nil},
	{"mandelbrot", "mandelbrot=size=%s:rate=30", nil},
	{"grain", "testsrc2=size=%s:rate=30,noise=alls=40:allf=t+u:all_seed=5", nil},
	{"dark", "testsrc2=size=%s:rate=30,lutyuv=y=16+(val-16)/12:u=128:v=128", nil},
	{"fades", "testsrc2=size=%s:rate=30,fade=in:0:30,fade=out:80:40", []string{"last 3 black"}}, // its last pictures are black
	{"cuts", "testsrc2=size=%s:rate=30,negate=enable='gte(mod(t,1),0.5)'", nil},
	{"bars", "smptebars=size=%s:rate=30", []string{"frozen", "frozen half", "replay", "splice", "swapped", "reversed", "late"}},
	{"black", "color=c=black:size=%s:rate=30", nil}, // looks like itself whatever is done to it: see below
	{"gray", "color=c=0x606060:size=%s:rate=30", []string{"frozen", "frozen half", "replay", "splice", "swapped", "reversed", "late", "flipped", "turned", "flat"}},
}

// cheats make the grids of a dishonest output of those of an honest one, o, and of the neighbouring segment's, n.
var cheats = []struct {
	name string
	make func(o, n []media.FrameGrid) []media.FrameGrid
}{
	{"black", edit(func(i int, g *media.FrameGrid, o, n []media.FrameGrid) { fill(g, 16) })},
	{"frozen", edit(func(i int, g *media.FrameGrid, o, n []media.FrameGrid) { g.Luma = o[0].Luma })},
	{"frozen half", edit(func(i int, g *media.FrameGrid, o, n []media.FrameGrid) { g.Luma = o[min(i, len(o)/2)].Luma })},
	{"replay", edit(func(i int, g *media.FrameGrid, o, n []media.FrameGrid) { g.Luma = n[min(i, len(n)-1)].Luma })},
	{"splice", edit(func(i int, g *media.FrameGrid, o, n []media.FrameGrid) {
		if i > len(o)/2 {
			g.Luma = n[min(i, len(n)-1)].Luma
		}
	})},
	{"reversed", edit(func(i int, g *media.FrameGrid, o, n []media.FrameGrid) { g.Luma = o[len(o)-1-i].Luma })},
	{"swapped", edit(func(i int, g *media.FrameGrid, o, n []media.FrameGrid) { g.Luma = o[(i+len(o)/2)%len(o)].Luma })},
	{"late", edit(func(i int, g *media.FrameGrid, o, n []media.FrameGrid) { g.Luma = o[max(0, i-10)].Luma })},
	{"flipped", edit(func(i int, g *media.FrameGrid, o, n []media.FrameGrid) {
		for c := range g.Luma {
			g.Luma[c] = o[i].Luma[c/32*32+31-c%32]
		}
	})},
	{"turned", edit(func(i int, g *media.FrameGrid, o, n []media.FrameGrid) {
		for c := range g.Luma {
			g.Luma[c] = o[i].Luma[(17-c/32)*32+c%32]
		}
	})},
	{"negated", edit(func(i int, g *media.FrameGrid, o, n []media.FrameGrid) {
		for c, y := range g.Luma {
			g.Luma[c] = 251 - min(max(y, 16), 235)
		}
	})},
	{"overlay 1/4", edit(func(i int, g *media.FrameGrid, o, n []media.FrameGrid) { overlay(g, 16, 9) })},
	{"overlay 1/16", edit(func(i int, g *media.FrameGrid, o, n []media.FrameGrid) { overlay(g, 8, 5) })},
	{"last 3 black", edit(func(i int, g *media.FrameGrid, o, n []media.FrameGrid) {
		if i >= len(o)-3 {
			fill(g, 16)
		}
	})},
	{"flat", edit(func(i int, g *media.FrameGrid, o, n []media.FrameGrid) {
		sum := 0
		for _, y := range g.Luma {
			sum += int(y)
		}
		fill(g, uint8(sum/len(g.Luma)))
	})},
}

func edit(f func(i int, g *media.FrameGrid, o, n []media.FrameGrid)) func(o, n []media.FrameGrid) []media.FrameGrid {
	return func(o, n []media.FrameGrid) []media.FrameGrid {
		out := slices.Clone(o)
		for i := range out {
			f(i, &out[i], o, n)
		}
		return out
	}
}

func fill(g *media.FrameGrid, y uint8) {
	for c := range g.Luma {
		g.Luma[c] = y
	}
}

// overlay puts a box of w×h cells into the corner, as bright as the picture is dark.
func overlay(g *media.FrameGrid, w, h int) {
	for c, y := range g.Luma {
		if c%32 < w && c/32 < h {
			g.Luma[c] = 20
			if y < 126 {
				g.Luma[c] = 230
			}
		}
	}
}

// TestLikeness encodes each content honestly at good and at poor bitrates and says what L1 makes of it, and of the cheats. With
// KINORA_VERIFY_CLIPS=FILE… it is the calibration run behind docs/verification.md: larger pictures, more rungs, real footage.
func TestLikeness(t *testing.T) {
	t.Parallel()
	clips := strings.Fields(os.Getenv("KINORA_VERIFY_CLIPS"))
	size, ladder := "320x180", protocol.Ladder{
		{Name: "good", Width: 256, Height: 144, Bitrate: 250_000, Codec: "h264", Preset: "veryfast"},
		{Name: "poor", Width: 192, Height: 108, Bitrate: 40_000, Codec: "h264", Preset: "veryfast"},
		{Name: "half rate", Width: 192, Height: 108, Bitrate: 60_000, FPSNum: 15, FPSDen: 1, Codec: "h264", Preset: "veryfast"},
	}
	if len(clips) > 0 {
		size, ladder = "640x360", protocol.Ladder{
			{Name: "240p 400k", Width: 426, Height: 240, Bitrate: 400_000, Codec: "h264", Preset: "veryfast"},
			{Name: "360p 800k medium", Width: 640, Height: 360, Bitrate: 800_000, Codec: "h264", Preset: "medium"},
			{Name: "240p 200k", Width: 426, Height: 240, Bitrate: 200_000, Codec: "h264", Preset: "veryfast"},
			{Name: "240p 80k", Width: 426, Height: 240, Bitrate: 80_000, Codec: "h264", Preset: "veryfast"},
			{Name: "160p 100k zerolatency", Width: 284, Height: 160, Bitrate: 100_000, Codec: "h264", Preset: "veryfast", Lookahead: -1},
			{Name: "160p 40k medium", Width: 284, Height: 160, Bitrate: 40_000, Codec: "h264", Preset: "medium"},
			{Name: "160p15 40k", Width: 284, Height: 160, Bitrate: 40_000, FPSNum: 15, FPSDen: 1, Codec: "h264", Preset: "veryfast"},
		}
	}
	for i := range ladder {
		ladder[i].Name = strings.ReplaceAll(ladder[i].Name, " ", "_")
	}
	for _, c := range content {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			segments := cut(t, "-f", "lavfi", "-i", fmt.Sprintf(c.graph, size), "-t", "4")
			tell(t, segments, ladder, func(cheat string) bool { return c.name == "black" || slices.Contains(c.blind, cheat) })
		})
	}
	for _, clip := range clips {
		t.Run(filepath.Base(clip), func(t *testing.T) {
			segments := cut(t, "-i", clip, "-t", "16", "-an")
			tell(t, segments, ladder, func(string) bool { return true })
		})
	}
}

// cut encodes what ffmpeg reads into segments of 2 s.
func cut(t *testing.T, input ...string) [][]byte {
	dir := t.TempDir()
	args := append([]string{"-hide_banner", "-loglevel", "error", "-nostdin"}, input...)
	args = append(args, "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "veryfast", "-b:v", "2500k", "-maxrate", "2500k", "-bufsize", "2500k",
		"-force_key_frames", "expr:gte(t,n_forced*2)", "-sc_threshold", "0", "-flags", "+cgop",
		"-f", "segment", "-segment_time", "2", "-segment_time_delta", "0.01", "-segment_format", "mpegts", filepath.Join(dir, "%d.ts"))
	mediatest.Run(t, nil, mediatest.FFmpeg(t), args...)
	var out [][]byte
	for {
		b, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("%d.ts", len(out))))
		if err != nil {
			return out
		}
		out = append(out, b)
	}
}

func tell(t *testing.T, segments [][]byte, ladder protocol.Ladder, blind func(cheat string) bool) {
	child := startChild(t)
	type row struct {
		failed, pictures, bad             int
		err, drift, off, lag, slack, used float64
	}
	rows := make([]row, len(ladder))
	var sources []Stream
	var grids [][]media.FrameGrid
	outs := make([][][]media.FrameGrid, len(ladder))
	for _, b := range segments {
		source := scan(b, false)
		sources = append(sources, source)
		grids = append(grids, measure(t, child, b))
		for i, out := range transcode(t, child, ladder, b) {
			p, r := ladder[i], &rows[i]
			st := scan(out, true)
			g := measure(t, child, out)
			outs[i] = append(outs[i], g)
			slack := slackFor(source, p)
			l := liken(grids[len(grids)-1], g, p.FPSNum != 0, slack)
			if !l.Passes() {
				r.failed++
				t.Errorf("%s: an honest encode fails: %+v", p.Name, l)
			}
			r.slack, r.pictures, r.bad = max(r.slack, slack), r.pictures+l.Frames, r.bad+l.Bad
			for _, x := range compareGrids(grids[len(grids)-1], g, p.FPSNum != 0) {
				r.err = max(r.err, x.err/(slack*(maxError+maxErrorShare*x.contrast)))
				r.drift = max(r.drift, math.Abs(x.drift)/(slack*(maxDrift+maxDriftShare*x.contrast)))
				r.off = max(r.off, float64(x.off)/(slack*slack*maxOff))
				r.lag = max(r.lag, x.lag/(slack*maxLag))
			}
			need := min(float64(p.Bitrate)*source.Duration.Seconds(), float64(8*source.slices)*float64(st.Pixels)/float64(source.Pixels))
			if used := float64(8*st.slices) / need; r.used == 0 || used < r.used {
				r.used = used
			}
		}
	}
	for i, r := range rows {
		t.Logf("HONEST %-22s slack %.2f, %d of %d segments fail, %d of %d pictures bad, nearest to its threshold: error %.2f drift %.2f off %.2f lag %.2f; spends %.2f of the need",
			ladder[i].Name, r.slack, r.failed, len(segments), r.bad, r.pictures, r.err, r.drift, r.off, r.lag, r.used)
	}
	for _, cheat := range cheats {
		found := 0
		for i := range segments {
			other := (i + 1) % len(segments)
			if liken(grids[i], cheat.make(outs[0][i], outs[0][other]), false, slackFor(sources[i], ladder[0])).Passes() {
				continue
			}
			found++
		}
		t.Logf("CHEAT  %-14s found in %d of %d segments", cheat.name, found, len(segments))
		if found < len(segments) && !blind(cheat.name) {
			t.Errorf("%s is found in %d of %d segments", cheat.name, found, len(segments))
		}
	}
}

func TestLikeness_blackOutputOfABlackSourcePasses(t *testing.T) {
	t.Parallel()
	black := make([]media.FrameGrid, 60)
	for i := range black {
		black[i].PTS = int64(i) * 3000
		fill(&black[i], 16)
	}
	if l := liken(black, black, false, 1); !l.Passes() {
		t.Errorf("black of black fails: %+v", l)
	}
	gray := slices.Clone(black)
	for i := range gray {
		fill(&gray[i], 20)
	}
	if l := liken(gray, black, false, 1); l.Passes() {
		t.Error("black of a very dark gray passes")
	}
	if l := liken(black, gray, false, 1); l.Passes() {
		t.Error("dark gray of black passes")
	}
}

func TestLikeness_ruleOverPictures(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		l    Likeness
		want bool
	}{
		{Likeness{}, false},
		{Likeness{Frames: 60}, true},
		{Likeness{Frames: 60, Bad: 3, Run: 2}, true},
		{Likeness{Frames: 60, Bad: 3, Run: 3}, false},
		{Likeness{Frames: 60, Bad: 4, Run: 1}, false},
		{Likeness{Frames: 10, Bad: 1, Run: 1}, false},
	} {
		if got := c.l.Passes(); got != c.want {
			t.Errorf("%+v passes: %v", c.l, got)
		}
	}
}

func scan(b []byte, strict bool) Stream {
	s := newScanner(Limits{}.withDefaults(), strict, 0, 0)
	s.write(b)
	return s.finish()
}

func startChild(t *testing.T) *media.Child {
	t.Helper()
	c, err := media.Start(t.Context(), media.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func measure(t *testing.T, c *media.Child, b []byte) []media.FrameGrid {
	t.Helper()
	m, err := c.Measure(t.Context(), bytes.NewReader(b), media.MeasureOptions{Grid: true})
	if err != nil {
		t.Fatal(err)
	}
	return m.Frames
}

func transcode(t *testing.T, c *media.Child, ladder protocol.Ladder, source []byte) [][]byte {
	t.Helper()
	outs := make([][]byte, len(ladder))
	_, err := c.Transcode(t.Context(), media.Job{Ladder: ladder, Source: bytes.NewReader(source), Out: func(i int, p []byte) error {
		outs[i] = append(outs[i], p...)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return outs
}
