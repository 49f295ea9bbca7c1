package wire

// TicksPerSecond is the unit of every timestamp here.
const TicksPerSecond = 90000

// Slot is the number of the frame interval at num/den pictures per second that the picture at pts falls into: the one
// whose begin is nearest.
func Slot(pts int64, num, den int) int64 {
	// floor(pts·num/(ticks·den) + 1/2)
	a, b := 2*pts*int64(num)+TicksPerSecond*int64(den), 2*TicksPerSecond*int64(den)
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// SlotPTS is when slot n begins, to the nearest tick.
func SlotPTS(n int64, num, den int) int64 {
	a, b := 2*n*TicksPerSecond*int64(den)+int64(num), 2*int64(num)
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
