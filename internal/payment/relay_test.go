package payment_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/migrations"
)

// relayed is a settlement whose earner has no gas, and whose payer relays.
type relayed struct {
	*settlement
	relayer *payment.Relayer
	asks    *relayWire
}

// relays makes one. Winners are worth far more than their gas.
func (m *market) relays(open func() payment.Store, options ...func(*payment.RelayerConfig)) *relayed {
	m.Helper()
	s := &settlement{market: m, payer: m.party(), open: open, wire: newWire(nil), face: wei(1e15)}
	key := newKey(m)
	s.earner = &party{market: m, key: key, account: chain.NewAccount(m.client, key)}
	s.payer.backs(s.earner.address(), s.face.Mul(1000), wei(0))
	s.spender = s.payer.spender(s.wire)
	s.before = wei(0)
	r := &relayed{settlement: s, relayer: s.payer.relayer(options...), asks: &relayWire{relayers: map[common.Address]func(context.Context, payment.RelayRequest) (payment.RelayAnswer, error){}}}
	r.asks.connect(s.payer.address(), r.relayer.Answer)
	m.running(r.relayer.Run)
	return r
}

// relayer is a party's, with its store.
func (p *party) relayer(options ...func(*payment.RelayerConfig)) *payment.Relayer {
	p.Helper()
	url := pgtest.URL(p)
	p.no(migrations.Postgres(p.Context(), url, "payer"))
	c := payment.RelayerConfig{Domain: p.domain, Account: p.account, Signers: []common.Address{p.address()}, MarginPercent: 25,
		Every: time.Millisecond, PerMinute: 10_000, Least: time.Nanosecond, Log: p.log}
	for _, o := range options {
		o(&c)
	}
	return payment.NewRelayer(c, pgstore.Relays(pgtest.Open(p, url)), p.escrow)
}

// relayWire brings requests to relayers as bytes.
type relayWire struct {
	mu       sync.Mutex
	relayers map[common.Address]func(context.Context, payment.RelayRequest) (payment.RelayAnswer, error)
	orders   []payment.SignedOrder
	die      *crash // of the process that asks
}

func (w *relayWire) connect(a common.Address, answer func(context.Context, payment.RelayRequest) (payment.RelayAnswer, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.relayers[a] = answer
}

func (w *relayWire) Ask(ctx context.Context, relayer common.Address, q payment.RelayRequest) (payment.RelayAnswer, error) {
	w.mu.Lock()
	answer, die := w.relayers[relayer], w.die
	w.mu.Unlock()
	if answer == nil {
		return payment.RelayAnswer{}, protocol.Errorf(protocol.Unreachable, "nobody serves %s", relayer)
	}
	b := protocol.Encode(q)
	if len(b) > protocol.MaxMessage {
		return payment.RelayAnswer{}, errors.New("the bus would not carry this")
	}
	read, err := protocol.Decode[payment.RelayRequest](b)
	if err != nil {
		return payment.RelayAnswer{}, err
	}
	step := "quote"
	if read.Order != nil {
		step = "order"
		w.mu.Lock()
		w.orders = append(w.orders, *read.Order)
		w.mu.Unlock()
	}
	if die != nil && die.dead("before "+step) {
		return payment.RelayAnswer{}, errKilled
	}
	a, err := answer(ctx, read)
	if die != nil && die.dead("after "+step) {
		return payment.RelayAnswer{}, errKilled
	}
	return a, err
}

func (w *relayWire) handedOut() []payment.SignedOrder {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]payment.SignedOrder(nil), w.orders...)
}

// by is the earner's side that can be relayed for.
func (s *relayed) by(store payment.Store, options ...func(*payment.RecipientConfig)) *payment.Recipient {
	return s.earner.recipient(store, s.escrow, append([]func(*payment.RecipientConfig){hasty, func(c *payment.RecipientConfig) {
		c.Relay = s.asks
		c.Pace.OrderFor = 30 * time.Second
	}}, options...)...)
}

