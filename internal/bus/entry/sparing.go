package entry

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// How many lines others may have written to the log.
const (
	lineEvery = 2 * time.Second
	lineBurst = 50
)

// Sparing writes to a log what others bring about, so many lines and no more: a disk is soon full. Debug lines were asked for, and do
// not count. The zero value is ready.
type Sparing struct {
	mu    sync.Mutex
	limit *rate.Limiter
	left  int // lines out, since the last
}

// Log writes a line, or counts it; the next that is written says how many were not.
func (s *Sparing) Log(log *slog.Logger, level slog.Level, text string, args ...any) {
	ctx := context.Background()
	if level > slog.LevelDebug && log.Enabled(ctx, level) {
		left, ok := s.allow()
		if !ok {
			return
		}
		if left > 0 {
			args = append(args, "lines_left_out_before", left)
		}
	}
	log.Log(ctx, level, text, args...)
}

func (s *Sparing) allow() (left int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.limit == nil {
		s.limit = rate.NewLimiter(rate.Every(lineEvery), lineBurst)
	}
	if !s.limit.Allow() {
		s.left++
		return 0, false
	}
	left, s.left = s.left, 0
	return left, true
}
