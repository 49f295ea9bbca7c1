package payment_test

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/kinora/kinora/internal/chain/chaintest"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/pgcluster"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
	"github.com/kinora/kinora/migrations"
)

// onAnvil is a market on a chain whose blocks can be taken back and whose clock is off by skew.
func onAnvil(t *testing.T, skew time.Duration) (*market, *chaintest.Anvil) {
	t.Helper()
	rich := newKey(t)
	a := chaintest.NewAnvil(t, skew, rich.Address(), ether(1_000_000))
	return marketOn(t, a.URL, rich), a
}

func confirmed(blocks uint64) func(*payment.RecipientConfig) {
	return func(c *payment.RecipientConfig) { c.Confirmations = blocks }
}

func TestSettle_redeemsAgainWhatAReorganisationTookBack(t *testing.T) {
	t.Parallel()
	for _, depth := range []uint64{1, 5} {
		t.Run(fmt.Sprint(depth), func(t *testing.T) {
			t.Parallel()
			m, anvil := onAnvil(t, 0)
			s := m.settles(shared(m.onPostgres()), wei(1000))
			anvil.Mine(10) // what backs the payer stays
			s.win(3)
			r := s.over(m.url, confirmed(6))
			stop := s.running(r.Run)
			mined := func() bool {
				sent, err := s.open().Sent(t.Context())
				m.no(err)
				return len(sent) == 1 && sent[0].Mined != nil
			}
			s.eventually("the redemption is mined", mined)
			anvil.Mine(depth - 1) // the redemption is depth blocks deep
			if st := s.statsOf(r); st.Redeemed != 0 || st.PendingWinners != 3 {
				t.Errorf("stats %+v: nothing is final yet", st)
			}
			before, err := s.open().Sent(t.Context())
			m.no(err)
			stop()
			anvil.Reorg(depth)
			if got := s.earner.balance(); !got.IsZero() {
				t.Fatalf("balance %s: the reorganisation took nothing back", got)
			}
			// One process notices, the next one may be another.
			stop = s.running(s.over(m.url, confirmed(6)).Run)
			s.eventually("it is mined in another block", func() bool {
				sent, err := s.open().Sent(t.Context())
				m.no(err)
				return len(sent) == 1 && sent[0].Mined != nil && sent[0].Mined.Hash != before[0].Mined.Hash
			})
			anvil.Mine(6)
			s.eventually("everything is redeemed", func() bool { return s.redeemed(r) })
			stop()
			s.balanced(s.open(), wei(0))
		})
	}
}

// The block goes while the process that would notice dies before and after it writes that down.
func TestSettle_killedWhileAReorganisationIsNotedPaysOnce(t *testing.T) {
	t.Parallel()
	m, anvil := onAnvil(t, 0)
	s := m.settles(shared(m.onPostgres()), wei(1000))
	anvil.Mine(10)
	store := s.open()
	for _, at := range steps([]string{"Unmine"}, 1) {
		s.win(2)
		m.drain(s.over(m.url, deep))
		anvil.Reorg(1)
		d := s.doomed(store, at, nil, deep)
		d.settle()
		if !d.died() {
			t.Errorf("no process died %s; it saw %v", at, d.seen)
		}
		d.close()
		s.inherited(store, at)
	}
	s.balanced(store, wei(0))
}

// Gas rises between signing and mining: the transaction stays behind, and one with higher fees takes its place.
func TestSettle_replacesATransactionThatGasOutran(t *testing.T) {
	t.Parallel()
	m, anvil := onAnvil(t, 0)
	s := m.settles(shared(m.onPostgres()), wei(1e16))
	s.win(2)
	anvil.Do("evm_setAutomine", false)
	node := s.node()
	r := s.over(node.URL(), func(c *payment.RecipientConfig) { c.MaxGasPercent = 50; c.Pace.SpeedAfter = 100 * time.Millisecond })
	stop := s.running(r.Run)
	s.eventually("it was sent", func() bool { return len(node.Sent()) > 0 })
	first := node.Sent()[0]
	dearer := first.GasFeeCap().Uint64() * 2
	anvil.Do("anvil_setNextBlockBaseFeePerGas", fmt.Sprintf("0x%x", dearer))
	anvil.Mine(1)
	s.eventually("its fees were raised above the base fee", func() bool {
		all := node.Sent()
		last := all[len(all)-1]
		return last.GasFeeCap().Uint64() > dearer && last.Nonce() == first.Nonce()
	})
	anvil.Do("evm_setAutomine", true)
	anvil.Mine(1)
	s.eventually("everything is redeemed", func() bool { return s.redeemed(r) })
	stop()
	s.balanced(s.open(), wei(0))
	if st := s.statsOf(r); st.Txs != 1 {
		t.Errorf("%d transactions, want 1", st.Txs)
	}
}

