package route_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/route"
)

var (
	start = time.Unix(1_000_000, 0)
	group = route.Group{Codec: protocol.H264, Rate: 25, Region: "eu"}
	job   = route.Job{Group: group, Deadline: 6 * time.Second}
)

func options(n int) []route.Option[int] {
	all := make([]route.Option[int], n)
	for i := range all {
		all[i] = route.Option[int]{Node: i, Slots: 4}
	}
	return all
}

// play gives work to whom the router picks, for a while, and counts what each node got in the last third.
func play(r *route.Router[int], options []route.Option[int], rounds int, outcome func(node, round int) route.Outcome) []int {
	share := make([]int, len(options))
	for round := range rounds {
		now := start.Add(time.Duration(round) * time.Second)
		i := r.Pick(options, job, now).Index
		o := outcome(options[i].Node, round)
		o.Slots = options[i].Slots
		r.Observe(options[i].Node, group, o, now)
		if round >= rounds*2/3 {
			share[i]++
		}
	}
	return share
}

func TestRouter_findsTheFasterAmongUnknowns(t *testing.T) {
	t.Parallel()
	r := route.New[int](route.Standard(), rand.NewPCG(1, 1))
	noise := rand.New(rand.NewPCG(2, 2))
	share := play(r, options(4), 600, func(node, _ int) route.Outcome {
		seconds := []float64{4, 0.5, 3, 5}[node] * math.Exp(0.2*noise.NormFloat64())
		return route.Outcome{Verified: true, Time: time.Duration(seconds * 1e9)}
	})
	if share[1] < 190 {
		t.Errorf("of the last 200, the fast one got %v", share)
	}
}

func TestRouter_leavesOneThatFailsHoweverFast(t *testing.T) {
	t.Parallel()
	r := route.New[int](route.Standard(), rand.NewPCG(1, 1))
	noise := rand.New(rand.NewPCG(2, 2))
	share := play(r, options(2), 600, func(node, _ int) route.Outcome {
		if node == 0 {
			return route.Outcome{Verified: noise.Float64() > 0.3, Time: 100 * time.Millisecond}
		}
		return route.Outcome{Verified: true, Time: time.Second}
	})
	if share[1] < 190 {
		t.Errorf("of the last 200, the honest one got %v", share)
	}
}

func TestRouter_followsAnAbruptChangeWithinTwentyOutcomesOrSo(t *testing.T) {
	t.Parallel()
	r := route.New[int](route.Standard(), rand.NewPCG(1, 1))
	late := 0
	play(r, options(2), 600, func(node, round int) route.Outcome {
		slow := node == 0
		if round >= 300 {
			slow = !slow
		}
		if slow {
			if round >= 300 && round < 400 {
				late++
			}
			return route.Outcome{Verified: true, Time: 5 * time.Second}
		}
		return route.Outcome{Verified: true, Time: 500 * time.Millisecond}
	})
	if late > 25 {
		t.Errorf("%d of the 100 segments after the change went to the one that had become slow", late)
	}
}

func TestRouter_doesNotHerd(t *testing.T) {
	t.Parallel()
	r := route.New[int](route.Standard(), rand.NewPCG(1, 1))
	all := options(3)
	for i := range all { // alike, and well known
		for range 30 {
			r.Observe(i, group, route.Outcome{Verified: true, Time: 2 * time.Second, Slots: 4}, start)
		}
	}
	all[0].InFlight = 12
	for range 100 {
		if c := r.Pick(all, job, start); c.Index == 0 {
			t.Fatal("work went to the one with twelve pieces in four slots")
		}
	}
}

