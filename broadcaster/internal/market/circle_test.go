package market

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/protocol"
)

func TestScout_findsACheaperOneAndSwapsOnlyNowAndThen(t *testing.T) {
	t.Parallel()
	dear, other := open(t, 100), open(t, 90)
	m := fair(t, Config{Keep: 2, ScoutEvery: time.Millisecond}, dear, other)
	if err := m.Meet(t.Context(), ask); err != nil {
		t.Fatal(err)
	}
	cheap, near := open(t, 20), open(t, 10)
	m.Know("webhook", []protocol.Listing{cheap.listing(), near.listing()})
	ctx, cancel := context.WithCancel(t.Context())
	scouting := make(chan struct{})
	go func() { defer close(scouting); m.Scout(ctx, ask) }()
	defer func() { cancel(); <-scouting }()
	places := func() (urls map[string]bool) {
		urls = make(map[string]bool)
		for _, s := range m.Standings() {
			if s.Kept {
				urls[s.URL] = true
			}
		}
		return urls
	}
	deadline := time.Now().Add(20 * time.Second)
	for places()[dear.url] {
		if time.Now().After(deadline) {
			t.Fatalf("the dear one kept its place: %v", places())
		}
		time.Sleep(5 * time.Millisecond)
	}
	priced := func() (n int) {
		for _, s := range m.Standings() {
			if len(s.Prices) > 0 {
				n++
			}
		}
		return n
	}
	for priced() < 4 {
		if time.Now().After(deadline) {
			t.Fatal("not everybody was looked at")
		}
		time.Sleep(5 * time.Millisecond)
	}
	m.mu.Lock()
	m.elect(time.Now())
	m.mu.Unlock()
	if p := places(); len(p) != 2 || !p[other.url] {
		t.Errorf("places %v: one place a while is given away", p)
	}
	m.mu.Lock()
	m.elect(time.Now().Add(swapEvery))
	m.mu.Unlock()
	if p := places(); !p[cheap.url] || !p[near.url] {
		t.Errorf("places %v after a while", p)
	}
}

// The circle loses who is silent, but not for a refusal, and never whom the operator named.
func TestElect_losesNoneThatRefusesAndNoneThatWasConfigured(t *testing.T) {
	t.Parallel()
	full, gone, told := open(t, 100), open(t, 100), open(t, 100)
	m := fair(t, Config{URLs: []string{told.url}, Keep: 3}, full, gone)
	if err := m.Meet(t.Context(), ask); err != nil {
		t.Fatal(err)
	}
	full.refuse.Store(protocol.Limited(protocol.NoCapacity, "free_pixel_rate", 5000, "full"))
	gone.shut.Store(true)
	told.shut.Store(true)
	for i := range 2 * lostMisses {
		_, _ = m.Choose(t.Context(), of(fmt.Sprint("cam", i)))
	}
	m.mu.Lock()
	m.elect(time.Now())
	m.mu.Unlock()
	for _, s := range m.Standings() {
		if s.Err == nil || s.Kept != (s.URL != gone.url) {
			t.Errorf("%s has a place: %v, %v", s.URL, s.Kept, s.Err)
		}
	}
	told.shut.Store(false)
	if c, err := m.Choose(t.Context(), of("later")); err != nil || c.URL != told.url {
		t.Errorf("once it is back: %v, %v", c, err)
	}
}

// Strangers who sign low prices with terms that nobody can take get no place by them.
func TestElect_givesNoPlaceForPricesThatCannotBeBoughtAt(t *testing.T) {
	t.Parallel()
	honest := open(t, 100)
	shops := []*shop{honest}
	for i := range 4 {
		s := open(t, 1)
		if s.spoil = func(q *protocol.Quote, _ *protocol.TicketParams) { q.MaxFee = protocol.NewWei(1e18) }; i%2 > 0 {
			s.spoil = func(_ *protocol.Quote, p *protocol.TicketParams) { p.FaceValue = protocol.NewWei(1) }
		}
		shops = append(shops, s)
	}
	m := fair(t, Config{Keep: 2}, shops...)
	for range 20 {
		_ = m.Meet(t.Context(), ask)
	}
	for _, s := range m.Standings() {
		if s.Kept != (s.URL == honest.url) || s.URL != honest.url && len(s.Prices) > 0 {
			t.Errorf("%s has a place: %v, at %v", s.URL, s.Kept, s.Prices)
		}
	}
}

