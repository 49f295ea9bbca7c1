package payment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

const (
	pruneEvery  = time.Hour
	keepTickets = 24 * time.Hour // after they expired
)

// Pace is how the settling loop goes about its work. Zero takes the default named beside a field.
type Pace struct {
	Every        time.Duration // a look at what is to be done: 500 ms; while there is nothing, at its time or a tenth as often
	RetryAfter   time.Duration // a winner that was not paid is tried again, twice as late each time: 5 s,
	RetryAtMost  time.Duration // up to 10 min
	ResendAfter  time.Duration // a transaction that is not mined is broadcast again: 15 s
	SpeedAfter   time.Duration // and replaced by one with higher fees: 90 s
	DropAfter    time.Duration // and given up once its TxNonce was seen used by another for so long: 10 s
	FillAfter    time.Duration // a TxNonce that nothing has and others wait behind is filled: 30 s
	BatchTickets int           // in one transaction: 250, about 1.7 M gas and 22 kB of calldata
	BatchRuns    int           // that they come from, a lane and a set each: 100, up to 7 M gas; no transaction may take more than 16.7 M
	InFlight     int           // transactions at a time, the second and later ones only when full: 8
}

func (p Pace) withDefaults() Pace {
	return Pace{Every: cmp.Or(p.Every, 500*time.Millisecond), RetryAfter: cmp.Or(p.RetryAfter, 5*time.Second),
		RetryAtMost: cmp.Or(p.RetryAtMost, 10*time.Minute), ResendAfter: cmp.Or(p.ResendAfter, 15*time.Second),
		SpeedAfter: cmp.Or(p.SpeedAfter, 90*time.Second), DropAfter: cmp.Or(p.DropAfter, 10*time.Second),
		FillAfter: cmp.Or(p.FillAfter, 30*time.Second), BatchTickets: cmp.Or(p.BatchTickets, 250), BatchRuns: cmp.Or(p.BatchRuns, 100),
		InFlight: cmp.Or(p.InFlight, 8)}
}

// retryAt is when a winner is tried again that was put back so often before.
func (p Pace) retryAt(now time.Time, tries int) time.Time {
	return now.Add(min(p.RetryAfter<<min(tries, 16), p.RetryAtMost))
}

// settling is what the loop remembers while it runs. All of it may be lost: it only spaces out what is done again.
type settling struct {
	broadcast map[common.Hash]time.Time // when this process sent a transaction last
	overtaken map[common.Hash]time.Time // since when a transaction's TxNonce is used, and not by it
	gap       struct {                  // the TxNonce that the oldest redemption waits for
		nonce uint64
		since time.Time
	}
	pauseLogged bool
}

func newSettling() settling {
	return settling{broadcast: map[common.Hash]time.Time{}, overtaken: map[common.Hash]time.Time{}}
}

// pass is what one look at the queue came to.
type pass struct {
	ran      bool   // no other process was settling
	inFlight int    // redemptions that are sent and not mined
	full     bool   // a transaction was sent that had no room for more
	paused   uint64 // winners that wait for cheaper gas
	// idle: there is nothing to do before next; zero, at no known time.
	idle bool
	next time.Time
}

// Run closes sets when their time is over and takes winners to the chain, until ctx ends. Trouble with the chain or the
// store is logged and tried again; only a configuration that cannot work is an error.
func (r *Recipient) Run(ctx context.Context) error {
	if err := r.config.validate(r.escrow.ThawPeriod()); err != nil {
		return fmt.Errorf("payment recipient: %w", err)
	}
	closeFrom := time.Now().Add(r.config.RestartGrace)
	timer := time.NewTimer(0)
	defer timer.Stop()
	var pruned time.Time
	var last string
	for {
		p, err := r.runOnce(ctx, time.Now().After(closeFrom))
		if err == nil && time.Since(pruned) > pruneEvery {
			pruned = time.Now()
			err = r.store.Prune(ctx, pruned.Add(-keepTickets))
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && err.Error() != last { // not the same line twice a second while a chain is away
			r.config.Log.Warn("settling is held up", "err", err)
		}
		last = ""
		if err != nil {
			last = err.Error()
		}
		if p.full && err == nil {
			continue
		}
		pause := r.config.Pace.pause(p, err, r.now())
		if grace := time.Until(closeFrom); grace > 0 {
			pause = min(pause, grace)
		}
		timer.Reset(pause)
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-r.wake:
		}
	}
}

// idleFactor is how much longer an idle loop sleeps when nothing wakes it: it then finds what a replica left that is gone.
const idleFactor = 10

