package route_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/route"
)

var (
	wide = protocol.Ladder{{Name: "1080p", Width: 1920, Height: 1080, Codec: protocol.H264}, {Name: "720p", Width: 1280, Height: 720, Codec: protocol.H264},
		{Name: "480p av1", Width: 854, Height: 480, Codec: protocol.AV1}, {Name: "240p", Width: 426, Height: 240, Codec: protocol.H264}}
	dear = protocol.Prices{{Codec: protocol.H264, WeiPerPixel: protocol.NewWei(1)}, {Codec: protocol.AV1, WeiPerPixel: protocol.NewWei(4)}}
)

const base = 30 * time.Second

func TestDescent_shedsWhatIsLackingAndNoMore(t *testing.T) {
	t.Parallel()
	pass := route.Policy{PassThrough: true}
	fee := func(names ...string) *protocol.Wei {
		var kept protocol.Ladder
		for _, p := range wide {
			if slices.Contains(names, p.Name) {
				kept = append(kept, p)
			}
		}
		f, err := kept.MaxFee(dear, 30, 4000)
		if err != nil {
			t.Fatal(err)
		}
		return &f
	}
	for name, c := range map[string]struct {
		lack    route.Lack
		policy  route.Policy
		step    route.Step
		dropped []string
	}{
		"nothing is said":          {route.Lack{}, pass, route.Shed, []string{"1080p"}},
		"room for two":             {route.Lack{Room: 16_000_000}, pass, route.Shed, []string{"1080p", "480p av1", "720p"}},
		"room for more than asked": {route.Lack{Room: 1 << 40}, pass, route.Shed, []string{"1080p"}},
		"no room":                  {route.Lack{Room: 1}, pass, route.PassThrough, []string{"1080p", "480p av1", "720p"}},
		"no room, all or nothing":  {route.Lack{Room: 1}, route.Policy{MinRungs: 4}, route.Stop, nil},
		"a codec is too dear":      {route.Lack{TooDear: func(c protocol.Codec) bool { return c == protocol.AV1 }}, pass, route.Shed, []string{"480p av1"}},
		"every codec is":           {route.Lack{TooDear: func(protocol.Codec) bool { return true }}, pass, route.PassThrough, []string{"1080p", "480p av1", "720p"}},
		"money for the two least":  {route.Lack{Budget: fee("720p", "240p"), MaxMillis: 4000}, pass, route.Shed, []string{"1080p", "480p av1"}},
		"no money":                 {route.Lack{Budget: &protocol.Wei{}, MaxMillis: 4000}, route.Policy{}, route.Stop, []string{"1080p", "480p av1", "720p"}},
	} {
		d := route.Descent{}.Down(wide, 30, dear, c.lack, c.policy, base, start)
		if d.At() != c.step || !slices.Equal(d.Dropped, c.dropped) {
			t.Errorf("%s: %s without %q, want %s without %q", name, d.At(), d.Dropped, c.step, c.dropped)
		}
	}
}

func TestDescent_climbsAStepAtATimeAndEverMoreSlowlyWhereItFails(t *testing.T) {
	t.Parallel()
	policy := route.Policy{PassThrough: true}
	d := route.Descent{}.Down(wide, 30, dear, route.Lack{Room: 1}, policy, base, start)
	if d.Makes(wide) != nil {
		t.Errorf("passing through, it makes %v", d.Makes(wide))
	}
	if _, ok := d.Up(policy, start.Add(base-1)); ok {
		t.Error("a step up is tried at once")
	}
	now := start.Add(base)
	for _, want := range [][]string{{"240p"}, {"720p", "240p"}, {"720p", "480p av1", "240p"}, {"1080p", "720p", "480p av1", "240p"}} {
		up, ok := d.Up(policy, now)
		var names []string
		for _, p := range up.Makes(wide) {
			names = append(names, p.Name)
		}
		if !ok || !slices.Equal(names, want) {
			t.Fatalf("up to %q (%v), want %q", names, ok, want)
		}
		d = up.Held(now)
		now = d.Next
	}
	if d.At() != route.Whole {
		t.Errorf("at the top it is %s", d.At())
	}
	if _, ok := d.Up(policy, now.Add(time.Hour)); ok {
		t.Error("there is a step above all")
	}

	// What is refused again and again is tried less and less often, what fails long after is as new.
	d = route.Descent{}.Down(wide, 30, dear, route.Lack{}, policy, base, now)
	for i, calm := range []time.Duration{base, 2 * base, 4 * base, 8 * base, 16 * base, 10 * time.Minute, 10 * time.Minute} {
		if d.Calm != calm {
			t.Errorf("after %d failed tries it waits %s, want %s", i, d.Calm, calm)
		}
		now = d.Next
		if _, ok := d.Up(policy, now); !ok {
			t.Fatal("it is not tried when it is time")
		}
		d = d.Refused(base, now)
	}
	if d = d.Down(wide, 30, dear, route.Lack{}, policy, base, now.Add(time.Hour)); d.Calm != base {
		t.Errorf("an hour later it waits %s", d.Calm)
	}
}

