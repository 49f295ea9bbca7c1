package payment

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
)

// Recipient is the earning side: it hands out parameter sets, gives credit, draws tickets, and redeems winners. All its
// methods may be called at once, from several processes over one store.
type Recipient struct {
	config RecipientConfig
	self   common.Address
	hasher *ticket.Hasher
	store  Store
	escrow Escrow
	wake   chan struct{}

	mu          sync.Mutex
	secret      *[32]byte
	draining    bool
	sets        map[common.Hash]Set // what never changes of them
	allocations map[common.Address]cachedAllocation
	sessions    map[sessionKey]cachedSession
	income      income
	// strangersFull is when there were found to be too many strangers last.
	strangersFull time.Time

	settling settling
}

// setsCached is how many sets are remembered.
const setsCached = 4096

// NewRecipient makes the earning side of one key.
func NewRecipient(c RecipientConfig, store Store, escrow Escrow) *Recipient {
	c = c.withDefaults(escrow.ThawPeriod())
	return &Recipient{config: c, self: c.Signer.Address(), hasher: ticket.Domain{ChainID: c.Domain.ChainID, Escrow: c.Domain.Escrow}.Hasher(),
		store: store, escrow: escrow, wake: make(chan struct{}, 1), sets: map[common.Hash]Set{}, allocations: map[common.Address]cachedAllocation{},
		sessions: map[sessionKey]cachedSession{},
		settling: newSettling()}
}

func (r *Recipient) now() time.Time { return r.config.Now() }

// Params is the parameter set with which payer pays for stream: the current one, or a new one once half of its usable time
// is over or its face value does not cover maxFee. Each (payer, stream) has a lane of its own.
func (r *Recipient) Params(ctx context.Context, payer common.Address, stream string, maxFee protocol.Wei) (protocol.Signed[protocol.TicketParams], error) {
	return r.ParamsAt(ctx, payer, stream, maxFee, maxFee)
}

// ParamsAt is Params for a stream whose usual fee is below maxFee, the longest segment's. The face value covers maxFee;
// ChooseTerms derives it from both fees, gas, the payer's allocation and what it pays. A payer without an allocation gets
// the least there is. Once many such are known, and to a payer whose allocation holds no winner worth redeeming, it gives
// parameters that are over before they can be used: they introduce us, so that more can be allocated, and leave no trace.
func (r *Recipient) ParamsAt(ctx context.Context, payer common.Address, stream string, maxFee, usualFee protocol.Wei) (protocol.Signed[protocol.TicketParams], error) {
	var none protocol.Signed[protocol.TicketParams]
	if maxFee.IsZero() || !maxFee.FitsUint96() || maxFee.Less(usualFee) {
		return none, protocol.Errorf(protocol.BadRequest, "largest fee is %s wei and usual fee %s, want 1 ≤ usual ≤ largest ≤ 2^96-1", maxFee, usualFee)
	}
	if err := r.mayPay(payer, stream); err != nil {
		return none, err
	}
	a, err := r.allocation(ctx, payer)
	if err != nil {
		return none, err
	}
	credit := a.Credit()
	if credit.IsZero() {
		if passing, err := r.isOneStrangerTooMany(ctx, payer, stream); err != nil || passing {
			if err != nil {
				return none, err
			}
			return r.seal(r.passing(payer, maxFee))
		}
	}
	p, err := r.params(ctx, payer, stream, maxFee, func() (protocol.Wei, error) {
		if credit.IsZero() {
			return maxFee, nil
		}
		t, err := ChooseTerms(r.config.policy(), TermsBasis{MaxFee: maxFee, UsualFee: usualFee, Gas: r.config.Gas(), Credit: credit, Income: r.income.perDay(payer, r.now())})
		return t.FaceValue, err
	})
	if err != nil && protocol.CodeOf(err) == protocol.InsufficientCredit {
		r.config.Log.Warn("no parameters for a payer whose allocation is too small", "payer", payer, "stream", stream, "err", err)
		return r.seal(r.passing(payer, maxFee))
	}
	return p, err
}

func (r *Recipient) mayPay(payer common.Address, stream string) error {
	if err := protocol.ValidateStream(stream); err != nil {
		return protocol.Errorf(protocol.BadStreamName, "%w", err)
	}
	if payer == r.self || payer == (common.Address{}) {
		return protocol.Errorf(protocol.BadRequest, "payer %s cannot pay %s", payer, r.self)
	}
	if r.Draining() {
		return protocol.Errorf(protocol.Draining, "no new parameter sets: shutting down")
	}
	return nil
}

