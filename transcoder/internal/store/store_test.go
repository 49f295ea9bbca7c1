package store_test

import (
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/transcoder/internal/store"
)

var domain = protocol.NewDomain(1, common.Address{1})

func open(t *testing.T, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func key(t *testing.T) *protocol.KeySigner {
	t.Helper()
	k, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return protocol.NewKeySigner(k)
}

func assignment(transcoder common.Address) protocol.Assignment {
	return protocol.Assignment{Orchestrator: common.Address{9}, Transcoder: transcoder, Lease: protocol.NewID(),
		SegmentKey: protocol.SegmentKey{Stream: "live", Incarnation: 1<<32 - 1, Seq: 1<<63 - 1}, Attempt: protocol.NewID()}
}

func receipt(t *testing.T, k *protocol.KeySigner, a protocol.Assignment) protocol.Signed[protocol.Receipt] {
	t.Helper()
	r, err := protocol.Seal(domain, k, protocol.Receipt{Orchestrator: a.Orchestrator, Transcoder: a.Transcoder, Lease: a.Lease, Seq: a.Seq, Attempt: a.Attempt,
		Source: protocol.NewID(), Renditions: []protocol.RenditionReceipt{{Pixels: 1, Frames: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestStore_keepsReceiptsLeasesAndCountsOverARestart(t *testing.T) {
	t.Parallel()
	dir, k, now := t.TempDir(), key(t), time.Now()
	s := open(t, dir)
	a := assignment(k.Address())
	r := receipt(t, k, a)
	lease := store.Lease{ID: a.Lease, Orchestrator: a.Orchestrator, Stream: "live", MaxFee: protocol.MaxUint96, UsualFee: protocol.NewWei(7)}
	for _, err := range []error{s.PutLease(t.Context(), lease, now), s.Begin(t.Context(), a, now), s.PutReceipt(t.Context(), r, protocol.MaxUint96, now), s.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	s = open(t, dir)
	if got, err := s.Receipt(t.Context(), a.Attempt); err != nil || got.Signature != r.Signature {
		t.Errorf("receipt %+v, %v", got, err)
	} else if _, err := got.Open(domain); err != nil {
		t.Error(err)
	}
	if got, err := s.Lease(t.Context(), a.Lease); err != nil || got != lease {
		t.Errorf("lease %+v, %v", got, err)
	}
	if c, err := s.Counts(t.Context()); err != nil || c != (store.Counts{Attempts: 1, Receipts: 1, Leases: 1}) {
		t.Errorf("counts %+v, %v", c, err)
	}
}

func TestStore_takesEachAttemptReceiptAndLeaseOnce(t *testing.T) {
	t.Parallel()
	s, k, now := open(t, t.TempDir()), key(t), time.Now()
	a, b := assignment(k.Address()), assignment(k.Address())
	lease := store.Lease{ID: a.Lease, Orchestrator: a.Orchestrator, Stream: "live"}
	steps := []struct {
		name string
		do   func() error
		want protocol.Code
	}{
		{"receipt before its attempt", func() error { return s.PutReceipt(t.Context(), receipt(t, k, a), protocol.Wei{}, now) }, protocol.Stale},
		{"begin", func() error { return s.Begin(t.Context(), a, now) }, ""},
		{"begin again", func() error { return s.Begin(t.Context(), a, now) }, protocol.Stale},
		{"receipt", func() error { return s.PutReceipt(t.Context(), receipt(t, k, a), protocol.Wei{}, now) }, ""},
		{"another receipt", func() error { return s.PutReceipt(t.Context(), receipt(t, k, a), protocol.Wei{}, now) }, protocol.Stale},
		{"begin after the receipt", func() error { return s.Begin(t.Context(), a, now) }, protocol.Stale},
		{"abandon after the receipt changes nothing", func() error { return s.Abandon(t.Context(), a.Attempt, protocol.Cancelled, now) }, ""},
		{"begin another", func() error { return s.Begin(t.Context(), b, now) }, ""},
		{"abandon it", func() error { return s.Abandon(t.Context(), b.Attempt, protocol.Cancelled, now) }, ""},
		{"receipt of an abandoned one", func() error { return s.PutReceipt(t.Context(), receipt(t, k, b), protocol.Wei{}, now) }, protocol.Stale},
		{"lease", func() error { return s.PutLease(t.Context(), lease, now) }, ""},
		{"the lease again", func() error { return s.PutLease(t.Context(), lease, now) }, protocol.Stale},
		{"unknown lease", func() error { _, err := s.Lease(t.Context(), protocol.NewID()); return err }, protocol.LeaseUnknown},
		{"unknown receipt", func() error { _, err := s.Receipt(t.Context(), protocol.NewID()); return err }, protocol.NotFound},
		{"receipt of one that has none", func() error { _, err := s.Receipt(t.Context(), b.Attempt); return err }, protocol.NotFound},
		{"receipt that is there", func() error { _, err := s.Receipt(t.Context(), a.Attempt); return err }, ""},
	}
	for _, step := range steps {
		err := step.do()
		code := protocol.Code("")
		if err != nil {
			code = protocol.CodeOf(err)
		}
		if code != step.want {
			t.Errorf("%s: %v, want %q", step.name, err, step.want)
		}
	}
}

func TestStore_prunesWhatIsOldButGoesOnCounting(t *testing.T) {
	t.Parallel()
	s, k, now := open(t, t.TempDir()), key(t), time.Now()
	old, young := assignment(k.Address()), assignment(k.Address())
	for a, at := range map[*protocol.Assignment]time.Time{&old: now.Add(-time.Hour), &young: now} {
		if err := s.Begin(t.Context(), *a, at); err != nil {
			t.Fatal(err)
		}
		if err := s.PutReceipt(t.Context(), receipt(t, k, *a), protocol.Wei{}, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Prune(t.Context(), now.Add(-time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Receipt(t.Context(), old.Attempt); protocol.CodeOf(err) != protocol.NotFound {
		t.Errorf("the old receipt: %v", err)
	}
	if _, err := s.Receipt(t.Context(), young.Attempt); err != nil {
		t.Errorf("the young receipt: %v", err)
	}
	if c, err := s.Counts(t.Context()); err != nil || c.Receipts != 2 {
		t.Errorf("counts %+v, %v", c, err)
	}
}
