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

// Checks, in the order in which they are made.
const (
	Trust         Check = "trust"           // verified outputs in a million; want: the least that is served by
	Price         Check = "price"           // millionths of the most that is paid
	FreePixelRate Check = "free_pixel_rate" // pixels a second
	Lateness      Check = "lateness"        // believed probability of missing the deadline, in millionths
)

// Room is what a candidate offers.
type Room struct {
	Candidate     string // as it is named to whoever is refused
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
	Candidate  string `json:"candidate"`
	Check      Check  `json:"check"`
	Have, Want uint64
}

// String is one line of it.
func (f Failing) String() string {
	relation := "at least"
	if f.Check == Price || f.Check == Lateness {
		relation = "at most"
	}
	return fmt.Sprintf("%s: %s is %d, want %s %d", f.Candidate, f.Check, f.Have, relation, f.Want)
}

// Refused says of every candidate why it cannot; nobody bid where it is empty.
type Refused struct{ Failings []Failing }

// Error names the nearest first: whoever fails the last check.
func (r *Refused) Error() string {
	if len(r.Failings) == 0 {
		return "there is no candidate"
	}
	lines := make([]string, len(r.Failings))
	for i, f := range r.Failings {
		lines[i] = f.String()
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

// Admit returns the indices of those that can have the work, as ordered, or the typed reason why nobody can: refused at
// once, work waits nowhere for room that will not come.
func Admit(rooms []Room, n Need) ([]int, *Refused) {
	var able []int
	refused := &Refused{}
	for i, r := range rooms {
		f := Failing{Candidate: r.Candidate}
		switch {
		case r.Trusted < n.MinTrust:
			f.Check, f.Have, f.Want = Trust, r.Trusted, n.MinTrust
		case r.Price > n.MaxPrice:
			f.Check, f.Have, f.Want = Price, r.Price, n.MaxPrice
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
	order := map[Check]int{Trust: 3, Price: 2, FreePixelRate: 1, Lateness: 0}
	slices.SortStableFunc(refused.Failings, func(a, b Failing) int { return cmp.Compare(order[a.Check], order[b.Check]) })
	return nil, refused
}
