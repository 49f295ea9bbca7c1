package stream

import (
	"slices"

	"github.com/kinora/kinora/broadcaster/internal/store"
)

// filesOf are the files a rendition is kept in.
func filesOf(r store.Rendition) []string {
	if r.Init == "" {
		return []string{r.File}
	}
	return []string{r.Init, r.File}
}

// keep puts a verified output on the shelf. The init segment comes first: a playlist that names the media names it too.
func (c Config) keep(stream string, r store.Rendition, output []byte) error {
	if r.Init != "" && !c.Shelf.Holds(stream, r.Name, r.Init, r.InitBytes) {
		if err := c.Shelf.Write(stream, r.Name, r.Init, output[:r.InitBytes]); err != nil {
			return err
		}
	}
	return c.Shelf.Write(stream, r.Name, r.File, output[r.InitBytes:])
}

// holds reports whether the shelf has all of a rendition.
func (c Config) holds(stream string, r store.Rendition) bool {
	return c.Shelf.Holds(stream, r.Name, r.File, r.Bytes-r.InitBytes) && (r.Init == "" || c.Shelf.Holds(stream, r.Name, r.Init, r.InitBytes))
}

// needs reports whether a segment that is still kept, or about to be, begins with r's init segment.
func (s *Stream) needs(r store.Rendition) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flying > 0 { // one that is being verified may; where none does, its kilobyte goes with the sweep at the next start
		return true
	}
	return slices.ContainsFunc(slices.Concat(s.window, s.aside, rowsOf(s.line)), func(seg store.Segment) bool {
		return slices.ContainsFunc(seg.Renditions, func(x store.Rendition) bool { return x.Name == r.Name && x.Init == r.Init })
	})
}
