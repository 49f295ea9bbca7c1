package passport

import (
	"maps"
	"net/http"
	"sync"

	"github.com/ethereum/go-ethereum/common"
)

// maxClients bounds the identities that connections are kept to; of more, some begin anew.
const maxClients = 1024

// Clients are HTTP clients, one for each identity: a connection is to whom it was opened for, whatever else is said to be at the
// same address. They follow no redirects.
type Clients struct {
	trust     *Trust
	cleartext bool
	base      func() *http.Transport

	mu sync.Mutex
	by map[common.Address]*http.Client
}

// NewClients makes clients over transports that base makes, as Trust.Transport.
func NewClients(trust *Trust, cleartext bool, base func() *http.Transport) *Clients {
	return &Clients{trust: trust, cleartext: cleartext, base: base, by: make(map[common.Address]*http.Client)}
}

// Of is the client for the servers of an identity; zero: for those that a certificate authority knows, and for this machine's.
func (c *Clients) Of(identity common.Address) *http.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.by[identity]; known != nil {
		return known
	}
	for other := range maps.Keys(c.by) {
		if len(c.by) < maxClients {
			break
		}
		delete(c.by, other) // what runs on it goes on
	}
	client := &http.Client{Transport: c.trust.Transport(c.base(), func(string) common.Address { return identity }, c.cleartext),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	c.by[identity] = client
	return client
}

// CloseIdleConnections of all of them.
func (c *Clients) CloseIdleConnections() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, client := range c.by {
		client.CloseIdleConnections()
	}
}
