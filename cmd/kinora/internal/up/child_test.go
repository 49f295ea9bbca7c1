package up

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// shell is a child that is a shell script; $1 is its ready file.
func shell(t *testing.T, script string) *child {
	t.Helper()
	c := &child{name: "role", program: "/bin/sh", dir: t.TempDir(), log: slog.New(slog.DiscardHandler)}
	c.args = func() []string { return []string{"-c", `[ "$1" = --ready-file ] && shift; ` + script, "sh"} }
	return c
}

func startChild(t *testing.T, c *child) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	c.start(t.Context())
	t.Cleanup(func() {
		c.stop(5 * time.Second)
		<-c.done
	})
	return ctx
}

func TestChild_thatIsMisusedIsNotStartedAgain(t *testing.T) {
	t.Parallel()
	c := shell(t, `echo "--ladder: no JSON"; exit 2`)
	err := c.wait(startChild(t, c))
	if err == nil || !strings.Contains(err.Error(), "role is not ready") || !strings.Contains(err.Error(), "--ladder: no JSON") {
		t.Errorf("error %v, want one with the end of its log", err)
	}
	if c.starts != 1 {
		t.Errorf("started %d times, want once", c.starts)
	}
}

func TestChild_thatNeverGetsReadyIsGivenUp(t *testing.T) {
	t.Parallel()
	c := shell(t, `echo "no such database"; exit 1`)
	if err := c.wait(startChild(t, c)); err == nil || !strings.Contains(err.Error(), "no such database") {
		t.Errorf("error %v, want one with the end of its log", err)
	}
	if c.starts != firstTries {
		t.Errorf("started %d times, want %d", c.starts, firstTries)
	}
}

func TestChild_thatWasReadyIsStartedAgainWhateverItEndsWith(t *testing.T) {
	t.Parallel()
	stay := filepath.Join(t.TempDir(), "stay")
	c := shell(t, `touch `+stay+`; echo '{"http":"0.0.0.0:4711"}' > "$1.part"; mv "$1.part" "$1"; while [ -e `+stay+` ]; do sleep 0.02; done; exit 2`)
	ctx := startChild(t, c)
	if err := c.wait(ctx); err != nil {
		t.Fatal(err)
	}
	if c.addr() != "127.0.0.1:4711" || c.listen("127.0.0.1:0") != "0.0.0.0:4711" {
		t.Errorf("reached at %s, listens on %s", c.addr(), c.listen("127.0.0.1:0"))
	}
	for n := range firstTries {
		if err := os.Remove(stay); err != nil {
			t.Fatal(err)
		}
		if err := poll(ctx, func() (bool, error) {
			_, err := os.Stat(stay)
			return err == nil, nil
		}); err != nil {
			t.Fatalf("not started after end %d: %v", n+1, err)
		}
	}
}
