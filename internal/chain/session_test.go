package chain_test

import (
	"errors"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/protocol"
)

func TestSession_allocatesWithinItsCapUntilItIsRevoked(t *testing.T) {
	t.Parallel()
	rich, key, recipient := newKey(t), newKey(t), newKey(t).Address()
	client := dial(t, start(t, 1337, rich.Address()))
	treasury, hot := chain.NewAccount(client, rich), chain.NewAccount(client, key)
	no := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	address, _, err := treasury.Deploy(t.Context(), time.Hour)
	no(err)
	e, err := chain.NewEscrow(t.Context(), client, address)
	no(err)
	_, err = treasury.Transfer(t.Context(), hot.Address(), wei(1e18))
	no(err)
	_, err = e.Deposit(t.Context(), treasury, wei(1000))
	no(err)
	session := func() chain.Session {
		t.Helper()
		s, err := e.Session(t.Context(), treasury.Address(), hot.Address())
		no(err)
		return s
	}
	refusal := func(err error) string {
		var r *chain.Revert
		if errors.As(err, &r) {
			return r.Name
		}
		return ""
	}
	if s := session(); s != (chain.Session{}) {
		t.Errorf("a key nobody authorised: %+v", s)
	}
	if _, err := e.AllocateFrom(t.Context(), hot, treasury.Address(), recipient, wei(1)); refusal(err) != "SessionInvalid" {
		t.Errorf("allocating without a session: %v", err)
	}
	now, err := e.BlockTime(t.Context())
	no(err)
	until := now + 30*24*3600
	_, err = e.Authorise(t.Context(), treasury, hot.Address(), until, wei(700))
	no(err)
	if s := session(); s != (chain.Session{ValidUntil: until, DailyCap: wei(700), Left: wei(700)}) {
		t.Errorf("authorised: %+v", s)
	}
	for _, n := range []uint64{1, 1000} { // another 1000 blocks ago there was no chain
		want := protocol.Wei{}
		if s, err := e.ConfirmedSession(t.Context(), treasury.Address(), hot.Address(), n); err != nil || s.DailyCap != want || s.ValidUntil != 0 {
			t.Errorf("%d blocks ago: %+v, %v", n, s, err)
		}
	}
	_, err = e.AllocateFrom(t.Context(), hot, treasury.Address(), recipient, wei(600))
	no(err)
	if s, err := e.ConfirmedSession(t.Context(), treasury.Address(), hot.Address(), 1); err != nil || s.ValidUntil != until || s.DailyCap != wei(700) || s.Left != wei(100) {
		t.Errorf("one block later: %+v, %v", s, err)
	}
	if _, err := e.AllocateFrom(t.Context(), hot, treasury.Address(), recipient, wei(101)); refusal(err) != "SessionCapExceeded" {
		t.Errorf("allocating past the cap: %v", err)
	}
	_, err = e.ThawOf(t.Context(), hot, treasury.Address(), recipient, wei(50))
	no(err)
	if _, err := e.ReleaseOf(t.Context(), hot, treasury.Address(), recipient); refusal(err) != "StillThawing" {
		t.Errorf("releasing too soon: %v", err)
	}
	a, err := e.Allocation(t.Context(), treasury.Address(), recipient)
	no(err)
	if a.Amount != wei(600) || a.Thawing != wei(50) {
		t.Errorf("allocated %+v, want 600, 50 of them thawing", a)
	}
	_, err = e.Revoke(t.Context(), treasury, hot.Address())
	no(err)
	now, err = e.BlockTime(t.Context())
	no(err)
	if s := session(); s.ValidUntil != now+3600 || !s.DailyCap.IsZero() || !s.Left.IsZero() {
		t.Errorf("revoked at %d: %+v, want a thaw period more and no cap", now, s)
	}
	if _, err := e.AllocateFrom(t.Context(), hot, treasury.Address(), recipient, wei(1)); refusal(err) != "SessionCapExceeded" {
		t.Errorf("allocating after the revocation: %v", err)
	}
}
