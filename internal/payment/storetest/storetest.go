// Package storetest holds what every payment.Store must do; each body runs it over a real database.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
)

// Exercise runs the suite. open gives a store on a fresh database, and a function that opens another store on the same one,
// as after a restart.
func Exercise(t *testing.T, open func(t *testing.T) (store payment.Store, again func() payment.Store)) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, b bench)
	}{
		{"keeps its secret", secret},
		{"gives each stream its lane", lanes},
		{"counts and forgets strangers", strangers},
		{"opens one set after another", sets},
		{"accepts a ticket once", accepts},
		{"decides what comes together as if one came after another", together},
		{"keeps nonces inside the window and in the order of sets", nonces},
		{"never accepts into a closed set", closes},
		{"closes by time, by lane, and all", closing},
		{"counts debts whichever comes first", debts},
		{"gives the same credit once", holds},
		{"counts as float what is won or submitted", float},
		{"takes winners to the chain", winners},
		{"puts winners back", dropped},
		{"takes a mined redemption back", reorganised},
		{"lets one settle", exclusive},
		{"forgets what expired", prunes},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			store, again := open(t)
			c.test(t, bench{T: t, store: store, again: again, now: time.Now().Truncate(time.Millisecond)})
		})
	}
}

type bench struct {
	*testing.T
	store payment.Store
	again func() payment.Store
	now   time.Time
}

var (
	alice = common.HexToAddress("0xA11ce00000000000000000000000000000000000")
	bob   = common.HexToAddress("0xB0b0000000000000000000000000000000000000")
	self  = common.HexToAddress("0x5e1f000000000000000000000000000000000000")
)

func wei(n uint64) protocol.Wei { return protocol.NewWei(n) }

func (b bench) no(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b bench) lane(payer common.Address, stream string) uint16 {
	b.Helper()
	lane, err := b.store.Lane(b.Context(), payer, stream, b.now, func(context.Context, uint16) (uint64, error) { return 0, nil })
	b.no(err)
	return lane
}

// open opens a set of face value 1000 on the lane of a stream: usable 1 s, accepting 2 s, redeemable after 3 s.
func (b bench) open(payer common.Address, stream string) payment.Set {
	b.Helper()
	lane := b.lane(payer, stream)
	newest, _, err := b.store.NewestSet(b.Context(), payer, lane)
	b.no(err)
	id := protocol.NewID()
	s, err := b.store.AddSet(b.Context(), payment.Set{ID: id, Payer: payer, Lane: lane, FaceValue: wei(1000), Seed: protocol.NewID(), RandHash: common.Hash(protocol.NewID()),
		Expiry: uint64(b.now.Unix()) + 3600, OpenedAt: b.now, UsableUntil: b.now.Add(time.Second), AcceptUntil: b.now.Add(2 * time.Second),
		RedeemFrom: b.now.Add(3 * time.Second)}, newest.Serial)
	b.no(err)
	if s.ID != id {
		b.Fatalf("got set %s, want the one added, %s", s.ID.Short(), id.Short())
	}
	return s
}

// arrival is a ticket worth half of its set's face value.
func arrival(s payment.Set, nonce uint64, won bool) payment.Arrival {
	return payment.Arrival{Attempt: protocol.NewID(), Ticket: ticket.Signed{Ticket: ticket.Ticket{Payer: s.Payer, Recipient: self, Lane: s.Lane, TicketNonce: nonce,
		FaceValue: s.FaceValue, WinProb: 1 << 63, Expiry: s.Expiry, RecipientRandHash: s.RandHash, Salt: nonce}}, Digest: common.Hash(protocol.NewID()), SetSerial: s.Serial, Won: won}
}

func (b bench) accept(arrivals ...payment.Arrival) []payment.Outcome {
	b.Helper()
	out, err := b.store.Accept(b.Context(), arrivals, b.now)
	b.no(err)
	if len(out) != len(arrivals) {
		b.Fatalf("%d outcomes of %d tickets", len(out), len(arrivals))
	}
	return out
}

func (b bench) wantCode(a payment.Arrival, want protocol.Code) {
	b.Helper()
	if got := b.accept(a)[0]; got.Code != want {
		b.Fatalf("nonce %d: %q (%s), want %q", a.Ticket.TicketNonce, got.Code, got.Detail, want)
	}
}

