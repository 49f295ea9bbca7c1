package payment_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
)

// Two hops, a hundred segments at about even odds, deliveries lost, doubled and out of order, sets that come and go: in the
// end the chain and the books agree to the wei.
func TestMarket_balancesToTheWeiOverTwoHops(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	broadcaster, orchestrator, transcoder := m.party(), m.party(), m.party()
	broadcaster.backs(orchestrator.address(), ether(3), ether(1))
	orchestrator.backs(transcoder.address(), ether(3), ether(2))
	held, err := m.escrow.Held(t.Context())
	m.no(err)

	flaky := func(n int) (lost, answerLost, twice bool) { return n%5 == 1, n%5 == 3, n%3 == 0 }
	wireOne, wireTwo := newWire(flaky), newWire(flaky)
	half := func(c *payment.RecipientConfig) { quick(c); c.FaceValueMultiple = 2 }
	storeTwo := m.onSQLite()()
	earnOne := orchestrator.recipient(m.onPostgres()(), m.escrow, half)
	earnTwo := transcoder.recipient(storeTwo, m.escrow, half)
	wireOne.connect(orchestrator.address(), earnOne)
	wireTwo.connect(transcoder.address(), earnTwo)
	payOne, payTwo := broadcaster.spender(wireOne), orchestrator.spender(wireTwo)
	stopTwo := m.running(earnTwo.Run)
	for _, run := range []func(context.Context) error{earnOne.Run, payOne.Run, payTwo.Run} {
		m.running(run)
	}

	const segments = 100
	unit := ether(1).Div(1000)
	hop := func(s *spender, r *payment.Recipient, to *party) (total protocol.Wei) {
		random := rand.New(rand.NewPCG(1, 2))
		for range segments {
			fee := unit.Sub(wei(random.Uint64N(1e12))) // odd amounts
			if left, ok := s.Usable(to.address(), stream); !ok || left < 200*time.Millisecond {
				s.use(r, unit)
			}
			id := protocol.NewID()
			release, err := r.Admit(t.Context(), s.address(), id, unit)
			if err != nil {
				t.Errorf("admit: %v", err)
				return total
			}
			m.no(r.Owe(t.Context(), payment.Owed{Payer: s.address(), Attempt: id, Stream: stream, Fee: fee}))
			release()
			s.payFor(to.address(), id, fee)
			total = total.Add(fee)
			time.Sleep(time.Duration(random.IntN(15)) * time.Millisecond) // segments take their time: sets must come and go meanwhile
		}
		return total
	}
	var feesOne, feesTwo protocol.Wei
	var wg sync.WaitGroup
	wg.Go(func() { feesOne = hop(payOne, earnOne, orchestrator) })
	wg.Go(func() { feesTwo = hop(payTwo, earnTwo, transcoder) })
	wg.Wait()
	m.no(payOne.EndStream(t.Context(), stream))
	m.no(payTwo.EndStream(t.Context(), stream))
	if open := m.statsOf(earnOne).OpenSets; open != 0 {
		t.Errorf("%d sets are open after the end of the only stream", open)
	}
	stopTwo() // Drain does by itself too
	m.drain(earnOne)
	m.drain(earnTwo)

	check := func(name string, s *spender, r *payment.Recipient, fees protocol.Wei) protocol.Wei {
		p, e := s.stats(), m.statsOf(r)
		if p.Signed != segments || p.Acknowledged != segments || p.Refused != 0 || p.Due != 0 || p.Unsent != 0 || p.FeeWei != fees {
			t.Errorf("%s: payer %+v, want %d tickets acknowledged for %s wei", name, p, segments, fees)
		}
		if e.Accepted != segments || e.Redeemed != e.Won || e.PendingWinners != 0 || e.Lost != 0 || !e.OwedWei.IsZero() || e.EarnedWei != e.WonWei {
			t.Errorf("%s: recipient %+v, want all accepted, all winners redeemed, nothing owed", name, e)
		}
		if e.Won < segments*3/10 || e.Won > segments*7/10 {
			t.Errorf("%s: %d of %d won at even odds", name, e.Won, segments)
		}
		if e.Txs == 0 || e.Txs >= e.Won {
			t.Errorf("%s: %d transactions for %d winners: no batches", name, e.Txs, e.Won)
		}
		return e.EarnedWei
	}
	one := check("hop one", payOne, earnOne, feesOne)
	two := check("hop two", payTwo, earnTwo, feesTwo)
	if got := transcoder.balance(); got != two {
		t.Errorf("transcoder has %s in escrow, earned %s", got, two)
	}
	if got, want := broadcaster.balance().Add(broadcaster.allocated(orchestrator)), ether(4).Sub(one); got != want {
		t.Errorf("broadcaster has %s left, want %s", got, want)
	}
	if got, want := orchestrator.balance().Add(orchestrator.allocated(transcoder)), ether(5).Add(one).Sub(two); got != want {
		t.Errorf("orchestrator has %s, want %s", got, want)
	}
	if after, err := m.escrow.Held(t.Context()); err != nil || after != held {
		t.Errorf("escrow holds %s, %v; held %s before", after, err, held)
	}
	// What was sent again was the same bytes.
	sent := map[protocol.ID]string{}
	for _, d := range append(wireOne.deliveries(), wireTwo.deliveries()...) {
		for _, p := range d.Tickets {
			b, err := json.Marshal(p.Ticket)
			m.no(err)
			if old, ok := sent[p.Attempt]; ok && old != string(b) {
				t.Errorf("attempt %s was paid with two tickets", p.Attempt.Short())
			}
			sent[p.Attempt] = string(b)
		}
	}
	if len(sent) != 2*segments {
		t.Errorf("%d tickets seen, want %d", len(sent), 2*segments)
	}
}

