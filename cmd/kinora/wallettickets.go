package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/payment/pgstore"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/transcoder"
)

// earnings is where a role keeps the tickets that it is paid with.
type earnings struct {
	DatabaseURL string `help:"Postgres database of an orchestrator." placeholder:"URL"`
	Data        string `help:"Data folder of a transcoder, instead." placeholder:"DIR"`
}

// Validate wants one of the two.
func (e earnings) Validate() error {
	if (e.DatabaseURL == "") == (e.Data == "") {
		return errors.New("want one of --database-url, of an orchestrator, and --data, of a transcoder")
	}
	return nil
}

// opened is a role's store, with the clock that it goes by.
type opened struct {
	payment.Store
	now   func() time.Time
	close func() error
}

// open opens it, to be read only or to settle what is in it.
func (e earnings) open(ctx context.Context, settle bool) (o opened, err error) {
	if e.DatabaseURL != "" {
		pool, err := pgstore.Open(ctx, e.DatabaseURL)
		if err != nil {
			return o, err
		}
		clock, err := pgstore.Clock(ctx, pool)
		if err != nil {
			pool.Close()
			return o, err
		}
		return opened{pgstore.Recipient(pool), clock, func() error { pool.Close(); return nil }}, nil
	}
	var t *transcoder.Tickets
	if settle {
		t, err = transcoder.TakeTickets(ctx, e.Data)
	} else {
		t, err = transcoder.LookAtTickets(e.Data)
	}
	if err != nil {
		return o, err
	}
	return opened{t, time.Now, t.Close}, nil
}

// with runs do with the store of a role that ran once: one without its tables is none.
func (e earnings) with(ctx context.Context, settle bool, do func(opened, []payment.Record) error) (err error) {
	o, err := e.open(ctx, settle)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	all, err := o.Winners(ctx, 0)
	if err != nil {
		return fmt.Errorf("%w (want the database of an orchestrator, or the folder of a transcoder, that has run)", err)
	}
	return do(o, all)
}

type walletTickets struct {
	earnings
	money
	State []string `help:"Only those in these states: won, submitted, mined, final, expired, unpayable." enum:"won,submitted,mined,final,expired,unpayable" placeholder:"STATE"`
	Limit int      `help:"Show at most so many, the newest; 0: all. The totals count all." default:"100"`
	output
}

// listed is a winner as it is shown.
type listed struct {
	State     payment.WinnerState `json:"state"`
	Reason    string              `json:"reason,omitempty"`
	FaceValue protocol.Wei        `json:"face_value"`
	Payer     string              `json:"payer"`
	Recipient string              `json:"recipient"`
	Stream    string              `json:"stream"`
	Lane      uint16              `json:"lane"`
	Nonce     uint64              `json:"nonce"`
	SetClosed bool                `json:"set_closed"`
	WonAt     time.Time           `json:"won_at"`
	ExpiresAt time.Time           `json:"expires_at"`
	SettledAt *time.Time          `json:"settled_at,omitempty"`
	Tx        *common.Hash        `json:"tx,omitempty"`
}

func list(r payment.Record) listed {
	t := r.Ticket
	l := listed{State: r.State, Reason: r.Reason, FaceValue: t.FaceValue, Payer: t.Payer.Hex(), Recipient: t.Recipient.Hex(), Stream: r.Stream,
		Lane: t.Lane, Nonce: t.TicketNonce, SetClosed: r.SetClosed, WonAt: r.WonAt.UTC(), ExpiresAt: time.Unix(int64(t.Expiry), 0).UTC()}
	if !r.SettledAt.IsZero() {
		at := r.SettledAt.UTC()
		l.SettledAt = &at
	}
	if (r.Tx != common.Hash{}) {
		l.Tx = &r.Tx
	}
	return l
}

// total is how many there are and their face values.
type total struct {
	Count int          `json:"count"`
	Wei   protocol.Wei `json:"wei"`
}

// states in the order of a winner's life.
var states = []payment.WinnerState{payment.StateWon, payment.StateSubmitted, payment.StateMined, payment.StateFinal, payment.StateExpired, payment.StateUnpayable}

func totals(all []payment.Record) map[payment.WinnerState]total {
	out := map[payment.WinnerState]total{}
	for _, s := range states {
		out[s] = total{}
	}
	for _, r := range all {
		t := out[r.State]
		out[r.State] = total{t.Count + 1, t.Wei.Add(r.Ticket.FaceValue)}
	}
	return out
}

// Validate refuses what cannot be.
func (w walletTickets) Validate() error {
	if w.Limit < 0 {
		return fmt.Errorf("--limit: %d, want 0 or more", w.Limit)
	}
	return w.earnings.Validate()
}

// Run lists them.
func (w walletTickets) Run(a *app) error {
	return w.with(a.ctx, false, func(_ opened, all []payment.Record) error {
		shown := []listed{}
		for _, r := range all {
			if w.Limit > 0 && len(shown) == w.Limit {
				break
			}
			if len(w.State) == 0 || slices.Contains(w.State, string(r.State)) {
				shown = append(shown, list(r))
			}
		}
		if w.JSON {
			return printJSON(a.stdout, map[string]any{"tickets": shown, "totals": totals(all)})
		}
		return w.print(a.stdout, shown, totals(all))
	})
}

