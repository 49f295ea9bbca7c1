package api

import (
	"encoding/json"
	"io"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/kinora/kinora/broadcaster/internal/store"
	"github.com/kinora/kinora/internal/protocol"
)

// policy tells what a stream puts up with before it stops.
func (a *API) policy(w http.ResponseWriter, r *http.Request) {
	p, own, err := a.Desk.Policy(chi.URLParam(r, "stream"))
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	write(w, http.StatusOK, PolicyInfo{Policy: p, Own: own})
}

// setPolicy says it (PUT), or leaves it to the settings again (DELETE).
func (a *API) setPolicy(w http.ResponseWriter, r *http.Request) {
	if !a.Secret.Admits(r) {
		a.refuse(w, r, protocol.Errorf(protocol.Unauthorized, "the push secret is missing or wrong"))
		return
	}
	var said *store.Policy
	if r.Method == http.MethodPut {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 4096))
		if err == nil {
			said = &store.Policy{}
			err = json.Unmarshal(body, said)
		}
		if err != nil {
			a.refuse(w, r, protocol.Errorf(protocol.BadRequest, `want {"min_rungs": …, "pass_through": …, "stop_after_s": …}: %w`, err))
			return
		}
	}
	if err := a.Desk.SetPolicy(r.Context(), chi.URLParam(r, "stream"), said); err != nil {
		a.refuse(w, r, err)
		return
	}
	a.policy(w, r)
}
