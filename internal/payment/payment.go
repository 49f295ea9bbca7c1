// Package payment is both sides of the ticket: the payer that signs one for every verified segment and delivers it, and
// the recipient that gives credit, draws the lottery and takes the winners to the chain. The same code serves both hops.
//
// A recipient hands out parameter sets (protocol.TicketParams), each committing to a secret. It accepts tickets while a
// set is open, closes the set durably, and only then lets anybody see the secret, by redeeming. Which set is open, which
// winner was sent and how much credit a payer has left is decided in one place, the Store: nothing here that must
// survive a kill lives in memory.
package payment

import (
	"context"
	"log/slog"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/protocol"
)

// Escrow is what payment asks of the chain; *chain.Escrow is one.
type Escrow interface {
	Balance(ctx context.Context, owner common.Address) (protocol.Wei, error)
	Allocation(ctx context.Context, payer, recipient common.Address) (chain.Allocation, error)
	Watermark(ctx context.Context, payer, recipient common.Address, lane uint16) (uint64, error)
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

// RecipientConfig configures a Recipient. Zero durations and multiples take the defaults.
type RecipientConfig struct {
	Domain  protocol.Domain
	Signer  protocol.Signer
	Account *chain.Account // pays for and sends redemptions; the Signer's own

	// A set's three times, from the moment it is opened: the payer stops, this side stops, disclosure may begin.
	Usable, Accept, Redeem time.Duration
	// RestartGrace is how long after a start overdue sets stay open, so that payers can still deliver.
	RestartGrace      time.Duration
	TicketLifetime    time.Duration // below the escrow's thaw period
	FaceValueMultiple uint64        // face value = multiple × usual fee, so win probability ≈ 1/multiple
	CreditWindow      protocol.Wei  // most unpaid work per payer; zero: bounded by the allocation alone

	Events   func(protocol.Event)                      // may be nil; must not block
	Rejected func(payer common.Address, reject Reject) // may be nil: a payer's verdict against an attempt
	Log      *slog.Logger
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
	OwedWei        protocol.Wei `json:"owed_wei"` // delivered and unpaid
	GasWei         protocol.Wei `json:"gas_wei"`  // of mined redemptions
}

// PayerConfig configures a Payer.
type PayerConfig struct {
	Domain       protocol.Domain
	Signer       protocol.Signer
	MaxFaceValue protocol.Wei  // refuse sets above it; zero: no bound
	MaxLifetime  time.Duration // refuse tickets that live longer; zero: 7 days
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