func TestSettle_bearsAClockTwoMinutesOff(t *testing.T) {
	t.Parallel()
	for name, skew := range map[string]time.Duration{"ahead": 2 * time.Minute, "behind": -2 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, anvil := onAnvil(t, skew)
			head, err := m.client.Head(t.Context())
			m.no(err)
			if off := time.Unix(int64(head.Time), 0).Sub(time.Now().Add(skew)).Abs(); off > time.Minute {
				t.Fatalf("the chain's clock is off by %s besides", off)
			}
			s := m.settles(shared(m.onPostgres()), wei(1000))
			s.win(3)
			r := s.over(m.url, confirmed(1))
			stop := s.running(r.Run)
			s.eventually("the redemption is mined", func() bool { return s.earner.balance() == wei(3000) })
			anvil.Mine(1)
			s.eventually("everything is redeemed", func() bool { return s.redeemed(r) })
			stop()
			s.balanced(s.open(), wei(0))
		})
	}
}

// restartable is a Postgres that can be restarted under the pools that use it.
type restartable struct {
	dir     string
	sockets atomic.Pointer[string]
	cluster *pgcluster.Cluster
}

func (p *restartable) start(t *testing.T) {
	t.Helper()
	c, err := pgcluster.Start(context.WithoutCancel(t.Context()), pgcluster.Options{Dir: p.dir, Throwaway: true})
	if err != nil {
		t.Fatal(err)
	}
	p.cluster = c
	config, err := pgx.ParseConfig(c.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	p.sockets.Store(&config.Host)
}

// stopAt stops the database in the middle of a transaction: once, when a statement begins with the words it is given.
type stopAt struct {
	mu    sync.Mutex
	words string
	stop  func()
}

func (s *stopAt) at(words string, stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.words, s.stop = words, stop
}

func (s *stopAt) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop != nil && strings.HasPrefix(q.SQL, s.words) {
		s.stop()
		s.stop = nil
	}
	return ctx
}

func (*stopAt) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func TestSettle_bearsADatabaseRestartMidTransaction(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	p := &restartable{dir: filepath.Join(t.TempDir(), "pg")}
	p.start(t)
	t.Cleanup(func() { p.cluster.Stop() })
	m.no(p.cluster.CreateDatabase(t.Context(), "restarted"))
	url := p.cluster.URL("restarted")
	m.no(migrations.Postgres(t.Context(), url, "recipient"))
	config, err := pgxpool.ParseConfig(url)
	m.no(err)
	config.ConnConfig.DialFunc = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", *p.sockets.Load()+"/.s.PGSQL.5432")
	}
	trace := &stopAt{}
	config.ConnConfig.Tracer = trace
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	m.no(err)
	t.Cleanup(pool.Close)
	s := m.settles(shared(func() payment.Store { return pgstore.Recipient(pool) }), wei(1000))
	for _, words := range []string{ // the last statements of Submit, of Mine and of Finalise
		"INSERT INTO recipient_redemption_winners",
		"UPDATE recipient_winners SET state = 'mined'",
		"UPDATE recipient_lanes SET redeemed",
	} {
		s.win(2)
		down := make(chan struct{})
		trace.at(words, func() { p.cluster.Stop(); close(down) })
		r := s.over(m.url)
		stop := s.running(r.Run)
		<-down
		p.start(t)
		s.eventually("everything is redeemed", func() bool {
			st, err := r.Stats(t.Context())
			return err == nil && st.Redeemed == s.paid
		})
		stop()
		if st := s.statsOf(r); st.Txs != s.paid/2 {
			t.Errorf("stopped at %q: %d transactions, want %d", words, st.Txs, s.paid/2)
		}
	}
	s.balanced(s.open(), wei(0))
}

