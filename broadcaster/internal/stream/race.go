package stream

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/broadcaster/internal/market"
	"github.com/kinora/kinora/broadcaster/internal/store"
	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/protocol"
)

// run is one exchange of a segment with an orchestrator, from its choice to the judged attempt it vouched for.
type run struct {
	picked   atomic.Pointer[market.Choice] // nil: nobody was found yet
	began    time.Time
	exchange *market.Exchange
	settle   func(fee protocol.Wei, now time.Time)
	give     context.CancelCauseFunc // breaks it off
	blind    bool                    // the segment's length was not known yet when it was sent
	done     *delivery
	err      error
}

// choice is whom it is at; nil: nobody yet.
func (r *run) choice() *market.Choice { return r.picked.Load() }

// over frees what a run holds, of which nothing came.
func (r *run) over() {
	if r.exchange != nil {
		r.exchange.Close()
	}
	r.give(nil)
	if r.settle != nil {
		r.settle(protocol.Wei{}, time.Now())
	}
}

// race is the runs of one segment that are under way: one, or two while the first one straggles.
type race struct {
	s       *Stream
	seg     *segment
	life    context.Context // of the segment: a run that lost goes on in it until it is settled
	results chan *run
	open    map[*run]bool
	hedged  bool

	whole     <-chan struct{}  // the source has ended; nil: that was noticed
	straggles <-chan time.Time // the run under way does
	rescue    <-chan time.Time // soon the segment is late
}

func (s *Stream) newRace(life context.Context, seg *segment) *race {
	return &race{s: s, seg: seg, life: life, results: make(chan *run), open: make(map[*run]bool), whole: seg.whole}
}

// buy finds an orchestrator for the segment and holds what it may cost against the spend caps.
func (s *Stream) buy(ctx context.Context, seg *segment, ask market.Ask, r *run, others ...common.Address) error {
	choice, err := s.desk.cfg.Market.Choose(ctx, ask, others...)
	if err != nil {
		return err
	}
	if r.settle, err = s.desk.cfg.Spend.Hold(seg.Stream, choice.Quote.MaxFee, time.Now()); err != nil { // no fault of who was chosen
		if len(others) == 0 {
			s.desk.cfg.Events(protocol.Event{Kind: protocol.SpendCapHit, Stream: seg.Stream, Incarnation: seg.Incarnation, Seq: seg.Seq, Detail: err.Error()})
		}
		return err
	}
	r.picked.Store(choice)
	return nil
}

// start begins a run, which was bought.
func (c *race) start(r *run, ask market.Ask, avoid []common.Address) {
	avoid = slices.Clone(avoid)
	c.launch(r, func(ctx context.Context) { c.s.talk(ctx, c.seg, ask, r, avoid) })
	if c.whole == nil {
		c.straggles = time.After(r.choice().Patience(c.s.hedgeBudget()))
	}
}

func (c *race) launch(r *run, work func(ctx context.Context)) {
	c.open[r], r.began = true, time.Now()
	var ctx context.Context
	ctx, r.give = context.WithCancelCause(c.life)
	c.seg.rest.Go(func() {
		work(ctx)
		c.results <- r
	})
}

// next waits for the end of a run; late: the segment is to be passed through rather than waited for. Meanwhile it hedges.
func (c *race) next(ctx context.Context, ask market.Ask, avoid []common.Address) (r *run, late bool) {
	for {
		select {
		case <-c.whole:
			c.whole = nil
			c.straggles = time.After(max(0, c.only().choice().Patience(c.s.hedgeBudget())-time.Since(c.seg.ended)))
			if limit := c.s.rescue(); limit > 0 {
				c.rescue = time.After(max(0, limit-time.Since(c.seg.ended)))
			}
			continue
		case <-c.rescue:
			return nil, true
		case <-c.straggles:
			c.straggles = nil
			if first := c.only(); len(c.open) == 1 && !c.hedged && first.choice().HasAlternative() {
				if ok, again := c.s.hedge(c.seg); ok {
					c.second(first, ask, slices.Clone(avoid))
				} else {
					c.straggles = time.After(again)
				}
			}
			continue
		case <-ctx.Done():
			c.breakOff(context.Cause(ctx))
			r = <-c.results
		case r = <-c.results:
		}
		delete(c.open, r)
		return r, false
	}
}

// talk sends the segment to the run's orchestrator and reads what comes until it vouches for an attempt.
func (s *Stream) talk(ctx context.Context, seg *segment, ask market.Ask, r *run, avoid []common.Address) {
	var length time.Duration
	length, r.blind = seg.length()
	heard, stop := s.listen(ctx, seg, r.choice(), r.give)
	defer stop()
	r.exchange, r.err = r.choice().Send(ctx, market.Segment{Key: seg.SegmentKey, Source: seg.source.NewReader(ctx), Millis: millis(length), Budget: s.budget(seg), Avoid: avoid})
	if r.err != nil {
		return
	}
	if r.done, r.err = s.collect(ctx, seg, r.choice(), r.exchange, ask, heard); r.err != nil {
		r.err = reason(ctx, r.err)
	}
}

// breakOff ends every run that is under way.
func (c *race) breakOff(cause error) {
	for r := range c.open {
		r.give(cause)
	}
}

