package market

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
)

// quote is a binding price that was checked, and how long it may be used. Guarded by Market.mu.
type quote struct {
	protocol.Quote
	received time.Time // when it was asked for: its life is counted from there, never later
	renewing bool
}

func (q *quote) live(now time.Time) bool {
	return q != nil && q.remaining(now) > 0
}

// remaining is how long a new segment may still be sent under it.
func (q *quote) remaining(now time.Time) time.Duration {
	return time.Duration(q.ValidMillis)*time.Millisecond - now.Sub(q.received)
}

// renewIfDue asks for the next quote and ticket parameters, in the background, before either runs out. m.mu is held.
func (m *Market) renewIfDue(s *seller, ask Ask, q *quote) {
	margin := max(4*time.Second, 2*time.Duration(ask.SegmentMillis)*time.Millisecond)
	usable, ok := m.cfg.Payer.Usable(q.Orchestrator, ask.Stream)
	if q.renewing || ok && usable > margin && q.remaining(time.Now()) > min(margin, time.Duration(q.ValidMillis)*time.Millisecond/3) {
		return
	}
	q.renewing = true
	m.renewal.Go(func() {
		if _, err := m.request(m.ctx, s, ask); err != nil {
			m.cfg.Log.Warn("cannot renew a quote; trying again with the next segment", "orchestrator", s.url, "stream", ask.Stream, "err", err)
		}
		m.mu.Lock()
		q.renewing = false
		m.mu.Unlock()
	})
}

// quoteOf returns a live quote of s, asking for one if need be.
func (m *Market) quoteOf(ctx context.Context, s *seller, ask Ask) (*quote, error) {
	m.mu.Lock()
	q := s.quotes[ask.key()]
	live := q.live(time.Now())
	m.mu.Unlock()
	if live {
		return q, nil
	}
	return m.request(ctx, s, ask)
}

// request asks s for a quote, checks it and keeps it.
func (m *Market) request(ctx context.Context, s *seller, ask Ask) (*quote, error) {
	q, err := m.ask(ctx, s, ask)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		if ctx.Err() == nil {
			s.lastErr = err
		}
		return nil, err
	}
	now := time.Now()
	for k, old := range s.quotes {
		if !old.live(now) {
			delete(s.quotes, k)
		}
	}
	s.quotes[ask.key()] = q
	return q, nil
}

// ask asks s for a quote that will be used: its ticket parameters are taken.
func (m *Market) ask(ctx context.Context, s *seller, ask Ask) (*quote, error) {
	q, params, err := m.inquire(ctx, s, ask)
	if err != nil {
		return nil, err
	}
	if err := m.cfg.Payer.Use(ctx, ask.Stream, params); err != nil {
		return nil, fmt.Errorf("ticket parameters: %w", err)
	}
	price, _ := q.Prices.Of(ask.Ladder[0].Codec)
	m.cfg.Events(protocol.Event{Kind: protocol.QuoteReceived, Stream: ask.Stream, Counterparty: &q.Orchestrator, Wei: &price})
	return q, nil
}

// inquire asks s what ask costs there and checks the answer. What it says of itself is noted, or that it says nothing.
func (m *Market) inquire(ctx context.Context, s *seller, ask Ask) (*quote, protocol.Signed[protocol.TicketParams], error) {
	q, params, err := m.question(ctx, s, ask)
	if err != nil && ctx.Err() == nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		s.lastErr = err
		switch protocol.CodeOf(err) {
		case protocol.Unreachable, protocol.Unavailable, protocol.BadRequest, protocol.BadSignature: // a refusal is an answer
			s.misses++
		}
	}
	return q, params, err
}

