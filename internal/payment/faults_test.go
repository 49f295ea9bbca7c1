package payment_test

import (
	"context"
	"encoding/binary"
	mathrand "math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
	"github.com/kinora/kinora/migrations"
)

// A recipient that says a ticket was lost, or refused, gets no second draw: the same bytes again while it has not answered,
// nothing ever after it has.
func TestLostTicket_isNeverSignedAgain(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	payer.backs(earner.address(), wei(10_000), wei(0))
	r := earner.recipient(m.onSQLite()(), m.escrow)
	var mu sync.Mutex
	var heard []string
	answers := []protocol.Code{protocol.Unavailable, protocol.Internal, protocol.TicketUnknownSet} // lost, lost, refused
	s := payer.spender(sending(func(_ context.Context, _ common.Address, d payment.Delivery) (payment.DeliveryAnswer, error) {
		mu.Lock()
		defer mu.Unlock()
		var a payment.DeliveryAnswer
		for _, x := range d.Tickets {
			heard = append(heard, string(protocol.Encode(x.Ticket)))
			code := answers[min(len(heard), len(answers))-1]
			a.Results = append(a.Results, payment.Result{Attempt: x.Attempt, Code: code})
		}
		return a, nil
	}))
	s.use(r, wei(1000))
	id, _ := s.pay(earner.address(), wei(1000))
	m.no(s.EndOutbox())
	for range 3 { // the recipient asks for it again and again, with new parameters
		s.use(r, wei(1000))
		s.payFor(earner.address(), id, wei(1000))
		m.no(s.EndOutbox())
	}
	if len(heard) != 3 || heard[0] != heard[1] || heard[1] != heard[2] {
		t.Errorf("the ticket was sent %d times, want the same bytes three times", len(heard))
	}
	if st := s.stats(); st.Signed != 1 || st.Refused != 1 {
		t.Errorf("payer %+v, want one signature, counted as refused", st)
	}
}