// leave lets the runs that are still under way end by themselves, once another one has won, or the source itself (a winner at
// nobody): an orchestrator that has delivered before it heard that it is called off is paid. A run of which nothing was sent yet
// is broken off and, without a winner, so are all.
func (c *race) leave(winner *run) {
	open := slices.Collect(maps.Keys(c.open))
	clear(c.open)
	if len(open) == 0 {
		return
	}
	lost := func(r *run) { r.give(protocol.Errorf(protocol.Cancelled, "another orchestrator was faster")) }
	slices.SortFunc(open, func(a, b *run) int { return a.began.Compare(b.began) })
	var told []*run
	for i, r := range open {
		switch choice := r.choice(); {
		case winner == nil:
			r.give(context.Canceled)
		case choice == nil || !choice.Offered(): // nobody has it yet, and nobody is to get it
			lost(r)
		default:
			if by := winner.choice(); by != nil && r.began.Before(winner.began) || by == nil && i == 0 {
				choice.Outpaced(by)
			} else {
				choice.Cut() // it was asked later, and had less time
			}
			told = append(told, r)
		}
	}
	c.seg.rest.Go(func() {
		for _, r := range told {
			c.seg.rest.Go(func() {
				if err := r.choice().CallOff(c.life, c.seg.SegmentKey); err != nil { // it does not hear: what it says later is not waited for
					c.s.desk.cfg.Log.Debug("an orchestrator does not answer a call off", "orchestrator", r.choice().URL, "segment", c.seg.SegmentKey.String(), "err", err)
					lost(r)
				}
			})
		}
		limit := time.AfterFunc(2*c.s.holdBack(), func() {
			for _, r := range open {
				lost(r)
			}
		})
		defer limit.Stop()
		for range open {
			c.s.settleLoser(c.life, c.seg, <-c.results)
		}
	})
}

// settleLoser pays for what a run delivered that lost: its orchestrator did the work, and is owed for it.
func (s *Stream) settleLoser(ctx context.Context, seg *segment, r *run) {
	defer r.over()
	if choice := r.choice(); choice != nil {
		choice.Over()
	}
	if r.err != nil || r.done.first().verdict.Inconclusive {
		return
	}
	verdict, attempts := r.done.first().verdict, r.done.attempts()
	attempt, err := s.charged(attempts[0], r)
	if err == nil && verdict.Passed {
		attempt.Trust = s.desk.cfg.Market.Judged(r.choice().Orchestrator, verdict)
		for i := range attempts {
			attempts[i].Trust = attempt.Trust
		}
		paid := false
		err = pgstore.Patiently(ctx, func() (err error) {
			paid, err = s.desk.cfg.Store.CommitDuplicate(context.WithoutCancel(ctx), verdict.Source.SHA256, attempt, attempts[1:]...)
			return err
		})
		if !paid { // a replica of the orchestrator that was: its delivery took the other's place
			attempt.Fee = protocol.Wei{}
		}
	} else if err == nil {
		err = pgstore.Patiently(ctx, func() error {
			return s.desk.cfg.Store.CommitRejected(context.WithoutCancel(ctx), verdict.Source.SHA256, attempt)
		})
	}
	if err != nil {
		s.desk.cfg.Log.Warn("a duplicate is not settled", "segment", seg.SegmentKey.String(), "orchestrator", r.choice().URL, "err", err)
		return
	}
	r.settle(attempt.Fee, time.Now())
	s.desk.cfg.Log.Info("duplicate paid", "segment", seg.SegmentKey.String(), "orchestrator", r.choice().Orchestrator, "wei", attempt.Fee)
}

// charged is an attempt of a run with what is to be paid under its name, where it passed, or with what it cost its orchestrator's
// standing.
func (s *Stream) charged(a store.Attempt, r *run) (store.Attempt, error) {
	v := r.done.first().verdict
	if !v.Passed {
		if !v.Inconclusive {
			a.Trust = s.desk.cfg.Market.Judged(r.choice().Orchestrator, v)
		}
		return a, nil
	}
	var err error
	if a.Fee, err = r.done.fee(r.choice().Quote.Prices); err != nil {
		return a, err
	}
	if r.choice().Quote.MaxFee.Less(a.Fee) {
		return a, protocol.Errorf(protocol.BudgetTooSmall, "the work costs %s wei, %s were the most agreed", a.Fee, r.choice().Quote.MaxFee)
	}
	return a, nil
}

// An orchestrator has its own stragglers to hedge, within its budget, so a second orchestrator is asked later than a second
// transcoder would be: at half of the hold-back at the latest.
func (s *Stream) hedgeBudget() time.Duration { return s.holdBack() * 4 / 3 }

// hedge says whether a segment that straggles is given to a second orchestrator now: one in twenty may be on a doubt, and
// whatever would be late without. Otherwise it says when to ask again.
func (s *Stream) hedge(seg *segment) (ok bool, again time.Duration) {
	waited, budget := time.Since(seg.ended), s.hedgeBudget()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.allowance, ok, again = s.allowance.Hedge(waited, budget)
	return ok, again
}

// count counts a segment, of which a part may be done twice.
func (s *Stream) count() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.allowance = s.allowance.Segment()
}

// second begins a run at another orchestrator beside first, if there is one to be had.
func (c *race) second(first *run, ask market.Ask, avoid []common.Address) {
	c.hedged = true
	r := &run{}
	c.launch(r, func(ctx context.Context) {
		if r.err = c.s.buy(ctx, c.seg, ask, r, first.choice().Orchestrator); r.err != nil {
			return
		}
		c.s.desk.cfg.Log.Info("segment straggles; asking another orchestrator", "segment", c.seg.SegmentKey.String(), "orchestrator", first.choice().URL, "second", r.choice().URL)
		c.s.desk.cfg.Events(protocol.Event{Kind: protocol.SegmentHedged, Stream: c.seg.Stream, Incarnation: c.seg.Incarnation, Seq: c.seg.Seq,
			Counterparty: &r.choice().Orchestrator, Detail: fmt.Sprintf("%s straggles", first.choice().Orchestrator)})
		c.s.talk(ctx, c.seg, ask, r, avoid)
	})
}

// only is the one run under way.
func (c *race) only() *run {
	for r := range c.open {
		return r
	}
	return nil
}
