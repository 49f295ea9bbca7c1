package payment

import (
	"context"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/chain"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/ticket"
)

// Store is a recipient's durable state, with every decision that must not be made twice. Its bodies are pgstore (shared by
// replicas) and litestore (one process); storetest holds what both must do. Each method is one transaction, durable when
// it returns without an error. Times are kept to the millisecond.
type Store interface {
	// Secret is the key of every recipient rand, drawn once and kept for ever.
	Secret(ctx context.Context) ([32]byte, error)

	// Lane is the lane of payer's stream; a new one is opened on a lane no other live stream has. floor tells the highest
	// nonce a lane of that number has paid on chain.
	Lane(ctx context.Context, payer common.Address, stream string, now time.Time, floor func(ctx context.Context, lane uint16) (uint64, error)) (uint16, error)
	// KnownLane is the lane of payer's stream, if it has one.
	KnownLane(ctx context.Context, payer common.Address, stream string) (lane uint16, known bool, err error)
	// Strangers counts the lanes of payers that were never given credit (Hold).
	Strangers(ctx context.Context) (int, error)
	// NewestSet is the lane's newest set, open or closed; ok is false when it has none.
	NewestSet(ctx context.Context, payer common.Address, lane uint16) (s Set, ok bool, err error)
	// SetByID finds a payer's set by its name.
	SetByID(ctx context.Context, payer common.Address, id protocol.ID) (s Set, ok bool, err error)
	// AddSet opens s unless the lane's newest set is no longer the one with serial after (0: none): then it returns that
	// newer one.
	AddSet(ctx context.Context, s Set, after int64) (Set, error)
	// SetByRandHash finds the set that committed to a rand.
	SetByRandHash(ctx context.Context, h common.Hash) (s Set, ok bool, err error)

	// Accept takes tickets that were found genuine: it refuses those of a closed set, those whose nonce is used, outside
	// the window of the lane or out of the order of its sets, stores the winners among the rest, and counts what all are
	// worth against the debts of their attempts. Outcomes are in the order of arrivals. What was accepted before is
	// accepted again, without effect.
	Accept(ctx context.Context, arrivals []Arrival, now time.Time) ([]Outcome, error)

	// CloseDue closes the sets whose AcceptUntil is over; nothing of them may be disclosed before RedeemFrom.
	CloseDue(ctx context.Context, now time.Time) (closed int, err error)
	// NextClose is when CloseDue will have something to do, if any set is open.
	NextClose(ctx context.Context) (at time.Time, ok bool, err error)
	// CloseUpTo closes the payer's set and every earlier one of its lane at once; they may be disclosed.
	CloseUpTo(ctx context.Context, payer common.Address, set protocol.ID, now time.Time) (closed int, err error)
	// CloseAll closes every set at once; they may be disclosed.
	CloseAll(ctx context.Context, now time.Time) (closed int, err error)

	// Hold sets credit aside for an attempt if check agrees with what the payer has in use without it. No two holds of one
	// payer are decided at the same time, on any replica. A hold ends with Release, Owe, Forgive or at until.
	Hold(ctx context.Context, payer common.Address, attempt protocol.ID, budget protocol.Wei, now, until time.Time, check func(Exposure) error) error
	// Release ends a hold.
	Release(ctx context.Context, payer common.Address, attempt protocol.ID) error
	// Owe notes a delivery; its hold ends. What was paid for the attempt already counts.
	Owe(ctx context.Context, o Owed, now time.Time) error
	// Forgive strikes the debt of an attempt.
	Forgive(ctx context.Context, attempt protocol.ID) error

	// Pending lists winners won or submitted, by payer, lane and nonce.
	Pending(ctx context.Context) ([]Winner, error)
	// Winners lists what became of winners, the newest first, at most limit (0: all).
	Winners(ctx context.Context, limit int) ([]Record, error)
	// Lanes lists the lanes that have winners won or submitted.
	Lanes(ctx context.Context) ([]WaitingLane, error)
	// Waiting lists the first winners of a lane that are won or submitted, at most limit, by nonce.
	Waiting(ctx context.Context, lane LaneKey, limit int) ([]Winner, error)
	// EarliestOpen tells the lanes on which a set still accepts, and the serial of the earliest such set.
	EarliestOpen(ctx context.Context) (map[LaneKey]int64, error)
	// Submit writes a redemption down before it is sent: its winners go from won to submitted, all or none. They come lane by
	// lane and by nonce; none that is won is left out between two of a lane. It fails if another that is under way has its
	// TxNonce.
	Submit(ctx context.Context, p chain.Prepared, winners []WinnerKey, now time.Time) error
	// Sent lists the redemptions that are not final, by TxNonce.
	Sent(ctx context.Context) ([]Redemption, error)
	// Batch lists the winners that a redemption was sent with, wherever they are now, by payer, lane and nonce.
	Batch(ctx context.Context, tx common.Hash) ([]Winner, error)
	// Attempts lists the redemptions that were ever sent with a winner.
	Attempts(ctx context.Context, k WinnerKey) ([]common.Hash, error)
	// TxNonceFloor is the first TxNonce above those of all redemptions that were mined.
	TxNonceFloor(ctx context.Context) (uint64, error)
	// Replace writes down p, which has the TxNonce and the winners of old and is sent in its place.
	Replace(ctx context.Context, old common.Hash, p chain.Prepared, now time.Time) error
	// Mine notes that a redemption was mined: the winners it paid, lane by lane the first ones it was sent with, are mined now. The rest of those that were submitted with
	// it, or with one it takes the place of, go where settled says.
	Mine(ctx context.Context, tx common.Hash, at BlockRef, gas protocol.Wei, paid []WinnerKey, rest []Settled, now time.Time) error
	// Unmine takes Mine back, since the block is gone: the winners it paid are submitted again.
	Unmine(ctx context.Context, tx common.Hash) error
	// Finalise ends a mined redemption: its winners are paid for ever.
	Finalise(ctx context.Context, tx common.Hash, now time.Time) error
	// Drop ends a redemption that another transaction took the place of: its winners are won again.
	Drop(ctx context.Context, tx common.Hash, now time.Time) error
	// HandOut writes an order down before it leaves, as Submit does a redemption. It fails if another of its number is under
	// way.
	HandOut(ctx context.Context, o RelayOrder, winners []WinnerKey, now time.Time) error
	// Raise writes down o, which has the number and the winners of old and is handed out besides it.
	Raise(ctx context.Context, old common.Hash, o RelayOrder, now time.Time) error
	// MineRelayed is Mine of an order that tx carried out for fee.
	MineRelayed(ctx context.Context, order, tx common.Hash, at BlockRef, fee protocol.Wei, paid []WinnerKey, rest []Settled, now time.Time) error
	// Credit ends a winner that is won: tx, which this side did not send, paid it, deep enough in the chain. The relayer's fee
	// counts once per tx.
	Credit(ctx context.Context, tx common.Hash, at BlockRef, fee protocol.Wei, paid WinnerKey, now time.Time) error
	// TakeSettlement keeps a payer's settlement in place of its older one, unless it pays less than its attempts owe and those of
	// older ones that the chain, which is at nonce mark, has not paid: then it is refused with TicketUnderpays. The debts stay
	// open until it is paid.
	TakeSettlement(ctx context.Context, o SettlementOffer, mark uint64) error
	// Settlements lists those that are not known to be paid.
	Settlements(ctx context.Context) ([]SettlementOffer, error)
	// SettlementPaid closes the debts that settlements up to a nonce have paid, and tells their sum.
	SettlementPaid(ctx context.Context, payer common.Address, nonce uint64) (protocol.Wei, error)
	// Evidence lists payers that signed two tickets of one nonce, with the first such two of each.
	Evidence(ctx context.Context) ([]Evidence, error)
	// Settle moves winners that are won (not submitted): to expired or unpayable, or to be tried again later.
	Settle(ctx context.Context, settled []Settled, now time.Time) error

	// Exclusive runs f if no other process settles at this moment, and says whether it ran.
	Exclusive(ctx context.Context, f func(ctx context.Context) error) (ran bool, err error)
	// Prune forgets tickets that expired before chain second expiredBefore, paid or forgiven debts noted before then, and
	// strangers whose sets have all closed and expired before then with no ticket taken.
	Prune(ctx context.Context, expiredBefore time.Time) error
	Stats(ctx context.Context, now time.Time) (RecipientStats, error)
}

