package main

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/pgcluster"
	"github.com/kinora/kinora/migrations"
)

// counting counts what a pool is asked.
type counting struct{ statements atomic.Int64 }

func (c *counting) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.statements.Add(1)
	return ctx
}

func (*counting) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// nobody is a recipient that is never sent anything.
type nobody struct{}

func (nobody) Send(context.Context, common.Address, payment.Delivery) (payment.DeliveryAnswer, error) {
	return payment.DeliveryAnswer{}, errors.New("nothing was to be sent")
}

// idle measures what the loops of a payer and a recipient cost while nothing happens.
func (b *benchmark) idle(ctx context.Context) error {
	var asked counting
	var pool *pgxpool.Pool
	m, err := newMarket(ctx, 0, 100, fee, func(ctx context.Context, dir string) (payment.Store, func(), error) {
		cluster, err := pgcluster.Start(ctx, pgcluster.Options{Dir: filepath.Join(dir, "postgres")})
		if err != nil {
			return nil, nil, err
		}
		err = cluster.CreateDatabase(ctx, "bench")
		if err == nil {
			err = migrations.Postgres(ctx, cluster.URL("bench"), "payer", "recipient")
		}
		var config *pgxpool.Config
		if err == nil {
			config, err = pgxpool.ParseConfig(cluster.URL("bench"))
		}
		if err == nil {
			config.ConnConfig.Tracer = &asked
			pool, err = pgxpool.NewWithConfig(ctx, config)
		}
		if err != nil {
			cluster.Stop()
			return nil, nil, err
		}
		return pgstore.Recipient(pool), func() { pool.Close(); cluster.Stop() }, nil
	})
	if err != nil {
		return err
	}
	defer m.stop()
	payer := payment.NewPayer(payment.PayerConfig{Domain: m.domain, Signer: m.payer}, pgstore.Payer(pool), nobody{})
	run, stop := context.WithCancel(ctx)
	var loops sync.WaitGroup
	defer loops.Wait()
	defer stop()
	for _, f := range []func(context.Context) error{payer.Run, m.recipient.Run} {
		loops.Go(func() { _ = f(run) }) // its configuration has worked
	}
	wait := func(span time.Duration) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(span):
			return nil
		}
	}
	if err := wait(2 * time.Second); err != nil { // what they begin with
		return err
	}
	before, asked0 := time.Now(), asked.statements.Load()
	busy, err := cpu()
	if err != nil {
		return err
	}
	if err := wait(time.Duration(3*b.seconds) * time.Second); err != nil {
		return err
	}
	after, err := cpu()
	if err != nil {
		return err
	}
	took := time.Since(before).Seconds()
	b.figure("idle_statements", float64(asked.statements.Load()-asked0)/took, "1/s", "", "a payer's and a recipient's loop with nothing to do")
	b.figure("idle_cpu", float64((after-busy).Microseconds())/1000/took, "ms/s", "", "of both, their Postgres and the chain's node")
	return nil
}
