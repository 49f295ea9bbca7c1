package payment

import (
	"cmp"
	"math"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
)

// million is the denominator of shares.
const million = 1_000_000

// TermsPolicy is what a recipient wants of its tickets. Zero fields take the defaults named beside them.
type TermsPolicy struct {
	// GasShare is the part of a winner, in millionths, that redeeming it should cost: 20,000 (2 %). A small allocation, or an
	// income that would come too seldom, may raise the share to MaxGasShare, 50,000 (5 %), and no further.
	GasShare, MaxGasShare uint64
	// Wins is how many winners should make up the income of a horizon: 20, so that it varies by 22 % (one standard deviation).
	Wins uint64
	// FloatWins is how many winners an allocation should hold at a time: 6.
	FloatWins uint64
	// FeeMultiple makes the face value at least that many usual fees, so that about one ticket in as many is stored and
	// redeemed, however cheap gas is: 10.
	FeeMultiple uint64
	// Certain allows tickets that win for certain: the face value may be as low as the largest fee. Without it the face value
	// is at least two of those, and no win probability is above one half.
	Certain bool
}

// WithDefaults fills in what is zero.
func (p TermsPolicy) WithDefaults() TermsPolicy {
	p.GasShare = min(cmp.Or(p.GasShare, 20_000), million)
	p.MaxGasShare = min(max(cmp.Or(p.MaxGasShare, 50_000), p.GasShare), million)
	p.Wins = cmp.Or(p.Wins, 20)
	p.FloatWins = cmp.Or(p.FloatWins, 6)
	p.FeeMultiple = cmp.Or(p.FeeMultiple, 10)
	return p
}

// TermsBasis is what terms are chosen from. Amounts are wei.
type TermsBasis struct {
	MaxFee   protocol.Wei // of the dearest segment; no ticket can pay more than a face value
	UsualFee protocol.Wei // of a usual segment, at most MaxFee; zero: MaxFee
	// Gas is what redeeming one winner costs: its part of a usual batch at a gas price smoothed over hours. At the price of
	// the moment a spike would make face values too large for allocations that stand.
	Gas protocol.Wei
	// Credit is the payer's allocation to this recipient that does not thaw. Zero: none is known yet, and none bounds the face
	// value; nobody is served on such terms before it is there (Recipient.Admit).
	Credit protocol.Wei
	// Income is what this payer is expected to pay over the horizon in which it should come steadily, such as a day. Zero: not
	// known.
	Income protocol.Wei
}

// TermsBound says what decided a face value.
type TermsBound string

// A face value is the least that keeps the gas share (ByGas) or is FeeMultiple usual or two dearest fees (ByFee); or less than
// that, since otherwise income would be too uneven (BySpread) or the allocation too small (ByAllocation).
const (
	ByGas        TermsBound = "gas"
	ByFee        TermsBound = "fee"
	BySpread     TermsBound = "spread"
	ByAllocation TermsBound = "allocation"
)

// Terms are the terms of a parameter set.
type Terms struct {
	FaceValue protocol.Wei
	WinProb   uint64 // of a ticket that pays the usual fee: ticket.WinProbFor
	Bound     TermsBound
	// GasShare is the part of each winner, in millionths and rounded up, that redeeming it costs.
	GasShare uint64
	// Wins is how many winners the expected income makes, rounded down: below the policy's, income is less even than wished
	// for, and only a higher price, a larger income or cheaper gas can mend it.
	Wins uint64
	// Allocation is what holds the policy's number of winners at a time.
	Allocation protocol.Wei
}

