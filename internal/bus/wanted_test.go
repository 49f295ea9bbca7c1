package bus_test

import (
	"context"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/protocol"
)

func wanted(t *testing.T, o protocol.Signer) protocol.BidRequest {
	ladder := protocol.Ladder{{Name: "240p", Width: 426, Height: 240, Bitrate: 400_000, Codec: protocol.AV1, Container: protocol.FMP4}}
	return protocol.BidRequest{Ladder: ladder, SourceFPS: 30, Request: seal(t, o, protocol.WorkRequest{Orchestrator: o.Address(), Ask: protocol.NewID(), LadderHash: protocol.Hash(ladder.Hash()),
		MaxPrices: prices(9), AtMillis: 1, WaitMillis: 250})}
}

func TestBidRequest_isAnsweredByThoseWhoBidAndBoundedByItsTaker(t *testing.T) {
	t.Parallel()
	s, o := start(t), signer(t, 1)
	asker := dial(t, s.URL())
	for n := range int64(5) {
		k, b := signer(t, 10+n), dial(t, s.URL())
		if err := b.ServeBidRequests(t.Context(), func(r protocol.BidRequest) (protocol.Signed[protocol.Bid], bool) {
			answer := bid(t, k, 1).Message
			answer.Request = protocol.Hash(r.Request.Message.StructHash())
			return seal(t, k, answer), n > 0 // the first one has nothing to sell
		}); err != nil {
			t.Fatal(err)
		}
	}
	r := wanted(t, o)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	taken := 0
	if err := asker.RequestBids(ctx, r, func(b protocol.Signed[protocol.Bid]) bool {
		if m, err := b.Open(domain); err != nil || m.Request != protocol.Hash(r.Request.Message.StructHash()) || m.Transcoder == signer(t, 10).Address() {
			t.Errorf("bid %+v, %v", m, err)
		}
		taken++
		return taken < 4
	}); err != nil || taken != 4 {
		t.Errorf("%d bids came, %v", taken, err)
	}
}

func TestBidRequest_endsWithItsDeadlineOrWhenNobodyListens(t *testing.T) {
	t.Parallel()
	s, o := start(t), signer(t, 1)
	asker, silent := dial(t, s.URL()), dial(t, s.URL())
	none := func(protocol.Signed[protocol.Bid]) bool { t.Error("a bid came"); return true }
	long, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := asker.RequestBids(long, wanted(t, o), none); err != nil || long.Err() != nil {
		t.Errorf("nobody listens: %v", err)
	}
	heard := make(chan struct{}, 1)
	if err := silent.ServeBidRequests(t.Context(), func(protocol.BidRequest) (protocol.Signed[protocol.Bid], bool) {
		heard <- struct{}{}
		return protocol.Signed[protocol.Bid]{}, false
	}); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := asker.RequestBids(short, wanted(t, o), none); err != nil || short.Err() == nil {
		t.Errorf("nobody answers: %v", err)
	}
	receive(t, heard)
	before := silent.Dropped()
	stranger := wanted(t, signer(t, 2))
	stranger.Ladder[0].Width++ // not what was signed
	short, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := asker.RequestBids(short, stranger, none); err != nil {
		t.Error(err)
	}
	eventually(t, "a request for another ladder is dropped", func() bool { return silent.Dropped() > before })
	if len(heard) > 0 {
		t.Error("it was handed on")
	}
}
