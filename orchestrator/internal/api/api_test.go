package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kinora/kinora/internal/auction"
	"github.com/kinora/kinora/internal/bus"
	"github.com/kinora/kinora/internal/protocol"
	"github.com/kinora/kinora/internal/verify"
	"github.com/kinora/kinora/orchestrator/internal/api"
	"github.com/kinora/kinora/orchestrator/internal/dispatch"
	"github.com/kinora/kinora/orchestrator/internal/peertest"
)

func TestSegment_isTranscodedVerifiedAndPaidOnce(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	p := m.join(peertest.Honest, 100)
	q := m.quote()
	for seq, seg := range m.segments()[:3] {
		r := m.push(m.offer(q, uint64(seq)), bytes.NewReader(seg.Bytes))
		a := r.passed(m)
		if len(r.tries) != 1 || a.start.Continues != (seq > 0) {
			t.Errorf("seq %d: %d attempts, continues %v", seq, len(r.tries), a.start.Continues)
		}
		price, err := ladder.Fee(q.Quote.Message.Prices, a.receipt.Message)
		m.must(err)
		cost := price.Div(150).Mul(100)
		m.books.mu.Lock()
		if got := m.books.owed[a.verdict.Attempt]; got != price {
			t.Errorf("seq %d: owed %s, want %s", seq, got, price)
		}
		if got := m.books.paid[a.verdict.Attempt]; got != cost {
			t.Errorf("seq %d: paid %s, want %s", seq, got, cost)
		}
		m.books.mu.Unlock()
	}
	m.totals(3, 3, 0)
	if n := p.Held.Load(); n != 1 {
		t.Errorf("%d leases were awarded for one stream", n)
	}
	if r := m.fleet.Record(p.Address()); r.Passed != 3 {
		t.Errorf("record %+v, want 3 passed", r)
	}
	m.eventually("no credit is held", func() bool { m.books.mu.Lock(); defer m.books.mu.Unlock(); return m.books.held == 0 })
}

func (m *market) totals(owed, paid, rejected int) {
	m.Helper()
	if o, p, r := m.books.totals(); o != owed || p != paid || r != rejected {
		m.Errorf("owed %d, paid %d, rejected %d, want %d, %d, %d", o, p, r, owed, paid, rejected)
	}
}

func TestSegment_isTakenOnTheWordOfASessionKeyOfItsPayer(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	m.join(peertest.Honest, 100)
	session := key(t)
	offer := m.offer(m.quote(), 0)
	var err error
	offer.Header.Signature, err = m.domain.Sign(session, offer.Header.Message)
	m.must(err)
	seg := m.segments()[0].Bytes
	if r := m.push(offer, bytes.NewReader(seg)); r.code() != protocol.BadSignature {
		t.Errorf("signed by nobody's key: %d, %q", r.status, r.code())
	}
	m.books.session = session.Address()
	m.push(offer, bytes.NewReader(seg)).passed(m)
}

func TestSegment_flowsWhileItArrives(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	p := m.join(peertest.Honest, 100)
	q := m.quote()
	seg := m.segments()[0].Bytes
	body, w := io.Pipe()
	go func() {
		_, _ = w.Write(seg[:len(seg)/2])
		m.eventually("the attempt has begun on half a source", func() bool { return p.Tries.Load() == 1 })
		_, _ = w.Write(seg[len(seg)/2:])
		_ = w.Close()
	}()
	m.push(m.offer(q, 0), body).passed(m)
}