// ChooseTerms derives face value and win probability. It takes the least face value at which gas keeps to its share and
// tickets are worth sending, since a smaller face value makes income more even and ties less money up; it takes less still,
// at a larger gas share, where income or allocation ask for it. So
//
//	floor = max(2·MaxFee, Gas/MaxGasShare)      never below: 1·MaxFee where Certain
//	want  = max(floor, Gas/GasShare, FeeMultiple·UsualFee)
//	F     = max(floor, min(want, Income/Wins, Credit/FloatWins))
//
// and a ticket that pays a fee wins with probability fee/F, rounded up: its expected value is the fee, or more by less than
// F·2^-64 wei. F never falls when any amount of the basis rises. A known credit below floor is refused as InsufficientCredit,
// a floor above 2^96−1 wei as FeeAboveFaceValue.
func ChooseTerms(p TermsPolicy, b TermsBasis) (Terms, error) {
	p = p.WithDefaults()
	if b.UsualFee.IsZero() {
		b.UsualFee = b.MaxFee
	}
	if b.MaxFee.IsZero() || !b.MaxFee.FitsUint96() || b.MaxFee.Less(b.UsualFee) {
		return Terms{}, protocol.Errorf(protocol.BadRequest, "largest fee is %s wei and usual fee %s, want 1 ≤ usual ≤ largest ≤ 2^96-1", b.MaxFee, b.UsualFee)
	}
	floor, bound := b.MaxFee, ByFee
	if !p.Certain {
		floor = floor.Mul(2)
	}
	raise := func(to protocol.Wei, by TermsBound, f *protocol.Wei) {
		if f.Less(to) {
			*f, bound = to, by
		}
	}
	raise(share(b.Gas, p.MaxGasShare), ByGas, &floor)
	if !floor.FitsUint96() {
		return Terms{}, protocol.Errorf(protocol.FeeAboveFaceValue,
			"fees of up to %s wei, redeemed for %s wei of gas, need a face value of %s wei; a ticket holds at most 2^96-1", b.MaxFee, b.Gas, floor)
	}
	if !b.Credit.IsZero() && b.Credit.Less(floor) {
		return Terms{}, protocol.Limited(protocol.InsufficientCredit, "allocation", b.Credit,
			"%s wei are allocated; fees of up to %s wei, redeemed for %s wei of gas, need a face value of at least %s: allocate %s",
			b.Credit, b.MaxFee, b.Gas, floor, floor.Mul(p.FloatWins))
	}
	faceValue, least := floor, bound
	raise(share(b.Gas, p.GasShare).Min(protocol.MaxUint96), ByGas, &faceValue)
	raise(b.UsualFee.Mul(p.FeeMultiple).Min(protocol.MaxUint96), ByFee, &faceValue)
	lower := func(to protocol.Wei, by TermsBound) {
		switch {
		case !to.Less(faceValue):
		case to.Less(floor):
			faceValue, bound = floor, least
		default:
			faceValue, bound = to, by
		}
	}
	if !b.Income.IsZero() {
		lower(b.Income.Div(p.Wins), BySpread)
	}
	if !b.Credit.IsZero() {
		lower(b.Credit.Div(p.FloatWins), ByAllocation)
	}
	winProb, err := ticket.WinProbFor(b.UsualFee, faceValue)
	if err != nil {
		return Terms{}, err
	}
	t := Terms{FaceValue: faceValue, WinProb: winProb, Bound: bound, Allocation: faceValue.Mul(p.FloatWins)}
	if s, ok := b.Gas.MulDivCeil(protocol.NewWei(million), faceValue); ok {
		t.GasShare = s.Uint64() // at most a million: floor is not below Gas
	}
	if wins, err := protocol.WeiFromBig(b.Income.Big().Div(b.Income.Big(), faceValue.Big())); err == nil && wins.IsUint64() {
		t.Wins = wins.Uint64()
	}
	return t, nil
}

// share is the least amount of which gas is at most parts millionths.
func share(gas protocol.Wei, parts uint64) protocol.Wei {
	w, ok := gas.MulDivCeil(protocol.NewWei(million), protocol.NewWei(parts))
	if !ok { // gas that costs more than there is
		return protocol.MaxUint96.Add(protocol.NewWei(1))
	}
	return w
}

// Winnings bounds what the winners of tickets worth income cost, with a probability of at most risk of being more: face
// values times a Poisson quantile. An allocation that holds the winners of the time T from a winner's draw until it is
// redeemed is Winnings(F, income in T, risk) + F; a balance from which allocations are topped up once in an interval is
// Winnings(F, income in the interval, risk).
func Winnings(faceValue, income protocol.Wei, risk float64) protocol.Wei {
	if faceValue.IsZero() || income.IsZero() {
		return protocol.Wei{}
	}
	mean := ratio(income, faceValue)
	n := poissonQuantile(mean, 1-min(max(risk, 1e-12), 0.5))
	if n >= 1<<63 {
		return income.Add(faceValue) // too many winners to vary
	}
	return faceValue.Mul(uint64(n))
}

// ratio is a/b as a statistic.
func ratio(a, b protocol.Wei) float64 {
	x, _ := a.Big().Float64()
	y, _ := b.Big().Float64()
	return x / y
}

// poissonQuantile is the least n with P(X ≤ n) ≥ q: exact up to a mean of 500, above it by the normal curve with its first
// correction for skewness, rounded up.
func poissonQuantile(mean, q float64) float64 {
	if mean > 500 {
		z := math.Sqrt2 * math.Erfinv(2*q-1)
		return math.Ceil(mean + z*math.Sqrt(mean) + (z*z-1)/6 + 1)
	}
	term := math.Exp(-mean)
	sum := term
	n := 0.0
	for sum < q && term > 0 {
		n++
		term *= mean / n
		sum += term
	}
	return n
}
