package main

import (
	"context"
	"fmt"
	"time"

	"github.com/kinora/kinora/internal/payment"
)

// queue measures how long a queue of winners takes to the chain once their sets are closed.
func (b *benchmark) queue(ctx context.Context) error {
	m, err := newMarket(ctx, time.Second, 1, fee.Mul(uint64(10*b.winners)), openPostgres)
	if err != nil {
		return err
	}
	defer m.stop()
	var streams [][]payment.Delivery
	count := 0
	for i := range b.lanes {
		n := b.winners / b.lanes
		if i < b.winners%b.lanes {
			n++
		}
		deliveries, err := m.sign(ctx, fmt.Sprintf("q%d", i), n)
		if err != nil {
			return err
		}
		streams = append(streams, deliveries)
		count += n
	}
	if _, _, err := m.deliver(ctx, streams, 0); err != nil {
		return err
	}
	stats, err := m.recipient.Stats(ctx)
	if err != nil {
		return err
	}
	if stats.PendingWinners != uint64(count) {
		return fmt.Errorf("%d winners are pending, want %d", stats.PendingWinners, count)
	}
	nonce, err := m.client.TxNonce(ctx, m.account.Address())
	if err != nil {
		return err
	}

	if err := m.recipient.CloseAll(ctx); err != nil {
		return err
	}
	start := time.Now()
	run, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- m.recipient.Run(run) }()
	defer func() { stop(); <-ended }()
	var first time.Duration
	for stats.PendingWinners > 0 && time.Since(start) < b.patience {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
		if first == 0 {
			now, err := m.client.TxNonce(ctx, m.account.Address())
			if err != nil {
				return err
			}
			if now > nonce {
				first = time.Since(start)
			}
			continue
		}
		if stats, err = m.recipient.Stats(ctx); err != nil {
			return err
		}
	}
	took := time.Since(start)
	if stats.Lost > 0 {
		return fmt.Errorf("%d winners were lost", stats.Lost)
	}
	if stats.PendingWinners > 0 {
		return fmt.Errorf("after %s %d of %d winners are still pending (first transaction after %s, %d transactions)", took, stats.PendingWinners, count, first, stats.Txs)
	}
	b.figure("queue_winners", float64(count), "", "", fmt.Sprintf("on %d lanes of one payer", b.lanes))
	b.figure("queue_first_tx", first.Seconds(), "s", "", "until it is mined, on a chain with a block a second")
	b.figure("queue_drained", took.Seconds(), "s", "", "until every winner is redeemed")
	b.figure("queue_txs", float64(stats.Txs), "", "", "")
	return b.memory("queue")
}
