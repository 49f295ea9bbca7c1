package api

import (
	"context"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

const (
	kept   = 500  // events a newcomer is shown
	behind = 1024 // events a reader may lag before it is dropped
)

// Feed is a transcoder's public account of itself: the newest events kept, each handed on once.
type Feed struct {
	self    common.Address
	publish func(protocol.Event)

	mu      sync.Mutex
	last    uint64
	events  []protocol.Event
	readers map[chan protocol.Event]bool
}

// NewFeed makes the feed of self; publish carries each event to the rest of the market and must not block for long.
func NewFeed(self common.Address, publish func(protocol.Event)) *Feed {
	return &Feed{self: self, publish: publish, last: uint64(time.Now().UnixMilli()), readers: make(map[chan protocol.Event]bool)}
}

// Emit adds an event, filling in who, when and its number, which grows over restarts too.
func (f *Feed) Emit(e protocol.Event) {
	f.mu.Lock()
	f.last++
	e.ID, e.Role, e.Actor = f.last, "transcoder", f.self
	if e.At.IsZero() {
		e.At = time.Now().UTC()
	}
	f.events = append(f.events, e)
	if len(f.events) > 2*kept {
		f.events = append([]protocol.Event(nil), f.events[len(f.events)-kept:]...)
	}
	for r := range f.readers {
		select {
		case r <- e:
		default: // too slow: it may come again with the last number it saw
			delete(f.readers, r)
			close(r)
		}
	}
	f.mu.Unlock()
	f.publish(e)
}

// Read returns the newest events after number and a channel of those to come, which closes when ctx ends or its reader
// falls behind.
func (f *Feed) Read(ctx context.Context, after uint64) ([]protocol.Event, <-chan protocol.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var past []protocol.Event
	for _, e := range f.events[max(0, len(f.events)-kept):] {
		if e.ID > after {
			past = append(past, e)
		}
	}
	r := make(chan protocol.Event, behind)
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
