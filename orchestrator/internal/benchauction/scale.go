package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/bench"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator/internal/store"
)

// What a market is scaled to.
const (
	kinds     = 32 // of work that are kept ranked at once: all that a fleet keeps
	listeners = 20 // orchestrators that hear every bid besides
	inFlight  = 64
	leaseTime = 30 * time.Second
)

// leases are those sold, as their orchestrator keeps them at least.
type leases struct {
	mu  sync.Mutex
	all []store.Lease
}

// scale measures what grows with a market: memory of book, rankings and leases, CPU time of a bid, of a message and of its
// delivery, awards that are stored, and renewals, while so many leases run.
func scale(ctx context.Context, n, count, seconds int, program func(url string) *exec.Cmd) (figures []bench.Figure, err error) {
	note := fmt.Sprintf("%d bidders, %d leases", n, count)
	figure := func(name string, value float64, unit, more string) {
		figures = append(figures, bench.Figure{Name: name, Value: value, Unit: unit, Baseline: note + more, Command: "make bench-scale"})
	}
	m, err := stand(ctx, n, count, program)
	if err != nil {
		return nil, err
	}
	defer m.close()
	wait := time.Duration(seconds) * time.Second
	watch := func() (r rates, bids, delivered float64, err error) {
		_, before, err := m.server.Messages()
		if err != nil {
			return r, 0, 0, err
		}
		meter, taken := startMeter(m.others.Process.Pid), m.taken.Load()
		if err := sleep(ctx, wait); err != nil {
			return r, 0, 0, err
		}
		r = meter.rates()
		_, after, err := m.server.Messages()
		return r, float64(m.taken.Load()-taken) / r.took.Seconds(), float64(after-before) / r.took.Seconds(), err
	}

	book := heap()
	figure("book_per_bidder", float64(book-m.empty)/float64(n)/1024, "KiB", ", of heap: bid, record of its machine, member, subscription; no kind of work is ranked yet")
	quiet, bids, _, err := watch()
	if err != nil {
		return nil, err
	}
	figure("bids_per_s", bids, "1/s", "")
	figure("bid_cpu_us", 1e6*quiet.own/bids, "us", ", CPU time: NATS server, signature, book; no kind of work is ranked yet")

	// Every further replica of an orchestrator hears every bid.
	if err := m.listening(listeners); err != nil {
		return nil, err
	}
	heard, bids, delivered, err := watch()
	if err != nil {
		return nil, err
	}
	figure("delivery_cpu_us", 1e6*max(0, heard.own-quiet.own)/(bids*listeners), "us", ", CPU time of the NATS server to deliver one bid to one more orchestrator")
	figure("delivered_per_s", delivered, "1/s", fmt.Sprintf(", by the NATS server, to %d more orchestrators", listeners))
	if err := m.listening(0); err != nil {
		return nil, err
	}

	var asks []auction.Ask
	for i := range kinds {
		asks = append(asks, askOf(i))
		if len(m.fleet.Best(asks[i], 1)) == 0 {
			return nil, errNobody
		}
	}
	figure("ranking_per_bidder", float64(heap()-book)/float64(kinds)/float64(n), "B", ", of heap, for each kind of work that is ranked")
	busy, bids, _, err := watch()
	if err != nil {
		return nil, err
	}
	figure("bid_cpu_us_ranked", 1e6*busy.own/bids, "us", fmt.Sprintf(", with %d kinds of work ranked", kinds))
	// What the bids cost that came meanwhile is not counted to awards and renewals; on a busy machine they are fewer.
	bidOwn, bidOther := busy.own/bids, busy.bidders/bids // seconds
	spent := func(meter meter, taken uint64, count float64) (own, bidder, postgres float64) {
		r, n := meter.rates(), float64(m.taken.Load()-taken)
		s := r.took.Seconds()
		return 1e6 * (r.own*s - n*bidOwn) / count, 1e6 * (r.bidders*s - n*bidOther) / count, 1e6 * (r.others - busy.others) * s / count
	}

	without := heap()
	var held leases
	before := m.declined.Load()
	profiled, err := bench.Profile("stored-awards")
	if err != nil {
		return nil, err
	}
	meter, taken := startMeter(m.others.Process.Pid), m.taken.Load()
	err = m.together(ctx, func(i int) (bool, error) {
		held.mu.Lock()
		left := count - len(held.all)
		held.mu.Unlock()
		if left < inFlight { // those in flight are counted when they are done
			return false, nil
		}
		l, err := m.store1(ctx, asks[i%kinds], i)
		if err != nil {
			return false, err
		}
		held.mu.Lock()
		held.all = append(held.all, l)
		held.mu.Unlock()
		return true, nil
	})
	profiled()
	if err != nil {
		return nil, err
	}
	took, done := time.Since(meter.began), float64(len(held.all))
	own, bidder, postgres := spent(meter, taken, done)
	figure("stored_awards_per_s", done/took.Seconds(), "1/s", fmt.Sprintf(", %d in flight, each committed to Postgres, and the bid that follows", inFlight))
	figure("stored_award_cpu_us", own, "us", ", CPU time at the orchestrator and its NATS server, without the bid that follows")
	figure("stored_award_cpu_bidder_us", bidder, "us", ", likewise, at the bidder")
	figure("stored_award_cpu_postgres_us", postgres, "us", ", CPU time of Postgres")
	figure("declined", 100*float64(m.declined.Load()-before)/done, "%", ", of the awards: offered to somebody whose places were just taken")
	figure("lease_memory", float64(heap()-without)/done, "B", ", of heap: offer, prices and book-keeping of a lease")

	var alone []float64
	for end := time.Now().Add(wait); time.Now().Before(end); {
		began := time.Now()
		_, _, err := m.sell(ctx, asks[len(alone)%kinds], "alone")
		switch {
		case err == nil:
			alone = append(alone, time.Since(began).Seconds())
		case !full(err):
			return nil, err
		}
		if err := sleep(ctx, 2*time.Millisecond); err != nil {
			return nil, err
		}
	}
	figure("award_p50_ms", 1e3*bench.Percentile(alone, 50), "ms", ", one at a time, while all leases run and nobody renews")
	figure("award_p99_ms", 1e3*bench.Percentile(alone, 99), "ms", ", likewise")

	var renewed atomic.Int64
	meter, taken = startMeter(m.others.Process.Pid), m.taken.Load()
	end := time.Now().Add(wait)
	err = m.together(ctx, func(i int) (bool, error) {
		if time.Now().After(end) {
			return false, nil
		}
		renewed.Add(1)
		return true, m.renew(ctx, held.all[i*7919%len(held.all)])
	})
	if err != nil {
		return nil, err
	}
	took, done = time.Since(meter.began), float64(renewed.Load())
	own, bidder, postgres = spent(meter, taken, done)
	figure("renewals_per_s", done/took.Seconds(), "1/s", fmt.Sprintf(", %d in flight: serial from Postgres, signature, request and answer, new end to Postgres", inFlight))
	figure("renewal_cpu_us", own, "us", ", CPU time at the orchestrator and its NATS server")
	figure("renewal_cpu_bidder_us", bidder, "us", ", CPU time at the bidder")
	figure("renewal_cpu_postgres_us", postgres, "us", ", CPU time of Postgres")
	ours, theirs := m.peaks()
	figure("peak_rss", ours, "MiB", ", orchestrator and NATS server")
	figure("peak_rss_bidders", theirs, "MiB", ", the process that plays them")
	return figures, nil
}

