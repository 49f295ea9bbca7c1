package chain

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"

	"github.com/kinora/kinora/internal/protocol"
)

// nonces is what this process knows about an account's TxNonces, beside what the node says. It is under Account.mu.
type nonces struct {
	floor uint64              // everything below is used
	open  map[uint64]Prepared // sent, and not known to be mined
}

func (n *nonces) took(p Prepared) { n.open[p.TxNonce] = p }

// Known tells the account what a durable record says: the TxNonces below floor are used, and sent are transactions that are
// not known to be mined. What this process learned otherwise about higher ones stays.
func (a *Account) Known(floor uint64, sent []Prepared) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.nonces.floor = floor // lower than before when blocks were taken back
	for _, p := range sent {
		a.nonces.took(p)
	}
}

// nextNonce is the first TxNonce that nobody uses: neither the chain, nor, whatever the node says, this process and its
// records.
func (a *Account) nextNonce(ctx context.Context) (uint64, error) {
	mined, pending, err := a.counts(ctx)
	if err != nil {
		return 0, err
	}
	next := max(mined, a.nonces.floor)
	for n := range a.nonces.open {
		if n < next {
			delete(a.nonces.open, n)
		}
	}
	for taken := true; taken; {
		if _, taken = a.nonces.open[next]; taken {
			next++
		}
	}
	if _, ours := a.nonces.open[pending]; pending > next && !ours { // another program's transactions of this key wait there
		next = pending
	}
	return next, nil
}

func (a *Account) counts(ctx context.Context) (mined, pending uint64, err error) {
	if mined, err = ask(ctx, a.client.nodes, func(ctx context.Context, eth *ethclient.Client) (uint64, error) {
		return eth.NonceAt(ctx, a.Address(), nil)
	}); err != nil {
		return 0, 0, err
	}
	pending, err = ask(ctx, a.client.nodes, func(ctx context.Context, eth *ethclient.Client) (uint64, error) {
		return eth.PendingNonceAt(ctx, a.Address())
	})
	return mined, pending, err
}

// fillGas is what a transfer takes.
const fillGas = 21_000

// Fill sends a transfer of nothing to the account itself with a TxNonce that no transaction has and later ones wait behind.
// It does nothing, and says so, if the node knows a transaction there.
func (a *Account) Fill(ctx context.Context, nonce uint64) (filled bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	mined, pending, err := a.counts(ctx)
	if err != nil {
		return false, explain("fill TxNonce", err)
	}
	if mined != nonce || pending != nonce {
		return false, nil
	}
	if p := a.nonces.open[nonce]; len(p.Raw) > 0 { // else another process had it, and gave it up
		return true, a.Broadcast(ctx, p.Raw)
	}
	price, err := a.price(ctx)
	if err != nil {
		return false, explain("fill TxNonce", err)
	}
	to := a.Address()
	_, err = a.finish(ctx, fmt.Sprintf("fill TxNonce %d", nonce), &types.DynamicFeeTx{ChainID: new(big.Int).SetUint64(a.client.chainID), Nonce: nonce,
		GasTipCap: price.tip, GasFeeCap: price.cap, Gas: fillGas, To: &to, Value: protocol.Wei{}.Big()}, Bill{}, nil)
	return err == nil, err
}