// A recipient may choose its secret after a thousand tries; it must do so before it knows a salt, so it wins no more often.
func TestGrinding_aSecretWinsNoMoreThanItsShare(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, grinder := m.party(), m.party()
	const tickets, half = 400, uint64(1) << 63
	guess := func(nonce uint64, hash common.Hash) ticket.Ticket {
		return ticket.Ticket{Payer: payer.address(), Recipient: grinder.address(), TicketNonce: nonce, FaceValue: wei(2000), WinProb: half,
			Expiry: uint64(time.Now().Add(time.Hour).Unix()), RecipientRandHash: hash}
	}
	// The secret of a few thousand that wins most of the first nonces, were salts to be known.
	h := m.hasher()
	var best [32]byte
	most := 0
	for n := range uint64(2000) {
		var secret [32]byte
		binary.BigEndian.PutUint64(secret[24:], n)
		wins := 0
		for nonce := range uint64(16) {
			if ticket.Won(secret, h.Digest(guess(nonce+1, ticket.RandHash(secret))), half) {
				wins++
			}
		}
		if wins > most {
			best, most = secret, wins
		}
	}
	if most < 13 {
		t.Fatalf("grinding found %d wins of 16: the naive design would not have failed", most)
	}
	s := payer.spender(newWire(nil))
	params := protocol.TicketParams{Set: protocol.NewID(), Payer: payer.address(), Recipient: grinder.address(), FaceValue: wei(2000),
		RecipientRandHash: protocol.Hash(ticket.RandHash(best)), Expiry: guess(1, common.Hash{}).Expiry, UsableMillis: 600_000, AcceptMillis: 700_000, RedeemMillis: 800_000}
	signed, err := protocol.Seal(m.domain, grinder.key, params)
	m.no(err)
	m.no(s.Use(t.Context(), stream, signed))
	for range tickets / 50 {
		m.no(pgx.BeginFunc(t.Context(), s.pool, func(tx pgx.Tx) error {
			for range 50 {
				if _, err := s.PayTx(t.Context(), tx, payment.Order{Recipient: grinder.address(), Stream: stream, Attempt: protocol.NewID(), Fee: wei(1000)}); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	out, err := pgstore.Payer(s.pool).Outgoing(t.Context(), grinder.address(), tickets)
	m.no(err)
	wins := 0
	for _, o := range out {
		if ticket.Won(best, h.Digest(o.Ticket.Ticket), o.Ticket.WinProb) {
			wins++
		}
	}
	if len(out) != tickets || wins < tickets/2-60 || wins > tickets/2+60 { // six standard deviations
		t.Errorf("%d of %d tickets win at even odds", wins, len(out))
	}
}

// Segments in parallel, from replicas of the payer to replicas of the recipient, delivered in any order: no nonce is refused.
func TestParallelSegments_loseNoTicketToNonces(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	payer.backs(earner.address(), ether(1), wei(0))
	open := m.onPostgres()
	replicas := []*payment.Recipient{earner.recipient(open(), m.escrow), earner.recipient(open(), m.escrow)}
	s := payer.spender(newWire(nil))
	other := s.spenderOn(s.pool, newWire(nil))
	s.use(replicas[0], wei(1000))
	const segments = 60
	var wg sync.WaitGroup
	for i := range segments {
		wg.Go(func() {
			id, err := payer.admits(replicas[i%2], wei(1000))
			if err != nil {
				t.Error(err)
				return
			}
			[]*spender{s, other}[i%2].payFor(earner.address(), id, wei(1000))
		})
	}
	wg.Wait()
	out, err := s.outgoing(earner.address())
	m.no(err)
	if len(out) != segments {
		t.Fatalf("%d tickets, want %d", len(out), segments)
	}
	mathrand.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	for i := range 4 { // four deliveries at once, each ticket also twice
		wg.Go(func() {
			d := payment.Delivery{Payer: payer.address(), Recipient: earner.address()}
			for n, o := range out {
				if n%4 == i || (n+1)%4 == i {
					d.Tickets = append(d.Tickets, payment.Paid{Attempt: o.Attempt, Ticket: *o.Ticket})
				}
			}
			a, err := replicas[i%2].Accept(t.Context(), d)
			if err != nil {
				t.Error(err)
			}
			for _, r := range a.Results {
				if r.Code != "" {
					t.Errorf("attempt %s: %q %s", r.Attempt.Short(), r.Code, r.Detail)
				}
			}
		})
	}
	wg.Wait()
	if st := m.statsOf(replicas[0]); st.Accepted != segments || !st.OwedWei.IsZero() {
		t.Errorf("stats %+v, want %d accepted and nothing owed", st, segments)
	}
}

// Clocks two minutes apart, either way: between payer and recipient, between recipient and chain, and between the machines
// of two replicas, which live by the database's clock.
func TestClockSkew_ofTwoMinutesLosesNoTicket(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	skewed := func(by time.Duration) func() time.Time { return func() time.Time { return time.Now().Add(by) } }
	url := pgtest.URL(t)
	m.no(migrations.Postgres(t.Context(), url, "payer"))
	for _, by := range []time.Duration{-2 * time.Minute, 2 * time.Minute} {
		payer, earner := m.party(), m.party()
		payer.backs(earner.address(), wei(10_000), wei(0))
		w := newWire(nil)
		r := earner.recipient(m.onSQLite()(), m.escrow, func(c *payment.RecipientConfig) { c.Now = skewed(by) })
		w.connect(earner.address(), r)
		s := payer.spenderOn(pgtest.Open(t, url), w)
		s.Payer = payment.NewPayer(payment.PayerConfig{Domain: m.domain, Signer: payer.key, Now: skewed(-by)}, pgstore.Payer(s.pool), w)
		s.use(r, wei(1000))
		if left, ok := s.Usable(earner.address(), stream); !ok || left < 4*time.Minute {
			t.Errorf("clocks %s apart: parameters usable for %s", by, left)
		}
		for range 3 {
			s.pay(earner.address(), wei(1000))
		}
		m.no(s.EndStream(t.Context(), stream))
		m.drain(r)
		if st := m.statsOf(r); st.Redeemed != 3 || earner.balance() != wei(3000) {
			t.Errorf("clocks %s apart: %+v", by, st)
		}
	}

	payer, earner := m.party(), m.party()
	payer.backs(earner.address(), wei(10_000), wei(0))
	url = pgtest.URL(t)
	m.no(migrations.Postgres(t.Context(), url, "recipient"))
	pool := pgtest.Open(t, url)
	shared, err := pgstore.Clock(t.Context(), pool)
	m.no(err)
	short := func(now func() time.Time) *payment.Recipient {
		return earner.recipient(pgstore.Recipient(pool), m.escrow, func(c *payment.RecipientConfig) {
			c.Usable, c.Accept, c.Redeem, c.RestartGrace, c.Now = time.Minute, 90*time.Second, 100*time.Second, time.Nanosecond, now
		})
	}
	one := short(shared)
	params := payer.asks(one, stream, wei(1000))
	two := short(shared)
	stop := m.running(two.Run)
	payer.pays(one, payer.write(params, 1))
	stop()
	// One that lived by its own clock, two minutes ahead, would close what the other still sells.
	m.running(short(skewed(2 * time.Minute)).Run)
	m.eventually("a replica without the shared clock closes the set", func() bool { return m.statsOf(one).OpenSets == 0 })
	if codes := payer.gives(one, payer.write(params, 2)); codes[0] != protocol.TicketSetClosed {
		t.Errorf("a ticket of a closed set: %q", codes)
	}
}

// A payer that sends a segment twice to induce an equivocation makes two attempts of it, and pays for two: nothing that a
// recipient signs of one can be held against the other.
func TestSendingASegmentTwice_inducesNoEquivocation(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	orchestrator, transcoder := m.party(), m.party()
	orchestrator.backs(transcoder.address(), wei(10_000), wei(0))
	r := transcoder.recipient(m.onSQLite()(), m.escrow)
	params := orchestrator.asks(r, stream, wei(1000))
	one, err := orchestrator.admits(r, wei(1000))
	m.no(err)
	// The same attempt again takes no more credit and owes no more: there is one receipt, kept, and one debt.
	release, err := r.Admit(t.Context(), orchestrator.address(), one, wei(1000))
	m.no(err)
	m.no(r.Owe(t.Context(), payment.Owed{Payer: orchestrator.address(), Attempt: one, Stream: stream, Fee: wei(1000)}))
	release()
	if st := m.statsOf(r); st.OwedWei != wei(1000) {
		t.Errorf("one attempt twice owes %s", st.OwedWei)
	}
	// Sent as another attempt it is other work, with its own assignment, its own receipt and its own fee.
	two, err := orchestrator.admits(r, wei(1000))
	m.no(err)
	if st := m.statsOf(r); one == two || st.OwedWei != wei(2000) {
		t.Errorf("two attempts owe %s", st.OwedWei)
	}
	receipt := func(attempt protocol.ID, output byte) common.Hash {
		return protocol.Receipt{Orchestrator: orchestrator.address(), Transcoder: transcoder.address(), Attempt: attempt,
			Renditions: []protocol.RenditionReceipt{{Output: protocol.Hash{output}}}}.StructHash()
	}
	if receipt(one, 1) == receipt(two, 1) {
		t.Error("receipts of two attempts are the same message")
	}
	for i, id := range []protocol.ID{one, two} {
		_, err := r.Accept(t.Context(), payment.Delivery{Payer: orchestrator.address(), Recipient: transcoder.address(),
			Tickets: []payment.Paid{{Attempt: id, Ticket: orchestrator.write(params, uint64(i+1))}}})
		m.no(err)
	}
	if st := m.statsOf(r); !st.OwedWei.IsZero() {
		t.Errorf("paid for both, %s are owed", st.OwedWei)
	}
}
