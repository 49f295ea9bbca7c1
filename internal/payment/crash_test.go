package payment_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/pgcluster"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/migrations"
)

// mortal is a process that is killed when it is about to talk to the world for the nth time: to Postgres (each statement, so
// also inside transactions and before their COMMIT) or to the other side. What it had open is cut, and it never says
// anything again; what it had in memory is thrown away with it.
type mortal struct {
	mu    sync.Mutex
	left  int    // until the kill; negative: it lives
	after string // or the next word after a statement that begins so
	said  int
	dead  bool
	kill  context.CancelFunc
}

// says counts a word to the world and reports whether the process still lives to say it.
func (p *mortal) says(word string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said++
	if p.after != "" && strings.HasPrefix(word, p.after) {
		p.left = 1
	}
	if !p.dead && p.left == 0 {
		p.dead = true
		p.kill()
	}
	p.left--
	return !p.dead
}

func (p *mortal) TraceQueryStart(ctx context.Context, c *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	return p.speaks(ctx, c, d.SQL)
}

func (p *mortal) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart is told of statements that are sent together: one word.
func (p *mortal) TraceBatchStart(ctx context.Context, c *pgx.Conn, d pgx.TraceBatchStartData) context.Context {
	word := ""
	for _, q := range d.Batch.QueuedQueries {
		if word == "" || p.after != "" && strings.HasPrefix(q.SQL, p.after) {
			word = q.SQL
		}
	}
	return p.speaks(ctx, c, word)
}

func (p *mortal) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

func (p *mortal) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

func (p *mortal) speaks(ctx context.Context, c *pgx.Conn, word string) context.Context {
	if p.says(word) {
		return ctx
	}
	_ = c.PgConn().Conn().Close() // as the kernel does
	gone, cancel := context.WithCancel(ctx)
	cancel()
	return gone
}

// Send says the delivery and hears the answer, each only alive.
func (p *mortal) through(w *wire) payment.Sender {
	return sending(func(ctx context.Context, to common.Address, d payment.Delivery) (payment.DeliveryAnswer, error) {
		if !p.says("delivery") {
			return payment.DeliveryAnswer{}, errKilled
		}
		a, err := w.Send(ctx, to, d)
		if !p.says("answer") {
			return payment.DeliveryAnswer{}, errKilled
		}
		return a, err
	})
}

type sending func(context.Context, common.Address, payment.Delivery) (payment.DeliveryAnswer, error)

func (f sending) Send(ctx context.Context, to common.Address, d payment.Delivery) (payment.DeliveryAnswer, error) {
	return f(ctx, to, d)
}

// death is when a process dies, and what dies with it. The zero value is never.
type death struct {
	word  int // the nth, from 1
	after string
	with  func()
}

func (d death) never() bool { return d.word == 0 && d.after == "" }

// life begins a process on a database. It ends with the returned context.
func (m *market) life(url string, d death) (context.Context, *mortal, *pgxpool.Pool) {
	ctx, cancel := context.WithCancel(m.Context())
	m.Cleanup(cancel)
	p := &mortal{left: d.word - 1, after: d.after, kill: func() {
		if d.with != nil {
			d.with()
		}
		cancel()
	}}
	config, err := pgxpool.ParseConfig(url)
	m.no(err)
	config.ConnConfig.Tracer = p
	pool, err := pgxpool.NewWithConfig(m.Context(), config)
	m.no(err)
	return ctx, p, pool
}

// crashes is a market of one payer and one recipient that are killed in turn.
type crashes struct {
	*market
	payer, earner         *party
	payerURL, earnerURL   string
	segments              int
	wire                  *wire
	attempts              map[protocol.ID]bool
	payerSaid, earnerSaid int
}

