package api

import (
	"net/http"

	"github.com/ethereum/go-ethereum/common"
	"github.com/go-chi/chi/v5"

	"github.com/kinora/kinora/broadcaster/internal/market"
	"github.com/kinora/kinora/internal/loopback"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
)

// Orchestrator is a configured orchestrator and what its outputs have earned it.
type Orchestrator struct {
	URL     string         `json:"url"`
	Address common.Address `json:"address"` // zero: never met
	State   verify.State   `json:"state"`
	Passed  uint64         `json:"passed"` // outputs, since it was last restored
	Failed  uint64         `json:"failed"` // outputs
	Error   string         `json:"error,omitempty"`
}

func describeOrchestrator(s market.Standing) Orchestrator {
	o := Orchestrator{URL: s.URL, Address: s.Address, State: s.Record.State, Passed: s.Record.Passed, Failed: s.Record.Failed}
	if o.State == "" {
		o.State = verify.New
	}
	if s.Err != nil {
		o.Error = s.Err.Error()
	}
	return o
}

func (a *API) orchestrators() []Orchestrator {
	all := []Orchestrator{}
	for _, s := range a.Market.Standings() {
		all = append(all, describeOrchestrator(s))
	}
	return all
}

// restore lets an orchestrator that was cut off begin anew. It is the operator's decision: this machine's, and with the
// push secret where there is one.
func (a *API) restore(w http.ResponseWriter, r *http.Request) {
	if !loopback.FromHere(r) || !a.Secret.Admits(r) {
		a.refuse(w, r, protocol.Errorf(protocol.Unauthorized, "an orchestrator is restored from this machine only, by who knows the push secret"))
		return
	}
	text := chi.URLParam(r, "address")
	if !common.IsHexAddress(text) {
		a.refuse(w, r, protocol.Errorf(protocol.BadRequest, "%.60q is no address", text))
		return
	}
	address := common.HexToAddress(text)
	standing, trust, err := a.Market.Restore(address)
	if err == nil {
		err = a.Store.SaveTrust(r.Context(), address, trust)
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	a.Log.Info("an orchestrator begins anew, by the operator", "orchestrator", address)
	write(w, http.StatusOK, describeOrchestrator(standing))
}