func (b bench) stats() payment.RecipientStats {
	b.Helper()
	s, err := b.store.Stats(b.Context(), b.now)
	b.no(err)
	return s
}

func secret(t *testing.T, b bench) {
	one, err := b.store.Secret(b.Context())
	b.no(err)
	two, err := b.again().Secret(b.Context())
	b.no(err)
	if one != two || one == [32]byte{} {
		t.Errorf("secrets %x and %x, want one that is not zero", one, two)
	}
}

func lanes(t *testing.T, b bench) {
	asked := map[uint16]bool{}
	floor := func(_ context.Context, lane uint16) (uint64, error) { asked[lane] = true; return 50, nil }
	lane := func(payer common.Address, stream string) uint16 {
		n, err := b.store.Lane(b.Context(), payer, stream, b.now, floor)
		b.no(err)
		return n
	}
	if one, two, again := lane(alice, "one"), lane(alice, "two"), lane(alice, "one"); one == two || one != again {
		t.Errorf("lanes of two streams %d and %d, again %d", one, two, again)
	}
	if got := lane(bob, "one"); !asked[got] {
		t.Error("the chain was not asked for the lane's watermark")
	}
	if _, known, err := b.store.KnownLane(b.Context(), bob, "two"); err != nil || known {
		t.Errorf("a lane nobody opened is known: %v", err)
	}
	s := b.open(alice, "one")
	b.wantCode(arrival(s, 50, false), protocol.TicketInvalid) // at the floor
	b.wantCode(arrival(s, 51, false), "")

	// At once, from two processes: one lane each, no two streams on one.
	var wg sync.WaitGroup
	got := make([]uint16, 8)
	for i := range got {
		store := b.store
		if i%2 == 1 {
			store = b.again()
		}
		wg.Go(func() {
			n, err := store.Lane(b.Context(), bob, fmt.Sprintf("many%d", i/2), b.now, func(context.Context, uint16) (uint64, error) { return 0, nil })
			if err != nil {
				t.Error(err)
			}
			got[i] = n
		})
	}
	wg.Wait()
	seen := map[uint16]bool{}
	for i := 0; i < len(got); i += 2 {
		if got[i] != got[i+1] || seen[got[i]] {
			t.Errorf("lanes %v, want four pairs", got)
		}
		seen[got[i]] = true
	}
}

func strangers(t *testing.T, b bench) {
	count := func(want int) {
		t.Helper()
		n, err := b.store.Strangers(b.Context())
		b.no(err)
		if n != want {
			t.Fatalf("%d strangers' lanes, want %d", n, want)
		}
	}
	b.open(alice, "one")
	b.open(alice, "two")
	known := b.open(bob, "one")
	count(3)
	b.no(b.store.Hold(b.Context(), bob, protocol.NewID(), wei(1), b.now, b.now, func(payment.Exposure) error { return nil }))
	count(2)
	expired := b.now.Add(2 * time.Hour)
	b.no(b.store.Prune(b.Context(), expired))
	count(2) // their sets are open
	paid := arrival(b.open(alice, "two"), 1, true)
	b.wantCode(paid, "") // who pays is no stranger to be forgotten
	_, err := b.store.CloseAll(b.Context(), b.now)
	b.no(err)
	b.no(b.store.Prune(b.Context(), b.now.Add(time.Minute)))
	count(2)
	b.no(b.store.Prune(b.Context(), expired))
	count(1)
	if _, known, err := b.store.KnownLane(b.Context(), alice, "one"); err != nil || known {
		t.Errorf("the stranger's lane is still there: %v", err)
	}
	if _, ok, err := b.store.SetByID(b.Context(), bob, known.ID); err != nil || !ok {
		t.Errorf("a set of a payer with credit was forgotten: %v", err)
	}
	if pending, err := b.store.Pending(b.Context()); err != nil || len(pending) != 1 {
		t.Errorf("%d winners, %v; want the one", len(pending), err)
	}
}