// NonceWindow is how far above a lane's highest accepted nonce the next may be: a huge one would end the lane.
const NonceWindow = 1 << 16

// Set is a parameter set as its recipient keeps it. Serials grow with time.
type Set struct {
	Serial      int64
	ID          protocol.ID
	Payer       common.Address
	Lane        uint16
	Stream      string
	FaceValue   protocol.Wei
	Seed        [32]byte
	RandHash    common.Hash
	Expiry      uint64 // Unix seconds, chain time
	OpenedAt    time.Time
	UsableUntil time.Time
	AcceptUntil time.Time
	RedeemFrom  time.Time
	Closed      bool
}

// LaneKey names a lane.
type LaneKey struct {
	Payer common.Address
	Lane  uint16
}

// Arrival is a genuine ticket of a known set.
type Arrival struct {
	Attempt   protocol.ID
	Ticket    ticket.Signed
	Digest    common.Hash
	SetSerial int64
	Won       bool
}

// Outcome of an Arrival: empty Code when accepted, TicketUnderpays when accepted for less than is owed, else refused.
type Outcome struct {
	Code   protocol.Code
	Detail string
	Known  bool // accepted before
	// Equivocates: another ticket of its payer has its nonce, and both are kept.
	Equivocates bool
}

// Exposure is what a payer has in use.
type Exposure struct {
	Float  protocol.Wei // face values of pending winners
	Unpaid protocol.Wei // delivered, not paid
	Held   protocol.Wei // set aside for attempts that run
	// FaceValue is the largest of the payer's open sets: what the next winner may cost.
	FaceValue protocol.Wei
}

