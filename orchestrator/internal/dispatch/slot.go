package dispatch

import (
	"context"
	"errors"
	"sync"

	"github.com/kinora/kinora/internal/protocol"
)

// Slot is one request a transcoder has parked for the next attempt of a lease: frames go out in its answer and come
// back in its body. Whoever takes it from the lease owns it until finish; after that nothing touches the request any more.
type Slot struct {
	in   *protocol.FrameReader
	gone <-chan struct{} // the transcoder's side has ended

	mu   sync.Mutex // of out; held while a write is in progress
	out  *protocol.FrameWriter
	open func() error

	gate     sync.Mutex // of what follows; never held while waiting for the network
	cut      func()     // unblocks reads and writes in progress
	taken    bool
	finished bool
	done     chan struct{}
}

// NewSlot wraps a request that is to be parked. open begins the answer, once it is; cut must unblock reads and writes that
// are in progress; gone closes when the transcoder's side has ended.
func NewSlot(in *protocol.FrameReader, out *protocol.FrameWriter, open func() error, cut func(), gone <-chan struct{}) *Slot {
	return &Slot{in: in, out: out, open: open, cut: cut, gone: gone, done: make(chan struct{})}
}

// Wait returns when the attempt is over, or when the transcoder left before one came: the request may be answered to its end.
func (s *Slot) Wait() {
	select {
	case <-s.done:
		return
	case <-s.gone:
	}
	s.gate.Lock()
	taken := s.taken
	s.gate.Unlock()
	if !taken {
		s.finish()
	}
	<-s.done
}

// own marks the slot as taken by an attempt; false when it is over already.
func (s *Slot) own() bool {
	s.gate.Lock()
	defer s.gate.Unlock()
	if s.finished || s.taken || !s.present() {
		return false
	}
	s.taken = true
	return true
}

func (s *Slot) present() bool {
	select {
	case <-s.gone:
		return false
	default:
		return true
	}
}

func (s *Slot) alive() bool {
	s.gate.Lock()
	defer s.gate.Unlock()
	return !s.finished && s.present()
}

// finish ends the slot once no write is in progress.
func (s *Slot) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gate.Lock()
	defer s.gate.Unlock()
	if !s.finished {
		s.finished = true
		close(s.done)
	}
}

// abort unblocks whoever reads or writes; what they get is an error.
func (s *Slot) abort() {
	s.gate.Lock()
	defer s.gate.Unlock()
	if !s.finished {
		s.cut()
	}
}

var errFinished = errors.New("the slot is finished")

func (s *Slot) write(f protocol.Frame) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.done:
		return errFinished
	default:
	}
	return s.out.Write(f)
}

// maxParked is how many slots of one lease may wait: a transcoder keeps two.
const maxParked = 8

// maxSerials is how many slot serials of a lease are remembered; older ones are taken for replays.
const maxSerials = 256

// parking is where the slots of one lease wait for its attempts.
type parking struct {
	mu      sync.Mutex
	slots   []*Slot
	came    chan struct{} // closed and replaced when one is parked
	serials map[uint64]bool
	newest  uint64
	over    bool
}

func newParking() *parking {
	return &parking{came: make(chan struct{}), serials: make(map[uint64]bool)}
}

// park adds s; serial must be new, so that a recorded request cannot be replayed into somebody else's connection.
func (p *parking) park(s *Slot, serial uint64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return protocol.Errorf(protocol.LeaseUnknown, "the lease has ended")
	}
	if p.serials[serial] || serial+maxSerials < p.newest {
		return protocol.Errorf(protocol.Stale, "slot serial %d was used, or is older than the newest %d by more than %d", serial, p.newest, maxSerials)
	}
	live := p.slots[:0]
	for _, x := range p.slots {
		if x.alive() { // one that is not ends by its own Wait
			live = append(live, x)
		}
	}
	clear(p.slots[len(live):])
	p.slots = live
	if len(p.slots) >= maxParked {
		return protocol.Limited(protocol.RateLimited, "max_parked_slots", maxParked, "%d slots of this lease are parked already", len(p.slots))
	}
	p.serials[serial] = true
	p.newest = max(p.newest, serial)
	for old := range p.serials {
		if old+maxSerials < p.newest {
			delete(p.serials, old)
		}
	}
	p.slots = append(p.slots, s)
	close(p.came)
	p.came = make(chan struct{})
	return nil
}

// take waits for a live slot until ctx ends.
func (p *parking) take(ctx context.Context) (*Slot, error) {
	for {
		p.mu.Lock()
		for len(p.slots) > 0 {
			s := p.slots[0]
			p.slots = p.slots[1:]
			if s.own() {
				p.mu.Unlock()
				return s, nil
			}
		}
		over, came := p.over, p.came
		p.mu.Unlock()
		if over {
			return nil, protocol.Errorf(protocol.LeaseUnknown, "the lease has ended")
		}
		select {
		case <-came:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// wait returns once a live slot is parked, or with why none will be.
func (p *parking) wait(ctx context.Context) error {
	for {
		p.mu.Lock()
		over, came := p.over, p.came
		p.mu.Unlock()
		if over {
			return protocol.Errorf(protocol.LeaseUnknown, "the lease has ended")
		}
		if p.used() {
			return nil
		}
		select {
		case <-came:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// used reports whether a slot was ever parked here.
func (p *parking) used() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.serials) > 0
}

// parked counts live slots.
func (p *parking) parked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, s := range p.slots {
		if s.alive() {
			n++
		}
	}
	return n
}

// close ends the waiting slots and takes no more. Slots in use go on.
func (p *parking) close() {
	p.mu.Lock()
	waiting := p.slots
	p.slots = nil
	if !p.over {
		p.over = true
		close(p.came)
		p.came = make(chan struct{})
	}
	p.mu.Unlock()
	for _, s := range waiting {
		if s.own() {
			s.finish()
		}
	}
}

// Park hands a transcoder's slot to its lease. LeaseUnknown tells the transcoder to park no more for it.
func (d *Dispatcher) Park(lease protocol.ID, request protocol.Signed[protocol.SlotRequest], s *Slot) error {
	r, err := request.Open(d.cfg.Domain)
	if err != nil {
		return err
	}
	l, ok := d.leases.get(lease)
	if !ok {
		return protocol.Errorf(protocol.LeaseUnknown, "lease %s is not open here", lease.Short())
	}
	if r.Lease != lease || r.Transcoder != l.transcoder {
		return protocol.Errorf(protocol.BadRequest, "the slot is of %s for lease %s, which is %s's", r.Transcoder, r.Lease.Short(), l.transcoder)
	}
	s.mu.Lock() // an attempt that takes it at once writes behind the beginning of the answer
	defer s.mu.Unlock()
	if err := l.parking.park(s, r.Serial); err != nil {
		return err
	}
	d.cfg.Metrics.slots.WithLabelValues("parked").Inc()
	if err := s.open(); err != nil {
		s.abort() // gone again; whoever takes it finds out
	}
	return nil
}
