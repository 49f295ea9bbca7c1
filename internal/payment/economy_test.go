package payment

import (
	"fmt"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

func TestRank_putsFirstWhatHasMostToLose(t *testing.T) {
	t.Parallel()
	lane := func(n uint16, face, count, expiry uint64) WaitingLane {
		return WaitingLane{LaneKey: LaneKey{common.Address{1}, n}, FaceValue: protocol.NewWei(face), Count: count, Expiry: expiry}
	}
	const now = 1000
	lanes := []WaitingLane{
		lane(1, 100, 1, now+1000),  // small and far
		lane(2, 100, 50, now+1000), // many, far
		lane(3, 100, 1, now+10),    // small, about to expire
		lane(4, 9000, 1, now+1000), // large and far
		lane(5, 100, 1, now-5),     // expired: it is settled without a transaction
		lane(6, 0, 1, now+500), lane(7, 0, 1, now+400),
	}
	rank(lanes, now)
	var order []uint16
	for _, l := range lanes {
		order = append(order, l.Lane)
	}
	if got := fmt.Sprint(order); got != "[5 3 4 2 1 7 6]" {
		t.Errorf("order %s", got)
	}
}

func TestAffordable_growsToAllOfItNearTheEnd(t *testing.T) {
	t.Parallel()
	const life = 24 * time.Hour
	for _, c := range []struct {
		percent uint64
		left    time.Duration
		want    uint64
	}{
		{2, 24 * time.Hour, 20}, {2, 6 * time.Hour, 20}, {2, 6*time.Hour - 1, 1000}, {2, 0, 1000},
		{100, 24 * time.Hour, 1000}, {250, time.Hour, 2500}, {250, 20 * time.Hour, 2500},
	} {
		if got := affordable(protocol.NewWei(1000), c.percent, c.left, life); got != protocol.NewWei(c.want) {
			t.Errorf("%d percent, %s left: %s of 1000 wei, want %d", c.percent, c.left, got, c.want)
		}
	}
}

func TestPace_waitsTwiceAsLongEachTimeUpToABound(t *testing.T) {
	t.Parallel()
	p := Pace{}.withDefaults()
	now := time.Unix(1000, 0)
	for tries, want := range map[int]time.Duration{0: 5 * time.Second, 1: 10 * time.Second, 6: 320 * time.Second, 7: 10 * time.Minute, 1 << 30: 10 * time.Minute} {
		if got := p.retryAt(now, tries).Sub(now); got != want {
			t.Errorf("after %d tries it waits %s, want %s", tries, got, want)
		}
	}
}
