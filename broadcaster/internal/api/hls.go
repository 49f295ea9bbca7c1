package api

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/kinora/kinora/broadcaster/internal/playlist"
	"github.com/kinora/kinora/broadcaster/internal/stream"
	"github.com/kinora/kinora/internal/protocol"
)

// cors lets players of other sites read what is public anyway.
func cors(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "Range, If-None-Match")
	h.Set("Access-Control-Expose-Headers", "Content-Length, Content-Range, ETag")
	h.Set("Access-Control-Max-Age", "86400")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("X-Content-Type-Options", "nosniff")
}

func (a *API) view(w http.ResponseWriter, r *http.Request) (stream.View, bool) {
	cors(w)
	name := chi.URLParam(r, "stream")
	v, ok := a.Desk.View(name)
	if !ok {
		w.Header().Set("Cache-Control", "no-store")
		protocol.WriteProblem(w, protocol.Errorf(protocol.NotFound, "stream %.70q has nothing to play", name))
	}
	return v, ok
}

func (a *API) multivariant(w http.ResponseWriter, r *http.Request) {
	v, ok := a.view(w, r)
	if !ok {
		return
	}
	variants := v.Variants()
	if len(variants) == 0 {
		w.Header().Set("Cache-Control", "no-store")
		protocol.WriteProblem(w, protocol.Errorf(protocol.NotFound, "stream %.70q has nothing but gaps to play", v.Name))
		return
	}
	list(w, r, playlist.Multivariant(variants), v.Ended)
}

func (a *API) media(w http.ResponseWriter, r *http.Request) {
	v, ok := a.view(w, r)
	if !ok {
		return
	}
	m, ok := v.Media(chi.URLParam(r, "rendition"))
	if !ok {
		w.Header().Set("Cache-Control", "no-store")
		protocol.WriteProblem(w, protocol.Errorf(protocol.NotFound, "stream %.70q has no rendition %.40q", v.Name, chi.URLParam(r, "rendition")))
		return
	}
	list(w, r, m.Encode(), v.Ended)
}

// list answers with a playlist: always to be asked for again, cheaply.
func list(w http.ResponseWriter, r *http.Request, text []byte, ended bool) {
	sum := sha256.Sum256(text)
	tag := `"` + hex.EncodeToString(sum[:12]) + `"`
	h := w.Header()
	h.Set("Content-Type", playlist.Type)
	h.Set("ETag", tag)
	h.Set("Cache-Control", "no-cache")
	if ended {
		h.Set("Cache-Control", "public, max-age=5")
	}
	if strings.Contains(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(text) // the client has gone
}

// segment answers with a file that never changes.
func (a *API) segment(w http.ResponseWriter, r *http.Request) {
	cors(w)
	name, rendition, file := chi.URLParam(r, "stream"), chi.URLParam(r, "rendition"), chi.URLParam(r, "file")
	gone := func() {
		w.Header().Set("Cache-Control", "no-store")
		protocol.WriteProblem(w, protocol.Errorf(protocol.NotFound, "there is no segment %.100q, or it is no longer kept", file))
	}
	if protocol.ValidateStream(name) != nil || protocol.ValidateStream(rendition) != nil || protocol.ValidateStream(file) != nil || playlist.ContentType(file) == "" {
		gone()
		return
	}
	f, err := os.Open(a.Shelf.Path(name, rendition, file))
	if err != nil {
		gone()
		return
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() {
		gone()
		return
	}
	w.Header().Set("Content-Type", playlist.ContentType(file))
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Header().Set("ETag", `"`+strings.TrimSuffix(file, filepath.Ext(file))+`"`)
	http.ServeContent(w, r, "", st.ModTime(), f)
}
