package payment_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"math/big"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/payment/litestore"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
	"github.com/kinora/kinora/migrations"
)

// One test for each known weakness of systems before this one that Go code answers for; docs/payments.md has them all.

// The lottery of signature bytes: a second encoding of one signature was a second draw.
func TestDoubleDraw_anotherEncodingOfTheSignatureIsNoSecondChance(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	payer.backs(earner.address(), wei(100_000), wei(0))
	store := m.onSQLite()()
	r := earner.recipient(store, m.escrow, func(c *payment.RecipientConfig) { c.FaceValueMultiple = 2 })
	params := payer.asks(r, stream, wei(1000))
	half := func(t *ticket.Ticket) { t.WinProb = 1 << 63 }
	naive := 0
	for nonce := range uint64(24) {
		one := payer.write(params, nonce+1, half)
		two := one
		two.Signature = highS(one.Signature)
		if (crypto.Keccak256(one.Signature[:])[31] < 128) != (crypto.Keccak256(two.Signature[:])[31] < 128) {
			naive++
		}
		if codes := payer.gives(r, one, two); codes[0] != "" || codes[1] != protocol.TicketInvalid {
			t.Fatalf("a ticket and its other encoding: %q", codes)
		}
	}
	if naive == 0 {
		t.Fatal("a lottery of signature bytes would have drawn the same: the test shows nothing")
	}
	if st := m.statsOf(r); st.Accepted != 24 {
		t.Errorf("%d tickets accepted, want 24", st.Accepted)
	}
}

// highS is the other signature of the same message by the same key that plain ECDSA allows.
func highS(s protocol.Signature) protocol.Signature {
	flipped := new(big.Int).Sub(crypto.S256().Params().N, new(big.Int).SetBytes(s[32:64]))
	flipped.FillBytes(s[32:64])
	s[64] = 27 + 28 - s[64]
	return s
}

// Redemption that depends on membership strands the winners of who has left.
func TestStrandedWinners_aRecipientThatHasLeftIsPaid(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	payer.backs(earner.address(), wei(3000), wei(0))
	open := m.onSQLite()
	r := earner.recipient(open(), m.escrow)
	params := payer.asks(r, stream, wei(1000))
	payer.pays(r, payer.write(params, 1), payer.write(params, 2))
	m.no(r.CloseAll(t.Context())) // it sells nothing any more
	if _, err := r.Params(t.Context(), payer.address(), stream, wei(1000)); protocol.CodeOf(err) != protocol.Draining {
		t.Errorf("one that left hands out parameters: %v", err)
	}
	m.drain(earner.recipient(open(), m.escrow)) // all that is left is its key and its file
	if got := earner.balance(); got != wei(2000) {
		t.Errorf("balance %s, want 2000", got)
	}
}

// A winner that its payer cannot cover in full was consumed for the dust there was.
func TestDustGriefing_consumesNoWinner(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	payer.backs(earner.address(), wei(999), wei(0))
	r := earner.recipient(m.onSQLite()(), m.escrow)
	params := payer.asks(r, stream, wei(999))
	bigger := payer.asks(r, stream, wei(999))
	payer.pays(r, payer.write(params, 1), payer.write(bigger, 2))
	payer.flushes(r, bigger)
	m.drain(r)
	if st := m.statsOf(r); st.Redeemed != 1 || st.PendingWinners != 1 || st.EarnedWei != wei(999) {
		t.Errorf("stats %+v, want one paid in full and one kept", st)
	}
	_, err := m.escrow.Deposit(t.Context(), payer.account, wei(998))
	m.no(err)
	m.drain(r)
	if st := m.statsOf(r); st.PendingWinners != 1 || earner.balance() != wei(999) || payer.balance() != wei(998) {
		t.Errorf("stats %+v, balance %s: a winner went for 998 of its 999 wei", st, earner.balance())
	}
	_, err = m.escrow.Deposit(t.Context(), payer.account, wei(1))
	m.no(err)
	m.running(r.Run)
	m.eventually("it is paid in full", func() bool { return earner.balance() == wei(2*999) })
}

