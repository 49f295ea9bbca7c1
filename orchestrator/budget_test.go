package orchestrator_test

import (
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/media/mediatest"
	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
)

// Two segments fit into the stream's budget, with what each may cost held against it; a restart forgets nothing.
func TestRun_paysTranscodersNoMoreThanItsBudget(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.config.Auction = string(auction.PayAsBid)
	const cost = 100 * 30 * (160*90 + 96*54) // of a segment of one second, at the bid
	w.config.SpendPerStream, w.config.SpendPerDay = protocol.NewWei(cost*7/2), protocol.NewWei(cost*10)
	segments := mediatest.Segments(t, mediatest.Spec{Seconds: 3, SegmentSeconds: 1})
	p := w.start()
	for seq, s := range segments[:2] {
		if err := w.push(t.Context(), uint64(seq), s.Bytes); err != nil {
			t.Fatalf("segment %d: %v", seq, err)
		}
	}
	refused := func(when string) {
		t.Helper()
		if err := w.push(t.Context(), 2, segments[2].Bytes); err == nil || !strings.Contains(err.Error(), string(protocol.NoTranscoder)) || !strings.Contains(err.Error(), "budget") {
			t.Errorf("%s: %v", when, err)
		}
		want := payment.Spending{Total: protocol.NewWei(2 * cost), Hour: protocol.NewWei(2 * cost), Day: protocol.NewWei(2 * cost), StreamDay: protocol.NewWei(2 * cost),
			DayCap: w.config.SpendPerDay, StreamCap: w.config.SpendPerStream}
		if got := w.stats().Spend; got != want {
			t.Errorf("%s: %+v, want %+v", when, got, want)
		}
	}
	refused("beyond the budget")
	w.must(p.Process.Signal(syscall.SIGTERM))
	if err := <-p.ended; err != nil {
		t.Fatal(err)
	}
	w.start()
	refused("after a restart")

	w.eventually("the metrics tell of the money", func() bool {
		resp, err := w.client.Get(w.url + "/metrics")
		w.must(err)
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		w.must(err)
		text := string(b)
		return resp.StatusCode == http.StatusOK && strings.Contains(text, "kinora_orchestrator_budget_used_ratio 0.57") &&
			strings.Contains(text, "kinora_orchestrator_runway_hours ") && strings.Contains(text, "kinora_orchestrator_funds_low 0")
	})
	if f := w.stats().Funds; f.At.After(time.Now()) || f.AllocatedWei != ether(1) || f.SpentHourWei != protocol.NewWei(2*cost) || f.RunwayHours <= 0 {
		t.Errorf("funds: %+v", f)
	}
}
