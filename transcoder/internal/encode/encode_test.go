package encode_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/passport"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/transcoder/internal/encode"
	"github.com/kinora/kinora/transcoder/internal/encode/encodetest"
	"github.com/kinora/kinora/transcoder/internal/store"
)

var ladder = protocol.Ladder{
	{Name: "a", Width: 160, Height: 90, Bitrate: 200_000, Codec: protocol.H264, Preset: "ultrafast"},
	{Name: "b", Width: 128, Height: 72, Bitrate: 100_000, Codec: protocol.H264, Preset: "ultrafast"},
}

// credit is a ledger in memory.
type credit struct {
	mu     sync.Mutex
	refuse error
	held   int
	owed   map[protocol.ID]protocol.Wei
}

func (c *credit) AdmitBy(context.Context, common.Address, common.Address, protocol.ID, protocol.Wei) (func(), error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refuse != nil {
		return nil, c.refuse
	}
	c.held++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.held--
	}, nil
}

func (c *credit) Owe(_ context.Context, _ common.Address, attempt protocol.ID, _ string, fee protocol.Wei) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owed[attempt] = fee
	return nil
}

func (c *credit) Forgive(_ context.Context, attempt protocol.ID) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.owed, attempt)
	return nil
}

func (c *credit) of(attempt protocol.ID) (protocol.Wei, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fee, ok := c.owed[attempt]
	return fee, ok
}

// stage is a transcoder's work on one lease, with a real store, child and HTTP/2 peer.
type stage struct {
	peer   *encodetest.Peer
	key    *protocol.KeySigner
	award  protocol.Award
	work   *encode.Work
	store  *store.Store
	credit *credit

	mu     sync.Mutex
	events []protocol.Event
}

func newStage(t *testing.T, encoder encode.Encoder) *stage {
	t.Helper()
	s := &stage{peer: encodetest.NewPeer(t), key: encodetest.NewKey(t), credit: &credit{owed: make(map[protocol.ID]protocol.Wei)}}
	var err error
	if s.store, err = store.Open(t.Context(), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.store.Close() })
	s.award = protocol.Award{Lease: protocol.NewID(), Orchestrator: s.peer.Key.Address(), Payer: s.peer.Key.Address(), Transcoder: s.key.Address(), Stream: "live",
		LadderHash: protocol.Hash(ladder.Hash()), Prices: protocol.Prices{{Codec: protocol.H264, WeiPerPixel: protocol.NewWei(3)}},
		MaxFee: protocol.NewWei(1 << 40), LeaseMillis: 30_000, BidSequence: 1, URL: s.peer.URL}
	bench := &encode.Bench{Domain: encodetest.Domain, Signer: s.key, Encoder: encoder, Credit: s.credit, Journal: s.store,
		Clients: encode.NewClients(passport.NewTrust(encodetest.Domain), false), Log: slog.New(slog.DiscardHandler), Events: func(e protocol.Event) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.events = append(s.events, e)
		}}
	s.work = bench.Start(context.Background(), encode.Lease{Award: s.award, Ladder: ladder})
	t.Cleanup(func() {
		s.work.Abort(errors.New("the test is over"))
		<-s.work.Done()
	})
	return s
}

