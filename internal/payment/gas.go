package payment

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/kinora/kinora/internal/protocol"
)

// gasPerWinner is a winner's part of a batch of ten.
const gasPerWinner = 10_500

// The meter asks every gasEvery and remembers a day.
const (
	gasEvery   = 5 * time.Minute
	gasSamples = int(24 * time.Hour / gasEvery)
)

// GasMeter smooths the gas price over a day: what face values follow must not jump with the price of a moment, or a spike
// makes them too large for allocations that stand.
type GasMeter struct {
	price func(ctx context.Context) (protocol.Wei, error)
	log   *slog.Logger

	mu      sync.Mutex
	samples []protocol.Wei // newest last
}

// NewGasMeter measures what price says.
func NewGasMeter(price func(ctx context.Context) (protocol.Wei, error), log *slog.Logger) *GasMeter {
	return &GasMeter{price: price, log: log}
}

// Run measures until ctx ends. A chain that does not answer leaves what is known.
func (g *GasMeter) Run(ctx context.Context) error {
	ticker := time.NewTicker(gasEvery)
	defer ticker.Stop()
	for {
		if err := g.runOnce(ctx); err != nil && ctx.Err() == nil {
			g.log.Debug("gas price not read", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (g *GasMeter) runOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	price, err := g.price(ctx)
	if err != nil {
		return err
	}
	g.Note(price)
	return nil
}

// Note adds a price to the day.
func (g *GasMeter) Note(price protocol.Wei) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.samples) == gasSamples {
		g.samples = g.samples[1:]
	}
	g.samples = append(g.samples, price)
}

// Cost is what redeeming one winner costs at the day's median price, which an hour of madness does not move.
func (g *GasMeter) Cost() protocol.Wei {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.samples) == 0 {
		return protocol.Wei{}
	}
	sorted := slices.Clone(g.samples)
	slices.SortFunc(sorted, protocol.Wei.Cmp)
	return sorted[len(sorted)/2].Mul(gasPerWinner)
}
