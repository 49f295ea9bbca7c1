package route

import "time"

// Patience is how long a holder may take after the last source byte before a second transcoder is asked: half as long again
// as its own p95, but at least a quarter of the budget, since what is so far from late is no straggler, and at most until
// Latest. At the p95 itself one in twenty would be doubted, and the allowance spent on
// those that were about to deliver. Of one whose p95 is not known a quarter is enough: it is still being tried out.
func Patience(p95 time.Duration, known bool, budget time.Duration) time.Duration {
	if !known {
		return budget / 4
	}
	return min(Latest(budget), max(p95+p95/2, budget/4))
}

// Latest is when a second one is asked at the latest: it has more than as long again, and time to fail itself.
func Latest(budget time.Duration) time.Duration { return budget * 3 / 8 }

// Allowance meters duplicates: they cost work that nobody is paid for. The zero Allowance has seen nothing; it is a value.
type Allowance struct {
	Segments   uint64
	Duplicates uint64
}

// MaxDuplicates is the part of the segments that may be given out twice on a doubt, in millionths.
const MaxDuplicates = 50_000

// Segment counts one.
func (a Allowance) Segment() Allowance { a.Segments++; return a }

// Hedge says whether a straggler is given to a second transcoder after it was waited for so long: while fewer than
// one in twenty were, and the first one always; and at the latest in any case, since it would be late without. Otherwise it
// is to be asked again in a while.
func (a Allowance) Hedge(waited, budget time.Duration) (next Allowance, ok bool, again time.Duration) {
	if a.Duplicates > 0 && (a.Duplicates+1)*1_000_000 > a.Segments*MaxDuplicates && waited < Latest(budget) {
		return a, false, Latest(budget) - waited
	}
	a.Duplicates++
	return a, true, 0
}

// Owned is somebody who could take a duplicate.
type Owned[N comparable] struct {
	Node  N
	Owner string // who answers for it: its owner, or its bond; empty: not known, itself
}

// Second is the index of the first of ranked that may have the duplicate of what those in tried are at: it is none of
// them, and of none of their owners, who would lose nothing by being late twice. −1: nobody may.
func Second[N comparable](ranked []Owned[N], tried []Owned[N]) int {
	for i, o := range ranked {
		free := true
		for _, t := range tried {
			if o.Node == t.Node || o.Owner != "" && o.Owner == t.Owner {
				free = false
			}
		}
		if free {
			return i
		}
	}
	return -1
}
