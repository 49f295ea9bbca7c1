package market

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

// Of all orchestrators that are known of, a few are kept an allocation: the circle. Work goes to them alone, since a
// recipient gives no credit without one, and money that is allocated is bound. The others are looked at one at a time, so
// that a cheaper or nearer one is found, whoever many there are.

// When a member makes room for another: for one that costs a fifth less, and no more than one in a while. What moved would
// be bound for a thaw period.
const (
	swapEvery    = 10 * time.Minute
	lostMisses   = 3
	lostFailures = 8               // segments in a row
	outFor       = 2 * time.Minute // twice as long with every time
)

// rank is what a pixel of H.264 costs at s, raised by its distance: as if a second cost as much again. Unknown prices come
// last. m.mu is held.
func (m *Market) rank(s *seller) (*big.Int, bool) {
	price, ok := s.prices.Of(protocol.H264)
	if !ok {
		return nil, false
	}
	ms := big.NewInt(1000 + m.distance(s).Milliseconds())
	return ms.Mul(ms, price.Big()), true
}

// silent reports whether s has left a few questions in a row unanswered. m.mu is held.
func (s *seller) silent() bool { return s.misses >= lostMisses }

// configured reports whether the operator named s: then it is not given up for being silent. m.mu is held.
func (s *seller) configured() bool {
	_, ok := s.regions[Configured]
	return ok
}

// elect decides who is in the circle. Whoever is in it stays unless it is barred or lost, or much dearer than somebody
// outside. Free places go to those that were configured, then to the cheapest; strangers whose price nobody knows are
// returned to be met first, two for each place that is left. m.mu is held.
func (m *Market) elect(now time.Time) (strangers []*seller) {
	var inside, outside []*seller
	for _, s := range m.sellers {
		switch {
		case m.barred(s) != nil || !s.configured() && (s.silent() || now.Before(s.outUntil)):
			s.kept = false
		case s.kept:
			inside = append(inside, s)
		default:
			outside = append(outside, s)
		}
	}
	if len(outside) > 0 { // else nobody would be better off
		inside = slices.DeleteFunc(inside, func(s *seller) bool { return m.putOut(s, now) })
	}
	keep := m.cfg.Keep
	if keep == 0 {
		keep = len(m.sellers)
	}
	rand.Shuffle(len(outside), func(i, j int) { outside[i], outside[j] = outside[j], outside[i] })
	slices.SortStableFunc(outside, func(a, b *seller) int {
		return cmp.Or(cmp.Compare(one(b.configured()), one(a.configured())), m.cheaper(a, b))
	})
	places := make(map[common.Address]bool) // replicas share one
	for _, s := range inside {
		places[s.account()] = true
	}
	free := keep - len(places)
	for _, s := range outside {
		if places[s.address] && s.address != (common.Address{}) {
			s.kept = true
			continue
		}
		if free <= 0 {
			continue
		}
		if _, priced := m.rank(s); priced && s.address != (common.Address{}) {
			s.kept, places[s.address] = true, true
			free--
		} else if len(strangers) < 2*free {
			strangers = append(strangers, s)
		}
	}
	if free <= 0 && len(outside) > 0 && len(inside) > 0 && now.Sub(m.swapped) >= swapEvery {
		m.swap(inside, outside, now)
	}
	return strangers
}

// putOut takes the place of a member that sells cheaply and serves nothing. It may try again later with half of its failures
// forgiven. m.mu is held.
func (m *Market) putOut(s *seller, now time.Time) bool {
	if s.failures < lostFailures || s.configured() {
		return false
	}
	s.kept, s.outUntil, s.failures = false, now.Add(outFor<<min(s.outs, 8)), lostFailures/2
	s.outs++
	m.cfg.Log.Info("an orchestrator loses its place, it serves nothing", "orchestrator", s.url, "until", s.outUntil, "err", s.lastErr)
	return true
}

// cheaper orders by rank, the unknown last.
func (m *Market) cheaper(a, b *seller) int {
	x, known := m.rank(a)
	y, other := m.rank(b)
	switch {
	case known && other:
		return x.Cmp(y)
	case known:
		return -1
	case other:
		return 1
	}
	return 0
}

// swap gives the place of the dearest member that was not configured, with all of its replicas, to the cheapest outside, if
// that is a fifth cheaper.
func (m *Market) swap(inside, outside []*seller, now time.Time) {
	named := make(map[common.Address]bool)
	for _, s := range m.sellers {
		named[s.account()] = named[s.account()] || s.configured()
	}
	inside = slices.DeleteFunc(slices.Clone(inside), func(s *seller) bool { return named[s.account()] })
	outside = slices.DeleteFunc(slices.Clone(outside), func(s *seller) bool { return s.kept || s.address == (common.Address{}) })
	if len(inside) == 0 || len(outside) == 0 {
		return
	}
	out, in := slices.MaxFunc(inside, m.cheaper), slices.MinFunc(outside, m.cheaper)
	was, knownWas := m.rank(out)
	is, known := m.rank(in)
	if !known || knownWas && new(big.Int).Mul(is, big.NewInt(5)).Cmp(new(big.Int).Mul(was, big.NewInt(4))) > 0 {
		return
	}
	for _, s := range m.sellers {
		s.kept = s.kept && s.account() != out.account()
	}
	in.kept, m.swapped = true, now
	m.cfg.Log.Info("a cheaper orchestrator takes a place", "orchestrator", in.url, "instead_of", out.url)
}