// params is the current set of a stream, or a new one of the face value that choose says.
func (r *Recipient) params(ctx context.Context, payer common.Address, stream string, maxFee protocol.Wei,
	choose func() (protocol.Wei, error)) (protocol.Signed[protocol.TicketParams], error) {
	var none protocol.Signed[protocol.TicketParams]
	lane, err := r.store.Lane(ctx, payer, stream, r.now(), func(ctx context.Context, lane uint16) (uint64, error) {
		return r.escrow.Watermark(ctx, payer, r.self, lane)
	})
	if err != nil {
		return none, err
	}
	newest, ok, err := r.store.NewestSet(ctx, payer, lane)
	if err != nil {
		return none, err
	}
	if ok && !newest.Closed && !newest.FaceValue.Less(maxFee) && newest.UsableUntil.Sub(r.now()) > newest.UsableUntil.Sub(newest.OpenedAt)/2 {
		return r.seal(newest)
	}
	faceValue, err := choose()
	if err != nil {
		return none, err
	}
	s, err := r.openSet(ctx, payer, lane, faceValue, newest.Serial)
	if err != nil {
		return none, err
	}
	if s.FaceValue.Less(maxFee) { // another replica opened one at the same moment, for less
		if s, err = r.openSet(ctx, payer, lane, faceValue, s.Serial); err != nil {
			return none, err
		}
	}
	return r.seal(s)
}

// strangersAge is how long it stays known that there are too many strangers, so that a flood of them is not counted one by one.
const strangersAge = time.Second

// isOneStrangerTooMany reports whether so many payers that never had credit have lanes that this one gets none: identities
// cost nothing, rows do.
func (r *Recipient) isOneStrangerTooMany(ctx context.Context, payer common.Address, stream string) (bool, error) {
	r.mu.Lock()
	full := time.Since(r.strangersFull) < strangersAge
	r.mu.Unlock()
	if !full {
		n, err := r.store.Strangers(ctx)
		if err != nil || n < r.config.MaxStrangers {
			return false, err
		}
		r.mu.Lock()
		r.strangersFull = time.Now()
		r.mu.Unlock()
	}
	_, known, err := r.store.KnownLane(ctx, payer, stream)
	return !known, err
}

// passing is a set that is over before it can be used: it only introduces us. Its rand is nobody's.
func (r *Recipient) passing(payer common.Address, faceValue protocol.Wei) Set {
	now := r.now()
	s := Set{ID: protocol.NewID(), Payer: payer, FaceValue: faceValue, UsableUntil: now, AcceptUntil: now, RedeemFrom: now, Expiry: r.expiry(now)}
	_, _ = rand.Read(s.RandHash[:]) // never fails, says crypto/rand
	return s
}

func (r *Recipient) expiry(now time.Time) uint64 {
	return uint64(now.Add(r.config.Accept + r.config.TicketLifetime).Unix())
}

func (r *Recipient) openSet(ctx context.Context, payer common.Address, lane uint16, faceValue protocol.Wei, after int64) (Set, error) {
	now := r.now().Truncate(time.Millisecond)
	s := Set{ID: protocol.NewID(), Payer: payer, Lane: lane, FaceValue: faceValue, OpenedAt: now, UsableUntil: now.Add(r.config.Usable),
		AcceptUntil: now.Add(r.config.Accept), RedeemFrom: now.Add(r.config.Redeem),
		Expiry: r.expiry(now)}
	_, _ = rand.Read(s.Seed[:]) // never fails, says crypto/rand
	secret, err := r.rand(ctx, s)
	if err != nil {
		return Set{}, err
	}
	s.RandHash = ticket.RandHash(secret)
	defer r.wakeUp() // its time may come before the next look
	return r.store.AddSet(ctx, s, after)
}

// rand is a set's secret: bound to everything the set fixes, under a seed no other set has.
func (r *Recipient) rand(ctx context.Context, s Set) ([32]byte, error) {
	secret, err := r.key(ctx)
	if err != nil {
		return [32]byte{}, err
	}
	mac := hmac.New(sha256.New, secret[:])
	mac.Write(s.Seed[:])
	mac.Write(s.Payer[:])
	mac.Write(r.self[:])
	var b [2 + 32 + 8]byte
	binary.BigEndian.PutUint16(b[:2], s.Lane)
	faceValue := s.FaceValue.Bytes32()
	copy(b[2:], faceValue[:])
	binary.BigEndian.PutUint64(b[34:], s.Expiry)
	mac.Write(b[:])
	return [32]byte(mac.Sum(nil)), nil
}

func (r *Recipient) key(ctx context.Context) ([32]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.secret == nil {
		s, err := r.store.Secret(ctx)
		if err != nil {
			return s, err
		}
		r.secret = &s
	}
	return *r.secret, nil
}

