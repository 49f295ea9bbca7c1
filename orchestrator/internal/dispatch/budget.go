package dispatch

import (
	"context"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator/internal/store"
)

// Budget bounds what transcoders are paid, by all replicas and over restarts. What other replicas spend is heard of within
// seconds; until then a cap can be passed by that.
type Budget struct {
	spend *payment.Spend
	store *store.Store

	mu     sync.Mutex
	others map[othersMinute]protocol.Wei // that are counted
	said   time.Time                     // when a cap was said to be reached
}

type othersMinute struct {
	minute int64
	writer protocol.ID
	payer  common.Address
	stream string
}

const (
	day        = 24 * time.Hour
	hearBack   = 3 * time.Minute // minutes older than this are over in every replica
	sayCapsFor = time.Minute
)

// OpenBudget continues from what the store says was spent.
func OpenBudget(ctx context.Context, st *store.Store, caps payment.Caps) (*Budget, error) {
	now := time.Now()
	total, err := st.SpentEver(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := st.SpentSince(ctx, now.Add(-day))
	if err != nil {
		return nil, err
	}
	b := &Budget{store: st, others: map[othersMinute]protocol.Wei{}}
	recent := make([]payment.Spent, len(rows))
	for i, r := range rows {
		recent[i] = payment.Spent{At: r.Minute.Add(time.Minute), Stream: streamOf(r.Payer, r.Stream), Fee: r.Cost}
		b.counted(r, now)
	}
	b.spend = payment.NewSpend(caps, total, recent)
	return b, nil
}

// streamOf tells streams of one name apart, which broadcasters choose.
func streamOf(payer common.Address, stream string) string { return stream + " of " + payer.Hex() }

// counted notes how much of a row is counted now, and returns how much was before.
func (b *Budget) counted(r store.Spent, now time.Time) (before protocol.Wei) {
	k := othersMinute{r.Minute.Unix(), r.Writer, r.Payer, r.Stream}
	if before = b.others[k]; now.Sub(r.Minute) < 2*hearBack {
		b.others[k] = r.Cost
	}
	return before
}

// hear counts what other replicas spent meanwhile.
func (b *Budget) hear(ctx context.Context) error {
	now := time.Now()
	rows, err := b.store.SpentSince(ctx, now.Add(-hearBack))
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range rows {
		if r.Writer == b.store.Writer() {
			continue
		}
		if before := b.counted(r, now); before.Less(r.Cost) {
			b.spend.Note(streamOf(r.Payer, r.Stream), r.Cost.Sub(before), now)
		}
	}
	for k := range b.others {
		if now.Sub(time.Unix(k.minute, 0)) >= 2*hearBack {
			delete(b.others, k)
		}
	}
	return nil
}

// Totals are what was spent, and the caps.
func (b *Budget) Totals() payment.Spending { return b.spend.Totals(time.Now()) }

// afford holds the most that an attempt at s may cost under l against the budget. A cap in the way is this orchestrator's own:
// to a broadcaster it is as if nobody were there.
func (d *Dispatcher) afford(s *segment, l *Lease) (settle func(protocol.Wei, time.Time), err error) {
	b := d.cfg.Budget
	if b == nil {
		return func(protocol.Wei, time.Time) {}, nil
	}
	now := time.Now()
	settle, err = b.spend.Hold(streamOf(s.id.payer, s.id.key.Stream), l.offer.Award.Message.MaxFee, now)
	if err == nil {
		return settle, nil
	}
	b.mu.Lock()
	say := now.Sub(b.said) >= sayCapsFor
	if say {
		b.said = now
	}
	b.mu.Unlock()
	if say {
		d.cfg.Log.Warn("a budget for transcoders is used up: segments are refused", "stream", s.id.key.Stream, "err", err)
		d.cfg.Events(protocol.Event{Kind: protocol.SpendCapHit, Stream: s.id.key.Stream, Incarnation: s.id.key.Incarnation, Seq: s.id.key.Seq, Detail: err.Error()})
	}
	return nil, protocol.Errorf(protocol.NoTranscoder, "this orchestrator pays no more transcoders for now: its budget is used up")
}
