package livesource_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kinora/kinora/cmd/kinora/internal/livesource"
	"github.com/kinora/kinora/internal/media/mediatest"
)

func TestCheck_namesAFileWithoutVideo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	film := mediatest.Segments(t, mediatest.Spec{Seconds: 1})[0].Bytes
	if err := livesource.Check(t.Context(), mediatest.FFmpeg(t), write("film.ts", film)); err != nil {
		t.Errorf("a film: %v", err)
	}
	for name, b := range map[string][]byte{"notes.dat": []byte(strings.Repeat("no film, but words\n", 100)), "empty.mp4": nil, "cut.ts": film[:188*2]} {
		file := write(name, b)
		if err := livesource.Check(t.Context(), mediatest.FFmpeg(t), file); err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "no video") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