// settled compares books and chain to the wei: all winners paid once, less what was kept in fees, and never any gas.
func (s *relayed) settled(store payment.Store) {
	s.Helper()
	st, err := store.Stats(s.Context(), time.Now())
	s.no(err)
	want := s.face.Mul(s.paid)
	if st.Redeemed != s.paid || st.Lost != 0 || st.PendingWinners != 0 || st.EarnedWei != want {
		s.Errorf("books %+v, want all of %d winners paid", st, s.paid)
	}
	if got := s.earner.balance(); got != want.Sub(st.RelayFeesWei) {
		s.Errorf("the earner has %s in the escrow, want %s less %s in fees", got, want, st.RelayFeesWei)
	}
	if got := s.payer.allocated(s.earner); got != s.face.Mul(1000).Sub(want.Min(s.face.Mul(1000))) {
		// What the payer earned by relaying is drawn on first, as any balance.
		if spent := s.face.Mul(1000).Sub(got).Add(st.RelayFeesWei).Sub(s.payer.balance()); spent != want {
			s.Errorf("the payer spent %s, want %s", spent, want)
		}
	}
	if sent, err := store.Sent(s.Context()); err != nil || len(sent) != 0 {
		s.Errorf("%d redemptions are not final: %v", len(sent), err)
	}
}

func TestRelay_paysARecipientThatHasNoGas(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	s := m.relays(shared(m.onSQLite()))
	store := s.open()
	s.win(3)
	before, err := m.client.Balance(t.Context(), s.payer.address())
	m.no(err)
	r := s.by(store)
	s.run(r)
	s.settled(store)
	after, err := m.client.Balance(t.Context(), s.payer.address())
	m.no(err)
	st := s.statsOf(r)
	if gas := before.Sub(after); st.RelayFeesWei.IsZero() || st.RelayFeesWei.Less(gas) {
		t.Errorf("the relayer spent %s on gas and was given %s", gas, st.RelayFeesWei)
	}
	if st.Txs != 1 || !st.GasWei.IsZero() {
		t.Errorf("stats %+v, want one transaction that cost this side no gas", st)
	}
	if own, err := m.client.Balance(t.Context(), s.earner.address()); err != nil || !own.IsZero() {
		t.Errorf("the earner has %s wei outside the escrow: %v", own, err)
	}
	all, err := store.Winners(t.Context(), 0)
	m.no(err)
	for _, w := range all {
		if receipt, mined, err := m.client.Receipt(t.Context(), w.Tx); err != nil || !mined || receipt.Tx != w.Tx {
			t.Errorf("winner %d names transaction %s, which the chain does not know: %v", w.Ticket.TicketNonce, w.Tx, err)
		}
	}
	s.win(2) // the next order has the next number
	s.run(r)
	s.settled(store)
}

// Paid out to the earner's own account, the first relayed redemption is its first gas, and the next it sends itself.
func TestRelay_payoutIsTheFirstGas(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	s := m.relays(shared(m.onSQLite()))
	r := s.by(s.open(), func(c *payment.RecipientConfig) { c.Payout = s.earner.address() })
	s.win(4)
	s.run(r)
	fee := s.statsOf(r).RelayFeesWei
	if own, err := m.client.Balance(t.Context(), s.earner.address()); err != nil || own != s.face.Mul(4).Sub(fee) {
		t.Fatalf("the earner was paid out %s, want %s less %s: %v", own, s.face.Mul(4), fee, err)
	}
	s.win(1)
	s.run(r)
	if st := s.statsOf(r); st.Txs != 2 || st.RelayFeesWei != fee || st.GasWei.IsZero() || s.earner.balance() != s.face {
		t.Errorf("stats %+v, balance %s: want the second redemption sent with gas of its own", st, s.earner.balance())
	}
}

