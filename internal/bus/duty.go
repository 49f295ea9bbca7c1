package bus

import (
	"context"

	"github.com/nats-io/nats.go"

	"github.com/kinora/kinora/internal/protocol"
)

// PublishDuty says on a transcoder's own subject whether it takes work.
func (b *Bus) PublishDuty(d protocol.Signed[protocol.Duty]) error {
	return b.publish(protocol.DutySubject(d.Message.Transcoder), protocol.Encode(d))
}

// SubscribeDuties hands what transcoders say of themselves to take, as SubscribeBids.
func (b *Bus) SubscribeDuties(ctx context.Context, take func(protocol.Signed[protocol.Duty])) error {
	return b.subscribe(ctx, protocol.DutySubjects, b.newest(ctx, func(m *nats.Msg) {
		d, err := protocol.Decode[protocol.Signed[protocol.Duty]](m.Data)
		if err == nil {
			err = d.Message.Validate()
		}
		if err == nil {
			err = ownSubject(m.Subject, d.Message.Transcoder)
		}
		if err != nil {
			b.drop(m, err)
			return
		}
		take(d)
	}))
}
