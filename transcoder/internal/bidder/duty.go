package bidder

import (
	"context"
	"slices"
	"time"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/transcoder/internal/store"
)

const (
	// lead is how long before announced maintenance the leases still held are moved: longer than usual segments.
	lead = 20 * time.Second
	// quiet is how long a lease that should be moved may lie idle: its orchestrator is gone, or has nobody else and no work.
	quiet = 3 * time.Second
	// farewells are how many times it is said that full duty is resumed.
	farewells = 10

	keptTurns = 64 // of the history
)

// Order is how to leave.
type Order struct {
	Reason   protocol.DutyReason
	Patience time.Duration // leases may end by themselves for so long before they are moved
	Deadline time.Duration // from now, after which those left are cut off; more than Patience
}

// Turn is one change of duty.
type Turn struct {
	State  protocol.DutyState  `json:"state"`
	Reason protocol.DutyReason `json:"reason,omitempty"`
	At     time.Time           `json:"at"`
}

// Duty is where this transcoder stands between ready and stopped.
type Duty struct {
	State     protocol.DutyState  `json:"state"`
	Reason    protocol.DutyReason `json:"reason,omitempty"`
	Since     time.Time           `json:"since"`
	Leases    int                 `json:"leases"`
	HandOver  *time.Time          `json:"hand_over_at,omitempty"` // when those still held are moved
	Deadline  *time.Time          `json:"deadline,omitempty"`     // when those left are cut off
	ETAMillis int64               `json:"eta_ms,omitempty"`       // until none is held, as far as can be told
	Returns   *time.Time          `json:"returns,omitempty"`      // by itself: the end of the window it left for
	History   []Turn              `json:"history"`
	Windows   []store.Window      `json:"windows"`
}

// duty is the state machine, guarded by Bidder.mu: ready → cordoned → draining → handing-over → drained → stopped, and back
// to ready from any but the last.
type duty struct {
	state    protocol.DutyState
	reason   protocol.DutyReason
	since    time.Time
	handOver time.Time
	deadline time.Time
	window   protocol.ID // it left for this one
	cut      bool        // those left were cut off
	stopping bool        // for good
	said     int         // how often ready was said since it came back
	history  []Turn
	windows  []store.Window
	turned   chan struct{} // closed and replaced when state changes
}

func newDuty() duty {
	return duty{state: protocol.DutyReady, since: time.Now(), said: farewells, turned: make(chan struct{}),
		history: []Turn{{State: protocol.DutyReady, At: time.Now()}}}
}

// turnLocked moves to the next state.
func (b *Bidder) turnLocked(state protocol.DutyState, now time.Time) {
	d := &b.duty
	d.state, d.since = state, now
	if state == protocol.DutyReady {
		d.reason, d.window, d.said, d.cut = "", protocol.ID{}, 0, false
	}
	d.history = append(d.history, Turn{state, d.reason, now})
	d.history = d.history[max(0, len(d.history)-keptTurns):]
	close(d.turned)
	d.turned = make(chan struct{})
	b.cfg.Log.Info("duty", "state", state, "reason", d.reason, "leases", len(b.leases))
	detail := string(state)
	if d.reason != "" {
		detail += ": " + string(d.reason)
	}
	e := protocol.Event{Kind: protocol.DutyChanged, Detail: detail, Count: uint64(len(b.leases))}
	if !d.state.Taking() {
		e.Millis = max(0, d.deadline.Sub(now).Milliseconds())
	}
	b.cfg.Events(e)
	b.rebid()
}

// Leave begins to leave; once that has begun, it only ever hastens it. Errors carry Draining when it has stopped.
func (b *Bidder) Leave(o Order) error {
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.duty.state == protocol.DutyStopped {
		return protocol.Errorf(protocol.Draining, "this transcoder has stopped")
	}
	b.leaveLocked(o, protocol.ID{}, now)
	return nil
}

func (b *Bidder) leaveLocked(o Order, window protocol.ID, now time.Time) {
	d := &b.duty
	handOver, deadline := now.Add(o.Patience), now.Add(max(o.Patience, o.Deadline))
	if d.state.Taking() {
		d.reason, d.handOver, d.deadline, d.window = o.Reason, handOver, deadline, window
		b.turnLocked(protocol.DutyCordoned, now)
		return
	}
	if handOver.Before(d.handOver) {
		d.handOver = handOver
	}
	if deadline.Before(d.deadline) {
		d.deadline = deadline
	}
	d.window = window // who leaves for good does not come back with the end of a window
	b.rebid()
}