// The check looked at all collateral, the payment at one's own share: a ticket could settle for less, even nothing.
func TestCheckAndEffect_countTheSameMoney(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner, other := m.party(), m.party(), m.party()
	payer.backs(other.address(), ether(5), wei(0)) // a fortune, for somebody else
	r := earner.recipient(m.onSQLite()(), m.escrow)
	params := payer.asks(r, stream, wei(1000))
	payer.pays(r, payer.write(params, 1))
	payer.flushes(r, params)
	m.drain(r)
	if st := m.statsOf(r); st.PendingWinners != 1 || st.Txs != 0 || st.Lost != 0 {
		t.Errorf("stats %+v, want the winner kept and no transaction sent", st)
	}
	if got := payer.allocated(other); got != ether(5) {
		t.Errorf("the other's allocation is %s", got)
	}
}

// A payer empties its balance into its own pocket; credit never counted it.
func TestSelfPaymentDrain_leavesTheCreditWhole(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner, accomplice := m.party(), m.party(), m.party()
	payer.backs(earner.address(), wei(2000), wei(50_000))
	r, pocket := earner.recipient(m.onSQLite()(), m.escrow), accomplice.recipient(m.onSQLite()(), m.escrow)
	if _, err := r.Admit(t.Context(), payer.address(), protocol.NewID(), wei(2001)); protocol.CodeOf(err) != protocol.InsufficientCredit {
		t.Fatalf("credit on a balance: %v", err)
	}
	params := payer.asks(r, stream, wei(1000))
	for n := range uint64(2) {
		id, err := payer.admits(r, wei(1000))
		m.no(err)
		payer.paysFor(r, id, payer.write(params, n+1))
	}
	payer.flushes(r, params)
	own := payer.asks(pocket, stream, wei(50_000))
	payer.pays(pocket, payer.write(own, 1))
	payer.flushes(pocket, own)
	m.drain(pocket) // in front of the honest redemption
	if got := payer.balance(); !got.IsZero() {
		t.Fatalf("the payer kept %s", got)
	}
	m.drain(r)
	if got := earner.balance(); got != wei(2000) {
		t.Errorf("balance %s, want all it worked for", got)
	}
}

// Work stopped while one redemption was pending.
func TestPendingRedemption_stopsNoWork(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	open := m.onSQLite()
	payer, earner := m.unsentRedemption(open) // three winners of 1000 under way, out of 10,000
	r := earner.recipient(open(), m.escrow)
	for n := range 7 {
		if _, err := payer.admits(r, wei(1000)); err != nil {
			t.Fatalf("segment %d while a redemption is pending: %v", n, err)
		}
	}
	if _, err := payer.admits(r, wei(1000)); protocol.CodeOf(err) != protocol.InsufficientCredit {
		t.Errorf("beyond what the allocation bears: %v", err)
	}
}

// Tickets whose face value is less than redeeming them costs.
func TestUneconomicTickets_areNeverAskedFor(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, poor, earner := m.party(), m.party(), m.party()
	payer.backs(earner.address(), ether(1), wei(0))
	poor.backs(earner.address(), wei(5000), wei(0))
	gas := wei(1_000_000)
	r := earner.recipient(m.onSQLite()(), m.escrow, func(c *payment.RecipientConfig) { c.Gas = func() protocol.Wei { return gas } })
	params := payer.asks(r, stream, wei(1000))
	if got := params.FaceValue; got != gas.Mul(50) {
		t.Errorf("face value %s, want one of which gas is 2 %%", got)
	}
	// An allocation that holds no such winner gets nothing to pay with, and is told whom to allocate more to.
	if p := poor.asks(r, stream, wei(1000)); p.UsableMillis != 1 || p.Recipient != earner.address() {
		t.Errorf("an allocation too small for any winner: %+v", p)
	} else if codes := poor.gives(r, poor.write(p, 1)); codes[0] != protocol.TicketUnknownSet {
		t.Errorf("a ticket all the same: %q", codes)
	}
	poor.backs(earner.address(), gas.Mul(300), wei(0))
	if p := poor.asks(earner.recipient(m.onSQLite()(), m.escrow), stream, wei(1000)); p.UsableMillis < 1000 {
		t.Errorf("with a larger one: %+v", p)
	}
}

