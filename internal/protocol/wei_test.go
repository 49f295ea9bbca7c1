package protocol

import (
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const maxUint256 = "115792089237316195423570985008687907853269984665640564039457584007913129639935"

func mustWei(t *testing.T, s string) Wei {
	t.Helper()
	w, err := ParseWei(s)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestParseWei(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"0", "1", "1000000000000000000", "79228162514264337593543950335", maxUint256} {
		if got := mustWei(t, s).String(); got != s {
			t.Errorf("%s reads as %s", s, got)
		}
	}
	for _, s := range []string{"", " ", "-1", "+1", "01", "00", "1.0", "1e18", "0x10", "1_000", "1 ", "١", "115792089237316195423570985008687907853269984665640564039457584007913129639936", strings.Repeat("9", 79)} {
		if w, err := ParseWei(s); !errors.Is(err, ErrWei) {
			t.Errorf("%q reads as %s, %v", s, w, err)
		}
	}
}

func TestWei_travelsAsADecimalString(t *testing.T) {
	t.Parallel()
	var v struct {
		A Wei            `json:"a"`
		M map[string]Wei `json:"m"`
	}
	if err := json.Unmarshal([]byte(`{"a":"12345678901234567890123","m":{"x":"1"}}`), &v); err != nil || v.A.String() != "12345678901234567890123" {
		t.Fatal(v, err)
	}
	b, err := json.Marshal(v)
	if err != nil || string(b) != `{"a":"12345678901234567890123","m":{"x":"1"}}` {
		t.Errorf("%s, %v", b, err)
	}
	for _, s := range []string{`1`, `1.5`, `null`, `""`, `"-1"`, `"0x1"`, `true`, `{}`, `"1e3"`, `[1]`} {
		var w Wei
		if err := json.Unmarshal([]byte(s), &w); err == nil {
			t.Errorf("%s reads as %s", s, w)
		}
	}
}

func TestWei_scansWhatItStored(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"0", "7", maxUint256} {
		stored, err := mustWei(t, s).Value()
		if err != nil {
			t.Fatal(err)
		}
		for _, src := range []any{stored, []byte(stored.(string))} {
			var w Wei
			if err := w.Scan(src); err != nil || w.String() != s {
				t.Errorf("%v scans as %s, %v", src, w, err)
			}
		}
	}
	var w Wei
	if err := w.Scan(int64(5)); err != nil || w != NewWei(5) {
		t.Error(w, err)
	}
	for _, src := range []any{nil, int64(-1), 1.5, "1.5", []byte("x"), true} {
		if err := w.Scan(src); !errors.Is(err, ErrWei) {
			t.Errorf("%v scans: %v", src, err)
		}
	}
	for _, b := range []*big.Int{nil, big.NewInt(-1), new(big.Int).Lsh(big.NewInt(1), 256)} {
		if w, err := WeiFromBig(b); !errors.Is(err, ErrWei) {
			t.Errorf("%v becomes %s, %v", b, w, err)
		}
	}
}

// TestWei_countsLikeBigIntegers compares every operation with math/big.
func TestWei_countsLikeBigIntegers(t *testing.T) {
	t.Parallel()
	amount := rapid.Custom(func(t *rapid.T) Wei {
		w, err := WeiFromBig(new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 23).Draw(t, "bytes")))
		if err != nil {
			t.Fatal(err)
		}
		return w
	})
	rapid.Check(t, func(t *rapid.T) {
		x, y, n := amount.Draw(t, "x"), amount.Draw(t, "y"), rapid.Uint64().Draw(t, "n")
		same := func(what string, got Wei, want *big.Int) {
			if got.Big().Cmp(want) != 0 {
				t.Fatalf("%s %s of %s, %s, %d: want %s", what, got, x, y, n, want)
			}
		}
		same("sum", x.Add(y), new(big.Int).Add(x.Big(), y.Big()))
		diff := new(big.Int).Sub(x.Big(), y.Big())
		if diff.Sign() < 0 {
			diff.SetInt64(0)
		}
		same("difference", x.Sub(y), diff)
		if n > 0 {
			same("quotient", x.Div(n), new(big.Int).Div(x.Big(), new(big.Int).SetUint64(n)))
			same("product", NewWei(n).Mul(n), new(big.Int).Mul(new(big.Int).SetUint64(n), new(big.Int).SetUint64(n)))
		}
		if x.Cmp(y) != x.Big().Cmp(y.Big()) || x.Less(y) != (x.Cmp(y) < 0) || (x == y) != (x.Cmp(y) == 0) || x.IsZero() != (x.Big().Sign() == 0) ||
			x.FitsUint96() != (x.Big().BitLen() <= 96) || x.Min(y).Cmp(x) > 0 || x.Min(y).Cmp(y) > 0 {
			t.Fatalf("comparing %s and %s", x, y)
		}
		bytes := x.Bytes32()
		if new(big.Int).SetBytes(bytes[:]).Cmp(x.Big()) != 0 {
			t.Fatalf("bytes of %s", x)
		}
		z, fits := x.MulDivCeil(NewWei(n), y)
		if y.IsZero() {
			if fits {
				t.Fatal("a division by zero fits")
			}
			return
		}
		want := new(big.Int).Mul(x.Big(), new(big.Int).SetUint64(n))
		want.Add(want, new(big.Int).Sub(y.Big(), big.NewInt(1))).Div(want, y.Big())
		if fits != (want.BitLen() <= 256) {
			t.Fatalf("%s fits: %v", want, fits)
		}
		if fits {
			same("share", z, want)
		}
	})
}

func TestWei_panicsRatherThanWrap(t *testing.T) {
	t.Parallel()
	most := mustWei(t, maxUint256)
	for name, f := range map[string]func(){"Add": func() { most.Add(NewWei(1)) }, "Mul": func() { most.Mul(2) }} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s wraps", name)
				}
			}()
			f()
		}()
	}
}
