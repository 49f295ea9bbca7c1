package ledger

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/kinora/kinora/internal/payment"
)

// maxGroup bounds the tickets of one transaction.
const maxGroup = 512

// groupTimeout bounds the transaction of a group, which no single caller may cancel.
const groupTimeout = 30 * time.Second

// group gathers what is to be accepted while a transaction runs and gives it to the next: many streams then share the wait
// for the disk. Nobody returns before the transaction with its tickets has been committed. It has no goroutine of its own: one
// of the callers runs a transaction for all that wait, then hands that task to the first that came since.
type group struct {
	mu      sync.Mutex
	running bool
	waiting []*call
}

// call is one Accept.
type call struct {
	arrivals []payment.Arrival
	now      time.Time
	lead     chan struct{} // closed when it must run the next transaction
	done     chan struct{} // closed when outcomes and err are there
	outcomes []payment.Outcome
	err      error
}

// accept joins the group. run accepts the tickets of calls in one transaction; when that fails, each of several calls gets one
// of its own, so that none suffers for another.
func (g *group) accept(ctx context.Context, c *call, run func(ctx context.Context, calls []*call) ([][]payment.Outcome, error)) ([]payment.Outcome, error) {
	c.lead, c.done = make(chan struct{}), make(chan struct{})
	g.mu.Lock()
	g.waiting = append(g.waiting, c)
	if !g.running {
		g.running = true
		close(c.lead)
	}
	g.mu.Unlock()
	select {
	case <-c.done:
	case <-c.lead:
		g.runNext(ctx, run)
		<-c.done // the group began with it
	case <-ctx.Done():
		if g.leave(c) {
			return nil, ctx.Err()
		}
		select { // it leads, or is being accepted
		case <-c.lead:
			g.runNext(ctx, run)
		case <-c.done:
		}
		<-c.done
	}
	return c.outcomes, c.err
}

// leave takes a call back that nothing was done about yet.
func (g *group) leave(c *call) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-c.lead:
		return false
	default:
	}
	for i, w := range g.waiting {
		if w == c {
			g.waiting = append(g.waiting[:i:i], g.waiting[i+1:]...)
			return true
		}
	}
	return false
}

// runNext runs the transaction of those who wait, as many as it holds, and names who runs the next.
func (g *group) runNext(ctx context.Context, run func(context.Context, []*call) ([][]payment.Outcome, error)) {
	g.mu.Lock()
	n, tickets := 0, 0
	for n < len(g.waiting) && (n == 0 || tickets+len(g.waiting[n].arrivals) <= maxGroup) {
		tickets += len(g.waiting[n].arrivals)
		n++
	}
	calls := g.waiting[:n:n]
	g.waiting = g.waiting[n:]
	g.mu.Unlock()
	defer func() { // also when run panics: others wait
		for _, c := range calls {
			close(c.done)
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.running = len(g.waiting) > 0; g.running {
			close(g.waiting[0].lead)
		}
	}()

	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), groupTimeout)
	defer cancel()
	for _, c := range calls {
		c.err = errUndecided
	}
	outcomes, err := run(ctx, calls)
	if err == nil || len(calls) == 1 {
		for i, c := range calls {
			if c.err = err; err == nil {
				c.outcomes = outcomes[i]
			}
		}
		return
	}
	for _, c := range calls {
		outcomes, err := run(ctx, []*call{c})
		if c.err = err; err == nil {
			c.outcomes = outcomes[0]
		}
	}
}

// errUndecided is what callers get when the one that ran their transaction did not come back from it.
var errUndecided = errors.New("accept tickets: the transaction was not run to its end")
