package payment_test

import (
	"time"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/chain/chaintest"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
)

// settlement is one payer whose every ticket wins, and an earner that settles, perhaps over nodes that misbehave.
type settlement struct {
	*market
	payer, earner *party
	open          func() payment.Store
	spender       *spender
	wire          *wire
	face          protocol.Wei
	before        protocol.Wei // the earner's money for gas
	paid          uint64
}

// settles makes a settlement whose tickets are worth face wei each.
func (m *market) settles(open func() payment.Store, face protocol.Wei) *settlement {
	m.Helper()
	s := &settlement{market: m, payer: m.party(), earner: m.party(), open: open, wire: newWire(nil), face: face}
	s.payer.backs(s.earner.address(), face.Mul(1000), wei(0))
	s.spender = s.payer.spender(s.wire)
	var err error
	s.before, err = m.client.Balance(m.Context(), s.earner.address())
	m.no(err)
	return s
}

// win makes n winners in a set that is closed.
func (s *settlement) win(n int) {
	s.Helper()
	r := s.earner.recipient(s.open(), s.escrow)
	s.wire.connect(s.earner.address(), r)
	s.spender.use(r, s.face)
	for range n {
		s.spender.pay(s.earner.address(), s.face)
	}
	s.no(s.spender.EndStream(s.Context(), stream))
	s.paid += uint64(n)
}

// hasty looks and tries again often.
func hasty(c *payment.RecipientConfig) {
	c.Pace = payment.Pace{Every: 20 * time.Millisecond, RetryAfter: 50 * time.Millisecond, RetryAtMost: 500 * time.Millisecond,
		ResendAfter: 100 * time.Millisecond, SpeedAfter: time.Minute, DropAfter: 300 * time.Millisecond, FillAfter: 300 * time.Millisecond}
}

// over is the earner's side with the chain reached at urls.
func (s *settlement) over(urls string, options ...func(*payment.RecipientConfig)) *payment.Recipient {
	s.Helper()
	client, err := chain.Dial(s.Context(), urls, chain.CallTimeout(2*time.Second))
	s.no(err)
	s.Cleanup(client.Close)
	escrow, err := chain.NewEscrow(s.Context(), client, s.escrow.Address())
	s.no(err)
	account := chain.NewAccount(client, s.earner.key)
	return s.earner.recipient(s.open(), escrow, append([]func(*payment.RecipientConfig){hasty,
		func(c *payment.RecipientConfig) { c.Account = account }}, options...)...)
}

func (s *settlement) node() *chaintest.Node { return chaintest.NewNode(s, s.url) }

// block makes blocks by sending something.
func (s *settlement) block(n int) {
	s.Helper()
	for range n {
		_, err := s.rich.Transfer(s.Context(), s.payer.address(), wei(1))
		s.no(err)
	}
}

func (s *settlement) redeemed(r *payment.Recipient) bool { return s.statsOf(r).Redeemed == s.paid }

// balanced compares the books with the chain to the wei: every winner is paid once, nothing is lost or under way, and the
// earner spent on gas what is written down, besides other.
func (s *settlement) balanced(store payment.Store, other protocol.Wei) {
	s.Helper()
	st, err := store.Stats(s.Context(), time.Now())
	s.no(err)
	want := s.face.Mul(s.paid)
	if st.Won != s.paid || st.Redeemed != s.paid || st.Lost != 0 || st.PendingWinners != 0 || st.EarnedWei != want {
		s.Errorf("books %+v, want all of %d winners paid", st, s.paid)
	}
	if got := s.earner.balance(); got != want {
		s.Errorf("the chain has paid %s, want %s", got, want)
	}
	if got := s.payer.allocated(s.earner).Add(s.payer.balance()); got != s.face.Mul(1000).Sub(want) {
		s.Errorf("the payer has %s left, want %s", got, s.face.Mul(1000).Sub(want))
	}
	now, err := s.client.Balance(s.Context(), s.earner.address())
	s.no(err)
	if spent := s.before.Sub(now); spent != st.GasWei.Add(other) {
		s.Errorf("gas cost %s, the books say %s and %s besides", spent, st.GasWei, other)
	}
	if sent, err := store.Sent(s.Context()); err != nil || len(sent) != 0 {
		s.Errorf("%d redemptions are not final: %v", len(sent), err)
	}
}

// run settles until everything is redeemed.
func (s *settlement) run(r *payment.Recipient) {
	s.Helper()
	stop := s.running(r.Run)
	s.eventually("everything is redeemed", func() bool { return s.redeemed(r) })
	stop()
}
