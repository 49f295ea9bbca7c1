package chain

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/kinora/kinora/contracts/bindings"
	"github.com/kinora/kinora/internal/protocol"
)

// Account sends transactions of one key, one at a time up to their broadcast, so that each gets the next TxNonce. Give a
// process one Account per key.
type Account struct {
	client *Client
	signer *protocol.KeySigner
	mu     sync.Mutex // held from choosing a TxNonce to broadcasting it
}

// NewAccount makes the account of signer's key on c's chain.
func NewAccount(c *Client, signer *protocol.KeySigner) *Account {
	return &Account{client: c, signer: signer}
}

// Address is the account's.
func (a *Account) Address() common.Address { return a.signer.Address() }

// Client is the chain it is on.
func (a *Account) Client() *Client { return a.client }

// Prepared is a signed transaction: broadcast as the same bytes however often, it is mined at most once.
type Prepared struct {
	Tx      common.Hash
	TxNonce uint64
	Raw     []byte
}

// Deploy puts a ticket escrow of the chain's own asset, with this thaw period and nobody who may pause it, on the chain.
func (a *Account) Deploy(ctx context.Context, thaw time.Duration) (common.Address, Receipt, error) {
	b := bindings.NewTicketEscrow()
	data := append(common.FromHex(bindings.TicketEscrowMetaData.Bin), b.PackConstructor(common.Address{}, big.NewInt(int64(thaw/time.Second)), common.Address{})...)
	p, err := a.submit(ctx, "deploy escrow", nil, protocol.Wei{}, data, nil)
	if err != nil {
		return common.Address{}, Receipt{}, err
	}
	r, err := a.Await(ctx, p.Tx)
	if err != nil {
		return common.Address{}, r, fmt.Errorf("deploy escrow: %w", err)
	}
	return createdAddress(a.Address(), p.TxNonce), r, nil
}

// Transfer sends amount wei of the account's own to another.
func (a *Account) Transfer(ctx context.Context, to common.Address, amount protocol.Wei) (Receipt, error) {
	return a.send(ctx, "transfer", to, amount, nil)
}

// Await waits until the transaction is mined. One that failed is a *Revert.
func (a *Account) Await(ctx context.Context, tx common.Hash) (Receipt, error) {
	pause := 50 * time.Millisecond
	for {
		r, mined, err := a.client.Receipt(ctx, tx)
		var refused *Revert
		if mined || errors.As(err, &refused) {
			return r, err
		}
		if err != nil && ctx.Err() != nil {
			return Receipt{}, fmt.Errorf("wait for transaction %s: %w", tx, ctx.Err())
		}
		select {
		case <-ctx.Done():
			return Receipt{}, fmt.Errorf("wait for transaction %s: %w", tx, ctx.Err())
		case <-time.After(pause):
		}
		pause = min(2*pause, time.Second)
	}
}

// Broadcast sends a prepared transaction again; one the chain knows already, mined or not, is no error.
func (a *Account) Broadcast(ctx context.Context, raw []byte) error {
	var tx types.Transaction
	if err := tx.UnmarshalBinary(raw); err != nil {
		return fmt.Errorf("broadcast: %w", err)
	}
	err := a.client.eth.SendTransaction(ctx, &tx)
	if err != nil && (strings.Contains(err.Error(), "already known") || strings.Contains(err.Error(), "already imported") ||
		strings.Contains(err.Error(), "nonce too low")) { // nodes have no codes for these
		return nil
	}
	return explain("broadcast transaction", err)
}

func (a *Account) send(ctx context.Context, doing string, to common.Address, value protocol.Wei, data []byte) (Receipt, error) {
	p, err := a.submit(ctx, doing, &to, value, data, nil)
	if err != nil {
		return Receipt{}, err
	}
	r, err := a.Await(ctx, p.Tx)
	if err != nil {
		return r, fmt.Errorf("%s: %w", doing, err)
	}
	return r, nil
}

