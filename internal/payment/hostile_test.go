package payment_test

import (
	"context"
	"errors"
	"math/big"
	"path/filepath"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/ethclient"

	"github.com/kinora/kinora/contracts/bindings"
	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/chain/chaintest"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/payment/litestore"
	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
	"github.com/kinora/kinora/migrations"
)

// both carries out two orders in one transaction, which a contract's code does that ends with it.
func (m *market) both(key protocol.Signer, orders ...payment.SignedOrder) common.Hash {
	m.Helper()
	abi := bindings.NewTicketEscrow()
	var code, data []byte
	const perCall = 55 // bytes of code
	at := perCall*len(orders) + 1
	for _, o := range orders {
		r, vs := ticket.CompactSignature(o.Signature)
		call := abi.PackRedeemFor(bindings.ITicketEscrowRedeemOrder{Recipient: o.Order.Recipient, RunsHash: o.Order.RunsHash, MinTotal: o.Order.MinTotal.Big(),
			Fee: o.Order.Fee.Big(), To: o.Order.To, OrderNonce: o.Order.OrderNonce, Deadline: new(big.Int).SetUint64(o.Order.Deadline)}, o.Runs, r, vs)
		two := func(n int) []byte { return []byte{byte(vm.PUSH2), byte(n >> 8), byte(n)} }
		one := []byte{byte(vm.PUSH1), 0}
		var c []byte
		for _, b := range [][]byte{two(len(call)), two(at + len(data)), one, {byte(vm.CODECOPY)}, one, one, two(len(call)), one, one,
			{byte(vm.PUSH20)}, m.escrow.Address().Bytes(), {byte(vm.GAS), byte(vm.CALL), byte(vm.POP)}} {
			c = append(c, b...)
		}
		for len(c) < perCall {
			c = append(c, byte(vm.JUMPDEST))
		}
		code, data = append(code, c...), append(data, call...)
	}
	code = append(append(code, byte(vm.STOP)), data...)
	eth, err := ethclient.DialContext(m.Context(), m.url)
	m.no(err)
	defer eth.Close()
	nonce, err := eth.PendingNonceAt(m.Context(), key.Address())
	m.no(err)
	id, err := eth.ChainID(m.Context())
	m.no(err)
	price, err := eth.SuggestGasPrice(m.Context())
	m.no(err)
	tip, err := eth.SuggestGasTipCap(m.Context())
	m.no(err)
	rules := types.LatestSignerForChainID(id)
	tx := types.NewTx(&types.DynamicFeeTx{ChainID: id, Nonce: nonce, GasTipCap: tip, GasFeeCap: new(big.Int).Add(tip, new(big.Int).Mul(price, big.NewInt(2))), Gas: 2_000_000, Data: code})
	sig, err := key.SignDigest(rules.Hash(tx))
	m.no(err)
	sig[64] -= 27
	tx, err = tx.WithSignature(rules, sig[:])
	m.no(err)
	m.no(eth.SendTransaction(m.Context(), tx))
	return tx.Hash()
}

// A relayer carries out orders of two recipients in one transaction. Their lanes of one payer have the same number: what one of
// them was paid says nothing of the other's.
func TestRelay_ofTwoRecipientsInOneTransactionPaysEachItsOwn(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	s := m.relays(shared(m.onSQLite()))
	key := newKey(t)
	two := &relayed{settlement: &settlement{market: m, payer: s.payer, earner: &party{market: m, key: key, account: chain.NewAccount(m.client, key)},
		open: shared(m.onSQLite()), wire: newWire(nil), face: s.face}, asks: &relayWire{relayers: map[common.Address]func(context.Context, payment.RelayRequest) (payment.RelayAnswer, error){}}}
	s.payer.backs(two.earner.address(), s.face.Mul(1000), wei(0))
	two.spender = s.payer.spender(two.wire)
	keeps := func(_ context.Context, q payment.RelayRequest) (payment.RelayAnswer, error) {
		if q.Order == nil {
			return payment.RelayAnswer{Fee: wei(1000)}, nil
		}
		return payment.RelayAnswer{}, errors.New("no answer")
	}
	var orders []payment.SignedOrder
	for n, e := range []*relayed{s, two} {
		e.asks.connect(s.payer.address(), keeps)
		e.win(2 + 3*n) // five winners of the other
		r := e.by(e.open())
		stop := m.running(r.Run)
		m.eventually("an order is handed out", func() bool { return len(e.asks.handedOut()) > 0 })
		stop()
		orders = append(orders, e.asks.handedOut()[0])
	}
	tx := m.both(m.party().key, orders...)
	receipt, err := m.rich.Await(t.Context(), tx)
	m.no(err)
	for n, e := range []*relayed{s, two} {
		paid, stopped, err := m.escrow.Runs(receipt, e.earner.address())
		m.no(err)
		if len(paid) != 1 || len(stopped) != 0 || paid[0].Recipient != e.earner.address() || paid[0].Tickets != uint64(2+3*n) {
			t.Errorf("of recipient %d it is read that %+v was paid, and stopped %+v", n, paid, stopped)
		}
		e.run(e.by(e.open()))
		if st := e.statsOf(e.by(e.open())); st.Redeemed != e.paid || e.earner.balance() != e.face.Mul(e.paid).Sub(wei(1000)) {
			t.Errorf("recipient %d: %+v, and %s on chain", n, st, e.earner.balance())
		}
	}
}