func TestRouter_staysWithTheHolderAmongEquals(t *testing.T) {
	t.Parallel()
	r := route.New[int](route.Standard(), rand.NewPCG(1, 1))
	all := options(3)
	for i := range all {
		for range 30 {
			r.Observe(i, group, route.Outcome{Verified: true, Time: 300 * time.Millisecond, Slots: 4}, start)
		}
	}
	all[2].Holder = true
	moves := 0
	for range 200 {
		if r.Pick(all, job, start).Index != 2 {
			moves++
		}
	}
	if moves > 20 {
		t.Errorf("%d of 200 segments left a holder that was as good as any", moves)
	}
	all[0].Price, all[1].Price, all[2].Price = 100_000, 100_000, 400_000
	if c := r.Pick(all, job, start); c.Index == 2 {
		t.Error("nothing leaves a holder that is far too dear")
	}
}

func TestRouter_takesTheNearerOfStrangersAndTheFasterOfTheKnown(t *testing.T) {
	t.Parallel()
	r := route.New[int](route.Standard(), rand.NewPCG(1, 1))
	both := options(2)
	both[0].RTT, both[1].RTT = 2*time.Second, 5*time.Millisecond
	near := 0
	for range 200 {
		near += r.Pick(both, job, start).Index
	}
	if near < 120 || near == 200 {
		t.Errorf("of 200 segments, the nearer of two strangers got %d", near)
	}
	for range 40 { // what they did outweighs how far they are
		r.Observe(0, group, route.Outcome{Verified: true, Time: 300 * time.Millisecond, Slots: 4}, start)
		r.Observe(1, group, route.Outcome{Verified: true, Time: 5 * time.Second, Slots: 4}, start)
	}
	far := 0
	for range 100 {
		far += 1 - r.Pick(both, job, start).Index
	}
	if far < 90 {
		t.Errorf("of 100 segments, the faster got %d", far)
	}
	if success, half := r.Believed(both[1], group, start); success < 0.9 || half < 4*time.Second || half > 6*time.Second {
		t.Errorf("of one that takes 5 s it is believed: %.2f within %s", success, half)
	}
	if half, seen := r.Overall(0, 0.5, start); seen < 8 || half < 250*time.Millisecond || half > 400*time.Millisecond {
		t.Errorf("over all its work, half comes within %s, by %.0f outcomes", half, seen)
	}
	if _, seen := r.Overall(7, 0.5, start); seen != 0 {
		t.Errorf("one that was never seen is known by %g outcomes", seen)
	}
}

func TestRouter_saysHowLikelyItsChoiceWas(t *testing.T) {
	t.Parallel()
	cfg := route.Standard()
	cfg.Replays = 400
	r := route.New[int](cfg, rand.NewPCG(1, 1))
	for _, c := range []struct{ n int }{{1}, {4}} {
		seen, sum := make([]int, c.n), make([]float64, c.n)
		for range 300 {
			x := r.Pick(options(c.n), job, start)
			seen[x.Index]++
			sum[x.Index] += x.Propensity
		}
		for i := range seen {
			if want := float64(seen[i]) / 300; math.Abs(sum[i]/float64(seen[i])-want) > 0.08 {
				t.Errorf("option %d of %d was chosen %.2f of the time, and said %.2f", i, c.n, want, sum[i]/float64(seen[i]))
			}
		}
	}
}

func TestRouter_learnsFromWhatWasCutOff(t *testing.T) {
	t.Parallel()
	r := route.New[int](route.Standard(), rand.NewPCG(1, 1))
	o := route.Option[int]{Node: 1, Slots: 4}
	for range 20 {
		r.Observe(1, group, route.Outcome{Verified: true, Time: 500 * time.Millisecond, Slots: 4}, start)
	}
	before, _ := r.Expect(o, group, 0.95, start)
	r.Observe(1, group, route.Outcome{Cut: true, Excused: true, Time: 10 * time.Millisecond, Slots: 4}, start)
	if same, _ := r.Expect(o, group, 0.95, start); same != before {
		t.Errorf("cut off after 10 ms, it is expected within %s rather than %s", same, before)
	}
	for range 5 {
		r.Observe(1, group, route.Outcome{Cut: true, Excused: true, Time: 3 * time.Second, Slots: 4}, start)
	}
	if after, seen := r.Expect(o, group, 0.95, start); after < 2*before || seen < 10 {
		t.Errorf("cut off after 3 s five times, it is expected within %s, before within %s", after, before)
	}
	r.Forget(1)
	if _, seen := r.Expect(o, group, 0.95, start); seen > 8 {
		t.Errorf("forgotten, it is known by %g outcomes", seen)
	}
}