func (m *Market) question(ctx context.Context, s *seller, ask Ask) (*quote, protocol.Signed[protocol.TicketParams], error) {
	var none protocol.Signed[protocol.TicketParams]
	ctx, cancel := context.WithTimeout(ctx, m.cfg.QuoteTimeout)
	defer cancel()
	self := m.cfg.Signer.Address()
	sent := time.Now()
	m.mu.Lock()
	s.asked = sent
	m.mu.Unlock()
	var wrote, first atomic.Pointer[time.Time]
	note := func(at *atomic.Pointer[time.Time]) { now := time.Now(); at.CompareAndSwap(nil, &now) }
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { note(&wrote) }, GotFirstResponseByte: func() { note(&first) }})
	var answer protocol.QuoteAnswer
	if err := m.post(traced, m.clients.Of(s.claimed), s.url+"/v1/quote", protocol.QuoteRequest{Payer: self, Stream: ask.Stream, Ladder: ask.Ladder, SourceFPS: ask.FPS,
		SegmentMillis: ask.SegmentMillis, MaxMillis: ask.MaxMillis}, &answer); err != nil {
		return nil, none, err
	}
	rtt := time.Since(sent)
	if w, f := wrote.Load(), first.Load(); w != nil && f != nil && f.After(*w) {
		rtt = f.Sub(*w)
	}
	q, err := answer.Quote.Open(m.cfg.Domain)
	if err != nil {
		return nil, none, fmt.Errorf("quote: %w", err)
	}
	params, err := answer.Params.Open(m.cfg.Domain)
	if err != nil {
		return nil, none, fmt.Errorf("ticket parameters: %w", err)
	}
	if err := m.met(s, q.Orchestrator); err != nil {
		return nil, none, err
	}
	if q.Payer != self || q.Stream != ask.Stream || q.LadderHash != protocol.Hash(ask.Ladder.Hash()) || q.MaxMillis < ask.MaxMillis ||
		params.Recipient != q.Orchestrator || params.Payer != self {
		return nil, none, protocol.Errorf(protocol.BadRequest, "the quote is not for what was asked")
	}
	for _, p := range ask.Ladder {
		price, ok := q.Prices.Of(p.Codec)
		if !ok {
			return nil, none, protocol.Errorf(protocol.UnsupportedCodec, "the quote has no price for %s", p.Codec)
		}
		if !m.cfg.MaxWeiPerPixel.IsZero() && m.cfg.MaxWeiPerPixel.Less(price) {
			m.heard(s, q.Prices, answer.Region, rtt)
			return nil, none, protocol.Limited(protocol.PriceAboveMax, "max-wei-per-pixel", m.cfg.MaxWeiPerPixel,
				"%s asks %s wei per pixel of %s, at most %s is paid", s.url, price, p.Codec, m.cfg.MaxWeiPerPixel)
		}
	}
	most, err := ask.Ladder.MaxFee(q.Prices, ask.FPS, ask.MaxMillis)
	if err != nil || q.MaxFee.IsZero() || most.Mul(2).Less(q.MaxFee) {
		return nil, none, protocol.Errorf(protocol.BadRequest, "the quote's max_fee %s cannot follow from its prices (%s): %v", q.MaxFee, most, err)
	}
	if params.FaceValue.Less(q.MaxFee) {
		return nil, none, protocol.Errorf(protocol.FeeAboveFaceValue, "a segment may cost %s, one ticket pays %s", q.MaxFee, params.FaceValue)
	}
	m.heard(s, q.Prices, answer.Region, rtt) // only now: low prices with terms that nobody can take would earn a place
	return &quote{Quote: q, received: sent}, answer.Params, nil
}

// post sends a message and reads the answer, or the Problem as an error.
func (m *Market) post(ctx context.Context, client *http.Client, url string, message, answer any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(protocol.Encode(message)))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return protocol.Errorf(protocol.Unreachable, "%w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return problem(resp)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, protocol.MaxMessage+1))
	if err != nil {
		return protocol.Errorf(protocol.Unreachable, "read the answer: %w", err)
	}
	if len(body) > protocol.MaxMessage {
		return protocol.Errorf(protocol.BadRequest, "the answer is larger than %d bytes", protocol.MaxMessage)
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return protocol.Errorf(protocol.BadRequest, "the answer: %w", err)
	}
	return nil
}

// problem reads a refusal; one that is not a Problem becomes Unavailable.
func problem(resp *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, protocol.MaxMessage))
	p, err := protocol.Decode[protocol.Problem](body)
	if err != nil || p.Code == "" {
		return protocol.Errorf(protocol.Unavailable, "answered %s", resp.Status)
	}
	return p.Err()
}

// Deliver carries tickets to an orchestrator, by whichever of its replicas answers: POST /v1/tickets.
func (m *Market) Deliver(ctx context.Context, recipient common.Address, d payment.Delivery) (payment.DeliveryAnswer, error) {
	var answer payment.DeliveryAnswer
	replicas, err := m.endpointsOf(recipient)
	for _, at := range replicas {
		err = func() error {
			ctx, cancel := context.WithTimeout(ctx, deliveryTimeout/time.Duration(len(replicas)))
			defer cancel()
			return m.post(ctx, m.clients.Of(at.Identity), at.URL+"/v1/tickets", d, &answer)
		}()
		if c := protocol.CodeOf(err); c != protocol.Unreachable && c != protocol.Unavailable && c != protocol.Draining {
			break
		}
	}
	return answer, err
}

// deliveryTimeout bounds one delivery of tickets.
const deliveryTimeout = 10 * time.Second
