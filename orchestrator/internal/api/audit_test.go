package api_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator/internal/api"
	"github.com/kinora/kinora/orchestrator/internal/dispatch"
	"github.com/kinora/kinora/orchestrator/internal/peertest"
)

// read gets JSON, or the status of a refusal.
func read[A any](m *market, path string) (a A, raw []byte, status int) {
	m.Helper()
	resp, err := m.client.Get(m.url + path)
	m.must(err)
	defer resp.Body.Close()
	raw, err = io.ReadAll(resp.Body)
	m.must(err)
	if resp.StatusCode == http.StatusOK {
		m.must(json.Unmarshal(raw, &a))
	}
	return a, raw, resp.StatusCode
}

func TestAuctions_areSealedForAnEpochAndThenFollowFromWhatWasCommitted(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	published := make(map[protocol.Hash]bool)
	over := make(chan protocol.Hash, 64)
	m := newMarket(t, func(c *dispatch.Config) {
		c.Rule, c.BidEpoch = auction.SecondScore, 4*time.Second
		c.Publish = func(c protocol.Commitment) error {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case c.Figures != nil:
				published[c.Figures.Message.Root] = true
			case c.Close != nil:
				over <- c.Close.Message.Epoch
			}
			return nil
		}
	})
	m.join(peertest.Decliner, 50)
	winner, loser := m.join(peertest.Honest, 80), m.join(peertest.Honest, 120)
	segments := m.segments()
	m.push(m.offer(m.quote(), 0), bytes.NewReader(segments[0].Bytes)).passed(m)
	var lease dispatch.LeaseView
	for _, l := range m.dispatcher.Leases() {
		if !l.Standby {
			lease = l
		}
	}
	won, err := m.dispatcher.Sheets(winner.Address(), lease.Lease, 1, true)
	m.must(err)
	if len(won) != 1 || won[0].Message.Epoch.IsZero() || !published[won[0].Message.Figures] {
		t.Fatalf("the winner's sheet %+v names no published commitment", won)
	}
	epoch := won[0].Message.Epoch
	path := "/api/v1/auctions/epochs/" + epoch.String()
	if sealed, _, _ := read[api.AuctionEpoch](m, path); !sealed.Over && (sealed.Secret != nil || len(sealed.Figures) == 0) {
		t.Errorf("while the bids are sealed: %+v", sealed)
	}
	if _, _, status := read[[]auction.Entry](m, path+"?page=0"); status != http.StatusNotFound {
		if now, _, _ := read[api.AuctionEpoch](m, path); !now.Over {
			t.Errorf("a page of a sealed journal: %d", status)
		}
	}
	for m.within("the epoch is closed", over) != epoch {
	}
	late, err := m.dispatcher.Sheets(loser.Address(), lease.Lease, 1, true)
	m.must(err)
	if would, _ := late[0].Message.WouldWin.Of(protocol.H264); len(late) != 1 || would.IsZero() || protocol.NewWei(80).Less(would) {
		t.Errorf("after the epoch the loser is told %+v", late)
	}

	listed, _, _ := read[[]auction.Reveal](m, "/api/v1/auctions/epochs?limit=50")
	if len(listed) < 2 {
		t.Errorf("%d epochs are listed", len(listed))
	}
	told, _, _ := read[api.AuctionEpoch](m, path)
	u, err := auction.NewAuditor(m.domain, told.Reveal)
	m.must(err)
	var leases []protocol.ID
	u.Each = func(a auction.Auction, choices []auction.Choice, _ []auction.Offer, o auction.Outcome) {
		if o.Taken {
			leases = append(leases, o.Awards[len(o.Awards)-1].Message.Lease)
		}
		if n := len(auction.Ranked(choices)); len(a.Ask.Avoid) == 0 && n != 3 { // who stands by is sought without the holder
			t.Errorf("%d could have had the lease", n)
		}
	}
	var pages []protocol.Hash
	for n := range told.Pages {
		entries, raw, _ := read[[]auction.Entry](m, fmt.Sprintf("%s?page=%d", path, n))
		pages = append(pages, sha256.Sum256(raw))
		u.Page(entries)
	}
	report := u.Finish(pages)
	if len(report.Faults) > 0 || !report.Complete || report.Awards < 2 || len(leases) == 0 || leases[0] != lease.Lease {
		t.Errorf("leases %v, report %+v", leases, report)
	}
	for _, q := range []string{"?limit=101", "?before=x", "/0x12", "/" + protocol.NewID().String()} {
		if _, raw, status := read[any](m, "/api/v1/auctions/epochs"+q); status != http.StatusBadRequest && status != http.StatusNotFound {
			t.Errorf("%s: %d %s", q, status, raw)
		}
	}
}

// within waits for the next of a channel.
func (m *market) within(what string, c <-chan protocol.Hash) protocol.Hash {
	m.Helper()
	select {
	case h := <-c:
		return h
	case <-time.After(patience):
		m.Fatalf("waited in vain until %s", what)
		return protocol.Hash{}
	}
}
