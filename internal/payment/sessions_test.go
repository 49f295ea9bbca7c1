package payment_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
	"github.com/kinora/kinora/migrations"
)

// authorises makes key a session key for so long.
func (p *party) authorises(key *party, valid time.Duration, dailyCap protocol.Wei) {
	p.Helper()
	now, err := p.escrow.BlockTime(p.Context())
	p.no(err)
	_, err = p.escrow.Authorise(p.Context(), p.account, key.address(), now+uint64(valid/time.Second), dailyCap)
	p.no(err)
}

// inTheNameOf is the spending side whose every signature is by p, a session key of payer.
func (p *party) inTheNameOf(payer *party, sender payment.Sender) (*spender, *payment.Treasury) {
	p.Helper()
	url := pgtest.URL(p)
	p.no(migrations.Postgres(p.Context(), url, "payer"))
	pool := pgtest.Open(p, url)
	s := &spender{party: payer, pool: pool, Payer: payment.NewPayer(payment.PayerConfig{Domain: p.domain, Signer: protocol.OnBehalf(payer.address(), p.key), Log: p.log}, pgstore.Payer(pool), sender)}
	t := payment.NewTreasury(p.escrow, p.account, nil, p.log).Of(payer.address()).Keep(payment.Keeping{Store: pgstore.Payer(pool), RetireAfter: time.Hour})
	return s, t
}

// admitsBy is admits on the word of a key.
func (p *party) admitsBy(signer common.Address, r *payment.Recipient, fee protocol.Wei) (protocol.ID, error) {
	p.Helper()
	id := protocol.NewID()
	release, err := r.AdmitBy(p.Context(), p.address(), signer, id, fee)
	if err != nil {
		return id, err
	}
	defer release()
	p.no(r.Owe(p.Context(), payment.Owed{Payer: p.address(), Attempt: id, Stream: stream, Fee: fee}))
	return id, nil
}

// A payer whose own key is nowhere near: a hot key allocates, signs and flushes, is revoked in the middle of the stream, and
// what was delivered until then is paid to the wei.
func TestSessionKey_revokedMidStreamPaysWhatWasDelivered(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, key, earner := m.party(), m.party(), m.party()
	_, err := m.escrow.Deposit(t.Context(), payer.account, wei(10_000))
	m.no(err)
	payer.authorises(key, 30*24*time.Hour, wei(6000))
	w := newWire(nil)
	r := earner.recipient(m.onPostgres()(), m.escrow)
	w.connect(earner.address(), r)
	s, treasury := key.inTheNameOf(payer, w)
	m.running(s.Run)
	m.no(treasury.Ensure(t.Context(), earner.address(), wei(5000)))
	if got := payer.allocated(earner); got != wei(5000) || payer.balance() != wei(5000) {
		t.Fatalf("the key allocated %s, want 5000 of its payer's money", got)
	}
	s.use(r, wei(1000))
	var delivered []protocol.ID
	for range 4 {
		id, err := payer.admitsBy(key.address(), r, wei(1000))
		m.no(err)
		delivered = append(delivered, id)
	}
	for _, id := range delivered[:2] {
		s.payFor(earner.address(), id, wei(1000))
	}
	_, err = m.escrow.Revoke(t.Context(), payer.account, key.address())
	m.no(err)
	m.eventually("work on the word of a revoked key is refused", func() bool {
		release, err := r.AdmitBy(t.Context(), payer.address(), key.address(), protocol.NewID(), wei(1))
		if err == nil {
			release()
		}
		return protocol.CodeOf(err) == protocol.SessionEnded
	})
	if err := treasury.Ensure(t.Context(), earner.address(), wei(10_001)); protocol.CodeOf(err) != protocol.InsufficientCredit || !strings.Contains(err.Error(), "may allocate only 0 more today") {
		t.Errorf("a revoked key allocates: %v", err)
	}
	for _, id := range delivered[2:] { // what it owes it may still pay: the contract pays it too
		s.payFor(earner.address(), id, wei(1000))
	}
	m.no(s.EndStream(t.Context(), stream))
	if _, err := payer.admitsBy(payer.address(), r, wei(1)); err != nil {
		t.Errorf("the payer's own key: %v", err)
	}
	m.drain(r)
	if st := m.statsOf(r); st.Accepted != 4 || st.Redeemed != 4 || st.Lost != 0 || st.PendingWinners != 0 {
		t.Errorf("recipient %+v, want four tickets paid", st)
	}
	if got := earner.balance(); got != wei(4000) {
		t.Errorf("the recipient has %s, want 4000", got)
	}
	if payer.allocated(earner) != wei(1000) || payer.balance() != wei(5000) || !key.balance().IsZero() {
		t.Errorf("allocated are %s, the payer has %s and the key %s; want 1000, 5000 and 0", payer.allocated(earner), payer.balance(), key.balance())
	}
	if st := s.stats(); st.Acknowledged != 4 || st.Refused != 0 {
		t.Errorf("payer %+v", st)
	}
}

