package route

import (
	"slices"
	"time"

	"github.com/kinora/kinora/internal/protocol"
)

// Step is how far a stream is degraded.
type Step string

// Steps, from none to all.
const (
	Whole       Step = "whole"        // every rung is made
	Shed        Step = "shed"         // the dearest rungs are left out
	PassThrough Step = "pass_through" // the source goes on as it is
	Stop        Step = "stop"         // nothing does
)

// Policy is what a stream puts up with.
type Policy struct {
	MinRungs    int           // fewer are of no use to it; at least 1
	PassThrough bool          // the source alone is better than nothing
	StopAfter   time.Duration // how long the source alone is; 0: for ever
}

// Lack is what there is too little of for a ladder that was refused. Without any of it, a rung is shed at a time.
type Lack struct {
	Room      uint64                    // pixels a second that there are; 0: not said
	TooDear   func(protocol.Codec) bool // nobody makes this codec for what is paid; nil: price is not why
	Budget    *protocol.Wei             // most that a segment may cost; nil: money is not why
	MaxMillis uint32                    // of a segment
}

// Degrade fits a ladder into room pixels a second: it sheds the rung that costs most at prices until the rest fits, then
// passes the source through, then stops, as far as the stream's policy goes. The rungs that are kept stay in order.
func Degrade(ladder protocol.Ladder, sourceFPS float64, prices protocol.Prices, room uint64, p Policy) (protocol.Ladder, Step) {
	if ladder.PixelRate(sourceFPS) <= room {
		return slices.Clone(ladder), Whole
	}
	kept, _, step := fit(ladder, sourceFPS, prices, Lack{Room: max(room, 1)}, p)
	return kept, step
}

// fit sheds at least one rung of a ladder that was refused, and says which ones in order.
func fit(ladder protocol.Ladder, fps float64, prices protocol.Prices, lack Lack, p Policy) (kept protocol.Ladder, shed []string, step Step) {
	kept = slices.Clone(ladder)
	for len(kept) > max(p.MinRungs, 1) {
		i := dearest(kept, fps, prices, lack)
		shed = append(shed, kept[i].Name)
		kept = slices.Delete(kept, i, i+1)
		if lack.fits(kept, fps, prices) {
			return kept, shed, Shed
		}
	}
	if p.PassThrough {
		return nil, shed, PassThrough
	}
	return nil, shed, Stop
}

// fits reports whether what is lacking is no reason to refuse ladder.
func (l Lack) fits(ladder protocol.Ladder, fps float64, prices protocol.Prices) bool {
	switch {
	case l.Room > 0 && ladder.PixelRate(fps) > l.Room:
		return false
	case l.TooDear != nil && slices.ContainsFunc(ladder, func(p protocol.Profile) bool { return l.TooDear(p.Codec) }):
		return false
	case l.Budget != nil:
		fee, err := ladder.MaxFee(prices, fps, l.MaxMillis)
		return err == nil && !l.Budget.Less(fee)
	}
	return true
}

// dearest is the rung to shed: the one that costs most, of those that nobody makes for what is paid, if there are any.
func dearest(ladder protocol.Ladder, fps float64, prices protocol.Prices, lack Lack) int {
	best := -1
	for _, barred := range []bool{true, false} {
		for i, p := range ladder {
			if barred && (lack.TooDear == nil || !lack.TooDear(p.Codec)) {
				continue
			}
			if best < 0 || rung(ladder[best], prices, fps).Less(rung(p, prices, fps)) {
				best = i
			}
		}
		if best >= 0 {
			break
		}
	}
	return best
}

func rung(p protocol.Profile, prices protocol.Prices, sourceFPS float64) protocol.Wei {
	price, ok := prices.Of(p.Codec)
	if !ok {
		price = protocol.NewWei(1)
	}
	return price.Mul(p.PixelRate(sourceFPS))
}

// Descent is how far a stream was degraded and when it may try a step back up. The zero Descent is whole; it is a value.
type Descent struct {
	Step    Step          // empty: Whole
	Dropped []string      // rungs that are not made, by name, as they were shed
	Since   time.Time     // of the step
	Next    time.Time     // no step up is tried before
	Calm    time.Duration // how long nothing is tried
	Climbed time.Time     // last
}

// MaxCalm is the longest that nothing is tried, however often a step up failed.
const MaxCalm = 10 * time.Minute

// At is the step.
func (d Descent) At() Step {
	if d.Step == "" {
		return Whole
	}
	return d.Step
}

// Makes is what is made of ladder, nil where nothing is.
func (d Descent) Makes(ladder protocol.Ladder) protocol.Ladder {
	if d.Step == PassThrough || d.Step == Stop {
		return nil
	}
	return d.rungs(ladder)
}

// rungs are those of ladder that were not dropped; all of them when none would be left: then it is another ladder.
func (d Descent) rungs(ladder protocol.Ladder) protocol.Ladder {
	var kept protocol.Ladder
	for _, p := range ladder {
		if !slices.Contains(d.Dropped, p.Name) {
			kept = append(kept, p)
		}
	}
	if len(kept) == 0 {
		return ladder
	}
	return kept
}

// Down is the descent after made, which is what was left of the ladder, was refused for want of lack. The next step up waits
// base, or twice as long as before if it was taken back soon after it was made.
func (d Descent) Down(made protocol.Ladder, fps float64, prices protocol.Prices, lack Lack, p Policy, base time.Duration, now time.Time) Descent {
	_, shed, step := fit(made, fps, prices, lack, p)
	next := d.wait(base, now)
	next.Step, next.Since = step, now
	next.Dropped = slices.DeleteFunc(slices.Clone(d.Dropped), func(name string) bool { // what is made of another ladder is not dropped
		return slices.ContainsFunc(made, func(p protocol.Profile) bool { return p.Name == name })
	})
	next.Dropped = append(next.Dropped, shed...)
	return next
}

// Exhausted is the descent once the source alone went on for as long as the policy has it.
func (d Descent) Exhausted(p Policy, now time.Time) (Descent, bool) {
	if d.Step != PassThrough || p.StopAfter <= 0 || now.Sub(d.Since) < p.StopAfter {
		return d, false
	}
	d.Step, d.Since = Stop, now
	return d, true
}

// wait puts off the next step up.
func (d Descent) wait(base time.Duration, now time.Time) Descent {
	calm := base
	if d.Calm > 0 && !d.Climbed.IsZero() && now.Sub(d.Climbed) < 2*d.Calm {
		calm = min(2*d.Calm, max(MaxCalm, base))
	}
	d.Calm, d.Next = calm, now.Add(calm)
	return d
}

// Up is the descent one step higher, to be tried with a segment; false: it is too soon, or there is no higher one.
func (d Descent) Up(p Policy, now time.Time) (Descent, bool) {
	if d.At() == Whole || now.Before(d.Next) {
		return d, false
	}
	up := d
	switch {
	case d.Step == PassThrough || d.Step == Stop:
		up.Step = Shed
	default:
		up.Dropped = slices.Clone(d.Dropped[:len(d.Dropped)-1])
	}
	if len(up.Dropped) == 0 {
		up.Step = Whole
	}
	return up, true
}

// Held is the descent after a step up, made by Up, held.
func (d Descent) Held(now time.Time) Descent {
	d.Since, d.Climbed, d.Next = now, now, now.Add(d.Calm)
	return d
}

// Refused is the descent after a step up was refused: the next try is put off twice as long.
func (d Descent) Refused(base time.Duration, now time.Time) Descent {
	d.Climbed = now
	return d.wait(base, now)
}
