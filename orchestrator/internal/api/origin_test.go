package api

import (
	"fmt"
	"net/http"
	"testing"
)

func TestOrigin_isWhatOneHostCannotChooseFreely(t *testing.T) {
	t.Parallel()
	for remote, want := range map[string]string{
		"203.0.113.7:1":              "203.0.113.7/32",
		"[::ffff:203.0.113.7]:1":     "203.0.113.7/32",
		"[2001:db8:1:2:3:4:5:6]:1":   "2001:db8:1:2::/64",
		"[2001:db8:1:2:ffff::1]:443": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:1":           "fe80::/64",
		"@":                          "invalid Prefix",
	} {
		if got := origin(&http.Request{RemoteAddr: remote}).String(); got != want {
			t.Errorf("%s: %s, want %s", remote, got, want)
		}
	}
}

func TestLimits_rememberABoundedNumberOfAddresses(t *testing.T) {
	t.Parallel()
	l := newLimits()
	for i := range 2 * maxAddresses {
		l.of(&http.Request{RemoteAddr: fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255)}).Allow()
	}
	if n := len(l.byAddress); n > maxAddresses {
		t.Errorf("%d addresses are remembered", n)
	}
}