func sets(t *testing.T, b bench) {
	lane := b.lane(alice, "s")
	if _, ok, err := b.store.NewestSet(b.Context(), alice, lane); err != nil || ok {
		t.Fatalf("a new lane has a set: %v", err)
	}
	one := b.open(alice, "s")
	two := b.open(alice, "s")
	if two.Serial <= one.Serial {
		t.Errorf("serials %d then %d", one.Serial, two.Serial)
	}
	// A replica that thinks one is still the newest gets two.
	late := two
	late.ID, late.RandHash = protocol.NewID(), common.Hash(protocol.NewID())
	got, err := b.store.AddSet(b.Context(), late, one.Serial)
	b.no(err)
	if got.ID != two.ID {
		t.Errorf("a late set was opened")
	}
	found, ok, err := b.again().SetByRandHash(b.Context(), two.RandHash)
	b.no(err)
	if !ok || found != two || found.Stream != "s" {
		t.Errorf("found %+v, want %+v", found, two)
	}
	if _, ok, err := b.store.SetByRandHash(b.Context(), common.Hash{1}); err != nil || ok {
		t.Errorf("found a set of a rand nobody has: %v", err)
	}
}

func accepts(t *testing.T, b bench) {
	s := b.open(alice, "s")
	a := arrival(s, 7, true)
	if got := b.accept(a)[0]; got != (payment.Outcome{}) {
		t.Fatalf("first: %+v", got)
	}
	if got := b.accept(a)[0]; got.Code != "" || !got.Known {
		t.Errorf("the same again: %+v, want it known", got)
	}
	other := a
	other.Digest = common.Hash(protocol.NewID())
	b.wantCode(other, protocol.TicketInvalid)
	// Out of order, mixed lanes, one of them bad, in one delivery.
	s2 := b.open(bob, "s")
	got := b.accept(arrival(s2, 9, false), arrival(s, 3, true), other, arrival(s2, 2, true))
	if got[0].Code != "" || got[1].Code != "" || got[2].Code != protocol.TicketInvalid || got[3].Code != "" {
		t.Errorf("outcomes %+v", got)
	}
	st := b.stats()
	if st.Accepted != 4 || st.Won != 3 || st.WonWei != wei(3000) || st.AcceptedWei != wei(2000) || st.PendingWinners != 3 || st.PendingWei != wei(3000) {
		t.Errorf("stats %+v", st)
	}
	pending, err := b.again().Pending(b.Context())
	b.no(err)
	var order []uint64
	for _, w := range pending {
		order = append(order, w.Ticket.TicketNonce)
		if w.State != payment.StateWon || w.SetClosed {
			t.Errorf("winner %+v, want it won, its set open", w)
		}
	}
	if fmt.Sprint(order) != "[3 7 2]" {
		t.Errorf("winners in order %v, want alice's 3 and 7, then bob's 2", order)
	}
	if pending[1].Ticket != a.Ticket || pending[1].Seed != s.Seed {
		t.Errorf("winner came back as %+v, was %+v", pending[1], a.Ticket)
	}
}

func nonces(t *testing.T, b bench) {
	one, two := b.open(alice, "s"), b.open(alice, "s")
	b.wantCode(arrival(one, 10, true), "")
	b.wantCode(arrival(two, 20, true), "")
	b.wantCode(arrival(one, 15, true), "")                      // late, in order
	b.wantCode(arrival(one, 21, true), protocol.TicketInvalid)  // above the later set's: would burn it
	b.wantCode(arrival(two, 12, true), protocol.TicketInvalid)  // below the earlier set's
	b.wantCode(arrival(two, 16, true), "")                      //
	b.wantCode(arrival(one, 17, false), protocol.TicketInvalid) // 16 was the later set's
	b.wantCode(arrival(two, 20+payment.NonceWindow+1, true), protocol.TicketInvalid)
	b.wantCode(arrival(two, 1<<63, true), protocol.TicketInvalid)
	b.wantCode(arrival(two, 1<<64-1, true), protocol.TicketInvalid)
	b.wantCode(arrival(two, 20+payment.NonceWindow, true), "")
}

func closes(t *testing.T, b bench) {
	s := b.open(alice, "s")
	a := arrival(s, 1, true)
	b.wantCode(a, "")
	// Tickets and the closing race; whatever was accepted came before.
	var wg sync.WaitGroup
	results := make([]protocol.Code, 40)
	for i := range results {
		wg.Go(func() {
			if i == len(results)/2 {
				if _, err := b.store.CloseAll(b.Context(), b.now); err != nil {
					t.Error(err)
				}
				return
			}
			out, err := b.store.Accept(b.Context(), []payment.Arrival{arrival(s, uint64(i+2), true)}, b.now)
			if err != nil {
				t.Error(err)
				return
			}
			results[i] = out[0].Code
		})
	}
	wg.Wait()
	accepted := uint64(1)
	for i, c := range results {
		switch {
		case i == len(results)/2:
		case c == "":
			accepted++
		case c != protocol.TicketSetClosed:
			t.Errorf("ticket %d: %q", i, c)
		}
	}
	if st := b.stats(); st.Accepted != accepted || st.Won != accepted {
		t.Errorf("%d tickets were accepted, the store counts %d and %d winners", accepted, st.Accepted, st.Won)
	}
	b.wantCode(arrival(s, 100, true), protocol.TicketSetClosed)
	if got := b.accept(a)[0]; got.Code != "" || !got.Known {
		t.Errorf("a resend after the closing: %+v, want it acknowledged", got)
	}
}