func newCrashes(t *testing.T, payerURL, earnerURL string) *crashes {
	m := newMarket(t)
	c := &crashes{market: m, payer: m.party(), earner: m.party(), payerURL: payerURL, earnerURL: earnerURL, wire: newWire(nil), attempts: map[protocol.ID]bool{}}
	c.payer.backs(c.earner.address(), ether(1), wei(0))
	m.no(migrations.Postgres(t.Context(), c.payerURL, "payer"))
	m.no(migrations.Postgres(t.Context(), c.earnerURL, "recipient"))
	// The role's own row about a segment, which stands or falls with the ticket.
	_, err := pgtest.Open(t, c.payerURL).Exec(t.Context(), `CREATE TABLE verdicts (attempt bytea PRIMARY KEY)`)
	m.no(err)
	return c
}

// segment is one segment from parameters to the end of its stream, begun as often as its processes are killed. Every step
// may have happened before.
func (c *crashes) segment(stream string, attempt protocol.ID, payerDies, earnerDies death) error {
	payerCtx, payerLife, payerPool := c.life(c.payerURL, payerDies)
	defer payerPool.Close()
	earnerCtx, earnerLife, earnerPool := c.life(c.earnerURL, earnerDies)
	defer earnerPool.Close()
	defer func() { c.payerSaid, c.earnerSaid = payerLife.said, earnerLife.said }()
	r := c.earner.recipient(pgstore.Recipient(earnerPool), c.escrow)
	c.wire.connect(c.earner.address(), r)
	p := payment.NewPayer(payment.PayerConfig{Domain: c.domain, Signer: c.payer.key}, pgstore.Payer(payerPool), payerLife.through(c.wire))
	// Either death ends this try; the other side only sees a connection that broke.
	ctx, cancel := context.WithCancel(payerCtx)
	defer cancel()
	defer context.AfterFunc(earnerCtx, cancel)()

	fee := wei(1000)
	params, err := r.Params(ctx, c.payer.address(), stream, fee)
	if err != nil {
		return err
	}
	if err := p.Use(ctx, stream, params); err != nil {
		return err
	}
	release, err := r.Admit(ctx, c.payer.address(), attempt, fee)
	if err != nil {
		return err
	}
	if err := r.Owe(ctx, payment.Owed{Payer: c.payer.address(), Attempt: attempt, Stream: stream, Fee: fee}); err != nil {
		return err
	}
	release()
	err = pgx.BeginFunc(ctx, payerPool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `INSERT INTO verdicts (attempt) VALUES ($1) ON CONFLICT DO NOTHING`, attempt[:])
		if err != nil || tag.RowsAffected() == 0 { // committed in an earlier life
			return err
		}
		_, err = p.PayTx(ctx, tx, payment.Order{Recipient: c.earner.address(), Stream: stream, Attempt: attempt, Fee: fee})
		return err
	})
	if err != nil {
		return err
	}
	return p.EndStream(ctx, stream)
}

// survive does a segment with a death in it, and again alive.
func (c *crashes) survive(payerDies, earnerDies death, restart func()) {
	c.Helper()
	stream, attempt := fmt.Sprintf("s%d", c.segments), protocol.NewID()
	c.segments++
	c.attempts[attempt] = true
	err := c.segment(stream, attempt, payerDies, earnerDies)
	switch {
	case err == nil && payerDies.after+earnerDies.after != "":
		c.Fatal("the statement to die after was never said")
	case err == nil: // killed after the last word that mattered, if at all
		return
	case payerDies.never() && earnerDies.never():
		c.Fatal(err)
	}
	if restart != nil {
		restart()
	}
	if err := c.segment(stream, attempt, death{}, death{}); err != nil {
		c.Fatalf("restarted after a kill at payer's word %d, recipient's %d: %v", payerDies.word, earnerDies.word, err)
	}
}

