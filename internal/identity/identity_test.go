package identity_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kinora/kinora/internal/identity"
)

func TestCreateThenLoad_givesTheSameAccount(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	password := filepath.Join(dir, "sub", "password")
	address, file, err := identity.Create(filepath.Join(dir, "keys"), password, identity.LightScrypt())
	if err != nil {
		t.Fatal(err)
	}
	signer, err := identity.Load(file, password)
	if err != nil {
		t.Fatal(err)
	}
	if signer.Address().Hex() != address {
		t.Errorf("loaded %s, created %s", signer.Address(), address)
	}
	for _, f := range []string{file, password} {
		if s, err := os.Stat(f); err != nil || s.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v; want 0600", f, s.Mode(), err)
		}
	}
	// A second key under the same password file.
	if _, _, err := identity.Create(filepath.Join(dir, "keys"), password, identity.LightScrypt()); err != nil {
		t.Error(err)
	}
}

func TestLoad_saysWhichFileAndHowToMend(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		f := filepath.Join(dir, name)
		if err := os.WriteFile(f, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return f
	}
	good := write("password", "secret\n")
	_, file, err := identity.Create(filepath.Join(dir, "keys"), good, identity.LightScrypt())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, keystore, password, want string }{
		{"no keystore", "", good, "kinora wallet new"},
		{"missing keystore", filepath.Join(dir, "none"), good, "none does not exist"},
		{"missing password", file, filepath.Join(dir, "none"), "correct --password-file"},
		{"no password", file, "", "--password-file"},
		{"empty password", file, write("empty", "\n"), "empty first line"},
		{"wrong password", file, write("wrong", "other\n"), "belongs to another key"},
		{"no keystore format", write("junk", "{}"), good, "junk is not a V3 keystore"},
	} {
		if _, err := identity.Load(c.keystore, c.password); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
}

func TestImportThenExport_keepsTheKeyAndSaysNothingOfIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	password, digits := filepath.Join(dir, "password"), strings.Repeat("1f", 32)
	address, file, err := identity.Import("  0x"+digits+"\n", filepath.Join(dir, "keys"), password, identity.LightScrypt())
	if err != nil {
		t.Fatal(err)
	}
	signer, err := identity.Load(file, password)
	if err != nil || signer.Address().Hex() != address {
		t.Fatalf("loaded %v, %v; imported %s", signer, err, address)
	}
	if _, _, err := identity.Import(digits, filepath.Join(dir, "keys"), password, identity.LightScrypt()); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("a second time: %v", err)
	}
	if _, _, err := identity.Import(digits[1:], dir, password); err == nil || strings.Contains(err.Error(), "1f1f") {
		t.Errorf("half a key: %v", err)
	}
	out, other := filepath.Join(dir, "out"), filepath.Join(dir, "other")
	if err := identity.Export(signer, out, other, identity.LightScrypt()); err != nil {
		t.Fatal(err)
	}
	if moved, err := identity.Load(out, other); err != nil || moved.Address() != signer.Address() {
		t.Errorf("exported %v, %v", moved, err)
	}
	if s, err := os.Stat(out); err != nil || s.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", s.Mode(), err)
	}
	if err := identity.Export(signer, out, other, identity.LightScrypt()); err == nil || !strings.Contains(err.Error(), "exists") {
		t.Errorf("over a file that exists: %v", err)
	}
}
