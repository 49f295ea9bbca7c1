package bus

import (
	"context"
	"errors"

	"github.com/ethereum/go-ethereum/common"
	"github.com/nats-io/nats.go"

	"github.com/kinora/kinora/internal/protocol"
)

// problemField is the NATS header field that answers a request with a Problem where the answer's body has no room for one.
const problemField = "Kinora-Problem"

// OfferAward offers transcoder t a lease. An error means that no answer came (Unreachable, Cancelled) or a senseless one
// (BadRequest); a decline is in the answer. The parameters' signature is the caller's to check.
func (b *Bus) OfferAward(ctx context.Context, t common.Address, offer protocol.AwardOffer) (protocol.AwardAnswer, error) {
	answer, err := ask[protocol.AwardAnswer](ctx, b, protocol.AwardSubject(t), protocol.Encode(offer))
	return answer, orIncomplete(answer, err, t)
}

// ServeAwards answers offers to self until ctx or the Bus ends. Handlers run concurrently; their ctx ends with the Bus.
func (b *Bus) ServeAwards(ctx context.Context, self common.Address, handle func(context.Context, protocol.AwardOffer) protocol.AwardAnswer) error {
	return serve(ctx, b, protocol.AwardSubject(self), handle, declined)
}

// AskParams asks transcoder t for its current ticket parameters; errors as OfferAward.
func (b *Bus) AskParams(ctx context.Context, t common.Address, r protocol.Signed[protocol.ParamsRequest]) (protocol.AwardAnswer, error) {
	answer, err := ask[protocol.AwardAnswer](ctx, b, protocol.ParamsSubject(t), protocol.Encode(r))
	return answer, orIncomplete(answer, err, t)
}

// ServeParams answers requests for self's ticket parameters, as ServeAwards.
func (b *Bus) ServeParams(ctx context.Context, self common.Address, handle func(context.Context, protocol.Signed[protocol.ParamsRequest]) protocol.AwardAnswer) error {
	return serve(ctx, b, protocol.ParamsSubject(self), handle, declined)
}

// AskLease renews or releases a lease with transcoder t. An error means that no answer came; a refusal is in the answer.
func (b *Bus) AskLease(ctx context.Context, t common.Address, r protocol.Signed[protocol.LeaseRequest]) (protocol.Acknowledgement, error) {
	return ask[protocol.Acknowledgement](ctx, b, protocol.LeaseSubject(t), protocol.Encode(r))
}

// ServeLeases answers lease requests to self, as ServeAwards.
func (b *Bus) ServeLeases(ctx context.Context, self common.Address, handle func(context.Context, protocol.Signed[protocol.LeaseRequest]) protocol.Acknowledgement) error {
	return serve(ctx, b, protocol.LeaseSubject(self), handle, func(err error) protocol.Acknowledgement {
		p := protocol.ProblemOf(err)
		return protocol.Acknowledgement{Problem: &p}
	})
}

func declined(err error) protocol.AwardAnswer {
	p := protocol.ProblemOf(err)
	return protocol.AwardAnswer{Decline: &p}
}

// orIncomplete refuses an answer that is neither an acceptance nor a decline.
func orIncomplete(a protocol.AwardAnswer, err error, t common.Address) error {
	if err == nil && (a.Params == nil) == (a.Decline == nil) {
		return protocol.Errorf(protocol.BadRequest, "%s answered with neither parameters nor a decline", t)
	}
	return err
}

// SendTickets delivers tickets to recipient t and returns its answer, both as encoded by package payment. A refusal of the
// whole delivery comes back with its Code.
func (b *Bus) SendTickets(ctx context.Context, t common.Address, delivery []byte) ([]byte, error) {
	if len(delivery) > MaxTickets {
		return nil, protocol.Limited(protocol.BadRequest, "max_tickets", MaxTickets, "a delivery of %d bytes, at most %d", len(delivery), MaxTickets)
	}
	m, err := b.request(ctx, protocol.TicketsSubject(t), delivery)
	if err != nil {
		return nil, err
	}
	return m.Data, nil
}

// ServeTickets takes deliveries to self until ctx or the Bus ends; an error of handle travels as its Problem.
func (b *Bus) ServeTickets(ctx context.Context, self common.Address, handle func(context.Context, []byte) ([]byte, error)) error {
	return b.serveRaw(ctx, protocol.TicketsSubject(self), MaxTickets, handle)
}

