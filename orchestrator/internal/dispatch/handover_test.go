package dispatch

import (
	"testing"
	"time"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator/internal/store"
)

func TestHandOver_isNotUndoneByWhatTheLeaverStillFinishes(t *testing.T) {
	t.Parallel()
	d := &Dispatcher{leases: newLeases()}
	s := &segment{work: work{key: streamKey{stream: "demo", ladder: protocol.Hash(three.Hash())}, request: protocol.QuoteRequest{Ladder: three}}}
	own := false
	leaves := leased(d, s, &own, 0, 1, 2)
	next := leased(d, s, &own, 0, 1, 2)
	now := time.Now()
	if !leaves.move(now) {
		t.Fatal("it is moved already")
	}
	d.leases.prefer(next)
	d.won(&try{lease: leaves, part: partOf(s, nil)}) // the segment that was in work under it
	if first := d.leases.of(s.work.key)[0]; first != next {
		t.Error("the stream goes back to the one that leaves")
	}
	leaves.moved(now) // in vain: it stays
	d.won(&try{lease: leaves, part: partOf(s, nil)})
	if first := d.leases.of(s.work.key)[0]; first != leaves {
		t.Error("one that stays after all is not preferred any more")
	}
}

func TestHandOver_thatIsInVainIsTriedAgainEverLaterUpToFourSeconds(t *testing.T) {
	t.Parallel()
	l := newLease(streamKey{}, store.Lease{Expires: time.Minute})
	now := time.Unix(1000, 0)
	for _, wait := range []time.Duration{firstRest, 2 * firstRest, 4 * firstRest, 8 * firstRest, lastRest, lastRest, lastRest} {
		if !l.move(now) || l.move(now) {
			t.Fatalf("before a rest of %s it is not moved once", wait)
		}
		l.moved(now)
		if l.move(now.Add(wait - 1)) {
			t.Errorf("it does not rest for %s", wait)
		}
		now = now.Add(wait)
	}
}
