package protocol

import (
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// Assignment begins every try at a segment, signed by the orchestrator before the first byte. An orchestrator never
// reuses an Attempt: its signature here proves that it did not.
type Assignment struct {
	Orchestrator common.Address `json:"orchestrator"`
	Transcoder   common.Address `json:"transcoder"`
	Lease        ID             `json:"lease"`
	SegmentKey
	Attempt ID `json:"attempt"`
}

const assignmentTypeString = "Assignment(address orchestrator,address transcoder,bytes32 lease,string stream,uint32 incarnation,uint64 seq,bytes32 attempt)"

var assignmentType = crypto.Keccak256Hash([]byte(assignmentTypeString))

// StructHash is the EIP-712 struct hash.
func (a Assignment) StructHash() common.Hash {
	return structHash(assignmentType, addr(a.Orchestrator), addr(a.Transcoder), word(a.Lease), str(a.Stream),
		u64(uint64(a.Incarnation)), u64(a.Seq), word(a.Attempt))
}

// SignedBy is the orchestrator.
func (a Assignment) SignedBy() common.Address { return a.Orchestrator }

// Validate names the field that cannot be.
func (a Assignment) Validate() error {
	switch {
	case a.Orchestrator == common.Address{} || a.Transcoder == common.Address{} || a.Orchestrator == a.Transcoder:
		return fmt.Errorf("orchestrator %s and transcoder %s must be two accounts", a.Orchestrator, a.Transcoder)
	case a.Lease.IsZero() || a.Attempt.IsZero():
		return fmt.Errorf("lease and attempt must not be zero")
	}
	return a.SegmentKey.Validate()
}

// RenditionReceipt is what a transcoder states about one output.
type RenditionReceipt struct {
	Profile  Hash   `json:"profile"` // Profile.Hash
	Output   Hash   `json:"output"`  // SHA-256 of the rendition's bytes
	Pixels   uint64 `json:"pixels"`  // width × height × frames: the billed unit; 0 of sound alone
	Frames   uint32 `json:"frames"`
	FirstPTS int64  `json:"first_pts"` // 90 kHz, of the first and last video frame in presentation order; of sound alone, of its packets
	LastPTS  int64  `json:"last_pts"`
}

// Receipt is a transcoder's signed statement of one attempt, stored by it before the output is released. Two receipts of
// the same attempt and source with different outputs are the one provable fault.
type Receipt struct {
	Orchestrator common.Address     `json:"orchestrator"`
	Transcoder   common.Address     `json:"transcoder"`
	Lease        ID                 `json:"lease"`
	Seq          uint64             `json:"seq"`
	Attempt      ID                 `json:"attempt"`
	Source       Hash               `json:"source"` // SHA-256 of the source bytes
	Renditions   []RenditionReceipt `json:"renditions"`
}

const (
	renditionReceiptTypeString = "RenditionReceipt(bytes32 profile,bytes32 output,uint64 pixels,uint32 frames,int64 firstPts,int64 lastPts)"
	receiptTypeString          = "Receipt(address orchestrator,address transcoder,bytes32 lease,uint64 seq,bytes32 attempt,bytes32 source," +
		"RenditionReceipt[] renditions)" + renditionReceiptTypeString
)

var (
	renditionReceiptType = crypto.Keccak256Hash([]byte(renditionReceiptTypeString))
	receiptType          = crypto.Keccak256Hash([]byte(receiptTypeString))
)

// StructHash is the EIP-712 struct hash.
func (r Receipt) StructHash() common.Hash {
	words := make([]word, len(r.Renditions))
	for i, x := range r.Renditions {
		words[i] = word(structHash(renditionReceiptType, word(x.Profile), word(x.Output), u64(x.Pixels), u64(uint64(x.Frames)),
			i64(x.FirstPTS), i64(x.LastPTS)))
	}
	return structHash(receiptType, addr(r.Orchestrator), addr(r.Transcoder), word(r.Lease), u64(r.Seq), word(r.Attempt),
		word(r.Source), word(arrayHash(words)))
}

// SignedBy is the transcoder.
func (r Receipt) SignedBy() common.Address { return r.Transcoder }

// Validate names the field that cannot be.
func (r Receipt) Validate() error {
	switch {
	case r.Orchestrator == common.Address{} || r.Transcoder == common.Address{} || r.Orchestrator == r.Transcoder:
		return fmt.Errorf("orchestrator %s and transcoder %s must be two accounts", r.Orchestrator, r.Transcoder)
	case r.Lease.IsZero() || r.Attempt.IsZero():
		return fmt.Errorf("lease and attempt must not be zero")
	case len(r.Renditions) == 0 || len(r.Renditions) > MaxProfiles:
		return fmt.Errorf("receipt has %d renditions, want 1 to %d", len(r.Renditions), MaxProfiles)
	}
	for i, x := range r.Renditions {
		if (x.Frames == 0) != (x.Pixels == 0) || x.Pixels > uint64(x.Frames)*MaxWidth*MaxHeight || x.LastPTS < x.FirstPTS {
			return fmt.Errorf("rendition %d: %d frames, %d pixels, PTS %d to %d cannot be", i, x.Frames, x.Pixels, x.FirstPTS, x.LastPTS)
		}
	}
	return nil
}

// Matches checks that r answers a: same parties, lease, seq and attempt.
func (r Receipt) Matches(a Assignment) error {
	if r.Orchestrator != a.Orchestrator || r.Transcoder != a.Transcoder || r.Lease != a.Lease || r.Seq != a.Seq || r.Attempt != a.Attempt {
		return fmt.Errorf("receipt of attempt %s by %s does not answer assignment %s to %s", r.Attempt.Short(), r.Transcoder, a.Attempt.Short(), a.Transcoder)
	}
	return nil
}

// SlotRequest parks one slot for the next attempt of a lease: POST /v1/leases/{lease}/slots, base64url JSON of the
// Signed request in the header field SlotField. The answer's body brings FrameAttempt, FrameSource… and FrameSourceEnd, or
// FrameCancel; the request's body, open meanwhile, returns FrameRendition… and FrameReceipt, or FrameAbandoned.
type SlotRequest struct {
	Lease      ID             `json:"lease"`
	Transcoder common.Address `json:"transcoder"`
	Serial     uint64         `json:"serial"` // grows with every slot of this lease
}

// SlotField is the HTTP header field of a SlotRequest.
const SlotField = "Kinora-Slot"

var slotRequestType = crypto.Keccak256Hash([]byte("SlotRequest(bytes32 lease,address transcoder,uint64 serial)"))

// StructHash is the EIP-712 struct hash.
func (s SlotRequest) StructHash() common.Hash {
	return structHash(slotRequestType, word(s.Lease), addr(s.Transcoder), u64(s.Serial))
}

// SignedBy is the transcoder.
func (s SlotRequest) SignedBy() common.Address { return s.Transcoder }

// Validate names the field that cannot be.
func (s SlotRequest) Validate() error {
	if s.Lease.IsZero() || s.Transcoder == (common.Address{}) {
		return fmt.Errorf("lease and transcoder must not be zero")
	}
	return nil
}
