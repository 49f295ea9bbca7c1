package verify

import "math"

// State is what a payee's record makes of it.
type State string

// The states. They are stored: their names stay.
const (
	New     State = "new"     // fewer than NewUntil verified outputs: every one is checked deeply
	Steady  State = "steady"  // a sample is checked deeply
	Suspect State = "suspect" // failed lately: no lease, single segments only, each checked deeply
	CutOff  State = "cut_off" // the sequential test said cheater: gets no work
)

// NewUntil is how many outputs must have passed before a payee is Steady.
const NewUntil = 200

// SteadyRate is the share of a steady payee's attempts that are checked deeply.
const SteadyRate = 0.30

// The sequential tests (Wald's SPRT, held at zero from below so that a good past buys nothing). The hypothesis "honest"
// fails with probability pHonest; it is tested against a payee that always cheats and against one that cheats now and
// then. Either boundary is crossed by an honest payee with probability of at most alpha per excursion.
const (
	pHonest    = 0.001
	pAlways    = 0.95
	pSometimes = 0.05
	alpha      = 1e-5
)

var (
	boundary      = math.Log(0.99 / alpha)
	failAlways    = math.Log(pAlways / pHonest)
	passAlways    = math.Log((1 - pAlways) / (1 - pHonest))
	failSometimes = math.Log(pSometimes / pHonest)
	passSometimes = math.Log((1 - pSometimes) / (1 - pHonest))
)

// Record is what one hop knows of one payee. The zero Record is a new payee's.
type Record struct {
	Passed uint64  `json:"passed"`
	Failed uint64  `json:"failed"`
	LLR    float64 `json:"llr"`   // log-likelihood ratio of "always cheats"
	Sly    float64 `json:"sly"`   // log-likelihood ratio of "sometimes cheats"
	State  State   `json:"state"` // empty: New
}

// After is the record once v is added. A cut-off payee stays so until Restore.
func (r Record) After(v Verdict) Record {
	switch {
	case v.Inconclusive:
		return r
	case v.Passed:
		r.Passed++
		r.LLR = max(0, r.LLR+passAlways)
		r.Sly = max(0, r.Sly+passSometimes)
	default:
		r.Failed++
		r.LLR += failAlways
		r.Sly += failSometimes
	}
	switch {
	case r.State == CutOff || r.LLR >= boundary || r.Sly >= boundary:
		r.State = CutOff
	case !v.Passed, r.State == Suspect && r.LLR > 0:
		r.State = Suspect
	case r.Passed < NewUntil:
		r.State = New
	default:
		r.State = Steady
	}
	return r
}

// Restore makes a payee new again, keeping its counts: an operator's decision.
func (r Record) Restore() Record {
	r.Passed, r.LLR, r.Sly, r.State = 0, 0, 0, New
	return r
}

// Rate is the share of this payee's attempts that get L1, in [0, 1].
func (r Record) Rate() float64 {
	if r.State == Steady {
		return SteadyRate
	}
	return 1
}

// Leasable reports whether the payee may hold a lease; a Suspect gets single segments, a CutOff nothing.
func (r Record) Leasable() bool { return r.State != Suspect && r.State != CutOff }
