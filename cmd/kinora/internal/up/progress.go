package up

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress tells a person what is being set up: one line a step, and how to mend it when it fails.
type progress struct {
	w io.Writer
}

// step is one thing that is set up. do says in a few words what came of it.
type step struct {
	what, mend string
	do         func() (string, error)
}

// together does lanes of steps at once, those of a lane one after another, and shows each step when it is done. After a failure
// it waits for what is under way, which cancel may end sooner, and returns what failed first.
func (p progress) together(cancel func(error), lanes ...[]step) error {
	var mu sync.Mutex // of what is written, and first
	var first error
	var running sync.WaitGroup
	for _, lane := range lanes {
		running.Go(func() {
			for _, s := range lane {
				began := time.Now()
				said, err := s.do()
				mu.Lock()
				if err == nil {
					fmt.Fprintf(p.w, "  %-46s%5.1fs  %s\n", s.what, time.Since(began).Seconds(), said)
				} else if first == nil {
					fmt.Fprintf(p.w, "  %-46sfailed\n", s.what)
					first = fmt.Errorf("%s: %w\n  how to mend it: %s", s.what, err, s.mend)
					cancel(first)
				}
				failed := first != nil
				mu.Unlock()
				if failed {
					return
				}
			}
		})
	}
	running.Wait()
	return first
}

func (p progress) say(format string, args ...any) { fmt.Fprintf(p.w, format+"\n", args...) }
