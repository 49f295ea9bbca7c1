package dispatch

import (
	"context"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/route"
	"github.com/kinora/kinora/orchestrator/internal/store"
)

// streamKey is what a lease serves: one incarnation of one payer's stream at one ladder, within one price list.
type streamKey struct {
	payer       common.Address
	stream      string
	incarnation uint32
	ladder      protocol.Hash
}

// Lease is a transcoder's standing agreement to work on a stream, and the slots it has parked for that.
type Lease struct {
	id         protocol.ID
	transcoder common.Address
	key        streamKey
	offer      protocol.AwardOffer
	maxPrices  protocol.Prices
	probe      bool
	since      time.Time
	parking    *parking

	mu       sync.Mutex
	work     work // zero where it was taken over from an earlier process and is not used yet
	trial    bool // a newcomer's, out of turn
	standby  bool // accepted in advance: its holder keeps no capacity for it before its first attempt
	expires  time.Time
	lastUse  time.Time
	inFlight int
	lastSeq  uint64
	begun    bool // lastSeq means something
	failures int  // abandoned attempts in a row
	beaten   int  // segments that another one, started beside it, won
	hedges   route.Allowance
	asking   bool // a renewal or a request for parameters is on its way
	ended    bool
	moving   bool // to another holder
	moves    int  // tried so far
	nextMove time.Time
}

func newLease(key streamKey, l store.Lease) *Lease {
	a := l.Offer.Award.Message
	return &Lease{id: a.Lease, transcoder: a.Transcoder, key: key, offer: l.Offer, maxPrices: l.MaxPrices, probe: l.Probe, standby: l.Offer.Standby, since: time.Now(),
		parking: newParking(), expires: time.Now().Add(l.Expires), lastUse: time.Now()}
}

func (l *Lease) ladder() protocol.Ladder { return l.offer.Ladder }
func (l *Lease) prices() protocol.Prices { return l.offer.Award.Message.Prices }
func (l *Lease) duration() time.Duration {
	return time.Duration(l.offer.Award.Message.LeaseMillis) * time.Millisecond
}

func (l *Lease) rate() uint64 { return l.offer.Ladder.PixelRate(l.offer.SourceFPS) }

// open reports whether the lease can take an attempt now.
func (l *Lease) open(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.ended && now.Before(l.expires)
}

// begin books an attempt on seq and says whether seq directly follows the lease's previous one.
func (l *Lease) begin(seq uint64) (continues bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	continues = l.begun && seq == l.lastSeq+1
	if !l.begun || seq > l.lastSeq {
		l.lastSeq, l.begun = seq, true
	}
	l.inFlight++
	l.lastUse = time.Now()
	l.hedges = l.hedges.Segment()
	return continues
}

// serve notes what the lease is used for; after a restart only its first segment tells.
func (l *Lease) serve(w work) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.work = w
}

// serves is what the lease is used for; zero: not known.
func (l *Lease) serves() work {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.work
}

// try makes the lease a newcomer's for trial.
func (l *Lease) try() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trial = true
}

// tries reports whether it is one.
func (l *Lease) tries() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.trial
}

// stands reports whether the lease only stands by.
func (l *Lease) stands() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.standby
}

// promote makes a lease that stood by one like any other; it returns whether it was one.
func (l *Lease) promote() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.standby
	l.standby = false
	return was
}

// hedge says whether an attempt that straggles is given to a second transcoder now, or else in how long to ask again.
func (l *Lease) hedge(waited, budget time.Duration) (ok bool, again time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hedges, ok, again = l.hedges.Hedge(waited, budget)
	return ok, again
}

// over ends what begin booked; failed attempts in a row are counted and returned.
func (l *Lease) over(failed bool) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inFlight--
	l.lastUse = time.Now()
	if failed {
		l.failures++
	} else {
		l.failures = 0
	}
	return l.failures
}

// lost counts a segment that was won by an attempt beside the lease's, and returns how many were.
func (l *Lease) lost() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.beaten++
	return l.beaten
}

// idle reports whether nothing was done under the lease for d.
func (l *Lease) idle(now time.Time, d time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.inFlight == 0 && now.Sub(l.lastUse) >= d
}

// due says what the lease needs now: nothing is due while something is being asked, or once it has ended.
func (l *Lease) due(now time.Time) (renew bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.ended && !l.asking && l.expires.Sub(now) < l.duration()/2
}

// ask marks that a request about the lease is on its way; it returns false when one already is.
func (l *Lease) ask() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.asking || l.ended {
		return false
	}
	l.asking = true
	return true
}

func (l *Lease) asked() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asking = false
}

func (l *Lease) extend(until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expires = until
}

func (l *Lease) ends() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.expires
}

// end closes the lease once; false when it was closed already.
func (l *Lease) end() bool {
	l.mu.Lock()
	ended := l.ended
	l.ended = true
	l.mu.Unlock()
	l.parking.close()
	return !ended
}

