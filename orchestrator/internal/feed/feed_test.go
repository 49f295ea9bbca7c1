package feed_test

import (
	"context"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator/internal/feed"
)

func TestFeed_replaysTheNewestAndGoesOn(t *testing.T) {
	t.Parallel()
	var published []protocol.Event
	f := feed.New(common.Address{1}, func(e protocol.Event) { published = append(published, e) })
	for range 1200 {
		f.Emit(protocol.Event{Kind: protocol.BidReceived})
	}
	f.Relay(protocol.Event{Kind: protocol.TicketWon, Actor: common.Address{1}}) // its own, back from the bus
	f.Relay(protocol.Event{Kind: protocol.TicketWon, Actor: common.Address{2}, ID: 7})
	ctx, stop := context.WithCancel(t.Context())
	past, more := f.Read(ctx, 0)
	if len(past) != 500 || past[499].Event.ID != 7 || past[499].Place != 1201 {
		t.Fatalf("%d kept, the last at %d: %+v", len(past), past[len(past)-1].Place, past[len(past)-1].Event)
	}
	if again, _ := f.Read(ctx, 1200); len(again) != 1 {
		t.Errorf("%d after place 1200", len(again))
	}
	f.Emit(protocol.Event{Kind: protocol.LeaseAwarded})
	if e := <-more; e.Event.Kind != protocol.LeaseAwarded || e.Event.Actor != (common.Address{1}) || e.Event.Role != "orchestrator" {
		t.Errorf("then came %+v", e.Event)
	}
	stop()
	for range more { // it closes
	}
	if len(published) != 1201 || published[1].ID != published[0].ID+1 {
		t.Errorf("%d published", len(published))
	}
}

func TestFeed_dropsAReaderThatSleeps(t *testing.T) {
	t.Parallel()
	f := feed.New(common.Address{1}, nil)
	_, more := f.Read(t.Context(), 0)
	for range 3000 {
		f.Emit(protocol.Event{Kind: protocol.BidReceived})
	}
	n := 0
	for range more {
		n++
	}
	if n != 1024 {
		t.Errorf("%d were kept for it", n)
	}
}