// An encoder that starts anew with rungs that were all left out makes them all; when they are refused in turn it does with less.
func TestDescent_goesFurtherDownWithALadderOfRungsThatWereLeftOut(t *testing.T) {
	t.Parallel()
	policy := route.Policy{PassThrough: true}
	d := route.Descent{}.Down(wide, 30, dear, route.Lack{Room: 1}, policy, base, start)
	if d, _ = d.Up(policy, d.Next); len(d.Makes(wide)) != 1 {
		t.Fatalf("it makes %v", d.Makes(wide))
	}
	var other protocol.Ladder
	for _, p := range wide {
		if slices.Contains(d.Dropped, p.Name) {
			other = append(other, p)
		}
	}
	for range len(other) {
		made := d.Makes(other)
		if d = d.Down(made, 30, dear, route.Lack{}, policy, base, start); len(d.Makes(other)) >= len(made) {
			t.Fatalf("%d rungs, %v, after %d were refused", len(d.Makes(other)), d.Dropped, len(made))
		}
	}
	if d.At() != route.PassThrough {
		t.Errorf("at the bottom it is %s", d.At())
	}
}

func TestDescent_passesThroughForAsLongAsThePolicyHasIt(t *testing.T) {
	t.Parallel()
	policy := route.Policy{PassThrough: true, StopAfter: time.Minute}
	d := route.Descent{}.Down(wide[:1], 30, dear, route.Lack{}, policy, base, start)
	if _, over := d.Exhausted(policy, start.Add(time.Minute-1)); over || d.At() != route.PassThrough {
		t.Errorf("%s, over %v", d.At(), over)
	}
	if d, over := d.Exhausted(policy, start.Add(time.Minute)); !over || d.At() != route.Stop {
		t.Errorf("%s, over %v", d.At(), over)
	}
	if _, over := d.Exhausted(route.Policy{PassThrough: true}, start.Add(1000*time.Hour)); over {
		t.Error("it stopped though it never should")
	}
}

func TestDescent_neverMakesFewerRungsThanThePolicyNorGrowsDownwards(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		policy := route.Policy{MinRungs: rapid.IntRange(0, 5).Draw(t, "rungs"), PassThrough: rapid.Bool().Draw(t, "pass")}
		var d route.Descent
		now := start
		for range rapid.IntRange(1, 12).Draw(t, "turns") {
			now = now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "s")) * time.Second)
			was := d.Makes(wide)
			if rapid.Bool().Draw(t, "down") {
				if len(was) == 0 {
					continue
				}
				d = d.Down(was, 30, dear, route.Lack{Room: uint64(rapid.IntRange(0, 100_000_000).Draw(t, "room"))}, policy, base, now)
				if len(d.Makes(wide)) >= len(was) {
					t.Fatalf("%d wide after %d were refused", len(d.Makes(wide)), len(was))
				}
			} else if up, ok := d.Up(policy, now); ok {
				if d = up.Held(now); len(d.Makes(wide)) <= len(was) {
					t.Fatalf("%d wide a step above %d", len(d.Makes(wide)), len(was))
				}
			}
			if n := len(d.Makes(wide)); d.At() == route.Shed && n < max(1, policy.MinRungs) && policy.MinRungs <= len(wide) || d.At() == route.Stop && policy.PassThrough {
				t.Fatalf("%s with %d wide under %+v", d.At(), n, policy)
			}
			if d.At() == route.Whole && len(d.Dropped) > 0 || d.Calm > route.MaxCalm {
				t.Fatalf("%+v", d)
			}
		}
	})
}