// LeaseView is a lease as the API shows it.
type LeaseView struct {
	Lease       protocol.ID     `json:"lease"`
	Transcoder  common.Address  `json:"transcoder"`
	Payer       common.Address  `json:"payer"`
	Stream      string          `json:"stream"`
	Incarnation uint32          `json:"incarnation"`
	Prices      protocol.Prices `json:"prices"`
	PixelRate   uint64          `json:"pixel_rate"`
	Probe       bool            `json:"probe"`
	Standby     bool            `json:"standby"`
	LeftMillis  int64           `json:"left_ms"`
	InFlight    int             `json:"in_flight"`
	Parked      int             `json:"parked_slots"`
	Failures    int             `json:"failures_in_a_row"`
}

func (l *Lease) view(now time.Time) LeaseView {
	parked := l.parking.parked()
	l.mu.Lock()
	defer l.mu.Unlock()
	return LeaseView{Lease: l.id, Transcoder: l.transcoder, Payer: l.key.payer, Stream: l.key.stream, Incarnation: l.key.incarnation,
		Prices: l.prices(), PixelRate: l.rate(), Probe: l.probe, Standby: l.standby, LeftMillis: l.expires.Sub(now).Milliseconds(), InFlight: l.inFlight,
		Parked: parked, Failures: l.failures}
}

// leases are the open leases of this process.
type leases struct {
	mu       sync.Mutex
	byID     map[protocol.ID]*Lease
	byStream map[streamKey][]*Lease // the first one that can is used
	auctions map[streamKey]chan struct{}
	seconds  map[streamKey]time.Time // when somebody was last sought to stand by
}

func newLeases() *leases {
	return &leases{byID: make(map[protocol.ID]*Lease), byStream: make(map[streamKey][]*Lease), auctions: make(map[streamKey]chan struct{}),
		seconds: make(map[streamKey]time.Time)}
}

// auction lets one auction run per stream at a time; the returned func ends it.
func (s *leases) auction(ctx context.Context, key streamKey) (func(), error) {
	for {
		s.mu.Lock()
		running, ok := s.auctions[key]
		if !ok {
			done := make(chan struct{})
			s.auctions[key] = done
			s.mu.Unlock()
			return func() {
				s.mu.Lock()
				delete(s.auctions, key)
				s.mu.Unlock()
				close(done)
			}, nil
		}
		s.mu.Unlock()
		select {
		case <-running:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// add makes l known: by its ID at once, so that its transcoder can park; for its stream when usable.
func (s *leases) add(l *Lease, usable bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byID[l.id] = l
	if usable && !l.probe {
		s.byStream[l.key] = append(s.byStream[l.key], l)
	}
}

func (s *leases) get(id protocol.ID) (*Lease, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.byID[id]
	return l, ok
}

// find returns the first open lease of the stream that is not with anybody in avoid, and costs no more than maxPrices.
func (s *leases) find(key streamKey, avoid map[common.Address]bool, maxPrices protocol.Prices) (*Lease, bool) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.byStream[key] {
		if !avoid[l.transcoder] && l.open(now) && within(l.prices(), l.ladder(), maxPrices) {
			return l, true
		}
	}
	return nil, false
}

// within reports that prices exceed limit for no codec of ladder.
func within(prices protocol.Prices, ladder protocol.Ladder, limit protocol.Prices) bool {
	for _, p := range ladder {
		price, ok := prices.Of(p.Codec)
		most, known := limit.Of(p.Codec)
		if !ok || !known || most.Less(price) {
			return false
		}
	}
	return true
}

// prefer moves l to the front of its stream: it finished a segment that the first one could not. One that is being handed over
// stays behind its successor, whatever it still finishes.
func (s *leases) prefer(l *Lease) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.leaves() { // asked under mu: the successor comes to the front after the mark is there
		return
	}
	list := s.byStream[l.key]
	for i, x := range list {
		if x == l {
			copy(list[1:i+1], list[:i])
			list[0] = l
			return
		}
	}
}

func (s *leases) remove(l *Lease) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byID, l.id)
	list := s.byStream[l.key]
	for i, x := range list {
		if x == l {
			list = append(list[:i:i], list[i+1:]...)
			break
		}
	}
	if len(list) == 0 {
		delete(s.byStream, l.key)
		delete(s.seconds, l.key)
	} else {
		s.byStream[l.key] = list
	}
}

// of lists the leases of a stream, in the order in which they are used.
func (s *leases) of(key streamKey) []*Lease {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*Lease(nil), s.byStream[key]...)
}

// lonely reports whether a stream's one lease is due to be given a second, and counts that as a search for it.
func (s *leases) lonely(key streamKey, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.byStream[key]) != 1 || now.Sub(s.seconds[key]) < standbyEvery {
		return false
	}
	s.seconds[key] = now
	return true
}

// all lists the open leases.
func (s *leases) all() []*Lease {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*Lease, 0, len(s.byID))
	for _, l := range s.byID {
		out = append(out, l)
	}
	return out
}