// A redemption that reverted dropped its ticket.
func TestRevertedRedemption_keepsItsWinners(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	_, err := m.escrow.Deposit(t.Context(), payer.account, wei(3000))
	m.no(err)
	open := m.onSQLite()
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	r := earner.recipient(open(), &cutEscrow{Escrow: m.escrow, kill: kill})
	params := payer.asks(r, stream, wei(1000))
	payer.pays(r, payer.write(params, 1))
	payer.flushes(r, params)
	m.no(r.Run(ctx))
	store := open()
	sent, err := store.Sent(t.Context())
	m.no(err)
	if len(sent) != 1 {
		t.Fatalf("%d redemptions are written down, want 1", len(sent))
	}
	_, err = m.escrow.Withdraw(t.Context(), payer.account, payer.address(), wei(3000))
	m.no(err)
	m.no(earner.account.Broadcast(t.Context(), sent[0].Raw))
	if _, err := earner.account.Await(t.Context(), sent[0].Tx); err == nil {
		t.Fatal("the redemption did not revert: the test shows nothing")
	}
	again := earner.recipient(store, m.escrow)
	m.running(again.Run)
	m.eventually("the reverted redemption is noticed", func() bool { st := m.statsOf(again); return st.Txs == 1 })
	if st := m.statsOf(again); st.PendingWinners != 1 || st.Lost != 0 {
		t.Errorf("stats %+v, want the winner kept", st)
	}
	_, err = m.escrow.Deposit(t.Context(), payer.account, wei(1000))
	m.no(err)
	m.eventually("it is paid", func() bool { return earner.balance() == wei(1000) })
}

// One ticket redeemed more than once: here by a recipient that went back to a copy of its books from before.
func TestRedeemingTwice_fromOldBooksPaysNothing(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	payer.backs(earner.address(), wei(10_000), wei(0))
	dir := m.TempDir()
	open := func(name string) (*sql.DB, *payment.Recipient) {
		db, err := litestore.Open(filepath.Join(dir, name))
		m.no(err)
		m.Cleanup(func() { db.Close() })
		m.no(migrations.SQLite(m.Context(), db, "recipient_sqlite"))
		return db, earner.recipient(litestore.New(db), m.escrow)
	}
	db, r := open("now.db")
	params := payer.asks(r, stream, wei(1000))
	payer.pays(r, payer.write(params, 1), payer.write(params, 2))
	payer.flushes(r, params)
	_, err := db.ExecContext(t.Context(), `VACUUM INTO ?`, filepath.Join(dir, "before.db"))
	m.no(err)
	m.drain(r)
	_, old := open("before.db")
	if st := m.statsOf(old); st.PendingWinners != 2 {
		t.Fatalf("the old books have %d winners: the test shows nothing", st.PendingWinners)
	}
	m.drain(old)
	if st := m.statsOf(old); st.Redeemed != 2 || st.Txs != 1 || st.Lost != 0 || earner.balance() != wei(2000) {
		t.Errorf("stats %+v, balance %s: want the old books to find what paid their winners, and nothing paid again", st, earner.balance())
	}
	if sent, err := m.client.TxNonce(t.Context(), earner.address()); err != nil || sent != 1 {
		t.Errorf("%d transactions were sent, want the one before: %v", sent, err)
	}
}

// Strictly ascending nonces refuse what overtakes: see TestParallelSegments_loseNoTicketToNonces for the whole path.
func TestNonceOrder_ofArrivalDoesNotMatter(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	payer.backs(earner.address(), wei(100_000), wei(0))
	r := earner.recipient(m.onSQLite()(), m.escrow)
	params := payer.asks(r, stream, wei(1000))
	for _, nonce := range []uint64{900, 3, 700, 1, 2, 899} {
		payer.pays(r, payer.write(params, nonce))
	}
	payer.flushes(r, params)
	m.drain(r)
	if st := m.statsOf(r); st.Redeemed != 6 || st.Txs != 1 || earner.balance() != wei(6000) {
		t.Errorf("stats %+v, want all six in one transaction", st)
	}
}

// One ticket that cannot be paid stalled its sender's whole queue.
func TestHeadOfLine_oneStuckTicketHoldsUpNoOtherLane(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	payer.backs(earner.address(), wei(3000), wei(0))
	r := earner.recipient(m.onSQLite()(), m.escrow)
	dear, cheap := payer.asks(r, "dear", wei(3001-1)), payer.asks(r, "cheap", wei(1000))
	payer.pays(r, payer.write(cheap, 1), payer.write(dear, 1), payer.write(cheap, 2))
	for _, params := range []protocol.TicketParams{dear, cheap} {
		payer.flushes(r, params)
	}
	if dear.Lane >= cheap.Lane {
		t.Fatalf("lanes %d and %d: the dear ticket should stand first", dear.Lane, cheap.Lane)
	}
	_, err := m.escrow.Thaw(t.Context(), payer.account, earner.address(), wei(1))
	m.no(err)
	m.drain(r)
	st := m.statsOf(r)
	if st.Redeemed == 0 || st.Lost != 0 || st.PendingWinners+st.Redeemed != 3 {
		t.Fatalf("stats %+v", st)
	}
	payer.backs(earner.address(), wei(2000), wei(0))
	m.running(r.Run)
	m.eventually("all are paid", func() bool { return earner.balance() == wei(5000) })
}

