package dispatch

import (
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator/internal/fleet"
)

const (
	keptAuctions = 4096   // of which score sheets are given, if
	keptInAll    = 16_384 // choices of all of them are not more; by then those of an epoch that is over are long told
	keptChoices  = 64     // of each, best first
)

// sale is one auction whose lease was taken.
type sale struct {
	of      *fleet.Sale
	ask     auction.Ask
	choices []auction.Choice
	winner  common.Address
	prices  protocol.Prices
}

// sold keeps an auction for its score sheets. The lease that was taken need not be the one first offered.
func (d *Dispatcher) sold(of *fleet.Sale, lease protocol.ID, choices []auction.Choice, winner common.Address, prices protocol.Prices) {
	ask := of.Ask
	if ask.Tie.IsZero() {
		ask.Tie = ask.Lease // by which equals were ordered
	}
	ask.Lease = lease
	s := sale{of: of, ask: ask, choices: slices.Clone(choices[:min(keptChoices, len(choices))]), winner: winner, prices: prices}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.auctions = append(d.auctions, s)
	d.keptChoices += len(s.choices)
	old := 0
	for ; len(d.auctions)-old > keptAuctions || d.keptChoices > keptInAll && old < len(d.auctions)-1; old++ {
		d.keptChoices -= len(d.auctions[old].choices)
	}
	d.auctions = slices.Delete(d.auctions, 0, old)
}

// Sheets are t's of the auctions of late in which it was looked at, newest first, each signed; at most so many. Those whose bids are
// sealed still have prices only if it is for itself, or its orchestrator, that they are asked.
func (d *Dispatcher) Sheets(t common.Address, lease protocol.ID, most int, own bool) ([]protocol.Signed[protocol.ScoreSheet], error) {
	d.mu.Lock()
	auctions := slices.Clone(d.auctions)
	d.mu.Unlock()
	sheets := []protocol.Signed[protocol.ScoreSheet]{}
	for _, s := range slices.Backward(auctions) {
		if len(sheets) >= most {
			break
		}
		if !lease.IsZero() && s.ask.Lease != lease {
			continue
		}
		open := s.of.Over()
		sheet, ok := s.sheet(t, d.self, open)
		if !ok {
			continue
		}
		if !open && !own {
			sheet = sheet.Sealed()
		}
		signed, err := protocol.Seal(d.cfg.Domain, d.cfg.Signer, sheet)
		if err != nil {
			return nil, err
		}
		sheets = append(sheets, signed)
	}
	return sheets, nil
}

// sheet is t's; open says that the epoch is over, and what would have won may be told.
func (s sale) sheet(t, self common.Address, open bool) (protocol.ScoreSheet, bool) {
	own, ok := auction.SheetOf(s.choices, s.ask, t, s.winner, s.prices)
	if !ok {
		return protocol.ScoreSheet{}, false
	}
	sheet := protocol.ScoreSheet{Lease: own.Lease, Orchestrator: self, Transcoder: t, BidSequence: own.BidSequence, Prices: own.Prices, Cost: own.Cost,
		Quality: own.Quality, Won: own.Won, Paid: own.Paid, Reason: string(own.Reason), Rank: uint32(own.Rank), Of: uint32(own.Of),
		Epoch: s.of.Epoch, Auction: s.of.Number, Book: s.of.Book, Figures: s.of.Figures}
	if tell := s.of.Tell(); !tell.IsZero() {
		sheet.TellMillis = uint64(tell.UnixMilli())
	}
	if !own.Won && open {
		sheet.WouldWin, _ = auction.WouldHaveWon(s.choices, s.ask, t)
	}
	return sheet, true
}