// Resume takes full duty again. A window of maintenance that has begun, or is about to, is over with that.
func (b *Bidder) Resume(ctx context.Context) error {
	b.mu.Lock()
	if b.duty.stopping && b.duty.state != protocol.DutyStopped {
		b.mu.Unlock()
		return protocol.Errorf(protocol.Draining, "this transcoder is stopping; start it again")
	}
	now := time.Now()
	var over []protocol.ID
	if b.duty.state != protocol.DutyStopped {
		for _, w := range b.duty.windows {
			if !now.Before(w.Begins.Add(-b.cfg.Lead)) {
				over = append(over, w.ID)
			}
		}
		b.duty.windows = slices.DeleteFunc(b.duty.windows, func(w store.Window) bool { return slices.Contains(over, w.ID) })
	}
	stopped := b.duty.state == protocol.DutyStopped
	if !stopped && !b.duty.state.Taking() {
		b.turnLocked(protocol.DutyReady, now)
	}
	b.mu.Unlock()
	if stopped {
		return protocol.Errorf(protocol.Draining, "this transcoder has stopped; start it again")
	}
	for _, id := range over {
		if err := b.cfg.Journal.DropWindow(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// Announce plans maintenance: leases are moved before it begins, and bids return when it is over.
func (b *Bidder) Announce(ctx context.Context, w store.Window) error {
	now := time.Now()
	switch {
	case !w.Reason.Known():
		return protocol.Errorf(protocol.BadRequest, "reason %.40q: want one of %v", w.Reason, protocol.DutyReasons)
	case w.Begins.Sub(now) > protocol.MaxWindowIn:
		return protocol.Limited(protocol.BadRequest, "max_ahead", protocol.MaxWindowIn, "maintenance is announced at most %s ahead", protocol.MaxWindowIn)
	case w.Ends.Sub(w.Begins) <= 0 || w.Ends.Sub(w.Begins) > protocol.MaxWindow:
		return protocol.Limited(protocol.BadRequest, "max_window", protocol.MaxWindow, "it lasts %s, want more than nothing and at most %s", w.Ends.Sub(w.Begins), protocol.MaxWindow)
	case !w.Ends.After(now):
		return protocol.Errorf(protocol.BadRequest, "it would be over since %s", now.Sub(w.Ends).Round(time.Second))
	}
	if err := b.cfg.Journal.PutWindow(ctx, w); err != nil {
		return err
	}
	b.mu.Lock()
	b.duty.windows = append(b.duty.windows, w)
	slices.SortFunc(b.duty.windows, func(x, y store.Window) int { return x.Begins.Compare(y.Begins) })
	b.mu.Unlock()
	b.rebid()
	return nil
}

// Cancel takes announced maintenance back; NotFound when there is none of that ID.
func (b *Bidder) Cancel(ctx context.Context, id protocol.ID) error {
	b.mu.Lock()
	i := slices.IndexFunc(b.duty.windows, func(w store.Window) bool { return w.ID == id })
	if i >= 0 {
		b.duty.windows = slices.Delete(b.duty.windows, i, i+1)
		if b.duty.window == id && !b.duty.state.Taking() && b.duty.state != protocol.DutyStopped {
			b.turnLocked(protocol.DutyReady, time.Now())
		}
	}
	b.mu.Unlock()
	if i < 0 {
		return protocol.Errorf(protocol.NotFound, "no maintenance %s is announced", id.Short())
	}
	b.rebid()
	return b.cfg.Journal.DropWindow(ctx, id)
}

// recall reads what was announced in an earlier run.
func (b *Bidder) recall(ctx context.Context) error {
	windows, err := b.cfg.Journal.Windows(ctx, time.Now())
	if err != nil {
		return err
	}
	b.mu.Lock()
	b.duty.windows = windows
	b.mu.Unlock()
	return nil
}

// advance takes the state machine as far as it can go at now.
func (b *Bidder) advance(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	d := &b.duty
	b.windowsLocked(now)
	if d.state == protocol.DutyCordoned {
		b.turnLocked(protocol.DutyDraining, now)
	}
	if d.state != protocol.DutyDraining && d.state != protocol.DutyHandingOver {
		return
	}
	if len(b.leases) == 0 {
		b.turnLocked(protocol.DutyDrained, now)
		return
	}
	if d.state == protocol.DutyDraining && !now.Before(d.handOver) {
		b.turnLocked(protocol.DutyHandingOver, now)
	}
	for _, l := range b.leases {
		if l.work == nil {
			continue
		}
		if a := l.work.Activity(); d.state == protocol.DutyHandingOver && a.InFlight == 0 && now.Sub(a.Last) >= quiet && now.Sub(d.since) >= quiet {
			l.finish()
		}
	}
	if now.Before(d.deadline) || d.cut {
		return
	}
	d.cut = true
	for _, l := range b.leases {
		if l.work != nil {
			l.over = true
			l.work.Abort(protocol.Errorf(protocol.Draining, "this transcoder leaves: %s", d.reason))
		}
	}
}

// windowsLocked leaves for the window that begins soon, and comes back from the one that is over.
func (b *Bidder) windowsLocked(now time.Time) {
	d := &b.duty
	var over []protocol.ID
	d.windows = slices.DeleteFunc(d.windows, func(w store.Window) bool {
		if now.Before(w.Ends) {
			return false
		}
		over = append(over, w.ID)
		return true
	})
	if slices.Contains(over, d.window) && !d.state.Taking() && d.state != protocol.DutyStopped {
		b.turnLocked(protocol.DutyReady, now)
	}
	if !d.state.Taking() {
		return
	}
	for _, w := range d.windows {
		if !now.Before(w.Begins.Add(-b.cfg.Lead)) {
			b.leaveLocked(Order{Reason: w.Reason, Deadline: max(0, w.Begins.Sub(now))}, w.ID, now)
			return
		}
	}
}

// endsLocked is when leases end at the latest, for announced maintenance or a deadline; false: whenever they like.
func (b *Bidder) endsLocked() (time.Time, bool) {
	d := &b.duty
	switch {
	case !d.state.Taking():
		return d.deadline, true
	case len(d.windows) > 0:
		return d.windows[0].Begins, true
	}
	return time.Time{}, false
}

// sayLocked is the Duty to publish with a bid, if there is something to say.
func (b *Bidder) sayLocked(now time.Time) (protocol.Duty, bool) {
	d := &b.duty
	if d.state.Taking() && len(d.windows) == 0 && d.said >= farewells {
		return protocol.Duty{}, false
	}
	d.said++
	says := protocol.Duty{Transcoder: b.cfg.Signer.Address(), State: d.state, Reason: d.reason, Leases: uint32(len(b.leases)), Sequence: b.sequence}
	if !d.state.Taking() {
		says.DeadlineMillis = uint64(max(0, d.deadline.Sub(now).Milliseconds()))
	}
	if len(d.windows) > 0 {
		w := d.windows[0]
		begins := w.Begins
		if begins.Before(now) {
			begins = now
		}
		says.WindowInMillis = uint64(begins.Sub(now).Milliseconds())
		says.WindowMillis, says.WindowReason = uint64(max(1, w.Ends.Sub(begins).Milliseconds())), w.Reason
	}
	return says, true
}

// Duty says where this transcoder stands.
func (b *Bidder) Duty() Duty {
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	d := &b.duty
	out := Duty{State: d.state, Reason: d.reason, Since: d.since, Leases: len(b.leases), History: slices.Clone(d.history), Windows: slices.Clone(d.windows)}
	if d.state.Taking() {
		return out
	}
	handOver, deadline := d.handOver, d.deadline
	out.HandOver, out.Deadline = &handOver, &deadline
	if i := slices.IndexFunc(d.windows, func(w store.Window) bool { return w.ID == d.window }); i >= 0 {
		ends := d.windows[i].Ends
		out.Returns = &ends
	}
	if len(b.leases) > 0 { // when they are moved, and then one segment each
		segment := time.Duration(0)
		for _, l := range b.leases {
			segment = max(segment, l.segment)
		}
		eta := max(0, handOver.Sub(now)) + segment
		out.ETAMillis = max(0, min(eta, deadline.Sub(now))).Milliseconds()
	}
	return out
}

// Drain takes no more awards, says so, has the leases moved, and stops once none is left; when ctx ends before, what is left is
// cut off.
func (b *Bidder) Drain(ctx context.Context, reason protocol.DutyReason) {
	deadline := time.Duration(1 << 62)
	if at, ok := ctx.Deadline(); ok {
		deadline = time.Until(at)
	}
	b.mu.Lock()
	b.duty.stopping = true
	b.mu.Unlock()
	_ = b.Leave(Order{Reason: reason, Deadline: min(deadline, protocol.MaxWindowIn)}) // it has not stopped before this
	beat := time.NewTicker(Heartbeat / 5)
	defer beat.Stop()
	for {
		now := time.Now()
		if ctx.Err() != nil {
			b.mu.Lock()
			b.duty.deadline = now
			b.mu.Unlock()
		}
		b.advance(now)
		b.mu.Lock()
		state, turned := b.duty.state, b.duty.turned
		b.mu.Unlock()
		if state == protocol.DutyStopped {
			return
		}
		if state == protocol.DutyDrained {
			break
		}
		select {
		case <-turned:
		case <-beat.C: // leases end, and time passes
		}
	}
	b.mu.Lock()
	b.turnLocked(protocol.DutyStopped, time.Now())
	b.mu.Unlock()
	if err := b.publish(time.Now()); err != nil {
		b.cfg.Log.Debug("last bid", "err", err)
	}
	b.ended.Wait()
}
