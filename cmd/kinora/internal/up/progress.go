package up

import (
	"fmt"
	"io"
	"time"
)

// progress tells a person what is being set up: one line a step, and how to mend it when it fails.
type progress struct {
	w io.Writer
}

func (p progress) step(what, mend string, do func() (string, error)) error {
	began := time.Now()
	fmt.Fprintf(p.w, "  %-46s", what+" …")
	said, err := do()
	if err != nil {
		fmt.Fprintf(p.w, "failed\n")
		return fmt.Errorf("%s: %w\n  how to mend it: %s", what, err, mend)
	}
	fmt.Fprintf(p.w, "%5.1fs  %s\n", time.Since(began).Seconds(), said)
	return nil
}

func (p progress) say(format string, args ...any) { fmt.Fprintf(p.w, format+"\n", args...) }
