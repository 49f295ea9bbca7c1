package payment_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/payment/litestore"
	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/migrations"
)

// lateness is a payer, and an earner that closes its sets before tickets come.
type lateness struct {
	*settlement
	db    *sql.DB
	store payment.Store
	r     *payment.Recipient
	owed  protocol.Wei
}

// late makes one. One ticket in so many wins.
func (m *market) late(oneIn uint64) *lateness {
	m.Helper()
	s := m.settles(nil, wei(1000))
	s.payer.backs(s.earner.address(), wei(1e15), wei(0)) // so that face values may be large, and no ticket wins by chance
	url := pgtest.URL(m)
	m.no(migrations.Postgres(m.Context(), url, "payer"))
	pool := pgtest.Open(m, url)
	s.spender = &spender{party: s.payer, pool: pool, Payer: payment.NewPayer(payment.PayerConfig{Domain: m.domain, Signer: s.payer.key, Chain: m.escrow, Log: m.log},
		pgstore.Payer(pool), s.wire)}
	db, err := litestore.Open(filepath.Join(m.TempDir(), "earner.db"))
	m.no(err)
	m.Cleanup(func() { db.Close() })
	m.no(migrations.SQLite(m.Context(), db, "recipient_sqlite"))
	l := &lateness{settlement: s, db: db, store: litestore.New(db)}
	l.open = func() payment.Store { return l.store }
	l.r = s.earner.recipient(l.store, m.escrow, func(c *payment.RecipientConfig) { c.FaceValueMultiple = oneIn })
	return l
}

// miss signs n tickets whose set is closed when they come.
func (l *lateness) miss(n int) {
	l.Helper()
	l.wire.connect(l.earner.address(), nil)
	l.spender.use(l.r, l.face)
	for range n {
		attempt := protocol.NewID()
		l.no(l.r.Owe(l.Context(), payment.Owed{Payer: l.payer.address(), Attempt: attempt, Stream: stream, Fee: l.face}))
		l.spender.payFor(l.earner.address(), attempt, l.face)
		l.owed = l.owed.Add(l.face)
	}
	_, err := l.store.CloseAll(l.Context(), time.Now())
	l.no(err)
	before := l.spender.stats().Refused
	l.wire.connect(l.earner.address(), l.r)
	l.no(l.spender.EndStream(l.Context(), stream))
	if got := l.spender.stats().Refused - before; got != uint64(n) {
		l.Fatalf("%d tickets were refused, want all of %d", got, n)
	}
}

// paid checks what the settlements have paid in all, and that the rest is still owed.
func (l *lateness) paidFor(amount protocol.Wei) {
	l.Helper()
	st := l.statsOf(l.r)
	if st.SettledWei != amount || st.OwedWei != l.owed.Sub(amount) || l.earner.balance() != amount {
		l.Errorf("settled %s, owed %s, and %s on chain; want %s of %s", st.SettledWei, st.OwedWei, l.earner.balance(), amount, l.owed)
	}
}

func TestLateTickets_arePaidBySettlements(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	l := m.late(1_000_000) // none of these wins
	l.miss(3)
	l.paidFor(wei(0))
	m.no(l.spender.SettleLate(t.Context()))
	m.no(l.r.SettlePairs(t.Context()))
	l.paidFor(wei(3000))
	for range 2 { // there is nothing more to settle
		m.no(l.spender.SettleLate(t.Context()))
		m.no(l.r.SettlePairs(t.Context()))
	}
	l.paidFor(wei(3000))
	l.miss(2)
	m.no(l.spender.SettleLate(t.Context()))
	m.no(l.r.SettlePairs(t.Context()))
	l.paidFor(wei(5000))
	if mark, err := m.escrow.Watermark(t.Context(), l.payer.address(), l.earner.address(), payment.SettlementLane); err != nil || mark != 2 {
		t.Errorf("%d settlements, want one for each time: %v", mark, err)
	}
}

// While a settlement waits to be worth its gas, what else comes late joins it under a number more. Whichever of the two is
// paid, nothing is paid twice and nothing is left.
func TestSettlements_thatShareANoncePayOnce(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	l := m.late(1_000_000)
	dear := l.earner.recipient(l.store, m.escrow, func(c *payment.RecipientConfig) { c.MaxGasPercent = 50 })
	settle := func() payment.SettlementOffer {
		m.no(l.spender.SettleLate(t.Context()))
		m.no(dear.SettlePairs(t.Context())) // no thousand wei are worth the gas
		offers, err := l.store.Settlements(t.Context())
		m.no(err)
		if len(offers) != 1 {
			t.Fatalf("%d settlements are kept, want the newest", len(offers))
		}
		return offers[0]
	}
	l.miss(2)
	first := settle()
	l.miss(1)
	second := settle()
	if s := second.Settlement; s.FromNonce != 1 || s.ToNonce != 2 || s.Amount != wei(3000) || len(second.Attempts) != 3 {
		t.Fatalf("the second settlement is %+v, want it to pay for all three", s)
	}
	l.paidFor(wei(0))
	_, err := m.escrow.Settle(t.Context(), l.earner.account, first.Settlement, first.Signature) // the older goes to the chain
	m.no(err)
	_, err = m.escrow.Settle(t.Context(), l.earner.account, second.Settlement, second.Signature)
	var refused *chain.Revert
	if !errors.As(err, &refused) || refused.Refusal != chain.NonceUsed {
		t.Errorf("the newer: %v, want its nonce to be used", err)
	}
	m.no(l.r.SettlePairs(t.Context()))
	l.paidFor(wei(2000))
	m.no(l.spender.SettleLate(t.Context()))
	m.no(l.r.SettlePairs(t.Context()))
	l.paidFor(wei(3000))
}

