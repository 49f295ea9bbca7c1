package encode

import (
	"net/http"
	"time"

	"github.com/kinora/kinora/internal/passport"
)

// NewClients makes the clients for dialling orchestrators: HTTP/2 only, in clear text to http URLs, which stay on this machine unless
// cleartext is allowed. Each connection is to the orchestrator that signed the award, and to nobody else. One on which nothing
// arrives is probed, so that a vanished orchestrator is noticed within seconds.
func NewClients(trust *passport.Trust, cleartext bool) *passport.Clients {
	return passport.NewClients(trust, cleartext, func() *http.Transport {
		protocols := new(http.Protocols)
		protocols.SetHTTP2(true)
		protocols.SetUnencryptedHTTP2(true)
		return &http.Transport{
			Protocols:           protocols,
			TLSHandshakeTimeout: 5 * time.Second,
			IdleConnTimeout:     time.Minute,
			HTTP2: &http.HTTP2Config{
				SendPingTimeout: 3 * time.Second, PingTimeout: 3 * time.Second, MaxReadFrameSize: 1 << 20,
				MaxReceiveBufferPerConnection: 4<<20 - 1, MaxReceiveBufferPerStream: 2 << 20,
			},
		}
	})
}
