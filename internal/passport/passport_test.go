package passport_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/internal/passport"
	"github.com/kinora/kinora/internal/protocol"
)

var (
	domain     = protocol.NewDomain(1337, common.HexToAddress("0xe5c0"))
	alice, bob = key("alice"), key("bob")
)

func key(name string) *protocol.KeySigner {
	seed := sha256.Sum256([]byte(name))
	k, err := crypto.ToECDSA(seed[:])
	if err != nil {
		panic(err)
	}
	return protocol.NewKeySigner(k)
}

func issuer(t *testing.T, d protocol.Domain, who protocol.Signer) *passport.Issuer {
	t.Helper()
	i, err := passport.NewIssuer(d, who, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// serve answers HTTP over TLS and returns host:port.
func serve(t *testing.T, config *tls.Config) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{TLSConfig: config, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) })}
	ended := make(chan struct{})
	go func() { _ = s.ServeTLS(l, "", ""); close(ended) }()
	t.Cleanup(func() { _ = s.Close(); <-ended })
	return l.Addr().String()
}

func dial(t *testing.T, trust *passport.Trust, addr string, want common.Address) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	conn, err := trust.Dial(ctx, "tcp", addr, want, "h2")
	if err != nil {
		return err
	}
	return conn.Close()
}

func TestDial_knowsAServerByItsIdentityAlone(t *testing.T) {
	t.Parallel()
	var handshakes atomic.Int32
	config := issuer(t, domain, alice).Config("h2")
	inner := config.GetCertificate
	config.GetCertificate = func(h *tls.ClientHelloInfo) (*tls.Certificate, error) { handshakes.Add(1); return inner(h) }
	addr, trust := serve(t, config), passport.NewTrust(domain)
	for range 3 {
		if err := dial(t, trust, addr, alice.Address()); err != nil {
			t.Fatal(err)
		}
	}
	if n := handshakes.Load(); n != 4 {
		t.Errorf("%d handshakes for three connections, want one more: only the first had to learn the certificate", n)
	}
}

