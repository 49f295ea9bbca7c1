package payment_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/chain/devchain"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/migrations"
)

// noted collects events.
type noted struct {
	mu     sync.Mutex
	events []protocol.Event
}

func (n *noted) add(e protocol.Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.events = append(n.events, e)
}

func (n *noted) kinds() (out []protocol.EventKind) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, e := range n.events {
		out = append(out, e.Kind)
	}
	return out
}

func TestTreasury_takesBackWhatNobodyWantsAndKeepsWhatIsWantedAgain(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, staying, left := m.party(), m.party(), m.party()
	_, err := m.escrow.Deposit(t.Context(), payer.account, wei(2000))
	m.no(err)
	s := payer.spender(newWire(nil))
	var events noted
	now := time.Now()
	var mu sync.Mutex
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	later := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = now.Add(d) }
	begin := func() *payment.Treasury { // every time a new process
		return payment.NewTreasury(m.escrow, payer.account, events.add, m.log).Keep(payment.Keeping{Store: pgstore.Payer(s.pool), RetireAfter: time.Hour, Now: clock})
	}
	tr := begin()
	m.no(tr.Ensure(t.Context(), staying.address(), wei(1000)))
	m.no(tr.Ensure(t.Context(), left.address(), wei(1000)))
	later(59 * time.Minute)
	m.no(tr.Ensure(t.Context(), staying.address(), wei(1000)))
	run := func(tr *payment.Treasury, kind protocol.EventKind) {
		t.Helper()
		stop := m.running(tr.Run)
		m.eventually(string(kind), func() bool { return slices.Contains(events.kinds(), kind) })
		stop()
	}
	later(2 * time.Minute)
	run(begin(), protocol.AllocationThawing)
	a, err := m.escrow.Allocation(t.Context(), payer.address(), left.address())
	m.no(err)
	if a.Amount != wei(1000) || a.Thawing != wei(1000) {
		t.Errorf("the one that left has %+v, want all of it thawing", a)
	}
	if a, err = m.escrow.Allocation(t.Context(), payer.address(), staying.address()); err != nil || a.Credit() != wei(1000) {
		t.Errorf("the one that stays has %+v, %v", a, err)
	}
	// It comes back before the thaw is over: there is no balance, so the thaw is taken back.
	m.no(begin().Ensure(t.Context(), left.address(), wei(1000)))
	if a, err = m.escrow.Allocation(t.Context(), payer.address(), left.address()); err != nil || a.Credit() != wei(1000) {
		t.Errorf("wanted again it has %+v, %v; want the thaw taken back", a, err)
	}
	if gone, err := tr.Retire(t.Context(), staying.address()); gone || err != nil {
		t.Errorf("a thaw of an hour was over at once: %v", err)
	}
	if gone, err := tr.Retire(t.Context(), staying.address()); gone || err != nil {
		t.Errorf("released before the thaw's end: %v", err)
	}
}

// A thaw of a second is over within a test.
func TestTreasury_releasesWhatHasThawed(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	address, _, err := m.rich.Deploy(t.Context(), time.Second)
	m.no(err)
	m.escrow, err = chain.NewEscrow(t.Context(), m.client, address)
	m.no(err)
	payer, left := m.party(), m.party()
	payer.backs(left.address(), wei(700), wei(300))
	tr := payment.NewTreasury(m.escrow, payer.account, nil, m.log)
	m.eventually("it is released", func() bool {
		gone, err := tr.Retire(t.Context(), left.address())
		m.no(err)
		_, err = m.rich.Transfer(t.Context(), payer.address(), wei(1)) // the chain's time goes on with its blocks
		m.no(err)
		return gone
	})
	if got := payer.balance(); got != wei(1000) {
		t.Errorf("balance %s, want all of it back", got)
	}
}

