package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/chain/devchain"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/payment/litestore"
	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/pgcluster"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
	"github.com/kinora/kinora/migrations"
)

// fee is what every ticket pays.
var fee = protocol.NewWei(100_000_000_000)

// open makes a store that syncs every commit to disk, and what closes it.
type open func(ctx context.Context, dir string) (payment.Store, func(), error)

func openPostgres(ctx context.Context, dir string) (payment.Store, func(), error) {
	cluster, err := pgcluster.Start(ctx, pgcluster.Options{Dir: filepath.Join(dir, "postgres")})
	if err != nil {
		return nil, nil, err
	}
	if err := cluster.CreateDatabase(ctx, "bench"); err != nil {
		cluster.Stop()
		return nil, nil, err
	}
	if err := migrations.Postgres(ctx, cluster.URL("bench"), "recipient"); err != nil {
		cluster.Stop()
		return nil, nil, err
	}
	pool, err := pgstore.Open(ctx, cluster.URL("bench"))
	if err != nil {
		cluster.Stop()
		return nil, nil, err
	}
	return pgstore.Recipient(pool), func() { pool.Close(); cluster.Stop() }, nil
}

func openSQLite(ctx context.Context, dir string) (payment.Store, func(), error) {
	db, err := litestore.Open(filepath.Join(dir, "transcoder.db"))
	if err != nil {
		return nil, nil, err
	}
	if err := migrations.SQLite(ctx, db, "recipient_sqlite"); err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return litestore.New(db), func() { _ = db.Close() }, nil
}

// market is a chain, a payer with an allocation, and a recipient on a store.
type market struct {
	chain     *devchain.Chain
	client    *chain.Client
	payer     *protocol.KeySigner
	account   *chain.Account
	recipient *payment.Recipient
	hasher    *ticket.Hasher
	store     payment.Store
	domain    protocol.Domain
	close     []func()
}

// newMarket begins one whose tickets win once in multiple times. The recipient's sets outlive the measurement.
func newMarket(ctx context.Context, period time.Duration, multiple uint64, allocation protocol.Wei, o open) (m *market, err error) {
	m = &market{}
	defer func() {
		if err != nil {
			m.stop()
		}
	}()
	dir, err := os.MkdirTemp("", "kinora-benchpayments-")
	if err != nil {
		return m, err
	}
	m.close = append(m.close, func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { // Postgres may run as another user
		return m, err
	}
	if m.payer, err = newKey(); err != nil {
		return m, err
	}
	earner, err := newKey()
	if err != nil {
		return m, err
	}
	rich := protocol.NewWei(1e18).Mul(1_000_000)
	if m.chain, err = devchain.Start(ctx, devchain.Options{Period: period, Prefund: map[common.Address]protocol.Wei{m.payer.Address(): rich, earner.Address(): rich}}); err != nil {
		return m, err
	}
	m.close = append(m.close, func() { _ = m.chain.Close() })
	if m.client, err = chain.Dial(ctx, m.chain.URL()); err != nil {
		return m, err
	}
	m.close = append(m.close, m.client.Close)
	spender := chain.NewAccount(m.client, m.payer)
	address, _, err := spender.Deploy(ctx, 7*24*time.Hour)
	if err != nil {
		return m, err
	}
	escrow, err := chain.NewEscrow(ctx, m.client, address)
	if err != nil {
		return m, err
	}
	if _, err := escrow.Deposit(ctx, spender, allocation); err != nil {
		return m, err
	}
	if _, err := escrow.Allocate(ctx, spender, earner.Address(), allocation); err != nil {
		return m, err
	}
	store, closeStore, err := o(ctx, dir)
	if err != nil {
		return m, err
	}
	m.store = store
	m.close = append(m.close, closeStore)
	domain := escrow.Domain()
	m.domain = domain
	m.hasher = ticket.Domain{ChainID: domain.ChainID, Escrow: domain.Escrow}.Hasher()
	m.account = chain.NewAccount(m.client, earner)
	m.recipient = payment.NewRecipient(payment.RecipientConfig{Domain: domain, Signer: earner, Account: m.account,
		Usable: 10 * time.Hour, Accept: 11 * time.Hour, Redeem: 12 * time.Hour, FaceValueMultiple: multiple,
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))}, store, escrow)
	return m, nil
}

func (m *market) stop() {
	for i := len(m.close) - 1; i >= 0; i-- {
		m.close[i]()
	}
	m.close = nil
}

// sign makes the deliveries of a stream, one ticket each.
func (m *market) sign(ctx context.Context, stream string, count int) ([]payment.Delivery, error) {
	params, err := m.recipient.Params(ctx, m.payer.Address(), stream, fee)
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", stream, err)
	}
	p := params.Message
	winProb, err := ticket.WinProbFor(fee, p.FaceValue)
	if err != nil {
		return nil, err
	}
	out := make([]payment.Delivery, count)
	for i := range out {
		t, err := m.hasher.Sign(m.payer, ticket.Ticket{Payer: p.Payer, Recipient: p.Recipient, Lane: p.Lane, TicketNonce: uint64(i + 1), FaceValue: p.FaceValue,
			WinProb: winProb, Expiry: p.Expiry, RecipientRandHash: common.Hash(p.RecipientRandHash), Salt: rand.Uint64()})
		if err != nil {
			return nil, err
		}
		out[i] = payment.Delivery{Payer: p.Payer, Recipient: p.Recipient, Tickets: []payment.Paid{{Attempt: protocol.NewID(), Ticket: t}}}
	}
	return out, nil
}

// deliver has each stream deliver its tickets one after another, all streams at once, for at most span (0: to the end). It
// returns how many were acknowledged and how long each took.
func (m *market) deliver(ctx context.Context, streams [][]payment.Delivery, span time.Duration) (latencies []float64, took time.Duration, err error) {
	type result struct {
		latencies []float64
		err       error
	}
	results := make(chan result, len(streams))
	start := time.Now()
	for _, deliveries := range streams {
		go func() {
			var r result
			for _, d := range deliveries {
				at := time.Now()
				if span > 0 && at.Sub(start) > span {
					break
				}
				answer, err := m.recipient.Accept(ctx, d)
				if err == nil && answer.Results[0].Code != "" {
					err = fmt.Errorf("ticket refused: %s: %s", answer.Results[0].Code, answer.Results[0].Detail)
				}
				if err != nil {
					r.err = err
					break
				}
				r.latencies = append(r.latencies, time.Since(at).Seconds())
			}
			results <- r
		}()
	}
	for range streams {
		r := <-results
		latencies, err = append(latencies, r.latencies...), errors.Join(err, r.err)
	}
	return latencies, time.Since(start), err
}
