package payment

import (
	"context"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
)

// PayerStore is a payer's durable state; pgstore.Payer is its one body. Methods with a Tx join the caller's transaction,
// the others are one each.
type PayerStore interface {
	// AddSet remembers a set; one it knows is left as it is.
	AddSet(ctx context.Context, s PayerSet) error
	// Pay writes the order of an attempt down: signed, if its lane has a usable set that covers the fee, else due. The lane
	// stays locked until the transaction ends, so nonces ascend in the order of commits. An attempt that has its order keeps it.
	Pay(ctx context.Context, tx Tx, o Order, now time.Time, sign Sign) (PayResult, error)
	// Reject writes a verdict against an attempt down.
	Reject(ctx context.Context, tx Tx, o Order, code protocol.Code, detail string, now time.Time) error
	// SignDue signs due orders of a stream, oldest first, as many as usable sets cover.
	SignDue(ctx context.Context, s StreamKey, now time.Time, sign Sign) (signed int, err error)
	// Due lists the streams that have due orders.
	Due(ctx context.Context) ([]StreamKey, error)
	// Waiting lists the recipients that have something to be sent.
	Waiting(ctx context.Context) ([]common.Address, error)
	// Outgoing lists at most limit things for a recipient, each as the same bytes as ever.
	Outgoing(ctx context.Context, recipient common.Address, limit int) ([]Outgoing, error)
	// Answer notes the recipient's answers; what was answered before stays as it is.
	Answer(ctx context.Context, recipient common.Address, answers []Answered, now time.Time) error
	// Unanswered counts a stream's orders that are due or signed.
	Unanswered(ctx context.Context, stream string) (int, error)
	// EndSets makes every set of a stream unusable and returns the newest of each lane.
	EndSets(ctx context.Context, stream string) ([]PayerSet, error)
	// Prune forgets answered orders that were made before a time, but what may still be settled, and sets that expired before it, at most limit of each, and
	// says how many. Lanes stay for ever: their nonces are used.
	Prune(ctx context.Context, before time.Time, limit int) (pruned int, err error)
	Stats(ctx context.Context) (PayerStats, error)

	// Late lists orders whose tickets were refused for a closed set and that no settlement pays for, the oldest first, at most
	// limit of each recipient. A recipient that redeemed such a ticket all the same has none any more.
	Late(ctx context.Context, limit int) ([]LateOrder, error)
	// NotLate notes that a late order needs no settlement.
	NotLate(ctx context.Context, attempt protocol.ID) error
	// Unsettled lists the recipients that have a settlement which is not known to be paid.
	Unsettled(ctx context.Context) ([]common.Address, error)
	// SettleLate adds attempts to what the recipient's settlement pays, and signs it anew with everything that is not paid:
	// paid is the highest settlement nonce that was, as the chain says. The settlement that is to be sent comes back, if there is
	// one; it is written down when it does. One that ends by renewBefore, chain time, is signed anew too.
	SettleLate(ctx context.Context, recipient common.Address, attempts []protocol.ID, paid, renewBefore uint64, sign SignSettlement) (*SettlementOffer, error)
	// SettlementDelivered notes that the recipient has the settlement up to this nonce.
	SettlementDelivered(ctx context.Context, recipient common.Address, nonce uint64) error

	// Want notes that an allocation for a recipient is wanted.
	Want(ctx context.Context, recipient common.Address, now time.Time) error
	// Wanted tells when an allocation was last wanted, of each recipient that may still have one.
	Wanted(ctx context.Context) (map[common.Address]time.Time, error)
	// Unwant forgets a recipient whose allocation is gone, unless it was wanted since.
	Unwant(ctx context.Context, recipient common.Address, since time.Time) error
	// Spent is the sum of fees ordered since a time, and when the first of them was.
	Spent(ctx context.Context, since time.Time) (fees protocol.Wei, first time.Time, err error)
}

// Sign makes the ticket of an order in a set.
type Sign func(s PayerSet, nonce uint64, fee protocol.Wei) (ticket.Signed, error)

// SignSettlement completes and signs a settlement.
type SignSettlement func(ticket.Settlement) (protocol.Signature, ticket.Settlement, error)

// PayerSet is a parameter set as its payer keeps it.
type PayerSet struct {
	Serial      int64
	ID          protocol.ID
	Recipient   common.Address
	Lane        uint16
	Stream      string
	FaceValue   protocol.Wei
	RandHash    common.Hash
	Expiry      uint64 // Unix seconds, chain time
	UsableUntil time.Time
}

// StreamKey names what one recipient does of a stream.
type StreamKey struct {
	Recipient common.Address
	Stream    string
}

// Outgoing is a ticket, or without one a reject, that waits for its answer.
type Outgoing struct {
	Attempt protocol.ID
	Stream  string
	Fee     protocol.Wei
	Ticket  *ticket.Signed
	Code    protocol.Code
	Detail  string
}

// Answered is a final answer.
type Answered struct {
	Attempt protocol.ID
	Refused bool
	Code    protocol.Code
	Detail  string
}