// pause is how long to wait for the next look.
func (p Pace) pause(last pass, err error, now time.Time) time.Duration {
	if err != nil || !last.idle {
		return p.Every
	}
	if left := last.next.Sub(now); !last.next.IsZero() && left < idleFactor*p.Every {
		return max(left, 0)
	}
	return idleFactor * p.Every
}

// Drain closes every set and settles until no winner is left that the chain would pay now, at a price that is allowed. It
// may run beside Run. What is mined is not waited for until it is final.
func (r *Recipient) Drain(ctx context.Context) error {
	if err := r.CloseAll(ctx); err != nil {
		return err
	}
	for {
		p, err := r.runOnce(ctx, true)
		if err == nil {
			var left bool
			if left, err = r.payable(ctx, p); err == nil && !left {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			s, statsErr := r.Stats(context.WithoutCancel(ctx))
			return fmt.Errorf("drain: %d winners are left: %w", s.PendingWinners, errors.Join(ctx.Err(), err, statsErr))
		case <-time.After(min(r.config.Pace.Every, 100*time.Millisecond)):
		}
	}
}

// payable reports winners that are under way or can be sent sooner or later without more money of their payer's. Lanes wait
// whose first winner was postponed.
func (r *Recipient) payable(ctx context.Context, p pass) (bool, error) {
	lanes, err := r.store.Lanes(ctx)
	now := r.now()
	var waiting uint64
	for _, l := range lanes {
		if l.Submitted > 0 {
			return true, err
		}
		if !l.NotBefore.After(now) {
			waiting += l.Count
		}
	}
	return waiting > p.paused, err
}

// runOnce closes, asks after what was sent, and sends what can be redeemed.
func (r *Recipient) runOnce(ctx context.Context, closeDue bool) (p pass, err error) {
	if closeDue {
		if _, err := r.store.CloseDue(ctx, r.now()); err != nil {
			return p, err
		}
	}
	p.idle = true
	p.ran, err = r.store.Exclusive(ctx, func(ctx context.Context) error {
		unfinished, inFlight, err := r.follow(ctx)
		if err != nil {
			return err
		}
		p.inFlight = inFlight
		p.paused, p.full, err = r.redeem(ctx, p.inFlight)
		p.idle = p.idle && unfinished == 0 && p.paused == 0
		return err
	})
	if err != nil || !p.idle {
		return p, err
	}
	p.idle, p.next, err = r.nextLook(ctx, closeDue, p.ran)
	return p, err
}

// nextLook tells whether nothing can be done now, and when that may change without anybody saying so: when a set must be
// closed, by a process that closes, or a winner may be sent, by the one that settles.
func (r *Recipient) nextLook(ctx context.Context, closes, settles bool) (idle bool, next time.Time, err error) {
	if closes {
		if next, _, err = r.store.NextClose(ctx); err != nil {
			return false, next, err
		}
	}
	if !settles {
		return true, next, nil
	}
	lanes, err := r.store.Lanes(ctx)
	if err != nil {
		return false, next, err
	}
	for _, l := range lanes {
		if l.Submitted > 0 {
			return false, next, nil
		}
		if !l.SetClosed {
			continue
		}
		at := l.NotBefore
		if at.Before(l.RedeemFrom) {
			at = l.RedeemFrom
		}
		if !at.After(r.now()) {
			return false, next, nil
		}
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return true, next, nil
}

// putBack sends a winner back to be tried later.
func (r *Recipient) putBack(w Winner, reason string, now time.Time) Settled {
	return Settled{Key: w.Key(), State: StateWon, Reason: reason, NotBefore: r.config.Pace.retryAt(now, w.Tries)}
}

func (r *Recipient) logLost(settled []Settled) {
	for _, s := range settled {
		if s.State == StateExpired || s.State == StateUnpayable {
			r.config.Log.Error("winner lost", "payer", s.Key.Payer, "lane", s.Key.Lane, "nonce", s.Key.TicketNonce, "state", s.State, "reason", s.Reason)
		}
	}
}

// logPaused says once that winners wait for cheaper gas or the end of a pause, and once that they do no more.
func (r *Recipient) logPaused(winners uint64, why string, value protocol.Wei) {
	r.mu.Lock()
	before := r.settling.pauseLogged
	r.settling.pauseLogged = winners > 0
	r.mu.Unlock()
	switch {
	case winners > 0 && !before:
		r.config.Log.Warn("redemption waits", "winners", winners, "wei", value.String(), "why", why)
	case winners == 0 && before:
		r.config.Log.Info("redemption goes on")
	}
}