func TestSessionKey_thatWasNeverAuthorisedIsRefusedEverywhere(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, thief, earner := m.party(), m.party(), m.party()
	payer.backs(earner.address(), wei(5000), wei(0))
	thief.authorises(payer, time.Hour, wei(1000)) // the wrong way round
	r := earner.recipient(m.onSQLite()(), m.escrow)
	params := payer.asks(r, stream, wei(1000))
	forge := func() ticket.Signed {
		s, err := m.hasher().Sign(protocol.OnBehalf(payer.address(), thief.key), payer.write(params, 1).Ticket)
		m.no(err)
		return s
	}
	if codes := payer.gives(r, forge()); codes[0] != protocol.TicketInvalid {
		t.Errorf("a ticket by a stranger's key: %q", codes[0])
	}
	if _, err := payer.admitsBy(thief.address(), r, wei(1)); protocol.CodeOf(err) != protocol.BadSignature {
		t.Errorf("work on a stranger's word: %v", err)
	}
	flush, err := protocol.Seal(m.domain, protocol.OnBehalf(payer.address(), thief.key), payment.Flush{Payer: payer.address(), Recipient: earner.address(), Set: params.Set})
	m.no(err)
	_, err = r.Accept(t.Context(), payment.Delivery{Payer: payer.address(), Recipient: earner.address(), Flush: &flush})
	if protocol.CodeOf(err) != protocol.BadSignature || m.statsOf(r).OpenSets != 1 {
		t.Errorf("a stranger ends a stream: %v, %d sets open", err, m.statsOf(r).OpenSets)
	}
	payer.authorises(thief, 30*24*time.Hour, wei(1000)) // known at once, although it was refused a moment ago
	if codes := payer.gives(r, forge()); codes[0] != "" {
		t.Errorf("the same ticket once its key is authorised: %q", codes[0])
	}
}

func TestSessionKey_hasNoMoreCreditThanItsCapAndEndsBeforeItsTicketsDo(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, key, earner := m.party(), m.party(), m.party()
	payer.backs(earner.address(), wei(10_000), wei(9000))
	payer.authorises(key, time.Minute, wei(1500))
	r := earner.recipient(m.onSQLite()(), m.escrow)
	_, treasury := key.inTheNameOf(payer, newWire(nil))
	params := payer.asks(r, stream, wei(1000))
	signed, err := m.hasher().Sign(protocol.OnBehalf(payer.address(), key.key), payer.write(params, 1).Ticket)
	m.no(err)
	if codes := payer.gives(r, signed); codes[0] != protocol.SessionEnded {
		t.Errorf("a ticket that outlives its session: %q", codes[0])
	}
	if _, err := payer.admitsBy(key.address(), r, wei(1000)); protocol.CodeOf(err) != protocol.SessionEnded {
		t.Errorf("credit on a session that ends first: %v", err)
	}
	payer.authorises(key, 24*time.Hour, wei(1500))
	if _, err := payer.admitsBy(key.address(), r, wei(1000)); err != nil {
		t.Errorf("credit within the cap: %v", err)
	}
	if _, err := payer.admitsBy(key.address(), r, wei(501)); protocol.CodeOf(err) != protocol.InsufficientCredit || !strings.Contains(err.Error(), "daily cap is 1500") {
		t.Errorf("credit above the cap: %v", err)
	}
	if _, err := payer.admitsBy(payer.address(), r, wei(501)); err != nil {
		t.Errorf("the payer itself has no cap: %v", err)
	}
	m.no(treasury.Ensure(t.Context(), m.party().address(), wei(1400)))
	err = treasury.Ensure(t.Context(), m.party().address(), wei(1000))
	if protocol.CodeOf(err) != protocol.InsufficientCredit || !strings.Contains(err.Error(), "may allocate only 100 more today") {
		t.Errorf("allocating once the cap is exhausted: %v", err)
	}
	if got := payer.balance(); got != wei(7600) {
		t.Errorf("the payer's balance is %s, want 7600", got)
	}
}

