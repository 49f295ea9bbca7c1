package chain

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"

	"github.com/kinora/kinora/contracts/bindings"
	"github.com/kinora/kinora/internal/protocol"
)

// Account sends transactions of one key, one at a time up to their broadcast, so that each gets the next TxNonce. Give a
// process one Account per key; several processes that share a key share a Journal.
type Account struct {
	client *Client
	signer protocol.Signer
	fees   Fees
	mu     sync.Mutex // held from choosing a TxNonce to broadcasting it
	nonces nonces
	shared Journal // nil: no other process has this account
}

// Fees bound what an account pays for gas. Zero: no bound.
type Fees struct {
	MaxPerGas protocol.Wei // base fee and tip together
	MaxTip    protocol.Wei
}

// TransactionSigner is a signer that wants to see the whole transaction, as clef does. Any other protocol.Signer, such as
// one over a key service, gets its digest.
type TransactionSigner interface {
	SignTransaction(ctx context.Context, tx *types.Transaction, chainID *big.Int) (*types.Transaction, error)
}

// NewAccount makes the account of signer's key on c's chain.
func NewAccount(c *Client, signer protocol.Signer) *Account {
	return &Account{client: c, signer: signer, nonces: nonces{open: map[uint64]Prepared{}}}
}

// WithFees bounds what the account pays; call it before the account is used.
func (a *Account) WithFees(f Fees) *Account {
	a.fees = f
	return a
}

// SharedBy lets processes that have one Journal take TxNonces one after another; call it before the account is used.
func (a *Account) SharedBy(j Journal) *Account {
	a.shared = j
	return a
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
	p, err := a.submit(ctx, "deploy escrow", nil, protocol.Wei{}, data, nil, false)
	if err != nil {
		return common.Address{}, Receipt{}, err
	}
	r, err := a.await(ctx, p)
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
	return a.await(ctx, Prepared{Tx: tx})
}

// AwaitSent is Await of a transaction that is sent again from time to time, since a node may have dropped it.
func (a *Account) AwaitSent(ctx context.Context, p Prepared) (Receipt, error) { return a.await(ctx, p) }

// await also sends p's bytes again from time to time, since a node may have dropped them, and gives up when another
// transaction has taken their TxNonce.
func (a *Account) await(ctx context.Context, p Prepared) (Receipt, error) {
	failed := func(err error) (Receipt, error) {
		return Receipt{}, fmt.Errorf("wait for transaction %s: %w", p.Tx, err)
	}
	pause := 50 * time.Millisecond
	again := time.Now().Add(resendEvery)
	overtaken := 0
	for {
		r, mined, err := a.client.Receipt(ctx, p.Tx)
		var refused *Revert
		if mined || errors.As(err, &refused) {
			// A node may have a receipt a moment before the state that the next transaction is judged by.
			if head, behind := a.client.BlockNumber(ctx); behind != nil || head >= r.Block {
				return r, err
			}
			err = nil
		}
		if err == nil && len(p.Raw) > 0 && time.Now().After(again) {
			again = time.Now().Add(resendEvery)
			used, err := a.client.TxNonce(ctx, a.Address())
			switch {
			case err != nil:
			case used <= p.TxNonce:
				_ = a.Broadcast(ctx, p.Raw) // tried again
			default: // its receipt may be on its way, or the node behind: three times is no accident
				if overtaken++; overtaken == 3 {
					return failed(protocol.Errorf(protocol.Unavailable, "another transaction of %s took its TxNonce %d; nothing was done: try again", a.Address(), p.TxNonce))
				}
			}
		}
		select {
		case <-ctx.Done():
			return failed(ctx.Err())
		case <-time.After(pause):
		}
		pause = min(2*pause, time.Second)
	}
}

const resendEvery = 5 * time.Second

// Broadcast sends a prepared transaction again; one the chain knows already, mined or not, is no error.
func (a *Account) Broadcast(ctx context.Context, raw []byte) error {
	var tx types.Transaction
	if err := tx.UnmarshalBinary(raw); err != nil {
		return fmt.Errorf("broadcast: %w", err)
	}
	err := a.client.nodes.send(ctx, &tx)
	if err != nil && isKnown(err) {
		return nil
	}
	return explain("broadcast transaction", err)
}

func (a *Account) send(ctx context.Context, doing string, to common.Address, value protocol.Wei, data []byte) (Receipt, error) {
	p, err := a.submit(ctx, doing, &to, value, data, nil, false)
	if err != nil {
		return Receipt{}, err
	}
	r, err := a.await(ctx, p)
	if err != nil {
		return r, fmt.Errorf("%s: %w", doing, err)
	}
	return r, nil
}

// submit estimates, signs, hands the transaction to stored (which may make it durable, and then it is kept, or refuse it) and
// broadcasts it.
func (a *Account) submit(ctx context.Context, doing string, to *common.Address, value protocol.Wei, data []byte, stored func(Prepared, Bill) error, kept bool) (Prepared, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	gas, err := ask(ctx, a.client.nodes, func(ctx context.Context, eth *ethclient.Client) (uint64, error) {
		return eth.EstimateGas(ctx, ethereum.CallMsg{From: a.Address(), To: to, Value: value.Big(), Data: data})
	})
	if err != nil {
		return Prepared{}, explain(doing, err)
	}
	price, err := a.price(ctx)
	if err != nil {
		return Prepared{}, explain(doing, err)
	}
	return a.next(ctx, doing, !kept, func() (Prepared, error) {
		nonce, err := a.nextNonce(ctx)
		if err != nil {
			return Prepared{}, explain(doing, err)
		}
		p, err := a.prepare(ctx, doing, &types.DynamicFeeTx{ChainID: new(big.Int).SetUint64(a.client.chainID), Nonce: nonce, GasTipCap: price.tip,
			GasFeeCap: price.cap, Gas: gasLimit(gas), To: to, Value: value.Big(), Data: data}, Bill{Gas: gas, Expected: price.expected(gas)}, stored)
		if err == nil && kept {
			a.nonces.took(p) // written down: it will be sent, if not now
		}
		return p, err
	})
}

