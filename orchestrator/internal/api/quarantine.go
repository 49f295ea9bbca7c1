package api

import (
	"net/http"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/go-chi/chi/v5"

	"github.com/kinora/kinora/internal/protocol"
)

const (
	maxQuarantine = 365 * 24 * time.Hour
	maxReason     = 500 // bytes
)

// confinement is the body of a quarantine.
type confinement struct {
	ForMillis int64  `json:"for_ms"`
	Reason    string `json:"reason"`
}

// addressed reads whom a request is about.
func addressed(r *http.Request) (common.Address, error) {
	text := chi.URLParam(r, "address")
	if !common.IsHexAddress(text) {
		return common.Address{}, protocol.Errorf(protocol.BadRequest, "%.60q is no address", text)
	}
	return common.HexToAddress(text), nil
}

func (a *API) quarantine(w http.ResponseWriter, r *http.Request) {
	t, err := addressed(r)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	c, err := read[confinement](w, r)
	if err == nil {
		c.Reason = strings.TrimSpace(c.Reason)
		switch long := time.Duration(c.ForMillis) * time.Millisecond; {
		case c.ForMillis <= 0 || c.ForMillis > maxQuarantine.Milliseconds():
			err = protocol.Limited(protocol.BadRequest, "max_for", maxQuarantine, "for_ms is %d, want a time above 0 and at most %s", c.ForMillis, maxQuarantine)
		case c.Reason == "" || len(c.Reason) > maxReason:
			err = protocol.Errorf(protocol.BadRequest, "reason has %d bytes, want 1 to %d: it is what the transcoder's owner is told", len(c.Reason), maxReason)
		default:
			q, failed := a.fleet.Quarantine(r.Context(), t, c.Reason, long)
			if err = failed; err == nil {
				answer(w, http.StatusOK, q)
				return
			}
		}
	}
	a.refuse(w, r, err)
}

func (a *API) release(w http.ResponseWriter, r *http.Request) {
	t, err := addressed(r)
	if err == nil {
		err = a.fleet.Release(r.Context(), t)
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	answer(w, http.StatusOK, map[string]any{"address": t, "released": true})
}
