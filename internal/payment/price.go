package payment

import (
	"context"
	"sync"
	"time"

	"github.com/kinora/kinora/internal/protocol"
)

// priceFor is how long a price, or that there is none, is said again: a block takes longer.
const priceFor = 2 * time.Second

// priceNow is what gas costs, asked of the chain once in a while however many want to know: anybody may, and it costs them nothing.
type priceNow struct {
	ask func(ctx context.Context) (protocol.Wei, error) // of one gas

	mu    sync.Mutex // held while it asks, so that others wait for that answer
	asked time.Time
	price protocol.Wei
	err   error
}

func (p *priceNow) of(ctx context.Context, gas uint64) (protocol.Wei, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asked.IsZero() || time.Since(p.asked) >= priceFor {
		p.price, p.err = p.ask(ctx)
		p.asked = time.Now()
		if ctx.Err() != nil { // it was this one's time that was over
			p.asked = time.Time{}
		}
	}
	if p.err != nil {
		return protocol.Wei{}, p.err
	}
	return p.price.Mul(gas), nil
}