// listening has so many more orchestrators hear all bids.
func (m *market) listening(n int) error {
	if _, err := fmt.Fprintf(m.tell, "listen %d\n", n); err != nil {
		return err
	}
	if !m.hear.Scan() {
		return fmt.Errorf("the bidders ended early")
	}
	return nil
}

// askOf is work of one of the kinds.
func askOf(kind int) auction.Ask {
	a := ask()
	a.Ladder = slices.Clone(a.Ladder)
	a.Ladder[0].Width -= 16 * uint32(kind)
	return a
}

// store1 awards one lease, to the next one where the first has just given its places away, and commits it.
func (m *market) store1(ctx context.Context, a auction.Ask, i int) (store.Lease, error) {
	for {
		a.Lease = protocol.NewID()
		offer, _, err := m.sell(ctx, a, "stream"+strconv.Itoa(i))
		if full(err) {
			if err := sleep(ctx, time.Millisecond); err != nil {
				return store.Lease{}, err
			}
			continue
		}
		if err != nil {
			return store.Lease{}, err
		}
		l := store.Lease{Offer: offer, Payer: orch.Address(), MaxPrices: a.MaxPrices, Expires: leaseTime}
		return l, m.store.SaveLease(ctx, l)
	}
}

// full says that places were taken meanwhile: there are others, or will be.
func full(err error) bool {
	return errors.Is(err, errNobody) || protocol.CodeOf(err) == protocol.NoCapacity
}

// renew does for a lease what an orchestrator does at half time.
func (m *market) renew(ctx context.Context, l store.Lease) error {
	serial, err := m.store.NextSerial(ctx, l.ID())
	if err != nil {
		return err
	}
	r, err := protocol.Seal(domain, orch, protocol.LeaseRequest{Lease: l.ID(), Orchestrator: orch.Address(), ExtendMillis: uint32(leaseTime.Milliseconds()), Serial: serial})
	if err != nil {
		return err
	}
	ack, err := m.bus.AskLease(ctx, l.Offer.Award.Message.Transcoder, r)
	if err == nil && ack.Problem != nil {
		err = ack.Problem.Err()
	}
	if err != nil {
		return err
	}
	return m.store.ExtendLease(ctx, l.ID(), leaseTime)
}

// together calls f with 0, 1, 2, …, as many at once as are in flight, until it says no more.
func (m *market) together(ctx context.Context, f func(int) (bool, error)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var callers sync.WaitGroup
	for range inFlight {
		callers.Go(func() {
			for ctx.Err() == nil {
				more, err := f(int(next.Add(1) - 1))
				if err != nil {
					cancel(err)
				}
				if err != nil || !more {
					return
				}
			}
		})
	}
	callers.Wait()
	return context.Cause(ctx)
}
