package main

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/kinora/kinora/internal/protocol"
)

var unitDigits = map[string]int{"wei": 0, "gwei": 9, "ether": 18, "eth": 18}

// parseAmount reads wei, written as an integer of wei or with a unit: 1500000000, 1.5gwei, 0.25ether. It reads exactly:
// more digits than the unit has are refused, never rounded.
func parseAmount(s string) (protocol.Wei, error) {
	text := strings.ToLower(strings.TrimSpace(s))
	number := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz")
	unit := text[len(number):]
	digits, known := unitDigits[unit]
	number = strings.TrimSpace(number)
	whole, fraction, point := strings.Cut(number, ".")
	switch {
	case unit != "" && !known:
		return protocol.Wei{}, fmt.Errorf("%q: unknown unit %q, want wei, gwei or ether", s, unit)
	case strings.HasPrefix(number, "-"):
		return protocol.Wei{}, fmt.Errorf("%q: an amount is never negative", s)
	case whole+fraction == "" || strings.Trim(whole+fraction, "0123456789") != "":
		return protocol.Wei{}, fmt.Errorf("%q is no amount: want an integer of wei, or a number with a unit such as 1.5gwei or 0.25ether", s)
	case point && unit == "":
		return protocol.Wei{}, fmt.Errorf("%q: wei has no fraction: add a unit, such as %sgwei or %sether", s, number, number)
	case len(fraction) > digits:
		return protocol.Wei{}, fmt.Errorf("%q: at most %d digits behind the point in %s", s, digits, unit)
	}
	all := strings.TrimLeft(whole+fraction+strings.Repeat("0", digits-len(fraction)), "0")
	if all == "" {
		all = "0"
	}
	w, err := protocol.ParseWei(all)
	if err != nil || !w.FitsUint96() {
		return protocol.Wei{}, fmt.Errorf("%q is more than the escrow can hold (2^96-1 wei)", s)
	}
	return w, nil
}

// amounts lets every flag that is an amount be written with a unit.
var amounts = kong.TypeMapper(reflect.TypeFor[protocol.Wei](), kong.MapperFunc(func(ctx *kong.DecodeContext, target reflect.Value) error {
	var s string
	if err := ctx.Scan.PopValueInto("amount", &s); err != nil {
		return err
	}
	w, err := parseAmount(s)
	if err != nil {
		return err
	}
	target.Set(reflect.ValueOf(w))
	return nil
}))

// human writes wei with the unit that reads best, exactly.
func human(w protocol.Wei) string {
	digits := w.String()
	for _, u := range []struct {
		name string
		n    int
	}{{"ether", 18}, {"gwei", 9}} {
		if len(digits) > u.n-4 {
			padded := strings.Repeat("0", max(0, u.n+1-len(digits))) + digits
			whole, fraction := padded[:len(padded)-u.n], strings.TrimRight(padded[len(padded)-u.n:], "0")
			if fraction == "" {
				return whole + " " + u.name
			}
			return whole + "." + fraction + " " + u.name
		}
	}
	return digits + " wei"
}
