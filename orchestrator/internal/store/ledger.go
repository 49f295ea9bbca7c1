package store

import (
	"context"

	"github.com/ethereum/go-ethereum/common"
	"github.com/jackc/pgx/v5"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/protocol"
)

// tickets is the Ledger over package payment.
type tickets struct{ payer *payment.Payer }

// Tickets makes the Ledger of a payer and of the recipient tables in the same database.
func Tickets(payer *payment.Payer) Ledger { return tickets{payer} }

// Pay is Ledger's.
func (l tickets) Pay(ctx context.Context, tx payment.Tx, transcoder common.Address, stream string, attempt protocol.ID, fee protocol.Wei) error {
	_, err := l.payer.PayTx(ctx, tx, payment.Order{Recipient: transcoder, Stream: stream, Attempt: attempt, Fee: fee})
	return err
}

// Reject is Ledger's.
func (l tickets) Reject(ctx context.Context, tx payment.Tx, transcoder common.Address, stream string, attempt protocol.ID, code protocol.Code, detail string) error {
	return l.payer.RejectTx(ctx, tx, payment.Order{Recipient: transcoder, Stream: stream, Attempt: attempt}, code, detail)
}

// Owe is Ledger's; tx is always the pgx.Tx of Settle.
func (l tickets) Owe(ctx context.Context, tx payment.Tx, payer common.Address, stream string, attempt protocol.ID, fee protocol.Wei) error {
	return pgstore.OweTx(ctx, tx.(pgx.Tx), payment.Owed{Payer: payer, Attempt: attempt, Stream: stream, Fee: fee})
}
