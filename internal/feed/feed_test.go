package feed_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/feed"
	"github.com/kinora/kinora/internal/protocol"
)

func TestFeed_replaysTheNewestAndGoesOn(t *testing.T) {
	t.Parallel()
	var published []protocol.Event
	f := feed.New("orchestrator", common.Address{1}, func(e protocol.Event) { published = append(published, e) })
	for range 1200 {
		f.Emit(protocol.Event{Kind: protocol.BidReceived})
	}
	f.Relay(protocol.Event{Kind: protocol.TicketWon, Actor: common.Address{1}}) // its own, back from the bus
	f.Relay(protocol.Event{Kind: protocol.TicketWon, Actor: common.Address{2}, ID: 7})
	ctx, stop := context.WithCancel(t.Context())
	past, more := f.Read(ctx, 0)
	if len(past) != 500 || past[499].Event.ID != 7 {
		t.Fatalf("%d kept, the last at %d: %+v", len(past), past[len(past)-1].Place, past[len(past)-1].Event)
	}
	if again, _ := f.Read(ctx, past[498].Place); len(again) != 1 {
		t.Errorf("%d after the last but one", len(again))
	}
	if again, _ := f.Read(ctx, past[499].Place+1000); len(again) != 500 {
		t.Errorf("%d after a place that was never given", len(again))
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
	f := feed.New("orchestrator", common.Address{1}, nil)
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

func TestServeHTTP_resumesBehindTheLastSeen(t *testing.T) {
	t.Parallel()
	f := feed.New("transcoder", common.Address{7}, nil)
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	for i := range 600 {
		f.Emit(protocol.Event{Kind: protocol.AttemptStarted, Seq: uint64(i)})
	}
	// read returns the first n events and their places.
	read := func(last string, n int) (events []protocol.Event, ids []string) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Last-Event-ID", last)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		for lines := bufio.NewScanner(resp.Body); len(events) < n && lines.Scan(); {
			if id, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
				ids = append(ids, id)
			}
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				e, err := protocol.Decode[protocol.Event]([]byte(data))
				if err != nil {
					t.Fatal(err)
				}
				events = append(events, e)
			}
		}
		return events, ids
	}
	all, ids := read("", 500)
	if len(all) != 500 || all[0].Seq != 100 || all[499].Seq != 599 {
		t.Fatalf("%d events, %d to %d", len(all), all[0].Seq, all[len(all)-1].Seq)
	}
	f.Emit(protocol.Event{Kind: protocol.ReceiptSigned, Seq: 600})
	if rest, _ := read(ids[498], 2); len(rest) != 2 || rest[0].Seq != 599 || rest[1].Kind != protocol.ReceiptSigned || rest[1].Role != "transcoder" {
		t.Errorf("resumed with %+v", rest)
	}
}
