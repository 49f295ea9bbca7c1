package payment_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/internal/chain/chaintest"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/payment/litestore"
	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/migrations"
)

// process is a side in a process of its own.
type process struct {
	cmd     *exec.Cmd
	url     string
	stdin   io.Closer
	reached atomic.Bool
	gone    chan struct{} // closed when the kernel has taken everything it had
}

// kill is kill -9.
func (p *process) kill() { _ = p.cmd.Process.Kill() }

// killings is a market in which one side runs in processes that are killed one after another.
type killings struct {
	*market
	payer, earner *party
	victim        sideConfig
	other         string // URL of the side that lives
	databases     map[string]string
	node          *chaintest.Node
	before        protocol.Wei // the earner's money for gas
	segments      int
	now           *process

	mu   sync.Mutex
	call string // the victim dies around this call to the chain
}

// kills makes a market whose victim is killed; sqlite says where the earner keeps its books.
func (m *market) kills(victim string, sqlite bool) *killings {
	m.Helper()
	k := &killings{market: m, payer: m.party(), earner: m.party(), node: chaintest.NewNode(m, m.url)}
	k.payer.backs(k.earner.address(), ether(1), wei(0))
	k.bury()
	var err error
	k.before, err = m.client.Balance(m.Context(), k.earner.address())
	m.no(err)
	payer := sideConfig{Role: "payer", Key: crypto.FromECDSA(k.payer.key.Key()), Chain: m.url, Escrow: m.escrow.Address(), Database: pgtest.URL(m)}
	m.no(migrations.Postgres(m.Context(), payer.Database, "payer"))
	_, err = pgtest.Open(m, payer.Database).Exec(m.Context(), `CREATE TABLE verdicts (attempt bytea PRIMARY KEY)`)
	m.no(err)
	earner := sideConfig{Role: "earner", Key: crypto.FromECDSA(k.earner.key.Key()), Chain: m.url, Escrow: m.escrow.Address()}
	if sqlite {
		earner.SQLite = filepath.Join(m.TempDir(), "transcoder.db")
		db, err := litestore.Open(earner.SQLite)
		m.no(err)
		m.no(migrations.SQLite(m.Context(), db, "recipient_sqlite"))
		m.no(db.Close())
	} else {
		earner.Database = pgtest.URL(m)
		m.no(migrations.Postgres(m.Context(), earner.Database, "recipient"))
	}
	k.databases = map[string]string{"payer": payer.Database, "earner": earner.Database}
	k.victim = payer
	survivor := earner
	if victim == "earner" {
		k.victim, survivor = earner, payer
		k.victim.Chain = k.node.URL()
	}
	s, err := newSide(m.Context(), survivor, m.log, nil)
	m.no(err)
	server := httptest.NewServer(s.handler())
	m.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		if s.pool != nil {
			s.pool.Close()
		}
	})
	k.other = server.URL
	k.node.Spoil(k.spoil)
	return k
}

// spoil kills the victim when its call comes, before the chain hears of it or before the answer is out.
func (k *killings) spoil(c *chaintest.Call) (json.RawMessage, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	dies := func(when string) bool {
		if k.call != when+" "+c.Method+" 1" {
			return false
		}
		k.call = ""
		k.now.reached.Store(true)
		k.now.kill()
		<-k.now.gone
		return true
	}
	if dies("before") {
		return nil, false
	}
	r, ok := c.Forward()
	if dies("after") {
		return nil, false
	}
	return r, ok
}

