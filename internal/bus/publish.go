package bus

import (
	"context"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/nats-io/nats.go"

	"github.com/kinora/kinora/internal/protocol"
)

// PublishBid puts a bid on its transcoder's own subject.
func (b *Bus) PublishBid(bid protocol.Signed[protocol.Bid]) error {
	return b.publish(protocol.BidSubject(bid.Message.Transcoder), protocol.Encode(bid))
}

// SubscribeBids hands valid bids to take, in order per transcoder and those of different ones at once, until ctx or the Bus ends.
// Of one that bids faster than is taken, only the newest bid waits. The signature is the taker's to check (Signed.Open): most of a bid's CPU time, and one core is not enough for that.
func (b *Bus) SubscribeBids(ctx context.Context, take func(protocol.Signed[protocol.Bid])) error {
	return b.subscribe(ctx, protocol.BidSubjects, b.newest(ctx, func(m *nats.Msg) {
		bid, err := protocol.Decode[protocol.Signed[protocol.Bid]](m.Data)
		if err == nil {
			err = bid.Message.Validate()
		}
		if err == nil {
			err = ownSubject(m.Subject, bid.Message.Transcoder)
		}
		if err != nil {
			b.drop(m, err)
			return
		}
		take(bid)
	}))
}

// PublishCommitment puts on its orchestrator's own subject what its auctions are held to.
func (b *Bus) PublishCommitment(c protocol.Commitment) error {
	return b.publish(protocol.CommitmentSubject(c.By()), protocol.Encode(c))
}

// SubscribeCommitments hands every valid commitment to take, in order per orchestrator, until ctx or the Bus ends. The
// signature is the taker's to check.
func (b *Bus) SubscribeCommitments(ctx context.Context, take func(protocol.Commitment)) error {
	return b.subscribe(ctx, protocol.CommitmentSubjects, func(m *nats.Msg) {
		c, err := protocol.Decode[protocol.Commitment](m.Data)
		if err == nil {
			err = c.Validate()
		}
		if err == nil {
			err = ownSubject(m.Subject, c.By())
		}
		if err != nil {
			b.drop(m, err)
			return
		}
		take(c)
	})
}

// PublishEvent puts an event on its actor's own subject.
func (b *Bus) PublishEvent(e protocol.Event) error {
	return b.publish(protocol.EventSubject(e.Actor), protocol.Encode(e))
}

// SubscribeEvents hands every event to take, in order per actor, until ctx or the Bus ends.
func (b *Bus) SubscribeEvents(ctx context.Context, take func(protocol.Event)) error {
	return b.subscribe(ctx, protocol.EventSubjects, func(m *nats.Msg) {
		e, err := protocol.Decode[protocol.Event](m.Data)
		if err == nil {
			err = ownSubject(m.Subject, e.Actor)
		}
		if err != nil {
			b.drop(m, err)
			return
		}
		take(e)
	})
}

// ownSubject checks that a participant speaks on a subject of its own: what the server's permissions can enforce.
func ownSubject(subject string, a common.Address) error {
	if last := subject[strings.LastIndexByte(subject, '.')+1:]; last != a.Hex() {
		return fmt.Errorf("%s spoke on the subject of %.50s", a, last)
	}
	return nil
}
