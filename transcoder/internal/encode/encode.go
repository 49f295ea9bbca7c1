// Package encode does the work of a lease: it keeps slots parked with the orchestrator, and turns each segment that comes
// down one into its renditions and a signed receipt.
package encode

import (
	"context"
	"log/slog"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/capacity"
	"github.com/kinora/kinora/internal/media"
	"github.com/kinora/kinora/internal/passport"
	"github.com/kinora/kinora/internal/protocol"
)

// Encoder makes renditions. The one that is used in earnest runs kinora-media (Children).
type Encoder interface {
	// Open readies a session for segments of one stream at one ladder. Its errors carry a protocol.Code.
	Open(ctx context.Context, ladder protocol.Ladder) (Session, error)
}

// Session encodes the segments of one lease. Encode may be called from several goroutines at once: a segment is fed while
// the one before drains.
type Session interface {
	// Encode reads job.Source to its end and gives job.Out every byte of every rendition before it returns; it may begin
	// anew once, after job.Again. A session that ends before it is closed has a method Done that tells.
	Encode(ctx context.Context, job media.Job) (*media.Result, error)
	Close() error
}

// Credit says how far an orchestrator is trusted to pay; it is part of the recipient of tickets.
type Credit interface {
	// AdmitBy holds budget of payer's credit for an attempt until release, on the word of signer, who is the payer or a
	// session key of it; or fails with NoAllocation, InsufficientCredit, BadSignature or SessionEnded.
	AdmitBy(ctx context.Context, payer, signer common.Address, attempt protocol.ID, budget protocol.Wei) (release func(), err error)
	// Owe uses fee of payer's credit until a ticket for the attempt arrives.
	Owe(ctx context.Context, payer common.Address, attempt protocol.ID, stream string, fee protocol.Wei) error
	// Forgive takes Owe back.
	Forgive(ctx context.Context, attempt protocol.ID) error
}

// Journal remembers attempts and receipts on disk.
type Journal interface {
	Begin(ctx context.Context, a protocol.Assignment, now time.Time) error
	PutReceipt(ctx context.Context, r protocol.Signed[protocol.Receipt], fee protocol.Wei, now time.Time) error
	Abandon(ctx context.Context, attempt protocol.ID, code protocol.Code, now time.Time) error
}

// Bench is what the work of every lease shares.
type Bench struct {
	Domain  protocol.Domain
	Signer  protocol.Signer
	Encoder Encoder
	Credit  Credit
	Journal Journal
	Clients *passport.Clients                           // see NewClients
	Observe func(lease protocol.ID, s capacity.Segment) // what each segment cost, and whether it kept pace; nil: nobody asks
	Events  func(protocol.Event)
	Log     *slog.Logger
}

// Lease is an accepted award.
type Lease struct {
	Award  protocol.Award
	Ladder protocol.Ladder
	// Promote asks for the capacity of a lease that only stands by, before each of its attempts begins; nil: it is promised. While
	// it has not been given, one slot is parked.
	Promote func() error
}
