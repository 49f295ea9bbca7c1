package payment_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/jackc/pgx/v5"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/migrations"
)

func TestPayer_signsOncePerAttemptAndInTheOrderOfCommits(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	r := earner.recipient(m.onPostgres()(), m.escrow)
	s := payer.spender(newWire(nil))
	s.use(r, wei(1000))
	id := protocol.NewID()
	one := s.payFor(earner.address(), id, wei(500))
	if again := s.payFor(earner.address(), id, wei(500)); again != one {
		t.Errorf("the same attempt again: %+v, was %+v", again, one)
	}
	// A transaction that rolls back leaves no ticket and no gap.
	errUndo := errors.New("undo")
	if err := pgx.BeginFunc(t.Context(), s.pool, func(tx pgx.Tx) error {
		if _, err := s.PayTx(t.Context(), tx, payment.Order{Recipient: earner.address(), Stream: stream, Attempt: protocol.NewID(), Fee: wei(500)}); err != nil {
			return err
		}
		return errUndo
	}); !errors.Is(err, errUndo) {
		t.Fatal(err)
	}
	other := s.spenderOn(s.pool, newWire(nil)) // a replica
	same := protocol.NewID()
	var wg sync.WaitGroup
	for i := range 20 {
		p := s
		if i%2 == 1 {
			p = other
		}
		wg.Go(func() { p.pay(earner.address(), wei(500)) })
		wg.Go(func() { p.payFor(earner.address(), same, wei(500)) })
	}
	wg.Wait()
	out, err := s.outgoing(earner.address())
	m.no(err)
	if len(out) != 22 {
		t.Fatalf("%d tickets, want 22", len(out))
	}
	salts := map[uint64]bool{}
	for i, o := range out {
		if o.Ticket.TicketNonce != uint64(i+1) {
			t.Errorf("ticket %d has nonce %d", i, o.Ticket.TicketNonce)
		}
		if worth := o.Ticket.EV(); worth != wei(500) {
			t.Errorf("a ticket for 500 is worth %s", worth)
		}
		salts[o.Ticket.Salt] = true
	}
	if len(salts) != 22 {
		t.Errorf("%d salts for 22 tickets", len(salts))
	}
	if p, err := s.PayTx(t.Context(), nil, payment.Order{Recipient: earner.address(), Stream: stream, Attempt: protocol.NewID()}); err != nil || p != (payment.PayResult{}) {
		t.Errorf("a fee of nothing: %+v, %v", p, err)
	}
}

func TestPayer_dueTicketsAreSignedAsSoonAsThereIsASet(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	payer.backs(earner.address(), wei(1e6), wei(0))
	w := newWire(nil)
	r := earner.recipient(m.onPostgres()(), m.escrow, quick)
	s := payer.spender(w)
	if _, p := s.pay(earner.address(), wei(1000)); !p.Due {
		t.Errorf("paid without parameters: %+v", p)
	}
	if st := s.stats(); st.Due != 1 || st.Signed != 0 {
		t.Errorf("stats %+v", st)
	}
	s.use(r, wei(1000))
	if st := s.stats(); st.Due != 0 || st.Signed != 1 || st.FeeWei != wei(1000) {
		t.Errorf("stats %+v, want it signed by Use", st)
	}
	if _, p := s.pay(earner.address(), wei(1001)); !p.Due {
		t.Errorf("a fee above the face value: %+v, want it due", p)
	}
	s.use(r, wei(2000))
	if st := s.stats(); st.Due != 0 || st.Signed != 2 {
		t.Errorf("stats %+v", st)
	}
	// Once parameters ran out and nobody renews them, the outbox asks by itself.
	m.eventually("the parameters run out", func() bool { _, ok := s.Usable(earner.address(), stream); return !ok })
	s.pay(earner.address(), wei(2000))
	if st := s.stats(); st.Due != 1 {
		t.Errorf("stats %+v, want one due", st)
	}
	w.connect(earner.address(), r)
	m.no(s.EndOutbox())
	if st := s.stats(); st.Acknowledged != 3 || st.Refused != 0 {
		t.Errorf("stats %+v, want all three acknowledged", st)
	}
}

