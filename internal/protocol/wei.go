package protocol

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/holiman/uint256"
)

// Wei is an amount of the chain's native asset: a non-negative integer below 2^256. The zero value is no money.
// It travels as a decimal string, in JSON and in SQL, and is comparable with ==.
type Wei struct{ v uint256.Int }

// MaxUint96 is the largest amount a contract slot or a signed message can hold (2^96 − 1 wei, 7.9e10 ETH).
var MaxUint96 = func() Wei {
	w, _ := ParseWei("79228162514264337593543950335")
	return w
}()

// ErrWei is wrapped by every error about an amount that cannot be one.
var ErrWei = errors.New("not an amount of wei")

// NewWei returns n wei.
func NewWei(n uint64) Wei { return Wei{*uint256.NewInt(n)} }

// ParseWei reads a plain decimal integer: no sign, no leading zeros, no unit.
func ParseWei(s string) (Wei, error) {
	if s == "" || len(s) > 78 || (len(s) > 1 && s[0] == '0') || strings.Trim(s, "0123456789") != "" {
		return Wei{}, fmt.Errorf("%w: %.90q must be a plain decimal integer", ErrWei, s)
	}
	var w Wei
	if err := w.v.SetFromDecimal(s); err != nil {
		return Wei{}, fmt.Errorf("%w: %q: %v", ErrWei, s, err)
	}
	return w, nil
}

// WeiFromBig converts a contract's integer; negative or larger than 256 bits is an error.
func WeiFromBig(b *big.Int) (Wei, error) {
	if b == nil {
		return Wei{}, fmt.Errorf("%w: nil", ErrWei)
	}
	if b.Sign() < 0 {
		return Wei{}, fmt.Errorf("%w: %s is negative", ErrWei, b)
	}
	v, overflow := uint256.FromBig(b)
	if overflow {
		return Wei{}, fmt.Errorf("%w: more than 256 bits", ErrWei)
	}
	return Wei{*v}, nil
}

// Add returns w + x; it panics past 2^256, which no sum of real amounts reaches.
func (w Wei) Add(x Wei) Wei {
	var r Wei
	if _, overflow := r.v.AddOverflow(&w.v, &x.v); overflow {
		panic("protocol: Wei overflow")
	}
	return r
}

// Sub returns w − x, or zero when x is larger (see Less for the check that must come first where it matters).
func (w Wei) Sub(x Wei) Wei {
	var r Wei
	if _, underflow := r.v.SubOverflow(&w.v, &x.v); underflow {
		return Wei{}
	}
	return r
}

// Mul returns w·n; it panics past 2^256.
func (w Wei) Mul(n uint64) Wei {
	var r Wei
	if _, overflow := r.v.MulOverflow(&w.v, uint256.NewInt(n)); overflow {
		panic("protocol: Wei overflow")
	}
	return r
}

// Div returns ⌊w/n⌋; n must not be zero.
func (w Wei) Div(n uint64) Wei {
	var r Wei
	r.v.Div(&w.v, uint256.NewInt(n))
	return r
}

// MulDivCeil returns ⌈w·n/d⌉ and whether it fits 256 bits.
func (w Wei) MulDivCeil(n, d Wei) (Wei, bool) {
	if d.IsZero() {
		return Wei{}, false
	}
	product := new(big.Int).Mul(w.Big(), n.Big())
	product.Add(product, new(big.Int).Sub(d.Big(), big.NewInt(1)))
	product.Div(product, d.Big())
	r, err := WeiFromBig(product)
	return r, err == nil
}

// Cmp returns −1, 0 or 1 as w is less than, equal to or greater than x.
func (w Wei) Cmp(x Wei) int { return w.v.Cmp(&x.v) }

// Less reports w < x.
func (w Wei) Less(x Wei) bool { return w.v.Lt(&x.v) }

// Min returns the smaller of w and x.
func (w Wei) Min(x Wei) Wei {
	if x.Less(w) {
		return x
	}
	return w
}

// IsZero reports whether w is no money.
func (w Wei) IsZero() bool { return w.v.IsZero() }

// IsUint64 reports whether w fits 64 bits; Uint64 then returns it.
func (w Wei) IsUint64() bool { return w.v.IsUint64() }

// Uint64 returns the low 64 bits.
func (w Wei) Uint64() uint64 { return w.v.Uint64() }

// FitsUint96 reports whether a contract slot can hold w.
func (w Wei) FitsUint96() bool { return w.v.BitLen() <= 96 }

// Big returns w as a fresh big integer.
func (w Wei) Big() *big.Int { return w.v.ToBig() }

// Bytes32 returns w big-endian, as the EVM stores it.
func (w Wei) Bytes32() [32]byte { return w.v.Bytes32() }

// String returns the decimal digits.
func (w Wei) String() string { return w.v.Dec() }

// MarshalText writes the decimal digits; JSON then shows a string.
func (w Wei) MarshalText() ([]byte, error) { return []byte(w.v.Dec()), nil }

// UnmarshalText reads what MarshalText wrote.
func (w *Wei) UnmarshalText(b []byte) error {
	v, err := ParseWei(string(b))
	if err != nil {
		return err
	}
	*w = v
	return nil
}

// UnmarshalJSON accepts a decimal string only: a JSON number would pass through a float in other languages.
func (w *Wei) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("%w: %.90s must be a string of decimal digits", ErrWei, b)
	}
	return w.UnmarshalText([]byte(s))
}

// Value stores w as decimal text (a Postgres numeric or an SQLite text column).
func (w Wei) Value() (driver.Value, error) { return w.v.Dec(), nil }

// Scan reads what Value stored.
func (w *Wei) Scan(src any) error {
	switch v := src.(type) {
	case string:
		return w.UnmarshalText([]byte(v))
	case []byte:
		return w.UnmarshalText(v)
	case int64:
		if v < 0 {
			return fmt.Errorf("%w: %d is negative", ErrWei, v)
		}
		*w = NewWei(uint64(v))
		return nil
	case nil:
		return fmt.Errorf("%w: NULL", ErrWei)
	default:
		return fmt.Errorf("%w: cannot scan %T", ErrWei, src)
	}
}