func closing(t *testing.T, b bench) {
	count := func(got int, err error) int {
		b.no(err)
		return got
	}
	if at, ok, err := b.store.NextClose(b.Context()); err != nil || ok {
		t.Errorf("without a set one is to be closed at %s: %v", at, err)
	}
	one, two, other := b.open(alice, "s"), b.open(alice, "s"), b.open(bob, "s")
	if at, ok, err := b.store.NextClose(b.Context()); err != nil || !ok || !at.Equal(b.now.Add(2*time.Second)) {
		t.Errorf("the next set is to be closed at %s (%t): %v", at, ok, err)
	}
	if got := count(b.store.CloseDue(b.Context(), b.now.Add(1999*time.Millisecond))); got != 0 {
		t.Errorf("%d sets closed before their time", got)
	}
	if got := count(b.store.CloseUpTo(b.Context(), bob, one.ID, b.now)); got != 0 {
		t.Errorf("bob closed %d of alice's sets", got)
	}
	if got := count(b.store.CloseUpTo(b.Context(), alice, one.ID, b.now)); got != 1 {
		t.Errorf("%d sets closed, want the first", got)
	}
	open, err := b.store.EarliestOpen(b.Context())
	b.no(err)
	if len(open) != 2 || open[payment.LaneKey{Payer: alice, Lane: two.Lane}] != two.Serial || open[payment.LaneKey{Payer: bob, Lane: other.Lane}] != other.Serial {
		t.Errorf("open lanes %v", open)
	}
	if s, _, _ := b.store.SetByRandHash(b.Context(), one.RandHash); !s.Closed || s.RedeemFrom != b.now {
		t.Errorf("flushed set %+v, want it closed and to be redeemed now", s)
	}
	if got := count(b.store.CloseDue(b.Context(), b.now.Add(2*time.Second))); got != 2 {
		t.Errorf("%d sets closed by time, want 2", got)
	}
	if s, _, _ := b.store.SetByRandHash(b.Context(), two.RandHash); !s.Closed || s.RedeemFrom != b.now.Add(3*time.Second) {
		t.Errorf("set closed by time %+v, want it to be redeemed at its own time", s)
	}
	third := b.open(alice, "s")
	if got := count(b.store.CloseAll(b.Context(), b.now)); got != 1 {
		t.Errorf("%d sets closed, want the last", got)
	}
	if s, _, _ := b.store.NewestSet(b.Context(), alice, third.Lane); s.ID != third.ID || !s.Closed {
		t.Errorf("newest set %+v", s)
	}
	if got := b.stats().OpenSets; got != 0 {
		t.Errorf("%d sets are open", got)
	}
}

func debts(t *testing.T, b bench) {
	s := b.open(alice, "s")
	owe := func(attempt protocol.ID, fee uint64) {
		b.no(b.store.Owe(b.Context(), payment.Owed{Payer: alice, Attempt: attempt, Stream: "s", Fee: wei(fee)}, b.now))
	}
	owed := func(want uint64) {
		t.Helper()
		if got := b.stats().OwedWei; got != wei(want) {
			t.Fatalf("owed are %s, want %d", got, want)
		}
	}
	a := arrival(s, 1, false) // worth 500
	owe(a.Attempt, 500)
	owe(a.Attempt, 500) // twice is once
	owed(500)
	b.wantCode(a, "")
	owed(0)
	a = arrival(s, 2, false) // the ticket first
	b.wantCode(a, "")
	owe(a.Attempt, 500)
	owed(0)
	a = arrival(s, 3, false)
	owe(a.Attempt, 700)
	b.wantCode(a, protocol.TicketUnderpays)
	owed(200)
	if st := b.stats(); st.Accepted != 3 {
		t.Errorf("%d accepted, want the underpaying one among 3", st.Accepted)
	}
	b.no(b.store.Forgive(b.Context(), a.Attempt))
	owed(0)
	b.no(b.store.Forgive(b.Context(), protocol.NewID()))
	// Somebody else's attempt is not paid by ours.
	a = arrival(s, 4, false)
	b.no(b.store.Owe(b.Context(), payment.Owed{Payer: bob, Attempt: a.Attempt, Stream: "s", Fee: wei(400)}, b.now))
	b.wantCode(a, "")
	owed(400)
}

