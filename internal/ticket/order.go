package ticket

import (
	"encoding/binary"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/internal/protocol"
)

// RedeemOrder asks anybody to redeem runs for a fee: a recipient that has no gas signs it. Whoever carries it out first has
// the fee; nobody has it twice, since orders are numbered.
type RedeemOrder struct {
	Recipient  common.Address `json:"recipient"`
	RunsHash   common.Hash    `json:"runs_hash"` // keccak256 of the runs, packed
	MinTotal   protocol.Wei   `json:"min_total"` // wei that the runs must pay together, the fee included
	Fee        protocol.Wei   `json:"fee"`       // wei of it for whoever sends the transaction
	To         common.Address `json:"to"`        // where the rest is paid out to; zero: it stays in the escrow, the recipient's
	OrderNonce uint64         `json:"order_nonce,string"`
	Deadline   uint64         `json:"deadline,string"` // Unix seconds, chain time: the last in which it can be carried out
}

// Settlement pays for the nonces of a lane from one to another together, instead of their draws: afterwards none of them
// pays, and it pays only while none of them was paid.
type Settlement struct {
	Payer     common.Address `json:"payer"`
	Recipient common.Address `json:"recipient"`
	Lane      uint16         `json:"lane"`
	FromNonce uint64         `json:"from_nonce,string"`
	ToNonce   uint64         `json:"to_nonce,string"`
	Amount    protocol.Wei   `json:"amount"`
	Expiry    uint64         `json:"expiry,string"` // Unix seconds, chain time
}

const (
	orderType      = "RedeemOrder(address recipient,bytes32 runsHash,uint96 minTotal,uint96 fee,address to,uint64 orderNonce,uint40 deadline)"
	settlementType = "Settlement(address payer,address recipient,uint16 lane,uint64 fromNonce,uint64 toNonce,uint96 amount,uint40 expiry)"
	maxUint40      = 1<<40 - 1
)

// Validate names the field that the contract could not read.
func (o RedeemOrder) Validate() error {
	switch {
	case o.Recipient == common.Address{}:
		return fmt.Errorf("%w: order: recipient is zero", ErrTicket)
	case !o.MinTotal.FitsUint96() || !o.Fee.FitsUint96():
		return fmt.Errorf("%w: order: minimum %s and fee %s must be below 2^96 wei", ErrTicket, o.MinTotal, o.Fee)
	case o.MinTotal.Less(o.Fee):
		return fmt.Errorf("%w: order: the fee %s is above the %s wei that are paid at least", ErrTicket, o.Fee, o.MinTotal)
	case o.Deadline == 0 || o.Deadline > maxUint40:
		return fmt.Errorf("%w: order: deadline %d, want 1 to 2^40-1", ErrTicket, o.Deadline)
	}
	return nil
}

// Validate names the field that cannot be.
func (s Settlement) Validate() error {
	switch {
	case s.Payer == common.Address{} || s.Recipient == common.Address{} || s.Payer == s.Recipient:
		return fmt.Errorf("%w: settlement: payer %s and recipient %s must be two accounts", ErrTicket, s.Payer, s.Recipient)
	case s.FromNonce == 0 || s.ToNonce < s.FromNonce:
		return fmt.Errorf("%w: settlement: nonces %d to %d", ErrTicket, s.FromNonce, s.ToNonce)
	case s.Amount.IsZero() || !s.Amount.FitsUint96():
		return fmt.Errorf("%w: settlement: amount is %s, want 1 to 2^96-1 wei", ErrTicket, s.Amount)
	case s.Expiry == 0 || s.Expiry > maxUint40:
		return fmt.Errorf("%w: settlement: expiry %d, want 1 to 2^40-1", ErrTicket, s.Expiry)
	}
	return nil
}

// OrderDigest is what the recipient of o signs.
func (h *Hasher) OrderDigest(o RedeemOrder) common.Hash {
	var b [8 * 32]byte
	copy(b[0:], crypto.Keccak256([]byte(orderType)))
	copy(b[32+12:], o.Recipient[:])
	copy(b[64:], o.RunsHash[:])
	minTotal, fee := o.MinTotal.Bytes32(), o.Fee.Bytes32()
	copy(b[96:], minTotal[:])
	copy(b[128:], fee[:])
	copy(b[160+12:], o.To[:])
	binary.BigEndian.PutUint64(b[192+24:], o.OrderNonce)
	binary.BigEndian.PutUint64(b[224+24:], o.Deadline)
	return h.typed(b[:])
}

