package protocol

import (
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// QuoteRequest asks an orchestrator what a stream would cost: POST /v1/quote. Asking again renews quote and ticket
// parameters; the stream keeps its lane.
type QuoteRequest struct {
	Payer         common.Address `json:"payer"`
	Stream        string         `json:"stream"`
	Ladder        Ladder         `json:"ladder"`
	SourceFPS     float64        `json:"source_fps"`     // an upper bound
	SegmentMillis uint32         `json:"segment_ms"`     // a segment's usual duration
	MaxMillis     uint32         `json:"max_segment_ms"` // the longest segment that will be sent
}

// Longest segment and largest rate a quote may be asked for.
const MaxSegmentMillis = 300_000

// Validate names the field that cannot be.
func (q QuoteRequest) Validate() error {
	if err := ValidateStream(q.Stream); err != nil {
		return err
	}
	if err := q.Ladder.Validate(); err != nil {
		return err
	}
	switch {
	case q.Payer == common.Address{}:
		return fmt.Errorf("payer is the zero address")
	case !(q.SourceFPS > 0 && q.SourceFPS <= MaxFPS):
		return fmt.Errorf("source_fps is %v, want above 0, at most %d", q.SourceFPS, MaxFPS)
	case q.SegmentMillis == 0 || q.SegmentMillis > q.MaxMillis || q.MaxMillis > MaxSegmentMillis:
		return fmt.Errorf("segment_ms is %d and max_segment_ms %d, want 1 ≤ segment ≤ max ≤ %d", q.SegmentMillis, q.MaxMillis, MaxSegmentMillis)
	}
	return nil
}

// Quote is an orchestrator's binding price for one stream of one payer at one ladder.
type Quote struct {
	ID           ID             `json:"id"`
	Orchestrator common.Address `json:"orchestrator"`
	Payer        common.Address `json:"payer"`
	Stream       string         `json:"stream"`
	LadderHash   Hash           `json:"ladder_hash"`
	Prices       Prices         `json:"prices"`
	MaxFee       Wei            `json:"max_fee"`  // of one segment; its ticket's face value covers it
	ValidMillis  uint32         `json:"valid_ms"` // from arrival
	MaxMillis    uint32         `json:"max_segment_ms"`
}

const quoteTypeString = "Quote(bytes32 id,address orchestrator,address payer,string stream,bytes32 ladderHash," +
	"CodecPrice[] prices,uint96 maxFee,uint32 validMillis,uint32 maxMillis)" + codecPriceTypeString

var quoteType = crypto.Keccak256Hash([]byte(quoteTypeString))

// StructHash is the EIP-712 struct hash.
func (q Quote) StructHash() common.Hash {
	return structHash(quoteType, word(q.ID), addr(q.Orchestrator), addr(q.Payer), str(q.Stream), word(q.LadderHash),
		q.Prices.hash(), wei(q.MaxFee), u64(uint64(q.ValidMillis)), u64(uint64(q.MaxMillis)))
}

// SignedBy is the orchestrator.
func (q Quote) SignedBy() common.Address { return q.Orchestrator }

// Validate names the field that cannot be.
func (q Quote) Validate() error {
	if err := ValidateStream(q.Stream); err != nil {
		return err
	}
	if err := q.Prices.Validate(); err != nil {
		return err
	}
	switch {
	case q.ID.IsZero():
		return fmt.Errorf("id is zero")
	case q.Orchestrator == common.Address{} || q.Payer == common.Address{} || q.Orchestrator == q.Payer:
		return fmt.Errorf("orchestrator %s and payer %s must be two accounts", q.Orchestrator, q.Payer)
	case !q.MaxFee.FitsUint96():
		return fmt.Errorf("max_fee does not fit 96 bits")
	case q.ValidMillis == 0 || q.MaxMillis == 0:
		return fmt.Errorf("valid_ms and max_segment_ms must be above 0")
	}
	return nil
}

// TicketParams is one parameter set: what a payer needs to write tickets that the recipient will accept. A set lives by
// three times, here as milliseconds from arrival: the payer stops at UsableMillis, the recipient accepts at least until
// AcceptMillis, and nothing of the set is disclosed (simulated, sent) before RedeemMillis.
type TicketParams struct {
	Set               ID             `json:"set"`
	Payer             common.Address `json:"payer"`
	Recipient         common.Address `json:"recipient"`
	Lane              uint16         `json:"lane"`
	FaceValue         Wei            `json:"face_value"`
	RecipientRandHash Hash           `json:"recipient_rand_hash"`
	Expiry            uint64         `json:"expiry"` // Unix seconds, chain time: the ticket's own
	UsableMillis      uint32         `json:"usable_ms"`
	AcceptMillis      uint32         `json:"accept_ms"`
	RedeemMillis      uint32         `json:"redeem_ms"`
}

const ticketParamsTypeString = "TicketParams(bytes32 set,address payer,address recipient,uint16 lane,uint96 faceValue," +
	"bytes32 recipientRandHash,uint40 expiry,uint32 usableMillis,uint32 acceptMillis,uint32 redeemMillis)"

var ticketParamsType = crypto.Keccak256Hash([]byte(ticketParamsTypeString))

// StructHash is the EIP-712 struct hash.
func (t TicketParams) StructHash() common.Hash {
	return structHash(ticketParamsType, word(t.Set), addr(t.Payer), addr(t.Recipient), u64(uint64(t.Lane)), wei(t.FaceValue),
		word(t.RecipientRandHash), u64(t.Expiry), u64(uint64(t.UsableMillis)), u64(uint64(t.AcceptMillis)), u64(uint64(t.RedeemMillis)))
}

// SignedBy is the recipient.
func (t TicketParams) SignedBy() common.Address { return t.Recipient }

// Validate names the field that cannot be.
func (t TicketParams) Validate() error {
	switch {
	case t.Set.IsZero() || t.RecipientRandHash.IsZero():
		return fmt.Errorf("set and recipient_rand_hash must not be zero")
	case t.Payer == common.Address{} || t.Recipient == common.Address{} || t.Payer == t.Recipient:
		return fmt.Errorf("payer %s and recipient %s must be two accounts", t.Payer, t.Recipient)
	case t.FaceValue.IsZero() || !t.FaceValue.FitsUint96():
		return fmt.Errorf("face_value is %s, want 1 to 2^96-1", t.FaceValue)
	case t.Expiry == 0 || t.Expiry >= 1<<40:
		return fmt.Errorf("expiry is %d, want Unix seconds below 2^40", t.Expiry)
	case t.UsableMillis == 0 || t.UsableMillis >= t.AcceptMillis || t.AcceptMillis >= t.RedeemMillis:
		return fmt.Errorf("times are usable %d, accept %d, redeem %d ms, want them ascending from above 0", t.UsableMillis, t.AcceptMillis, t.RedeemMillis)
	}
	return nil
}

// QuoteAnswer is the orchestrator's answer to a QuoteRequest.
type QuoteAnswer struct {
	Quote  Signed[Quote]        `json:"quote"`
	Params Signed[TicketParams] `json:"params"`
	Region string               `json:"region,omitempty"` // where it says it is: a hint, which binds to nothing
}
