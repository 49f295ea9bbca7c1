package bus

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/url"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/nats-io/nats.go"

	"github.com/kinora/kinora/internal/passport"
	"github.com/kinora/kinora/internal/protocol"
)

// handshake is how a connection knows its server by TLS: by its identity, if that is known, else by a certificate authority.
type handshake struct {
	trust       *passport.Trust
	want        common.Address
	wanted      bool // TLS, by the URL
	authorities bool // are to know the server, since it knows nothing of identities; settled by the first connection
}

func newHandshake(at passport.Endpoint, opts Options) *handshake {
	h := &handshake{trust: opts.Trust, want: at.Identity}
	if h.trust == nil {
		var domain protocol.Domain
		if opts.Identity != nil {
			domain = opts.Identity.Domain
		}
		h.trust = passport.NewTrust(domain)
	}
	for one := range strings.SplitSeq(at.URL, ",") {
		if u, err := url.Parse(strings.TrimSpace(one)); err == nil && (u.Scheme == "tls" || u.Scheme == "wss") {
			h.wanted = true
		}
	}
	h.authorities = h.want == common.Address{}
	return h
}

// option is a nats.Option for the next attempt to connect.
func (h *handshake) option(o *nats.Options) error {
	o.Secure = h.wanted
	if h.authorities {
		o.TLSConfig, o.RootCAsCB = h.trust.Authorities(""), nil // the name is that of the host of each URL
		return nil
	}
	o.TLSConfig = h.trust.Config(h.want)
	o.RootCAsCB = func() (*x509.CertPool, error) { return h.trust.Roots(h.want), nil } // at each reconnect
	return nil
}

// learn explains the error of an attempt, and says whether the next one may do better at once.
func (h *handshake) learn(err error) (passport.Lesson, error) {
	var unverified *tls.CertificateVerificationError
	switch {
	case !errors.As(err, &unverified) && !errors.Is(err, nats.ErrTLS):
		return passport.Refuse, err
	case h.authorities:
		return passport.Refuse, h.trust.Named(err)
	}
	return h.trust.Learn(h.want, err)
}
