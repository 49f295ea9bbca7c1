package broadcaster

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/broadcaster/internal/market"
	"github.com/kinora/kinora/internal/passport"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
)

// treasurer keeps an allocation at every orchestrator that is given work, so that work and failover need no transaction.
type treasurer struct {
	market *market.Market
	ensure func(ctx context.Context, recipient common.Address, amount protocol.Wei) error
	follow func(all []passport.Endpoint) // hears their events from now on, and of no others
	amount protocol.Wei
	ask    market.Ask
	log    *slog.Logger
	stood  chan struct{} // closed once so many stand as are wanted

	mu    sync.Mutex
	ready bool
	why   []string
}

// wanted is how many allocations there must be before this broadcaster is ready: two, so that failover is immediate, where
// there are two orchestrators that answer.
func (t *treasurer) wanted() int { return max(1, min(2, t.market.Candidates())) }

// missing says what is still missing before the first push can be sold.
func (t *treasurer) missing() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ready {
		return nil
	}
	return append([]string{fmt.Sprintf("allocations to %d orchestrators", t.wanted())}, t.why...)
}

func (t *treasurer) run(ctx context.Context) {
	for pause := 100 * time.Millisecond; ctx.Err() == nil; {
		if t.runOnce(ctx) {
			pause = 10 * time.Second
		} else {
			pause = min(2*pause, 5*time.Second)
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
}

// runOnce meets orchestrators, tops up their allocations and reports whether all are in order.
func (t *treasurer) runOnce(ctx context.Context) bool {
	var why []string
	if err := t.market.Meet(ctx, t.ask); err != nil {
		why = append(why, err.Error())
	}
	stand := make(map[common.Address]bool)
	var followed []passport.Endpoint
	for _, s := range t.market.Standings() {
		if !s.Kept || s.Barred != nil {
			continue
		}
		followed = append(followed, passport.Endpoint{Identity: s.Claimed, URL: s.URL})
		if s.Address == (common.Address{}) || s.Record.State == verify.CutOff {
			continue
		}
		if stand[s.Address] { // another replica
			continue
		}
		if err := t.ensure(ctx, s.Address, t.amount); err != nil {
			why = append(why, fmt.Sprintf("allocation to %s: %v", s.Address, err))
			continue
		}
		stand[s.Address] = true
	}
	if ctx.Err() != nil {
		return false
	}
	t.follow(followed)
	enough := len(stand) >= t.wanted()
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(why) > 0 && strings.Join(why, "\n") != strings.Join(t.why, "\n") {
		t.log.Warn("not every orchestrator can be used; trying again", "reasons", why)
	}
	t.why = why
	if enough && !t.ready {
		t.ready = true
		close(t.stood)
	}
	return len(why) == 0 && enough
}

// followers hear the events of orchestrators.
type followers struct {
	ctx   context.Context
	begin func(ctx context.Context, at passport.Endpoint)
	heard map[passport.Endpoint]context.CancelFunc
	all   sync.WaitGroup
}

// follow hears all of those from now on, and no others. It is called by one goroutine.
func (f *followers) follow(all []passport.Endpoint) {
	wanted := make(map[passport.Endpoint]bool)
	for _, at := range all {
		wanted[at] = true
		if f.heard[at] == nil {
			ctx, cancel := context.WithCancel(f.ctx)
			f.heard[at] = cancel
			f.all.Go(func() { f.begin(ctx, at) })
		}
	}
	for at, cancel := range f.heard {
		if !wanted[at] {
			cancel()
			delete(f.heard, at)
		}
	}
}
