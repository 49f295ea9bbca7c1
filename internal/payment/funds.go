package payment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

// Funds is a payer's money on chain and how long it lasts.
type Funds struct {
	At           time.Time    `json:"at"`
	BalanceWei   protocol.Wei `json:"balance_wei"`   // in the escrow, not allocated
	AllocatedWei protocol.Wei `json:"allocated_wei"` // that does not thaw
	ThawingWei   protocol.Wei `json:"thawing_wei"`
	SpentHourWei protocol.Wei `json:"spent_hour_wei"` // fees of tickets
	SpentDayWei  protocol.Wei `json:"spent_day_wei"`
	// RunwayHours is how long the money lasts at the rate of the last hour, a year at most: nothing is known further ahead.
	RunwayHours float64 `json:"runway_hours"`
	Low         bool    `json:"low"`
	// Session is what the key that spends may still do, if it is a session key of the payer.
	Session *SessionFunds `json:"session,omitempty"`
}

// SessionFunds is what a payer lets its session key do.
type SessionFunds struct {
	Key         common.Address `json:"key"`
	ValidUntil  time.Time      `json:"valid_until"` // what it signs expires by then
	DailyCapWei protocol.Wei   `json:"daily_cap_wei"`
	LeftWei     protocol.Wei   `json:"left_wei"` // of that, today
}

// trouble is why a session key can soon sign for nothing any more, or can no longer; empty: it can.
func (s *SessionFunds) trouble(now time.Time, within time.Duration) string {
	switch {
	case s == nil:
		return ""
	case s.DailyCapWei.IsZero():
		return fmt.Sprintf("session key %s is revoked, or was never authorised", s.Key)
	case s.ValidUntil.Before(now.Add(within)):
		return fmt.Sprintf("session key %s ends at %s", s.Key, s.ValidUntil.UTC().Format(time.RFC3339))
	}
	return ""
}

const (
	keepEvery = time.Minute
	// What was signed within unsettledFor is taken as not yet redeemed: it will come off what the chain shows.
	unsettledFor = 10 * time.Minute
	// A rate needs this long to be one.
	rateAfter  = time.Minute
	longestRun = 365 * 24 * time.Hour
	sayEvery   = time.Hour // that funds are low
)

// Run takes allocations back that nobody wants any more and watches the funds, until ctx ends.
func (t *Treasury) Run(ctx context.Context) error {
	if t.keeping.Store == nil {
		return errors.New("treasury: nothing to keep: call Keep first")
	}
	ticker := time.NewTicker(keepEvery)
	defer ticker.Stop()
	for {
		if err := t.runOnce(ctx); err != nil && ctx.Err() == nil {
			t.log.Warn("allocations and funds not looked after; trying again", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (t *Treasury) runOnce(ctx context.Context) error {
	wanted, err := t.keeping.Store.Wanted(ctx)
	if err != nil {
		return err
	}
	var failures []error
	now := t.keeping.Now()
	for recipient, at := range wanted {
		if now.Sub(at) < t.keeping.RetireAfter {
			continue
		}
		gone, err := t.Retire(ctx, recipient)
		if err == nil && gone {
			err = t.keeping.Store.Unwant(ctx, recipient, at)
		}
		failures = append(failures, err)
	}
	_, err = t.Look(ctx)
	return errors.Join(append(failures, err)...)
}

// Look reads the funds anew and warns when they are low.
func (t *Treasury) Look(ctx context.Context) (Funds, error) {
	self, now := t.payer, t.keeping.Now()
	f := Funds{At: now}
	wanted, err := t.keeping.Store.Wanted(ctx)
	if err != nil {
		return f, err
	}
	if f.BalanceWei, err = t.escrow.Balance(ctx, self); err != nil {
		return f, err
	}
	for recipient := range wanted {
		a, err := t.escrow.Allocation(ctx, self, recipient)
		if err != nil {
			return f, err
		}
		f.AllocatedWei, f.ThawingWei = f.AllocatedWei.Add(a.Credit()), f.ThawingWei.Add(a.Thawing)
	}
	if f.SpentDayWei, _, err = t.keeping.Store.Spent(ctx, now.Add(-24*time.Hour)); err != nil {
		return f, err
	}
	hour, first, err := t.keeping.Store.Spent(ctx, now.Add(-time.Hour))
	if err != nil {
		return f, err
	}
	f.SpentHourWei = hour
	unsettled, _, err := t.keeping.Store.Spent(ctx, now.Add(-unsettledFor))
	if err != nil {
		return f, err
	}
	run := runway(f.BalanceWei.Add(f.AllocatedWei).Sub(unsettled), hour, now.Sub(first))
	f.RunwayHours, f.Low = run.Hours(), run < t.keeping.WarnBelow
	if t.bySession() {
		s, err := t.escrow.Session(ctx, self, t.account.Address())
		if err != nil {
			return f, err
		}
		f.Session = &SessionFunds{Key: t.account.Address(), ValidUntil: time.Unix(int64(s.ValidUntil), 0).UTC(), DailyCapWei: s.DailyCap, LeftWei: s.Left}
		f.Low = f.Low || f.Session.trouble(now, t.warnSession()) != ""
	}
	t.note(f)
	return f, nil
}

// warnSession is how long before a session's end it is said: what the key signs must live that long, and tickets live up to a
// thaw period.
func (t *Treasury) warnSession() time.Duration { return t.keeping.WarnBelow + t.escrow.ThawPeriod() }

// runway is how long money lasts when so much was spent within a time.
func runway(money, spent protocol.Wei, within time.Duration) time.Duration {
	if spent.IsZero() {
		return longestRun
	}
	hours := ratio(money, spent) * max(within, rateAfter).Hours()
	return time.Duration(min(hours, longestRun.Hours()) * float64(time.Hour))
}

func (t *Treasury) note(f Funds) {
	t.seen.Lock()
	t.funds = f
	say := f.Low && f.At.Sub(t.low) >= sayEvery
	switch {
	case say:
		t.low = f.At
	case !f.Low:
		t.low = time.Time{}
	}
	t.seen.Unlock()
	if !say {
		return
	}
	money := f.BalanceWei.Add(f.AllocatedWei)
	detail := fmt.Sprintf("at the rate of the last hour, money lasts %.1f h: %s wei are in the escrow and allocated; deposit more with `kinora wallet deposit`", f.RunwayHours, money)
	if why := f.Session.trouble(f.At, t.warnSession()); why != "" {
		detail = why + "; authorise one with `kinora wallet authorise`"
	}
	t.events(protocol.Event{At: f.At, Actor: t.payer, Kind: protocol.FundsLow, Wei: &money, Millis: int64(f.RunwayHours * float64(time.Hour/time.Millisecond)), Detail: detail})
	t.log.Warn("funds are low", "why", detail, "runway_hours", f.RunwayHours, "balance_wei", f.BalanceWei.String(), "allocated_wei", f.AllocatedWei.String())
}

// Funds are as last seen by Run or Look.
func (t *Treasury) Funds() Funds {
	t.seen.Lock()
	defer t.seen.Unlock()
	return t.funds
}