// live starts the victim's next life, which ends at point, if there is one.
func (k *killings) live(point string) {
	k.Helper()
	c := k.victim
	c.Point = point
	exe, err := os.Executable()
	k.no(err)
	p := &process{cmd: exec.Command(exe), gone: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), processVar+"=1")
	p.cmd.Stderr = k.Output()
	in, err := p.cmd.StdinPipe()
	k.no(err)
	p.stdin = in
	out, err := p.cmd.StdoutPipe()
	k.no(err)
	k.no(p.cmd.Start())
	k.Cleanup(func() { p.kill(); <-p.gone })
	k.no(json.NewEncoder(in).Encode(c))
	ready := make(chan string, 1)
	go func() {
		defer close(p.gone)
		defer close(ready)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if url, ok := strings.CutPrefix(lines.Text(), saysReady); ok {
				ready <- url
			} else if lines.Text() == saysReached {
				p.reached.Store(true)
				p.kill()
			}
		}
		_ = p.cmd.Wait() // killed, as its state says
	}()
	select {
	case url, ok := <-ready:
		if !ok {
			k.Fatal("the process ended before it was ready")
		}
		p.url = url
	case <-time.After(time.Minute):
		k.Fatal("the process is not ready after a minute")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.now = p
	if k.call = ""; strings.Contains(point, " eth_") {
		k.call = point
	}
}

// bury makes a block on top of what is there, which confirms it.
func (k *killings) bury() {
	k.Helper()
	_, err := k.rich.Transfer(k.Context(), k.payer.address(), wei(1))
	k.no(err)
}

// segment takes one through both sides, from parameters to the end of its stream, where the earner dies to a redemption that
// is final. Every step may have happened before.
func (k *killings) segment(w work) (words int, err error) {
	ctx, cancel := context.WithTimeout(k.Context(), time.Minute)
	defer cancel()
	go func(p *process) { // the other side need not wait for a process that is gone
		select {
		case <-p.gone:
			cancel()
		case <-ctx.Done():
		}
	}(k.now)
	payer, earner := k.now.url, k.other
	if k.victim.Role == "earner" {
		payer, earner = earner, payer
	}
	w.Earner, w.URL = k.earner.address(), earner
	if words, err = post[int](ctx, payer+"/pay", w); err != nil {
		return words, err
	}
	if k.victim.Role == "payer" { // all at the end
		return words, nil
	}
	return words, k.settle(ctx, earner)
}

// settle takes what was won to the chain until it is final.
func (k *killings) settle(ctx context.Context, earner string) error {
	if _, err := post[struct{}](ctx, earner+"/settle", work{}); err != nil {
		return err
	}
	k.bury()
	_, err := post[struct{}](ctx, earner+"/settle", work{})
	return err
}

func (k *killings) next() work {
	k.segments++
	return work{Stream: fmt.Sprint("s", k.segments), Attempt: protocol.NewID(), Fresh: true}
}

// die plays all points: at each a process is killed in a fresh segment, and the process after it goes on with that segment,
// then dies at the next point.
func (k *killings) die(points []string) {
	k.Helper()
	left := work{}
	finish := func() {
		k.Helper()
		if left.Stream == "" {
			return
		}
		left.Fresh = false
		if _, err := k.segment(left); err != nil {
			k.Fatalf("a process that began anew: %v", err)
		}
		left = work{}
	}
	for _, point := range points {
		call := strings.Contains(point, " eth_")
		if call { // of the fresh segment, not of the one that is left
			k.live("")
			finish()
			k.mu.Lock()
			k.call = point
			k.mu.Unlock()
		} else {
			k.live(point)
			finish()
		}
		w := k.next()
		_, err := k.segment(w)
		if err == nil || !k.now.reached.Load() {
			k.Fatalf("no process died %s: %v", point, err)
		}
		<-k.now.gone
		if s, ok := k.now.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !s.Signaled() || s.Signal() != syscall.SIGKILL {
			k.Fatalf("the process at %s ended with %s, want it killed", point, k.now.cmd.ProcessState)
		}
		left = w
	}
	k.live("")
	finish()
}

