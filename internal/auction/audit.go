package auction

import (
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

// Outscored and the other words for what became of a bid that could have had the lease.
const (
	Outscored Reason = "outscored" // somebody else's score was better
	Declined  Reason = "declined"  // it was offered the lease and did not take it
	Explored  Reason = "explored"  // a newcomer was given it out of turn
	Expired   Reason = "expired"   // its bid had run out
	Unproven  Reason = "unproven"  // too little was seen of it yet, and somebody known could have it
)

// FaultKind names what an auctioneer did wrong. Frozen.
type FaultKind string

// The kinds of faults.
const (
	FaultSignature   FaultKind = "signature"   // something is not signed by who says it
	FaultSecret      FaultKind = "secret"      // the secret that is shown is not the one committed to
	FaultTie         FaultKind = "tie"         // between equals, something else than the secret decided
	FaultBook        FaultKind = "book"        // the bids are not those that were committed to
	FaultFigures     FaultKind = "figures"     // the figures of quality are not those that were committed to
	FaultExploration FaultKind = "exploration" // more or other leases went to newcomers than may
	FaultWinner      FaultKind = "winner"      // the lease was offered to somebody else than who wins
	FaultPrice       FaultKind = "price"       // another price was paid
	FaultAward       FaultKind = "award"       // an award does not say what it was decided by
	FaultMissing     FaultKind = "missing"     // an auction, its outcome or a number in a series is not there
	FaultJournal     FaultKind = "journal"     // the journal is not the one that was closed, or makes no sense
)

// Fault is a proof that an award does not follow from what was committed.
type Fault struct {
	Kind    FaultKind   `json:"kind"`
	Auction uint64      `json:"auction,omitempty"` // its number in the epoch
	Lease   protocol.ID `json:"lease,omitzero"`
	Detail  string      `json:"detail"`
}

// Error says what is wrong.
func (f *Fault) Error() string { return string(f.Kind) + ": " + f.Detail }

func fault(kind FaultKind, format string, args ...any) *Fault {
	return &Fault{Kind: kind, Detail: fmt.Sprintf(format, args...)}
}

// Audit does one auction again from the book and the figures that it was held over: everybody's choice, and who was to be
// offered the lease at which prices. The Fault says which commitment the auction is not of. ties is what it should have drawn.
func Audit(a Auction, rule Rule, ties protocol.Hash, book []Place, bookRoot protocol.Hash, figures map[common.Address]Figure, figuresRoot protocol.Hash) ([]Choice, []Offer, *Fault) {
	switch {
	case a.Book != With(bookRoot, a.Live):
		return nil, nil, fault(FaultBook, "the bids have root %s, committed was %s: one was withheld, moved or made up", With(bookRoot, a.Live).Short(), a.Book.Short())
	case a.Figures != figuresRoot:
		return nil, nil, fault(FaultFigures, "the figures have root %s, committed was %s", figuresRoot.Short(), a.Figures.Short())
	case a.Ask.Tie != ties:
		return nil, nil, fault(FaultTie, "turn %d of stream %q was decided by %s, the secret gives %s", a.Turn, a.Stream, a.Ask.Tie.Short(), ties.Short())
	}
	class := ClassOf(a.Ask.Ladder.PixelRate(a.Ask.SourceFPS))
	candidates := make([]Candidate, 0, len(book)+len(a.Live))
	for _, p := range book {
		t := p.Bid.Message.Transcoder
		if p.Empty() || slices.ContainsFunc(a.Live, func(b protocol.Signed[protocol.Bid]) bool { return b.Message.Transcoder == t }) {
			continue
		}
		candidates = append(candidates, p.Candidate(figures[t], class))
	}
	for _, b := range a.Live {
		p := Place{Bid: b}
		for _, standing := range book {
			if standing.Bid.Message.Transcoder == b.Message.Transcoder {
				p.Held = standing.Held
			}
		}
		candidates = append(candidates, p.Candidate(figures[b.Message.Transcoder], class))
	}
	passed := make(map[common.Address]Reason, len(a.Passed))
	for _, p := range a.Passed {
		passed[p.Transcoder] = p.Reason
	}
	var others []Passed
	for i, c := range candidates {
		switch r := passed[c.Bid.Transcoder]; r {
		case "":
		case Busy:
			candidates[i].Busy = true
		default:
			others = append(others, Passed{c.Bid.Transcoder, r})
		}
	}
	choices := Pass(Pick(candidates, a.Ask), others)
	if a.Proven {
		choices = Known(choices, a.Ask, a.Exploration)
	}
	offers, _ := Offers(choices, a.Ask, rule, a.Exploration, a.Most)
	return choices, offers, nil
}

// Report is what an audit of an epoch found.
type Report struct {
	Epoch    protocol.AuctionEpoch `json:"epoch"`
	Auctions uint64                `json:"auctions"`
	Leases   uint64                `json:"leases"`   // taken
	Awards   uint64                `json:"awards"`   // offered
	Bids     uint64                `json:"bids"`     // that were entered in the book
	Figures  uint64                `json:"figures"`  // roots
	Complete bool                  `json:"complete"` // the journal was closed by who kept it; else it may lack its end
	Faults   []Fault               `json:"faults"`
}

// Auditor reads the journal of an epoch and does every auction again.
type Auditor struct {
	// Each, if set, is told of every auction that could be done again, with its outcome.
	Each func(a Auction, choices []Choice, offers []Offer, o Outcome)

	domain      protocol.Domain
	secret      Secret
	closed      *protocol.AuctionClose
	rule        Rule
	report      Report
	book        []Place
	standing    map[common.Address]int    // where each bids
	newest      map[common.Address]uint64 // sequences of bids
	bids        Tree
	figures     map[common.Address]Figure
	placed      []Figure
	weighed     map[common.Address]int // where the figure of each is
	quality     Tree
	root        protocol.FiguresRoot
	turns       map[turn]uint64
	requests    map[protocol.Hash]bool // for bids on one piece of work alone
	exploration *Exploration
	open        map[uint64]decided // auctions whose outcome has not come yet
}

type turn struct {
	payer       common.Address
	stream      string
	incarnation uint32
	ladder      common.Hash
}

type decided struct {
	auction Auction
	choices []Choice
	offers  []Offer // nil: it could not be done again
}

// NewAuditor begins the audit of an epoch that is over.
func NewAuditor(d protocol.Domain, r Reveal) (*Auditor, error) {
	u := &Auditor{domain: d, standing: make(map[common.Address]int), newest: make(map[common.Address]uint64), figures: make(map[common.Address]Figure), weighed: make(map[common.Address]int),
		turns: make(map[turn]uint64), requests: make(map[protocol.Hash]bool), open: make(map[uint64]decided)}
	e, err := r.Epoch.Open(d)
	if err != nil {
		return nil, fmt.Errorf("the epoch: %w (is it of another chain or escrow?)", err)
	}
	u.report = Report{Epoch: e, Faults: []Fault{}}
	u.rule = Rule(e.Rule)
	switch {
	case !r.Over || r.Secret == nil:
		return nil, fmt.Errorf("epoch %s is not over: its bids are sealed", e.Commitment.Short())
	case !u.rule.Valid():
		return nil, fmt.Errorf("epoch %s pays by the rule %q, which this program does not know", e.Commitment.Short(), e.Rule)
	}
	u.secret = SecretOf(*r.Secret)
	if u.secret.Commitment() != e.Commitment {
		u.fault(fault(FaultSecret, "the secret has commitment %s, the epoch is %s", u.secret.Commitment().Short(), e.Commitment.Short()))
	}
	if r.Close != nil {
		c, err := r.Close.Open(d)
		if err != nil || c.Orchestrator != e.Orchestrator || c.Epoch != e.Commitment {
			u.fault(fault(FaultSignature, "the close is not the orchestrator's of this epoch: %v", err))
		}
		u.closed = &c
	}
	return u, nil
}

// After has u go on from the epoch before, which the same process held, whose audit is over: a bid that was replaced there cannot
// stand again.
func (u *Auditor) After(before *Auditor) { u.newest = before.newest }

func (u *Auditor) fault(f *Fault) { u.report.Faults = append(u.report.Faults, *f) }

// Page reads the entries of the next page.
func (u *Auditor) Page(entries []Entry) {
	for _, e := range entries {
		switch {
		case e.Bid != nil:
			u.change(*e.Bid)
		case e.Figure != nil:
			u.figure(*e.Figure)
		case e.Figures != nil:
			u.commit(*e.Figures)
		case e.Auction != nil:
			u.decide(*e.Auction)
		case e.Outcome != nil:
			u.conclude(*e.Outcome)
		}
	}
}

// maxPlace bounds what a journal can make an auditor hold.
const maxPlace = 1 << 20

func (u *Auditor) change(c Change) {
	if c.Place < 0 || c.Place >= maxPlace {
		u.fault(fault(FaultJournal, "place %d of the book", c.Place))
		return
	}
	for len(u.book) <= c.Place {
		u.book = append(u.book, Place{})
	}
	after := c.Of(u.book[c.Place])
	if c.Bid != nil {
		u.report.Bids++
		if _, err := c.Bid.Open(u.domain); err != nil {
			u.fault(fault(FaultSignature, "the bid at place %d of %s: %v", c.Place, c.Bid.Message.Transcoder, err))
		}
		if b := c.Bid.Message; b.Sequence < u.newest[b.Transcoder] {
			u.fault(fault(FaultBook, "bid %d of %s, at place %d, had been replaced by %d", b.Sequence, b.Transcoder, c.Place, u.newest[b.Transcoder]))
		} else {
			u.newest[b.Transcoder] = b.Sequence
		}
		if i, ok := u.standing[after.Bid.Message.Transcoder]; ok && i != c.Place {
			u.fault(fault(FaultBook, "%s bids twice, at places %d and %d", after.Bid.Message.Transcoder, i, c.Place))
		}
	}
	delete(u.standing, u.book[c.Place].Bid.Message.Transcoder)
	if !after.Empty() {
		u.standing[after.Bid.Message.Transcoder] = c.Place
	}
	u.book[c.Place] = after
	u.bids.Set(c.Place, after.Leaf())
}

func (u *Auditor) figure(f FigureAt) {
	if f.Place < 0 || f.Place >= maxPlace {
		u.fault(fault(FaultJournal, "place %d of the figures", f.Place))
		return
	}
	for len(u.placed) <= f.Place {
		u.placed = append(u.placed, Figure{})
	}
	if was := u.placed[f.Place].Transcoder; was != f.Figure.Transcoder && u.weighed[was] == f.Place {
		delete(u.figures, was)
		delete(u.weighed, was)
	}
	u.placed[f.Place] = f.Figure
	var salt protocol.ID
	if t := f.Figure.Transcoder; t != (common.Address{}) {
		if i, ok := u.weighed[t]; ok && i != f.Place {
			u.fault(fault(FaultFigures, "%s has two figures, at places %d and %d: either could be used under one root", t, i, f.Place))
		}
		u.figures[t], u.weighed[t] = f.Figure, f.Place
		salt = u.secret.Salt(t)
	}
	u.quality.Set(f.Place, f.Figure.Leaf(salt))
}

func (u *Auditor) commit(signed protocol.Signed[protocol.FiguresRoot]) {
	u.report.Figures++
	r, err := signed.Open(u.domain)
	switch {
	case err != nil:
		u.fault(fault(FaultSignature, "root %d of the figures: %v", signed.Message.Serial, err))
	case r.Orchestrator != u.report.Epoch.Orchestrator || r.Epoch != u.report.Epoch.Commitment:
		u.fault(fault(FaultSignature, "root %d of the figures is another one's, or of another epoch", r.Serial))
	case r.Serial != u.root.Serial+1:
		u.fault(fault(FaultMissing, "root %d of the figures comes after %d", r.Serial, u.root.Serial))
	case r.Root != u.quality.Root():
		u.fault(fault(FaultFigures, "the figures have root %s, number %d, which was published, is %s", u.quality.Root().Short(), r.Serial, r.Root.Short()))
	}
	u.root = signed.Message
}

func (u *Auditor) decide(a Auction) {
	u.report.Auctions++
	mine := func(f *Fault) {
		f.Auction, f.Lease = a.Number, a.Ask.Lease
		u.fault(f)
	}
	if a.Number != u.report.Auctions {
		mine(fault(FaultMissing, "auction %d is the %d. of the journal", a.Number, u.report.Auctions))
	}
	key := turn{a.Payer, a.Stream, a.Incarnation, a.Ask.Ladder.Hash()}
	if u.turns[key]++; a.Turn != u.turns[key] {
		mine(fault(FaultTie, "turn %d of stream %q at this ladder is its %d.: ties may not be picked by skipping turns", a.Turn, a.Stream, u.turns[key]))
	}
	if len(a.Live) > 0 {
		u.requested(a, mine)
	}
	if u.quality.Root() != u.root.Root {
		mine(fault(FaultFigures, "figures were changed since root %d, and no root of the new ones was published", u.root.Serial))
	}
	if e := a.Exploration; u.exploration != nil && e != *u.exploration || e.Share != u.report.Epoch.TrialsPPM {
		mine(fault(FaultExploration, "%d of %d leases went to newcomers before, the journal has otherwise", e.Granted, e.Leases))
	}
	if e := a.Exploration; u.exploration == nil && (Exploration{e.Share, e.Leases, e.Granted + 1}).Due() {
		mine(fault(FaultExploration, "%d of %d leases went to newcomers before: that leaves them more than one turn, which cannot have come about", e.Granted, e.Leases))
	}
	if a.Ask.Reserve != nil || !a.Ask.Value.IsZero() {
		mine(fault(FaultPrice, "the work has a reserve or a value of its own, which nothing commits to: bids are weighed by the maximum prices alone"))
	}
	d := decided{auction: a}
	ties := u.secret.Tie(a.Payer, a.Stream, a.Incarnation, protocol.Hash(a.Ask.Ladder.Hash()), a.Turn)
	choices, offers, f := Audit(a, u.rule, ties, u.book, u.bids.Root(), u.figures, u.root.Root)
	if f != nil {
		mine(f)
		u.exploration = nil
	} else {
		d.choices, d.offers = choices, offers
		_, next := Offers(choices, a.Ask, u.rule, a.Exploration, a.Most)
		u.exploration = &next
	}
	u.open[a.Number] = d
}

// requested checks that the bids for one piece of work alone answer a request for it, which only its orchestrator can have made, and
// which serves once.
func (u *Auditor) requested(a Auction, mine func(*Fault)) {
	for i, b := range a.Live {
		t := b.Message.Transcoder
		if _, err := b.Open(u.domain); err != nil || b.Message.Request.IsZero() {
			mine(fault(FaultSignature, "a bid of %s for this work alone: %v", t, err))
		}
		if slices.ContainsFunc(a.Live[:i], func(other protocol.Signed[protocol.Bid]) bool { return other.Message.Transcoder == t }) {
			mine(fault(FaultBook, "%s bids twice for this work alone", t))
		}
	}
	if a.Request == nil {
		mine(fault(FaultBook, "there are %d bids for this work alone, and no request that they answer", len(a.Live)))
		return
	}
	r, err := a.Request.Open(u.domain)
	if err != nil || r.Orchestrator != u.report.Epoch.Orchestrator {
		mine(fault(FaultSignature, "the request for bids on this work is of %s: %v", r.Orchestrator, err))
		return
	}
	hash := protocol.Hash(r.StructHash())
	if r.Ask != a.Ask.Lease || r.LadderHash != protocol.Hash(a.Ask.Ladder.Hash()) || !slices.Equal(r.MaxPrices, a.Ask.MaxPrices) || u.requests[hash] {
		mine(fault(FaultBook, "request %s, which its bids for this work alone answer, was made for other work", hash.Short()))
	}
	u.requests[hash] = true
	for _, b := range a.Live {
		if b.Message.Request != hash {
			mine(fault(FaultBook, "the bid of %s for this work alone answers request %s, it was asked for by %s", b.Message.Transcoder, b.Message.Request.Short(), hash.Short()))
		}
	}
}

func (u *Auditor) conclude(o Outcome) {
	d, ok := u.open[o.Number]
	if !ok {
		u.fault(&Fault{Kind: FaultMissing, Auction: o.Number, Detail: "an outcome of no auction"})
		return
	}
	delete(u.open, o.Number)
	for i, signed := range o.Awards {
		u.report.Awards++
		w, err := signed.Open(u.domain)
		if err != nil || w.Orchestrator != u.report.Epoch.Orchestrator {
			u.fault(&Fault{Kind: FaultSignature, Auction: o.Number, Lease: w.Lease, Detail: fmt.Sprintf("award %d of it: %v", i+1, err)})
			continue
		}
		if f := d.check(i, w, u.report.Epoch.Commitment); f != nil {
			f.Auction, f.Lease = o.Number, w.Lease
			u.fault(f)
		}
	}
	if o.Taken {
		u.report.Leases++
	}
	if u.Each != nil && d.offers != nil {
		u.Each(d.auction, d.choices, d.offers, o)
	}
}

// check holds the i-th award of an auction against what follows from it.
func (d decided) check(i int, w protocol.Award, epoch protocol.Hash) *Fault {
	a := d.auction
	switch {
	case w.Epoch != epoch || w.Auction != a.Number:
		return fault(FaultAward, "it is of auction %d in epoch %s", w.Auction, w.Epoch.Short())
	case w.Book != a.Book:
		return fault(FaultBook, "its winner was told that the bids have root %s, the journal has %s", w.Book.Short(), a.Book.Short())
	case w.Figures != a.Figures:
		return fault(FaultFigures, "its winner was told that the figures have root %s, the journal has %s", w.Figures.Short(), a.Figures.Short())
	case w.Stream != a.Stream || w.Incarnation != a.Incarnation || w.LadderHash != protocol.Hash(a.Ask.Ladder.Hash()):
		return fault(FaultAward, "it is for other work than was auctioned")
	case d.offers == nil: // a fault is known
		return nil
	case i >= len(d.offers):
		return fault(FaultWinner, "%s was offered the lease, nobody else could have it", w.Transcoder)
	}
	o := d.offers[i]
	switch {
	case o.Bid.Transcoder != w.Transcoder:
		return fault(FaultWinner, "%s wins, %s was offered it", o.Bid.Transcoder, w.Transcoder)
	case !slices.Equal(o.Paid, w.Prices):
		return fault(FaultPrice, "%s is to be paid %v, it was offered %v", w.Transcoder, o.Paid, w.Prices)
	case w.BidSequence < o.Bid.Sequence:
		return fault(FaultAward, "it names bid %d, the book has %d", w.BidSequence, o.Bid.Sequence)
	}
	return nil
}

// Finish ends the audit. pages are the hashes of the pages that were read.
func (u *Auditor) Finish(pages []protocol.Hash) Report {
	if c := u.closed; c != nil {
		u.report.Complete = true
		switch {
		case int(c.Pages) != len(pages) || c.Journal != Journal(pages):
			u.fault(fault(FaultJournal, "%d pages with hash %s were shown, %d with %s were closed", len(pages), Journal(pages).Short(), c.Pages, c.Journal.Short()))
		case c.Auctions != u.report.Auctions:
			u.fault(fault(FaultMissing, "%d auctions were shown, there were %d", u.report.Auctions, c.Auctions))
		}
		for n := range u.open {
			u.fault(&Fault{Kind: FaultMissing, Auction: n, Detail: "its outcome is not told"})
		}
	}
	return u.report
}
