package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/kinora/kinora/broadcaster/internal/stream"
)

// storyboardSheet is what the WebVTT calls its sheet, beside it.
const storyboardSheet = "storyboard.jpg"

func (a *API) thumbnail(w http.ResponseWriter, r *http.Request) {
	if v, ok := a.view(w, r); ok {
		b, err := a.Desk.Thumbnail(r.Context(), v)
		a.picture(w, r, v, "image/jpeg", b, err)
	}
}

func (a *API) storyboardSheet(w http.ResponseWriter, r *http.Request) {
	if v, ok := a.view(w, r); ok {
		b, _, err := a.Desk.Storyboard(r.Context(), v, storyboardSheet)
		a.picture(w, r, v, "image/jpeg", b, err)
	}
}

func (a *API) storyboard(w http.ResponseWriter, r *http.Request) {
	if v, ok := a.view(w, r); ok {
		_, b, err := a.Desk.Storyboard(r.Context(), v, storyboardSheet)
		a.picture(w, r, v, "text/vtt", b, err)
	}
}

// picture answers with what changes as the stream goes on.
func (a *API) picture(w http.ResponseWriter, r *http.Request, v stream.View, kind string, b []byte, err error) {
	h := w.Header()
	if err != nil {
		h.Set("Cache-Control", "no-store")
		a.refuse(w, r, err)
		return
	}
	sum := sha256.Sum256(b)
	h.Set("Content-Type", kind)
	h.Set("ETag", `"`+hex.EncodeToString(sum[:12])+`"`)
	h.Set("Cache-Control", "no-cache")
	if v.Ended {
		h.Set("Cache-Control", "public, max-age=5")
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
}
