package devices

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/protocol"
)

// Search of the most streams that a machine holds at once.
type Search struct {
	Open   func(ctx context.Context) (encode EncodeFunc, end func(), err error) // a session of its own
	Ladder protocol.Ladder
	Soak   time.Duration                // how long each number must hold
	Most   int                          // streams that are tried, at most
	Guess  int                          // where to begin
	Tried  func(streams int, held bool) // called after each number; may be nil
}

// Held is what a Search found.
type Held struct {
	Streams int           `json:"streams"`
	Soak    time.Duration `json:"soak"`
	Worst   time.Duration `json:"worst_tail"` // of the number that held: from the last source byte to the last rendition byte
	Limit   string        `json:"limit"`      // what kept it from more
	// MilliCPU is the CPU time per second, in milliseconds, that the streams had when there were most of them, whether they held
	// or not.
	MilliCPU int `json:"milli_cpu"`
}

// What ends a Search.
const (
	LimitPace = "pace" // one more did not hold real time
	LimitMost = "most" // as many as were to be tried
)

// errLate is what a stream that does not hold real time ends with.
var errLate = errors.New("a stream did not hold real time")

// Run doubles the streams until they do not hold, then halves the gap. Opening a session may fail: then that is the limit.
func (s Search) Run(ctx context.Context) (Held, error) {
	best := Held{Soak: s.Soak}
	low, high := 0, s.Most+1 // low holds, high does not
	n := min(max(s.Guess, 1), s.Most)
	for low+1 < high {
		worst, cpu, limit, err := s.hold(ctx, n)
		if err != nil {
			return best, err
		}
		if s.Tried != nil {
			s.Tried(n, limit == "")
		}
		best.MilliCPU = max(best.MilliCPU, cpu)
		if limit == "" {
			low, best.Streams, best.Worst = n, n, worst
		} else {
			high, best.Limit = n, limit
		}
		switch {
		case high <= s.Most:
			n = (low + high) / 2
		default:
			n = min(2*low, s.Most)
		}
		if low > 0 && high-low <= max(1, low/16) { // near enough: to tell 31 from 32 takes more than a short soak
			break
		}
	}
	if best.Limit == "" {
		best.Limit = LimitMost
	}
	return best, nil
}

// A stream may be a segment late, no more; and over a soak all of them together may fall behind by this part of it, or by
// what one busy moment costs.
const (
	lateBound  = sampleSeconds * time.Second
	drift      = 20 // a twentieth
	leastDrift = 150 * time.Millisecond
)

// hold runs n streams at once at their own pace for the soak. limit says why they did not hold; an error that it could not
// be tried.
func (s Search) hold(ctx context.Context, n int) (worst time.Duration, milliCPU int, limit string, err error) {
	trial, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	encoders := make([]EncodeFunc, n)
	for i := range encoders {
		encode, end, err := s.Open(trial)
		if err != nil {
			if ctx.Err() != nil || n == 1 {
				return 0, 0, "", err
			}
			return 0, 0, detail(err), nil
		}
		defer end()
		encoders[i] = encode
	}
	var mu sync.Mutex
	var streams sync.WaitGroup
	var spent time.Duration  // CPU time of all streams
	var behind time.Duration // of all streams, by how much their last tail exceeds their first
	begin := time.Now().Add(100 * time.Millisecond)
	for i, encode := range encoders {
		streams.Go(func() {
			// Streams begin one after the other over a segment: in life they do not begin together either.
			due := begin.Add(time.Duration(i) * sampleSeconds * time.Second / time.Duration(n))
			var first, tail time.Duration
			for round := 0; trial.Err() == nil && (round < 2 || time.Since(begin) < s.Soak); round++ {
				var err error
				var used time.Duration
				tail, used, err = s.segment(trial, encode, due.Add(time.Duration(round)*sampleSeconds*time.Second))
				if err == nil && tail > lateBound && round > 0 { // the first also starts the encoder
					err = errLate
				}
				if err != nil {
					cancel(err)
					return
				}
				if round <= 1 {
					first = tail
				}
				mu.Lock()
				worst, spent = max(worst, tail), spent+used
				mu.Unlock()
			}
			mu.Lock()
			behind += tail - first
			mu.Unlock()
		})
	}
	streams.Wait()
	cpu := func() int { return int(spent.Milliseconds() * 1000 / max(1, time.Since(begin).Milliseconds())) }
	switch cause := context.Cause(trial); {
	case ctx.Err() != nil:
		return 0, 0, "", ctx.Err()
	case errors.Is(cause, errLate):
		return 0, cpu(), LimitPace, nil
	case cause != nil && n == 1:
		return 0, 0, "", cause
	case cause != nil:
		return 0, cpu(), detail(cause), nil
	case behind/time.Duration(n) > max(s.Soak/drift, leastDrift):
		return 0, cpu(), LimitPace, nil
	}
	return worst, cpu(), "", nil
}

// segment encodes the sample, whose bytes arrive evenly from begin on over its duration, and returns how long after the last
// of them the last rendition was whole.
func (s Search) segment(ctx context.Context, encode EncodeFunc, begin time.Time) (tail, cpu time.Duration, err error) {
	r, err := encode(ctx, media.Job{Ladder: s.Ladder, Source: &paced{ctx: ctx, begin: begin}, Out: func(int, []byte) error { return nil }})
	if r != nil {
		cpu = r.CPU
	}
	return time.Since(begin.Add(sampleSeconds * time.Second)), cpu, err
}

// paced is the sample at its own pace.
type paced struct {
	ctx   context.Context
	begin time.Time
	off   int
}

// portions is in how many parts the sample arrives.
const portions = 20

func (p *paced) Read(b []byte) (int, error) {
	if p.off == len(sample) {
		return 0, io.EOF
	}
	n := min(len(b), len(sample)-p.off, len(sample)/portions+1)
	due := p.begin.Add(time.Duration(float64(sampleSeconds*time.Second) * float64(p.off+n) / float64(len(sample))))
	if wait := time.Until(due); wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		select {
		case <-t.C:
		case <-p.ctx.Done():
			return 0, context.Cause(p.ctx)
		}
	}
	copy(b, sample[p.off:p.off+n])
	p.off += n
	return n, nil
}
