package protocol

import (
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// AuctionEpoch says, before the first auction of some minutes, by what rules they are held and which secret decides between
// equals: its commitment names the epoch.
type AuctionEpoch struct {
	Orchestrator common.Address `json:"orchestrator"`
	Commitment   Hash           `json:"commitment"` // of the secret
	Rule         string         `json:"rule"`       // what winners are paid: an auction.Rule
	TrialsPPM    uint32         `json:"trials_ppm"` // part of the leases that may go to newcomers out of turn, in millionths
	BeganMillis  uint64         `json:"began_ms"`   // Unix time
	LengthMillis uint32         `json:"length_ms"`  // it is over soon after
	URL          string         `json:"url"`        // of the orchestrator: where score sheets are given, and all is told afterwards
}

var auctionEpochType = crypto.Keccak256Hash([]byte("AuctionEpoch(address orchestrator,bytes32 commitment,string rule,uint32 trialsPpm,uint64 beganMillis,uint32 lengthMillis,string url)"))

// StructHash is the EIP-712 struct hash.
func (e AuctionEpoch) StructHash() common.Hash {
	return structHash(auctionEpochType, addr(e.Orchestrator), word(e.Commitment), str(e.Rule), u64(uint64(e.TrialsPPM)), u64(e.BeganMillis), u64(uint64(e.LengthMillis)), str(e.URL))
}

// SignedBy is the orchestrator.
func (e AuctionEpoch) SignedBy() common.Address { return e.Orchestrator }

// Validate names the field that cannot be.
func (e AuctionEpoch) Validate() error {
	switch {
	case e.Orchestrator == common.Address{} || e.Commitment.IsZero():
		return fmt.Errorf("orchestrator and commitment must not be zero")
	case e.Rule == "" || len(e.Rule) > 32:
		return fmt.Errorf("rule has %d bytes, want 1 to 32", len(e.Rule))
	case e.TrialsPPM > FullLoad:
		return fmt.Errorf("trials_ppm is %d, at most %d", e.TrialsPPM, FullLoad)
	case e.BeganMillis == 0 || e.LengthMillis == 0:
		return fmt.Errorf("began_ms and length_ms must not be zero")
	case len(e.URL) > 512:
		return fmt.Errorf("url has %d bytes, at most 512", len(e.URL))
	}
	return nil
}

// FiguresRoot commits an orchestrator to the figures of quality that it weighs bids by, from this number on until the next.
type FiguresRoot struct {
	Orchestrator common.Address `json:"orchestrator"`
	Epoch        Hash           `json:"epoch"`
	Serial       uint64         `json:"serial"` // in the epoch, from 1
	Root         Hash           `json:"root"`
	AtMillis     uint64         `json:"at_ms"` // Unix time
}

var figuresRootType = crypto.Keccak256Hash([]byte("FiguresRoot(address orchestrator,bytes32 epoch,uint64 serial,bytes32 root,uint64 atMillis)"))

// StructHash is the EIP-712 struct hash.
func (r FiguresRoot) StructHash() common.Hash {
	return structHash(figuresRootType, addr(r.Orchestrator), word(r.Epoch), u64(r.Serial), word(r.Root), u64(r.AtMillis))
}

// SignedBy is the orchestrator.
func (r FiguresRoot) SignedBy() common.Address { return r.Orchestrator }

// Validate names the field that cannot be.
func (r FiguresRoot) Validate() error {
	if r.Orchestrator == (common.Address{}) || r.Epoch.IsZero() || r.Serial == 0 || r.Root.IsZero() {
		return fmt.Errorf("orchestrator, epoch, serial and root must not be zero")
	}
	return nil
}

// AuctionClose ends an epoch: so many auctions, told in a journal of so many pages, which is the same for everybody who asks.
type AuctionClose struct {
	Orchestrator common.Address `json:"orchestrator"`
	Epoch        Hash           `json:"epoch"`
	Auctions     uint64         `json:"auctions"`
	Pages        uint32         `json:"pages"`
	Journal      Hash           `json:"journal"` // over the hashes of the pages, in order
}

var auctionCloseType = crypto.Keccak256Hash([]byte("AuctionClose(address orchestrator,bytes32 epoch,uint64 auctions,uint32 pages,bytes32 journal)"))

// StructHash is the EIP-712 struct hash.
func (c AuctionClose) StructHash() common.Hash {
	return structHash(auctionCloseType, addr(c.Orchestrator), word(c.Epoch), u64(c.Auctions), u64(uint64(c.Pages)), word(c.Journal))
}

// SignedBy is the orchestrator.
func (c AuctionClose) SignedBy() common.Address { return c.Orchestrator }

// Validate names the field that cannot be.
func (c AuctionClose) Validate() error {
	if c.Orchestrator == (common.Address{}) || c.Epoch.IsZero() || c.Journal.IsZero() {
		return fmt.Errorf("orchestrator, epoch and journal must not be zero")
	}
	return nil
}

// Commitment is what an orchestrator publishes on its CommitmentSubject: one of these.
type Commitment struct {
	Epoch   *Signed[AuctionEpoch] `json:"epoch,omitempty"`
	Figures *Signed[FiguresRoot]  `json:"figures,omitempty"`
	Close   *Signed[AuctionClose] `json:"close,omitempty"`
}

// By is who says so.
func (c Commitment) By() common.Address {
	switch {
	case c.Epoch != nil:
		return c.Epoch.Message.Orchestrator
	case c.Figures != nil:
		return c.Figures.Message.Orchestrator
	case c.Close != nil:
		return c.Close.Message.Orchestrator
	}
	return common.Address{}
}

// Validate asks for exactly one, and names what in it cannot be.
func (c Commitment) Validate() error {
	n := 0
	var err error
	if c.Epoch != nil {
		n, err = n+1, c.Epoch.Message.Validate()
	}
	if c.Figures != nil {
		n, err = n+1, c.Figures.Message.Validate()
	}
	if c.Close != nil {
		n, err = n+1, c.Close.Message.Validate()
	}
	if n != 1 {
		return fmt.Errorf("%d commitments in one, want 1", n)
	}
	return err
}

// WorkRequest asks every transcoder for a bid on one piece of work, for which nobody has a standing price: published on the
// orchestrator's RequestSubject, answered at once by a Bid that names its hash, or not at all.
type WorkRequest struct {
	Orchestrator common.Address `json:"orchestrator"`
	Ask          ID             `json:"ask"` // drawn for this request
	LadderHash   Hash           `json:"ladder_hash"`
	MaxPrices    Prices         `json:"max_prices"`
	AtMillis     uint64         `json:"at_ms"`   // Unix time
	WaitMillis   uint32         `json:"wait_ms"` // answers that come later are not looked at
}

var workRequestType = crypto.Keccak256Hash([]byte("WorkRequest(address orchestrator,bytes32 ask,bytes32 ladderHash,CodecPrice[] maxPrices,uint64 atMillis,uint32 waitMillis)" + codecPriceTypeString))

// StructHash is the EIP-712 struct hash.
func (r WorkRequest) StructHash() common.Hash {
	return structHash(workRequestType, addr(r.Orchestrator), word(r.Ask), word(r.LadderHash), r.MaxPrices.hash(), u64(r.AtMillis), u64(uint64(r.WaitMillis)))
}

// SignedBy is the orchestrator.
func (r WorkRequest) SignedBy() common.Address { return r.Orchestrator }

// MaxRequestWait bounds how long bids for one request are waited for, in milliseconds.
const MaxRequestWait = 250

// Validate names the field that cannot be.
func (r WorkRequest) Validate() error {
	switch {
	case r.Orchestrator == common.Address{} || r.Ask.IsZero():
		return fmt.Errorf("orchestrator and ask must not be zero")
	case r.WaitMillis == 0 || r.WaitMillis > MaxRequestWait:
		return fmt.Errorf("wait_ms is %d, want 1 to %d", r.WaitMillis, MaxRequestWait)
	}
	return r.MaxPrices.Validate()
}

// BidRequest is a WorkRequest with the ladder it is about.
type BidRequest struct {
	Request   Signed[WorkRequest] `json:"request"`
	Ladder    Ladder              `json:"ladder"`
	SourceFPS float64             `json:"source_fps"`
}

// Validate checks that the ladder is the one asked for.
func (r BidRequest) Validate() error {
	if err := r.Request.Message.Validate(); err != nil {
		return err
	}
	if err := r.Ladder.Validate(); err != nil {
		return err
	}
	if Hash(r.Ladder.Hash()) != r.Request.Message.LadderHash {
		return fmt.Errorf("the ladder is not the one of ladder_hash %s", r.Request.Message.LadderHash)
	}
	if !(r.SourceFPS > 0 && r.SourceFPS <= MaxFPS) {
		return fmt.Errorf("source_fps is %v, want above 0, at most %d", r.SourceFPS, MaxFPS)
	}
	return nil
}
