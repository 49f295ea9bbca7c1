package api

import (
	"net/http"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/go-chi/chi/v5"

	"github.com/kinora/kinora/internal/loopback"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator/internal/dispatch"
	"github.com/kinora/kinora/orchestrator/internal/fleet"
)

// What is asked and paid while an epoch of auctions lasts is for its bidder and for who runs this machine: whoever else could read
// it would know the sealed bids.

// Member is one transcoder of /api/v1/fleet.
type Member struct {
	fleet.Member
	Leases []dispatch.LeaseView `json:"leases"`
}

func (a *API) members(leases []dispatch.LeaseView, here bool) []Member {
	byTranscoder := make(map[common.Address][]dispatch.LeaseView)
	for _, l := range leases {
		byTranscoder[l.Transcoder] = append(byTranscoder[l.Transcoder], l)
	}
	members := []Member{}
	for _, m := range a.fleet.Members() {
		if !here {
			m.Bid = nil
		}
		members = append(members, Member{Member: m, Leases: byTranscoder[m.Address]})
	}
	return members
}

func (a *API) leases(r *http.Request) []dispatch.LeaseView {
	leases := a.dispatcher.Leases()
	if !loopback.FromHere(r) {
		for i := range leases {
			leases[i].Prices = nil
		}
	}
	return leases
}

func (a *API) events(w http.ResponseWriter, r *http.Request) {
	if loopback.FromHere(r) {
		a.feed.ServeHTTP(w, r)
		return
	}
	a.feed.Serve(w, r, func(e protocol.Event) protocol.Event {
		switch e.Kind {
		case protocol.BidReceived, protocol.LeaseAwarded, protocol.OutputVerified: // what is asked, what is paid, and what that made
			e.Wei = nil
		}
		return e
	})
}

// maxSheets are given at once: each is signed for whoever asks.
const maxSheets = 256

// sheets tells a bidder how it fared in the auctions of late, signed; ?lease= those of one lease alone. Without prices while the
// bids are sealed, unless the bidder's signature or this machine asks.
func (a *API) sheets(w http.ResponseWriter, r *http.Request) {
	text := chi.URLParam(r, "address")
	if !common.IsHexAddress(text) {
		protocol.WriteProblem(w, protocol.Errorf(protocol.BadRequest, "%.60q is no address", text))
		return
	}
	t := common.HexToAddress(text)
	var lease protocol.ID
	if text := r.URL.Query().Get("lease"); text != "" {
		var err error
		if lease, err = protocol.ParseID(text); err != nil {
			protocol.WriteProblem(w, protocol.Errorf(protocol.BadRequest, "lease: %w", err))
			return
		}
	}
	own, err := a.asksForItself(r, t)
	if err != nil {
		protocol.WriteProblem(w, err)
		return
	}
	sheets, err := a.dispatcher.Sheets(t, lease, maxSheets, own || loopback.FromHere(r))
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	answer(w, http.StatusOK, sheets)
}

// asksForItself reports that a request has t's signature; one that is there and does not hold is an error.
func (a *API) asksForItself(r *http.Request, t common.Address) (bool, error) {
	text := r.Header.Get(protocol.SheetRequestField)
	if text == "" {
		return false, nil
	}
	signed, err := protocol.DecodeField[protocol.Signed[protocol.SheetRequest]](text)
	if err != nil {
		return false, err
	}
	m, err := signed.Open(a.cfg.Domain)
	if err != nil {
		return false, err
	}
	if m.Transcoder != t || m.Orchestrator != a.cfg.Self {
		return false, protocol.Errorf(protocol.Unauthorized, "the request for score sheets of %s is signed by %s for %s", t, m.Transcoder, m.Orchestrator)
	}
	if age := time.Since(time.UnixMilli(int64(min(m.AtMillis, 1<<53)))); age.Abs() > protocol.MaxSheetRequestAge {
		return false, protocol.Errorf(protocol.Unauthorized, "the request for score sheets was signed %s ago by this clock, at most %s: are both clocks right?", age.Round(time.Second), protocol.MaxSheetRequestAge)
	}
	return true, nil
}
