package api_test

import (
	"net/http"
	"testing"

	"github.com/kinora/kinora/orchestrator/internal/peertest"
)

// A drain settles everything at once and a restore undoes a cut-off: neither is for a web page open on the operator's
// machine, nor for the world behind a proxy that runs there.
func TestOperatorsRequests_areTakenFromProgramsOfThisMachineOnly(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	p := m.join(peertest.Honest, 100)
	for _, path := range []string{"/api/v1/drain", "/api/v1/fleet/" + p.Address().Hex() + "/restore"} {
		for name, c := range map[string]struct {
			header, value string
			host          string
			status        int
		}{
			"a program here":           {status: http.StatusOK},
			"by the machine's name":    {host: "localhost", status: http.StatusOK},
			"a name pointed here":      {host: "attacker.example", status: http.StatusForbidden},
			"a proxy's public name":    {host: "orchestrator.example:443", status: http.StatusForbidden},
			"a proxy":                  {header: "X-Forwarded-For", value: "203.0.113.7", status: http.StatusForbidden},
			"a proxy that says so":     {header: "Forwarded", value: "for=203.0.113.7", status: http.StatusForbidden},
			"another site's page":      {header: "Sec-Fetch-Site", value: "cross-site", status: http.StatusForbidden},
			"an older browser's page":  {header: "Origin", value: "https://attacker.example", status: http.StatusForbidden},
			"a page of another port":   {header: "Sec-Fetch-Site", value: "same-site", status: http.StatusForbidden},
			"the orchestrator's pages": {header: "Sec-Fetch-Site", value: "same-origin", status: http.StatusOK},
		} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, m.url+path, nil)
			m.must(err)
			if c.header != "" {
				req.Header.Set(c.header, c.value)
			}
			if c.host != "" {
				req.Host = c.host
			}
			resp, err := m.client.Do(req)
			m.must(err)
			_ = resp.Body.Close()
			if resp.StatusCode != c.status {
				t.Errorf("%s: %s: status %d, want %d", path, name, resp.StatusCode, c.status)
			}
		}
	}
}
