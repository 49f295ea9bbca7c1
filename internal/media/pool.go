package media

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/kinora/kinora/internal/protocol"
)

// retryDelay is how long a Pool waits after a child that could not be started.
const retryDelay = time.Second

// Pool keeps spare children started, so that a lease does not wait for one.
type Pool struct {
	opts   Options
	spares chan *Child
	cancel context.CancelFunc
	filled sync.WaitGroup
	ctx    context.Context
	warned sync.Once
}

// NewPool starts keeping spares children ready. What Get hands out is the caller's to close.
func NewPool(opts Options, spares int) *Pool {
	ctx, cancel := context.WithCancel(context.Background())
	p := &Pool{opts: opts, spares: make(chan *Child), ctx: ctx, cancel: cancel}
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
		select {
		case p.spares <- c:
		case <-c.Done(): // killed while it waited
		case <-p.ctx.Done():
			_ = c.Close()
		}
	}
}

// Get returns a ready child: a spare if there is one, else a new one.
func (p *Pool) Get(ctx context.Context) (*Child, error) {
	for {
		select {
		case <-p.ctx.Done():
			return nil, protocol.Errorf(protocol.Unavailable, "%w", errClosed)
		case c := <-p.spares:
			select {
			case <-c.Done():
				continue
			default:
				return c, nil
			}
		default:
			return Start(ctx, p.opts)
		}
	}
}

var errClosed = errors.New("the pool of media children is closed")

// Close ends the spares. Children handed out go on.
func (p *Pool) Close() error {
	p.cancel()
	p.filled.Wait()
	return nil
}
