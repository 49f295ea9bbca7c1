package media

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kinora/kinora/internal/protocol"
)

// retryDelay is how long a Pool waits after a child that could not be started.
const retryDelay = time.Second

// Pool keeps spare children started, so that a lease does not wait for one.
type Pool struct {
	opts   Options
	cancel context.CancelFunc
	filled sync.WaitGroup
	ctx    context.Context
	warned sync.Once

	mu     sync.Mutex
	spares []*spare

	quarantine quarantine
	ready      atomic.Uint64 // children handed out that were spares
	waited     atomic.Uint64 // and that were not
}

// spare is a child that waits to be taken.
type spare struct {
	*Child
	taken chan struct{} // closed by whoever takes it
}

// PoolStats count the children that were handed out.
type PoolStats struct {
	Ready  uint64 `json:"ready"`  // spares
	Waited uint64 `json:"waited"` // started while somebody waited
}

// NewPool starts keeping spares children ready. What Get hands out is the caller's to close.
func NewPool(opts Options, spares int) *Pool {
	ctx, cancel := context.WithCancel(context.Background())
	p := &Pool{opts: opts, ctx: ctx, cancel: cancel}
	for range spares {
		p.filled.Add(1)
		go p.fill()
	}
	return p
}

// fill keeps one spare: it starts a child and offers it until it is taken, dies or the pool closes.
func (p *Pool) fill() {
	defer p.filled.Done()
	for p.ctx.Err() == nil {
		c, err := Start(p.ctx, p.opts)
		if err != nil {
			if p.opts.Log != nil && p.ctx.Err() == nil {
				p.opts.Log.Error("cannot start a media child; trying again", "err", err, "in", retryDelay)
			}
			select {
			case <-time.After(retryDelay):
			case <-p.ctx.Done():
			}
			continue
		}
		if p.opts.Log != nil {
			p.warned.Do(func() { warn(p.opts.Log, c.lacking) })
		}
		p.offer(c)
	}
}

// offer has c taken, unless it dies or the pool closes before.
func (p *Pool) offer(c *Child) {
	x := &spare{Child: c, taken: make(chan struct{})}
	p.mu.Lock()
	p.spares = append(p.spares, x)
	p.mu.Unlock()
	select {
	case <-x.taken:
		return
	case <-c.Done(): // killed while it waited
	case <-p.ctx.Done():
	}
	p.mu.Lock()
	i := slices.Index(p.spares, x)
	if i >= 0 {
		p.spares = slices.Delete(p.spares, i, i+1)
	}
	p.mu.Unlock()
	if i >= 0 { // nobody took it meanwhile
		_ = c.Close()
	}
}

// Get returns a ready child: a spare if there is one, else a new one.
func (p *Pool) Get(ctx context.Context) (*Child, error) {
	if p.ctx.Err() != nil {
		return nil, protocol.Errorf(protocol.Unavailable, "%w", errClosed)
	}
	if c := p.spare(); c != nil {
		return c, nil
	}
	p.waited.Add(1)
	return Start(ctx, p.opts)
}

// spare is one that is ready, or nil.
func (p *Pool) spare() *Child {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.spares) > 0 {
		x := p.spares[0]
		p.spares = p.spares[1:]
		close(x.taken)
		if !x.dead() {
			p.ready.Add(1)
			return x.Child
		}
	}
	return nil
}

// Idle counts the spares that are ready.
func (p *Pool) Idle() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.spares)
}

// Stats counts what was handed out so far.
func (p *Pool) Stats() PoolStats { return PoolStats{Ready: p.ready.Load(), Waited: p.waited.Load()} }

// Poisoned are the segments that are refused at present.
func (p *Pool) Poisoned() []Evidence { return p.quarantine.list() }

var errClosed = errors.New("the pool of media children is closed")

// Close ends the spares. Children handed out go on.
func (p *Pool) Close() error {
	p.cancel()
	p.filled.Wait()
	return nil
}
