package api

import (
	"embed"
	"io/fs"
	"net/http"
	"path"

	"github.com/go-chi/chi/v5"
)

//go:embed page
var pageFiles embed.FS

// mountPage serves the page, which needs nothing from elsewhere and may load nothing from elsewhere.
func (a *API) mountPage(r chi.Router) {
	files, err := fs.Sub(pageFiles, "page")
	if err != nil {
		panic("api: the embedded page has no folder page: " + err.Error())
	}
	serve := func(name string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Content-Security-Policy", "default-src 'self'; img-src 'self' data:; media-src 'self' blob:; worker-src 'self' blob:; style-src 'self'; "+
				"script-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("Referrer-Policy", "no-referrer")
			h.Set("Cache-Control", "no-cache")
			http.ServeFileFS(w, r, files, name)
		}
	}
	r.Get("/", serve("page.html"))
	r.Get("/favicon.svg", serve("favicon.svg"))
	r.Get("/page/{file}", func(w http.ResponseWriter, r *http.Request) { serve(path.Base(chi.URLParam(r, "file")))(w, r) })
	r.Get("/page/vendor/{file}", func(w http.ResponseWriter, r *http.Request) {
		serve(path.Join("vendor", path.Base(chi.URLParam(r, "file"))))(w, r)
	})
}
