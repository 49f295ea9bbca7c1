package verify

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/protocol"
)

// content is what TestLikeness shows: lavfi graphs. In lost ones an encode starved of bits is lost itself: what it makes has
// little to do with the source.
var content = []struct {
	name, graph string
	lost        bool
	slow        bool // only in the calibration run
}{
	{"testsrc2", "testsrc2=size=%[1]s:rate=30", false, false},
	{"clock on black", "color=c=black:size=%[1]s:rate=30,drawtext=text='%%{pts\\:hms}':fontsize=h/6:x=(w-tw)/2:y=h-th*2:fontcolor=white", false, true},
	{"still text", "color=c=0x202020:size=%[1]s:rate=30,drawtext=text='A line that stays':fontsize=h/9:x=(w-tw)/2:y=h/3:fontcolor=white", false, true},
	{"rolling text", "color=c=black:size=%[1]s:rate=30,drawtext=text='Names that roll by':fontsize=h/9:x=(w-tw)/2:y=h-h*t/4:fontcolor=white", false, true},
	{"life", "life=size=%[1]s:rate=30:mold=10:ratio=0.1:death_color=#C83232:life_color=#00ff00:seed=7", false, true},
	{"mandelbrot", "mandelbrot=size=%[1]s:rate=30", false, true},
	{"slow zoom", "testsrc=size=%[1]s:rate=30,trim=end_frame=1,loop=-1:1,scale=w='iw*(1+n*0.003)':h=-2:eval=frame,crop=320:180", false, true},
	{"slow pan", "mandelbrot=size=1280x720:rate=30:end_scale=0.3,trim=end_frame=1,loop=-1:1,crop=640:360:n*3:n*2,scale=%[1]s", false, true},
	{"interlaced", "testsrc2=size=%[1]s:rate=60,tinterlace=mode=interleave_top", false, false},
	{"10 fps", "testsrc2=size=%[1]s:rate=10", false, true},
	{"60 fps, fade", "mandelbrot=size=%[1]s:rate=60,fade=out:60:60", false, true},
	{"grain", "testsrc2=size=%[1]s:rate=30,noise=alls=40:allf=t+u:all_seed=5", false, false},
	{"heavy grain", "mandelbrot=size=%[1]s:rate=30,noise=alls=90:allf=t+u:all_seed=5", false, true},
	{"dark", "testsrc2=size=%[1]s:rate=30,lutyuv=y=16+(val-16)/12:u=128:v=128", false, true},
	{"dark grain", "mandelbrot=size=%[1]s:rate=30,lutyuv=y=16+(val-16)/8,noise=c0s=12:c0f=t:all_seed=3", false, true},
	{"fades", "testsrc2=size=%[1]s:rate=30,fade=in:0:30,fade=out:80:40", false, false},
	{"fast fades", "testsrc2=size=%[1]s:rate=30,fade=in:0:10,fade=out:70:12,fade=in:90:10:enable='gte(n,90)'", false, false},
	{"slow fades", "mandelbrot=size=%[1]s:rate=30,fade=in:0:60,fade=out:60:60", false, true},
	{"fades, white", "testsrc2=size=%[1]s:rate=30,fade=in:0:40:color=white,fade=out:70:45:color=white", false, true},
	{"fades, grain", "testsrc2=size=%[1]s:rate=30,fade=in:0:50,fade=out:65:50,noise=alls=25:allf=t+u:all_seed=5", true, true},
	{"fades, still", "smptebars=size=%[1]s:rate=30,fade=in:10:50,fade=out:65:50", false, true},
	{"cuts", "testsrc2=size=%[1]s:rate=30,negate=enable='gte(mod(t,1),0.5)'", false, false},
	{"cuts between three", "testsrc2=size=%[1]s:rate=30[a];mandelbrot=size=%[1]s:rate=30[b];smptebars=size=%[1]s:rate=30[c];" +
		"[a][b]overlay=enable='gte(mod(t,1.4),0.7)'[d];[d][c]overlay=enable='between(mod(t,2),1.1,1.5)'", false, true},
	{"flashes", "testsrc2=size=%[1]s:rate=30,drawbox=c=white:t=fill:enable='lt(mod(n,15),1)'", false, true},
	{"flashes of 3", "mandelbrot=size=%[1]s:rate=30,drawbox=c=white:t=fill:enable='lt(mod(n,20),3)'", false, true},
	{"strobe", "testsrc2=size=%[1]s:rate=30,negate=enable='lt(mod(n,6),3)'", true, true},
	{"confetti", "nullsrc=size=80x45:rate=30,geq=lum='if(gt(random(1),0.93),235,if(gt(random(2),0.93),16,110))':cb='128+60*(random(3)-0.5)':cr=128," +
		"scale=%[1]s:flags=neighbor", true, true},
	{"falling confetti", "nullsrc=size=160x400:rate=30,geq=lum='if(gt(random(1),0.95),235,if(gt(random(2),0.95),16,90))':cb='128+60*(random(3)-0.5)':cr=128," +
		"trim=end_frame=1,loop=-1:1,crop=120:68:n*0.2:330-n*2.5,scale=%[1]s:flags=neighbor", true, true},
	{"noise", "nullsrc=size=32x18:rate=30,geq=lum='16+219*random(1)':cb=128:cr=128,scale=%[1]s:flags=neighbor", true, true},
	{"bars", "smptebars=size=%[1]s:rate=30", false, true},
	{"black", "color=c=black:size=%[1]s:rate=30", false, false},
	{"gray", "color=c=0x606060:size=%[1]s:rate=30", false, true},
}

