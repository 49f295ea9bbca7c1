package payment_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/chain/chaintest"
	"github.com/kinora/kinora/internal/payment"
)

func TestSettle_goesOverTheOtherNodeWhenOneTimesOut(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	s := m.settles(shared(m.onPostgres()), wei(1000))
	s.win(3)
	silent, honest := s.node(), s.node()
	r := s.over(silent.URL() + "," + honest.URL())
	silent.Spoil((*chaintest.Call).Hang)
	s.run(r)
	if silent.Calls("eth_sendRawTransaction") == 0 {
		t.Error("the silent node was not given the transaction too")
	}
	s.balanced(s.open(), wei(0))
}

func TestSettle_waitsForItsOnlyNodeToAnswer(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	s := m.settles(shared(m.onPostgres()), wei(1000))
	node := s.node()
	r := s.over(node.URL())
	stop := s.running(r.Run)
	node.Spoil((*chaintest.Call).Hang)
	s.win(3)
	s.eventually("the node was asked", func() bool { return node.Calls("eth_getBlockByNumber") > 1 })
	if st := s.statsOf(r); st.PendingWinners != 3 {
		t.Errorf("stats %+v, want the winners waiting", st)
	}
	// It takes the transaction, and hangs before it says so.
	node.Spoil(func(c *chaintest.Call) (json.RawMessage, bool) {
		if c.Method == "eth_sendRawTransaction" {
			c.Forward()
			return c.Hang()
		}
		return c.Forward()
	})
	s.eventually("everything is redeemed", func() bool { return s.redeemed(r) })
	stop()
	s.balanced(s.open(), wei(0))
	if st := s.statsOf(r); st.Txs != 1 {
		t.Errorf("%d transactions, want 1", st.Txs)
	}
}

func TestSettle_isNotMisledByANodeTwentyBlocksBehind(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	s := m.settles(shared(m.onPostgres()), wei(1000))
	s.win(2)
	s.block(21)
	node := s.node()
	r := s.over(node.URL())
	node.Spoil(chaintest.Lagging(20))
	stop := s.running(r.Run)
	s.eventually("the redemption is mined", func() bool { return s.earner.balance() == wei(2000) })
	s.win(2) // while the first is not seen
	asked := node.Calls("eth_getTransactionReceipt")
	s.eventually("the node was asked for its receipt", func() bool { return node.Calls("eth_getTransactionReceipt") > asked+3 })
	if st := s.statsOf(r); st.Redeemed != 0 {
		t.Errorf("%+v: the books know a redemption that its node does not know", st)
	}
	s.block(20)
	s.eventually("the second redemption is mined", func() bool { return s.earner.balance() == wei(4000) })
	node.Spoil(nil) // it catches up
	s.eventually("everything is redeemed", func() bool { return s.redeemed(r) })
	stop()
	s.balanced(s.open(), wei(0))
	if st := s.statsOf(r); st.Txs != 2 {
		t.Errorf("%d transactions, want 2", st.Txs)
	}
}

func TestSettle_prefersTheNodeThatIsNotBehind(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	s := m.settles(shared(m.onPostgres()), wei(1000))
	s.block(21)
	behind, honest := s.node(), s.node()
	behind.Spoil(chaintest.Lagging(20)) // its escrow is there, its payer's allocation is not
	r := s.over(behind.URL() + "," + honest.URL())
	s.win(2)
	calls := behind.Calls("eth_call")
	s.run(r)
	if got := behind.Calls("eth_call"); got != calls {
		t.Errorf("the node that is behind was asked %d questions", got-calls)
	}
	s.balanced(s.open(), wei(0))
}

func TestSettle_survivesANodeThatLiesAboutTheNonce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		by    int
		fills uint64 // transfers of nothing that make up for it
	}{"too high": {2, 2}, "too low": {-1, 0}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMarket(t)
			s := m.settles(shared(m.onPostgres()), wei(1000))
			// A transaction before that the books do not know, so that a TxNonce too low is somebody's.
			_, err := s.earner.account.Transfer(t.Context(), s.payer.address(), wei(0))
			m.no(err)
			now, err := m.client.Balance(t.Context(), s.earner.address())
			m.no(err)
			s.before = now
			s.win(2)
			node := s.node()
			node.Spoil(chaintest.Counting(c.by))
			r := s.over(node.URL())
			stop := s.running(r.Run)
			s.eventually("it was sent", func() bool { return len(node.Sent()) > 0 })
			s.win(2)
			seen := node.Calls("eth_getTransactionCount")
			s.eventually("the lie was heard often", func() bool { return node.Calls("eth_getTransactionCount") > seen+40 })
			node.Spoil(nil)
			s.eventually("everything is redeemed", func() bool { return s.redeemed(r) })
			stop()
			st := s.statsOf(r)
			used, err := m.client.TxNonce(t.Context(), s.earner.address())
			m.no(err)
			if st.Lost != 0 || s.earner.balance() != wei(4000) || used != 1+st.Txs+c.fills {
				t.Errorf("%+v, %d transactions, %s wei on chain: want 4 winners paid, and %d transfers besides", st, used, s.earner.balance(), c.fills)
			}
			spent, err := m.client.Balance(t.Context(), s.earner.address())
			m.no(err)
			if c.fills == 0 {
				s.balanced(s.open(), wei(0))
			} else if gas := s.before.Sub(spent); !st.GasWei.Less(gas) {
				t.Errorf("gas cost %s, the books say %s: the fills cost nothing?", gas, st.GasWei)
			}
		})
	}
}

