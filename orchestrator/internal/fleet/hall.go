package fleet

import (
	"cmp"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
)

// Terms are what auctions are held by.
type Terms struct {
	Signer  protocol.Signer // of commitments and of closed epochs
	Rule    auction.Rule
	Trials  uint32                          // millionths of the leases that go to newcomers out of turn
	Epoch   time.Duration                   // how long bids stay sealed
	URL     string                          // where all is told
	Publish func(protocol.Commitment) error // on the bus
}

// Hold sets the terms, before Run. Without them nobody is promised anything: figures are what was seen up to this moment.
func (f *Fleet) Hold(t Terms) {
	t.Epoch = cmp.Or(t.Epoch, 5*time.Minute)
	f.terms = &t
	f.hall.trials = auction.Exploration{Share: t.Trials}
}

// hall is what auctions are held over: the book of those that can be given work, each at a place of its own, and what commits
// to it. Everything here is guarded by Fleet.mu.
type hall struct {
	bids   auction.Tree
	places []common.Address // who has which; zero: nobody
	trials auction.Exploration
	fresh  int      // members that are committed to as newcomers
	proven int      // and as known
	epoch  *epoch   // what decides now; nil: nothing yet
	past   []*epoch // over, and not closed yet
}

// placeMemberLocked gives a member that was seated its place in the book, and takes it from one that was not.
func (f *Fleet) placeMemberLocked(m *member, now time.Time) {
	switch {
	case m.allocated && m.place == 0:
		i := slices.Index(f.hall.places, common.Address{})
		if i < 0 {
			i = len(f.hall.places)
			f.hall.places = append(f.hall.places, common.Address{})
		}
		f.hall.places[i] = m.Address
		m.place = i + 1
		f.hall.bids.Set(i, protocol.Hash{}) // the root binds how many places there are
		f.hall.write(auction.Entry{Bid: &auction.Change{Place: i, Out: auction.NotAllocated}})
	case !m.allocated && m.place > 0:
		f.standLocked(m, now)
		f.hall.places[m.place-1] = common.Address{}
		m.place = 0
		f.hall.weigh(m, nil)
		for _, r := range f.rankings {
			r.Remove(m.Address)
		}
	default:
		return
	}
	f.remeasure() // its figure is to be committed to, or no longer
}

// standLocked brings what the book has of a member up to date: its newest bid, unless that repeats the one before, with what
// was awarded since; or nothing, if it can be given no work.
func (f *Fleet) standLocked(m *member, now time.Time) (changed bool) {
	if m.place == 0 {
		return false
	}
	s, live := f.book.Get(m.Address, now)
	change := auction.Change{Place: m.place - 1}
	switch {
	case !m.allocated || !m.entered:
		change.Out = auction.NotAllocated
	case !m.Record.Leasable() || m.quarantine.stands(now):
		change.Out = auction.Distrusted
	case !live:
		change.Out = auction.Expired
	default:
		for _, h := range m.held {
			if h.at.After(s.Arrived) {
				change.Held = change.Held.Plus(h.rates)
			}
		}
		if m.stands.Empty() || !m.stands.Bid.Message.SameTerms(s.Bid.Message) {
			bid := s.Bid
			bid.Message.Record = nil // it is not signed by itself
			change.Bid = &bid
		}
	}
	if change.Bid == nil && (change.Out != "" && m.stands.Empty() || change.Out == "" && slices.Equal(change.Held, m.stands.Held)) {
		return false
	}
	m.stands = change.Of(m.stands)
	f.hall.bids.Set(m.place-1, m.stands.Leaf())
	f.hall.write(auction.Entry{Bid: &change})
	return true
}

// weigh has m's bids weighed by a figure from now on; nil: by none.
func (h *hall) weigh(m *member, by *auction.Figure) {
	for _, x := range []struct {
		figure *auction.Figure
		n      int
	}{{m.figure, -1}, {by, 1}} {
		switch {
		case x.figure == nil:
		case x.figure.Newcomer:
			h.fresh += x.n
		default:
			h.proven += x.n
		}
	}
	m.figure = by
}

func (h *hall) write(e auction.Entry) {
	if h.epoch != nil {
		h.epoch.write(e)
	}
}

