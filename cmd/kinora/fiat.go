package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/kinora/kinora/internal/protocol"
)

// fiat is what an ether is worth: 3000USD. It is for reading; nothing is counted in it.
type fiat struct {
	rate float64
	name string
}

// UnmarshalText reads a number and, behind it, the currency's name.
func (f *fiat) UnmarshalText(b []byte) error {
	text := strings.TrimSpace(string(b))
	number := strings.TrimRight(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz€$£ ")
	rate, err := strconv.ParseFloat(number, 64)
	if err != nil || !(rate > 0) || math.IsInf(rate, 0) {
		return fmt.Errorf("rate %q: want what one ether is worth, such as 3000USD", b)
	}
	f.rate, f.name = rate, strings.TrimSpace(text[len(number):])
	return nil
}

// about writes wei rounded to four digits, in the unit that reads best and, where a rate is known, in money.
func (f fiat) about(w protocol.Wei) string {
	value, _ := w.Big().Float64()
	text, unit := "", "wei"
	switch {
	case w.IsZero():
		text = "0"
	case value >= 1e14:
		text, unit = digits(value/1e18), "ether"
	case value >= 1e5:
		text, unit = digits(value/1e9), "gwei"
	default:
		text = w.String()
	}
	return text + " " + unit + f.worth(w)
}

// worth is " (3 USD)": wei in money, rounded; nothing where no rate is known.
func (f fiat) worth(w protocol.Wei) string {
	if f.rate == 0 {
		return ""
	}
	value, _ := w.Big().Float64()
	return fmt.Sprintf(" (%s)", strings.TrimSpace(digits(value/1e18*f.rate)+" "+f.name))
}

// digits writes x with four significant digits, or all that stand before its point.
func digits(x float64) string {
	if x >= 1000 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', 4, 64)
}

// percent writes a share.
func percent(x float64) string {
	if x > 0 && x < 0.0001 {
		return "< 0.01 %"
	}
	return fmt.Sprintf("%.2f %%", 100*x)
}

// share is a part in millionths, written as a percentage: 2%, 0.5%.
type share uint64

// UnmarshalText reads a percentage exactly.
func (s *share) UnmarshalText(b []byte) error {
	number, isPercent := strings.CutSuffix(strings.TrimSpace(string(b)), "%")
	whole, fraction, _ := strings.Cut(number, ".")
	if len(fraction) > 4 || !isPercent {
		return fmt.Errorf("share %q: want a percentage with at most 4 digits behind the point, such as 2%%", b)
	}
	n, err := strconv.ParseUint(whole+fraction+strings.Repeat("0", 4-len(fraction)), 10, 64)
	if err != nil || n > 1_000_000 {
		return fmt.Errorf("share %q: want 0%% to 100%%", b)
	}
	*s = share(n)
	return nil
}
