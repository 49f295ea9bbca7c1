package fleet_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
	"github.com/kinora/kinora/migrations"
	"github.com/kinora/kinora/orchestrator/internal/fleet"
	"github.com/kinora/kinora/orchestrator/internal/store"
)

var (
	domain = protocol.NewDomain(1, common.HexToAddress("0xe5"))
	ladder = protocol.Ladder{{Name: "90p", Width: 160, Height: 90, Bitrate: 200_000, Codec: protocol.H264}}
	ask    = auction.Ask{Ladder: ladder, SourceFPS: 30, MaxPrices: protocol.Prices{{Codec: protocol.H264, WeiPerPixel: protocol.NewWei(150)}}}
)

// vault confirms an allocation when it is let.
type vault struct {
	mu     sync.Mutex
	let    bool
	ensure map[common.Address]int
	funded []common.Address // in order
}

func (v *vault) Ensure(_ context.Context, t common.Address, _ protocol.Wei) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.ensure[t]++
	if !v.let {
		return errors.New("the vault is empty")
	}
	if !slices.Contains(v.funded, t) {
		v.funded = append(v.funded, t)
	}
	return nil
}

type fixture struct {
	*testing.T
	*fleet.Fleet
	vault  *vault
	store  *store.Store
	mu     sync.Mutex
	events []protocol.Event
}

func open(t *testing.T, change ...func(*fleet.Config)) *fixture {
	t.Helper()
	url := pgtest.URL(t)
	if err := migrations.Postgres(t.Context(), url, "orchestrator"); err != nil {
		t.Fatal(err)
	}
	f := &fixture{T: t, vault: &vault{let: true, ensure: map[common.Address]int{}}, store: store.New(pgtest.Open(t, url))}
	c := fleet.Config{Domain: domain, Self: common.Address{1}, Allocation: protocol.NewWei(100), MaxMembers: 2, Backoff: time.Minute, TopUp: 50 * time.Millisecond,
		Log: slog.New(slog.DiscardHandler), Events: func(e protocol.Event) { f.mu.Lock(); defer f.mu.Unlock(); f.events = append(f.events, e) }}
	for _, x := range change {
		x(&c)
	}
	f.Fleet = fleet.New(c, f.store, f.vault)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Fleet.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	return f
}

