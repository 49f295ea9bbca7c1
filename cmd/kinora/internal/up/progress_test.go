package up

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestTogether_doesLanesAtOnceAndStepsOfALaneInOrder(t *testing.T) {
	t.Parallel()
	met, out := make(chan string), &strings.Builder{}
	say := func(s string) func() (string, error) { return func() (string, error) { return s, nil } }
	err := progress{out}.together(func(error) {},
		[]step{{"a", "", func() (string, error) { met <- "hello"; return "met", nil }}, {"b", "", say("after a")}}, // waits for the other lane
		[]step{{"c", "", func() (string, error) { return <-met, nil }}})
	if err != nil {
		t.Fatal(err)
	}
	shown := out.String()
	if strings.Count(shown, "\n") != 3 || strings.Index(shown, "met") > strings.Index(shown, "after a") {
		t.Errorf("shown:\n%s", shown)
	}
}

func TestTogether_endsTheOthersWhenOneFails(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	broken, ran := errors.New("broken"), false
	err := progress{&strings.Builder{}}.together(cancel,
		[]step{{"slow", "", func() (string, error) { <-ctx.Done(); return "", context.Cause(ctx) }}, {"later", "", func() (string, error) { ran = true; return "", nil }}},
		[]step{{"bad", "mend it so", func() (string, error) { return "", broken }}})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "bad: broken") || !strings.Contains(err.Error(), "mend it so") {
		t.Errorf("error %v", err)
	}
	if ran {
		t.Error("a lane went on after a failure")
	}
}
