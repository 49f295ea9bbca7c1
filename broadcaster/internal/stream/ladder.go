package stream

import (
	"cmp"
	"slices"

	"github.com/kinora/kinora/internal/protocol"
)

// Order sorts a ladder largest first, with its labels.
func Order(ladder protocol.Ladder, labels []string) (protocol.Ladder, []string) {
	at := make([]int, len(ladder))
	for i := range at {
		at[i] = i
	}
	slices.SortStableFunc(at, func(a, b int) int {
		p, q := ladder[a], ladder[b]
		return cmp.Or(cmp.Compare(q.Width*q.Height, p.Width*p.Height), cmp.Compare(q.Bitrate, p.Bitrate))
	})
	sorted, names := make(protocol.Ladder, len(ladder)), make([]string, len(ladder))
	for i, j := range at {
		sorted[i], names[i] = ladder[j], ladder[j].Name
		if j < len(labels) {
			names[i] = labels[j]
		}
	}
	return sorted, names
}

// fit is the configured ladder without the rungs that are not smaller than the source. When none is smaller, the lowest
// rung is made at the size of the source, so that there is always something to play.
func fit(ladder protocol.Ladder, width, height int) protocol.Ladder {
	var fits protocol.Ladder
	var lowest protocol.Profile
	for _, p := range ladder {
		if p.SoundOnly() {
			continue
		}
		lowest = p
		if int(p.Height) < height && int(p.Width) < width || int(p.Width)*int(p.Height) < width*height && (int(p.Height) < height || int(p.Width) < width) {
			fits = append(fits, p)
		}
	}
	if len(fits) == 0 {
		lowest.Width, lowest.Height = uint32(max(least(lowest), width&^1)), uint32(max(least(lowest), height&^1))
		lowest.Level = 0 // which may have no room for it
		fits = protocol.Ladder{lowest}
	}
	for _, p := range ladder {
		if p.SoundOnly() {
			fits = append(fits, p)
		}
	}
	return fits
}

// least is the smallest side of a picture that the profile's codec makes.
func least(p protocol.Profile) int {
	if p.Codec == protocol.AV1 {
		return 64
	}
	return 16
}

// rateAbove is the usual frame rate that bounds fps from above: what a quote is asked for.
func rateAbove(fps float64) float64 {
	for _, usual := range []float64{25, 30, 50, 60} {
		if fps <= usual*1.01 {
			return usual
		}
	}
	return protocol.MaxFPS
}
