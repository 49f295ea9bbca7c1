package dispatch

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
)

// try is one attempt at a segment by one transcoder, or a probe: a duplicate for a suspect that is never released.
type try struct {
	seg    *segment
	part   *part
	id     protocol.ID
	probe  bool
	ctx    context.Context
	cancel context.CancelCauseFunc
	spent  func(cost protocol.Wei, now time.Time) // settles what it holds of the budget; nil before it has a lease
	over   func()                                 // of a probe: gives its suspect back

	// Guarded by seg.mu.
	transcoder common.Address // zero until it has a lease
	ended      bool
	bad        bool // its output failed verification
	live       bool // its frames go to the payer as they come
	shown      bool // at least one did
	dropped    bool // no more will
	straggled  bool
	beside     bool // started beside one that is unproven, not because that straggles
	ordinal    uint8
	buffer     []protocol.Frame // while another one is at the front

	// Written by relay, read once the try is among the results.
	lease      *Lease
	assignment protocol.Signed[protocol.Assignment] // zero: it did not come so far
	receipt    *protocol.Signed[protocol.Receipt]
	verdict    verify.Verdict
	check      *verify.Check
	restarted  bool
	promoted   bool  // it is the first of a lease that stood by
	err        error // why there is no receipt
	final      bool  // another try would end the same way
	settled    bool  // its end was committed
	at         time.Time
}

// errSettled is the cause of a cancel that says nothing against the transcoder.
var errSettled = protocol.Errorf(protocol.Cancelled, "the segment is settled")

// attempt starts the next try at p; one that still runs is a straggler.
func (d *Dispatcher) attempt(p *part) {
	if f := p.straggler(); f != nil {
		p.seg.log.Debug("a straggler goes on beside the next attempt", "attempt", f.id.Short())
	}
	d.launch(p, false)
}

// launch starts a try at p.
func (d *Dispatcher) launch(p *part, beside bool) {
	if t := p.start(false); t != nil {
		t.beside = beside
		t.ctx, t.cancel = context.WithCancelCause(d.life)
		d.running.Go(func() { d.run(t, func() (*Lease, error) { return d.seek(t.ctx, p) }) })
	}
}

// straggler marks the try at the front, if one runs.
func (p *part) straggler() *try {
	p.seg.mu.Lock()
	defer p.seg.mu.Unlock()
	if p.front != nil && !p.front.ended {
		p.front.straggled = true
		return p.front
	}
	return nil
}

// probe starts a duplicate of s for every suspect that can take it.
func (d *Dispatcher) probe(s *segment) {
	for _, c := range d.fleet.Suspects(d.ask(s.work, protocol.NewID(), nil)) {
		d.duplicate(s, c)
	}
}

// duplicate starts a try at s whose output is never released, and gives its transcoder back to the fleet when it has ended.
func (d *Dispatcher) duplicate(s *segment, c auction.Choice) {
	t := partOf(s, nil).start(true)
	if t == nil {
		d.fleet.Probed(c.Bid.Transcoder)
		return
	}
	ctx, stop := context.WithTimeout(d.life, time.Duration(s.offer.DurationMillis+3*s.offer.BudgetMillis)*time.Millisecond+10*time.Second)
	t.ctx, t.cancel = context.WithCancelCause(ctx)
	t.over = func() { d.fleet.Probed(c.Bid.Transcoder) }
	d.running.Go(func() {
		defer stop()
		d.run(t, func() (*Lease, error) { return d.probeLease(t.ctx, s.work, c.Bid) })
	})
}

// run carries one try to its end and hands it to the story.
func (d *Dispatcher) run(t *try, find func() (*Lease, error)) {
	defer t.cancel(errSettled)
	err := d.relay(t, find)
	t.at = time.Now()
	t.seg.mu.Lock()
	t.err = err
	t.ended, t.bad = true, t.failed()
	t.seg.mu.Unlock()
	if t.lease != nil {
		t.lease.over(err != nil && !errors.Is(context.Cause(t.ctx), errSettled) && !t.poison())
	}
	if t.over != nil {
		t.over() // before its verdict is acted on, so that the next segment finds its suspect free
	}
	t.seg.results <- t
}

// failed reports that the output was judged and found wanting.
func (t *try) failed() bool {
	return !t.verdict.Passed && !t.verdict.Inconclusive && t.verdict.Code != ""
}

// poison reports that the transcoder says of the source that it crashes whatever decodes it.
func (t *try) poison() bool { return t.err != nil && protocol.CodeOf(t.err) == protocol.PoisonSegment }

