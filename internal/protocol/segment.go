package protocol

import (
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// SegmentKey identifies a push: together with its source hash it is a segment's identity. Seq is the number the encoder
// gave it; Incarnation grows whenever the encoder restarted or jumped back.
type SegmentKey struct {
	Stream      string `json:"stream"`
	Incarnation uint32 `json:"incarnation"`
	Seq         uint64 `json:"seq"`
}

// String is stream/incarnation/seq.
func (k SegmentKey) String() string { return fmt.Sprintf("%s/%d/%d", k.Stream, k.Incarnation, k.Seq) }

// Validate checks name and range.
func (k SegmentKey) Validate() error {
	if k.Seq >= 1<<63 {
		return fmt.Errorf("seq %d is not below 2^63", k.Seq)
	}
	return ValidateStream(k.Stream)
}

// SegmentHeader is what a payer signs before a recipient accepts a byte: nobody else can burn its credit.
type SegmentHeader struct {
	Payer     common.Address `json:"payer"`
	Recipient common.Address `json:"recipient"`
	Quote     ID             `json:"quote"`
	SegmentKey
	Budget Wei    `json:"budget"` // the most this segment may cost
	Expiry uint64 `json:"expiry"` // Unix seconds after which the header is worthless; generous, against replay only
}

const segmentHeaderTypeString = "SegmentHeader(address payer,address recipient,bytes32 quote,string stream,uint32 incarnation," +
	"uint64 seq,uint96 budget,uint40 expiry)"

var segmentHeaderType = crypto.Keccak256Hash([]byte(segmentHeaderTypeString))

// StructHash is the EIP-712 struct hash.
func (h SegmentHeader) StructHash() common.Hash {
	return structHash(segmentHeaderType, addr(h.Payer), addr(h.Recipient), word(h.Quote), str(h.Stream), u64(uint64(h.Incarnation)),
		u64(h.Seq), wei(h.Budget), u64(h.Expiry))
}

// SignedBy is the payer.
func (h SegmentHeader) SignedBy() common.Address { return h.Payer }

// Validate names the field that cannot be.
func (h SegmentHeader) Validate() error {
	switch {
	case h.Payer == common.Address{} || h.Recipient == common.Address{} || h.Payer == h.Recipient:
		return fmt.Errorf("payer %s and recipient %s must be two accounts", h.Payer, h.Recipient)
	case h.Quote.IsZero():
		return fmt.Errorf("quote is zero")
	case h.Budget.IsZero() || !h.Budget.FitsUint96():
		return fmt.Errorf("budget is %s, want 1 to 2^96-1", h.Budget)
	case h.Expiry == 0 || h.Expiry >= 1<<40:
		return fmt.Errorf("expiry is %d, want Unix seconds below 2^40", h.Expiry)
	}
	return h.SegmentKey.Validate()
}

// SegmentOffer accompanies the source bytes of POST /v1/streams/{stream}/segments/{seq}, base64url-encoded JSON in the
// header field OfferField. The answer is a series of frames (FrameType).
type SegmentOffer struct {
	Header         Signed[SegmentHeader] `json:"header"`
	DurationMillis uint32                `json:"duration_ms"`     // as the encoder announced it
	BudgetMillis   uint32                `json:"budget_ms"`       // from the last source byte to the last rendition byte
	Avoid          []common.Address      `json:"avoid,omitempty"` // transcoders whose output of this segment failed
}

// OfferField is the HTTP header field of a SegmentOffer.
const OfferField = "Kinora-Segment-Offer"

// Validate checks what is not signed.
func (o SegmentOffer) Validate() error {
	if o.DurationMillis == 0 || o.DurationMillis > MaxSegmentMillis {
		return fmt.Errorf("duration_ms is %d, want 1 to %d", o.DurationMillis, MaxSegmentMillis)
	}
	if o.BudgetMillis == 0 || o.BudgetMillis > MaxSegmentMillis {
		return fmt.Errorf("budget_ms is %d, want 1 to %d", o.BudgetMillis, MaxSegmentMillis)
	}
	if len(o.Avoid) > 64 {
		return fmt.Errorf("avoid names %d transcoders, at most 64", len(o.Avoid))
	}
	return o.Header.Message.Validate()
}
