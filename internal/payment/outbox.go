package payment

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

// How the outbox goes about its work.
const (
	outboxEvery  = 250 * time.Millisecond // while something waits for an answer or for parameters
	outboxIdle   = 5 * time.Second        // while nothing does: Wake says that there is, and this finds what a replica left that is gone
	pruneBatch   = 1000
	sendTimeout  = 10 * time.Second
	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 5 * time.Second
	askEvery     = time.Second // for parameters of a stream with due tickets
)

// line is the connection to one recipient: one delivery at a time, and none while it recovers from a failure.
type line struct {
	busy    sync.Mutex
	mu      sync.Mutex
	backoff time.Duration
	until   time.Time
	asked   map[string]time.Time
}

// Wake sends what waits now rather than within seconds. Call it after a commit that had a PayTx or RejectTx.
func (p *Payer) Wake() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Run delivers tickets and rejects until ctx ends: batched per recipient, the same bytes again with growing pauses until
// each is answered. A recipient that is away delays nobody else.
func (p *Payer) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var deliveries sync.WaitGroup
	defer deliveries.Wait()
	var last string
	var pruned time.Time
	for {
		waits := false
		err := p.dispatch(ctx, func(recipient common.Address, wants []string) {
			waits = true
			deliveries.Go(func() {
				if err := p.deliver(ctx, recipient, wants, false); err != nil && ctx.Err() == nil {
					p.config.Log.Debug("delivery failed, will be tried again", "recipient", recipient, "err", err)
				}
			})
		})
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && err.Error() != last {
			p.config.Log.Warn("outbox is held up", "err", err)
		}
		if err == nil && time.Since(pruned) > pruneEvery {
			pruned = time.Now()
			err = p.prune(ctx)
		}
		last = ""
		if err != nil {
			last = err.Error()
		}
		next := outboxIdle
		if waits || err != nil {
			next = outboxEvery
		}
		timer.Reset(next)
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-p.wake:
		}
	}
}

// prune forgets orders that were answered, once nobody can ask about their tickets any more: those have expired, at both ends.
func (p *Payer) prune(ctx context.Context) error {
	before := p.config.Now().Add(-p.config.MaxLifetime - keepTickets)
	for {
		n, err := p.store.Prune(ctx, before, pruneBatch)
		if err != nil || n == 0 {
			return err
		}
	}
}

// dispatch signs what is due and names the recipients that have something coming: tickets, or a question for parameters.
func (p *Payer) dispatch(ctx context.Context, deliver func(recipient common.Address, wants []string)) error {
	due, err := p.store.Due(ctx)
	if err != nil {
		return err
	}
	wants := map[common.Address][]string{}
	for _, k := range due {
		signed, err := p.store.SignDue(ctx, k, p.config.Now(), p.sign)
		if err != nil {
			return err
		}
		if signed == 0 {
			wants[k.Recipient] = append(wants[k.Recipient], k.Stream)
		}
	}
	waiting, err := p.store.Waiting(ctx)
	if err != nil {
		return err
	}
	for _, recipient := range waiting {
		deliver(recipient, wants[recipient])
		delete(wants, recipient)
	}
	for recipient, streams := range wants {
		deliver(recipient, streams)
	}
	return nil
}

func (p *Payer) line(recipient common.Address) *line {
	p.mu.Lock()
	defer p.mu.Unlock()
	l, ok := p.lines[recipient]
	if !ok {
		l = &line{asked: map[string]time.Time{}}
		p.lines[recipient] = l
	}
	return l
}

// deliver sends what waits for a recipient until nothing does, or once fails. While another delivery to it runs, or it
// recovers from a failure (unless insisted), it does nothing.
func (p *Payer) deliver(ctx context.Context, recipient common.Address, wants []string, insist bool) error {
	l := p.line(recipient)
	if insist {
		l.busy.Lock()
	} else if !l.rested() || !l.busy.TryLock() {
		return nil
	}
	defer l.busy.Unlock()
	for {
		d, orders, err := p.next(ctx, recipient)
		if err != nil {
			return err
		}
		d.Wants, wants = l.ask(wants)
		if len(orders) == 0 && d.Wants == "" {
			return nil
		}
		err = p.send(ctx, d, orders)
		l.note(err)
		if err != nil {
			return err
		}
	}
}

// rested reports whether the recipient may be tried.
func (l *line) rested() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !time.Now().Before(l.until)
}

func (l *line) note(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.backoff, l.until = 0, time.Time{}
		return
	}
	l.backoff = min(max(2*l.backoff, firstBackoff), lastBackoff)
	l.until = time.Now().Add(l.backoff)
}

// ask picks the next stream to ask parameters for.
func (l *line) ask(wants []string) (stream string, rest []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, s := range wants {
		if time.Since(l.asked[s]) >= askEvery {
			l.asked[s] = time.Now()
			return s, wants[i+1:]
		}
	}
	return "", nil
}