// known is a router that has seen n outcomes of each option, about so many seconds long.
func known(t *testing.T, all []route.Option[int], n int, seconds ...float64) *route.Router[int] {
	t.Helper()
	r := route.New[int](route.Standard(), rand.NewPCG(1, 1))
	noise := rand.New(rand.NewPCG(2, 2))
	for range n {
		for i, o := range all {
			took := seconds[i] * math.Exp(0.2*noise.NormFloat64())
			r.Observe(o.Node, group, route.Outcome{Verified: true, Time: time.Duration(took * 1e9), Slots: o.Slots}, start)
		}
	}
	return r
}

func share(r *route.Router[int], all []route.Option[int], of int) (n int) {
	for range 200 {
		if r.Pick(all, job, start).Index == of {
			n++
		}
	}
	return n
}

func TestRouter_believesAChangeWhenItIsASurprise(t *testing.T) {
	t.Parallel()
	o := route.Option[int]{Node: 0, Slots: 4}
	expect := func(r *route.Router[int]) float64 {
		median, _ := r.Expect(o, group, 0.5, start)
		return median.Seconds()
	}
	r := known(t, options(1), 40, 0.5)
	before := expect(r)
	r.Observe(0, group, route.Outcome{Verified: true, Time: 600 * time.Millisecond, Slots: 4}, start)
	if after := expect(r); after > 1.05*before {
		t.Errorf("an ordinary outcome moved the median from %.2f to %.2f s", before, after)
	}
	for range 3 {
		r.Observe(0, group, route.Outcome{Verified: true, Time: 3 * time.Second, Slots: 4}, start)
	}
	if slow := expect(r); slow < 1 {
		t.Errorf("three times six times as slow, it is still expected after %.2f s", slow)
	}
	r = known(t, options(1), 40, 3)
	for range 3 {
		r.Observe(0, group, route.Outcome{Verified: true, Time: 500 * time.Millisecond, Slots: 4}, start)
	}
	if fast := expect(r); fast > 2 {
		t.Errorf("three times six times as fast, it is still expected after %.2f s", fast)
	}
}

func TestRouter_leavesOneWhoseWorkIsOverdue(t *testing.T) {
	t.Parallel()
	all := options(2)
	r := known(t, all, 40, 0.5, 0.7)
	all[0].Holder, all[0].InFlight = true, 1
	all[0].Oldest = 300 * time.Millisecond
	if n := share(r, all, 0); n < 150 {
		t.Errorf("with work that is in time, %d of 200 went to the faster one", n)
	}
	all[0].Oldest = 4 * time.Second
	if n := share(r, all, 0); n > 50 {
		t.Errorf("with work that is out for eight times as long as usual, %d of 200 went there", n)
	}
}

func TestRouter_paysForOneThatNeedsNoSecond(t *testing.T) {
	t.Parallel()
	all := options(2)
	r := known(t, all, 40, 1, 2.2) // both well within six seconds, but the slower one is mostly hedged
	all[0].Price, all[1].Price = 150_000, 50_000
	if n := share(r, all, 0); n < 150 {
		t.Errorf("%d of 200 went to the one that is done before a second one is asked", n)
	}
	all[0].Price = 400_000
	if n := share(r, all, 0); n > 50 {
		t.Errorf("at a price that no duplicate costs, %d of 200 still did", n)
	}
}