func TestPayer_endOfAStreamClosesItsSetsAndNoOthers(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	payer.backs(earner.address(), wei(10_000), wei(0))
	w := newWire(func(n int) (lost, answerLost, twice bool) { return n == 0, n == 2, n == 1 })
	r := earner.recipient(m.onPostgres()(), m.escrow)
	w.connect(earner.address(), r)
	s := payer.spender(w)
	s.use(r, wei(1000))
	other, err := r.Params(t.Context(), payer.address(), "another", wei(1000))
	m.no(err)
	m.no(s.Use(t.Context(), "another", other))
	s.pay(earner.address(), wei(1000))
	m.no(s.EndStream(t.Context(), stream))
	if st := m.statsOf(r); st.OpenSets != 1 || st.Accepted != 1 {
		t.Errorf("stats %+v, want the other stream's set open", st)
	}
	if _, ok := s.Usable(earner.address(), stream); ok {
		t.Error("the ended stream's parameters are usable")
	}
	if _, ok := s.Usable(earner.address(), "another"); !ok {
		t.Error("the other stream's parameters are not")
	}
	if _, p := s.pay(earner.address(), wei(1000)); !p.Due {
		t.Errorf("paid with a flushed set: %+v", p)
	}
	// The flush said again, much later, closes nothing new.
	s.use(r, wei(1000))
	var flush *protocol.Signed[payment.Flush]
	for _, d := range w.deliveries() {
		if d.Flush != nil {
			flush = d.Flush
		}
	}
	_, err = r.Accept(t.Context(), payment.Delivery{Payer: payer.address(), Recipient: earner.address(), Flush: flush})
	m.no(err)
	if st := m.statsOf(r); st.OpenSets != 2 {
		t.Errorf("%d sets open after a replayed flush, want 2", st.OpenSets)
	}
}