func TestSegments_runInParallelOnOneLease(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	p := m.join(peertest.Honest, 100)
	q := m.quote()
	results := make([]result, 4)
	var wg sync.WaitGroup
	for seq, seg := range m.segments()[:4] {
		offer := m.offer(q, uint64(seq))
		wg.Go(func() {
			var err error
			if results[seq], err = m.try(offer, bytes.NewReader(seg.Bytes)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, r := range results {
		r.passed(m)
	}
	m.totals(4, 4, 0)
	if n := p.Held.Load(); n != 1 {
		t.Errorf("%d leases were awarded for one stream", n)
	}
}

// Each of these loses its attempt; the next transcoder redoes the segment from the copy, and only that one is paid.
func TestSegment_failsOver(t *testing.T) {
	t.Parallel()
	for how, want := range map[peertest.Manner]struct {
		shown    bool // the payer saw the attempt
		rejected bool // and its output was judged bad
		code     protocol.Code
	}{
		peertest.Quitter:  {shown: true, code: protocol.Unreachable},
		peertest.Giver:    {shown: true, code: protocol.ChildCrashed},
		peertest.Poisoner: {shown: true, code: protocol.PoisonSegment},
		peertest.Absent:   {},
		peertest.Decliner: {},
		peertest.Sleeper:  {shown: true, code: protocol.Cancelled},
		peertest.Dark:     {shown: true, rejected: true, code: protocol.VerificationFailed},
		peertest.Forger:   {shown: true, rejected: true, code: protocol.VerificationFailed},
		peertest.Hasty:    {shown: true, rejected: true, code: protocol.VerificationFailed},
	} {
		t.Run(string(how), func(t *testing.T) {
			t.Parallel()
			m := newMarket(t)
			bad := m.join(how, 50)
			good := m.join(peertest.Honest, 100)
			r := m.push(m.offer(m.quote(), 1), bytes.NewReader(m.segments()[1].Bytes))
			a := r.passed(m)
			if a.start.Assignment.Message.Transcoder != good.Address() {
				t.Errorf("released the output of %s", a.start.Assignment.Message.Transcoder)
			}
			if len(r.tries) != 1+map[bool]int{true: 1}[want.shown] {
				t.Fatalf("%d attempts were shown", len(r.tries))
			}
			if want.shown {
				first := r.tries[0]
				switch {
				case want.rejected && (first.verdict == nil || first.verdict.Passed || first.verdict.Code != want.code):
					t.Errorf("first attempt: verdict %+v, want %s", first.verdict, want.code)
				case !want.rejected && (first.abandoned == nil || first.abandoned.Code != want.code):
					t.Errorf("first attempt: abandoned %+v, want %s", first.abandoned, want.code)
				}
			}
			if n := m.books.paidTo(bad.Address()); n != 0 {
				t.Errorf("the bad one was paid %d times", n)
			}
			m.totals(1, 1, map[bool]int{true: 1}[want.rejected])
			if leasable := m.fleet.Record(bad.Address()).Leasable(); leasable == want.rejected {
				t.Errorf("leasable %v after its output was rejected %v", leasable, want.rejected)
			}
			// The next segment goes straight to the one that works.
			next := m.push(m.offer(m.quote(), 2), bytes.NewReader(m.segments()[2].Bytes))
			if next.passed(m); len(next.tries) != 1 {
				t.Errorf("the next segment took %d attempts", len(next.tries))
			}
		})
	}
}

func TestCheater_isProbedAndCutOff(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	cheat := m.join(peertest.Dark, 50)
	m.join(peertest.Honest, 100)
	q := m.quote()
	for seq, seg := range m.segments()[:3] {
		m.push(m.offer(q, uint64(seq)), bytes.NewReader(seg.Bytes)).passed(m)
	}
	e := m.until("the cut-off", func(e protocol.Event) bool { return e.Kind == protocol.TranscoderCutOff })
	if *e.Counterparty != cheat.Address() || e.Attempt == nil || e.Code != protocol.VerificationFailed {
		t.Errorf("event %+v", e)
	}
	if n := m.books.paidTo(cheat.Address()); n != 0 {
		t.Errorf("the cheater was paid %d times", n)
	}
	rows, err := m.store.Transcoders(t.Context())
	m.must(err)
	for _, row := range rows {
		if row.Address == cheat.Address() && (row.CutOffAt == nil || row.Record.State != verify.CutOff || !strings.Contains(row.CutOffFor, "verification_failed")) {
			t.Errorf("stored: %+v", row)
		}
	}
	counts, err := m.store.Counts(t.Context())
	m.must(err)
	if counts.CheatersCaught != 1 || counts.Rejected < 2 {
		t.Errorf("counts %+v", counts)
	}
	// It gets nothing more, not even probes.
	before := cheat.Tries.Load()
	m.push(m.offer(q, 4), bytes.NewReader(m.segments()[4].Bytes)).passed(m)
	if after := cheat.Tries.Load(); after != before {
		t.Errorf("a cut-off transcoder got %d more attempts", after-before)
	}
}

func TestSuspect_isPaidForProbesAndRestored(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	p := m.join(peertest.Forger, 50)
	m.join(peertest.Honest, 100)
	q := m.quote()
	m.push(m.offer(q, 0), bytes.NewReader(m.segments()[0].Bytes)).passed(m)
	if s := m.fleet.Record(p.Address()).State; s != verify.Suspect {
		t.Fatalf("state %s after one failure", s)
	}
	p.Behave(peertest.Honest)
	for seq := uint64(1); m.fleet.Record(p.Address()).State == verify.Suspect; seq++ {
		if seq > 60 { // a probe that a loaded machine was too slow for is no loss: the next segment brings another
			t.Fatalf("still %+v after %d segments", m.fleet.Record(p.Address()), seq-1)
		}
		r := m.push(m.offer(q, seq), bytes.NewReader(m.segments()[seq%6].Bytes))
		if a := r.passed(m); a.start.Assignment.Message.Transcoder == p.Address() {
			t.Error("a suspect's output was released")
		}
	}
	m.eventually("its probes are paid", func() bool { return m.books.paidTo(p.Address()) > 0 })
	m.until("the restoration", func(e protocol.Event) bool {
		return e.Kind == protocol.TranscoderRestored && *e.Counterparty == p.Address()
	})
	if owed, paid, _ := m.books.totals(); owed >= paid {
		t.Errorf("owed %d, paid %d: probes cost the payer nothing", owed, paid)
	}
}

func TestReplay_isAnsweredFromTheRecord(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	p := m.join(peertest.Honest, 100)
	q := m.quote()
	seg := m.segments()[0].Bytes
	offer := m.offer(q, 0)
	first := m.push(offer, bytes.NewReader(seg)).passed(m)
	again := m.push(offer, bytes.NewReader(seg)).passed(m)
	if again.verdict.Attempt != first.verdict.Attempt || !bytes.Equal(again.renditions[0], first.renditions[0]) {
		t.Error("the replay got another answer")
	}
	if r := m.push(offer, bytes.NewReader(m.segments()[1].Bytes)); r.code() != protocol.SegmentConflict || r.status != http.StatusConflict {
		t.Errorf("other bytes: status %d, code %s", r.status, r.code())
	}
	m.totals(1, 1, 0)
	if n := p.Tries.Load(); n != 1 {
		t.Errorf("%d attempts", n)
	}

	// The payer found the output bad by its own check: somebody else redoes it, and the payer owes both until it pays.
	other := m.join(peertest.Honest, 120)
	redone := m.push(m.offer(q, 0, p.Address()), bytes.NewReader(seg)).passed(m)
	if redone.start.Assignment.Message.Transcoder != other.Address() {
		t.Error("redone by the one to avoid")
	}
	m.totals(2, 2, 0)
}

func TestReplay_joinsTheOneInFlight(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	p := m.join(peertest.Honest, 100)
	offer := m.offer(m.quote(), 0)
	seg := m.segments()[0].Bytes
	body, w := io.Pipe()
	done := make(chan result, 1)
	go func() {
		r, err := m.try(offer, body)
		if err != nil {
			t.Error(err)
		}
		done <- r
	}()
	_, err := w.Write(seg[:1000])
	m.must(err)
	m.eventually("the first push is in flight", func() bool { return p.Tries.Load() == 1 })
	go func() {
		_, _ = w.Write(seg[1000:])
		_ = w.Close()
	}()
	joined := m.push(offer, bytes.NewReader(seg)).passed(m)
	if first := (<-done).passed(m); first.verdict.Attempt != joined.verdict.Attempt {
		t.Error("two attempts were paid")
	}
	m.totals(1, 1, 0)
}

// A record that only Postgres has (the process was killed, or another replica told the story) is redone, and the debt of
// the delivery that was lost passes to the new one.
func TestReplay_afterARestartOwesOnce(t *testing.T) {
	t.Parallel()
	m := newMarket(t, func(c *dispatch.Config) { c.KeepBytes = 0 })
	m.join(peertest.Honest, 100)
	q := m.quote()
	seg := m.segments()[0].Bytes
	first := m.push(m.offer(q, 0), bytes.NewReader(seg)).passed(m)
	second := m.push(m.offer(q, 0), bytes.NewReader(seg)).passed(m)
	if first.verdict.Attempt == second.verdict.Attempt {
		t.Fatal("the answer was still at hand")
	}
	m.totals(1, 2, 0)
	r := m.push(m.offer(q, 0), bytes.NewReader(m.segments()[1].Bytes))
	if r.code() != protocol.SegmentConflict {
		t.Errorf("other bytes: %s", r.code())
	}
	m.totals(1, 2, 0)
}

func TestSegment_survivesItsRequest(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	p := m.join(peertest.Honest, 100)
	offer := m.offer(m.quote(), 0)
	seg := m.segments()[0].Bytes
	ctx, cut := context.WithCancel(t.Context())
	body, w := io.Pipe()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.url+"/v1/streams/demo/segments/0", body)
	m.must(err)
	req.Header.Set(protocol.OfferField, protocol.EncodeField(offer))
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		if resp, err := m.client.Do(req); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	}()
	_, err = w.Write(seg)
	m.must(err)
	_ = w.Close()
	m.eventually("the source is through", func() bool { return p.Tries.Load() == 1 })
	m.until("the verdict", func(e protocol.Event) bool {
		return e.Kind == protocol.OutputVerified || e.Kind == protocol.AttemptStarted
	})
	cut()
	<-gone
	m.push(offer, bytes.NewReader(seg)).passed(m)
	if owed, _, _ := m.books.totals(); owed != 1 {
		t.Errorf("owed %d", owed)
	}
}

func TestSegment_refusalsHaveTheirCodes(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	p := m.join(peertest.Honest, 100)
	q := m.quote()
	seg := m.segments()[0].Bytes
	stranger := key(t)
	sealed := func(change func(*protocol.SegmentHeader)) protocol.SegmentOffer {
		o := m.offer(q, 7)
		change(&o.Header.Message)
		var err error
		o.Header.Signature, err = m.domain.Sign(m.payer, o.Header.Message)
		m.must(err)
		return o
	}
	for name, c := range map[string]struct {
		offer  protocol.SegmentOffer
		path   string
		field  string
		status int
		code   protocol.Code
	}{
		"no offer":           {path: "/v1/streams/demo/segments/7", field: " ", code: protocol.BadRequest, status: 400},
		"not base64":         {path: "/v1/streams/demo/segments/7", field: "{}", code: protocol.BadRequest, status: 400},
		"sequence":           {offer: m.offer(q, 7), path: "/v1/streams/demo/segments/7.ts", code: protocol.BadSequence, status: 400},
		"sequence too large": {offer: m.offer(q, 7), path: "/v1/streams/demo/segments/9223372036854775808", code: protocol.BadSequence, status: 400},
		"stream name":        {offer: m.offer(q, 7), path: "/v1/streams/..x/segments/7", code: protocol.BadStreamName, status: 400},
		"other path":         {offer: m.offer(q, 7), path: "/v1/streams/demo/segments/8", code: protocol.BadRequest, status: 400},
		"duration":           {offer: func() protocol.SegmentOffer { o := m.offer(q, 7); o.DurationMillis = 0; return o }(), code: protocol.BadRequest, status: 400},
		"too long":           {offer: func() protocol.SegmentOffer { o := m.offer(q, 7); o.DurationMillis = 5000; return o }(), code: protocol.SegmentTooLong, status: 422},
		"recipient":          {offer: sealed(func(h *protocol.SegmentHeader) { h.Recipient = stranger.Address() }), code: protocol.BadRequest, status: 400},
		"not signed by payer": {offer: func() protocol.SegmentOffer {
			o := m.offer(q, 7)
			var err error
			o.Header.Signature, err = m.domain.Sign(stranger, o.Header.Message)
			m.must(err)
			return o
		}(), code: protocol.BadSignature, status: 400},
		"changed after signing": {offer: func() protocol.SegmentOffer { o := m.offer(q, 7); o.Header.Message.Incarnation = 9; return o }(), code: protocol.BadSignature, status: 400},
		"expired":               {offer: sealed(func(h *protocol.SegmentHeader) { h.Expiry = uint64(time.Now().Unix()) - 1 }), code: protocol.Stale, status: 400},
		"unknown quote":         {offer: sealed(func(h *protocol.SegmentHeader) { h.Quote = protocol.NewID() }), code: protocol.QuoteUnknown, status: 400},
		"another stream's quote": {offer: sealed(func(h *protocol.SegmentHeader) { h.Stream = "other" }), path: "/v1/streams/other/segments/7",
			code: protocol.QuoteUnknown, status: 400},
		"budget": {offer: sealed(func(h *protocol.SegmentHeader) { h.Budget = protocol.NewWei(1) }), code: protocol.BudgetTooSmall, status: 402},
	} {
		path, field := c.path, c.field
		if path == "" {
			path = "/v1/streams/demo/segments/7"
		}
		if field == "" {
			field = protocol.EncodeField(c.offer)
		}
		r, err := m.send(path, field, bytes.NewReader(seg))
		if err != nil || r.code() != c.code || r.status != c.status {
			t.Errorf("%s: status %d, code %q (%v), want %d, %q", name, r.status, r.code(), err, c.status, c.code)
		}
	}
	for name, c := range map[string]struct {
		credit error
		body   []byte
		code   protocol.Code
	}{
		"no allocation": {credit: protocol.Errorf(protocol.NoAllocation, "none"), body: seg, code: protocol.NoAllocation},
		"no credit":     {credit: protocol.Errorf(protocol.InsufficientCredit, "used up"), body: seg, code: protocol.InsufficientCredit},
		"empty":         {code: protocol.EmptySegment},
		"random":        {body: bytes.Repeat([]byte("no segment at all "), 5000), code: protocol.BadMedia},
		"too large":     {body: append(bytes.Clone(seg), make([]byte, 9<<20)...), code: protocol.SegmentTooLarge},
	} {
		m.books.mu.Lock()
		m.books.noCredit = c.credit
		m.books.mu.Unlock()
		r, err := m.try(m.offer(q, 8), bytes.NewReader(c.body))
		if name == "too large" && err == nil && r.code() == protocol.BadMedia {
			continue // what follows the segment is no MPEG-TS, which may be seen first
		}
		if err != nil || r.code() != c.code {
			t.Errorf("%s: status %d, code %q (%v), want %q", name, r.status, r.code(), err, c.code)
		}
		for _, a := range r.tries {
			if a.verdict != nil {
				t.Errorf("%s: an attempt on it was judged", name)
			}
		}
	}
	m.books.mu.Lock()
	m.books.noCredit = nil
	m.books.mu.Unlock()
	m.totals(0, 0, 0)
	if r := m.fleet.Record(p.Address()); r.Failed != 0 {
		t.Errorf("a transcoder answers for a payer's bad source: %+v", r)
	}
	m.push(m.offer(q, 0), bytes.NewReader(seg)).passed(m)
}

func TestSegment_whoseBytesComeTooSlowlyIsRefused(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	m.join(peertest.Honest, 100)
	body, w := io.Pipe()
	defer w.Close()
	go func() { _, _ = w.Write(m.segments()[0].Bytes[:2000]) }()
	if r := m.push(m.offer(m.quote(), 0), body); r.code() != protocol.BodyTooSlow {
		t.Errorf("status %d, code %q", r.status, r.code())
	}
	m.totals(0, 0, 0)
}

func TestSegment_withoutATranscoderIsRefused(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	r := m.push(m.offer(m.quote(), 0), bytes.NewReader(m.segments()[0].Bytes))
	if r.status != http.StatusServiceUnavailable || r.code() != protocol.NoTranscoder {
		t.Errorf("status %d, code %q", r.status, r.code())
	}
	m.join(peertest.Honest, 100)
	m.push(m.offer(m.quote(), 0), bytes.NewReader(m.segments()[0].Bytes)).passed(m)
}

func TestSecondScore_paysTheWinnerWhatItCouldHaveAsked(t *testing.T) {
	t.Parallel()
	m := newMarket(t, func(c *dispatch.Config) { c.Rule = auction.SecondScore })
	winner := m.join(peertest.Honest, 80)
	loser := m.join(peertest.Honest, 120)
	m.push(m.offer(m.quote(), 0), bytes.NewReader(m.segments()[0].Bytes)).passed(m)
	leases := slices.DeleteFunc(m.dispatcher.Leases(), func(l dispatch.LeaseView) bool { return l.Standby })
	if len(leases) != 1 || leases[0].Transcoder != winner.Address() {
		t.Fatalf("leases %+v", leases)
	}
	if price, _ := leases[0].Prices.Of(protocol.H264); price != protocol.NewWei(120) {
		t.Errorf("it is paid %s, want what the other one asks", price)
	}
	for _, p := range []*peertest.Peer{winner, loser} {
		resp, err := m.client.Get(m.url + "/api/v1/fleet/" + p.Address().Hex() + "/sheets?lease=" + leases[0].Lease.String())
		m.must(err)
		defer resp.Body.Close()
		var sheets []protocol.Signed[protocol.ScoreSheet]
		m.must(json.NewDecoder(resp.Body).Decode(&sheets))
		if len(sheets) != 1 {
			t.Fatalf("%d sheets", len(sheets))
		}
		sheet, err := sheets[0].Open(m.domain)
		m.must(err)
		if sheet.Transcoder != p.Address() || sheet.Orchestrator != m.self.Address() || sheet.Won != (p == winner) || sheet.Of != 2 {
			t.Errorf("sheet %+v", sheet)
		}
	}
	m.totals(1, 1, 0)
}

func TestSegment_withoutAResultInItsBudgetIsGivenUp(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	m.join(peertest.Sleeper, 100)
	o := m.offer(m.quote(), 0)
	o.BudgetMillis = 500
	if r := m.push(o, bytes.NewReader(m.segments()[0].Bytes)); r.code() != protocol.DeadlineExceeded {
		t.Errorf("status %d, code %q", r.status, r.code())
	}
	m.totals(0, 0, 0)
}

func TestQuote_refusals(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	for name, c := range map[string]struct {
		change func(*protocol.QuoteRequest)
		code   protocol.Code
	}{
		"no payer":  {func(r *protocol.QuoteRequest) { r.Payer = [20]byte{} }, protocol.BadRequest},
		"itself":    {func(r *protocol.QuoteRequest) { r.Payer = m.self.Address() }, protocol.BadRequest},
		"stream":    {func(r *protocol.QuoteRequest) { r.Stream = "a/b" }, protocol.BadRequest},
		"no ladder": {func(r *protocol.QuoteRequest) { r.Ladder = nil }, protocol.BadRequest},
		"codec": {func(r *protocol.QuoteRequest) {
			r.Ladder = protocol.Ladder{{Name: "x", Width: 64, Height: 64, Bitrate: 1e5, Codec: protocol.AV1, Container: protocol.FMP4}}
		}, protocol.UnsupportedCodec},
		"too long":   {func(r *protocol.QuoteRequest) { r.MaxMillis = protocol.MaxSegmentMillis + 1 }, protocol.BadRequest},
		"frame rate": {func(r *protocol.QuoteRequest) { r.SourceFPS = 0 }, protocol.BadRequest},
	} {
		r := m.request()
		c.change(&r)
		_, p := post[protocol.QuoteAnswer](m, "/v1/quote", r)
		if p == nil || p.Code != c.code {
			t.Errorf("%s: %+v, want %s", name, p, c.code)
		}
	}
	resp, err := m.client.Post(m.url+"/v1/quote", "application/json", strings.NewReader("{"))
	m.must(err)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("half a JSON: status %d", resp.StatusCode)
	}
}

func TestQuote_isServedByAnotherReplica(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	m.join(peertest.Honest, 100)
	q := m.quote()
	stored, err := m.store.Quote(t.Context(), q.Quote.Message.ID)
	m.must(err)
	if _, err := stored.Quote.Open(m.domain); err != nil || stored.Request.Ladder.Hash() != ladder.Hash() || stored.Valid <= 0 {
		t.Errorf("stored quote: %v, %+v", err, stored)
	}
}

func TestQuote_runsOut(t *testing.T) {
	t.Parallel()
	m := newMarket(t, func(c *dispatch.Config) { c.QuoteValid = time.Millisecond })
	m.join(peertest.Honest, 100)
	q := m.quote()
	m.eventually("the quote's grace is over", func() bool {
		stored, err := m.store.Quote(t.Context(), q.Quote.Message.ID)
		m.must(err)
		return stored.Valid < -2*time.Second
	})
	if r := m.push(m.offer(q, 0), bytes.NewReader([]byte("x"))); r.code() != protocol.QuoteExpired {
		t.Errorf("code %q", r.code())
	}
}

func TestSlot_refusals(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	p := m.join(peertest.Honest, 100)
	m.push(m.offer(m.quote(), 0), bytes.NewReader(m.segments()[0].Bytes)).passed(m)
	lease := m.dispatcher.Leases()[0].Lease
	stranger := key(t)
	park := func(client *http.Client, path string, r protocol.SlotRequest, signer *protocol.KeySigner) protocol.Code {
		sig, err := m.domain.Sign(signer, r)
		m.must(err)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.url+"/v1/leases/"+path+"/slots", http.NoBody)
		m.must(err)
		req.Header.Set(protocol.SlotField, protocol.EncodeField(protocol.Signed[protocol.SlotRequest]{Message: r, Signature: sig}))
		resp, err := client.Do(req)
		m.must(err)
		defer resp.Body.Close()
		var problem protocol.Problem
		if resp.StatusCode != http.StatusOK {
			m.must(json.NewDecoder(resp.Body).Decode(&problem))
		}
		return problem.Code
	}
	mine := protocol.SlotRequest{Lease: lease, Transcoder: p.Address(), Serial: 1}
	unknown := mine
	unknown.Lease = protocol.NewID()
	theirs := protocol.SlotRequest{Lease: lease, Transcoder: stranger.Address(), Serial: 99}
	for name, c := range map[string]struct {
		got, want protocol.Code
	}{
		"serial used before": {park(m.client, lease.String(), mine, p.Key), protocol.Stale},
		"forged":             {park(m.client, lease.String(), mine, stranger), protocol.BadSignature},
		"somebody else's":    {park(m.client, lease.String(), theirs, stranger), protocol.BadRequest},
		"unknown lease":      {park(m.client, unknown.Lease.String(), unknown, p.Key), protocol.LeaseUnknown},
		"no lease":           {park(m.client, "7", mine, p.Key), protocol.BadRequest},
		"HTTP/1.1":           {park(http.DefaultClient, lease.String(), mine, p.Key), protocol.BadRequest},
	} {
		if c.got != c.want {
			t.Errorf("%s: code %q, want %q", name, c.got, c.want)
		}
	}
}

