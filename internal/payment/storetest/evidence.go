package storetest

import (
	"testing"

	"github.com/kinora/kinora/internal/payment"
)

func equivocates(t *testing.T, b bench) {
	first := b.open(alice, "s")
	one, another, together := arrival(first, 1, false), arrival(first, 1, true), arrival(first, 2, false)
	for _, a := range []*payment.Arrival{&one, &another, &together} {
		a.Ticket.Signature[64], a.Ticket.Signature[3] = 28, 7
	}
	another.Ticket.Salt = 99
	b.wantCode(one, "")
	if kept, err := b.store.Evidence(b.Context()); err != nil || len(kept) != 0 {
		t.Fatalf("evidence %+v, %v before there is any", kept, err)
	}
	if out := b.accept(one); !out[0].Known || out[0].Equivocates {
		t.Errorf("the same ticket again: %+v", out[0])
	}
	twin := together
	twin.Digest[0]++
	for range 2 {
		out := b.accept(another, together, twin)
		if !out[0].Equivocates || out[1].Equivocates || !out[2].Equivocates {
			t.Errorf("outcomes %+v", out)
		}
	}
	kept, err := b.again().Evidence(b.Context())
	b.no(err)
	if len(kept) != 1 || kept[0].First != one.Ticket || kept[0].Second != another.Ticket || !kept[0].SeenAt.Equal(b.now) {
		t.Errorf("evidence %+v, want the first two tickets of nonce 1", kept)
	}
}
