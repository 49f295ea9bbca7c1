package dispatch

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
	"github.com/kinora/kinora/orchestrator/internal/store"
)

// segmentID is a segment's key at its payer.
type segmentID struct {
	payer common.Address
	key   protocol.SegmentKey
}

// segment is one segment in flight, and afterwards the record from which a replay is answered.
type segment struct {
	id        segmentID
	offer     protocol.SegmentOffer
	header    protocol.SegmentHeader
	signer    common.Address // of the header: the payer, or a session key of it
	quote     store.Quote
	work      work
	credit    protocol.ID     // under which the payer's credit is held
	delivered *store.Delivery // by an earlier story, whose answer is not at hand any more
	src       *source
	answer    *Answer
	log       *slog.Logger

	results chan *try     // one per try that was started; never blocks
	leased  chan struct{} // holds a token once somebody has it
	unsure  chan *part    // those whose try is with somebody unproven, out of turn; never blocks
	done    chan struct{} // closed when the answer has ended
	rest    chan struct{} // closed when every try is settled and paid
	off     chan struct{} // closed when the payer calls the segment off
	offOnce sync.Once

	receipts atomic.Int32 // that came in

	won        []*try // set before done, one for each part, the one under whose name all is owed first; nil: nobody's output was released
	finishedAt time.Time
	reviewed   bool // guarded by Dispatcher.mu

	mu    sync.Mutex
	tries []*try
	next  uint8 // ordinal

	// The story's own, and then of whoever settles the rest.
	parts    []*part // of the ladder; one unless nobody can carry all of it
	received int     // results taken
	passed   []*try  // whose output of this source passed
	held     []held  // failures that the source may have provoked
	claims   []*try  // that the source is poison, by one transcoder each
	proof    proof   // what came of it here
}

// maxTries bounds tries and probes of one segment.
const maxTries = 64

func (s *segment) settled() bool {
	select {
	case <-s.rest:
		return true
	default:
		return false
	}
}

// quoteGrace lets a header that was signed in a quote's last moment arrive.
const quoteGrace = 2 * time.Second

// admit checks that the offer is one this orchestrator can serve and will be paid for: whose header, which quote, until
// when, how much. Nothing is held yet.
func (d *Dispatcher) admit(ctx context.Context, offer protocol.SegmentOffer) (*segment, error) {
	if err := offer.Validate(); err != nil {
		return nil, protocol.Errorf(protocol.BadRequest, "segment offer: %w", err)
	}
	h := offer.Header.Message
	signer, err := offer.Header.Signatory(d.cfg.Domain)
	if err != nil {
		return nil, err
	}
	if h.Recipient != d.self {
		return nil, protocol.Errorf(protocol.BadRequest, "the header is for recipient %s, this is %s", h.Recipient, d.self)
	}
	if now := uint64(time.Now().Unix()); h.Expiry <= now {
		return nil, protocol.Errorf(protocol.Stale, "the header expired %d s ago", now-h.Expiry)
	}
	if err := d.recipient.Signs(ctx, h.Payer, signer); err != nil {
		return nil, err
	}
	q, err := d.quote(ctx, h.Quote)
	if err != nil {
		return nil, err
	}
	m := q.Quote.Message
	switch {
	case m.Payer != h.Payer || m.Stream != h.Stream:
		return nil, protocol.Errorf(protocol.QuoteUnknown, "quote %s is not for stream %q of %s", h.Quote.Short(), h.Stream, h.Payer)
	case q.Valid <= -quoteGrace:
		return nil, protocol.Errorf(protocol.QuoteExpired, "quote %s expired %s ago; ask for a new one", h.Quote.Short(), -q.Valid.Round(time.Millisecond))
	case offer.DurationMillis > m.MaxMillis:
		return nil, protocol.Limited(protocol.SegmentTooLong, "max_segment_ms", m.MaxMillis, "the segment lasts %d ms, the quote is for at most %d", offer.DurationMillis, m.MaxMillis)
	}
	fee, err := q.Request.Ladder.MaxFee(m.Prices, q.Request.SourceFPS, offer.DurationMillis)
	if err != nil {
		return nil, protocol.Errorf(protocol.UnsupportedCodec, "%w", err)
	}
	if h.Budget.Less(fee) {
		return nil, protocol.Limited(protocol.BudgetTooSmall, "fee", fee, "%d ms may cost %s wei, the budget is %s", offer.DurationMillis, fee, h.Budget)
	}
	s := &segment{id: segmentID{h.Payer, h.SegmentKey}, offer: offer, header: h, signer: signer, quote: q, credit: protocol.NewID(),
		work:   work{key: streamKey{h.Payer, h.Stream, h.Incarnation, m.LadderHash}, request: q.Request, maxPrices: m.Prices},
		src:    newSource(d.newSource(h.Payer, offer.DurationMillis)),
		answer: newAnswer(), results: make(chan *try, maxTries), leased: make(chan struct{}, 1), unsure: make(chan *part, maxTries), done: make(chan struct{}), rest: make(chan struct{}), off: make(chan struct{}),
		log: d.cfg.Log.With("stream", h.Stream, "incarnation", h.Incarnation, "seq", h.Seq)}
	return s, nil
}