// Meet asks those for a quote that are to be in the circle and are not known yet, or were not heard of for long, to learn by
// their signature who they are, and decides who is in it. The error says of those that were asked why one is not.
func (m *Market) Meet(ctx context.Context, ask Ask) error {
	m.mu.Lock()
	now := time.Now()
	strangers := m.elect(now)
	for _, s := range m.sellers {
		if s.kept && now.Sub(s.asked) > refreshAfter && len(s.quotes) == 0 {
			strangers = append(strangers, s)
		}
	}
	m.mu.Unlock()
	if len(strangers) == 0 {
		return nil
	}
	errs := make([]error, len(strangers))
	places := make(chan struct{}, meetAtOnce)
	var asking sync.WaitGroup
	for i, s := range strangers {
		asking.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			if err := m.look(ctx, s, ask); err != nil {
				errs[i] = fmt.Errorf("%s: %w", s.url, err)
			}
		})
	}
	asking.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.elect(time.Now())
	for i, s := range strangers {
		if !s.configured() && m.full() { // somebody else has the place
			errs[i] = nil
		}
	}
	return errors.Join(errs...)
}

// How many are met at once, and after how long a member that serves nothing is looked at again.
const (
	meetAtOnce   = 4
	refreshAfter = 5 * time.Minute
)

// full reports whether every place of the circle is taken. m.mu is held.
func (m *Market) full() bool {
	places := make(map[common.Address]bool)
	for _, s := range m.sellers {
		if s.kept {
			places[s.account()] = true
		}
	}
	return m.cfg.Keep > 0 && len(places) >= m.cfg.Keep
}

// Candidates is how many orchestrators may be counted on: those that have answered, and those that were configured, which are
// not silent. Replicas are one; there are no more of them than places.
func (m *Market) Candidates() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	met, unmet := make(map[common.Address]bool), make(map[string]bool)
	for _, s := range m.sellers {
		switch {
		case m.barred(s) != nil || s.silent():
		case s.address != (common.Address{}):
			met[s.address] = true
		case s.configured():
			unmet[s.url] = true
		}
	}
	n := len(met) + len(unmet)
	if m.cfg.Keep > 0 {
		n = min(n, m.cfg.Keep)
	}
	return n
}

// look asks s for a quote that will not be used: what it says of its prices, its region and its distance is noted.
func (m *Market) look(ctx context.Context, s *seller, ask Ask) error {
	_, _, err := m.inquire(ctx, s, ask)
	return err
}

// Scout looks at one orchestrator after the other that is outside the circle, the longest not looked at first, at a pace that
// does not depend on how many there are. Those that do not answer are looked at less and less often.
func (m *Market) Scout(ctx context.Context, ask Ask) {
	every := cmp.Or(m.cfg.ScoutEvery, 10*time.Second)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-m.curious:
		case <-ctx.Done():
			return
		}
		m.mu.Lock()
		s := m.unexplored(time.Now())
		m.mu.Unlock()
		if s == nil {
			continue
		}
		if err := m.look(ctx, s, ask); err != nil {
			m.cfg.Log.Debug("an orchestrator outside the circle does not quote", "orchestrator", s.url, "err", err)
		}
		m.mu.Lock()
		m.elect(time.Now())
		m.mu.Unlock()
	}
}

// unexplored is whom to look at: a stranger at random, else whoever was not looked at for longest. m.mu is held.
func (m *Market) unexplored(now time.Time) *seller {
	var best *seller
	strangers := 0
	for _, s := range m.sellers {
		if s.kept || m.barred(s) != nil || now.Sub(s.asked) < m.lookAgain(s) {
			continue
		}
		switch {
		case s.asked.IsZero():
			if strangers++; rand.IntN(strangers) == 0 {
				best = s
			}
		case strangers == 0 && (best == nil || s.asked.Before(best.asked)):
			best = s
		}
	}
	return best
}

// lookAgain is how soon s is looked at again, at the earliest: the later the longer it is silent, unless it has served before.
// m.mu is held.
func (m *Market) lookAgain(s *seller) time.Duration {
	most := 8
	if m.records[s.address].Passed > 0 {
		most = 2
	}
	return time.Minute << min(s.misses, most)
}

// explore has the scout look at somebody now, at most one for every stream that begins. It never waits.
func (m *Market) explore() {
	select {
	case m.curious <- struct{}{}:
	default:
	}
}
