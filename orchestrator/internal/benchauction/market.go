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
	"github.com/kinora/kinora/orchestrator/internal/fleet"
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
	figure("rank_us", 1e6*bench.Percentile(rank, 50), "us", "", ", of an award: who gets it at which price, and what that is committed by")
	figure("award_p50_ms", 1e3*bench.Percentile(alone, 50), "ms", "<= 0.5", ", one at a time")
	figure("award_p99_ms", 1e3*bench.Percentile(alone, 99), "ms", "<= 5", ", one at a time")
	profiled, err := bench.Profile(strconv.Itoa(n))
	if err != nil {
		return nil, err
	}
	meter, bids = startMeter(m.others.Process.Pid), m.taken.Load()
	many, err := m.inFlight(ctx, wait, min(64, n/busyShare))
	busy := meter.rates()
	profiled()
	if err != nil {
		return nil, err
	}
	rate := float64(len(many)) / busy.took.Seconds()
	beats := float64(m.taken.Load()-bids) / heard * idle.took.Seconds() // how long so many bids take when there is nothing else; fewer come to a busy machine
	ours := (busy.own*busy.took.Seconds() - idle.own*beats) / float64(len(many))
	theirs := (busy.bidders*busy.took.Seconds() - idle.bidders*beats) / float64(len(many))
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

// sell auctions one lease, offers it to those that this decided on until one takes it, and returns what was accepted.
func (m *market) sell(ctx context.Context, a auction.Ask, stream string) (offer protocol.AwardOffer, rank time.Duration, err error) {
	began := time.Now()
	sale, err := m.fleet.Auction(fleet.Listing{Ask: a, Payer: orch.Address(), Stream: stream, Most: 4})
	if err != nil {
		return offer, 0, err
	}
	rank = time.Since(began)
	err = errNobody
	var awards []protocol.Signed[protocol.Award]
	for _, o := range sale.Offers {
		if offer, err = m.offer(ctx, sale, o, stream, &awards); err == nil || !full(err) {
			break
		}
	}
	m.fleet.Conclude(sale, awards, err == nil)
	return offer, rank, err
}

// offer offers a lease to one bidder.
func (m *market) offer(ctx context.Context, sale *fleet.Sale, o auction.Offer, stream string, awards *[]protocol.Signed[protocol.Award]) (offer protocol.AwardOffer, err error) {
	ladder, lease := sale.Ask.Ladder, sale.Ask.Lease
	if len(*awards) > 0 {
		lease = protocol.NewID()
	}
	maxFee, err := ladder.MaxFee(o.Paid, fps, 4000)
	if err != nil {
		return offer, err
	}
	hash := workHash
	if &ladder[0] != &work[0] {
		hash = protocol.Hash(ladder.Hash())
	}
	t := o.Bid.Transcoder
	award := protocol.Award{Lease: lease, Orchestrator: orch.Address(), Payer: orch.Address(), Transcoder: t, Stream: stream,
		LadderHash: hash, Prices: o.Paid, MaxFee: maxFee, LeaseMillis: 30_000, BidSequence: o.Bid.Sequence, URL: "http://127.0.0.1:8936"}
	sale.Commit(&award)
	signed, err := protocol.Seal(domain, orch, award)
	if err != nil {
		return offer, err
	}
	*awards = append(*awards, signed)
	offer = protocol.AwardOffer{Award: signed, Ladder: ladder, SourceFPS: fps, SegmentMillis: 2000}
	rates := ladder.PixelRates(fps)
	m.fleet.Awarded(t, lease, rates)
	answer, err := m.bus.OfferAward(ctx, t, offer)
	if err == nil && answer.Decline != nil {
		m.fleet.Declined(t)
		m.declined.Add(1)
		err = answer.Decline.Err()
	}
	if err == nil {
		_, err = answer.Params.Open(domain)
	}
	if err != nil {
		m.fleet.Freed(t, lease)
		return offer, err
	}
	m.fleet.Awarded(t, lease, rates)
	return offer, nil
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

// ingest has the bidders send bids ahead and says how many a second were taken. A bid that a newer one of its bidder overtakes while it
// waits is not.
func (m *market) ingest(ctx context.Context, hear *bufio.Scanner, ahead int) (float64, error) {
	if !hear.Scan() {
		return 0, io.ErrUnexpectedEOF
	}
	from, overtaken, began := m.taken.Load(), m.bus.Dropped(), time.Now()
	for m.taken.Load()-from+m.bus.Dropped()-overtaken < uint64(ahead) {
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
