package market

import (
	"cmp"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/broadcaster/internal/store"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/route"
	"github.com/kinora/kinora/internal/verify"
)

// Deep decides whether an attempt of an orchestrator gets L1.
func (m *Market) Deep(orchestrator common.Address, attempt protocol.ID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.epoch.Sampled(attempt, m.records[orchestrator].Rate())
}

// Judged adds a verdict to an orchestrator's record and returns it. Only outputs that it vouched for count.
func (m *Market) Judged(orchestrator common.Address, v verify.Verdict) store.Trust {
	m.mu.Lock()
	before := m.records[orchestrator]
	after := store.Trust{Record: before.After(v), Restored: before.Restored}
	m.records[orchestrator] = after
	m.mu.Unlock()
	if after.State != cmp.Or(before.State, verify.New) {
		m.cfg.Log.Warn("an orchestrator's standing changed", "orchestrator", orchestrator, "from", cmp.Or(before.State, verify.New), "to", after.State)
	}
	return after
}

// Restore lets an orchestrator whose outputs were judged begin anew, with what that leaves to be stored.
func (m *Market) Restore(orchestrator common.Address) (Standing, store.Trust, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before, known := m.records[orchestrator]
	if !known {
		return Standing{}, store.Trust{}, protocol.Errorf(protocol.NotFound, "no output of an orchestrator %s was ever judged here", orchestrator)
	}
	after := store.Trust{Record: before.Restore(), Restored: before.Restored + 1}
	m.records[orchestrator] = after
	standing := Standing{Address: orchestrator, Record: after.Record}
	for _, s := range m.sellers {
		if s.address == orchestrator {
			s.failures, s.resting, s.lastErr = 0, time.Time{}, nil
			standing.URL = s.url
		}
	}
	return standing, after, nil
}

// Room is the free pixel rate that a refusal for want of capacity names; false: it names none.
func Room(err error) (uint64, bool) {
	refusal, ok := errorOf(err)
	if !ok {
		return 0, false
	}
	text, ok := strings.CutPrefix(refusal.Limit, string(route.FreePixelRate)+"=")
	if !ok {
		return 0, false
	}
	rate, err := strconv.ParseUint(text, 10, 64)
	return rate, err == nil
}

func errorOf(err error) (e *protocol.Error, ok bool) {
	ok = errors.As(err, &e)
	return e, ok
}

// roomier is the limit of a refusal that leaves most room, of the one found so far and err.
func roomier(limit string, err error) string {
	rate, ok := Room(err)
	if !ok {
		return limit
	}
	if best, known := Room(&protocol.Error{Limit: limit}); known && best >= rate {
		return limit
	}
	return string(route.FreePixelRate) + "=" + strconv.FormatUint(rate, 10)
}
