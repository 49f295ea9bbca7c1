package market

import (
	"context"
	"time"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
)

// Epochs stores sampling epochs; *store.Store is one.
type Epochs interface {
	SaveEpoch(ctx context.Context, e verify.Epoch) error
	EndEpochs(ctx context.Context, current protocol.Hash) error
}

// How long one sampling secret decides, and how long after that an attempt may still be under way whose orchestrator must
// not know whether it is sampled.
const (
	epochTime = time.Hour
	afterglow = 2 * time.Minute
)

// TurnEpoch begins a sampling epoch, which is stored before its first use. Those before it are shown with EndEpochs.
func (m *Market) TurnEpoch(ctx context.Context, epochs Epochs) error {
	e := verify.NewEpoch()
	if err := epochs.SaveEpoch(ctx, e); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.epoch = e
	return nil
}

// Commitment is that of the current sampling epoch.
func (m *Market) Commitment() protocol.Hash {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.epoch.Commitment()
}

// Sample turns the epoch every hour, until ctx ends, and reveals each a while after it is over.
func (m *Market) Sample(ctx context.Context, epochs Epochs) {
	turn, reveal := time.NewTimer(epochTime), time.NewTimer(epochTime+afterglow)
	defer turn.Stop()
	defer reveal.Stop()
	for {
		var err error
		select {
		case <-turn.C:
			err = m.TurnEpoch(ctx, epochs)
			turn.Reset(epochTime)
		case <-reveal.C:
			err = epochs.EndEpochs(ctx, m.Commitment())
			reveal.Reset(epochTime)
		case <-ctx.Done():
			return
		}
		if err != nil && ctx.Err() == nil {
			m.cfg.Log.Warn("the sampling epoch stays as it is for another hour", "err", err)
		}
	}
}