// next makes the next delivery of what waits for a recipient.
func (p *Payer) next(ctx context.Context, recipient common.Address) (Delivery, []Outgoing, error) {
	d := Delivery{Payer: p.self, Recipient: recipient}
	orders, err := p.store.Outgoing(ctx, recipient, MaxDelivery)
	for _, o := range orders {
		if o.Ticket != nil {
			d.Tickets = append(d.Tickets, Paid{Attempt: o.Attempt, Ticket: *o.Ticket})
		} else {
			d.Rejects = append(d.Rejects, Reject{Attempt: o.Attempt, Code: o.Code, Detail: o.Detail})
		}
	}
	return d, orders, err
}

// send delivers once and notes the answers.
func (p *Payer) send(ctx context.Context, d Delivery, orders []Outgoing) error {
	sending, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	answer, err := p.sender.Send(sending, d.Recipient, d)
	if err != nil {
		return fmt.Errorf("deliver to %s: %w", d.Recipient, err)
	}
	var answers []Answered
	undecided := 0
	for _, o := range orders {
		if o.Ticket == nil {
			answers = append(answers, Answered{Attempt: o.Attempt})
			continue
		}
		r, ok := answer.resultOf(o.Attempt)
		if !ok || r.Code == protocol.Unavailable || r.Code == protocol.Internal {
			undecided++
			continue
		}
		a := Answered{Attempt: o.Attempt, Refused: r.Code != "" && r.Code != protocol.TicketUnderpays, Code: r.Code, Detail: r.Detail}
		answers = append(answers, a)
		p.config.Events(protocol.Event{At: time.Now(), Actor: p.self, Kind: protocol.TicketSent, Stream: o.Stream, Attempt: &o.Attempt,
			Counterparty: &d.Recipient, Wei: &o.Fee, Code: r.Code, Detail: r.Detail})
		if r.Code != "" {
			p.config.Log.Warn("ticket not accepted as it is", "recipient", d.Recipient, "attempt", o.Attempt.Short(), "code", r.Code, "detail", r.Detail)
		}
	}
	if len(answers) > 0 {
		if err := p.store.Answer(ctx, d.Recipient, answers, p.config.Now()); err != nil {
			return err
		}
	}
	if answer.Params != nil && d.Wants != "" {
		if err := p.Use(ctx, d.Wants, *answer.Params); err != nil {
			p.config.Log.Warn("parameters cannot be used", "recipient", d.Recipient, "stream", d.Wants, "err", err)
		}
	}
	if undecided > 0 {
		return protocol.Errorf(protocol.Unavailable, "deliver to %s: %d of %d tickets were not decided", d.Recipient, undecided, len(d.Tickets))
	}
	return nil
}

// EndStream delivers everything of a stream, then tells its recipients that its sets are done, so that they close them
// before their time. It returns when all have answered or ctx ends; a set that nobody flushed is closed by its time.
func (p *Payer) EndStream(ctx context.Context, stream string) error {
	if err := p.emptyOutbox(ctx, stream); err != nil {
		return err
	}
	sets, err := p.store.EndSets(ctx, stream)
	if err != nil {
		return fmt.Errorf("end stream %s: %w", stream, err)
	}
	p.mu.Lock()
	for k := range p.usable {
		if k.Stream == stream {
			delete(p.usable, k)
		}
	}
	p.mu.Unlock()
	// What was signed up to the moment the sets ended.
	if err := p.emptyOutbox(ctx, stream); err != nil {
		return err
	}
	newest := map[LaneKey]PayerSet{}
	for _, s := range sets {
		newest[LaneKey{s.Recipient, s.Lane}] = s
	}
	for _, s := range newest {
		flush, err := protocol.Seal(p.config.Domain, p.config.Signer, Flush{Payer: p.self, Recipient: s.Recipient, Set: s.ID})
		if err != nil {
			return fmt.Errorf("end stream %s: %w", stream, err)
		}
		err = patiently(ctx, func() error {
			return p.send(ctx, Delivery{Payer: p.self, Recipient: s.Recipient, Flush: &flush}, nil)
		})
		if err != nil {
			return fmt.Errorf("end stream %s: %w", stream, err)
		}
	}
	return nil
}

// emptyOutbox delivers until nothing of the stream is unanswered.
func (p *Payer) emptyOutbox(ctx context.Context, stream string) error {
	err := patiently(ctx, func() error {
		n, err := p.store.Unanswered(ctx, stream)
		if err != nil || n == 0 {
			return err
		}
		var failure error
		if err := p.dispatch(ctx, func(recipient common.Address, wants []string) {
			if err := p.deliver(ctx, recipient, wants, true); err != nil {
				failure = err
			}
		}); err != nil {
			return err
		}
		if failure != nil {
			return failure
		}
		if n, err = p.store.Unanswered(ctx, stream); err == nil && n > 0 {
			err = fmt.Errorf("%d tickets have no answer yet", n)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("end stream %s: %w", stream, err)
	}
	return nil
}

// patiently tries f until it succeeds or ctx ends.
func patiently(ctx context.Context, f func() error) error {
	pause := firstBackoff
	for {
		err := f()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (last: %w)", ctx.Err(), err)
		case <-time.After(pause):
		}
		pause = min(2*pause, time.Second)
	}
}
