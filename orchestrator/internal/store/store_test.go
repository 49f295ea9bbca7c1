package store_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
	"github.com/kinora/kinora/migrations"
	"github.com/kinora/kinora/orchestrator/internal/store"
)

var (
	payer  = common.HexToAddress("0xa1")
	worker = common.HexToAddress("0xb1")
	ladder = protocol.Ladder{{Name: "90p", Width: 160, Height: 90, Bitrate: 200_000, Codec: protocol.H264}}
	prices = protocol.Prices{{Codec: protocol.H264, WeiPerPixel: protocol.NewWei(100)}}
)

// ledger notes what a settlement asks of it, and fails on demand.
type ledger struct {
	mu             sync.Mutex
	paid, rejected map[protocol.ID]common.Address
	owed           map[protocol.ID]protocol.Wei
	payees         []common.Address // in turn
	fail           error
}

func (l *ledger) Pay(_ context.Context, _ payment.Tx, t common.Address, _ string, attempt protocol.ID, _ protocol.Wei) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.paid[attempt] = t
	l.payees = append(l.payees, t)
	return l.fail
}

func (l *ledger) Reject(_ context.Context, _ payment.Tx, t common.Address, _ string, attempt protocol.ID, _ protocol.Code, _ string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rejected[attempt] = t
	return l.fail
}

func (l *ledger) Owe(_ context.Context, _ payment.Tx, _ common.Address, _ string, attempt protocol.ID, fee protocol.Wei) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.owed[attempt] = fee
	return nil
}

type fixture struct {
	*testing.T
	*store.Store
	ledger *ledger
	self   *protocol.KeySigner
	domain protocol.Domain
	lease  protocol.ID
}

func open(t *testing.T) *fixture {
	t.Helper()
	url := pgtest.URL(t)
	if err := migrations.Postgres(t.Context(), url, "orchestrator"); err != nil {
		t.Fatal(err)
	}
	k, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{T: t, Store: store.New(pgtest.Open(t, url)), self: protocol.NewKeySigner(k), domain: protocol.NewDomain(1, common.HexToAddress("0xe5")),
		ledger: &ledger{paid: map[protocol.ID]common.Address{}, rejected: map[protocol.ID]common.Address{}, owed: map[protocol.ID]protocol.Wei{}}}
	f.UseLedger(f.ledger)
	_, err = f.See(t.Context(), worker)
	f.must(err)
	f.lease = f.award(worker, "http://here", time.Minute)
	return f
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) award(t common.Address, url string, left time.Duration) protocol.ID {
	f.Helper()
	a, err := protocol.Seal(f.domain, f.self, protocol.Award{Lease: protocol.NewID(), Orchestrator: f.self.Address(), Payer: f.self.Address(), Transcoder: t, Stream: "demo",
		LadderHash: protocol.Hash(ladder.Hash()), Prices: prices, MaxFee: protocol.NewWei(1e9), LeaseMillis: 30_000, URL: url})
	f.must(err)
	l := store.Lease{Offer: protocol.AwardOffer{Award: a, Ladder: ladder, SourceFPS: 30, SegmentMillis: 2000}, Payer: payer, MaxPrices: prices, Expires: left}
	f.must(f.SaveLease(f.Context(), l))
	return l.ID()
}

// settlement is a verified delivery of segment seq.
func (f *fixture) settlement(seq uint64, source protocol.Hash) store.Settlement {
	f.Helper()
	a, err := protocol.Seal(f.domain, f.self, protocol.Assignment{Orchestrator: f.self.Address(), Transcoder: worker, Lease: f.lease,
		SegmentKey: protocol.SegmentKey{Stream: "demo", Incarnation: math.MaxUint32, Seq: seq}, Attempt: protocol.NewID()})
	f.must(err)
	return store.Settlement{Payer: payer, Assignment: a, Source: source, Receipt: &protocol.Signed[protocol.Receipt]{}, State: store.Verified,
		Verdict: verify.Verdict{Passed: true, Layers: verify.L0L1}, Millis: 12, Released: true, Price: protocol.MaxUint96, Cost: protocol.NewWei(7), Pixels: 1 << 40}
}

