package payment

import (
	"context"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/protocol"
)

// cachedAllocation is what was seen of an allocation, less what redemptions have taken of it since.
type cachedAllocation struct {
	chain.Allocation
	seen  time.Time // a thaw that began later takes a thaw period from then
	fresh time.Time // until then nobody asks again
}

// How old an allocation may be before the chain is asked again, how long its answer is waited for when there is an older
// one, and how many are remembered.
const (
	allocationAge      = 2 * time.Second
	allocationPatience = 500 * time.Millisecond
	allocationsCached  = 4096
)

// allocation is the payer's as confirmed on chain: two seconds ago, or, while the chain does not answer, up to a quarter of
// the thaw period. Work goes on meanwhile, safely: nobody can take an allocation away faster than a thaw period, and what
// our own redemptions took is subtracted.
func (r *Recipient) allocation(ctx context.Context, payer common.Address) (chain.Allocation, error) {
	now := time.Now() // an age, so the process's own clock
	r.mu.Lock()
	c, known := r.allocations[payer]
	r.mu.Unlock()
	known = known && now.Sub(c.seen) < r.escrow.ThawPeriod()/4
	if known && now.Before(c.fresh) {
		return c.Allocation, nil
	}
	asking := ctx
	if known {
		var cancel context.CancelFunc
		asking, cancel = context.WithTimeout(ctx, allocationPatience)
		defer cancel()
	}
	a, err := r.escrow.ConfirmedAllocation(asking, payer, r.self, r.config.Confirmations)
	switch {
	case err == nil:
		c = cachedAllocation{Allocation: a, seen: now, fresh: now.Add(allocationAge)}
	case known && ctx.Err() == nil:
		r.config.Log.Debug("the chain does not answer; credit is given on the allocation as last seen", "payer", payer, "seen", c.seen, "err", err)
		c.fresh = time.Now().Add(allocationAge)
	default:
		return chain.Allocation{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.allocations) >= allocationsCached {
		clear(r.allocations)
	}
	r.allocations[payer] = c
	return c.Allocation, nil
}

// took notes that a redemption took amount from a payer. Some of it may have come from its balance; should the chain not
// answer, all of it counts as taken out of the allocation.
func (r *Recipient) took(payer common.Address, amount protocol.Wei) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c, known := r.allocations[payer]; known {
		c.Amount = c.Amount.Sub(amount)
		c.Thawing = c.Thawing.Min(c.Amount)
		r.allocations[payer] = c
	}
}

// forgetAllocations makes the next question go to the chain.
func (r *Recipient) forgetAllocations() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for payer, c := range r.allocations {
		c.fresh = time.Time{}
		r.allocations[payer] = c
	}
}

// Admit sets budget wei of the payer's credit aside for an attempt, until release, Owe, Forgive or two minutes later.
// Credit is the allocation that does not thaw, less the face values of winners not yet redeemed, less unpaid deliveries
// and other attempts; what is left must also bear one more winner. Refusals carry NoAllocation or InsufficientCredit.
func (r *Recipient) Admit(ctx context.Context, payer common.Address, attempt protocol.ID, budget protocol.Wei) (release func(), err error) {
	return r.AdmitBy(ctx, payer, payer, attempt, budget)
}

