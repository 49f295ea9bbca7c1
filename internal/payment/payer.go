package payment

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
)

// Payer is the spending side: it signs one ticket per verified attempt and delivers it until it is answered. All its
// methods may be called at once, from several processes over one store.
type Payer struct {
	config PayerConfig
	self   common.Address
	hasher *ticket.Hasher
	store  PayerStore
	sender Sender
	wake   chan struct{}

	mu     sync.Mutex
	usable map[StreamKey]time.Time
	lines  map[common.Address]*line
}

// NewPayer makes the spending side of one key.
func NewPayer(c PayerConfig, store PayerStore, sender Sender) *Payer {
	if c.MaxLifetime == 0 {
		c.MaxLifetime = 7 * 24 * time.Hour
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Events == nil {
		c.Events = func(protocol.Event) {}
	}
	return &Payer{config: c, self: c.Signer.Address(), hasher: ticket.Domain{ChainID: c.Domain.ChainID, Escrow: c.Domain.Escrow}.Hasher(),
		store: store, sender: sender, wake: make(chan struct{}, 1), usable: map[StreamKey]time.Time{}, lines: map[common.Address]*line{}}
}

// Use checks a recipient's parameter set for a stream and pays with it from now on, until its usable time is over or a
// newer set comes. Due tickets of the stream are signed with it at once.
func (p *Payer) Use(ctx context.Context, stream string, signed protocol.Signed[protocol.TicketParams]) error {
	arrived := p.config.Now()
	if err := protocol.ValidateStream(stream); err != nil {
		return protocol.Errorf(protocol.BadStreamName, "%w", err)
	}
	t, err := signed.Open(p.config.Domain)
	if err != nil {
		return err
	}
	if t.Payer != p.self {
		return protocol.Errorf(protocol.BadRequest, "ticket parameters for %s, this is %s", t.Payer, p.self)
	}
	if most := p.config.MaxFaceValue; !most.IsZero() && most.Less(t.FaceValue) {
		return protocol.Limited(protocol.PriceAboveMax, "max_face_value", most, "recipient %s asks for a face value of %s wei", t.Recipient, t.FaceValue)
	}
	usable := arrived.Add(time.Duration(t.UsableMillis) * time.Millisecond)
	if last := uint64(arrived.Add(p.config.MaxLifetime).Unix()); t.Expiry > last {
		return protocol.Limited(protocol.BadRequest, "max_lifetime", p.config.MaxLifetime, "recipient %s asks for tickets that live until %d, at most %d is allowed", t.Recipient, t.Expiry, last)
	}
	if t.Expiry <= uint64(usable.Unix()) {
		return protocol.Errorf(protocol.Stale, "tickets of recipient %s would expire at %d, before their parameters do", t.Recipient, t.Expiry)
	}
	k := StreamKey{t.Recipient, stream}
	if err := p.store.AddSet(ctx, PayerSet{ID: t.Set, Recipient: t.Recipient, Lane: t.Lane, Stream: stream, FaceValue: t.FaceValue,
		RandHash: common.Hash(t.RecipientRandHash), Expiry: t.Expiry, UsableUntil: usable}); err != nil {
		return err
	}
	p.mu.Lock()
	p.usable[k] = usable
	p.mu.Unlock()
	if n, err := p.store.SignDue(ctx, k, p.config.Now(), p.sign); err != nil {
		return err
	} else if n > 0 {
		p.Wake()
	}
	return nil
}

// Usable is how long the parameters that this process got for a stream can still be used. Ask for new ones at half time.
func (p *Payer) Usable(recipient common.Address, stream string) (remaining time.Duration, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := StreamKey{recipient, stream}
	remaining = p.usable[k].Sub(p.config.Now())
	if remaining <= 0 {
		delete(p.usable, k)
		return 0, false
	}
	return remaining, true
}

// PayTx orders the ticket of a verified attempt inside the role's own transaction tx, a pgx.Tx. The ticket is signed there
// and then, and its lane stays locked until tx ends; without a usable set that covers the fee it is due, and signed when
// one comes. One ticket per attempt for ever: ordering it again changes nothing. Call Wake after the commit. A fee of zero
// needs no ticket.
func (p *Payer) PayTx(ctx context.Context, tx Tx, o Order) (PayResult, error) {
	if err := p.check(o); err != nil || o.Fee.IsZero() {
		return PayResult{}, err
	}
	r, err := p.store.Pay(ctx, tx, o, p.config.Now(), p.sign)
	if err != nil {
		return r, fmt.Errorf("pay for attempt %s: %w", o.Attempt.Short(), err)
	}
	return r, nil
}

// RejectTx tells the recipient that an attempt is not paid for, and why, inside the role's own transaction.
func (p *Payer) RejectTx(ctx context.Context, tx Tx, o Order, code protocol.Code, detail string) error {
	if err := p.check(o); err != nil {
		return err
	}
	if code == "" {
		return fmt.Errorf("reject attempt %s: no code", o.Attempt.Short())
	}
	const longest = 512
	if len(detail) > longest {
		detail = detail[:longest]
	}
	return p.store.Reject(ctx, tx, o, code, detail, p.config.Now())
}

func (p *Payer) check(o Order) error {
	switch {
	case o.Attempt.IsZero() || o.Recipient == common.Address{} || o.Recipient == p.self:
		return protocol.Errorf(protocol.BadRequest, "order of attempt %s for %s: both must be set, and not ourselves", o.Attempt, o.Recipient)
	case !o.Fee.FitsUint96():
		return protocol.Errorf(protocol.BadRequest, "fee of %s wei does not fit 96 bits", o.Fee)
	}
	return protocol.ValidateStream(o.Stream)
}

// sign makes the ticket of an order. It is called once for each: a second signature would be a second draw.
func (p *Payer) sign(s PayerSet, nonce uint64, fee protocol.Wei) (ticket.Signed, error) {
	winProb, err := ticket.WinProbFor(fee, s.FaceValue)
	if err != nil {
		return ticket.Signed{}, err
	}
	var salt [8]byte
	_, _ = rand.Read(salt[:]) // never fails, says crypto/rand
	return p.hasher.Sign(p.config.Signer, ticket.Ticket{Payer: p.self, Recipient: s.Recipient, Lane: s.Lane, TicketNonce: nonce, FaceValue: s.FaceValue,
		WinProb: winProb, Expiry: s.Expiry, RecipientRandHash: s.RandHash, Salt: binary.BigEndian.Uint64(salt[:])})
}

// Stats counts.
func (p *Payer) Stats(ctx context.Context) (PayerStats, error) { return p.store.Stats(ctx) }
