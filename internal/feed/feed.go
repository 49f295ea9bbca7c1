// Package feed is a role's public account of the market: its own events and those it hears from others, the newest kept for
// whoever comes later, served as server-sent events.
package feed

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

const (
	kept      = 500  // events a newcomer is shown
	behind    = 1024 // events a reader may lag before it is dropped
	keepAlive = 15 * time.Second
)

// Entry is an event with its place in this feed. Places grow over restarts too, so that a reader can resume behind any.
type Entry struct {
	Place uint64
	Event protocol.Event
}

// Feed takes events and hands them on; its methods may be called from several goroutines at once.
type Feed struct {
	role    string
	self    common.Address
	publish func(protocol.Event) // carries its own events further; may be nil

	mu      sync.Mutex
	own     uint64
	place   uint64
	ring    []Entry
	readers map[chan Entry]bool
}

// New makes the feed of self in role; publish, which may be nil, carries its own events further and must not block for long.
func New(role string, self common.Address, publish func(protocol.Event)) *Feed {
	start := uint64(time.Now().UnixMilli())
	return &Feed{role: role, self: self, publish: publish, own: start, place: start, readers: make(map[chan Entry]bool)}
}

// Emit adds an event of this role, filling in who, when and its ID, which grows over restarts too.
func (f *Feed) Emit(e protocol.Event) {
	f.mu.Lock()
	f.own++
	e.ID, e.Role, e.Actor = f.own, f.role, f.self
	if e.At.IsZero() {
		e.At = time.Now().UTC()
	}
	f.add(e)
	f.mu.Unlock()
	if f.publish != nil {
		f.publish(e)
	}
}

// Relay adds an event somebody else published; its own come back from where they were published to and are skipped.
func (f *Feed) Relay(e protocol.Event) {
	if e.Actor == f.self {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.add(e)
}

func (f *Feed) add(e protocol.Event) {
	f.place++
	entry := Entry{Place: f.place, Event: e}
	f.ring = append(f.ring, entry)
	if len(f.ring) > 2*kept {
		f.ring = append([]Entry(nil), f.ring[len(f.ring)-kept:]...)
	}
	for r := range f.readers {
		select {
		case r <- entry:
		default: // too slow: it reads the rest up to here and may come again
			delete(f.readers, r)
			close(r)
		}
	}
}

// Read returns the newest events after place and a channel of what follows; the channel closes when ctx ends or its
// reader falls behind.
func (f *Feed) Read(ctx context.Context, after uint64) ([]Entry, <-chan Entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var past []Entry
	for _, e := range f.ring[max(0, len(f.ring)-kept):] {
		if e.Place > after || after > f.place { // a place that was never given means nothing
			past = append(past, e)
		}
	}
	r := make(chan Entry, behind)
	f.readers[r] = true
	context.AfterFunc(ctx, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.readers[r] {
			delete(f.readers, r)
			close(r)
		}
	})
	return past, r
}

// ServeHTTP streams the feed as server-sent events: what was kept, from Last-Event-ID or `after` on, then what comes.
func (f *Feed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.Serve(w, r, func(e protocol.Event) protocol.Event { return e })
}

// Serve is ServeHTTP for a reader who is shown of each event what show leaves of it.
func (f *Feed) Serve(w http.ResponseWriter, r *http.Request, show func(protocol.Event) protocol.Event) {
	after, _ := strconv.ParseUint(cmp.Or(r.Header.Get("Last-Event-ID"), r.URL.Query().Get("after")), 10, 64) // anything else: from the start
	stream := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // a proxy that collects the stream would hold it back
	w.WriteHeader(http.StatusOK)
	past, more := f.Read(r.Context(), after)
	send := func(e Entry) error {
		_, err := fmt.Fprintf(w, "id: %d\ndata: %s\n\n", e.Place, protocol.Encode(show(e.Event)))
		return err
	}
	for _, e := range past {
		if send(e) != nil {
			return
		}
	}
	alive := time.NewTicker(keepAlive)
	defer alive.Stop()
	for stream.Flush() == nil {
		select {
		case e, ok := <-more:
			if !ok || send(e) != nil {
				return
			}
		case <-alive.C:
			if _, err := fmt.Fprint(w, ": still here\n\n"); err != nil {
				return
			}
		}
	}
}