// mine is a certificate of key for the name of a, with whatever extension.
func mine(t *testing.T, key *ecdsa.PrivateKey, a common.Address, extensions []pkix.Extension, more func(*x509.Certificate)) *tls.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(7), NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{passport.Name(a)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, ExtraExtensions: extensions}
	if more != nil {
		more(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// words are the extensions by which an identity vouches for a certificate.
func words(c *tls.Certificate) (list []pkix.Extension) {
	for _, e := range c.Leaf.Extensions {
		if e.Id[0] == 2 && e.Id[1] == 25 {
			list = append(list, pkix.Extension{Id: e.Id, Value: e.Value})
		}
	}
	return list
}

func TestDial_refusesEverybodyElse(t *testing.T) {
	t.Parallel()
	now := time.Now()
	certify := func(d protocol.Domain, who protocol.Signer, from, until time.Time) *tls.Certificate {
		c, err := passport.Certify(d, who, from, until)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	good := certify(domain, alice, now.Add(-time.Hour), now.Add(time.Hour))
	thief, own := newKey(t), newKey(t)
	forged := protocol.Signed[protocol.KeyBinding]{Message: protocol.KeyBinding{Identity: alice.Address(), KeyHash: keyHash(t, own), NotBefore: 1, NotAfter: 1 << 40}}
	forged.Signature, _ = domain.Sign(bob, forged.Message)
	for _, c := range []struct {
		name  string
		shows *tls.Certificate
		want  string
	}{
		{"another identity in the middle", certify(domain, bob, now.Add(-time.Hour), now.Add(time.Hour)), "is " + bob.Address().Hex() + ", not " + alice.Address().Hex()},
		{"another identity under alice's name", mine(t, own, alice.Address(), words(certify(domain, bob, now.Add(-time.Hour), now.Add(time.Hour))), nil), "another key"},
		{"alice's word on another key", mine(t, thief, alice.Address(), words(good), nil), "another key"},
		{"alice's certificate without its key", &tls.Certificate{Certificate: good.Certificate, PrivateKey: thief}, ""},
		{"alice's word signed by bob", mine(t, own, alice.Address(), []pkix.Extension{{Id: words(good)[0].Id, Value: protocol.Encode(forged)}}, nil), "signature"},
		{"a word that cannot be read", mine(t, own, alice.Address(), []pkix.Extension{{Id: words(good)[0].Id, Value: []byte("{")}}, nil), "certificate"},
		{"no word at all", mine(t, own, alice.Address(), nil, nil), "does not show that it is " + alice.Address().Hex()},
		{"expired", certify(domain, alice, now.Add(-2*time.Hour), now.Add(-time.Second)), "not now"},
		{"not yet valid", certify(domain, alice, now.Add(time.Hour), now.Add(2*time.Hour)), "not now"},
		{"valid for longer than the word", mine(t, good.PrivateKey.(*ecdsa.PrivateKey), alice.Address(), words(good), func(c *x509.Certificate) { c.NotAfter = now.Add(48 * time.Hour) }), "longer than its word"},
		{"of another chain", certify(protocol.NewDomain(1, domain.Escrow), alice, now.Add(-time.Hour), now.Add(time.Hour)), "another chain"},
	} {
		addr, trust := serve(t, &tls.Config{Certificates: []tls.Certificate{*c.shows}}), passport.NewTrust(domain)
		for range 2 { // what was refused once is not remembered as good
			if err := dial(t, trust, addr, alice.Address()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, want an error with %q", c.name, err, c.want)
			}
		}
	}
}

func keyHash(t *testing.T, k *ecdsa.PrivateKey) protocol.Hash {
	t.Helper()
	b, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256(b)
}

// One who took the place of a server that was known before is refused too, and the server is known again when it is back.
func TestDial_noticesThatAKnownServerWasReplaced(t *testing.T) {
	t.Parallel()
	trust := passport.NewTrust(domain)
	true1, false1 := serve(t, issuer(t, domain, alice).Config("h2")), serve(t, issuer(t, domain, bob).Config("h2"))
	if err := dial(t, trust, true1, alice.Address()); err != nil {
		t.Fatal(err)
	}
	if err := dial(t, trust, false1, alice.Address()); protocol.CodeOf(err) != protocol.Unauthorized {
		t.Errorf("%v, want unauthorized", err)
	}
	if err := dial(t, trust, true1, alice.Address()); err != nil {
		t.Error(err)
	}
}

// Several first handshakes fail at once, and the first of them to be learned from is no reason to refuse the server.
func TestLearn_lessonsOfHandshakesThatFailedAtOnceAreTheSame(t *testing.T) {
	t.Parallel()
	addr, trust := serve(t, issuer(t, domain, alice).Config("h2")), passport.NewTrust(domain)
	var failed []error
	for range 2 {
		conn, err := tls.Dial("tcp", addr, trust.Config(alice.Address()))
		if err == nil {
			_ = conn.Close()
			t.Fatal("a server that nobody knows was taken")
		}
		failed = append(failed, err)
	}
	for i, err := range failed {
		if lesson, err := trust.Learn(alice.Address(), err); lesson != passport.Again || err != nil {
			t.Errorf("handshake %d: lesson %d, %v", i+1, lesson, err)
		}
	}
	if err := dial(t, trust, addr, alice.Address()); err != nil {
		t.Error(err)
	}
}

// An authority's certificate for the host is not enough where the identity has spoken before, nor from one that has an identity of its own.
func TestDial_takesNoAuthoritysWordForALostIdentity(t *testing.T) {
	t.Parallel()
	roots, cert, private := authority(t)
	pair, err := tls.LoadX509KeyPair(cert, private)
	if err != nil {
		t.Fatal(err)
	}
	trust := passport.NewTrust(domain).Trusting(roots)
	if err := dial(t, trust, serve(t, issuer(t, domain, alice).Config("h2")), alice.Address()); err != nil {
		t.Fatal(err)
	}
	thief := serve(t, &tls.Config{Certificates: []tls.Certificate{pair}})
	silent := serve(t, &tls.Config{GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if h.ServerName != "" {
			return nil, errors.New("no such name")
		}
		return &pair, nil
	}})
	for _, addr := range []string{thief, silent} {
		if err := dial(t, trust, addr, alice.Address()); protocol.CodeOf(err) != protocol.Unauthorized {
			t.Errorf("a server that lost its identity: %v", err)
		}
	}
	other, err := issuer(t, domain, bob).WithFiles(cert, private)
	if err != nil {
		t.Fatal(err)
	}
	if err := dial(t, passport.NewTrust(domain).Trusting(roots), serve(t, other.Config("h2")), alice.Address()); err == nil || !strings.Contains(err.Error(), "is "+bob.Address().Hex()) {
		t.Errorf("another identity with a certificate for the host: %v", err)
	}
}

func TestIssuer_renewsItsCertificateAndClientsFollow(t *testing.T) {
	t.Parallel()
	var ago atomic.Int64
	ago.Store(int64(passport.Life/2 + time.Minute)) // made so long ago; valid still, and due for renewal once the server's clock is right
	i, err := passport.NewIssuerAt(domain, alice, func() time.Time { return time.Now().Add(-time.Duration(ago.Load())) })
	if err != nil {
		t.Fatal(err)
	}
	addr, trust := serve(t, i.Config("h2")), passport.NewTrust(domain)
	serial := func() string {
		conn, err := trust.Dial(t.Context(), "tcp", addr, alice.Address(), "h2")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	first := serial()
	if serial() != first {
		t.Error("a new certificate before its time")
	}
	ago.Store(0)
	second := serial()
	if second == first || serial() != second {
		t.Error("no new certificate at half its life, or more than one")
	}
}

// authority is a certificate authority and a certificate of its for 127.0.0.1, as PEM files.
func authority(t *testing.T) (roots *x509.CertPool, cert, private string) {
	t.Helper()
	ca, leaf := newKey(t), newKey(t)
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "an authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, &ca.PublicKey, ca)
	if err != nil {
		t.Fatal(err)
	}
	if root, err = x509.ParseCertificate(rootDER); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, root, &leaf.PublicKey, ca)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(leaf)
	if err != nil {
		t.Fatal(err)
	}
	cert, private = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	if err := errors.Join(os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(private, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600)); err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AddCert(root)
	return roots, cert, private
}

func TestDial_takesTheWordOfAnAuthorityWhereNoIdentityGivesIts(t *testing.T) {
	t.Parallel()
	roots, cert, private := authority(t)
	pair, err := tls.LoadX509KeyPair(cert, private)
	if err != nil {
		t.Fatal(err)
	}
	proxy := serve(t, &tls.Config{Certificates: []tls.Certificate{pair}}) // ends TLS before alice, say
	strict := serve(t, &tls.Config{GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if h.ServerName != "" {
			return nil, errors.New("no such name")
		}
		return &pair, nil
	}})
	for _, addr := range []string{proxy, strict} {
		for _, want := range []common.Address{alice.Address(), {}} {
			if err := dial(t, passport.NewTrust(domain).Trusting(roots), addr, want); err != nil {
				t.Errorf("expecting %s: %v", want, err)
			}
			if err := dial(t, passport.NewTrust(domain).Trusting(x509.NewCertPool()), addr, want); err == nil {
				t.Errorf("expecting %s: an authority that nobody trusts was believed", want)
			}
		}
		_, port, _ := net.SplitHostPort(addr)
		if err := dial(t, passport.NewTrust(domain).Trusting(roots), net.JoinHostPort("localhost", port), alice.Address()); err == nil {
			t.Error("a certificate for another host was taken")
		}
	}
	both, err := issuer(t, domain, alice).WithFiles(cert, private)
	if err != nil {
		t.Fatal(err)
	}
	addr := serve(t, both.Config("h2"))
	if err := dial(t, passport.NewTrust(domain).Trusting(roots), addr, common.Address{}); err != nil {
		t.Errorf("by its host: %v", err)
	}
	if err := dial(t, passport.NewTrust(domain).Trusting(x509.NewCertPool()), addr, alice.Address()); err != nil {
		t.Errorf("by its identity: %v", err)
	}
	if _, err := issuer(t, domain, alice).WithFiles(cert, cert); err == nil || !strings.Contains(err.Error(), "--tls-key") {
		t.Errorf("a certificate for a key: %v", err)
	}
}

func TestIssuer_showsARenewedFileOfAnAuthority(t *testing.T) {
	t.Parallel()
	var later atomic.Int64
	i, err := passport.NewIssuerAt(domain, alice, func() time.Time { return time.Now().Add(time.Duration(later.Load())) })
	if err != nil {
		t.Fatal(err)
	}
	first, cert, private := authority(t)
	if i, err = i.WithFiles(cert, private); err != nil {
		t.Fatal(err)
	}
	addr := serve(t, i.Config("h2"))
	shows := func(roots *x509.CertPool, when string) {
		if err := dial(t, passport.NewTrust(domain).Trusting(roots), addr, common.Address{}); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	replace := func(file string, content []byte) {
		if err := errors.Join(os.WriteFile(file, content, 0o600), os.Chtimes(file, time.Time{}, time.Now().Add(time.Duration(later.Load())))); err != nil {
			t.Fatal(err)
		}
	}
	shows(first, "as it was")
	second, newCert, newPrivate := authority(t)
	for file, with := range map[string]string{cert: newCert, private: newPrivate} {
		b, err := os.ReadFile(with)
		if err != nil {
			t.Fatal(err)
		}
		replace(file, b)
	}
	later.Add(int64(2 * time.Minute))
	shows(second, "renewed")
	replace(cert, []byte("half a file"))
	later.Add(int64(2 * time.Minute))
	shows(second, "after a bad renewal")
}

func TestDial_withoutAnIdentityTellsWhichOneThereIs(t *testing.T) {
	t.Parallel()
	addr := serve(t, issuer(t, domain, alice).Config("h2"))
	err := dial(t, passport.NewTrust(domain), addr, common.Address{})
	if protocol.CodeOf(err) != protocol.Unauthorized || !strings.Contains(err.Error(), "write "+alice.Address().Hex()+"@") {
		t.Errorf("error %v", err)
	}
}

func TestTransport_speaksHTTP2ToTheIdentityAndKeepsCleartextAtHome(t *testing.T) {
	t.Parallel()
	addr := serve(t, issuer(t, domain, alice).Config("h2", "http/1.1"))
	plain := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }), Protocols: new(http.Protocols)}
	plain.Protocols.SetUnencryptedHTTP2(true)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = plain.Serve(l); close(ended) }()
	t.Cleanup(func() { _ = plain.Close(); <-ended })
	either := &http.Client{Transport: passport.NewTrust(domain).Transport(new(http.Transport), func(string) common.Address { return alice.Address() }, false)}
	t.Cleanup(either.CloseIdleConnections)
	client := func(want common.Address, cleartext bool) *http.Client {
		base := &http.Transport{Protocols: new(http.Protocols), TLSHandshakeTimeout: 20 * time.Second}
		base.Protocols.SetHTTP2(true)
		base.Protocols.SetUnencryptedHTTP2(true)
		c := &http.Client{Transport: passport.NewTrust(domain).Transport(base, func(string) common.Address { return want }, cleartext)}
		t.Cleanup(c.CloseIdleConnections)
		return c
	}
	get := func(c *http.Client, url string) (string, error) {
		r, err := c.Get(url)
		if err != nil {
			return "", err
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		return string(b), err
	}
	for _, url := range []string{"https://" + addr, "http://" + l.Addr().String()} {
		if proto, err := get(client(alice.Address(), false), url); err != nil || proto != "HTTP/2.0" {
			t.Errorf("%s: %s, %v", url, proto, err)
		}
	}
	if proto, err := get(either, "https://"+addr); err != nil || proto != "HTTP/2.0" {
		t.Errorf("with a transport for both versions: %s, %v", proto, err)
	}
	if _, err := get(client(bob.Address(), false), "https://"+addr); err == nil || !strings.Contains(err.Error(), "not "+bob.Address().Hex()) {
		t.Errorf("another identity: %v", err)
	}
	if _, err := get(client(alice.Address(), false), "http://192.0.2.1:1/"); protocol.CodeOf(err) != protocol.BadRequest {
		t.Errorf("cleartext to another machine: %v", err)
	}
}