// Nor do those keep one who quote well and deliver nothing, while there is somebody else.
func TestElect_putsOutWhoServesNothingForLongerEachTime(t *testing.T) {
	t.Parallel()
	cheap, honest := open(t, 1), open(t, 100)
	m := fair(t, Config{Keep: 1}, cheap)
	if err := m.Meet(t.Context(), ask); err != nil {
		t.Fatal(err)
	}
	fail := func(times int) {
		for range times {
			c, err := m.Choose(t.Context(), ask)
			if err != nil || c.URL != cheap.url {
				t.Fatalf("%v, %v", c, err)
			}
			c.Failed(protocol.Errorf(protocol.TranscodeFailed, "nothing came"))
		}
	}
	holds := func(now time.Time) (urls []string) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.elect(now)
		for _, s := range m.sellers {
			if s.kept {
				urls = append(urls, s.url)
			}
		}
		return urls
	}
	fail(lostFailures)
	now := time.Now()
	if got := holds(now); !slices.Equal(got, []string{cheap.url}) {
		t.Fatalf("with nobody else: %v", got)
	}
	m.Know("webhook", []protocol.Listing{honest.listing()})
	if err := m.Meet(t.Context(), ask); err != nil {
		t.Fatal(err)
	}
	if got := holds(now); !slices.Equal(got, []string{honest.url}) {
		t.Fatalf("once there is another: %v", got)
	}
	now = now.Add(outFor + time.Minute)
	if got := holds(now.Add(swapEvery)); !slices.Equal(got, []string{cheap.url}) {
		t.Fatalf("after a while: %v", got)
	}
	fail(lostFailures / 2)
	if holds(now); !slices.Equal(holds(now), []string{honest.url}) {
		t.Fatalf("after it failed again: %v", holds(now))
	}
	if got := holds(now.Add(outFor + time.Minute)); !slices.Equal(got, []string{honest.url}) {
		t.Errorf("after as long as the first time: %v", got)
	}
}

// Whoever never answers, and whoever no longer does, is not waited for; replicas are one.
func TestCandidates_areThoseThatAnswerOrMayYet(t *testing.T) {
	t.Parallel()
	alive, replica, dead, told := open(t, 100), open(t, 100), open(t, 100), open(t, 100)
	replica.self = alive.self
	dead.shut.Store(true)
	told.shut.Store(true)
	m := fair(t, Config{URLs: []string{told.url}}, alive, replica, dead)
	for i := range lostMisses {
		if err := m.Meet(t.Context(), ask); err == nil {
			t.Fatal("those that are away were met")
		}
		want := 2 // who was configured may be starting
		if i == lostMisses-1 {
			want = 1
		}
		if n := m.Candidates(); n != want {
			t.Errorf("after %d questions: %d", i+1, n)
		}
	}
	told.shut.Store(false)
	if err := m.Meet(t.Context(), ask); err != nil || m.Candidates() != 2 {
		t.Errorf("once it is there: %d, %v", m.Candidates(), err)
	}
}

// A broadcaster may start before the one orchestrator it was told of.
func TestMeet_findsAConfiguredOrchestratorThatStartsLater(t *testing.T) {
	t.Parallel()
	late := open(t, 100)
	late.shut.Store(true)
	m := fair(t, Config{URLs: []string{late.url}, Keep: 4})
	for range 2 * lostMisses {
		if err := m.Meet(t.Context(), ask); err == nil {
			t.Fatal("it was met while it was away")
		}
	}
	late.shut.Store(false)
	if err := m.Meet(t.Context(), ask); err != nil || !m.Standings()[0].Kept {
		t.Errorf("%+v, %v", m.Standings(), err)
	}
}

// A place is an orchestrator's, with all of its replicas: who makes room leaves with all of them, and one of which any was
// configured makes none.
func TestSwap_movesAnOrchestratorWithItsReplicas(t *testing.T) {
	t.Parallel()
	a, replica, cheap := open(t, 100), open(t, 100), open(t, 10)
	replica.self = a.self
	for name, told := range map[string][]string{"found": nil, "configured": {replica.url}} {
		m := fair(t, Config{URLs: told, Keep: 1}, a, replica)
		if err := m.Meet(t.Context(), ask); err != nil {
			t.Fatal(err)
		}
		m.Know("webhook", []protocol.Listing{cheap.listing()})
		m.mu.Lock()
		all := slices.Clone(m.sellers)
		m.mu.Unlock()
		for _, s := range all {
			if err := m.look(t.Context(), s, ask); err != nil {
				t.Fatal(err)
			}
		}
		m.mu.Lock()
		m.elect(time.Now().Add(swapEvery))
		m.elect(time.Now().Add(swapEvery))
		m.mu.Unlock()
		for _, s := range m.Standings() {
			if s.Kept != (s.URL == cheap.url) != (told != nil) {
				t.Errorf("%s: %s has a place: %v", name, s.URL, s.Kept)
			}
		}
	}
}
