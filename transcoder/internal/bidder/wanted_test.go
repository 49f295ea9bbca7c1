package bidder

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

func TestAskers_oneThatAsksTooMuchCostsNoOtherItsAnswer(t *testing.T) {
	t.Parallel()
	a, now := make(askers), time.Now()
	who := func(n int) common.Address {
		return common.Address(binary.BigEndian.AppendUint32(make([]byte, 16), uint32(n)))
	}
	answered := 0
	for range 1000 {
		if a.allow(who(1), now) {
			answered++
		}
	}
	if answered != answerBurst || !a.allow(who(2), now) {
		t.Errorf("%d requests of one are answered, and then none of the other's", answered)
	}
	for n := range 10 * maxAskers {
		a.allow(who(3+n), now)
	}
	if len(a) > maxAskers || a.allow(who(1), now) {
		t.Errorf("%d are counted apart, and what was asked is forgotten", len(a))
	}
	if later := now.Add(2 * time.Second); !a.allow(who(1<<20), later) || !a.allow(who(1), later) {
		t.Error("nobody is answered any more")
	}
}
