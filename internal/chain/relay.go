package chain

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"

	"github.com/kinora/kinora/contracts/bindings"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
)

// NoGas says that an account has not the money that a transaction may cost. Nothing was signed or sent.
type NoGas struct {
	Doing      string
	Account    common.Address
	Have, Need protocol.Wei
}

// Error names both sides, and what to do.
func (n *NoGas) Error() string {
	return fmt.Sprintf("%s: account %s has %s wei on the chain, and its gas may cost %s: send it some", n.Doing, n.Account, n.Have, n.Need)
}

// IsNoGas reports that a transaction was not sent, or not taken by a node, since its account cannot pay for it.
func IsNoGas(err error) bool {
	var short *NoGas
	return errors.As(err, &short) || err != nil && strings.Contains(err.Error(), "insufficient funds") // nodes have no code for it
}

// affords checks what every node does before it takes a transaction: that the account has all that it may cost.
func (a *Account) affords(ctx context.Context, doing string, tx *types.DynamicFeeTx) error {
	if _, nothingIsSent := a.signer.(Rehearsal); nothingIsSent {
		return nil
	}
	have, err := a.client.Balance(ctx, a.Address())
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	need, err := protocol.WeiFromBig(new(big.Int).Add(tx.Value, new(big.Int).Mul(tx.GasFeeCap, new(big.Int).SetUint64(tx.Gas))))
	if err != nil || have.Less(need) {
		return &NoGas{Doing: doing, Account: a.Address(), Have: have, Need: need}
	}
	return nil
}

// PackRuns packs runs as redeemBatch and an order take them.
func PackRuns(runs []ticket.Run) ([]byte, error) {
	var packed []byte
	for _, r := range runs {
		b, err := ticket.EncodeRun(r)
		if err != nil {
			return nil, fmt.Errorf("redeem: %w", err)
		}
		packed = append(packed, b...)
	}
	return packed, nil
}

// OrderNonce is the number that the recipient's next order must have.
func (e *Escrow) OrderNonce(ctx context.Context, recipient common.Address) (uint64, error) {
	return call(ctx, e, "read order nonce", e.abi.PackOrderNonce(recipient), e.abi.UnpackOrderNonce)
}

// EstimateRedeem asks the chain what gas recipient would take to redeem packed runs now, at least minTotal wei of them: a
// *Revert says why it would not be paid. It discloses their rands.
func (e *Escrow) EstimateRedeem(ctx context.Context, recipient common.Address, packed []byte, minTotal protocol.Wei) (uint64, error) {
	call := ethereum.CallMsg{From: recipient, To: &e.address, Data: e.abi.PackRedeemBatch(packed, minTotal.Big())}
	gas, err := ask(ctx, e.client.nodes, func(ctx context.Context, eth *ethclient.Client) (uint64, error) { return eth.EstimateGas(ctx, call) })
	return gas, explain("try to redeem", err)
}

// RedeemFor carries out a recipient's order, unless check refuses what it is expected to cost.
func (e *Escrow) RedeemFor(ctx context.Context, a *Account, o ticket.RedeemOrder, sig protocol.Signature, packed []byte, check func(Prepared, Bill) error) (Prepared, error) {
	r, vs := ticket.CompactSignature(sig)
	return a.submit(ctx, "relay a redemption", &e.address, protocol.Wei{}, e.abi.PackRedeemFor(e.order(o), packed, r, vs), check, false)
}

// RedeemPacked is RedeemBatch of packed runs, without a minimum.
func (e *Escrow) RedeemPacked(ctx context.Context, a *Account, packed []byte) (Prepared, error) {
	return a.submit(ctx, "redeem", &e.address, protocol.Wei{}, e.abi.PackRedeemBatch(packed, new(big.Int)), nil, false)
}

// OrderDigest is what the contract says that a recipient signs.
func (e *Escrow) OrderDigest(ctx context.Context, o ticket.RedeemOrder) (common.Hash, error) {
	return call(ctx, e, "read order digest", e.abi.PackRedeemOrderDigest(e.order(o)), func(b []byte) (common.Hash, error) {
		return e.abi.UnpackRedeemOrderDigest(b)
	})
}