// submit estimates, signs, hands the transaction to stored (which may make it durable, or refuse it) and broadcasts it.
func (a *Account) submit(ctx context.Context, doing string, to *common.Address, value protocol.Wei, data []byte, stored func(Prepared) error) (Prepared, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	eth := a.client.eth
	gas, err := eth.EstimateGas(ctx, ethereum.CallMsg{From: a.Address(), To: to, Value: value.Big(), Data: data})
	if err != nil {
		return Prepared{}, explain(doing, err)
	}
	nonce, err := eth.PendingNonceAt(ctx, a.Address())
	if err != nil {
		return Prepared{}, explain(doing, err)
	}
	tip, cap, err := a.fees(ctx)
	if err != nil {
		return Prepared{}, explain(doing, err)
	}
	return a.finish(ctx, doing, &types.DynamicFeeTx{ChainID: new(big.Int).SetUint64(a.client.chainID), Nonce: nonce, GasTipCap: tip,
		GasFeeCap: cap, Gas: gas + gas/4, To: to, Value: value.Big(), Data: data}, stored)
}

// Speed signs the transaction in raw again with the same TxNonce and higher fees, hands it to stored and broadcasts it:
// the chain mines one of the two.
func (a *Account) Speed(ctx context.Context, raw []byte, stored func(Prepared) error) (Prepared, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var old types.Transaction
	if err := old.UnmarshalBinary(raw); err != nil {
		return Prepared{}, fmt.Errorf("speed up: %w", err)
	}
	tip, cap, err := a.fees(ctx)
	if err != nil {
		return Prepared{}, explain("speed up", err)
	}
	// Nodes want at least a tenth more of both.
	more := func(x, floor *big.Int) *big.Int {
		y := new(big.Int).Div(new(big.Int).Mul(x, big.NewInt(125)), big.NewInt(100))
		y.Add(y, common.Big1)
		if y.Cmp(floor) < 0 {
			return floor
		}
		return y
	}
	return a.finish(ctx, "speed up", &types.DynamicFeeTx{ChainID: old.ChainId(), Nonce: old.Nonce(), GasTipCap: more(old.GasTipCap(), tip),
		GasFeeCap: more(old.GasFeeCap(), cap), Gas: old.Gas(), To: old.To(), Value: old.Value(), Data: old.Data()}, stored)
}

func (a *Account) finish(ctx context.Context, doing string, inner *types.DynamicFeeTx, stored func(Prepared) error) (Prepared, error) {
	tx, err := types.SignNewTx(a.signer.Key(), types.LatestSignerForChainID(inner.ChainID), inner)
	if err != nil {
		return Prepared{}, fmt.Errorf("%s: sign: %w", doing, err)
	}
	raw, err := tx.MarshalBinary()
	if err != nil {
		return Prepared{}, fmt.Errorf("%s: %w", doing, err)
	}
	p := Prepared{Tx: tx.Hash(), TxNonce: inner.Nonce, Raw: raw}
	if stored != nil {
		if err := stored(p); err != nil {
			return Prepared{}, fmt.Errorf("%s: %w", doing, err)
		}
	}
	if err := a.client.eth.SendTransaction(ctx, tx); err != nil {
		return p, explain(doing, err)
	}
	return p, nil
}

// fees are EIP-1559's: the node's tip, and room for the base fee to double.
func (a *Account) fees(ctx context.Context) (tip, feeCap *big.Int, err error) {
	if tip, err = a.client.eth.SuggestGasTipCap(ctx); err != nil {
		return nil, nil, err
	}
	head, err := a.client.eth.HeaderByNumber(ctx, nil)
	if err != nil {
		return nil, nil, err
	}
	if head.BaseFee == nil {
		return nil, nil, errors.New("the chain has no base fee (EIP-1559 is needed)")
	}
	feeCap = new(big.Int).Mul(head.BaseFee, common.Big2)
	return tip, feeCap.Add(feeCap, tip), nil
}