// seal signs a set with the time it has left.
func (r *Recipient) seal(s Set) (protocol.Signed[protocol.TicketParams], error) {
	now := r.now()
	left := func(t time.Time, least int64) uint32 { return uint32(max(t.Sub(now).Milliseconds(), least)) } // the times must ascend
	return protocol.Seal(r.config.Domain, r.config.Signer, protocol.TicketParams{Set: s.ID, Payer: s.Payer, Recipient: r.self, Lane: s.Lane,
		FaceValue: s.FaceValue, RecipientRandHash: protocol.Hash(s.RandHash), Expiry: s.Expiry, UsableMillis: left(s.UsableUntil, 1),
		AcceptMillis: left(s.AcceptUntil, 2), RedeemMillis: left(s.RedeemFrom, 3)})
}

// Stats counts.
func (r *Recipient) Stats(ctx context.Context) (RecipientStats, error) {
	return r.store.Stats(ctx, r.now())
}

// Accept takes a Delivery: any order, any number of times. A winner is durable before its ticket is acknowledged, and a
// genuine ticket of an open set is never refused because nothing is owed. An error means that nothing was decided.
func (r *Recipient) Accept(ctx context.Context, d Delivery) (DeliveryAnswer, error) {
	if err := d.Validate(); err != nil {
		return DeliveryAnswer{}, protocol.Errorf(protocol.BadRequest, "%w", err)
	}
	if d.Recipient != r.self {
		return DeliveryAnswer{}, protocol.Errorf(protocol.BadRequest, "this is %s, the delivery is for %s", r.self, d.Recipient)
	}
	answer := DeliveryAnswer{Results: make([]Result, len(d.Tickets))}
	arrivals := make([]Arrival, 0, len(d.Tickets))
	index := make([]int, 0, len(d.Tickets))
	streams := make([]string, 0, len(d.Tickets))
	for i, p := range d.Tickets {
		answer.Results[i].Attempt = p.Attempt
		a, s, err := r.judge(ctx, d.Payer, p)
		var refusal *protocol.Error
		switch {
		case errors.As(err, &refusal) && refusal.Code != protocol.Unavailable:
			answer.Results[i].Code, answer.Results[i].Detail = refusal.Code, refusal.Detail
		case err != nil:
			return DeliveryAnswer{}, err
		default:
			arrivals, index, streams = append(arrivals, a), append(index, i), append(streams, s.Stream)
		}
	}
	if len(arrivals) > 0 {
		outcomes, err := r.store.Accept(ctx, arrivals, r.now())
		if err != nil {
			return DeliveryAnswer{}, err
		}
		for i, o := range outcomes {
			answer.Results[index[i]].Code, answer.Results[index[i]].Detail = o.Code, o.Detail
			if !o.Known && (o.Code == "" || o.Code == protocol.TicketUnderpays) {
				r.announce(arrivals[i], streams[i])
			}
		}
	}
	for _, result := range answer.Results {
		if result.Code != "" {
			r.config.Log.Warn("ticket not accepted as it is", "payer", d.Payer, "attempt", result.Attempt.Short(), "code", result.Code, "detail", result.Detail)
		}
	}
	if r.config.Rejected != nil {
		for _, reject := range d.Rejects {
			r.config.Rejected(d.Payer, reject)
		}
	}
	if d.Flush != nil {
		if err := r.flush(ctx, d.Payer, *d.Flush); err != nil {
			return answer, err
		}
	}
	if d.Wants != "" {
		answer.Params = r.renew(ctx, d.Payer, d.Wants)
	}
	return answer, nil
}

// judge says what a ticket is without changing anything.
func (r *Recipient) judge(ctx context.Context, payer common.Address, p Paid) (Arrival, Set, error) {
	t := p.Ticket
	if t.Payer != payer || t.Recipient != r.self {
		return Arrival{}, Set{}, protocol.Errorf(protocol.TicketInvalid, "ticket from %s to %s in a delivery from %s to %s", t.Payer, t.Recipient, payer, r.self)
	}
	s, err := r.set(ctx, t.RecipientRandHash)
	if err != nil {
		return Arrival{}, Set{}, err
	}
	if t.Payer != s.Payer || t.Lane != s.Lane || t.FaceValue != s.FaceValue || t.Expiry != s.Expiry {
		return Arrival{}, Set{}, protocol.Errorf(protocol.TicketInvalid, "payer, lane %d, face value %s and expiry %d are not those of the parameter set: %s, %d, %s, %d",
			t.Lane, t.FaceValue, t.Expiry, s.Payer, s.Lane, s.FaceValue, s.Expiry)
	}
	digest, signer, err := r.hasher.Signatory(t)
	if err != nil {
		return Arrival{}, Set{}, err
	}
	if err := r.authorised(ctx, payer, signer, t.Expiry); err != nil {
		if protocol.CodeOf(err) == protocol.BadSignature {
			err = protocol.Errorf(protocol.TicketInvalid, "%w", err)
		}
		return Arrival{}, Set{}, err
	}
	secret, err := r.rand(ctx, s)
	if err != nil {
		return Arrival{}, Set{}, err
	}
	return Arrival{Attempt: p.Attempt, Ticket: t, Digest: digest, SetSerial: s.Serial, Won: ticket.Won(secret, digest, t.WinProb)}, s, nil
}

