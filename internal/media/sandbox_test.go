package media_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/kinora/kinora/internal/media"
)

const (
	sandboxEnv = "KINORA_TEST_SANDBOX"
	deviceEnv  = "KINORA_TEST_SANDBOX_DEVICE" // granted to it
)

// sandboxed is this program run as another user: it makes the sandbox test and prints what came of it.
func sandboxed() {
	opts := media.Options{Path: os.Getenv(sandboxEnv)}
	if device := os.Getenv(deviceEnv); device != "" {
		opts.Limits.Devices = []string{device}
	}
	s, err := media.SandboxTest(background, opts, "")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_ = json.NewEncoder(os.Stdout).Encode(s)
}

func tight(t *testing.T, s media.Sandbox) {
	t.Helper()
	if len(s.Escapes) < 25 {
		t.Errorf("only %d attempts", len(s.Escapes))
	}
	for _, e := range s.Escapes {
		if e.Passed || e.Layer == "" || e.Detail == "" {
			t.Errorf("%s: passed %v, stopped by %q: %s", e.Name, e.Passed, e.Layer, e.Detail)
		}
	}
}

func TestSandbox_letsNothingOut(t *testing.T) {
	t.Parallel()
	s, err := media.SandboxTest(t.Context(), media.Options{}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	tight(t, s)
	again, err := media.SandboxTest(t.Context(), media.Options{}, t.TempDir())
	if err != nil || again.Hash() != s.Hash() {
		t.Errorf("the same jail has another hash: %v", err)
	}
	again.Escapes[3].Passed = true
	if again.Hash() == s.Hash() {
		t.Error("a jail that is open has the same hash")
	}
}

func TestSandbox_grantsADeviceAndNothingElse(t *testing.T) {
	t.Parallel()
	const device = "/dev/null" // stands for a GPU: every machine has it
	s, err := media.SandboxTest(t.Context(), media.Options{Limits: media.Limits{Devices: []string{device}}}, "")
	if err != nil {
		t.Fatal(err)
	}
	tight(t, s)
	if slices.Contains(s.Layers, "mount-namespace") && !slices.Contains(s.Layers, "own-root") {
		t.Errorf("layers %v, without a root of its own: %s", s.Layers, s.Lacking["own-root"])
	}
	ungranted, err := media.SandboxTest(t.Context(), media.Options{Limits: media.Limits{Devices: []string{"/dev/zero"}}}, "")
	if err != nil {
		t.Fatal(err)
	}
	tight(t, ungranted) // /dev/null among what is tried
}

// An owner runs this as an ordinary user; the machines it is built on often as root.
func TestSandbox_letsNothingOutOfAnOrdinaryUsersChild(t *testing.T) {
	t.Parallel()
	program, err := media.Find()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(dir, "kinora-media")
	// By another process: a file that this one has open to write may be inherited by what another test starts, and is busy then.
	if out, err := exec.Command("cp", program, own).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, device := range []string{"", "/dev/null"} {
		cmd := exec.Command("/proc/self/exe")
		cmd.Dir, cmd.Env = "/", []string{sandboxEnv + "=" + own, deviceEnv + "=" + device}
		if os.Getuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 12345, Gid: 12345}}
		}
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("device %q: %v: %s", device, err, &stderr)
		}
		var s media.Sandbox
		if err := json.Unmarshal(out, &s); err != nil {
			t.Fatal(err)
		}
		tight(t, s)
		if slices.Contains(s.Layers, "mount-namespace") && !slices.Contains(s.Layers, "own-root") {
			t.Errorf("device %q: layers %v, without a root of its own: %s", device, s.Layers, s.Lacking["own-root"])
		}
	}
}

func TestSandbox_grantsNoDeviceWhereFilesAreOpen(t *testing.T) {
	t.Parallel()
	opts := media.Without(testChild(t), "own-root", "landlock")
	opts.Limits.Devices = []string{"/dev/null"}
	s, err := media.SandboxTest(t.Context(), opts, "")
	if err != nil {
		t.Fatal(err)
	}
	tight(t, s)
}

// TestSandbox_seesWhatALayerLeftOffLetsOut is what makes the tests above worth something: they can fail.
func TestSandbox_seesWhatALayerLeftOffLetsOut(t *testing.T) {
	t.Parallel()
	weak := testChild(t)
	for _, c := range []struct {
		without string
		passes  string // these, at least
		only    bool   // and no others
	}{
		{without: "namespaces,landlock", only: true}, // the layers that every kernel has are enough
		{without: "own-root,landlock", only: true},
		{without: "descriptors,rlimits", passes: "inherited-descriptor memory descriptors", only: true},
		{without: "seccomp", passes: "fork new-code outlive-parent keyring socket-inet"},
		{without: "seccomp,own-root,landlock,no-capabilities", passes: "read-passwd read-secret read-keystore exec-shell connect-unix read-by-symlink open-device"},
		{without: "seccomp,own-root,namespaces,landlock,no-capabilities,no-new-privs,rlimits", passes: "connect-loopback resolve connect-abstract shared-memory signal-parent signal-other " +
			"read-parent-environment write-huge write-tmp exec-memory io-uring message-queue" + asRoot("ptrace-parent read-parent-memory")},
	} {
		t.Run(c.without, func(t *testing.T) {
			t.Parallel()
			opts := media.Without(weak, strings.Split(c.without, ",")...)
			s, err := media.SandboxTest(t.Context(), opts, "")
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Fields(c.passes)
			for _, e := range s.Escapes {
				switch expected := slices.Contains(want, e.Name); {
				case expected && !e.Passed:
					t.Errorf("%s is stopped by %s: %s", e.Name, e.Layer, e.Detail)
				case !expected && e.Passed && c.only:
					t.Errorf("%s passes: %s", e.Name, e.Detail)
				}
			}
		})
	}
}

// asRoot are attempts that some kernels refuse to ordinary users, jail or no jail.
func asRoot(attempts string) string {
	if os.Getuid() != 0 {
		return ""
	}
	return " " + attempts
}