// A node loses the transaction of an order, and the replica that sent it is gone: the account's next transaction is mined all
// the same.
func TestRelayer_thatEndsLeavesNoGapInItsAccount(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	s := m.relays(shared(m.onSQLite()))
	url := pgtest.URL(t)
	m.no(migrations.Postgres(t.Context(), url, "payer"))
	journal := pgstore.Journal(pgtest.Open(t, url))
	node := chaintest.NewNode(t, m.url)
	node.Spoil(chaintest.Dropping(1))
	client, err := chain.Dial(t.Context(), node.URL())
	m.no(err)
	t.Cleanup(client.Close)
	gone := s.payer.relayer(func(c *payment.RelayerConfig) { c.Account = chain.NewAccount(client, s.payer.key).SharedBy(journal) }) // its Run never runs
	told := make(chan struct{}, 64)
	s.asks.connect(s.payer.address(), func(ctx context.Context, q payment.RelayRequest) (payment.RelayAnswer, error) {
		a, err := gone.Answer(ctx, q)
		if err == nil && a.Tx != nil {
			told <- struct{}{}
		}
		return a, err
	})
	s.win(1)
	store := s.open()
	stop := m.running(s.by(store).Run)
	select {
	case <-told:
	case <-time.After(30 * time.Second):
		t.Fatal("no order was relayed")
	}
	stop()
	sending, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := chain.NewAccount(m.client, s.payer.key).SharedBy(journal).Transfer(sending, s.earner.address(), wei(1)); err != nil {
		t.Errorf("the account's next transaction: %v", err)
	}
	s.run(s.by(store))
	s.settled(store)
}

// overtaking is an escrow in which somebody else is faster with every order.
type overtaking struct {
	payment.Escrow
	first func(o ticket.RedeemOrder, sig protocol.Signature, packed []byte) error
}

func (e overtaking) RedeemFor(ctx context.Context, a *chain.Account, o ticket.RedeemOrder, sig protocol.Signature, packed []byte, check func(chain.Prepared, chain.Bill) error) (chain.Prepared, error) {
	return e.Escrow.RedeemFor(ctx, a, o, sig, packed, func(p chain.Prepared, b chain.Bill) error {
		if err := check(p, b); err != nil {
			return err
		}
		return e.first(o, sig, packed)
	})
}

// An order succeeds when it is simulated and fails when it is mined. Its signer does not get to do that again at once.
func TestRelayer_servesNobodyOnWhoseOrderItLostItsGas(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	s := m.relays(shared(m.onSQLite()))
	url := pgtest.URL(t)
	m.no(migrations.Postgres(t.Context(), url, "payer"))
	relayer := payment.NewRelayer(payment.RelayerConfig{Domain: m.domain, Account: s.payer.account, Signers: []common.Address{s.payer.address()},
		MarginPercent: 25, Every: time.Millisecond, Least: time.Nanosecond, Log: m.log}, pgstore.Relays(pgtest.Open(t, url)), // an estimate varies by some gas
		overtaking{m.escrow, func(o ticket.RedeemOrder, sig protocol.Signature, packed []byte) error {
			p, err := m.escrow.RedeemFor(t.Context(), m.rich, o, sig, packed, nil)
			if err != nil {
				return err
			}
			_, err = m.rich.Await(t.Context(), p.Tx)
			return err
		}})
	m.running(relayer.Run)
	s.asks.connect(s.payer.address(), relayer.Answer)
	s.win(1)
	store := s.open()
	s.run(s.by(store))
	orders := s.asks.handedOut()
	o := orders[len(orders)-1]
	m.eventually("its orders are not looked at any more", func() bool {
		o.Order.Deadline++
		digest, err := m.escrow.OrderDigest(t.Context(), o.Order)
		m.no(err)
		o.Signature, err = s.earner.key.SignDigest(digest)
		m.no(err)
		a, err := relayer.Answer(t.Context(), payment.RelayRequest{Recipient: o.Order.Recipient, Order: &o})
		m.no(err)
		return a.Problem != nil && a.Problem.Code == protocol.RateLimited && a.Problem.Limit == "failed=1"
	})
}

