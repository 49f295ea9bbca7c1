package protocol

import (
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// Bid is a transcoder's standing offer to work: republished on change and by heartbeat, replaced by a higher Sequence,
// gone when its TTL (counted from arrival) runs out.
type Bid struct {
	Transcoder    common.Address `json:"transcoder"`
	Region        string         `json:"region,omitempty"`
	Prices        Prices         `json:"prices"`           // of an idle machine; Curves say what more is asked of a loaded one
	Curves        []PriceCurve   `json:"curves,omitempty"` // at most one a codec; without one its price is the same at any load
	LoadPPM       uint32         `json:"load_ppm"`         // part of the machine that is taken, in millionths
	FreePixelRate uint64         `json:"free_pixel_rate"`  // encoded pixels a second it can still take, of a codec that FreeByCodec does not list
	FreeByCodec   CodecRates     `json:"free_by_codec,omitempty"`
	Floor         Prices         `json:"floor,omitempty"`  // what the power for a pixel costs: at less the bid does not win
	Request       Hash           `json:"request,omitzero"` // the WorkRequest it answers, for which alone it holds; zero: a standing bid
	TTLMillis     uint32         `json:"ttl_ms"`
	Sequence      uint64         `json:"sequence"`     // grows over restarts too: begin at the Unix time in ms
	Capabilities  Hash           `json:"capabilities"` // Capabilities.StructHash; zero: nothing is said
	// Record is what Capabilities is the hash of. A first bid brings it, and one now and then; those between leave it out.
	Record *Capabilities `json:"record,omitempty"`
}

const bidTypeString = "Bid(address transcoder,string region,CodecPrice[] prices,PriceCurve[] curves,uint32 loadPpm,uint64 freePixelRate,CodecRate[] freeByCodec," +
	"CodecPrice[] floor,bytes32 request,uint32 ttlMillis,uint64 sequence,bytes32 capabilities)" + codecPriceTypeString + codecRateTypeString + priceCurveTypeString + pricePointTypeString

var bidType = crypto.Keccak256Hash([]byte(bidTypeString))

// Longest time a Bid may stand, in milliseconds.
const MaxBidTTLMillis = 60_000

// StructHash is the EIP-712 struct hash.
func (b Bid) StructHash() common.Hash {
	return structHash(bidType, addr(b.Transcoder), str(b.Region), b.Prices.hash(), hashCurves(b.Curves), u64(uint64(b.LoadPPM)), u64(b.FreePixelRate),
		b.FreeByCodec.hash(), b.Floor.hash(), word(b.Request), u64(uint64(b.TTLMillis)), u64(b.Sequence), word(b.Capabilities))
}

// SignedBy is the transcoder.
func (b Bid) SignedBy() common.Address { return b.Transcoder }

// Validate names the field that cannot be.
func (b Bid) Validate() error {
	switch {
	case b.Transcoder == common.Address{}:
		return fmt.Errorf("transcoder is the zero address")
	case len(b.Region) > 32:
		return fmt.Errorf("region has %d bytes, at most 32", len(b.Region))
	case b.TTLMillis == 0 || b.TTLMillis > MaxBidTTLMillis:
		return fmt.Errorf("ttl_ms is %d, want 1 to %d", b.TTLMillis, MaxBidTTLMillis)
	case b.Sequence == 0:
		return fmt.Errorf("sequence is 0")
	case b.LoadPPM > FullLoad:
		return fmt.Errorf("load_ppm is %d, at most %d", b.LoadPPM, FullLoad)
	}
	if len(b.Floor) > 0 {
		if err := b.Floor.Validate(); err != nil {
			return fmt.Errorf("floor: %w", err)
		}
	}
	if err := b.FreeByCodec.Validate(); err != nil {
		return fmt.Errorf("free_by_codec: %w", err)
	}
	if r := b.Record; r != nil {
		if err := r.Validate(); err != nil {
			return fmt.Errorf("record: %w", err)
		}
		if r.Transcoder != b.Transcoder || Hash(r.StructHash()) != b.Capabilities {
			return fmt.Errorf("the record is not the one of capabilities %s", b.Capabilities)
		}
	}
	if err := b.Prices.Validate(); err != nil {
		return err
	}
	for _, p := range b.Prices { // of nothing no tickets can be written: what has no price is not sold
		if p.WeiPerPixel.IsZero() {
			return fmt.Errorf("prices: %q is sold for nothing", p.Codec)
		}
	}
	return validateCurves(b.Curves, b.Prices)
}

// SameTerms reports whether b and other ask and offer the same: a heartbeat changes neither.
func (b Bid) SameTerms(other Bid) bool {
	return b.Transcoder == other.Transcoder && b.Region == other.Region && b.LoadPPM == other.LoadPPM && b.FreePixelRate == other.FreePixelRate &&
		b.Request == other.Request && b.Capabilities == other.Capabilities && slices.Equal(b.Prices, other.Prices) && slices.Equal(b.Floor, other.Floor) &&
		slices.Equal(b.FreeByCodec, other.FreeByCodec) && slices.EqualFunc(b.Curves, other.Curves, PriceCurve.equal)
}

// Award offers a lease to the transcoder whose bid won: work on one stream at one ladder for some tens of seconds. The
// ladder itself travels beside the signed part (AwardOffer).
type Award struct {
	Lease        ID             `json:"lease"`
	Orchestrator common.Address `json:"orchestrator"`
	Payer        common.Address `json:"payer"` // whose allocation pays: the orchestrator, or an account whose session key it is
	Transcoder   common.Address `json:"transcoder"`
	Stream       string         `json:"stream"`
	Incarnation  uint32         `json:"incarnation"`
	LadderHash   Hash           `json:"ladder_hash"`
	Prices       Prices         `json:"prices"` // what will be paid: the bid's own, or by second score more
	MaxFee       Wei            `json:"max_fee"`
	LeaseMillis  uint32         `json:"lease_ms"`
	BidSequence  uint64         `json:"bid_sequence"`
	URL          string         `json:"url"` // of the orchestrator: where the transcoder dials for segments
	// What it was decided by, and is held to once the epoch is over; all zero where nothing was auctioned.
	Epoch   Hash   `json:"epoch,omitzero"`    // commitment of the secret that ties are drawn from: the AuctionEpoch's
	Auction uint64 `json:"auction,omitempty"` // number in the epoch, from 1
	Book    Hash   `json:"book,omitzero"`     // Merkle root over the bids
	Figures Hash   `json:"figures,omitzero"`  // Merkle root over the figures of quality: that of a published FiguresRoot
}

const awardTypeString = "Award(bytes32 lease,address orchestrator,address payer,address transcoder,string stream,uint32 incarnation,bytes32 ladderHash," +
	"CodecPrice[] prices,uint96 maxFee,uint32 leaseMillis,uint64 bidSequence,string url,bytes32 epoch,uint64 auction,bytes32 book,bytes32 figures)" + codecPriceTypeString

var awardType = crypto.Keccak256Hash([]byte(awardTypeString))

// StructHash is the EIP-712 struct hash.
func (a Award) StructHash() common.Hash {
	return structHash(awardType, word(a.Lease), addr(a.Orchestrator), addr(a.Payer), addr(a.Transcoder), str(a.Stream), u64(uint64(a.Incarnation)),
		word(a.LadderHash), a.Prices.hash(), wei(a.MaxFee), u64(uint64(a.LeaseMillis)), u64(a.BidSequence), str(a.URL),
		word(a.Epoch), u64(a.Auction), word(a.Book), word(a.Figures))
}

// SignedBy is the orchestrator.
func (a Award) SignedBy() common.Address { return a.Orchestrator }

// Validate names the field that cannot be.
func (a Award) Validate() error {
	if err := ValidateStream(a.Stream); err != nil {
		return err
	}
	if err := a.Prices.Validate(); err != nil {
		return err
	}
	switch {
	case a.Lease.IsZero():
		return fmt.Errorf("lease is zero")
	case a.Orchestrator == common.Address{} || a.Transcoder == common.Address{} || a.Orchestrator == a.Transcoder:
		return fmt.Errorf("orchestrator %s and transcoder %s must be two accounts", a.Orchestrator, a.Transcoder)
	case a.Payer == common.Address{} || a.Payer == a.Transcoder:
		return fmt.Errorf("payer is %s, want an account that is not the transcoder", a.Payer)
	case a.MaxFee.IsZero() || !a.MaxFee.FitsUint96():
		return fmt.Errorf("max_fee is %s, want 1 to 2^96-1", a.MaxFee)
	case a.LeaseMillis < 1000 || a.LeaseMillis > 3_600_000:
		return fmt.Errorf("lease_ms is %d, want 1000 to 3600000", a.LeaseMillis)
	case a.URL == "" || len(a.URL) > 512:
		return fmt.Errorf("url has %d bytes, want 1 to 512", len(a.URL))
	case a.Epoch.IsZero() != (a.Auction == 0) || a.Epoch.IsZero() && !(a.Book.IsZero() && a.Figures.IsZero()):
		return fmt.Errorf("auction %d of epoch %s: the two go together, with book and figures", a.Auction, a.Epoch.Short())
	}
	return nil
}

// AwardOffer is the request on AwardSubject.
type AwardOffer struct {
	Award     Signed[Award] `json:"award"`
	Ladder    Ladder        `json:"ladder"`
	SourceFPS float64       `json:"source_fps"`
	// SegmentMillis is a segment's usual duration.
	SegmentMillis uint32 `json:"segment_ms"`
	// Standby asks for readiness alone: parameters and a parked slot, but no capacity before the first attempt comes, which may
	// then be declined with NoCapacity. It is not signed: it binds a transcoder to less than the award does.
	Standby bool `json:"standby,omitempty"`
}

// Validate checks that the ladder is the one awarded.
func (o AwardOffer) Validate() error {
	if err := o.Award.Message.Validate(); err != nil {
		return err
	}
	if err := o.Ladder.Validate(); err != nil {
		return err
	}
	if Hash(o.Ladder.Hash()) != o.Award.Message.LadderHash {
		return fmt.Errorf("the ladder is not the one of ladder_hash %s", o.Award.Message.LadderHash)
	}
	if !(o.SourceFPS > 0 && o.SourceFPS <= MaxFPS) {
		return fmt.Errorf("source_fps is %v, want above 0, at most %d", o.SourceFPS, MaxFPS)
	}
	if o.SegmentMillis == 0 || o.SegmentMillis > MaxSegmentMillis {
		return fmt.Errorf("segment_ms is %d, want 1 to %d", o.SegmentMillis, MaxSegmentMillis)
	}
	return nil
}

// AwardAnswer accepts with ticket parameters (of the transcoder for the payer, signed) or declines with a Problem.
type AwardAnswer struct {
	Params  *Signed[TicketParams] `json:"params,omitempty"`
	Decline *Problem              `json:"decline,omitempty"`
}

// LeaseRequest renews (ExtendMillis > 0) or releases (0) a lease: the request on LeaseSubject.
type LeaseRequest struct {
	Lease        ID             `json:"lease"`
	Orchestrator common.Address `json:"orchestrator"`
	ExtendMillis uint32         `json:"extend_ms"`
	Serial       uint64         `json:"serial"` // grows with every request about this lease
}

var leaseRequestType = crypto.Keccak256Hash([]byte("LeaseRequest(bytes32 lease,address orchestrator,uint32 extendMillis,uint64 serial)"))

// StructHash is the EIP-712 struct hash.
func (l LeaseRequest) StructHash() common.Hash {
	return structHash(leaseRequestType, word(l.Lease), addr(l.Orchestrator), u64(uint64(l.ExtendMillis)), u64(l.Serial))
}

// SignedBy is the orchestrator.
func (l LeaseRequest) SignedBy() common.Address { return l.Orchestrator }

// Validate names the field that cannot be.
func (l LeaseRequest) Validate() error {
	if l.Lease.IsZero() || l.Orchestrator == (common.Address{}) {
		return fmt.Errorf("lease and orchestrator must not be zero")
	}
	if l.ExtendMillis > 3_600_000 {
		return fmt.Errorf("extend_ms is %d, at most 3600000", l.ExtendMillis)
	}
	return nil
}

// ParamsRequest asks a transcoder for its current TicketParams: the request on ParamsSubject, answered by AwardAnswer.
// Lane and price are those of the lease.
type ParamsRequest struct {
	Lease        ID             `json:"lease"`
	Orchestrator common.Address `json:"orchestrator"`
	Serial       uint64         `json:"serial"`
}

var paramsRequestType = crypto.Keccak256Hash([]byte("ParamsRequest(bytes32 lease,address orchestrator,uint64 serial)"))

// StructHash is the EIP-712 struct hash.
func (p ParamsRequest) StructHash() common.Hash {
	return structHash(paramsRequestType, word(p.Lease), addr(p.Orchestrator), u64(p.Serial))
}

// SignedBy is the orchestrator.
func (p ParamsRequest) SignedBy() common.Address { return p.Orchestrator }

// Validate names the field that cannot be.
func (p ParamsRequest) Validate() error {
	if p.Lease.IsZero() || p.Orchestrator == (common.Address{}) {
		return fmt.Errorf("lease and orchestrator must not be zero")
	}
	return nil
}

// Acknowledgement answers a LeaseRequest: empty, or why not.
type Acknowledgement struct {
	Problem *Problem `json:"problem,omitempty"`
}

// NATS subjects. Each participant publishes and serves only subjects that end in its own address.
const (
	BidSubjects        = "kinora.v1.bid.*"
	EventSubjects      = "kinora.v1.event.*"
	CommitmentSubjects = "kinora.v1.commitment.*"
	RequestSubjects    = "kinora.v1.request.*"
)

// BidSubject is where t publishes its Bid.
func BidSubject(t common.Address) string { return "kinora.v1.bid." + t.Hex() }

// CommitmentSubject is where an orchestrator publishes its Commitments.
func CommitmentSubject(orchestrator common.Address) string {
	return "kinora.v1.commitment." + orchestrator.Hex()
}

// RequestSubject is where an orchestrator asks for bids (WorkRequest); transcoders listen on RequestSubjects.
func RequestSubject(orchestrator common.Address) string {
	return "kinora.v1.request." + orchestrator.Hex()
}

// AwardSubject is where t answers AwardOffers.
func AwardSubject(t common.Address) string { return "kinora.v1.award." + t.Hex() }

// LeaseSubject is where t answers LeaseRequests.
func LeaseSubject(t common.Address) string { return "kinora.v1.lease." + t.Hex() }

// ParamsSubject is where t answers ParamsRequests.
func ParamsSubject(t common.Address) string { return "kinora.v1.params." + t.Hex() }

// TicketsSubject is where t receives tickets and verdicts (payment.Delivery).
func TicketsSubject(t common.Address) string { return "kinora.v1.tickets." + t.Hex() }

// RelaySubject is where an orchestrator takes requests to relay redemptions.
func RelaySubject(orchestrator common.Address) string { return "kinora.v1.relay." + orchestrator.Hex() }

// EventSubject is where a publishes Events about itself.
func EventSubject(a common.Address) string { return "kinora.v1.event." + a.Hex() }
