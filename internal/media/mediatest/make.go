package mediatest

import (
	"os"
	"path/filepath"
	"testing"
)

// Make makes one file with FFmpeg, in a way no Spec describes: args are everything before the output's name, whose
// extension (ts, mp4, mkv, webm) says the container.
func Make(t testing.TB, extension string, args ...string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "made."+extension)
	Run(t, nil, FFmpeg(t), append(append([]string{"-v", "error", "-nostdin", "-y"}, args...), out)...)
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
