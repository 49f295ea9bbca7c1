package payment_test

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"sync"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
)

// write signs any ticket at all of a parameter set: what a payer that obeys nobody can send. It wins for certain.
func (p *party) write(params protocol.TicketParams, nonce uint64, change ...func(*ticket.Ticket)) ticket.Signed {
	p.Helper()
	var salt [8]byte
	_, _ = rand.Read(salt[:])
	t := ticket.Ticket{Payer: p.address(), Recipient: params.Recipient, Lane: params.Lane, TicketNonce: nonce, FaceValue: params.FaceValue,
		WinProb: ticket.AlwaysWins, Expiry: params.Expiry, RecipientRandHash: [32]byte(params.RecipientRandHash), Salt: binary.BigEndian.Uint64(salt[:])}
	for _, f := range change {
		f(&t)
	}
	s, err := p.hasher().Sign(p.key, t)
	p.no(err)
	return s
}

func (m *market) hasher() *ticket.Hasher {
	return ticket.Domain{ChainID: m.domain.ChainID, Escrow: m.domain.Escrow}.Hasher()
}

// asks gets parameters without a payer's own checks.
func (p *party) asks(r *payment.Recipient, stream string, fee protocol.Wei) protocol.TicketParams {
	p.Helper()
	signed, err := r.Params(p.Context(), p.address(), stream, fee)
	p.no(err)
	return signed.Message
}

// gives delivers tickets, each for an attempt of its own, and returns the codes of the answers.
func (p *party) gives(r *payment.Recipient, tickets ...ticket.Signed) []protocol.Code {
	p.Helper()
	d := payment.Delivery{Payer: p.address(), Recipient: tickets[0].Recipient}
	for _, t := range tickets {
		d.Tickets = append(d.Tickets, payment.Paid{Attempt: protocol.NewID(), Ticket: t})
	}
	a, err := r.Accept(p.Context(), d)
	p.no(err)
	codes := make([]protocol.Code, len(a.Results))
	for i, result := range a.Results {
		codes[i] = result.Code
	}
	return codes
}

// pays is gives where every ticket must be taken.
func (p *party) pays(r *payment.Recipient, tickets ...ticket.Signed) {
	p.Helper()
	for i, code := range p.gives(r, tickets...) {
		if code != "" {
			p.Fatalf("ticket %d: %q", i, code)
		}
	}
}

// paysFor delivers the ticket of an attempt, which must be taken.
func (p *party) paysFor(r *payment.Recipient, attempt protocol.ID, t ticket.Signed) {
	p.Helper()
	a, err := r.Accept(p.Context(), payment.Delivery{Payer: p.address(), Recipient: t.Recipient, Tickets: []payment.Paid{{Attempt: attempt, Ticket: t}}})
	p.no(err)
	if a.Results[0].Code != "" {
		p.Fatalf("%+v", a.Results[0])
	}
}

// flushes ends a set, so that its winners may be redeemed.
func (p *party) flushes(r *payment.Recipient, params protocol.TicketParams) {
	p.Helper()
	flush, err := protocol.Seal(p.domain, p.key, payment.Flush{Payer: p.address(), Recipient: params.Recipient, Set: params.Set})
	p.no(err)
	_, err = r.Accept(p.Context(), payment.Delivery{Payer: p.address(), Recipient: params.Recipient, Flush: &flush})
	p.no(err)
}

// admits asks for credit and keeps it: the attempt is delivered and owed.
func (p *party) admits(r *payment.Recipient, fee protocol.Wei) (protocol.ID, error) {
	p.Helper()
	id := protocol.NewID()
	release, err := r.Admit(p.Context(), p.address(), id, fee)
	if err != nil {
		return id, err
	}
	defer release()
	p.no(r.Owe(p.Context(), payment.Owed{Payer: p.address(), Attempt: id, Stream: stream, Fee: fee}))
	return id, nil
}

