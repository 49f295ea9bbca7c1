package main

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/kinora/kinora/internal/protocol"
)

func TestParseAmount_readsExactlyOrSaysWhyNot(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"0": "0", "7": "7", "007": "7", "1wei": "1", "1 wei": "1", " 12 ": "12", "1.0gwei": "1000000000", "1.5gwei": "1500000000",
		"0.000000001gwei": "1", "0.25ether": "250000000000000000", "1eth": "1000000000000000000", "1 Ether": "1000000000000000000",
		".5ether": "500000000000000000", "5.ether": "5000000000000000000", "0.0ether": "0", "1.000000000000000000ether": "1000000000000000000",
		"79228162514264337593543950335": "79228162514264337593543950335",
	} {
		if got, err := parseAmount(text); err != nil || got.String() != want {
			t.Errorf("parseAmount(%q) = %s, %v; want %s", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"": "is no amount", ".": "is no amount", "ether": "is no amount", "x": "unknown unit", "1.5": "wei has no fraction", "1.": "wei has no fraction",
		"1.5wei": "at most 0 digits", "0.0000000001gwei": "at most 9 digits", "1.0000000000000000001ether": "at most 18 digits", "-1": "never negative",
		"-1ether": "never negative", "+1": "is no amount", "1e18": "is no amount", "0x10": "is no amount", "1,5ether": "is no amount",
		"1.2.3ether": "is no amount", "1_000": "is no amount", "1 000": "is no amount", "٣": "is no amount", "5finney": `unknown unit "finney"`,
		"79228162514264337593543950336": "more than the escrow can hold", "79228162515ether": "more than the escrow can hold",
		strings.Repeat("9", 500): "more than the escrow can hold",
	} {
		if got, err := parseAmount(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parseAmount(%.40q) = %s, %v; want an error with %q", text, got, err, want)
		}
	}
}

func TestHuman_isReadBackToTheWei(t *testing.T) {
	t.Parallel()
	for digits, want := range map[string]string{
		"0": "0 wei", "1": "1 wei", "99999": "99999 wei", "1000000000": "1 gwei", "1500000000": "1.5 gwei", "1000000000000000000": "1 ether",
		"1000000000000000001": "1.000000000000000001 ether", "250000000000000000": "0.25 ether", "1000000000000000": "0.001 ether",
	} {
		w, err := protocol.ParseWei(digits)
		if err != nil {
			t.Fatal(err)
		}
		if got := human(w); got != want {
			t.Errorf("human(%s) = %q, want %q", digits, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		w, err := protocol.ParseWei(rapid.StringMatching(`[1-9][0-9]{0,27}`).Draw(t, "wei"))
		if err != nil {
			t.Fatal(err)
		}
		if back, err := parseAmount(human(w)); err != nil || back != w {
			t.Errorf("%s is shown as %q, which is read as %s, %v", w, human(w), back, err)
		}
	})
}

func TestParseAddress_refusesAMistypedOne(t *testing.T) {
	t.Parallel()
	const checksummed = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
	for _, text := range []string{checksummed, strings.ToLower(checksummed), "0x" + strings.ToUpper(checksummed[2:])} {
		if got, err := parseAddress(text); err != nil || got.Hex() != checksummed {
			t.Errorf("parseAddress(%q) = %s, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"": "is no address", "0x": "is no address", "0x12": "is no address", checksummed[2:]: "is no address", checksummed + "0": "is no address",
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeg": "is no address", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD": "checksum",
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAee": "checksum", "0x0000000000000000000000000000000000000000": "zero address",
	} {
		if got, err := parseAddress(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parseAddress(%q) = %s, %v; want an error with %q", text, got, err, want)
		}
	}
}