func TestSettle_twoSettlersOfOneDatabaseSendNoTicketTwice(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	open := m.onPostgres()
	s := m.settles(open, wei(1000))
	one, two := s.node(), s.node()
	small := func(c *payment.RecipientConfig) { c.Pace.BatchTickets = 2 }
	r := s.over(one.URL(), small)
	for _, run := range []func(context.Context) error{r.Run, s.over(two.URL(), small).Run} {
		s.running(run)
	}
	for range 6 {
		s.win(3)
	}
	s.eventually("everything is redeemed", func() bool { return s.redeemed(r) })
	s.eventually("everything is final", func() bool { sent, err := s.open().Sent(t.Context()); m.no(err); return len(sent) == 0 })
	s.balanced(s.open(), wei(0))
	txs := map[string]bool{}
	for _, tx := range append(one.Sent(), two.Sent()...) {
		txs[tx.Hash().Hex()] = true
	}
	used, err := m.client.TxNonce(t.Context(), s.earner.address())
	m.no(err)
	if st := s.statsOf(r); uint64(len(txs)) != st.Txs || used != st.Txs || st.Txs < 9 {
		t.Errorf("%d transactions sent, %d mined, %d in the books; want the same, and two tickets in each at most", len(txs), used, st.Txs)
	}
}

// Two lanes begin with a ticket that the chain refuses: the batch is halved until they are found, and what stands behind
// them is paid.
func TestSettle_findsTheBadTicketsOfABatch(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	s := m.settles(shared(m.onPostgres()), wei(1000))
	r := s.earner.recipient(s.open(), m.escrow, hasty)
	s.wire.connect(s.earner.address(), r)
	for _, name := range []string{"one", "two"} {
		params, err := r.Params(t.Context(), s.payer.address(), name, s.face)
		m.no(err)
		set, ok, err := s.open().SetByRandHash(t.Context(), [32]byte(params.Message.RecipientRandHash))
		m.no(err)
		if !ok {
			t.Fatal("the set is not there")
		}
		hasher := ticket.Domain{ChainID: m.domain.ChainID, Escrow: m.domain.Escrow}.Hasher()
		var arrivals []payment.Arrival
		for n := range uint64(3) {
			signer := s.payer.key
			if n == 0 {
				signer = newKey(t) // as if it had not been checked
			}
			signed, err := hasher.Sign(signer, ticket.Ticket{Payer: signer.Address(), Recipient: s.earner.address(), Lane: set.Lane, TicketNonce: n + 1,
				FaceValue: set.FaceValue, WinProb: 1<<64 - 1, Expiry: set.Expiry, RecipientRandHash: set.RandHash, Salt: n})
			m.no(err)
			signed.Payer = s.payer.address()
			arrivals = append(arrivals, payment.Arrival{Attempt: protocol.NewID(), Ticket: signed, Digest: hasher.Digest(signed.Ticket), SetSerial: set.Serial, Won: true})
		}
		_, err = s.open().Accept(t.Context(), arrivals, time.Now())
		m.no(err)
	}
	m.drain(r)
	if st := s.statsOf(r); st.Redeemed != 4 || st.Lost != 2 || st.PendingWinners != 0 || s.earner.balance() != wei(4000) {
		t.Errorf("stats %+v, %s wei on chain: want four paid and two lost", st, s.earner.balance())
	}
}

// A queue on many lanes is sent in transactions that the chain can take: a lane that never paid before costs ten times as
// much gas as one more ticket of a lane.
func TestSettle_sendsNoMoreLanesInATransactionThanItsGasAllows(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	s := m.settles(shared(m.onPostgres()), wei(1000))
	node := s.node()
	r := s.over(node.URL(), func(c *payment.RecipientConfig) { c.Pace.BatchRuns = 3 })
	hasher := ticket.Domain{ChainID: m.domain.ChainID, Escrow: m.domain.Escrow}.Hasher()
	for i := range 8 {
		params, err := r.Params(t.Context(), s.payer.address(), fmt.Sprint("s", i), s.face)
		m.no(err)
		p := params.Message
		signed, err := hasher.Sign(s.payer.key, ticket.Ticket{Payer: s.payer.address(), Recipient: s.earner.address(), Lane: p.Lane, TicketNonce: 1, FaceValue: p.FaceValue,
			WinProb: 1<<64 - 1, Expiry: p.Expiry, RecipientRandHash: [32]byte(p.RecipientRandHash)})
		m.no(err)
		answer, err := r.Accept(t.Context(), payment.Delivery{Payer: s.payer.address(), Recipient: s.earner.address(), Tickets: []payment.Paid{{Attempt: protocol.NewID(), Ticket: signed}}})
		m.no(err)
		if answer.Results[0].Code != "" {
			t.Fatalf("ticket %d: %+v", i, answer.Results[0])
		}
		s.paid++
	}
	m.drain(r)
	s.balanced(s.open(), wei(0))
	if st := s.statsOf(r); st.Txs != 3 || len(node.Sent()) != 3 {
		t.Errorf("%d transactions in the books, %d sent; want eight lanes in three", st.Txs, len(node.Sent()))
	}
}
