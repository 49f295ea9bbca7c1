package protocol

import (
	"encoding/json"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
)

// MaxMessage bounds an encoded message, in bytes.
const MaxMessage = 64 << 10

// Message is anything that is signed: it hashes, it says who must have signed it, and it can say what is wrong with it.
type Message interface {
	Hashed
	SignedBy() common.Address
	Validate() error
}

// Signed is a message with its signature: {"message": …, "signature": "0x…"}.
type Signed[M Message] struct {
	Message   M         `json:"message"`
	Signature Signature `json:"signature"`
}

// Seal validates and signs m; the signer must be the one m names.
func Seal[M Message](d Domain, s Signer, m M) (Signed[M], error) {
	if err := m.Validate(); err != nil {
		return Signed[M]{}, fmt.Errorf("seal %T: %w", m, err)
	}
	if m.SignedBy() != s.Address() {
		return Signed[M]{}, fmt.Errorf("seal %T: it names %s as its signer, this key is %s", m, m.SignedBy(), s.Address())
	}
	sig, err := d.Sign(s, m)
	return Signed[M]{Message: m, Signature: sig}, err
}

// Open validates the message and its signature and returns it. Errors carry BadRequest or BadSignature.
func (s Signed[M]) Open(d Domain) (M, error) {
	var zero M
	if err := s.Message.Validate(); err != nil {
		return zero, Errorf(BadRequest, "%T: %w", s.Message, err)
	}
	if err := d.Check(s.Message, s.Signature, s.Message.SignedBy()); err != nil {
		return zero, Errorf(BadSignature, "%T: %w", s.Message, err)
	}
	return s.Message, nil
}

// Signatory validates the message and returns who signed it, which need not be who it names: whether that key may speak for
// them is for the caller to find out. Errors carry BadRequest or BadSignature.
func (s Signed[M]) Signatory(d Domain) (common.Address, error) {
	if err := s.Message.Validate(); err != nil {
		return common.Address{}, Errorf(BadRequest, "%T: %w", s.Message, err)
	}
	signer, err := s.Signature.Recover(d.Digest(s.Message))
	if err != nil {
		return common.Address{}, Errorf(BadSignature, "%T: %w", s.Message, err)
	}
	return signer, nil
}

// Decode reads one JSON message of at most MaxMessage bytes. Unknown fields are ignored, so that newer peers may say
// more; what is signed is only what is known.
func Decode[M any](b []byte) (M, error) {
	var m M
	if len(b) > MaxMessage {
		return m, Errorf(BadRequest, "%T: %d bytes, at most %d are read", m, len(b), MaxMessage)
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, Errorf(BadRequest, "%T: %w", m, err)
	}
	return m, nil
}

// Encode writes m as JSON; a message of this package always can be.
func Encode(m any) []byte {
	b, err := json.Marshal(m)
	if err != nil {
		panic(fmt.Sprintf("protocol: encode %T: %v", m, err))
	}
	return b
}
