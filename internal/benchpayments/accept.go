package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/kinora/kinora/internal/bench"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
)

// cpu is the CPU time of this program and its database so far.
func cpu() (sum time.Duration, err error) {
	tree, err := bench.Tree(os.Getpid())
	for _, p := range tree {
		sum += p.CPU
	}
	return sum, err
}

// accept measures Recipient.Accept: signature, draw, every rule of the store, and the commit on disk, one ticket a delivery
// and the next only once the one before is acknowledged, as the streams of one payer do.
func (b *benchmark) accept(ctx context.Context, prefix string, o open) error {
	m, err := newMarket(ctx, 0, 100, protocol.NewWei(1e18).Mul(1000), o)
	if err != nil {
		return err
	}
	defer m.stop()
	for _, c := range []struct {
		streams int
		aim     string
	}{{1, ""}, {16, ""}, {256, ">= 5000"}} {
		atMost := b.atMost * b.seconds
		if c.streams < 256 { // fewer streams accept less
			atMost /= 2
		}
		var streams [][]payment.Delivery
		for i := range c.streams {
			deliveries, err := m.sign(ctx, fmt.Sprintf("s%d-%d", c.streams, i), atMost/c.streams+1)
			if err != nil {
				return err
			}
			streams = append(streams, deliveries)
		}
		before, err := cpu()
		if err != nil {
			return err
		}
		latencies, took, err := m.deliver(ctx, streams, time.Duration(b.seconds)*time.Second)
		if err != nil {
			return err
		}
		after, err := cpu()
		if err != nil {
			return err
		}
		stats, err := m.recipient.Stats(ctx)
		if err != nil {
			return err
		}
		if stats.Accepted < uint64(len(latencies)) {
			return fmt.Errorf("%d tickets were acknowledged, the store counts %d", len(latencies), stats.Accepted)
		}
		b.figure(fmt.Sprintf("accept_%sper_s_%d", prefix, c.streams), float64(len(latencies))/took.Seconds(), "1/s", c.aim, "each on disk when acknowledged")
		b.figure(fmt.Sprintf("accept_%sp50_%d", prefix, c.streams), 1000*bench.Percentile(latencies, 50), "ms", "", "until acknowledged")
		b.figure(fmt.Sprintf("accept_%sp99_%d", prefix, c.streams), 1000*bench.Percentile(latencies, 99), "ms", "", "until acknowledged")
		b.figure(fmt.Sprintf("accept_%scpu_%d", prefix, c.streams), float64((after-before).Microseconds())/float64(len(latencies)), "us", "", "CPU time of a ticket, the database's included")
	}
	return b.memory("accept_" + prefix + "256")
}
