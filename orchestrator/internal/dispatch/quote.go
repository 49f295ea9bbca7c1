package dispatch

import (
	"context"
	"time"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator/internal/store"
)

// quoteEntry is a quote this process has seen; Postgres has them all.
type quoteEntry struct {
	store.Quote
	until time.Time
}

// Quote answers what a stream would cost, with the ticket parameters to pay it by. The quote is stored before it is
// given, so that any replica serves it.
func (d *Dispatcher) Quote(ctx context.Context, r protocol.QuoteRequest) (protocol.QuoteAnswer, error) {
	var answer protocol.QuoteAnswer
	if err := r.Validate(); err != nil {
		return answer, protocol.Errorf(protocol.BadRequest, "quote request: %w", err)
	}
	if r.Payer == d.self {
		return answer, protocol.Errorf(protocol.BadRequest, "payer %s is this orchestrator", r.Payer)
	}
	var prices protocol.Prices
	for _, p := range r.Ladder {
		price, ok := d.cfg.Prices.Of(p.Codec)
		if !ok {
			return answer, protocol.Errorf(protocol.UnsupportedCodec, "profile %q: %s is not sold here", p.Name, p.Codec)
		}
		if _, listed := prices.Of(p.Codec); !listed {
			prices = append(prices, protocol.CodecPrice{Codec: p.Codec, WeiPerPixel: price})
		}
	}
	maxFee, err := r.Ladder.MaxFee(prices, r.SourceFPS, r.MaxMillis)
	if err != nil {
		return answer, protocol.Errorf(protocol.UnsupportedCodec, "%w", err)
	}
	usualFee, err := r.Ladder.MaxFee(prices, r.SourceFPS, r.SegmentMillis)
	if err != nil {
		return answer, protocol.Errorf(protocol.UnsupportedCodec, "%w", err)
	}
	if !maxFee.FitsUint96() || maxFee.IsZero() {
		return answer, protocol.Errorf(protocol.FeeAboveFaceValue, "a segment of %d ms may cost %s wei, which no ticket can pay", r.MaxMillis, maxFee)
	}
	if err := d.admitQuote(ctx, r, prices); err != nil {
		return answer, err
	}
	params, err := d.recipient.ParamsAt(ctx, r.Payer, r.Stream, maxFee, usualFee)
	if err != nil {
		return answer, err
	}
	if params.Message.FaceValue.Less(maxFee) {
		return answer, protocol.Limited(protocol.FeeAboveFaceValue, "face_value", params.Message.FaceValue,
			"a segment of %d ms may cost %s wei, a ticket pays at most %s; send shorter segments", r.MaxMillis, maxFee, params.Message.FaceValue)
	}
	quote, err := protocol.Seal(d.cfg.Domain, d.cfg.Signer, protocol.Quote{ID: protocol.NewID(), Orchestrator: d.self, Payer: r.Payer, Stream: r.Stream,
		LadderHash: protocol.Hash(r.Ladder.Hash()), Prices: prices, MaxFee: maxFee, ValidMillis: uint32(d.cfg.QuoteValid.Milliseconds()), MaxMillis: r.MaxMillis})
	if err != nil {
		return answer, err
	}
	stored := store.Quote{Quote: quote, Request: r, Valid: d.cfg.QuoteValid}
	if err := d.store.SaveQuote(ctx, stored); err != nil {
		return answer, err
	}
	d.remember(stored)
	return protocol.QuoteAnswer{Quote: quote, Params: params, Region: d.cfg.Region}, nil
}

// quote finds a quote here or in Postgres; Valid is what is left of it.
func (d *Dispatcher) quote(ctx context.Context, id protocol.ID) (store.Quote, error) {
	d.mu.Lock()
	e, ok := d.quotes[id]
	d.mu.Unlock()
	if ok {
		e.Valid = time.Until(e.until)
		if e.Valid > 0 {
			return e.Quote, nil
		}
	}
	q, err := d.store.Quote(ctx, id)
	if err == nil && q.Valid > 0 {
		d.remember(q)
	}
	return q, err
}

// maxQuotes bounds the quotes at hand; others are read from Postgres.
const maxQuotes = 10_000

func (d *Dispatcher) remember(q store.Quote) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.quotes) < maxQuotes {
		d.quotes[q.Quote.Message.ID] = quoteEntry{Quote: q, until: time.Now().Add(q.Valid)}
	}
}
