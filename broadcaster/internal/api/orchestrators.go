package api

import (
	"cmp"
	"math"
	"net/http"

	"github.com/ethereum/go-ethereum/common"
	"github.com/go-chi/chi/v5"

	"github.com/kinora/kinora/broadcaster/internal/market"
	"github.com/kinora/kinora/internal/loopback"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
)

// Orchestrator is one that is known of: where from, what it asks, how it serves, and why it is not given work.
type Orchestrator struct {
	URL      string            `json:"url"`
	Address  common.Address    `json:"address"`          // zero: never met
	Claimed  common.Address    `json:"claimed"`          // who is listed there; zero: the list does not say
	Sources  []string          `json:"sources"`          // configured, registry, webhook; none: it left, and is owed tickets at most
	Region   string            `json:"region,omitempty"` // as it says
	Prices   map[string]string `json:"prices,omitempty"` // wei per pixel by codec, as it last said
	RTT      float64           `json:"rtt_ms,omitempty"` // of a quote, the least lately
	State    verify.State      `json:"state"`
	Passed   uint64            `json:"passed"` // outputs, since it was last restored
	Failed   uint64            `json:"failed"` // outputs
	Quality  *Quality          `json:"quality,omitempty"`
	Kept     bool              `json:"kept"`                 // has an allocation, or is to get one
	Streams  int               `json:"streams"`              // that it holds
	InFlight int               `json:"in_flight"`            // segments
	Resting  int64             `json:"resting_ms,omitempty"` // how much longer it is not asked
	Excluded string            `json:"excluded,omitempty"`   // why it is given no work
	Error    string            `json:"error,omitempty"`
}

// Quality is how an orchestrator has served lately.
type Quality struct {
	HalfMillis int64   `json:"half_within_ms"` // half of its segments take less, from their last byte
	Outcomes   float64 `json:"outcomes"`       // that this rests on, the older the less
}

func describeOrchestrator(s market.Standing) Orchestrator {
	o := Orchestrator{URL: s.URL, Address: s.Address, Claimed: s.Claimed, Sources: s.Sources, Region: s.Region, RTT: float64(s.RTT.Microseconds()) / 1000,
		State: cmp.Or(s.Record.State, verify.New), Passed: s.Record.Passed, Failed: s.Record.Failed, Kept: s.Kept, Streams: s.Streams, InFlight: s.Flying,
		Resting: s.Resting.Milliseconds()}
	if o.Sources == nil {
		o.Sources = []string{}
	}
	if len(s.Prices) > 0 {
		o.Prices = make(map[string]string)
		for _, p := range s.Prices {
			o.Prices[string(p.Codec)] = p.WeiPerPixel.String()
		}
	}
	if s.Seen > 0 {
		o.Quality = &Quality{HalfMillis: s.Half.Milliseconds(), Outcomes: math.Round(s.Seen*10) / 10}
	}
	switch {
	case s.Barred != nil:
		o.Excluded = s.Barred.Error()
	case !s.Kept:
		o.Excluded = "has no allocation: others are better, or were known before"
	case s.Resting > 0:
		o.Excluded = "rests after a failure"
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