func TestSettle_commitsVerdictTicketAndDebtTogether(t *testing.T) {
	t.Parallel()
	f := open(t)
	x := f.settlement(1<<62, protocol.Hash{1})
	f.ledger.fail = errors.New("the ledger is out of ink")
	if _, err := f.Settle(t.Context(), x); err == nil || !strings.Contains(err.Error(), "out of ink") {
		t.Fatalf("settled without a ticket: %v", err)
	}
	if _, ok, err := f.Delivered(t.Context(), payer, x.Assignment.Message.SegmentKey); err != nil || ok {
		t.Fatalf("delivered without a ticket (%v)", err)
	}
	if c, err := f.Counts(t.Context()); err != nil || c.VerifiedL0 != 0 {
		t.Fatalf("counts %+v, %v", c, err)
	}
	f.ledger.fail = nil
	out, err := f.Settle(t.Context(), x)
	f.must(err)
	if out.Again || out.CutOff || out.Record.Passed != 1 || !out.Replaced.IsZero() {
		t.Errorf("settled %+v", out)
	}
	d, ok, err := f.Delivered(t.Context(), payer, x.Assignment.Message.SegmentKey)
	f.must(err)
	if !ok || d.Attempt != x.Assignment.Message.Attempt || d.Transcoder != worker || d.Source != x.Source {
		t.Errorf("delivered %v %+v", ok, d)
	}
	again, err := f.Settle(t.Context(), x)
	f.must(err)
	if !again.Again {
		t.Error("the same attempt was settled twice")
	}
	if c, err := f.Counts(t.Context()); err != nil || c.VerifiedL0 != 1 || c.VerifiedL1 != 1 || c.Awards != 1 {
		t.Errorf("counts %+v, %v", c, err)
	}
}

func TestSettleAll_commitsThePartsOfASegmentTogetherOrNone(t *testing.T) {
	t.Parallel()
	f := open(t)
	_, err := f.Settle(t.Context(), f.settlement(1, protocol.Hash{1}))
	f.must(err)
	parts := func(source protocol.Hash) []store.Settlement {
		first, second := f.settlement(1, source), f.settlement(1, source)
		second.Released, second.Price = false, protocol.Wei{}
		return []store.Settlement{second, first} // the one that cannot be delivered comes last
	}
	bad := parts(protocol.Hash{2})
	if _, err := f.SettleAll(t.Context(), bad); protocol.CodeOf(err) != protocol.SegmentConflict {
		t.Fatalf("other bytes: %v", err)
	}
	if n := f.rows("attempts"); n != 1 {
		t.Errorf("%d attempts are settled: a part is, though the other one is not", n)
	}
	if c, err := f.Counts(t.Context()); err != nil || c.VerifiedL0 != 1 {
		t.Errorf("counts %+v, %v", c, err)
	}
	good := parts(protocol.Hash{1})
	out, err := f.SettleAll(t.Context(), good)
	f.must(err)
	if len(out) != 2 || out[0].Again || out[1].Replaced.IsZero() || out[1].Record.Passed != 3 {
		t.Errorf("settled %+v", out)
	}
	again, err := f.SettleAll(t.Context(), good)
	f.must(err)
	if !again[0].Again || !again[1].Again || f.rows("attempts") != 3 {
		t.Errorf("settled again %+v", again)
	}
}

// by makes x the work of another transcoder.
func (f *fixture) by(t common.Address, x store.Settlement) store.Settlement {
	f.Helper()
	a := x.Assignment.Message
	a.Transcoder = t
	var err error
	x.Assignment, err = protocol.Seal(f.domain, f.self, a)
	f.must(err)
	return x
}

func TestSettleAll_takesTranscodersInOneOrderAndOwesWhatOneOfThemMadeInVain(t *testing.T) {
	t.Parallel()
	f := open(t)
	other := common.HexToAddress("0xa9") // before worker
	_, err := f.See(t.Context(), other)
	f.must(err)
	parts := func() []store.Settlement {
		first, second := f.settlement(1, protocol.Hash{1}), f.by(other, f.settlement(1, protocol.Hash{1}))
		second.Released = false
		return []store.Settlement{first, second}
	}
	_, err = f.Settle(t.Context(), f.settlement(2, protocol.Hash{2}))
	f.must(err)
	f.ledger.payees = nil
	lost := parts()
	out, err := f.SettleAll(t.Context(), lost)
	f.must(err)
	if got := f.ledger.payees; len(got) != 2 || got[0] != other || got[1] != worker {
		t.Errorf("paid in the order %v: two that work for two segments at once would wait for each other", got)
	}
	if out[0].Record.Passed != 2 || out[1].Record.Passed != 1 {
		t.Errorf("the results are not in the order of what was settled: %+v", out)
	}
	again := parts()
	out, err = f.SettleAll(t.Context(), again)
	f.must(err)
	if out[0].Replaced != lost[0].Assignment.Message.Attempt {
		t.Errorf("replaced %s", out[0].Replaced)
	}
	third := f.settlement(1, protocol.Hash{1})
	third.Avoided = []common.Address{other} // it made the part that the delivery is not named after
	one, err := f.Settle(t.Context(), third)
	f.must(err)
	if !one.Replaced.IsZero() {
		t.Error("a delivery of which the payer rejects a part is not owed any more")
	}
}

