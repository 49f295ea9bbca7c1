package payment_test

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
)

// amounts spread over all orders of magnitude.
func amounts(low, high int) *rapid.Generator[protocol.Wei] {
	return rapid.Custom(func(t *rapid.T) protocol.Wei {
		bits := rapid.IntRange(low, high).Draw(t, "bits")
		b := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "bytes"))
		b.SetBit(b, 127, 1)
		w, err := protocol.WeiFromBig(b.Rsh(b, uint(128-bits)))
		if err != nil {
			t.Fatal(err)
		}
		return w
	})
}

func policies() *rapid.Generator[payment.TermsPolicy] {
	return rapid.Custom(func(t *rapid.T) payment.TermsPolicy {
		return payment.TermsPolicy{GasShare: rapid.Uint64Range(0, 1_000_000).Draw(t, "gas share"), MaxGasShare: rapid.Uint64Range(0, 1_000_000).Draw(t, "max gas share"),
			Wins: rapid.Uint64Range(0, 1000).Draw(t, "wins"), FloatWins: rapid.Uint64Range(0, 100).Draw(t, "float wins"),
			FeeMultiple: rapid.Uint64Range(0, 1000).Draw(t, "fee multiple"), Certain: rapid.Bool().Draw(t, "certain")}
	})
}

func bases() *rapid.Generator[payment.TermsBasis] {
	return rapid.Custom(func(t *rapid.T) payment.TermsBasis {
		b := payment.TermsBasis{MaxFee: amounts(1, 96).Draw(t, "max fee"), Gas: amounts(0, 80).Draw(t, "gas"), Credit: amounts(0, 96).Draw(t, "credit"),
			Income: amounts(0, 100).Draw(t, "income")}
		if rapid.Bool().Draw(t, "usual is known") {
			b.UsualFee = b.MaxFee.Div(rapid.Uint64Range(1, 100).Draw(t, "longest by usual"))
		}
		return b
	})
}

func TestChooseTerms_keepsItsBoundsWhateverItIsAsked(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, b := policies().Draw(t, "policy"), bases().Draw(t, "basis")
		terms, err := payment.ChooseTerms(p, b)
		p = p.WithDefaults()
		if err != nil {
			code := protocol.CodeOf(err)
			if code != protocol.InsufficientCredit && code != protocol.FeeAboveFaceValue {
				t.Fatalf("refused as %v", err)
			}
			free := b
			free.Credit = protocol.Wei{}
			if without, err := payment.ChooseTerms(p, free); code == protocol.InsufficientCredit && (err != nil || !b.Credit.Less(without.FaceValue)) {
				t.Fatalf("a credit of %s was refused, without one there are %+v, %v", b.Credit, without, err)
			}
			return
		}
		f := terms.FaceValue
		switch {
		case f.Less(b.MaxFee) || !f.FitsUint96():
			t.Fatalf("face value %s for fees up to %s", f, b.MaxFee)
		case !p.Certain && f.Less(b.MaxFee.Mul(2)):
			t.Fatalf("face value %s makes the dearest fee of %s likelier to win than not", f, b.MaxFee)
		case f.Mul(p.MaxGasShare).Less(b.Gas.Mul(1_000_000)):
			t.Fatalf("face value %s, of which gas is %s: more than %d millionths", f, b.Gas, p.MaxGasShare)
		case !b.Credit.IsZero() && b.Credit.Less(f):
			t.Fatalf("face value %s on a credit of %s", f, b.Credit)
		case terms.GasShare > p.MaxGasShare || terms.WinProb == 0:
			t.Fatalf("%+v", terms)
		}
		// Every fee that may come can be paid, for at least its worth and less than 2^-64 of a face value more.
		fee := b.MaxFee
		if rapid.Bool().Draw(t, "a smaller fee") {
			fee = fee.Div(rapid.Uint64Range(1, math.MaxUint64).Draw(t, "divisor"))
		}
		winProb, err := ticket.WinProbFor(fee, f)
		if err != nil {
			t.Fatal(err)
		}
		if !p.Certain && winProb > 1<<63 {
			t.Fatalf("win probability %d for a fee of %s at %s", winProb, fee, f)
		}
		if winProb == ticket.AlwaysWins {
			return
		}
		value := new(big.Int).Mul(f.Big(), new(big.Int).SetUint64(winProb)) // in units of 2^-64 wei
		owed := new(big.Int).Lsh(fee.Big(), 64)
		if over := value.Sub(value, owed); over.Sign() < 0 || over.Cmp(f.Big()) >= 0 {
			t.Fatalf("fee %s at %s: expected value is off by %s · 2^-64 wei", fee, f, over)
		}
	})
}

