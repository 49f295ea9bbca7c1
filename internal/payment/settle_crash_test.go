package payment_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/chain/chaintest"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
)

// crash kills a process at a step: before or after anything that leaves it, to the store or to the chain. What was done
// stays done, and nothing is done after.
type crash struct {
	mu   sync.Mutex
	at   string         // the step it dies at, and the how manieth time
	seen map[string]int // how often each step was reached
	gone bool
	kill context.CancelFunc
}

// dead takes a step and reports whether the process is gone.
func (c *crash) dead(step string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return true
	}
	c.seen[step]++
	if fmt.Sprint(step, " ", c.seen[step]) == c.at {
		c.gone = true
		c.kill()
	}
	return c.gone
}

func (c *crash) died() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gone
}

// spoil is the process's way to the chain.
func (c *crash) spoil(call *chaintest.Call, spoil chaintest.Spoil) (json.RawMessage, bool) {
	if c.dead("before " + call.Method) {
		return nil, false
	}
	if spoil == nil {
		spoil = (*chaintest.Call).Forward
	}
	r, ok := spoil(call)
	if c.dead("after " + call.Method) {
		return nil, false
	}
	return r, ok
}

// doomedStore is a store whose process may die around each of its calls.
type doomedStore struct {
	payment.Store
	*crash
}

func act[T any](c *crash, name string, f func() (T, error)) (T, error) {
	var zero T
	if c.dead("before " + name) {
		return zero, errKilled
	}
	v, err := f()
	if c.dead("after " + name) {
		return zero, errKilled
	}
	return v, err
}

func do(c *crash, name string, f func() error) error {
	_, err := act(c, name, func() (struct{}, error) { return struct{}{}, f() })
	return err
}

func (m doomedStore) Lane(ctx context.Context, payer common.Address, stream string, now time.Time, floor func(context.Context, uint16) (uint64, error)) (uint16, error) {
	return act(m.crash, "Lane", func() (uint16, error) { return m.Store.Lane(ctx, payer, stream, now, floor) })
}
func (m doomedStore) AddSet(ctx context.Context, s payment.Set, after int64) (payment.Set, error) {
	return act(m.crash, "AddSet", func() (payment.Set, error) { return m.Store.AddSet(ctx, s, after) })
}
func (m doomedStore) Hold(ctx context.Context, payer common.Address, attempt protocol.ID, budget protocol.Wei, now, until time.Time, check func(payment.Exposure) error) error {
	return do(m.crash, "Hold", func() error { return m.Store.Hold(ctx, payer, attempt, budget, now, until, check) })
}
func (m doomedStore) Owe(ctx context.Context, o payment.Owed, now time.Time) error {
	return do(m.crash, "Owe", func() error { return m.Store.Owe(ctx, o, now) })
}
func (m doomedStore) Accept(ctx context.Context, arrivals []payment.Arrival, now time.Time) ([]payment.Outcome, error) {
	return act(m.crash, "Accept", func() ([]payment.Outcome, error) { return m.Store.Accept(ctx, arrivals, now) })
}
func (m doomedStore) CloseUpTo(ctx context.Context, payer common.Address, set protocol.ID, now time.Time) (int, error) {
	return act(m.crash, "CloseUpTo", func() (int, error) { return m.Store.CloseUpTo(ctx, payer, set, now) })
}
func (m doomedStore) CloseAll(ctx context.Context, now time.Time) (int, error) {
	return act(m.crash, "CloseAll", func() (int, error) { return m.Store.CloseAll(ctx, now) })
}
func (m doomedStore) CloseDue(ctx context.Context, now time.Time) (int, error) {
	return act(m.crash, "CloseDue", func() (int, error) { return m.Store.CloseDue(ctx, now) })
}
func (m doomedStore) Exclusive(ctx context.Context, f func(context.Context) error) (bool, error) {
	return act(m.crash, "Exclusive", func() (bool, error) { return m.Store.Exclusive(ctx, f) })
}
func (m doomedStore) Sent(ctx context.Context) ([]payment.Redemption, error) {
	return act(m.crash, "Sent", func() ([]payment.Redemption, error) { return m.Store.Sent(ctx) })
}
func (m doomedStore) TxNonceFloor(ctx context.Context) (uint64, error) {
	return act(m.crash, "TxNonceFloor", func() (uint64, error) { return m.Store.TxNonceFloor(ctx) })
}
func (m doomedStore) Lanes(ctx context.Context) ([]payment.WaitingLane, error) {
	return act(m.crash, "Lanes", func() ([]payment.WaitingLane, error) { return m.Store.Lanes(ctx) })
}
func (m doomedStore) Waiting(ctx context.Context, k payment.LaneKey, limit int) ([]payment.Winner, error) {
	return act(m.crash, "Waiting", func() ([]payment.Winner, error) { return m.Store.Waiting(ctx, k, limit) })
}
func (m doomedStore) Batch(ctx context.Context, tx common.Hash) ([]payment.Winner, error) {
	return act(m.crash, "Batch", func() ([]payment.Winner, error) { return m.Store.Batch(ctx, tx) })
}
func (m doomedStore) Submit(ctx context.Context, p chain.Prepared, ws []payment.WinnerKey, now time.Time) error {
	return do(m.crash, "Submit", func() error { return m.Store.Submit(ctx, p, ws, now) })
}
func (m doomedStore) Replace(ctx context.Context, old common.Hash, p chain.Prepared, now time.Time) error {
	return do(m.crash, "Replace", func() error { return m.Store.Replace(ctx, old, p, now) })
}
func (m doomedStore) Mine(ctx context.Context, tx common.Hash, at payment.BlockRef, gas protocol.Wei, paid []payment.WinnerKey, rest []payment.Settled, now time.Time) error {
	return do(m.crash, "Mine", func() error { return m.Store.Mine(ctx, tx, at, gas, paid, rest, now) })
}
func (m doomedStore) Unmine(ctx context.Context, tx common.Hash) error {
	return do(m.crash, "Unmine", func() error { return m.Store.Unmine(ctx, tx) })
}
func (m doomedStore) Finalise(ctx context.Context, tx common.Hash, now time.Time) error {
	return do(m.crash, "Finalise", func() error { return m.Store.Finalise(ctx, tx, now) })
}
func (m doomedStore) Drop(ctx context.Context, tx common.Hash, now time.Time) error {
	return do(m.crash, "Drop", func() error { return m.Store.Drop(ctx, tx, now) })
}
func (m doomedStore) Settle(ctx context.Context, settled []payment.Settled, now time.Time) error {
	return do(m.crash, "Settle", func() error { return m.Store.Settle(ctx, settled, now) })
}

