package transcoder

import (
	"context"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/bus"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
)

// recipient is the payment.Recipient as bidder and encode see it.
type recipient struct {
	*payment.Recipient
	self common.Address
}

// Owe uses credit for a delivered segment.
func (r recipient) Owe(ctx context.Context, payer common.Address, attempt protocol.ID, stream string, fee protocol.Wei) error {
	return r.Recipient.Owe(ctx, payment.Owed{Payer: payer, Attempt: attempt, Stream: stream, Fee: fee})
}

// AcceptTickets takes a Delivery as it came over the bus.
func (r recipient) AcceptTickets(ctx context.Context, b []byte) ([]byte, error) {
	d, err := protocol.Decode[payment.Delivery](b)
	if err != nil {
		return nil, err
	}
	if err := d.Validate(); err != nil {
		return nil, protocol.Errorf(protocol.BadRequest, "delivery: %w", err)
	}
	if d.Recipient != r.self {
		return nil, protocol.Errorf(protocol.BadRequest, "the delivery is for %s", d.Recipient)
	}
	answer, err := r.Accept(ctx, d)
	if err != nil {
		return nil, err
	}
	return protocol.Encode(answer), nil
}

// relays takes requests to orchestrators over the bus.
type relays struct{ bus *bus.Bus }

// Ask is payment.Relay's.
func (r relays) Ask(ctx context.Context, relayer common.Address, q payment.RelayRequest) (payment.RelayAnswer, error) {
	b, err := r.bus.AskRelay(ctx, relayer, protocol.Encode(q))
	if err != nil {
		return payment.RelayAnswer{}, err
	}
	return protocol.Decode[payment.RelayAnswer](b)
}
