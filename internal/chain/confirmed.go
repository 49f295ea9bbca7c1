package chain

import (
	"context"
	"math/big"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/ethclient"

	"github.com/kinora/kinora/internal/protocol"
)

// ConfirmedAllocation is what payer allocated to recipient, its credit no more than it was so many blocks ago: a reorg of
// fewer blocks does not take it away.
func (e *Escrow) ConfirmedAllocation(ctx context.Context, payer, recipient common.Address, blocks uint64) (Allocation, error) {
	now, err := e.Allocation(ctx, payer, recipient)
	if err != nil || blocks == 0 || now.Credit().IsZero() {
		return now, err
	}
	data, err := e.callBack(ctx, "read allocation", e.abi.PackAllocation(payer, recipient), blocks)
	if err != nil {
		return Allocation{}, err
	}
	var credit protocol.Wei
	if len(data) > 0 { // else the escrow itself is younger
		out, err := e.abi.UnpackAllocation(data)
		if err != nil {
			return Allocation{}, err
		}
		amount, err := protocol.WeiFromBig(out.Amount)
		if err != nil {
			return Allocation{}, err
		}
		thawing, err := protocol.WeiFromBig(out.Thawing)
		if err != nil {
			return Allocation{}, err
		}
		credit = amount.Sub(thawing)
	}
	now.Thawing = now.Amount.Sub(credit.Min(now.Credit()))
	return now, nil
}

// callBack asks the contract as it was so many blocks ago; an answer of no bytes says that it is younger.
func (e *Escrow) callBack(ctx context.Context, doing string, question []byte, blocks uint64) ([]byte, error) {
	head, err := e.client.BlockNumber(ctx)
	if err != nil {
		return nil, err
	}
	at := new(big.Int).SetUint64(head - min(head, blocks))
	data, err := ask(ctx, e.client.nodes, func(ctx context.Context, eth *ethclient.Client) ([]byte, error) {
		return eth.CallContract(ctx, ethereum.CallMsg{To: &e.address, Data: question}, at)
	})
	if err != nil {
		return nil, explain(doing, err)
	}
	return data, nil
}
