package main

import (
	"fmt"
	"strings"

	"github.com/kinora/kinora/internal/protocol"
)

// amount is wei, written as an integer of wei or with a unit: 1500000000, 1.5gwei, 0.25ether.
type amount struct{ protocol.Wei }

var unitDigits = map[string]int{"wei": 0, "gwei": 9, "ether": 18, "eth": 18}

// UnmarshalText reads an amount exactly: more digits than the unit has are refused, never rounded.
func (a *amount) UnmarshalText(b []byte) error {
	text := strings.ToLower(strings.TrimSpace(string(b)))
	number := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz")
	unit := text[len(number):]
	if unit == "" {
		unit = "wei"
	}
	digits, ok := unitDigits[unit]
	if !ok {
		return fmt.Errorf("amount %q: unknown unit %q, want wei, gwei or ether", b, unit)
	}
	whole, fraction, _ := strings.Cut(strings.TrimSpace(number), ".")
	if len(fraction) > digits {
		return fmt.Errorf("amount %q: at most %d digits behind the point in %s", b, digits, unit)
	}
	all := strings.TrimLeft(whole+fraction+strings.Repeat("0", digits-len(fraction)), "0")
	if all == "" {
		if strings.Trim(whole+fraction, "0") != "" || whole+fraction == "" {
			return fmt.Errorf("amount %q is not a number", b)
		}
		all = "0"
	}
	w, err := protocol.ParseWei(all)
	if err != nil {
		return fmt.Errorf("amount %q: %w", b, err)
	}
	a.Wei = w
	return nil
}

// human writes wei with the unit that reads best, exactly.
func human(w protocol.Wei) string {
	digits := w.String()
	for _, u := range []struct {
		name string
		n    int
	}{{"ether", 18}, {"gwei", 9}} {
		if len(digits) > u.n-4 && u.n > 0 {
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
