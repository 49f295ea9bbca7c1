package callout_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/internal/bus"
	"github.com/kinora/kinora/internal/bus/bustest"
	"github.com/kinora/kinora/internal/bus/callout"
	"github.com/kinora/kinora/internal/bus/entry"
	"github.com/kinora/kinora/internal/protocol"
)

// authority is where the certificate authority of these tests, and a certificate of its for 127.0.0.1, are.
var authority, certificate, private string

// TestMain makes the authority one of this machine's before anything asks for those: they are read once.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "kinora-callout-")
	if err == nil {
		err = certify(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func certify(dir string) error {
	authority, certificate, private = filepath.Join(dir, "authority.pem"), filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	ca, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	leaf, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "an authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, &ca.PublicKey, ca)
	if err != nil {
		return err
	}
	server := &x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	serverDER, err := x509.CreateCertificate(rand.Reader, server, root, &leaf.PublicKey, ca)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(leaf)
	if err != nil {
		return err
	}
	write := func(file, kind string, der []byte) error {
		return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
	}
	return errors.Join(write(authority, "CERTIFICATE", rootDER), write(certificate, "CERTIFICATE", serverDER), write(private, "PRIVATE KEY", keyDER),
		os.Setenv("SSL_CERT_FILE", authority))
}

// A server of one's own, over TLS as docs/security.md configures it: an authority knows the server, the login names the market.
func TestCallout_ofAServerThatAnAuthorityKnows(t *testing.T) {
	t.Parallel()
	key := func() *protocol.KeySigner {
		k, err := crypto.GenerateKey()
		if err != nil {
			t.Fatal(err)
		}
		return protocol.NewKeySigner(k)
	}
	domain, owner, stranger, guest := protocol.NewDomain(1337, common.HexToAddress("0xe5")), key(), key(), key()
	keys, err := callout.CreateKeys(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	url := bustest.Server(t, fmt.Sprintf("tls { cert_file: %q, key_file: %q }\n%s", certificate, private, keys.ServerConfig()))
	if !strings.HasPrefix(url, "tls://") {
		t.Fatalf("the server is at %s", url)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	log := slog.New(slog.DiscardHandler)
	gate := &entry.Gate{Domain: domain, Markets: []common.Address{owner.Address()}, Guests: entry.Listed{guest.Address(): protocol.RoleTranscoder}, Log: log}
	c, err := callout.Dial(ctx, url, keys, gate, bus.Options{Name: "callout", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	enter := func(url string, log *slog.Logger) error {
		b, err := bus.Dial(ctx, url, bus.Options{Log: log, Identity: &bus.Identity{Signer: guest, Domain: domain, Role: protocol.RoleTranscoder}})
		if err == nil {
			if _, err = b.Conn().TLSConnectionState(); err == nil {
				err = b.Close()
			}
		}
		return err
	}
	for _, at := range []string{url, owner.Address().Hex() + "@" + url} {
		if err := enter(at, log); err != nil {
			t.Errorf("%s: %v", at, err)
		}
	}
	if err := enter("tls://localhost:"+url[strings.LastIndex(url, ":")+1:], log); protocol.CodeOf(err) != protocol.Unauthorized || !strings.Contains(err.Error(), "localhost") {
		t.Errorf("under a name that is not in its certificate: %v", err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if err := enter(stranger.Address().Hex()+"@"+url, log); err == nil {
		t.Error("a login for another market was taken")
	}
}