// figureLocked is what bids of m for work of a class are weighed by: what was committed to, or where nothing is, what was seen
// up to now. Without one there is no lease.
func (f *Fleet) figureLocked(m *member, class auction.Class, now time.Time) auction.Figure {
	if f.terms != nil {
		if m.figure == nil {
			return auction.Figure{}
		}
		return *m.figure
	}
	seen := m.quality.figure(class, now, f.cfg.Measure)
	x := auction.Figure{Transcoder: m.Address, Newcomer: seen.newcomer}
	x.Quality[class] = seen.quality
	return x
}

// weighedLocked reports that m's bids can be weighed: a figure of it is committed to, where figures are.
func (f *Fleet) weighedLocked(m *member) bool { return f.terms == nil || m.figure != nil }

// Listing is a lease to be sold.
type Listing struct {
	Ask         auction.Ask
	Payer       common.Address // of the stream
	Stream      string
	Incarnation uint32
	Most        int                                    // offers, at most
	Proven      bool                                   // newcomers are passed over where somebody else can have it, unless it is their turn
	Passed      []auction.Passed                       // who is not to be compared, for what only the seller knows
	Rests       func(protocol.Bid) bool                // whose bid is known not to hold: it declined for want of room; may be nil
	Request     *protocol.Signed[protocol.WorkRequest] // what bids for this work alone answer
}

// pass says why a member is not to be compared with others, empty where it is.
func (l Listing) pass(bid protocol.Bid) auction.Reason {
	if i := slices.IndexFunc(l.Passed, func(p auction.Passed) bool { return p.Transcoder == bid.Transcoder }); i >= 0 {
		return l.Passed[i].Reason
	}
	if l.Rests != nil && l.Rests(bid) {
		return auction.NoCapacity
	}
	return ""
}

// Sale is an auction that was decided: who is to be offered the lease, and what holds its orchestrator to that.
type Sale struct {
	Ask     auction.Ask
	Choices []auction.Choice // best first; among thousands only the first of them
	Offers  []auction.Offer
	Number  uint64 // in its epoch; 0: nothing is committed
	Epoch   protocol.Hash
	Book    protocol.Hash
	Figures protocol.Hash

	of *epoch
}

// Over reports whether the bids of the sale's epoch are open now.
func (s *Sale) Over() bool {
	return s.of == nil || s.of.over.Load() || s.of.lost.Load() && time.Now().After(s.Tell())
}

// Tell is when they will be, about.
func (s *Sale) Tell() time.Time {
	if s.of == nil {
		return time.Time{}
	}
	return s.of.began.Add(time.Duration(s.of.signed.Message.LengthMillis) * time.Millisecond)
}

// Commit has an award say what it was decided by.
func (s *Sale) Commit(a *protocol.Award) {
	a.Epoch, a.Auction, a.Book, a.Figures = s.Epoch, s.Number, s.Book, s.Figures
}

// Auction decides who is to be offered a lease. It looks at few of the bidders, however many there are, unless it may be a
// newcomer's turn. live are bids for this work alone. One that leads to no offer is none: nothing is told of it.
func (f *Fleet) Auction(l Listing, live ...protocol.Signed[protocol.Bid]) (*Sale, error) {
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	live = slices.DeleteFunc(live, func(b protocol.Signed[protocol.Bid]) bool {
		return !f.seatedLocked(b.Message.Transcoder)
	})
	s := &Sale{Ask: l.Ask, of: f.hall.epoch}
	var rule auction.Rule
	var key turn
	if f.terms != nil {
		rule = f.terms.Rule
		if s.of == nil {
			s.Choices = f.outsidersLocked(l.Ask, now)
			return s, nil
		}
		if err := s.of.usable(now); err != nil {
			return nil, err
		}
		key = turn{l.Payer, l.Stream, l.Incarnation, protocol.Hash(l.Ask.Ladder.Hash())}
		s.Ask.Tie = s.of.tie(key)
	}
	l.Ask = s.Ask
	var passed []auction.Passed
	due := f.hall.trials.Due() && len(l.Ask.Avoid) == 0 && (f.terms == nil || f.hall.fresh > 0 && f.hall.proven > 0) // else it is nobody's turn
	if !due && len(live) == 0 {
		s.Choices, passed = f.bestLocked(l, l.Most+1, now) // the last one's score is a price
	}
	whole := len(s.Choices) <= l.Most
	if whole {
		s.Choices, passed = f.pickLocked(l, live, now)
	}
	before := f.hall.trials
	s.Offers, f.hall.trials = auction.Offers(s.Choices, s.Ask, rule, before, l.Most)
	if whole {
		s.Choices = append(s.Choices, f.outsidersLocked(s.Ask, now)...)
	}
	if s.of == nil || len(s.Offers) == 0 {
		return s, nil
	}
	s.of.turns[key]++
	s.of.auctions++
	s.of.open++
	s.Number, s.Epoch, s.Book, s.Figures = s.of.auctions, s.of.signed.Message.Commitment, auction.With(f.hall.bids.Root(), live), s.of.root
	if len(live) == 0 {
		l.Request = nil
	}
	s.of.write(auction.Entry{Auction: &auction.Auction{Number: s.Number, Payer: l.Payer, Stream: l.Stream, Incarnation: l.Incarnation, Turn: s.of.turns[key], Ask: s.Ask,
		Exploration: before, Most: l.Most, Proven: l.Proven, Passed: passed, Live: live, Request: l.Request, Book: s.Book, Figures: s.Figures}})
	return s, nil
}