// enter makes s the segment of its key. If there is one already, in flight or kept, that one is returned instead, unless the
// payer rejects what its transcoder delivered.
func (d *Dispatcher) enter(ctx context.Context, s *segment) (earlier *segment, err error) {
	d.mu.Lock()
	e, rejected := d.segments[s.id], false
	if e != nil {
		select {
		case <-e.done:
			rejected = e.wonBy(s.offer.Avoid...) != nil
		default:
		}
		if !rejected {
			d.mu.Unlock()
			return e, nil
		}
		d.dropLocked(e)
	}
	if d.stories > d.cfg.MaxInFlight { // this one is counted
		d.mu.Unlock()
		return nil, protocol.Limited(protocol.RateLimited, "max_in_flight", d.cfg.MaxInFlight, "%d segments are in flight", d.cfg.MaxInFlight)
	}
	d.segments[s.id] = s
	d.mu.Unlock()
	if rejected {
		d.background(func() { d.review(e, e.wonBy(s.offer.Avoid...)) })
	}

	delivered, ok, err := d.store.Delivered(ctx, s.id.payer, s.id.key)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, nil
	}
	s.delivered = &delivered
	return nil, delivered.Spent(s.id.key) // before anybody works for what could not be charged
}

// join answers a replay from the story that is or was told of the same segment: same bytes, or a conflict.
func (d *Dispatcher) join(ctx context.Context, earlier *segment, body io.Reader, answer *Answer) error {
	hash, _, err := receive(body, d.cfg.MaxSegmentBytes, func([]byte, bool) error { return nil })
	if err != nil {
		return err
	}
	select {
	case <-earlier.src.ended:
	case <-earlier.done:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case <-earlier.src.ended:
	default: // it was refused before its source was taken
		_, refused, failed := earlier.answer.Copy(ctx, func(protocol.Frame) error { return nil })
		return errors.Join(refused, failed)
	}
	known, _, _, err := earlier.src.whole(ctx)
	if err != nil {
		return err
	}
	if hash != known {
		return protocol.Errorf(protocol.SegmentConflict, "segment %s is known with other bytes", earlier.id.key)
	}
	_, refused, failed := earlier.answer.Copy(ctx, func(f protocol.Frame) error { answer.put(f); return nil })
	if failed != nil {
		return failed
	}
	return refused
}

// leave ends the story of s: a verified answer is kept for replays, any other makes room for a new try.
func (d *Dispatcher) leave(s *segment, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		d.dropLocked(s)
	} else {
		s.finishedAt = time.Now()
		d.kept = append(d.kept, s)
		d.keptSize += s.size()
	}
	close(s.done)
	for d.keptSize > d.cfg.KeepBytes && len(d.kept) > 0 {
		d.dropLocked(d.kept[0])
	}
}