func TestTreasury_warnsBeforeMoneyRunsOut(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	payer, earner := m.party(), m.party()
	_, err := m.escrow.Deposit(t.Context(), payer.account, wei(100_000))
	m.no(err)
	s := payer.spender(newWire(nil))
	var events noted
	now := time.Now()
	tr := payment.NewTreasury(m.escrow, payer.account, events.add, m.log).Keep(payment.Keeping{Store: pgstore.Payer(s.pool), WarnBelow: 5 * time.Hour,
		Now: func() time.Time { return now }})
	m.no(tr.Ensure(t.Context(), earner.address(), wei(40_000)))
	f, err := tr.Look(t.Context())
	m.no(err)
	if f.BalanceWei != wei(60_000) || f.AllocatedWei != wei(40_000) || f.Low || f.RunwayHours != 365*24 {
		t.Errorf("before anything is spent: %+v", f)
	}
	s.pay(earner.address(), wei(10_000))
	now = now.Add(30 * time.Minute) // 10,000 in half an hour: 100,000 last five hours
	if f, err = tr.Look(t.Context()); err != nil || f.RunwayHours < 4.9 || f.RunwayHours > 5.1 || f.SpentHourWei != wei(10_000) || f.SpentDayWei != wei(10_000) {
		t.Errorf("%+v, %v; want a runway of 5 h", f, err)
	}
	s.pay(earner.address(), wei(10_000))
	for range 3 {
		f, err = tr.Look(t.Context())
		m.no(err)
	}
	if !f.Low || f.RunwayHours > 2.6 || tr.Funds() != f {
		t.Errorf("%+v, want it low", f)
	}
	low := 0
	for _, e := range events.events {
		if e.Kind == protocol.FundsLow {
			low++
			if !strings.Contains(e.Detail, "kinora wallet deposit") || e.Wei == nil || *e.Wei != wei(100_000) {
				t.Errorf("the warning says %+v", e)
			}
		}
	}
	if low != 1 {
		t.Errorf("warned %d times, want once", low)
	}
	// An hour without spending: nothing runs out.
	now = now.Add(61 * time.Minute)
	if f, err = tr.Look(t.Context()); err != nil || f.Low || f.SpentDayWei != wei(20_000) {
		t.Errorf("%+v, %v", f, err)
	}
}

// killing is a journal whose process ends once it has written something down.
type killing struct{ chain.Journal }

func (k killing) Take(ctx context.Context, a common.Address, prepare func([]chain.Prepared) (chain.Prepared, bool, error)) error {
	if err := k.Journal.Take(ctx, a, prepare); err != nil {
		return err
	}
	return errKilled
}

// Two replicas share an account and a database. Whatever they send at the same moment, each transaction gets a nonce of its
// own, also while nothing of it is in a block, and one that was written down and never sent holds up nothing.
func TestTreasury_ofTwoReplicasTakesEachTxNonceOnce(t *testing.T) {
	t.Parallel()
	rich := newKey(t)
	dev, err := devchain.Start(t.Context(), devchain.Options{Period: time.Second, Prefund: map[common.Address]protocol.Wei{rich.Address(): ether(1_000_000)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dev.Close() })
	m := marketOn(t, dev.URL(), rich)
	payer := m.party()
	_, err = m.escrow.Deposit(t.Context(), payer.account, wei(100_000))
	m.no(err)
	url := pgtest.URL(t)
	m.no(migrations.Postgres(t.Context(), url, "payer"))
	replica := func() (*payment.Treasury, chain.Journal) {
		pool := pgtest.Open(t, url)
		client, err := chain.Dial(t.Context(), m.url)
		m.no(err)
		t.Cleanup(client.Close)
		journal := pgstore.Journal(pool)
		return payment.NewTreasury(m.escrow, chain.NewAccount(client, payer.key).SharedBy(journal), nil, m.log).
			Keep(payment.Keeping{Store: pgstore.Payer(pool)}), journal
	}
	first, err := m.client.TxNonce(t.Context(), payer.address())
	m.no(err)

	// A third replica is killed between writing a transaction down and sending it.
	_, journal := replica()
	if _, err := chain.NewAccount(m.client, payer.key).SharedBy(killing{journal}).Transfer(t.Context(), rich.Address(), wei(1)); !errors.Is(err, errKilled) {
		t.Fatalf("it went on: %v", err)
	}

	const each = 4
	var sending sync.WaitGroup
	for range 2 {
		tr, _ := replica()
		for range each {
			recipient := newKey(t).Address()
			sending.Go(func() {
				if err := tr.Ensure(t.Context(), recipient, wei(1000)); err != nil {
					t.Errorf("%s: %v", recipient, err)
				}
			})
		}
	}
	sending.Wait()
	last, err := m.client.TxNonce(t.Context(), payer.address())
	m.no(err)
	if last != first+2*each+1 {
		t.Errorf("%d transactions were mined, want %d and the one that was never sent", last-first, 2*each)
	}
	if left := payer.balance(); left != wei(100_000-2*each*1000) {
		t.Errorf("%s wei are left", left)
	}
}