// How long a segment waits for a lease where what keeps bidders from it passes by itself, and how often it looks.
const (
	seekFor   = 1500 * time.Millisecond
	firstLook = 50 * time.Millisecond
	lastLook  = 400 * time.Millisecond
)

// seek finds a lease for the next try: with somebody new if possible, else with somebody who merely broke off. Where there is no
// room, or the price is too high, it says so at once.
func (d *Dispatcher) seek(ctx context.Context, p *part) (*Lease, error) {
	giveUp := time.After(seekFor)
	for look := firstLook; ; look = min(2*look, lastLook) {
		all, bad := p.avoid()
		for _, t := range d.kin(p) {
			all[t], bad[t] = true, true
		}
		l, err := d.lease(ctx, p.work, all)
		if refusedWork(err) != nil && len(bad) < len(all) {
			l, err = d.lease(ctx, p.work, bad)
		}
		if err == nil || !d.passes(err) {
			return l, err
		}
		select {
		case <-time.After(look):
		case <-giveUp:
			return nil, err
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// relay is one attempt: stage 4, a lease and one of its slots; stage 5, the source out and the renditions back, both
// while they arrive; and the check of stage 9 on the bytes that passed here. It returns why there is no verdict.
func (d *Dispatcher) relay(t *try, find func() (*Lease, error)) error {
	s := t.seg
	l, err := find()
	if err != nil {
		t.final = true
		return cause(t.ctx, err)
	}
	if err := s.take(t, l); err != nil {
		return err
	}
	if t.spent, err = d.afford(s, l); err != nil { // which says nothing of its transcoder, and was nothing done under the lease
		s.mu.Lock()
		t.lease, t.final = nil, true
		s.mu.Unlock()
		return err
	}
	if l.promote() { // begun without an auction; its holder may have no room for it any more, and says so at once
		t.promoted = true
		d.fleet.Awarded(l.transcoder, l.id, l.offer.Ladder.PixelRates(l.offer.SourceFPS))
		d.cfg.Metrics.standbys.Inc()
		s.log.Info("a lease that stood by is needed", "transcoder", l.transcoder, "lease", l.id.Short())
	}
	if !t.probe {
		l.serve(t.part.work)
		token(s.leased)
	}
	if l.tries() && d.fleet.Unproven(l.transcoder, auction.ClassOf(l.rate())) {
		s.unsure <- t.part
	}
	continues := l.begin(s.id.key.Seq)
	if !t.probe {
		d.freshen(l)
	}
	slot, err := d.slot(t, l)
	if errors.Is(err, errTakenOver) { // its transcoder may be asked again at once
		l.over(false)
		s.mu.Lock()
		t.lease, t.transcoder = nil, common.Address{}
		s.mu.Unlock()
	}
	if err != nil {
		return err
	}
	defer slot.finish()
	d.cfg.Metrics.slots.WithLabelValues("used").Inc()

	t.assignment, err = protocol.Seal(d.cfg.Domain, d.cfg.Signer, protocol.Assignment{Orchestrator: d.self, Transcoder: l.transcoder,
		Lease: l.id, SegmentKey: s.id.key, Attempt: t.id})
	if err != nil {
		return err
	}
	start := protocol.Encode(protocol.AttemptStart{Assignment: t.assignment, DurationMillis: s.offer.DurationMillis,
		BudgetMillis: s.left(), Continues: continues, Rungs: t.part.rungs})
	record := d.fleet.Record(l.transcoder)
	checking, stop := context.WithCancel(d.life)
	defer stop()
	spec := verify.Spec{Ladder: l.ladder(), Payee: l.transcoder.Hex(), Deep: t.probe || d.sampled(t.id, record)} // decided here, before its first byte
	t.check = verify.Begin(checking, s.src.Source, spec)
	defer func() { t.check.Cancel() }()

	// A cancel is said, and waited for: a receipt that was on its way is still paid. Then the slot is cut, also under a first
	// frame that its transcoder does not take.
	begun := make(chan struct{})
	uncancel := context.AfterFunc(t.ctx, func() {
		time.AfterFunc(d.cfg.CancelGrace, slot.abort)
		<-begun
		p := protocol.ProblemOf(context.Cause(t.ctx))
		_ = slot.write(protocol.Frame{Kind: protocol.FrameCancel, Payload: protocol.Encode(p)}) // gone is as good as cancelled
	})
	defer uncancel()
	s.show(t, protocol.Frame{Kind: protocol.FrameAttempt, Payload: start})
	err = slot.write(protocol.Frame{Kind: protocol.FrameAttempt, Payload: start})
	close(begun)
	if err != nil {
		return cause(t.ctx, protocol.Errorf(protocol.Unreachable, "the transcoder's slot broke: %w", err))
	}
	d.cfg.Events(t.event(protocol.AttemptStarted))

	pumping, stopPump := context.WithCancel(t.ctx)
	pumped := make(chan struct{})
	go func() {
		defer close(pumped)
		if err := t.pump(pumping, slot); err != nil {
			slot.abort()
		}
	}()
	endPump := func() { // a transcoder that stopped reading does not hold up its own end
		stopPump()
		defer time.AfterFunc(d.cfg.CancelGrace, slot.abort).Stop()
		<-pumped
	}
	defer endPump()

	receipt, err := d.collect(t, slot, func() { // a child died over there, and another one does it from the start
		t.check.Cancel()
		t.check = verify.Begin(checking, s.src.Source, spec)
		s.restart(t, start)
	})
	if err != nil {
		return cause(t.ctx, err)
	}
	uncancel()
	t.receipt, t.at = &receipt, time.Now()
	t.seg.receipts.Add(1)
	endPump()
	slot.finish() // its transcoder may park the next one while this output is checked
	t.verdict = t.check.Finish(checking, t.assignment.Message, receipt, d.cfg.Domain)
	if t.verdict.Inconclusive {
		return protocol.Errorf(protocol.Unavailable, "the output could not be checked: %s: %s", t.verdict.Code, t.verdict.Detail)
	}
	return nil
}

// token puts one into c, unless there is one.
func token(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// cause prefers the reason for which the try was cancelled over what broke because of it.
func cause(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// take gives l to t; it fails when another try of the segment is with the same transcoder.
func (s *segment) take(t *try, l *Lease) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.tries {
		if x != t && !x.ended && x.transcoder == l.transcoder && (t.probe || !x.probe && x.part == t.part) {
			t.final = true
			return protocol.Errorf(protocol.NoTranscoder, "only %s could take it, which is at it already", l.transcoder)
		}
	}
	t.transcoder, t.lease = l.transcoder, l
	return nil
}

// left is what remains of the budget, at least a millisecond. Before the source has ended that is all of it.
func (s *segment) left() uint32 {
	select {
	case <-s.src.ended:
	default:
		return s.offer.BudgetMillis
	}
	_, _, end, _ := s.src.whole(context.Background())
	left := time.Duration(s.offer.BudgetMillis)*time.Millisecond - time.Since(end)
	return uint32(max(1, left.Milliseconds()))
}

// slot takes a parked slot of l. A holder that parks none is not there: its lease ends, unless other attempts keep it busy.
func (d *Dispatcher) slot(t *try, l *Lease) (*Slot, error) {
	patience := d.cfg.SlotTimeout
	wait := patience
	if l.parking.used() { // it was there before, and is at most a reconnection away, unless its lease is over
		patience /= 2
		wait = min(patience, firstLook)
	}
	for ; ; wait = patience {
		ctx, cancel := context.WithTimeout(t.ctx, wait)
		slot, err := l.parking.take(ctx)
		cancel()
		if err == nil {
			return slot, nil
		}
		if t.ctx.Err() != nil {
			return nil, context.Cause(t.ctx)
		}
		if d.gave(t.ctx, l) {
			d.end(l, takenOver, false)
			return nil, errTakenOver
		}
		if protocol.CodeOf(err) == protocol.LeaseUnknown {
			return nil, err
		}
		if wait < patience {
			continue
		}
		l.mu.Lock()
		others := l.inFlight > 1
		l.mu.Unlock()
		if others && l.open(time.Now()) {
			continue
		}
		d.end(l, "no slot was parked", true)
		return nil, protocol.Errorf(protocol.Unreachable, "the transcoder parked no slot within %s", patience)
	}
}

// pump sends the source as it arrives, then what was sent, so that a cut stream is not taken for a whole one.
func (t *try) pump(ctx context.Context, slot *Slot) error {
	r := t.seg.src.NewReader(ctx)
	chunk := make([]byte, 64<<10)
	for {
		n, err := r.Read(chunk)
		if n > 0 {
			if err := slot.write(protocol.Frame{Kind: protocol.FrameSource, Payload: chunk[:n]}); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil // cancelled: the slot is told by whoever did it
		}
	}
	hash, size, _, err := t.seg.src.whole(ctx)
	if err != nil {
		return nil
	}
	return slot.write(protocol.Frame{Kind: protocol.FrameSourceEnd, Payload: protocol.Encode(protocol.SourceEnd{Source: hash, Bytes: uint64(size)})})
}

// collect takes renditions until the receipt: each piece is checked and shown to the payer as it comes. restart makes what came so
// far as if it had not.
func (d *Dispatcher) collect(t *try, slot *Slot, restart func()) (protocol.Signed[protocol.Receipt], error) {
	var receipt protocol.Signed[protocol.Receipt]
	ladder := t.lease.ladder()
	var total, most int64
	for _, p := range ladder {
		most += int64(p.Bitrate)
	}
	most = (most+int64(len(ladder))*512_000)/8*int64(t.seg.quote.Request.MaxMillis)/1000*2 + 4<<20
	for {
		f, err := slot.in.Read()
		if err != nil {
			return receipt, protocol.Errorf(protocol.Unreachable, "the transcoder's slot broke off: %w", err)
		}
		switch f.Kind {
		case protocol.FrameRendition:
			if int(f.Rendition) >= len(ladder) {
				return receipt, protocol.Errorf(protocol.TranscodeFailed, "rendition %d of a ladder of %d", f.Rendition, len(ladder))
			}
			if total += int64(len(f.Payload)); total > most {
				return receipt, t.reject("the renditions have more than %d bytes", most)
			}
			if err := t.check.Write(int(f.Rendition), f.Payload); err != nil {
				if protocol.CodeOf(err) == protocol.VerificationFailed {
					return receipt, t.reject("%s", detail(err))
				}
				return receipt, err
			}
			t.seg.show(t, protocol.Frame{Kind: f.Kind, Rendition: f.Rendition, Payload: append([]byte(nil), f.Payload...)})
		case protocol.FrameRestart:
			if t.restarted {
				return receipt, protocol.Errorf(protocol.TranscodeFailed, "the attempt began anew twice")
			}
			t.restarted, total = true, 0
			restart()
		case protocol.FrameReceipt:
			receipt, err = protocol.Decode[protocol.Signed[protocol.Receipt]](f.Payload)
			if err != nil {
				return receipt, protocol.Errorf(protocol.TranscodeFailed, "the receipt cannot be read: %w", err)
			}
			t.seg.show(t, protocol.Frame{Kind: f.Kind, Payload: append([]byte(nil), f.Payload...)})
			return receipt, nil
		case protocol.FrameAbandoned:
			p, err := protocol.Decode[protocol.Problem](f.Payload)
			if err != nil || p.Code == "" {
				return receipt, protocol.Errorf(protocol.TranscodeFailed, "abandoned without a reason")
			}
			return receipt, p.Err()
		default:
			return receipt, protocol.Errorf(protocol.TranscodeFailed, "frame of kind %d has no place in a slot", f.Kind)
		}
	}
}

// reject ends the check early: whatever follows, this output cannot pass.
func (t *try) reject(format string, args ...any) error {
	err := protocol.Errorf(protocol.VerificationFailed, format, args...)
	t.verdict = verify.Verdict{Layers: verify.L0, Code: err.Code, Detail: err.Detail}
	t.cancel(err)
	return err
}

func detail(err error) string {
	var e *protocol.Error
	if errors.As(err, &e) {
		return e.Detail
	}
	return err.Error()
}

// event begins an event about t.
func (t *try) event(kind protocol.EventKind) protocol.Event {
	id, lease, transcoder, key := t.id, t.lease.id, t.lease.transcoder, t.seg.id.key
	return protocol.Event{Kind: kind, Stream: key.Stream, Incarnation: key.Incarnation, Seq: key.Seq, Attempt: &id, Lease: &lease, Counterparty: &transcoder}
}

// epitaph is the frame with which the payer hears of a failed try.
func (t *try) epitaph() protocol.Frame {
	if t.failed() {
		return protocol.Frame{Kind: protocol.FrameVerdict, Payload: protocol.Encode(protocol.Verdict{Attempt: t.id, Code: t.verdict.Code, Detail: t.verdict.Detail})}
	}
	return protocol.Frame{Kind: protocol.FrameAbandoned, Payload: protocol.Encode(protocol.ProblemOf(t.failure()))}
}

// failure is why the try has no verified output.
func (t *try) failure() error {
	if t.failed() {
		return protocol.Errorf(protocol.VerificationFailed, "%s: %s", t.verdict.Code, t.verdict.Detail)
	}
	return t.err
}