// What was mined before is remembered over a restart: a node that is behind by then does not make it use a TxNonce again.
func TestSettle_remembersItsTxNoncesOverARestart(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	s := m.settles(shared(m.onSQLite()), wei(1000))
	s.win(1)
	s.run(s.over(s.node().URL()))
	s.win(1)
	node := s.node()
	node.Spoil(chaintest.Counting(-1))
	restarted := s.over(node.URL())
	s.run(restarted)
	for _, tx := range node.Sent() {
		if tx.Nonce() != 1 {
			t.Errorf("TxNonce %d was used a second time", tx.Nonce())
		}
	}
	s.balanced(s.open(), wei(0))
}

func TestSettle_sendsAgainWhatANodeDropped(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	s := m.settles(shared(m.onPostgres()), wei(1000))
	s.win(2)
	node := s.node()
	node.Spoil(chaintest.Dropping(3))
	r := s.over(node.URL())
	s.run(r)
	sent := node.Sent()
	if len(sent) < 4 {
		t.Errorf("sent %d times, want the three that were dropped and one more", len(sent))
	}
	for _, tx := range sent {
		if tx.Hash() != sent[0].Hash() {
			t.Error("another transaction was made where the same had to be sent again")
		}
	}
	s.balanced(s.open(), wei(0))
}

func TestSettle_isPaidOnceByANodeThatDoublesTransactions(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	s := m.settles(shared(m.onPostgres()), wei(1000))
	s.win(2)
	node := s.node()
	node.Spoil(chaintest.Doubling)
	r := s.over(node.URL())
	s.run(r)
	s.balanced(s.open(), wei(0))
	if st := s.statsOf(r); st.Txs != 1 {
		t.Errorf("%d transactions, want 1", st.Txs)
	}
}

// The first transaction is lost, and the node says that its TxNonce is used: it is given up and its winners sent again. Then
// the lost one turns up and is mined first.
func TestSettle_countsATransactionItHadGivenUp(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	s := m.settles(shared(m.onPostgres()), wei(1000))
	s.win(2)
	node := s.node()
	node.Spoil(chaintest.Dropping(1000))
	r := s.over(node.URL())
	stop := s.running(r.Run)
	s.eventually("it was sent", func() bool { return len(node.Sent()) > 0 })
	lost := node.Sent()[0]
	dropping := chaintest.Dropping(1000)
	node.Spoil(func(c *chaintest.Call) (json.RawMessage, bool) {
		if c.Method == "eth_getTransactionCount" {
			return chaintest.Counting(1)(c)
		}
		return dropping(c)
	})
	s.eventually("another was sent", func() bool { all := node.Sent(); return all[len(all)-1].Hash() != lost.Hash() })
	raw, err := lost.MarshalBinary()
	m.no(err)
	m.no(s.earner.account.Broadcast(t.Context(), raw))
	s.eventually("the lost one is mined", func() bool { return s.earner.balance() == wei(2000) })
	node.Spoil(nil)
	s.eventually("everything is redeemed", func() bool { return s.redeemed(r) })
	s.eventually("the second one is through", func() bool {
		sent, err := s.open().Sent(t.Context())
		m.no(err)
		return len(sent) == 0
	})
	stop()
	s.balanced(s.open(), wei(0)) // the second one paid nothing, and what it cost is written down
}

func TestSettle_pausesWhileGasIsDearAndGoesOnByItself(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	face := wei(5e15) // some ten times what a redemption costs at the dev chain's first base fee
	s := m.settles(shared(m.onPostgres()), face)
	node := s.node()
	node.Spoil(chaintest.Dear(100))
	r := s.over(node.URL(), func(c *payment.RecipientConfig) { c.MaxGasPercent = 50 })
	s.win(3)
	stop := s.running(r.Run)
	s.eventually("the price was asked for", func() bool { return node.Calls("eth_maxPriorityFeePerGas") > 5 })
	if n := len(node.Sent()); n != 0 {
		t.Errorf("%d transactions while gas costs more than they pay", n)
	}
	// Streams go on meanwhile: nothing waits for the chain, and a drain does not either.
	s.win(1)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	m.no(s.over(node.URL(), func(c *payment.RecipientConfig) { c.MaxGasPercent = 50 }).Drain(ctx))
	if st := s.statsOf(r); st.PendingWinners != 4 || st.Lost != 0 {
		t.Errorf("stats %+v, want four winners waiting", st)
	}
	node.Spoil(nil)
	s.eventually("everything is redeemed", func() bool { return s.redeemed(r) })
	stop()
	s.balanced(s.open(), wei(0))
	if st := s.statsOf(r); !st.GasWei.Less(face.Mul(4).Div(2)) {
		t.Errorf("gas cost %s of %s", st.GasWei, face.Mul(4))
	}
}

func TestSettle_paysDearlyOnceTicketsAreAboutToExpire(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	s := m.settles(shared(m.onPostgres()), wei(5e15))
	s.win(3) // their tickets live for half an hour
	node := s.node()
	// Gas for about half of what they pay, where a tenth is allowed: it may cost all only near the end.
	price, err := s.earner.account.GasCost(t.Context(), 300_000)
	m.no(err)
	node.Spoil(chaintest.Dear(wei(75e14).Uint64() / price.Uint64()))
	long := func(c *payment.RecipientConfig) { c.MaxGasPercent = 10 }
	short := func(c *payment.RecipientConfig) { c.MaxGasPercent = 10; c.TicketLifetime = 3 * time.Hour } // half an hour is its last quarter
	r := s.over(node.URL(), long)
	m.drain(r)
	if n := len(node.Sent()); n != 0 {
		t.Fatalf("%d transactions for more than 10 percent of what they pay", n)
	}
	m.drain(s.over(node.URL(), short))
	if !s.redeemed(r) {
		t.Errorf("stats %+v, want everything redeemed before it expires", s.statsOf(r))
	}
	s.balanced(s.open(), wei(0))
}
