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
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/kinora/kinora/contracts/bindings"
	"github.com/kinora/kinora/internal/protocol"
)

// Client speaks JSON-RPC to one chain, over one node or several.
type Client struct {
	nodes   *endpoints
	chainID uint64
}

// Option changes how Dial goes about it.
type Option func(*options)

type options struct{ timeout time.Duration }

// CallTimeout bounds each call to each node; without it, 10 seconds.
func CallTimeout(d time.Duration) Option { return func(o *options) { o.timeout = d } }

// Dial connects to the chain over the node at url (http, ws or ipc), or over several, separated by commas, the preferred
// first. Questions go to the first that answers and is not behind the others, transactions to all. One of them must answer
// now.
func Dial(ctx context.Context, url string, change ...Option) (*Client, error) {
	o := options{timeout: callTimeout}
	for _, c := range change {
		c(&o)
	}
	nodes, err := dialEndpoints(ctx, url, o.timeout)
	if err != nil {
		return nil, err
	}
	return &Client{nodes: nodes, chainID: nodes.chainID}, nil
}

// Close ends the connections.
func (c *Client) Close() { c.nodes.close() }

// ChainID identifies the chain.
func (c *Client) ChainID() uint64 { return c.chainID }

// Nodes is how each node is seen now, the preferred first.
func (c *Client) Nodes() []EndpointHealth { return c.nodes.health(time.Now()) }

// Balance is what owner has on the chain, outside the escrow.
func (c *Client) Balance(ctx context.Context, owner common.Address) (protocol.Wei, error) {
	b, err := ask(ctx, c.nodes, func(ctx context.Context, eth *ethclient.Client) (*big.Int, error) {
		return eth.BalanceAt(ctx, owner, nil)
	})
	if err != nil {
		return protocol.Wei{}, explain("read balance", err)
	}
	return protocol.WeiFromBig(b)
}

// BlockNumber is the newest block.
func (c *Client) BlockNumber(ctx context.Context) (uint64, error) {
	n, err := ask(ctx, c.nodes, func(ctx context.Context, eth *ethclient.Client) (uint64, error) { return eth.BlockNumber(ctx) })
	return n, explain("read block number", err)
}

// Head is a block as far as money is concerned.
type Head struct {
	Number  uint64
	Time    uint64       // Unix seconds: chain time
	BaseFee protocol.Wei // wei per gas
}

// Head is the newest block.
func (c *Client) Head(ctx context.Context) (Head, error) { return c.head(ctx, nil) }

// HeadAt is the block of a number.
func (c *Client) HeadAt(ctx context.Context, number uint64) (Head, error) {
	return c.head(ctx, new(big.Int).SetUint64(number))
}

func (c *Client) head(ctx context.Context, number *big.Int) (Head, error) {
	h, err := ask(ctx, c.nodes, func(ctx context.Context, eth *ethclient.Client) (*types.Header, error) {
		return eth.HeaderByNumber(ctx, number)
	})
	if err != nil {
		return Head{}, explain("read block", err)
	}
	if h.BaseFee == nil {
		return Head{}, errors.New("the chain has no base fee (EIP-1559 is needed)")
	}
	fee, err := protocol.WeiFromBig(h.BaseFee)
	return Head{Number: h.Number.Uint64(), Time: h.Time, BaseFee: fee}, err
}

// BlockTime is the newest block's Unix second: chain time.
func (c *Client) BlockTime(ctx context.Context) (uint64, error) {
	h, err := c.Head(ctx)
	return h.Time, err
}

// TxNonce is the number of transactions of owner that were mined: the first TxNonce still open.
func (c *Client) TxNonce(ctx context.Context, owner common.Address) (uint64, error) {
	return c.txNonce(ctx, owner, nil)
}

// TxNonceAt is TxNonce as of a block.
func (c *Client) TxNonceAt(ctx context.Context, owner common.Address, block uint64) (uint64, error) {
	return c.txNonce(ctx, owner, new(big.Int).SetUint64(block))
}

func (c *Client) txNonce(ctx context.Context, owner common.Address, block *big.Int) (uint64, error) {
	n, err := ask(ctx, c.nodes, func(ctx context.Context, eth *ethclient.Client) (uint64, error) {
		return eth.NonceAt(ctx, owner, block)
	})
	return n, explain("read transaction nonce", err)
}

// call asks the newest block.
func (c *Client) call(ctx context.Context, m ethereum.CallMsg) ([]byte, error) {
	return ask(ctx, c.nodes, func(ctx context.Context, eth *ethclient.Client) ([]byte, error) { return eth.CallContract(ctx, m, nil) })
}

// Receipt is what a mined transaction came to.
type Receipt struct {
	Tx        common.Hash
	Block     uint64
	BlockHash common.Hash
	Cost      protocol.Wei // gas used × price
	logs      []*types.Log
}

// Receipt returns the receipt of a transaction and whether it was mined. A mined one that failed is a *Revert.
func (c *Client) Receipt(ctx context.Context, tx common.Hash) (Receipt, bool, error) {
	r, err := askEvery(ctx, c.nodes, func(ctx context.Context, eth *ethclient.Client) (*types.Receipt, error) {
		return eth.TransactionReceipt(ctx, tx)
	})
	if errors.Is(err, ethereum.NotFound) {
		return Receipt{}, false, nil
	}
	if err != nil {
		return Receipt{}, false, explain("read receipt", err)
	}
	out := Receipt{Tx: tx, BlockHash: r.BlockHash, logs: r.Logs}
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
	var dear *TooDear
	if errors.As(err, &known) || errors.As(err, &dear) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
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
		decoded, err = bindings.NewServiceRegistry().UnpackError(raw)
	}
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
	case *bindings.TicketEscrowSessionCapExceeded:
		r.Name, r.Detail = "SessionCapExceeded", fmt.Sprintf("the session key may allocate %s wei more today (UTC), asked were %s", e.Left, e.Amount)
	case *bindings.TicketEscrowSessionInvalid:
		r.Name, r.Detail = "SessionInvalid", fmt.Sprintf("%s may not sign for %s, or no longer", e.Signer, e.Payer)
	case *bindings.TicketEscrowOrderNonceWrong:
		r.Name, r.Detail = "OrderNonceWrong", fmt.Sprintf("the next order of this recipient has number %d", e.Expected)
	case *bindings.TicketEscrowPaidBelowMinimum:
		r.Name, r.Detail = "PaidBelowMinimum", fmt.Sprintf("%s wei would be paid, at least %s were asked", e.Paid, e.MinTotal)
	case *bindings.ServiceRegistryNotRegistered:
		r.Name, r.Detail = "NotRegistered", fmt.Sprintf("%s is not in the registry", e.Account)
	case *bindings.ServiceRegistryUriTooLong:
		r.Name, r.Detail = "UriTooLong", fmt.Sprintf("the URI has %s bytes", e.Length)
	default:
		r.Name = fmt.Sprintf("%T", decoded)
		for _, contract := range []string{"TicketEscrow", "ServiceRegistry"} {
			if _, name, ok := cutLast(r.Name, contract); ok {
				r.Name = name
			}
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
