package payment_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
)

func (s *spender) outgoing(recipient common.Address) ([]payment.Outgoing, error) {
	return pgstore.Payer(s.pool).Outgoing(s.Context(), recipient, 100)
}

func TestAdmit_givesCreditOnlyOnWhatCannotBeTakenAway(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	admit := func(r *payment.Recipient, budget uint64) (func(), error) {
		return r.Admit(t.Context(), payer.address(), protocol.NewID(), wei(budget))
	}
	want := func(r *payment.Recipient, budget uint64, code protocol.Code) {
		t.Helper()
		release, err := admit(r, budget)
		if err == nil {
			release()
		}
		if code == "" && err != nil || code != "" && protocol.CodeOf(err) != code {
			t.Errorf("budget %d: %v, want %q", budget, err, code)
		}
	}
	store := m.onPostgres()()
	fresh := func() *payment.Recipient { return earner.recipient(store, m.escrow) } // with no allocation cached
	want(fresh(), 1, protocol.NoAllocation)
	_, err := m.escrow.Deposit(t.Context(), payer.account, ether(1))
	m.no(err)
	want(fresh(), 1, protocol.NoAllocation) // a balance is no credit
	_, err = m.escrow.Allocate(t.Context(), payer.account, earner.address(), wei(1000))
	m.no(err)
	r := fresh()
	want(r, 1001, protocol.InsufficientCredit)
	want(r, 1000, "")
	release, err := admit(r, 700)
	m.no(err)
	want(r, 301, protocol.InsufficientCredit)
	want(r, 300, "")
	release()
	release()
	want(r, 1000, "")
	m.no(r.Owe(t.Context(), payment.Owed{Payer: payer.address(), Attempt: protocol.ID{1}, Stream: stream, Fee: wei(400)}))
	want(r, 601, protocol.InsufficientCredit)
	_, err = admit(r, 601)
	for _, number := range []string{"1000", "400", "601"} {
		if err == nil || !strings.Contains(err.Error(), number) {
			t.Errorf("refusal %v does not name %s", err, number)
		}
	}
	m.no(r.Forgive(t.Context(), protocol.ID{1}))
	want(r, 1000, "")
	narrow := earner.recipient(store, m.escrow, func(c *payment.RecipientConfig) { c.CreditWindow = wei(300) })
	want(narrow, 301, protocol.InsufficientCredit)
	want(narrow, 300, "")
	// What thaws is no credit any more.
	_, err = m.escrow.Thaw(t.Context(), payer.account, earner.address(), wei(600))
	m.no(err)
	want(fresh(), 401, protocol.InsufficientCredit)
	want(fresh(), 400, "")
	_, err = m.escrow.Thaw(t.Context(), payer.account, earner.address(), wei(1000))
	m.no(err)
	want(fresh(), 1, protocol.NoAllocation)
}

func TestAdmit_refusesWorkOnceWinnersFillTheAllocation(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	payer.backs(earner.address(), wei(3000), wei(0))
	w := newWire(nil)
	r := earner.recipient(m.onPostgres()(), m.escrow)
	w.connect(earner.address(), r)
	s := payer.spender(w)
	s.use(r, wei(1000))
	for n := range 5 { // every ticket wins: five of them is two more than the allocation bears
		release, err := r.Admit(t.Context(), payer.address(), protocol.NewID(), wei(10))
		if n < 3 && err != nil {
			t.Fatalf("winner %d: %v", n, err)
		}
		if n >= 3 && protocol.CodeOf(err) != protocol.InsufficientCredit {
			t.Fatalf("with %d winners out of a float of three: %v", n, err)
		}
		if err == nil {
			release()
		}
		s.pay(earner.address(), wei(1000))
		m.no(s.EndOutbox())
	}
	// Genuine tickets were all taken, credit or not. What the payer can pay is paid, the rest waits for its money.
	if st := m.statsOf(r); st.Accepted != 5 || st.PendingWinners != 5 {
		t.Errorf("stats %+v, want 5 accepted", st)
	}
	m.drain(r)
	if st := m.statsOf(r); st.Redeemed != 3 || st.PendingWinners != 2 {
		t.Errorf("stats %+v, want 3 redeemed and 2 pending", st)
	}
	payer.backs(earner.address(), wei(2000), wei(0))
	m.running(r.Run)
	m.eventually("the rest is redeemed", func() bool { return m.statsOf(r).Redeemed == 5 })
	if got := earner.balance(); got != wei(5000) {
		t.Errorf("balance %s, want 5000", got)
	}
}