func (r *Recipient) set(ctx context.Context, h common.Hash) (Set, error) {
	r.mu.Lock()
	s, ok := r.sets[h]
	r.mu.Unlock()
	if ok {
		return s, nil
	}
	s, ok, err := r.store.SetByRandHash(ctx, h)
	if err != nil {
		return Set{}, err
	}
	if !ok {
		return Set{}, protocol.Errorf(protocol.TicketUnknownSet, "no parameter set has the rand hash %s", h)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.sets) >= setsCached {
		clear(r.sets)
	}
	r.sets[h] = s
	return s, nil
}

func (r *Recipient) announce(a Arrival, stream string) {
	t := a.Ticket
	worth := t.EV()
	r.income.add(t.Payer, worth, r.now())
	e := protocol.Event{At: time.Now(), Actor: r.self, Kind: protocol.TicketAccepted, Stream: stream, Attempt: &a.Attempt, Counterparty: &t.Payer, Wei: &worth}
	r.config.Events(e)
	if a.Won {
		e.Kind, e.Wei = protocol.TicketWon, &t.FaceValue
		r.config.Events(e)
		r.config.Log.Info("ticket won", "payer", t.Payer, "stream", stream, "lane", t.Lane, "nonce", t.TicketNonce, "wei", t.FaceValue.String())
	}
}

func (r *Recipient) flush(ctx context.Context, payer common.Address, signed protocol.Signed[Flush]) error {
	f := signed.Message
	signer, err := signed.Signatory(r.config.Domain)
	if err != nil {
		return err
	}
	if err := r.authorised(ctx, f.Payer, signer, uint64(r.now().Unix())); err != nil {
		return err
	}
	if f.Payer != payer || f.Recipient != r.self {
		return protocol.Errorf(protocol.BadRequest, "flush of %s for %s in a delivery of %s to %s", f.Payer, f.Recipient, payer, r.self)
	}
	n, err := r.store.CloseUpTo(ctx, payer, f.Set, r.now())
	if err != nil {
		return err
	}
	if n > 0 {
		r.wakeUp()
	}
	if r.config.Flushed == nil {
		return nil
	}
	s, ok, err := r.store.SetByID(ctx, payer, f.Set) // also one that its time has closed: the payer's stream is over all the same
	if err == nil && ok {
		r.config.Flushed(payer, s.Stream)
	}
	return err
}

// renew is the next set of a stream that has had one, so that a payer whose parameters ran out can pay what it owes. Only
// that: a payer that this side does not know gets nothing here.
func (r *Recipient) renew(ctx context.Context, payer common.Address, stream string) *protocol.Signed[protocol.TicketParams] {
	p, err := func() (*protocol.Signed[protocol.TicketParams], error) {
		lane, known, err := r.store.KnownLane(ctx, payer, stream)
		if err != nil || !known {
			return nil, err
		}
		s, ok, err := r.store.NewestSet(ctx, payer, lane)
		if err != nil || !ok {
			return nil, err
		}
		if err := r.mayPay(payer, stream); err != nil {
			return nil, err
		}
		p, err := r.params(ctx, payer, stream, s.FaceValue, func() (protocol.Wei, error) { return s.FaceValue, nil })
		return &p, err
	}()
	if err != nil {
		r.config.Log.Warn("no new parameters for a payer that asks", "payer", payer, "stream", stream, "err", err)
		return nil
	}
	return p
}

// Draining reports that no new work is taken any more, since CloseAll or Drain.
func (r *Recipient) Draining() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.draining
}

func (r *Recipient) wakeUp() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// CloseAll closes every set at once and hands out no more.
func (r *Recipient) CloseAll(ctx context.Context) error {
	r.mu.Lock()
	r.draining = true
	r.mu.Unlock()
	if _, err := r.store.CloseAll(ctx, r.now()); err != nil {
		return fmt.Errorf("drain: %w", err)
	}
	r.wakeUp()
	return nil
}
