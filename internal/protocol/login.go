package protocol

import (
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// Role is what a participant does on the market.
type Role string

// The roles that speak on the bus; a broadcaster does not.
const (
	RoleOrchestrator Role = "orchestrator"
	RoleTranscoder   Role = "transcoder"
)

// Login is how a participant says to a NATS server who it is: it signs the nonce that the server drew for this connection.
type Login struct {
	Participant common.Address `json:"participant"`
	Role        Role           `json:"role"`
	// Market is the orchestrator whose NATS the participant means to enter, if it was told: a server that passes the login on to
	// another market's is refused there.
	Market common.Address `json:"market"`
	Nonce  string         `json:"nonce,omitempty"`
}

var loginType = crypto.Keccak256Hash([]byte("Login(address participant,string role,address market,string nonce)"))

// StructHash is the EIP-712 struct hash.
func (l Login) StructHash() common.Hash {
	return structHash(loginType, addr(l.Participant), str(string(l.Role)), addr(l.Market), str(l.Nonce))
}

// SignedBy is the participant.
func (l Login) SignedBy() common.Address { return l.Participant }

// Validate names the field that cannot be.
func (l Login) Validate() error {
	switch {
	case l.Participant == (common.Address{}):
		return fmt.Errorf("participant is zero")
	case l.Role != RoleOrchestrator && l.Role != RoleTranscoder:
		return fmt.Errorf("role is %.20q, want %s or %s", l.Role, RoleOrchestrator, RoleTranscoder)
	case len(l.Nonce) < 8 || len(l.Nonce) > 128:
		return fmt.Errorf("nonce has %d bytes, want 8 to 128", len(l.Nonce))
	}
	return nil
}

// KeyBinding is an identity's word that a TLS key is its own for a while; it travels in the certificate of that key. Its times
// are of day, as those of every certificate are.
type KeyBinding struct {
	Identity  common.Address `json:"identity"`
	KeyHash   Hash           `json:"key_hash"`   // SHA-256 of the key's SubjectPublicKeyInfo
	NotBefore uint64         `json:"not_before"` // Unix seconds
	NotAfter  uint64         `json:"not_after"`
}

var keyBindingType = crypto.Keccak256Hash([]byte("KeyBinding(address identity,bytes32 keyHash,uint64 notBefore,uint64 notAfter)"))

// StructHash is the EIP-712 struct hash.
func (k KeyBinding) StructHash() common.Hash {
	return structHash(keyBindingType, addr(k.Identity), word(k.KeyHash), u64(k.NotBefore), u64(k.NotAfter))
}

// SignedBy is the identity.
func (k KeyBinding) SignedBy() common.Address { return k.Identity }

// Validate names the field that cannot be.
func (k KeyBinding) Validate() error {
	switch {
	case k.Identity == (common.Address{}) || k.KeyHash.IsZero():
		return fmt.Errorf("identity and key_hash must not be zero")
	case k.NotAfter <= k.NotBefore:
		return fmt.Errorf("not_after %d is not behind not_before %d", k.NotAfter, k.NotBefore)
	}
	return nil
}