func TestLease_isRenewedInUseAndLapsesIdle(t *testing.T) {
	t.Parallel()
	m := newMarket(t, func(c *dispatch.Config) { c.LeaseTime, c.IdleLease = 2*time.Second, 1500*time.Millisecond })
	p := m.join(peertest.Honest, 100)
	q := m.quote()
	m.push(m.offer(q, 0), bytes.NewReader(m.segments()[0].Bytes)).passed(m)
	lease := m.dispatcher.Leases()[0].Lease
	m.eventually("the lease is renewed", func() bool {
		l := m.dispatcher.Leases()
		return len(l) == 1 && l[0].Lease == lease && l[0].LeftMillis > 1500
	})
	m.eventually("the idle lease lapses", func() bool { return len(m.dispatcher.Leases()) == 0 })
	m.push(m.offer(q, 1), bytes.NewReader(m.segments()[1].Bytes)).passed(m)
	if n := p.Held.Load(); n != 2 {
		t.Errorf("%d leases, want a second one", n)
	}
}

func TestLease_thatAnotherReplicaReleasedIsReplacedAtOnceByTheSameTranscoder(t *testing.T) {
	t.Parallel()
	m := newMarket(t, func(c *dispatch.Config) { c.SlotTimeout = 2 * patience }) // longer than anything waits for a segment here
	p := m.join(peertest.Honest, 100)
	q := m.quote()
	m.push(m.offer(q, 0), bytes.NewReader(m.segments()[0].Bytes)).passed(m)
	lease := m.dispatcher.Leases()[0].Lease

	// As another one with the same identity does to which the payer has gone, before it comes back.
	sibling, err := bus.Dial(t.Context(), m.nats, bus.Options{Name: "orchestrator", Log: m.log})
	m.must(err)
	defer sibling.Close()
	serial, err := m.store.NextSerial(t.Context(), lease)
	m.must(err)
	release, err := protocol.Seal(m.domain, m.self, protocol.LeaseRequest{Lease: lease, Orchestrator: m.self.Address(), Serial: serial})
	m.must(err)
	_, err = sibling.AskLease(t.Context(), p.Address(), release)
	m.must(err)
	m.must(m.store.EndLease(t.Context(), lease, "another replica took over"))
	m.eventually("its slots are gone", func() bool { l := m.dispatcher.Leases(); return len(l) == 1 && l[0].Parked == 0 })

	m.push(m.offer(q, 1), bytes.NewReader(m.segments()[1].Bytes)).passed(m)
	if n := p.Held.Load(); n != 2 {
		t.Errorf("%d leases, want a second one", n)
	}
}

