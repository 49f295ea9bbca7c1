package chain

import (
	"context"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/contracts/bindings"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
)

// IsFlagged reports a payer that was proven on chain to have signed two tickets of one nonce: it allocates nothing more.
func (e *Escrow) IsFlagged(ctx context.Context, payer common.Address) (bool, error) {
	return call(ctx, e, "read whether a payer is flagged", e.abi.PackIsFlagged(payer), e.abi.UnpackIsFlagged)
}

// Flag shows two different tickets of one nonce to the chain, which flags their payer for good.
func (e *Escrow) Flag(ctx context.Context, a *Account, one, two ticket.Signed) (Receipt, error) {
	r1, vs1 := one.Compact()
	r2, vs2 := two.Compact()
	return a.send(ctx, "flag payer", e.address, protocol.Wei{}, e.abi.PackFlagEquivocation(asBound(one), r1, vs1, asBound(two), r2, vs2))
}

func asBound(t ticket.Signed) bindings.ITicketEscrowTicket {
	return bindings.ITicketEscrowTicket{Payer: t.Payer, Recipient: t.Recipient, Lane: t.Lane, Nonce: t.TicketNonce, FaceValue: t.FaceValue.Big(),
		WinProb: t.WinProb, Expiry: new(big.Int).SetUint64(t.Expiry), RecipientRandHash: t.RecipientRandHash, Salt: t.Salt}
}