// Speed signs the transaction in raw again with the same TxNonce and higher fees, hands it to stored and broadcasts it: the
// chain mines one of the two. It costs at most limit (zero: no bound, but the account's), else the error is a *TooDear.
func (a *Account) Speed(ctx context.Context, raw []byte, limit protocol.Wei, stored func(Prepared) error) (Prepared, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var old types.Transaction
	if err := old.UnmarshalBinary(raw); err != nil {
		return Prepared{}, fmt.Errorf("speed up: %w", err)
	}
	price, err := a.price(ctx)
	if err != nil {
		return Prepared{}, explain("speed up", err)
	}
	tip, cap := bumped(old.GasTipCap(), price.tip), bumped(old.GasFeeCap(), price.cap)
	if most := a.fees.MaxPerGas.Big(); most.Sign() > 0 && cap.Cmp(most) > 0 {
		return Prepared{}, &TooDear{Doing: "speed up", Would: cap, Most: most}
	}
	if cost, most := new(big.Int).Mul(cap, new(big.Int).SetUint64(old.Gas())), limit.Big(); most.Sign() > 0 && cost.Cmp(most) > 0 {
		return Prepared{}, &TooDear{Doing: "speed up", Would: cost, Most: most, Whole: true}
	}
	return a.finish(ctx, "speed up", &types.DynamicFeeTx{ChainID: old.ChainId(), Nonce: old.Nonce(), GasTipCap: tip, GasFeeCap: cap,
		Gas: old.Gas(), To: old.To(), Value: old.Value(), Data: old.Data()}, Bill{}, func(p Prepared, _ Bill) error { return stored(p) })
}

// bumped is a quarter more than old, or now if that is more. Nodes want at least a tenth more of both fees.
func bumped(old, now *big.Int) *big.Int {
	more := new(big.Int).Div(new(big.Int).Mul(old, big.NewInt(125)), big.NewInt(100))
	more.Add(more, common.Big1)
	if more.Cmp(now) < 0 {
		return now
	}
	return more
}

// finish prepares a transaction whose TxNonce is given, and broadcasts it.
func (a *Account) finish(ctx context.Context, doing string, inner *types.DynamicFeeTx, bill Bill, stored func(Prepared, Bill) error) (Prepared, error) {
	p, err := a.prepare(ctx, doing, inner, bill, stored)
	if err != nil {
		return p, err
	}
	if stored != nil {
		a.nonces.took(p) // written down: it will be sent, if not now
	}
	return p, a.broadcast(ctx, doing, p)
}

// prepare signs, and hands the transaction to stored, if it is not nil.
func (a *Account) prepare(ctx context.Context, doing string, inner *types.DynamicFeeTx, bill Bill, stored func(Prepared, Bill) error) (Prepared, error) {
	if err := a.affords(ctx, doing, inner); err != nil {
		return Prepared{}, err
	}
	tx, err := a.sign(ctx, types.NewTx(inner))
	if err != nil {
		return Prepared{}, fmt.Errorf("%s: sign: %w", doing, err)
	}
	raw, err := tx.MarshalBinary()
	if err != nil {
		return Prepared{}, fmt.Errorf("%s: %w", doing, err)
	}
	p := Prepared{Tx: tx.Hash(), TxNonce: inner.Nonce, Raw: raw}
	if stored != nil {
		if err := stored(p, bill); err != nil {
			return Prepared{}, fmt.Errorf("%s: %w", doing, err)
		}
	}
	return p, nil
}

// A node's pool may take a moment to see the money that a block just brought.
const (
	poolTries = 20
	poolPause = 100 * time.Millisecond
)

// broadcast sends a transaction that the account was found to afford.
func (a *Account) broadcast(ctx context.Context, doing string, p Prepared) error {
	var tx types.Transaction
	if err := tx.UnmarshalBinary(p.Raw); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	for try := 1; ; try++ {
		err := a.client.nodes.send(ctx, &tx)
		if err == nil || isKnown(err) {
			break
		}
		if !IsNoGas(err) || try == poolTries {
			return explain(doing, err)
		}
		select {
		case <-ctx.Done():
			return explain(doing, err)
		case <-time.After(poolPause):
		}
	}
	a.nonces.took(p)
	return nil
}

// sign asks the signer for its kind of signature, and believes only what recovers to the account.
func (a *Account) sign(ctx context.Context, tx *types.Transaction) (*types.Transaction, error) {
	chainID := new(big.Int).SetUint64(a.client.chainID)
	rules := types.LatestSignerForChainID(chainID)
	var signed *types.Transaction
	if s, ok := a.signer.(TransactionSigner); ok {
		var err error
		if signed, err = s.SignTransaction(ctx, tx, chainID); err != nil {
			return nil, err
		}
	} else {
		sig, err := a.signer.SignDigest(rules.Hash(tx))
		if err != nil {
			return nil, err
		}
		sig[64] -= 27
		if signed, err = tx.WithSignature(rules, sig[:]); err != nil {
			return nil, err
		}
	}
	if rules.Hash(signed) != rules.Hash(tx) {
		return nil, errors.New("the signer changed the transaction; allow it as it is, or refuse it")
	}
	if from, err := types.Sender(rules, signed); err != nil || from != a.Address() {
		return nil, fmt.Errorf("the signer signed for %s, not for %s: %w", from, a.Address(), protocol.ErrSignature)
	}
	return signed, nil
}
