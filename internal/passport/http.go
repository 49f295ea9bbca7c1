package passport

import (
	"context"
	"net"
	"net/http"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

// Transport makes base, which speaks HTTP/2 or both versions, open its TLS connections by t. who says what identity must be at an
// address (host:port); zero: whoever a certificate authority says. Cleartext, if it is not allowed, stays on this machine.
func (t *Trust) Transport(base *http.Transport, who func(addr string) common.Address, cleartext bool) http.RoundTripper {
	base.ForceAttemptHTTP2 = true // though this dials for it
	var protocols []string
	if base.Protocols == nil || base.Protocols.HTTP2() {
		protocols = append(protocols, "h2")
	}
	if base.Protocols == nil || base.Protocols.HTTP1() {
		protocols = append(protocols, "http/1.1")
	}
	base.DialTLSContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if patience := base.TLSHandshakeTimeout; patience > 0 { // which no longer counts by itself
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, patience)
			defer cancel()
		}
		conn, err := t.Dial(ctx, network, addr, who(addr), protocols...)
		if err != nil {
			return nil, err
		}
		return conn, nil
	}
	return &guarded{base, cleartext}
}

// guarded keeps cleartext at home.
type guarded struct {
	*http.Transport
	cleartext bool
}

// RoundTrip is http.RoundTripper's.
func (g *guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	if !g.cleartext {
		if err := CheckClear(r.URL.Scheme + "://" + r.URL.Host); err != nil {
			if r.Body != nil {
				_ = r.Body.Close()
			}
			return nil, protocol.Errorf(protocol.BadRequest, "%w", err)
		}
	}
	return g.Transport.RoundTrip(r)
}
