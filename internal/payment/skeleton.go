package payment

import (
	"context"
	"errors"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

var errSkeleton = errors.New("payment: being written")

type PayerStore interface{}
type Payer struct{}

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
