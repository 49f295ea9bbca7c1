package verify

import (
	"context"
	"io"
	"sync"
)

// tape is an append-only copy of bytes that arrive, read by any number of readers from its beginning while it grows.
type tape struct {
	mu     sync.Mutex
	chunks [][]byte // each full but the last; never moved once written
	size   int64
	end    error         // io.EOF once whole, else why no more will come
	grown  chan struct{} // closed and replaced on every change
}

const chunkSize = 64 << 10

func newTape() *tape { return &tape{grown: make(chan struct{})} }

func (t *tape) write(p []byte) {
	if len(p) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.size += int64(len(p))
	for len(p) > 0 {
		n := len(t.chunks)
		if n == 0 || len(t.chunks[n-1]) == chunkSize {
			t.chunks = append(t.chunks, make([]byte, 0, chunkSize))
			n++
		}
		last := t.chunks[n-1]
		take := min(chunkSize-len(last), len(p))
		t.chunks[n-1] = append(last, p[:take]...)
		p = p[take:]
	}
	t.wake()
}

// finish says that no more comes: io.EOF when the bytes are whole. The first reason stands.
func (t *tape) finish(reason error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.end == nil {
		t.end = reason
		t.wake()
	}
}

func (t *tape) wake() {
	close(t.grown)
	t.grown = make(chan struct{})
}

// reader reads t from its beginning; its Read waits for bytes until ctx ends.
func (t *tape) reader(ctx context.Context) io.Reader { return &tapeReader{ctx: ctx, tape: t} }

type tapeReader struct {
	ctx  context.Context
	tape *tape
	pos  int64
}

func (r *tapeReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		r.tape.mu.Lock()
		if r.pos < r.tape.size {
			chunk := r.tape.chunks[r.pos/chunkSize]
			n := copy(p, chunk[r.pos%chunkSize:])
			r.pos += int64(n)
			r.tape.mu.Unlock()
			return n, nil
		}
		end, grown := r.tape.end, r.tape.grown
		r.tape.mu.Unlock()
		if end != nil {
			return 0, end
		}
		select {
		case <-grown:
		case <-r.ctx.Done():
			return 0, r.ctx.Err()
		}
	}
}
