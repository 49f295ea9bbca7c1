package payment_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/payment"
	"github.com/kinora/kinora/internal/protocol"
)

func TestSpend_holdsEachOfItsCaps(t *testing.T) {
	t.Parallel()
	wei := protocol.NewWei
	now := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	caps := payment.Caps{Hour: wei(100), Day: wei(250), StreamDay: wei(180), Total: wei(1000)}
	s := payment.NewSpend(caps, wei(640), []payment.Spent{{At: now.Add(-23 * time.Hour), Stream: "a", Fee: wei(40)}}) // what was spent before counts on
	spend := func(stream string, budget, fee uint64) error {
		settle, err := s.Hold(stream, wei(budget), now)
		if err == nil {
			settle(wei(fee), now)
			settle(wei(fee), now) // once
		}
		return err
	}
	refused := func(stream string, budget uint64, flag string) {
		t.Helper()
		err := spend(stream, budget, 0)
		if protocol.CodeOf(err) != protocol.SpendCapReached || !strings.Contains(err.(*protocol.Error).Limit, flag) {
			t.Errorf("another %d for %s: %v, want %s in the way", budget, stream, err, flag)
		}
	}
	must := func(stream string, budget, fee uint64) {
		t.Helper()
		if err := spend(stream, budget, fee); err != nil {
			t.Error(err)
		}
	}
	must("a", 100, 90)
	refused("a", 11, "spend-per-hour=100")
	refused("b", 11, "spend-per-hour=100")
	must("b", 10, 1)
	now = now.Add(61 * time.Minute) // the 40 of yesterday are gone too
	must("a", 90, 90)
	refused("a", 1, "spend-per-stream=180")
	must("b", 10, 0)
	now = now.Add(61 * time.Minute)
	must("b", 69, 69) // 90 + 1 + 90 + 69 = 250
	refused("b", 1, "spend-per-day=250")
	now = now.Add(25 * time.Hour)
	held, err := s.Hold("c", wei(100), now) // 640 + 250 + 100 in flight
	if err != nil {
		t.Fatal(err)
	}
	refused("c", 11, "spend-total=1000")
	held(protocol.Wei{}, now)
	must("c", 11, 11)
	s.Note("d", wei(12), now) // another replica's
	want := payment.Spending{Total: wei(913), Hour: wei(23), Day: wei(23), StreamDay: wei(12), TotalCap: wei(1000), HourCap: wei(100), DayCap: wei(250), StreamCap: wei(180)}
	if got := s.Totals(now); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// Another replica's minute is heard of late, and does not make this side forget its own any sooner.
func TestSpend_notedLateShortensNoWindow(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 1, 12, 0, 59, 0, time.UTC)
	s := payment.NewSpend(payment.Caps{Hour: wei(100)}, wei(0), []payment.Spent{{At: now, Stream: "a", Fee: wei(90)}, {At: now.Add(-59 * time.Minute), Stream: "b", Fee: wei(1)}})
	if _, err := s.Hold("a", wei(20), now.Add(59*time.Minute)); protocol.CodeOf(err) != protocol.SpendCapReached {
		t.Errorf("what was spent 59 minutes ago does not count any more: %v", err)
	}
}

func TestSpend_saysWhatIsLeftAndWhenACapIsNear(t *testing.T) {
	t.Parallel()
	wei := protocol.NewWei
	now := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	if _, bounded := payment.NewSpend(payment.Caps{}, wei(5), nil).Left("a", now); bounded {
		t.Error("without a cap there is a bound")
	}
	s := payment.NewSpend(payment.Caps{Hour: wei(100), StreamDay: wei(50), Total: wei(1000)}, wei(0), nil)
	settle, err := s.Hold("a", wei(30), now)
	if err != nil {
		t.Fatal(err)
	}
	if left, _ := s.Left("a", now); left != wei(20) {
		t.Errorf("%s are left for a stream of which 30 of 50 are held", left)
	}
	if left, _ := s.Left("b", now); left != wei(50) {
		t.Errorf("%s are left for another", left)
	}
	if near := s.Near("a", now); len(near) > 0 {
		t.Errorf("near %q while nothing is spent", near)
	}
	settle(wei(40), now)
	if near := s.Near("a", now); len(near) != 1 || near[0] != "spend-per-stream" {
		t.Errorf("near %q with 40 of 50 spent", near)
	}
	if near := s.Near("a", now.Add(25*time.Hour)); len(near) > 0 {
		t.Errorf("near %q a day later", near)
	}
}
