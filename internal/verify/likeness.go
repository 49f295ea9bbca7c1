package verify

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/wire"
)

// L1 compares the luma grids of source and rendition, picture by picture at the same PTS. What is within the thresholds
// below shows the source. What is not may still be honest: an encoder starved of bits lags a second behind a cut. So it is
// judged again beside an encode that this side makes itself, of the same source by the same profile (own.go).
//
// All is relative to the source: how much an error counts depends on how much there is to see, and motion is asked for only
// where the source moves. The measurements behind the values are in docs/verification.md, with the command that makes them.
// Errors are in luma steps of 8-bit limited range; contrast is the standard deviation of the source's grid.
const (
	// Root mean square of the cells' errors, and error of their mean: at most so much and so much of the contrast.
	maxError      = 3.0
	maxErrorShare = 0.15
	maxDrift      = 3.5
	maxDriftShare = 0.08

	// A cell is off when its error exceeds offStep and offShare of the contrast; maxOff of the 576 may be. (An overlay.)
	offStep  = 9.0
	offShare = 0.25
	maxOff   = 12

	// Motion, after smoothing over so many pictures to either side: a cell moves when it differs by moveStep from its mean
	// over the segment. The errors in the moving cells of a picture may be maxLag of their motion, not counting a sum of
	// squares of missFloor. (Frozen, replayed, reordered.)
	smoothing = 2
	moveStep  = 4.0
	missFloor = 60.0
	maxLag    = 0.6

	// The rule over pictures: at most this share bad, and so many in a row.
	maxBadShare = 0.05
	maxBadRun   = 2

	// The first picture is a keyframe and the encoder's buffer is full: an error beyond so many thresholds no honest encode
	// comes near, however few its bits. Then there is nothing to judge again.
	foreignError = 4.0
)

// Likeness says how close the pictures of one rendition are to the source's.
type Likeness struct {
	Profile string
	Frames  int     // compared
	Bad     int     // pictures that are not the source's
	Run     int     // most bad pictures in a row
	Worst   string  // what was wrong with the first bad one
	Needs   float64 // it passes when all thresholds are multiplied by this
	Beside  bool    // judged beside encodes of this side's own
	Foreign bool    // it does not even begin as the source does
	first   float64 // error of the first picture, in thresholds
}

// Passes reports whether the pictures are the source's.
func (l Likeness) Passes() bool { return l.Frames > 0 && tolerable(l.Bad, l.Run, l.Frames) }

func tolerable(bad, run, frames int) bool {
	return float64(bad) <= maxBadShare*float64(frames) && run <= maxBadRun
}

// traits compare one picture with the source's at the same time.
type traits struct {
	contrast float64 // standard deviation of the source's grid
	err      float64 // root mean square of the cells' errors; as large as can be at a time the source has no picture
	drift    float64 // of the mean
	off      int     // cells that are off
	moving   int     // cells that move
	lag      float64 // error over the moving cells, relative to their motion
}

// excess is how many times its threshold the worst of the traits is, and which that is. The count of cells that are off
// grows with the square of what is wrong with them.
func (t traits) excess() (float64, string) {
	most, what := t.errorExcess(), "error"
	for _, x := range []struct {
		ratio float64
		what  string
	}{
		{math.Abs(t.drift) / (maxDrift + maxDriftShare*t.contrast), "brightness"},
		{math.Sqrt(float64(t.off) / maxOff), "cells"},
		{t.lag / maxLag, "motion"},
	} {
		if x.ratio > most {
			most, what = x.ratio, x.what
		}
	}
	return most, what
}

func (t traits) errorExcess() float64 { return t.err / (maxError + maxErrorShare*t.contrast) }

func (t traits) String() string {
	switch _, what := t.excess(); what {
	case "brightness":
		return fmt.Sprintf("brightness differs by %.1f", t.drift)
	case "cells":
		return fmt.Sprintf("%d cells differ", t.off)
	case "motion":
		return fmt.Sprintf("motion of %d cells is missed by %.2f", t.moving, t.lag)
	}
	return fmt.Sprintf("error %.1f at contrast %.1f", t.err, t.contrast)
}

// cells is a grid, or a mean of grids.
type cells [wire.GridLen]float64

// liken compares the pictures of a rendition with those of the source, both ordered by PTS, by the thresholds times slack.
// Where the rendition has a frame rate of its own, each of its pictures may be the source's before or after that time. e
// says how far which cells may be off beyond that; it may be nil.
func liken(source, out []media.FrameGrid, resampled bool, e *excuse, slack float64) Likeness {
	all := newFilm(source, out, resampled).compare(e)
	l := Likeness{Frames: len(all), Beside: e != nil}
	if len(all) == 0 {
		return l
	}
	ratios := make([]float64, len(all))
	for i, t := range all {
		if ratios[i], _ = t.excess(); ratios[i] > slack && l.Worst == "" {
			l.Worst = t.String()
		}
	}
	l.first = all[0].errorExcess()
	l.Bad, l.Run = beyond(ratios, slack)
	steps := slices.Sorted(slices.Values(ratios))
	l.Needs = steps[sort.Search(len(steps)-1, func(i int) bool {
		bad, run := beyond(ratios, steps[i])
		return tolerable(bad, run, len(ratios))
	})]
	return l
}