func TestPayer_rejectsReachTheRecipient(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	got := make(chan payment.Reject, 10)
	w := newWire(nil)
	r := earner.recipient(m.onSQLite()(), m.escrow, func(c *payment.RecipientConfig) {
		c.Rejected = func(_ common.Address, x payment.Reject) { got <- x }
	})
	w.connect(earner.address(), r)
	s := payer.spender(w)
	o := payment.Order{Recipient: earner.address(), Stream: stream, Attempt: protocol.NewID(), Fee: wei(5)}
	m.no(pgx.BeginFunc(t.Context(), s.pool, func(tx pgx.Tx) error {
		return s.RejectTx(t.Context(), tx, o, protocol.VerificationFailed, "black")
	}))
	m.running(s.Run)
	select {
	case x := <-got:
		if x.Attempt != o.Attempt || x.Code != protocol.VerificationFailed || x.Detail != "black" {
			t.Errorf("got %+v", x)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the reject did not come")
	}
	if err := pgx.BeginFunc(t.Context(), s.pool, func(tx pgx.Tx) error {
		_, err := s.PayTx(t.Context(), tx, o)
		return err
	}); protocol.CodeOf(err) != protocol.BadRequest {
		t.Errorf("a rejected attempt was paid: %v", err)
	}
}

func TestPayer_aRecipientThatIsAwayDelaysNobodyElse(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, there, away := m.party(), m.party(), m.party()
	w := newWire(nil)
	r, gone := there.recipient(m.onPostgres()(), m.escrow), away.recipient(m.onPostgres()(), m.escrow)
	w.connect(there.address(), r)
	s := payer.spender(w)
	s.use(r, wei(1000))
	s.use(gone, wei(1000))
	for range 3 {
		s.pay(away.address(), wei(1000))
		s.pay(there.address(), wei(1000))
	}
	m.running(s.Run)
	m.eventually("those that can be delivered are", func() bool { return s.stats().Acknowledged == 3 })
	w.connect(away.address(), gone) // and it comes back
	m.eventually("the rest is delivered", func() bool { return s.stats().Acknowledged == 6 })
}

func TestPayer_refusesParametersThatCostTooMuch(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner, stranger := m.party(), m.party(), m.party()
	r := earner.recipient(m.onSQLite()(), m.escrow)
	s := payer.spender(newWire(nil))
	good, err := r.Params(t.Context(), payer.address(), stream, wei(1000))
	m.no(err)
	p := payment.NewPayer(payment.PayerConfig{Domain: m.domain, Signer: payer.key, MaxFaceValue: wei(999), MaxLifetime: time.Hour}, nil, nil)
	if err := p.Use(t.Context(), stream, good); protocol.CodeOf(err) != protocol.PriceAboveMax {
		t.Errorf("face value above the bound: %v", err)
	}
	p = payment.NewPayer(payment.PayerConfig{Domain: m.domain, Signer: payer.key, MaxLifetime: time.Minute}, nil, nil)
	if err := p.Use(t.Context(), stream, good); protocol.CodeOf(err) != protocol.BadRequest {
		t.Errorf("lifetime above the bound: %v", err)
	}
	forged := good
	forged.Message.FaceValue = wei(7)
	if err := s.Use(t.Context(), stream, forged); protocol.CodeOf(err) != protocol.BadSignature {
		t.Errorf("forged: %v", err)
	}
	theirs, err := r.Params(t.Context(), stranger.address(), stream, wei(1000))
	m.no(err)
	if err := s.Use(t.Context(), stream, theirs); protocol.CodeOf(err) != protocol.BadRequest {
		t.Errorf("somebody else's: %v", err)
	}
	m.no(s.Use(t.Context(), stream, good))
	m.no(s.Use(t.Context(), stream, good))
}

// What a reorganisation of fewer blocks could take away is no credit.
func TestAdmit_countsAnAllocationOnceItIsConfirmed(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	payer.backs(earner.address(), wei(1000), wei(500))
	store := m.onSQLite()()
	credit := func() protocol.Code {
		r := earner.recipient(store, m.escrow, func(c *payment.RecipientConfig) { c.Confirmations = 2 })
		release, err := r.Admit(t.Context(), payer.address(), protocol.NewID(), wei(1000))
		if err != nil {
			return protocol.CodeOf(err)
		}
		release()
		return ""
	}
	block := func() {
		_, err := m.rich.Transfer(t.Context(), payer.address(), wei(1))
		m.no(err)
	}
	if got := credit(); got != protocol.NoAllocation {
		t.Errorf("in its own block: %q", got)
	}
	block()
	if got := credit(); got != protocol.NoAllocation {
		t.Errorf("a block later: %q", got)
	}
	block()
	if got := credit(); got != "" {
		t.Errorf("two blocks later: %q", got)
	}
	// What is taken away counts at once.
	_, err := m.escrow.Thaw(t.Context(), payer.account, earner.address(), wei(1))
	m.no(err)
	if got := credit(); got != protocol.InsufficientCredit {
		t.Errorf("with a wei thawing: %q", got)
	}
}

func TestTreasury_keepsAllocationsAboveHalf(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner, other := m.party(), m.party(), m.party()
	events := make(chan protocol.Event, 10)
	tr := payment.NewTreasury(m.escrow, payer.account, func(e protocol.Event) { events <- e }, m.log)
	if err := tr.Ensure(t.Context(), earner.address(), wei(1000)); protocol.CodeOf(err) != protocol.InsufficientCredit {
		t.Errorf("without a deposit: %v", err)
	}
	_, err := m.escrow.Deposit(t.Context(), payer.account, wei(2300))
	m.no(err)
	var wg sync.WaitGroup
	for range 3 { // at once, it is made once
		wg.Go(func() {
			if err := tr.Ensure(t.Context(), earner.address(), wei(1000)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := payer.allocated(earner); got != wei(1000) || len(events) != 1 {
		t.Errorf("allocated %s in %d transactions, want 1000 in one", got, len(events))
	}
	_, err = m.escrow.Thaw(t.Context(), payer.account, earner.address(), wei(500))
	m.no(err)
	m.no(tr.Ensure(t.Context(), earner.address(), wei(1000)))
	if got := payer.allocated(earner); got != wei(1000) {
		t.Errorf("allocated %s, want it left alone at half", got)
	}
	_, err = m.escrow.Thaw(t.Context(), payer.account, earner.address(), wei(501))
	m.no(err)
	m.no(tr.Ensure(t.Context(), earner.address(), wei(1000)))
	if got := payer.allocated(earner); got != wei(1501) {
		t.Errorf("allocated %s, want 1000 that do not thaw", got)
	}
	// 799 are left: enough for more than half of the next, not for all.
	m.no(tr.Ensure(t.Context(), other.address(), wei(1000)))
	if got := payer.allocated(other); got != wei(799) {
		t.Errorf("allocated %s, want the 799 there are", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tr.Ensure(ctx, other.address(), wei(1e9)); err == nil {
		t.Error("a cancelled Ensure succeeded")
	}
}

// Only what was answered is forgotten, and no nonce is used again.
func TestPayer_forgetsOldOrdersAndKeepsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	w := newWire(nil)
	s := payer.spender(w)
	r := earner.recipient(m.onPostgres()(), m.escrow)
	w.connect(earner.address(), r)
	params := s.use(r, wei(1000))
	answered, one := s.pay(earner.address(), wei(1000))
	m.no(s.EndStream(t.Context(), stream))
	s.use(r, wei(1000))
	w.connect(earner.address(), nil)
	waiting, two := s.pay(earner.address(), wei(1000))
	before := s.stats()

	store := pgstore.Payer(s.pool)
	prune := func(at time.Time, want int) {
		t.Helper()
		if n, err := store.Prune(t.Context(), at, 10); err != nil || n != want {
			t.Errorf("%d rows forgotten of before %s, %v; want %d", n, at, err, want)
		}
	}
	prune(time.Now().Add(-time.Hour), 0)
	prune(time.Now().Add(time.Minute), 1) // the answered order; the sets have not expired
	prune(time.Now().Add(time.Minute), 0)
	if after := s.stats(); after != before || after.Signed != 2 || after.Acknowledged != 1 || after.Unsent != 1 {
		t.Errorf("stats %+v, before it %+v", after, before)
	}
	if again := s.payFor(earner.address(), waiting, wei(1000)); again != two {
		t.Errorf("the order under way became %+v, was %+v", again, two)
	}
	if three := s.payFor(earner.address(), protocol.NewID(), wei(1000)); three.Lane != two.Lane || three.TicketNonce != two.TicketNonce+1 || two.TicketNonce != one.TicketNonce+1 {
		t.Errorf("after %+v and %+v (attempt %s is forgotten) comes %+v: want the next nonce", one, two, answered.Short(), three)
	}
	prune(time.Unix(int64(params.Expiry), 0).Add(time.Hour), 2) // both sets
}

// A loop that looks once an hour misses nothing: a set is closed at its time, and its winner is sent at its own.
func TestRun_wakesWhenThereIsSomethingToDo(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	payer.backs(earner.address(), ether(1), wei(0))
	w := newWire(nil)
	url := pgtest.URL(t)
	m.no(migrations.Postgres(t.Context(), url, "payer", "recipient"))
	pool := pgtest.Open(t, url)
	s := payer.spenderOn(pool, w)
	r := earner.recipient(pgstore.Recipient(pool), m.escrow, quick, func(c *payment.RecipientConfig) { c.Pace.Every = time.Hour })
	w.connect(earner.address(), r)
	m.running(s.Run)
	s.use(r, wei(1000))
	m.running(r.Run)
	s.pay(earner.address(), wei(1000))
	m.eventually("the ticket is delivered", func() bool { return s.stats().Acknowledged == 1 })
	m.eventually("the set is closed", func() bool { return m.statsOf(r).OpenSets == 0 })
	m.eventually("the winner is redeemed", func() bool { used, err := m.client.TxNonce(t.Context(), earner.address()); m.no(err); return used == 1 })
}