// kill -9 of the recipient around everything that leaves it; another process takes over on its books.
func TestRelay_killedAtAnyStepPaysOnce(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	s := m.relays(shared(m.onSQLite()))
	store := s.open()
	at := steps([]string{"HandOut", "quote", "order", "MineRelayed", "Finalise"}, 1)
	for _, step := range at {
		s.win(2)
		ctx, kill := context.WithCancel(t.Context())
		c := &crash{at: step, kill: kill, seen: map[string]int{}}
		s.asks.mu.Lock()
		s.asks.die = c
		s.asks.mu.Unlock()
		dying := s.by(doomedStore{store, c})
		_ = dying.Drain(ctx) // to mined
		_ = dying.Drain(ctx) // to final
		kill()
		if !c.died() {
			t.Fatalf("no process died %s; it saw %v", step, c.seen)
		}
		s.asks.mu.Lock()
		s.asks.die = nil
		s.asks.mu.Unlock()
		heir := s.by(store)
		s.run(heir)
		s.settled(store)
		if st := s.statsOf(heir); st.Txs != s.paid/2 {
			t.Fatalf("killed %s: %d redemptions for %d pairs of winners", step, st.Txs, s.paid/2)
		}
	}
}

// A relayer that takes orders and sends nothing, whatever it says, costs the time of one order.
func TestRelay_oneThatSendsNothingCostsTimeOnly(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	s := m.relays(shared(m.onSQLite()))
	taken := make(chan struct{}, 16)
	s.asks.connect(s.payer.address(), func(ctx context.Context, q payment.RelayRequest) (payment.RelayAnswer, error) {
		if q.Order == nil {
			return s.relayer.Answer(ctx, q)
		}
		select {
		case taken <- struct{}{}:
		default:
		}
		return payment.RelayAnswer{Fee: q.Order.Order.Fee, Tx: &common.Hash{1}}, nil
	})
	store := s.open()
	s.win(2)
	r := s.by(store)
	stop := s.running(r.Run)
	<-taken
	order := s.asks.handedOut()[0]
	_, err := m.rich.Transfer(t.Context(), s.earner.address(), ether(1)) // gas of its own comes, and waits for the order's end
	m.no(err)
	s.eventually("the order ends and the winners are redeemed", func() bool {
		s.block(5)
		return s.redeemed(r)
	})
	stop()
	s.settled(store)
	if st := s.statsOf(r); st.Txs != 1 || !st.RelayFeesWei.IsZero() {
		t.Errorf("stats %+v, want one redemption, with gas of its own", st)
	}
	// The order was kept, and comes to the chain when it is over.
	_, err = m.escrow.RedeemFor(t.Context(), s.payer.account, order.Order, order.Signature, order.Runs, nil)
	var refused *chain.Revert
	if !errors.As(err, &refused) || refused.Name != "OrderExpired" {
		t.Errorf("%v, want the order to have expired", err)
	}
}

// The relayer refuses in words and sends the order all the same: what counts is the chain.
func TestRelay_anOrderUsedByWhoRefusedItIsFound(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	s := m.relays(shared(m.onSQLite()))
	s.asks.connect(s.payer.address(), func(ctx context.Context, q payment.RelayRequest) (payment.RelayAnswer, error) {
		a, err := s.relayer.Answer(ctx, q)
		if q.Order != nil {
			p := protocol.ProblemOf(protocol.Errorf(protocol.Unavailable, "no"))
			a.Problem = &p
		}
		return a, err
	})
	store := s.open()
	s.win(2)
	s.run(s.by(store))
	s.settled(store)
}

