package payment

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
)

// RelayStore remembers which orders were taken to the chain, over replicas and restarts; pgstore.Relays is one.
type RelayStore interface {
	// Claim takes an order of this number on, unless one that can still be carried out was: deadline and now are chain seconds.
	Claim(ctx context.Context, recipient common.Address, number, deadline, now uint64) (mine bool, err error)
	// Unclaim gives it up: nothing was sent.
	Unclaim(ctx context.Context, recipient common.Address, number uint64) error
}

// RelayerConfig configures a Relayer. Numbers of zero take the default named beside them, but for the margin.
type RelayerConfig struct {
	Domain  protocol.Domain
	Account *chain.Account   // sends, and is paid
	Signers []common.Address // whoever signed tickets as or for this payer: only their recipients are served
	// MarginPercent is what the fee must be above the gas as it is estimated, in percent: the base fee may rise before the
	// transaction is mined.
	MarginPercent uint64
	Every         time.Duration // two orders of one recipient, since the second may give what the first lacked: 3 s
	PerMinute     int           // orders in all: 600
	Least         time.Duration // what an order must still live, chain time: 10 s
	Log           *slog.Logger
}

// Relayer takes recipients' orders to the chain, for a fee that covers the gas. It simulates each before it spends any.
type Relayer struct {
	config RelayerConfig
	hasher *ticket.Hasher
	store  RelayStore
	escrow Escrow
	sent   chan sentRelay
	price  priceNow

	mu    sync.Mutex
	known map[common.Address]relayed // the last order of each recipient
	taken []time.Time                // of the last minute, oldest first
}

type relayed struct {
	digest common.Hash
	tx     *common.Hash
	looks  [2]time.Time // the last two, the older first
	failed int          // of its orders that were sent, one after another
	barred time.Time    // until then
}

type sentRelay struct {
	order ticket.RedeemOrder
	tx    chain.Prepared
}

const (
	mostGas    = 10_000_000 // of a quote
	maxRelayed = 4096
	barFirst   = time.Minute // an order failed that was sent; twice as long each time,
	barAtMost  = 24 * time.Hour
)

// NewRelayer makes the relayer of one account.
func NewRelayer(c RelayerConfig, store RelayStore, escrow Escrow) *Relayer {
	c.Every, c.PerMinute, c.Least = cmp.Or(c.Every, 3*time.Second), cmp.Or(c.PerMinute, 600), cmp.Or(c.Least, 10*time.Second)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Relayer{config: c, hasher: ticket.Domain{ChainID: c.Domain.ChainID, Escrow: c.Domain.Escrow}.Hasher(), store: store, escrow: escrow,
		price: priceNow{ask: func(ctx context.Context) (protocol.Wei, error) { return c.Account.GasCost(ctx, 1) }},
		sent:  make(chan sentRelay, 64), known: map[common.Address]relayed{}}
}

// Answer answers a request: what a refusal would take is in it. An error means that nothing was decided.
func (r *Relayer) Answer(ctx context.Context, q RelayRequest) (RelayAnswer, error) {
	if q.Order == nil {
		return r.quote(ctx, q)
	}
	a, err := r.relay(ctx, *q.Order)
	var refusal *protocol.Error
	if errors.As(err, &refusal) {
		p := protocol.ProblemOf(err)
		a.Problem = &p
		r.config.Log.Info("an order is not relayed", "recipient", q.Order.Order.Recipient, "order", q.Order.Order.OrderNonce, "err", err)
		return a, nil
	}
	return a, err
}

// quote is what a redemption of this size costs now. It is not binding: the fee of an order is measured by its simulation.
func (r *Relayer) quote(ctx context.Context, q RelayRequest) (RelayAnswer, error) {
	if q.Gas == 0 || q.Gas > mostGas {
		return RelayAnswer{}, protocol.Errorf(protocol.BadRequest, "%d gas, want 1 to %d", q.Gas, uint64(mostGas))
	}
	cost, err := r.price.of(ctx, q.Gas)
	if err != nil {
		return RelayAnswer{}, protocol.Errorf(protocol.Unavailable, "price a relay: %w", err)
	}
	return RelayAnswer{Fee: r.fee(cost)}, nil
}