func TestStream_endsAndItsLeasesWithIt(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	p := m.join(peertest.Honest, 100)
	m.push(m.offer(m.quote(), 0), bytes.NewReader(m.segments()[0].Bytes)).passed(m)
	m.dispatcher.EndStream(m.payer.Address(), "demo")
	select {
	case s := <-m.books.ended:
		if s != "demo" {
			t.Errorf("stream %q ended", s)
		}
	case <-time.After(patience):
		t.Fatal("the transcoders' tickets were not flushed")
	}
	m.eventually("the transcoder hears of the release", func() bool { return p.Open() == 0 })
	if l := m.dispatcher.Leases(); len(l) != 0 {
		t.Errorf("leases are still open: %+v", l)
	}
}

func TestReady_saysSoOnceEnoughAreAllocatedWhoeverElseBids(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	ready := func() (r api.Readiness) {
		resp, err := m.client.Get(m.url + "/readyz")
		m.must(err)
		defer resp.Body.Close()
		m.must(json.NewDecoder(resp.Body).Decode(&r))
		if r.Ready != (resp.StatusCode == http.StatusOK) {
			t.Errorf("status %d for %+v", resp.StatusCode, r)
		}
		return r
	}
	if r := ready(); r.Ready || !strings.Contains(r.Reason, "0 of 1") {
		t.Errorf("without a transcoder: %+v", r)
	}
	p := m.join(peertest.Honest, 100)
	if r := ready(); !r.Ready || r.Transcoders != 1 {
		t.Errorf("with one: %+v", r)
	}
	m.books.mu.Lock()
	if m.books.funded[p.Address()].IsZero() {
		t.Error("ready without an allocation")
	}
	m.books.broke = true
	m.books.mu.Unlock()
	stranger := key(t)
	bid, err := protocol.Seal(m.domain, stranger, protocol.Bid{Transcoder: stranger.Address(), FreePixelRate: 1, TTLMillis: 60_000, Sequence: 1,
		Prices: protocol.Prices{{Codec: protocol.H264, WeiPerPixel: protocol.NewWei(1)}}})
	m.must(err)
	m.fleet.Bid(bid)
	m.eventually("the stranger is refused an allocation", func() bool {
		for _, x := range m.fleet.Members() {
			if x.Address == stranger.Address() {
				return x.Refusal != ""
			}
		}
		return false
	})
	if r := ready(); !r.Ready || r.Waiting != 1 {
		t.Errorf("with one that cannot be funded: %+v", r)
	}
}

