package passport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

// Trust is a client's: it knows the certificates that identities vouched for. It may be used by several goroutines at once.
type Trust struct {
	domain protocol.Domain
	roots  *x509.CertPool // of certificate authorities; nil: the machine's
	now    func() time.Time

	mu     sync.Mutex
	pinned map[common.Address]*x509.Certificate
}

// NewTrust knows no certificate yet.
func NewTrust(domain protocol.Domain) *Trust {
	return &Trust{domain: domain, now: time.Now, pinned: make(map[common.Address]*x509.Certificate)}
}

// Config is for a handshake with a server that must be want. It holds the certificate that want vouched for last as its only root,
// none before the first: then the handshake fails, and Learn tells what to do about it.
func (t *Trust) Config(want common.Address) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, ServerName: Name(want), RootCAs: t.Roots(want)}
}

// Roots are the roots of such a handshake.
func (t *Trust) Roots(want common.Address) *x509.CertPool {
	pool := x509.NewCertPool()
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.pinned[want]; c != nil {
		pool.AddCert(c)
	}
	return pool
}

// Authorities is for a handshake with a server whose host a certificate authority vouches for.
func (t *Trust) Authorities(host string) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, RootCAs: t.roots}
}

// Lesson is what a failed handshake means.
type Lesson int

// The lessons of Learn.
const (
	Refuse         Lesson = iota // the error says why: do not talk to this server
	Again                        // want vouches for the server's key: a handshake with a new Config succeeds
	AskAuthorities               // the server knows nothing of identities: a certificate authority may know its host
)

// Learn says what the error of a handshake with a server that must be want means.
func (t *Trust) Learn(want common.Address, err error) (Lesson, error) {
	var unverified *tls.CertificateVerificationError
	if !errors.As(err, &unverified) || len(unverified.UnverifiedCertificates) == 0 {
		var alert *net.OpError
		if errors.As(err, &alert) && alert.Op == "remote error" { // the server has nothing under that name
			return t.unless(want, err)
		}
		return Refuse, err
	}
	c := unverified.UnverifiedCertificates[0]
	who, bad := Identity(t.domain, c, t.now())
	switch {
	case errors.Is(bad, ErrNone):
		return t.unless(want, err)
	case bad != nil:
		return Refuse, protocol.Errorf(protocol.Unauthorized, "%w", bad)
	case who != want:
		return Refuse, protocol.Errorf(protocol.Unauthorized, "the server is %s, not %s", who, want)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var unknown x509.UnknownAuthorityError
	if known := t.pinned[want]; known != nil && known.Equal(c) && !errors.As(err, &unknown) {
		return Refuse, err // it is the one that was tried: what is wrong with it lies elsewhere
	} // else another handshake learned it meanwhile
	t.pinned[want] = c
	return Again, nil
}

// unless lets authorities speak for a server, unless want has vouched for one before: it need not have lost that.
func (t *Trust) unless(want common.Address, err error) (Lesson, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.pinned[want] != nil {
		return Refuse, protocol.Errorf(protocol.Unauthorized, "the server no longer shows that it is %s, as it did before (start this program again if it is meant so): %w", want, err)
	}
	return AskAuthorities, err
}

// Named explains the error of a handshake with a server of which only the host is known: if an identity vouches for it, that must be
// named to be trusted.
func (t *Trust) Named(err error) error {
	var unverified *tls.CertificateVerificationError
	if errors.As(err, &unverified) && len(unverified.UnverifiedCertificates) > 0 {
		if who, bad := Identity(t.domain, unverified.UnverifiedCertificates[0], t.now()); bad == nil {
			return protocol.Errorf(protocol.Unauthorized, "no certificate authority knows the server; it says that it is %s: if that is who you mean, write %s@ before its URL", who, who)
		}
	}
	return err
}

// Dial opens a TLS connection to addr, on which want speaks; a zero want is whoever a certificate authority says has the host of addr.
func (t *Trust) Dial(ctx context.Context, network, addr string, want common.Address, protocols ...string) (*tls.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	shake := func(config *tls.Config) (*tls.Conn, error) {
		config.NextProtos = protocols
		conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return conn.(*tls.Conn), nil
	}
	if want == (common.Address{}) {
		conn, err := shake(t.Authorities(host))
		return conn, t.Named(err)
	}
	conn, err := shake(t.Config(want))
	if err == nil {
		return conn, nil
	}
	lesson, err := t.Learn(want, err)
	switch lesson {
	case Again:
		return shake(t.Config(want))
	case AskAuthorities:
		conn, byHost := shake(t.Authorities(host))
		if byHost != nil {
			return nil, fmt.Errorf("%s does not show that it is %s: %w", addr, want, byHost)
		}
		return conn, nil
	}
	return nil, err
}