func TestSettle_passesTheDebtOfALostDeliveryOn(t *testing.T) {
	t.Parallel()
	f := open(t)
	first, second, third, other := f.settlement(1, protocol.Hash{1}), f.settlement(1, protocol.Hash{1}), f.settlement(1, protocol.Hash{1}), f.settlement(1, protocol.Hash{2})
	_, err := f.Settle(t.Context(), first)
	f.must(err)
	out, err := f.Settle(t.Context(), second)
	f.must(err)
	if out.Replaced != first.Assignment.Message.Attempt {
		t.Errorf("replaced %s", out.Replaced)
	}
	third.Avoided = []common.Address{worker} // the payer rejects what was delivered, and it was good
	out, err = f.Settle(t.Context(), third)
	f.must(err)
	if !out.Replaced.IsZero() {
		t.Error("a delivery that the payer rejects is not owed any more")
	}
	if _, err := f.Settle(t.Context(), other); protocol.CodeOf(err) != protocol.SegmentConflict {
		t.Errorf("other bytes: %v", err)
	}
	for i := 3; ; i++ {
		_, err := f.Settle(t.Context(), f.settlement(1, protocol.Hash{1}))
		if err == nil && i < 20 {
			continue
		}
		if protocol.CodeOf(err) != protocol.RateLimited || i != 8 {
			t.Errorf("delivery %d: %v", i+1, err)
		}
		break
	}
}

func TestSettle_deliversOnceWhenTwoReplicasDo(t *testing.T) {
	t.Parallel()
	f := open(t)
	const n = 4
	replaced := make(chan bool, n)
	var wg sync.WaitGroup
	for range n {
		x := f.settlement(1, protocol.Hash{1})
		wg.Go(func() {
			out, err := f.Settle(t.Context(), x)
			if err != nil {
				t.Error(err)
			}
			replaced <- !out.Replaced.IsZero()
		})
	}
	wg.Wait()
	close(replaced)
	first := 0
	for r := range replaced {
		if !r {
			first++
		}
	}
	if first != 1 {
		t.Errorf("%d of %d replaced nothing", first, n)
	}
}

func TestSettle_judgesUnderTheRowLock(t *testing.T) {
	t.Parallel()
	f := open(t)
	const n = 12
	cut := make(chan bool, n)
	var wg sync.WaitGroup
	for i := range uint64(n) {
		x := f.settlement(i, protocol.Hash{1})
		x.State, x.Code, x.Detail = store.Rejected, protocol.VerificationFailed, "black \x00 \xff pictures"
		x.Verdict = verify.Verdict{Code: protocol.VerificationFailed, Layers: verify.L0}
		wg.Go(func() {
			out, err := f.Settle(t.Context(), x)
			if err != nil {
				t.Error(err)
			}
			cut <- out.CutOff
		})
	}
	wg.Wait()
	close(cut)
	times := 0
	for c := range cut {
		if c {
			times++
		}
	}
	rows, err := f.Transcoders(t.Context())
	f.must(err)
	if times != 1 || len(rows) != 1 || rows[0].Record.Failed != n || rows[0].Record.State != verify.CutOff || rows[0].CutOffAt == nil {
		t.Errorf("cut off %d times: %+v", times, rows)
	}
	if len(f.ledger.paid) != 0 || len(f.ledger.rejected) != n || len(f.ledger.owed) != 0 {
		t.Errorf("paid %d, rejected %d, owed %d", len(f.ledger.paid), len(f.ledger.rejected), len(f.ledger.owed))
	}
	back, err := f.Restore(t.Context(), worker)
	f.must(err)
	if back.Record.State != verify.New || back.CutOffAt != nil {
		t.Errorf("restored %+v", back)
	}
	if _, err := f.Restore(t.Context(), payer); protocol.CodeOf(err) != protocol.NotFound {
		t.Errorf("restored a stranger: %v", err)
	}
}

func TestSettle_abandonedMovesNothing(t *testing.T) {
	t.Parallel()
	f := open(t)
	x := f.settlement(1, protocol.Hash{})
	x.State, x.Code, x.Receipt, x.Verdict = store.Abandoned, protocol.Unreachable, nil, verify.Verdict{}
	out, err := f.Settle(t.Context(), x)
	f.must(err)
	if out.Record.Failed != 0 || len(f.ledger.paid)+len(f.ledger.rejected)+len(f.ledger.owed) != 0 {
		t.Errorf("settled %+v, ledger %+v", out, f.ledger)
	}
}