// fee is what is asked for a cost; never nothing, so that a quote can be told from none.
func (r *Relayer) fee(cost protocol.Wei) protocol.Wei {
	return cost.Mul(100 + r.config.MarginPercent).Div(100).Add(protocol.NewWei(1))
}

// covers reports a fee that is still taken: gas may have risen by half the margin since it was asked.
func (r *Relayer) covers(fee, cost protocol.Wei) bool {
	return !fee.Mul(200).Less(cost.Mul(200 + r.config.MarginPercent))
}

func (r *Relayer) relay(ctx context.Context, o SignedOrder) (a RelayAnswer, err error) {
	digest, err := o.check(r.hasher)
	if err != nil {
		return a, err
	}
	recipient := o.Order.Recipient
	heads, err := ticket.ReadRuns(o.Runs, recipient)
	if err != nil {
		return a, protocol.Errorf(protocol.BadRequest, "%w", err)
	}
	if !slices.ContainsFunc(heads, r.ours) {
		return a, protocol.Errorf(protocol.BadRequest, "no run begins with a ticket of %s: only its recipients are served", r.config.Account.Address())
	}
	if known := r.lookUp(recipient); known.digest == digest && known.tx != nil {
		return RelayAnswer{Fee: o.Order.Fee, Tx: known.tx}, nil
	}
	if err := r.limit(recipient); err != nil {
		return a, err
	}
	now, err := r.config.Account.Client().BlockTime(ctx)
	if err != nil {
		return a, protocol.Errorf(protocol.Unavailable, "relay: %w", err)
	}
	if o.Order.Deadline < now+uint64(r.config.Least/time.Second) {
		return a, protocol.Errorf(protocol.Stale, "the order ends at %d, and it is %d", o.Order.Deadline, now)
	}
	mine, err := r.store.Claim(ctx, recipient, o.Order.OrderNonce, o.Order.Deadline, now)
	if err != nil {
		return a, err
	}
	if !mine {
		return a, protocol.Errorf(protocol.Stale, "an order of number %d is under way", o.Order.OrderNonce)
	}
	p, err := r.send(ctx, o, &a)
	if err != nil {
		return a, err
	}
	r.note(recipient, digest, p.Tx)
	select {
	case r.sent <- sentRelay{o.Order, p}:
	default: // it is not followed, which only sends it again
	}
	r.config.Log.Info("relaying a redemption", "recipient", recipient, "order", o.Order.OrderNonce, "fee_wei", o.Order.Fee.String(), "tx", p.Tx)
	return RelayAnswer{Fee: o.Order.Fee, Tx: &p.Tx}, nil
}

// errFee refuses an order whose fee does not cover its gas.
var errFee = errors.New("the fee does not cover the gas")

// send simulates, and sends what pays for itself. What was surely not sent is given up.
func (r *Relayer) send(ctx context.Context, o SignedOrder, a *RelayAnswer) (chain.Prepared, error) {
	signed := false
	p, err := r.escrow.RedeemFor(ctx, r.config.Account, o.Order, o.Signature, o.Runs, func(_ chain.Prepared, bill chain.Bill) error {
		r.config.Log.Debug("an order was simulated", "recipient", o.Order.Recipient, "order", o.Order.OrderNonce, "gas", bill.Gas, "gas_wei", bill.Expected.String())
		if a.Fee = r.fee(bill.Expected); !r.covers(o.Order.Fee, bill.Expected) {
			return errFee
		}
		signed = true
		return nil
	})
	if err == nil || signed {
		return p, err
	}
	if gone := r.store.Unclaim(context.WithoutCancel(ctx), o.Order.Recipient, o.Order.OrderNonce); gone != nil { // it ends with the order
		r.config.Log.Warn("an order stays claimed", "recipient", o.Order.Recipient, "order", o.Order.OrderNonce, "err", gone)
	}
	var refusal *chain.Revert
	var dear *chain.TooDear
	switch {
	case errors.Is(err, errFee):
		return p, protocol.Limited(protocol.FeeTooLow, "fee", a.Fee, "the order gives %s wei, asked are %s", o.Order.Fee, a.Fee)
	case errors.As(err, &refusal):
		return p, protocol.Errorf(protocol.BadRequest, "the chain would not carry the order out: %w", err)
	case errors.As(err, &dear) || chain.IsNoGas(err):
		return p, protocol.Errorf(protocol.Unavailable, "this relayer sends nothing now: %w", err)
	}
	return p, err
}

