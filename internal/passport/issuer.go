package passport

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kinora/kinora/internal/protocol"
)

const (
	// Life of a certificate; half way through it there is a new one.
	Life = 7 * 24 * time.Hour

	earlier = time.Hour   // valid before it was made, for clocks that are behind
	retry   = time.Minute // after a signer failed
)

// Issuer makes a server's certificates and gives them out.
type Issuer struct {
	domain protocol.Domain
	signer protocol.Signer
	log    *slog.Logger
	public *files // of a certificate authority, for clients that know no identity; nil: none
	now    func() time.Time

	current atomic.Pointer[tls.Certificate]
	mu      sync.Mutex // held by whoever renews
	due     atomic.Pointer[time.Time]
}

// NewIssuer makes the first certificate.
func NewIssuer(domain protocol.Domain, signer protocol.Signer, log *slog.Logger) (*Issuer, error) {
	i := &Issuer{domain: domain, signer: signer, log: log, now: time.Now}
	return i, i.renew()
}

// WithFiles gives clients that ask for a host, not for the identity, the certificate in these PEM files; empty names change nothing.
func (i *Issuer) WithFiles(cert, key string) (*Issuer, error) {
	if cert == "" {
		return i, nil
	}
	f := &files{cert: cert, key: key, log: i.log, now: i.now}
	if err := f.load(); err != nil {
		return nil, fmt.Errorf("--tls-cert, --tls-key: %w", err)
	}
	i.public = f
	return i, nil
}

// Config is for serving; protocols are what may be negotiated.
func (i *Issuer) Config(protocols ...string) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: protocols, GetCertificate: i.certificate}
}

func (i *Issuer) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if i.public != nil && !strings.HasSuffix(strings.ToLower(hello.ServerName), names) { // one that wants another identity is to learn which this is
		return i.public.certificate(), nil
	}
	if i.now().After(*i.due.Load()) && i.mu.TryLock() { // meanwhile others get the one there is
		if err := i.renew(); err != nil {
			i.log.Error("cannot renew the TLS certificate; trying again", "err", err, "in", retry)
			later := i.now().Add(retry)
			i.due.Store(&later)
		}
		i.mu.Unlock()
	}
	return i.current.Load(), nil
}

// renew makes a key and lets the identity vouch for it.
func (i *Issuer) renew() error {
	now := i.now()
	from, until := now.Add(-earlier).Truncate(time.Second), now.Add(Life).Truncate(time.Second)
	c, err := certify(i.domain, i.signer, from, until)
	if err != nil {
		return err
	}
	due := now.Add(Life / 2)
	i.current.Store(c)
	i.due.Store(&due)
	return nil
}

func certify(domain protocol.Domain, signer protocol.Signer, from, until time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a TLS key: %w", err)
	}
	spki, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("make a TLS key: %w", err)
	}
	word, err := protocol.Seal(domain, signer, protocol.KeyBinding{Identity: signer.Address(), KeyHash: sha256.Sum256(spki),
		NotBefore: uint64(from.Unix()), NotAfter: uint64(until.Unix())})
	if err != nil {
		return nil, fmt.Errorf("sign a TLS key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{SerialNumber: serial, NotBefore: from, NotAfter: until, DNSNames: []string{Name(signer.Address())},
		Subject: pkix.Name{CommonName: signer.Address().Hex()}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, ExtraExtensions: []pkix.Extension{{Id: extension, Value: protocol.Encode(word)}}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("make a TLS certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make a TLS certificate: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}
