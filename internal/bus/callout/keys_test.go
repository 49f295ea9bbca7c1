package callout_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kinora/kinora/internal/bus/callout"
)

func TestKeys_areMadeOnceForTheirOwnerAloneAndRead(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "keys")
	made, err := callout.CreateKeys(file)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := os.Stat(file); err != nil || s.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", s.Mode(), err)
	}
	if _, err := callout.CreateKeys(file); err == nil || !strings.Contains(err.Error(), "exists") {
		t.Errorf("over a file that exists: %v", err)
	}
	read, err := callout.LoadKeys(file)
	if err != nil || read.ServerConfig() != made.ServerConfig() {
		t.Errorf("what was read is not what was made: %v", err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range strings.Fields(string(text)) {
		if secret = strings.Trim(secret, `",`); strings.HasPrefix(secret, "S") && strings.Contains(made.ServerConfig(), secret) {
			t.Error("the servers' configuration holds a secret")
		}
	}
}

func TestLoadKeys_saysWhatIsWrong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"no JSON": "x", "no keys": "{}", "a user's key for an issuer": `{"issuer_seed":"SUAIBDPBAUTWCWBKIO6XHQNINK5FWJW4OHLXC3HQ2KFE4PEJUA44CNHTC4"}`} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := callout.LoadKeys(file); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := callout.LoadKeys(filepath.Join(dir, "none")); err == nil || !strings.Contains(err.Error(), "nats-keys") {
		t.Errorf("no file: %v", err)
	}
}