func (e *Escrow) order(o ticket.RedeemOrder) bindings.ITicketEscrowRedeemOrder {
	return bindings.ITicketEscrowRedeemOrder{Recipient: o.Recipient, RunsHash: o.RunsHash, MinTotal: o.MinTotal.Big(), Fee: o.Fee.Big(), To: o.To,
		OrderNonce: o.OrderNonce, Deadline: new(big.Int).SetUint64(o.Deadline)}
}

// CancelOrders withdraws every order that the account signed.
func (e *Escrow) CancelOrders(ctx context.Context, a *Account) (Receipt, error) {
	return a.send(ctx, "cancel orders", e.address, protocol.Wei{}, e.abi.PackCancelOrders())
}

// Relayed is an order that was carried out.
type Relayed struct {
	Recipient, Relayer common.Address
	OrderNonce         uint64
	Fee                protocol.Wei
	Block              uint64
	Tx                 common.Hash
}

// Relays lists the orders of a recipient that were carried out from a block on, up to some blocks after the chain second until.
func (e *Escrow) Relays(ctx context.Context, recipient common.Address, fromBlock, until uint64) (out []Relayed, err error) {
	topics := [][]common.Hash{{e.topic(bindings.TicketEscrowOrderRelayedEventName)}, {topicOf(recipient)}}
	head, err := e.client.BlockNumber(ctx)
	if err != nil {
		return nil, err
	}
	for from := fromBlock; from <= head; from += searchStep {
		if from > fromBlock { // whoever was away for long need not look through all of that time
			if h, err := e.client.HeadAt(ctx, from); err != nil || h.Time > until {
				return out, err
			}
		}
		logs, err := e.find(ctx, new(big.Int).SetUint64(from), new(big.Int).SetUint64(min(from+searchStep-1, head)), topics)
		if err != nil {
			return nil, err
		}
		found, err := each(logs, e.relayed)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// RelaysIn lists the orders that a transaction carried out.
func (e *Escrow) RelaysIn(r Receipt) (out []Relayed, err error) {
	for _, l := range r.logs {
		if l.Address == e.address && len(l.Topics) > 0 && l.Topics[0] == e.topic(bindings.TicketEscrowOrderRelayedEventName) {
			v, err := e.relayed(l)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
	}
	return out, nil
}

func (e *Escrow) relayed(l *types.Log) (Relayed, error) {
	v, err := e.abi.UnpackOrderRelayedEvent(l)
	if err != nil {
		return Relayed{}, fmt.Errorf("read OrderRelayed event: %w", err)
	}
	fee, err := protocol.WeiFromBig(v.Fee)
	return Relayed{Recipient: v.Recipient, Relayer: v.Relayer, OrderNonce: v.OrderNonce, Fee: fee, Block: l.BlockNumber, Tx: l.TxHash}, err
}

func topicOf(a common.Address) common.Hash { return common.BytesToHash(a[:]) }

func (e *Escrow) find(ctx context.Context, from, to *big.Int, topics [][]common.Hash) ([]*types.Log, error) {
	query := ethereum.FilterQuery{FromBlock: from, ToBlock: to, Addresses: []common.Address{e.address}, Topics: topics}
	logs, err := ask(ctx, e.client.nodes, func(ctx context.Context, eth *ethclient.Client) ([]types.Log, error) {
		return eth.FilterLogs(ctx, query)
	})
	if err != nil {
		return nil, explain("read events", err)
	}
	out := make([]*types.Log, len(logs))
	for i := range logs {
		out[i] = &logs[i]
	}
	return out, nil
}

// Passing is how a lane's watermark came to pass a ticket's nonce.
type Passing struct {
	Paid    bool // the ticket was among those paid
	Settled bool // its nonce was paid for by a settlement
	Tx      common.Hash
	Block   BlockID
}

// BlockID names a block.
type BlockID struct {
	Number uint64
	Hash   common.Hash
}

// searchStep is how many blocks are asked about at a time; many nodes answer no more.
const searchStep = 5_000

// Passed finds the event that took a lane past the nonce of a ticket, not before the chain second since, whoever sent its
// transaction. found is false while the node knows of none.
func (e *Escrow) Passed(ctx context.Context, t ticket.Signed, since uint64) (p Passing, found bool, err error) {
	crossing, err := e.crossing(ctx, t, since)
	if err != nil || crossing == nil {
		return p, false, err
	}
	p.Tx, p.Block = crossing.TxHash, BlockID{crossing.BlockNumber, crossing.BlockHash}
	if crossing.Topics[0] == e.topic(bindings.TicketEscrowPairSettledEventName) {
		v, err := e.abi.UnpackPairSettledEvent(crossing)
		if err != nil {
			return p, false, fmt.Errorf("read PairSettled event: %w", err)
		}
		p.Settled = v.FromNonce <= t.TicketNonce
		return p, true, nil
	}
	v, err := e.redeemed(crossing)
	if err != nil {
		return p, false, err
	}
	if p.Paid = v.LastNonce == t.TicketNonce; !p.Paid {
		p.Paid, err = e.paysTicket(ctx, p.Tx, t)
	}
	return p, err == nil, err
}

// crossing is the earliest event since then that left the lane's watermark at or above the ticket's nonce.
func (e *Escrow) crossing(ctx context.Context, t ticket.Signed, since uint64) (crossing *types.Log, err error) {
	topics := [][]common.Hash{{e.topic(bindings.TicketEscrowRedeemedEventName), e.topic(bindings.TicketEscrowPairSettledEventName)},
		{topicOf(t.Payer)}, {topicOf(t.Recipient)}}
	head, err := e.client.BlockNumber(ctx)
	if err != nil {
		return nil, err
	}
	for to := head; ; {
		from := to - min(to, searchStep-1)
		logs, err := e.find(ctx, new(big.Int).SetUint64(from), new(big.Int).SetUint64(to), topics)
		if err != nil {
			return nil, err
		}
		slices.SortFunc(logs, func(a, b *types.Log) int { // the newest first
			return cmp.Or(cmp.Compare(b.BlockNumber, a.BlockNumber), cmp.Compare(b.Index, a.Index))
		})
		for _, l := range logs {
			lane, last, err := e.watermarkOf(l)
			if err != nil {
				return nil, err
			}
			if lane != t.Lane {
				continue
			}
			if last < t.TicketNonce {
				return crossing, nil
			}
			crossing = l
		}
		if from == 0 {
			return crossing, nil
		}
		oldest, err := e.client.HeadAt(ctx, from)
		if err != nil || oldest.Time < since {
			return crossing, err
		}
		to = from - 1
	}
}

// watermarkOf is where a Redeemed or PairSettled event left its lane.
func (e *Escrow) watermarkOf(l *types.Log) (lane uint16, last uint64, err error) {
	if len(l.Topics) > 0 && l.Topics[0] == e.topic(bindings.TicketEscrowPairSettledEventName) {
		v, err := e.abi.UnpackPairSettledEvent(l)
		if err != nil {
			return 0, 0, fmt.Errorf("read PairSettled event: %w", err)
		}
		return v.Lane, v.ToNonce, nil
	}
	v, err := e.redeemed(l)
	return v.Lane, v.LastNonce, err
}

// paysTicket reports whether a transaction that took the ticket's lane past its nonce paid it: the ticket is in what was
// sent, and no run stopped at it or below.
func (e *Escrow) paysTicket(ctx context.Context, hash common.Hash, t ticket.Signed) (bool, error) {
	tx, err := ask(ctx, e.client.nodes, func(ctx context.Context, eth *ethclient.Client) (*types.Transaction, error) {
		tx, _, err := eth.TransactionByHash(ctx, hash)
		return tx, err
	})
	if err != nil {
		return false, explain("read transaction", err)
	}
	if !bytes.Contains(tx.Data(), t.Packed()) {
		return false, nil
	}
	receipt, mined, err := e.client.Receipt(ctx, hash)
	if err != nil {
		return false, err
	}
	if !mined {
		return false, protocol.Errorf(protocol.Unavailable, "the node has an event of transaction %s and not its receipt", hash)
	}
	_, stopped, err := e.Runs(receipt, t.Recipient)
	for _, s := range stopped {
		if s.Payer == t.Payer && s.Lane == t.Lane && s.TicketNonce <= t.TicketNonce {
			return false, err
		}
	}
	return err == nil, err
}
