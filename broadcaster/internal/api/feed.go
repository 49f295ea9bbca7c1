package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

// Sizes of a Feed: how many events a newcomer is shown, and how many a reader may lag before it is dropped.
const (
	keptEvents = 500
	maxBehind  = 1024
)

// Feed is the public account of the market as this broadcaster sees it: its own events and those its orchestrators relay.
// Safe for concurrent use.
type Feed struct {
	self common.Address

	mu      sync.Mutex
	own     uint64
	place   uint64
	ring    []entry
	readers map[chan entry]bool
}

type entry struct {
	place uint64
	event protocol.Event
}

// NewFeed makes the feed of self.
func NewFeed(self common.Address) *Feed {
	return &Feed{self: self, own: uint64(time.Now().UnixMilli()), readers: make(map[chan entry]bool)}
}

// Emit adds an event of this role, filling in who, when and its ID.
func (f *Feed) Emit(e protocol.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.own++
	e.ID, e.Role, e.Actor = f.own, "broadcaster", f.self
	if e.At.IsZero() {
		e.At = time.Now().UTC()
	}
	f.add(e)
}

// relay adds an event of somebody else.
func (f *Feed) relay(e protocol.Event) {
	if e.Actor == f.self || e.Role == "broadcaster" {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.add(e)
}

func (f *Feed) add(e protocol.Event) {
	f.place++
	one := entry{f.place, e}
	f.ring = append(f.ring, one)
	if len(f.ring) > 2*keptEvents {
		f.ring = append([]entry(nil), f.ring[len(f.ring)-keptEvents:]...)
	}
	for r := range f.readers {
		select {
		case r <- one:
		default: // too slow: it may come again
			delete(f.readers, r)
			close(r)
		}
	}
}

func (f *Feed) read(ctx context.Context, after uint64) ([]entry, <-chan entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var past []entry
	for _, e := range f.ring[max(0, len(f.ring)-keptEvents):] {
		if e.place > after || after > f.place { // a place of an earlier run of this process means nothing now
			past = append(past, e)
		}
	}
	r := make(chan entry, maxBehind)
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

// serve streams the feed as server-sent events: what was kept, from Last-Event-ID on, then what comes.
func (f *Feed) serve(w http.ResponseWriter, r *http.Request) {
	id := r.Header.Get("Last-Event-ID")
	if id == "" {
		id = r.URL.Query().Get("after")
	}
	after, _ := strconv.ParseUint(id, 10, 64) // anything else: from the start
	rc := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	past, more := f.read(r.Context(), after)
	send := func(e entry) error {
		_, err := fmt.Fprintf(w, "id: %d\ndata: %s\n\n", e.place, protocol.Encode(e.event))
		return err
	}
	for _, e := range past {
		if send(e) != nil {
			return
		}
	}
	beat := time.NewTicker(15 * time.Second)
	defer beat.Stop()
	for {
		if rc.Flush() != nil {
			return
		}
		select {
		case e, ok := <-more:
			if !ok || send(e) != nil {
				return
			}
		case <-beat.C:
			if _, err := fmt.Fprint(w, ": still here\n\n"); err != nil {
				return
			}
		}
	}
}

// Follow relays the feed of the orchestrator at url until ctx ends, through any break.
func (f *Feed) Follow(ctx context.Context, client *http.Client, url string, log *slog.Logger) {
	last, pause := "", time.Second
	for ctx.Err() == nil {
		began := time.Now()
		err := f.followOnce(ctx, client, url, &last)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > 10*time.Second {
			pause = time.Second
		}
		log.Debug("an orchestrator's events broke off", "url", url, "err", err, "again_in", pause)
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
		pause = min(2*pause, 15*time.Second)
	}
}

func (f *Feed) followOnce(ctx context.Context, client *http.Client, url string, last *string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/api/v1/events", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "text/event-stream")
	if *last != "" {
		req.Header.Set("Last-Event-ID", *last)
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %s", resp.Status)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(make([]byte, 4096), protocol.MaxMessage)
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "id":
			*last = value
		case "data":
			if e, err := protocol.Decode[protocol.Event]([]byte(value)); err == nil {
				f.relay(e)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return errors.New("it ended")
}
