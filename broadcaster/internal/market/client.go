package market

import (
	"net/http"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/passport"
)

// newClients make clients that speak HTTP/2 alone, with prior knowledge where there is no TLS: segments go and renditions come on one
// stream. Each connection is to the orchestrator that was meant, if it was named by its address, and to nobody else.
func newClients(trust *passport.Trust, cleartext bool) *passport.Clients {
	return passport.NewClients(trust, cleartext, func() *http.Transport {
		var protocols http.Protocols
		protocols.SetHTTP2(true)
		protocols.SetUnencryptedHTTP2(true)
		return &http.Transport{
			Protocols:           &protocols,
			TLSHandshakeTimeout: 5 * time.Second,
			IdleConnTimeout:     90 * time.Second,
			HTTP2:               &http.HTTP2Config{SendPingTimeout: 5 * time.Second, PingTimeout: 5 * time.Second},
		}
	})
}

// Client is for other requests to an orchestrator that is claimed to be so and so, as its Standing says.
func (m *Market) Client(claimed common.Address) *http.Client { return m.clients.Of(claimed) }
