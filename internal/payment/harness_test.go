package payment_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/chain/devchain"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/payment/litestore"
	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
	"github.com/kinora/kinora/migrations"
)

const stream = "show"

func wei(n uint64) protocol.Wei { return protocol.NewWei(n) }

func ether(n uint64) protocol.Wei { return wei(1e18).Mul(n) }

// market is a chain with an escrow and money to give away, one per test.
type market struct {
	*testing.T
	url    string
	client *chain.Client
	escrow *chain.Escrow
	rich   *chain.Account
	domain protocol.Domain
	log    *slog.Logger
}

func newMarket(t *testing.T) *market {
	t.Helper()
	rich := newKey(t)
	c, err := devchain.Start(t.Context(), devchain.Options{Prefund: map[common.Address]protocol.Wei{rich.Address(): ether(1_000_000)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return marketOn(t, c.URL(), rich)
}

// marketOn is a market on a chain that runs, where rich has the money.
func marketOn(t *testing.T, url string, rich *protocol.KeySigner) *market {
	t.Helper()
	m := &market{T: t, url: url, log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))}
	var err error
	m.client, err = chain.Dial(t.Context(), url)
	m.no(err)
	t.Cleanup(m.client.Close)
	m.rich = chain.NewAccount(m.client, rich)
	address, _, err := m.rich.Deploy(t.Context(), time.Hour)
	m.no(err)
	m.escrow, err = chain.NewEscrow(t.Context(), m.client, address)
	m.no(err)
	m.domain = m.escrow.Domain()
	return m
}

func newKey(t testing.TB) *protocol.KeySigner {
	t.Helper()
	k, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return protocol.NewKeySigner(k)
}

func (m *market) no(err error) {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
}

// party is somebody with gas.
type party struct {
	*market
	key     *protocol.KeySigner
	account *chain.Account
}

func (m *market) party() *party {
	m.Helper()
	p := &party{market: m, key: newKey(m)}
	p.account = chain.NewAccount(m.client, p.key)
	_, err := m.rich.Transfer(m.Context(), p.address(), ether(1000))
	m.no(err)
	return p
}

func (p *party) address() common.Address { return p.key.Address() }

// backs deposits and allocates for a recipient, and leaves rest in the balance.
func (p *party) backs(recipient common.Address, amount, rest protocol.Wei) {
	p.Helper()
	_, err := p.escrow.Deposit(p.Context(), p.account, amount.Add(rest))
	p.no(err)
	_, err = p.escrow.Allocate(p.Context(), p.account, recipient, amount)
	p.no(err)
}

func (p *party) balance() protocol.Wei {
	p.Helper()
	b, err := p.escrow.Balance(p.Context(), p.address())
	p.no(err)
	return b
}

func (p *party) allocated(to *party) protocol.Wei {
	p.Helper()
	a, err := p.escrow.Allocation(p.Context(), p.address(), to.address())
	p.no(err)
	return a.Amount
}

// onPostgres and onSQLite give a recipient's store and a way to open it again.
func (m *market) onPostgres() func() payment.Store {
	url := pgtest.Migrated(m, "recipient")
	return func() payment.Store { return pgstore.Recipient(pgtest.Open(m, url)) }
}

func (m *market) onSQLite() func() payment.Store {
	file := m.sqlite()
	return func() payment.Store {
		db, err := litestore.Open(file)
		m.no(err)
		m.Cleanup(func() { db.Close() })
		return litestore.New(db)
	}
}

// sqlite gives a transcoder's file. Its migrations are run once.
func (m *market) sqlite() string {
	m.Helper()
	migrated, err := migratedFile()
	m.no(err)
	file := filepath.Join(m.TempDir(), "transcoder.db")
	m.no(os.WriteFile(file, migrated, 0o600))
	return file
}

var migratedFile = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "kinora-sqlite-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "db")
	db, err := litestore.Open(file)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(migrations.SQLite(context.Background(), db, "recipient_sqlite"), db.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

// quick are set times that suit a test.
func quick(c *payment.RecipientConfig) {
	c.Usable, c.Accept, c.Redeem, c.RestartGrace = time.Second, 3*time.Second, 3100*time.Millisecond, time.Millisecond
}

// recipient makes the earning side. Its sets live for minutes and every ticket wins unless options say otherwise.
func (p *party) recipient(store payment.Store, escrow payment.Escrow, options ...func(*payment.RecipientConfig)) *payment.Recipient {
	c := payment.RecipientConfig{Domain: p.domain, Signer: p.key, Account: p.account, FaceValueMultiple: 1, Log: p.log}
	for _, o := range options {
		o(&c)
	}
	return payment.NewRecipient(c, store, escrow)
}

// running runs something until the test ends, or stop is called.
func (m *market) running(run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(m.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := run(ctx); err != nil {
			m.Errorf("run: %v", err)
		}
	}()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	m.Cleanup(stop)
	return stop
}

// eventually waits for something to become so.
func (m *market) eventually(what string, ok func() bool) {
	m.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			m.Fatalf("still not so after a minute: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// wire carries deliveries between a payer and recipients as bytes, and can fail in every way.
type wire struct {
	mu         sync.Mutex
	recipients map[common.Address]*payment.Recipient
	seen       []payment.Delivery
	fault      func(n int) (lost, answerLost, twice bool) // of the nth delivery
	n          int
}

func newWire(fault func(n int) (lost, answerLost, twice bool)) *wire {
	return &wire{recipients: map[common.Address]*payment.Recipient{}, fault: fault}
}

func (w *wire) connect(a common.Address, r *payment.Recipient) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.recipients[a] = r
}

func (w *wire) deliveries() []payment.Delivery {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]payment.Delivery(nil), w.seen...)
}

var errWire = errors.New("connection lost")

func (w *wire) Send(ctx context.Context, recipient common.Address, d payment.Delivery) (payment.DeliveryAnswer, error) {
	w.mu.Lock()
	r := w.recipients[recipient]
	var lost, answerLost, twice bool
	if w.fault != nil {
		lost, answerLost, twice = w.fault(w.n)
	}
	w.n++
	w.mu.Unlock()
	if lost || r == nil {
		return payment.DeliveryAnswer{}, errWire
	}
	read, err := protocol.Decode[payment.Delivery](protocol.Encode(d))
	if err != nil {
		return payment.DeliveryAnswer{}, err
	}
	w.mu.Lock()
	w.seen = append(w.seen, read)
	w.mu.Unlock()
	answer, err := r.Accept(ctx, read)
	if err == nil && twice {
		answer, err = r.Accept(ctx, read)
	}
	if err != nil {
		return payment.DeliveryAnswer{}, err
	}
	if answerLost {
		return payment.DeliveryAnswer{}, errWire
	}
	return protocol.Decode[payment.DeliveryAnswer](protocol.Encode(answer))
}

// spender is the spending side with its database.
type spender struct {
	*party
	*payment.Payer
	pool *pgxpool.Pool
}

func (p *party) spender(sender payment.Sender) *spender {
	p.Helper()
	url := pgtest.Migrated(p, "payer")
	return p.spenderOn(pgtest.Open(p, url), sender)
}

func (p *party) spenderOn(pool *pgxpool.Pool, sender payment.Sender) *spender {
	return &spender{party: p, pool: pool, Payer: payment.NewPayer(payment.PayerConfig{Domain: p.domain, Signer: p.key, Log: p.log}, pgstore.Payer(pool), sender)}
}

// use gets parameters from a recipient.
func (s *spender) use(r *payment.Recipient, fee protocol.Wei) protocol.TicketParams {
	s.Helper()
	params, err := r.Params(s.Context(), s.address(), stream, fee)
	s.no(err)
	s.no(s.Use(s.Context(), stream, params))
	return params.Message
}

// pay pays for a new attempt.
func (s *spender) pay(recipient common.Address, fee protocol.Wei) (protocol.ID, payment.PayResult) {
	s.Helper()
	id := protocol.NewID()
	return id, s.payFor(recipient, id, fee)
}

func (s *spender) payFor(recipient common.Address, attempt protocol.ID, fee protocol.Wei) (r payment.PayResult) {
	s.Helper()
	s.no(pgx.BeginFunc(s.Context(), s.pool, func(tx pgx.Tx) (err error) {
		r, err = s.PayTx(s.Context(), tx, payment.Order{Recipient: recipient, Stream: stream, Attempt: attempt, Fee: fee})
		return err
	}))
	s.Wake()
	return r
}

func (s *spender) stats() payment.PayerStats {
	s.Helper()
	st, err := s.Stats(s.Context())
	s.no(err)
	return st
}

func (m *market) statsOf(r *payment.Recipient) payment.RecipientStats {
	m.Helper()
	s, err := r.Stats(m.Context())
	m.no(err)
	return s
}

func (m *market) drain(r *payment.Recipient) {
	m.Helper()
	ctx, cancel := context.WithTimeout(m.Context(), time.Minute)
	defer cancel()
	m.no(r.Drain(ctx))
}

func (m *market) settlementDigest(s ticket.Settlement) common.Hash {
	return ticket.Domain{ChainID: m.domain.ChainID, Escrow: m.domain.Escrow}.Hasher().SettlementDigest(s)
}