// A late ticket that would have won can still be redeemed by a recipient that only said it was late. It is settled once a later
// one of its lane was redeemed.
func TestLateWinner_isSettledOnceTheChainHasPassedIt(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	l := m.late(1) // every ticket wins
	l.miss(1)
	m.no(l.spender.SettleLate(t.Context()))
	m.no(l.r.SettlePairs(t.Context()))
	l.paidFor(wei(0))
	l.spender.use(l.r, l.face)
	l.spender.pay(l.earner.address(), l.face)
	m.no(l.spender.EndStream(t.Context(), stream))
	m.drain(l.r)
	m.no(l.spender.SettleLate(t.Context()))
	m.no(l.r.SettlePairs(t.Context()))
	if st := m.statsOf(l.r); st.SettledWei != l.face || !st.OwedWei.IsZero() || l.earner.balance() != l.face.Mul(2) {
		t.Errorf("stats %+v and %s on chain, want one ticket redeemed and one settled", st, l.earner.balance())
	}
}

// The recipient refuses a ticket as late, redeems it all the same, and would be paid for it again.
func TestLateTicket_thatWasRedeemedIsNotSettled(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	l := m.late(1)
	l.spender.use(l.r, l.face)
	other := filepath.Join(t.TempDir(), "other.db") // other books, in which the set stays open
	_, err := l.db.ExecContext(t.Context(), `VACUUM INTO ?`, other)
	m.no(err)
	l.miss(1)
	db, err := litestore.Open(other)
	m.no(err)
	t.Cleanup(func() { db.Close() })
	liar := l.earner.recipient(litestore.New(db), m.escrow, func(c *payment.RecipientConfig) { c.FaceValueMultiple = 1 })
	for _, d := range l.wire.deliveries() {
		_, err := liar.Accept(t.Context(), d)
		m.no(err)
	}
	m.drain(liar)
	if l.earner.balance() != l.face {
		t.Fatalf("the liar has %s: the test shows nothing", l.earner.balance())
	}
	for range 2 {
		m.no(l.spender.SettleLate(t.Context()))
		m.no(l.r.SettlePairs(t.Context()))
	}
	if l.earner.balance() != l.face {
		t.Errorf("%s were paid for one ticket of %s", l.earner.balance(), l.face)
	}
	if offers, err := l.store.Settlements(t.Context()); err != nil || len(offers) != 0 {
		t.Errorf("%d settlements were signed: %v", len(offers), err)
	}
}

// Forged, stale and too small settlements are refused, and change nothing.
func TestSettlement_isTakenForWhatIsOwedOnly(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	l := m.late(1_000_000)
	l.miss(2)
	m.no(l.spender.SettleLate(t.Context()))
	offers, err := l.store.Settlements(t.Context())
	m.no(err)
	good := offers[0]
	code := func(change func(*payment.SettlementOffer), sign bool) protocol.Code {
		o := good
		change(&o)
		if sign {
			digest := m.settlementDigest(o.Settlement)
			o.Signature, err = l.payer.key.SignDigest(digest)
			m.no(err)
		}
		a, err := l.r.Accept(t.Context(), payment.Delivery{Payer: l.payer.address(), Recipient: l.earner.address(), Settlement: &o})
		if err != nil {
			return protocol.CodeOf(err)
		}
		return a.Settlement.Code
	}
	for _, c := range []struct {
		name   string
		change func(*payment.SettlementOffer)
		sign   bool
		want   protocol.Code
	}{
		{"the same again", func(*payment.SettlementOffer) {}, false, ""},
		{"another amount than was signed", func(o *payment.SettlementOffer) { o.Settlement.Amount, o.Settlement.ToNonce = wei(1), 9 }, false, protocol.BadSignature},
		{"less than is owed", func(o *payment.SettlementOffer) { o.Settlement.Amount, o.Settlement.ToNonce = wei(1999), 9 }, true, protocol.TicketUnderpays},
		{"a stream's lane", func(o *payment.SettlementOffer) { o.Settlement.Lane = 0 }, true, protocol.BadRequest},
		{"no attempts", func(o *payment.SettlementOffer) { o.Attempts = nil }, true, protocol.BadRequest},
	} {
		if got := code(c.change, c.sign); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	m.no(l.r.SettlePairs(t.Context()))
	l.paidFor(wei(2000))
	if got := code(func(o *payment.SettlementOffer) { o.Settlement.ToNonce = 9 }, true); got != protocol.Stale {
		t.Errorf("a nonce that is paid: %q", got)
	}
}