// ours reports a run whose first ticket this payer signed: identities cost nothing, such a ticket does.
func (r *Relayer) ours(h ticket.RunHead) bool {
	signer, err := r.hasher.Recover(h.First)
	return err == nil && slices.Contains(r.config.Signers, signer)
}

func (r *Relayer) lookUp(recipient common.Address) relayed {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.known[recipient]
}

func (r *Relayer) note(recipient common.Address, digest, tx common.Hash) {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := r.known[recipient]
	last.digest, last.tx = digest, &tx
	r.known[recipient] = last
}

// limit bounds what orders may cost in questions to the chain, per recipient and in all.
func (r *Relayer) limit(recipient common.Address) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.taken = slices.DeleteFunc(r.taken, func(at time.Time) bool { return now.Sub(at) > time.Minute })
	if last := r.known[recipient]; now.Before(last.barred) {
		return protocol.Limited(protocol.RateLimited, "failed", last.failed, "%d orders of %s failed after they were sent: no more until %s", last.failed, recipient, last.barred.UTC().Format(time.RFC3339))
	}
	if last := r.known[recipient]; now.Sub(last.looks[0]) < r.config.Every {
		return protocol.Limited(protocol.RateLimited, "every", r.config.Every, "two orders of %s were looked at in the last %s", recipient, now.Sub(last.looks[0]).Round(time.Millisecond))
	}
	if len(r.taken) >= r.config.PerMinute {
		return protocol.Limited(protocol.RateLimited, "per_minute", r.config.PerMinute, "%d orders were looked at in the last minute", len(r.taken))
	}
	if len(r.known) >= maxRelayed {
		clear(r.known)
	}
	last := r.known[recipient]
	last.looks = [2]time.Time{last.looks[1], now}
	r.known[recipient] = last
	r.taken = append(r.taken, now)
	return nil
}

// followFor bounds how long what was sent is looked after.
const followFor = 10 * time.Minute

// Run sends again what nodes forget, and says what became of it, until ctx ends.
func (r *Relayer) Run(ctx context.Context) error {
	var following sync.WaitGroup
	defer following.Wait()
	for {
		select {
		case <-ctx.Done():
			return nil
		case s := <-r.sent:
			following.Go(func() { r.follow(ctx, s) })
		}
	}
}

func (r *Relayer) follow(ctx context.Context, s sentRelay) {
	ctx, cancel := context.WithTimeout(ctx, followFor)
	defer cancel()
	receipt, err := r.config.Account.AwaitSent(ctx, s.tx)
	switch {
	case err != nil && ctx.Err() != nil:
		return
	case err != nil:
		r.config.Log.Warn("a relayed redemption failed: its gas is lost", "recipient", s.order.Recipient, "order", s.order.OrderNonce, "tx", s.tx.Tx, "gas_wei", receipt.Cost.String(), "err", err)
	default:
		r.config.Log.Info("relayed a redemption", "recipient", s.order.Recipient, "order", s.order.OrderNonce, "tx", s.tx.Tx, "gas_wei", receipt.Cost.String(), "fee_wei", s.order.Fee.String())
	}
	r.learn(s.order.Recipient, err != nil)
}

// learn bars a recipient whose order failed: it can be made to succeed only where it is simulated, which costs its signer
// nothing and this side the gas.
func (r *Relayer) learn(recipient common.Address, failed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := r.known[recipient]
	if !failed {
		last.failed, last.barred = 0, time.Time{}
	} else {
		last.barred = time.Now().Add(min(barFirst<<min(last.failed, 16), barAtMost))
		last.failed++
	}
	r.known[recipient] = last
}