// EndOutbox delivers what waits, without a flush.
func (s *spender) EndOutbox() error {
	ctx, cancel := context.WithCancel(s.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	s.eventually("the outbox is empty", func() bool { st := s.stats(); return st.Unsent+st.Due == 0 })
	cancel()
	return <-done
}

func TestRecipient_oneBadPayerDelaysNobodyElse(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	poor, good, earner := m.party(), m.party(), m.party()
	good.backs(earner.address(), wei(10_000), wei(0))
	w := newWire(nil)
	r := earner.recipient(m.onSQLite()(), m.escrow)
	w.connect(earner.address(), r)
	for _, p := range []*party{poor, good} {
		s := p.spender(w)
		s.use(r, wei(1000))
		for range 2 {
			s.pay(earner.address(), wei(1000))
		}
		m.no(s.EndStream(t.Context(), stream))
	}
	m.drain(r)
	if st := m.statsOf(r); st.Redeemed != 2 || st.PendingWinners != 2 || st.Txs != 1 {
		t.Errorf("stats %+v, want the good payer's two redeemed in one transaction", st)
	}
}

func TestRecipient_refusesWhatIsLateForgedOrUnknown(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	payer.backs(earner.address(), wei(10_000), wei(0))
	w := newWire(nil)
	r := earner.recipient(m.onPostgres()(), m.escrow)
	s := payer.spender(w)
	s.use(r, wei(1000))
	s.pay(earner.address(), wei(1000))
	s.pay(earner.address(), wei(1000))
	out, err := s.outgoing(earner.address())
	m.no(err)
	accept := func(change func(*ticket.Signed)) protocol.Code {
		t.Helper()
		x := *out[0].Ticket
		change(&x)
		a, err := r.Accept(t.Context(), payment.Delivery{Payer: payer.address(), Recipient: earner.address(), Tickets: []payment.Paid{{Attempt: out[0].Attempt, Ticket: x}}})
		m.no(err)
		return a.Results[0].Code
	}
	for _, c := range []struct {
		name   string
		change func(*ticket.Signed)
		want   protocol.Code
	}{
		{"face value", func(x *ticket.Signed) { x.FaceValue = wei(1001) }, protocol.TicketInvalid},
		{"expiry", func(x *ticket.Signed) { x.Expiry++ }, protocol.TicketInvalid},
		{"lane", func(x *ticket.Signed) { x.Lane++ }, protocol.TicketInvalid},
		{"recipient", func(x *ticket.Signed) { x.Recipient = payer.address() }, protocol.TicketInvalid},
		{"salt", func(x *ticket.Signed) { x.Salt++ }, protocol.TicketInvalid},
		{"win probability", func(x *ticket.Signed) { x.WinProb-- }, protocol.TicketInvalid},
		{"rand", func(x *ticket.Signed) { x.RecipientRandHash[0]++ }, protocol.TicketUnknownSet},
		{"nothing", func(*ticket.Signed) {}, ""},
		{"nothing, again", func(*ticket.Signed) {}, ""},
	} {
		if got := accept(c.change); got != c.want {
			t.Errorf("changed %s: %q, want %q", c.name, got, c.want)
		}
	}
	// The second one comes after the closing: refused for ever, and its payer learns it.
	m.no(r.CloseAll(t.Context()))
	w.connect(earner.address(), r)
	m.no(s.EndOutbox())
	if st := s.stats(); st.Acknowledged != 1 || st.Refused != 1 {
		t.Errorf("payer %+v, want one acknowledged, one refused", st)
	}
	if st := m.statsOf(r); st.Accepted != 1 {
		t.Errorf("recipient %+v", st)
	}
}

// cutEscrow is an escrow whose process dies at a chosen moment of a redemption.
type cutEscrow struct {
	*chain.Escrow
	kill context.CancelFunc
}

var errKilled = errors.New("killed")

func (e *cutEscrow) RedeemBatch(ctx context.Context, a *chain.Account, runs []ticket.Run, minTotal protocol.Wei, stored func(chain.Prepared, chain.Bill) error) (chain.Prepared, error) {
	return e.Escrow.RedeemBatch(ctx, a, runs, minTotal, func(p chain.Prepared, b chain.Bill) error {
		if err := stored(p, b); err != nil {
			return err
		}
		e.kill()
		return errKilled
	})
}

// unsentRedemption makes three winners whose redemption is written down and never sent, as a kill leaves them.
func (m *market) unsentRedemption(open func() payment.Store) (payer, earner *party) {
	payer, earner = m.party(), m.party()
	payer.backs(earner.address(), wei(10_000), wei(0))
	w := newWire(nil)
	ctx, kill := context.WithCancel(m.Context())
	defer kill()
	cut := &cutEscrow{Escrow: m.escrow, kill: kill}
	store := open()
	r := earner.recipient(store, cut)
	w.connect(earner.address(), r)
	s := payer.spender(w)
	s.use(r, wei(1000))
	for range 3 {
		s.pay(earner.address(), wei(1000))
	}
	m.no(s.EndStream(m.Context(), stream))
	m.no(r.Run(ctx))
	if sent, err := store.Sent(m.Context()); err != nil || len(sent) != 1 {
		m.Fatalf("%d redemptions are written down, %v; want one", len(sent), err)
	}
	if got := earner.balance(); !got.IsZero() {
		m.Fatalf("balance %s before anything was sent", got)
	}
	return payer, earner
}

func TestRecipient_killedBeforeTheBroadcastSendsTheSameTransaction(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	for _, open := range []func() payment.Store{m.onPostgres(), m.onSQLite()} {
		_, earner := m.unsentRedemption(open)
		store := open()
		sent, err := store.Sent(t.Context())
		m.no(err)
		r := earner.recipient(store, m.escrow)
		m.drain(r)
		st := m.statsOf(r)
		if st.Redeemed != 3 || st.Txs != 1 || earner.balance() != wei(3000) {
			t.Errorf("stats %+v, balance %s: want three redeemed once", st, earner.balance())
		}
		if _, mined, err := m.client.Receipt(t.Context(), sent[0].Tx); err != nil || !mined {
			t.Errorf("the transaction that was written down was not the one mined: %v", err)
		}
	}
}

func TestRecipient_redeemsAgainWhenItsTransactionLostItsPlace(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	open := m.onPostgres()
	payer, earner := m.unsentRedemption(open)
	// Something else of the same account takes the TxNonce.
	_, err := earner.account.Transfer(t.Context(), payer.address(), wei(1))
	m.no(err)
	r := earner.recipient(open(), m.escrow, func(c *payment.RecipientConfig) { c.Pace.DropAfter = time.Second })
	m.drain(r)
	if st := m.statsOf(r); st.Redeemed != 3 || st.Txs != 1 || earner.balance() != wei(3000) {
		t.Errorf("stats %+v, balance %s: want three redeemed once", st, earner.balance())
	}
}

func TestRecipient_killedAfterTheBroadcastCountsItOnce(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	open := m.onSQLite()
	_, earner := m.unsentRedemption(open)
	store := open()
	sent, err := store.Sent(t.Context())
	m.no(err)
	m.no(earner.account.Broadcast(t.Context(), sent[0].Raw))
	_, err = earner.account.Await(t.Context(), sent[0].Tx)
	m.no(err)
	m.no(earner.account.Broadcast(t.Context(), sent[0].Raw)) // once more does no harm
	r := earner.recipient(store, m.escrow)
	m.drain(r)
	if st := m.statsOf(r); st.Redeemed != 3 || st.Txs != 1 || earner.balance() != wei(3000) {
		t.Errorf("stats %+v, balance %s: want three redeemed once", st, earner.balance())
	}
}

func TestRecipient_restartedInvalidatesNothing(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	for name, open := range map[string]func() payment.Store{"postgres": m.onPostgres(), "sqlite": m.onSQLite()} {
		payer, earner := m.party(), m.party()
		payer.backs(earner.address(), wei(10_000), wei(0))
		// Sets are overdue at once; the restarted side still takes what comes within its grace.
		short := func(c *payment.RecipientConfig) {
			c.Usable, c.Accept, c.Redeem, c.RestartGrace = time.Minute, time.Minute+time.Millisecond, time.Minute+2*time.Millisecond, time.Hour
		}
		w := newWire(nil)
		s := payer.spender(w)
		first := earner.recipient(open(), m.escrow, short)
		s.use(first, wei(1000))
		s.pay(earner.address(), wei(1000))

		second := earner.recipient(open(), m.escrow, short)
		m.running(second.Run)
		w.connect(earner.address(), second)
		again := s.spenderOn(s.pool, w) // the payer restarts too
		m.no(again.EndOutbox())
		if st := again.stats(); st.Acknowledged != 1 || st.Refused != 0 {
			t.Errorf("%s: payer %+v, want the ticket acknowledged", name, st)
		}
		if r := again.payFor(earner.address(), protocol.NewID(), wei(1000)); r.TicketNonce != 2 || r.Due {
			t.Errorf("%s: the next ticket is %+v, want nonce 2 of the set it had", name, r)
		}
		m.no(again.EndStream(t.Context(), stream))
		m.eventually(name+": both are redeemed", func() bool { return m.statsOf(second).Redeemed == 2 })
	}
}

func TestRecipient_waitsAGraceBeforeItClosesOverdueSets(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	payer.backs(earner.address(), wei(10_000), wei(0))
	open := m.onPostgres()
	times := func(grace time.Duration) func(*payment.RecipientConfig) {
		return func(c *payment.RecipientConfig) {
			c.Usable, c.Accept, c.Redeem, c.RestartGrace = 3*time.Second, 3001*time.Millisecond, 3002*time.Millisecond, grace
		}
	}
	w := newWire(nil)
	s := payer.spender(w)
	s.use(earner.recipient(open(), m.escrow, times(0)), wei(1000))
	first, _ := s.pay(earner.address(), wei(1000))
	second, _ := s.pay(earner.address(), wei(1000))
	out, err := s.outgoing(earner.address())
	m.no(err)
	if len(out) != 2 {
		t.Fatalf("%d tickets signed, want 2", len(out))
	}
	overdue := time.Now().Add(3100 * time.Millisecond)
	m.eventually("the set is overdue", func() bool { return time.Now().After(overdue) })
	accept := func(r *payment.Recipient, i int) protocol.Code {
		a, err := r.Accept(t.Context(), payment.Delivery{Payer: payer.address(), Recipient: earner.address(), Tickets: []payment.Paid{{Attempt: out[i].Attempt, Ticket: *out[i].Ticket}}})
		m.no(err)
		return a.Results[0].Code
	}
	r := earner.recipient(open(), m.escrow, times(time.Hour))
	stop := m.running(r.Run)
	if got := accept(r, 0); got != "" {
		t.Errorf("within the grace ticket %s: %q", first.Short(), got)
	}
	stop()
	r = earner.recipient(open(), m.escrow, times(time.Nanosecond))
	m.running(r.Run)
	m.eventually("the set is closed after the grace", func() bool { return m.statsOf(r).OpenSets == 0 })
	if got := accept(r, 1); got != protocol.TicketSetClosed {
		t.Errorf("after the grace ticket %s: %q", second.Short(), got)
	}
}

func TestRecipient_marksWhatExpired(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	payer.backs(earner.address(), wei(10_000), wei(0))
	w := newWire(nil)
	r := earner.recipient(m.onPostgres()(), m.escrow, func(c *payment.RecipientConfig) {
		c.Usable, c.Accept, c.Redeem, c.TicketLifetime = 5*time.Second, 6*time.Second, 7*time.Second, time.Second
	})
	w.connect(earner.address(), r)
	s := payer.spender(w)
	params := s.use(r, wei(1000))
	s.pay(earner.address(), wei(1000))
	m.no(s.EndStream(t.Context(), stream))
	m.eventually("chain time is past the expiry", func() bool { // every block is a second or more
		_, err := m.rich.Transfer(t.Context(), payer.address(), wei(1))
		m.no(err)
		now, err := m.escrow.BlockTime(t.Context())
		m.no(err)
		return now > params.Expiry
	})
	m.drain(r)
	if st := m.statsOf(r); st.Won != 1 || st.Redeemed != 0 || st.Lost != 1 || st.Txs != 0 {
		t.Errorf("stats %+v, want the winner lost without a transaction", st)
	}
}

func TestRecipient_runRefusesTimesThatCannotWork(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	earner := m.party()
	for _, change := range []func(*payment.RecipientConfig){
		func(c *payment.RecipientConfig) { c.Usable, c.Accept = 2*time.Second, time.Second },
		func(c *payment.RecipientConfig) { c.TicketLifetime = time.Hour }, // a thaw would outrun a winner
		func(c *payment.RecipientConfig) { c.Account = m.rich },
	} {
		if err := earner.recipient(nil, m.escrow, change).Run(t.Context()); err == nil {
			t.Error("ran")
		}
	}
}
