package engine

import (
	"slices"

	"github.com/asticode/go-astiav"

	"github.com/kinora/kinora/internal/media/wire"
)

// commonRates are what cameras and encoders make; a measured rate this close to one is that one.
var commonRates = [][2]int{{24000, 1001}, {24, 1}, {25, 1}, {30000, 1001}, {30, 1}, {50, 1}, {60000, 1001}, {60, 1}, {120, 1},
	{15, 1}, {20, 1}, {12, 1}, {10, 1}, {48, 1}, {100, 1}}

// measureRate is the frame rate by the timestamps of the first pictures, or what the stream says when there is but one.
func measureRate(frames []*astiav.Frame, said astiav.Rational) (num, den int) {
	if len(frames) < 2 {
		if f := said.Float64(); f >= 1 && f <= 240 {
			return said.Num(), said.Den()
		}
		return 30, 1
	}
	var steps []int64
	for i := 1; i < len(frames); i++ {
		steps = append(steps, frames[i].Pts()-frames[i-1].Pts())
	}
	slices.Sort(steps)
	step := float64(steps[len(steps)/2])
	if steps[len(steps)-1]*5 < steps[0]*6 { // only rounding apart
		step = float64(frames[len(frames)-1].Pts()-frames[0].Pts()) / float64(len(steps))
	}
	rate := min(max(wire.TicksPerSecond/step, 1), 240)
	for _, r := range commonRates {
		if c := float64(r[0]) / float64(r[1]); rate/c < 1.0003 && rate/c > 0.9997 {
			return r[0], r[1]
		}
	}
	for _, r := range commonRates { // timestamps in milliseconds
		if c := float64(r[0]) / float64(r[1]); rate/c < 1.005 && rate/c > 0.995 {
			return r[0], r[1]
		}
	}
	return int(rate*1000 + 0.5), 1000
}
