// Package payment is both sides of the ticket: the payer that signs one for every verified segment and delivers it, and
// the recipient that gives credit, draws the lottery and takes the winners to the chain. The same code serves both hops.
//
// A recipient hands out parameter sets (protocol.TicketParams), each committing to a secret. It accepts tickets while a
// set is open, closes the set durably, and only then lets anybody see the secret, by redeeming. Which set is open, which
// winner was sent and how much credit a payer has left is decided in one place, the Store: nothing here that must
// survive a kill lives in memory.
package payment

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
)

// Escrow is what payment asks of the escrow contract; *chain.Escrow is one.
type Escrow interface {
	Balance(ctx context.Context, owner common.Address) (protocol.Wei, error)
	Allocation(ctx context.Context, payer, recipient common.Address) (chain.Allocation, error)
	ConfirmedAllocation(ctx context.Context, payer, recipient common.Address, blocks uint64) (chain.Allocation, error)
	ConfirmedSession(ctx context.Context, payer, signer common.Address, blocks uint64) (chain.Session, error)
	Session(ctx context.Context, payer, signer common.Address) (chain.Session, error)
	Watermark(ctx context.Context, payer, recipient common.Address, lane uint16) (uint64, error)
	BlockTime(ctx context.Context) (uint64, error)
	ThawPeriod() time.Duration
	LastPause(ctx context.Context) (chain.Pause, error)
	PayableUntil(ctx context.Context, expiry uint64) (uint64, error)
	RedeemBatch(ctx context.Context, a *chain.Account, runs []ticket.Run, minTotal protocol.Wei, stored func(chain.Prepared, chain.Bill) error) (chain.Prepared, error)
	Diagnose(ctx context.Context, t ticket.Signed, rand [32]byte) (chain.Refusal, error)
	OrderNonce(ctx context.Context, recipient common.Address) (uint64, error)
	EstimateRedeem(ctx context.Context, recipient common.Address, packed []byte, minTotal protocol.Wei) (uint64, error)
	RedeemFor(ctx context.Context, a *chain.Account, o ticket.RedeemOrder, sig protocol.Signature, packed []byte, stored func(chain.Prepared, chain.Bill) error) (chain.Prepared, error)
	Relays(ctx context.Context, recipient common.Address, fromBlock, until uint64) ([]chain.Relayed, error)
	RelaysIn(r chain.Receipt) ([]chain.Relayed, error)
	Passed(ctx context.Context, t ticket.Signed, since uint64) (chain.Passing, bool, error)
	ConfirmedWatermark(ctx context.Context, payer, recipient common.Address, lane uint16, blocks uint64) (uint64, error)
	IsFlagged(ctx context.Context, payer common.Address) (bool, error)
	Settle(ctx context.Context, a *chain.Account, s ticket.Settlement, sig protocol.Signature) (chain.Receipt, error)
	Runs(r chain.Receipt, recipient common.Address) ([]chain.Redeemed, []chain.RunStopped, error)
	Allocate(ctx context.Context, a *chain.Account, recipient common.Address, amount protocol.Wei) (chain.Receipt, error)
	Thaw(ctx context.Context, a *chain.Account, recipient common.Address, amount protocol.Wei) (chain.Receipt, error)
	Release(ctx context.Context, a *chain.Account, recipient common.Address) (chain.Receipt, error)
	AllocateFrom(ctx context.Context, a *chain.Account, payer, recipient common.Address, amount protocol.Wei) (chain.Receipt, error)
	ThawOf(ctx context.Context, a *chain.Account, payer, recipient common.Address, amount protocol.Wei) (chain.Receipt, error)
	ReleaseOf(ctx context.Context, a *chain.Account, payer, recipient common.Address) (chain.Receipt, error)
}

// Tx is a pgx.Tx: the role's own transaction, which the payment joins.
type Tx interface {
	Commit(ctx context.Context) error
	Rollback(ctx context.Context) error
}

// Owed is a delivered segment: credit in use until it is paid.
type Owed struct {
	Payer   common.Address
	Attempt protocol.ID
	Stream  string
	Fee     protocol.Wei
}