// doomed is a process that settles until it dies at a step. Over node, if there is one.
type doomed struct {
	*payment.Recipient
	*crash
	ctx   context.Context
	close func()
}

func (s *settlement) doomed(store payment.Store, at string, spoil chaintest.Spoil, options ...func(*payment.RecipientConfig)) *doomed {
	s.Helper()
	ctx, kill := context.WithCancel(s.Context())
	c := &crash{at: at, kill: kill, seen: map[string]int{}}
	node := s.node()
	client, err := chain.Dial(ctx, node.URL())
	s.no(err)
	escrow, err := chain.NewEscrow(ctx, client, s.escrow.Address())
	s.no(err)
	node.Spoil(func(call *chaintest.Call) (json.RawMessage, bool) { return c.spoil(call, spoil) })
	account := chain.NewAccount(client, s.earner.key)
	r := s.earner.recipient(doomedStore{store, c}, escrow, append([]func(*payment.RecipientConfig){hasty,
		func(rc *payment.RecipientConfig) { rc.Account = account }}, options...)...)
	return &doomed{Recipient: r, crash: c, ctx: ctx, close: func() { kill(); client.Close() }}
}

// settles until it is dead or has nothing to do.
func (d *doomed) settle() {
	ctx, cancel := context.WithTimeout(d.ctx, time.Minute)
	defer cancel()
	_ = d.Drain(ctx)
}

func deep(c *payment.RecipientConfig) { c.Confirmations = 1 }

// steps are where a settling process can die: around everything it asks of the store and of the chain.
func steps(names []string, times int) (out []string) {
	for _, name := range names {
		for _, when := range []string{"before", "after"} {
			for n := range times {
				out = append(out, fmt.Sprintf("%s %s %d", when, name, n+1))
			}
		}
	}
	return out
}

