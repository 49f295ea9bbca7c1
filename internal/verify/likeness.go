package verify

import (
	"fmt"
	"math"
	"sort"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/wire"
	"github.com/kinora/kinora/internal/protocol"
)

// L1 compares the luma grids of source and rendition, picture by picture at the same PTS. All is relative to the source:
// how much an error counts depends on how much there is to see, and motion is asked for only where the source moves.
// Each value was chosen so that no honest encode of TestLikeness, and of the clips named in docs/verification.md with its
// tables, exceeds it by more than the rule over pictures forgives, and lies as far below the cheats as that leaves.
// Errors are in luma steps of 8-bit limited range; contrast is the standard deviation of the source's grid.
const (
	// Root mean square of the cells' errors, and error of their mean: at most so much and so much of the contrast.
	maxError      = 2.5
	maxErrorShare = 0.15
	maxDrift      = 3.0
	maxDriftShare = 0.05

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

	// Where a profile grants less than slackBelow of the source's bits a pixel, honest encodes lose more: all of the above
	// widens by the root of the ratio, up to maxSlack. It is the payer's profile that widens it, never the output.
	slackBelow = 0.4
	maxSlack   = 2.5
)

// Likeness says how close the pictures of one rendition are to the source's.
type Likeness struct {
	Profile string
	Frames  int    // compared
	Bad     int    // pictures that are not the source's
	Run     int    // most bad pictures in a row
	Worst   string // what was wrong with the first bad one
}

// Passes reports whether the pictures are the source's.
func (l Likeness) Passes() bool {
	return l.Frames > 0 && float64(l.Bad) <= maxBadShare*float64(l.Frames) && l.Run <= maxBadRun
}

// traits compare one picture with the source's at the same time.
type traits struct {
	contrast float64 // standard deviation of the source's grid
	err      float64 // root mean square of the cells' errors; infinite at a time the source has no picture
	drift    float64 // of the mean
	off      int     // cells that are off
	moving   int     // cells that move
	lag      float64 // error over the moving cells, relative to their motion
}

// bad says what is wrong, with slack; empty if nothing is.
func (t traits) bad(slack float64) string {
	switch {
	case t.err > slack*(maxError+maxErrorShare*t.contrast):
		return fmt.Sprintf("error %.1f at contrast %.1f", t.err, t.contrast)
	case math.Abs(t.drift) > slack*(maxDrift+maxDriftShare*t.contrast):
		return fmt.Sprintf("brightness differs by %.1f", t.drift)
	case float64(t.off) > slack*slack*maxOff:
		return fmt.Sprintf("%d cells differ", t.off)
	case t.moving > 0 && t.lag > slack*maxLag:
		return fmt.Sprintf("motion of %d cells is missed by %.2f", t.moving, t.lag)
	}
	return ""
}

// cells is a grid, or a mean of grids.
type cells [wire.GridLen]float64

// liken compares the pictures of a rendition with those of the source, both ordered by PTS. Where the rendition has a frame
// rate of its own, each of its pictures may be the source's before or after that time. slack widens what errors may be.
func liken(source, out []media.FrameGrid, resampled bool, slack float64) Likeness {
	l := Likeness{Frames: len(out)}
	run := 0
	for _, t := range compareGrids(source, out, resampled) {
		why := t.bad(slack)
		if why == "" {
			run = 0
			continue
		}
		if l.Bad++; l.Worst == "" {
			l.Worst = why
		}
		run++
		l.Run = max(l.Run, run)
	}
	return l
}

// compareGrids returns the traits of every picture of out.
func compareGrids(source, out []media.FrameGrid, resampled bool) []traits {
	all := make([]traits, len(out))
	shown := make([]cells, len(out)) // what the source shows at the time of each
	for i := range out {
		j := match(source, &out[i], resampled)
		if j < 0 { // a time at which the source has no picture
			all[i].err = math.Inf(1)
			if i > 0 {
				shown[i] = shown[i-1]
			}
			continue
		}
		shown[i] = toCells(&source[j])
		all[i].compare(&source[j], &out[i])
	}
	addMotion(all, shown, out)
	return all
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
		var t traits
		if t.compare(&source[k], x); t.err < least {
			best, least = k, t.err
		}
	}
	return best
}

// compare fills in what one picture alone tells.
func (t *traits) compare(source, out *media.FrameGrid) {
	const n = float64(len(source.Luma))
	var sum, squares, errors, drift float64
	for c, y := range source.Luma {
		s, o := float64(y), float64(out.Luma[c])
		sum += s
		squares += s * s
		drift += o - s
		errors += (o - s) * (o - s)
	}
	t.contrast = math.Sqrt(max(0, squares/n-sum/n*sum/n))
	t.err, t.drift = math.Sqrt(errors/n), drift/n
	for c, y := range source.Luma {
		if math.Abs(float64(y)-float64(out.Luma[c])) > offStep+offShare*t.contrast {
			t.off++
		}
	}
}

// addMotion fills in how well the motion of the source is followed. Both are smoothed over time first: what flickers from
// picture to picture an encoder may miss, what moves it may not.
func addMotion(all []traits, shown []cells, out []media.FrameGrid) {
	seen := make([]cells, len(out))
	for i := range out {
		seen[i] = toCells(&out[i])
	}
	shown, seen = smooth(shown), smooth(seen)
	var still cells
	for i := range shown {
		for c, y := range shown[i] {
			still[c] += y / float64(len(shown))
		}
	}
	for i := range shown {
		t := &all[i]
		var motion, missed, drift float64
		for c, s := range shown[i] {
			drift += (seen[i][c] - s) / wire.GridLen
		}
		for c, s := range shown[i] {
			if d := s - still[c]; math.Abs(d) > moveStep {
				t.moving++
				motion += d * d
				e := seen[i][c] - s - drift // a drift is judged by itself
				missed += e * e
			}
		}
		if t.moving > 0 {
			t.lag = math.Sqrt(max(0, missed-missFloor) / motion)
		}
	}
}

func toCells(g *media.FrameGrid) (out cells) {
	for c, y := range g.Luma {
		out[c] = float64(y)
	}
	return out
}

// smooth is the mean of each and its neighbours up to smoothing away.
func smooth(in []cells) []cells {
	out := make([]cells, len(in))
	for i := range in {
		from, to := max(0, i-smoothing), min(len(in), i+smoothing+1)
		for j := from; j < to; j++ {
			for c, y := range in[j] {
				out[i][c] += y
			}
		}
		for c := range out[i] {
			out[i][c] /= float64(to - from)
		}
	}
	return out
}

// slackFor is the factor by which profile p of source src widens what errors may be.
func slackFor(src Stream, p protocol.Profile) float64 {
	fps := src.FPS
	if p.FPSNum != 0 {
		fps = float64(p.FPSNum) / float64(p.FPSDen)
	}
	if src.Pixels == 0 || fps == 0 || src.VideoBytes == 0 {
		return 1
	}
	granted := float64(p.Bitrate) / (float64(p.Width) * float64(p.Height) * fps)
	needed := float64(8*src.VideoBytes) / float64(src.Pixels)
	return min(max(1, math.Sqrt(slackBelow*needed/granted)), maxSlack)
}