// balance settles everything and compares all books.
func (c *crashes) balance() {
	c.Helper()
	r := c.earner.recipient(pgstore.Recipient(pgtest.Open(c, c.earnerURL)), c.escrow)
	c.drain(r)
	n := uint64(c.segments)
	want := wei(1000).Mul(n)
	if st := c.statsOf(r); st.Accepted != n || st.Redeemed != n || st.Lost != 0 || st.PendingWinners != 0 || !st.OwedWei.IsZero() || st.OpenSets != 0 || st.EarnedWei != want {
		c.Errorf("recipient %+v, want %d tickets, all redeemed, nothing owed", st, n)
	}
	p, err := pgstore.Payer(pgtest.Open(c, c.payerURL)).Stats(c.Context())
	c.no(err)
	if p.Signed != n || p.Acknowledged != n || p.Refused != 0 || p.Due != 0 || p.Unsent != 0 || p.FeeWei != want {
		c.Errorf("payer %+v, want %d tickets signed and acknowledged", p, n)
	}
	if got := c.earner.balance(); got != want {
		c.Errorf("the recipient has %s on chain, want %s", got, want)
	}
	if got := c.payer.allocated(c.earner); got != ether(1).Sub(want) {
		c.Errorf("the payer has %s left on chain, want %s", got, ether(1).Sub(want))
	}
	sent := map[protocol.ID]string{}
	for _, d := range c.wire.deliveries() {
		for _, x := range d.Tickets {
			b := string(protocol.Encode(x.Ticket))
			if old, ok := sent[x.Attempt]; ok && old != b {
				c.Errorf("attempt %s was paid with two tickets", x.Attempt.Short())
			}
			if !c.attempts[x.Attempt] {
				c.Errorf("a ticket for an attempt nobody made: %s", x.Attempt)
			}
			sent[x.Attempt] = b
		}
	}
}

// The payer is killed at every word it says to its database and to the recipient: nothing is lost, nothing paid twice.
func TestPayer_killedAnywherePaysOnce(t *testing.T) {
	t.Parallel()
	c := newCrashes(t, pgtest.URL(t), pgtest.URL(t))
	c.survive(death{}, death{}, nil)
	words := c.payerSaid
	if words < 30 {
		t.Fatalf("a payer says %d words: the matrix misses its target", words)
	}
	for n := range words {
		c.survive(death{word: n + 1}, death{}, nil)
	}
	t.Logf("%d deaths", words)
	c.balance()
}

// The same for the recipient: killed before, inside and after each of its transactions.
func TestRecipient_killedAnywhereLosesNothing(t *testing.T) {
	t.Parallel()
	c := newCrashes(t, pgtest.URL(t), pgtest.URL(t))
	c.survive(death{}, death{}, nil)
	words := c.earnerSaid
	if words < 50 {
		t.Fatalf("a recipient says %d words: the matrix misses its target", words)
	}
	for n := range words {
		c.survive(death{}, death{word: n + 1}, nil)
	}
	t.Logf("%d deaths", words)
	c.balance()
}

// Postgres goes down inside a transaction of either side, after its last statement and before its COMMIT, and comes back.
func TestMarket_outlivesADatabaseThatRestartsMidTransaction(t *testing.T) {
	t.Parallel()
	var db *pgcluster.Cluster
	dir := filepath.Join(t.TempDir(), "postgres")
	start := func() {
		var err error
		if db, err = pgcluster.Start(t.Context(), pgcluster.Options{Dir: dir, Throwaway: true}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(db.Stop)
	}
	start()
	for _, name := range []string{"payer", "earner"} {
		if err := db.CreateDatabase(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	c := newCrashes(t, db.URL("payer"), db.URL("earner"))
	restart := func() {
		start()
		c.payerURL, c.earnerURL = db.URL("payer"), db.URL("earner")
	}
	down := func() { db.Stop() }
	c.survive(death{after: "UPDATE payer_lanes", with: down}, death{}, restart)            // a ticket is signed, not committed
	c.survive(death{}, death{after: "INSERT INTO recipient_winners", with: down}, restart) // a winner is written, not committed
	c.balance()
}
