// Package corpus is a body of segments that somebody careless or hostile would send: whole ones in every format, the same
// cut, bent and lied about, and crafted ones that no encoder makes. The tests and the fuzz targets of the media child read it.
package corpus

import (
	"embed"
	"fmt"
	"math/rand/v2"
	"path"
	"strings"
)

//go:generate go run generate.go

//go:embed seeds
var seeds embed.FS

// Outcome says what may come of a Case.
type Outcome int

// The outcomes.
const (
	Good    Outcome = iota // transcodes, to what the source shows
	Refused                // is refused, with a typed error
	Either                 // one of the two: damage may hit what matters or not
)

// Case is one segment.
type Case struct {
	Name  string
	Bytes []byte
	Want  Outcome
}

// Seed is the whole file of that name.
func Seed(name string) []byte {
	b, err := seeds.ReadFile(path.Join("seeds", name))
	if err != nil {
		panic(err) // names are ours
	}
	return b
}

// refused are the seeds that are whole and yet not to be taken.
var refused = map[string]bool{"sound-only.ts": true, "huge-8192x4320.ts": true}

// Seeds are the whole files.
func Seeds() []Case {
	entries, err := seeds.ReadDir("seeds")
	if err != nil {
		panic(err)
	}
	cases := make([]Case, 0, len(entries))
	for _, e := range entries {
		c := Case{Name: e.Name(), Bytes: Seed(e.Name())}
		switch {
		case refused[c.Name]:
			c.Want = Refused
		case c.Name == "moov-at-the-end.mp4" || c.Name == "far-apart.ts":
			c.Want = Either // what can be said of them depends on limits: how much is held back, how long a segment may be
		}
		cases = append(cases, c)
	}
	return cases
}

// Truncated are the seeds cut at their boundaries (packets, boxes, elements) and in the middle between two; of each seed
// at most n cuts of either kind, spread evenly; 0: all.
func Truncated(n int) (cases []Case) {
	for _, seed := range Seeds() {
		at := boundaries(seed)
		for _, cut := range spread(at, n) {
			cases = append(cases, Case{fmt.Sprintf("%s cut at %d", seed.Name, cut), seed.Bytes[:cut], Either})
		}
		var between []int
		for i := 1; i < len(at); i++ {
			if at[i]-at[i-1] > 1 {
				between = append(between, at[i-1]+(at[i]-at[i-1])/2)
			}
		}
		for _, cut := range spread(between, n) {
			cases = append(cases, Case{fmt.Sprintf("%s cut inside at %d", seed.Name, cut), seed.Bytes[:cut], Either})
		}
	}
	return cases
}

// spread picks n of them, evenly; 0: all.
func spread(at []int, n int) []int {
	if n <= 0 || len(at) <= n {
		return at
	}
	picked := make([]int, n)
	for i := range picked {
		picked[i] = at[i*len(at)/n]
	}
	return picked
}

// boundaries are the offsets in c at which one unit of its container ends and another begins.
func boundaries(c Case) []int {
	switch path.Ext(c.Name) {
	case ".ts":
		var at []int
		for i := packetLen; i < len(c.Bytes); i += packetLen {
			at = append(at, i)
		}
		return at
	case ".mp4":
		return boxes(c.Bytes, 0, nil)
	}
	return elements(c.Bytes, 0, nil)
}

// Damaged are the seeds with bits flipped, stretches zeroed, units lost, doubled and swapped: variants of each kind, always
// the same ones.
func Damaged(variants int) (cases []Case) {
	for i, seed := range Seeds() {
		if strings.HasPrefix(seed.Name, "huge") {
			continue
		}
		for v := range variants {
			src := rand.New(rand.NewPCG(uint64(i), uint64(v)))
			for _, how := range damages {
				cases = append(cases, Case{fmt.Sprintf("%s %s %d", seed.Name, how.name, v), how.do(src, seed), Either})
			}
		}
	}
	return cases
}

// All is the whole corpus: the seeds, cuts of each, variants of damage of each, and what is crafted.
func All(cuts, variants int) []Case {
	cases := Seeds()
	cases = append(cases, Truncated(cuts)...)
	cases = append(cases, Damaged(variants)...)
	cases = append(cases, Timed()...)
	return append(cases, Crafted()...)
}