func TestChooseTerms_takesTheLeastFaceValueThatWillDo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, b := policies().Draw(t, "policy"), bases().Draw(t, "basis")
		terms, err := payment.ChooseTerms(p, b)
		if err != nil {
			return
		}
		p = p.WithDefaults()
		less := terms.FaceValue.Sub(wei(1))
		usual := b.UsualFee
		if usual.IsZero() {
			usual = b.MaxFee
		}
		dearest := b.MaxFee
		if !p.Certain {
			dearest = dearest.Mul(2)
		}
		keepsGas := func(parts uint64) bool { return !less.Mul(parts).Less(b.Gas.Mul(1_000_000)) }
		switch terms.Bound {
		case payment.ByGas:
			if keepsGas(p.GasShare) {
				t.Fatalf("%+v: one wei less keeps the gas share too", terms)
			}
		case payment.ByFee:
			if !less.Less(dearest) && !less.Less(usual.Mul(p.FeeMultiple).Min(protocol.MaxUint96)) {
				t.Fatalf("%+v: one wei less covers the fees too", terms)
			}
		case payment.BySpread:
			if terms.FaceValue != b.Income.Div(p.Wins) {
				t.Fatalf("%+v is not a %dth of %s", terms, p.Wins, b.Income)
			}
		case payment.ByAllocation:
			if terms.FaceValue != b.Credit.Div(p.FloatWins) {
				t.Fatalf("%+v is not a %dth of %s", terms, p.FloatWins, b.Credit)
			}
		}
	})
}

func TestChooseTerms_neverAsksLessOfMore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, b := policies().Draw(t, "policy"), bases().Draw(t, "basis")
		more := b
		switch rapid.IntRange(0, 3).Draw(t, "what") {
		case 0:
			more.Gas = b.Gas.Add(amounts(0, 80).Draw(t, "more gas"))
		case 1:
			if !b.Credit.IsZero() {
				more.Credit = b.Credit.Add(amounts(0, 96).Draw(t, "more credit"))
			}
		case 2:
			if !b.Income.IsZero() {
				more.Income = b.Income.Add(amounts(0, 100).Draw(t, "more income"))
			}
		case 3:
			if b.UsualFee.IsZero() {
				more.UsualFee = b.MaxFee
			}
			more.MaxFee = b.MaxFee.Add(amounts(0, 95).Draw(t, "more fee")).Min(protocol.MaxUint96)
		}
		before, err := payment.ChooseTerms(p, b)
		after, errMore := payment.ChooseTerms(p, more)
		if err == nil && errMore == nil && after.FaceValue.Less(before.FaceValue) {
			t.Fatalf("%+v gives %s, %+v gives %s", b, before.FaceValue, more, after.FaceValue)
		}
		if err != nil && errMore == nil && more.Credit == b.Credit {
			t.Fatalf("%+v is refused (%v), %+v is not", b, err, more)
		}
	})
}