// A session key spends the allocation alone: a winner of it waits for one although the balance would cover it.
func TestSessionKey_winnerNeverTouchesTheBalance(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, key, earner := m.party(), m.party(), m.party()
	payer.backs(earner.address(), wei(2500), wei(9000))
	payer.authorises(key, 24*time.Hour, wei(100_000))
	r := earner.recipient(m.onSQLite()(), m.escrow, hasty)
	params := payer.asks(r, stream, wei(1000))
	for nonce := range uint64(3) {
		signed, err := m.hasher().Sign(protocol.OnBehalf(payer.address(), key.key), payer.write(params, nonce+1).Ticket)
		m.no(err)
		payer.pays(r, signed)
	}
	payer.pays(r, payer.write(params, 4)) // the payer's own, behind
	m.no(r.CloseAll(t.Context()))
	m.running(r.Run)
	m.eventually("two are paid", func() bool { return m.statsOf(r).Redeemed == 2 })
	if earner.balance() != wei(2000) || payer.balance() != wei(9000) || payer.allocated(earner) != wei(500) {
		t.Errorf("paid %s, balance %s, allocated %s; want 2000, 9000 and 500", earner.balance(), payer.balance(), payer.allocated(earner))
	}
	_, err := m.escrow.Allocate(t.Context(), payer.account, earner.address(), wei(500))
	m.no(err)
	m.eventually("all are paid", func() bool { return m.statsOf(r).Redeemed == 4 })
	if earner.balance() != wei(4000) || payer.balance() != wei(7500) || !payer.allocated(earner).IsZero() {
		t.Errorf("paid %s, balance %s, allocated %s; want 4000, 7500 and 0", earner.balance(), payer.balance(), payer.allocated(earner))
	}
}

// Whoever runs a role on a session key hears of its end before it comes, and of a revocation.
func TestTreasury_warnsBeforeItsSessionKeyEnds(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, key := m.party(), m.party()
	_, err := m.escrow.Deposit(t.Context(), payer.account, wei(10_000))
	m.no(err)
	payer.authorises(key, 30*24*time.Hour, wei(6000))
	url := pgtest.URL(t)
	m.no(migrations.Postgres(t.Context(), url, "payer"))
	var events noted
	now := time.Now()
	tr := payment.NewTreasury(m.escrow, key.account, events.add, m.log).Of(payer.address()).Keep(payment.Keeping{Store: pgstore.Payer(pgtest.Open(t, url)),
		Now: func() time.Time { return now }})
	look := func(when string, low bool, says string) {
		t.Helper()
		f, err := tr.Look(t.Context())
		m.no(err)
		if f.Low != low || f.Session == nil || f.Session.Key != key.address() {
			t.Errorf("%s: %+v", when, f)
		}
		if said := len(events.events) > 0 && strings.Contains(events.events[len(events.events)-1].Detail, says); said != low {
			t.Errorf("%s: events %+v", when, events.events)
		}
	}
	look("at first", false, "session key")
	now = now.Add(30*24*time.Hour - time.Hour)
	look("in its last hour", true, "ends at")
	now = now.Add(time.Hour - 30*24*time.Hour)
	_, err = m.escrow.Revoke(t.Context(), payer.account, key.address())
	m.no(err)
	now = now.Add(30*24*time.Hour + 2*time.Hour)
	look("revoked", true, "is revoked")
	if f := tr.Funds(); !f.Session.DailyCapWei.IsZero() {
		t.Errorf("%+v", f.Session)
	}
}