// AskRelay asks orchestrator o to relay a redemption, or what that costs; both sides as encoded by package payment. A refusal
// comes back with its Code.
func (b *Bus) AskRelay(ctx context.Context, o common.Address, request []byte) ([]byte, error) {
	if len(request) > protocol.MaxMessage {
		return nil, protocol.Errorf(protocol.BadRequest, "a relay request of %d bytes, at most %d", len(request), protocol.MaxMessage)
	}
	m, err := b.request(ctx, protocol.RelaySubject(o), request)
	if err != nil {
		return nil, err
	}
	return m.Data, nil
}

// ServeRelays takes requests to self until ctx or the Bus ends; of several replicas, one takes each. An error of handle
// travels as its Problem.
func (b *Bus) ServeRelays(ctx context.Context, self common.Address, handle func(context.Context, []byte) ([]byte, error)) error {
	return b.serveAmong(ctx, protocol.RelaySubject(self), "replicas", protocol.MaxMessage, handle)
}

// ask sends one request and decodes its answer.
func ask[A any](ctx context.Context, b *Bus, subject string, data []byte) (A, error) {
	var zero A
	if len(data) > protocol.MaxMessage {
		return zero, protocol.Errorf(protocol.BadRequest, "a request of %d bytes on %s, at most %d", len(data), subject, protocol.MaxMessage)
	}
	m, err := b.request(ctx, subject, data)
	if err != nil {
		return zero, err
	}
	answer, err := protocol.Decode[A](m.Data)
	if err != nil {
		b.drop(m, err)
	}
	return answer, err
}

func (b *Bus) request(ctx context.Context, subject string, data []byte) (*nats.Msg, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	m, err := b.conn.RequestWithContext(ctx, subject, data)
	if err != nil {
		return nil, unreachable("request on "+subject, err)
	}
	if text := m.Header.Get(problemField); text != "" {
		p, err := protocol.Decode[protocol.Problem]([]byte(text))
		if err != nil {
			return nil, err
		}
		return nil, p.Err()
	}
	return m, nil
}

// validator is what a request can say about itself before anyone acts on it.
type validator interface{ Validate() error }

// serve decodes, validates and answers requests; refuse makes the answer to those that cannot be.
func serve[Q, A any](ctx context.Context, b *Bus, subject string, handle func(context.Context, Q) A, refuse func(error) A) error {
	return b.serveRaw(ctx, subject, protocol.MaxMessage, func(ctx context.Context, data []byte) ([]byte, error) {
		q, err := protocol.Decode[Q](data)
		if v, ok := any(q).(validator); err == nil && ok {
			if invalid := v.Validate(); invalid != nil {
				err = protocol.Errorf(protocol.BadRequest, "%T: %w", q, invalid)
			}
		}
		if err != nil {
			b.dropped.Add(1)
			return protocol.Encode(refuse(err)), nil
		}
		return protocol.Encode(handle(ctx, q)), nil
	})
}

// serveRaw answers requests on subject, each in a goroutine of its own, at most maxHandlers at once.
func (b *Bus) serveRaw(ctx context.Context, subject string, limit int, handle func(context.Context, []byte) ([]byte, error)) error {
	return b.serveAmong(ctx, subject, "", limit, handle)
}

// serveAmong is serveRaw; of those that serve a subject in one queue, one gets each request.
func (b *Bus) serveAmong(ctx context.Context, subject, queue string, limit int, handle func(context.Context, []byte) ([]byte, error)) error {
	slots := make(chan struct{}, maxHandlers)
	return b.subscribeAmong(ctx, subject, queue, func(m *nats.Msg) {
		if m.Reply == "" || len(m.Data) > limit {
			b.drop(m, errors.New("no reply subject, or too long"))
			return
		}
		select {
		case slots <- struct{}{}:
		default:
			b.respond(m, nil, protocol.Limited(protocol.Unavailable, "max_handlers", maxHandlers, "%d requests on %s are in progress", maxHandlers, subject))
			return
		}
		b.serving.Add(1)
		go func() {
			defer b.serving.Done()
			defer func() { <-slots }()
			data, err := handle(b.ctx, m.Data)
			b.respond(m, data, err)
		}()
	})
}

func (b *Bus) respond(m *nats.Msg, data []byte, err error) {
	answer := nats.NewMsg(m.Reply)
	answer.Data = data
	if err != nil {
		answer.Data = nil
		answer.Header.Set(problemField, string(protocol.Encode(protocol.ProblemOf(err))))
	}
	if err := m.RespondMsg(answer); err != nil {
		b.log.Debug("bus answer lost", "subject", m.Subject, "err", err)
	}
}