func TestParseEndpoint(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]passport.Endpoint{
		"https://host:1":                             {URL: "https://host:1"},
		alice.Address().Hex() + "@https://host":      {alice.Address(), "https://host"},
		alice.Address().Hex() + "@tls://a:1,tls://b": {alice.Address(), "tls://a:1,tls://b"},
		"nats://user:secret@host":                    {URL: "nats://user:secret@host"},
	} {
		got, err := passport.ParseEndpoint(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"0x12@https://host", "me@https://host", "@https://host", common.Address{}.Hex() + "@https://host"} {
		if e, err := passport.ParseEndpoint(text); err == nil {
			t.Errorf("%s: %+v", text, e)
		}
	}
}

func TestCheckClear_letsCleartextStayOnThisMachine(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"http://127.0.0.1:1", "http://localhost", "http://[::1]:1", "https://example.org", "nats://127.0.0.1", "tls://example.org", "nats://127.0.0.1,tls://example.org",
		"wss://example.org", "127.0.0.1:4222", "localhost:4222", "[::1]:4222", "localhost", "tcp://127.0.0.1:1", "TLS://example.org"} {
		if err := passport.CheckClear(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"http://example.org", "http://0.0.0.0:1", "http://192.0.2.1", "nats://example.org", "ws://example.org", "tls://example.org,nats://example.org", "http://localhost.example.org",
		"example.org:4222", "example.org", "192.0.2.1:4222", "tcp://example.org", "TCP://example.org:1", "tls://example.org,example.org:4222", "NATS://example.org"} {
		if err := passport.CheckClear(bad); err == nil || !strings.Contains(err.Error(), "--insecure-cleartext") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
