package engine

import (
	"slices"
	"sync"

	"github.com/kinora/kinora/internal/media/wire"
)

// line is what one segment leaves to the next of its lease: muxers that keep counting, encoders that go on, the frame rate, the place in time.
type line struct {
	ladder []wire.Profile
	prev   *line         // nil when the segment begins afresh
	batons []chan *carry // per profile, one each when this segment is out of it; nil when it failed

	mu       sync.Mutex
	num, den int   // source frame rate, 0 while unknown
	near     int64 // a time within the segment, unwrapped; 0 while unknown
}

// nextLine is the line of a job that begins now, in the order of the requests.
func (s *server) nextLine(req wire.Transcode) *line {
	l := &line{ladder: req.Ladder, num: req.FPSNum, den: req.FPSDen}
	for range req.Ladder {
		l.batons = append(l.batons, make(chan *carry, 1))
	}
	s.mu.Lock()
	prev := s.line
	s.line = l
	s.mu.Unlock()
	switch {
	case prev == nil:
	case req.Continues && slices.Equal(prev.ladder, req.Ladder):
		l.prev = prev
	default:
		go prev.discard()
	}
	return l
}

// discard frees what the segment leaves, when it leaves it.
func (l *line) discard() {
	for _, b := range l.batons {
		(<-b).free()
	}
}

// drop ends the line of a job that came to nothing before it had renditions.
func (l *line) drop() {
	if l.prev != nil {
		go l.prev.discard()
	}
	for _, b := range l.batons {
		b <- nil
	}
}

func (l *line) rate() (num, den int) {
	l.mu.Lock()
	num, den = l.num, l.den
	l.mu.Unlock()
	if num == 0 && l.prev != nil {
		l.prev.mu.Lock()
		num, den = l.prev.num, l.prev.den
		l.prev.mu.Unlock()
	}
	return num, den
}

func (l *line) setRate(num, den int) {
	l.mu.Lock()
	l.num, l.den = num, den
	l.mu.Unlock()
}

// nearby is a time of the segment before, 0 if there is none.
func (l *line) nearby() int64 {
	if l.prev == nil {
		return 0
	}
	l.prev.mu.Lock()
	defer l.prev.mu.Unlock()
	return l.prev.near
}

func (l *line) setNear(t int64) {
	l.mu.Lock()
	l.near = t
	l.mu.Unlock()
}
