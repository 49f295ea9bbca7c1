package dispatch

import (
	"testing"

	"github.com/kinora/kinora/internal/protocol"
)

func TestHandOver_isNotUndoneByWhatTheLeaverStillFinishes(t *testing.T) {
	t.Parallel()
	d := &Dispatcher{leases: newLeases()}
	s := &segment{work: work{key: streamKey{stream: "demo", ladder: protocol.Hash(three.Hash())}, request: protocol.QuoteRequest{Ladder: three}}}
	own := false
	leaves := leased(d, s, &own, 0, 1, 2)
	next := leased(d, s, &own, 0, 1, 2)
	if !leaves.move() {
		t.Fatal("it is moved already")
	}
	d.leases.prefer(next)
	d.won(&try{lease: leaves, part: partOf(s, nil)}) // the segment that was in work under it
	if first := d.leases.of(s.work.key)[0]; first != next {
		t.Error("the stream goes back to the one that leaves")
	}
	leaves.moved() // in vain: it stays
	d.won(&try{lease: leaves, part: partOf(s, nil)})
	if first := d.leases.of(s.work.key)[0]; first != leaves {
		t.Error("one that stays after all is not preferred any more")
	}
}
