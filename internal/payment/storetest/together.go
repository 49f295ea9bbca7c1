package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
)

// together: deliveries that come at once may share a transaction. None suffers for another, and each outcome is one that
// some order of them would have had.
func together(t *testing.T, b bench) {
	const streams, perStream, copies = 24, 6, 3
	var sets []payment.Set
	for i := range streams {
		sets = append(sets, b.open(alice, fmt.Sprint("s", i)))
	}
	owed := arrival(sets[0], 1, true) // two tickets pay for one attempt
	rest := arrival(sets[1], 1, true)
	rest.Attempt = owed.Attempt
	b.no(b.store.Owe(b.Context(), payment.Owed{Payer: alice, Attempt: owed.Attempt, Stream: "s0", Fee: wei(900)}, b.now))

	type seen struct {
		arrival payment.Arrival
		outcome payment.Outcome
	}
	var mu sync.Mutex
	var all []seen
	var wg sync.WaitGroup
	deliver := func(ctx context.Context, arrivals ...payment.Arrival) {
		wg.Go(func() {
			out, err := b.store.Accept(ctx, arrivals, b.now)
			if err != nil {
				if !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				return
			}
			mu.Lock()
			defer mu.Unlock()
			for i, o := range out {
				all = append(all, seen{arrivals[i], o})
			}
		})
	}
	deliver(b.Context(), owed)
	deliver(b.Context(), rest)
	want := uint64(2)
	for _, s := range sets {
		for n := range uint64(perStream) {
			a := arrival(s, n+2, n%2 == 0)
			want++
			for range copies {
				deliver(b.Context(), a)
			}
		}
		other := arrival(s, 2, true) // another ticket of a nonce that is used
		deliver(b.Context(), other)
	}
	cancelled, cancel := context.WithCancel(b.Context())
	cancel()
	late := arrival(sets[2], 100, true)
	deliver(cancelled, late)
	wg.Go(func() {
		stray := arrival(sets[3], 101, true)
		stray.SetSerial = 1 << 40
		if _, err := b.store.Accept(b.Context(), []payment.Arrival{arrival(sets[4], 102, true), stray}, b.now); err == nil {
			t.Error("a ticket of a set that is not there was decided")
		}
	})
	wg.Wait()

	fresh, underpaid := map[payment.WinnerKey]int{}, 0
	for _, s := range all {
		k := payment.WinnerKey{LaneKey: payment.LaneKey{Payer: alice, Lane: s.arrival.Ticket.Lane}, TicketNonce: s.arrival.Ticket.TicketNonce}
		switch {
		case s.outcome.Code == protocol.TicketUnderpays:
			underpaid++
			fresh[k]++
		case s.outcome.Code == "" && !s.outcome.Known:
			fresh[k]++
		case s.outcome.Code == "" || s.outcome.Code == protocol.TicketInvalid && k.TicketNonce == 2:
		default:
			t.Errorf("nonce %d of lane %d: %+v", k.TicketNonce, k.Lane, s.outcome)
		}
	}
	for k, n := range fresh {
		if n != 1 {
			t.Errorf("nonce %d of lane %d was accepted for the first time %d times", k.TicketNonce, k.Lane, n)
		}
	}
	if underpaid != 1 {
		t.Errorf("%d of two tickets for 500 wei underpaid a debt of 900, want the first", underpaid)
	}
	delete(fresh, payment.WinnerKey{LaneKey: payment.LaneKey{Payer: alice, Lane: sets[2].Lane}, TicketNonce: 100})
	if uint64(len(fresh)) != want {
		t.Errorf("%d tickets were accepted, want %d", len(fresh), want)
	}
	b.wantCode(late, "") // it was not decided, or is known
	if st := b.stats(); st.Accepted != want+1 || !st.OwedWei.IsZero() {
		t.Errorf("the store counts %d tickets and %s wei owed, want %d and none", st.Accepted, st.OwedWei, want+1)
	}
	store := b.again()
	for _, s := range all {
		if s.outcome.Code != "" {
			continue
		}
		if out, err := store.Accept(b.Context(), []payment.Arrival{s.arrival}, b.now); err != nil || !out[0].Known || out[0].Code != "" {
			t.Errorf("a resend after a restart: %+v, %v", out, err)
		}
	}
}
