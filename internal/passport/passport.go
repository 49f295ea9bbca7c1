// Package passport binds TLS keys to identities. A server's certificate is its own work; in it the server's identity vouches for
// the key, so that whoever knows the identity needs no certificate authority to know the server. Nothing here skips the standard
// verification: a certificate that an identity vouches for becomes the one root of the next handshake.
package passport

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

// extension is the place of the signed KeyBinding in a certificate: below the arc that stands for an unregistered number.
var extension = asn1.ObjectIdentifier{2, 25, 1802071663, 1}

// ErrNone says that nobody vouches for a certificate: it may be one of a certificate authority.
var ErrNone = errors.New("no identity vouches for the certificate")

// Name is what a client that expects identity a asks a server for, and the one name in a's certificates: a name that no host has.
func Name(a common.Address) string { return strings.ToLower(a.Hex()[2:]) + names }

const names = ".identity.invalid"

// Identity returns who vouches for a certificate's key, and does so now and as long as the certificate is valid.
func Identity(domain protocol.Domain, c *x509.Certificate, now time.Time) (common.Address, error) {
	var value []byte
	for _, e := range c.Extensions {
		if e.Id.Equal(extension) {
			value = e.Value
		}
	}
	if value == nil {
		return common.Address{}, ErrNone
	}
	signed, err := protocol.Decode[protocol.Signed[protocol.KeyBinding]](value)
	if err != nil {
		return common.Address{}, fmt.Errorf("certificate: %w", err)
	}
	b, err := signed.Open(domain)
	if err != nil {
		return common.Address{}, fmt.Errorf("certificate of %s: %w (is it for another chain or escrow?)", signed.Message.Identity, err)
	}
	refuse := func(format string, args ...any) (common.Address, error) {
		return common.Address{}, fmt.Errorf("certificate of %s: "+format, append([]any{b.Identity}, args...)...)
	}
	from, until := time.Unix(int64(b.NotBefore), 0), time.Unix(int64(b.NotAfter), 0)
	switch {
	case b.KeyHash != keyHash(c):
		return refuse("what it signed is another key")
	case now.Before(from) || now.After(until):
		return refuse("its word is good from %s to %s, not now", from.UTC().Format(time.RFC3339), until.UTC().Format(time.RFC3339))
	case c.NotBefore.Before(from) || c.NotAfter.After(until):
		return refuse("it is valid for longer than its word is good")
	}
	return b.Identity, nil
}

func keyHash(c *x509.Certificate) protocol.Hash { return sha256.Sum256(c.RawSubjectPublicKeyInfo) }