// Order is a verdict to be paid (or rejected): one per attempt for ever.
type Order struct {
	Recipient common.Address
	Stream    string
	Attempt   protocol.ID
	Fee       protocol.Wei
}

// PayResult says what PayTx did. Due: no usable set; the ticket is signed as soon as one is there.
type PayResult struct {
	Due         bool
	Lane        uint16
	TicketNonce uint64
	FaceValue   protocol.Wei
	WinProb     uint64
}

// RecipientConfig configures a Recipient. Durations and multiples of zero take the default named beside them.
type RecipientConfig struct {
	Domain  protocol.Domain
	Signer  protocol.Signer
	Account *chain.Account // sends and pays for redemptions; of the same key as Signer

	// A set's three times, from the moment it is opened: the payer stops (5 min), this side stops (6 min), disclosure may
	// begin (6 min 10 s). The next set is handed out once half of Usable is over.
	Usable, Accept, Redeem time.Duration
	// RestartGrace is how long after a start no set is closed for its age, so that payers can still deliver what they
	// signed while this side was away. Accept − Usable, at most 15 s.
	RestartGrace time.Duration
	// TicketLifetime is what a ticket still lives when its set is opened: half the escrow's thaw period, at most 24 h. It
	// must stay below the thaw period, or a thaw would outrun a winner.
	TicketLifetime time.Duration
	// FaceValueMultiple makes the face value at least that many usual fees, so that one ticket in as many wins: 10. At 1 every
	// ticket may win. ChooseTerms has the rest of the rule.
	FaceValueMultiple uint64
	// Gas is what redeeming one winner costs, smoothed over hours (GasMeter.Cost); nil: nothing.
	Gas func() protocol.Wei
	// MaxStrangers bounds the lanes of payers that never had credit: 256.
	MaxStrangers int
	// CreditWindow is the most unpaid work per payer; zero: as much as the allocation covers.
	CreditWindow protocol.Wei
	// HoldFor bounds how long an admitted attempt keeps credit if nobody releases it: 2 min.
	HoldFor time.Duration
	// Confirmations are the blocks that must follow an allocation's or a redemption's before it counts: 0.
	Confirmations uint64
	// Now is the clock that sets live by; nil: this process's. Replicas must share one (pgstore.Clock), or the one that is
	// ahead closes sets that payers still use.
	Now func() time.Time
	// MaxGasPercent is the part of what a redemption pays that its gas may cost, in percent; while it costs more, winners
	// wait. In the last quarter of a ticket's life it may cost all of it. 0: whatever it costs.
	MaxGasPercent uint64
	// Relay carries redemptions to somebody who sends them for a fee; nil: nobody does. It is used while the account cannot pay
	// for gas, or always with RelayAlways.
	Relay       Relay
	RelayAlways bool
	// Payout is where relayed redemptions pay out to, outside the escrow; zero: what they pay stays in the escrow.
	Payout common.Address
	// Pace of the settling loop.
	Pace Pace

	Events   func(protocol.Event)                      // may be nil; must not block
	Rejected func(payer common.Address, reject Reject) // may be nil: a payer's verdict against an attempt; must not block
	Flushed  func(payer common.Address, stream string) // may be nil: the payer has ended a stream; must not block; may come again
	Log      *slog.Logger
}