// judge likens a rendition with the source, and what fails a second time, by the thresholds times slack, beside encodes of
// this side's own. What is foreign is not worth one; but of a damaged source another decoder may show something else.
func judge(source, out []media.FrameGrid, resampled, damaged bool, slack float64, own func() (*excuse, error)) (Likeness, error) {
	l := liken(source, out, resampled, nil, 1)
	if l.Foreign = !l.Passes() && l.first > foreignError && !damaged; l.Passes() || l.Foreign {
		return l, nil
	}
	e, err := own()
	if err != nil {
		return l, err
	}
	return liken(source, out, resampled, e, slack), nil
}

// beyond counts the ratios that exceed limit, and the most in a row.
func beyond(ratios []float64, limit float64) (bad, run int) {
	now := 0
	for _, r := range ratios {
		if r <= limit {
			now = 0
			continue
		}
		bad, now = bad+1, now+1
		run = max(run, now)
	}
	return bad, run
}

// film is a rendition beside the source, picture by picture.
type film struct {
	times                   []int64 // relative to the source's first
	shown, seen             []cells // what the source shows at each, and what the rendition
	smoothShown, smoothSeen []cells
	strays                  []bool // times at which the source has no picture
}

func newFilm(source, out []media.FrameGrid, resampled bool) *film {
	f := &film{times: make([]int64, len(out)), shown: make([]cells, len(out)), seen: make([]cells, len(out)), strays: make([]bool, len(out))}
	for i := range out {
		f.seen[i] = toCells(&out[i])
		switch j := match(source, &out[i], resampled); {
		case j >= 0:
			f.shown[i] = toCells(&source[j])
		case i > 0:
			f.strays[i], f.shown[i] = true, f.shown[i-1]
		default:
			f.strays[i] = true
		}
		if len(source) > 0 {
			f.times[i] = near(out[i].PTS, source[0].PTS) - source[0].PTS
		}
	}
	f.smoothShown, f.smoothSeen = smooth(f.shown), smooth(f.seen)
	return f
}

// match finds the picture of source that x is to show, by its time; −1 if there is none.
func match(source []media.FrameGrid, x *media.FrameGrid, resampled bool) int {
	if len(source) == 0 {
		return -1
	}
	base := source[0].PTS
	at := near(x.PTS, base)
	j := sort.Search(len(source), func(j int) bool { return near(source[j].PTS, base) >= at-1 })
	if !resampled {
		if j == len(source) || !within(near(source[j].PTS, base), at, 1) {
			return -1
		}
		return j
	}
	best, least := -1, math.Inf(1)
	for k := max(0, j-1); k <= min(j+1, len(source)-1); k++ {
		sum := 0.0
		for c, y := range &source[k].Luma {
			d := float64(x.Luma[c]) - float64(y)
			sum += d * d
		}
		if sum < least {
			best, least = k, sum
		}
	}
	return best
}

// compare returns the traits of every picture, not counting what e excuses.
func (f *film) compare(e *excuse) []traits {
	var still cells // what shows of a cell that does not move
	for i := range f.smoothShown {
		for c, y := range &f.smoothShown[i] {
			still[c] += y / float64(len(f.smoothShown))
		}
	}
	all := make([]traits, len(f.seen))
	for i := range all {
		t := &all[i]
		may, mayLag := e.at(f.times[i])
		t.look(&f.shown[i], &f.seen[i], may)
		t.follow(&still, &f.smoothShown[i], &f.smoothSeen[i], mayLag)
		if f.strays[i] {
			t.err = math.MaxUint8
		}
	}
	return all
}

// look fills in what one picture alone tells. Each cell may be off by what may says.
func (t *traits) look(shown, seen, may *cells) {
	const n = float64(wire.GridLen)
	var sum, squares, errors float64
	var errs cells
	for c, s := range shown {
		sum += s
		squares += s * s
		errs[c] = beyondMay(seen[c]-s, may[c])
		t.drift += errs[c] / n
		errors += errs[c] * errs[c]
	}
	t.contrast = math.Sqrt(max(0, squares/n-sum/n*sum/n))
	t.err = math.Sqrt(errors / n)
	for _, e := range &errs {
		if math.Abs(e) > offStep+offShare*t.contrast {
			t.off++
		}
	}
}

// follow fills in how well the motion of the source is followed. Both are smoothed over time: what flickers from picture to
// picture an encoder may miss, what moves it may not.
func (t *traits) follow(still, shown, seen, may *cells) {
	var motion, missed, drift float64
	for c, s := range shown {
		drift += (seen[c] - s) / wire.GridLen
	}
	for c, s := range shown {
		if d := s - still[c]; math.Abs(d) > moveStep {
			t.moving++
			motion += d * d
			e := beyondMay(seen[c]-s-drift, may[c]) // a drift is judged by itself
			missed += e * e
		}
	}
	if t.moving > 0 {
		t.lag = math.Sqrt(max(0, missed-missFloor) / motion)
	}
}

// beyondMay is what of an error is more than may be.
func beyondMay(e, may float64) float64 {
	return math.Copysign(max(0, math.Abs(e)-may), e)
}

func toCells(g *media.FrameGrid) (out cells) {
	for c, y := range &g.Luma {
		out[c] = float64(y)
	}
	return out
}

// smooth is the mean of each and its neighbours up to smoothing away.
func smooth(in []cells) []cells {
	out := make([]cells, len(in))
	var sum cells // of the pictures from up to but without to
	from, to := 0, 0
	for i := range in {
		for ; to < min(len(in), i+smoothing+1); to++ {
			for c, y := range &in[to] {
				sum[c] += y
			}
		}
		for ; from < i-smoothing; from++ {
			for c, y := range &in[from] {
				sum[c] -= y
			}
		}
		n := float64(to - from)
		for c, y := range &sum {
			out[i][c] = y / n
		}
	}
	return out
}
