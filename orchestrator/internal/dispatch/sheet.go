package dispatch

import (
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
)

const (
	keptAuctions = 256         // of which score sheets are given
	keptChoices  = 64          // of each, best first
	sealedFor    = time.Minute // before anybody is told what would have won: by then the bids it shows are old
)

// sale is one auction whose lease was taken.
type sale struct {
	ask     auction.Ask
	choices []auction.Choice
	winner  common.Address
	prices  protocol.Prices
	at      time.Time
}

// sold keeps an auction for its score sheets. The lease that was taken need not be the one first offered.
func (d *Dispatcher) sold(ask auction.Ask, lease protocol.ID, choices []auction.Choice, winner common.Address, prices protocol.Prices) {
	if ask.Tie.IsZero() {
		ask.Tie = ask.Lease // by which equals were ordered
	}
	ask.Lease = lease
	s := sale{ask: ask, choices: slices.Clone(choices[:min(keptChoices, len(choices))]), winner: winner, prices: prices, at: time.Now()}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.auctions) >= keptAuctions {
		d.auctions = slices.Delete(d.auctions, 0, len(d.auctions)-keptAuctions+1)
	}
	d.auctions = append(d.auctions, s)
}

// Sheets are t's of the auctions of late in which it was looked at, newest first, each signed.
func (d *Dispatcher) Sheets(t common.Address) ([]protocol.Signed[protocol.ScoreSheet], error) {
	d.mu.Lock()
	auctions := slices.Clone(d.auctions)
	d.mu.Unlock()
	sheets := []protocol.Signed[protocol.ScoreSheet]{}
	for _, s := range slices.Backward(auctions) {
		sheet, ok := s.sheet(t, d.self, time.Now())
		if !ok {
			continue
		}
		signed, err := protocol.Seal(d.cfg.Domain, d.cfg.Signer, sheet)
		if err != nil {
			return nil, err
		}
		sheets = append(sheets, signed)
	}
	return sheets, nil
}

func (s sale) sheet(t, self common.Address, now time.Time) (protocol.ScoreSheet, bool) {
	own, ok := auction.SheetOf(s.choices, s.ask, t, s.winner, s.prices)
	if !ok {
		return protocol.ScoreSheet{}, false
	}
	sheet := protocol.ScoreSheet{Lease: own.Lease, Orchestrator: self, Transcoder: t, BidSequence: own.BidSequence, Prices: own.Prices, Cost: own.Cost,
		Quality: own.Quality, Won: own.Won, Paid: own.Paid, Reason: string(own.Reason), Rank: uint32(own.Rank), Of: uint32(own.Of)}
	if !own.Won && now.Sub(s.at) >= sealedFor {
		sheet.WouldWin, _ = auction.WouldHaveWon(s.choices, s.ask, t)
	}
	return sheet, true
}
