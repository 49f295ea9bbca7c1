package chain

import (
	"context"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/contracts/bindings"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
)

// Settle takes a settlement to the chain, for its recipient.
func (e *Escrow) Settle(ctx context.Context, a *Account, s ticket.Settlement, sig protocol.Signature) (Receipt, error) {
	r, vs := ticket.CompactSignature(sig)
	return a.send(ctx, "settle", e.address, protocol.Wei{}, e.abi.PackSettle(bindings.ITicketEscrowSettlement{Payer: s.Payer, Recipient: s.Recipient, Lane: s.Lane,
		FromNonce: s.FromNonce, ToNonce: s.ToNonce, Amount: s.Amount.Big(), Expiry: new(big.Int).SetUint64(s.Expiry)}, r, vs))
}

// ConfirmedWatermark is what a lane's watermark was so many blocks ago.
func (e *Escrow) ConfirmedWatermark(ctx context.Context, payer, recipient common.Address, lane uint16, blocks uint64) (uint64, error) {
	if blocks == 0 {
		return e.Watermark(ctx, payer, recipient, lane)
	}
	data, err := e.callBack(ctx, "read lane watermark", e.abi.PackLaneWatermark(payer, recipient, lane), blocks)
	if err != nil || len(data) == 0 {
		return 0, err
	}
	return e.abi.UnpackLaneWatermark(data)
}
