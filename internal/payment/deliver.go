package payment

import (
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
)

// MaxDelivery bounds the tickets and rejects of one Delivery together, so that its JSON stays below protocol.MaxMessage.
const MaxDelivery = 56

// Delivery carries tickets and verdicts from payer to recipient: the body of POST /v1/tickets and of a request on
// protocol.TicketsSubject. Delivering twice does no harm; nothing in it needs an order.
type Delivery struct {
	Payer     common.Address                   `json:"payer"`
	Recipient common.Address                   `json:"recipient"`
	Tickets   []Paid                           `json:"tickets,omitempty"`
	Rejects   []Reject                         `json:"rejects,omitempty"`
	Flush     *protocol.Signed[protocol.Flush] `json:"flush,omitempty"` // end of a stream: close its sets early
	// Settlement pays for attempts whose tickets came too late.
	Settlement *SettlementOffer `json:"settlement,omitempty"`
	Wants      string           `json:"wants,omitempty"` // a stream whose parameters ran out; the answer brings new ones
}

// Flush is the payer's signed word that it is done with a set.
type Flush = protocol.Flush

// Paid is the ticket that pays for an attempt.
type Paid struct {
	Attempt protocol.ID   `json:"attempt"`
	Ticket  ticket.Signed `json:"ticket"`
}

// Reject says that an attempt is not paid for, and why.
type Reject struct {
	Attempt protocol.ID   `json:"attempt"`
	Code    protocol.Code `json:"code"`
	Detail  string        `json:"detail,omitempty"`
}

// DeliveryAnswer has one Result per ticket, in order; rejects are taken note of without one.
type DeliveryAnswer struct {
	Results []Result                                `json:"results"`
	Params  *protocol.Signed[protocol.TicketParams] `json:"params,omitempty"` // of the stream in Wants
	// Settlement says what became of the settlement, if there was one: kept, or refused with a code.
	Settlement *Result `json:"settlement,omitempty"`
}

// Result is final: a refused ticket stays refused. protocol.TicketUnderpays is a ticket taken for what it is worth, with
// the rest still owed. protocol.Unavailable and protocol.Internal are not final: deliver again.
type Result struct {
	Attempt protocol.ID   `json:"attempt"`
	Code    protocol.Code `json:"code,omitempty"` // empty: accepted
	Detail  string        `json:"detail,omitempty"`
	// Rand is the secret of a set that is closed for good: it shows whether the ticket that came too late would have won.
	Rand *common.Hash `json:"rand,omitempty"`
}

// Validate checks names and bounds, not the tickets.
func (d Delivery) Validate() error {
	switch {
	case d.Payer == common.Address{} || d.Recipient == common.Address{} || d.Payer == d.Recipient:
		return fmt.Errorf("payer %s and recipient %s must be two accounts", d.Payer, d.Recipient)
	case len(d.Tickets)+len(d.Rejects) > MaxDelivery:
		return fmt.Errorf("%d tickets and %d rejects, at most %d together", len(d.Tickets), len(d.Rejects), MaxDelivery)
	}
	for i, p := range d.Tickets {
		if p.Attempt.IsZero() {
			return fmt.Errorf("tickets[%d]: attempt is zero", i)
		}
	}
	for i, r := range d.Rejects {
		if r.Attempt.IsZero() || r.Code == "" || len(r.Code) > 64 || len(r.Detail) > 1024 {
			return fmt.Errorf("rejects[%d]: want an attempt, a code of at most 64 bytes and a detail of at most 1024", i)
		}
	}
	if d.Settlement != nil {
		if err := d.Settlement.Validate(); err != nil {
			return err
		}
	}
	if d.Wants != "" {
		if err := protocol.ValidateStream(d.Wants); err != nil {
			return fmt.Errorf("wants: %w", err)
		}
	}
	return nil
}

func (a DeliveryAnswer) resultOf(attempt protocol.ID) (Result, bool) {
	for _, r := range a.Results {
		if r.Attempt == attempt {
			return r, true
		}
	}
	return Result{}, false
}
