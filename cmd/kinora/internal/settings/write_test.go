package settings_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kinora/kinora/cmd/kinora/internal/settings"
)

func TestWrite_leavesTheRestOfTheFileAlone(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ was, want string }{
		"no file":          {"", "transcoder:\n  # why\n  data: here\n  capacity: h264=5\n"},
		"an empty section": {"log-level: debug\ntranscoder:\n", "log-level: debug\ntranscoder:\n  # why\n  data: here\n  capacity: h264=5\n"},
		"old values":       {"# top\ntranscoder: # role\n  capacity: 7 # old\n  region: eu # stays\n", "# top\ntranscoder: # role\n  capacity: h264=5 # old\n  region: eu # stays\n  # why\n  data: here\n"},
		"comments alone":   {"# nothing yet\n", "transcoder:\n  # why\n  data: here\n  capacity: h264=5\n"},
	} {
		path := filepath.Join(t.TempDir(), "kinora.yaml")
		if tc.was != "" {
			if err := os.WriteFile(path, []byte(tc.was), 0o640); err != nil {
				t.Fatal(err)
			}
		}
		if err := settings.Write(path, "transcoder", "why", [2]string{"data", "here"}, [2]string{"capacity", "h264=5"}); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := os.ReadFile(path)
		if err != nil || !strings.HasSuffix(string(got), tc.want) {
			t.Errorf("%s: %q, %v, want %q", name, got, err, tc.want)
		}
		if st, err := os.Stat(path); err != nil || tc.was != "" && st.Mode().Perm() != 0o640 {
			t.Errorf("%s: rights %v, %v", name, st.Mode(), err)
		}
	}
}

func TestWrite_refusesWhatIsNoMapping(t *testing.T) {
	t.Parallel()
	for _, was := range []string{"- a\n", "transcoder: fast\n", "a: [\n"} {
		path := filepath.Join(t.TempDir(), "kinora.yaml")
		if err := os.WriteFile(path, []byte(was), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := settings.Write(path, "transcoder", "", [2]string{"data", "here"}); err == nil {
			t.Errorf("%q was written to", was)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != was {
			t.Errorf("%q became %q, %v", was, got, err)
		}
	}
}
