package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/kinora/kinora/internal/loopback"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/transcoder/internal/bidder"
	"github.com/kinora/kinora/transcoder/internal/store"
)

// Duty is who leaves and comes back.
type Duty interface {
	Duty() bidder.Duty
	Leave(o bidder.Order) error
	Resume(ctx context.Context) error
	Announce(ctx context.Context, w store.Window) error
	Cancel(ctx context.Context, id protocol.ID) error
}

// How long leases may be held after a drain was asked for, unless it says otherwise, and at most.
const (
	leaveWithin    = 5 * time.Minute
	maxLeaveWithin = 24 * time.Hour
)

// leaving is the body of POST /api/v1/duty/drain.
type leaving struct {
	Reason         protocol.DutyReason `json:"reason"`
	PatienceMillis int64               `json:"patience_ms"` // leases may end by themselves for so long before they are moved
	DeadlineMillis int64               `json:"deadline_ms"` // after which those left are cut off; 0: five minutes more
}

// window is the body of POST /api/v1/duty/maintenance.
type window struct {
	Begins       time.Time           `json:"begins"`
	LengthMillis int64               `json:"length_ms"`
	Reason       protocol.DutyReason `json:"reason"`
}

func (s Status) duties(r chi.Router) {
	r.Get("/api/v1/duty", func(w http.ResponseWriter, _ *http.Request) { answer(w, s.Duty.Duty()) })
	r.Post("/api/v1/duty/drain", owners(func(r *http.Request) (any, error) {
		order, err := body[leaving](r)
		if err != nil {
			return nil, err
		}
		o, err := order.order()
		if err != nil {
			return nil, err
		}
		return s.turned(s.Duty.Leave(o))
	}))
	r.Post("/api/v1/duty/resume", owners(func(r *http.Request) (any, error) { return s.turned(s.Duty.Resume(r.Context())) }))
	r.Post("/api/v1/duty/maintenance", owners(func(r *http.Request) (any, error) {
		w, err := body[window](r)
		if err != nil {
			return nil, err
		}
		planned := store.Window{ID: protocol.NewID(), Begins: w.Begins, Ends: w.Begins.Add(time.Duration(w.LengthMillis) * time.Millisecond), Reason: w.Reason}
		return planned, s.Duty.Announce(r.Context(), planned)
	}))
	r.Delete("/api/v1/duty/maintenance/{id}", owners(func(r *http.Request) (any, error) {
		id, err := protocol.ParseID(chi.URLParam(r, "id"))
		if err != nil {
			return nil, protocol.Errorf(protocol.BadRequest, "maintenance: %w", err)
		}
		return s.turned(s.Duty.Cancel(r.Context(), id))
	}))
}

func (s Status) turned(err error) (any, error) { return s.Duty.Duty(), err }

// order is what the body asks for, as far as it can be.
func (l leaving) order() (bidder.Order, error) {
	o := bidder.Order{Reason: l.Reason, Patience: time.Duration(l.PatienceMillis) * time.Millisecond, Deadline: time.Duration(l.DeadlineMillis) * time.Millisecond}
	if l.DeadlineMillis == 0 {
		o.Deadline = o.Patience + leaveWithin
	}
	switch {
	case !o.Reason.Known():
		return o, protocol.Errorf(protocol.BadRequest, "reason %.40q: want one of %v", o.Reason, protocol.DutyReasons)
	case l.PatienceMillis < 0 || l.DeadlineMillis < 0 || o.Patience > maxLeaveWithin || o.Deadline > maxLeaveWithin+leaveWithin:
		return o, protocol.Limited(protocol.BadRequest, "max_deadline", maxLeaveWithin, "patience_ms and deadline_ms: want 0 to %s", maxLeaveWithin)
	case o.Deadline < o.Patience:
		return o, protocol.Errorf(protocol.BadRequest, "the deadline of %s comes before the patience of %s is over", o.Deadline, o.Patience)
	}
	return o, nil
}

// owners answers what only programs of this machine may ask for.
func owners(do func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !loopback.FromHere(r) {
			protocol.WriteProblem(w, protocol.Errorf(protocol.Unauthorized, "%s is asked for from this machine only", r.URL.Path))
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, protocol.MaxMessage)
		result, err := do(r)
		if err != nil {
			protocol.WriteProblem(w, err)
			return
		}
		answer(w, result)
	}
}

func body[M any](r *http.Request) (M, error) {
	var m M
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		return m, protocol.Errorf(protocol.BadRequest, "body: %w", err)
	}
	return m, nil
}
