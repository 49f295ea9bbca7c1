package protocol

import (
	"encoding/binary"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// Domain is the EIP-712 domain of every market message: name "Kinora", version "1", and the chain and escrow whose
// money stands behind what is said. The zero Domain signs nothing useful; make one with NewDomain.
type Domain struct {
	ChainID   uint64
	Escrow    common.Address
	separator common.Hash
}

var domainType = crypto.Keccak256Hash([]byte(
	"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"))

// NewDomain precomputes the separator.
func NewDomain(chainID uint64, escrow common.Address) Domain {
	return Domain{ChainID: chainID, Escrow: escrow,
		separator: structHash(domainType, str("Kinora"), str("1"), u64(chainID), addr(escrow))}
}

// Separator is the domain separator.
func (d Domain) Separator() common.Hash { return d.separator }

// Hashed is a message that has an EIP-712 struct hash.
type Hashed interface{ StructHash() common.Hash }

// Digest is what is signed: keccak(0x1901 ‖ separator ‖ struct hash).
func (d Domain) Digest(m Hashed) common.Hash {
	h := m.StructHash()
	return crypto.Keccak256Hash([]byte{0x19, 0x01}, d.separator[:], h[:])
}

// Sign signs m for this domain.
func (d Domain) Sign(s Signer, m Hashed) (Signature, error) { return s.SignDigest(d.Digest(m)) }

// Check verifies that want signed m for this domain.
func (d Domain) Check(m Hashed, sig Signature, want common.Address) error {
	return sig.Check(d.Digest(m), want)
}

// word is one 32-byte slot of EIP-712 encoded data.
type word [32]byte

func structHash(typeHash common.Hash, words ...word) common.Hash {
	return hashOf(typeHash[:], words)
}

func arrayHash(words []word) common.Hash {
	if len(words) == 0 {
		return common.Hash(nothing)
	}
	return hashOf(nil, words)
}

// scratch holds what is hashed: a market hashes some thousand messages a second.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

func hashOf(head []byte, words []word) common.Hash {
	p := scratch.Get().(*[]byte)
	b := append((*p)[:0], head...)
	for i := range words {
		b = append(b, words[i][:]...)
	}
	h := crypto.Keccak256Hash(b)
	*p = b
	scratch.Put(p)
	return h
}

func u64(v uint64) (w word) {
	binary.BigEndian.PutUint64(w[24:], v)
	return w
}

func i64(v int64) (w word) {
	if v < 0 {
		for i := range w[:24] {
			w[i] = 0xff
		}
	}
	binary.BigEndian.PutUint64(w[24:], uint64(v))
	return w
}

func addr(a common.Address) (w word) {
	copy(w[12:], a[:])
	return w
}

func str(s string) word {
	if w, ok := usual[s]; ok {
		return w
	}
	return word(crypto.Keccak256Hash([]byte(s)))
}

// nothing is the hash of an empty string, or array; usual are those of the strings that are in nearly every message.
var (
	nothing = word(crypto.Keccak256Hash(nil))
	usual   = func() map[string]word {
		m := map[string]word{"": nothing}
		for _, c := range []Codec{H264, HEVC, AV1} {
			m[string(c)] = word(crypto.Keccak256Hash([]byte(c)))
		}
		return m
	}()
)

func wei(v Wei) word { return v.Bytes32() }
