package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/bench"
	"github.com/kinora/kinora/internal/protocol"
)

const fps = 30

// work is what every lease is for; an orchestrator hashes a stream's ladder once.
var work = protocol.Ladder{{Name: "720p", Width: 1280, Height: 720, Bitrate: 3_000_000, Codec: protocol.H264},
	{Name: "480p", Width: 854, Height: 480, Bitrate: 1_500_000, Codec: protocol.H264}, {Name: "360p", Width: 640, Height: 360, Bitrate: 800_000, Codec: protocol.H264}}

var workHash = protocol.Hash(work.Hash())

type sold struct {
	transcoder common.Address
	lease      protocol.ID
}

// busyShare is the part of the bidders that hold a lease, which is all that they have room for: the cheapest.
const busyShare = 4

func measure(ctx context.Context, n, seconds int, program func(url string) *exec.Cmd) (figures []bench.Figure, err error) {
	suffix := fmt.Sprintf("_%d", n)
	if n == 10_000 {
		suffix = ""
	}
	note := fmt.Sprintf("%d bidders", n)
	figure := func(name string, value float64, unit, aim, more string) {
		figures = append(figures, bench.Figure{Name: name + suffix, Value: value, Unit: unit, Aim: aim, Baseline: note + more, Command: command})
	}
	m, err := stand(ctx, n, n, program)
	if err != nil {
		return nil, err
	}
	defer m.close()
	figure("memory_per_bidder", float64(heap()-m.empty)/float64(n)/1024, "KiB", "", ", of heap: book, record, ranking, subscription")

	wait := time.Duration(seconds) * time.Second
	meter, bids := startMeter(m.others.Process.Pid), m.taken.Load()
	if err := sleep(ctx, wait); err != nil {
		return nil, err
	}
	idle, heard := meter.rates(), float64(m.taken.Load()-bids)
	figure("bids_per_s", heard/idle.took.Seconds(), "1/s", "", " that heartbeat")
	figure("bid_cpu_us", 1e6*idle.own*idle.took.Seconds()/max(heard, 1), "us", "", ", CPU time of a bid: NATS server, signature, book, ranking")
	figure("idle_cores", idle.own, "cores", "", " that heartbeat, and no awards")
	figure("idle_cores_bidders", idle.bidders, "cores", "", ", of the process that plays them")
	figure("idle_cores_postgres", idle.others, "cores", "", ", of its Postgres")

	if err := m.fill(ctx, n/busyShare); err != nil {
		return nil, err
	}
	rank, alone, err := m.oneByOne(ctx, wait)
	if err != nil {
		return nil, err
	}
	figure("rank_us", 1e6*bench.Percentile(rank, 50), "us", "", ", of an award: ranking and price")
	figure("award_p50_ms", 1e3*bench.Percentile(alone, 50), "ms", "<= 0.5", ", one at a time")
	figure("award_p99_ms", 1e3*bench.Percentile(alone, 99), "ms", "<= 5", ", one at a time")
	profiled, err := bench.Profile(strconv.Itoa(n))
	if err != nil {
		return nil, err
	}
	meter = startMeter(m.others.Process.Pid)
	many, err := m.inFlight(ctx, wait, min(64, n/busyShare))
	busy := meter.rates()
	profiled()
	if err != nil {
		return nil, err
	}
	rate := float64(len(many)) / busy.took.Seconds()
	ours, theirs := (busy.own-idle.own)/rate, (busy.bidders-idle.bidders)/rate // seconds an award
	figure("awards_per_s", rate, "1/s", ">= 8000", ", 64 in flight")
	figure("awards_in_flight_p99_ms", 1e3*bench.Percentile(many, 99), "ms", "", ", 64 in flight")
	figure("award_cpu_us", 1e6*ours, "us", "", ", CPU time of an award at the orchestrator and its NATS server, heartbeats not counted")
	figure("award_cpu_bidder_us", 1e6*theirs, "us", "", ", likewise, at its bidder")
	figure("awards_by_cpu", (2-idle.own-idle.bidders-idle.others)/(ours+theirs), "1/s", "", ", what that CPU time leaves room for on two cores that do nothing else")

	ahead := 4_000 * seconds
	if _, err := fmt.Fprintln(m.tell, ahead); err != nil {
		return nil, err
	}
	ingested, err := m.ingest(ctx, m.hear, ahead)
	if err != nil {
		return nil, err
	}
	figure("bid_ingest_per_s", ingested, "1/s", "", ", as fast as they are taken")
	own, others := m.peaks()
	figure("peak_rss", own, "MiB", "", ", orchestrator and NATS server")
	figure("peak_rss_bidders", others, "MiB", "", ", the process that plays them")
	return figures, nil
}

func ask() auction.Ask {
	return auction.Ask{Lease: protocol.NewID(), Ladder: work, SourceFPS: fps, MaxPrices: protocol.Prices{{Codec: protocol.H264, WeiPerPixel: protocol.NewWei(1_000_000)}}}
}

