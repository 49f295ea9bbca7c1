package media

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/kinora/kinora/internal/protocol"
)

const (
	quarantineFor  = 10 * time.Minute // a poison segment is refused at once
	maxQuarantined = 256
	chunk          = 32 << 10
	mark           = 4096 // first bytes by which one is recognised while it arrives
)

// Poison is the refusal of a segment that crashes, or hangs, whatever decodes it.
type Poison struct {
	Evidence Evidence
}

// Evidence is what stands behind the refusal. It stays on this machine but for what Error says.
type Evidence struct {
	Source  protocol.Hash `json:"source"` // SHA-256 of the segment; zero when it did not come whole
	Bytes   int           `json:"bytes"`
	Crashes []Crash       `json:"crashes"`
	At      time.Time     `json:"at"`
}

// Error names the segment and how its children ended, not what they said: that may quote the media.
func (p *Poison) Error() string { return p.Unwrap().Error() }

// Unwrap gives the frozen code.
func (p *Poison) Unwrap() error {
	e := p.Evidence
	how := ""
	for i, c := range e.Crashes {
		if i > 0 {
			how += ", "
		}
		how += c.Status
	}
	return protocol.Errorf(protocol.PoisonSegment, "source %s of %d bytes ended %d media children: %.200s", e.Source, e.Bytes, len(e.Crashes), how)
}

// quarantine remembers the segments that crashed children, by their bytes.
type quarantine struct {
	mu   sync.Mutex
	held map[protocol.Hash]*inmate
}

type inmate struct {
	mark     []byte // its first bytes, mark at most
	evidence Evidence
	poison   bool // crashed a child that it had to itself; before that it is a suspect
}

// screen reads as far into source as it is like one that is held. It returns how often its bytes crashed a child, and the refusal
// of a poison segment: that needs the whole source, so only one that begins like it waits for its end.
func (q *quarantine) screen(source *kept) (crashes int, err error) {
	if !q.alike(nil) {
		return 0, nil
	}
	for n := 0; ; {
		head, end := source.await(n + 1)
		n = len(head)
		if !q.alike(head) {
			return 0, nil
		}
		if n >= mark || end != nil {
			break
		}
	}
	whole, end := source.await(-1)
	if end != io.EOF {
		return 0, nil // whoever reads it is told why
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	in := q.held[sha256.Sum256(whole)]
	switch {
	case in == nil:
		return 0, nil
	case in.poison:
		return 0, &Poison{Evidence: in.evidence}
	}
	return len(in.evidence.Crashes), nil
}

// alike reports whether one that is held begins like head.
func (q *quarantine) alike(head []byte) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for hash, in := range q.held {
		if time.Since(in.evidence.At) > quarantineFor {
			delete(q.held, hash)
			continue
		}
		n := min(len(head), len(in.mark))
		if bytes.Equal(head[:n], in.mark[:n]) {
			return true
		}
	}
	return false
}

// strike counts a crash against a source that has come whole. It reports whether that makes it poison: alone says that the child was
// its own.
func (q *quarantine) strike(source *kept, crash Crash, alone bool) bool {
	whole, end := source.have()
	if end != io.EOF {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	in := q.inmateLocked(whole)
	in.evidence.Crashes = append(in.evidence.Crashes, crash)
	return alone
}

// condemn makes source poison if it came whole, and the refusal of it either way.
func (q *quarantine) condemn(source *kept, crashes []Crash) *Poison {
	whole, end := source.have()
	if end != io.EOF {
		return &Poison{Evidence{Bytes: len(whole), Crashes: crashes, At: time.Now().UTC()}}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	in := q.inmateLocked(whole)
	in.poison = true
	if len(crashes) > len(in.evidence.Crashes) {
		in.evidence.Crashes = crashes
	}
	return &Poison{in.evidence}
}

// absolve forgets what a source is suspected of: a child that it had to itself did it.
func (q *quarantine) absolve(source *kept) {
	if !q.alike(nil) {
		return
	}
	whole, _ := source.have()
	hash := protocol.Hash(sha256.Sum256(whole))
	q.mu.Lock()
	defer q.mu.Unlock()
	if in := q.held[hash]; in != nil && !in.poison {
		delete(q.held, hash)
	}
}

func (q *quarantine) inmateLocked(whole []byte) *inmate {
	hash := protocol.Hash(sha256.Sum256(whole))
	if in := q.held[hash]; in != nil {
		return in
	}
	if q.held == nil {
		q.held = make(map[protocol.Hash]*inmate)
	}
	for len(q.held) >= maxQuarantined { // the oldest goes
		var oldest protocol.Hash
		first := time.Time{}
		for h, in := range q.held {
			if first.IsZero() || in.evidence.At.Before(first) {
				oldest, first = h, in.evidence.At
			}
		}
		delete(q.held, oldest)
	}
	in := &inmate{mark: bytes.Clone(whole[:min(mark, len(whole))]), evidence: Evidence{Source: hash, Bytes: len(whole), At: time.Now().UTC()}}
	q.held[hash] = in
	return in
}

func (q *quarantine) list() []Evidence {
	q.mu.Lock()
	defer q.mu.Unlock()
	var out []Evidence
	for _, in := range q.held {
		if in.poison && time.Since(in.evidence.At) <= quarantineFor {
			out = append(out, in.evidence)
		}
	}
	return out
}

// kept is a source whose bytes are kept as they come, so that they can be read again.
type kept struct {
	from io.Reader
	most int64

	mu      sync.Mutex
	change  sync.Cond
	buf     []byte
	end     error
	reading bool // somebody is in from.Read
}

func newKept(from io.Reader, most int64) *kept {
	k := &kept{from: from, most: most}
	k.change.L = &k.mu
	return k
}

// reader reads from the first byte on. Several may be used at once.
func (k *kept) reader() io.Reader { return &keptReader{kept: k} }

type keptReader struct {
	*kept
	at int
}

func (r *keptReader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.at == len(r.buf) && r.end == nil {
		r.moreLocked()
	}
	if r.at == len(r.buf) {
		return 0, r.end
	}
	n := copy(p, r.buf[r.at:])
	r.at += n
	return n, nil
}

// moreLocked reads on, or waits for whoever does.
func (k *kept) moreLocked() {
	if k.reading {
		k.change.Wait()
		return
	}
	k.reading = true
	k.buf = slices.Grow(k.buf, chunk)
	free := k.buf[len(k.buf) : len(k.buf)+chunk] // nobody else's while reading is set
	k.mu.Unlock()
	n, err := k.from.Read(free)
	k.mu.Lock()
	k.buf = k.buf[:len(k.buf)+n]
	if int64(len(k.buf)) > k.most {
		err = protocol.Limited(protocol.SegmentTooLarge, "max_input", k.most, "the segment has more than %d bytes", k.most)
	}
	if err != nil {
		k.end = err
	}
	k.reading = false
	k.change.Broadcast()
}

// await returns the first n bytes at least, or all of them (n < 0), or those there are before end.
func (k *kept) await(n int) (head []byte, end error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for (n < 0 || len(k.buf) < n) && k.end == nil {
		k.moreLocked()
	}
	return k.buf, k.end
}

func (k *kept) have() ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.buf, k.end
}

// drain reads on to the end, or to the end of ctx, which ends the source too.
func (k *kept) drain(ctx context.Context) {
	done := make(chan struct{})
	go func() { defer close(done); _, _ = k.await(-1) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
}
