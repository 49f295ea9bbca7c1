package fleet

import (
	"context"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
	"github.com/kinora/kinora/orchestrator/internal/store"
)

// quarantine is a member's, zero for none. What verification makes of a transcoder is its Record; this is what the operator
// makes of it, for a reason and until a time. It is stored, and every replica reads it once a second.
type quarantine struct{ store.Quarantine }

func (q quarantine) stands(now time.Time) bool { return now.Before(q.Until) }

// Quarantine keeps leases from t for so long, from all replicas; those it holds are moved. A second one replaces the first.
func (f *Fleet) Quarantine(ctx context.Context, t common.Address, reason string, long time.Duration) (store.Quarantine, error) {
	q, err := f.store.Quarantine(ctx, t, reason, long)
	if err != nil {
		return q, err
	}
	f.confine([]store.Quarantine{q}, false)
	f.cfg.Events(protocol.Event{Kind: protocol.TranscoderQuarantined, Counterparty: &t, Millis: long.Milliseconds(), Detail: reason})
	f.cfg.Log.Warn("transcoder quarantined by the operator", "transcoder", t, "reason", reason, "until", q.Until)
	return q, nil
}

// Release ends a quarantine before its time; NotFound when there is none.
func (f *Fleet) Release(ctx context.Context, t common.Address) error {
	if err := f.store.ReleaseQuarantine(ctx, t); err != nil {
		return err
	}
	f.mu.Lock()
	if m := f.members[t]; m != nil {
		m.quarantine = quarantine{}
		f.rankLocked(t, time.Now())
	}
	f.mu.Unlock()
	f.cfg.Events(protocol.Event{Kind: protocol.TranscoderReleased, Counterparty: &t, Detail: "by the operator"})
	f.cfg.Log.Info("transcoder released from quarantine by the operator", "transcoder", t)
	return nil
}

// readQuarantines takes over those that stand in Postgres.
func (f *Fleet) readQuarantines(ctx context.Context) error {
	all, err := f.store.Quarantines(ctx)
	if err != nil {
		return err
	}
	f.confine(all, true)
	return nil
}

// confine puts into quarantine who is in all, and with others lets out everybody else.
func (f *Fleet) confine(all []store.Quarantine, others bool) {
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	in := make(map[common.Address]bool, len(all))
	for _, q := range all {
		in[q.Address] = true
		m := f.members[q.Address]
		if m == nil { // it may bid any moment
			m = &member{}
			m.Address, m.Record, m.FirstSeen = q.Address, verify.Record{State: verify.New}, now
			f.members[q.Address] = m
		}
		before := m.quarantine.stands(now)
		if m.quarantine = (quarantine{q}); !before {
			f.rankLocked(q.Address, now)
		}
	}
	if !others {
		return
	}
	for t, m := range f.members {
		if !in[t] && !m.quarantine.Until.IsZero() {
			m.quarantine = quarantine{}
			f.rankLocked(t, now)
		}
	}
}
