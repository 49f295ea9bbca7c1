package protocol

import (
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// Flush is a payer's word that it has signed its last ticket with a parameter set and with every earlier one of the same
// lane: the recipient may close them before their time. It names the set, so that replaying it later does nothing.
type Flush struct {
	Payer     common.Address `json:"payer"`
	Recipient common.Address `json:"recipient"`
	Set       ID             `json:"set"`
}

var flushType = crypto.Keccak256Hash([]byte("Flush(address payer,address recipient,bytes32 set)"))

// StructHash is the EIP-712 struct hash.
func (f Flush) StructHash() common.Hash {
	return structHash(flushType, addr(f.Payer), addr(f.Recipient), word(f.Set))
}

// SignedBy is the payer.
func (f Flush) SignedBy() common.Address { return f.Payer }

// Validate names the field that cannot be.
func (f Flush) Validate() error {
	switch {
	case f.Payer == common.Address{} || f.Recipient == common.Address{} || f.Payer == f.Recipient:
		return fmt.Errorf("payer %s and recipient %s must be two accounts", f.Payer, f.Recipient)
	case f.Set.IsZero():
		return fmt.Errorf("set is zero")
	}
	return nil
}