func TestAPI_showsWhatGoesOn(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	p := m.join(peertest.Honest, 100)
	m.push(m.offer(m.quote(), 0), bytes.NewReader(m.segments()[0].Bytes)).passed(m)
	get := func(path string, v any) {
		t.Helper()
		resp, err := m.client.Get(m.url + path)
		m.must(err)
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: status %d", path, resp.StatusCode)
		}
		m.must(json.NewDecoder(resp.Body).Decode(v))
	}
	var stats api.Stats
	m.eventually("the bids are counted", func() bool { get("/api/v1/stats", &stats); return stats.Bids > 0 })
	if stats.VerifiedL0 != 1 || stats.VerifiedL1 != 1 || stats.Awards != 1 || stats.Transcoders != 1 || stats.Allocated != 1 {
		t.Errorf("stats %+v", stats)
	}
	var members []api.Member
	get("/api/v1/fleet", &members)
	if len(members) != 1 || members[0].Address != p.Address() || members[0].Bid == nil || members[0].Record.Passed != 1 || len(members[0].Leases) != 1 {
		t.Errorf("fleet %+v", members)
	}
	var epochs []struct{ Secret *protocol.Hash }
	get("/api/v1/epochs", &epochs)
	if len(epochs) != 1 || epochs[0].Secret != nil {
		t.Errorf("the secret of the running epoch is shown: %+v", epochs)
	}
	resp, err := m.client.Get(m.url + "/metrics")
	m.must(err)
	text, err := io.ReadAll(resp.Body)
	m.must(err)
	_ = resp.Body.Close()
	if !strings.Contains(string(text), `kinora_orchestrator_segments_total{outcome="ok"} 1`) {
		t.Errorf("metrics:\n%s", text)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.url+"/api/v1/events", nil)
	m.must(err)
	events, err := m.client.Do(req)
	m.must(err)
	defer events.Body.Close()
	want := fmt.Sprintf(`"kind":%q`, protocol.OutputVerified)
	var seen []byte
	for buf := make([]byte, 4096); !bytes.Contains(seen, []byte(want)); {
		n, err := events.Body.Read(buf)
		if err != nil {
			t.Fatalf("%v after:\n%s", err, seen)
		}
		seen = append(seen, buf[:n]...)
	}
}
