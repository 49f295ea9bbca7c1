package verify

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/protocol"
)

// scroll is a pattern that moves by a cell a picture.
func scroll(n int) []media.FrameGrid {
	out := make([]media.FrameGrid, n)
	for i := range out {
		out[i].PTS = int64(i) * 3000
		for c := range out[i].Luma {
			out[i].Luma[c] = uint8(60 + (c+i)/8%2*100)
		}
	}
	return out
}

// frozenWithin is film with the pictures from a up to but without b replaced by the one before.
func frozenWithin(film []media.FrameGrid, a, b int) []media.FrameGrid {
	return shows(func(i, n int) int {
		if i >= a && i < b {
			return a - 1
		}
		return i
	})(film, nil)
}

func TestJudge_excusesOnlyWhereItsOwnEncodeIsPoor(t *testing.T) {
	t.Parallel()
	source := scroll(120)
	for _, c := range []struct {
		name     string
		out, own []media.FrameGrid
		want     bool
	}{
		{"both good", source, source, true},
		{"poor at the same time", frozenWithin(source, 30, 45), frozenWithin(source, 30, 45), true},
		{"poor a little later", frozenWithin(source, 36, 51), frozenWithin(source, 30, 51), true},
		{"poor where our own is good", frozenWithin(source, 30, 45), source, false},
		{"poor more than a second later", frozenWithin(source, 90, 105), frozenWithin(source, 30, 45), false},
		{"poor for longer", frozenWithin(source, 30, 100), frozenWithin(source, 30, 45), false},
	} {
		l, err := judge(source, c.out, false, false, besideSlack, func() (*excuse, error) {
			return newExcuse(source, [][]media.FrameGrid{source, c.own}, false), nil
		})
		if err != nil || l.Passes() != c.want {
			t.Errorf("%s: %v, %+v", c.name, err, l)
		}
	}
}

func TestJudge_encodesOnlyWhatItIsInDoubtOf(t *testing.T) {
	t.Parallel()
	source, failure := scroll(60), errors.New("no encode")
	never := func() (*excuse, error) { return nil, failure }
	other := scroll(60)
	for i := range other {
		fill(&other[i], 230)
	}
	for _, c := range []struct {
		name            string
		out             []media.FrameGrid
		damaged         bool
		passes, foreign bool
		asksForAnEncode bool
	}{
		{"the source", source, false, true, false, false},
		{"something else", other, false, false, true, false},
		{"something else, of a damaged source", other, true, false, false, true},
		{"good at first", frozenWithin(source, 20, 60), false, false, false, true},
	} {
		l, err := judge(source, c.out, false, c.damaged, besideSlack, never)
		if l.Passes() != c.passes || l.Foreign != c.foreign || errors.Is(err, failure) != c.asksForAnEncode {
			t.Errorf("%s: %v, %+v", c.name, err, l)
		}
	}
}

func TestLargest_isTheMaximumWithinTheSpan(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	const n, span = 200, 40
	times, in, out := make([]int64, n), make([]cells, n), make([]cells, n)
	for i := range times {
		if i > 0 {
			times[i] = times[i-1] + 1 + r.Int64N(20)
		}
		for c := range in[i] {
			in[i][c] = float64(r.IntN(50))
		}
	}
	largest(times, in, out, span)
	for i := range out {
		for c := range out[i] {
			want := 0.0
			for j := range in {
				if within(times[i], times[j], span) {
					want = max(want, in[j][c])
				}
			}
			if out[i][c] != want {
				t.Fatalf("cell %d of picture %d: %v, want %v", c, i, out[i][c], want)
			}
		}
	}
}

func TestWaysTo_areLaddersAndKeepTheOrderOfScaling(t *testing.T) {
	t.Parallel()
	ladder := protocol.Ladder{
		{Name: "a", Width: 640, Height: 360, Bitrate: 800_000, Codec: protocol.H264},
		{Name: "b", Width: 426, Height: 240, Bitrate: 1000, Codec: protocol.H264, Preset: "medium", Lookahead: 20},
		{Name: "c", Width: 256, Height: 144, Bitrate: 60_000, Codec: protocol.H264, Preset: "ultrafast", Lookahead: -1},
	}
	for i, larger := range []int{0, 1, 2} {
		ways := waysTo(ladder, i)
		if want := 2 + min(larger, 1); len(ways) != want {
			t.Fatalf("%d ways to %d, want %d", len(ways), i, want)
		}
		for _, w := range ways {
			if err := w.Validate(); err != nil {
				t.Error(err)
			}
			if w[0].Width != ladder[i].Width || w[0].Lookahead != ladder[i].Lookahead {
				t.Errorf("the way to %+v begins with %+v", ladder[i], w[0])
			}
		}
		if last := ways[len(ways)-1]; len(last) != 1+larger {
			t.Errorf("%d sizes on the way to %d, want %d", len(last), i, 1+larger)
		}
	}
}
