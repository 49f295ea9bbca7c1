package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestSandboxTest_failsWhenAnAttemptPasses(t *testing.T) {
	t.Parallel()
	open := filepath.Join(t.TempDir(), "kinora-media") // without a limit on memory and files
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-tags", "jailopen", "-o", open, "github.com/kinora/kinora/cmd/kinora-media").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, more := range [][]string{nil, {"--json"}} {
		var stdout, stderr strings.Builder
		code := run(append([]string{"transcoder", "sandbox-test", "--media-child", open}, more...), &stdout, &stderr)
		if code != 1 || !strings.Contains(stderr.String(), "2 of 4") || !strings.Contains(stderr.String(), "memory") {
			t.Errorf("exit status %d, %s", code, &stderr)
		}
		if out := stdout.String(); !strings.Contains(out, "PASSED") && !strings.Contains(out, `"passed": true`) {
			t.Errorf("the table shows nothing that passed:\n%s", out)
		}
	}
}