// AdmitBy is Admit on the word of a key that may be a session key of the payer. No more credit than the key's daily cap is
// given on it, and none once it is revoked or ends before the tickets do that would pay: refusals also carry SessionEnded.
func (r *Recipient) AdmitBy(ctx context.Context, payer, signer common.Address, attempt protocol.ID, budget protocol.Wei) (release func(), err error) {
	if r.Draining() {
		return nil, protocol.Errorf(protocol.Draining, "no new work: shutting down")
	}
	a, err := r.allocation(ctx, payer)
	if err != nil {
		return nil, err
	}
	credit := a.Credit()
	if credit.IsZero() {
		return nil, protocol.Errorf(protocol.NoAllocation, "payer %s has no allocation to %s that is not thawing (allocated are %s wei, %s thawing)",
			payer, r.self, a.Amount, a.Thawing)
	}
	most, err := r.signs(ctx, payer, signer)
	if err != nil {
		return nil, err
	}
	now := r.now()
	err = r.store.Hold(ctx, payer, attempt, budget, now, now.Add(r.config.HoldFor), func(e Exposure) error {
		work := e.Unpaid.Add(e.Held).Add(budget)
		next := work // what the next tickets may cost: the work they pay for, and at least one face value
		if next.Less(e.FaceValue) {
			next = e.FaceValue
		}
		if credit.Less(e.Float.Add(next)) {
			return protocol.Limited(protocol.InsufficientCredit, "allocation", credit,
				"payer %s: of %s wei allocated, %s are winners not yet redeemed; unpaid are %s, other attempts hold %s, this one asks %s and one more winner costs %s",
				payer, credit, e.Float, e.Unpaid, e.Held, budget, e.FaceValue)
		}
		if most.Less(e.Float.Add(next)) {
			return protocol.Limited(protocol.InsufficientCredit, "daily_cap", most,
				"session key %s of payer %s: %s wei are winners not yet redeemed; unpaid are %s, other attempts hold %s, this one asks %s and one more winner costs %s; its daily cap is %s",
				signer, payer, e.Float, e.Unpaid, e.Held, budget, e.FaceValue, most)
		}
		if w := r.config.CreditWindow; !w.IsZero() && w.Less(work) {
			return protocol.Limited(protocol.InsufficientCredit, "credit_window", w,
				"payer %s: unpaid are %s wei, other attempts hold %s, this one asks %s; the window is %s", payer, e.Unpaid, e.Held, budget, w)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var once sync.Once
	return func() {
		once.Do(func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			if err := r.store.Release(ctx, payer, attempt); err != nil { // it ends by itself
				r.config.Log.Warn("credit stays held", "payer", payer, "attempt", attempt.Short(), "err", err)
			}
		})
	}, nil
}

// Owe notes a delivered segment: it uses credit until it is paid. A Postgres role notes it in its own transaction instead
// (pgstore.OweTx).
func (r *Recipient) Owe(ctx context.Context, o Owed) error { return r.store.Owe(ctx, o, r.now()) }

// Forgive strikes the debt of an attempt that this side's own check rejects too.
func (r *Recipient) Forgive(ctx context.Context, attempt protocol.ID) error {
	return r.store.Forgive(ctx, attempt)
}

// income is what payers have paid since this process began, by expected value.
type income struct {
	mu   sync.Mutex
	paid map[common.Address]*paid
}

type paid struct {
	since, last time.Time
	total       protocol.Wei
}

// How long a payer must have paid before its income tells anything, and after what pause it begins anew.
const (
	incomeAfter = 10 * time.Minute
	incomePause = time.Hour
)

func (i *income) add(payer common.Address, worth protocol.Wei, now time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	p := i.paid[payer]
	if p == nil || now.Sub(p.last) > incomePause {
		if i.paid == nil || len(i.paid) >= allocationsCached {
			i.paid = map[common.Address]*paid{}
		}
		p = &paid{since: now}
		i.paid[payer] = p
	}
	p.total, p.last = p.total.Add(worth), now
}

// perDay is a day's income at the rate so far; zero: not known.
func (i *income) perDay(payer common.Address, now time.Time) protocol.Wei {
	i.mu.Lock()
	defer i.mu.Unlock()
	p := i.paid[payer]
	if p == nil {
		return protocol.Wei{}
	}
	passed := now.Sub(p.since)
	if passed < incomeAfter || now.Sub(p.last) > incomePause {
		return protocol.Wei{}
	}
	return p.total.Mul(uint64(24 * time.Hour / time.Second)).Div(uint64(passed / time.Second))
}
