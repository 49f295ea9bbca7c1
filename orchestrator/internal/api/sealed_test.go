package api_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator/internal/api"
	"github.com/kinora/kinora/orchestrator/internal/dispatch"
	"github.com/kinora/kinora/orchestrator/internal/peertest"
)

// A stranger learns no price of a bid before its epoch is over, from nothing that is served; its bidder and the operator do.
func TestSealedBids_areShownToTheirBidderAndOnTheMachineAlone(t *testing.T) {
	t.Parallel()
	m := newMarket(t, func(c *dispatch.Config) { c.Rule, c.BidEpoch = auction.SecondScore, time.Hour })
	winner, loser := m.join(peertest.Honest, 80), m.join(peertest.Honest, 120)
	m.push(m.offer(m.quote(), 0), bytes.NewReader(m.segments()[0].Bytes)).passed(m)
	get := func(path, host, field string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, m.url+path, nil)
		m.must(err)
		if req.Host = host; field != "" {
			req.Header.Set(protocol.SheetRequestField, field)
		}
		resp, err := m.client.Do(req)
		m.must(err)
		t.Cleanup(func() { _ = resp.Body.Close() })
		return resp
	}
	const abroad = "orchestrator.example"
	asks := func(p *peertest.Peer, of, at common.Address, when time.Time) string {
		signed, err := protocol.Seal(m.domain, p.Key, protocol.SheetRequest{Orchestrator: at, Transcoder: p.Address(), AtMillis: uint64(when.UnixMilli())})
		m.must(err)
		signed.Message.Transcoder = of
		return protocol.EncodeField(signed)
	}
	for name, c := range map[string]struct {
		host, field  string
		status, open int
	}{
		"a stranger":        {host: abroad, status: http.StatusOK},
		"the operator":      {status: http.StatusOK, open: 1},
		"the bidder":        {abroad, asks(loser, loser.Address(), m.self.Address(), time.Now()), http.StatusOK, 1},
		"another bidder":    {abroad, asks(winner, winner.Address(), m.self.Address(), time.Now()), http.StatusForbidden, 0},
		"one who lies":      {abroad, asks(winner, loser.Address(), m.self.Address(), time.Now()), http.StatusBadRequest, 0},
		"asked elsewhere":   {abroad, asks(loser, loser.Address(), common.Address{1}, time.Now()), http.StatusForbidden, 0},
		"an old request":    {abroad, asks(loser, loser.Address(), m.self.Address(), time.Now().Add(-time.Hour)), http.StatusForbidden, 0},
		"not even a header": {abroad, "?", http.StatusBadRequest, 0},
	} {
		resp := get("/api/v1/fleet/"+loser.Address().Hex()+"/sheets", c.host, c.field)
		if resp.StatusCode != c.status {
			t.Errorf("%s: status %d, want %d", name, resp.StatusCode, c.status)
		}
		if c.status != http.StatusOK {
			continue
		}
		var sheets []protocol.Signed[protocol.ScoreSheet]
		m.must(json.NewDecoder(resp.Body).Decode(&sheets))
		if len(sheets) == 0 {
			t.Fatalf("%s: no sheet", name)
		}
		s, err := sheets[0].Open(m.domain)
		m.must(err)
		if len(s.Prices) != c.open || s.Cost.IsZero() != (c.open == 0) || s.Quality == 0 {
			t.Errorf("%s is shown %+v", name, s)
		}
	}
	for host, open := range map[string]bool{abroad: false, "": true} {
		var members []api.Member
		m.must(json.NewDecoder(get("/api/v1/fleet", host, "").Body).Decode(&members))
		for _, x := range members {
			if (x.Bid != nil) != open || len(x.Leases) > 0 && (len(x.Leases[0].Prices) > 0) != open {
				t.Errorf("at %q the fleet shows %+v", host, x)
			}
		}
		var leases []dispatch.LeaseView
		m.must(json.NewDecoder(get("/api/v1/leases", host, "").Body).Decode(&leases))
		if len(leases) == 0 || (len(leases[0].Prices) > 0) != open {
			t.Errorf("at %q the leases are %+v", host, leases)
		}
		lines := bufio.NewScanner(get("/api/v1/events", host, "").Body)
		for kinds := map[protocol.EventKind]bool{protocol.BidReceived: true, protocol.LeaseAwarded: true, protocol.OutputVerified: true}; len(kinds) > 0 && lines.Scan(); {
			text, ok := strings.CutPrefix(lines.Text(), "data: ")
			if !ok {
				continue
			}
			e, err := protocol.Decode[protocol.Event]([]byte(text))
			m.must(err)
			if kinds[e.Kind] && (e.Wei != nil) != open {
				t.Errorf("at %q an event says %s", host, text)
			}
			delete(kinds, e.Kind)
		}
	}
}