func (s *stage) kinds() []protocol.EventKind {
	s.mu.Lock()
	defer s.mu.Unlock()
	var kinds []protocol.EventKind
	for _, e := range s.events {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func children(t *testing.T) encode.Children {
	t.Helper()
	path, err := media.Find()
	if err != nil {
		t.Fatal(err)
	}
	pool := media.NewPool(media.Options{Path: path}, 1)
	t.Cleanup(func() { _ = pool.Close() })
	return encode.Children{Pool: pool}
}

func segments(t *testing.T) []mediatest.Segment {
	t.Helper()
	return mediatest.Segments(t, mediatest.Spec{Seconds: 4})
}

func TestWork_turnsSegmentsIntoRenditionsAndReceipts(t *testing.T) {
	t.Parallel()
	s := newStage(t, children(t))
	ffprobe := mediatest.FFprobe(t)
	for i, seg := range segments(t) {
		slot := s.peer.Slot(t)
		a := s.peer.Assign(s.award, uint64(i))
		s.peer.Start(t, slot, a, i > 0)
		out := slot.Run(t, seg.Bytes)
		if out.Receipt == nil {
			t.Fatalf("no receipt: %+v, %v", out.Abandoned, out.Err)
		}
		r, err := out.Receipt.Open(encodetest.Domain)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Matches(a); err != nil {
			t.Error(err)
		}
		if r.Source != sha256.Sum256(seg.Bytes) {
			t.Error("the receipt is of another source")
		}
		for j, p := range ladder {
			got := r.Renditions[j]
			if got.Output != sha256.Sum256(out.Renditions[j]) || got.Profile != protocol.Hash(p.Hash()) {
				t.Errorf("rendition %d: the receipt states other bytes or another profile", j)
			}
			if got.Frames != 60 || got.Pixels != 60*uint64(p.Width)*uint64(p.Height) {
				t.Errorf("rendition %d: %d frames, %d pixels, want 60 of %d×%d", j, got.Frames, got.Pixels, p.Width, p.Height)
			}
			path := filepath.Join(t.TempDir(), "out.ts")
			if err := os.WriteFile(path, out.Renditions[j], 0o600); err != nil {
				t.Fatal(err)
			}
			probed, _ := mediatest.Run(t, nil, ffprobe, "-v", "error", "-count_frames", "-select_streams", "v",
				"-show_entries", "stream=width,height,nb_read_frames", "-of", "csv=p=0", path)
			want := strconv.Itoa(int(p.Width)) + "," + strconv.Itoa(int(p.Height)) + ",60"
			if got := strings.TrimSpace(string(probed)); got != want && !strings.HasPrefix(got, want) {
				t.Errorf("rendition %d decodes as %q, want %q", j, got, want)
			}
		}
		// On disk before it was sent, and owed.
		stored, err := s.store.Receipt(t.Context(), a.Attempt)
		if err != nil || stored.Signature != out.Receipt.Signature {
			t.Errorf("stored receipt: %v", err)
		}
		fee, err := ladder.Fee(s.award.Prices, r)
		if err != nil {
			t.Fatal(err)
		}
		if owed, ok := s.credit.of(a.Attempt); !ok || owed != fee {
			t.Errorf("owed %s, want %s", owed, fee)
		}
	}
	encodetest.Eventually(t, "both attempts end", func() bool { return s.work.Activity().InFlight == 0 })
	if k := s.kinds(); !slices.Equal(k, []protocol.EventKind{protocol.AttemptStarted, protocol.ReceiptSigned, protocol.AttemptStarted, protocol.ReceiptSigned}) {
		t.Errorf("events %v", k)
	}
	if c, err := s.store.Counts(t.Context()); err != nil || c.Attempts != 2 || c.Receipts != 2 {
		t.Errorf("counts %+v, %v", c, err)
	}
	if s.credit.held != 0 {
		t.Errorf("%d holds of credit are left", s.credit.held)
	}
}

func TestWork_keepsTwoSlotsParkedBesideAnAttempt(t *testing.T) {
	t.Parallel()
	s := newStage(t, &scripted{})
	first, second := s.peer.Slot(t), s.peer.Slot(t)
	encodetest.Eventually(t, "two are parked", func() bool { return s.peer.Parked() == 2 })
	if first.Request.Serial == second.Request.Serial || first.Request.Lease != s.award.Lease || first.Request.Transcoder != s.key.Address() {
		t.Errorf("slots %+v and %+v", first.Request, second.Request)
	}
	s.peer.Start(t, first, s.peer.Assign(s.award, 1), false)
	third := s.peer.Slot(t) // replaces the one that is in use
	encodetest.Eventually(t, "one in use and two parked", func() bool { return s.peer.Parked() == 3 })
	s.peer.Start(t, second, s.peer.Assign(s.award, 2), true) // the next segment is fed while the one before drains
	fourth := s.peer.Slot(t)
	for i, slot := range []*encodetest.Slot{second, first} {
		if out := slot.Run(t, []byte("source")); out.Receipt == nil {
			t.Errorf("slot %d: %+v, %v", i, out.Abandoned, out.Err)
		}
	}
	_, _ = third, fourth
}

// scripted is an Encoder that copies its source to every rendition, and does what a test asks for first.
type scripted struct {
	open   func(ctx context.Context) error
	before func(ctx context.Context, job media.Job) error

	mu       sync.Mutex
	sessions int
	jobs     []media.Job
}

func (e *scripted) Open(ctx context.Context, _ protocol.Ladder) (encode.Session, error) {
	if e.open != nil {
		if err := e.open(ctx); err != nil {
			return nil, err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sessions++
	return e, nil
}

func (e *scripted) Close() error { return nil }

func (e *scripted) Encode(ctx context.Context, job media.Job) (*media.Result, error) {
	e.mu.Lock()
	e.jobs = append(e.jobs, job)
	e.mu.Unlock()
	if e.before != nil {
		if err := e.before(ctx, job); err != nil {
			return nil, err
		}
	}
	b, err := io.ReadAll(job.Source)
	if err != nil {
		return nil, err
	}
	result := &media.Result{}
	for i, p := range job.Ladder {
		if err := job.Out(i, b); err != nil {
			return nil, err
		}
		result.Renditions = append(result.Renditions, media.Rendition{Name: p.Name, Frames: 60, Pixels: 60 * int64(p.Width) * int64(p.Height), LastPTS: 1})
	}
	return result, nil
}

func (e *scripted) opened() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.sessions
}

func TestAttempt_thatIsNotOfThisLeaseIsRefused(t *testing.T) {
	t.Parallel()
	stranger := encodetest.NewKey(t)
	cases := []struct {
		name string
		spec func(s *stage, a *protocol.Assignment) (protocol.Signer, func(*protocol.AttemptStart))
		want protocol.Code
	}{
		{"signed by a stranger in the orchestrator's name", func(s *stage, a *protocol.Assignment) (protocol.Signer, func(*protocol.AttemptStart)) {
			return s.peer.Key, func(start *protocol.AttemptStart) { start.Assignment.Signature[10] ^= 1 }
		}, protocol.BadSignature},
		{"a stranger's own", func(s *stage, a *protocol.Assignment) (protocol.Signer, func(*protocol.AttemptStart)) {
			a.Orchestrator = stranger.Address()
			return stranger, nil
		}, protocol.BadRequest},
		{"for another transcoder", func(s *stage, a *protocol.Assignment) (protocol.Signer, func(*protocol.AttemptStart)) {
			a.Transcoder = stranger.Address()
			return s.peer.Key, nil
		}, protocol.BadRequest},
		{"of another lease", func(s *stage, a *protocol.Assignment) (protocol.Signer, func(*protocol.AttemptStart)) {
			a.Lease = protocol.NewID()
			return s.peer.Key, nil
		}, protocol.BadRequest},
		{"of another stream", func(s *stage, a *protocol.Assignment) (protocol.Signer, func(*protocol.AttemptStart)) {
			a.Stream = "other"
			return s.peer.Key, nil
		}, protocol.BadRequest},
		{"without a duration", func(s *stage, a *protocol.Assignment) (protocol.Signer, func(*protocol.AttemptStart)) {
			return s.peer.Key, func(start *protocol.AttemptStart) { start.DurationMillis = 0 }
		}, protocol.BadDuration},
		{"without a budget", func(s *stage, a *protocol.Assignment) (protocol.Signer, func(*protocol.AttemptStart)) {
			return s.peer.Key, func(start *protocol.AttemptStart) { start.BudgetMillis = 0 }
		}, protocol.BadRequest},
	}
	s := newStage(t, &scripted{})
	for _, c := range cases {
		a := s.peer.Assign(s.award, 1)
		signer, change := c.spec(s, &a)
		start := protocol.AttemptStart{Assignment: encodetest.Seal(t, signer, a), DurationMillis: 2000, BudgetMillis: 2000}
		if change != nil {
			change(&start)
		}
		slot := s.peer.Slot(t)
		slot.Begin(t, start)
		if out := slot.Outcome(); out.Abandoned == nil || out.Abandoned.Code != c.want {
			t.Errorf("%s: %+v, %v, want %s", c.name, out.Abandoned, out.Err, c.want)
		}
	}
	if n, err := s.store.Counts(t.Context()); err != nil || n.Attempts != 0 {
		t.Errorf("%+v, %v: a refused assignment must not use up its attempt", n, err)
	}
}

func TestAttempt_isNeverReused(t *testing.T) {
	t.Parallel()
	s := newStage(t, &scripted{})
	a := s.peer.Assign(s.award, 1)
	for i, source := range []string{"source", "source", "another"} {
		slot := s.peer.Slot(t)
		s.peer.Start(t, slot, a, false)
		out := slot.Run(t, []byte(source))
		if (out.Receipt != nil) != (i == 0) {
			t.Fatalf("try %d: receipt %v", i, out.Receipt)
		}
		if i > 0 && (out.Abandoned == nil || out.Abandoned.Code != protocol.Stale) {
			t.Errorf("try %d: %+v, %v, want stale", i, out.Abandoned, out.Err)
		}
	}
}

func TestAttempt_withoutCreditIsRefusedAndNotUsedUp(t *testing.T) {
	t.Parallel()
	s := newStage(t, &scripted{})
	s.credit.refuse = protocol.Errorf(protocol.InsufficientCredit, "1 wei of 2")
	a := s.peer.Assign(s.award, 1)
	slot := s.peer.Slot(t)
	s.peer.Start(t, slot, a, false)
	if out := slot.Run(t, []byte("x")); out.Abandoned == nil || out.Abandoned.Code != protocol.InsufficientCredit {
		t.Fatalf("%+v, %v", out.Abandoned, out.Err)
	}
	s.credit.mu.Lock()
	s.credit.refuse = nil
	s.credit.mu.Unlock()
	slot = s.peer.Slot(t)
	s.peer.Start(t, slot, a, false)
	if out := slot.Run(t, []byte("x")); out.Receipt == nil {
		t.Errorf("%+v, %v", out.Abandoned, out.Err)
	}
}

func TestAttempt_whoseFeeExceedsTheAwardHasNoReceipt(t *testing.T) {
	t.Parallel()
	s := newStage(t, &scripted{before: func(context.Context, media.Job) error { return nil }})
	s.work.Abort(errors.New("another lease is tried"))
	<-s.work.Done()
	s.award.MaxFee = protocol.NewWei(10)
	bench := &encode.Bench{Domain: encodetest.Domain, Signer: s.key, Encoder: &scripted{}, Credit: s.credit, Journal: s.store, Clients: encode.NewClients(passport.NewTrust(encodetest.Domain), false),
		Log: slog.New(slog.DiscardHandler), Events: func(protocol.Event) {}}
	s.work = bench.Start(context.Background(), encode.Lease{Award: s.award, Ladder: ladder})
	slot := s.peer.Slot(t)
	s.peer.Start(t, slot, s.peer.Assign(s.award, 1), false)
	if out := slot.Run(t, []byte("x")); out.Abandoned == nil || out.Abandoned.Code != protocol.BudgetTooSmall {
		t.Errorf("%+v, %v, want budget_too_small", out.Abandoned, out.Err)
	}
}

func TestAttempt_whoseSourceIsNotWhatItsEndSays(t *testing.T) {
	t.Parallel()
	s := newStage(t, &scripted{})
	slot := s.peer.Slot(t)
	s.peer.Start(t, slot, s.peer.Assign(s.award, 1), false)
	slot.Source(t, []byte("half"))
	slot.End(t, []byte("half of it"))
	if out := slot.Outcome(); out.Abandoned == nil || out.Abandoned.Code != protocol.BadRequest {
		t.Errorf("%+v, %v, want bad_request", out.Abandoned, out.Err)
	}
}

func TestAttempt_isCancelled(t *testing.T) {
	t.Parallel()
	s := newStage(t, children(t))
	slot := s.peer.Slot(t)
	a := s.peer.Assign(s.award, 1)
	s.peer.Start(t, slot, a, false)
	seg := segments(t)[0].Bytes
	slot.Source(t, seg[:len(seg)/2])
	slot.Cancel(t, protocol.Errorf(protocol.Cancelled, "the other one was faster"))
	if out := slot.Outcome(); out.Abandoned == nil || out.Abandoned.Code != protocol.Cancelled {
		t.Fatalf("%+v, %v, want cancelled", out.Abandoned, out.Err)
	}
	if _, ok := s.credit.of(a.Attempt); ok {
		t.Error("a cancelled attempt is owed")
	}
	next := s.peer.Slot(t) // the lease goes on
	s.peer.Start(t, next, s.peer.Assign(s.award, 2), true)
	if out := next.Run(t, segments(t)[1].Bytes); out.Receipt == nil {
		t.Errorf("the next segment: %+v, %v", out.Abandoned, out.Err)
	}
}

func TestAttempt_pastItsBudgetIsAbandoned(t *testing.T) {
	t.Parallel()
	s := newStage(t, &scripted{before: func(ctx context.Context, _ media.Job) error { <-ctx.Done(); return ctx.Err() }})
	slot := s.peer.Slot(t)
	a := encodetest.Seal(t, s.peer.Key, s.peer.Assign(s.award, 1))
	slot.Begin(t, protocol.AttemptStart{Assignment: a, DurationMillis: 100, BudgetMillis: 50})
	if out := slot.Run(t, []byte("x")); out.Abandoned == nil || out.Abandoned.Code != protocol.DeadlineExceeded {
		t.Errorf("%+v, %v, want deadline_exceeded", out.Abandoned, out.Err)
	}
}

func TestAttempt_withLittleTimeLeftDoesNotTakeItsChildToHang(t *testing.T) {
	t.Parallel()
	stall := make(chan time.Duration, 1)
	s := newStage(t, &scripted{before: func(_ context.Context, job media.Job) error { stall <- job.Stall; return nil }})
	slot := s.peer.Slot(t)
	a := encodetest.Seal(t, s.peer.Key, s.peer.Assign(s.award, 1))
	slot.Begin(t, protocol.AttemptStart{Assignment: a, DurationMillis: 100, BudgetMillis: 40})
	slot.Run(t, []byte("x"))
	if d := <-stall; d < time.Second {
		t.Errorf("a child that says nothing for %s is killed", d)
	}
}

func TestAttempt_whoseChildIsKilledIsDoneByASpare(t *testing.T) {
	t.Parallel()
	kids := &counted{Children: children(t)}
	s := newStage(t, kids)
	whole := segments(t)[0].Bytes
	slot := s.peer.Slot(t)
	s.peer.Start(t, slot, s.peer.Assign(s.award, 0), false)
	slot.Source(t, whole[:len(whole)/2])
	encodetest.Eventually(t, "a child was taken", func() bool { return kids.pid() != 0 })
	killed := kids.pid()
	if err := syscall.Kill(killed, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	slot.Source(t, whole[len(whole)/2:])
	slot.End(t, whole)
	out := slot.Outcome()
	if out.Receipt == nil || out.Restarts > 1 {
		t.Fatalf("%+v, %v, begun anew %d times, want a receipt", out.Abandoned, out.Err, out.Restarts)
	}
	for i, r := range out.Receipt.Message.Renditions {
		if sum := protocol.Hash(sha256.Sum256(out.Renditions[i])); sum != r.Output {
			t.Errorf("rendition %d: what was sent since the last restart has hash %s, the receipt says %s", i, sum.Short(), r.Output.Short())
		}
	}
	if kids.count() != 1 || kids.pid() == killed {
		t.Errorf("%d sessions were opened, child %d after %d was killed; want the session to go on with another child", kids.count(), kids.pid(), killed)
	}
}

// counted remembers the children it handed out.
type counted struct {
	encode.Children
	mu       sync.Mutex
	sessions []interface{ Pid() int }
}

func (c *counted) Open(ctx context.Context, l protocol.Ladder) (encode.Session, error) {
	s, err := c.Children.Open(ctx, l)
	if err == nil {
		c.mu.Lock()
		c.sessions = append(c.sessions, s.(interface{ Pid() int }))
		c.mu.Unlock()
	}
	return s, err
}

func (c *counted) pid() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.sessions) == 0 {
		return 0
	}
	return c.sessions[len(c.sessions)-1].Pid()
}

func (c *counted) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sessions)
}