// A payer that issues to twenty recipients more than it has: each is out of nothing, since each counts only what is set
// aside for it alone. The ten without an allocation do no work; the ten with one are paid to the wei.
func TestOverIssuing_toTwentyRecipientsCostsNoneOfThem(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer := m.party()
	_, err := m.escrow.Deposit(t.Context(), payer.account, wei(10*3000))
	m.no(err)
	held, err := m.escrow.Held(t.Context())
	m.no(err)
	type seller struct {
		*party
		*payment.Recipient
		worked int
		params protocol.TicketParams
	}
	var sellers []*seller
	for i := range 20 {
		s := &seller{party: &party{market: m, key: newKey(t)}} // without a coin: it never needs the chain
		s.account = chain.NewAccount(m.client, s.key)
		if i%2 == 0 {
			s.party = m.party()
			_, err := m.escrow.Allocate(t.Context(), payer.account, s.address(), wei(3000))
			m.no(err)
		}
		s.Recipient = s.recipient(m.onSQLite()(), m.escrow)
		sellers = append(sellers, s)
	}
	for i, s := range sellers {
		s.params = payer.asks(s.Recipient, stream, wei(1000))
		for n := range uint64(5) { // every ticket wins: together five times what is there for all
			id, err := payer.admits(s.Recipient, wei(1000))
			if err != nil {
				if code := protocol.CodeOf(err); i%2 == 0 && code != protocol.InsufficientCredit || i%2 == 1 && code != protocol.NoAllocation {
					t.Fatalf("recipient %d, segment %d: %v", i, n, err)
				}
				id = protocol.NewID() // a ticket it sends all the same, for no work
			} else {
				s.worked++
			}
			payer.paysFor(s.Recipient, id, payer.write(s.params, n+1))
		}
		payer.flushes(s.Recipient, s.params)
	}
	var settling sync.WaitGroup
	for _, s := range sellers {
		settling.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := s.Drain(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	settling.Wait()
	var earned protocol.Wei
	for i, s := range sellers {
		if want := []int{3, 0}[i%2]; s.worked != want {
			t.Errorf("recipient %d worked for %d segments, its allocation covers %d", i, s.worked, want)
		}
		// A ticket that came for no work is taken, and may wait for its money for ever; work is never left unpaid.
		if got := s.balance(); got.Less(wei(1000).Mul(uint64(s.worked))) {
			t.Errorf("recipient %d worked for %d segments and has %s wei", i, s.worked, got)
		}
		earned = earned.Add(s.balance())
	}
	left := payer.balance()
	for _, s := range sellers {
		left = left.Add(payer.allocated(s.party))
	}
	if after, err := m.escrow.Held(t.Context()); err != nil || after != held || earned.Add(left) != held {
		t.Errorf("the escrow holds %s, %v; recipients have %s and the payer %s of the %s that were deposited", after, err, earned, left, held)
	}
}

// A payer that thaws as soon as it was served: the credit is gone at once, and what it owes is paid before the thaw ends.
func TestEarlyThaw_takesNothingFromWhatWasWon(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	payer.backs(earner.address(), wei(3000), wei(0))
	store := m.onSQLite()
	r := earner.recipient(store(), m.escrow)
	params := payer.asks(r, stream, wei(1000))
	for n := range uint64(2) {
		id, err := payer.admits(r, wei(1000))
		m.no(err)
		payer.paysFor(r, id, payer.write(params, n+1))
	}
	_, err := m.escrow.Thaw(t.Context(), payer.account, earner.address(), wei(3000))
	m.no(err)
	again := earner.recipient(store(), m.escrow) // with nothing remembered of the allocation
	if _, err := again.Admit(t.Context(), payer.address(), protocol.NewID(), wei(1)); protocol.CodeOf(err) != protocol.NoAllocation {
		t.Errorf("credit on a thawing allocation: %v", err)
	}
	if _, err := m.escrow.Release(t.Context(), payer.account, earner.address()); err == nil {
		t.Error("a thaw ended at once")
	}
	payer.flushes(again, params)
	m.drain(again)
	if got := earner.balance(); got != wei(2000) {
		t.Errorf("earned %s, want the two winners' 2000", got)
	}
	if got := payer.allocated(earner); got != wei(1000) {
		t.Errorf("%s left to thaw, want 1000", got)
	}
}

// A payer that takes its balance away in front of a redemption: what is beyond the allocation waits, nothing is burned.
func TestFrontRunning_aRedemptionBurnsNoWinner(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	payer.backs(earner.address(), wei(1000), wei(2000))
	open := m.onSQLite()
	// The redemption of three winners is written down, and dies before it is sent.
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	r := earner.recipient(open(), &cutEscrow{Escrow: m.escrow, kill: kill})
	params := payer.asks(r, stream, wei(1000))
	payer.pays(r, payer.write(params, 1), payer.write(params, 2), payer.write(params, 3))
	payer.flushes(r, params)
	m.no(r.Run(ctx))
	store := open()
	if sent, err := store.Sent(t.Context()); err != nil || len(sent) != 1 {
		t.Fatalf("%d redemptions are written down, %v; want 1", len(sent), err)
	}
	_, err := m.escrow.Withdraw(t.Context(), payer.account, payer.address(), wei(2000))
	m.no(err)
	late := earner.recipient(store, m.escrow)
	m.drain(late)
	if st := m.statsOf(late); st.Redeemed != 1 || st.PendingWinners != 2 || st.Lost != 0 || earner.balance() != wei(1000) {
		t.Errorf("stats %+v, balance %s: want what the allocation pays redeemed, the rest kept", st, earner.balance())
	}
	_, err = m.escrow.Deposit(t.Context(), payer.account, wei(2000))
	m.no(err)
	m.running(late.Run)
	m.eventually("the rest is paid", func() bool { return m.statsOf(late).Redeemed == 3 })
	if got := earner.balance(); got != wei(3000) {
		t.Errorf("balance %s, want 3000", got)
	}
}

func TestReplaying_aTicketPaysOneSegmentOnly(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	payer.backs(earner.address(), wei(10_000), wei(0))
	r := earner.recipient(m.onSQLite()(), m.escrow, func(c *payment.RecipientConfig) { c.CreditWindow = wei(3000) })
	params := payer.asks(r, stream, wei(1000))
	one := payer.write(params, 1)
	var attempts []protocol.ID
	for range 3 {
		id, err := payer.admits(r, wei(1000))
		m.no(err)
		attempts = append(attempts, id)
	}
	for _, id := range attempts { // the same ticket for each of three segments
		a, err := r.Accept(t.Context(), payment.Delivery{Payer: payer.address(), Recipient: earner.address(), Tickets: []payment.Paid{{Attempt: id, Ticket: one}}})
		m.no(err)
		if a.Results[0].Code != "" {
			t.Errorf("a resend: %q, want it acknowledged", a.Results[0].Code)
		}
	}
	if st := m.statsOf(r); st.Accepted != 1 || st.Won != 1 || st.OwedWei != wei(2000) {
		t.Errorf("stats %+v, want one ticket and two segments owed", st)
	}
	if _, err := payer.admits(r, wei(1001)); protocol.CodeOf(err) != protocol.InsufficientCredit {
		t.Errorf("more work for a replayed ticket: %v", err)
	}
	payer.flushes(r, params)
	m.drain(r)
	if got := earner.balance(); got != wei(1000) {
		t.Errorf("balance %s, want the one face value", got)
	}
}

func TestReusingNonces_theFirstTicketStandsAndTheSecondPaysNothing(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	payer.backs(earner.address(), wei(10_000), wei(0))
	r := earner.recipient(m.onSQLite()(), m.escrow)
	params := payer.asks(r, stream, wei(1000))
	payer.pays(r, payer.write(params, 5))
	if codes := payer.gives(r, payer.write(params, 5), payer.write(params, 6)); codes[0] != protocol.TicketInvalid || codes[1] != "" {
		t.Errorf("another ticket of nonce 5, and one of 6: %q, want the first refused", codes)
	}
	for _, nonce := range []uint64{1 << 40, 1<<63 + 1, 1<<64 - 1} { // would end the lane
		if codes := payer.gives(r, payer.write(params, nonce)); codes[0] != protocol.TicketInvalid {
			t.Errorf("nonce %d: %q", nonce, codes)
		}
	}
	payer.flushes(r, params)
	m.drain(r)
	if got := earner.balance(); got != wei(2000) {
		t.Errorf("balance %s, want 2000", got)
	}
}

// A thousand identities without money get no credit, and leave no more behind than the bound says.
func TestThousandIdentities_getNoCreditAndLeaveNoTrace(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	earner, honest := m.party(), m.party()
	store := m.onSQLite()()
	r := earner.recipient(store, m.escrow, func(c *payment.RecipientConfig) { c.MaxStrangers = 8 })
	for i := range 1000 {
		key := newKey(t)
		signed, err := r.Params(t.Context(), key.Address(), stream, wei(1000))
		m.no(err)
		params := signed.Message
		if i >= 8 && params.UsableMillis != 1 {
			t.Fatalf("identity %d got parameters usable for %d ms", i, params.UsableMillis)
		}
		if i%100 != 0 {
			continue
		}
		p := &party{market: m, key: key}
		if _, err := p.admits(r, wei(1)); protocol.CodeOf(err) != protocol.NoAllocation {
			t.Fatalf("identity %d got credit: %v", i, err)
		}
		if codes := p.gives(r, p.write(params, 1)); i >= 8 && codes[0] != protocol.TicketUnknownSet {
			t.Errorf("identity %d: a ticket of no set: %q", i, codes)
		}
	}
	if n, err := store.Strangers(t.Context()); err != nil || n != 8 {
		t.Errorf("%d strangers are kept, %v; want 8", n, err)
	}
	// Who has an allocation is served as ever.
	honest.backs(earner.address(), wei(10_000), wei(0))
	params := honest.asks(r, stream, wei(1000))
	if params.UsableMillis < 1000 {
		t.Errorf("an honest payer got parameters usable for %d ms", params.UsableMillis)
	}
	if _, err := honest.admits(r, wei(1000)); err != nil {
		t.Error(err)
	}
	honest.pays(r, honest.write(params, 1))
}

// A payer that rejects every tenth good segment, for ever, gets one credit window of free work out of it, once.
func TestRejectingGoodSegments_endsWithTheCreditWindow(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	payer.backs(earner.address(), ether(1), wei(0))
	r := earner.recipient(m.onSQLite()(), m.escrow, func(c *payment.RecipientConfig) { c.CreditWindow = wei(5000) })
	params := payer.asks(r, stream, wei(1000))
	served, nonce := 0, uint64(0)
	for ; served < 1000; served++ {
		id, err := payer.admits(r, wei(1000))
		if err != nil {
			if protocol.CodeOf(err) != protocol.InsufficientCredit {
				t.Fatal(err)
			}
			break
		}
		d := payment.Delivery{Payer: payer.address(), Recipient: earner.address()}
		if served%10 == 9 {
			d.Rejects = []payment.Reject{{Attempt: id, Code: protocol.VerificationFailed, Detail: "I say so"}}
		} else {
			nonce++
			d.Tickets = []payment.Paid{{Attempt: id, Ticket: payer.write(params, nonce)}}
		}
		_, err = r.Accept(t.Context(), d)
		m.no(err)
	}
	if served != 50 {
		t.Errorf("%d segments were served, want 50: five of them for nothing", served)
	}
	if st := m.statsOf(r); st.OwedWei != wei(5000) {
		t.Errorf("owed are %s, want 5000", st.OwedWei)
	}
}

func TestWorthlessTickets_areRefusedAndPayNothing(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	payer.backs(earner.address(), wei(10_000), wei(0))
	r := earner.recipient(m.onSQLite()(), m.escrow)
	params := payer.asks(r, stream, wei(1000))
	id, err := payer.admits(r, wei(1000))
	m.no(err)
	for name, change := range map[string]func(*ticket.Ticket){
		"expired":             func(t *ticket.Ticket) { t.Expiry = uint64(time.Now().Add(-time.Hour).Unix()) },
		"a face value of one": func(t *ticket.Ticket) { t.FaceValue = wei(1) },
		"a longer life":       func(t *ticket.Ticket) { t.Expiry += 3600 },
		"another lane":        func(t *ticket.Ticket) { t.Lane++ },
	} {
		if codes := payer.gives(r, payer.write(params, 1, change)); codes[0] != protocol.TicketInvalid {
			t.Errorf("%s: %q", name, codes)
		}
	}
	// A price of zero cannot even be signed by our own code; signed by other code, it is refused.
	free := payer.write(params, 1)
	free.WinProb = 0
	if codes := payer.gives(r, free); codes[0] != protocol.TicketInvalid {
		t.Errorf("a ticket that cannot win: %q", codes)
	}
	// The smallest chance there is: taken for what it is worth, and the segment stays owed.
	a, err := r.Accept(t.Context(), payment.Delivery{Payer: payer.address(), Recipient: earner.address(),
		Tickets: []payment.Paid{{Attempt: id, Ticket: payer.write(params, 1, func(t *ticket.Ticket) { t.WinProb = 1 })}}})
	m.no(err)
	if a.Results[0].Code != protocol.TicketUnderpays {
		t.Errorf("one chance in 2^64: %q", a.Results[0].Code)
	}
	if st := m.statsOf(r); st.OwedWei != wei(1000) || st.Won != 0 {
		t.Errorf("stats %+v, want the whole fee owed", st)
	}
}