func (w walletTickets) print(to io.Writer, shown []listed, sums map[payment.WinnerState]total) error {
	t := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for _, l := range shown {
		more := "expires " + l.ExpiresAt.Format(time.RFC3339)
		switch {
		case l.State == payment.StateExpired || l.State == payment.StateUnpayable:
			more = cmp.Or(l.Reason, "not paid in time")
		case l.Tx != nil:
			more = "transaction " + l.Tx.Hex()
		case !l.SetClosed:
			more += ", its parameter set still takes tickets"
		case l.Reason != "":
			more += ", put back: " + l.Reason
		}
		fmt.Fprintf(t, "%s\t%s\tfrom %s\t%s, lane %d, nonce %d\t%s\n", l.State, w.sum(l.FaceValue), l.Payer, l.Stream, l.Lane, l.Nonce, more)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, s := range states {
		if sum := sums[s]; sum.Count > 0 {
			fmt.Fprintf(t, "%s\t%d\t%s\n", s, sum.Count, w.sum(sum.Wei))
		}
	}
	if len(shown) == 0 {
		fmt.Fprintln(t, "no winning tickets to show")
	}
	return t.Flush()
}

type walletRedeem struct {
	transaction
	earnings
	Close         bool         `help:"Close all parameter sets first, so that every winner can be redeemed. Tickets of them that are still on their way are refused from then on: for a role that retires."`
	Confirmations uint64       `help:"Blocks after which a redemption counts as paid for ever." default:"6"`
	MaxGasPercent uint64       `help:"Part of what a redemption pays that its gas may cost, in percent; what would cost more stays, until a quarter of its life is left. 0: whatever it costs." default:"50"`
	MaxFeePerGas  protocol.Wei `help:"Never pay more for gas; 0: no bound." default:"0" placeholder:"AMOUNT"`
}

// Validate names what is missing.
func (w walletRedeem) Validate() error {
	if err := w.earnings.Validate(); err != nil {
		return err
	}
	if w.Close && w.DryRun {
		return errors.New("--close, --dry-run: closing a set cannot be taken back; want one of them")
	}
	return w.transaction.Validate()
}

// Run redeems.
func (w walletRedeem) Run(a *app) error {
	return w.signed(a, w.node, w.money, func(ctx context.Context, from *chain.Account) error {
		escrow, err := chain.NewEscrow(ctx, from.Client(), w.Escrow)
		if err != nil {
			return err
		}
		return w.with(ctx, !w.DryRun, func(o opened, before []payment.Record) error {
			for _, r := range before {
				if r.Ticket.Recipient != from.Address() {
					return fmt.Errorf("these tickets were won by %s; the account is %s", r.Ticket.Recipient, from.Address())
				}
			}
			return w.redeem(ctx, a, escrow, from, o, before)
		})
	})
}

func (w walletRedeem) redeem(ctx context.Context, a *app, escrow *chain.Escrow, from *chain.Account, o opened, before []payment.Record) error {
	recipient := payment.NewRecipient(payment.RecipientConfig{Domain: escrow.Domain(),
		Signer:  chain.Rehearsal(from.Address()), // settling signs transactions only, which the account does
		Account: from.WithFees(chain.Fees{MaxPerGas: w.MaxFeePerGas}), Confirmations: w.Confirmations, MaxGasPercent: w.MaxGasPercent,
		Now: o.now, Log: a.log}, o.Store, escrow)
	if w.DryRun {
		would, err := recipient.Rehearse(ctx)
		if err != nil {
			return err
		}
		if would != nil {
			return would
		}
		return w.answer(a, map[string]any{"dry_run": true, "totals": totals(before)}, "nothing would be sent%s", waiting(before))
	}
	stats, err := o.Stats(ctx, o.now())
	if err != nil {
		return err
	}
	if w.Close {
		err = recipient.Drain(ctx)
	} else {
		err = recipient.RedeemReady(ctx)
	}
	if err != nil {
		return err
	}
	after, err := o.Winners(ctx, 0)
	if err != nil {
		return err
	}
	ended, err := o.Stats(ctx, o.now())
	if err != nil {
		return err
	}
	was, is := totals(before), totals(after)
	paid := total{is[payment.StateMined].Count + is[payment.StateFinal].Count - was[payment.StateMined].Count - was[payment.StateFinal].Count,
		is[payment.StateMined].Wei.Add(is[payment.StateFinal].Wei).Sub(was[payment.StateMined].Wei).Sub(was[payment.StateFinal].Wei)}
	gas := ended.GasWei.Sub(stats.GasWei)
	if has, err := from.Client().Balance(ctx, from.Address()); err == nil && has.IsZero() && paid.Count == 0 && is[payment.StateWon].Count > 0 {
		return fmt.Errorf("%s has nothing on the chain to pay for gas: send it some, or let the transcoder run, whose orchestrators redeem for it", from.Address())
	}
	object := map[string]any{"address": from.Address().Hex(), "redeemed": paid, "gas_wei": gas, "transactions": ended.Txs - stats.Txs, "totals": is}
	return w.answer(a, object, "redeemed %d winning tickets, %s (transactions: %d, gas %s)%s", paid.Count, w.sum(paid.Wei), ended.Txs-stats.Txs, w.sum(gas), waiting(after))
}

// waiting says why winners are left.
func waiting(all []payment.Record) string {
	open, put, others := 0, 0, 0
	reason := ""
	for _, r := range all {
		switch {
		case r.State != payment.StateWon:
		case !r.SetClosed:
			open++
		case r.Reason != "":
			put, reason = put+1, r.Reason
		default:
			others++
		}
	}
	text := ""
	if open > 0 {
		text += fmt.Sprintf("\n%d wait for their parameter set to be closed: the running role does that in minutes, --close at once", open)
	}
	if put > 0 {
		text += fmt.Sprintf("\n%d were put back (%s) and are tried again later", put, reason)
	}
	if others > 0 {
		text += fmt.Sprintf("\n%d wait for cheaper gas, for their time, or for an earlier one of their lane", others)
	}
	return text
}
