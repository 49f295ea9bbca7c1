package bus

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go"

	"github.com/kinora/kinora/internal/protocol"
)

// RequestBids asks every transcoder for a bid on one piece of work, and hands those that come to take until it returns false or
// ctx ends, whose deadline should be milliseconds away. The signatures are the taker's to check.
func (b *Bus) RequestBids(ctx context.Context, r protocol.BidRequest, take func(protocol.Signed[protocol.Bid]) bool) error {
	inbox := b.conn.NewInbox()
	sub, err := b.conn.SubscribeSync(inbox)
	if err != nil {
		return unreachable("request bids", err)
	}
	defer func() { _ = sub.Unsubscribe() }() // fails only when the connection has ended
	subject := protocol.RequestSubject(r.Request.Message.Orchestrator)
	if err := b.conn.PublishRequest(subject, inbox, protocol.Encode(r)); err != nil {
		return unreachable("publish on "+subject, err)
	}
	for {
		m, err := sub.NextMsgWithContext(ctx)
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrNoResponders) { // nobody listens
			return nil
		}
		if err != nil {
			return unreachable("request bids", err)
		}
		bid, err := protocol.Decode[protocol.Signed[protocol.Bid]](m.Data)
		if err == nil {
			err = bid.Message.Validate()
		}
		if err != nil {
			b.drop(m, err)
			continue
		}
		if !take(bid) {
			return nil
		}
	}
}

// ServeBidRequests answers what orchestrators ask for with a bid, or not at all, until ctx or the Bus ends. One request is
// handled at a time: handle should not wait.
func (b *Bus) ServeBidRequests(ctx context.Context, handle func(protocol.BidRequest) (protocol.Signed[protocol.Bid], bool)) error {
	return b.subscribe(ctx, protocol.RequestSubjects, func(m *nats.Msg) {
		r, err := protocol.Decode[protocol.BidRequest](m.Data)
		if err == nil {
			err = r.Validate()
		}
		if err == nil {
			err = ownSubject(m.Subject, r.Request.Message.Orchestrator)
		}
		if err == nil && m.Reply == "" {
			err = errors.New("no reply subject")
		}
		if err != nil {
			b.drop(m, err)
			return
		}
		if bid, ok := handle(r); ok {
			b.respond(m, protocol.Encode(bid), nil)
		}
	})
}
