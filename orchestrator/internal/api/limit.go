package api

import (
	"net/http"
	"net/netip"
	"sync"

	"golang.org/x/time/rate"
)

// Quotes are not signed and cost a row each, so they are limited: per remote address, and in all, so that one that asks
// too often takes nothing from the rest.
const (
	quotesPerAddress = 50  // a second, with a burst of twice as many: a broadcaster asks once a minute per stream
	quotesPerSecond  = 200 // over all addresses, likewise
	maxAddresses     = 4096
)

// limits allows so much per remote address.
type limits struct {
	all *rate.Limiter

	mu        sync.Mutex
	byAddress map[netip.Prefix]*rate.Limiter
}

func newLimits() *limits {
	return &limits{all: rate.NewLimiter(quotesPerSecond, 2*quotesPerSecond), byAddress: make(map[netip.Prefix]*rate.Limiter)}
}

// allow reports whether r may be served now; if not, limit is the rate that was exceeded.
func (l *limits) allow(r *http.Request) (limit int, ok bool) {
	if !l.of(r).Allow() {
		return quotesPerAddress, false
	}
	return quotesPerSecond, l.all.Allow()
}

// of is the limiter of whoever sent r.
func (l *limits) of(r *http.Request) *rate.Limiter {
	from := origin(r)
	l.mu.Lock()
	defer l.mu.Unlock()
	known, ok := l.byAddress[from]
	if ok {
		return known
	}
	if len(l.byAddress) >= maxAddresses {
		for p, x := range l.byAddress { // one that has its whole burst again is as good as new
			if x.Tokens() >= 2*quotesPerAddress {
				delete(l.byAddress, p)
			}
		}
	}
	if len(l.byAddress) >= maxAddresses { // that many at once: the limit over all holds them
		clear(l.byAddress)
	}
	x := rate.NewLimiter(quotesPerAddress, 2*quotesPerAddress)
	l.byAddress[from] = x
	return x
}

// origin is the network a request came from: an IPv4 address, or the /64 that one IPv6 host can choose from.
func origin(r *http.Request) netip.Prefix {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Prefix{}
	}
	a, bits := peer.Addr().Unmap().WithZone(""), 32
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
