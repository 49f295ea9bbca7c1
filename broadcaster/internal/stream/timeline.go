package stream

// maxFill is how far behind the newest sequence number an unknown one may come and still fill its gap.
const maxFill = 3

// known says what is known of the key of a push, in the current incarnation.
type known int

const (
	unknown        known = iota
	flyingSame           // in flight, with the same bytes
	flyingOther          // in flight, with other bytes
	recordedSame         // verified before, with the same bytes
	recordedOther        // verified or failed before, with other bytes
	recordedFailed       // failed before, with the same bytes
)

// action is what a push comes to.
type action int

const (
	begin    action = iota // a segment of the current incarnation
	join                   // wait for the one in flight
	answer                 // from the record: never paid twice
	conflict               // refused
	restart                // the encoder has restarted: begin the next incarnation with it
)

// decide is the rule of identity: DESIGN section 3. newest is the highest number of the incarnation, if it has any.
func decide(started bool, newest, seq uint64, k known) action {
	switch k {
	case flyingSame:
		return join
	case flyingOther:
		return conflict
	case recordedSame:
		return answer
	case recordedFailed:
		return begin
	case recordedOther:
		return restart
	}
	if !started || seq > newest || newest-seq <= maxFill {
		return begin
	}
	return restart
}

// epoch is one incarnation of a stream.
type epoch struct {
	incarnation uint32
	flying      map[uint64]*segment
	settled     bool   // something of it was committed
	high        uint64 // highest committed
	previous    *epoch // to fall back to while nothing is settled: a refused push restarts nothing
}

func newEpoch(incarnation uint32, previous *epoch) *epoch {
	return &epoch{incarnation: incarnation, flying: make(map[uint64]*segment), previous: previous}
}

// newest is the highest number in flight or committed.
func (e *epoch) newest() (seq uint64, started bool) {
	seq, started = e.high, e.settled
	for n := range e.flying {
		if !started || n > seq {
			seq, started = n, true
		}
	}
	return seq, started
}

// next is the epoch that a restart begins.
func (e *epoch) next() *epoch {
	if _, started := e.newest(); !started {
		return e // nothing is known of this one: it has not begun
	}
	return newEpoch(e.incarnation+1, e)
}

// settle notes that seq was committed, as verified or as failed.
func (e *epoch) settle(seq uint64) {
	delete(e.flying, seq)
	if !e.settled || seq > e.high {
		e.high = seq
	}
	e.settled, e.previous = true, nil
}

// refuse forgets seq and returns the epoch that is current then.
func (e *epoch) refuse(seq uint64) *epoch {
	delete(e.flying, seq)
	if !e.settled && len(e.flying) == 0 && e.previous != nil {
		return e.previous
	}
	return e
}