// balance compares the books of both sides with the chain, to the wei.
func (k *killings) balance(earner payment.Store, payer payment.PayerStore) {
	k.Helper()
	n := uint64(k.segments)
	want := segmentFee.Mul(n)
	st, err := earner.Stats(k.Context(), time.Now())
	k.no(err)
	if st.Accepted != n || st.Won != n || st.Redeemed != n || st.Lost != 0 || st.PendingWinners != 0 || !st.OwedWei.IsZero() || st.EarnedWei != want {
		k.Errorf("the earner's books %+v, want %d tickets, all redeemed, nothing owed", st, n)
	}
	p, err := payer.Stats(k.Context())
	k.no(err)
	if p.Signed != n || p.Acknowledged != n || p.Refused != 0 || p.Due != 0 || p.Unsent != 0 || p.FeeWei != want {
		k.Errorf("the payer's books %+v, want %d tickets signed and acknowledged", p, n)
	}
	if got := k.earner.balance(); got != want {
		k.Errorf("the earner has %s on chain, want %s", got, want)
	}
	if got := k.payer.allocated(k.earner); got != ether(1).Sub(want) {
		k.Errorf("the payer has %s left on chain, want %s", got, ether(1).Sub(want))
	}
	now, err := k.client.Balance(k.Context(), k.earner.address())
	k.no(err)
	if spent := k.before.Sub(now); spent != st.GasWei {
		k.Errorf("gas cost %s, the books say %s", spent, st.GasWei)
	}
	if used, err := k.client.TxNonce(k.Context(), k.earner.address()); err != nil || used != st.Txs {
		k.Errorf("the account sent %d transactions, the books know %d: %v", used, st.Txs, err)
	}
}

// around is before and after each of the named steps.
func around(names ...string) []string { return steps(names, 1) }

// Processes of their own are killed by SIGKILL at every word a payer says, and at every change of state of an earner, from
// the first parameter set to the redemption's being final; each time another goes on with what is on disk.
func TestProcesses_killedBySignalLoseAndDoubleNothing(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	on := func(t *testing.T, victim string, sqlite bool) *killings {
		own := *m
		own.T = t
		return own.kills(victim, sqlite)
	}
	moves := append(around("Lane", "AddSet", "Hold", "Owe", "Accept", "CloseUpTo", "CloseAll", "Submit", "Mine", "Finalise"), around("eth_sendRawTransaction")...)
	payerBooks := func(k *killings) payment.PayerStore {
		return pgstore.Payer(pgtest.Open(k, k.databases["payer"]))
	}
	t.Run("payer", func(t *testing.T) {
		t.Parallel()
		k := on(t, "payer", false)
		k.live("")
		words, err := k.segment(k.next())
		k.no(err)
		k.now.kill()
		<-k.now.gone
		if words < 20 {
			t.Fatalf("a payer says %d words: the matrix misses its target", words)
		}
		var points []string
		for n := range words {
			points = append(points, fmt.Sprint("word ", n+1))
		}
		k.die(points)
		k.no(k.settle(t.Context(), k.other))
		k.balance(pgstore.Recipient(pgtest.Open(k, k.databases["earner"])), payerBooks(k))
	})
	t.Run("earner on postgres", func(t *testing.T) {
		t.Parallel()
		k := on(t, "earner", false)
		points := moves
		for _, statement := range []string{"INSERT INTO recipient_lanes", "INSERT INTO recipient_sets", "INSERT INTO recipient_holds", "INSERT INTO recipient_debts",
			"INSERT INTO recipient_tickets", "UPDATE recipient_sets SET state", "INSERT INTO recipient_redemptions", "UPDATE recipient_winners SET state = 'mined'",
			"UPDATE recipient_winners SET state = 'final'"} {
			points = append(points, "inside "+statement)
		}
		k.die(points)
		k.balance(pgstore.Recipient(pgtest.Open(k, k.databases["earner"])), payerBooks(k))
	})
	t.Run("earner on sqlite", func(t *testing.T) {
		t.Parallel()
		k := on(t, "earner", true)
		k.die(moves)
		k.now.kill() // the file has one writer
		<-k.now.gone
		db, err := litestore.Open(k.victim.SQLite)
		k.no(err)
		defer db.Close()
		k.balance(litestore.New(db), payerBooks(k))
	})
}
