package chain

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/kinora/kinora/internal/protocol"
)

// Clef is an account whose key another process keeps: clef, or anything that speaks its JSON-RPC. That process shows every
// transaction to its owner, or to the owner's rules. It suits the account that deposits, allocates and withdraws; what a
// streaming machine signs with every segment is signed with a key of its own.
type Clef struct {
	rpc     *rpc.Client
	name    string
	address common.Address
}

var (
	_ protocol.Signer   = (*Clef)(nil)
	_ TransactionSigner = (*Clef)(nil)
)

// DialClef opens the account that a clef at url (http, or the path of its socket) keeps. The owner may be asked whether the
// accounts may be listed.
func DialClef(ctx context.Context, url string, address common.Address) (*Clef, error) {
	name := nameOf(url)
	client, err := rpc.DialContext(ctx, url)
	if err != nil {
		return nil, protocol.Errorf(protocol.Unavailable, "reach the external signer at %s: %w", name, hide(err, name))
	}
	var known []common.Address
	if err := client.CallContext(ctx, &known, "account_list"); err != nil {
		client.Close()
		return nil, protocol.Errorf(protocol.Unavailable, "ask the external signer at %s for its accounts: %w", name, hide(err, name))
	}
	if !slices.Contains(known, address) {
		client.Close()
		return nil, fmt.Errorf("the external signer at %s shows no account %s: import its key there, or allow it to be listed", name, address)
	}
	return &Clef{rpc: client, name: name, address: address}, nil
}

// Close ends the connection.
func (c *Clef) Close() { c.rpc.Close() }

// Address is the account.
func (c *Clef) Address() common.Address { return c.address }

// SignDigest is refused: clef shows its owner what is signed, and a digest shows nothing.
func (c *Clef) SignDigest([32]byte) (protocol.Signature, error) {
	return protocol.Signature{}, errors.New("the external signer signs transactions, not messages of the market: give the role a key of its own with --keystore")
}

// SignTransaction waits until the owner, or a rule, has decided.
func (c *Clef) SignTransaction(ctx context.Context, tx *types.Transaction, chainID *big.Int) (*types.Transaction, error) {
	args := map[string]any{
		"from": c.address.Hex(), "chainId": (*hexutil.Big)(chainID), "nonce": hexutil.Uint64(tx.Nonce()), "gas": hexutil.Uint64(tx.Gas()),
		"maxFeePerGas": (*hexutil.Big)(tx.GasFeeCap()), "maxPriorityFeePerGas": (*hexutil.Big)(tx.GasTipCap()),
		"value": (*hexutil.Big)(tx.Value()), "input": hexutil.Bytes(tx.Data()),
	}
	if to := tx.To(); to != nil {
		args["to"] = to.Hex()
	}
	var answer struct {
		Raw hexutil.Bytes `json:"raw"`
	}
	if err := c.rpc.CallContext(ctx, &answer, "account_signTransaction", args); err != nil {
		var refused rpc.Error
		if errors.As(err, &refused) {
			return nil, fmt.Errorf("the external signer at %s refused: %w", c.name, err)
		}
		return nil, protocol.Errorf(protocol.Unavailable, "ask the external signer at %s: %w", c.name, hide(err, c.name))
	}
	signed := new(types.Transaction)
	if err := signed.UnmarshalBinary(answer.Raw); err != nil {
		return nil, fmt.Errorf("the external signer at %s answered no transaction: %w", c.name, err)
	}
	return signed, nil
}