func TestPatience_isWithinTheBudget(t *testing.T) {
	t.Parallel()
	const budget = 6 * time.Second
	for _, c := range []struct {
		p95   time.Duration
		known bool
		want  time.Duration
	}{{0, false, 1500 * time.Millisecond}, {100 * time.Millisecond, true, 1500 * time.Millisecond}, {1200 * time.Millisecond, true, 1800 * time.Millisecond},
		{5 * time.Second, true, 2250 * time.Millisecond}} {
		if got := route.Patience(c.p95, c.known, budget); got != c.want {
			t.Errorf("p95 %s (%v): %s, want %s", c.p95, c.known, got, c.want)
		}
	}
}

func TestAllowance_keepsDuplicatesAtOneInTwenty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var a route.Allowance
		n := rapid.IntRange(1, 300).Draw(t, "segments")
		for i := range n {
			a = a.Segment()
			if rapid.IntRange(0, 3).Draw(t, "straggles") == 0 {
				was := a.Duplicates
				next, ok, again := a.Hedge(2*time.Second, 6*time.Second)
				if again != map[bool]time.Duration{false: 250 * time.Millisecond}[ok] {
					t.Fatalf("asked again in %s", again)
				}
				if a = next; ok != (a.Duplicates == was+1) {
					t.Fatal("what was allowed was not counted")
				}
			}
			if a.Duplicates > max(1, uint64(i+1)/20) {
				t.Fatalf("%d duplicates of %d segments", a.Duplicates, i+1)
			}
		}
		if _, ok, _ := a.Hedge(3*time.Second, 6*time.Second); !ok {
			t.Fatal("a segment that is late without a second one has none")
		}
	})
}

func TestSecond_isNeverOfTheSameOwner(t *testing.T) {
	t.Parallel()
	type owned = route.Owned[int]
	ranked := []owned{{1, "ann"}, {2, "ann"}, {3, ""}, {4, "bob"}}
	for _, c := range []struct {
		tried []owned
		want  int
	}{{nil, 0}, {[]owned{{1, "ann"}}, 2}, {[]owned{{1, "ann"}, {3, ""}}, 3}, {[]owned{{9, ""}, {3, ""}}, 0}, {[]owned{{8, "ann"}, {3, ""}, {7, "bob"}}, -1}} {
		if got := route.Second(ranked, c.tried); got != c.want {
			t.Errorf("after %v: %d, want %d", c.tried, got, c.want)
		}
	}
}

func TestAdmit_namesCandidateCheckAndNumber(t *testing.T) {
	t.Parallel()
	need := route.Need{MinTrust: 900_000, MaxPrice: 1_000_000, PixelRate: 5000, MaxLate: 500_000}
	fine := route.Room{Candidate: "0xd", Trusted: 1_000_000, Price: 1, FreePixelRate: 5000}
	distrusted, dear, full, late := fine, fine, fine, fine
	distrusted.Candidate, distrusted.Trusted = "0xa", 10
	dear.Candidate, dear.Price = "0xb", 1_200_000
	full.Candidate, full.FreePixelRate = "0xc", 4999
	late.Candidate, late.Lateness = "0xe", 600_000
	able, refused := route.Admit([]route.Room{distrusted, dear, fine, full, late}, need)
	if refused != nil || len(able) != 1 || able[0] != 2 {
		t.Errorf("able %v, %v", able, refused)
	}
	_, refused = route.Admit([]route.Room{distrusted, dear, full}, need)
	if refused == nil || refused.Code() != protocol.NoCapacity ||
		refused.Error() != "0xc: free_pixel_rate is 4999, want at least 5000; 0xb: price is above the most that is paid; 0xa: trust is 10, want at least 900000" {
		t.Errorf("refused: %v", refused)
	}
	if _, refused = route.Admit([]route.Room{dear}, need); refused.Code() != protocol.PriceAboveMax {
		t.Errorf("code %s", refused.Code())
	}
	if _, refused = route.Admit([]route.Room{late}, need); refused.Code() != protocol.NoCapacity || !strings.Contains(refused.Error(), "lateness") {
		t.Errorf("%v", refused)
	}
	if _, refused = route.Admit(nil, need); refused == nil || refused.Code() != protocol.NoTranscoder || refused.Error() == "" {
		t.Errorf("nobody there: %v", refused)
	}
	nearer, barred := full, fine
	nearer.Candidate, full.FreePixelRate = "0xf", 10
	barred.Candidate, barred.Barred = "0x1", "codec_not_sold"
	_, refused = route.Admit([]route.Room{barred, full, nearer}, need)
	if refused.Failings[0].Candidate != "0xf" || refused.Failings[0].Have != 4999 || refused.Failings[2].Check != "codec_not_sold" {
		t.Errorf("not the nearest first: %+v", refused.Failings)
	}
	if refused.Passing() {
		t.Error("room is waited for")
	}
	barred.Passing = true
	if _, refused = route.Admit([]route.Room{barred}, need); !refused.Passing() || refused.Code() != protocol.NoTranscoder {
		t.Errorf("%v", refused)
	}
	if _, refused = route.Admit([]route.Room{full, barred}, need); !refused.Passing() || refused.Code() != protocol.NoCapacity {
		t.Errorf("one that rests is worth a moment: %v", refused)
	}
}

