package route

import (
	"cmp"
	"slices"

	"github.com/kinora/kinora/internal/protocol"
)

// Carrier is somebody who could make a part of a ladder.
type Carrier struct {
	Bid  protocol.Bid
	Held protocol.CodecRates // work given to it that the bid does not know of
}

// room is what c has left of the codec it is widest in, of those that a ladder asks for.
func (c Carrier) room(ladder protocol.Ladder) (most uint64) {
	for _, p := range ladder {
		held, _ := c.Held.Of(p.Codec)
		free := c.Bid.Free(p.Codec)
		most = max(most, free-min(held, free))
	}
	return most
}

// Part is the rungs of a ladder, by their index, that one carrier makes.
type Part struct {
	Carrier int
	Rungs   []int
}

// Split divides a ladder that nobody can carry alone: the dearest rungs first, each to the first carrier that has room for it, the
// widest first, so that it takes few of them. The part with the dearest rung comes first; nil where a rung fits nowhere. One that can carry
// all gets all. The same carriers always get the same parts.
func Split(ladder protocol.Ladder, sourceFPS float64, carriers []Carrier) []Part {
	widest := make([]int, len(carriers))
	for i := range carriers {
		widest[i] = i
	}
	slices.SortStableFunc(widest, func(a, b int) int { return cmp.Compare(carriers[b].room(ladder), carriers[a].room(ladder)) })
	rungs := make([]int, len(ladder))
	cost := make([]uint64, len(ladder))
	for i := range ladder {
		rungs[i] = i
		for _, r := range ladder[i : i+1].PixelRates(sourceFPS) {
			cost[i] += r.PixelRate
		}
	}
	for _, c := range widest {
		if carriers[c].fits(ladder, rungs, sourceFPS) {
			return []Part{{c, rungs}}
		}
	}
	slices.SortStableFunc(rungs, func(a, b int) int { return cmp.Compare(cost[b], cost[a]) })
	parts := make([]Part, len(widest))
	for i, c := range widest {
		parts[i].Carrier = c
	}
	for _, r := range rungs {
		i := slices.IndexFunc(parts, func(p Part) bool {
			return carriers[p.Carrier].fits(ladder, append(slices.Clone(p.Rungs), r), sourceFPS)
		})
		if i < 0 {
			return nil
		}
		parts[i].Rungs = append(parts[i].Rungs, r)
	}
	parts = slices.DeleteFunc(parts, func(p Part) bool { return len(p.Rungs) == 0 })
	for _, p := range parts {
		slices.Sort(p.Rungs)
	}
	return parts
}

// fits tells whether c can make these rungs.
func (c Carrier) fits(ladder protocol.Ladder, rungs []int, sourceFPS float64) bool {
	return c.Bid.Fits(Rungs(ladder, rungs).PixelRates(sourceFPS).Plus(c.Held))
}

// Rungs are those of a ladder, in this order.
func Rungs(ladder protocol.Ladder, rungs []int) protocol.Ladder {
	part := make(protocol.Ladder, len(rungs))
	for i, r := range rungs {
		part[i] = ladder[r]
	}
	return part
}