// An expired ticket was retried for a whole round: two rules, off by one, said when it had expired.
func TestExpiryOffByOne_givesUpAtOnceAndNeverBefore(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	payer.backs(earner.address(), wei(10_000), wei(0))
	store := m.onSQLite()()
	for _, left := range []int64{3600, -1} {
		r := earner.recipient(store, m.escrow, m.expiring(left))
		params := payer.asks(r, fmt.Sprintf("expires-%d", left), wei(1000))
		payer.pays(r, payer.write(params, 1))
		payer.flushes(r, params)
		m.drain(r)
	}
	if st := m.statsOf(earner.recipient(store, m.escrow)); st.Redeemed != 1 || st.Lost != 1 || st.Txs != 1 {
		t.Errorf("stats %+v, want the one that lives redeemed, the other given up without a transaction", st)
	}
}

// expiring makes tickets that have so many seconds left of the chain's time, whatever the time is.
func (m *market) expiring(left int64) func(*payment.RecipientConfig) {
	m.Helper()
	head, err := m.escrow.BlockTime(m.Context())
	m.no(err)
	return func(c *payment.RecipientConfig) {
		c.Accept, c.TicketLifetime = 6*time.Minute, 10*time.Minute
		now := time.Unix(int64(head)+left, 0).Add(-c.Accept - c.TicketLifetime)
		c.Now = func() time.Time { return now }
	}
}

// A price that the sender names, or a payment that it leaves out, made work free.
func TestSenderChosenBilling_owesWhatTheRecipientCharged(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	payer.backs(earner.address(), wei(4000), wei(0))
	r := earner.recipient(m.onSQLite()(), m.escrow, func(c *payment.RecipientConfig) { c.FaceValueMultiple = 2 })
	params := payer.asks(r, stream, wei(1000))
	half, err := ticket.WinProbFor(wei(500), params.FaceValue)
	m.no(err)
	id, err := payer.admits(r, wei(1000)) // charged by the quote that the recipient signed
	m.no(err)
	a, err := r.Accept(t.Context(), payment.Delivery{Payer: payer.address(), Recipient: earner.address(),
		Tickets: []payment.Paid{{Attempt: id, Ticket: payer.write(params, 1, func(t *ticket.Ticket) { t.WinProb = half })}}})
	m.no(err)
	if a.Results[0].Code != protocol.TicketUnderpays || m.statsOf(r).OwedWei != wei(500) {
		t.Errorf("half the price: %+v, owed %s", a.Results[0], m.statsOf(r).OwedWei)
	}
	// No ticket at all: after a credit window there is no more work.
	served := 0
	for ; served < 100; served++ {
		if _, err = payer.admits(r, wei(1000)); err != nil {
			break
		}
	}
	if served > 3 || protocol.CodeOf(err) != protocol.InsufficientCredit {
		t.Errorf("%d segments without a ticket out of a credit of 4000, then %v", served, err)
	}
}

// An endpoint that signs bytes of the caller's choosing signs tickets too.
func TestSigningOracle_whatAStrangerMakesUsSignIsNeverATicket(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	earner := m.party()
	r := earner.recipient(m.onSQLite()(), m.escrow)
	stranger := m.party()
	for _, name := range []string{stream, "Ticket", strings.Repeat("a", 64)} { // all that a stranger chooses: a name and amounts
		signed, err := r.Params(t.Context(), stranger.address(), name, wei(1000))
		m.no(err)
		p := signed.Message
		forged := ticket.Signed{Ticket: ticket.Ticket{Payer: earner.address(), Recipient: stranger.address(), Lane: p.Lane, TicketNonce: 1, FaceValue: p.FaceValue,
			WinProb: ticket.AlwaysWins, Expiry: p.Expiry, RecipientRandHash: common.Hash(p.RecipientRandHash)}, Signature: signed.Signature}
		if _, err := m.hasher().Verify(forged); err == nil {
			t.Fatal("the signature of a parameter set is good for a ticket")
		}
		flush := protocol.Signed[protocol.Flush]{Message: protocol.Flush{Payer: earner.address(), Recipient: stranger.address(), Set: p.Set}, Signature: signed.Signature}
		if _, err := flush.Open(m.domain); err == nil {
			t.Fatal("the signature of a parameter set is good for a flush")
		}
	}
}

