package house

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TLS is verified everywhere, in tests too: package passport knows servers that no certificate authority does.
func TestNobodySkipsTheVerificationOfTLS(t *testing.T) {
	t.Parallel()
	word := []byte("InsecureSkip" + "Verify")
	files := 0
	err := filepath.WalkDir(filepath.Join("..", ".."), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules" || d.Name() == "build" || d.Name() == "bin") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		files++
		b, err := os.ReadFile(path)
		if bytes.Contains(b, word) {
			t.Errorf("%s skips the verification of TLS", path)
		}
		return err
	})
	if err != nil || files < 200 {
		t.Fatalf("%d files, %v", files, err)
	}
}