func TestAttempt_onBytesThatAreNoVideoIsAbandonedWithTheReason(t *testing.T) {
	t.Parallel()
	s := newStage(t, children(t))
	slot := s.peer.Slot(t)
	s.peer.Start(t, slot, s.peer.Assign(s.award, 0), false)
	out := slot.Run(t, bytes.Repeat([]byte("no video "), 10_000))
	if out.Abandoned == nil || out.Abandoned.Code != protocol.BadMedia && out.Abandoned.Code != protocol.NoVideo {
		t.Errorf("%+v, %v, want bad_media or no_video", out.Abandoned, out.Err)
	}
	if len(out.Renditions) != 0 {
		t.Error("something was made of it")
	}
}

func TestAttempt_continuesOnlyWhatItFollows(t *testing.T) {
	t.Parallel()
	e := &scripted{}
	s := newStage(t, e)
	for _, seq := range []uint64{5, 6, 8} {
		slot := s.peer.Slot(t)
		s.peer.Start(t, slot, s.peer.Assign(s.award, seq), true)
		if out := slot.Run(t, []byte("x")); out.Receipt == nil {
			t.Fatalf("%+v, %v", out.Abandoned, out.Err)
		}
	}
	for i, want := range []bool{false, true, false} {
		if e.jobs[i].Continues != want {
			t.Errorf("segment %d: continues %v, want %v", i, e.jobs[i].Continues, want)
		}
	}
	if e.opened() != 1 {
		t.Errorf("%d sessions, want one per lease", e.opened())
	}
}