// The orchestrator that pays with a session key serves under its own name, not its payer's.
func TestRelay_isAskedOfTheSessionKeyThatSigned(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	s := m.relays(shared(m.onSQLite()))
	key := m.party()
	s.payer.authorises(key, 30*24*time.Hour, wei(0))
	s.spender, _ = key.inTheNameOf(s.payer, s.wire)
	m.running(s.spender.Run)
	relayer := key.relayer()
	m.running(relayer.Run)
	s.asks.connect(s.payer.address(), nil)
	s.asks.connect(key.address(), relayer.Answer)
	store := s.open()
	s.win(1)
	s.run(s.by(store))
	if st := s.statsOf(s.by(store)); st.RelayFeesWei.IsZero() || key.balance() != st.RelayFeesWei {
		t.Errorf("the key has %s of %s in fees", key.balance(), st.RelayFeesWei)
	}
}

// A payer signs a second settlement that leaves out what the first was for: once paid it would close both.
func TestSettlement_isNotTakenWithoutWhatAnOlderOneNames(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	l := m.late(1_000_000)
	l.miss(1)
	m.no(l.spender.SettleLate(t.Context()))
	offers, err := l.store.Settlements(t.Context())
	m.no(err)
	attempt := protocol.NewID()
	m.no(l.r.Owe(t.Context(), payment.Owed{Payer: l.payer.address(), Attempt: attempt, Stream: stream, Fee: wei(10)}))
	take := func(from uint64, amount protocol.Wei) protocol.Code {
		o := payment.SettlementOffer{Settlement: offers[0].Settlement, Attempts: []protocol.ID{attempt}}
		o.Settlement.FromNonce, o.Settlement.ToNonce, o.Settlement.Amount = from, 2, amount
		o.Signature, err = l.payer.key.SignDigest(m.settlementDigest(o.Settlement))
		m.no(err)
		a, err := l.r.Accept(t.Context(), payment.Delivery{Payer: l.payer.address(), Recipient: l.earner.address(), Settlement: &o})
		m.no(err)
		return a.Settlement.Code
	}
	for _, from := range []uint64{1, 2} {
		if got := take(from, wei(10)); got != protocol.TicketUnderpays {
			t.Errorf("from nonce %d: %q", from, got)
		}
	}
	if got := take(1, wei(1010)); got != "" {
		t.Errorf("one that pays for both: %q", got)
	}
}

// A recipient refuses every ticket as late, to be paid for those that lose and to redeem those that win.
func TestLateTickets_ofWhoKeepsTheWinnersAreNotSettled(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	l := m.late(1_000_000)
	losing := l.r
	l.r = l.earner.recipient(l.store, m.escrow, func(c *payment.RecipientConfig) { c.FaceValueMultiple = 1 }) // this one wins
	l.spender.use(l.r, l.face)
	other := filepath.Join(t.TempDir(), "other.db") // other books, in which the set stays open
	_, err := l.db.ExecContext(t.Context(), `VACUUM INTO ?`, other)
	m.no(err)
	l.miss(1)
	won := l.wire.deliveries()
	l.r = losing
	l.miss(2)
	settles := func(when string) {
		t.Helper()
		m.no(l.spender.SettleLate(t.Context()))
		if offers, err := l.store.Settlements(t.Context()); err != nil || len(offers) != 0 {
			t.Fatalf("%s: %d settlements were signed: %v", when, len(offers), err)
		}
	}
	settles("while a winner may be redeemed")
	db, err := litestore.Open(other)
	m.no(err)
	t.Cleanup(func() { db.Close() })
	liar := l.earner.recipient(litestore.New(db), m.escrow, func(c *payment.RecipientConfig) { c.FaceValueMultiple = 1 })
	for _, d := range won {
		_, err := liar.Accept(t.Context(), d)
		m.no(err)
	}
	m.drain(liar)
	if l.earner.balance() != l.face {
		t.Fatalf("the liar has %s: the test shows nothing", l.earner.balance())
	}
	for range 2 {
		settles("after it was")
	}
}

// What a settlement pays is remembered until it is paid, however long that takes.
func TestPrune_keepsWhatASettlementPays(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	l := m.late(1_000_000)
	l.miss(2)
	m.no(l.spender.SettleLate(t.Context()))
	store := pgstore.Payer(l.spender.pool)
	later := time.Now().Add(365 * 24 * time.Hour)
	count := func() (n int) {
		m.no(l.spender.pool.QueryRow(t.Context(), `SELECT count(*) FROM payer_orders`).Scan(&n))
		return n
	}
	prune := func() {
		_, err := store.Prune(t.Context(), later, 100)
		m.no(err)
	}
	if prune(); count() != 2 {
		t.Fatalf("%d of two orders are left, and their settlement is not paid", count())
	}
	m.no(l.r.SettlePairs(t.Context()))
	m.no(l.spender.SettleLate(t.Context()))
	if prune(); count() != 0 {
		t.Errorf("%d orders are left of a settlement that is paid", count())
	}
}
