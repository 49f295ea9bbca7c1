package chain

import (
	"context"
	"math/big"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

// ConfirmedAllocation is what payer allocated to recipient, its credit no more than it was so many blocks ago: a reorg of
// fewer blocks does not take it away.
func (e *Escrow) ConfirmedAllocation(ctx context.Context, payer, recipient common.Address, blocks uint64) (Allocation, error) {
	now, err := e.Allocation(ctx, payer, recipient)
	if err != nil || blocks == 0 || now.Credit().IsZero() {
		return now, err
	}
	head, err := e.client.BlockNumber(ctx)
	if err != nil {
		return Allocation{}, err
	}
	at := new(big.Int).SetUint64(head - min(head, blocks))
	data, err := e.client.eth.CallContract(ctx, ethereum.CallMsg{To: &e.address, Data: e.abi.PackAllocation(payer, recipient)}, at)
	if err != nil {
		return Allocation{}, explain("read allocation", err)
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

// GasPrice is what a unit of gas costs in the newest block: base fee and the node's tip.
func (c *Client) GasPrice(ctx context.Context) (protocol.Wei, error) {
	head, err := c.eth.HeaderByNumber(ctx, nil)
	if err != nil {
		return protocol.Wei{}, explain("read gas price", err)
	}
	price, err := c.eth.SuggestGasTipCap(ctx)
	if err != nil {
		return protocol.Wei{}, explain("read gas price", err)
	}
	if head.BaseFee != nil {
		price = new(big.Int).Add(price, head.BaseFee)
	}
	return protocol.WeiFromBig(price)
}