func TestAttempts_shareTheSessionThatOneOfThemOpens(t *testing.T) {
	t.Parallel()
	opening, let := make(chan struct{}, 4), make(chan struct{})
	e := &scripted{open: func(ctx context.Context) error {
		opening <- struct{}{}
		select {
		case <-let:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
	s := newStage(t, e)
	first, second, third := s.peer.Slot(t), s.peer.Slot(t), (*encodetest.Slot)(nil)
	s.peer.Start(t, first, s.peer.Assign(s.award, 1), false)
	<-opening
	s.peer.Start(t, second, s.peer.Assign(s.award, 2), true)
	third = s.peer.Slot(t)
	s.peer.Start(t, third, s.peer.Assign(s.award, 3), false)
	third.Cancel(t, protocol.Errorf(protocol.Cancelled, "not needed"))
	if out := third.Outcome(); out.Abandoned == nil || out.Abandoned.Code != protocol.Cancelled { // it waits for no session
		t.Errorf("cancelled while the session opens: %+v, %v", out.Abandoned, out.Err)
	}
	if a := s.work.Activity(); a.InFlight < 2 {
		t.Errorf("activity %+v while the session opens", a)
	}
	close(let)
	for i, slot := range []*encodetest.Slot{first, second} {
		if out := slot.Run(t, []byte("x")); out.Receipt == nil {
			t.Errorf("attempt %d: %+v, %v", i, out.Abandoned, out.Err)
		}
	}
	if e.opened() != 1 {
		t.Errorf("%d sessions, want one per lease", e.opened())
	}
}

func TestWork_endsWhenTheOrchestratorDoesNotKnowTheLease(t *testing.T) {
	t.Parallel()
	s := newStage(t, &scripted{})
	a, b := s.peer.Slot(t), s.peer.Slot(t)
	s.peer.Refuse(protocol.Errorf(protocol.LeaseUnknown, "no such lease"))
	a.Finish()
	b.Finish()
	select {
	case <-s.work.Done():
	case <-time.After(encodetest.Patience):
		t.Fatal("it goes on")
	}
}

func TestWork_parksAgainAfterTheConnectionWasLost(t *testing.T) {
	t.Parallel()
	s := newStage(t, &scripted{})
	a, b := s.peer.Slot(t), s.peer.Slot(t)
	s.peer.Refuse(protocol.Errorf(protocol.Unavailable, "starting"))
	a.Finish()
	b.Finish()
	encodetest.Eventually(t, "slots were refused", func() bool { return s.peer.Refused() > 0 })
	s.peer.Refuse(nil)
	slot := s.peer.Slot(t)
	s.peer.Start(t, slot, s.peer.Assign(s.award, 1), false)
	if out := slot.Run(t, []byte("x")); out.Receipt == nil {
		t.Errorf("%+v, %v", out.Abandoned, out.Err)
	}
}

func TestAttempt_endsWhenTheOrchestratorVanishes(t *testing.T) {
	t.Parallel()
	encoding, stopped := make(chan struct{}, 1), make(chan error, 1)
	s := newStage(t, &scripted{before: func(ctx context.Context, _ media.Job) error {
		encoding <- struct{}{}
		<-ctx.Done()
		stopped <- context.Cause(ctx)
		return ctx.Err()
	}})
	slot := s.peer.Slot(t)
	s.peer.Start(t, slot, s.peer.Assign(s.award, 1), false)
	slot.Source(t, []byte("x"))
	select {
	case <-encoding: // the first byte alone may come before the encoder was asked
	case <-time.After(encodetest.Patience):
		t.Fatal("the encoder was never asked")
	}
	s.peer.Close()
	select {
	case err := <-stopped:
		if protocol.CodeOf(err) != protocol.Unreachable {
			t.Errorf("stopped by %v, want unreachable", err)
		}
	case <-time.After(encodetest.Patience):
		t.Fatal("the encoder goes on for nobody")
	}
	encodetest.Eventually(t, "nothing in flight", func() bool { return s.work.Activity().InFlight == 0 })
}

func TestWork_finishesWhatIsInFlight(t *testing.T) {
	t.Parallel()
	s := newStage(t, &scripted{})
	slot := s.peer.Slot(t)
	s.peer.Start(t, slot, s.peer.Assign(s.award, 1), false)
	slot.Source(t, []byte("so"))
	encodetest.Eventually(t, "the attempt runs", func() bool { return !s.work.Activity().First.IsZero() })
	s.work.Finish()
	encodetest.Eventually(t, "parked slots have left", func() bool { return s.peer.Parked() == 1 })
	slot.Source(t, []byte("urce"))
	slot.End(t, []byte("source"))
	if out := slot.Outcome(); out.Receipt == nil {
		t.Errorf("%+v, %v", out.Abandoned, out.Err)
	}
	select {
	case <-s.work.Done():
	case <-time.After(encodetest.Patience):
		t.Fatal("it goes on")
	}
}
