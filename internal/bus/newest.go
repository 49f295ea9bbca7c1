package bus

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"github.com/nats-io/nats.go"

	"github.com/kinora/kinora/internal/protocol"
)

// newest takes messages on all cores, those of one subject in order, where each makes those before it worthless: while one of a
// subject is taken, only the newest waits. So whoever floods its own subject costs the others one turn in each round.
func (b *Bus) newest(ctx context.Context, take func(*nats.Msg)) func(*nats.Msg) {
	t := &turns{waiting: map[string]*nats.Msg{}, taken: map[string]bool{}}
	t.some.L = &t.mu
	for range max(2, runtime.GOMAXPROCS(0)) {
		go t.serve(take)
	}
	context.AfterFunc(ctx, t.end)
	context.AfterFunc(b.ctx, t.end)
	return func(m *nats.Msg) {
		if len(m.Data) > protocol.MaxMessage {
			b.drop(m, errors.New("too long"))
			return
		}
		if lost := t.put(m); lost != nil {
			b.drop(lost, errors.New("came faster than it was taken"))
		}
	}
}

// turns are those of subjects. A subject is ready while one of its messages waits and none is taken.
type turns struct {
	mu      sync.Mutex
	some    sync.Cond // of ready, or ended
	waiting map[string]*nats.Msg
	taken   map[string]bool
	ready   []string // in the order of their turns
	ended   bool
}

// put lets m wait, and returns what there is no room for: the one before it, or m.
func (t *turns) put(m *nats.Msg) (lost *nats.Msg) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := t.waiting[m.Subject]
	if t.ended || before == nil && len(t.waiting) >= maxPending {
		return m
	}
	t.waiting[m.Subject] = m
	if before == nil && !t.taken[m.Subject] {
		t.ready = append(t.ready, m.Subject)
		t.some.Signal()
	}
	return before
}

func (t *turns) serve(take func(*nats.Msg)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for {
		for len(t.ready) == 0 && !t.ended {
			t.some.Wait()
		}
		if t.ended {
			return
		}
		subject := t.ready[0]
		t.ready = t.ready[1:]
		m := t.waiting[subject]
		delete(t.waiting, subject)
		t.taken[subject] = true
		t.mu.Unlock()
		take(m)
		t.mu.Lock()
		delete(t.taken, subject)
		if t.waiting[subject] != nil {
			t.ready = append(t.ready, subject)
			t.some.Signal()
		}
	}
}

func (t *turns) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	t.some.Broadcast()
}
