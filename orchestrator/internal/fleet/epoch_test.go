package fleet

import (
	"log/slog"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/pgcluster/pgtest"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/migrations"
	"github.com/kinora/kinora/orchestrator/internal/store"
)

// Bids go on while the database is away: the journal that they grow is given up before it takes the memory, decides nothing any
// more, and the next epoch begins without it.
func TestEpoch_isGivenUpWhenItsJournalGrowsAndCannotBeStored(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	if err := migrations.Postgres(t.Context(), url, "orchestrator"); err != nil {
		t.Fatal(err)
	}
	k, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	self := protocol.NewKeySigner(k)
	f := New(Config{Domain: protocol.NewDomain(1, self.Address()), Self: self.Address(), MaxMembers: 1, Events: func(protocol.Event) {}, Log: slog.New(slog.DiscardHandler)},
		store.New(pgtest.Open(t, url)), nil)
	f.Hold(Terms{Signer: self, Rule: auction.SecondScore, Epoch: time.Hour})
	now := time.Now()
	if err := f.keepOnce(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	ask := Listing{Ask: auction.Ask{Ladder: protocol.Ladder{{Width: 2, Height: 2, Codec: protocol.H264}}, SourceFPS: 30}}
	sale, err := f.Auction(ask)
	if err != nil {
		t.Fatal(err)
	}
	first := f.hall.epoch
	for range maxHeld {
		f.hall.write(auction.Entry{Bid: &auction.Change{Out: auction.Expired}})
	}
	if _, err := f.Auction(ask); err == nil {
		t.Error("a lease is auctioned that could not be shown")
	}
	for range maxHeld {
		f.hall.write(auction.Entry{Bid: &auction.Change{Out: auction.Expired}})
	}
	if len(first.entries) > 0 {
		t.Errorf("%d entries are held", len(first.entries))
	}
	if _, err := f.Auction(ask); err == nil {
		t.Error("a lease is auctioned by an epoch whose journal was given up")
	}
	if sale.Over() {
		t.Error("the bids of an epoch that was given up are open before its time")
	}
	if err := f.keepOnce(t.Context(), now.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Auction(ask); err != nil || f.hall.epoch == first || len(f.hall.past) > 0 {
		t.Errorf("no other epoch decides: %v, %d are past", err, len(f.hall.past))
	}
	epochs, err := f.store.AuctionEpochs(t.Context(), now.Add(time.Hour), 10)
	if err != nil || len(epochs) != 2 || epochs[1].Close != nil {
		t.Errorf("epochs %+v, %v", epochs, err)
	}
}
