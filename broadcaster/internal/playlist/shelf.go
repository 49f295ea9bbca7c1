package playlist

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Shelf keeps segment files: <dir>/<stream>/<rendition>/<file>. A file appears whole or not at all and never changes. It is
// not forced to disk: a power cut may cost seconds of video, which then read as a gap, never money.
type Shelf struct{ dir string }

// NewShelf keeps files below dir, which it makes.
func NewShelf(dir string) (*Shelf, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the folder for segments: %w", err)
	}
	return &Shelf{dir: dir}, nil
}

// Extensions of segment files: MPEG-TS, the media of an fMP4, and its init segment.
const (
	TSExtension    = ".ts"
	MediaExtension = ".m4s"
	InitExtension  = ".mp4"
)

// ContentType is the type of a file by its extension; empty: no such file is kept.
func ContentType(file string) string {
	switch filepath.Ext(file) {
	case TSExtension:
		return SegmentType
	case MediaExtension, InitExtension:
		return MP4Type
	}
	return ""
}

// FileName is the name of a rendition's segment: it never names other bytes.
func FileName(incarnation uint32, seq uint64, hash, extension string) string {
	return fmt.Sprintf("%d-%d-%s%s", incarnation, seq, hash, extension)
}

// InitName is the name of an init segment, which segments share that begin with the same bytes.
func InitName(hash string) string { return "init-" + hash + InitExtension }

// Path is where a file lies.
func (s *Shelf) Path(stream, rendition, file string) string {
	return filepath.Join(s.dir, stream, rendition, file)
}

// Write puts a file in place.
func (s *Shelf) Write(stream, rendition, file string, b []byte) error {
	path := s.Path(stream, rendition, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write segment %s: %w", file, err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".part-*")
	if err != nil {
		return fmt.Errorf("write segment %s: %w", file, err)
	}
	_, err = tmp.Write(b)
	if e := tmp.Chmod(0o644); err == nil {
		err = e
	}
	if e := tmp.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
		return fmt.Errorf("write segment %s: %w", file, err)
	}
	return nil
}

// Read returns a file's bytes.
func (s *Shelf) Read(stream, rendition, file string) ([]byte, error) {
	b, err := os.ReadFile(s.Path(stream, rendition, file))
	if err != nil {
		return nil, fmt.Errorf("read segment: %w", err)
	}
	return b, nil
}

// Holds reports whether a file is there with so many bytes.
func (s *Shelf) Holds(stream, rendition, file string, bytes int64) bool {
	st, err := os.Stat(s.Path(stream, rendition, file))
	return err == nil && st.Size() == bytes
}

// Remove takes a file away; one that is not there is fine.
func (s *Shelf) Remove(stream, rendition, file string) error {
	if err := os.Remove(s.Path(stream, rendition, file)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove segment: %w", err)
	}
	return nil
}

// Sweep removes what a crash left behind: every file for which keep says no. It returns how many went.
func (s *Shelf) Sweep(keep func(stream, rendition, file string) bool) (int, error) {
	removed := 0
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(s.dir, path)
		if err != nil {
			return err
		}
		if part := strings.Split(rel, string(filepath.Separator)); len(part) == 3 && keep(part[0], part[1], part[2]) {
			return nil
		}
		removed++
		return os.Remove(path)
	})
	if err != nil {
		return removed, fmt.Errorf("sweep the folder for segments: %w", err)
	}
	return removed, nil
}