// WinnerState is where a winner is on its way to the chain.
type WinnerState string

// won → submitted → mined → final; won → expired, unpayable; submitted → won when its transaction did not pay it; mined →
// submitted when its block is gone.
const (
	StateWon       WinnerState = "won"
	StateSubmitted WinnerState = "submitted"
	StateMined     WinnerState = "mined"
	StateFinal     WinnerState = "final"
	StateExpired   WinnerState = "expired"
	StateUnpayable WinnerState = "unpayable"
)

// WinnerKey names a winner.
type WinnerKey struct {
	LaneKey
	TicketNonce uint64
}

// Winner is a winning ticket on its way.
type Winner struct {
	Ticket     ticket.Signed
	State      WinnerState
	Tx         common.Hash // of the redemption it was submitted with
	NotBefore  time.Time   // not to be tried before
	Tries      int         // how often it was put back
	SetSerial  int64
	Seed       [32]byte
	SetClosed  bool
	RedeemFrom time.Time
}

// Key names w.
func (w Winner) Key() WinnerKey {
	return WinnerKey{LaneKey{w.Ticket.Payer, w.Ticket.Lane}, w.Ticket.TicketNonce}
}

// Record is a winner with its history.
type Record struct {
	Winner
	Stream    string
	Reason    string // why it was put back last, or lost
	WonAt     time.Time
	SettledAt time.Time // final, expired or unpayable; else zero
}

// WaitingLane is a lane with winners won or submitted.
type WaitingLane struct {
	LaneKey
	Count     uint64
	Submitted uint64
	FaceValue protocol.Wei // of the first
	Expiry    uint64       // the earliest; Unix seconds, chain time
	NotBefore time.Time    // of the first, as what follows

	SetSerial  int64
	SetClosed  bool
	RedeemFrom time.Time
}

// Redemption is a transaction that is not final.
type Redemption struct {
	chain.Prepared
	SubmittedAt time.Time
	Winners     uint64
	Mined       *BlockRef     // where it was seen mined
	Replaced    []common.Hash // others with the same TxNonce, any of which may be mined instead

	Relay   *RelayOrder // in the hands of others: Tx is the order's digest
	RelayTx common.Hash // what carried it out, once mined
}

// BlockRef names a block.
type BlockRef struct {
	Number uint64
	Hash   common.Hash
}

// Settled says where a winner goes: to State for Reason, or, with StateWon, back until NotBefore.
type Settled struct {
	Key       WinnerKey
	State     WinnerState
	Reason    string
	NotBefore time.Time
}