func TestRelayer_namesTheFeeItTakesAndIsGivenItOnce(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	s := m.relays(shared(m.onSQLite()))
	s.asks.connect(s.payer.address(), func(ctx context.Context, q payment.RelayRequest) (payment.RelayAnswer, error) {
		if q.Order == nil {
			return payment.RelayAnswer{Fee: wei(1)}, nil // as if gas had risen since
		}
		return s.relayer.Answer(ctx, q)
	})
	store := s.open()
	s.win(2)
	s.run(s.by(store))
	s.settled(store)
	orders := s.asks.handedOut()
	first, last := orders[0].Order, orders[len(orders)-1].Order
	if first.Fee != wei(1) || !first.Fee.Less(last.Fee) || first.OrderNonce != last.OrderNonce {
		t.Errorf("orders %+v: want the fee raised to what was named, under one number", orders)
	}
	if kept := s.statsOf(s.by(store)).RelayFeesWei; kept != last.Fee {
		t.Errorf("%s were kept, the order gives %s", kept, last.Fee)
	}
}

// Fees above what a redemption may cost are not paid: the winners wait, the log says why, once, and nothing is asked in between.
func TestRelay_isNotPaidMoreThanGasMayCost(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	var log lockedBuffer
	s := m.relays(shared(m.onSQLite()), func(c *payment.RelayerConfig) { c.MarginPercent = 10_000 })
	quotes := 0
	s.asks.connect(s.payer.address(), func(ctx context.Context, q payment.RelayRequest) (payment.RelayAnswer, error) {
		quotes++
		return s.relayer.Answer(ctx, q)
	})
	store := s.open()
	s.win(1)
	r := s.by(store, func(c *payment.RecipientConfig) {
		c.MaxGasPercent = 50
		c.Pace.RetryAfter, c.Pace.RetryAtMost = time.Hour, time.Hour
		c.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
	for range 3 {
		m.no(r.RedeemReady(t.Context()))
	}
	if st := s.statsOf(r); st.Redeemed != 0 || st.PendingWinners != 1 || len(s.asks.handedOut()) != 0 {
		t.Errorf("stats %+v, %d orders: want the winner to wait", st, len(s.asks.handedOut()))
	}
	said := log.String()
	if quotes != 1 || strings.Count(said, "redemption waits") != 1 || !strings.Contains(said, "nobody relays") || !strings.Contains(said, "send it some") {
		t.Errorf("%d quotes; the log says\n%s", quotes, said)
	}
}

// Who is to be relayed for always, and finds nobody who does it, uses gas of its own rather than lose winners.
func TestRelay_alwaysUsesItsOwnGasWhereNobodyRelays(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	s := m.settles(shared(m.onSQLite()), wei(1e15))
	asks := &relayWire{}
	r := s.earner.recipient(s.open(), s.escrow, hasty, func(c *payment.RecipientConfig) { c.Relay, c.RelayAlways = asks, true })
	s.win(2)
	s.run(r)
	s.balanced(s.open(), wei(0))
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// The order and a transaction of the earner's own race to the chain, in both orders: the winners are paid once, and booked once.
func TestRelay_racingItsOwnGasPaysOnce(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	for _, ownFirst := range []bool{true, false} {
		s := m.relays(shared(m.onSQLite()))
		store := s.open()
		s.win(2)
		held := make(chan payment.SignedOrder, 1)
		s.asks.connect(s.payer.address(), func(ctx context.Context, q payment.RelayRequest) (payment.RelayAnswer, error) {
			if q.Order == nil {
				return s.relayer.Answer(ctx, q)
			}
			select {
			case held <- *q.Order:
			default:
			}
			return payment.RelayAnswer{Fee: q.Order.Order.Fee, Tx: &common.Hash{1}}, nil
		})
		r := s.by(store)
		stop := s.running(r.Run)
		o := <-held
		_, err := m.rich.Transfer(t.Context(), s.earner.address(), ether(1))
		m.no(err)
		own := func() error { // what another program of its key would do
			p, err := m.escrow.RedeemPacked(t.Context(), s.earner.account, o.Runs)
			if err == nil {
				_, err = s.earner.account.Await(t.Context(), p.Tx)
			}
			return err
		}
		relay := func() error {
			p, err := m.escrow.RedeemFor(t.Context(), s.payer.account, o.Order, o.Signature, o.Runs, nil)
			if err == nil {
				_, err = s.payer.account.Await(t.Context(), p.Tx)
			}
			return err
		}
		first, second := own, relay
		if !ownFirst {
			first, second = relay, own
		}
		m.no(first())
		var refused *chain.Revert
		if err := second(); !errors.As(err, &refused) || refused.Name != "PaidBelowMinimum" && refused.Name != "OrderNonceWrong" {
			t.Errorf("own gas first %v: the second says %v, want to be refused", ownFirst, err)
		}
		s.eventually("both winners are booked", func() bool {
			s.block(5)
			return s.redeemed(r)
		})
		stop()
		s.settled(store)
	}
}

func TestRelayer_servesItsOwnRecipientsOnceAndNotTooOften(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	s := m.relays(shared(m.onSQLite()), func(c *payment.RelayerConfig) { c.Every = time.Hour })
	store := s.open()
	s.win(1)
	s.run(s.by(store))
	orders := s.asks.handedOut()
	o := orders[len(orders)-1]
	ask := func(r *payment.Relayer, o payment.SignedOrder) protocol.Code {
		a, err := r.Answer(t.Context(), payment.RelayRequest{Recipient: o.Order.Recipient, Order: &o})
		m.no(err)
		if a.Problem == nil {
			return ""
		}
		return a.Problem.Code
	}
	if code := ask(s.relayer, o); code != "" {
		t.Errorf("the same order again: %s, want its transaction again", code)
	}
	sent, err := m.client.TxNonce(t.Context(), s.payer.address())
	m.no(err)
	forged := o
	forged.Order.Fee = forged.Order.Fee.Add(wei(1))
	if code := ask(s.relayer, forged); code != protocol.BadSignature {
		t.Errorf("an order that the recipient did not sign: %s", code)
	}
	other := o
	other.Order.Deadline++
	signed := func(o payment.SignedOrder) payment.SignedOrder {
		digest, err := m.escrow.OrderDigest(t.Context(), o.Order)
		m.no(err)
		o.Signature, err = s.earner.key.SignDigest(digest)
		m.no(err)
		return o
	}
	_ = ask(s.relayer, signed(other)) // one more may be looked at, and is refused for what it is
	other.Order.Deadline++
	if code := ask(s.relayer, signed(other)); code != protocol.RateLimited {
		t.Errorf("one more order at once: %s", code)
	}
	if code := ask(m.party().relayer(), o); code != protocol.BadRequest {
		t.Errorf("an order with no ticket of the relayer's: %s", code)
	}
	if now, err := m.client.TxNonce(t.Context(), s.payer.address()); err != nil || now != sent {
		t.Errorf("the relayer sent %d transactions more: %v", now-sent, err)
	}
}

// Two replicas of a relayer get two orders of one number at once: one goes to the chain.
func TestRelayer_replicasSendOneOrderOfANumber(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	url := pgtest.URL(m)
	m.no(migrations.Postgres(t.Context(), url, "payer"))
	one, two := pgstore.Relays(pgtest.Open(m, url)), pgstore.Relays(pgtest.Open(m, url))
	a := newKey(t).Address()
	claim := func(s payment.RelayStore, number, deadline, now uint64) bool {
		mine, err := s.Claim(t.Context(), a, number, deadline, now)
		m.no(err)
		return mine
	}
	if !claim(one, 0, 100, 50) || claim(two, 0, 120, 60) || claim(one, 0, 100, 100) {
		t.Error("an order was claimed twice before its deadline")
	}
	if !claim(two, 0, 200, 101) || !claim(one, 1<<64-1, 200, 101) {
		t.Error("after its deadline, and of another number, it can be claimed")
	}
	m.no(one.Unclaim(t.Context(), a, 0))
	if !claim(one, 0, 300, 150) {
		t.Error("what was given up can be claimed")
	}
}
