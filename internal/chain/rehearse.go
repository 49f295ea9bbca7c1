package chain

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/kinora/kinora/internal/protocol"
)

// Rehearsal is the signer of an account that is to send nothing: whatever such an account is asked to do is worked out as
// far as the signature, also against the chain, and ends in a *Rehearsed. It needs no key.
type Rehearsal common.Address

var (
	_ protocol.Signer   = Rehearsal{}
	_ TransactionSigner = Rehearsal{}
)

// Rehearsed is a transaction that was neither signed nor sent.
type Rehearsed struct {
	To       common.Address // zero: it makes a contract
	Value    protocol.Wei
	Gas      uint64 // as the chain estimates it
	GasLimit uint64
	MaxFee   protocol.Wei // of all the gas it may take, at the most that would be offered
	Data     []byte
}

// Error says that this is all there is.
func (r *Rehearsed) Error() string { return "only rehearsed: nothing was sent" }

// Address is the account's.
func (r Rehearsal) Address() common.Address { return common.Address(r) }

// SignDigest signs nothing.
func (r Rehearsal) SignDigest([32]byte) (protocol.Signature, error) {
	return protocol.Signature{}, errors.New("a rehearsal signs nothing")
}

// SignTransaction tells what there would be to sign.
func (r Rehearsal) SignTransaction(_ context.Context, tx *types.Transaction, _ *big.Int) (*types.Transaction, error) {
	out := &Rehearsed{Gas: estimateOf(tx.Gas()), GasLimit: tx.Gas(), Data: tx.Data()}
	if to := tx.To(); to != nil {
		out.To = *to
	}
	var err error
	if out.Value, err = protocol.WeiFromBig(tx.Value()); err != nil {
		return nil, fmt.Errorf("rehearse: %w", err)
	}
	if out.MaxFee, err = protocol.WeiFromBig(new(big.Int).Mul(tx.GasFeeCap(), new(big.Int).SetUint64(tx.Gas()))); err != nil {
		return nil, fmt.Errorf("rehearse: %w", err)
	}
	return nil, out
}

// gasLimit leaves a quarter more than was estimated: what the contract finds may change before the transaction is mined.
func gasLimit(estimate uint64) uint64 { return estimate + estimate/4 }

// estimateOf is the estimate that a limit was made of.
func estimateOf(limit uint64) uint64 { return limit - limit/5 }