// Credentials that cover some fields only let the others be changed on the way.
func TestPartialCredentials_noFieldOfASegmentsHeaderIsOutsideTheSignature(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	domain := protocol.NewDomain(1, common.Address{1})
	header := protocol.SegmentHeader{Payer: key.Address(), Recipient: common.Address{2}, Quote: protocol.NewID(),
		SegmentKey: protocol.SegmentKey{Stream: stream, Incarnation: 1, Seq: 7}, Budget: wei(1000), Expiry: uint64(time.Now().Add(time.Hour).Unix())}
	signed, err := protocol.Seal(domain, key, header)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signed.Open(domain); err != nil {
		t.Fatal(err)
	}
	changed := 0
	var change func(v reflect.Value, name string, open func() error)
	change = func(v reflect.Value, name string, open func() error) {
		if v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[protocol.Wei]() {
			for i := range v.NumField() {
				change(v.Field(i), name+"."+v.Type().Field(i).Name, open)
			}
			return
		}
		old := reflect.ValueOf(v.Interface())
		switch x := v.Addr().Interface().(type) {
		case *common.Address:
			x[19] ^= 1
		case *protocol.ID:
			x[0] ^= 1
		case *string:
			*x += "x"
		case *uint32:
			*x++
		case *uint64:
			*x++
		case *protocol.Wei:
			*x = x.Add(wei(1))
		default:
			t.Fatalf("%s: no way to change a %s", name, v.Type())
		}
		changed++
		if err := open(); err == nil {
			t.Errorf("%s was changed and the signature still holds", name)
		}
		v.Set(old)
	}
	change(reflect.ValueOf(&signed.Message).Elem(), "header", func() error { _, err := signed.Open(domain); return err })
	if changed < 8 {
		t.Errorf("only %d fields were changed", changed)
	}
}

// Events read back from a map came in any order.
func TestEventOrder_isTheChains(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	p := m.party()
	for n := range uint64(12) {
		_, err := m.escrow.Deposit(t.Context(), p.account, wei(n+1))
		m.no(err)
	}
	deposits, err := m.escrow.Deposits(t.Context(), 0)
	m.no(err)
	for i, d := range deposits {
		if d.Amount != wei(uint64(i)+1) {
			t.Fatalf("deposit %d is of %s wei: out of order", i, d.Amount)
		}
	}
	if len(deposits) != 12 {
		t.Errorf("%d deposits, want 12", len(deposits))
	}
}

// "TicketParams expired" in the middle of a stream, and after a restart of the recipient.
func TestTicketParamsExpired_midStreamCostsNoTicket(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	payer.backs(earner.address(), wei(10_000), wei(0))
	w := newWire(nil)
	open := m.onSQLite()
	r := earner.recipient(open(), m.escrow, quick)
	w.connect(earner.address(), r)
	s := payer.spender(w)
	s.use(r, wei(1000))
	s.pay(earner.address(), wei(1000))
	m.no(s.EndOutbox())
	m.eventually("the parameters run out", func() bool { _, ok := s.Usable(earner.address(), stream); return !ok })
	w.connect(earner.address(), earner.recipient(open(), m.escrow, quick)) // restarted meanwhile
	if _, p := s.pay(earner.address(), wei(1000)); !p.Due {
		t.Fatalf("paid with parameters that ran out: %+v", p)
	}
	m.no(s.EndOutbox()) // it asks for new ones by itself
	if st := s.stats(); st.Acknowledged != 2 || st.Refused != 0 {
		t.Errorf("payer %+v, want both acknowledged", st)
	}
}

