package payment

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/kinora/kinora/internal/protocol"
)

// What a redemption's parts take of gas, for the first look at whether they are worth it; the node's estimate has the last
// word. They follow from contracts/gas-ceilings.txt: a further payer in a batch.
const (
	gasPerRun    = 20_000
	gasPerTicket = 5_800
)

// perSecond is how much a lane stands to lose for every second it waits, in millionths of a wei: its value over the time its
// first ticket to expire has left.
func perSecond(l WaitingLane, chainTime uint64) protocol.Wei {
	left := uint64(1)
	if l.Expiry > chainTime {
		left = l.Expiry - chainTime
	}
	return l.FaceValue.Mul(l.Count).Mul(1_000_000).Div(left)
}

// rank puts the lanes first that have the most to lose.
func rank(lanes []WaitingLane, chainTime uint64) {
	slices.SortFunc(lanes, func(a, b WaitingLane) int {
		return cmp.Or(perSecond(b, chainTime).Cmp(perSecond(a, chainTime)), cmp.Compare(a.Expiry, b.Expiry),
			bytes.Compare(a.Payer[:], b.Payer[:]), cmp.Compare(a.Lane, b.Lane))
	})
}

// affordable is what redeeming value may cost: a share of it, and all of it once a quarter of the tickets' life is left. A
// share above 100 percent stays.
func affordable(value protocol.Wei, percent uint64, left, life time.Duration) protocol.Wei {
	if left < life/4 {
		percent = max(percent, 100)
	}
	return value.Mul(percent).Div(100)
}