// shards plays every step, several at once: each shard is a settlement of its own, with its own database.
func (m *market) shards(t *testing.T, n int, steps []string, open func(*market) func() payment.Store, play func(s *settlement, store payment.Store, at string)) {
	for i := range n {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			own := *m
			own.T = t
			s := own.settles(shared(open(&own)), wei(1000))
			store := s.open()
			for at := i; at < len(steps); at += n {
				play(s, store, steps[at])
				if t.Failed() {
					return
				}
			}
			s.balanced(store, wei(0))
			used, err := m.client.TxNonce(t.Context(), s.earner.address())
			s.no(err)
			if st, err := store.Stats(t.Context(), time.Now()); err != nil || st.Txs != used {
				t.Errorf("the account sent %d transactions, the books know %d: %v", used, st.Txs, err)
			}
		})
	}
}

// inherited has another process take over and checks that every winner is paid once, by as many transactions as before and
// one more.
func (s *settlement) inherited(store payment.Store, at string) {
	s.Helper()
	heir := s.earner.recipient(store, s.escrow, hasty, deep)
	s.drain(heir)
	s.block(1)
	s.drain(heir)
	if st := s.statsOf(heir); st.Redeemed != s.paid || st.Lost != 0 || st.Txs != s.paid/2 || s.earner.balance() != s.face.Mul(s.paid) {
		s.Errorf("killed %s: %+v and %s wei on chain, want %d winners paid in %d transactions", at, st, s.earner.balance(), s.paid, s.paid/2)
	}
}

var reads = []string{"CloseAll", "CloseDue", "Exclusive", "Sent", "TxNonceFloor", "Lanes", "Waiting", "Batch", "eth_blockNumber", "eth_call", "eth_getBlockByNumber",
	"eth_maxPriorityFeePerGas", "eth_estimateGas", "eth_getTransactionReceipt"}

// A settling process dies at each step of a redemption, from the first look to its being final, and another takes over.
func TestSettle_killedAtAnyStepLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	writes := []string{"Submit", "eth_sendRawTransaction", "Mine", "Finalise"}
	play := func(s *settlement, store payment.Store, at string) {
		s.win(2)
		d := s.doomed(store, at, nil, deep)
		defer d.close()
		d.settle() // to mined
		if !d.died() {
			s.block(1)
			d.settle() // to final
		}
		if !d.died() {
			s.Errorf("no process died %s; it saw %v", at, d.seen)
		}
		s.inherited(store, at)
	}
	m := newMarket(t)
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		m.shards(t, 6, append(steps(writes, 1), append(steps(reads, 1), steps([]string{"eth_getTransactionCount"}, 3)...)...), (*market).onPostgres, play)
	})
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		m.shards(t, 2, steps(writes, 1), (*market).onSQLite, play)
	})
}

// The node forgets the first transaction, so that it is replaced by one with higher fees; the process dies around that.
func TestSettle_killedAroundAReplacementPaysOnce(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	m.shards(t, 2, append(steps([]string{"Replace"}, 1), "before eth_sendRawTransaction 2", "after eth_sendRawTransaction 2"), (*market).onPostgres,
		func(s *settlement, store payment.Store, at string) {
			s.win(2)
			d := s.doomed(store, at, chaintest.Dropping(1), deep, func(c *payment.RecipientConfig) {
				c.Pace.SpeedAfter, c.Pace.ResendAfter = time.Millisecond, time.Hour
			})
			defer d.close()
			d.settle()
			if !d.died() {
				s.Errorf("no process died %s; it saw %v", at, d.seen)
			}
			s.inherited(store, at)
		})
}

// A process dies after it wrote a redemption down, something else of its account takes the TxNonce, and the next process dies
// before and after it gives the redemption up.
func TestSettle_killedAroundALostPlacePaysOnce(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	s := m.settles(shared(m.onPostgres()), wei(1000))
	store := s.open()
	var other protocol.Wei
	for _, at := range steps([]string{"Drop"}, 1) {
		s.win(2)
		first := s.doomed(store, "after Submit 1", nil, deep)
		first.settle()
		first.close()
		r, err := s.earner.account.Transfer(t.Context(), s.payer.address(), wei(0))
		m.no(err)
		other = other.Add(r.Cost)
		s.block(1) // so that it is as deep as its own receipt would have to be
		d := s.doomed(store, at, nil, deep)
		d.settle()
		d.close()
		if !first.died() || !d.died() {
			t.Errorf("no process died %s; it saw %v", at, d.seen)
		}
		s.inherited(store, at)
	}
	s.balanced(store, other)
}

// shared opens a store once.
func shared(open func() payment.Store) func() payment.Store {
	store := open()
	return func() payment.Store { return store }
}
