package route

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kinora/kinora/internal/protocol"
)

// Check is what a candidate for some work was measured by.
type Check string

// Checks, in the order in which they are made: whoever fails a later one is nearer. A candidate may also be barred by a check
// that was made elsewhere.
const (
	Trust         Check = "trust"           // verified outputs in a million; want: the least that is served by
	Price         Check = "price"           // millionths of the most that is paid; the number is its own affair, and not said
	FreePixelRate Check = "free_pixel_rate" // pixels a second
	Lateness      Check = "lateness"        // believed probability of missing the deadline, in millionths
)

// Room is what a candidate offers.
type Room struct {
	Candidate     string // as it is named to whoever is refused
	Barred        Check  // what it failed elsewhere; empty: nothing
	Passing       bool   // and soon will not
	Trusted       uint64 // Trust
	Price         uint64
	FreePixelRate uint64
	Lateness      uint64
}

// Need is what work needs of a candidate.
type Need struct {
	MinTrust  uint64
	MaxPrice  uint64
	PixelRate uint64
	MaxLate   uint64
}

// Failing says why one candidate cannot have the work: which check, the number it has, and the one it needs.
type Failing struct {
	Candidate string `json:"candidate"`
	Check     Check  `json:"check"`
	Have      uint64 `json:"have"`
	Want      uint64 `json:"want"`
	passing   bool
}

// String is one line of it.
func (f Failing) String() string {
	switch f.Check {
	case Price:
		return fmt.Sprintf("%s: %s is above the most that is paid", f.Candidate, f.Check)
	case Lateness:
		return fmt.Sprintf("%s: %s is %d, want at most %d", f.Candidate, f.Check, f.Have, f.Want)
	case Trust, FreePixelRate:
		return fmt.Sprintf("%s: %s is %d, want at least %d", f.Candidate, f.Check, f.Have, f.Want)
	}
	return fmt.Sprintf("%s: %s", f.Candidate, f.Check)
}

// Refused says of every candidate why it cannot, the nearest first: whoever fails the last check, by least. Nobody bid where
// it is empty.
type Refused struct{ Failings []Failing }

// told is how many candidates Error names.
const told = 4

// Error names the nearest few.
func (r *Refused) Error() string {
	if len(r.Failings) == 0 {
		return "there is no candidate"
	}
	lines := make([]string, 0, told+1)
	for i, f := range r.Failings {
		if i == told {
			lines = append(lines, fmt.Sprintf("and %d more", len(r.Failings)-told))
			break
		}
		lines = append(lines, f.String())
	}
	return strings.Join(lines, "; ")
}

// Code is NoCapacity where room is all that is missing somewhere, PriceAboveMax where only the price is, else NoTranscoder.
func (r *Refused) Code() protocol.Code {
	has := func(c Check) bool {
		return slices.ContainsFunc(r.Failings, func(f Failing) bool { return f.Check == c })
	}
	switch {
	case has(FreePixelRate), has(Lateness):
		return protocol.NoCapacity
	case has(Price):
		return protocol.PriceAboveMax
	}
	return protocol.NoTranscoder
}

// Passing reports that somebody fails only what soon passes by itself, so that it is worth to wait a moment. Room and prices
// do not: whoever comes with work is better told at once.
func (r *Refused) Passing() bool {
	return slices.ContainsFunc(r.Failings, func(f Failing) bool { return f.passing })
}

// Admit returns the indices of those that can have the work, as ordered, or the typed reason why nobody can: refused at
// once, work waits nowhere for room that will not come.
func Admit(rooms []Room, n Need) ([]int, *Refused) {
	var able []int
	refused := &Refused{}
	for i, r := range rooms {
		f := Failing{Candidate: r.Candidate}
		switch {
		case r.Barred != "":
			f.Check, f.Want, f.passing = r.Barred, 1, r.Passing
		case r.Trusted < n.MinTrust:
			f.Check, f.Have, f.Want = Trust, r.Trusted, n.MinTrust
		case r.Price > n.MaxPrice:
			f.Check = Price
		case r.FreePixelRate < n.PixelRate:
			f.Check, f.Have, f.Want = FreePixelRate, r.FreePixelRate, n.PixelRate
		case r.Lateness > n.MaxLate:
			f.Check, f.Have, f.Want = Lateness, r.Lateness, n.MaxLate
		default:
			able = append(able, i)
			continue
		}
		refused.Failings = append(refused.Failings, f)
	}
	if len(able) > 0 {
		return able, nil
	}
	slices.SortStableFunc(refused.Failings, func(a, b Failing) int {
		return cmp.Or(cmp.Compare(a.distance(), b.distance()), cmp.Compare(a.missing(), b.missing()))
	})
	return nil, refused
}

// distance of a candidate by the check that it fails; those that were barred elsewhere come last.
func (f Failing) distance() int {
	if i := slices.Index([]Check{Lateness, FreePixelRate, Price, Trust}, f.Check); i >= 0 {
		return i
	}
	return 4
}

// missing is what it lacks, in the check's own unit.
func (f Failing) missing() uint64 { return max(f.Have, f.Want) - min(f.Have, f.Want) }