// withDefaults fills in what is zero.
func (c RecipientConfig) withDefaults(thaw time.Duration) RecipientConfig {
	c.Usable = cmp.Or(c.Usable, 5*time.Minute)
	c.Accept = cmp.Or(c.Accept, c.Usable+time.Minute)
	c.Redeem = cmp.Or(c.Redeem, c.Accept+10*time.Second)
	c.RestartGrace = cmp.Or(c.RestartGrace, min(c.Accept-c.Usable, 15*time.Second))
	c.TicketLifetime = cmp.Or(c.TicketLifetime, min(thaw/2, 24*time.Hour))
	c.MaxStrangers = cmp.Or(c.MaxStrangers, 256)
	c.HoldFor = cmp.Or(c.HoldFor, 2*time.Minute)
	c.Pace = c.Pace.withDefaults()
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Events == nil {
		c.Events = func(protocol.Event) {}
	}
	if c.Gas == nil {
		c.Gas = func() protocol.Wei { return protocol.Wei{} }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// policy is what ChooseTerms is asked for.
func (c RecipientConfig) policy() TermsPolicy {
	return TermsPolicy{FeeMultiple: c.FaceValueMultiple, Certain: c.FaceValueMultiple == 1}
}

func (c RecipientConfig) validate(thaw time.Duration) error {
	switch {
	case c.Usable <= 0 || c.Usable >= c.Accept || c.Accept >= c.Redeem || c.Redeem > math.MaxUint32*time.Millisecond:
		return fmt.Errorf("a set's times are usable %s, accept %s, redeem %s: want them ascending from above 0", c.Usable, c.Accept, c.Redeem)
	case c.TicketLifetime < time.Second:
		return fmt.Errorf("ticket lifetime is %s, want at least 1s", c.TicketLifetime)
	case c.TicketLifetime+c.Accept >= thaw:
		return fmt.Errorf("ticket lifetime %s and accept time %s together must be below the escrow's thaw period %s, or a thaw outruns a winner",
			c.TicketLifetime, c.Accept, thaw)
	case c.Account.Address() != c.Signer.Address():
		return fmt.Errorf("account %s and signer %s must be one key", c.Account.Address(), c.Signer.Address())
	}
	return nil
}

// RecipientStats counts since the beginning of the database.
type RecipientStats struct {
	Accepted       uint64       `json:"accepted"` // tickets
	Won            uint64       `json:"won"`
	Redeemed       uint64       `json:"redeemed"`
	Lost           uint64       `json:"lost"` // winners that expired or could not be paid
	PendingWinners uint64       `json:"pending_winners"`
	OpenSets       uint64       `json:"open_sets"`
	Txs            uint64       `json:"txs"`          // mined redemptions
	AcceptedWei    protocol.Wei `json:"accepted_wei"` // expected value of the accepted tickets
	WonWei         protocol.Wei `json:"won_wei"`
	EarnedWei      protocol.Wei `json:"earned_wei"` // redeemed on chain
	PendingWei     protocol.Wei `json:"pending_wei"`
	LostWei        protocol.Wei `json:"lost_wei"`
	OwedWei        protocol.Wei `json:"owed_wei"`       // delivered and unpaid
	GasWei         protocol.Wei `json:"gas_wei"`        // of mined redemptions
	RelayFeesWei   protocol.Wei `json:"relay_fees_wei"` // what relayers kept of earned_wei
	SettledWei     protocol.Wei `json:"settled_wei"`    // late tickets that settlements paid, besides earned_wei
}

// PayerConfig configures a Payer.
type PayerConfig struct {
	Domain       protocol.Domain
	Signer       protocol.Signer  // of the payer's own key, or protocol.OnBehalf of a session key
	MaxFaceValue protocol.Wei     // refuse sets above it; zero: no bound
	MaxLifetime  time.Duration    // refuse tickets that live longer; zero: 7 days
	Now          func() time.Time // the clock that sets live by; nil: this process's. Replicas must share one (pgstore.Clock)
	Chain        PayerChain       // nil: tickets that came too late are never paid for
	Events       func(protocol.Event)
	Log          *slog.Logger
}

// PayerStats counts since the beginning of the database.
type PayerStats struct {
	Signed       uint64       `json:"signed"` // tickets
	Acknowledged uint64       `json:"acknowledged"`
	Refused      uint64       `json:"refused"`
	Unsent       uint64       `json:"unsent"` // signed and not yet answered
	Due          uint64       `json:"due"`    // waiting for a usable set
	FeeWei       protocol.Wei `json:"fee_wei"`
	FaceWei      protocol.Wei `json:"face_wei"`
}

// Sender carries a Delivery to its recipient: HTTP POST /v1/tickets on hop one, a bus request on hop two.
type Sender interface {
	Send(ctx context.Context, recipient common.Address, d Delivery) (DeliveryAnswer, error)
}