// dropLocked forgets s; mu is held.
func (d *Dispatcher) dropLocked(s *segment) {
	if d.segments[s.id] == s {
		delete(d.segments, s.id)
	}
	if i := slices.Index(d.kept, s); i >= 0 {
		d.kept = slices.Delete(d.kept, i, i+1)
		d.keptSize -= s.size()
	}
}

// size is what keeping s costs: its answer, and its source for a second look at it.
func (s *segment) size() int {
	_, source, _, _ := s.src.whole(context.Background()) // it has ended
	return s.answer.size() + int(source)
}

// forget drops answers that were kept long enough, and quotes that expired.
func (d *Dispatcher) forget(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.kept) > 0 && now.Sub(d.kept[0].finishedAt) > d.cfg.KeepAnswers {
		d.dropLocked(d.kept[0])
	}
	for id, q := range d.quotes {
		if now.After(q.until) {
			delete(d.quotes, id)
		}
	}
}

// show hands a frame of t to the payer, now or when it comes to the front. The payload must not change any more.
func (s *segment) show(t *try, f protocol.Frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case t.dropped || t.probe:
	case t.live:
		s.showLocked(t, f)
	default:
		t.buffer = append(t.buffer, f)
	}
}

func (s *segment) showLocked(t *try, frames ...protocol.Frame) {
	for i := range frames {
		if !t.shown { // ordinals count what the payer sees
			t.shown, t.ordinal = true, s.next
			s.next++
		}
		frames[i].Attempt = t.ordinal
	}
	s.answer.put(frames...)
}

// restart takes back what the payer was shown of t: to the payer, one attempt ends and another one begins.
func (s *segment) restart(t *try, start []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	begin := protocol.Frame{Kind: protocol.FrameAttempt, Payload: start}
	switch {
	case t.dropped || t.probe:
	case t.live:
		if t.shown {
			p := protocol.ProblemOf(protocol.Errorf(protocol.ChildCrashed, "the transcoder begins anew with another child"))
			s.answer.put(protocol.Frame{Kind: protocol.FrameAbandoned, Attempt: t.ordinal, Payload: protocol.Encode(p)})
			t.shown = false
		}
		s.showLocked(t, begin)
	default:
		t.buffer = []protocol.Frame{begin}
	}
}

// inspect waits for what the source turns out to be and reports only what is wrong with it.
func (d *Dispatcher) inspect(s *segment) <-chan error {
	unfit := make(chan error, 1)
	d.running.Go(func() {
		info, err := s.src.Info(d.life)
		if err == nil {
			err = s.worth(info)
		}
		if err == nil {
			return
		}
		select {
		case <-s.src.ended:
			if _, _, _, broken := s.src.whole(d.life); broken != nil {
				err = broken
			}
		default:
		}
		unfit <- err
	})
	return unfit
}

// worth holds what the source turned out to be against what was announced and signed for: a little more is forgiven, since
// the fee is capped by the budget, but nobody works for a fraction of the price.
func (s *segment) worth(info verify.SourceInfo) error {
	announced := time.Duration(s.offer.DurationMillis) * time.Millisecond
	if limit := announced + announced/4 + time.Second; info.Duration > limit {
		return protocol.Limited(protocol.SegmentTooLong, "announced_ms", s.offer.DurationMillis, "the segment lasts %s", info.Duration.Round(time.Millisecond))
	}
	var fee protocol.Wei
	for _, p := range s.quote.Request.Ladder {
		frames := uint64(info.Frames)
		if p.FPSNum != 0 {
			frames = uint64(info.Duration.Seconds() * float64(p.FPSNum) / float64(p.FPSDen))
		}
		price, _ := s.quote.Quote.Message.Prices.Of(p.Codec)
		fee = fee.Add(price.Mul(frames * uint64(p.Width) * uint64(p.Height)))
	}
	if s.header.Budget.Add(s.header.Budget.Div(4)).Less(fee) {
		return protocol.Limited(protocol.BudgetTooSmall, "fee", fee, "its %d pictures cost %s wei, the budget is %s", info.Frames, fee, s.header.Budget)
	}
	return nil
}
