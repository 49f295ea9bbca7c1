package api_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/orchestrator/internal/dispatch"
	"github.com/kinora/kinora/orchestrator/internal/peertest"
)

// wide is a ladder whose dearest rung alone is half of its work.
var wide = protocol.Ladder{
	{Name: "54p", Width: 96, Height: 54, Bitrate: 100_000, Codec: protocol.H264},
	{Name: "90p", Width: 160, Height: 90, Bitrate: 200_000, Codec: protocol.H264},
	{Name: "72p", Width: 128, Height: 72, Bitrate: 150_000, Codec: protocol.H264},
}

func rateOf(ladder protocol.Ladder) uint64 {
	rate, _ := ladder.PixelRates(30).Of(protocol.H264)
	return rate
}

func (m *market) quoteWide() (protocol.QuoteAnswer, *protocol.Problem) {
	m.Helper()
	r := m.request()
	r.Ladder = wide
	return post[protocol.QuoteAnswer](m, "/v1/quote", r)
}

// shared is what a push of a shared ladder brought, by attempt.
type shared struct {
	attempts []*attempt
	end      *protocol.Problem
}

// passed lists the attempts that the orchestrator vouches for.
func (s shared) passed() (all []*attempt) {
	for _, a := range s.attempts {
		if a.verdict != nil && a.verdict.Passed {
			all = append(all, a)
		}
	}
	return all
}

// share pushes a segment whose attempts may run beside each other.
func (m *market) share(offer protocol.SegmentOffer, body []byte) shared {
	m.Helper()
	s, err := m.tryShared(offer, body)
	m.must(err)
	return s
}

func (m *market) tryShared(offer protocol.SegmentOffer, body []byte) (s shared, err error) {
	ctx, cancel := context.WithTimeout(m.Context(), patience)
	defer cancel()
	h := offer.Header.Message
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("%s/v1/streams/%s/segments/%d", m.url, h.Stream, h.Seq), bytes.NewReader(body))
	if err != nil {
		return s, err
	}
	req.Header.Set(protocol.OfferField, protocol.EncodeField(offer))
	resp, err := m.client.Do(req)
	if err != nil {
		return s, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return s, json.NewDecoder(resp.Body).Decode(&s.end)
	}
	frames := protocol.NewFrameReader(resp.Body)
	for {
		f, err := frames.Read()
		if errors.Is(err, io.EOF) {
			return s, nil
		}
		if err != nil {
			return s, err
		}
		if f.Kind == protocol.FrameEnd {
			if len(f.Payload) > 0 {
				if err := json.Unmarshal(f.Payload, &s.end); err != nil {
					return s, err
				}
			}
			continue
		}
		if f.Kind == protocol.FrameAttempt {
			if int(f.Attempt) != len(s.attempts) {
				return s, fmt.Errorf("attempt %d begins after %d", f.Attempt, len(s.attempts))
			}
			s.attempts = append(s.attempts, &attempt{renditions: make([][]byte, len(wide))})
		}
		a := s.attempts[f.Attempt]
		switch f.Kind {
		case protocol.FrameAttempt:
			err = json.Unmarshal(f.Payload, &a.start)
		case protocol.FrameRendition:
			a.renditions[f.Rendition] = append(a.renditions[f.Rendition], f.Payload...)
		case protocol.FrameReceipt:
			err = json.Unmarshal(f.Payload, &a.receipt)
		case protocol.FrameAbandoned:
			err = json.Unmarshal(f.Payload, &a.abandoned)
		case protocol.FrameVerdict:
			err = json.Unmarshal(f.Payload, &a.verdict)
		}
		if err != nil {
			return s, err
		}
	}
}

// covers checks that the attempts that passed make every rung of wide once, with the bytes that their receipts say, and returns
// what they cost at the quote.
func (m *market) covers(s shared, q protocol.QuoteAnswer) (sum protocol.Wei, first protocol.ID) {
	m.Helper()
	if s.end != nil {
		m.Fatalf("problem %s", protocol.Encode(s.end))
	}
	var rungs []int
	for _, a := range s.passed() {
		made, part, err := a.start.Of(wide)
		m.must(err)
		rungs = append(rungs, made...)
		fee, err := part.Fee(q.Quote.Message.Prices, a.receipt.Message) // its receipt names these profiles
		m.must(err)
		sum = sum.Add(fee)
		for i, r := range a.receipt.Message.Renditions {
			if protocol.Hash(sha256.Sum256(a.renditions[i])) != r.Output {
				m.Errorf("rendition %d of attempt on rungs %v is not of its receipt's bytes", i, made)
			}
		}
		if made[0] == 0 {
			first = a.start.Assignment.Message.Attempt
		}
	}
	slices.Sort(rungs)
	if !slices.Equal(rungs, []int{0, 1, 2}) {
		m.Errorf("rungs %v were made", rungs)
	}
	return sum, first
}