// The rows of the economics: 10,000 segments a day for 1e11 wei each ($3 at $3,000), and what gas takes of them.
func TestChooseTerms_derivesTheTermsOfAnL2(t *testing.T) {
	t.Parallel()
	const gwei = 1_000_000_000
	fee := wei(100 * gwei)
	day := fee.Mul(10_000)
	for name, row := range map[string]struct {
		policy    payment.TermsPolicy
		gas       protocol.Wei
		credit    protocol.Wei
		faceValue protocol.Wei
		bound     payment.TermsBound
		share     uint64
		wins      uint64
	}{
		"0.02 gwei, one at a time": {gas: wei(51_000 * gwei / 50), faceValue: wei(50_000 * gwei), bound: payment.BySpread, share: 20_400, wins: 20},
		"at 1 %":                   {policy: payment.TermsPolicy{GasShare: 10_000, Wins: 9}, gas: wei(51_000 * gwei / 50), faceValue: wei(102_000 * gwei), bound: payment.ByGas, share: 10_000, wins: 9},
		"in batches":               {gas: wei(9_200 * gwei / 50), faceValue: wei(9_200 * gwei), bound: payment.ByGas, share: 20_000, wins: 108},
		"gas for nothing":          {faceValue: wei(1_000 * gwei), bound: payment.ByFee, wins: 1000},
		"every segment wins":       {policy: payment.TermsPolicy{Certain: true, FeeMultiple: 1}, faceValue: fee, bound: payment.ByFee, wins: 10_000},
		"a small allocation":       {gas: wei(51_000 * gwei / 50), credit: wei(150_000 * gwei), faceValue: wei(25_000 * gwei), bound: payment.ByAllocation, share: 40_800, wins: 40},
		"an L1 of 2 gwei":          {gas: wei(51_000 * 2 * gwei), faceValue: wei(2_040_000 * gwei), bound: payment.ByGas, share: 50_000, wins: 0},
	} {
		terms, err := payment.ChooseTerms(row.policy, payment.TermsBasis{MaxFee: fee, Gas: row.gas, Credit: row.credit, Income: day})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if terms.FaceValue != row.faceValue || terms.Bound != row.bound || terms.GasShare != row.share || terms.Wins != row.wins {
			t.Errorf("%s: got %+v, want %+v", name, terms, row)
		}
	}
	// The longest segment may be far dearer than the usual one.
	terms, err := payment.ChooseTerms(payment.TermsPolicy{}, payment.TermsBasis{MaxFee: fee.Mul(10), UsualFee: fee})
	if err != nil || terms.FaceValue != fee.Mul(20) {
		t.Errorf("with a dear segment: %+v, %v", terms, err)
	}
}

func TestChooseTerms_refusesWhatNoTicketCanDo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		basis payment.TermsBasis
		code  protocol.Code
	}{
		"no fee":               {payment.TermsBasis{}, protocol.BadRequest},
		"a fee too wide":       {payment.TermsBasis{MaxFee: protocol.MaxUint96.Add(wei(1))}, protocol.BadRequest},
		"usual above largest":  {payment.TermsBasis{MaxFee: wei(1), UsualFee: wei(2)}, protocol.BadRequest},
		"half does not fit":    {payment.TermsBasis{MaxFee: protocol.MaxUint96}, protocol.FeeAboveFaceValue},
		"gas above all":        {payment.TermsBasis{MaxFee: wei(1), Gas: protocol.MaxUint96}, protocol.FeeAboveFaceValue},
		"allocation below gas": {payment.TermsBasis{MaxFee: wei(1), Gas: wei(100), Credit: wei(1999)}, protocol.InsufficientCredit},
		"allocation below fee": {payment.TermsBasis{MaxFee: wei(100), Credit: wei(199)}, protocol.InsufficientCredit},
	} {
		if _, err := payment.ChooseTerms(payment.TermsPolicy{}, c.basis); protocol.CodeOf(err) != c.code || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWinnings_holdTheFloatOfTheEconomics(t *testing.T) {
	t.Parallel()
	// $3 a day in millionths of a dollar; the float of 1 and of 4 hours at two face values.
	hour := wei(125_000)
	for _, row := range []struct{ faceValue, hours, allocation uint64 }{
		{150_000, 1, 900_000}, {150_000, 4, 1_650_000}, {60_000, 1, 540_000}, {60_000, 4, 1_200_000},
	} {
		got := payment.Winnings(wei(row.faceValue), hour.Mul(row.hours), 0.001).Add(wei(row.faceValue))
		if got != wei(row.allocation) {
			t.Errorf("F=%d over %d h: %s, want %d", row.faceValue, row.hours, got, row.allocation)
		}
	}
	if w := payment.Winnings(wei(10), protocol.Wei{}, 0.001); !w.IsZero() {
		t.Errorf("no income, and winners of %s", w)
	}
	if w := payment.Winnings(wei(1), protocol.MaxUint96, 0.001); w.Less(protocol.MaxUint96) {
		t.Errorf("winners of %s below their mean", w)
	}
}

// The exact and the approximate quantile agree where one takes over from the other.
func TestWinnings_growSteadily(t *testing.T) {
	t.Parallel()
	last := protocol.Wei{}
	for mean := uint64(400); mean < 600; mean++ {
		w := payment.Winnings(wei(1000), wei(1000*mean), 0.001)
		if w.Less(last) || wei(5000).Add(last).Less(w) && mean > 400 {
			t.Errorf("mean %d: %s after %s", mean, w, last)
		}
		last = w
	}
}