type cheat struct {
	name string
	make func(o, n []media.FrameGrid) []media.FrameGrid
}

// at makes each picture's grid by f: g is the honest output's at first, o are all of them.
func at(f func(i int, g *media.FrameGrid, o []media.FrameGrid)) func(o, n []media.FrameGrid) []media.FrameGrid {
	return func(o, n []media.FrameGrid) []media.FrameGrid {
		out := slices.Clone(o)
		for i := range out {
			f(i, &out[i], o)
		}
		return out
	}
}

// shows makes the picture at each time the one that was at which.
func shows(which func(i, n int) int) func(o, n []media.FrameGrid) []media.FrameGrid {
	return at(func(i int, g *media.FrameGrid, o []media.FrameGrid) {
		g.Luma = o[min(max(0, which(i, len(o))), len(o)-1)].Luma
	})
}

// moved makes each cell the mean of others of the same picture.
func moved(from func(x, y int) [][2]int) func(o, n []media.FrameGrid) []media.FrameGrid {
	return at(func(i int, g *media.FrameGrid, o []media.FrameGrid) {
		for c := range g.Luma {
			sum, all := 0, from(c%32, c/32)
			for _, p := range all {
				sum += int(o[i].Luma[p[1]*32+p[0]])
			}
			g.Luma[c] = uint8(sum / len(all))
		}
	})
}

// block is moved's cells of the n×n block that holds x, y: what a picture of 32/n×18/n scaled up would show.
func block(n int) func(x, y int) [][2]int {
	return func(x, y int) (out [][2]int) {
		for j := y / n * n; j < min(18, y/n*n+n); j++ {
			for i := x / n * n; i < x/n*n+n; i++ {
				out = append(out, [2]int{i, j})
			}
		}
		return out
	}
}

// cheats make the grids of a dishonest output of those of an honest one, o, and of the neighbouring segment's, n. They must be
// found; subtle need not.
var cheats = []cheat{
	{"black", at(func(i int, g *media.FrameGrid, o []media.FrameGrid) { fill(g, 16) })},
	{"frozen", shows(func(i, n int) int { return 0 })},
	{"frozen from 1/2", shows(func(i, n int) int { return min(i, n/2) })},
	{"frozen from 3/4", shows(func(i, n int) int { return min(i, n*3/4) })},
	{"replay", func(o, n []media.FrameGrid) []media.FrameGrid { return splice(o, n, 0) }},
	{"splice", func(o, n []media.FrameGrid) []media.FrameGrid { return splice(o, n, len(o)/2) }},
	{"reversed", shows(func(i, n int) int { return n - 1 - i })},
	{"swapped", shows(func(i, n int) int { return (i + n/2) % n })},
	{"10 late", shows(func(i, n int) int { return i - 10 })},
	{"5 late", shows(func(i, n int) int { return i - 5 })},
	{"3 late", shows(func(i, n int) int { return i - 3 })},
	{"3 early", shows(func(i, n int) int { return i + 3 })},
	{"every 8th", shows(func(i, n int) int { return i / 8 * 8 })},
	{"mirrored", moved(func(x, y int) [][2]int { return [][2]int{{31 - x, y}} })},
	{"upside down", moved(func(x, y int) [][2]int { return [][2]int{{x, 17 - y}} })},
	{"negated", at(func(i int, g *media.FrameGrid, o []media.FrameGrid) {
		for c, y := range g.Luma {
			g.Luma[c] = 251 - min(max(y, 16), 235)
		}
	})},
	{"overlay 1/4", at(func(i int, g *media.FrameGrid, o []media.FrameGrid) { overlay(g, 16, 9) })},
	{"overlay 1/5", at(func(i int, g *media.FrameGrid, o []media.FrameGrid) { overlay(g, 15, 8) })},
	{"overlay 1/14", at(func(i int, g *media.FrameGrid, o []media.FrameGrid) { overlay(g, 8, 5) })},
	{"1/5 painted over", moved(func(x, y int) [][2]int {
		if x < 8 || x >= 24 || y < 5 || y >= 13 {
			return [][2]int{{x, y}}
		}
		return around(8, 5, 24, 13)
	})},
	{"flat", moved(func(x, y int) [][2]int { return around(0, 0, 32, 18) })},
	{"8×5 scaled up", moved(block(4))},
}

