package passport

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"time"

	"github.com/kinora/kinora/internal/protocol"
)

// Certify makes a certificate with any validity.
func Certify(domain protocol.Domain, signer protocol.Signer, from, until time.Time) (*tls.Certificate, error) {
	return certify(domain, signer, from, until)
}

// NewIssuerAt is NewIssuer with another clock.
func NewIssuerAt(domain protocol.Domain, signer protocol.Signer, now func() time.Time) (*Issuer, error) {
	i := &Issuer{domain: domain, signer: signer, log: slog.New(slog.DiscardHandler), now: now}
	return i, i.renew()
}

// Trusting gives a Trust other certificate authorities than the machine's.
func (t *Trust) Trusting(roots *x509.CertPool) *Trust { t.roots = roots; return t }