// SettlementDigest is what the payer of s signs.
func (h *Hasher) SettlementDigest(s Settlement) common.Hash {
	var b [8 * 32]byte
	copy(b[0:], crypto.Keccak256([]byte(settlementType)))
	copy(b[32+12:], s.Payer[:])
	copy(b[64+12:], s.Recipient[:])
	binary.BigEndian.PutUint16(b[96+30:], s.Lane)
	binary.BigEndian.PutUint64(b[128+24:], s.FromNonce)
	binary.BigEndian.PutUint64(b[160+24:], s.ToNonce)
	amount := s.Amount.Bytes32()
	copy(b[192:], amount[:])
	binary.BigEndian.PutUint64(b[224+24:], s.Expiry)
	return h.typed(b[:])
}

func (h *Hasher) typed(words []byte) common.Hash {
	return crypto.Keccak256Hash([]byte{0x19, 0x01}, h.separator[:], crypto.Keccak256(words))
}

// RunHead is the beginning of a packed run.
type RunHead struct {
	Payer   common.Address
	Lane    uint16
	Tickets int
	First   Signed // its first ticket, as recipient's; signature and all
}

// ReadRuns reads what EncodeRun packed, one run after another. Errors wrap ErrTicket. It verifies no signature.
func ReadRuns(packed []byte, recipient common.Address) (heads []RunHead, err error) {
	for rest := packed; len(rest) > 0; {
		if len(rest) < RunHeaderBytes {
			return nil, fmt.Errorf("%w: runs end inside the header of run %d", ErrTicket, len(heads))
		}
		count := int(binary.BigEndian.Uint16(rest[83:]))
		size := RunHeaderBytes + count*RunTicketBytes
		if count == 0 || len(rest) < size {
			return nil, fmt.Errorf("%w: run %d says %d tickets, %d bytes follow", ErrTicket, len(heads), count, len(rest)-RunHeaderBytes)
		}
		t := Ticket{Payer: common.BytesToAddress(rest[:20]), Recipient: recipient, Lane: binary.BigEndian.Uint16(rest[20:])}
		if t.FaceValue, err = protocol.WeiFromBig(common.BytesToHash(rest[22:34]).Big()); err != nil {
			return nil, err
		}
		t.Expiry = binary.BigEndian.Uint64(append([]byte{0, 0, 0}, rest[34:39]...))
		t.RecipientRandHash = RandHash([32]byte(rest[39:71]))
		s, err := Unpack(t, rest[RunHeaderBytes:RunHeaderBytes+RunTicketBytes])
		if err != nil {
			return nil, err
		}
		heads = append(heads, RunHead{Payer: t.Payer, Lane: t.Lane, Tickets: count, First: s})
		rest = rest[size:]
	}
	if len(heads) == 0 {
		return nil, fmt.Errorf("%w: no runs", ErrTicket)
	}
	return heads, nil
}

// Packed is a ticket as a run holds it: what its redemption's calldata contains.
func (s Signed) Packed() []byte {
	r, vs := s.Compact()
	b := make([]byte, 0, RunTicketBytes)
	b = binary.BigEndian.AppendUint64(b, s.TicketNonce)
	b = binary.BigEndian.AppendUint64(b, s.Salt)
	b = binary.BigEndian.AppendUint64(b, s.WinProb)
	b = append(b, r[:]...)
	return append(b, vs[:]...)
}

// Unpack makes a ticket whole of what Packed left of it and the rest, which t has. It verifies nothing.
func Unpack(t Ticket, packed []byte) (Signed, error) {
	if len(packed) != RunTicketBytes {
		return Signed{}, fmt.Errorf("%w: a packed ticket of %d bytes, want %d", ErrTicket, len(packed), RunTicketBytes)
	}
	t.TicketNonce, t.Salt, t.WinProb = binary.BigEndian.Uint64(packed), binary.BigEndian.Uint64(packed[8:]), binary.BigEndian.Uint64(packed[16:])
	s := Signed{Ticket: t}
	copy(s.Signature[:64], packed[24:])
	s.Signature[64] = 27 + s.Signature[32]>>7
	s.Signature[32] &= 0x7f
	return s, nil
}

// CompactSignature is a signature as the contract takes it (EIP-2098).
func CompactSignature(s protocol.Signature) (r, vs [32]byte) { return Signed{Signature: s}.Compact() }