// "Insufficient sender reserve" for everybody, because gas was dear for an hour.
func TestGasSpike_changesNoTermsAndStopsNoStream(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	const price = 1000
	payer.backs(earner.address(), wei(price*10_500*50*6), wei(0)) // six winners at the usual gas
	meter := payment.NewGasMeter(func(ctx context.Context) (protocol.Wei, error) { return m.rich.GasCost(ctx, 1) }, m.log)
	r := earner.recipient(m.onSQLite()(), m.escrow, func(c *payment.RecipientConfig) { c.Gas = meter.Cost })
	for range 24 * 12 {
		meter.Note(wei(price))
	}
	usual := payer.asks(r, "one", wei(1000)).FaceValue
	for range 12 { // an hour at a hundred times the price
		meter.Note(wei(100 * price))
	}
	if got := payer.asks(r, "two", wei(1000)).FaceValue; got != usual {
		t.Errorf("face value %s after a spike, %s before", got, usual)
	}
	if _, err := payer.admits(r, wei(1000)); err != nil {
		t.Errorf("a spike refuses work: %v", err)
	}
	for range 24 * 12 { // a day of it is no spike
		meter.Note(wei(100 * price))
	}
	if p := payer.asks(r, "three", wei(1000)); p.UsableMillis != 1 {
		t.Errorf("gas a hundred times dearer for good, on an allocation for the old price: %+v", p)
	}
}

// A chain endpoint that is away stopped every stream that ran.
func TestOneEndpoint_awayStopsNoRunningStream(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, stranger, earner := m.party(), m.party(), m.party()
	payer.backs(earner.address(), wei(10_000), wei(0))
	away := &awayEscrow{Escrow: m.escrow}
	r := earner.recipient(m.onSQLite()(), away)
	params := payer.asks(r, stream, wei(1000))
	away.set(true)
	start := time.Now()
	m.eventually("what was just read is stale", func() bool { return time.Since(start) > 2100*time.Millisecond })
	for n := range uint64(3) {
		id, err := payer.admits(r, wei(1000))
		if err != nil {
			t.Fatalf("segment %d without the chain: %v", n, err)
		}
		payer.paysFor(r, id, payer.write(params, n+1))
	}
	if _, err := payer.admits(r, wei(8000)); protocol.CodeOf(err) != protocol.InsufficientCredit {
		t.Errorf("more than the allocation as last seen: %v", err)
	}
	impatient, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := r.Admit(impatient, stranger.address(), protocol.NewID(), wei(1)); protocol.CodeOf(err) != protocol.Unavailable {
		t.Errorf("credit for somebody never seen: %v", err)
	}
	if asked := away.count(); asked > 4 {
		t.Errorf("a chain that is away was asked %d times within a moment", asked)
	}
	away.set(false)
	payer.flushes(r, params)
	m.drain(r)
	if got := earner.balance(); got != wei(3000) {
		t.Errorf("balance %s, want 3000", got)
	}
}

// awayEscrow is an escrow whose endpoint does not answer about allocations.
type awayEscrow struct {
	*chain.Escrow
	mu    sync.Mutex
	away  bool
	asked int
}

func (e *awayEscrow) set(away bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.away, e.asked = away, 0
}

func (e *awayEscrow) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.asked
}

func (e *awayEscrow) ConfirmedAllocation(ctx context.Context, payer, recipient common.Address, blocks uint64) (chain.Allocation, error) {
	e.mu.Lock()
	e.asked++
	away := e.away
	e.mu.Unlock()
	if away {
		<-ctx.Done() // it hangs, which is worse than a refusal
		return chain.Allocation{}, protocol.Errorf(protocol.Unavailable, "no answer: %w", ctx.Err())
	}
	return e.Escrow.ConfirmedAllocation(ctx, payer, recipient, blocks)
}

// A log full of one expired ticket.
func TestExpiredLogSpam_saysItOnce(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	payer.backs(earner.address(), wei(10_000), wei(0))
	var text bytes.Buffer
	r := earner.recipient(m.onSQLite()(), m.escrow, m.expiring(-1), func(c *payment.RecipientConfig) {
		c.Log = slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelWarn}))
	})
	params := payer.asks(r, stream, wei(1000))
	payer.pays(r, payer.write(params, 1))
	payer.flushes(r, params)
	for range 3 {
		m.drain(r)
	}
	if n := strings.Count(text.String(), "\n"); n != 1 {
		t.Errorf("%d lines about one expired winner:\n%s", n, &text)
	}
}

// "Insufficient balance" and nothing else.
func TestInsufficientBalance_saysWhichNumberAndWhatToDo(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	_, err := m.escrow.Deposit(t.Context(), payer.account, wei(123))
	m.no(err)
	err = payment.NewTreasury(m.escrow, payer.account, nil, m.log).Ensure(t.Context(), earner.address(), wei(4567))
	if protocol.CodeOf(err) != protocol.InsufficientCredit {
		t.Fatalf("allocating more than there is: %v", err)
	}
	for _, part := range []string{"123", "4567", earner.address().Hex(), "kinora wallet deposit"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not say %q", err, part)
		}
	}
}