// Seated reports whether t has a place in the book, and a bid there: from nobody else is one for some work alone of any use.
func (f *Fleet) Seated(t common.Address) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seatedLocked(t)
}

func (f *Fleet) seatedLocked(t common.Address) bool {
	m := f.members[t]
	return m != nil && !m.stands.Empty()
}

// Conclude says who was offered the lease, in order, and whether the last one took it.
func (f *Fleet) Conclude(s *Sale, awards []protocol.Signed[protocol.Award], taken bool) {
	if s.of == nil || s.Number == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s.of.open--
	s.of.write(auction.Entry{Outcome: &auction.Outcome{Number: s.Number, Awards: awards, Taken: taken}})
}

// pickLocked compares everybody in the book, and names those that are passed over for what only this process knows.
func (f *Fleet) pickLocked(l Listing, live []protocol.Signed[protocol.Bid], now time.Time) ([]auction.Choice, []auction.Passed) {
	class := auction.ClassOf(l.Ask.Ladder.PixelRate(l.Ask.SourceFPS))
	var candidates []auction.Candidate
	var busy, out []auction.Passed
	alone := make(map[common.Address]protocol.Signed[protocol.Bid], len(live))
	for _, b := range live {
		alone[b.Message.Transcoder] = b
	}
	for _, t := range f.hall.places {
		m := f.members[t]
		if m == nil || m.stands.Empty() {
			continue
		}
		s, ok := f.book.Get(t, now)
		c := m.candidate(s, f.figureLocked(m, class, now), class, now)
		c.Busy = false
		if b, its := alone[t]; its {
			c.Bid = b.Message
		}
		reason := l.pass(c.Bid)
		switch {
		case !ok:
			out = append(out, auction.Passed{Transcoder: t, Reason: auction.Expired})
		case reason != "":
			out = append(out, auction.Passed{Transcoder: t, Reason: reason})
		case now.Before(m.busyUntil):
			c.Busy = true
			busy = append(busy, auction.Passed{Transcoder: t, Reason: auction.Busy})
		}
		candidates = append(candidates, c)
	}
	choices := auction.Pass(auction.Pick(candidates, l.Ask), out)
	if l.Proven {
		choices = auction.Known(choices, l.Ask, f.hall.trials)
	}
	return choices, append(busy, out...)
}

// outsidersLocked are those that bid and have no place in the book, with the reason.
func (f *Fleet) outsidersLocked(ask auction.Ask, now time.Time) []auction.Choice {
	var candidates []auction.Candidate
	for _, s := range f.book.Live(now) {
		m := f.members[s.Bid.Message.Transcoder]
		if m != nil && !m.stands.Empty() {
			continue
		}
		candidates = append(candidates, auction.Candidate{Bid: s.Bid.Message, Distrust: m != nil && (!m.Record.Leasable() || m.quarantine.stands(now))})
	}
	return auction.Pick(candidates, ask)
}
