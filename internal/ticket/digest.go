package ticket

import (
	"encoding/binary"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

const (
	domainName    = "Kinora TicketEscrow"
	domainVersion = "1"
	domainType    = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
	ticketType    = "Ticket(address payer,address recipient,uint16 lane,uint64 nonce,uint96 faceValue,uint64 winProb," +
		"uint40 expiry,bytes32 recipientRandHash,uint64 salt)"
)

// Domain is the chain and the escrow a ticket is good for; nowhere else has it the same digest.
type Domain struct {
	ChainID uint64
	Escrow  common.Address
}

// Separator is the EIP-712 domain separator.
func (d Domain) Separator() common.Hash {
	var b [5 * 32]byte
	copy(b[0:], crypto.Keccak256([]byte(domainType)))
	copy(b[32:], crypto.Keccak256([]byte(domainName)))
	copy(b[64:], crypto.Keccak256([]byte(domainVersion)))
	binary.BigEndian.PutUint64(b[120:], d.ChainID)
	copy(b[140:], d.Escrow[:])
	return crypto.Keccak256Hash(b[:])
}

// Digest is what the payer of t signs. Use a Hasher for more than one ticket.
func (d Domain) Digest(t Ticket) common.Hash { return d.Hasher().Digest(t) }

// Hasher is a Domain with the parts of the digest that never change computed once. It is safe for concurrent use.
type Hasher struct {
	domain    Domain
	separator common.Hash
	typeHash  common.Hash
}

// Hasher prepares d.
func (d Domain) Hasher() *Hasher {
	return &Hasher{domain: d, separator: d.Separator(), typeHash: crypto.Keccak256Hash([]byte(ticketType))}
}

// Domain is the domain h was made of.
func (h *Hasher) Domain() Domain { return h.domain }

// Digest is what the payer of t signs: keccak256(0x1901 ‖ separator ‖ struct hash). A face value or an expiry too wide for
// the contract has a digest no contract computes; Validate refuses it.
func (h *Hasher) Digest(t Ticket) common.Hash {
	var b [10 * 32]byte
	copy(b[0:], h.typeHash[:])
	copy(b[32+12:], t.Payer[:])
	copy(b[64+12:], t.Recipient[:])
	binary.BigEndian.PutUint16(b[96+30:], t.Lane)
	binary.BigEndian.PutUint64(b[128+24:], t.TicketNonce)
	faceValue := t.FaceValue.Bytes32()
	copy(b[160:], faceValue[:])
	binary.BigEndian.PutUint64(b[192+24:], t.WinProb)
	binary.BigEndian.PutUint64(b[224+24:], t.Expiry)
	copy(b[256:], t.RecipientRandHash[:])
	binary.BigEndian.PutUint64(b[288+24:], t.Salt)

	var m [2 + 32 + 32]byte
	m[0], m[1] = 0x19, 0x01
	copy(m[2:], h.separator[:])
	structHash := crypto.Keccak256Hash(b[:])
	copy(m[34:], structHash[:])
	return crypto.Keccak256Hash(m[:])
}