func (f *fixture) bid(k *protocol.KeySigner, sequence, free, price uint64) {
	f.Helper()
	b, err := protocol.Seal(domain, k, protocol.Bid{Transcoder: k.Address(), FreePixelRate: free, TTLMillis: 60_000, Sequence: sequence,
		Prices: protocol.Prices{{Codec: protocol.H264, WeiPerPixel: protocol.NewWei(price)}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Bid(b)
}

func key(t testing.TB) *protocol.KeySigner {
	t.Helper()
	k, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return protocol.NewKeySigner(k)
}

func (f *fixture) reason(t common.Address) auction.Reason {
	for _, c := range f.Rank(ask) {
		if c.Bid.Transcoder == t {
			return c.Reason
		}
	}
	return "no bid"
}

func (f *fixture) eventually(what string, is func() bool) {
	f.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for !is() {
		select {
		case <-poll.C:
		case <-deadline.C:
			f.Fatalf("waited in vain until %s", what)
		}
	}
}

func TestNewcomer_isAllocatedBeforeItsFirstAward(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.vault.let = false
	k := key(t)
	f.bid(k, 1, 1e9, 100)
	f.eventually("it was tried", func() bool { m := f.Members(); return len(m) == 1 && m[0].Refusal != "" })
	if r := f.reason(k.Address()); r != auction.NotAllocated {
		t.Errorf("reason %q without an allocation", r)
	}
	if waiting, allocated := f.Backlog(); waiting != 1 || allocated != 0 {
		t.Errorf("waiting %d, allocated %d", waiting, allocated)
	}
	f.vault.mu.Lock()
	f.vault.let = true
	f.vault.mu.Unlock()
	f.eventually("it is allocated", func() bool { return f.reason(k.Address()) == "" })
	if waiting, allocated := f.Backlog(); waiting != 0 || allocated != 1 {
		t.Errorf("waiting %d, allocated %d", waiting, allocated)
	}
}

func TestAllocations_areBounded(t *testing.T) {
	t.Parallel()
	f := open(t)
	keys := []*protocol.KeySigner{key(t), key(t), key(t)}
	for _, k := range keys {
		f.bid(k, 1, 1e9, 100)
	}
	f.eventually("two are allocated", func() bool { _, n := f.Backlog(); return n == 2 })
	// The third one is heard, and neither hired, nor waited for, nor entered: keys cost nothing.
	third := 0
	for _, k := range keys {
		if f.reason(k.Address()) == auction.NotAllocated {
			third++
		}
	}
	if waiting, allocated := f.Backlog(); waiting != 0 || allocated != 2 || third != 1 {
		t.Errorf("waiting %d, allocated %d, %d bid without an allocation", waiting, allocated, third)
	}
	if c, err := f.store.Counts(t.Context()); err != nil || c.Transcoders != 2 {
		t.Errorf("%d transcoders have a row, %v", c.Transcoders, err)
	}
}

func TestPlaces_goByArrival(t *testing.T) {
	t.Parallel()
	f := open(t, func(c *fleet.Config) { c.MaxMembers = 1 })
	f.vault.let = false
	keys := make([]*protocol.KeySigner, 8)
	for i := range keys {
		keys[i] = key(t)
	}
	slices.SortFunc(keys, func(a, b *protocol.KeySigner) int { return b.Address().Cmp(a.Address()) }) // a low address gains nothing
	for _, k := range keys {
		f.bid(k, 1, 1e9, 100)
	}
	f.vault.mu.Lock()
	f.vault.let = true
	f.vault.mu.Unlock()
	f.eventually("one is allocated", func() bool { _, n := f.Backlog(); return n == 1 })
	if r := f.reason(keys[0].Address()); r != "" {
		t.Errorf("the first to come waits: %s", r)
	}
}

func TestPlace_ofOneThatBidsNoMoreGoesToWhoeverWaits(t *testing.T) {
	t.Parallel()
	f := open(t, func(c *fleet.Config) { c.Absent, c.FundEvery = 2*time.Second, time.Millisecond })
	gone, stays, waits := key(t), key(t), key(t)
	f.bid(gone, 1, 1e9, 100)
	f.bid(stays, 1, 1e9, 100)
	f.eventually("two are allocated", func() bool { _, n := f.Backlog(); return n == 2 })
	sequence := uint64(1)
	f.eventually("the place is given on", func() bool {
		sequence++
		f.bid(stays, sequence, 1e9, 100)
		f.bid(waits, sequence, 1e9, 100)
		return f.reason(waits.Address()) == ""
	})
	if a, b := f.reason(gone.Address()), f.reason(stays.Address()); a != auction.NotAllocated || b != "" {
		t.Errorf("the one that is gone: %q, the one that stayed: %q", a, b)
	}
}

// Keys that only bid, however long, do not shut out those that would work; one that has worked keeps its place.
func TestPlace_ofOneThatDeliversNothingIsLent(t *testing.T) {
	t.Parallel()
	f := open(t, func(c *fleet.Config) { c.Trial, c.FundEvery = 100*time.Millisecond, time.Millisecond })
	idle, proven, waits := key(t), key(t), key(t)
	f.bid(proven, 1, 1e9, 100)
	f.eventually("one is allocated", func() bool { _, n := f.Backlog(); return n == 1 })
	address := proven.Address()
	record := verify.Record{Passed: 1, State: verify.New}
	if _, err := f.store.Pool().Exec(t.Context(), `UPDATE transcoders SET record = $2 WHERE address = $1`, address[:], protocol.Encode(record)); err != nil {
		t.Fatal(err)
	}
	f.eventually("its output is known", func() bool { return f.Record(address) == record })
	f.bid(idle, 1, 1e9, 100)
	f.eventually("both are allocated", func() bool { _, n := f.Backlog(); return n == 2 })
	f.bid(waits, 1, 1e9, 100)
	f.eventually("the place is given on", func() bool { return f.reason(waits.Address()) == "" })
	if r := f.reason(address); r != "" {
		t.Errorf("one that has delivered lost its place: %s", r)
	}
	// Its turn comes again, at the end of the queue.
	f.eventually("the place comes back", func() bool { return f.reason(idle.Address()) == "" })
}

// Places that are given on lock up money each time: how fast is bounded, whoever comes and goes.
func TestFunds_forStrangersAreBounded(t *testing.T) {
	t.Parallel()
	f := open(t, func(c *fleet.Config) { c.Trial, c.FundEvery, c.MaxMembers = time.Millisecond, time.Hour, 2 })
	keys := []*protocol.KeySigner{key(t), key(t), key(t), key(t)}
	f.bid(keys[0], 1, 1e9, 100)
	f.bid(keys[1], 1, 1e9, 100)
	f.eventually("two are allocated", func() bool { _, n := f.Backlog(); return n == 2 })
	f.bid(keys[2], 1, 1e9, 100)
	f.bid(keys[3], 1, 1e9, 100)
	looks := func() int { f.vault.mu.Lock(); defer f.vault.mu.Unlock(); return f.vault.ensure[keys[0].Address()] }
	before := looks()
	f.eventually("the allocations were looked after often enough", func() bool { return looks() >= before+5 })
	f.vault.mu.Lock()
	defer f.vault.mu.Unlock()
	if len(f.vault.funded) != 2 {
		t.Errorf("%d were given an allocation", len(f.vault.funded))
	}
}

func TestBid_forgedOrOldIsNothing(t *testing.T) {
	t.Parallel()
	f := open(t)
	k := key(t)
	f.bid(k, 5, 1e9, 100)
	f.bid(k, 5, 1e9, 1)
	f.bid(k, 4, 1e9, 1)
	forged, err := protocol.Seal(domain, key(t), protocol.Bid{Transcoder: key(t).Address(), Prices: ask.MaxPrices, TTLMillis: 1000, Sequence: 9})
	if err == nil {
		t.Fatal("sealed for somebody else")
	}
	forged.Message = protocol.Bid{Transcoder: k.Address(), Prices: protocol.Prices{{Codec: protocol.H264}}, TTLMillis: 1000, Sequence: 9}
	f.Bid(forged)
	c := f.Rank(ask)
	if len(c) != 1 {
		t.Fatalf("%d bids stand", len(c))
	}
	if price, _ := c[0].Bid.Prices.Of(protocol.H264); price != protocol.NewWei(100) {
		t.Errorf("price %s stands", price)
	}
}

func TestCapabilities_areThoseOfTheStandingBid(t *testing.T) {
	t.Parallel()
	f := open(t)
	k, sequence := key(t), uint64(0)
	shown := func(of protocol.Capabilities, with *protocol.Capabilities) *protocol.Capabilities {
		t.Helper()
		sequence++
		b, err := protocol.Seal(domain, k, protocol.Bid{Transcoder: k.Address(), TTLMillis: 60_000, Sequence: sequence, Prices: ask.MaxPrices,
			Capabilities: protocol.Hash(of.StructHash()), Record: with})
		if err != nil {
			t.Fatal(err)
		}
		f.Bid(b)
		m := f.Members()
		if len(m) != 1 || m[0].Bid == nil || m[0].Bid.Record != nil {
			t.Fatalf("members %+v", m)
		}
		return m[0].Capabilities
	}
	old := protocol.Capabilities{Transcoder: k.Address(), Engine: "one", Sandbox: protocol.Sandbox{Layers: []string{"seccomp"}, Attempts: 28, Blocked: 28}}
	newer := protocol.Capabilities{Transcoder: k.Address(), Engine: "two"}
	if c := shown(old, nil); c != nil {
		t.Errorf("%+v came from nowhere", c)
	}
	if c := shown(old, &old); c == nil || c.Engine != "one" || !c.Sandbox.Tight() {
		t.Errorf("the record of its bid is shown as %+v", c)
	}
	if c := shown(old, nil); c == nil || c.Engine != "one" {
		t.Errorf("between two bids that bring it: %+v", c)
	}
	if c := shown(newer, nil); c != nil {
		t.Errorf("%+v is no longer what it says", c)
	}
	if c := shown(newer, &newer); c == nil || c.Engine != "two" {
		t.Errorf("the new record is shown as %+v", c)
	}
}

func TestBidEvents_comeOnChangeAndAreBounded(t *testing.T) {
	t.Parallel()
	f := open(t)
	k := key(t)
	for i := range uint64(50) {
		f.bid(k, 1+i, 1e9-i, 100)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.events) != 1 || f.events[0].Kind != protocol.BidReceived {
		t.Errorf("%d events for 50 bids in a moment", len(f.events))
	}
}

func TestRank_knowsWhatWasAwardedAndWhoFailed(t *testing.T) {
	t.Parallel()
	f := open(t)
	k := key(t)
	rate := ladder.PixelRate(30)
	f.bid(k, 1, rate, 100)
	f.eventually("it is allocated", func() bool { return f.reason(k.Address()) == "" })
	lease := protocol.NewID()
	f.Awarded(k.Address(), lease, ladder.PixelRates(30))
	if r := f.reason(k.Address()); r != auction.NoCapacity {
		t.Errorf("reason %q after an award that the bid does not know of", r)
	}
	f.Freed(k.Address(), lease)
	if r := f.reason(k.Address()); r != "" {
		t.Errorf("reason %q after its end", r)
	}
	f.bid(k, 2, 2*rate, 100)
	f.Awarded(k.Address(), lease, ladder.PixelRates(30))
	f.Awarded(k.Address(), lease, ladder.PixelRates(30))
	if r := f.reason(k.Address()); r != "" {
		t.Errorf("reason %q: a lease that was offered and then accepted takes its room twice", r)
	}
	f.Freed(k.Address(), lease)
	f.Failed(k.Address())
	if r := f.reason(k.Address()); r != auction.Busy {
		t.Errorf("reason %q after a failure", r)
	}
	f.Delivered(k.Address(), 1e6, time.Second)
	if r := f.reason(k.Address()); r != "" {
		t.Errorf("reason %q after a success", r)
	}
	f.Judged(k.Address(), verify.Record{State: verify.Suspect})
	if r := f.reason(k.Address()); r != auction.Distrusted {
		t.Errorf("reason %q for a suspect", r)
	}
	if s := f.Suspects(ask); len(s) != 1 {
		t.Errorf("%d suspects to probe", len(s))
	}
	if s := f.Suspects(ask); len(s) != 0 {
		t.Error("a suspect is probed twice at once")
	}
	f.Probed(k.Address())
	if s := f.Suspects(ask); len(s) != 1 {
		t.Error("a suspect is not probed again")
	}
	f.Probed(k.Address())
	if _, err := f.Quarantine(t.Context(), k.Address(), "green pictures", time.Hour); err != nil {
		t.Fatal(err)
	}
	f.Judged(k.Address(), verify.Record{State: verify.Suspect}) // which the store does not know
	if s := f.Suspects(ask); len(s) != 0 {
		t.Error("a suspect in quarantine is probed")
	}
}

func TestRecords_ofOtherReplicasAreSeen(t *testing.T) {
	t.Parallel()
	f := open(t)
	k := key(t)
	f.bid(k, 1, 1e9, 100)
	f.eventually("it is allocated", func() bool { return f.reason(k.Address()) == "" })
	f.Judged(k.Address(), verify.Record{State: verify.CutOff})
	if _, err := f.store.Restore(t.Context(), k.Address()); err != nil { // as another replica's operator would
		t.Fatal(err)
	}
	f.eventually("the restoration is seen", func() bool { return f.reason(k.Address()) == "" })
}

func TestPatience_isItsOwnP95WithinTheBudget(t *testing.T) {
	t.Parallel()
	f := open(t)
	k := key(t)
	f.bid(k, 1, 1e9, 100)
	const budget = 6 * time.Second
	if p := f.Patience(k.Address(), budget); p != budget/4 {
		t.Errorf("%s for a newcomer", p)
	}
	for range 40 {
		f.Delivered(k.Address(), 1e6, time.Second)
	}
	if p := f.Patience(k.Address(), budget); p != 1500*time.Millisecond {
		t.Errorf("%s for one that takes 1s", p)
	}
	for range 64 {
		f.Delivered(k.Address(), 1e6, 10*time.Millisecond)
	}
	if p := f.Patience(k.Address(), budget); p != budget/4 {
		t.Errorf("%s for one that takes 10ms", p)
	}
	for range 64 {
		f.Delivered(k.Address(), 1e6, time.Minute)
	}
	if p := f.Patience(k.Address(), budget); p != budget*3/8 {
		t.Errorf("%s for one that takes a minute", p)
	}
}

func TestBest_isTheHeadOfTheRankingWhateverHappened(t *testing.T) {
	t.Parallel()
	f := open(t, func(c *fleet.Config) { c.MaxMembers, c.Backoff = 7, 0 })
	keys := make([]*protocol.KeySigner, 8) // one of them finds no place
	for i := range keys {
		keys[i] = key(t)
		f.bid(keys[i], 1, 1e9, uint64(20+i%3)) // some are alike
	}
	f.eventually("the places are taken", func() bool { _, allocated := f.Backlog(); return allocated == 7 })
	other := ask
	other.Ladder = protocol.Ladder{{Name: "1080p", Width: 1920, Height: 1080, Bitrate: 5_000_000, Codec: protocol.H264}}
	same := func(when string) {
		t.Helper()
		for n, a := range []auction.Ask{ask, other} {
			a.Lease = protocol.ID{byte(n + 1)}
			want := auction.Ranked(f.Rank(a))
			want = want[:min(4, len(want))]
			got := f.Best(a, 4)
			if len(got) != len(want) {
				t.Fatalf("%s: %d, want %d", when, len(got), len(want))
			}
			for i := range want {
				if got[i].Bid.Transcoder != want[i].Bid.Transcoder || got[i].Quality != want[i].Quality {
					t.Fatalf("%s: place %d has %s, want %s", when, i, got[i], want[i])
				}
			}
		}
	}
	same("at first")
	f.bid(keys[0], 2, 1e9, 90)
	same("a price rose")
	f.bid(keys[5], 2, 1, 1)
	same("the cheapest has no room")
	for range 30 {
		f.Delivered(keys[3].Address(), ladder.PixelRate(30), 100*time.Millisecond)
	}
	same("one has worked well")
	f.Failed(keys[3].Address())
	f.Failed(keys[4].Address())
	same("two have failed")
	f.Judged(f.Best(ask, 1)[0].Bid.Transcoder, verify.Record{State: verify.CutOff})
	same("the best is cut off")
	f.Awarded(keys[1].Address(), protocol.NewID(), protocol.CodecRates{{Codec: protocol.H264, PixelRate: 1e9}})
	same("one has no room left")
}