func TestLadder_thatNobodyCarriesAloneIsSharedAndPaidOnce(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	half := rateOf(wide[1:2])
	free := func(o *peertest.Options) { o.Free = half }
	a, b := m.join(peertest.Honest, 50, free), m.join(peertest.Honest, 60, free)
	if rateOf(wide) <= half {
		t.Fatal("one could carry it")
	}
	q, p := m.quoteWide()
	if p != nil {
		t.Fatalf("it is not quoted: %s", protocol.Encode(p))
	}
	leases := make(map[protocol.ID]bool)
	for seq := range uint64(3) {
		s := m.share(m.offer(q, seq), m.segments()[seq].Bytes)
		sum, first := m.covers(s, q)
		if len(s.attempts) != 2 {
			t.Errorf("segment %d: %d attempts", seq, len(s.attempts))
		}
		m.books.mu.Lock()
		if m.books.owed[first] != sum {
			t.Errorf("segment %d: %s are owed under the first part's name, want %s", seq, m.books.owed[first], sum)
		}
		m.books.mu.Unlock()
		for _, a := range s.attempts {
			leases[a.start.Assignment.Message.Lease] = true
		}
	}
	m.totals(3, 6, 0)
	if x, y := m.books.paidTo(a.Address()), m.books.paidTo(b.Address()); x != 3 || y != 3 {
		t.Errorf("they are paid %d and %d times", x, y)
	}
	if len(leases) != 2 {
		t.Errorf("%d leases served three segments of two parts", len(leases))
	}
	for _, p := range []*peertest.Peer{a, b} { // with all they have
		p.HasFree(0)
		m.bids(p, 0)
	}
	if _, p := m.quoteWide(); p != nil {
		t.Errorf("a stream that two share is not quoted again: %s", protocol.Encode(p))
	}
}

func TestLadder_thatParallelSegmentsNeedAtOnceIsSharedByThemAll(t *testing.T) {
	t.Parallel()
	m := newMarket(t, func(c *dispatch.Config) { c.SlotTimeout, c.AwardTimeout = patience, patience })
	half := rateOf(wide[1:2])
	for price := uint64(50); price <= 60; price += 10 {
		m.bids(m.join(peertest.Honest, price, func(o *peertest.Options) { o.Free = half }), half)
	}
	q, p := m.quoteWide()
	if p != nil {
		t.Fatal(p.Detail)
	}
	got := make([]shared, 4)
	var wg sync.WaitGroup
	for seq := range got {
		offer, body := m.offer(q, uint64(seq)), m.segments()[seq].Bytes
		wg.Go(func() {
			var err error
			if got[seq], err = m.tryShared(offer, body); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	leases := make(map[protocol.ID]bool)
	for _, s := range got {
		m.covers(s, q)
		for _, a := range s.passed() {
			leases[a.start.Assignment.Message.Lease] = true
		}
	}
	if len(leases) != 2 {
		t.Errorf("%d leases served a ladder of two parts", len(leases))
	}
	m.totals(4, 8, 0)
}

func TestLadder_ofWhichOnePartFailsHasThatPartDoneAgain(t *testing.T) {
	t.Parallel()
	for how := range map[peertest.Manner]bool{peertest.Quitter: true, peertest.Sleeper: true, peertest.Forger: true} {
		t.Run(string(how), func(t *testing.T) {
			t.Parallel()
			m := newMarket(t, func(c *dispatch.Config) { // a loaded machine takes its time
				c.SlotTimeout, c.AwardTimeout = patience, patience
			})
			half := rateOf(wide[1:2])
			free := func(o *peertest.Options) { o.Free = half }
			good, bad := m.join(peertest.Honest, 50, free), m.join(how, 60, free)
			other := m.join(peertest.Honest, 70, free)
			for _, p := range []*peertest.Peer{good, bad, other} {
				m.bids(p, half)
			}
			q, _ := m.quoteWide()
			s := m.share(m.offer(q, 0), m.segments()[0].Bytes)
			m.covers(s, q)
			tried := make(map[common.Address][]int)
			for _, a := range s.attempts {
				x := a.start.Assignment.Message.Transcoder
				if tried[x] != nil {
					t.Errorf("%s was given two attempts", x)
				}
				tried[x] = a.start.Rungs
			}
			if !slices.Equal(tried[bad.Address()], tried[other.Address()]) || slices.Equal(tried[good.Address()], tried[bad.Address()]) {
				t.Errorf("attempts on rungs %v", tried)
			}
			if n := m.books.paidTo(bad.Address()); n != 0 {
				t.Errorf("the bad one is paid %d times", n)
			}
			if owed, paid, _ := m.books.totals(); owed != 1 || paid != 2 {
				t.Errorf("owed %d, paid %d", owed, paid)
			}
		})
	}
}

func TestLadder_thatNobodyCanShareIsRefused(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	p := m.join(peertest.Honest, 50, func(o *peertest.Options) { o.Free = rateOf(wide[1:2]) })
	if _, refused := m.quoteWide(); refused == nil || refused.Code != protocol.NoCapacity {
		t.Fatalf("one half alone: %s", protocol.Encode(refused))
	}
	p.HasFree(rateOf(wide))
	m.bids(p, rateOf(wide))
	q, refused := m.quoteWide()
	if refused != nil {
		t.Fatal(refused.Detail)
	}
	m.bids(p, rateOf(wide[1:2]))
	if s := m.share(m.offer(q, 0), m.segments()[0].Bytes); s.end == nil || s.end.Code != protocol.NoCapacity || len(s.attempts) != 0 {
		t.Errorf("%d attempts, problem %s", len(s.attempts), protocol.Encode(s.end))
	}
}
