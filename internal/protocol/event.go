package protocol

import (
	"time"

	"github.com/ethereum/go-ethereum/common"
)

// EventKind names something that happened, in the past tense. Frozen.
type EventKind string

// The kinds of events.
const (
	SegmentIngested    EventKind = "segment_ingested"
	SegmentPublished   EventKind = "segment_published"
	SegmentFailed      EventKind = "segment_failed"
	QuoteReceived      EventKind = "quote_received"
	BidReceived        EventKind = "bid_received"
	LeaseAwarded       EventKind = "lease_awarded"
	LeaseDeclined      EventKind = "lease_declined"
	AttemptStarted     EventKind = "attempt_started"
	AttemptAbandoned   EventKind = "attempt_abandoned"
	OutputVerified     EventKind = "output_verified"
	OutputRejected     EventKind = "output_rejected"
	TranscoderCutOff   EventKind = "transcoder_cut_off"
	TranscoderRestored EventKind = "transcoder_restored"
	TicketSent         EventKind = "ticket_sent"
	TicketAccepted     EventKind = "ticket_accepted"
	TicketWon          EventKind = "ticket_won"
	TicketRedeemed     EventKind = "ticket_redeemed"
	AllocationMade     EventKind = "allocation_made"
	AllocationThawing  EventKind = "allocation_thawing" // taken back, once its thaw is over
	AllocationReleased EventKind = "allocation_released"
	SpendCapHit        EventKind = "spend_cap_hit"
	FundsLow           EventKind = "funds_low" // at the rate of the last hour, money runs out soon
)

// Event is one line of a role's public account of itself: shown on pages, streamed as SSE, published on EventSubject.
// Unused fields are empty. It is a courtesy, not evidence: evidence is signed.
type Event struct {
	ID           uint64          `json:"id"` // grows per publisher
	At           time.Time       `json:"at"`
	Role         string          `json:"role"` // broadcaster, orchestrator, transcoder
	Actor        common.Address  `json:"actor"`
	Kind         EventKind       `json:"kind"`
	Stream       string          `json:"stream,omitempty"`
	Incarnation  uint32          `json:"incarnation,omitempty"`
	Seq          uint64          `json:"seq,omitempty"`
	Lease        *ID             `json:"lease,omitempty"`
	Attempt      *ID             `json:"attempt,omitempty"`
	Counterparty *common.Address `json:"counterparty,omitempty"`
	Layers       string          `json:"layers,omitempty"` // of verification that ran: "L0" or "L0+L1"
	Wei          *Wei            `json:"wei,omitempty"`
	Count        uint64          `json:"count,omitempty"`
	Millis       int64           `json:"ms,omitempty"`
	Code         Code            `json:"code,omitempty"`
	Detail       string          `json:"detail,omitempty"`
	Tx           *common.Hash    `json:"tx,omitempty"`
}
