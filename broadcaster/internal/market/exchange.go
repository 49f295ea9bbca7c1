package market

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

// headerLife bounds how long a signed header is worth anything: against replay only.
const headerLife = 10 * time.Minute

// Segment is what is sent.
type Segment struct {
	Key    protocol.SegmentKey
	Source io.Reader // yields bytes as they arrive; ends when its context does
	Millis uint32    // as announced
	Budget time.Duration
	Avoid  []common.Address
}

// Exchange is one segment at one orchestrator: source bytes go while frames come.
type Exchange struct {
	frames *protocol.FrameReader
	body   io.Closer
	cancel context.CancelFunc
}

// Send signs the segment's header and begins to stream it. It returns once the orchestrator began to answer; its refusal
// is the error. The signed budget is the quote's max fee: never more is paid.
func (c *Choice) Send(ctx context.Context, s Segment) (*Exchange, error) {
	m := c.market
	header, err := protocol.Seal(m.cfg.Domain, m.cfg.Signer, protocol.SegmentHeader{Payer: m.cfg.Signer.Address(), Recipient: c.Orchestrator, Quote: c.Quote.ID,
		SegmentKey: s.Key, Budget: c.Quote.MaxFee, Expiry: uint64(time.Now().Add(headerLife).Unix())})
	if err != nil {
		return nil, err
	}
	offer := protocol.SegmentOffer{Header: header, DurationMillis: s.Millis, BudgetMillis: uint32(max(1, s.Budget.Milliseconds())), Avoid: s.Avoid}
	field := protocol.EncodeField(offer)
	c.offer.Store(&field)
	c.departs()
	ctx, cancel := context.WithCancel(ctx)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost,
		fmt.Sprintf("%s/v1/streams/%s/segments/%d", c.URL, url.PathEscape(s.Key.Stream), s.Key.Seq), io.NopCloser(&timed{s.Source, &c.sent}))
	if err != nil {
		cancel()
		return nil, err
	}
	req.ContentLength = -1
	req.Header.Set("Content-Type", "video/mp2t")
	req.Header.Set(protocol.OfferField, field)
	resp, err := m.clients.Of(c.seller.claimed).Do(req)
	if err != nil {
		cancel()
		if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
			return nil, cause
		}
		return nil, protocol.Errorf(protocol.Unreachable, "%w", err)
	}
	if resp.StatusCode != http.StatusOK {
		defer cancel()
		defer resp.Body.Close()
		return nil, problem(resp)
	}
	return &Exchange{frames: protocol.NewFrameReader(resp.Body), body: resp.Body, cancel: cancel}, nil
}

// Offered reports whether the orchestrator may have heard of the segment.
func (c *Choice) Offered() bool { return c.offer.Load() != nil }

// callOffTimeout bounds how long an orchestrator may take to acknowledge that it is called off.
const callOffTimeout = 3 * time.Second

// CallOff tells the orchestrator that the segment is not wanted of it any more, and returns once it has acknowledged that. What
// it had delivered by then still comes, and is owed.
func (c *Choice) CallOff(ctx context.Context, key protocol.SegmentKey) error {
	field := c.offer.Load()
	if field == nil {
		return protocol.Errorf(protocol.NotFound, "nothing was sent to %s", c.URL)
	}
	ctx, cancel := context.WithTimeout(ctx, callOffTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("%s/v1/streams/%s/segments/%d/cancel", c.URL, url.PathEscape(key.Stream), key.Seq), nil)
	if err != nil {
		return err
	}
	req.Header.Set(protocol.OfferField, *field)
	resp, err := c.market.clients.Of(c.seller.claimed).Do(req)
	if err != nil {
		return protocol.Errorf(protocol.Unreachable, "%w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusNoContent {
		return problem(resp)
	}
	return nil
}

// timed notes when the last byte of a source was read.
type timed struct {
	io.Reader
	ended *atomic.Pointer[time.Time]
}

func (t *timed) Read(p []byte) (int, error) {
	n, err := t.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		now := time.Now()
		t.ended.Store(&now)
	}
	return n, err
}

// Next returns the next frame; its payload is valid until the next call. The end of the exchange is an error: the Problem
// of FrameEnd, Unreachable when the connection broke, or io.EOF after a FrameEnd without one.
func (e *Exchange) Next() (protocol.Frame, error) {
	f, err := e.frames.Read()
	if err != nil {
		if protocol.CodeOf(err) == protocol.BadRequest {
			return f, err
		}
		return f, protocol.Errorf(protocol.Unreachable, "the orchestrator broke off: %w", err)
	}
	if f.Kind != protocol.FrameEnd {
		return f, nil
	}
	if len(f.Payload) == 0 {
		return f, io.EOF
	}
	p, err := protocol.Decode[protocol.Problem](f.Payload)
	if err != nil {
		return f, err
	}
	if p.Code == "" {
		return f, io.EOF
	}
	return f, p.Err()
}

// Close breaks the exchange off, or ends it.
func (e *Exchange) Close() {
	e.cancel()
	_ = e.body.Close()
}
