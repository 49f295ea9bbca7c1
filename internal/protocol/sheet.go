package protocol

import (
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// ScoreSheet is an orchestrator's word to one bidder on how it fared in one auction: its own terms at once, and once the
// epoch is over, when the bids are open, what would have won.
type ScoreSheet struct {
	Lease        ID             `json:"lease"`
	Orchestrator common.Address `json:"orchestrator"`
	Transcoder   common.Address `json:"transcoder"`
	BidSequence  uint64         `json:"bid_sequence"`
	Prices       Prices         `json:"prices"`         // bid
	Cost         Wei            `json:"wei_per_second"` // of the work at these prices
	Quality      uint32         `json:"quality_ppm"`
	Won          bool           `json:"won"`
	Paid         Prices         `json:"paid,omitempty"`   // where it won
	Reason       string         `json:"reason,omitempty"` // why not, where it did not: an auction.Reason
	Rank         uint32         `json:"rank,omitempty"`   // among Of that could have had the lease, as far as they were looked at; 1 is best
	Of           uint32         `json:"of"`
	WouldWin     Prices         `json:"would_have_won,omitempty"` // the highest prices that would have won, once the epoch is over
	Epoch        Hash           `json:"epoch,omitzero"`           // what the auction is held to: as in its Award
	Auction      uint64         `json:"auction,omitempty"`
	Book         Hash           `json:"book,omitzero"`
	Figures      Hash           `json:"figures,omitzero"`
	TellMillis   uint64         `json:"tell_ms,omitempty"` // Unix time from which what would have won is told
}

var scoreSheetType = crypto.Keccak256Hash([]byte("ScoreSheet(bytes32 lease,address orchestrator,address transcoder,uint64 bidSequence,CodecPrice[] prices," +
	"uint256 weiPerSecond,uint32 qualityPpm,bool won,CodecPrice[] paid,string reason,uint32 rank,uint32 of,CodecPrice[] wouldHaveWon,bytes32 epoch,uint64 auction,bytes32 book,bytes32 figures,uint64 tellMillis)" + codecPriceTypeString))

// StructHash is the EIP-712 struct hash.
func (s ScoreSheet) StructHash() common.Hash {
	won := uint64(0)
	if s.Won {
		won = 1
	}
	return structHash(scoreSheetType, word(s.Lease), addr(s.Orchestrator), addr(s.Transcoder), u64(s.BidSequence), s.Prices.hash(), wei(s.Cost),
		u64(uint64(s.Quality)), u64(won), s.Paid.hash(), str(s.Reason), u64(uint64(s.Rank)), u64(uint64(s.Of)), s.WouldWin.hash(),
		word(s.Epoch), u64(s.Auction), word(s.Book), word(s.Figures), u64(s.TellMillis))
}

// SignedBy is the orchestrator.
func (s ScoreSheet) SignedBy() common.Address { return s.Orchestrator }

// Validate names the field that cannot be.
func (s ScoreSheet) Validate() error {
	switch {
	case s.Lease.IsZero() || s.Orchestrator == (common.Address{}) || s.Transcoder == (common.Address{}):
		return fmt.Errorf("lease, orchestrator and transcoder must not be zero")
	case s.Won == (s.Reason != ""):
		return fmt.Errorf("won is %v beside reason %.40q", s.Won, s.Reason)
	case len(s.Reason) > 64:
		return fmt.Errorf("reason has %d bytes, at most 64", len(s.Reason))
	}
	if len(s.Prices) == 0 && len(s.Paid) == 0 && s.Cost.IsZero() {
		return nil // sealed
	}
	return s.Prices.Validate()
}

// Sealed is the sheet for others than its transcoder, before the epoch is over.
func (s ScoreSheet) Sealed() ScoreSheet {
	s.Prices, s.Cost, s.Paid, s.WouldWin = nil, Wei{}, nil, nil
	return s
}

// SheetRequest says that a transcoder asks for its own score sheets, whose prices are sealed for others: in the HTTP header field
// SheetRequestField.
type SheetRequest struct {
	Orchestrator common.Address `json:"orchestrator"`
	Transcoder   common.Address `json:"transcoder"`
	AtMillis     uint64         `json:"at_ms"` // Unix time: it is good for MaxSheetRequestAge
}

// SheetRequestField is where a signed SheetRequest is, written by EncodeField.
const SheetRequestField = "Kinora-Sheet-Request"

// MaxSheetRequestAge is also how far its clock may be ahead.
const MaxSheetRequestAge = 2 * time.Minute

var sheetRequestType = crypto.Keccak256Hash([]byte("SheetRequest(address orchestrator,address transcoder,uint64 atMillis)"))

// StructHash is the EIP-712 struct hash.
func (r SheetRequest) StructHash() common.Hash {
	return structHash(sheetRequestType, addr(r.Orchestrator), addr(r.Transcoder), u64(r.AtMillis))
}

// SignedBy is the transcoder.
func (r SheetRequest) SignedBy() common.Address { return r.Transcoder }

// Validate names the field that cannot be.
func (r SheetRequest) Validate() error {
	if r.Orchestrator == (common.Address{}) || r.Transcoder == (common.Address{}) || r.AtMillis == 0 {
		return fmt.Errorf("orchestrator, transcoder and at_ms must not be zero")
	}
	return nil
}