func TestLeases_areTakenOverWhileOpen(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.award(worker, "http://elsewhere", time.Minute)
	f.award(worker, "http://here", -10*time.Second)
	ended := f.award(worker, "http://here", time.Minute)
	f.must(f.EndLease(t.Context(), ended, "test"))
	list, err := f.OpenLeases(t.Context(), "http://here")
	f.must(err)
	if len(list) != 1 || list[0].ID() != f.lease || list[0].Payer != payer || list[0].Offer.Ladder.Hash() != ladder.Hash() || list[0].Expires < 50*time.Second {
		t.Fatalf("open leases: %+v", list)
	}
	if _, err := list[0].Offer.Award.Open(f.domain); err != nil {
		t.Errorf("the stored award: %v", err)
	}
	for want := uint64(1); want < 4; want++ {
		if n, err := f.NextSerial(t.Context(), f.lease); err != nil || n != want {
			t.Errorf("serial %d, %v, want %d", n, err, want)
		}
	}
	f.must(f.LapseLeases(t.Context()))
	f.must(f.ExtendLease(t.Context(), f.lease, time.Hour))
	list, err = f.OpenLeases(t.Context(), "http://here")
	f.must(err)
	if len(list) != 1 || list[0].Expires < 59*time.Minute {
		t.Errorf("after its extension: %+v", list)
	}
}

func TestEpochs_keepTheirSecretUntilTheyEnd(t *testing.T) {
	t.Parallel()
	f := open(t)
	e := verify.NewEpoch()
	f.must(f.SaveEpoch(t.Context(), e))
	list, err := f.Epochs(t.Context(), 10)
	f.must(err)
	if len(list) != 1 || list[0].Secret != nil || list[0].Commitment != e.Commitment() {
		t.Errorf("running: %+v", list)
	}
	f.must(f.EndEpoch(t.Context(), e.Commitment()))
	list, err = f.Epochs(t.Context(), 10)
	f.must(err)
	if list[0].Secret == nil || verify.EpochOf(*list[0].Secret).Commitment() != e.Commitment() {
		t.Errorf("ended: %+v", list)
	}
}

func TestEpochs_ofAProcessThatWasKilledEnd(t *testing.T) {
	t.Parallel()
	f := open(t)
	killed, running := verify.NewEpoch(), verify.NewEpoch()
	f.must(f.SaveEpoch(t.Context(), killed))
	f.age()
	f.must(f.SaveEpoch(t.Context(), running))
	f.must(f.LapseEpochs(t.Context(), time.Hour))
	list, err := f.Epochs(t.Context(), 10)
	f.must(err)
	if len(list) != 2 || list[0].Secret != nil || list[1].Secret == nil || list[1].Commitment != killed.Commitment() {
		t.Errorf("epochs %+v", list)
	}
}

func TestQuotes_arePruned(t *testing.T) {
	t.Parallel()
	f := open(t)
	q, err := protocol.Seal(f.domain, f.self, protocol.Quote{ID: protocol.NewID(), Orchestrator: f.self.Address(), Payer: payer, Stream: "demo",
		LadderHash: protocol.Hash(ladder.Hash()), Prices: prices, MaxFee: protocol.NewWei(1), ValidMillis: 60_000, MaxMillis: 2000})
	f.must(err)
	f.must(f.SaveQuote(t.Context(), store.Quote{Quote: q, Request: protocol.QuoteRequest{Payer: payer, Stream: "demo", Ladder: ladder, SourceFPS: 29.97}}))
	f.must(f.PruneQuotes(t.Context(), time.Minute))
	got, err := f.Quote(t.Context(), q.Message.ID)
	f.must(err)
	if got.Quote.Signature != q.Signature || got.Request.SourceFPS != 29.97 || got.Valid < 59*time.Second {
		t.Errorf("read %+v", got)
	}
	f.must(f.PruneQuotes(t.Context(), -2*time.Minute))
	if _, err := f.Quote(t.Context(), q.Message.ID); protocol.CodeOf(err) != protocol.QuoteUnknown {
		t.Errorf("a pruned quote: %v", err)
	}
}

// age makes everything that happened so far a week older.
func (f *fixture) age() {
	f.Helper()
	for _, q := range []string{`UPDATE attempts SET created_at = created_at - interval '7 days'`, `UPDATE segments SET created_at = created_at - interval '7 days'`,
		`UPDATE epochs SET started_at = started_at - interval '7 days', ended_at = ended_at - interval '7 days'`,
		`UPDATE leases SET ended_at = ended_at - interval '7 days'`} {
		_, err := f.Pool().Exec(f.Context(), q)
		f.must(err)
	}
}

