// Package feed is the orchestrator's public account of the market: its own events and those its transcoders publish, the
// newest kept for whoever comes later.
package feed

import (
	"context"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

// kept is how many events a newcomer is shown.
const kept = 500

// behind is how many events a reader may lag before it is dropped.
const behind = 1024

// Entry is an event with its place in this feed.
type Entry struct {
	Place uint64
	Event protocol.Event
}

// Feed takes events and hands them on; its methods may be called from several goroutines at once.
type Feed struct {
	self    common.Address
	publish func(protocol.Event) // to the bus; may be nil

	mu      sync.Mutex
	own     uint64
	place   uint64
	ring    []Entry
	readers map[chan Entry]bool
}

// New makes the feed of self; publish, which may be nil, carries its own events further.
func New(self common.Address, publish func(protocol.Event)) *Feed {
	return &Feed{self: self, publish: publish, own: uint64(time.Now().UnixMilli()), readers: make(map[chan Entry]bool)}
}

// Emit adds an event of this role, filling in who, when and its ID.
func (f *Feed) Emit(e protocol.Event) {
	f.mu.Lock()
	f.own++
	e.ID, e.Role, e.Actor = f.own, "orchestrator", f.self
	if e.At.IsZero() {
		e.At = time.Now().UTC()
	}
	f.add(e)
	f.mu.Unlock()
	if f.publish != nil {
		f.publish(e)
	}
}

// Relay adds an event somebody else published; its own come back from the bus and are skipped.
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
		if e.Place > after || after > f.place { // a place of an earlier run of this process means nothing now
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
