// Package chain is the door to the Ethereum chain: a client, accounts that send transactions, and the ticket escrow.
//
// Amounts are protocol.Wei. An error that the chain itself gave as its answer is a *Revert with the contract's reason; one
// of reaching the chain carries protocol.Unavailable and may be tried again.
package chain

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/kinora/kinora/contracts/bindings"
	"github.com/kinora/kinora/internal/protocol"
)

// Client speaks JSON-RPC to one chain.
type Client struct {
	eth     *ethclient.Client
	chainID uint64
}

// Dial connects to the node at url (http, ws or ipc) and learns its chain.
func Dial(ctx context.Context, url string) (*Client, error) {
	eth, err := ethclient.DialContext(ctx, url)
	if err != nil {
		return nil, protocol.Errorf(protocol.Unavailable, "dial chain at %s: %w (check --chain-rpc)", url, err)
	}
	id, err := eth.ChainID(ctx)
	if err != nil {
		eth.Close()
		return nil, protocol.Errorf(protocol.Unavailable, "ask chain at %s for its id: %w (check --chain-rpc)", url, err)
	}
	if !id.IsUint64() {
		eth.Close()
		return nil, fmt.Errorf("chain id %s of %s does not fit 64 bits", id, url)
	}
	return &Client{eth: eth, chainID: id.Uint64()}, nil
}

// Close ends the connection.
func (c *Client) Close() { c.eth.Close() }

// ChainID identifies the chain.
func (c *Client) ChainID() uint64 { return c.chainID }

// Balance is what owner has on the chain, outside the escrow.
func (c *Client) Balance(ctx context.Context, owner common.Address) (protocol.Wei, error) {
	b, err := c.eth.BalanceAt(ctx, owner, nil)
	if err != nil {
		return protocol.Wei{}, explain("read balance", err)
	}
	return protocol.WeiFromBig(b)
}

// BlockNumber is the newest block.
func (c *Client) BlockNumber(ctx context.Context) (uint64, error) {
	n, err := c.eth.BlockNumber(ctx)
	return n, explain("read block number", err)
}

// BlockTime is the newest block's Unix second: chain time.
func (c *Client) BlockTime(ctx context.Context) (uint64, error) {
	h, err := c.eth.HeaderByNumber(ctx, nil)
	if err != nil {
		return 0, explain("read block time", err)
	}
	return h.Time, nil
}

// TxNonce is the number of transactions of owner that were mined: the first TxNonce still open.
func (c *Client) TxNonce(ctx context.Context, owner common.Address) (uint64, error) {
	n, err := c.eth.NonceAt(ctx, owner, nil)
	return n, explain("read transaction nonce", err)
}

// Receipt is what a mined transaction came to.
type Receipt struct {
	Tx    common.Hash
	Block uint64
	Cost  protocol.Wei // gas used × price
	logs  []*types.Log
}

// Receipt returns the receipt of a transaction and whether it was mined. A mined one that failed is a *Revert.
func (c *Client) Receipt(ctx context.Context, tx common.Hash) (Receipt, bool, error) {
	r, err := c.eth.TransactionReceipt(ctx, tx)
	if errors.Is(err, ethereum.NotFound) {
		return Receipt{}, false, nil
	}
	if err != nil {
		return Receipt{}, false, explain("read receipt", err)
	}
	out := Receipt{Tx: tx, logs: r.Logs}
	if r.BlockNumber != nil {
		out.Block = r.BlockNumber.Uint64()
	}
	if r.EffectiveGasPrice != nil {
		if out.Cost, err = protocol.WeiFromBig(new(big.Int).Mul(r.EffectiveGasPrice, new(big.Int).SetUint64(r.GasUsed))); err != nil {
			return Receipt{}, false, fmt.Errorf("receipt of %s: %w", tx, err)
		}
	}
	if r.Status != types.ReceiptStatusSuccessful {
		return out, true, &Revert{Doing: "mine " + tx.Hex(), Name: "Reverted"}
	}
	return out, true, nil
}

// Revert is the chain's own refusal: Name is the contract's error, Detail its arguments.
type Revert struct {
	Doing   string
	Name    string
	Detail  string
	Refusal Refusal // where Name is TicketRefused
}

// Error says what was refused and why.
func (r *Revert) Error() string {
	if r.Detail == "" {
		return r.Doing + ": refused by the chain: " + r.Name
	}
	return r.Doing + ": refused by the chain: " + r.Name + " " + r.Detail
}

// explain turns an RPC error into a *Revert when the contract spoke, else into protocol.Unavailable.
func explain(doing string, err error) error {
	if err == nil {
		return nil
	}
	var known *Revert
	if errors.As(err, &known) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w", doing, err)
	}
	var data rpc.DataError
	if errors.As(err, &data) {
		if hex, ok := data.ErrorData().(string); ok {
			if raw, decodeErr := hexutil.Decode(hex); decodeErr == nil && len(raw) >= 4 {
				return revert(doing, raw)
			}
		}
	}
	return protocol.Errorf(protocol.Unavailable, "%s: %w", doing, err)
}

func revert(doing string, raw []byte) *Revert {
	r := &Revert{Doing: doing, Name: "Reverted"}
	decoded, err := bindings.NewTicketEscrow().UnpackError(raw)
	if err != nil {
		return r
	}
	switch e := decoded.(type) {
	case *bindings.TicketEscrowTicketRefused:
		r.Name, r.Refusal = "TicketRefused", Refusal(e.Reason)
		r.Detail = r.Refusal.String()
	case *bindings.TicketEscrowInsufficientBalance:
		r.Name, r.Detail = "InsufficientBalance", fmt.Sprintf("escrow balance is %s wei, asked were %s", e.Balance, e.Amount)
	case *bindings.TicketEscrowInsufficientAllocation:
		r.Name, r.Detail = "InsufficientAllocation", fmt.Sprintf("allocation is %s wei, asked were %s", e.Allocation, e.Amount)
	case *bindings.TicketEscrowStillThawing:
		r.Name, r.Detail = "StillThawing", fmt.Sprintf("until Unix second %s", e.ThawEnd)
	case *bindings.TicketEscrowPaidBelowMinimum:
		r.Name, r.Detail = "PaidBelowMinimum", fmt.Sprintf("%s wei would be paid, at least %s were asked", e.Paid, e.MinTotal)
	default:
		r.Name = fmt.Sprintf("%T", decoded)
		if _, name, ok := cutLast(r.Name, "TicketEscrow"); ok {
			r.Name = name
		}
	}
	return r
}

func cutLast(s, sep string) (before, after string, found bool) {
	for i := len(s) - len(sep); i >= 0; i-- {
		if s[i:i+len(sep)] == sep {
			return s[:i], s[i+len(sep):], true
		}
	}
	return s, "", false
}