// subtle are cheats that the calibration run tells of, found or not.
var subtle = []cheat{
	{"last 3 black", at(func(i int, g *media.FrameGrid, o []media.FrameGrid) {
		if i >= len(o)-3 {
			fill(g, 16)
		}
	})},
	{"16×9 scaled up", moved(block(2))},
	{"a cell to the right", moved(func(x, y int) [][2]int { return [][2]int{{max(0, x-1), y}} })},
	{"1/2 cell to the right", moved(func(x, y int) [][2]int { return [][2]int{{max(0, x-1), y}, {x, y}} })},
	{"a quarter dimmer", at(func(i int, g *media.FrameGrid, o []media.FrameGrid) {
		for c, y := range g.Luma {
			g.Luma[c] = uint8(16 + max(0, int(y)-16)*3/4)
		}
	})},
}

// around are the cells from x, y up to but without w, h.
func around(x, y, w, h int) (out [][2]int) {
	for j := y; j < h; j++ {
		for i := x; i < w; i++ {
			out = append(out, [2]int{i, j})
		}
	}
	return out
}

func splice(o, n []media.FrameGrid, from int) []media.FrameGrid {
	out := slices.Clone(o)
	for i := from; i < len(out); i++ {
		out[i].Luma = n[min(i, len(n)-1)].Luma
	}
	return out
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

// TestLikeness encodes each content honestly, at good bitrates and at ones that starve it, and says what L1 makes of it, and of
// the cheats. With KINORA_VERIFY_CLIPS=FILE… it is the calibration run behind docs/verification.md: larger pictures, more
// rungs, real footage.
func TestLikeness(t *testing.T) {
	t.Parallel()
	clips := strings.Fields(os.Getenv("KINORA_VERIFY_CLIPS"))
	rung := func(name string, w, h, rate, fps uint32, preset string, lookahead int32) protocol.Profile {
		p := protocol.Profile{Name: name, Width: w, Height: h, Bitrate: rate, FPSNum: fps, Codec: "h264", Preset: preset, Lookahead: lookahead}
		if fps > 0 {
			p.FPSDen = 1
		}
		return p
	}
	size, rate, ladder := "320x180", "700k", protocol.Ladder{
		rung("144p_250k", 256, 144, 250_000, 0, "veryfast", 0),
		rung("108p_40k", 192, 108, 40_000, 0, "veryfast", 0),
		rung("108p15_60k", 192, 108, 60_000, 15, "veryfast", 0),
		rung("144p_60k_ultrafast_zl", 256, 144, 60_000, 0, "ultrafast", -1),
	}
	starved := 3
	if len(clips) > 0 {
		size, rate, ladder = "640x360", "2500k", protocol.Ladder{
			rung("240p_400k", 426, 240, 400_000, 0, "veryfast", 0),
			rung("360p_800k_medium", 640, 360, 800_000, 0, "medium", 0),
			rung("240p_150k_ultrafast_zl", 426, 240, 150_000, 0, "ultrafast", -1),
			rung("240p_60k_ultrafast_zl", 426, 240, 60_000, 0, "ultrafast", -1),
			rung("240p_80k", 426, 240, 80_000, 0, "veryfast", 0),
			rung("160p_100k_zerolatency", 284, 160, 100_000, 0, "veryfast", -1),
			rung("144p_60k_ultrafast_zl", 256, 144, 60_000, 0, "ultrafast", -1),
			rung("160p15_40k", 284, 160, 40_000, 15, "veryfast", 0),
		}
		starved = 5
	}
	for i := range ladder {
		if err := ladder[i].Validate(); err != nil {
			t.Fatal(err)
		}
	}
	told := &tally{ladder: ladder, starved: starved, cheated: []int{0}, cheats: cheats, honest: make(map[string]*honestRow), found: make(map[string]*cheatRow)}
	if len(clips) > 0 {
		told.cheated, told.cheats = append(told.cheated, starved), slices.Concat(cheats, subtle)
	}
	t.Run("all", func(t *testing.T) {
		for _, c := range content {
			if c.slow && len(clips) == 0 {
				continue
			}
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				told.tell(t, c.lost, cut(t, rate, "-f", "lavfi", "-i", fmt.Sprintf(c.graph, size), "-t", "4"))
			})
		}
		for _, clip := range clips {
			t.Run(filepath.Base(clip), func(t *testing.T) { told.tell(t, false, cut(t, rate, "-i", clip, "-t", "16", "-an")) })
			t.Run("fades in "+filepath.Base(clip), func(t *testing.T) {
				told.tell(t, false, cut(t, rate, "-i", clip, "-t", "8", "-an", "-vf", "scale=640:360,fade=in:st=1:d=1,fade=out:st=3:d=2,fade=in:st=5:d=0.5:enable='gte(t,5)'"))
			})
		}
	})
	told.log(t)
}

