package payment

import (
	"context"
	"errors"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

var errSkeleton = errors.New("payment: being written")

type Store interface{}
type PayerStore interface{}
type Recipient struct{}
type Payer struct{}

func NewRecipient(c RecipientConfig, store Store, escrow Escrow) *Recipient { return &Recipient{} }
func (r *Recipient) Run(ctx context.Context) error                          { return errSkeleton }
func (r *Recipient) Params(ctx context.Context, payer common.Address, stream string, maxFee protocol.Wei) (protocol.Signed[protocol.TicketParams], error) {
	return protocol.Signed[protocol.TicketParams]{}, errSkeleton
}

// ParamsAt is Params for segments whose usual fee is below maxFee: the face value covers maxFee and is about multiple × usualFee.
func (r *Recipient) ParamsAt(ctx context.Context, payer common.Address, stream string, maxFee, usualFee protocol.Wei) (protocol.Signed[protocol.TicketParams], error) {
	return protocol.Signed[protocol.TicketParams]{}, errSkeleton
}
func (r *Recipient) Admit(ctx context.Context, payer common.Address, attempt protocol.ID, budget protocol.Wei) (release func(), err error) {
	return nil, errSkeleton
}
func (r *Recipient) Owe(ctx context.Context, o Owed) error                  { return errSkeleton }
func (r *Recipient) Forgive(ctx context.Context, attempt protocol.ID) error { return errSkeleton }
func (r *Recipient) Accept(ctx context.Context, d Delivery) (DeliveryAnswer, error) {
	return DeliveryAnswer{}, errSkeleton
}
func (r *Recipient) Stats(ctx context.Context) (RecipientStats, error) {
	return RecipientStats{}, errSkeleton
}
func (r *Recipient) CloseAll(ctx context.Context) error { return errSkeleton }
func (r *Recipient) Drain(ctx context.Context) error    { return errSkeleton }

func NewPayer(c PayerConfig, store PayerStore, sender Sender) *Payer { return &Payer{} }
func (p *Payer) Use(ctx context.Context, stream string, s protocol.Signed[protocol.TicketParams]) error {
	return errSkeleton
}
func (p *Payer) Usable(recipient common.Address, stream string) (remaining time.Duration, ok bool) {
	return 0, false
}
func (p *Payer) PayTx(ctx context.Context, tx Tx, o Order) (PayResult, error) {
	return PayResult{}, errSkeleton
}
func (p *Payer) RejectTx(ctx context.Context, tx Tx, o Order, code protocol.Code, detail string) error {
	return errSkeleton
}
func (p *Payer) Wake()                                              {}
func (p *Payer) EndStream(ctx context.Context, stream string) error { return errSkeleton }
func (p *Payer) Run(ctx context.Context) error                      { return errSkeleton }
func (p *Payer) Stats(ctx context.Context) (PayerStats, error)      { return PayerStats{}, errSkeleton }