// award gives one lease; what it returns is how long the ranking took, and the whole.
func (m *market) award(ctx context.Context, stream string) (rank, whole time.Duration, err error) {
	began := time.Now()
	offer, rank, err := m.sell(ctx, ask(), stream)
	if err != nil {
		return 0, 0, err
	}
	whole = time.Since(began)
	m.held <- sold{offer.Award.Message.Transcoder, offer.Award.Message.Lease}
	return rank, whole, nil
}

// sell offers one lease to whom it belongs, and returns what was accepted.
func (m *market) sell(ctx context.Context, a auction.Ask, stream string) (offer protocol.AwardOffer, rank time.Duration, err error) {
	began := time.Now()
	best := m.fleet.Best(a, 5)
	if len(best) == 0 {
		return offer, 0, errNobody
	}
	prices := auction.SecondScore.Prices(best, 0, a)
	rank = time.Since(began)
	maxFee, err := a.Ladder.MaxFee(prices, fps, 4000)
	if err != nil {
		return offer, 0, err
	}
	hash := workHash
	if &a.Ladder[0] != &work[0] {
		hash = protocol.Hash(a.Ladder.Hash())
	}
	bid := best[0].Bid
	signed, err := protocol.Seal(domain, orch, protocol.Award{Lease: a.Lease, Orchestrator: orch.Address(), Payer: orch.Address(), Transcoder: bid.Transcoder, Stream: stream,
		LadderHash: hash, Prices: prices, MaxFee: maxFee, LeaseMillis: 30_000, BidSequence: bid.Sequence, URL: "http://127.0.0.1:8936"})
	if err != nil {
		return offer, 0, err
	}
	offer = protocol.AwardOffer{Award: signed, Ladder: a.Ladder, SourceFPS: fps, SegmentMillis: 2000}
	rates := a.Ladder.PixelRates(fps)
	m.fleet.Awarded(bid.Transcoder, a.Lease, rates)
	answer, err := m.bus.OfferAward(ctx, bid.Transcoder, offer)
	if err == nil && answer.Decline != nil {
		m.fleet.Declined(bid.Transcoder)
		err = answer.Decline.Err()
	}
	if err == nil {
		_, err = answer.Params.Open(domain)
	}
	if err != nil {
		m.fleet.Freed(bid.Transcoder, a.Lease)
		return offer, 0, err
	}
	m.fleet.Awarded(bid.Transcoder, a.Lease, rates)
	return offer, rank, nil
}

// errNobody is a market in which nobody has room.
var errNobody = errors.New("nobody can have the lease")

// fill sells leases until so many run.
func (m *market) fill(ctx context.Context, leases int) error {
	for len(m.held) < leases {
		if _, _, err := m.award(ctx, "fill"); err != nil {
			return err
		}
	}
	return nil
}

// next sells a lease and ends the oldest.
func (m *market) next(ctx context.Context) (rank, whole float64, err error) {
	r, w, err := m.award(ctx, "bench")
	if err != nil {
		return 0, 0, err
	}
	old := <-m.held
	m.fleet.Freed(old.transcoder, old.lease)
	return r.Seconds(), w.Seconds(), nil
}

// oneByOne awards with a pause between, as the leases of few streams come.
func (m *market) oneByOne(ctx context.Context, d time.Duration) (rank, whole []float64, err error) {
	pauses := rand.New(rand.NewPCG(1, 1))
	for end := time.Now().Add(d); time.Now().Before(end); {
		r, w, err := m.next(ctx)
		if err != nil {
			return nil, nil, err
		}
		rank, whole = append(rank, r), append(whole, w)
		if err := sleep(ctx, time.Duration(pauses.Int64N(int64(4*time.Millisecond)))); err != nil {
			return nil, nil, err
		}
	}
	return rank, whole, nil
}

func (m *market) inFlight(ctx context.Context, d time.Duration, many int) (all []float64, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex
	var sellers sync.WaitGroup
	end := time.Now().Add(d)
	for range many {
		sellers.Go(func() {
			var own []float64
			for time.Now().Before(end) && ctx.Err() == nil {
				_, w, err := m.next(ctx)
				if err != nil {
					cancel(err)
					return
				}
				own = append(own, w)
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, own...)
		})
	}
	sellers.Wait()
	return all, context.Cause(ctx)
}

// ingest has the bidders send bids ahead and says how many a second were taken.
func (m *market) ingest(ctx context.Context, hear *bufio.Scanner, ahead int) (float64, error) {
	if !hear.Scan() {
		return 0, io.ErrUnexpectedEOF
	}
	from, began := m.taken.Load(), time.Now()
	for m.taken.Load()-from < uint64(ahead) {
		if err := sleep(ctx, 5*time.Millisecond); err != nil {
			return 0, err
		}
		if time.Since(began) > 2*time.Minute {
			return 0, fmt.Errorf("%d of %d bids were taken in two minutes", m.taken.Load()-from, ahead)
		}
	}
	rate := float64(m.taken.Load()-from) / time.Since(began).Seconds()
	if !hear.Scan() {
		return 0, io.ErrUnexpectedEOF
	}
	return rate, nil
}
