package auction

import (
	"encoding/binary"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

// Place is what stands at one place of the book: a bid, and the work awarded to its bidder since, which the bid does not know
// of. The zero Place is empty.
type Place struct {
	Bid  protocol.Signed[protocol.Bid]
	Held protocol.CodecRates
}

// Empty reports that nobody bids here.
func (p Place) Empty() bool { return p.Bid.Message.Transcoder == common.Address{} }

// Leaf commits to the place. The bid's signature is in it, which only its bidder could make, so that nobody learns a sealed
// bid by trying prices against the hashes of a proof.
func (p Place) Leaf() protocol.Hash {
	if p.Empty() {
		return protocol.Hash{}
	}
	h := p.Bid.Message.StructHash()
	return hashOf(leafPrefix, h[:], p.Bid.Signature[:], encodeRates(p.Held))
}

func encodeRates(rates protocol.CodecRates) (b []byte) {
	for _, r := range rates {
		b = binary.BigEndian.AppendUint64(append(append(b, byte(len(r.Codec))), r.Codec...), r.PixelRate)
	}
	return b
}

// Figure is what an orchestrator has measured of one transcoder: what its bids are weighed by.
type Figure struct {
	Transcoder common.Address  `json:"transcoder"`
	Newcomer   bool            `json:"newcomer,omitempty"`
	Quality    [Classes]uint32 `json:"quality_ppm"` // by class of work
}

// Leaf commits to the figure; salt is the Secret's, so that nobody learns a figure by trying all.
func (f Figure) Leaf(salt protocol.ID) protocol.Hash {
	if f.Transcoder == (common.Address{}) {
		return protocol.Hash{}
	}
	b := []byte{0}
	if f.Newcomer {
		b[0] = 1
	}
	for _, q := range f.Quality {
		b = binary.BigEndian.AppendUint32(b, q)
	}
	return hashOf(leafPrefix, f.Transcoder[:], salt[:], b)
}

// Candidate is the bid of a place with its figure for work of a class; without a figure it cannot have a lease.
func (p Place) Candidate(f Figure, class Class) Candidate {
	return Candidate{Bid: p.Bid.Message, Held: p.Held, Quality: f.Quality[class], Newcomer: f.Newcomer, Allocated: f.Transcoder == p.Bid.Message.Transcoder}
}

// Entry is one line of an epoch's journal, in which an orchestrator writes, in order, everything that its auctions followed
// from. One field is set.
type Entry struct {
	Bid     *Change                                `json:"bid,omitempty"`
	Figure  *FigureAt                              `json:"figure,omitempty"`  // in force from the next Figures on
	Figures *protocol.Signed[protocol.FiguresRoot] `json:"figures,omitempty"` // was published before
	Auction *Auction                               `json:"auction,omitempty"`
	Outcome *Outcome                               `json:"outcome,omitempty"`
}

// Change is what became of a place of the book.
type Change struct {
	Place int                            `json:"place"`
	Bid   *protocol.Signed[protocol.Bid] `json:"bid,omitempty"` // nil: as before
	Held  protocol.CodecRates            `json:"held,omitempty"`
	Out   Reason                         `json:"out,omitempty"` // why it is empty from now on: whoever stood there can tell whether that is true
}

// Of is the place after the change.
func (c Change) Of(before Place) Place {
	if c.Out != "" {
		return Place{}
	}
	after := Place{Bid: before.Bid, Held: c.Held}
	if c.Bid != nil {
		after.Bid = *c.Bid
	}
	return after
}

// FigureAt is a figure at its place; the zero Figure empties it.
type FigureAt struct {
	Place  int    `json:"place"`
	Figure Figure `json:"figure"`
}

// Auction is what one auction was decided by, beside the book and the figures as the journal has them until here.
type Auction struct {
	Number      uint64                          `json:"number"` // in the epoch, from 1
	Payer       common.Address                  `json:"payer"`  // of the stream
	Stream      string                          `json:"stream"`
	Incarnation uint32                          `json:"incarnation"`
	Turn        uint64                          `json:"turn"`             // of this payer's stream and ladder in the epoch, from 1: the tie is drawn for it
	Ask         Ask                             `json:"ask"`              // its Lease is that of the first offer
	Exploration Exploration                     `json:"exploration"`      // before
	Most        int                             `json:"most"`             // offers
	Proven      bool                            `json:"proven,omitempty"` // newcomers are passed over where somebody else can have it
	Passed      []Passed                        `json:"passed,omitempty"`
	Live        []protocol.Signed[protocol.Bid] `json:"live,omitempty"` // bids for this work alone, each in the place of its bidder's standing one
	// Request is what Live answers.
	Request *protocol.Signed[protocol.WorkRequest] `json:"request,omitempty"`
	Book    protocol.Hash                          `json:"book"`
	Figures protocol.Hash                          `json:"figures"`
}

// Passed is a bidder that was not compared. Whoever is named can tell whether that is true.
type Passed struct {
	Transcoder common.Address `json:"transcoder"`
	Reason     Reason         `json:"reason"`
}

// Outcome is who was offered the lease, in order, and whether the last one took it.
type Outcome struct {
	Number uint64                            `json:"number"`
	Awards []protocol.Signed[protocol.Award] `json:"awards,omitempty"`
	Taken  bool                              `json:"taken,omitempty"`
}

// With is the root over a book and the bids that were made for one piece of work alone.
func With(book protocol.Hash, live []protocol.Signed[protocol.Bid]) protocol.Hash {
	for _, b := range live {
		leaf := Place{Bid: b}.Leaf()
		book = hashOf(rootPrefix, book[:], leaf[:])
	}
	return book
}

// Reveal is what an orchestrator tells of an epoch: its secret and its journal once it is over.
type Reveal struct {
	Epoch  protocol.Signed[protocol.AuctionEpoch]  `json:"epoch"`
	Secret *protocol.Hash                          `json:"secret,omitempty"`
	Close  *protocol.Signed[protocol.AuctionClose] `json:"close,omitempty"` // missing where the process that held the auctions was killed
	Over   bool                                    `json:"over"`
	Pages  int                                     `json:"pages"`
}

// Journal is the hash over those of an epoch's pages, in order.
func Journal(pages []protocol.Hash) protocol.Hash {
	sum := hashOf(rootPrefix, binary.BigEndian.AppendUint64(nil, uint64(len(pages))))
	for _, p := range pages {
		sum = hashOf(nodePrefix, sum[:], p[:])
	}
	return sum
}