// cut encodes what ffmpeg reads into segments of 2 s.
func cut(t *testing.T, rate string, input ...string) [][]byte {
	dir := t.TempDir()
	args := append([]string{"-hide_banner", "-loglevel", "error", "-nostdin"}, input...)
	args = append(args, "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "veryfast", "-b:v", rate, "-maxrate", rate, "-bufsize", rate,
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

// tally is what TestLikeness tells.
type tally struct {
	ladder  protocol.Ladder
	starved int   // the rung with next to no bits
	cheated []int // the rungs at which cheats are tried
	cheats  []cheat

	mu     sync.Mutex
	honest map[string]*honestRow // by rung
	found  map[string]*cheatRow  // by rung, kind of content and cheat
}

type honestRow struct {
	segments, twice, failed int
	first, once, beside     float64 // nearest to a threshold: the first picture's error, all that passed at once, the others
	used                    float64 // least of the bits that L0 wants to see
}

type cheatRow struct {
	visible, found int
	least          float64 // of what would let one pass that is found, in thresholds
	missed         []string
}

func (y *tally) tell(t *testing.T, lost bool, segments [][]byte) {
	child := startChild(t)
	crf := y.ladder[y.starved]
	crf.Name, crf.CodecProfile = crf.Name+"_crf40", ""
	rungs := append(slices.Clone(y.ladder), crf)
	outs := make([][][]media.FrameGrid, len(rungs))
	excuses := make([][]func() (*excuse, error), len(rungs))
	sources := make([]Stream, len(segments))
	grids := make([][]media.FrameGrid, len(segments))
	for s, b := range segments {
		sources[s], grids[s] = scan(b, false), measure(t, child, b)
		tape := newTape()
		tape.write(b)
		tape.finish(io.EOF)
		encoded := append(transcode(t, child, y.ladder, b), again(t, b, crf, "-b:v", "0", "-maxrate", "0", "-bufsize", "0", "-crf", "40", "-preset", "ultrafast"))
		for i, p := range rungs {
			st, g := scan(encoded[i], true), measure(t, child, encoded[i])
			outs[i] = append(outs[i], g)
			ordered := i
			if i == len(y.ladder) { // crf
				ordered = y.starved
			}
			excuses[i] = append(excuses[i], sync.OnceValues(func() (*excuse, error) {
				own, err := encodeOwn(t.Context(), child, tape, y.ladder, ordered, media.MeasureOptions{})
				if err != nil {
					return nil, err
				}
				return newExcuse(grids[s], own, p.FPSNum != 0), nil
			}))
			slack := besideSlackFor(sources[s], p)
			l, err := judge(grids[s], g, p.FPSNum != 0, false, slack, excuses[i][s])
			if err != nil {
				t.Fatal(err)
			}
			if !l.Passes() {
				t.Errorf("%s: an honest encode fails: %+v", p.Name, l)
			}
			need := min(float64(p.Bitrate)*sources[s].Duration.Seconds(), float64(8*sources[s].slices)*float64(st.Pixels)/float64(sources[s].Pixels))
			y.addHonest(p.Name, l, slack, float64(8*st.slices)/need)
		}
	}
	for _, i := range y.cheated {
		for k, c := range y.cheats {
			kind := fmt.Sprintf("%02d %s %s", k, y.ladder[i].Name, c.name)
			if lost {
				kind = fmt.Sprintf("%02d %s %s, lost", k, y.ladder[i].Name, c.name)
			}
			for s := range segments {
				g := c.make(outs[i][s], outs[i][(s+1)%len(segments)])
				if !visible(outs[i][s], g) {
					continue
				}
				slack := besideSlackFor(sources[s], y.ladder[i])
				l, err := judge(grids[s], g, false, false, slack, excuses[i][s])
				if err != nil {
					t.Fatal(err)
				}
				y.addCheat(kind, t.Name(), l, slack)
				if l.Passes() && i == 0 && !lost && k < len(cheats) {
					t.Errorf("%s: %s passes: %+v", y.ladder[i].Name, c.name, l)
				}
			}
		}
	}
}

// visible reports whether a cheat changes what there is to see: in a tenth of the pictures by more than 6 steps and 15 % of
// the contrast.
func visible(honest, cheat []media.FrameGrid) bool {
	n := 0
	for i := range honest {
		h, c := toCells(&honest[i]), toCells(&cheat[i])
		var t traits
		if t.look(&h, &c, &noExcuse); t.err > 6+0.15*t.contrast {
			n++
		}
	}
	return 10*n > len(honest)
}

func (y *tally) addHonest(rung string, l Likeness, slack, used float64) {
	y.mu.Lock()
	defer y.mu.Unlock()
	r := y.honest[rung]
	if r == nil {
		r = &honestRow{used: math.Inf(1)}
		y.honest[rung] = r
	}
	r.segments++
	r.first, r.used = max(r.first, l.first), min(r.used, used)
	if !l.Passes() {
		r.failed++
	}
	if l.Beside {
		r.twice++
		r.beside = max(r.beside, l.Needs/slack)
	} else {
		r.once = max(r.once, l.Needs)
	}
}

func (y *tally) addCheat(kind, where string, l Likeness, slack float64) {
	y.mu.Lock()
	defer y.mu.Unlock()
	r := y.found[kind]
	if r == nil {
		r = &cheatRow{least: math.Inf(1)}
		y.found[kind] = r
	}
	r.visible++
	if l.Passes() {
		r.missed = append(r.missed, strings.TrimPrefix(where, "TestLikeness/all/"))
		return
	}
	r.found++
	if l.Beside {
		l.Needs /= slack
	}
	r.least = min(r.least, l.Needs)
}

func (y *tally) log(t *testing.T) {
	y.mu.Lock()
	defer y.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(y.honest)) {
		r := y.honest[name]
		t.Logf("HONEST | %s | %d segments | %d failed | %d judged twice | nearest %.2f once, %.2f beside, first picture %.2f | bits %.2f", name,
			r.segments, r.failed, r.twice, r.once, r.beside, r.first, r.used)
	}
	for _, name := range slices.Sorted(maps.Keys(y.found)) {
		r := y.found[name]
		slices.Sort(r.missed)
		t.Logf("CHEAT | %s | found in %d of %d | nearest %.2f | missed in %s", name[3:], r.found, r.visible, r.least, strings.Join(slices.Compact(r.missed), ", "))
	}
}

func TestLikeness_blackOutputOfABlackSourcePasses(t *testing.T) {
	t.Parallel()
	black := make([]media.FrameGrid, 60)
	for i := range black {
		black[i].PTS = int64(i) * 3000
		fill(&black[i], 16)
	}
	if l := liken(black, black, false, nil, 1); !l.Passes() {
		t.Errorf("black of black fails: %+v", l)
	}
	gray := slices.Clone(black)
	for i := range gray {
		fill(&gray[i], 20)
	}
	if l := liken(gray, black, false, nil, 1); l.Passes() {
		t.Error("black of a very dark gray passes")
	}
	if l := liken(black, gray, false, nil, 1); l.Passes() {
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
	s := newScanner(Limits{}.withDefaults(), strict, asked{})
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
