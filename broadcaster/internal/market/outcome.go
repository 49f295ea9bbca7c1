package market

import (
	"time"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/route"
)

// What comes of a choice: it counts for the orchestrator or against it, and decides how long that rests.

// departs counts the segment among those its seller has, until it is over. m.mu is not held.
func (c *Choice) departs() {
	c.market.mu.Lock()
	defer c.market.mu.Unlock()
	c.aloft = true
	c.seller.flying[c.key.stream]++
}

// lands ends that. The market's mu is held.
func (c *Choice) lands() {
	if !c.aloft {
		return
	}
	c.aloft = false
	if c.seller.flying[c.key.stream]--; c.seller.flying[c.key.stream] <= 0 {
		delete(c.seller.flying, c.key.stream)
	}
}

// Over says that nothing more comes of c, and that this was nobody's fault.
func (c *Choice) Over() {
	c.market.mu.Lock()
	defer c.market.mu.Unlock()
	c.lands()
}

// Failed lets the orchestrator rest for a while: the next Choose prefers another.
func (c *Choice) Failed(err error) {
	m := c.market
	m.mu.Lock()
	defer m.mu.Unlock()
	c.lands()
	switch protocol.CodeOf(err) {
	case protocol.QuoteUnknown, protocol.QuoteExpired: // it forgot its word: ask again, it did nothing wrong by our bytes
		delete(c.seller.quotes, c.key)
		return
	}
	if protocol.CodeOf(err) == protocol.NoCapacity { // no fault: it has other work
		c.seller.resting, c.seller.lastErr = time.Now().Add(time.Second), err
		if m.holder[c.key.stream] == c.seller {
			delete(m.holder, c.key.stream)
		}
		return
	}
	c.learn(false)
	c.seller.failures++
	c.seller.resting = time.Now().Add(min(30*time.Second, 500*time.Millisecond<<min(c.seller.failures-1, 6)))
	c.seller.lastErr = err
	if m.holder[c.key.stream] == c.seller {
		delete(m.holder, c.key.stream)
	}
}

// Outpaced says that another orchestrator served the segment first, and has the stream from now on; nil: none did in time. This one
// rests, longer with every time, so that the stream does not go back and forth.
func (c *Choice) Outpaced(by *Choice) {
	m := c.market
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	took := c.cut(now)
	c.seller.failures++
	c.seller.resting = now.Add(slowRest << min(c.seller.failures-1, 4))
	c.seller.lastErr = protocol.Errorf(protocol.DeadlineExceeded, "straggled: %s after the last byte it had not served the segment", took.Round(time.Millisecond))
	switch holder := m.holder[c.key.stream]; {
	case by == nil && holder == c.seller:
		delete(m.holder, c.key.stream)
	case by != nil && (holder == c.seller || holder == nil):
		m.holder[c.key.stream] = by.seller
	}
}

// Cut says that the segment was served before c, which was asked for it later, could: it takes more than it had, and that is no
// fault.
func (c *Choice) Cut() {
	c.market.mu.Lock()
	defer c.market.mu.Unlock()
	c.cut(time.Now())
}

// cut notes that c was called off, and how long after the segment's last byte. The market's mu is held.
func (c *Choice) cut(now time.Time) time.Duration {
	c.lands()
	o := route.Outcome{Cut: true, Excused: true, Slots: many}
	if sent := c.sent.Load(); sent != nil {
		o.Time = now.Sub(*sent)
	}
	c.market.router.Observe(c.seller, c.group, o, now)
	c.write(route.Came{Cut: true, Millis: o.Time.Milliseconds()})
	return o.Time
}

// learn notes how the segment went, and how long after its last byte. The market's mu is held.
func (c *Choice) learn(verified bool) {
	now := time.Now()
	o := route.Outcome{Verified: verified, Slots: many}
	if sent := c.sent.Load(); sent != nil && verified {
		o.Time = now.Sub(*sent)
	}
	c.market.router.Observe(c.seller, c.group, o, now)
	c.write(route.Came{Verified: verified, Millis: o.Time.Milliseconds(), Late: o.Time > c.deadline})
}

// write puts the decision behind c into the log, with what came of it. The market's mu is held.
func (c *Choice) write(came route.Came) {
	if c.decision == nil {
		return
	}
	c.logged.Do(func() {
		c.decision.Came = &came
		c.market.cfg.Decisions.Write(*c.decision)
	})
}

// Succeeded forgets failures.
func (c *Choice) Succeeded() {
	c.market.mu.Lock()
	defer c.market.mu.Unlock()
	c.lands()
	c.learn(true)
	c.seller.failures, c.seller.resting, c.seller.lastErr, c.seller.outs = 0, time.Time{}, nil, max(0, c.seller.outs-1)
}