func TestRecipient_settlesManyPayersInOneTransaction(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	transcoder := m.party()
	w := newWire(nil)
	r := transcoder.recipient(m.onSQLite()(), m.escrow)
	w.connect(transcoder.address(), r)
	for range 3 {
		payer := m.party()
		payer.backs(transcoder.address(), wei(10_000), wei(0))
		s := payer.spender(w)
		s.use(r, wei(1000))
		for range 3 {
			s.pay(transcoder.address(), wei(1000))
		}
		m.no(s.EndStream(t.Context(), stream))
	}
	m.drain(r)
	if st := m.statsOf(r); st.Redeemed != 9 || st.Txs != 1 {
		t.Errorf("%d winners in %d transactions, want 9 in 1", st.Redeemed, st.Txs)
	}
	if got := transcoder.balance(); got != wei(9000) {
		t.Errorf("balance %s, want 9000", got)
	}
}

func TestRecipient_opensOneSetWhileTheOldOneDrains(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	payer.backs(earner.address(), wei(100_000), wei(0))
	w := newWire(nil)
	r := earner.recipient(m.onPostgres()(), m.escrow, func(c *payment.RecipientConfig) {
		c.Usable, c.Accept, c.Redeem = 4*time.Second, time.Minute, 2*time.Minute
	})
	w.connect(earner.address(), r)
	s := payer.spender(w)
	one := s.use(r, wei(1000))
	if again := s.use(r, wei(1000)); again.Set != one.Set {
		t.Error("a set with most of its time left was replaced")
	}
	early, _ := s.pay(earner.address(), wei(1000))
	m.eventually("a second set", func() bool { return s.use(r, wei(1000)).Set != one.Set })
	late, _ := s.pay(earner.address(), wei(1000))
	bigger := s.use(r, wei(5000))
	if bigger.FaceValue.Less(wei(5000)) {
		t.Errorf("face value %s does not cover a fee of 5000", bigger.FaceValue)
	}
	if bigger.Lane != one.Lane {
		t.Errorf("lane %d, then %d, for one stream", one.Lane, bigger.Lane)
	}
	// The late one is sent first; the early one's set only drains, and takes it all the same.
	out, err := s.outgoing(earner.address())
	m.no(err)
	if len(out) != 2 || out[0].Attempt != early || out[1].Attempt != late {
		t.Fatalf("outbox %+v", out)
	}
	for _, i := range []int{1, 0} {
		a, err := r.Accept(t.Context(), payment.Delivery{Payer: payer.address(), Recipient: earner.address(), Tickets: []payment.Paid{{Attempt: out[i].Attempt, Ticket: *out[i].Ticket}}})
		m.no(err)
		if a.Results[0].Code != "" {
			t.Errorf("ticket %d: %+v", i, a.Results[0])
		}
	}
}
