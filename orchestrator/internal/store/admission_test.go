package store_test

import (
	"crypto/sha256"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

func TestAdmit_takesATokenOnceAndRemembersWhoBroughtIt(t *testing.T) {
	t.Parallel()
	f := open(t)
	first, second, revoked := common.HexToAddress("0xc1"), common.HexToAddress("0xc2"), common.HexToAddress("0xc3")
	hash := func(secret string) *[32]byte { h := sha256.Sum256([]byte(secret)); return &h }
	token := func(secret string, life time.Duration) string {
		made, err := f.AddJoinToken(t.Context(), *hash(secret), "for "+secret, life)
		f.must(err)
		return made.ID
	}
	token("once", time.Hour)
	token("past", time.Millisecond)
	withdrawn := token("withdrawn", time.Hour)
	f.must(f.RevokeJoinToken(t.Context(), withdrawn))
	f.must(f.Revoke(t.Context(), revoked, "left"))
	time.Sleep(2 * time.Millisecond) // the token that was made for one has expired
	for _, step := range []struct {
		name  string
		who   common.Address
		token *[32]byte
		open  bool
		want  string // of the refusal; empty: admitted
	}{
		{"nobody known", first, nil, false, "brings no join token"},
		{"a token that never was", first, hash("guess"), false, "unknown"},
		{"one that expired", first, hash("past"), false, "expired"},
		{"one that was withdrawn", first, hash("withdrawn"), false, "revoked"},
		{"the first who brings it", first, hash("once"), false, ""},
		{"the same again, with it", first, hash("once"), false, ""},
		{"the same again, without", first, nil, false, ""},
		{"another one with the same token", second, hash("once"), false, "used by another"},
		{"anybody, in an open market", second, nil, true, ""},
		{"the same, once it is closed", second, nil, false, "brings no join token"},
		{"one that was revoked", revoked, nil, true, "was revoked"},
	} {
		err := f.Admit(t.Context(), step.who, step.token, step.open)
		if step.want == "" && err != nil || step.want != "" && (protocol.CodeOf(err) != protocol.Unauthorized || !strings.Contains(err.Error(), step.want)) {
			t.Errorf("%s: %v, want a refusal with %q", step.name, err, step.want)
		}
	}
	// A revocation outlives the token that came with the next, and ends by the operator's word alone.
	token("second chance", time.Hour)
	f.must(f.Revoke(t.Context(), first, "misbehaved"))
	if err := f.Admit(t.Context(), first, hash("second chance"), true); err == nil {
		t.Error("a token took back a revocation")
	}
	if list, err := f.RevokedWithin(t.Context(), time.Minute); err != nil || len(list) != 2 || list[1].Transcoder != first || list[1].Ago > time.Minute || list[1].At.IsZero() {
		t.Errorf("revoked of late: %v, %v", list, err)
	}
	f.must(f.Enrol(t.Context(), first))
	f.must(f.Admit(t.Context(), first, nil, false))
	f.must(f.Admit(t.Context(), second, hash("second chance"), false))

	tokens, err := f.JoinTokens(t.Context())
	f.must(err)
	used := map[string]common.Address{}
	for _, one := range tokens {
		if one.UsedBy != nil {
			used[one.Label] = *one.UsedBy
		}
	}
	if len(tokens) != 4 || len(used) != 2 || used["for once"] != first || used["for second chance"] != second {
		t.Errorf("tokens %+v", tokens)
	}
	for _, id := range []string{tokens[0].ID, "nonsense", ""} { // used; unknown
		if err := f.RevokeJoinToken(t.Context(), id); protocol.CodeOf(err) != protocol.NotFound {
			t.Errorf("revoking %q: %v", id, err)
		}
	}
	all, err := f.Admissions(t.Context())
	if err != nil || len(all) != 3 {
		t.Errorf("admissions %+v, %v", all, err)
	}
}

func TestAdmit_ofManyAtOnceLetsOneTokenAdmitOne(t *testing.T) {
	t.Parallel()
	f := open(t)
	secret := sha256.Sum256([]byte("once"))
	_, err := f.AddJoinToken(t.Context(), secret, "", time.Hour)
	f.must(err)
	var admitted atomic.Int32
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			if f.Admit(t.Context(), common.BigToAddress(protocol.NewWei(uint64(100+i)).Big()), &secret, false) == nil {
				admitted.Add(1)
			}
		})
	}
	all.Wait()
	if n := admitted.Load(); n != 1 {
		t.Errorf("%d came in by one token", n)
	}
}
