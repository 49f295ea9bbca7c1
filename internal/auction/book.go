package auction

import (
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
)

// Standing is a bid in the book.
type Standing struct {
	Bid     protocol.Signed[protocol.Bid]
	Arrived time.Time
	Expires time.Time // Arrived + TTL
}

// Book holds the newest bid of each transcoder. Its methods may be called from several goroutines at once.
type Book struct {
	limit int

	mu   sync.Mutex
	bids map[common.Address]Standing // expired ones too: their sequence forbids a replay
	seen uint64
}

// NewBook makes a book of at most limit transcoders.
func NewBook(limit int) *Book {
	return &Book{limit: limit, bids: make(map[common.Address]Standing)}
}

// Put enters a bid that arrived at now; its signature was checked by the caller. A bid whose sequence is not above the
// newest known of its transcoder is Stale: a heartbeat has a sequence of its own, so an older bid is never news, also
// after it expired. A book full of live bids refuses newcomers with RateLimited.
func (b *Book) Put(bid protocol.Signed[protocol.Bid], now time.Time) error {
	m := bid.Message
	b.mu.Lock()
	defer b.mu.Unlock()
	known, ok := b.bids[m.Transcoder]
	if ok && m.Sequence <= known.Bid.Message.Sequence {
		return protocol.Errorf(protocol.Stale, "bid %d of %s: %d is known", m.Sequence, m.Transcoder, known.Bid.Message.Sequence)
	}
	if !ok && len(b.bids) >= b.limit && !b.forget(now) {
		return protocol.Limited(protocol.RateLimited, "max_bidders", b.limit, "the book is full with %d live bids", b.limit)
	}
	b.bids[m.Transcoder] = Standing{Bid: bid, Arrived: now, Expires: now.Add(time.Duration(m.TTLMillis) * time.Millisecond)}
	b.seen++
	return nil
}

// forget drops the bid that expired first, if any has.
func (b *Book) forget(now time.Time) bool {
	var oldest common.Address
	var found bool
	for a, s := range b.bids {
		if !now.Before(s.Expires) && (!found || s.Expires.Before(b.bids[oldest].Expires)) {
			oldest, found = a, true
		}
	}
	if found {
		delete(b.bids, oldest)
	}
	return found
}

// Live returns the bids that stand at now, in no order.
func (b *Book) Live(now time.Time) []Standing {
	b.mu.Lock()
	defer b.mu.Unlock()
	live := make([]Standing, 0, len(b.bids))
	for _, s := range b.bids {
		if now.Before(s.Expires) {
			live = append(live, s)
		}
	}
	return live
}

// Get returns the bid of t if it stands at now.
func (b *Book) Get(t common.Address, now time.Time) (Standing, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.bids[t]
	return s, ok && now.Before(s.Expires)
}

// Withdraw ends the bid of t, as when it declined for good; its next bid with a higher sequence stands again.
func (b *Book) Withdraw(t common.Address) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s, ok := b.bids[t]; ok {
		s.Expires = s.Arrived
		b.bids[t] = s
	}
}

// Seen counts the bids entered so far.
func (b *Book) Seen() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seen
}