func (f *fixture) rows(table string) (n int) {
	f.Helper()
	f.must(f.Pool().QueryRow(f.Context(), `SELECT count(*) FROM `+table).Scan(&n))
	return n
}

func TestHistory_isPrunedByAgeAndTheTotalsStay(t *testing.T) {
	t.Parallel()
	f := open(t)
	settle := func(x store.Settlement) {
		t.Helper()
		_, err := f.Settle(t.Context(), x)
		f.must(err)
	}
	rejected, abandoned := f.settlement(9, protocol.Hash{1}), f.settlement(9, protocol.Hash{1})
	rejected.State, rejected.Code, rejected.Verdict = store.Rejected, protocol.VerificationFailed, verify.Verdict{Code: protocol.VerificationFailed, Layers: verify.L0}
	abandoned.State, abandoned.Code, abandoned.Receipt = store.Abandoned, protocol.Unreachable, nil
	held, shallow := rejected, f.settlement(2, protocol.Hash{1})
	held.Assignment, held.Held = f.settlement(9, protocol.Hash{1}).Assignment, true
	shallow.Verdict.Layers = verify.L0
	old, again := f.settlement(1, protocol.Hash{1}), f.settlement(3, protocol.Hash{1})
	for _, x := range []store.Settlement{old, shallow, again, rejected, held, abandoned} {
		settle(x)
	}
	ended, running := verify.NewEpoch(), verify.NewEpoch()
	f.must(f.SaveEpoch(t.Context(), ended))
	f.must(f.EndEpoch(t.Context(), ended.Commitment()))
	f.age()
	f.must(f.SaveEpoch(t.Context(), running))
	settle(f.settlement(3, protocol.Hash{1})) // delivered again: it is not old any more
	settle(f.settlement(4, protocol.Hash{1}))
	before, err := f.Counts(t.Context())
	f.must(err)
	if want := (store.Counts{Awards: 1, VerifiedL0: 5, VerifiedL1: 4, Rejected: 2, Transcoders: 1}); before != want {
		t.Errorf("counts %+v, want %+v", before, want)
	}
	f.must(f.PruneHistory(t.Context(), 8*24*time.Hour))
	if a, s := f.rows("attempts"), f.rows("segments"); a != 8 || s != 4 {
		t.Errorf("%d attempts and %d segments are left of what is not old enough", a, s)
	}
	f.must(f.PruneHistory(t.Context(), 6*24*time.Hour))
	if a, s, e := f.rows("attempts"), f.rows("segments"), f.rows("epochs"); a != 2 || s != 2 || e != 1 {
		t.Errorf("%d attempts, %d segments and %d epochs are left", a, s, e)
	}
	for x, want := range map[*store.Settlement]bool{&old: false, &again: true} {
		_, ok, err := f.Delivered(t.Context(), payer, x.Assignment.Message.SegmentKey)
		f.must(err)
		if ok != want {
			t.Errorf("segment %d: delivered %v, want %v", x.Assignment.Message.Seq, ok, want)
		}
	}
	after, err := f.Counts(t.Context())
	f.must(err)
	if after != before {
		t.Errorf("counts %+v, before the pruning %+v", after, before)
	}
	back, err := f.Restore(t.Context(), worker)
	f.must(err)
	if c, err := f.Counts(t.Context()); err != nil || c != before || back.Record.State != verify.New {
		t.Errorf("counts %+v (%v) after a restoration of %+v", c, err, back)
	}
}

func TestLeases_areForgottenAfterTheAttemptsUnderThem(t *testing.T) {
	t.Parallel()
	f := open(t)
	_, err := f.Settle(t.Context(), f.settlement(1, protocol.Hash{1}))
	f.must(err)
	prune := func(want int, when string) {
		t.Helper()
		f.must(f.PruneHistory(t.Context(), 6*24*time.Hour))
		if n := f.rows("leases"); n != want {
			t.Errorf("%d leases %s, want %d", n, when, want)
		}
	}
	f.age()
	_, err = f.Settle(t.Context(), f.settlement(2, protocol.Hash{1}))
	f.must(err)
	prune(1, "while one is open")
	f.must(f.EndLease(t.Context(), f.lease, "test"))
	prune(1, "just after its end")
	_, err = f.Pool().Exec(t.Context(), `UPDATE leases SET ended_at = ended_at - interval '7 days'`)
	f.must(err)
	prune(1, "under which there is an attempt")
	f.age()
	prune(0, "after the last attempt is gone")
}