func TestDegrade_shedsTheDearestThenPassesThroughThenStops(t *testing.T) {
	t.Parallel()
	ladder := protocol.Ladder{{Name: "1080p", Width: 1920, Height: 1080, Codec: protocol.H264}, {Name: "480p av1", Width: 854, Height: 480, Codec: protocol.AV1},
		{Name: "480p", Width: 854, Height: 480, Codec: protocol.H264}, {Name: "240p", Width: 426, Height: 240, Codec: protocol.H264}}
	prices := protocol.Prices{{Codec: protocol.H264, WeiPerPixel: protocol.NewWei(1)}, {Codec: protocol.AV1, WeiPerPixel: protocol.NewWei(9)}}
	names := func(l protocol.Ladder) string {
		var s []string
		for _, p := range l {
			s = append(s, p.Name)
		}
		return strings.Join(s, ", ")
	}
	for _, c := range []struct {
		room   uint64
		policy route.Policy
		step   route.Step
		kept   string
	}{
		{ladder.PixelRate(30), route.Policy{}, route.Whole, names(ladder)},
		{ladder.PixelRate(30) - 1, route.Policy{}, route.Shed, "1080p, 480p, 240p"},
		{20_000_000, route.Policy{}, route.Shed, "480p, 240p"},
		{20_000_000, route.Policy{MinRungs: 3, PassThrough: true}, route.PassThrough, ""},
		{10, route.Policy{PassThrough: true}, route.PassThrough, ""},
		{10, route.Policy{}, route.Stop, ""},
	} {
		kept, step := route.Degrade(ladder, 30, prices, c.room, c.policy)
		if step != c.step || names(kept) != c.kept {
			t.Errorf("room for %d: %s of %q, want %s of %q", c.room, step, names(kept), c.step, c.kept)
		}
	}
	if len(ladder) != 4 || ladder[1].Codec != protocol.AV1 {
		t.Error("the ladder itself was changed")
	}
}

func TestShare_isOfTheValueAndNeverOverflows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		price, value protocol.Wei
		want         uint32
	}{{protocol.NewWei(1), protocol.NewWei(4), 250_000}, {protocol.MaxUint96, protocol.NewWei(1), math.MaxUint32}, {protocol.NewWei(1), protocol.Wei{}, math.MaxUint32},
		{protocol.Wei{}, protocol.NewWei(5), 0}} {
		if got := route.Share(c.price, c.value); got != c.want {
			t.Errorf("%s of %s: %d, want %d", c.price, c.value, got, c.want)
		}
	}
}
