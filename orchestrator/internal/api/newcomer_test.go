package api_test

import (
	"bytes"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator/internal/dispatch"
	"github.com/kinora/kinora/orchestrator/internal/peertest"
)

// pushes segments of the quote's stream until is holds, and returns the next number.
func (m *market) pushes(q protocol.QuoteAnswer, seq uint64, what string, is func() bool) uint64 {
	m.Helper()
	for from := seq; !is(); seq++ {
		if seq-from > 20 {
			m.Fatalf("after %d segments it still is not so that %s", seq-from, what)
		}
		m.push(m.offer(q, seq), bytes.NewReader(m.segments()[seq%6].Bytes)).passed(m)
	}
	return seq
}

func (m *market) proven(p *peertest.Peer) func() bool {
	class := auction.ClassOf(ladder.PixelRate(30))
	return func() bool { return !m.fleet.Unproven(p.Address(), class) }
}

// anew ends the stream's leases, so that the next segment is auctioned.
func (m *market) anew() {
	m.Helper()
	m.dispatcher.EndStream(m.payer.Address(), "demo")
	<-m.books.ended
	m.eventually("its leases are over", func() bool { return len(m.dispatcher.Leases()) == 0 })
}

func (m *market) holder() (t common.Address) {
	for _, l := range m.dispatcher.Leases() {
		if !l.Standby && !l.Probe {
			t = l.Transcoder
		}
	}
	return t
}

func TestNewcomer_showsWhatItCanByCanariesBeforeItWinsALease(t *testing.T) {
	t.Parallel()
	m := newMarket(t, func(c *dispatch.Config) { c.Canaries, c.Trials = auction.Perfect, 1 })
	old := m.join(peertest.Honest, 100)
	q := m.quote()
	next := m.pushes(q, 0, "the only one there is proven by its work", m.proven(old)) // a market of newcomers alone works at once

	young := m.join(peertest.Honest, 50)
	m.anew()
	released := 0
	next = m.pushes(q, next, "the newcomer is proven by its canaries", func() bool {
		if m.holder() == young.Address() {
			released++
		}
		return m.proven(young)()
	})
	if released > 0 {
		t.Error("it was given a lease before anybody knew what it can")
	}
	paid := m.books.paidTo(young.Address())
	if owed, all, _ := m.books.totals(); paid == 0 || all-paid != owed {
		t.Errorf("%d of its duplicates were paid, %d deliveries are owed, %d payments made", paid, owed, all)
	}

	m.anew()
	m.push(m.offer(q, next), bytes.NewReader(m.segments()[next%6].Bytes)).passed(m)
	if m.holder() != young.Address() {
		t.Error("now that it is known, it asks for less and does not win")
	}
}

func TestNewcomer_whoseTurnItIsHasEverySegmentGivenOutTwice(t *testing.T) {
	t.Parallel()
	m := newMarket(t, func(c *dispatch.Config) { c.Trials = auction.Perfect })
	old := m.join(peertest.Honest, 100)
	q := m.quote()
	next := m.pushes(q, 0, "the old one is proven", m.proven(old))
	young := m.join(peertest.Sleeper, 50)
	m.anew()
	tries := old.Tries.Load()
	for range 2 {
		a := m.push(m.offer(q, next), bytes.NewReader(m.segments()[next%6].Bytes)).passed(m)
		if a.start.Assignment.Message.Transcoder != old.Address() {
			t.Errorf("segment %d was released as %s made it", next, a.start.Assignment.Message.Transcoder)
		}
		next++
	}
	if got, beside := young.Tries.Load(), old.Tries.Load()-tries; got != 2 || beside != 2 {
		t.Errorf("the newcomer had %d attempts, %d were made beside it", got, beside)
	}
	if x := m.member(young.Address()); x.Busy {
		t.Error("that another one was faster counts against it")
	}
	young.Behave(peertest.Honest)
	m.pushes(q, next, "it has shown what it can", func() bool { return m.books.paidTo(young.Address()) > 0 })
}