func holds(t *testing.T, b bench) {
	limit := errors.New("over the limit")
	hold := func(store payment.Store, attempt protocol.ID, budget uint64, at time.Time) error {
		return store.Hold(b.Context(), alice, attempt, wei(budget), at, at.Add(time.Minute), func(e payment.Exposure) error {
			if wei(1000).Less(e.Float.Add(e.Unpaid).Add(e.Held).Add(wei(budget))) {
				return limit
			}
			return nil
		})
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var got []protocol.ID
	for i := range 20 {
		store := b.store
		if i%2 == 1 {
			store = b.again()
		}
		wg.Go(func() {
			id := protocol.NewID()
			switch err := hold(store, id, 100, b.now); {
			case err == nil:
				mu.Lock()
				got = append(got, id)
				mu.Unlock()
			case !errors.Is(err, limit):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(got) != 10 {
		t.Fatalf("%d of 20 holds of 100 were given out of 1000", len(got))
	}
	b.no(hold(b.store, got[0], 100, b.now)) // the same attempt again takes no more
	b.no(b.store.Release(b.Context(), alice, got[0]))
	b.no(hold(b.store, protocol.NewID(), 100, b.now))
	// A delivery turns its hold into a debt.
	b.no(b.store.Owe(b.Context(), payment.Owed{Payer: alice, Attempt: got[1], Stream: "s", Fee: wei(40)}, b.now))
	b.no(hold(b.store, protocol.NewID(), 60, b.now))
	if err := hold(b.store, protocol.NewID(), 1, b.now); !errors.Is(err, limit) {
		t.Errorf("one wei over the limit: %v", err)
	}
	// Holds that nobody ended end by themselves; the debt stays. A winner counts its face value, an open set tells its own.
	s := b.open(alice, "s")
	a := arrival(s, 1, true)
	b.wantCode(a, "")
	var e payment.Exposure
	later := b.now.Add(2 * time.Minute)
	b.no(b.store.Hold(b.Context(), alice, protocol.NewID(), wei(1), later, later.Add(time.Minute), func(x payment.Exposure) error { e = x; return nil }))
	if want := (payment.Exposure{Float: wei(1000), Unpaid: wei(40), FaceValue: wei(1000)}); e != want {
		t.Errorf("exposure %+v, want %+v", e, want)
	}
}

func float(t *testing.T, b bench) {
	want := func(n uint64, when string) {
		t.Helper()
		refused := errors.New("only asking")
		err := b.store.Hold(b.Context(), alice, protocol.NewID(), wei(1), b.now, b.now, func(e payment.Exposure) error {
			if e.Float != wei(n) {
				t.Errorf("%s: the float is %s, want %d", when, e.Float, n)
			}
			return refused
		})
		if !errors.Is(err, refused) {
			t.Fatal(err)
		}
	}
	ws := b.won(5)
	b.wantCode(arrival(b.open(bob, "s"), 1, true), "") // another payer's
	want(5000, "five won")
	p := prepared(1)
	b.no(b.store.Submit(b.Context(), p, keys(ws[:4]...), b.now))
	want(5000, "four of them submitted")
	b.no(b.store.Mine(b.Context(), p.Tx, payment.BlockRef{Number: 1, Hash: common.Hash{1}}, wei(7), keys(ws[:2]...),
		[]payment.Settled{{Key: ws[2].Key(), State: payment.StateUnpayable, Reason: "bad_signature"}, {Key: ws[3].Key(), State: payment.StateWon, NotBefore: b.now}}, b.now))
	want(2000, "two mined, one lost")
	b.no(b.store.Unmine(b.Context(), p.Tx))
	want(4000, "their block gone")
	b.no(b.store.Mine(b.Context(), p.Tx, payment.BlockRef{Number: 1, Hash: common.Hash{2}}, wei(7), keys(ws[:2]...), nil, b.now))
	b.no(b.store.Finalise(b.Context(), p.Tx, b.now))
	want(2000, "two final")
}

func keys(ws ...payment.Winner) (out []payment.WinnerKey) {
	for _, w := range ws {
		out = append(out, w.Key())
	}
	return out
}

func prepared(nonce uint64) chain.Prepared {
	return chain.Prepared{Tx: common.Hash(protocol.NewID()), TxNonce: nonce, Raw: []byte{1, 2, 3}}
}

// won makes n winners and closes their set.
func (b bench) won(n int) []payment.Winner {
	b.Helper()
	s := b.open(alice, "s")
	for i := range n {
		b.wantCode(arrival(s, uint64(i+1), true), "")
	}
	_, err := b.store.CloseAll(b.Context(), b.now)
	b.no(err)
	return b.pending()
}

func (b bench) pending() []payment.Winner {
	b.Helper()
	ws, err := b.store.Pending(b.Context())
	b.no(err)
	return ws
}

func winners(t *testing.T, b bench) {
	ws := b.won(5)
	p := prepared(4)
	b.no(b.store.Submit(b.Context(), p, keys(ws[:4]...), b.now))
	// All or none: one of these is submitted already.
	if err := b.store.Submit(b.Context(), prepared(5), keys(ws[3:]...), b.now); err == nil {
		t.Error("a winner was submitted twice")
	}
	if err := b.store.Submit(b.Context(), prepared(4), keys(ws[4:]...), b.now); err == nil {
		t.Error("a TxNonce was used twice")
	}
	sent := b.sent()
	if len(sent) != 1 || sent[0].Tx != p.Tx || sent[0].TxNonce != 4 || string(sent[0].Raw) != string(p.Raw) || sent[0].Winners != 4 || sent[0].SubmittedAt != b.now || sent[0].Mined != nil {
		t.Fatalf("sent %+v", sent)
	}
	lanes, err := b.again().Lanes(b.Context())
	b.no(err)
	if len(lanes) != 1 || lanes[0].LaneKey != ws[0].Key().LaneKey || lanes[0].Count != 5 || lanes[0].Submitted != 4 || lanes[0].FaceValue != wei(1000) ||
		lanes[0].Expiry != ws[0].Ticket.Expiry || !lanes[0].SetClosed || lanes[0].SetSerial != ws[0].SetSerial {
		t.Errorf("lanes %+v", lanes)
	}
	first, err := b.store.Waiting(b.Context(), ws[0].Key().LaneKey, 2)
	b.no(err)
	if len(first) != 2 || first[0].Key() != ws[0].Key() || first[1].Key() != ws[1].Key() {
		t.Errorf("first two winners of the lane %+v", first)
	}
	block := payment.BlockRef{Number: 12, Hash: common.Hash{12}}
	rest := []payment.Settled{{Key: ws[1].Key(), State: payment.StateUnpayable, Reason: "bad_signature"},
		{Key: ws[2].Key(), State: payment.StateExpired}, {Key: ws[3].Key(), State: payment.StateWon, Reason: "underfunded", NotBefore: b.now.Add(time.Hour)}}
	for range 2 { // the second time changes nothing
		b.no(b.store.Mine(b.Context(), p.Tx, block, wei(77), keys(ws[0]), rest, b.now))
	}
	if st := b.stats(); st.Redeemed != 0 || st.Lost != 2 || st.PendingWinners != 3 || st.Txs != 1 || st.GasWei != wei(77) {
		t.Errorf("stats once mined %+v", st)
	}
	if sent = b.sent(); len(sent) != 1 || sent[0].Mined == nil || *sent[0].Mined != block {
		t.Errorf("sent, once mined: %+v", sent)
	}
	if floor, err := b.again().TxNonceFloor(b.Context()); err != nil || floor != 5 {
		t.Errorf("TxNonces are used below %d, %v; want 5", floor, err)
	}
	for range 2 {
		b.no(b.store.Finalise(b.Context(), p.Tx, b.now))
	}
	st := b.stats()
	if st.Won != 5 || st.Redeemed != 1 || st.Lost != 2 || st.PendingWinners != 2 || st.EarnedWei != wei(1000) || st.LostWei != wei(2000) || st.PendingWei != wei(2000) ||
		st.Txs != 1 || st.GasWei != wei(77) {
		t.Errorf("stats %+v", st)
	}
	all, err := b.again().Winners(b.Context(), 0)
	b.no(err)
	var became []string
	for _, r := range all { // of one moment: by nonce, the highest first
		became = append(became, fmt.Sprintf("%d %s %s", r.Ticket.TicketNonce, r.State, r.Reason))
		if r.Stream != "s" || !r.WonAt.Equal(b.now) || !r.SetClosed || r.SettledAt.IsZero() != (r.State == payment.StateWon) || (r.State == payment.StateWon) != (r.Tx == common.Hash{}) {
			t.Errorf("record %+v", r)
		}
	}
	if got, want := fmt.Sprint(became), "[5 won  4 won underfunded 3 expired  2 unpayable bad_signature 1 final ]"; got != want {
		t.Errorf("winners became %s, want %s", got, want)
	}
	if two, err := b.store.Winners(b.Context(), 2); err != nil || len(two) != 2 || two[0].Key() != all[0].Key() {
		t.Errorf("the newest two: %+v, %v", two, err)
	}
	left := b.pending()
	if len(left) != 2 || left[0].State != payment.StateWon || left[0].NotBefore != b.now.Add(time.Hour) || left[0].Tries != 1 || left[1].State != payment.StateWon || left[1].Tries != 0 {
		t.Errorf("left %+v", left)
	}
	b.no(b.store.Settle(b.Context(), []payment.Settled{{Key: ws[4].Key(), State: payment.StateExpired, Reason: "expired"},
		{Key: ws[0].Key(), State: payment.StateExpired}}, b.now)) // the second is paid and stays so
	if st := b.stats(); st.Lost != 3 || st.Redeemed != 1 || st.PendingWinners != 1 {
		t.Errorf("stats %+v", st)
	}
	batch, err := b.store.Batch(b.Context(), p.Tx)
	b.no(err)
	if len(batch) != 4 || batch[0].State != payment.StateFinal || batch[3].State != payment.StateWon {
		t.Errorf("batch %+v, want the four it was sent with, where they are now", batch)
	}
}

func (b bench) sent() []payment.Redemption {
	b.Helper()
	sent, err := b.again().Sent(b.Context())
	b.no(err)
	return sent
}

func dropped(t *testing.T, b bench) {
	ws := b.won(2)
	old, young := prepared(9), prepared(9)
	b.no(b.store.Submit(b.Context(), old, keys(ws...), b.now))
	b.no(b.store.Replace(b.Context(), old.Tx, young, b.now))
	sent := b.sent()
	if len(sent) != 1 || sent[0].Tx != young.Tx || sent[0].Winners != 2 || len(sent[0].Replaced) != 1 || sent[0].Replaced[0] != old.Tx {
		t.Fatalf("sent %+v", sent)
	}
	if err := b.store.Replace(b.Context(), old.Tx, prepared(9), b.now); err == nil {
		t.Error("a transaction was replaced twice")
	}
	for range 2 {
		b.no(b.store.Drop(b.Context(), young.Tx, b.now))
	}
	left := b.pending()
	if len(left) != 2 || left[0].State != payment.StateWon || left[0].Tx != (common.Hash{}) {
		t.Errorf("left %+v", left)
	}
	if st := b.stats(); st.Txs != 0 || st.PendingWinners != 2 {
		t.Errorf("stats %+v", st)
	}
	third := prepared(10)
	b.no(b.store.Submit(b.Context(), third, keys(left...), b.now))
	if txs, err := b.store.Attempts(b.Context(), ws[0].Key()); err != nil || len(txs) != 3 {
		t.Errorf("attempts %v, %v; want all three", txs, err)
	}
	// The one that was given up was mined after all, and paid what is on its way again.
	b.no(b.store.Mine(b.Context(), old.Tx, payment.BlockRef{Number: 3, Hash: common.Hash{3}}, wei(5), keys(ws...), nil, b.now))
	b.no(b.store.Finalise(b.Context(), old.Tx, b.now))
	b.no(b.store.Mine(b.Context(), third.Tx, payment.BlockRef{Number: 4, Hash: common.Hash{4}}, wei(5), nil, []payment.Settled{
		{Key: ws[0].Key(), State: payment.StateWon, NotBefore: b.now}, {Key: ws[1].Key(), State: payment.StateWon, NotBefore: b.now}}, b.now))
	b.no(b.store.Finalise(b.Context(), third.Tx, b.now))
	if st := b.stats(); st.Redeemed != 2 || st.EarnedWei != wei(2000) || st.PendingWinners != 0 || st.Txs != 2 {
		t.Errorf("stats %+v, want both paid once", st)
	}
}

func reorganised(t *testing.T, b bench) {
	ws := b.won(3)
	old, young := prepared(1), prepared(1)
	b.no(b.store.Submit(b.Context(), old, keys(ws...), b.now))
	b.no(b.store.Replace(b.Context(), old.Tx, young, b.now))
	// The replaced one is mined and pays two; its block goes; the other one is mined and pays all.
	b.no(b.store.Mine(b.Context(), old.Tx, payment.BlockRef{Number: 5, Hash: common.Hash{5}}, wei(9), keys(ws[:2]...),
		[]payment.Settled{{Key: ws[2].Key(), State: payment.StateWon, Reason: "underfunded", NotBefore: b.now}}, b.now))
	if got := b.pending(); len(got) != 1 || got[0].Key() != ws[2].Key() {
		t.Errorf("pending %+v, want the third", got)
	}
	for range 2 {
		b.no(b.store.Unmine(b.Context(), old.Tx))
	}
	if got := b.pending(); len(got) != 3 || got[0].State != payment.StateSubmitted || got[2].State != payment.StateWon {
		t.Errorf("pending %+v, want two submitted and one won", got)
	}
	if st := b.stats(); st.Txs != 0 || !st.GasWei.IsZero() || st.PendingWinners != 3 {
		t.Errorf("stats %+v", st)
	}
	sent := b.sent()
	if len(sent) != 1 || sent[0].Tx != old.Tx || len(sent[0].Replaced) != 1 || sent[0].Replaced[0] != young.Tx {
		t.Fatalf("sent %+v", sent)
	}
	b.no(b.store.Mine(b.Context(), young.Tx, payment.BlockRef{Number: 6, Hash: common.Hash{6}}, wei(11), keys(ws...), nil, b.now))
	b.no(b.store.Finalise(b.Context(), young.Tx, b.now))
	b.no(b.store.Unmine(b.Context(), young.Tx)) // final is final
	if st := b.stats(); st.Redeemed != 3 || st.EarnedWei != wei(3000) || st.Txs != 1 || st.GasWei != wei(11) || len(b.sent()) != 0 {
		t.Errorf("stats %+v, want three paid by one transaction", st)
	}
}

func exclusive(t *testing.T, b bench) {
	inside, leave := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		ran, err := b.store.Exclusive(b.Context(), func(context.Context) error { close(inside); <-leave; return nil })
		if !ran {
			err = errors.Join(err, errors.New("it did not run"))
		}
		done <- err
	}()
	<-inside
	if ran, err := b.store.Exclusive(b.Context(), func(context.Context) error { return nil }); err != nil || ran {
		t.Errorf("two settled at once: %v", err)
	}
	close(leave)
	b.no(<-done)
	failure := errors.New("failed")
	if ran, err := b.store.Exclusive(b.Context(), func(context.Context) error { return failure }); !ran || !errors.Is(err, failure) {
		t.Errorf("ran %t, %v", ran, err)
	}
	if ran, err := b.store.Exclusive(b.Context(), func(context.Context) error { return nil }); err != nil || !ran {
		t.Errorf("the lock was not given back: %v", err)
	}
}

func prunes(t *testing.T, b bench) {
	s := b.open(alice, "s")
	paid, late := arrival(s, 1, true), arrival(s, 2, false)
	b.no(b.store.Owe(b.Context(), payment.Owed{Payer: alice, Attempt: late.Attempt, Stream: "s", Fee: wei(900)}, b.now))
	b.wantCode(paid, "")
	b.no(b.store.Prune(b.Context(), b.now.Add(time.Minute)))
	if got := b.accept(paid)[0]; !got.Known {
		t.Error("a ticket that lives was forgotten")
	}
	b.no(b.store.Prune(b.Context(), b.now.Add(2*time.Hour)))
	if st := b.stats(); st.OwedWei != wei(900) || st.PendingWinners != 1 || st.Accepted != 1 {
		t.Errorf("stats %+v, want the debt, the winner and the count kept", st)
	}
}
