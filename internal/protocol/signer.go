package protocol

import (
	"crypto/ecdsa"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// Signer holds one identity's key and signs digests with it; the key never leaves it.
type Signer interface {
	Address() common.Address
	// SignDigest returns r ‖ s ‖ v with low s and v = 27 or 28.
	SignDigest(digest [32]byte) (Signature, error)
}

// Signature is a secp256k1 signature: r ‖ s ‖ v, s in the lower half, v 27 or 28. It travels as 0x-hex.
type Signature [65]byte

// ErrSignature is wrapped by every refusal of a signature.
var ErrSignature = errors.New("bad signature")

// KeySigner is a Signer over a key in memory.
type KeySigner struct {
	key     *ecdsa.PrivateKey
	address common.Address
}

// NewKeySigner wraps key.
func NewKeySigner(key *ecdsa.PrivateKey) *KeySigner {
	return &KeySigner{key: key, address: crypto.PubkeyToAddress(key.PublicKey)}
}

// Address is the account the key controls.
func (k *KeySigner) Address() common.Address { return k.address }

// SignDigest signs digest.
func (k *KeySigner) SignDigest(digest [32]byte) (Signature, error) {
	b, err := crypto.Sign(digest[:], k.key)
	if err != nil {
		return Signature{}, fmt.Errorf("sign: %w", err)
	}
	s := Signature(b)
	s[64] += 27
	return s, nil
}

// Key hands the private key to the chain door, which signs transactions with it.
func (k *KeySigner) Key() *ecdsa.PrivateKey { return k.key }

// Recover returns the account that signed digest. High s and other encodings are refused, so one signed message has
// one signature.
func (s Signature) Recover(digest [32]byte) (common.Address, error) {
	if s[64] != 27 && s[64] != 28 {
		return common.Address{}, fmt.Errorf("%w: v is %d, want 27 or 28", ErrSignature, s[64])
	}
	raw := [65]byte(s)
	raw[64] -= 27
	if raw[32] > 0x7f || !lowS(raw[32:64]) {
		return common.Address{}, fmt.Errorf("%w: s is in the upper half", ErrSignature)
	}
	pub, err := crypto.Ecrecover(digest[:], raw[:])
	if err != nil {
		return common.Address{}, fmt.Errorf("%w: %v", ErrSignature, err)
	}
	return common.BytesToAddress(crypto.Keccak256(pub[1:])[12:]), nil
}

// OnBehalf is a key that signs in the name of an account which authorised it on chain: Address is the account's. It signs
// messages and tickets; a transaction is the key's own.
func OnBehalf(account common.Address, key Signer) Signer { return delegate{key, account} }

type delegate struct {
	Signer
	account common.Address
}

func (d delegate) Address() common.Address { return d.account }

var halfN = [32]byte{0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0}

func lowS(s []byte) bool {
	for i := range halfN {
		if s[i] != halfN[i] {
			return s[i] < halfN[i]
		}
	}
	return true
}

// Check verifies that want signed digest.
func (s Signature) Check(digest [32]byte, want common.Address) error {
	got, err := s.Recover(digest)
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("%w: signed by %s, not by %s", ErrSignature, got, want)
	}
	return nil
}

// MarshalText writes 0x-hex.
func (s Signature) MarshalText() ([]byte, error) { return hexText(s[:]), nil }

// UnmarshalText reads 0x-hex of exactly 65 bytes.
func (s *Signature) UnmarshalText(b []byte) error {
	var raw Signature
	if !readHex(raw[:], b) {
		return fmt.Errorf("%w: want 0x and 130 hex digits", ErrSignature)
	}
	*s = raw
	return nil
}
